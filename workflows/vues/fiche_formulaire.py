"""The form of a fiche in a draft: what it is filled from, and the page around it."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from backoffice.socle.vues import entier
from structures.affichage import Affichage
from structures.champs import Champ, champs_de, est_vide, libelle, manquants
from structures.domaine.lecture import lire, relire
from structures.domaine.patches import Etat, Patch, appliquer, valeur
from structures.enums import Niveau
from structures.models import Fiche
from structures.regles import Droits, est_gestionnaire

from ..discussions import Discussion
from ..domaine import contenu, travaux
from ..domaine.apercu import NoeudTravail
from ..domaine.departage import reprises
from ..domaine.fusion import base_de
from ..domaine.qualite.identite import nom_inhabituel
from ..forms import FicheDossierForm
from ..models import FicheTravail
from .arbre import actions, chemin, etats, nom_de, provenance
from .espace import VueDossier
from .fiche_versions import entre_repertoire_et_dossier


class Vu(NamedTuple):
    """What a form was filled from: the save of the working copy, and the register (token, day)."""

    revision: int
    jeton: str
    jour: date

    @classmethod
    def lu(cls, post: Mapping[str, Any], prefixe: str = "") -> "Vu | None":
        """As the form sends it back; None when it is unreadable."""
        revision = entier(post.get(f"{prefixe}revision"))
        try:
            jour = date.fromisoformat(post.get(f"{prefixe}jour", ""))
        except ValueError:
            jour = timezone.localdate()
        return None if revision is None else cls(revision, post.get(f"{prefixe}jeton", ""), jour)


class VueFormulaire(VueDossier):
    """The fiche of the address, what the register and the dossier hold of it, its form and the page of the form."""

    def autoriser(self, request: HttpRequest) -> None:
        super().autoriser(request)
        self.cle = self.kwargs["fiche"]
        self.travail: FicheTravail | None = next((t for t in self.espace.travaux if t.fiche_id == self.cle), None)
        if not self.dossier.est_ouvert:
            return
        if request.method == "POST":
            niveau = Fiche.objects.filter(pk=self.cle).values_list("niveau", flat=True).first() or Niveau.UO
            request.libelles_saisie = {c.nom: libelle(c, niveau) for c in champs_de(niveau)}  # type: ignore[attr-defined]
            self.exiger_edition()
        # A fiche that a colleague removed: who and when, and for a form what was typed, to copy.
        self.place = travaux.noeud_de(self.dossier, self.espace.arbre, self.cle)

    @cached_property
    def droits(self) -> Droits:
        """What the person may read and change of the fiche, as in the répertoire."""
        user = self.request.user
        return Droits(user.pk, self.place.niveau, est_gestionnaire(user), self.espace.editeur)

    # -- what the form is filled from ----------------------------------------------------------------

    def lire_registre(self) -> None:
        """The register of today under the fiche, with the token that names it in the form."""
        self.registre: Etat = {}
        self.jeton, self.jour = "", timezone.localdate()
        if self.place.publie:
            lecture = lire(Fiche.objects.get(pk=self.cle))
            if lecture is not None:
                self.registre, self.jeton, self.jour = lecture.etat, lecture.jeton, lecture.jour

    @property
    def discussion(self) -> dict[str, Any]:
        """The comments of the fiche, and what shows those on a field under it."""
        fils = Discussion(self.dossier, self.request.user, self.cle, self.place.niveau)
        return {"discussion": fils, "sous_champ": "workflows/_commentaires_champ.html", "ici": 0, "fait": ""}

    @property
    def maintenant(self) -> Vu:
        return Vu(self.travail.revision if self.travail else 0, self.jeton, self.jour)

    def registre_de(self, vu: Vu) -> Etat | None:
        """The register as the form showed it; None for a token that never was."""
        if not self.place.publie:
            return {}
        return self.registre if vu.jeton == self.jeton else relire(Fiche.objects.get(pk=self.cle), vu.jeton, vu.jour)

    def patch_de(self, vu: Vu) -> Patch | None:
        """The working copy as the form showed it; None for a save that never was."""
        if self.travail is None or not vu.revision:
            return {}
        if vu.revision == self.travail.revision:
            return self.travail.patch
        revision = self.travail.revisions.filter(numero=vu.revision).first()
        return revision.patch if revision else None

    def etat_de(self, vu: Vu | None) -> Etat | None:
        """What the form showed; None when nothing says it."""
        registre, patch = (self.registre_de(vu), self.patch_de(vu)) if vu else (None, None)
        return None if registre is None or patch is None else appliquer(registre, patch)

    def formulaire(self, etat: Etat, data: Any = None, montre: Etat | None = None) -> FicheDossierForm:
        qui = contenu.A_LA_CREATION if self.place.neuve else contenu.MODIFIABLES
        return FicheDossierForm(
            nouvelle=self.place.neuve,
            niveau=self.place.niveau,
            champs=champs_de(self.place.niveau, qui),
            etat=etat,
            champ_eg=self.espace.arbre.champ,
            data=data,
            montre=montre,
        )

    # -- the page ------------------------------------------------------------------------------------

    def rendre(
        self,
        request: HttpRequest,
        form: FicheDossierForm,
        *,
        statut: int = 200,
        vu: Vu | None = None,
        choix: Mapping[str, str] | None = None,
        **plus: Any,
    ) -> HttpResponse:
        """The form. ``vu``: what it shows, when it is not what is true now; ``choix``: answers to the conflicts with
        the register that were not saved."""
        espace, place = self.espace, self.place
        etat = {**form.etat, **form.etat_saisi()} if form.is_bound else form.montre
        avant, apres = self.voisines(espace.en_attente)
        contexte = {
            "form": form,
            "sections": form.sections(),
            "fiche": place,
            "niveau": Niveau(place.niveau).label,
            "nom": nom_de(place),
            "ou": chemin(espace.arbre, espace.arbre.noeuds.get(place.parent_id or 0)),
            "travail": self.travail,
            "etats": etats(espace, place),
            "depuis": provenance(espace, place),
            "actions": actions(espace, place),
            "vu": vu or self.maintenant,
            "manques": [
                (form.adresse(c.nom), libelle(c, place.niveau)) for c in self.manques(etat) if c.nom in form.fields
            ],
            **self.discussion,
            "avertir_nom": nom_inhabituel(place.niveau, str(valeur(etat, "nom"))),
            "precedente": avant,
            "suivante": apres,
            "type_vu": request.POST.get("type_vu", ""),
            "noms_proposes": json.dumps(form.types, ensure_ascii=False),
            "question": None,
            "heurt": None,
            "refus": "",
        }
        titre = f"{'Modifier' if place.publie else 'Compléter'} {nom_de(place)}"
        contexte |= self._du_registre(form, choix or {}) | plus
        return self.panneau(
            request, "workflows/_panneau_fiche.html", contexte, titre=titre, actif=self.cle, statut=statut
        )

    def _du_registre(self, form: FicheDossierForm, choix: Mapping[str, str]) -> dict[str, Any]:
        """What this form does not change, what the register changed too, and what it changed alone."""
        niveau, travail, registre = self.place.niveau, self.travail, self.registre
        heurts = self.espace.conflits.get(self.cle, [])
        alors, repris = reprises(travail, registre) if travail and registre else ({}, {})
        base = base_de(travail, registre) if travail else {}
        cotes = base, registre, appliquer(base, travail.patch if travail else {})
        mots = Affichage(
            [form.etat, alors, *cotes], niveau=niveau, tres_restreint=True, champs_caches=self.droits.champs_caches
        )
        modifiables = {c.nom for c in form.champs}
        return {
            "figes": [
                (libelle(c, niveau), mots.texte(c.nom, form.etat))
                for c in champs_de(niveau)
                if c.nom not in modifiables | self.droits.champs_caches and not est_vide(c, valeur(form.etat, c.nom))
            ],
            "conflits": entre_repertoire_et_dossier(heurts, mots, cotes, choix),
            "reprises": mots.differences(alors, registre, repris) if repris else [],
        }

    def manques(self, etat: Etat) -> list[Champ]:
        """What the fiche lacks to be finalised; a number and its unit are one question."""
        absents = {c.nom: c for c in manquants(self.place.niveau, self.espace.arbre.champ, etat)}
        return [c for n, c in absents.items() if not n.endswith("_unite") or n.removesuffix("_unite") not in absents]

    def voisines(self, parmi: Sequence[NoeudTravail]) -> tuple[NoeudTravail | None, NoeudTravail | None]:
        """Those of these fiches that stand before and after this one in the order of the tree."""
        ordre = {n.fiche_id: i for i, n in enumerate(self.espace.arbre.racine.parcours())}
        ici = ordre.get(self.cle, 0)
        avant = [n for n in parmi if ordre[n.fiche_id] < ici]
        apres = [n for n in parmi if ordre[n.fiche_id] > ici]
        return (avant[-1] if avant else None), (apres[0] if apres else None)
