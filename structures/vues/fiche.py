"""The page of a fiche, and of an establishment (acceptance B)."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from backoffice.socle.arbre import Noeud as NoeudAffiche
from backoffice.socle.erreurs import Introuvable
from backoffice.socle.etats import signe

from .. import regles, requetes
from ..affichage import Affichage, champ_en_mots
from ..champs import Qui, champs_de, libelle, manquants
from ..domaine.horaires import ouverture
from ..domaine.patches import Etat, valeur
from ..enums import Niveau
from ..etablissement import ETATS, etats_des_fiches, voisines
from ..models import Fiche, FicheReservee, Reservation
from ..requetes import Noeud
from ..sections import Section, ouverture_en_mots, sections
from . import changements, personnel, suivi
from .communs import (
    Jour,
    VueFiche,
    adresse,
    adresse_fiche,
    bandeau_dossier,
    champ_de_l_eg,
    jour_demande,
    noeuds_affiches,
    presence,
)

PREMIERES = 8  # incomplete fiches named on the page of an establishment; the tree shows them all
PRINCIPALES = ("offre", "public", "acces", "moyens", "territoire", "identite", "gestion")
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
        gestionnaire = regles.est_gestionnaire(request.user)
        editeur = regles.est_editeur(request.user, fiche)
        affichage, temps = changements.sur_la_fiche(
            request.user, fiche, etat, contenu_au, gestionnaire=gestionnaire, modifiable=gestionnaire or editeur
        )
        visibles = [c for c in champs_de(fiche.niveau) if gestionnaire or c.section != "gestion"]
        lues = sections(affichage, etat, champ_eg, visibles)
        reservation = requetes.reservation_de(fiche.eg_id)
        verrouillee = reservation is not None and FicheReservee.objects.filter(fiche=fiche).exists()
        actuelle = ouverte and not jour.autre
        modifiable = actuelle and not verrouillee and (gestionnaire or editeur)
        qui = {Qui.PARTOUT, Qui.GESTIONNAIRE} if gestionnaire else {Qui.PARTOUT}
        avant, apres = voisines(version, contenu_au) if fiche.niveau != Niveau.EJ else (None, None)
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
                "bandeau": bandeau_dossier(request.user, reservation),
                "manquants": [(c.nom, libelle(c, fiche.niveau)) for c in manquants(fiche.niveau, champ_eg, etat)],
                "sensible": bool(valeur(etat, "unite_sensible")),
                "ouverture": _ouverture(etat) if actuelle else None,
                "principales": _colonne(lues, PRINCIPALES),
                "laterales": _colonne(lues, LATERALES),
                "vides": [s for s in lues if not s.remplie],
                "modifiable": modifiable,
                "verrouillee": actuelle and verrouillee and (gestionnaire or editeur),
                "champs_modifiables": {c.nom for c in champs_de(fiche.niveau, qui)} if modifiable else (),
                "url_modifier": adresse("fiche_modifier", fiche.identifiant),
                "url_signaler": adresse("fiche_signaler", fiche.identifiant) if actuelle else "",
                "actions_structure": _actions_structure(fiche, reservation) if actuelle and editeur else [],
                "avant": avant,
                "apres": apres,
                "arbre": _arbre(request, fiche, jour, contenu_au, champ_eg),
                **temps,
                **personnel.sur_la_fiche(request, fiche),
                **suivi.sur_la_fiche(request, fiche),
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


def _actions_structure(fiche: Fiche, reservation: Reservation | None) -> list[dict[str, Any]]:
    """Menu of an EG, and of no other level: create the dossier that changes its structure, or open the one there is
    (acceptance 54 and 55)."""
    if fiche.niveau != Niveau.EG:
        return []
    if reservation is not None:
        ouvert = adresse("dossier", reservation.dossier)
        return [{"libelle": "Ouvrir le dossier collaboratif", "url": ouvert, "icone": "dossier"}] if ouvert else []
    creer = adresse("dossier_creer")
    return (
        [{"libelle": "Créer un dossier collaboratif", "url": f"{creer}?eg={fiche.identifiant}", "icone": "dossier"}]
        if creer
        else []
    )


def _colonne(lues: Iterable[Section], codes: tuple[str, ...]) -> list[Section]:
    par_code = {s.code: s for s in lues}
    return [par_code[code] for code in codes if code in par_code and par_code[code].remplie]


# -- what hangs under the fiche -----------------------------------------------------------------------


class Filtre(NamedTuple):
    """A link that narrows the tree to the fiches that carry a sign; "" shows them all."""

    etat: str
    mot: str
    nombre: int


def _arbre(request: HttpRequest, fiche: Fiche, jour: Jour, contenu_au: date, champ_eg: str) -> dict[str, Any] | None:
    """The tree of an EG, the establishments of an EJ, the branch of the others; None for an UO."""
    if fiche.niveau == Niveau.EJ:
        egs = requetes.egs_de_ej(fiche.pk, contenu_au)
        noeuds = [
            NoeudAffiche(v.fiche.identifiant, "EG", v.nom, url=adresse_fiche(v.fiche.identifiant, jour)) for v in egs
        ]
        return {"titre": "Établissements", "noeuds": noeuds, "decompte": [("EG", len(noeuds))] if noeuds else []}
    if fiche.niveau == Niveau.UO or fiche.eg is None:
        return None
    lus = requetes.noeuds_au(fiche.eg, contenu_au)
    racine = requetes.assembler(lus, fiche.eg.pk) and lus.get(fiche.pk)
    if racine is None:
        return None
    tous = list(racine.parcours())
    etats = etats_des_fiches(fiche.eg, champ_eg, contenu_au)
    comptes = {etat: sum(etat in etats.get(n.fiche_id, ()) for n in tous) for etat in ETATS}
    filtres = [Filtre(etat, signe(etat).mot, n) for etat, n in comptes.items() if n]
    montrer = request.GET.get("montrer", "")
    montrer = montrer if comptes.get(montrer) else ""
    vise = request.GET.get("fiche", "")
    actif = next((n.fiche_id for n in tous if n.identifiant == vise), fiche.pk)
    return {
        "titre": "Structures",
        "noeuds": noeuds_affiches(racine, jour, actif, etats, montrer),
        "decompte": _decompte(tous[1:]),
        "filtres": [Filtre("", "toutes les fiches", len(tous)), *filtres] if filtres else [],
        "montrer": montrer,
        **_completude(tous, etats, jour),
    }


def _decompte(noeuds: Iterable[Noeud]) -> list[tuple[str, int]]:
    """(level, number) of the fiches of a tree, from the top."""
    niveaux = [n.niveau for n in noeuds]
    return [(str(n.value), niveaux.count(n)) for n in Niveau if n in niveaux]


def _completude(tous: list[Noeud], etats: Mapping[int, list[str]], jour: Jour) -> dict[str, Any]:
    """How many fiches are complete, and the first of those that are not."""
    incompletes = [n for n in tous if "incomplete" in etats.get(n.fiche_id, ())]
    return {
        "total": len(tous),
        "completes": len(tous) - len(incompletes),
        "incompletes": [(n.nom or "(sans nom)", adresse_fiche(n.identifiant, jour)) for n in incompletes[:PREMIERES]],
        "autres_incompletes": max(0, len(incompletes) - PREMIERES),
    }
