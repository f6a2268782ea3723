"""Modification directe: the form of a fiche, its summary and the date d’effet (acceptance D)."""

from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Invalide
from backoffice.socle.mots import date_longue

from .. import regles, requetes
from ..affichage import Affichage
from ..champs import CHAMPS, UNITES, champs_de, est_vide, libelle, manquants
from ..domaine import modifier as modification_directe
from ..domaine.fusion import heurts, sans_heurts
from ..domaine.lecture import Lecture, Passage, deja_saisi, lire, passages_depuis, relire
from ..domaine.patches import Etat, Patch, appliquer, difference, valeur
from ..enums import Niveau
from ..forms import DateEffetForm, FicheDirecteForm
from ..models import Modification
from . import guidage
from .communs import Jour, VueFiche, adresse_fiche, champ_de_l_eg

LEUR, MIENNE = "leur", "mienne"
# Fields of the second page that are not the form's own.
_ETAPES = {"csrfmiddlewaretoken", "etape", "date_effet", "motif", "vu"}


@dataclass(slots=True)
class Saisie:
    """A form that came back: what it was filled from, and what the person changed in it."""

    form: FicheDirecteForm
    base: Etat
    jeton: str
    jour: date
    patch: Patch


@dataclass(slots=True)
class Comparaison:
    """What was typed beside the fiche of now, on the day from which the change applies.

    ``a_regler``: fields that others changed too, ``choix`` what the person keeps there (``LEUR``, ``MIENNE``);
    ``patch``: her change without what she leaves to the others; ``caches``: fields that she may not read.
    """

    base: Etat
    lecture: Lecture
    a_regler: list[str]
    passages: dict[str, Passage]
    patch: Patch
    choix: dict[str, str]
    caches: set[str]

    @property
    def indecis(self) -> list[str]:
        return [nom for nom in self.a_regler if nom not in self.choix]

    @property
    def reprises(self) -> Patch:
        """What others changed elsewhere meanwhile: it stays."""
        autre = difference(self.base, {n: v for n, v in self.lecture.etat.items() if n not in ("existe", "parent")})
        tus = self.caches.union(self.a_regler)
        return {nom: changement for nom, changement in autre.items() if UNITES.get(nom, nom) not in tus}


class ModifierView(VueFiche):
    """Direct change in two steps on one address: the form, then what changes and from when.

    Everything travels in the form: the values typed, and ``jeton`` and ``jour``, which name what it was filled from.
    The second page adds ``vu``, the moment of the fiche that it shows, and where somebody else changed the same thing
    since ``jeton``, ``garder_<champ>``.

    A subclass changes something else of a fiche by the same two pages, through the methods below.
    """

    intitule = "Modifier"  # before the name of the fiche
    miette = "Modifier"
    remplace: Modification | None = None  # a planned change that this one takes the place of

    def jour_montre(self) -> date:
        """The day whose content the form shows."""
        return timezone.localdate()

    def montrer(self, lecture: Lecture) -> Etat:
        """What the fields hold at first."""
        return lecture.etat

    def effet(self, data: Any = None) -> DateEffetForm:
        return DateEffetForm(gestionnaire=self.gestionnaire, data=data)

    def ecrire(self, patch: Patch, date_effet: date, jeton: str, motif: str) -> None:
        modification_directe.modifier(
            fiche=self.fiche,
            acteur=cast(User, self.request.user),
            patch=patch,
            date_effet=date_effet,
            jeton=jeton,
            motif=motif,
        )

    def fait(self, date_effet: date) -> str:
        """Says what was done, and when it shows."""
        return quand_visible(date_effet)

    # -- the form ------------------------------------------------------------------------------------

    def autoriser(self, request: HttpRequest) -> None:
        super().autoriser(request)
        droits = regles.droits_sur(request.user, self.fiche)
        if not droits.modifier:
            raise Interdit(
                "sans_droit", "Vous n’avez pas le droit de modifier cette fiche : vous pouvez seulement la lire."
            )
        self.gestionnaire, self.editeur = droits.gestionnaire, droits.editeur
        self.champs, self.caches = droits.champs_modifiables, droits.champs_caches
        request.libelles_saisie = {c.nom: libelle(c, self.fiche.niveau) for c in self.champs}  # type: ignore[attr-defined]

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        lecture = self._lire()
        modification_directe.refuser_si_reservee(self.fiche)
        form = self._formulaire(lecture.etat, lecture.jour, montre=self.montrer(lecture))
        return self._page(Saisie(form, *lecture, patch={}))

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        self._lire()
        saisie = self._saisie()
        etape = request.POST.get("etape", "")
        if etape == "saisie":  # back from the summary
            return self._page(saisie)
        try:
            modification_directe.refuser_si_reservee(self.fiche)
        except Conflit as refus:
            return self._page(saisie, statut=409, refus=refus.message)
        form = saisie.form
        form.ajouter_erreurs(
            modification_directe.verifier(
                fiche=self.fiche,
                etat=saisie.base,
                patch=saisie.patch,
                date_effet=saisie.jour,
                sans=self.remplace,
            )
        )
        if not saisie.patch and form.is_valid():
            form.add_error(None, "Rien n’a changé : modifiez au moins un champ, ou revenez à la fiche.")
        if not form.is_valid():
            return self._page(saisie, statut=422)
        if etape == "enregistrer":
            return self._enregistrer(saisie)
        comparaison = self._comparer(saisie, saisie.jour)
        return self._resume(saisie, comparaison, self.effet(), statut=409 if comparaison.indecis else 200)

    def _lire(self) -> Lecture:
        lecture = lire(self.fiche, self.jour_montre(), sans=self.remplace)
        if lecture is None:
            raise Conflit("fiche_fermee", "Cette fiche n’est pas ouverte aujourd’hui : elle ne peut pas être modifiée.")
        return lecture

    def _relire(self, jeton: str, jour: date) -> Etat | None:
        return relire(self.fiche, jeton, jour, sans=self.remplace)

    def _saisie(self) -> Saisie:
        post = self.request.POST
        jeton, jour = post.get("jeton", ""), _jour_poste(post.get("jour", ""))
        base = self._relire(jeton, jour)
        if base is None:
            raise Invalide("jeton", "Le formulaire est illisible. Rouvrez la fiche et recommencez.")
        form = self._formulaire(base, jour, post)
        form.is_valid()
        return Saisie(form, base, jeton, jour, form.patch(base))

    def _formulaire(self, etat: Etat, jour: date, data: Any = None, montre: Etat | None = None) -> FicheDirecteForm:
        version = requetes.version_au(self.fiche)
        self.champ_eg = champ_de_l_eg(self.fiche, version, jour) if version else ""
        return FicheDirecteForm(
            niveau=self.fiche.niveau,
            champs=self.champs,
            etat=etat,
            champ_eg=self.champ_eg,
            data=data,
            jour=jour,
            montre=montre,
        )

    def _page(self, saisie: Saisie, *, statut: int = 200, refus: str = "") -> HttpResponse:
        form = saisie.form
        affichage = Affichage([saisie.base], niveau=self.fiche.niveau, jour=saisie.jour, tres_restreint=True)
        etat = {**saisie.base, **form.etat_saisi()} if form.is_bound else form.montre
        contexte = {
            "sections": form.sections(),
            "figes": self._figes(saisie.base, affichage),
            "manques": [
                (form.adresse(c.nom), libelle(c, self.fiche.niveau))
                for c in manquants(self.fiche.niveau, self.champ_eg, etat)
                if c in self.champs and c.nom not in UNITES
            ],
            "refus": refus,
            **guidage.sur_la_fiche(
                self.request.user,
                self.fiche,
                requetes.reservation_de(self.fiche.eg_id),
                editeur=self.editeur,
            ),
        }
        return self._rendre("structures/fiche_modifier.html", saisie, contexte, statut)

    def _figes(self, etat: Etat, affichage: Affichage) -> list[tuple[str, Any]]:
        """What this screen shows and does not change: the official identity, and what belongs to the dossier."""
        return [
            (libelle(c, self.fiche.niveau), affichage.texte(c.nom, etat))
            for c in champs_de(self.fiche.niveau)
            if c not in self.champs and c.nom not in self.caches and not est_vide(c, valeur(etat, c.nom))
        ]

    def _rendre(self, gabarit: str, saisie: Saisie, contexte: dict[str, Any], statut: int) -> HttpResponse:
        commun = {
            "fiche": self.fiche,
            "nom": valeur(saisie.base, "nom") or "(sans nom)",
            "niveau": Niveau(self.fiche.niveau).label,
            "intitule": self.intitule,
            "fil": self.fil(self.fiche, Jour(timezone.localdate()), self.miette),
            "form": saisie.form,
            "jeton": saisie.jeton,
            "jour_lecture": saisie.jour.isoformat(),
            "url_fiche": adresse_fiche(self.fiche.identifiant),
        }
        return render(self.request, gabarit, commun | contexte, status=statut)

    # -- what changes, and from when -----------------------------------------------------------------

    def _comparer(self, saisie: Saisie, jour: date) -> Comparaison:
        """What was typed against what the fiche will hold on ``jour``. A choice made on a value that changed again
        since the page showed it (``vu``) is asked again."""
        lecture = lire(self.fiche, jour, sans=self.remplace) or self._lire()
        base = self._relire(saisie.jeton, lecture.jour) or saisie.base
        a_regler = list(dict.fromkeys(UNITES.get(h.nom, h.nom) for h in heurts(base, lecture.etat, saisie.patch)))
        post = self.request.POST
        vus = self._relire(post.get("vu", ""), lecture.jour) or {}
        choix = {
            nom: post[f"garder_{nom}"]
            for nom in a_regler
            if post.get(f"garder_{nom}") in (LEUR, MIENNE) and valeur(vus, nom) == valeur(lecture.etat, nom)
        }
        cedes = [nom for nom in a_regler if choix.get(nom) != MIENNE]
        patch = sans_heurts(base, lecture.etat, saisie.patch, cedes)
        passages = passages_depuis(self.fiche, saisie.jeton)
        return Comparaison(base, lecture, a_regler, passages, patch, choix, self.caches)

    def _resume(
        self, saisie: Saisie, comparaison: Comparaison, effet: DateEffetForm, *, statut: int = 200
    ) -> HttpResponse:
        base, maintenant = comparaison.base, comparaison.lecture.etat
        saisi, voulu = appliquer(base, saisie.patch), appliquer(maintenant, comparaison.patch)
        affichage = Affichage(
            [base, maintenant, saisi, voulu], niveau=self.fiche.niveau, jour=saisie.jour, tres_restreint=True
        )
        contexte = {
            "lignes": affichage.differences(maintenant, voulu),
            "a_regler": [
                {
                    "nom": nom,
                    "champ": libelle(CHAMPS[nom], self.fiche.niveau),
                    "base": affichage.texte(nom, base),
                    "leur": affichage.texte(nom, maintenant),
                    "mienne": affichage.texte(nom, saisi),
                    "passage": comparaison.passages.get(nom),
                    "choix": comparaison.choix.get(nom, ""),
                }
                for nom in comparaison.a_regler
            ],
            "indecis": len(comparaison.indecis),
            "reprises": affichage.differences(base, maintenant, comparaison.reprises, concis=True),
            "effet": effet,
            "horaires": bool(saisie.form.semaines_nouvelles),
            "vu": comparaison.lecture.jeton,
            "caches": [
                (nom, contenu)
                for nom, contenus in self.request.POST.lists()
                if nom not in _ETAPES and not nom.startswith("garder_")
                for contenu in contenus
            ],
        }
        return self._rendre("structures/fiche_resume.html", saisie, contexte, statut)

    def _enregistrer(self, saisie: Saisie) -> HttpResponse:
        effet = self.effet(self.request.POST)
        if not effet.is_valid():
            return self._resume(saisie, self._comparer(saisie, saisie.jour), effet, statut=422)
        date_effet = effet.cleaned_data["date_effet"]
        if date_effet > timezone.localdate():
            if refus_horaires := saisie.form.attendre(date_effet):
                effet.add_error("date_effet", refus_horaires)
                return self._resume(saisie, self._comparer(saisie, saisie.jour), effet, statut=422)
            saisie.patch = saisie.form.patch(saisie.base)
        comparaison = self._comparer(saisie, date_effet)
        if comparaison.indecis:
            return self._resume(saisie, comparaison, effet, statut=409)
        if not comparaison.patch:
            messages.info(self.request, "Les valeurs du répertoire sont gardées : vous n’avez rien changé.")
            return HttpResponseRedirect(adresse_fiche(self.fiche.identifiant))
        try:
            self.ecrire(comparaison.patch, date_effet, comparaison.lecture.jeton, effet.cleaned_data.get("motif", ""))
        except (Conflit, Invalide) as refus:
            if not self.deja_fait(saisie, comparaison.patch, date_effet):
                return self._refuser(saisie, comparaison, effet, refus)
        for phrase in self._aussi(comparaison):
            messages.info(self.request, phrase)
        return self.enregistree(date_effet)

    def deja_fait(self, saisie: Saisie, patch: Patch, date_effet: date) -> bool:
        """A first click has just done it: the second one is answered as the first."""
        acteur = cast(User, self.request.user)
        return deja_saisi(
            self.fiche, saisie.jeton, acteur=acteur, patch=patch, date_effet=date_effet, remplace=self.remplace
        )

    def enregistree(self, date_effet: date) -> HttpResponse:
        historique = reverse("fiche_historique", args=[self.fiche.identifiant])
        messages.success(
            self.request,
            format_html('{} <a href="{}">Voir ou annuler ce changement</a>', self.fait(date_effet), historique),
        )
        return HttpResponseRedirect(adresse_fiche(self.fiche.identifiant))

    def _refuser(
        self, saisie: Saisie, comparaison: Comparaison, effet: DateEffetForm, refus: Conflit | Invalide
    ) -> HttpResponse:
        if isinstance(refus, Conflit):
            if refus.code == "modifiee_entre_temps":
                comparaison = self._comparer(saisie, effet.cleaned_data["date_effet"])
                return self._resume(saisie, comparaison, effet, statut=409)
            return self._page(saisie, statut=409, refus=refus.message)
        if refus.champs.keys() & effet.fields.keys():
            for nom, phrases in refus.champs.items():
                effet.add_error(nom, list(phrases))
            return self._resume(saisie, comparaison, effet, statut=422)
        saisie.form.ajouter_erreurs(refus.champs or {"": [refus.message]})
        return self._page(saisie, statut=422)

    def _aussi(self, comparaison: Comparaison) -> list[str]:
        """What others changed meanwhile, and that the save kept."""
        par: dict[str, list[str]] = {}
        for nom in comparaison.reprises:
            if nom in comparaison.passages and nom not in UNITES:
                intitule = libelle(CHAMPS[nom], self.fiche.niveau)
                par.setdefault(comparaison.passages[nom].qui, []).append(f"« {intitule} »")
        return [
            f"{qui} a aussi modifié {', '.join(noms)} pendant votre saisie : ces changements sont gardés."
            for qui, noms in par.items()
        ]


def _jour_poste(brut: str) -> date:
    try:
        return date.fromisoformat(brut)
    except ValueError:
        return timezone.localdate()


def quand_visible(date_effet: date) -> str:
    aujourdhui = timezone.localdate()
    if date_effet == aujourdhui:
        return "Les changements sont enregistrés et visibles dès maintenant dans le répertoire."
    if date_effet < aujourdhui:
        return f"Les changements sont enregistrés : ils prennent effet au {date_longue(date_effet)}."
    return (
        f"Les changements sont enregistrés. Ils seront visibles dans le répertoire le {date_longue(date_effet)} ; "
        "d’ici là, ils peuvent être annulés sur cette page."
    )
