"""The supervision over 50,000 open tasks and 200,000 closed ones, through the real views: time, statements, bytes."""

import statistics
import time
from datetime import timedelta
from typing import Any

from django.db import connection, models
from django.test import Client
from django.utils import timezone
from viewflow.workflow.models import Process, Task

from workflows.domaine.decisions import approuver
from workflows.enums import ACTES
from workflows.models import Decision, Dossier, Evenement, Tache

from . import jeux
from .mesure import mesurer, tableau

OUVERTES, CLOSES = 50_000, 200_000
PAGES = {
    "flow": "",
    "backlog": "anciennete/",
    "activity, 12 weeks": "activite/",
    "activity, two years": "activite/?du={depuis}",
    "incidents": "incidents/",
    "late tasks": "taches/?retard=oui",
    "tasks of an age": "taches/?tranche=31-60",
    "approvals, two years": "actes/?mesure=approuve&du={depuis}",
    "returns of SESAN": "actes/?etape=approbation_sesan&reponse=renvoye&du={depuis}",
}


def _copier(modele: type[models.Model], source: int, nombre: int, plus: str = "", **valeurs: str) -> None:
    """``nombre`` copies of a row, ``valeurs`` (SQL over the rank ``i``) in place of some of its columns."""
    champs = [f for f in modele._meta.concrete_fields if not isinstance(f, models.AutoField) or f.column in valeurs]
    colonnes = ", ".join(f.column for f in champs)
    lues = ", ".join(valeurs.get(f.column, f"m.{f.column}") for f in champs)
    table, cle = modele._meta.db_table, modele._meta.pk.column
    with connection.cursor() as curseur:
        curseur.execute(
            f"INSERT INTO {table} ({colonnes}) SELECT {lues} FROM generate_series(1, {nombre}) i {plus},"
            f" {table} m WHERE m.{cle} = {source}"
        )


def _peupler(dossier: Dossier, tache: Tache) -> None:
    """One dossier an open task, each with closed tasks, decisions and events of the last two years. Triggers sleep: the
    journal is no chain."""
    with connection.cursor() as curseur:
        curseur.execute("SET session_replication_role = replica")
    jour = "now() - (i::bigint * 7919 % 730) * interval '1 day' - (i::bigint * 104729 % 86400) * interval '1 second'"
    suite = Process.objects.latest("pk").pk
    _copier(Process, dossier.processus_id, OUVERTES, id=f"{suite} + i")
    premier = Dossier.objects.latest("pk").pk
    _copier(
        Dossier, dossier.pk, OUVERTES, id=f"{premier} + i", processus_id=f"{suite} + i", nom="'Dossier ' || i",
        etat="'publie'", publie_le="now()", termine_le="now()",
    )  # fmt: skip
    total = OUVERTES + CLOSES
    tasks = Task.objects.latest("pk").pk
    _copier(Task, tache.pk, total, id=f"{tasks} + i", process_id=f"{suite} + 1 + i % {OUVERTES}")
    noeud = "(ARRAY['validation_direction', 'approbation_sesan', 'approbation_tutelle', 'redaction'])[1 + i % 4]"
    autorites = "CROSS JOIN (SELECT array_agg(code ORDER BY code) AS codes FROM structures_autorite) a"
    autorite = "CASE WHEN i % 4 = 2 THEN a.codes[1 + i / 4 % cardinality(a.codes)] END"
    gens = [jeux.compte(f"bureau{n}", "gestionnaire").pk for n in range(60)]
    qui = f"(ARRAY{gens})[1 + i % {len(gens)}]"
    issue = "(ARRAY['valide', 'approuve', 'approuve', 'finalise', 'renvoye'])[1 + i / 4 % 5]"
    communs = {"dossier_id": f"{premier} + 1 + i % {OUVERTES}", "noeud": noeud, "autorite_id": autorite}
    _copier(
        Tache, tache.pk, OUVERTES, autorites, tache_id=f"{tasks} + i", **communs, close_le="NULL", issue="''",
        close_par_id="NULL", creee_le="now() - (i % 90) * interval '1 day'",
        echeance="now() + (i % 40 - 15) * interval '1 day'",
    )  # fmt: skip
    _copier(
        Tache, tache.pk, CLOSES, autorites, tache_id=f"{tasks} + {OUVERTES} + i", **communs, creee_le=jour, issue=issue,
        close_le=f"{jour} + (i % 12) * interval '1 day'", close_par_id=qui,
    )  # fmt: skip
    _copier(
        Decision, Decision.objects.latest("pk").pk, CLOSES // 2, autorites,
        tache_id=f"{tasks} + {OUVERTES} + i", **communs, issue=issue, motif="'Motif'", le=jour, acteur_id=qui,
    )  # fmt: skip
    types = ", ".join(f"'{type_}'" for type_ in (*ACTES, "tache_creee", "rappel", "fiche_enregistree"))
    _copier(
        Evenement, dossier.evenements.latest("pk").pk, 7 * OUVERTES, dossier_id=communs["dossier_id"],
        type=f"(ARRAY[{types}])[1 + i / 7 % 10]", le=jour, acteur_id=qui, rang=f"1 + i / {OUVERTES}",
    )  # fmt: skip
    with connection.cursor() as curseur:
        curseur.execute("SET session_replication_role = DEFAULT")
        curseur.execute("VACUUM ANALYZE")


def mesurer_supervision() -> None:
    eg = jeux.ehpad("930000955", 10)
    referent, gestionnaire = jeux.acteurs(eg)
    dossier, tache = jeux.dossier_envoye(eg, 4, referent)
    approuver(tache=tache.pk, acteur=gestionnaire)
    _peupler(Dossier.objects.get(pk=dossier.pk), Tache.objects.get(pk=tache.pk))
    client = Client()
    client.force_login(gestionnaire)
    depuis = (timezone.localdate() - timedelta(days=729)).isoformat()
    lignes = []
    for nom, page in PAGES.items():
        adresse = f"/supervision/{page.format(depuis=depuis)}"
        client.get(adresse)
        durees: list[float] = []
        reponse: Any = None
        for _ in range(5):
            debut = time.perf_counter()
            reponse = client.get(adresse)
            durees.append(time.perf_counter() - debut)
            assert reponse.status_code == 200, adresse
        with mesurer() as mesure:
            client.get(adresse)
        lignes.append(
            [
                nom, f"{statistics.median(durees) * 1000:.0f}", str(mesure.instructions),
                f"{len(reponse.content) / 1024:.0f}",
            ]
        )  # fmt: skip
    tableau(f"Supervision, {OUVERTES} open tasks, {CLOSES} closed", ["page", "median ms", "statements", "KB"], lignes)
