"""The inbox beside viewflow's own queue, on the same open tasks: time, statements, bytes, through the real views."""

import re
import statistics
import time
from html import unescape

from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import override_settings

from workflows.models import Dossier, Tache

from . import jeux
from .mesure import mesurer, tableau


def _taches(nombre: int) -> None:
    """Bring the number of open SESAN tasks to ``nombre``: one establishment and one dossier each, in bulk SQL."""
    manquent = nombre - Tache.objects.filter(noeud="approbation_sesan", close_le__isnull=True).count()
    modele = Tache.objects.filter(noeud="approbation_sesan", close_le__isnull=True).values_list("pk").first()
    assert modele
    with connection.cursor() as curseur:
        curseur.execute(
            "SELECT coalesce(max(right(identifiant, 9)::bigint), 0) FROM structures_fiche WHERE niveau = 'EG' AND identifiant LIKE '198%%'"
        )
        (debut,) = curseur.fetchone()
        curseur.execute(
            """
            WITH n AS (SELECT i, nextval(pg_get_serial_sequence('structures_fiche', 'id')) AS eg
                       FROM generate_series(1, %(manquent)s) i),
            eg AS (INSERT INTO structures_fiche (id, niveau, identifiant, eg_id, creee_le)
                   SELECT eg, 'EG', '198' || lpad((%(debut)s %% 10000000 + i)::text, 7, '0'), eg, now() FROM n RETURNING id),
            p AS (INSERT INTO viewflow_process (flow_class, status, created, data)
                  SELECT flow_class, status, now() - i * interval '1 minute', data
                  FROM n, viewflow_process WHERE id = (SELECT process_id FROM viewflow_task WHERE id = %(modele)s)
                  RETURNING id)
            SELECT 1
            """,
            {"manquent": manquent, "modele": modele[0], "debut": debut},
        )
        curseur.execute(
            """
            INSERT INTO structures_versionfiche (%(c)s) SELECT %(s)s FROM structures_versionfiche v
            JOIN workflows_tache t ON t.eg_id = v.fiche_id AND t.tache_id = %%s
            CROSS JOIN structures_fiche f
            WHERE f.niveau = 'EG' AND f.identifiant LIKE '198%%%%'
              AND NOT EXISTS (SELECT 1 FROM structures_versionfiche w WHERE w.fiche_id = f.id)
            """
            % _colonnes_version(),
            [modele[0]],
        )
        curseur.execute(
            """
            WITH libre_p AS (SELECT id, row_number() OVER (ORDER BY id) r FROM viewflow_process p
                             WHERE NOT EXISTS (SELECT 1 FROM workflows_dossier d WHERE d.processus_id = p.id)
                               AND flow_class = (SELECT flow_class FROM viewflow_process WHERE id =
                                    (SELECT process_id FROM viewflow_task WHERE id = %(modele)s))),
            libre_e AS (SELECT id, row_number() OVER (ORDER BY id) r FROM structures_fiche f
                        WHERE niveau = 'EG' AND identifiant LIKE '198%%'
                          AND NOT EXISTS (SELECT 1 FROM workflows_dossier d WHERE d.eg_id = f.id)),
            m AS (SELECT d.* FROM workflows_dossier d JOIN workflows_tache t ON t.dossier_id = d.id WHERE t.tache_id = %(modele)s),
            d AS (INSERT INTO workflows_dossier ({d_colonnes})
                  SELECT {d_valeurs} FROM libre_p p JOIN libre_e e USING (r), m
                  RETURNING id, eg_id, processus_id),
            t AS (INSERT INTO viewflow_task (flow_task, flow_task_type, status, created, token, data, process_id)
                  SELECT t.flow_task, t.flow_task_type, 'NEW', now(), t.token, t.data, d.processus_id
                  FROM d, viewflow_task t WHERE t.id = %(modele)s RETURNING id, process_id)
            INSERT INTO workflows_tache ({t_colonnes})
            SELECT {t_valeurs}
            FROM t JOIN d ON d.processus_id = t.process_id
            CROSS JOIN (SELECT * FROM workflows_tache WHERE tache_id = %(modele)s) mt
            """.format(**_colonnes("d", Dossier, "m", _DOSSIER), **_colonnes("t", Tache, "mt", _TACHE)),
            {"modele": modele[0]},
        )
        curseur.execute("ANALYZE")


# What differs from the row that is copied.
_DOSSIER = {"eg_id": "e.id", "nom": "'Dossier ' || e.r", "processus_id": "p.id"}
_TACHE = {
    "tache_id": "t.id",
    "dossier_id": "d.id",
    "eg_id": "d.eg_id",
    "creee_le": "now() - (t.id %% 60) * interval '1 day'",
    "echeance": "now() + (t.id %% 40 - 10) * interval '1 day'",
    "lieu": "'ehpad ' || d.eg_id",
    "departement": "(ARRAY['75', '77', '78', '91', '92', '93', '94', '95'])[1 + t.id %% 8]",
    "expediteur": "'expediteur ' || t.id %% 300",
    "changements": "1 + t.id %% 40",
    "attentions": "CASE WHEN t.id %% 20 = 0 THEN ARRAY['sensible'] ELSE ARRAY[]::varchar[] END",
}


def _colonnes(prefixe: str, modele: type[Model], copie: str, autres: dict[str, str]) -> dict[str, str]:
    colonnes = [f.column for f in modele._meta.concrete_fields if f.column != "id"]
    valeurs = ", ".join(autres.get(c, f"{copie}.{c}") for c in colonnes)
    return {f"{prefixe}_colonnes": ", ".join(colonnes), f"{prefixe}_valeurs": valeurs}


def _colonnes_version() -> dict[str, str]:
    from structures.models import VersionFiche

    colonnes = [f.column for f in VersionFiche._meta.concrete_fields if f.column != "id"]
    valeurs = {"fiche_id": "f.id", "eg_id": "f.id", "nom": "'EHPAD ' || f.id", "recherche": "'ehpad ' || f.id"}
    return {"c": ", ".join(colonnes), "s": ", ".join(valeurs.get(c, f"v.{c}") for c in colonnes)}


NOTRES = {
    "À prendre": "/taches/?onglet=a-prendre",
    "page suivante": "",  # found on the first
    "par établissement": "/taches/?onglet=a-prendre&tri=etablissement",
    "par taille, gros d’abord": "/taches/?onglet=a-prendre&tri=-taille",
    "filtrée": "/taches/?onglet=a-prendre&departement=92&attention=une&taille=21-100",
    "cherchée": "/taches/?onglet=a-prendre&q=ehpad+92",
    "En retard": "/taches/?onglet=en-retard",
    "Mon équipe": "/taches/?onglet=mon-equipe",
}
VIEWFLOW = "/viewflow/flux/queue/"


def mesurer_boite(tailles: tuple[int, ...] = (1_000, 10_000, 25_000, 50_000)) -> None:
    eg = jeux.ehpad("930000901", 10)
    referent, gestionnaire = jeux.acteurs(eg)
    gestionnaire.is_superuser = True  # viewflow's screens ask for its own permissions
    gestionnaire.save()
    jeux.dossier_envoye(eg, 4, referent)
    lignes = []
    with override_settings(ROOT_URLCONF="benchmarks.boite_viewflow"):
        for taille in tailles:
            _taches(taille)
            client = Client()
            client.force_login(gestionnaire)
            suite = re.search(r'href="(\?[^"]*apres=[^"]*)"', client.get(NOTRES["À prendre"]).text)
            assert suite, "one page only"
            for nom, adresse in NOTRES.items():
                lignes.append([f"{taille} {nom}", *_une(client, adresse or f"/taches/{unescape(suite[1])}", fois=7)])
            lignes.append([f"{taille} viewflow", *_une(client, VIEWFLOW, fois=3)])
    tableau("Inbox", ["open tasks", "median ms", "statements", "KB"], lignes)


def _une(client: Client, adresse: str, *, fois: int) -> list[str]:
    durees = []
    client.get(adresse)
    for _ in range(fois):
        debut = time.perf_counter()
        reponse = client.get(adresse)
        durees.append(time.perf_counter() - debut)
        assert reponse.status_code == 200, adresse
    with mesurer() as mesure:
        client.get(adresse)
    return [
        f"{statistics.median(durees) * 1000:.0f}", str(mesure.instructions), f"{len(reponse.content) / 1024:.0f}",
    ]  # fmt: skip
