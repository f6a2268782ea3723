"""The page of one task: what is to be decided, who may, what follows, what was decided before."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Introuvable
from backoffice.socle.mots import date_longue
from backoffice.socle.vues import VueProtegee, entier
from structures.requetes import libelles_communes

from .. import boite, parcours, regles, requetes, revue
from ..domaine import approbation_partielle as partielle
from ..domaine import instantane
from ..enums import ETAPES, Issue
from ..forms_taches import ONGLETS, AffectationForm, DecisionForm
from ..models import Decision, Dossier, Tache
from ..revue.synthese import montrer_les_commentes
from .controles import controles_de
from .decisions_prises import decisions_en_mots
from .situation import situation
from .suite import adresse_de_la_liste, liste_de, suite_de
from .taches import age_en_mots, echeance_en_mots, signe_de


def tache_visible(user: User, numero: int) -> Any:
    """A task of a dossier that the person may see, with all that its page shows; else ``Introuvable``."""
    taches = boite.detaillees(Tache.objects.filter(dossier__in=regles.dossiers_visibles(user)))
    tache = taches.select_related("dossier__eg").filter(pk=numero).first()
    if tache is None:
        raise Introuvable("tache_inconnue", "Cette tâche n’existe pas, ou ne vous est pas ouverte.")
    return tache


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
_RELIRE = Bouton("Relire, puis approuver", "tache_approuver_sauf")  # the other authority excepted fiches
_RENVOYABLES = {"validation_direction", "approbation_sesan", "approbation_tutelle"}
ECARTABLES = {"approbation_sesan", "approbation_tutelle"}  # where fiches may be excepted
_REFUSABLES = {"approbation_sesan", "approbation_tutelle"}
_VERBES_TITRE = {
    "redaction": "Finaliser les fiches de",
    "envoi": "Envoyer en validation",
    "validation_direction": "Valider",
    "affectation_tutelle": "Affecter à une tutelle",
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
    return AutreTutelle(nom, f"{verbe} le {date_longue(soeur.close_le)} ({soeur.tache.decision.qui})", icone)


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
                "Aucune règle ne désigne la tutelle de cet établissement : ni réglage, ni autorité de régulation "
                "FINESS, ni mode de tarification, ni catégorie.",
                "Chaque tutelle cochée reçoit une tâche d’approbation et un courriel ; la dernière approbation publie "
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
    "affectation_tutelle": "Un gestionnaire SESAN désigne la tutelle qui approuvera le dossier.",
    "approbation_tutelle": "La tutelle approuve, renvoie ou refuse le dossier. La dernière approbation le publie.",
    "approbation_sesan": "SESAN approuve, renvoie ou refuse le dossier. Son approbation le publie.",
}


_CADUC = "Le contenu du dossier n’est plus celui qui a été envoyé : renvoyez-le pour correction."


class UneTache(VueProtegee):
    """The page on which somebody decides; read-only for those who may see the dossier but not do the task."""

    http_method_names = ["get", "head"]
    tache: Any

    def autoriser(self, request: HttpRequest) -> None:
        self.tache = tache_visible(cast(User, request.user), self.kwargs["numero"])

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
    user, dossier = cast(User, request.user), tache.dossier
    suite = suite_de(request)
    ici = situation(user, tache, suite)
    trajet = parcours.parcours_de(dossier)
    ouvertes = list(
        dossier.taches.filter(close_le__isnull=True).select_related("autorite", "tache__owner").order_by("pk")
    )
    liste = revue.changements(dossier, lecteur=user)
    autres = autres_tutelles(requetes.tutelles_soeurs([tache]).get(tache.pk, []))
    favorable = _FAVORABLES.get(tache.noeud) if ici.peut_decider else None
    renvoyable = ici.peut_decider and tache.noeud in _RENVOYABLES
    if affectation is None and favorable and tache.noeud == "affectation_tutelle":
        affectation = AffectationForm(departement=tache.departement)
    form = form or DecisionForm()
    ecarts = partielle.ecarts_de(dossier) if tache.noeud == "approbation_tutelle" and tache.close_le is None else []
    if ecarts and favorable:
        favorable = _RELIRE
    synthese = revue.resume(liste, url=reverse("dossier_changements", args=[dossier.pk]))
    montrer_les_commentes(synthese, form.commentaires)
    noms = {c.fiche: c.nom for c in liste}
    prises = _decisions_passees(dossier)
    caduc = instantane.ecarts_depuis_l_envoi(dossier) if renvoyable else []
    contexte = {
        "tache": tache,
        "dossier": dossier,
        "titre": titre_de(tache, agit=ici.peut_decider),
        "etape": ETAPES[tache.noeud],
        "etablissement": tache.nom_eg or tache.eg.identifiant,
        "commune": libelles_communes([tache.commune_eg]).get(tache.commune_eg, "") if tache.commune_eg else "",
        "echeance": echeance_en_mots(tache.echeance),
        "age": age_en_mots(tache.creee_le),
        "pour": regles.pour_qui(user, [tache], regles.roles_de(user)).get(tache.pk) if ici.peut_decider else None,
        "situation": ici,
        "etapes": parcours.etapes_de(dossier, trajet, ouvertes),
        "changements": liste,
        "resume": synthese,
        "caduc": caduc,
        "controles": controles_de(dossier, user) if tache.close_le is None else None,
        "autres": autres,
        "phrases": [_CADUC] if caduc else ce_qui_suit(tache, autres) if ici.peut_decider else [_POUR_LIRE[tache.noeud]],
        "favorable": favorable,
        "url_favorable": reverse(favorable.nom_url, args=[tache.pk]) if favorable else "",
        "renvoyable": renvoyable,
        "refusable": ici.peut_decider and tache.noeud in _REFUSABLES,
        "affectation": affectation,
        "form": form,
        "erreurs": erreurs or [],
        "ouvert": ouvert,
        "commentable": renvoyable,
        "ecartable": ici.peut_decider and tache.noeud in ECARTABLES and not caduc and len(liste) > 1,
        "cochees": {entier(brut): True for brut in request.POST.getlist("ecarter")},
        "ecarts": [(e, noms.get(e.fiche, "")) for e in ecarts],
        "saisies_commentaires": form.commentaires,
        "suite": suite,
        "retour": adresse_de_la_liste(suite),
        "voisines": _voisines(user, tache, suite),
        "titre_onglet": ONGLETS.get(QueryDict(suite).get("onglet", ""), "Tâches"),
        "decisions": decisions_en_mots(prises),
        "close_par": next((d.qui for d in prises if d.tache_id == tache.pk), tache.close_par),
        "signe_issue": signe_de(tache.issue),
    }
    return render(request, "workflows/taches/tache.html", contexte, status=422 if erreurs else 200)


def titre_de(tache: Tache, *, agit: bool) -> str:
    """« Valider « … » » for the person who may; « Validation par la Direction : « … » » for a reader."""
    debut = _VERBES_TITRE[tache.noeud] if agit else f"{tache.etape.titre} :"
    return f"{debut} « {tache.dossier.nom} »"


def _decisions_passees(dossier: Dossier) -> list[Decision]:
    """Earlier decisions on this dossier, the last first. One statement."""
    return list(Decision.objects.filter(dossier=dossier).select_related("acteur", "pour", "autorite").order_by("-pk"))


def _voisines(user: User, tache: Any, suite: str) -> list[tuple[str, str, str]]:
    """(word, icon, address) of the tasks before and after this one in the list that she came from."""
    if not suite:
        return []
    liste = liste_de(user, suite)
    avant, apres = boite.voisines(liste.taches, tri=liste.tri, de=tache.pk)
    return [
        (mot, icone, f"{reverse('tache', args=[cle])}?{suite}")
        for mot, icone, cle in (("Précédente", "chevron-gauche", avant), ("Suivante", "chevron-droite", apres))
        if cle
    ]
