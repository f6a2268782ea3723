"""The inbox at 1,000 and 25,000 open tasks, through the real view: time, statements, bytes."""

import statistics
import time

from django.db import connection
from django.test import Client

from workflows.models import Tache

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
            d AS (INSERT INTO workflows_dossier (eg_id, nom, auteur_id, processus_id, etat, filiere, autorites, cree_le,
                                                 envoye_le, envoye_par_id, empreinte, motif)
                  SELECT e.id, 'Dossier ' || e.r, m.auteur_id, p.id, m.etat, m.filiere, m.autorites, m.cree_le,
                         m.envoye_le, m.envoye_par_id, m.empreinte, '' FROM libre_p p JOIN libre_e e USING (r), m
                  RETURNING id, eg_id, processus_id),
            t AS (INSERT INTO viewflow_task (flow_task, flow_task_type, status, created, token, data, process_id)
                  SELECT t.flow_task, t.flow_task_type, 'NEW', now(), t.token, t.data, d.processus_id
                  FROM d, viewflow_task t WHERE t.id = %(modele)s RETURNING id, process_id)
            INSERT INTO workflows_tache (tache_id, dossier_id, eg_id, noeud, creee_le, echeance, sans_acteur, issue)
            SELECT t.id, d.id, d.eg_id, 'approbation_sesan', now(), now() + (t.id %% 40 - 10) * interval '1 day', false, ''
            FROM t JOIN d ON d.processus_id = t.process_id
            """,
            {"modele": modele[0]},
        )
        curseur.execute("ANALYZE")


def _colonnes_version() -> dict[str, str]:
    from structures.models import VersionFiche

    colonnes = [f.column for f in VersionFiche._meta.concrete_fields if f.column != "id"]
    valeurs = {"fiche_id": "f.id", "eg_id": "f.id", "nom": "'EHPAD ' || f.id", "recherche": "'ehpad ' || f.id"}
    return {"c": ", ".join(colonnes), "s": ", ".join(valeurs.get(c, f"v.{c}") for c in colonnes)}


def mesurer_boite(tailles: tuple[int, ...] = (1000, 25000)) -> None:
    eg = jeux.ehpad("930000901", 10)
    referent, gestionnaire = jeux.acteurs(eg)
    jeux.dossier_envoye(eg, 4, referent)
    lignes = []
    for taille in tailles:
        _taches(taille)
        client = Client()
        client.force_login(gestionnaire)
        for nom, adresse in (("à prendre", "/taches/"), ("en retard", "/taches/?file=en-retard")):
            client.get(adresse)
            durees = []
            for _ in range(5):
                debut = time.perf_counter()
                reponse = client.get(adresse)
                durees.append(time.perf_counter() - debut)
                assert reponse.status_code == 200
            with mesurer() as mesure:
                client.get(adresse)
            lignes.append(
                [
                    f"{taille} ({nom})", f"{statistics.median(durees) * 1000:.0f}", str(mesure.instructions),
                    f"{len(reponse.content) / 1024:.0f}",
                ]
            )  # fmt: skip
    tableau("Inbox", ["open tasks", "median ms", "statements", "KB"], lignes)
