"""Staging and classification of a FINESS file, by set-based SQL against what the register holds today."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import islice
from typing import Any

from django.db import connection
from django.utils import timezone

from .rapport import Conserve, Rapport, Refus
from .releve import Ligne, Position

# Fields that the file fills, beside ``parent``: columns of the staging tables and of VersionFiche.
DE_LIGNE = (
    "nom", "categorie", "siret", "participation_sph", "mode_tarification", "adresse_voie", "adresse_complement",
    "code_postal", "commune", "telephone", "date_ouverture", "siren", "statut_juridique",
)  # fmt: skip
DE_POSITION = ("longitude", "latitude")
LOT_COPIE = 5_000
CODES = {"participation_sph": "R73", "mode_tarification": "R74", "statut_juridique": "R72"}

_TABLES = """
    DROP TABLE IF EXISTS pg_temp.finess_ligne, pg_temp.finess_position, pg_temp.finess_ecart, pg_temp.finess_ej;
    CREATE TEMP TABLE finess_ligne (
        ligne int, empreinte text, niveau text, finess text, ej text, categorie text, sort text, jour date,
        nom text, siret text, participation_sph text, mode_tarification text, adresse_voie text,
        adresse_complement text, code_postal text, commune text, telephone text, date_ouverture date,
        siren text, statut_juridique text, clos_le date,
        fiche bigint, cree boolean, parent bigint, depuis date, effet date
    ) ON COMMIT DROP;
    CREATE TEMP TABLE finess_position (ligne int, finess text, longitude float8, latitude float8) ON COMMIT DROP;
    CREATE TEMP TABLE finess_ej (finess text, effet date) ON COMMIT DROP;
    CREATE TEMP TABLE finess_ecart (ligne int, fiche bigint, champ text, neuf jsonb, ancien jsonb) ON COMMIT DROP;
"""

# One row a field: what the file says (neuf), and what the register holds (ancien).
_LUS = {nom: f"{'p' if nom in DE_POSITION else 'l'}.{nom}" for nom in (*DE_LIGNE, *DE_POSITION, "parent")}
_TENUS = {nom: f"v.{'parent_id' if nom == 'parent' else nom}" for nom in _LUS}
_COMPARES = ", ".join(f"('{nom}', to_jsonb({lu}), to_jsonb({_TENUS[nom]}))" for nom, lu in _LUS.items())
# Of the whole row first: most of them say what the register holds.
_DIFFERE = " OR ".join(f"({lu} IS NOT NULL AND {lu} IS DISTINCT FROM {_TENUS[nom]})" for nom, lu in _LUS.items())


def _patch(noms: Iterable[str]) -> str:
    paires = ", ".join(f"'{nom}', {_LUS[nom]}" for nom in noms)
    return f"jsonb_strip_nulls(jsonb_build_object({paires}))"


# The EJ of a line is of use when the establishment is created or moves.
_PARENT_UTILE = """l.sort IS NULL AND (l.cree OR l.ligne IN (
    SELECT e.ligne FROM finess_ecart e WHERE e.champ = 'parent'))"""


def preparer() -> None:
    _executer(_TABLES)


def copier(lignes: Iterable[Ligne | Position]) -> None:
    """COPY the rows by lots: in the files in JSON, each establishment comes with its position."""
    tables: dict[type, str] = {
        Ligne: f"COPY finess_ligne ({', '.join(Ligne._fields)}) FROM STDIN",
        Position: f"COPY finess_position ({', '.join(Position._fields)}) FROM STDIN",
    }
    with connection.cursor() as curseur:
        suite = iter(lignes)
        while lot := list(islice(suite, LOT_COPIE)):
            for sorte, requete in tables.items():
                with curseur.copy(requete) as copie:
                    for ligne in lot:
                        if isinstance(ligne, sorte):
                            copie.write_row(ligne)
        curseur.execute(
            "CREATE INDEX ON finess_ligne (finess); ANALYZE finess_ligne (ligne, finess, ej, sort, niveau); "
            "ANALYZE finess_position (finess)"
        )


def positions_incoherentes() -> tuple[int, str] | None:
    """First position whose establishment is not in the file: rows are missing."""
    lignes = _lire(
        """SELECT p.ligne, p.finess FROM finess_position p
           WHERE NOT EXISTS (SELECT FROM finess_ligne l WHERE l.finess = p.finess) ORDER BY 1 LIMIT 1"""
    )
    return lignes[0] if lignes else None


def couverture() -> float:
    """Share of the establishments of the file that have a position, located or not."""
    return float(
        _lire(
            """SELECT (SELECT count(DISTINCT finess) FROM finess_position)::float8
                      / (SELECT count(DISTINCT finess) FROM finess_ligne)"""
        )[0][0]
    )


def ecarter(rapport: Rapport) -> None:
    """Settle duplicates, unknown codes and communes, and lines that the tree can't take; tie the rest to its fiches."""
    _doublons(rapport)
    _valeurs_inconnues(rapport)
    _identites()
    _conflits_de_niveau(rapport)
    _existences(rapport)


def _doublons(rapport: Rapport) -> None:
    repetees = _lire(
        """UPDATE finess_ligne l SET sort = 'doublon'
           FROM (SELECT finess, empreinte, min(ligne) AS premiere FROM finess_ligne
                 GROUP BY 1, 2 HAVING count(*) > 1) d
           WHERE (l.finess, l.empreinte) = (d.finess, d.empreinte) AND l.ligne > d.premiere RETURNING l.ligne"""
    )
    rapport.doublons = sorted(ligne for (ligne,) in repetees)
    _refuser(
        rapport,
        "finess",
        """WITH d AS (SELECT finess, array_agg(ligne ORDER BY ligne) AS lignes FROM finess_ligne
                      WHERE sort IS DISTINCT FROM 'doublon' GROUP BY 1 HAVING count(*) > 1)
           UPDATE finess_ligne l SET sort = 'refuse' FROM d WHERE l.finess = d.finess AND l.sort IS NULL
           RETURNING l.ligne, l.finess, l.finess, 'le même numéro figure avec un autre contenu ligne '
               || array_to_string(array_remove(d.lignes, l.ligne), ', ')""",
    )
    en_trop = _lire(
        """WITH d AS (SELECT finess FROM finess_position
                      GROUP BY 1 HAVING count(DISTINCT (longitude, latitude)) > 1)
           DELETE FROM finess_position p USING d WHERE p.finess = d.finess RETURNING p.ligne, p.finess"""
    )
    raison = "plusieurs positions pour ce numéro"
    rapport.refus += [Refus(ligne, finess, "latitude", "", raison) for ligne, finess in en_trop]
    _executer(
        """DELETE FROM finess_position p USING (SELECT finess, min(ctid) AS garde FROM finess_position
                                                GROUP BY 1 HAVING count(*) > 1) d
           WHERE p.finess = d.finess AND p.ctid <> d.garde"""
    )


def _valeurs_inconnues(rapport: Rapport) -> None:
    # A file older than a merger of communes still names the one that is no more.
    _executer(
        """UPDATE finess_ligne l SET commune = c.devenue FROM structures_commune c
           WHERE l.sort IS NULL AND l.commune = c.code AND c.devenue <> ''"""
    )
    for nom, liste in CODES.items():
        _oublier(
            rapport, nom, f"code inconnu de la nomenclature {liste}",
            "EXISTS (SELECT FROM structures_concept c WHERE c.nomenclature_id = %s AND c.code = v.valeur)", [liste],
        )  # fmt: skip
    _oublier(
        rapport, "commune", "commune inconnue du code officiel géographique",
        "EXISTS (SELECT FROM structures_commune c WHERE c.code = v.valeur)", [],
    )  # fmt: skip


def _oublier(rapport: Rapport, nom: str, raison: str, connue: str, parametres: list[str]) -> None:
    """Refuse the value alone: the line is imported without it. One lookup a distinct value."""
    inconnues = _lire(
        f"""WITH v AS (SELECT DISTINCT {nom} AS valeur FROM finess_ligne WHERE sort IS NULL AND {nom} IS NOT NULL),
                 inconnue AS (SELECT valeur FROM v WHERE NOT {connue})
            UPDATE finess_ligne l SET {nom} = NULL FROM inconnue i WHERE l.{nom} = i.valeur AND l.sort IS NULL
            RETURNING l.ligne, l.finess, i.valeur""",  # noqa: S608
        parametres,
    )
    rapport.refus += [Refus(ligne, finess, nom, valeur, raison) for ligne, finess, valeur in inconnues]


def _identites() -> None:
    """Tie each line, and the EJ that it names, to the identities that exist."""
    _executer(
        """UPDATE finess_ligne l SET fiche = f.id, parent = ej.id
           FROM finess_ligne x LEFT JOIN structures_fiche f ON f.identifiant = '1' || x.finess
           LEFT JOIN structures_fiche ej ON ej.identifiant = '1' || x.ej
           WHERE l.ligne = x.ligne AND (l.sort IS NULL OR l.sort = 'clos')"""
    )


def _conflits_de_niveau(rapport: Rapport) -> None:
    """A number is that of an EJ or of an establishment, in the file as in the register."""
    for champ, numero, autre, fiche, niveau in (
        ("finess", "finess", "ej", "fiche", "l.niveau"),
        ("parent", "ej", "finess", "parent", "'EJ'"),
    ):
        _refuser(
            rapport,
            champ,
            f"""UPDATE finess_ligne l SET sort = 'refuse'
                WHERE l.sort IS NULL AND l.niveau = 'EG'
                  AND EXISTS (SELECT FROM finess_ligne a WHERE a.{autre} = l.{numero} AND a.niveau = 'EG')
                RETURNING l.ligne, l.finess, l.{numero},
                    'ce numéro désigne à la fois une entité juridique et un établissement du fichier'""",  # noqa: S608
        )
        _refuser(
            rapport,
            champ,
            f"""UPDATE finess_ligne l SET sort = 'refuse' FROM structures_fiche f
                WHERE l.sort IS NULL AND f.id = l.{fiche} AND f.niveau <> {niveau}
                RETURNING l.ligne, l.finess, l.{numero}, 'ce numéro est celui d’'
                    || CASE f.niveau WHEN 'EJ' THEN 'une entité juridique' ELSE 'un établissement' END
                    || ' du répertoire'""",  # noqa: S608
        )


def _existences(rapport: Rapport) -> None:
    """From when the EJ of each line exists without end, and what becomes of the line: refused without such an EJ, left
    where the fiche is closed today."""
    arretees = _lire(
        """WITH ouverte AS (SELECT fiche_id FROM structures_versionfiche WHERE validite @> %s),
           sans_fin AS (
               SELECT fiche_id, lower(jours) AS debut FROM (
                   SELECT fiche_id, unnest(range_agg(validite)) AS jours FROM structures_versionfiche
                   WHERE fiche_id IN (SELECT parent FROM finess_ligne WHERE sort IS NULL) GROUP BY 1) p
               WHERE upper_inf(jours)),
           lue AS (
               UPDATE finess_ligne l SET depuis = ej.debut, cree = l.fiche IS NULL, sort = CASE
                   WHEN l.sort = 'clos' THEN CASE WHEN o.fiche_id IS NULL THEN 'clos' ELSE 'a_fermer' END
                   WHEN l.parent IS NOT NULL AND ej.debut IS NULL THEN 'refuse'
                   WHEN l.fiche IS NOT NULL AND o.fiche_id IS NULL THEN 'ferme'
                   WHEN l.fiche IS NULL AND l.niveau = 'EJ' THEN 'ej' END
               FROM finess_ligne x LEFT JOIN ouverte o ON o.fiche_id = x.fiche
               LEFT JOIN sans_fin ej ON ej.fiche_id = x.parent
               WHERE l.ligne = x.ligne AND (l.sort IS NULL OR l.sort = 'clos')
               RETURNING l.ligne, l.finess, l.ej, l.sort)
           SELECT * FROM lue WHERE sort IN ('refuse', 'ferme')""",
        [timezone.localdate()],
    )
    raison_refus = "l’entité juridique est fermée, ou va l’être, dans le répertoire"
    raison_ferme = "la fiche n’est pas ouverte aujourd’hui dans le répertoire, elle n’est pas rouverte pour autant"
    for ligne, finess, ej, sort in arretees:
        if sort == "refuse":
            rapport.refus.append(Refus(ligne, finess, "parent", ej, raison_refus, ligne_entiere=True))
        else:
            rapport.eg_fermes += 1
            rapport.conserves.append(Conserve(ligne, finess, "existe", "", "", raison_ferme))


def comparer() -> None:
    """Field by field, what the file says otherwise than the register of today."""
    aujourdhui = timezone.localdate()
    _executer(
        f"""INSERT INTO finess_ecart
            SELECT l.ligne, l.fiche, c.champ, c.neuf, c.ancien
            FROM finess_ligne l
            JOIN structures_versionfiche v ON v.fiche_id = l.fiche AND v.validite @> %s
            LEFT JOIN finess_position p ON p.finess = l.finess
            CROSS JOIN LATERAL (VALUES {_COMPARES}) AS c(champ, neuf, ancien)
            WHERE l.sort IS NULL AND ({_DIFFERE}) AND c.neuf IS NOT NULL AND c.neuf IS DISTINCT FROM c.ancien
            UNION ALL  -- moves to an EJ that the register lacks
            SELECT l.ligne, l.fiche, 'parent', to_jsonb(l.ej), to_jsonb(v.parent_id)
            FROM finess_ligne l JOIN structures_versionfiche v ON v.fiche_id = l.fiche AND v.validite @> %s
            WHERE l.sort IS NULL AND l.niveau = 'EG' AND l.parent IS NULL""",  # noqa: S608
        [aujourdhui, aujourdhui],
    )
    _executer("ANALYZE finess_ecart")


def fiches_touchees() -> list[int]:
    """Existing fiches to lock: those that may change, and the EJ that get a child."""
    return [
        cle
        for (cle,) in _lire(
            f"""SELECT fiche FROM finess_ecart
                UNION SELECT parent FROM finess_ligne l WHERE parent IS NOT NULL AND {_PARENT_UTILE}"""  # noqa: S608
        )
    ]


def conserver(rapport: Rapport, jour_fichier: date) -> None:
    """Drop the differences on what the register knows since a later day than the file's.

    A value is known since its date d'effet or its entry, whichever is later; one that was imported, since the date
    of its file. Planned changes don't count: they are not true yet, and stay planned.
    """
    aujourdhui = timezone.localdate()
    gardes = _lire(
        """WITH connu AS (
               SELECT m.fiche_id, c.champ, max(greatest(m.date_effet, CASE m.source
                          WHEN 'import' THEN substring(m.origine FROM '[0-9]{4}-[0-9]{2}-[0-9]{2}$')::date
                          ELSE (m.saisie_le AT TIME ZONE %(zone)s)::date END)) AS le
               FROM structures_modification m CROSS JOIN LATERAL jsonb_object_keys(m.patch) AS c(champ)
               WHERE m.fiche_id IN (SELECT fiche FROM finess_ecart) AND m.annulee_le IS NULL
                 AND m.date_effet <= %(aujourdhui)s GROUP BY 1, 2
           ), garde AS (
               SELECT e.ctid AS place, l.finess, k.le, r.fiche_id IS NOT NULL AS reservee FROM finess_ecart e
               JOIN finess_ligne l ON l.ligne = e.ligne
               LEFT JOIN connu k ON (k.fiche_id, k.champ) = (e.fiche, e.champ)
               LEFT JOIN structures_fichereservee r ON r.fiche_id = e.fiche
               WHERE k.le > %(fichier)s OR r.fiche_id IS NOT NULL
                  OR (e.champ = 'parent' AND l.depuis > %(aujourdhui)s)
           )
           DELETE FROM finess_ecart e USING garde g WHERE e.ctid = g.place
           RETURNING e.ligne, g.finess, e.champ, e.neuf #>> '{}', e.ancien #>> '{}', g.le, g.reservee""",
        {"fichier": jour_fichier, "aujourdhui": aujourdhui, "zone": timezone.get_current_timezone_name()},
    )
    for ligne, finess, champ, neuf, ancien, le, reservee in gardes:
        if le and le > jour_fichier:
            raison = f"mis à jour le {le:%d/%m/%Y}, après la date du fichier"
        elif reservee:
            raison = "un dossier envoyé en validation change cette fiche"
        else:
            raison = "la nouvelle entité juridique n’est pas encore ouverte"
        rapport.conserves.append(Conserve(ligne, finess, champ, neuf or "", ancien or "", raison))


def dater(jour_fichier: date) -> None:
    """The day from which each line is true: the opening for a creation, the day of the file for a change,
    never before the fiche itself nor, for a creation or a move, before its EJ."""
    _executer(
        """UPDATE finess_ligne l SET effet = greatest(coalesce(l.jour, %s), l.depuis)
           WHERE l.sort IS NULL AND l.cree""",
        [jour_fichier],
    )
    _executer(
        """UPDATE finess_ligne l SET effet = greatest(%s, d.debut, CASE WHEN d.deplace THEN l.depuis END)
           FROM (SELECT e.fiche, bool_or(e.champ = 'parent') AS deplace,
                        (SELECT min(lower(v.validite)) FROM structures_versionfiche v
                         WHERE v.fiche_id = e.fiche) AS debut
                 FROM finess_ecart e GROUP BY 1) d
           WHERE l.sort IS NULL AND l.fiche = d.fiche""",
        [jour_fichier],
    )


def compter(rapport: Rapport) -> None:
    """Counts of what is about to happen."""
    [(crees, modifies, ej_modifiees, total)] = _lire(
        """SELECT count(*) FILTER (WHERE cree), count(*) FILTER (WHERE niveau = 'EG' AND change),
                  count(*) FILTER (WHERE niveau = 'EJ' AND change), count(*) FILTER (WHERE niveau = 'EG')
           FROM (SELECT niveau, cree, e.ligne IS NOT NULL AS change FROM finess_ligne l
                 LEFT JOIN (SELECT DISTINCT ligne FROM finess_ecart) e USING (ligne) WHERE sort IS NULL) x"""
    )
    rapport.eg_crees, rapport.eg_modifies, rapport.eg_inchanges = crees, modifies, total - crees - modifies
    rapport.changements.update(dict(_lire("SELECT champ, count(*) FROM finess_ecart GROUP BY 1")))
    creees = ej_a_creer()
    rapport.ej_creees, rapport.ej_modifiees = len(creees), ej_modifiees
    rapport.ej_sans_nom = sum("nom" not in json.loads(contenu) for *_, contenu in creees)
    [(ej,)] = _lire(
        """SELECT count(DISTINCT coalesce(parent, fiche)) FROM finess_ligne
           WHERE sort IS NULL AND (parent IS NOT NULL OR niveau = 'EJ')"""
    )
    rapport.ej_inchangees = ej - ej_modifiees
    [(rapport.absents,)] = _lire(
        """SELECT count(*) FROM structures_versionfiche v WHERE v.validite @> %s
           AND v.niveau IN (SELECT DISTINCT niveau FROM finess_ligne) AND v.niveau = 'EG'
           AND NOT EXISTS (SELECT FROM finess_ligne l WHERE l.finess = v.finess)""",
        [timezone.localdate()],
    )


def sorts() -> dict[str, int]:
    """Number of lines by what stopped them (« categorie », « region », « doublon », « refuse », « ferme », « clos »,
    « a_fermer », and « ej » for those of which nothing is made)."""
    return dict(
        _lire(
            """SELECT sort, count(*) FROM finess_ligne
               WHERE sort IS NOT NULL AND (sort <> 'ej' OR finess NOT IN (SELECT finess FROM finess_ej)) GROUP BY 1"""
        )
    )


def ej_a_creer() -> list[tuple[str, date, str]]:
    """(FINESS, first day, what the file says of it as JSON text) of the EJ that the register lacks and that a creation
    or a move needs."""
    _executer(
        f"""DELETE FROM finess_ej;
            INSERT INTO finess_ej SELECT ej, min(effet) FROM finess_ligne l
            WHERE parent IS NULL AND niveau = 'EG' AND {_PARENT_UTILE} GROUP BY 1"""  # noqa: S608
    )
    return _lire(
        f"""SELECT j.finess, j.effet, {_patch(nom for nom in DE_LIGNE if nom != "categorie")}::text
            FROM finess_ej j LEFT JOIN finess_ligne l ON l.finess = j.finess AND l.sort = 'ej' ORDER BY 1"""  # noqa: S608
    )


def eg_a_creer() -> list[str]:
    return [finess for (finess,) in _lire("SELECT finess FROM finess_ligne WHERE sort IS NULL AND cree ORDER BY 1")]


def rattacher() -> None:
    """Give the identities just created to the lines that asked for them."""
    _identites()
    _executer(
        """UPDATE finess_ecart e SET neuf = to_jsonb(l.parent) FROM finess_ligne l
           WHERE e.ligne = l.ligne AND e.champ = 'parent'"""
    )


def patches(lot: int) -> Iterator[Sequence[tuple[int, date, str]]]:
    """Batches of (fiche, date d'effet, patch as JSON text), creations and changes alike."""
    with connection.chunked_cursor() as curseur:
        curseur.execute(
            f"""WITH e AS (SELECT ligne, jsonb_object_agg(champ, neuf) AS patch FROM finess_ecart GROUP BY 1)
                SELECT l.fiche, l.effet, (CASE WHEN l.cree
                    THEN jsonb_build_object('existe', true, 'finess', l.finess) || {_patch(_LUS)}
                    ELSE e.patch END)::text
                FROM finess_ligne l
                LEFT JOIN finess_position p ON p.finess = l.finess LEFT JOIN e ON e.ligne = l.ligne
                WHERE l.sort IS NULL AND l.effet IS NOT NULL ORDER BY l.fiche"""  # noqa: S608
        )
        while suite := curseur.fetchmany(lot):
            yield suite


def analyser() -> None:
    """Tell the planner what was just loaded, in the columns that joins are made on: on yesterday's statistics of an
    empty register, the check of the tree and the next import take a minute each instead of a tenth of a second."""
    _executer(
        "ANALYZE structures_fiche (id, niveau, identifiant, eg_id), structures_modification (fiche_id, date_effet), "
        "structures_versionfiche (fiche_id, niveau, eg_id, parent_id, validite, finess)"
    )


def _refuser(rapport: Rapport, champ: str, requete: str, parametres: Any = None) -> None:
    rapport.refus += [
        Refus(ligne, finess, champ, valeur, raison, ligne_entiere=True)
        for ligne, finess, valeur, raison in _lire(requete, parametres)
    ]


def _executer(requete: str, parametres: Any = None) -> None:
    with connection.cursor() as curseur:
        curseur.execute(requete, parametres)


def _lire(requete: str, parametres: Any = None) -> list[Any]:
    with connection.cursor() as curseur:
        curseur.execute(requete, parametres)
        return curseur.fetchall()
