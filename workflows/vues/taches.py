"""The inbox, the decision page, and the gestures on a task."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, cast
from urllib.parse import parse_qs

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Introuvable, Invalide
from backoffice.socle.templatetags.ror import date_longue
from backoffice.socle.vues import VueProtegee
from structures.regles import signalements_a_traiter
from structures.requetes import libelles_communes

from .. import changements, parcours, regles, requetes
from ..domaine import decisions
from ..domaine import taches as verbes
from ..enums import BROUILLONS, ETAPES, Etape, EtatDossier, Issue
from ..forms_taches import ONGLETS, PREFIXE_COMMENTAIRE, AffectationForm, DecisionForm, FiltreTaches
from ..models import Decision, Dossier, Tache

INSECABLE = "\u00a0"


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


# -- in words ------------------------------------------------------------------------------------------


def _moment(quand: datetime, mots: str) -> SafeString:
    exact = date_longue(quand, "jour")
    return format_html(
        '<time datetime="{}" title="{}">{}<span class="visually-hidden"> ({})</span></time>',
        timezone.localtime(quand).date().isoformat(), exact, mots, exact,
    )  # fmt: skip


def _jours(quand: datetime, aujourdhui: date) -> int:
    return (timezone.localtime(quand).date() - aujourdhui).days


def echeance_en_mots(quand: datetime, maintenant: datetime | None = None) -> SafeString:
    """« dans 2 jours », « aujourd’hui », « en retard de 3 jours », with the day for screen readers."""
    maintenant = maintenant or timezone.now()
    jours = _jours(quand, timezone.localtime(maintenant).date())
    if quand < maintenant:
        retard = max(1, -jours)
        return _moment(quand, f"en retard de {retard}{INSECABLE}jour{'s' if retard > 1 else ''}")
    return _moment(quand, {0: "aujourd’hui", 1: "demain"}.get(jours, f"dans {jours}{INSECABLE}jours"))


def age_en_mots(quand: datetime) -> SafeString:
    """« ouverte aujourd’hui », « ouverte depuis 12 jours »."""
    jours = -_jours(quand, timezone.localdate())
    mots = {0: "ouverte aujourd’hui", 1: "ouverte depuis hier"}.get(jours, f"ouverte depuis {jours}{INSECABLE}jours")
    return _moment(quand, mots)


# -- the inbox -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ligne:
    """One row of the inbox; the template decides nothing."""

    tache: Any
    url: str
    etablissement: str
    commune: str
    changements: list[tuple[str, str]]
    a_moi: bool

    @property
    def etape(self) -> Etape:
        return ETAPES[self.tache.noeud]

    @property
    def ouverte(self) -> bool:
        return self.tache.close_le is None

    @property
    def echeance(self) -> SafeString:
        return echeance_en_mots(self.tache.echeance)

    @property
    def age(self) -> SafeString:
        return age_en_mots(self.tache.creee_le)

    @property
    def peut_prendre(self) -> bool:
        return self.ouverte and self.etape.reservable and self.tache.tache.owner_id is None

    @property
    def peut_rendre(self) -> bool:
        return self.ouverte and self.a_moi

    @property
    def en_equipe(self) -> bool:
        return self.ouverte and not self.etape.reservable

    @property
    def envoye(self) -> bool:
        """Sent, and not a draft or one that came back: the row names the sender, else the author."""
        return self.tache.dossier.envoye_le is not None and self.tache.dossier.etat not in BROUILLONS

    @property
    def signe(self) -> str:
        return signe_de(self.tache.issue)


_SIGNES: dict[str, str] = {
    Issue.RENVOYE: "renvoye",
    Issue.REFUSE: "refuse",
    Issue.RETIRE: "retire",
    Issue.ABANDONNE: "abandonne",
    Issue.ANNULE: "retire",
}


def signe_de(issue: str) -> str:
    """The sign (socle.etats) of how a task ended."""
    return _SIGNES.get(issue, "faite")


def lignes(taches: list[Any], user: User, requete: str = "") -> list[Ligne]:
    """Rows for tasks of ``requetes.page_taches``: two statements for any number."""
    suite = f"?{requete}" if requete else ""
    natures = requetes.natures([t.dossier_id for t in taches]) if taches else {}
    communes = libelles_communes(t.commune_eg for t in taches if t.commune_eg)
    return [
        Ligne(
            t,
            reverse("tache", args=[t.pk]) + suite,
            t.nom_eg or t.eg.identifiant,
            communes.get(t.commune_eg or "", ""),
            [(n, changements.compte_en_mots(n, c)) for n, c in sorted(natures.get(t.dossier_id, {}).items())],
            t.tache.owner_id == user.pk,
        )
        for t in taches
    ]


class Taches(VueProtegee):
    """« Tâches »: four tabs, filters in the address, pages by key."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        user = _user(request)
        filtre = FiltreTaches(request.GET, roles=regles.portees(user))
        listes = requetes.onglets(user)
        nombres = requetes.compter({**listes, "signalements": signalements_a_traiter(user)})
        taches = requetes.filtrer(listes[filtre.liste], **filtre.criteres)
        choix = filtre.choix
        page = requetes.page_taches(taches, tri=filtre.ordre, apres=choix.get("apres"), avant=choix.get("avant"))
        contexte = {
            "filtre": filtre,
            "onglet": filtre.liste,
            "titre_onglet": ONGLETS[filtre.liste],
            "onglets": [
                {
                    "libelle": libelle,
                    "url": f"?onglet={nom}",
                    "nombre": _plafonne(nombres[nom]),
                    "actif": nom == filtre.liste,
                }
                for nom, libelle in ONGLETS.items()
            ]
            + [
                {
                    "libelle": "Signalements",
                    "url": reverse("signalements"),
                    "nombre": _plafonne(nombres["signalements"]),
                    "actif": False,
                }
            ],
            "page": page,
            "lignes": lignes(page.taches, user, filtre.requete()),
            "precedent": f"?{filtre.requete(avant=page.precedent)}" if page.precedent else "",
            "suivant": f"?{filtre.requete(apres=page.suivant)}" if page.suivant else "",
            "ici": filtre.requete(apres=choix.get("apres"), avant=choix.get("avant")),
        }
        fragment = request.htmx and not request.htmx.boosted  # type: ignore[attr-defined]
        reponse = render(
            request, "workflows/taches/_file.html" if fragment else "workflows/taches/liste.html", contexte
        )
        patch_vary_headers(reponse, ["HX-Request"])
        return reponse


def _plafonne(nombre: int) -> int | str:
    return nombre if nombre <= requetes.PLAFOND else f"1{chr(0x202F)}000+"


# -- one task ------------------------------------------------------------------------------------------


def tache_visible(user: User, numero: int) -> Any:
    """A task of a dossier that the person may see, with all that its page shows; else ``Introuvable``."""
    taches = requetes.detaillees(Tache.objects.filter(dossier__in=regles.dossiers_visibles(user)))
    tache = taches.select_related("dossier__eg").filter(pk=numero).first()
    if tache is None:
        raise Introuvable("tache_inconnue", "Cette tâche n’existe pas, ou ne vous est pas ouverte.")
    return tache


@dataclass(frozen=True, slots=True)
class Situation:
    """What this person may do on this task now, and why not when she may not."""

    peut_decider: bool
    peut_prendre: bool
    peut_rendre: bool
    raison: str


def situation(user: User, tache: Any) -> Situation:
    """The same questions as ``domaine.taches.autoriser``, asked before drawing the buttons."""
    if tache.close_le is not None:
        return Situation(False, False, False, "")
    etape, proprietaire = ETAPES[tache.noeud], tache.tache.owner
    if not regles.peut_faire(user, tache):
        sienne = Tache.objects.filter(regles.perimetre(user), pk=tache.pk)
        if etape.neutre and tache.dossier.envoye_par_id == user.pk and sienne.exists():
            return Situation(False, False, False, "Vous avez envoyé ce dossier : une autre personne doit l’approuver.")
        qui = parcours.qui_agit([tache])
        return Situation(False, False, False, f"Cette tâche revient à : {qui}. Vous pouvez la consulter.")
    if proprietaire is None or proprietaire.pk == user.pk:
        return Situation(True, etape.reservable and proprietaire is None, proprietaire is not None, "")
    if proprietaire.is_active and regles.peut_faire(proprietaire, tache):
        depuis = f" le {date_longue(tache.tache.assigned, 'heure')}" if tache.tache.assigned else ""
        raison = f"{proprietaire} a pris cette tâche{depuis}. Demandez-lui de la rendre si vous devez vous en charger."
        return Situation(False, False, False, raison)
    return Situation(True, True, False, f"{proprietaire} avait pris cette tâche et ne peut plus la faire.")


@dataclass(frozen=True, slots=True)
class Bouton:
    """The favourable decision of a step: its button and where it posts."""

    libelle: str
    nom_url: str


_FAVORABLES = {
    "validation_direction": Bouton("Valider le dossier", "tache_valider"),
    "approbation_sesan": Bouton("Approuver", "tache_approuver"),
    "approbation_tutelle": Bouton("Approuver", "tache_approuver"),
    "affectation_tutelle": Bouton("Affecter", "tache_affecter"),
}
_RENVOYABLES = {"validation_direction", "approbation_sesan", "approbation_tutelle"}
_REFUSABLES = {"approbation_sesan", "approbation_tutelle"}
_VERBES_TITRE = {
    "redaction": "Compléter les fiches de",
    "envoi": "Envoyer en validation",
    "validation_direction": "Valider",
    "affectation_tutelle": "Choisir la tutelle de",
    "approbation_tutelle": "Approuver",
    "approbation_sesan": "Approuver",
}


@dataclass(frozen=True, slots=True)
class AutreTutelle:
    """What another authority did of the joint approval; ``attendue``: nothing yet."""

    nom: str
    phrase: str
    icone: str
    attendue: bool = False


def autres_tutelles(soeurs: Iterable[Tache]) -> list[AutreTutelle]:
    """In words, tasks of ``requetes.tutelles_soeurs``."""
    return [_autre(soeur) for soeur in soeurs]


_A_FAIT = {
    Issue.APPROUVE: ("a approuvé", "coche"),
    Issue.RENVOYE: ("a renvoyé le dossier pour correction", "renvoi"),
    Issue.REFUSE: ("a refusé le dossier", "refus"),
}


def _autre(soeur: Tache) -> AutreTutelle:
    nom = soeur.autorite.nom if soeur.autorite else ""
    if soeur.close_le is None:
        qui = f" ; {soeur.tache.owner} s’en charge" if soeur.tache.owner else ""
        return AutreTutelle(nom, f"n’a pas encore décidé{qui}", "horloge", attendue=True)
    if Issue(soeur.issue) not in _A_FAIT:
        return AutreTutelle(nom, "n’a plus à se prononcer", "moins")
    verbe, icone = _A_FAIT[Issue(soeur.issue)]
    par = f" ({soeur.close_par})" if soeur.close_par else ""
    return AutreTutelle(nom, f"{verbe} le {date_longue(soeur.close_le)}{par}", icone)


def ce_qui_suit(tache: Tache, autres: list[AutreTutelle]) -> list[str]:
    """Sentences for the person who decides: who acts after her, and what her decision changes."""
    publie = (
        "Votre approbation est la dernière : elle publie le dossier, dont les changements paraissent au répertoire."
    )
    match tache.noeud:
        case "validation_direction":
            return [
                "Votre validation porte sur exactement ces changements : le dossier est verrouillé depuis son envoi.",
                "Ensuite, SESAN donne l’approbation finale, qui publie le dossier.",
            ]
        case "approbation_tutelle" if attendues := [a.nom for a in autres if a.attendue]:
            return [
                f"Approbation conjointe : {' et '.join(attendues)} doit aussi approuver.",
                "Le dossier est publié quand toutes les tutelles l’ont approuvé. Un renvoi ou un refus de l’une met "
                "fin à la tâche de l’autre.",
            ]
        case "affectation_tutelle":
            return [
                "Aucune règle ne désigne l’autorité de cet établissement : ni réglage, ni autorité de régulation "
                "FINESS, ni mode de tarification, ni catégorie.",
                "Chaque autorité cochée reçoit une tâche d’approbation et un courriel ; la dernière approbation publie "
                "le dossier.",
            ]
        case "redaction":
            return ["Chaque fiche touchée doit être finalisée ; le dossier peut alors être envoyé en validation."]
        case "envoi":
            return ["Toutes les fiches ont été finalisées : le dossier peut être envoyé en validation."]
    return [publie]


_POUR_LIRE = {
    "redaction": "Les Référents et les Directions de l’établissement complètent les fiches, puis envoient le dossier.",
    "envoi": "Les Référents et les Directions de l’établissement envoient le dossier en validation.",
    "validation_direction": "La Direction de l’établissement valide le dossier ou le renvoie pour correction. SESAN "
    "donne ensuite l’approbation finale.",
    "affectation_tutelle": "Un gestionnaire SESAN désigne l’autorité qui approuvera le dossier.",
    "approbation_tutelle": "La tutelle approuve, renvoie ou refuse le dossier. La dernière approbation le publie.",
    "approbation_sesan": "SESAN approuve, renvoie ou refuse le dossier. Son approbation le publie.",
}


class UneTache(VueProtegee):
    """The page on which somebody decides; read-only for those who may see the dossier but not do the task."""

    http_method_names = ["get", "head"]
    tache: Any

    def autoriser(self, request: HttpRequest) -> None:
        self.tache = tache_visible(_user(request), self.kwargs["numero"])

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        return page_tache(request, self.tache)


def page_tache(
    request: HttpRequest,
    tache: Any,
    *,
    form: DecisionForm | None = None,
    affectation: AffectationForm | None = None,
    erreurs: list[tuple[str, str]] | None = None,
    ouvert: str = "",
) -> HttpResponse:
    """Draw the page; with ``erreurs`` ((id of the control, message) pairs) it is a refusal and keeps what was typed."""
    user, dossier = _user(request), tache.dossier
    ici = situation(user, tache)
    trajet = parcours.parcours_de(dossier)
    ouvertes = list(
        dossier.taches.filter(close_le__isnull=True).select_related("autorite", "tache__owner").order_by("pk")
    )
    liste = changements.changements(dossier, lecteur=user)
    autres = autres_tutelles(requetes.tutelles_soeurs([tache]).get(tache.pk, []))
    favorable = _FAVORABLES.get(tache.noeud) if ici.peut_decider else None
    renvoyable = ici.peut_decider and tache.noeud in _RENVOYABLES
    if affectation is None and favorable and tache.noeud == "affectation_tutelle":
        affectation = AffectationForm()
    form = form or DecisionForm()
    suite = suite_de(request)
    contexte = {
        "tache": tache,
        "dossier": dossier,
        "titre": titre_de(tache, agit=ici.peut_decider),
        "etape": ETAPES[tache.noeud],
        "etablissement": tache.nom_eg or tache.eg.identifiant,
        "commune": libelles_communes([tache.commune_eg]).get(tache.commune_eg, "") if tache.commune_eg else "",
        "echeance": echeance_en_mots(tache.echeance),
        "age": age_en_mots(tache.creee_le),
        "situation": ici,
        "etapes": parcours.etapes_de(dossier, trajet, ouvertes),
        "changements": liste,
        "resume": changements.resume(liste),
        "autres": autres,
        "phrases": ce_qui_suit(tache, autres) if ici.peut_decider else [_POUR_LIRE[tache.noeud]],
        "favorable": favorable,
        "url_favorable": reverse(favorable.nom_url, args=[tache.pk]) if favorable else "",
        "renvoyable": renvoyable,
        "refusable": ici.peut_decider and tache.noeud in _REFUSABLES,
        "affectation": affectation,
        "form": form,
        "erreurs": erreurs or [],
        "ouvert": ouvert,
        "commentable": renvoyable,
        "saisies_commentaires": form.commentaires,
        "suite": suite,
        "retour": f"{reverse('taches')}?{suite}" if suite else reverse("taches"),
        "titre_onglet": ONGLETS.get(QueryDict(suite).get("onglet", ""), "Tâches"),
        "decisions": _decisions_passees(dossier),
        "signe_issue": signe_de(tache.issue),
    }
    return render(request, "workflows/taches/tache.html", contexte, status=422 if erreurs else 200)


def titre_de(tache: Tache, *, agit: bool) -> str:
    """« Valider « … » » for the person who may; « Validation par la Direction : « … » » for a reader."""
    debut = _VERBES_TITRE[tache.noeud] if agit else f"{tache.etape.titre} :"
    return f"{debut} « {tache.dossier.nom} »"


def _decisions_passees(dossier: Dossier) -> list[dict[str, Any]]:
    """Earlier decisions on this dossier, lines of <c-chronologie>, the last first. One statement."""
    prises = Decision.objects.filter(dossier=dossier).select_related("acteur", "autorite").order_by("-pk")
    return [
        {
            "quand": d.le,
            "titre": f"{ETAPES[d.noeud].titre} : {d.get_issue_display().lower()}",
            "qui": f"{d.acteur} ({d.autorite.nom})" if d.autorite else str(d.acteur),
            "texte": d.motif,
            "icone": {Issue.RENVOYE: "renvoi", Issue.REFUSE: "refus"}.get(Issue(d.issue), "coche"),
            "etat": "",
            "url": "",
        }
        for d in prises
    ]


def suite_de(request: HttpRequest) -> str:
    """The list that the person came from (tab, filters, sort), carried by the address then by the forms."""
    if request.method == "POST":
        return _sure(request.POST.get("suite", ""))
    return _sure(request.GET.urlencode())


_PARAMETRES = ("onglet", "q", "etape", "autorite", "tri", "retard", "apres", "avant")


def _sure(requete: str) -> str:
    """Only the parameters of the inbox, so that nothing foreign travels in our links."""
    try:
        lus = parse_qs(requete[:1000], max_num_fields=20)
    except ValueError:  # not an address that one of our pages made
        lus = {}
    propre = QueryDict(mutable=True)
    for nom in _PARAMETRES:
        if nom in lus:
            propre[nom] = lus[nom][0]
    return propre.urlencode()


# -- gestures ------------------------------------------------------------------------------------------


class Geste(VueProtegee):
    """A POST on a task. GET comes back to its page: a reloaded address is never a dead end."""

    http_method_names = ["get", "head", "post"]
    tache: Any

    def autoriser(self, request: HttpRequest) -> None:
        self.tache = tache_visible(_user(request), self.kwargs["numero"])
        etiquettes = {"motif_renvoi": "Motif du renvoi", "motif_refus": "Motif du refus", "autorites": "Autorités"}
        if request.method == "POST" and self.tache.close_le is None:
            verbes.autoriser(self.tache, _user(request))  # before reading the form; the verb asks again under its lock
        request.libelles_saisie = etiquettes | {PREFIXE_COMMENTAIRE.rstrip("-"): "Commentaire sur la fiche"}  # type: ignore[attr-defined]

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        return redirect("tache", numero=numero)

    def ou_revenir(self, request: HttpRequest) -> HttpResponse:
        """To the list when the gesture was made there, else to the page of the task."""
        suite = suite_de(request)
        if request.POST.get("depuis") == "liste":
            return redirect(f"{reverse('taches')}?{suite}")
        return redirect(reverse("tache", args=[self.tache.pk]) + (f"?{suite}" if suite else ""))


class Prendre(Geste):
    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        verbes.prendre(numero=numero, acteur=_user(request))
        lien = reverse("tache", args=[numero])
        phrase = format_html("« {} » est à votre nom. ", self.tache.dossier.nom)
        if request.POST.get("depuis") == "liste":
            phrase = format_html('{}<a href="{}?onglet=mes-taches">Ouvrir la tâche</a>', phrase, lien)
        messages.success(request, phrase)
        return self.ou_revenir(request)


class Rendre(Geste):
    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        verbes.rendre(numero=numero, acteur=_user(request))
        messages.success(request, f"« {self.tache.dossier.nom} » est de nouveau à prendre par toute l’équipe.")
        return self.ou_revenir(request)


class Decider(Geste):
    """A decision: what is typed is kept when it is refused, and the next task of the list opens when it is taken."""

    panneau: ClassVar[str] = ""  # the part of the card that stays open on a refusal
    motif_permis: ClassVar[str] = ""

    def decider(self, form: DecisionForm, acteur: User) -> Dossier:
        raise NotImplementedError

    def fait(self, dossier: Dossier) -> str:
        raise NotImplementedError

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        form = DecisionForm(request.POST)
        erreurs = self._erreurs(form)
        if not erreurs:
            try:
                dossier = self.decider(form, _user(request))
            except Invalide as refus:
                erreurs = self._du_refus(refus, form)
            else:
                return self._ensuite(request, dossier)
        return page_tache(
            request, self.tache, form=form, erreurs=erreurs, ouvert=self.panneau, affectation=self._affectation(request)
        )

    def _affectation(self, request: HttpRequest) -> AffectationForm | None:
        return None

    def _erreurs(self, form: DecisionForm) -> list[tuple[str, str]]:
        """What was typed for another decision is never thrown away without a word."""
        form.is_valid()
        erreurs = [(f"id_{nom}", str(message)) for nom, messages_ in form.errors.items() for message in messages_]
        if self.motif_permis != "motif_renvoi":
            if form.commentaires:
                erreurs.append(
                    (
                        f"id_{PREFIXE_COMMENTAIRE}{next(iter(form.commentaires))}",
                        "Vos commentaires ne sont transmis qu’avec un renvoi pour correction : renvoyez le "
                        "dossier, ou effacez-les.",
                    )
                )
            if form.cleaned_data.get("motif_renvoi"):
                erreurs.append(
                    (
                        "id_motif_renvoi",
                        "Vous avez écrit un motif de renvoi : renvoyez le dossier, ou effacez ce motif.",
                    )
                )
        if self.motif_permis != "motif_refus" and form.cleaned_data.get("motif_refus"):
            erreurs.append(
                ("id_motif_refus", "Vous avez écrit un motif de refus : refusez le dossier, ou effacez ce motif.")
            )
        return erreurs

    def _du_refus(self, refus: Invalide, form: DecisionForm) -> list[tuple[str, str]]:
        if "motif" in refus.champs and self.motif_permis:
            form.errors[self.motif_permis] = form.error_class(refus.champs["motif"], renderer=form.renderer)
            return [(f"id_{self.motif_permis}", message) for message in refus.champs["motif"]]
        return [("", refus.message)]

    def _ensuite(self, request: HttpRequest, dossier: Dossier) -> HttpResponse:
        user, suite = _user(request), suite_de(request)
        filtre = FiltreTaches(QueryDict(suite), roles=regles.portees(user))
        if suite:
            listes = requetes.onglets(user)
            onglet = filtre.liste if filtre.liste != "terminees" else "a-prendre"
            taches = requetes.filtrer(listes[onglet], **filtre.criteres)
        else:  # from the mail's link
            taches = requetes.a_faire(user)
        tri = filtre.ordre if filtre.ordre != "fin" else "echeance"
        prochaine = requetes.suivante(taches, tri=tri, apres=self.tache.pk)
        messages.success(request, self.fait(dossier))
        if prochaine is None:
            return redirect(f"{reverse('taches')}?{suite}" if suite else reverse("taches"))
        messages.info(request, "Tâche suivante : la voici.")
        return redirect(reverse("tache", args=[prochaine.pk]) + (f"?{suite}" if suite else ""))


class Valider(Decider):
    def decider(self, form: DecisionForm, acteur: User) -> Dossier:
        return decisions.valider(tache=self.tache.pk, acteur=acteur)

    def fait(self, dossier: Dossier) -> str:
        return f"Le dossier « {dossier.nom} » est validé. SESAN en est prévenu et donne l’approbation finale."


class Approuver(Decider):
    def decider(self, form: DecisionForm, acteur: User) -> Dossier:
        return decisions.approuver(tache=self.tache.pk, acteur=acteur)

    def fait(self, dossier: Dossier) -> str:
        if dossier.etat == EtatDossier.PUBLIE:
            return f"Le dossier « {dossier.nom} » est approuvé et publié : ses changements paraissent au répertoire."
        return f"Le dossier « {dossier.nom} » est approuvé. Il sera publié quand l’autre tutelle l’aura approuvé aussi."


class Renvoyer(Decider):
    panneau = "renvoyer"
    motif_permis = "motif_renvoi"

    def decider(self, form: DecisionForm, acteur: User) -> Dossier:
        motif = form.cleaned_data["motif_renvoi"]
        return decisions.renvoyer(tache=self.tache.pk, acteur=acteur, motif=motif, commentaires=form.commentaires)

    def fait(self, dossier: Dossier) -> str:
        return f"Le dossier « {dossier.nom} » est renvoyé pour correction. Ses auteurs reçoivent votre motif."


class Refuser(Decider):
    panneau = "refuser"
    motif_permis = "motif_refus"

    def decider(self, form: DecisionForm, acteur: User) -> Dossier:
        return decisions.refuser(tache=self.tache.pk, acteur=acteur, motif=form.cleaned_data["motif_refus"])

    def fait(self, dossier: Dossier) -> str:
        return f"Le dossier « {dossier.nom} » est refusé : rien n’en sera publié. Ses auteurs reçoivent votre motif."


class Affecter(Decider):
    def _affectation(self, request: HttpRequest) -> AffectationForm:
        form = AffectationForm(request.POST)
        form.is_valid()
        return form

    def decider(self, form: DecisionForm, acteur: User) -> Dossier:
        return decisions.affecter(
            tache=self.tache.pk, acteur=acteur, autorites=self.request.POST.getlist("autorites")[:50]
        )

    def _du_refus(self, refus: Invalide, form: DecisionForm) -> list[tuple[str, str]]:
        return [("id_autorites_0", m) for m in refus.champs.get("autorites", [refus.message])]

    def fait(self, dossier: Dossier) -> str:
        quoi = "aux tutelles choisies" if len(dossier.autorites) > 1 else "à la tutelle choisie"
        return f"Le dossier « {dossier.nom} » est confié {quoi} : un courriel l’en prévient."
