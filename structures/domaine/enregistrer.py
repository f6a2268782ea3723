"""The only writer of the register: lock the fiches, insert modifications, fold, replace their versions.

The number of statements does not depend on the number of fiches: one fiche or five thousand cost the same round trips.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from psycopg.types.json import Jsonb

from backoffice.socle.erreurs import Conflit, Invalide

from ..champs import CHAMPS, CONTENU, Champ, Forme
from ..enums import Niveau
from ..models import Commune, Fiche, Modification, VersionFiche
from .copie import copier, nouvelles_cles
from .fraicheur import constater, ecarts_de_fraicheur
from .indexer import INDEXES, ecarts_d_index, indexer
from .marquer import marquer
from .plier import Changement, Periode, plier
from .texte import normaliser

_COLONNES = (
    "fiche_id", "niveau", "eg_id", "parent_id", "parent_niveau", "validite", "modification_id", "recherche",
    *(champ.nom for champ in CONTENU),
)  # fmt: skip
COPIE_VERSIONS = f"COPY structures_versionfiche ({', '.join(_COLONNES)}) FROM STDIN"


def verrouiller(fiches: Collection[int]) -> dict[int, Fiche]:
    """Lock identities in the order of their id (no deadlock between writers) and return them by id."""
    return {
        fiche.pk: fiche for fiche in Fiche.objects.filter(pk__in=fiches).order_by("pk").select_for_update(no_key=True)
    }


@transaction.atomic
def enregistrer(modifications: Sequence[Modification]) -> None:
    """Insert unsaved modifications and bring the versions of their fiches up to date.

    Refuses (``Invalide``) a change of structure that would leave, on any day from the earliest date d'effet on,
    a fiche whose parent does not exist, is of the wrong level or in another establishment. Callers that change
    the structure already hold the lock of the EG.
    """
    if not modifications:
        return
    fiches = verrouiller({m.fiche_id for m in modifications})
    # Their order of entry: keys are drawn under the lock of the fiches.
    for modification, cle in zip(modifications, nouvelles_cles(Modification, len(modifications)), strict=True):
        modification.pk = cle
    copier(modifications)
    constater(modifications, fiches)
    depuis: dict[int, date] = {}
    for m in modifications:
        depuis[m.fiche_id] = min(m.date_effet, depuis.get(m.fiche_id, m.date_effet))
    replier(fiches, depuis)
    indexer([fiches[pk] for pk in {m.fiche_id for m in modifications if not INDEXES.isdisjoint(m.patch)}])
    structurelles = {m.fiche_id for m in modifications if "parent" in m.patch or "existe" in m.patch}
    if structurelles:
        _verifier_arbre({fiches[pk] for pk in structurelles}, min(depuis[pk] for pk in structurelles))


@transaction.atomic
def annuler(modification: Modification, acteur: Any) -> None:
    """Mark a modification as cancelled and fold its fiche again; refuses one that already is (``Conflit``)."""
    fiches = verrouiller([modification.fiche_id])
    touchees = Modification.objects.vivantes().filter(pk=modification.pk)
    if not touchees.update(annulee_le=timezone.now(), annulee_par=acteur):
        raise Conflit("deja_annulee", "Cette modification a déjà été annulée. Rechargez la fiche pour voir son état.")
    replier(fiches, {modification.fiche_id: modification.date_effet})
    indexer(fiches.values())
    if "parent" in modification.patch or "existe" in modification.patch:
        _verifier_arbre(set(fiches.values()), modification.date_effet)


def replier(fiches: Mapping[int, Fiche], depuis: Mapping[int, date]) -> None:
    """Fold the locked fiches and rewrite their versions from ``depuis[fiche]`` on; earlier days don't change. What is
    exposed of them will be looked at."""
    periodes = {pk: plier(changements) for pk, changements in lire_changements(fiches).items()}
    fins: list[date | None] = []
    nouvelles: list[tuple[Fiche, Periode]] = []
    for pk, coupe in depuis.items():
        a_cheval = [p for p in periodes.get(pk, ()) if p.du < coupe and (p.au is None or p.au >= coupe)]
        fins.append(a_cheval[-1].au if a_cheval else coupe)
        nouvelles += [(fiches[pk], p) for p in periodes.get(pk, ()) if p.du >= coupe]
    cles, coupes = list(depuis), list(depuis.values())
    with connection.cursor() as curseur:
        curseur.execute(
            """DELETE FROM structures_versionfiche v USING unnest(%s::bigint[], %s::date[]) AS d(fiche, coupe)
               WHERE v.fiche_id = d.fiche AND lower(v.validite) >= d.coupe""",
            [cles, coupes],
        )
        curseur.execute(
            """UPDATE structures_versionfiche v SET validite = daterange(lower(v.validite), d.fin)
               FROM unnest(%s::bigint[], %s::date[], %s::date[]) AS d(fiche, coupe, fin)
               WHERE v.fiche_id = d.fiche AND lower(v.validite) < d.coupe
                 AND (upper_inf(v.validite) OR upper(v.validite) >= d.coupe)
                 AND upper(v.validite) IS DISTINCT FROM d.fin""",
            [cles, coupes, fins],
        )
    _copier(nouvelles)
    marquer(cles)


def lire_changements(fiches: Iterable[int]) -> dict[int, list[Changement]]:
    """The live modifications of each fiche, ready to fold, in one statement."""
    with connection.cursor() as curseur:
        curseur.execute(
            """SELECT fiche_id, date_effet, id, patch FROM structures_modification
               WHERE fiche_id = ANY(%s::bigint[]) AND annulee_le IS NULL ORDER BY fiche_id, date_effet, id""",
            [list(fiches)],
        )
        lignes = curseur.fetchall()
    return {
        fiche: [Changement(jour, ordre, json.loads(patch)) for _, jour, ordre, patch in groupe]
        for fiche, groupe in groupby(lignes, key=lambda ligne: ligne[0])
    }


def ligne_version(fiche: Fiche, periode: Periode, parents: Mapping[int, str], communes: Mapping[str, str]) -> list[Any]:
    """The row of ``structures_versionfiche`` for a period, in the order of ``_COLONNES``."""
    etat = periode.etat
    parent = etat.get("parent")
    ligne = [
        fiche.pk, fiche.niveau, fiche.eg_id, parent, parents.get(parent) if parent else None,
        f"[{periode.du},{periode.au or ''})", periode.ordre, _recherche(fiche, etat, communes), *_VIDES,
    ]  # fmt: skip
    for nom, contenu in etat.items():
        if nom in _RANGS:
            ligne[_RANGS[nom]] = _colonne(CHAMPS[nom], contenu)
    return ligne


_RANGS = {nom: rang for rang, nom in enumerate(_COLONNES) if nom in CHAMPS}


def _colonne(champ: Champ, contenu: Any) -> Any:
    if champ.forme is Forme.VALEUR:
        return contenu
    if not contenu:
        return _VIDE
    return sorted(contenu) if champ.forme is Forme.ENSEMBLE else Jsonb(contenu)


_VIDE = "{}"  # an empty array or an empty object, as text: a COPY takes them as they are
_VIDES = [_colonne(champ, champ.vide()) for champ in CONTENU]


# What the search text of a version is made of.
_CHERCHES = ("nom", "nom_operationnel", "finess", "siret", "siren", "commune", "code_postal")


def _recherche(fiche: Fiche, etat: Mapping[str, Any], communes: Mapping[str, str]) -> str:
    # The name comes first: lists are sorted by this column too.
    mots = [etat.get("nom", ""), etat.get("nom_operationnel", ""), etat.get("finess", ""), etat.get("siret", "")]
    mots += [etat.get("siren", "")]
    if fiche.niveau != Niveau.EJ:  # where its seat is says nothing of the establishments that its text finds
        mots += [communes.get(etat.get("commune", ""), ""), etat.get("code_postal", "")]
    mots += [fiche.identifiant if fiche.niveau not in (Niveau.EJ, Niveau.EG) else ""]
    return normaliser(" ".join(mot for mot in mots if mot))


@transaction.atomic
def refaire_les_textes(communes: Collection[str], lot: int = 5_000) -> None:
    """Write the search text of the versions in these communes again, and index it: they have another name."""
    lues = VersionFiche.objects.filter(commune__in=list(communes)).exclude(niveau=Niveau.EJ).order_by("pk")
    versions = list(lues.only("pk", "fiche", *_CHERCHES))
    noms = dict(Commune.objects.filter(pk__in=list(communes)).values_list("pk", "nom"))
    for debut in range(0, len(versions), lot):
        du_lot = versions[debut : debut + lot]
        fiches = verrouiller({v.fiche_id for v in du_lot})
        textes = [
            _recherche(fiches[v.fiche_id], {c: getattr(v, c) for c in _CHERCHES}, noms) for v in du_lot
        ]  # fmt: skip
        with connection.cursor() as curseur:
            curseur.execute(
                """UPDATE structures_versionfiche v SET recherche = t.texte
                   FROM unnest(%s::bigint[], %s::text[]) AS t(cle, texte)
                   WHERE v.id = t.cle AND v.recherche <> t.texte""",
                [[v.pk for v in du_lot], textes],
            )
        indexer(fiches.values())


def _copier(nouvelles: Sequence[tuple[Fiche, Periode]]) -> None:
    if not nouvelles:
        return
    parents, communes = _reperes([p for _, p in nouvelles])
    with connection.cursor() as curseur, curseur.copy(COPIE_VERSIONS) as copie:
        for fiche, periode in nouvelles:
            copie.write_row(ligne_version(fiche, periode, parents, communes))


def _reperes(periodes: Collection[Periode]) -> tuple[dict[int, str], dict[str, str]]:
    """Levels of the parents and names, as they are searched, of the communes that the periods cite."""
    rattachements = {p.etat["parent"] for p in periodes if p.etat.get("parent")}
    codes = {p.etat["commune"] for p in periodes if p.etat.get("commune")}
    return (
        dict(Fiche.objects.filter(pk__in=rattachements).values_list("pk", "niveau")),
        {code: normaliser(nom) for code, nom in Commune.objects.filter(pk__in=codes).values_list("pk", "nom")},
    )


def _verifier_arbre(fiches: Collection[Fiche], depuis: date) -> None:
    """Refuse versions without their parent, on any day from ``depuis``, in the establishments of these fiches
    and, for an EJ, among its EG.

    One statement: the validity of each version must lie inside the days on which its parent exists in the same
    establishment. Levels only go down (check constraint), hence no cycle. For the fiches just written, an UO of a
    sanitaire EG must hang under an UF and elsewhere under the EG.
    """
    with connection.cursor() as curseur:
        curseur.execute(
            """
            WITH enfant AS (
                SELECT fiche_id, eg_id, parent_id, niveau, parent_niveau, nom,
                       validite * daterange(%(depuis)s, NULL) AS jours
                FROM structures_versionfiche
                WHERE (eg_id = ANY(%(egs)s::bigint[]) OR parent_id = ANY(%(ejs)s::bigint[]))
                  AND NOT isempty(validite * daterange(%(depuis)s, NULL))
            )
            -- One index lookup a child, not a join on estimates: just loaded rows are not in the statistics yet.
            SELECT e.nom, e.niveau, 'absent' FROM enfant e CROSS JOIN LATERAL (
                SELECT max(v.eg_id) AS eg_id, range_agg(v.validite) AS jours FROM structures_versionfiche v
                WHERE v.fiche_id = e.parent_id
            ) p
            WHERE p.jours IS NULL OR NOT p.jours @> e.jours OR (e.niveau <> 'EG' AND p.eg_id <> e.eg_id)
            UNION ALL
            SELECT e.nom, e.niveau, 'niveau' FROM enfant e
            JOIN structures_versionfiche g ON g.fiche_id = e.eg_id AND g.validite && e.jours
            JOIN structures_reglecategorie r ON r.categorie = g.categorie
            WHERE e.fiche_id = ANY(%(fiches)s::bigint[]) AND e.niveau NOT IN ('EG', 'EJ')
              AND (r.champ = 'sanitaire') <> (e.niveau <> 'UO' OR e.parent_niveau = 'UF')
            LIMIT 5
            """,
            {
                "depuis": depuis,
                "egs": list({f.eg_id for f in fiches if f.eg_id}),
                "ejs": [f.pk for f in fiches if f.niveau == Niveau.EJ],  # of no EG: their EG are checked
                "fiches": [f.pk for f in fiches],
            },
        )
        fautes = curseur.fetchall()
    if fautes:
        noms = ", ".join(f"« {nom} »" for nom, _, _ in fautes)
        raison = (
            "ne seraient rattachées à aucune fiche ouverte"
            if any(cause == "absent" for *_, cause in fautes)
            else "seraient rattachées à un niveau que cet établissement n’admet pas"
        )
        raise Invalide("arbre_illegal", f"Ce changement est impossible : {noms} {raison}.")


def ecarts(eg: Fiche | None = None, lot: int = 2000) -> list[str]:
    """Differences between what is derived (versions, freshness) and the modifications, as sentences; empty when none.

    Used by ``manage.py verifier_repertoire`` and after every journey and race test. Reads only.
    """
    identites = Fiche.objects.order_by("pk")
    if eg is not None:
        identites = identites.filter(eg=eg)
    cles = list(identites.values_list("pk", flat=True))
    constats: list[str] = []
    for debut in range(0, len(cles), lot):
        du_lot = cles[debut : debut + lot]
        # The index is read from the versions: right ones say what it lacks.
        constats += (
            _ecarts_du_lot(du_lot) or ecarts_d_index(Fiche.objects.filter(pk__in=du_lot))
        ) + ecarts_de_fraicheur(du_lot)
    return constats


def _ecarts_du_lot(cles: Sequence[int]) -> list[str]:
    fiches = {f.pk: f for f in Fiche.objects.filter(pk__in=cles)}
    periodes = {pk: plier(changements) for pk, changements in lire_changements(cles).items()}
    toutes = [p for du_lot in periodes.values() for p in du_lot]
    parents, communes = _reperes(toutes)
    lues: dict[int, list[dict[str, Any]]] = defaultdict(list)
    with connection.cursor() as curseur:
        colonnes = ", ".join("validite::text" if c == "validite" else c for c in _COLONNES)
        curseur.execute(
            f"SELECT {colonnes} FROM structures_versionfiche "  # noqa: S608 (column names of ours)
            "WHERE fiche_id = ANY(%s::bigint[]) ORDER BY fiche_id, lower(validite)",
            [list(cles)],
        )
        for ligne in curseur:
            lues[ligne[0]].append({c: _comparable(c, v) for c, v in zip(_COLONNES, ligne, strict=True)})
    constats = []
    for pk in cles:
        attendues = [
            {
                c: _comparable(c, v)
                for c, v in zip(_COLONNES, ligne_version(fiches[pk], p, parents, communes), strict=True)
            }
            for p in periodes.get(pk, ())
        ]
        if attendues != lues[pk]:
            champs = {c for a, b in zip(attendues, lues[pk], strict=False) for c in _COLONNES if a[c] != b[c]}
            constats.append(
                f"fiche {fiches[pk].identifiant} : {len(lues[pk])} version(s) en base, {len(attendues)} attendue(s)"
                + (f", écart sur {', '.join(sorted(champs))}" if champs else "")
            )
    return constats


def _comparable(colonne: str, contenu: Any) -> Any:
    """The same thing for a value read back as for the value written."""
    forme = CHAMPS[colonne].forme if colonne in CHAMPS else None
    if forme is Forme.ENSEMBLE:
        return [] if contenu == _VIDE else contenu
    if forme is Forme.INDEXE:
        return contenu.obj if isinstance(contenu, Jsonb) else json.loads(contenu)
    return contenu.isoformat() if isinstance(contenu, date) else contenu
