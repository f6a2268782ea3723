"""Many tasks at once: what would be done, asking for it, following it, its report."""

from typing import Any, cast
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Introuvable, Invalide
from backoffice.socle.mots import nombre, pluriel
from backoffice.socle.vues import VueProtegee, entier

from .. import boite, tasks, traitements
from ..domaine import lots
from ..enums import ActionLot, ResultatLigne
from .suite import adresse_de_la_liste, liste_de, suite_de

SIGNES: dict[str, str] = {
    ResultatLigne.A_FAIRE: "a-faire",
    ResultatLigne.FAIT: "faite",
    ResultatLigne.REFUSE: "refuse",
    ResultatLigne.ERREUR: "echec",
}
TAILLE_PAGE = 25


def _choisies(request: HttpRequest, user: User) -> list[int]:
    """The tasks that are ticked, or the first of the whole filtered list (« toutes »); refuses too many."""
    suite = suite_de(request)
    if request.POST.get("toutes"):
        liste = liste_de(user, suite)
        premieres = boite.premieres(liste.taches, tri=liste.tri, combien=lots.MAXIMUM + 1)
        if len(premieres) > lots.MAXIMUM:
            messages.info(
                request,
                f"La liste est plus longue : seules ses {lots.MAXIMUM} premières tâches sont retenues.",
            )
        return premieres[: lots.MAXIMUM]
    cles = {cle for brut in request.POST.getlist("tache") if (cle := entier(brut))}
    if len(cles) > lots.MAXIMUM:
        raise Invalide("trop", f"Choisissez {lots.MAXIMUM} tâches au plus : vous en avez choisi {nombre(len(cles))}.")
    return sorted(cles)


def _action(request: HttpRequest) -> ActionLot:
    try:
        return ActionLot(request.POST.get("action", ""))
    except ValueError:
        raise Invalide("action", "Choisissez ce qu’il faut faire de ces tâches.") from None


def _destinataire(request: HttpRequest, parmi: list[User]) -> User | None:
    voulu = entier(request.POST.get("a"))
    return next((p for p in parmi if p.pk == voulu), None)


class Apercu(VueProtegee):
    """What will be done, and what can't; nothing is written. A reloaded address comes back to the list."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return redirect("taches")

    def post(self, request: HttpRequest) -> HttpResponse:
        user, action, suite = cast(User, request.user), _action(request), suite_de(request)
        retour = adresse_de_la_liste(suite)
        numeros = _choisies(request, user)
        if not numeros:
            messages.warning(request, "Cochez au moins une tâche, puis choisissez ce qu’il faut en faire.")
            return redirect(retour)
        lignes = traitements.apercu(user, action, numeros)
        collegues = a = None
        if action == ActionLot.ATTRIBUER:
            collegues = traitements.collegues(user, [ligne.tache for ligne in lignes if not ligne.raison])
            a = _destinataire(request, collegues)
            if a:
                lignes = traitements.apercu(user, action, numeros, a)
        possibles = [ligne for ligne in lignes if not ligne.raison]
        contexte = {
            "action": action,
            "titre": _titre(action, len(possibles), a),
            "confirmer": _titre(action, len(possibles), a),
            "possibles": possibles,
            "ecartees": [ligne for ligne in lignes if ligne.raison],
            "collegues": collegues,
            "a": a,
            "pret": bool(possibles) and (action != ActionLot.ATTRIBUER or a is not None),
            "jeton": uuid4(),
            "suite": suite,
            "retour": retour,
        }
        return render(request, "workflows/taches/traitement_apercu.html", contexte)


def _titre(action: str, combien: int, a: User | None = None) -> str:
    """« Attribuer 3 tâches à Sophie Renard »."""
    objets = f"{nombre(combien)} tâche{pluriel(combien)}"
    match ActionLot(action):
        case ActionLot.PRENDRE:
            return f"Prendre {objets}"
        case ActionLot.ATTRIBUER:
            return f"Attribuer {objets}" + (f" à {a}" if a else "")
        case ActionLot.APPROUVER:
            return f"Approuver ou valider {nombre(combien)} dossier{pluriel(combien)}"


class Traitements(VueProtegee):
    """« Mes traitements »: one's own, the last first; POST asks for one more."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        siens = traitements.lots_de(cast(User, request.user))
        avant = entier(request.GET.get("apres"))
        lus = list((siens.filter(pk__lt=avant) if avant else siens)[: TAILLE_PAGE + 1])
        contexte = {
            "lots": [resume(lot) for lot in lus[:TAILLE_PAGE]],
            "suivant": f"?apres={lus[TAILLE_PAGE - 1].pk}" if len(lus) > TAILLE_PAGE else "",
            "debut": reverse("traitements") if avant else "",
        }
        return render(request, "workflows/taches/traitements.html", contexte)

    def post(self, request: HttpRequest) -> HttpResponse:
        user, action = cast(User, request.user), _action(request)
        try:
            jeton = UUID(request.POST.get("jeton", ""))
        except ValueError:
            raise Invalide("jeton", "Cette page n’est plus à jour : recommencez depuis la liste des tâches.") from None
        choisies = [
            (cle, vu)
            for numero, _, vu in (brut.partition(":") for brut in request.POST.getlist("ligne")[: lots.MAXIMUM + 1])
            if (cle := entier(numero))
        ]
        a = None
        if action == ActionLot.ATTRIBUER:
            a = User.objects.filter(pk=entier(request.POST.get("a")) or 0).first()
        lot = lots.lancer(acteur=user, action=action, jeton=jeton, choisies=choisies, a=a)
        tasks.reveiller(lot.pk)
        return redirect("traitement", numero=lot.pk)


def resume(lot: Any) -> dict[str, Any]:
    """What a lot of ``traitements.lots_de`` shows in a list and at the head of its page."""
    faites = lot.faits + lot.refuses + lot.erreurs
    comptes = [
        (SIGNES[resultat], f"{nombre(n)} {mot}{pluriel(n)}")
        for resultat, n, mot in (
            (ResultatLigne.FAIT, lot.faits, "faite"),
            (ResultatLigne.REFUSE, lot.refuses, "refusée"),
            (ResultatLigne.ERREUR, lot.erreurs, "erreur"),
        )
        if n
    ]
    return {
        "lot": lot,
        "titre": _titre(lot.action, lot.total, lot.destinataire),
        "traitees": faites,
        "comptes": comptes,
        "fini": lot.termine_le is not None,
    }


class VueTraitement(VueProtegee):
    """A page of one of one's lots; those of others are a 404."""

    http_method_names = ["get", "head"]
    lot: Any

    def autoriser(self, request: HttpRequest) -> None:
        lot = traitements.lots_de(cast(User, request.user)).filter(pk=self.kwargs["numero"]).first()
        if lot is None:
            raise Introuvable("lot_inconnu", "Ce traitement n’existe pas, ou ce n’est pas le vôtre.")
        self.lot = lot


class Traitement(VueTraitement):
    """How far it is; once finished, its report. htmx asks for the fragment until then."""

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        lignes = traitements.lignes_de(self.lot) if self.lot.termine_le else []
        contexte = resume(self.lot) | {
            "lignes": [(SIGNES[ligne.resultat], ligne) for ligne in sorted(lignes, key=_refus_d_abord)],
            "a_recommencer": [ligne.tache_id for ligne in lignes if _peut_recommencer(ligne)],
            "url": reverse("traitement", args=[numero]),
        }
        fragment = request.htmx and not request.htmx.boosted  # type: ignore[attr-defined]
        return render(request, f"workflows/taches/{'_traitement' if fragment else 'traitement'}.html", contexte)


def _peut_recommencer(ligne: Any) -> bool:
    return ligne.resultat != ResultatLigne.FAIT and ligne.tache.close_le is None


def _refus_d_abord(ligne: Any) -> tuple[bool, int]:
    return ligne.resultat == ResultatLigne.FAIT, ligne.rang
