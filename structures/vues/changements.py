"""Changes of a fiche, planned and past: told on its page, in its history, and cancelled here (acceptance D)."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Interdit, Introuvable
from backoffice.socle.templatetags.ror import date_longue

from .. import regles, requetes
from ..affichage import Affichage
from ..champs import champs_de, libelle
from ..domaine import modifier as modification_directe
from ..enums import Niveau, Source
from ..models import Modification
from .communs import Jour, VueFiche, adresse_fiche, entier, presence


def entree(etape: requetes.Etape) -> int:
    return etape.modification.pk


def etats_des(etapes: Iterable[requetes.Etape]) -> Iterable[Mapping[str, Any]]:
    """The values that a list of modifications shows: the fields each one changed, before and after."""
    for _, avant, apres in etapes:
        yield avant
        yield apres


def noms_changes(modification: Modification, niveau: str) -> list[str]:
    """Labels of the fields of a patch, in the order of the screen."""
    noms = {"existe": "Création de la fiche" if modification.patch.get("existe") else "Fermeture de la fiche"}
    noms["parent"] = "Rattachement"
    noms |= {c.nom: libelle(c, niveau) for c in champs_de(niveau) if not c.nom.endswith("_unite")}
    touches = {nom.removesuffix("_unite") for nom in modification.patch}
    return [intitule for nom, intitule in noms.items() if nom in touches]


def qui(modification: Modification) -> str:
    return str(modification.auteur or modification.origine or "Import")


def titre_de(modification: Modification) -> str:
    """« Modification directe », « Dossier collaboratif 12 », « Import FINESS 2021-01-08 »."""
    if modification.source == Source.DIRECT:
        return "Modification directe"
    return modification.origine[:1].upper() + modification.origine[1:] or Source(modification.source).label


def prevus_de(
    etapes: Iterable[requetes.Etape], affichage: Affichage, user: Any, *, gestionnaire: bool, modifiable: bool
) -> list[dict[str, Any]]:
    """Live changes that are not true yet, the nearest first, each with what it changes (``regles.peut_annuler``
    answers again when one is cancelled)."""
    aujourdhui = timezone.localdate()
    return [
        {
            "pk": m.pk,
            "date_effet": m.date_effet,
            "qui": qui(m),
            "titre": titre_de(m),
            "saisie_le": m.saisie_le,
            "motif": m.motif,
            "lignes": affichage.differences(avant, apres, m.patch, concis=True),
            "annulable": m.source == Source.DIRECT and modifiable and (gestionnaire or m.auteur_id == user.pk),
        }
        for m, avant, apres in etapes
        if m.annulee_le is None and m.date_effet > aujourdhui
    ]


def evenements_de(etapes: Iterable[requetes.Etape], niveau: str) -> list[dict[str, Any]]:
    """Lines of <c-chronologie>: who changed what, when, true from when."""
    evenements = []
    for m, _, _ in etapes:
        champs = noms_changes(m, niveau)
        # Never « et 1 autres champs »: seven names are told whole.
        montres = champs if len(champs) <= 7 else champs[:6]
        reste = f" et {len(champs) - 6} autres champs" if len(champs) > 7 else ""
        phrases = [", ".join(montres) + reste]
        if m.date_effet != timezone.localdate(m.saisie_le):
            phrases.append(f"Date d’effet : {date_longue(m.date_effet)}.")
        if m.motif:
            phrases.append(f"Motif : {m.motif}")
        if m.annulee_le is not None:
            phrases.append(f"Annulé par {m.annulee_par} le {date_longue(m.annulee_le)}.")
        evenements.append(
            {
                "quand": m.saisie_le,
                "titre": titre_de(m),
                "qui": str(m.auteur or ""),
                "texte": "\n".join(phrases),
                "icone": "abandon"
                if m.annulee_le
                else {"direct": "crayon", "dossier": "dossier"}.get(m.source, "importer"),
                "etat": "",
                "url": "",
            }
        )
    return evenements


class HistoriqueView(VueFiche):
    """Every modification of a fiche, the last entered first, with what each one changed; 50 a page."""

    TAILLE = 50

    def get(self, request: HttpRequest, identifiant: str) -> HttpResponse:
        fiche, aujourdhui = self.fiche, Jour(timezone.localdate())
        version = requetes.version_la_plus_proche(fiche)
        if version is None:
            raise Introuvable("fiche_inconnue", f"Aucune fiche du répertoire ne porte l’identifiant « {identifiant} ».")
        etapes = sorted(requetes.etapes_de(fiche), key=entree, reverse=True)
        avant = entier(request, "avant")
        suite = [e for e in etapes if avant is None or e.modification.pk < avant]
        montrees = suite[: self.TAILLE]
        affichage = Affichage(
            etats_des(etapes),
            niveau=fiche.niveau,
            tres_restreint=regles.peut_lire_contacts_tres_restreints(request.user, fiche),
            une_fiche=True,
        )
        evenements = evenements_de(montrees, fiche.niveau)
        for evenement, (m, avant_, apres) in zip(evenements, montrees, strict=True):
            evenement["lignes"] = affichage.differences(avant_, apres, m.patch)
        _, _, _, contenu_au = presence(version, aujourdhui.jour)
        return render(
            request,
            "structures/historique.html",
            {
                "fiche": fiche,
                "nom": version.nom or "(sans nom)",
                "niveau": Niveau(fiche.niveau).label,
                "fil": self.fil(fiche, aujourdhui, "Historique", contenu_au),
                "evenements": evenements,
                "total": len(etapes),
                "suivant": montrees[-1].modification.pk if len(suite) > self.TAILLE else None,
            },
        )


class AnnulerChangementView(VueFiche):
    """Cancel a planned change: asks first (GET), then does it (POST)."""

    def autoriser(self, request: HttpRequest) -> None:
        super().autoriser(request)
        trouvee = self.fiche.modifications.filter(pk=self.kwargs["pk"]).select_related("auteur").first()
        if trouvee is None:
            raise Introuvable("changement_inconnu", "Ce changement n’existe pas sur cette fiche.")
        self.modification: Modification = trouvee
        if trouvee.source != Source.DIRECT or not regles.peut_annuler(request.user, trouvee):
            raise Interdit("sans_droit", "Seuls l’auteur du changement et les gestionnaires peuvent l’annuler.")

    def get(self, request: HttpRequest, identifiant: str, pk: int) -> HttpResponse:
        m = self.modification
        champs = ", ".join(noms_changes(m, self.fiche.niveau))
        return render(
            request,
            "socle/confirmation.html",
            {
                "titre": "Annuler ce changement prévu ?",
                "texte": f"Le changement prévu le {date_longue(m.date_effet)} par {qui(m)} n’aura pas lieu.\n"
                f"Il porte sur : {champs}.",
                "confirmer": "Annuler ce changement",
                "url": request.path,
                "retour": adresse_fiche(identifiant),
                "danger": True,
                "form": None,
            },
        )

    def post(self, request: HttpRequest, identifiant: str, pk: int) -> HttpResponse:
        modification_directe.annuler_prevue(modification=self.modification, acteur=cast(User, request.user))
        messages.success(
            request,
            f"Le changement prévu le {date_longue(self.modification.date_effet)} est annulé : il n’aura pas lieu.",
        )
        return HttpResponseRedirect(adresse_fiche(identifiant))
