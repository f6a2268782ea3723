"""A fiche of a dossier: its form on a draft, else what the dossier does to it and what it holds."""

from datetime import date
from typing import Any, NamedTuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone

from backoffice.socle.erreurs import Conflit, Introuvable, Invalide
from backoffice.socle.templatetags.ror import nombre, pluriel
from structures.affichage import Affichage
from structures.champs import CHAMPS, Champ, champs_de, est_vide, libelle, manquants
from structures.domaine.fusion import heurts
from structures.domaine.lecture import lire, relire
from structures.domaine.patches import Etat, Patch, appliquer, difference, valeur
from structures.enums import Niveau
from structures.models import Fiche
from structures.regles import peut_lire_contacts_tres_restreints
from structures.requetes import champ_et_filiere, etats_au, version_au
from structures.sections import sections

from .. import changements
from ..domaine import contenu
from ..domaine.apercu import NoeudTravail
from ..domaine.fusion import etat_de_travail
from ..forms import FicheDossierForm, nom_inhabituel
from ..models import FicheTravail
from .espace import VueDossier, chemin, entier, nom_de


class Vu(NamedTuple):
    """What the form was filled from: the save of the working copy, and the register (token, day)."""

    revision: int
    jeton: str
    jour: date


# -- one fiche ---------------------------------------------------------------------------------------


class FicheView(VueDossier):
    """A fiche of the dossier: its form on a draft, for those who edit it; else what changes and what it holds."""

    def autoriser(self, request: HttpRequest) -> None:
        super().autoriser(request)
        self.cle = self.kwargs["fiche"]
        self.travail: FicheTravail | None = next((t for t in self.espace.travaux if t.fiche_id == self.cle), None)
        if not self.dossier.est_ouvert:
            if self.travail is None:
                raise Introuvable("fiche_inconnue", "Ce dossier n’a pas changé cette fiche.")
            return
        self.place = self.noeud(str(self.cle))
        request.libelles_saisie = {  # type: ignore[attr-defined]
            c.nom: libelle(c, self.place.niveau) for c in champs_de(self.place.niveau)
        }

    # -- reading -------------------------------------------------------------------------------------

    def get(self, request: HttpRequest, numero: int, fiche: int) -> HttpResponse:
        if not self.espace.modifiable or self.place.supprime:
            return self._lecture(request)
        self._lire_registre()
        etat = etat_de_travail(self.travail, self.registre)
        return self._page(request, self._formulaire(etat))

    def _lecture(self, request: HttpRequest) -> HttpResponse:
        """What the dossier does to the fiche, then everything it holds."""
        ouvert = self.dossier.est_ouvert
        liste = changements.changements(self.dossier, request.user, fiche=self.cle) if self.travail else []
        etat: Etat = {}
        fiche = self.travail.fiche if self.travail else Fiche.objects.get(pk=self.cle)
        if ouvert:
            etat = etat_de_travail(self.travail, etats_au([self.cle]).get(self.cle, {}))
        eg = version_au(self.dossier.eg)
        tout_voir = peut_lire_contacts_tres_restreints(request.user, self.dossier.eg)
        mots = Affichage([etat], niveau=fiche.niveau, tres_restreint=tout_voir)
        supprimee = ouvert and self.place.supprime
        nom = liste[0].nom if liste else nom_de(self.place)
        contexte = {
            "fiche": fiche,
            "niveau": Niveau(fiche.niveau).label,
            "nom": nom,
            "changement": liste[0] if liste else None,
            "sections": sections(mots, etat, champ_et_filiere(eg.categorie if eg else "")[0]) if etat else [],
            "supprimee": supprimee,
            "annulable": supprimee and self.espace.modifiable,
            "au_repertoire": fiche.versions.exists(),
            "ou": chemin(self.espace.arbre, self.espace.arbre.noeuds.get(self.place.parent_id or 0)) if ouvert else "",
        }
        if ouvert:
            return self.panneau(request, "workflows/_panneau_lecture.html", contexte, titre=nom, actif=self.cle)
        contexte |= {"espace": self.espace, "dossier": self.dossier, "fil": self.fil((nom, "")), "titre_panneau": nom}
        return render(request, "workflows/fiche_passee.html", contexte)

    # -- the form ------------------------------------------------------------------------------------

    def _lire_registre(self) -> None:
        """The register of today under the fiche, with the token that names it in the form."""
        self.registre: Etat = {}
        self.jeton, self.jour = "", timezone.localdate()
        if self.place.publie:
            lecture = lire(Fiche.objects.get(pk=self.cle))
            if lecture is not None:
                self.registre, self.jeton, self.jour = lecture.etat, lecture.jeton, lecture.jour

    def _formulaire(self, etat: Etat, data: Any = None, montre: Etat | None = None) -> FicheDossierForm:
        qui = contenu.MODIFIABLES if self.place.publie else contenu.A_LA_CREATION
        return FicheDossierForm(
            nouvelle=not self.place.publie,
            niveau=self.place.niveau,
            champs=champs_de(self.place.niveau, qui),
            etat=etat,
            champ_eg=self.espace.arbre.champ,
            data=data,
            montre=montre,
        )

    def _page(
        self,
        request: HttpRequest,
        form: FicheDossierForm,
        *,
        statut: int = 200,
        vu: "Vu | None" = None,
        **plus: Any,
    ) -> HttpResponse:
        espace, place = self.espace, self.place
        etat = form.montre
        mots = Affichage([form.etat, *self._etats_en_conflit()], niveau=place.niveau, tres_restreint=True)
        modifiables = {c.nom for c in form.champs}
        avant, apres = self._voisines()
        contexte = {
            "form": form,
            "sections": form.sections(),
            "fiche": place,
            "niveau": Niveau(place.niveau).label,
            "nom": nom_de(place),
            "ou": chemin(espace.arbre, espace.arbre.noeuds.get(place.parent_id or 0)),
            "travail": self.travail,
            "etats": espace._etats(place),
            "depuis": espace._note(place),
            "actions": espace.actions(place),
            "vu": vu or Vu(self.travail.revision if self.travail else 0, self.jeton, self.jour),
            "manques": [
                (form[c.nom].id_for_label or form[c.nom].auto_id, libelle(c, place.niveau))
                for c in self._manques(etat)
                if c.nom in form.fields
            ],
            "figes": [
                (libelle(c, place.niveau), mots.texte(c.nom, form.etat))
                for c in champs_de(place.niveau)
                if c.nom not in modifiables and c.section != "gestion" and not est_vide(c, valeur(form.etat, c.nom))
            ],
            "commentaires": list(self.dossier.commentaires.filter(fiche=self.cle).select_related("auteur")),
            "conflits": self._conflits(mots),
            "avertir_nom": nom_inhabituel(place.niveau, str(valeur(etat, "nom"))),
            "precedente": avant,
            "suivante": apres,
            "heurt": None,
            "refus": "",
        }
        titre = f"{'Modifier' if place.publie else 'Compléter'} {nom_de(place)}"
        return self.panneau(
            request, "workflows/_panneau_fiche.html", contexte | plus, titre=titre, actif=self.cle, statut=statut
        )

    def _manques(self, etat: Etat) -> list[Champ]:
        """What the fiche lacks to be finalised; a number and its unit are one question."""
        absents = {c.nom: c for c in manquants(self.place.niveau, self.espace.arbre.champ, etat)}
        return [c for n, c in absents.items() if not n.endswith("_unite") or n.removesuffix("_unite") not in absents]

    def _voisines(self) -> tuple[NoeudTravail | None, NoeudTravail | None]:
        """The fiches to finalise before and after this one, in the order of the tree."""
        ordre = {n.fiche_id: i for i, n in enumerate(self.espace.arbre.racine.parcours())}
        ici = ordre.get(self.cle, 0)
        avant = [n for n in self.espace.en_attente if ordre[n.fiche_id] < ici]
        apres = [n for n in self.espace.en_attente if ordre[n.fiche_id] > ici]
        return (avant[-1] if avant else None), (apres[0] if apres else None)

    def _etats_en_conflit(self) -> list[Etat]:
        return [{c.nom: v} for c in self.espace.conflits.get(self.cle, ()) for v in (c.base, c.leur, c.mien)]

    def _conflits(self, mots: Affichage) -> list[dict[str, Any]]:
        """The fields that the register changed too, in words."""

        def dire(nom: str, contenu: Any) -> Any:
            return mots.texte(nom, {nom: contenu})

        return [
            {
                "nom": c.nom,
                "champ": libelle(CHAMPS[c.nom], self.place.niveau),
                "base": dire(c.nom, c.base),
                "repertoire": dire(c.nom, c.leur),
                "dossier": dire(c.nom, c.mien),
            }
            for c in self.espace.conflits.get(self.cle, ())
        ]

    # -- saving --------------------------------------------------------------------------------------

    def post(self, request: HttpRequest, numero: int, fiche: int) -> HttpResponse:
        self.exiger_edition()
        if not self.dossier.est_brouillon:
            self._refuser_fige()
        if self.place.supprime:
            raise Conflit(
                "fiche_supprimee", "Cette fiche est supprimée dans ce dossier : annulez d’abord la suppression."
            )
        self._lire_registre()
        revision = entier(request.POST.get("revision"))
        jeton, jour = request.POST.get("jeton", ""), _jour(request.POST.get("jour"))
        vu = self._registre_vu(jeton, jour)
        patch_vu = self._patch_vu(revision)
        if revision is None or vu is None or patch_vu is None:
            raise Invalide("revision", "Le formulaire est illisible. Rouvrez la fiche et recommencez.")
        montre = appliquer(vu, patch_vu)
        form = self._formulaire(montre, request.POST)
        montre_alors = Vu(revision, jeton, jour)
        if request.POST.get("etape") == "saisie":  # communes added without JavaScript: the form as it was typed
            return self._page(request, form, vu=montre_alors)
        if not form.is_valid():
            return self._page(request, form, statut=422, vu=montre_alors)
        mien = difference(montre, form.etat_saisi())
        mien = {n: v for n, v in mien.items() if request.POST.get(f"garder_{n}") != "leur"}
        if a_regler := {h.nom for h in heurts(vu, self.registre, mien)}:
            return self._comparer(request, montre, mien, a_regler, _phrase_registre(a_regler, self.place.niveau))
        base = appliquer(self.registre, patch_vu)
        voulu = appliquer(base, mien)
        finaliser = request.POST.get("action") == "finaliser"
        try:
            travail = contenu.enregistrer(
                numero=numero,
                acteur=self.acteur,
                fiche=self.cle,
                saisie={n: voulu[n] for n in mien},
                revision=revision,
                finaliser=finaliser,
            )
        except Conflit as refus:
            if refus.code != "fiche_modifiee":
                raise
            self.travail = self.dossier.fiches.select_related("modifiee_par").get(fiche=self.cle)
            return self._comparer(request, montre, mien, set(refus.champs), refus.message)
        except Invalide as refus:
            champs = refus.champs or {"": [refus.message]}
            if refus.code == "incomplete":  # the label is already there; a number and its unit are one question
                absents = [n for n in champs if n.removesuffix("_unite") == n or n.removesuffix("_unite") not in champs]
                champs = {n: ["obligatoire pour finaliser la fiche."] for n in absents}
            form.ajouter_erreurs(champs)
            return self._page(request, form, statut=422, refus=refus.code, vu=montre_alors)
        self._dire(request, travail, finaliser=finaliser, change=bool(mien))
        return HttpResponseRedirect(self._suite(request))

    def _refuser_fige(self) -> None:
        raise Conflit(
            "dossier_fige",
            f"Ce dossier n’est plus un brouillon ({self.dossier.get_etat_display().lower()}) : ses fiches ne peuvent "
            "plus être modifiées.",
        )

    def _registre_vu(self, jeton: str, jour: date) -> Etat | None:
        """The register as the form showed it."""
        if not self.place.publie:
            return {}
        return self.registre if jeton == self.jeton else relire(Fiche.objects.get(pk=self.cle), jeton, jour)

    def _patch_vu(self, revision: int | None) -> Patch | None:
        """The working copy as the form showed it; None for a revision that never was."""
        if self.travail is None or not revision:
            return {}
        if revision == self.travail.revision:
            return self.travail.patch
        vue = self.travail.revisions.filter(numero=revision).first()
        return vue.patch if vue else None

    def _comparer(
        self, request: HttpRequest, montre: Etat, mien: Patch, a_regler: set[str], phrase: str
    ) -> HttpResponse:
        """409: the form again on the values of now, with what was typed, and the versions side by side.

        What others changed elsewhere is already merged in; for each field of ``a_regler`` the person chooses.
        """
        maintenant = etat_de_travail(self.travail, self.registre)
        saisi = appliquer(maintenant, mien)
        mots = Affichage([montre, maintenant, saisi], niveau=self.place.niveau, tres_restreint=True)
        lignes = [
            {
                "nom": n,
                "champ": libelle(CHAMPS[n], self.place.niveau),
                "base": mots.texte(n, montre),
                "leur": mots.texte(n, maintenant),
                "mienne": mots.texte(n, appliquer(montre, mien)),
                "passage": None,
                "choix": "mienne",
            }
            for n in mien
            if n in a_regler
        ]
        autres = [n for n in maintenant if n not in a_regler and n in CHAMPS and n not in ("existe", "parent")]
        return self._page(
            request,
            self._formulaire(maintenant, montre=saisi),
            statut=409,
            heurt={
                "phrase": phrase,
                "lignes": lignes,
                "repris": mots.differences(montre, {**montre, **{n: maintenant[n] for n in autres}}, autres),
            },
        )

    def _dire(self, request: HttpRequest, travail: FicheTravail | None, *, finaliser: bool, change: bool) -> None:
        nom = (travail.patch.get("nom") if travail else "") or nom_de(self.place)
        if travail is None:
            revenue = "est de nouveau identique au répertoire : le dossier ne la change plus"
            messages.info(request, f"« {nom} » {revenue if change else 'n’a pas changé'}.")
            return
        if finaliser:
            reste = len([n for n in self.espace.en_attente if n.fiche_id != self.cle])
            suite = (
                f"Il reste {nombre(reste)} fiche{pluriel(reste)} à finaliser."
                if reste
                else "Toutes les fiches ont été finalisées : le dossier peut être envoyé en validation."
            )
            messages.success(request, f"« {nom} » est enregistrée et finalisée. {suite}")
        else:
            etat = etat_de_travail(travail, self.registre)
            absents = ", ".join(libelle(c, self.place.niveau) for c in self._manques(etat))
            suite = f" Il manque pour la finaliser : {absents}." if absents else ""
            messages.success(request, f"« {nom} » est enregistrée, en attente.{suite}")
        if nom_inhabituel(self.place.niveau, nom):
            messages.warning(
                request, f"Le nom « {nom} » ne commence pas par « Unité » : vérifiez qu’il suit la règle de nommage."
            )

    def _suite(self, request: HttpRequest) -> str:
        """Back to the tree at this fiche; to the next one to finalise when asked."""
        suivante = self._voisines()[1] or self._voisines()[0]
        if request.POST.get("action") == "finaliser" and request.POST.get("enchainer") and suivante:
            return self.espace.url_fiche(suivante.fiche_id)
        return self.espace.ancre(self.cle)


def _jour(brut: str | None) -> date:
    try:
        return date.fromisoformat(brut or "")
    except ValueError:
        return timezone.localdate()


def _phrase_registre(noms: set[str], niveau: str) -> str:
    champs = ", ".join(f"« {libelle(CHAMPS[n], niveau)} »" for n in CHAMPS if n in noms)
    return (
        f"Une modification directe du répertoire a changé {champs} pendant que vous remplissiez la fiche. Comparez les "
        "deux versions et gardez la bonne."
    )
