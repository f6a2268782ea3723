"""The page of a fiche, and of an establishment (acceptance B)."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from backoffice.socle.erreurs import Introuvable

from .. import regles, requetes
from ..affichage import Affichage, champ_en_mots
from ..champs import UNITES, champs_de, libelle, manquants
from ..domaine.horaires import ouverture
from ..domaine.patches import Etat, valeur
from ..enums import ChampEG, Niveau
from ..etablissement import voisines
from ..models import Fiche, FicheReservee
from ..sections import Section, ouverture_en_mots, sections
from . import changements, guidage, personnel, suivi, visibilite
from .arbre import arbre_de
from .communs import (
    Jour,
    VueFiche,
    adresse,
    adresse_fiche,
    champ_de_l_eg,
    jour_demande,
    presence,
)

# An offer begins with what it offers, the other levels with who they are.
PRINCIPALES = ("offre", "public", "acces", "moyens", "territoire", "identite", "gestion")
PRINCIPALES_AILLEURS = ("identite", "acces", "moyens", "territoire", "gestion")
LATERALES = ("horaires", "contacts", "vie")


class FicheView(VueFiche):
    """What the register says of a fiche on a day: content by sections, weeks, contacts, the tree, planned changes."""

    def get(self, request: HttpRequest, identifiant: str) -> HttpResponse:
        fiche = self.fiche
        jour = jour_demande(request, fiche)
        version = requetes.version_la_plus_proche(fiche, jour.jour)
        if version is None:  # known to a dossier only: nothing shows before publication (acceptance 77)
            raise Introuvable("fiche_inconnue", f"Aucune fiche du répertoire ne porte l’identifiant « {identifiant} ».")
        ouverte, fermee_le, ouvrira_le, contenu_au = presence(version, jour.jour)
        etat = requetes.etat_de(version)
        champ_eg = champ_de_l_eg(fiche, version, contenu_au)
        droits = regles.droits_sur(request.user, fiche)
        contenu = {nom: v for nom, v in etat.items() if nom != "parent"}  # the breadcrumb says it
        affichage, temps = changements.sur_la_fiche(droits, fiche, contenu, contenu_au)
        visibles = [c for c in champs_de(fiche.niveau) if c.nom not in droits.champs_caches]
        lues = sections(affichage, etat, champ_eg, visibles)
        reservation = requetes.reservation_de(fiche.eg_id)
        verrouillee = reservation is not None and FicheReservee.objects.filter(fiche=fiche).exists()
        actuelle = ouverte and not jour.autre
        modifiable = actuelle and not verrouillee and droits.modifier
        sous_eg = fiche.niveau not in (Niveau.EJ, Niveau.EG)
        guide = guidage.sur_la_fiche(request.user, fiche, reservation, editeur=droits.editeur, actuelle=actuelle)
        avant, apres = voisines(version, contenu_au) if sous_eg else (None, None)
        reponse = render(
            request,
            "structures/fiche.html",
            {
                "fiche": fiche,
                "nom": version.nom or "(sans nom)",
                "niveau": Niveau(fiche.niveau).label,
                "en_bref": _en_bref(fiche, affichage, etat, champ_eg),
                "jour": jour,
                "fil": self.fil(fiche, jour, contenu_au=contenu_au),
                "fermee_le": fermee_le,
                "ouvrira_le": ouvrira_le,
                **guide,
                "manquants": _manquants(fiche, champ_eg, etat),
                "sensible": bool(valeur(etat, "unite_sensible")),
                "ouverture": _ouverture(etat) if actuelle else None,
                "principales": _colonne(lues, PRINCIPALES if fiche.niveau == Niveau.UO else PRINCIPALES_AILLEURS),
                "laterales": _colonne(lues, LATERALES),
                "vides": [s for s in lues if not s.remplie],
                "modifiable": modifiable,
                "verrouillee": actuelle and verrouillee and droits.modifier,
                "champs_modifiables": {c.nom for c in droits.champs_modifiables} if modifiable else (),
                "url_modifier": adresse("fiche_modifier", fiche.identifiant),
                "invisible": visibilite.sur_la_fiche(fiche) if actuelle else None,
                "url_signaler": adresse("fiche_signaler", fiche.identifiant) if actuelle else "",
                "actions_structure": _actions_structure(fiche, guide["vers_dossier"], droits, champ_eg, actuelle),
                "documents": _documents(fiche, jour) if contenu_au == jour.jour else [],
                "avant": avant,
                "apres": apres,
                "url_arbre": _url_arbre(fiche, jour),
                "arbre": arbre_de(request, fiche, jour, contenu_au, champ_eg),
                **temps,
                **personnel.sur_la_fiche(request, fiche),
                **suivi.sur_la_fiche(request.user, fiche, actuelle=actuelle, editeur=droits.editeur),
            },
        )
        personnel.se_souvenir(request, reponse, fiche)
        return reponse


def _en_bref(fiche: Fiche, affichage: Affichage, etat: Etat, champ_eg: str) -> str:
    """« FINESS 750000001 · Paris 13e Arrondissement (75) · Centre hospitalier (CH) · Sanitaire », the type of an UO."""
    noms = {Niveau.EJ: ("finess", "commune"), Niveau.EG: ("finess", "commune", "categorie"), Niveau.UO: ("type_uo",)}
    mots = [str(affichage.texte(nom, etat)) for nom in noms.get(Niveau(fiche.niveau), ())]
    if fiche.niveau in (Niveau.EJ, Niveau.EG) and mots[0]:
        mots[0] = f"FINESS {mots[0]}"
    if fiche.niveau == Niveau.EG:
        mots.append(champ_en_mots(champ_eg))
    return " · ".join(mot for mot in mots if mot)


def _manquants(fiche: Fiche, champ_eg: str, etat: Etat) -> list[tuple[str, str]]:
    """(name, label) of the mandatory fields that the fiche lacks; a number that is missing says it for its unit."""
    manque = {c.nom: libelle(c, fiche.niveau) for c in manquants(fiche.niveau, champ_eg, etat)}
    return [(nom, mot) for nom, mot in manque.items() if UNITES.get(nom) not in manque]


def _url_arbre(fiche: Fiche, jour: Jour) -> str:
    """The fiche in the tree of its establishment; "" for those that hold one."""
    if fiche.niveau in (Niveau.EJ, Niveau.EG) or fiche.eg is None:
        return ""
    page = adresse_fiche(fiche.eg.identifiant, jour)
    return f"{page}{'&' if jour.suffixe else '?'}{urlencode({'fiche': fiche.identifiant})}#noeud"


def _ouverture(etat: Etat) -> dict[str, Any] | None:
    """« Ouvert maintenant » by the usual hours; None without hours, or while the unit is closed for a time."""
    maintenant = timezone.localtime()
    fermee, rouvre = valeur(etat, "date_fermeture"), valeur(etat, "date_reouverture")
    aujourdhui = maintenant.date().isoformat()
    if fermee and fermee <= aujourdhui and not (rouvre and rouvre <= aujourdhui):
        return None
    trouvee = ouverture(valeur(etat, "horaires"), maintenant.replace(tzinfo=None))
    if trouvee is None:
        return None
    return {"ouvert": trouvee.ouvert, "phrase": ouverture_en_mots(trouvee, maintenant.replace(tzinfo=None))}


def _actions_structure(
    fiche: Fiche, vers: guidage.VersDossier | None, droits: regles.Droits, champ_eg: str, actuelle: bool
) -> list[dict[str, Any]]:
    """Menu of an EG, and of no other level: create the dossier that changes its structure, or open the one there is
    (acceptance 54 and 55); for SESAN, say which tutelle approves."""
    if fiche.niveau != Niveau.EG:
        return []
    actions: list[dict[str, Any]] = []
    if droits.editeur and actuelle:
        url = adresse("etablissement_tableur", fiche.identifiant)
        actions.append({"libelle": "Modifier dans un tableur", "url": url, "icone": "tableau"})
    if droits.editeur and vers is not None and vers.dossier:
        actions.append({"libelle": vers.action, "url": vers.url, "icone": "dossier"})
    if droits.gestionnaire and actuelle and champ_eg == ChampEG.MEDICO_SOCIAL:
        url = adresse("fiche_tutelles", fiche.identifiant)
        actions.append({"libelle": "Fixer les tutelles", "url": url, "icone": "comptes"})
    return actions


def _documents(fiche: Fiche, jour: Jour) -> list[dict[str, Any]]:
    """An establishment on paper, and what happened to it as a file."""
    if fiche.niveau != Niveau.EG:
        return []
    return [
        {"libelle": mot, "url": f"{adresse(nom, fiche.identifiant)}{jour.suffixe}", "icone": icone}
        for mot, nom, icone in (
            ("PDF à signer", "fiche_pdf", "exporter"),
            ("Page à imprimer", "fiche_imprimer", "imprimer"),
        )
    ]


def _colonne(lues: Iterable[Section], codes: tuple[str, ...]) -> list[Section]:
    par_code = {s.code: s for s in lues}
    return [par_code[code] for code in codes if code in par_code and par_code[code].remplie]
