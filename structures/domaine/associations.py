"""What codes imply for each other: category → filière, champ and authorities; mode of tarification → authorities; Type
d'UO → champs; famille → activités. Edited by gestionnaires and by imports, through the same verbs.

A rule is its nature, its key (« 355 », « J238/08 ») and, by field, the values that it gives. The values given replace
those held; a key that nobody names stays as it is. Dossiers that were sent keep their route (domain.md §6).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Interdit, Invalide
from backoffice.socle.mots import nombre, pluriel

from ..enums import ChampEG, Filiere, NatureConcept, NatureRegle
from ..models import Association, Autorite, Concept, Nomenclature, RegleCategorie, RegleTarification
from ..regles import est_gestionnaire

Valeurs = dict[str, tuple[str, ...]]
Regles = dict[str, Valeurs]

CHAMPS: dict[str, tuple[str, ...]] = {
    NatureRegle.CATEGORIE: ("filiere", "champ", "autorites"),
    NatureRegle.TARIFICATION: ("autorites",),
    NatureRegle.TYPE_CHAMP: ("cibles",),
    NatureRegle.FAMILLE_ACTIVITE: ("cibles",),
}
LIBELLES = {"filiere": "Filière", "champ": "Champ", "autorites": "Types d’autorité", "cibles": "Codes associés"}
# The lists whose codes are the keys, and the one whose codes are given.
SOURCES: dict[str, tuple[str, ...]] = {
    NatureRegle.CATEGORIE: ("R66",),
    NatureRegle.TARIFICATION: ("R74",),
    NatureRegle.TYPE_CHAMP: ("J238",),
    NatureRegle.FAMILLE_ACTIVITE: ("R265", "R266"),
}
CIBLES: dict[str, str] = {NatureRegle.TYPE_CHAMP: "R227", NatureRegle.FAMILLE_ACTIVITE: "R211"}
_NATURES = {
    NatureRegle.TYPE_CHAMP: NatureConcept.TYPE_CHAMP,
    NatureRegle.FAMILLE_ACTIVITE: NatureConcept.FAMILLE_ACTIVITE,
}


# -- reading ----------------------------------------------------------------------------------------------------------


def lire(nature: str, *, verrouiller: bool = False) -> Regles:
    """Every rule of a nature, by key. ``verrouiller``: nobody else changes them, nor adds any, until the transaction
    ends; their lists stand for them, as a rule that does not exist yet has no row to lock."""
    if verrouiller:
        listes = Nomenclature.objects.select_for_update(no_key=True)
        list(listes.filter(pk__in=SOURCES[nature]).order_by("pk").values_list("pk"))
    if nature in CIBLES:
        cibles: dict[str, list[str]] = defaultdict(list)
        associations = Association.objects.filter(nature=_NATURES[NatureRegle(nature)])
        for liste, code, cible in associations.order_by("cible__code").values_list(
            "source__nomenclature_id", "source__code", "cible__code"
        ):
            cibles[f"{liste}/{code}"].append(cible)
        return {cle: {"cibles": tuple(codes)} for cle, codes in cibles.items()}
    modele: Any = RegleCategorie if nature == NatureRegle.CATEGORIE else RegleTarification
    regles = modele.objects.all()
    if nature == NatureRegle.TARIFICATION:
        return {r.pk: {"autorites": tuple(r.autorites)} for r in regles}
    return {r.pk: {"filiere": (r.filiere,), "champ": (r.champ,), "autorites": tuple(r.autorites)} for r in regles}


def possibles(nature: str) -> dict[str, dict[str, str]]:
    """The values that each field may have, with their words."""
    if nature in CIBLES:
        concepts = Concept.objects.filter(nomenclature=CIBLES[nature]).ouverts(timezone.localdate())
        return {"cibles": dict(concepts.order_by("code").values_list("code", "libelle"))}
    types = Autorite.objects.order_by("type").values_list("type", flat=True).distinct()
    permis = {"autorites": {t: t for t in types}}
    if nature == NatureRegle.CATEGORIE:
        permis |= {"filiere": dict(Filiere.choices), "champ": dict(ChampEG.choices)}
    return permis


def cles_possibles(nature: str) -> dict[str, str]:
    """The codes that a rule may be about, with their labels; those of a single list go without its name."""
    concepts = Concept.objects.filter(nomenclature__in=SOURCES[nature]).order_by("nomenclature", "code")
    return {
        f"{liste}/{code}" if nature in CIBLES else code: libelle
        for liste, code, libelle in concepts.values_list("nomenclature_id", "code", "libelle")
    }


# -- what a change touches --------------------------------------------------------------------------------------------


def consequences(nature: str, avant: Regles, apres: Regles) -> dict[str, str]:
    """By key that changes, what is touched, in a sentence; two statements at most whatever the number of keys."""
    changees = [cle for cle, valeurs in apres.items() if avant.get(cle) != valeurs]
    if not changees:
        return {}
    if nature in CIBLES:
        return _unites_touchees(nature, changees)
    return _etablissements_touches(nature, changees)


def _etablissements_touches(nature: str, cles: list[str]) -> dict[str, str]:
    colonne = "categorie" if nature == NatureRegle.CATEGORIE else "mode_tarification"
    lignes = _lire(
        f"""SELECT v.{colonne}, count(*), count(r.eg_id) FILTER (WHERE r.envoye_le IS NULL),
                   count(r.eg_id) FILTER (WHERE r.envoye_le IS NOT NULL)
            FROM structures_versionfiche v LEFT JOIN structures_reservation r ON r.eg_id = v.fiche_id
            WHERE v.niveau = 'EG' AND v.validite @> %s AND v.{colonne} = ANY(%s) GROUP BY 1""",  # noqa: S608
        [timezone.localdate(), cles],
    )
    comptes = {cle: (egs, ouverts, envoyes) for cle, egs, ouverts, envoyes in lignes}
    phrases = {}
    for cle in cles:
        egs, ouverts, envoyes = comptes.get(cle, (0, 0, 0))
        phrase = f"{nombre(egs)} établissement{pluriel(egs)} concerné{pluriel(egs)}"
        if ouverts:
            phrase += f", {nombre(ouverts)} dossier{pluriel(ouverts)} en rédaction"
            phrase += f", qui suivr{pluriel(ouverts, 'a,ont')}"
        if envoyes:
            phrase += f", {nombre(envoyes)} dossier{pluriel(envoyes)} déjà envoyé{pluriel(envoyes)}, "
            phrase += "dont le circuit ne change pas"
        phrases[cle] = f"{phrase}."
    return phrases


def _unites_touchees(nature: str, cles: list[str]) -> dict[str, str]:
    codes = {cle.split("/", 1)[1]: cle for cle in cles}
    colonne = "ARRAY[v.type_uo]" if nature == NatureRegle.TYPE_CHAMP else "v.familles_serafin"
    lignes = _lire(
        f"""SELECT c.code, count(*) FROM structures_versionfiche v CROSS JOIN LATERAL unnest({colonne}) c(code)
            WHERE v.niveau = 'UO' AND v.validite @> %s AND c.code = ANY(%s) GROUP BY 1""",  # noqa: S608
        [timezone.localdate(), list(codes)],
    )
    comptes = dict(lignes)
    phrases = {}
    for code, cle in codes.items():
        n = comptes.get(code, 0)
        phrases[cle] = (
            f"{nombre(n)} unité{pluriel(n)} concernée{pluriel(n)}, dont le contenu ne change pas : seuls les "
            "choix proposés et les contrôles suivent."
        )
    return phrases


def _champs_impossibles(avant: Regles, apres: Regles) -> list[str]:
    """Categories that would leave the sanitaire, or come into it, while their establishments have units: an UO does not
    hang at the same place (domain.md §2)."""
    passent = [
        cle
        for cle, valeurs in apres.items()
        if cle in avant and (avant[cle]["champ"] == (ChampEG.SANITAIRE,)) != (valeurs["champ"] == (ChampEG.SANITAIRE,))
    ]
    if not passent:
        return []
    return [
        cle
        for (cle,) in _lire(
            """SELECT DISTINCT g.categorie FROM structures_versionfiche g
               WHERE g.niveau = 'EG' AND g.categorie = ANY(%(cles)s)
                 AND (upper_inf(g.validite) OR upper(g.validite) > %(jour)s)
                 AND EXISTS (SELECT FROM structures_versionfiche v WHERE v.eg_id = g.fiche_id AND v.niveau <> 'EG'
                             AND (upper_inf(v.validite) OR upper(v.validite) > %(jour)s)) ORDER BY 1""",
            {"cles": passent, "jour": timezone.localdate()},
        )
    ]


# -- writing ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def fixer(*, nature: str, cle: str, valeurs: Valeurs, acteur: User) -> None:
    """Give a rule these values. Refuses (``Invalide``, by field) what does not exist, and a champ that would break the
    tree of establishments that have units."""
    if not est_gestionnaire(acteur):
        raise Interdit("sans_droit", "Seuls les gestionnaires SESAN changent les associations.")
    if cle not in cles_possibles(nature):
        raise Invalide("code_inconnu", f"Le code « {cle[:40]} » n’existe pas.")
    avant = lire(nature, verrouiller=True)
    permises = possibles(nature)
    fautes: dict[str, list[str]] = defaultdict(list)
    for champ in CHAMPS[nature]:
        tenues = avant.get(cle, {}).get(champ, ())
        for valeur in valeurs[champ]:
            if valeur not in permises[champ] and valeur not in tenues:
                fautes[champ].append(f"« {valeur[:40]} » n’existe pas, ou plus.")
    if fautes:
        raise Invalide("valeur_inconnue", "Certaines valeurs n’existent pas.", champs=fautes)
    ecrire(nature, avant, {cle: valeurs})


def ecrire(nature: str, avant: Regles, apres: Regles) -> None:
    """Write the rules that differ, in a constant number of statements. The caller is in a transaction and has the
    right; refuses (``Invalide``) an impossible champ."""
    changees = {cle: valeurs for cle, valeurs in apres.items() if avant.get(cle) != valeurs}
    if not changees:
        return
    if nature in CIBLES:
        _ecrire_associations(nature, avant, changees)
        return
    if nature == NatureRegle.TARIFICATION:
        RegleTarification.objects.bulk_create(
            [RegleTarification(mode=cle, autorites=list(v["autorites"])) for cle, v in changees.items()],
            update_conflicts=True, unique_fields=["mode"], update_fields=["autorites"],
        )  # fmt: skip
        return
    impossibles = _champs_impossibles(avant, changees)
    if impossibles:
        message = (
            f"Catégorie {', '.join(impossibles)} : des établissements ont déjà des unités, qui ne se rattachent pas de "
            "la même façon en sanitaire et ailleurs. Le champ ne peut pas changer."
        )
        raise Invalide("champ_impossible", message, champs={"champ": [message]})
    RegleCategorie.objects.bulk_create(
        [
            RegleCategorie(categorie=c, filiere=v["filiere"][0], champ=v["champ"][0], autorites=list(v["autorites"]))
            for c, v in changees.items()
        ],
        update_conflicts=True, unique_fields=["categorie"], update_fields=["filiere", "champ", "autorites"],
    )  # fmt: skip


def _ecrire_associations(nature: str, avant: Regles, changees: Mapping[str, Valeurs]) -> None:
    paires = [(cle, code) for cle, v in changees.items() for code in v["cibles"]]
    perdues = [
        (cle, code)
        for cle, v in changees.items()
        for code in set(avant.get(cle, {}).get("cibles", ())).difference(v["cibles"])
    ]
    cles = _concepts([*SOURCES[nature], CIBLES[nature]])
    nom = _NATURES[NatureRegle(nature)]
    if perdues:
        with connection.cursor() as curseur:
            curseur.execute(
                """DELETE FROM structures_association a USING unnest(%s::bigint[], %s::bigint[]) AS p(source, cible)
                   WHERE a.nature = %s AND a.source_id = p.source AND a.cible_id = p.cible""",
                [[cles[s] for s, _ in perdues], [cles[f"{CIBLES[nature]}/{c}"] for _, c in perdues], nom],
            )
    Association.objects.bulk_create(
        [Association(nature=nom, source_id=cles[s], cible_id=cles[f"{CIBLES[nature]}/{c}"]) for s, c in paires],
        ignore_conflicts=True,
    )


def _concepts(listes: Iterable[str]) -> dict[str, int]:
    lignes = Concept.objects.filter(nomenclature__in=list(listes)).order_by()
    return {f"{liste}/{code}": pk for pk, liste, code in lignes.values_list("pk", "nomenclature_id", "code")}


def _lire(requete: str, parametres: Any) -> list[Any]:
    with connection.cursor() as curseur:
        curseur.execute(requete, parametres)
        return curseur.fetchall()
