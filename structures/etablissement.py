"""An establishment on a day: the state of each of its fiches, and the neighbours of one."""

from collections import defaultdict
from datetime import date
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet, Value
from django.utils import timezone

from .completude import fiches_incompletes
from .enums import ChampEG
from .models import Fiche, FicheReservee, Signalement, VersionFiche
from .requetes import versions_au

# Keys of socle.etats, in the order in which a tree says them.
ETATS = ("incomplete", "signalee", "dans-dossier", "prevu", "fermeture", "sensible")


def etats_des_fiches(eg: Fiche, champ_eg: str, jour: date) -> dict[int, list[str]]:
    """What each fiche of the EG has to say besides its name, by fiche id, in one statement.

    On another day than today, only what the register of that day knows; nothing is planned in the past.
    """
    versions = VersionFiche.objects.filter(eg=eg).order_by()
    du_jour = versions.filter(validite__contains=jour)
    medico_sociaux = [eg.pk] if champ_eg == ChampEG.MEDICO_SOCIAL else []
    sources = {
        "incomplete": du_jour.filter(fiches_incompletes(medico_sociaux)),
        "sensible": du_jour.filter(unite_sensible=True),
    }
    aujourdhui = timezone.localdate()
    if jour >= aujourdhui:
        sources["prevu"] = versions.filter(validite__startswith__gt=jour)
        sources["fermeture"] = du_jour.filter(validite__upper_inf=False)  # unless something follows: see below
    lues: list[QuerySet[Any, Any]] = [lignes.values_list("fiche_id", Value(etat)) for etat, lignes in sources.items()]
    if jour == aujourdhui:
        reservees = FicheReservee.objects.filter(reservation=eg.pk).order_by()
        signalees = Signalement.objects.filter(fiche__eg=eg, clos_le__isnull=True).order_by()
        lues += [
            reservees.values_list("fiche_id", Value("dans-dossier")),
            signalees.values_list("fiche_id", Value("signalee")),
        ]
    par_fiche: dict[int, set[str]] = defaultdict(set)
    for fiche, etat in lues[0].union(*lues[1:], all=True):
        par_fiche[fiche].add(etat)
    for etats in par_fiche.values():
        if "prevu" in etats:
            etats.discard("fermeture")
    return {fiche: [e for e in ETATS if e in etats] for fiche, etats in par_fiche.items()}


class Voisine(NamedTuple):
    identifiant: str
    nom: str


def voisines(version: VersionFiche, jour: date) -> tuple[Voisine | None, Voisine | None]:
    """The fiches just before and after this one under the same parent, in the order of the tree; one statement."""
    soeurs = versions_au(jour).filter(parent=version.parent_id, niveau=version.niveau)
    apres = Q(recherche__gt=version.recherche) | Q(recherche=version.recherche, fiche_id__gt=version.fiche_id)
    avant = Q(recherche__lt=version.recherche) | Q(recherche=version.recherche, fiche_id__lt=version.fiche_id)
    colonnes = ("fiche__identifiant", "nom")
    trouvees = (
        soeurs.filter(avant).order_by("-recherche", "-fiche_id").values_list(Value("avant"), *colonnes)[:1]
    ).union(soeurs.filter(apres).order_by("recherche", "fiche_id").values_list(Value("apres"), *colonnes)[:1])
    par_cote = {cote: Voisine(identifiant, nom) for cote, identifiant, nom in trouvees}
    return par_cote.get("avant"), par_cote.get("apres")
