"""Saving the form of a fiche in a draft: what was typed, merged with what others changed meanwhile."""

from collections.abc import Collection, Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from backoffice.socle.erreurs import Conflit, Invalide
from backoffice.socle.mots import nombre, pluriel
from structures.affichage import Affichage
from structures.champs import CHAMPS, UNITES, libelle
from structures.domaine.fusion import heurts, sans_heurts
from structures.domaine.lecture import Passage, passages_depuis
from structures.domaine.patches import Etat, Patch, appliquer, difference, valeur
from structures.models import Fiche

from ..domaine import contenu, travaux
from ..domaine.departage import departager
from ..domaine.fusion import etat_de_travail
from ..domaine.qualite.identite import nom_inhabituel
from ..forms import FicheDossierForm
from ..models import FicheTravail
from .arbre import nom_de
from .fiche_formulaire import Vu, VueFormulaire
from .fiche_type import question
from .fiche_versions import LEUR, MIENNE, entre_collegues

FINALISER = ("finaliser", "suivante")
_REDEMANDER = (
    "La version sur laquelle le formulaire avait été ouvert n’est plus lisible : vos réponses n’ont pas été appliquées "
    "et rien n’a été enregistré. Comparez les versions et gardez la bonne."
)


class VueEnregistrement(VueFormulaire):
    """« Enregistrer et mettre en attente », « Enregistrer et finaliser », and what may have to be settled before.

    Everything travels in the form: the values typed; ``revision``, ``jeton`` and ``jour``, which name what they are
    typed over; once versions were compared, the same three for what the form was opened on (``ouvert_…``), the fields
    to settle (``a_regler``) and the answers (``garder_<champ>``); ``regler_<champ>``, what to keep where the register
    and the dossier differ; ``type_vu``, the new type whose question was answered.
    """

    def post(self, request: HttpRequest, numero: int, fiche: int) -> HttpResponse:
        travaux.exiger_brouillon(self.dossier)
        contenu.refuser_supprimee(self.place)
        self.lire_registre()
        vu = Vu.lu(request.POST)
        montre = self.etat_de(vu)
        if vu is None or montre is None:
            raise Invalide("revision", "Le formulaire est illisible. Rouvrez la fiche et recommencez.")
        self.vu = vu
        form = self.formulaire(montre, request.POST)
        valide = form.is_valid()
        if request.POST.get("etape") == "type":  # a type was just chosen in the form
            return render(
                request, "workflows/_question_type.html", {"question": question(form, self.cle), "en_direct": True}
            )
        if request.POST.get("etape") == "saisie":  # communes added without JavaScript: the form as it was typed
            return self._retour(form)
        if not valide:
            return self._retour(form, statut=422)
        if demande := question(form, self.cle):
            return self._retour(form, question=demande, **self._verbe())
        return self._fusionner(form, montre, difference(montre, form.etat_saisi()))

    def _retour(self, form: FicheDossierForm, **plus: Any) -> HttpResponse:
        """The form as it was typed, over what it showed."""
        return self.rendre(self.request, form, vu=self.vu, choix=self._choix(), **plus)

    def _verbe(self) -> dict[str, str]:
        action = self.request.POST.get("action", "")
        mots = {"finaliser": "Enregistrer et finaliser", "suivante": "Enregistrer, finaliser et passer à la suivante"}
        return {"action": action, "continuer": mots.get(action, "Enregistrer et mettre en attente")}

    def _choix(self) -> dict[str, str]:
        """What is to be kept of each field that the register and the dossier both changed."""
        post = self.request.POST
        noms = {UNITES.get(h.nom, h.nom) for h in self.espace.conflits.get(self.cle, ())}
        return {nom: post[f"regler_{nom}"] for nom in CHAMPS if nom in noms and post.get(f"regler_{nom}")}

    # -- what others changed meanwhile ---------------------------------------------------------------

    def _fusionner(self, form: FicheDossierForm, montre: Etat, mien: Patch) -> HttpResponse:
        """Save ``mien``, what was typed over ``montre``, unless a person has to settle something first."""
        post = self.request.POST
        ouvert = Vu.lu(post, "ouvert_")
        demandes = [n for n in post.getlist("a_regler") if n in CHAMPS and {n, f"{n}_unite"} & mien.keys()]
        if demandes:
            avant = self.etat_de(ouvert)
            if avant is None:
                return self._comparer(montre, self.vu, mien, demandes, _REDEMANDER)
            if any(post.get(f"garder_{n}") not in (LEUR, MIENNE) for n in demandes):
                return self._comparer(avant, ouvert, mien, demandes, "Choisissez la valeur à garder.", indecis=True)
            cedes = [n for n in demandes if post[f"garder_{n}"] == LEUR]
            mien = sans_heurts(avant, montre, mien, cedes)
            # Where theirs is what the answers were given over, nothing collides: to take it is to give up all of mine.
            mien = {n: c for n, c in mien.items() if n not in cedes or valeur(avant, n) != valeur(montre, n)}
        registre, choix = self.registre_de(self.vu) or {}, self._choix()
        ouverts = {UNITES.get(h.nom, h.nom) for h in self.espace.conflits.get(self.cle, ())}
        actuel = etat_de_travail(self.travail, self.registre)
        depasses = [
            n
            for n in ouverts & (choix.keys() | mien.keys())
            if valeur(registre, n) != valeur(self.registre, n) or valeur(montre, n) != valeur(actuel, n)
        ]
        heurtes = {UNITES.get(h.nom, h.nom) for h in heurts(registre, self.registre, mien)} - ouverts
        if heurtes or depasses:
            phrase = self._phrase_registre({*heurtes, *depasses})
            return self._comparer(montre, self.vu, mien, heurtes, phrase)
        return self._enregistrer(form, montre, mien, choix)

    def _enregistrer(self, form: FicheDossierForm, montre: Etat, mien: Patch, choix: dict[str, str]) -> HttpResponse:
        return self._sauver(form, montre, mien, choix, finaliser=self.request.POST.get("action") in FINALISER)

    def _sauver(
        self, form: FicheDossierForm, montre: Etat, mien: Patch, choix: dict[str, str], *, finaliser: bool
    ) -> HttpResponse:
        try:
            travail = contenu.enregistrer(
                numero=self.dossier.pk,
                acteur=self.acteur,
                fiche=self.cle,
                saisie=self._voulu(mien, choix),
                revision=self.vu.revision,
                finaliser=finaliser,
                departages=choix,
                registre=self.registre,
            )
        except Conflit as refus:
            if refus.code != "fiche_modifiee" or not refus.champs:
                raise
            self.travail = self.dossier.fiches.select_related("fiche", "modifiee_par").filter(fiche=self.cle).first()
            self.lire_registre()
            noms = {UNITES.get(n, n) for n in refus.champs}
            return self._comparer(montre, self.vu, mien, noms, refus.message)
        except Invalide as refus:
            if refus.code == "rien_a_finaliser":  # as the register has it: saved so, and said, nothing is wrong
                return self._sauver(form, montre, mien, choix, finaliser=False)
            form.ajouter_erreurs(self._en_bref(refus))
            return self._retour(form, statut=422, refus=refus.code)
        self._dire(travail, finaliser=finaliser, change=bool(mien or choix))
        return HttpResponseRedirect(self._suite())

    def _voulu(self, mien: Patch, choix: dict[str, str]) -> Etat:
        """The fields typed, over the register of now and the save that the form shows, once ``choix`` is made."""
        if not mien:
            return {}
        base = appliquer(self.registre, self.patch_de(self.vu) or {})
        if choix and self.travail:
            regle = FicheTravail(fiche=self.travail.fiche, patch=self.travail.patch, base=self.travail.base)
            heurtes = base
            departager(regle, self.registre, choix)
            reglee = etat_de_travail(regle, self.registre)
            base = {**base, **{n: reglee[n] for n in choix if n in reglee}}
            # In a field that was settled for the register, what was typed stays where the register says nothing.
            mien = sans_heurts(heurtes, base, mien, [n for n in choix if n in mien])
        voulu = appliquer(base, mien)
        return {n: voulu[n] for n in mien}

    def _en_bref(self, refus: Invalide) -> dict[str, list[str]]:
        """Messages by field, where its label already is."""
        mots = {n: f"« {libelle(CHAMPS[n], self.place.niveau)} » est " for n in refus.champs if n in CHAMPS}
        return {n: [m.removeprefix(mots.get(n, "")) for m in ms] for n, ms in refus.champs.items()} or {
            "": [refus.message]
        }

    def _phrase_registre(self, noms: set[str]) -> str:
        champs = ", ".join(f"« {libelle(CHAMPS[n], self.place.niveau)} »" for n in CHAMPS if n in noms)
        return (
            f"Le répertoire ou le dossier a changé {champs} pendant que vous remplissiez la fiche. Comparez les "
            "versions et gardez la bonne."
        )

    def _comparer(
        self, avant: Etat, ouvert: Vu | None, mien: Patch, noms: Collection[str], phrase: str, *, indecis: bool = False
    ) -> HttpResponse:
        """409: the form again over what is true now, with what was typed, and the versions side by side.

        What others changed elsewhere is already in it; for each field of ``noms`` the person chooses.
        """
        maintenant = etat_de_travail(self.travail, self.registre)
        saisi = appliquer(maintenant, mien)
        mots = Affichage(
            [avant, maintenant, saisi],
            niveau=self.place.niveau,
            tres_restreint=True,
            champs_caches=self.droits.champs_caches,
        )
        passages = self._passages(ouvert, noms) if ouvert else {}
        choix = {n: self.request.POST.get(f"garder_{n}", "") for n in noms}
        lignes = entre_collegues(
            [n for n in CHAMPS if n in noms], mots, (avant, maintenant, appliquer(avant, mien)), passages, choix,
            indecis=indecis,
        )  # fmt: skip
        autres = [n for n in maintenant if n in CHAMPS and n not in (*noms, "existe", "parent")]
        return self.rendre(
            self.request,
            self.formulaire(maintenant, montre=saisi),
            statut=409,
            choix=self._choix(),
            heurt={
                "phrase": phrase,
                "lignes": lignes,
                "ouvert": ouvert,
                "repris": mots.differences(avant, {**avant, **{n: maintenant[n] for n in autres}}, autres),
            },
        )

    def _passages(self, ouvert: Vu, noms: Iterable[str]) -> dict[str, Passage]:
        """Who changed each of these fields since the form was opened: by a save of the dossier, or in the register."""
        passages: dict[str, Passage] = {}
        if self.travail and self.travail.revision != ouvert.revision:
            passages = dict.fromkeys(noms, Passage(str(self.travail.modifiee_par), self.travail.modifiee_le))
        return passages | (passages_depuis(Fiche(pk=self.cle), ouvert.jeton) if self.place.publie else {})

    # -- saved ---------------------------------------------------------------------------------------

    def _dire(self, travail: FicheTravail | None, *, finaliser: bool, change: bool) -> None:
        request, niveau = self.request, self.place.niveau
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
            absents = self.manques(etat_de_travail(travail, self.registre))
            manque = ", ".join(libelle(c, niveau) for c in absents)
            suite = f" Il manque pour la finaliser : {manque}." if manque else ""
            messages.success(request, f"« {nom} » est enregistrée, en attente.{suite}")
        ouverts = {f"regler_{UNITES.get(h.nom, h.nom)}" for h in self.espace.conflits.get(self.cle, ())}
        for champ in CHAMPS.values():
            if request.POST.get(f"regler_{champ.nom}") and f"regler_{champ.nom}" not in ouverts:
                mot = libelle(champ, niveau)
                messages.info(request, f"Le conflit sur « {mot} » était déjà réglé : votre choix n’a rien changé.")
        if nom_inhabituel(niveau, nom):
            messages.warning(
                request, f"Le nom « {nom} » ne commence pas par « Unité » : vérifiez qu’il suit la règle de nommage."
            )

    def _suite(self) -> str:
        """Back to the tree at this fiche; to the next one to finalise when asked."""
        avant, apres = self.voisines(self.espace.en_attente)
        suivante = apres or avant
        if self.request.POST.get("action") == "suivante" and suivante:
            return self.espace.url_fiche(suivante.fiche_id)
        return self.espace.ancre(self.cle)
