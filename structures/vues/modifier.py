"""Modification directe: the form of a fiche, its summary and the date d’effet (acceptance D)."""

from datetime import date
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, ErreurMetier, Interdit, Invalide
from backoffice.socle.templatetags.ror import date_longue

from .. import regles, requetes
from ..affichage import Affichage
from ..champs import Champ, Qui, champs_de, est_exige, est_vide, libelle
from ..domaine import modifier as modification_directe
from ..domaine.patches import Etat, Patch, appliquer, difference, valeur
from ..enums import Niveau
from ..forms import DateEffetForm, FicheForm
from ..models import FicheReservee
from .communs import Jour, VueFiche, adresse, adresse_fiche, bandeau_dossier, champ_de_l_eg


class ModifierView(VueFiche):
    """Direct change in two steps on one address: the form, then what changes and from when.

    Everything travels in the form: the values typed, and the ``jeton`` that names what it was filled from.
    """

    def autoriser(self, request: HttpRequest) -> None:
        super().autoriser(request)
        if not regles.peut_modifier(request.user, self.fiche):
            raise Interdit(
                "sans_droit", "Vous n’avez pas le droit de modifier cette fiche : vous pouvez seulement la lire."
            )
        self.gestionnaire = regles.est_gestionnaire(request.user)
        qui = {Qui.PARTOUT, Qui.GESTIONNAIRE} if self.gestionnaire else {Qui.PARTOUT}
        self.champs: list[Champ] = champs_de(self.fiche.niveau, qui)
        request.libelles_saisie = {c.nom: libelle(c, self.fiche.niveau) for c in self.champs}  # type: ignore[attr-defined]

    def _formulaire(self, etat: Etat, jour: date, data: Any = None, montre: Etat | None = None) -> FicheForm:
        return FicheForm(
            niveau=self.fiche.niveau,
            champs=self.champs,
            etat=etat,
            champ_eg=self.champ_eg,
            data=data,
            jour=jour,
            montre=montre,
        )

    def _lire(self) -> modification_directe.Lecture:
        """The fiche as it is today; refuses one that is closed, or that a sent dossier changes."""
        lecture = modification_directe.lire(self.fiche)
        version = requetes.version_au(self.fiche)
        if lecture is None or version is None:
            raise Conflit("fiche_fermee", "Cette fiche n’est pas ouverte aujourd’hui : elle ne peut pas être modifiée.")
        self.champ_eg = champ_de_l_eg(self.fiche, version, lecture.jour)
        return lecture

    def _page(
        self, request: HttpRequest, form: FicheForm, jeton: str, *, statut: int = 200, **plus: Any
    ) -> HttpResponse:
        affichage = Affichage([form.etat], niveau=self.fiche.niveau, jour=form.jour, tres_restreint=True)
        contexte = {
            "fiche": self.fiche,
            "nom": valeur(form.etat, "nom") or "(sans nom)",
            "niveau": Niveau(self.fiche.niveau).label,
            "fil": self.fil(self.fiche, Jour(timezone.localdate()), "Modifier"),
            "form": form,
            "sections": form.sections(),
            "figes": self._figes(form.etat, affichage),
            "jeton": jeton,
            "jour_lecture": form.jour.isoformat(),
            "bandeau": bandeau_dossier(request.user, requetes.reservation_de(self.fiche.eg_id)),
            "url_fiche": adresse_fiche(self.fiche.identifiant),
            "url_ou_modifier": adresse("ou_modifier"),
            "conflit": None,
            "rouverte": False,
            "ecarts": [],
            "non_repris": [],
        }
        return render(request, "structures/fiche_modifier.html", contexte | plus, status=statut)

    def _figes(self, etat: Etat, affichage: Affichage) -> list[tuple[str, Any]]:
        """What this screen shows and does not change: the official identity, and what belongs to the dossier."""
        modifiables = {c.nom for c in self.champs}
        figes = [
            c
            for c in champs_de(self.fiche.niveau)
            if c.nom not in modifiables and c.section != "gestion" and not est_vide(c, valeur(etat, c.nom))
        ]
        return [(libelle(c, self.fiche.niveau), affichage.texte(c.nom, etat)) for c in figes]

    def get(self, request: HttpRequest, identifiant: str) -> HttpResponse:
        lecture = self._lire()
        reservee = FicheReservee.objects.filter(fiche=self.fiche).select_related("reservation").first()
        if reservee is not None:
            nom = reservee.reservation.nom
            raise Conflit(
                "fiche_reservee",
                f"Le dossier collaboratif « {nom} » change cette fiche et est en cours de validation. Elle pourra être "
                "modifiée quand il sera publié ou rendu à ses auteurs.",
            )
        return self._page(request, self._formulaire(lecture.etat, lecture.jour), lecture.jeton)

    def post(self, request: HttpRequest, identifiant: str) -> HttpResponse:
        lecture = self._lire()
        jeton = request.POST.get("jeton", "")
        jour = _jour_poste(request.POST.get("jour", ""))
        base = requetes.etat_lu(self.fiche, jeton, jour)
        if base is None:
            raise Invalide("jeton", "Le formulaire est illisible. Rouvrez la fiche et recommencez.")
        form = self._formulaire(base, jour, request.POST)
        etape = request.POST.get("etape", "")
        if etape == "saisie":  # back from the summary
            return self._page(request, form, jeton)
        if etape == "rouvrir" and form.is_valid():
            return self._rouvrir(request, lecture, base, form.patch(base))
        patch = form.verifier(base)
        self._refuser_oublis(form, base)
        if not patch and form.is_valid():
            form.add_error(None, "Rien n’a changé : modifiez au moins un champ, ou revenez à la fiche.")
        if not form.is_valid():
            return self._page(request, form, jeton, statut=422)
        if etape != "enregistrer":
            return self._resume(request, form, base, jeton, DateEffetForm(gestionnaire=self.gestionnaire))
        return self._enregistrer(request, form, base, jeton, patch, lecture)

    def _refuser_oublis(self, form: FicheForm, base: Etat) -> None:
        """A published fiche does not lose what it can't be published without."""
        saisi = form.etat_saisi()
        form.ajouter_erreurs(
            {
                c.nom: [
                    f"« {libelle(c, self.fiche.niveau)} » est obligatoire : cette information ne peut pas être vidée."
                ]
                for c in self.champs
                if c.nom in saisi
                and est_exige(c, self.champ_eg)
                and est_vide(c, saisi[c.nom])
                and not est_vide(c, valeur(base, c.nom))
            }
        )

    def _resume(
        self, request: HttpRequest, form: FicheForm, base: Etat, jeton: str, effet: DateEffetForm, statut: int = 200
    ) -> HttpResponse:
        saisi = {**base, **form.etat_saisi()}
        affichage = Affichage([base, saisi], niveau=self.fiche.niveau, jour=form.jour, tres_restreint=True)
        return render(
            request,
            "structures/fiche_resume.html",
            {
                "fiche": self.fiche,
                "nom": valeur(base, "nom") or "(sans nom)",
                "niveau": Niveau(self.fiche.niveau).label,
                "fil": self.fil(self.fiche, Jour(timezone.localdate()), "Modifier"),
                "lignes": affichage.differences(base, saisi),
                "effet": effet,
                "form": form,
                "caches": [
                    (nom, contenu)
                    for nom, contenus in request.POST.lists()
                    if nom not in ("csrfmiddlewaretoken", "etape", "date_effet", "motif")
                    for contenu in contenus
                ],
                "url_fiche": adresse_fiche(self.fiche.identifiant),
            },
            status=statut,
        )

    def _enregistrer(
        self,
        request: HttpRequest,
        form: FicheForm,
        base: Etat,
        jeton: str,
        patch: Patch,
        lecture: modification_directe.Lecture,
    ) -> HttpResponse:
        effet = DateEffetForm(gestionnaire=self.gestionnaire, data=request.POST)
        if not effet.is_valid():
            return self._resume(request, form, base, jeton, effet, statut=422)
        date_effet = effet.cleaned_data["date_effet"]
        try:
            modification_directe.modifier(
                fiche=self.fiche,
                acteur=cast(User, request.user),
                patch=patch,
                date_effet=date_effet,
                jeton=jeton,
                motif=effet.cleaned_data.get("motif", ""),
            )
        except Conflit as refus:
            return self._conflit(request, form, base, jeton, refus, lecture)
        except Invalide as refus:
            if refus.champs.keys() & {"date_effet", "motif"}:
                _reporter(effet, refus)
                return self._resume(request, form, base, jeton, effet, statut=422)
            form.ajouter_erreurs(refus.champs or {"": [refus.message]})
            return self._page(request, form, jeton, statut=422)
        messages.success(request, _quand_visible(date_effet))
        return HttpResponseRedirect(adresse_fiche(self.fiche.identifiant))

    def _conflit(
        self,
        request: HttpRequest,
        form: FicheForm,
        base: Etat,
        jeton: str,
        refus: Conflit,
        lecture: modification_directe.Lecture,
    ) -> HttpResponse:
        """The form again, with all that was typed, and what the fiche holds now where somebody changed it."""
        saisi = form.etat_saisi()
        affichage = Affichage([base, lecture.etat, saisi], niveau=self.fiche.niveau, tres_restreint=True)
        autres = {nom: lecture.etat[nom] for nom in saisi if nom in lecture.etat}
        changes = difference(base, autres)
        ecarts = [
            {
                "champ": ligne["champ"],
                "alors": ligne["avant"],
                "maintenant": ligne["apres"],
                "saisi": affichage.texte(nom, saisi),
            }
            for nom in saisi
            if nom in changes
            for ligne in affichage.differences(base, lecture.etat, [nom])
        ]
        return self._page(
            request,
            form,
            jeton,
            statut=409,
            conflit={"message": refus.message, "rouvrir": refus.code == "modifiee_entre_temps"},
            ecarts=ecarts,
        )

    def _rouvrir(
        self, request: HttpRequest, lecture: modification_directe.Lecture, base: Etat, patch: Patch
    ) -> HttpResponse:
        """The form on the values of now, with what was typed where nobody else changed anything.

        What collides is not taken over: it is listed, to be typed again knowingly.
        """
        autres = difference(base, {nom: valeur(lecture.etat, nom) for nom in patch})
        repris = {
            nom: changement
            for nom, changement in patch.items()
            if nom not in autres or not modification_directe.se_heurtent(nom, changement, autres[nom])
        }
        laisses = {nom: changement for nom, changement in patch.items() if nom not in repris}
        voulu = appliquer(lecture.etat, laisses)
        affichage = Affichage([lecture.etat, voulu], niveau=self.fiche.niveau, tres_restreint=True)
        return self._page(
            request,
            self._formulaire(lecture.etat, lecture.jour, montre=appliquer(lecture.etat, repris)),
            lecture.jeton,
            rouverte=True,
            non_repris=affichage.differences(lecture.etat, voulu, laisses),
        )


def _jour_poste(brut: str) -> date:
    try:
        return date.fromisoformat(brut)
    except ValueError:
        return timezone.localdate()


def _reporter(form: Any, refus: ErreurMetier) -> None:
    for nom, phrases in refus.champs.items():
        form.add_error(nom if nom in form.fields else None, list(phrases))


def _quand_visible(date_effet: date) -> str:
    aujourdhui = timezone.localdate()
    if date_effet == aujourdhui:
        return "Les changements sont enregistrés et visibles dès maintenant dans le répertoire."
    if date_effet < aujourdhui:
        return f"Les changements sont enregistrés : ils prennent effet au {date_longue(date_effet)}."
    return (
        f"Les changements sont enregistrés. Ils seront visibles dans le répertoire le {date_longue(date_effet)} ; "
        "d’ici là, ils peuvent être annulés sur cette page."
    )
