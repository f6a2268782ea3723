"""The page of a fiche, and of an establishment (acceptance B)."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from backoffice.socle.arbre import Noeud as NoeudAffiche
from backoffice.socle.erreurs import Introuvable
from backoffice.socle.templatetags.ror import date_longue

from .. import regles, requetes
from ..affichage import Affichage, Section, champ_en_mots, decompte
from ..champs import champs_de, libelle, manquants
from ..domaine.patches import valeur
from ..enums import Niveau
from ..models import Fiche, FicheReservee, Reservation
from .changements import entree, etats_des, evenements_de, prevus_de
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

DERNIERES = 20  # modifications shown on the page of a fiche


class FicheView(VueFiche):
    """What the register says of a fiche on a day: content by sections, weeks, contacts, changes planned and past."""

    def get(self, request: HttpRequest, identifiant: str) -> HttpResponse:
        jour, fiche = jour_demande(request), self.fiche
        version = requetes.version_la_plus_proche(fiche, jour.jour)
        if version is None:  # known to a dossier only: nothing shows before publication (acceptance 77)
            raise Introuvable("fiche_inconnue", f"Aucune fiche du répertoire ne porte l’identifiant « {identifiant} ».")
        ouverte, fermee_le, ouvrira_le, contenu_au = presence(version, jour.jour)
        etat = requetes.etat_de(version)
        champ_eg = champ_de_l_eg(fiche, version, contenu_au)
        modifiable = regles.peut_modifier(request.user, fiche)
        etapes = requetes.etapes_de(fiche)
        tres_restreint = regles.peut_lire_contacts_tres_restreints(request.user, fiche)
        affichage = Affichage(
            [etat, *etats_des(etapes)],
            niveau=fiche.niveau,
            jour=contenu_au,
            tres_restreint=tres_restreint,
            une_fiche=True,
        )
        gestionnaire = regles.est_gestionnaire(request.user)
        visibles = [c for c in champs_de(fiche.niveau) if gestionnaire or c.section != "gestion"]
        sections = affichage.sections(etat, champ_eg, visibles)
        reservation = requetes.reservation_de(fiche.eg_id)
        verrouillee = reservation is not None and FicheReservee.objects.filter(fiche=fiche).exists()
        prevus = prevus_de(etapes, affichage, request.user, gestionnaire=gestionnaire, modifiable=modifiable)
        return render(
            request,
            "structures/fiche.html",
            {
                "fiche": fiche,
                "version": version,
                "nom": version.nom or "(sans nom)",
                "niveau": Niveau(fiche.niveau).label,
                "champ_eg": champ_en_mots(champ_eg),
                "jour": jour,
                "fil": self.fil(fiche, jour, contenu_au=contenu_au),
                "ouverte": ouverte,
                "fermee_le": fermee_le,
                "ouvrira_le": ouvrira_le,
                "bandeau": bandeau_dossier(request.user, reservation),
                "manquants": [libelle(c, fiche.niveau) for c in manquants(fiche.niveau, champ_eg, etat)],
                "sensible": bool(valeur(etat, "unite_sensible")),
                "principales": _colonne(sections, _PRINCIPALES),
                "laterales": _colonne(sections, _LATERALES),
                "vides": [s for s in sections if not s.remplie],
                "prevus": prevus,
                "prochain": f"le {date_longue(prevus[0]['date_effet'])}" if prevus else "",
                "historique": evenements_de(sorted(etapes, key=entree, reverse=True)[:DERNIERES], fiche.niveau),
                "nombre_modifications": len(etapes),
                "modifiable": modifiable and ouverte and not jour.autre,
                "verrouillee": verrouillee,
                "actions_structure": _actions_structure(request, fiche, reservation)
                if ouverte and not jour.autre
                else [],
                **_dessous(fiche, jour, contenu_au),
            },
        )


def _actions_structure(request: HttpRequest, fiche: Fiche, reservation: Reservation | None) -> list[dict[str, Any]]:
    """Menu of an EG, and of no other level: create the dossier that changes its structure, or open the one there is
    (acceptance 54 and 55). Empty for those who may not."""
    if fiche.niveau != Niveau.EG or not regles.a_role_sur(request.user, fiche.pk):
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


_PRINCIPALES = ("offre", "identite", "public", "acces", "moyens", "territoire", "gestion")
_LATERALES = ("horaires", "contacts", "vie")


def _colonne(sections: Iterable[Section], codes: tuple[str, ...]) -> list[Section]:
    par_code = {s.code: s for s in sections}
    return [par_code[code] for code in codes if code in par_code and par_code[code].remplie]


def _dessous(fiche: Fiche, jour: Jour, contenu_au: date) -> dict[str, Any]:
    """What hangs under the fiche: the tree of an EG, the establishments of an EJ, the branch of the others."""
    if fiche.niveau == Niveau.EJ:
        egs = list(requetes.egs_de_ej(fiche.pk, contenu_au))
        noeuds = [
            NoeudAffiche(
                id=v.fiche.identifiant, niveau="EG", libelle=v.nom, url=adresse_fiche(v.fiche.identifiant, jour)
            )
            for v in egs
        ]
        return {"noeuds": noeuds, "decompte": [("EG", len(egs))] if egs else [], "titre_arbre": "Établissements"}
    if fiche.niveau == Niveau.UO or fiche.eg is None:
        return {"noeuds": None, "decompte": [], "titre_arbre": ""}
    noeuds_lus = requetes.noeuds_au(fiche.eg, contenu_au)
    racine = requetes.assembler(noeuds_lus, fiche.eg.pk) and noeuds_lus.get(fiche.pk)
    if racine is None:
        return {"noeuds": None, "decompte": [], "titre_arbre": ""}
    comptes = decompte(n for n in racine.parcours() if n is not racine)
    return {"noeuds": noeuds_affiches(racine, jour, actif=fiche.pk), "decompte": comptes, "titre_arbre": "Structures"}
