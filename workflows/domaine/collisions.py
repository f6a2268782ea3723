"""What the register did to the tree under a draft: nobody can merge it, a person settles it (domain.md §5).

Fields are settled one by one, the place of a fiche that both moved included (``fusion.conflits``, ``departage``). Here
is what leaves a fiche nowhere, or changes it after the dossier decided to close it. No set of moves makes a cycle: a
level only hangs under a higher one (``structures.enums.NIVEAUX_PARENTS``), whoever moves it.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from backoffice.socle.mots import date_longue
from structures.enums import Niveau, Source, niveau_parent
from structures.models import Modification, VersionFiche

from ..models import Dossier, FicheTravail
from .apercu import Apercu, NoeudTravail

STRUCTURE = frozenset({"existe", "parent"})


@dataclass(frozen=True, slots=True)
class Choix:
    """A way out: the verb of ``gestes`` (« deplacer », « supprimer », « annuler_changement »,
    « confirmer_suppression ») and the fiche that it is done to."""

    verbe: str
    libelle: str
    fiche: int


@dataclass(frozen=True, slots=True)
class Collision:
    """``phrase``: what happened, in French. ``choix``: empty when only the end of the dossier settles it."""

    fiche: int
    code: str
    phrase: str
    choix: tuple[Choix, ...] = ()


def collisions(dossier: Dossier, travaux: Collection[FicheTravail], arbre: Apercu) -> list[Collision]:
    """What must be settled before the dossier can be sent or published; empty when its tree still fits the register.

    Four statements at most, none of them on a dossier that changes no place.
    """
    if not arbre.ouvert:
        phrase = "Cet établissement a été fermé au répertoire : ce dossier ne peut plus qu’être abandonné."
        return [Collision(dossier.eg_id, "eg_ferme", phrase)]
    ici = [n for n in arbre.noeuds.values() if n is not arbre.racine]
    fermes = {n.fiche_id: n for n in ici if n.supprime and n.travail}
    disparus = [t for t in travaux if t.fiche_id not in arbre.noeuds]
    passees = _dernieres_versions(
        {t.fiche_id for t in disparus}
        | {n.parent_id for n in ici if not n.supprime and n.parent_id not in arbre.noeuds}
    )
    return [
        *(_fiche_fermee(t, passees.get(t.fiche_id)) for t in disparus),
        *_sans_place(arbre, [n for n in ici if not n.supprime], passees),
        *_changees_depuis(fermes),
        *_ouvertures_prevues(fermes),
    ]


# -- a fiche that the register closed ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Passee:
    nom: str
    fin: date | None


def _dernieres_versions(fiches: Collection[int | None]) -> dict[int, _Passee]:
    if not fiches:
        return {}
    versions = VersionFiche.objects.filter(fiche__in=fiches).order_by("fiche_id", "validite")
    return {
        fiche: _Passee(nom, jours.upper) for fiche, nom, jours in versions.values_list("fiche_id", "nom", "validite")
    }


def _fiche_fermee(travail: FicheTravail, passee: _Passee | None) -> Collision:
    nom, quand = _connue(travail.patch.get("nom"), passee)
    suite = (
        "il n’y a plus rien à supprimer."
        if travail.patch.get("existe") is False
        else "ce dossier ne peut plus la changer. Si cette fermeture est une erreur, signalez-la au support."
    )
    return Collision(
        travail.fiche_id,
        "fiche_fermee",
        f"{nom} a été fermée au répertoire{quand} : {suite}",
        (Choix("annuler_changement", "Abandonner ce changement", travail.fiche_id),),
    )


# -- a fiche without a place -------------------------------------------------------------------------


def _sans_place(arbre: Apercu, noeuds: Collection[NoeudTravail], passees: dict[int, _Passee]) -> Iterator[Collision]:
    dessus = {n.parent_id for n in noeuds if _remuee(n)}
    fermetures = _fermetures_prevues({cle for cle in dessus if (n := arbre.noeuds.get(cle or 0)) and n.publie})
    for noeud in noeuds:
        parent = arbre.noeuds.get(noeud.parent_id or 0)
        niveau = niveau_parent(noeud.niveau, arbre.champ)
        if parent is None:
            nom, quand = _connue(None, passees.get(noeud.parent_id or 0))
            yield _a_replacer(arbre, noeud, "parent_ferme", f"serait rattachée à {nom}, fermée au répertoire{quand}.")
        elif parent.supprime:
            yield Collision(
                noeud.fiche_id,
                "parent_supprime",
                f"{_nom(noeud)} est maintenant rattachée, au répertoire, à {_nom(parent)}, que ce dossier supprime.",
                (
                    *_places(arbre, noeud),
                    Choix("supprimer", "Supprimer cette fiche aussi", noeud.fiche_id),
                    Choix("annuler_changement", f"Annuler la suppression de {_nom(parent)}", parent.fiche_id),
                ),
            )
        elif _remuee(noeud) and niveau is None:
            faute = (
                "ne peut plus exister ici : l’établissement a changé de catégorie et n’a plus de niveau "
                f"« {_mots(noeud)} »."
            )
            yield _a_replacer(arbre, noeud, "niveau_illegal", faute)
        elif _remuee(noeud) and parent.niveau != niveau:
            faute = (
                f"ne peut plus être rattachée à {_nom(parent)} ({_mots(parent)}) : l’établissement a changé de "
                f"catégorie et il faut un niveau « {Niveau(niveau or '').label.lower()} »."
            )
            yield _a_replacer(arbre, noeud, "niveau_illegal", faute)
        elif _remuee(noeud) and parent.fiche_id in fermetures:
            quand = date_longue(fermetures[parent.fiche_id])
            faute = f"serait rattachée à {_nom(parent)}, dont la fermeture est prévue au répertoire le {quand}."
            yield _a_replacer(arbre, noeud, "parent_ferme", faute)


def _remuee(noeud: NoeudTravail) -> bool:
    """The dossier decides its place: what the register made of the others is none of its doing."""
    return noeud.travail is not None and not STRUCTURE.isdisjoint(noeud.travail.patch)


def _a_replacer(arbre: Apercu, noeud: NoeudTravail, code: str, faute: str) -> Collision:
    sortie = (
        Choix("annuler_changement", "Annuler ce changement", noeud.fiche_id)
        if noeud.publie
        else Choix("supprimer", "Supprimer la fiche", noeud.fiche_id)
    )
    return Collision(noeud.fiche_id, code, f"{_nom(noeud)} {faute}", (*_places(arbre, noeud), sortie))


def _places(arbre: Apercu, noeud: NoeudTravail) -> tuple[Choix, ...]:
    return (Choix("deplacer", "Déplacer ailleurs", noeud.fiche_id),) if arbre.places(noeud) else ()


def _fermetures_prevues(fiches: Collection[int | None]) -> dict[int, date]:
    """By fiche that exists today, the day on which the register already plans its end."""
    if not fiches:
        return {}
    fins: dict[int, date | None] = {}
    versions = VersionFiche.objects.filter(fiche__in=fiches).order_by("fiche_id", "validite")
    for fiche, jours in versions.values_list("fiche_id", "validite"):
        fins[fiche] = jours.upper
    return {fiche: fin for fiche, fin in fins.items() if fin is not None}


# -- a fiche that the dossier closes -----------------------------------------------------------------


def _changees_depuis(fermes: dict[int, NoeudTravail]) -> Iterator[Collision]:
    """Changed in the register, today or for later, after somebody decided in the dossier to close it."""
    decisions = {cle: n.travail.modifiee_le for cle, n in fermes.items() if n.travail}
    if not decisions:
        return
    depuis = Modification.objects.vivantes().exclude(source=Source.DOSSIER).select_related("auteur")
    derniers = {
        m.fiche_id: m
        for m in depuis.filter(fiche__in=decisions, saisie_le__gt=min(decisions.values())).order_by("pk")
        if m.saisie_le > decisions[m.fiche_id]
    }
    for cle, m in derniers.items():
        qui = f"{m.auteur} a modifié {_nom(fermes[cle])}" if m.auteur else f"Un import a modifié {_nom(fermes[cle])}"
        prevue = f", pour le {date_longue(m.date_effet)}" if m.date_effet > timezone.localdate() else ""
        yield Collision(
            cle,
            "changee_depuis_la_suppression",
            f"{qui} au répertoire le {date_longue(m.saisie_le, 'heure')}{prevue}, après sa suppression dans ce "
            "dossier.",
            (
                Choix("confirmer_suppression", "Supprimer quand même", cle),
                Choix("annuler_changement", "Annuler la suppression", cle),
            ),
        )


def _ouvertures_prevues(fermes: dict[int, NoeudTravail]) -> Iterator[Collision]:
    """Planned in the register under a fiche that the dossier closes today."""
    if not fermes:
        return
    a_venir = VersionFiche.objects.filter(parent__in=fermes, validite__startswith__gt=timezone.localdate())
    versions = a_venir.exclude(fiche__in=fermes).order_by("fiche_id", "-validite")
    premieres = {ligne[0]: ligne for ligne in versions.values_list("fiche_id", "parent_id", "nom", "validite")}
    for fiche, parent, nom, jours in premieres.values():
        yield Collision(
            fiche,
            "ouverture_prevue",
            f"« {nom} » doit être rattachée le {date_longue(jours.lower)} à {_nom(fermes[parent])}, que ce dossier "
            "supprime.",
            (Choix("annuler_changement", f"Annuler la suppression de {_nom(fermes[parent])}", parent),),
        )


# -- words -------------------------------------------------------------------------------------------


def _nom(noeud: NoeudTravail) -> str:
    return f"« {noeud.designation} »"


def _mots(noeud: NoeudTravail) -> str:
    return Niveau(noeud.niveau).label.lower()


def _connue(nom: str | None, passee: _Passee | None) -> tuple[str, str]:
    """The name of a fiche that is no longer there, and « le … » when the day of its closing is known."""
    quand = f" le {date_longue(passee.fin)}" if passee and passee.fin else ""
    nom = nom or (passee.nom if passee else "")
    return (f"« {nom} »" if nom else "une fiche"), quand
