"""What a FINESS file does, line by line, read from the staging tables of ``classement`` once it is done."""

# ruff: noqa: S608  statements made of pieces of ours

from collections.abc import Iterator
from datetime import date

from django.db import connection
from django.utils import timezone


def effets() -> Iterator[tuple[str, int, str, str, str, str, str, str, str]]:
    """(fate, line, FINESS, name, identifier, field, before, after, why), in the order of the file: a row a creation, a
    changed field, an establishment left as it is or a thing to look at. Read by a cursor of the server."""
    requete = f"SELECT * FROM ({' UNION ALL '.join(_EFFETS)}) effet ORDER BY ligne, fate, champ"
    with connection.chunked_cursor() as curseur:
        curseur.execute(requete, [timezone.localdate()])
        yield from curseur


def a_fermer() -> list[tuple[int, date | None]]:
    """(fiche, closing day) of what is open in the register and closed in the file."""
    with connection.cursor() as curseur:
        curseur.execute("SELECT fiche, max(clos_le) FROM finess_ligne WHERE sort = 'a_fermer' GROUP BY 1 ORDER BY 1")
        return curseur.fetchall()


_LIGNE = "l.ligne, l.finess, coalesce(l.nom, '') AS nom, '1' || l.finess AS fiche"
_AVANT, _APRES = "e.ancien #>> '{}'", "e.neuf #>> '{}'"


def _categorie(code: str) -> str:
    return f"(SELECT max(x.libelle) FROM structures_concept x WHERE x.nomenclature_id = 'J55' AND x.code = {code})"


def _circuit(categorie: str) -> str:
    return f"""(SELECT trim(r.filiere || ' ' || array_to_string(r.autorites, ' + '))
                FROM structures_reglecategorie r WHERE r.categorie = {categorie})"""


_EFFETS = (
    """SELECT 'cree' AS fate, min(l.ligne) AS ligne, j.finess,
              coalesce(max(e.nom), 'Entité juridique ' || j.finess) AS nom, '1' || j.finess AS fiche,
              '' AS champ, '' AS avant, '' AS apres,
              CASE WHEN max(e.nom) IS NULL THEN 'Ce fichier ne la nomme pas : nom d’attente, jusqu’au fichier des '
                  || 'entités juridiques (cs1100501).' ELSE '' END AS raison
       FROM finess_ej j JOIN finess_ligne l ON l.ej = j.finess AND l.sort IS NULL
       LEFT JOIN finess_ligne e ON e.finess = j.finess AND e.sort = 'ej' GROUP BY j.finess""",
    f"""SELECT CASE WHEN l.cree THEN 'cree' ELSE 'inchange' END, {_LIGNE}, '', '',
               CASE WHEN l.cree THEN l.ej ELSE '' END, ''
        FROM finess_ligne l
        WHERE l.sort IS NULL AND (l.cree OR NOT EXISTS (SELECT FROM finess_ecart e WHERE e.ligne = l.ligne))""",
    f"""SELECT CASE e.champ WHEN 'parent' THEN 'deplace' ELSE 'change' END, {_LIGNE}, e.champ,
               CASE e.champ WHEN 'parent' THEN (
                   SELECT substr(f.identifiant, 2) FROM structures_fiche f WHERE f.id = e.ancien::bigint)
                   ELSE coalesce({_AVANT}, '') END,
               CASE e.champ WHEN 'parent' THEN l.ej ELSE {_APRES} END,
               CASE e.champ WHEN 'categorie'
                   THEN concat_ws(' → ', {_categorie(_AVANT)}, {_categorie(_APRES)}) ELSE '' END
        FROM finess_ecart e JOIN finess_ligne l ON l.ligne = e.ligne WHERE l.sort IS NULL""",
    # domain.md §6: the route is decided at the sending, and does not change while the flow runs.
    f"""SELECT 'signale', {_LIGNE}, e.champ, {_circuit(_AVANT)}, {_circuit(_APRES)},
               'La catégorie change le circuit, et le dossier « ' || d.nom || ' » est ouvert : ' || CASE
               WHEN d.envoye_le IS NULL THEN 'pas encore envoyé, il suivra le nouveau circuit à son envoi.'
               ELSE 'déjà envoyé, il garde son circuit ; s’il doit en changer, renvoyez-le pour correction.' END
        FROM finess_ecart e JOIN finess_ligne l ON l.ligne = e.ligne
        JOIN structures_reservation d ON d.eg_id = e.fiche
        WHERE e.champ = 'categorie' AND {_circuit(_AVANT)} IS DISTINCT FROM {_circuit(_APRES)}""",
    f"""SELECT 'signale', {_LIGNE}, l.sort, '', CASE l.sort WHEN 'categorie' THEN l.categorie ELSE '' END,
               CASE l.sort WHEN 'categorie' THEN 'Le FINESS lui donne une catégorie que le répertoire ne suit pas'
               ELSE 'Le FINESS ne le situe pas dans la région' END || ' : la fiche reste telle quelle.'
        FROM finess_ligne l
        JOIN structures_versionfiche v ON v.finess = l.finess AND v.niveau = 'EG' AND v.validite @> %s
        WHERE l.sort IN ('categorie', 'region')""",
    f"""SELECT 'ferme', {_LIGNE}, 'existe', '', coalesce(to_char(l.clos_le, 'DD/MM/YYYY'), ''),
               'Fermé au FINESS, ouvert dans le répertoire.'
        FROM finess_ligne l WHERE l.sort = 'a_fermer'""",
)
