"""What benchmarks/registre.py asks of the register: addresses, and beside each the bare SQL of the same question.

The SQL is written by hand, as somebody would who had only this table and this question.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db import connection
from django.utils import timezone

from structures.domaine.indexer import ACTIVITE, DEPARTEMENT, TYPE_UO
from structures.domaine.texte import normaliser
from structures.liste import PLAFOND
from structures.recherche.mots import codes_du_mot, libelles_cherches

NOMBRE = 60  # different requests a question
Sql = tuple[str, dict[str, Any]]
Demande = tuple[str, list[Sql]]

# -- the bare statements -----------------------------------------------------------------------------------

_SANITAIRE = "v.categorie IN (SELECT categorie FROM structures_reglecategorie WHERE champ = 'sanitaire')"
# One line of the list: names, labels, the EJ, the dossier, numbers of fiches.
LISTE = """
SELECT e.fiche_id, f.identifiant, e.nom, c.nom, c.departement, k.libelle, ej.nom, r.nom, n.uo, n.toutes
FROM (SELECT v.* FROM structures_versionfiche v WHERE v.niveau = 'EG' AND v.validite @> %(jour)s::date AND {filtre}
      AND (v.recherche, v.fiche_id) > (%(texte)s, %(cle)s) ORDER BY v.recherche, v.fiche_id LIMIT 51) e
JOIN structures_fiche f ON f.id = e.fiche_id
LEFT JOIN structures_commune c ON c.code = e.commune
LEFT JOIN structures_concept k ON k.nomenclature_id = 'R66' AND k.code = e.categorie
LEFT JOIN structures_versionfiche ej ON ej.fiche_id = e.parent_id AND ej.validite @> %(jour)s::date
LEFT JOIN structures_reservation r ON r.eg_id = e.fiche_id
CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE u.niveau = 'UO') AS uo, count(*) AS toutes
    FROM structures_versionfiche u WHERE u.eg_id = e.fiche_id AND u.validite @> %(jour)s::date AND u.niveau <> 'EG') n
ORDER BY e.recherche, e.fiche_id
"""
TOTAL = f"""SELECT count(*) FROM (SELECT FROM structures_versionfiche v
WHERE v.niveau = 'EG' AND v.validite @> %(jour)s::date AND {{filtre}} LIMIT {PLAFOND + 1}) e"""
# Candidates from the index of words, asked one after the other what they say on the day.
MOT = """v.fiche_id IN (SELECT i.eg_id FROM structures_indexeg i
    WHERE i.texte LIKE %({p})s OR i.codes && %({p}_codes)s::varchar[])
AND (v.recherche LIKE %({p})s OR left(v.commune, 2) = ANY(%({p}_departements)s)
    OR EXISTS (SELECT FROM structures_versionfiche m WHERE m.eg_id = v.fiche_id AND m.validite @> %(jour)s::date
        AND (m.recherche LIKE %({p})s OR m.activites && %({p}_activites)s::varchar[] OR m.type_uo = ANY(%({p}_types)s))
        OFFSET 0)
    OR EXISTS (SELECT FROM structures_versionfiche ej WHERE ej.fiche_id = v.parent_id
        AND ej.validite @> %(jour)s::date AND ej.recherche LIKE %({p})s OFFSET 0))"""
TROIS = """v.commune LIKE %(departement)s AND v.fiche_id IN (
    SELECT u.eg_id FROM structures_versionfiche u WHERE u.niveau = 'UO' AND u.validite @> %(jour)s::date
      AND u.activites && %(activites)s::varchar[] AND u.mode_prise_en_charge = ANY(%(modes)s))"""
DEUX = """v.commune LIKE %(departement)s AND v.fiche_id IN (
    SELECT d.eg_id FROM structures_versionfiche d WHERE d.niveau = 'UO' AND d.validite @> %(jour)s::date
      AND d.activites && %(activites)s::varchar[])"""
COMPTES_EG = """SELECT v.commune, v.categorie, count(*) FROM structures_versionfiche v
WHERE v.niveau = 'EG' AND v.validite @> %(jour)s::date AND {filtre}
GROUP BY GROUPING SETS ((v.commune), (v.categorie))"""
COMPTES_UO = """WITH u AS MATERIALIZED (SELECT u.* FROM structures_versionfiche u
    JOIN structures_versionfiche v ON v.fiche_id = u.eg_id AND v.niveau = 'EG' AND v.validite @> %(jour)s::date
    WHERE {filtre} AND u.niveau = 'UO' AND u.validite @> %(jour)s::date)
SELECT 'type', type_uo, count(DISTINCT eg_id) FROM u GROUP BY type_uo
UNION ALL SELECT 'mode', mode_prise_en_charge, count(DISTINCT eg_id) FROM u GROUP BY mode_prise_en_charge
UNION ALL SELECT 'activite', a, count(DISTINCT eg_id) FROM u, unnest(activites) a GROUP BY a
UNION ALL SELECT 'acte', a, count(DISTINCT eg_id) FROM u, unnest(actes) a GROUP BY a
UNION ALL SELECT 'public', a, count(DISTINCT eg_id) FROM u, unnest(publics) a GROUP BY a"""
CHAINE = """WITH RECURSIVE chaine AS (
    SELECT fiche_id, parent_id, niveau, nom, 0 AS rang FROM structures_versionfiche
    WHERE fiche_id = %(fiche)s AND validite @> %(jour)s::date
    UNION ALL SELECT v.fiche_id, v.parent_id, v.niveau, v.nom, c.rang + 1 FROM structures_versionfiche v
    JOIN chaine c ON v.fiche_id = c.parent_id WHERE v.validite @> %(jour)s::date)
SELECT * FROM chaine"""
VERSION = "SELECT * FROM structures_versionfiche WHERE fiche_id = %(fiche)s AND validite @> %(jour)s::date"
LIBELLES = """SELECT k.nomenclature_id, k.code, k.libelle FROM structures_versionfiche v JOIN structures_concept k
ON k.nomenclature_id = ANY('{{J238,R211,R210,R213,R239,R265,R227,R66,R202,R287,R200,R329,R330,R252}}')
   AND k.code = ANY(v.activites || v.actes || v.publics || v.familles_serafin || v.accessibilite
       || ARRAY[v.type_uo, v.mode_prise_en_charge, v.champ_activite, v.categorie])
WHERE v.fiche_id = %(fiche)s AND v.validite @> %(jour)s::date""".replace("{{", "{").replace("}}", "}")
MODIFICATIONS = """SELECT m.*, u.first_name, u.last_name FROM structures_modification m
LEFT JOIN comptes_user u ON u.id = m.auteur_id WHERE m.fiche_id = %(fiche)s ORDER BY m.id DESC"""
ARBRE = """SELECT v.fiche_id, v.parent_id, v.niveau, f.identifiant, v.nom, v.type_uo, v.unite_sensible
FROM structures_versionfiche v JOIN structures_fiche f ON f.id = v.fiche_id
WHERE v.eg_id = ANY(%(egs)s) AND v.validite @> %(jour)s::date ORDER BY v.recherche, v.fiche_id"""
CODES = (
    "SELECT nomenclature_id, code, libelle, date_fin FROM structures_concept WHERE nomenclature_id = ANY(%(listes)s)"
)
LISTES_UO = (
    "R211 R210 R239 R265 R266 R245 R338 R240 R236 R238 R356 R243 R212 R329 R330 R252 R287 R251 R200 R283 R286".split()
)
COMPARER = """SELECT a.fiche_id, a.*, b.* FROM
(SELECT * FROM structures_versionfiche WHERE eg_id = %(eg)s AND validite @> %(du)s::date) a FULL JOIN
(SELECT * FROM structures_versionfiche WHERE eg_id = %(eg)s AND validite @> %(jour)s::date) b ON a.fiche_id = b.fiche_id
WHERE a.modification_id IS DISTINCT FROM b.modification_id"""


# -- the questions -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Question:
    """``demande`` turns each of ``cas`` (all different) into an address and the bare statements of the same question.

    ``comme``: the question of today that this one asks about another day. ``gestionnaire``: asked by SESAN, else by a
    référent of the biggest establishment.
    """

    titre: str
    cas: list[Any]
    demande: Callable[[Any], Demande]
    comme: str = ""
    gestionnaire: bool = False


class Eg(NamedTuple):
    cle: int
    identifiant: str
    nom: str
    texte: str


class Trio(NamedTuple):
    """A département, an activity and a mode that some unit has."""

    departement: str
    activite: str
    mode: str


class Sujets:
    """What the questions are about: drawn from the register, always the same ones."""

    def __init__(self) -> None:
        aujourdhui = "v.validite @> current_date"
        fiche = "structures_versionfiche v JOIN structures_fiche f ON f.id = v.fiche_id"
        self.egs = [
            Eg(*x) for x in _au_hasard(
                f"SELECT v.fiche_id, f.identifiant, v.nom, v.recherche FROM {fiche} "
                f"WHERE v.niveau = 'EG' AND {aujourdhui} AND {_SANITAIRE}"
            )
        ]  # fmt: skip
        self.uos = _au_hasard(
            f"SELECT v.fiche_id, f.identifiant FROM {fiche} "
            f"WHERE v.niveau = 'UO' AND {aujourdhui} AND v.fiche_id % 7 = 0"
        )
        self.trios = [
            Trio(*x) for x in _au_hasard(
                "SELECT left(g.commune, 2), v.activites[1], v.mode_prise_en_charge FROM structures_versionfiche v "
                "JOIN structures_versionfiche g ON g.fiche_id = v.eg_id AND g.validite @> current_date "
                f"WHERE v.niveau = 'UO' AND {aujourdhui} AND v.activites[1] <> '' AND v.mode_prise_en_charge <> '' "
                "AND left(g.commune, 2) <> '97' AND v.fiche_id % 7 = 1"
            )
        ]  # fmt: skip
        self.grand: tuple[int, str] = _lire(
            "SELECT eg_id, max(identifiant) FILTER (WHERE niveau = 'EG') FROM structures_fiche WHERE eg_id IS NOT NULL "
            "GROUP BY eg_id ORDER BY count(*) DESC LIMIT 1"
        )[0]


def _lire(sql: str, parametres: Any = None) -> list[Any]:
    with connection.cursor() as curseur:
        curseur.execute(sql, parametres)
        return curseur.fetchall()


def _au_hasard(sql: str) -> list[Any]:
    return Random(5).sample(sorted(_lire(sql)), NOMBRE)


def questions() -> Iterator[Question]:
    sujets, jour = Sujets(), timezone.localdate()
    yield from _des_listes(sujets, jour)
    yield from _des_comptes(sujets, jour)
    yield from _des_pages(sujets, jour)
    for quand, du in (("in the past", jour - timedelta(days=900)), ("in the future", jour + timedelta(days=120))):
        yield from _des_listes(sujets, du, quand)
        yield from _des_pages(sujets, du, quand)
    yield from _du_travail(sujets, jour)


def _question(
    titre: str, quand: str, cas: list[Any], demande: Callable[[Any], Demande], role: bool = False
) -> Question:
    return Question(f"{titre}, {quand}" if quand else titre, cas, demande, titre if quand else "", role)


def _au(chemin: str, jour: date, quand: str, **parametres: Any) -> str:
    return f"{chemin}?{urlencode(parametres | ({'au': jour.isoformat()} if quand else {}))}"


def _liste(jour: date, filtre: str, repere: tuple[str, int] = ("", 0), **parametres: Any) -> list[Sql]:
    parametres |= {"jour": jour, "texte": repere[0], "cle": repere[1]}
    return [(LISTE.format(filtre=filtre), parametres), (TOTAL.format(filtre=filtre), parametres)]


def _mots(jour: date, texte: str) -> list[Sql]:
    """The list of the establishments where each word is found."""
    libelles, parametres, filtres = libelles_cherches(), dict[str, Any](), [_SANITAIRE]
    for rang, mot in enumerate(texte.split()):
        p = f"mot{rang}"
        parametres[p] = f"%{mot}%"
        codes = codes_du_mot(libelles, mot)
        parametres |= {f"{p}_{nom}": trouves for nom, trouves in codes._asdict().items()}
        parametres[f"{p}_codes"] = [
            f"{prefixe}/{code}"
            for prefixe, trouves in zip((ACTIVITE, TYPE_UO, DEPARTEMENT), codes, strict=True)
            for code in trouves
        ]
        filtres.append(MOT.format(p=p))
    return _liste(jour, " AND ".join(filtres), **parametres)


def _tape(eg: Eg) -> str:
    """What somebody types to find it: the last long words of its name."""
    mots = normaliser(eg.nom).split()
    return " ".join([m for m in mots if len(m) > 3][-2:] or mots)


def _faute(texte: str) -> str:
    """Two letters of the longest word swapped."""
    mots = texte.split()
    long = max(mots, key=len)
    i = len(long) // 2
    return " ".join(long[: i - 1] + long[i] + long[i - 1] + long[i + 1 :] if m == long else m for m in mots)


def _des_listes(s: Sujets, jour: date, quand: str = "") -> Iterator[Question]:
    def trois(trio: Trio) -> Demande:
        adresse = _au(
            "/repertoire/", jour, quand, mss=1, departement=trio.departement, activite=trio.activite, mode=trio.mode
        )
        return adresse, _liste(
            jour, TROIS, departement=f"{trio.departement}%", activites=[trio.activite], modes=[trio.mode]
        )

    yield _question(
        "list, any page", quand, s.egs,
        lambda eg: (_au("/repertoire/", jour, quand, apres=eg.cle), _liste(jour, _SANITAIRE, (eg.texte, eg.cle))),
    )  # fmt: skip
    yield _question(
        "search by name",
        quand,
        s.egs,
        lambda eg: (_au("/repertoire/", jour, quand, q=_tape(eg)), _mots(jour, _tape(eg))),
    )
    yield _question("three facets", quand, s.trios, trois)


def _des_comptes(s: Sujets, jour: date) -> Iterator[Question]:
    def derouler(eg: Eg) -> Demande:
        suivants = _lire(
            f"""SELECT v.fiche_id FROM structures_versionfiche v WHERE v.niveau = 'EG' AND v.validite @> current_date
                AND {_SANITAIRE} AND (v.recherche, v.fiche_id) > (%s, %s) ORDER BY v.recherche, v.fiche_id LIMIT 50""",
            [eg.texte, eg.cle],
        )
        arbres = (ARBRE, {"jour": jour, "egs": [cle for (cle,) in suivants]})
        return (
            _au("/repertoire/", jour, "", apres=eg.cle, derouler="page"),
            [*_liste(jour, _SANITAIRE, (eg.texte, eg.cle)), arbres],
        )

    def comptes(filtre: str, **parametres: Any) -> list[Sql]:
        return [(sql.format(filtre=filtre), {"jour": jour, **parametres}) for sql in (COMPTES_EG, COMPTES_UO)]

    yield Question(
        "search with a typo", s.egs,
        lambda eg: (
            _au("/repertoire/", jour, "", q=_faute(_tape(eg))),
            [*_mots(jour, _faute(_tape(eg))), *_mots(jour, _tape(eg))],
        ),
    )  # fmt: skip
    yield Question("list unrolled", s.egs, derouler)
    yield Question(
        "counts of the facets, a département and an activity", s.trios,
        lambda trio: (
            _au("/repertoire/criteres/", jour, "", mss=1, departement=trio.departement, activite=trio.activite),
            comptes(DEUX, departement=f"{trio.departement}%", activites=[trio.activite]),
        ),
    )  # fmt: skip
    yield Question(
        "counts of the facets, everything", [1],
        lambda _: (_au("/repertoire/criteres/", jour, "", mss=1), comptes("true")),
    )  # fmt: skip


def _une_fiche(fiche: int, jour: date) -> list[Sql]:
    return [(sql, {"fiche": fiche, "jour": jour}) for sql in (VERSION, CHAINE, LIBELLES, MODIFICATIONS)]


def _un_eg(eg: int, jour: date) -> list[Sql]:
    return [*_une_fiche(eg, jour), (ARBRE, {"egs": [eg], "jour": jour})]


def _des_pages(s: Sujets, jour: date, quand: str = "") -> Iterator[Question]:
    yield _question(
        "fiche (UO)", quand, s.uos,
        lambda uo: (_au(f"/repertoire/{uo[1]}/", jour, quand), _une_fiche(uo[0], jour)), True,
    )  # fmt: skip
    yield _question(
        "establishment", quand, s.egs,
        lambda eg: (_au(f"/repertoire/{eg.identifiant}/", jour, quand), _un_eg(eg.cle, jour)), True,
    )  # fmt: skip
    yield _question(
        "establishment of 3,000", quand, list(range(NOMBRE)),
        lambda n: (_au(f"/repertoire/{s.grand[1]}/", jour, quand, n=n), _un_eg(s.grand[0], jour)), True,
    )  # fmt: skip


def _du_travail(s: Sujets, jour: date) -> Iterator[Question]:
    def comparer(cas: tuple[int, int, str]) -> Demande:
        rang, cle, identifiant = cas
        du = jour - timedelta(days=700 + rang)
        adresse = f"/repertoire/{identifiant}/comparer/?{urlencode({'du': du, 'au': jour})}"
        return adresse, [(COMPARER, {"eg": cle, "du": du, "jour": jour})]

    yield Question(
        "form of a fiche", s.uos,
        lambda uo: (f"/repertoire/{uo[1]}/modifier/", [*_une_fiche(uo[0], jour), (CODES, {"listes": LISTES_UO})]),
        gestionnaire=True,
    )  # fmt: skip
    egs = [(rang, eg.cle, eg.identifiant) for rang, eg in enumerate(s.egs)]
    yield Question("comparison of two dates", egs, comparer, gestionnaire=True)
    yield Question(
        "comparison of two dates, 3,000", [(n, *s.grand) for n in range(NOMBRE)], comparer, gestionnaire=True
    )
