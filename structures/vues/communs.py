"""What the pages of the répertoire share: the day that they show, addresses, the fiche asked for, its banner."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from backoffice.socle.arbre import Noeud as NoeudAffiche
from backoffice.socle.erreurs import Conflit, Introuvable
from backoffice.socle.mots import date_longue, nombre
from backoffice.socle.vues import VueProtegee

from .. import requetes, temps
from ..affichage import peut_voir_dossier
from ..enums import Niveau
from ..models import Fiche, Reservation, VersionFiche

GRAND_ARBRE = 150  # from that many fiches on, a tree is folded below the Services
_DEPLIES = {Niveau.EJ, Niveau.EG, Niveau.POLE}
_COMPTES = {Niveau.EG, Niveau.POLE, Niveau.SERVICE, Niveau.UF}  # branches that say how many UO they hold


@dataclass(frozen=True, slots=True)
class Jour:
    """The day that a page shows. ``autre``: another one than today was asked for (``?au=``).

    ``precedent`` and ``suivant``: the nearest days around it on which something changes on the fiche of the page.
    """

    jour: date
    autre: bool = False
    erreur: str = ""
    precedent: date | None = None
    suivant: date | None = None

    @property
    def suffixe(self) -> str:
        return f"?{urlencode({'au': self.jour.isoformat()})}" if self.autre else ""


def jour_demande(request: HttpRequest, fiche: Fiche | None = None) -> Jour:
    """``jour_de`` the address of a page."""
    return jour_de(request.GET, fiche)


def jour_de(choix: QueryDict, fiche: Fiche | None = None) -> Jour:
    """The day of ``?au=YYYY-MM-DD``, today otherwise; ``erreur`` says what is wrong with a date that is none. On the
    page of a ``fiche``, another day knows the days of change around it (one statement)."""
    demande, aujourdhui = choix.get("au", "").strip(), timezone.localdate()
    if not demande:
        return Jour(aujourdhui)
    try:
        jour = date.fromisoformat(demande)
    except ValueError:
        jour = None
    if jour is None or not 1900 <= jour.year <= 2199:
        return Jour(
            aujourdhui,
            erreur=f"« {demande[:40]} » n’est pas une date que le répertoire peut montrer : vous le consultez à la "
            "date d’aujourd’hui. Écrivez une date comme 2027-03-01.",
        )
    if jour == aujourdhui:
        return Jour(jour)
    precedent, suivant = temps.jours_voisins(fiche, jour) if fiche else (None, None)
    return Jour(jour, autre=True, precedent=precedent, suivant=suivant)


def adresse(nom: str, *args: Any) -> str:
    """The address of a name, "" when no app declares it (yet)."""
    try:
        return reverse(nom, args=args)
    except NoReverseMatch:
        return ""


def adresse_fiche(identifiant: str, jour: Jour | None = None) -> str:
    return reverse("fiche", args=[identifiant]) + (jour.suffixe if jour else "")


def fiche_ou_404(identifiant: str) -> Fiche:
    fiche = Fiche.objects.filter(identifiant=identifiant).select_related("eg").first()
    if fiche is None:
        raise Introuvable(
            "fiche_inconnue", f"Aucune fiche du répertoire ne porte l’identifiant « {identifiant[:20]} »."
        )
    return fiche


def noeuds_affiches(
    racine: requetes.Noeud,
    jour: Jour,
    actif: int | None = None,
    etats: Mapping[int, list[str]] | None = None,
    montrer: str = "",
) -> list[NoeudAffiche]:
    """A tree of the register as <c-arbre> draws it, each branch with the number of its UO.

    ``etats``: signs by fiche. ``montrer``: one of them; only the fiches that carry it are kept, with what is above.
    ``actif``: the current fiche, its branch unfolded.
    """
    signes = etats if etats is not None else {n.fiche_id: ["sensible"] for n in racine.parcours() if n.sensible}
    grand = not montrer and sum(1 for _ in racine.parcours()) >= GRAND_ARBRE
    # reverse() for each of 3,000 fiches would take longer than everything else
    repertoire, suffixe = reverse("repertoire"), jour.suffixe

    def un(noeud: requetes.Noeud) -> tuple[NoeudAffiche | None, int, bool]:
        dessous = [un(enfant) for enfant in noeud.enfants]
        uo = sum(n for _, n, _ in dessous) + (noeud.niveau == Niveau.UO)
        enfants = [n for n, _, _ in dessous if n]
        mene_a_l_actif = any(actif_ for _, _, actif_ in dessous)
        siens, est_actif = signes.get(noeud.fiche_id, []), noeud.fiche_id == actif
        if montrer and montrer not in siens and not enfants and noeud is not racine:
            return None, uo, est_actif
        affiche = NoeudAffiche(
            id=noeud.identifiant,
            niveau=noeud.niveau,
            libelle=noeud.nom or "(sans nom)",
            url=f"{repertoire}{noeud.identifiant}/{suffixe}",
            enfants=enfants,
            etats=siens,
            actif=est_actif,
            ouvert=not grand or mene_a_l_actif or noeud.niveau in _DEPLIES,
            note=f"{nombre(uo)} UO" if noeud.niveau in _COMPTES and uo != 1 else "",
            attrs={"id": "noeud"} if est_actif else {},
        )
        return affiche, uo, mene_a_l_actif or est_actif

    [affiche] = [n for n, _, _ in [un(racine)] if n]
    return [affiche]


def bandeau_dossier(user: Any, reservation: Reservation | None) -> dict[str, Any] | None:
    """What the yellow banner says; the link only for those who may open the dossier."""
    if reservation is None:
        return None
    lien = adresse("dossier", reservation.dossier) if peut_voir_dossier(user, reservation.dossier) else ""
    return {
        "nom": reservation.nom,
        "etape": _etape_en_mots(reservation.etape),
        "envoye_le": reservation.envoye_le,
        "url": lien,
    }


def _etape_en_mots(etape: str) -> str:
    """« validation par la Direction », of the state « En validation par la Direction »."""
    mots = etape.removeprefix("En ")
    return mots[:1].lower() + mots[1:]


class VueFiche(VueProtegee):
    """A page about one fiche; ``self.fiche``, 404 when nobody was given this identifier."""

    fiche: Fiche

    def autoriser(self, request: HttpRequest) -> None:
        self.fiche = fiche_ou_404(self.kwargs["identifiant"])

    def fil(self, fiche: Fiche, jour: Jour, dernier: str = "", contenu_au: date | None = None) -> list[tuple[str, str]]:
        """Breadcrumb from the répertoire down to this fiche, then ``dernier``."""
        chaine = requetes.fil_de(fiche.pk, contenu_au or jour.jour)
        fil = [("Répertoire", reverse("repertoire") + jour.suffixe)]
        fil += [(m.nom or m.identifiant, adresse_fiche(m.identifiant, jour)) for m in chaine]
        if dernier:
            fil.append((dernier, ""))
        elif chaine:
            fil[-1] = (fil[-1][0], "")
        return fil


def champ_de_l_eg(fiche: Fiche, version: VersionFiche, jour: date) -> str:
    """Field of activity (sanitaire…) of the establishment of a fiche, in one statement; "" for an EJ."""
    if fiche.eg_id is None:
        return ""
    de_l_eg = requetes.versions_au(jour).filter(fiche=fiche.eg_id).values("categorie")[:1]
    return requetes.champ_et_filiere(version.categorie if fiche.niveau == Niveau.EG else de_l_eg)[0]


def presence(version: VersionFiche, jour: date) -> tuple[bool, date | None, date | None, date]:
    """(exists on that day, closed since, will open on, the day whose content is shown)."""
    du, au = version.validite.lower, version.validite.upper
    if du > jour:
        return False, None, du, du
    if au is not None and au <= jour:
        return False, au, None, date.fromordinal(au.toordinal() - 1)
    return True, None, None, jour


def fermee_en_mots(version: VersionFiche) -> str:
    """« Cette fiche est fermée depuis le 3 mars 2027 », or that it will open; "" when it is open today."""
    ouverte, fermee_le, ouvrira_le, _ = presence(version, timezone.localdate())
    if ouverte:
        return ""
    if ouvrira_le:
        return f"Cette fiche n’ouvre que le {date_longue(ouvrira_le)}"
    return f"Cette fiche est fermée depuis le {date_longue(fermee_le)}"


def version_ouverte(fiche: Fiche, sinon: str) -> VersionFiche:
    """Today's version of a fiche. Refuses one that is not open, ``sinon`` says what that means (``Conflit``), and one
    that was never published (``Introuvable``)."""
    version = requetes.version_la_plus_proche(fiche)
    if version is None:
        raise Introuvable("fiche_inconnue", "Aucune fiche du répertoire ne porte cet identifiant.")
    if fermee := fermee_en_mots(version):
        raise Conflit("fiche_fermee", f"{fermee} : {sinon}")
    return version
