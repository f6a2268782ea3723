"""Read models of the register. Reads never fold: they query ``VersionFiche`` on a day (model.md)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from .champs import Forme, champs_de
from .domaine.patches import Etat
from .domaine.texte import normaliser
from .enums import ChampEG, Filiere
from .models import Autorite, Concept, Fiche, Modification, RegleCategorie, RegleTarification, Reservation, VersionFiche


@dataclass(slots=True)
class Noeud:
    """One fiche of a tree on a day, with its children in the order of their names."""

    fiche_id: int
    niveau: str
    identifiant: str
    nom: str
    parent_id: int | None
    type_uo: str = ""
    sensible: bool = False
    enfants: list["Noeud"] = field(default_factory=list)

    def parcours(self) -> Iterator["Noeud"]:
        """This node and all below, depth first."""
        yield self
        for enfant in self.enfants:
            yield from enfant.parcours()


def versions_au(jour: date | None = None) -> QuerySet[VersionFiche]:
    """What is true on that day (today)."""
    return VersionFiche.objects.filter(validite__contains=jour or timezone.localdate())


def version_au(fiche: Fiche, jour: date | None = None) -> VersionFiche | None:
    return versions_au(jour).filter(fiche=fiche).select_related("fiche", "modification").first()


def noeuds_au(eg: Fiche, jour: date | None = None) -> dict[int, Noeud]:
    """Every fiche of the EG on that day, by fiche id, in one statement; not yet assembled."""
    lignes = (
        versions_au(jour)
        .filter(eg=eg)
        .order_by("recherche", "fiche_id")
        .values_list("fiche_id", "niveau", "fiche__identifiant", "nom", "parent_id", "type_uo", "unite_sensible")
    )
    return {ligne[0]: Noeud(*ligne) for ligne in lignes}


def assembler(noeuds: dict[int, Noeud], racine: int) -> Noeud | None:
    """Hang each node under its parent; None when the root is not there."""
    for noeud in noeuds.values():
        if noeud.parent_id in noeuds and noeud.fiche_id != racine:
            noeuds[noeud.parent_id].enfants.append(noeud)
    return noeuds.get(racine)


def arbre(eg: Fiche, jour: date | None = None) -> Noeud | None:
    """The tree of this EG on day D: one statement."""
    return assembler(noeuds_au(eg, jour), eg.pk)


def etat_de(version: VersionFiche) -> Etat:
    """The content of a version as a state (structures/domaine/patches.py)."""
    etat: Etat = {"existe": True, "parent": version.parent_id}
    for champ in champs_de(version.niveau):
        contenu: Any = getattr(version, champ.nom)
        if champ.forme is Forme.ENSEMBLE:
            contenu = frozenset(contenu)
        elif isinstance(contenu, date):
            contenu = contenu.isoformat()
        etat[champ.nom] = contenu
    return etat


def etats_au(fiches: Iterable[int], jour: date | None = None) -> dict[int, Etat]:
    """Content of several fiches on a day, by fiche id, in one statement; absent when it does not exist then."""
    return {v.fiche_id: etat_de(v) for v in versions_au(jour).filter(fiche__in=list(fiches))}


def champ_et_filiere(categorie: str) -> tuple[str, str]:
    """(champ, filière) of a FINESS category; an unknown one is médico-social and « autre »."""
    regle = RegleCategorie.objects.filter(pk=categorie).first()
    return (regle.champ, regle.filiere) if regle else (ChampEG.MEDICO_SOCIAL, Filiere.AUTRE)


def autorites_competentes(eg: VersionFiche) -> list[str]:
    """Authorities that approve for a handicap EG, in the order of domain.md §6; empty when nothing decides.

    Set by hand on the EG; FINESS regulation authority; mode of tarification (R74); default of the category. The
    last two name kinds (« ARS », « CD ») that the département of the EG turns into authorities.
    """
    if eg.autorites:
        return sorted(eg.autorites)
    if eg.autorite_regulation and Autorite.objects.filter(pk=eg.autorite_regulation).exists():
        return [eg.autorite_regulation]
    tarification = RegleTarification.objects.filter(pk=eg.mode_tarification).first()
    regle = RegleCategorie.objects.filter(pk=eg.categorie).first()
    types = (tarification and tarification.autorites) or (regle and regle.autorites) or []
    trouvees = [_autorite_du_departement(type_, eg.commune[:2]) for type_ in types]
    return sorted(code for code in trouvees if code) if types and all(trouvees) else []


def _autorite_du_departement(type_: str, departement: str) -> str | None:
    du_type = Autorite.objects.filter(type=type_)
    locale = du_type.filter(departement=departement).first() or du_type.filter(departement="").first()
    return locale.pk if locale else None


def rechercher_egs(texte: str = "", *, mss: bool = False, jour: date | None = None) -> QuerySet[VersionFiche]:
    """Establishments by name, FINESS or commune, accents and case ignored; every word must be found.

    ``mss`` adds médico-social and social establishments to the sanitaire ones (acceptance 14).
    """
    egs = versions_au(jour).filter(niveau="EG").order_by("recherche", "fiche_id")
    if not mss:
        egs = egs.filter(categorie__in=RegleCategorie.objects.filter(champ=ChampEG.SANITAIRE).values("pk"))
    for mot in normaliser(texte).split():
        egs = egs.filter(recherche__contains=mot)
    return egs


def libelles(paires: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Labels of (nomenclature, code) pairs, in one statement."""
    cherchees = set(paires)
    return {
        (liste, code): libelle
        for liste, code, libelle in Concept.objects.filter(
            nomenclature__in={liste for liste, _ in cherchees}, code__in={code for _, code in cherchees}
        ).values_list("nomenclature_id", "code", "libelle")
        if (liste, code) in cherchees
    }


def changements_prevus(fiche: Fiche, jour: date | None = None) -> QuerySet[Modification]:
    """Live changes that are not true yet, the nearest first."""
    return (
        fiche.modifications.vivantes()
        .filter(date_effet__gt=jour or timezone.localdate())
        .select_related("auteur")
        .order_by("date_effet", "pk")
    )


def historique(fiche: Fiche) -> QuerySet[Modification]:
    """All modifications, cancelled ones included, the last entered first."""
    return fiche.modifications.select_related("auteur", "annulee_par").order_by("-pk")


def reservation_de(eg_id: int | None) -> Reservation | None:
    """The open dossier announced on the EG: yellow banner."""
    return Reservation.objects.filter(eg_id=eg_id).first() if eg_id else None

