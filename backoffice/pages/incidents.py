"""Every incident in one list, whatever it comes from: what, since when, whom it hurts, what to do, « Réessayer »."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import Count, Q, QuerySet
from django.urls import reverse

from backoffice.comptes.models import User
from backoffice.exports.fichiers import Ligne as LigneExportee
from backoffice.socle.erreurs import Conflit, Introuvable
from backoffice.socle.mots import pluriel
from notifications.domaine import reexpedier
from notifications.models import Envoi
from notifications.requetes import envois_en_echec
from structures.enums import Filiere, Role
from structures.livraisons.abonnements import reprendre
from structures.models import Abonnement
from structures.requetes import noms_au
from workflows import boite, supervision
from workflows import requetes as dossiers
from workflows.domaine import incidents as verbes
from workflows.enums import ETAPES, Cercle, ResultatLigne
from workflows.models import Dossier, Lot
from workflows.radar import pourvoir
from workflows.tasks import reveiller

from . import domaine

LIMITE = 50


@dataclass(frozen=True, slots=True)
class Incident:
    """``url``: the page of the thing. ``ailleurs``: (label, address) of the remedy when it is on another page.

    ``reprendre``: what « Réessayer » does, in a sentence; empty when only the remedy helps."""

    genre: str
    cle: int
    quoi: str
    url: str
    precision: str
    depuis: datetime
    gene: str
    remede: str
    reprendre: str = ""
    ailleurs: tuple[str, str] = ("", "")

    @property
    def url_reprendre(self) -> str:
        return reverse("supervision_reessayer", args=[self.genre, self.cle]) if self.reprendre else ""


class Genre(NamedTuple):
    """``liste``: its rows, all of them. ``lire``: the first of them, so many at most, in words. ``verbe``: what tries
    again, given the number that ``cle`` names; ``fait``: what is said then."""

    titre: str
    liste: Callable[[], QuerySet[Any]]
    lire: Callable[[QuerySet[Any], int | None], list[Incident]]
    verbe: Callable[..., Any] | None
    cle: str = "pk"
    fait: str = "C’est fait : l’incident quitte la liste."


def _bloque(tache: Any) -> str:
    return f"{tache.nom_eg or tache.eg.identifiant} : le dossier « {tache.dossier.nom} » n’avance plus."


# -- tasks ---------------------------------------------------------------------------------------------


def _taches(taches: QuerySet[Any], limite: int | None) -> list[Any]:
    return list(boite.detaillees(taches).order_by("creee_le", "pk")[:limite])


def _sans_acteur(taches: QuerySet[Any], limite: int | None) -> list[Incident]:
    return [
        Incident(
            "sans-acteur", t.pk, f"Personne ne peut faire « {t.etape.titre} »", reverse("dossier", args=[t.dossier_id]),
            pourvoi.raison, t.creee_le, _bloque(t),
            "Ouvrez un compte, ou donnez le droit à un compte qui existe : la tâche lui revient aussitôt.",
            ailleurs=("Ouvrir un compte", url_remede(t)),
        )
        for pourvoi in pourvoir(_taches(taches, limite))
        for t in [pourvoi.tache]
    ]  # fmt: skip


def _tenues(taches: QuerySet[Any], limite: int | None) -> list[Incident]:
    return [
        Incident(
            "tenue", t.pk, f"« {t.etape.titre} » est au nom d’une personne qui ne peut plus la faire",
            reverse("dossier", args=[t.dossier_id]), f"Prise par {t.tache.owner}.", t.tache.assigned or t.creee_le,
            _bloque(t), "Remettez la tâche dans la file : ses collègues la verront.",
            "La tâche retourne dans la file commune.",
        )
        for t in _taches(taches, limite)
    ]  # fmt: skip


def url_remede(tache: Any) -> str:
    """The address that opens the missing account."""
    cercle = tache.etape.cercle
    role = {Cercle.TUTELLE: Role.TUTELLE, Cercle.GESTIONNAIRES: Role.GESTIONNAIRE}.get(cercle, Role.DIRECTION)
    champs = {"role": role.value}
    if cercle in (Cercle.EDITEURS, Cercle.DIRECTION):
        champs["finess"] = tache.eg.identifiant[1:]
    elif tache.autorite_id:
        champs["autorite"] = tache.autorite_id
    return f"{reverse('compte_creer')}?{urlencode(champs)}"


# -- publications, mails -------------------------------------------------------------------------------


def _publications(echecs: QuerySet[Any], limite: int | None) -> list[Incident]:
    lus = list(echecs.select_related("dossier").order_by("le", "pk")[:limite])
    noms = noms_au({e.dossier.eg_id for e in lus}) if lus else {}
    return [
        Incident(
            "publication", e.dossier_id, f"La publication de « {e.dossier.nom} » a échoué",
            reverse("dossier", args=[e.dossier_id]), e.details["texte"], e.le,
            f"{noms.get(e.dossier.eg_id, ('', 'L’établissement'))[1]} : rien de ce dossier n’est au répertoire.",
            "Corrigez la cause, ou faites renvoyer le dossier ; puis vérifiez qu’elle passerait.",
            "Elle est essayée sans rien écrire. Si elle passe, ceux qui approuvent sont invités à recommencer.",
        )
        for e in lus
    ]  # fmt: skip


def _circuits(lus: QuerySet[Any], limite: int | None) -> list[Incident]:
    return [
        Incident(
            "circuit", d.pk, f"Le dossier « {d.nom} » ne suit plus le circuit de son établissement",
            reverse("dossier", args=[d.pk]),
            f"Envoyé comme « {Filiere(d.filiere).label} » ; la catégorie d’aujourd’hui dit "
            f"« {Filiere(d.filiere_du_jour).label} ».",
            d.envoye_le, "Ceux qui doivent approuver ne sont peut-être plus les bons.",
            "Le circuit d’un dossier envoyé ne change pas. S’il doit en changer, renvoyez-le pour correction : il "
            "suivra le nouveau à son prochain envoi. Sinon, l’incident se clôt avec le dossier.",
        )
        for d in lus.order_by("envoye_le", "pk")[:limite]
    ]  # fmt: skip


def _courriels(envois: QuerySet[Envoi], limite: int | None) -> list[Incident]:
    lus = envois.defer("corps_texte", "corps_html", "secret").order_by("pk")[:limite]
    return [
        Incident(
            "courriel", e.pk, f"« {e.sujet} » n’est pas parti", reverse("envoi", args=[e.pk]), e.erreur, e.cree_le,
            f"{e.destinataire} ({e.adresse}) n’en sait rien.",
            "Vérifiez l’adresse du compte et le serveur de courriel, puis réessayez.",
            "Le courriel part de nouveau, à l’adresse actuelle de la personne.",
            ailleurs=("Voir le compte", reverse("compte", args=[e.destinataire_id])),
        )
        for e in lus
    ]  # fmt: skip


def _reexpedier(*, numero: int, acteur: User) -> None:
    envoi = Envoi.objects.filter(pk=numero).first()
    if envoi is None:
        raise Introuvable("incident_inconnu", "Ce courriel n’existe pas.")
    reexpedier(envoi=envoi, acteur=acteur)


# -- webhooks ------------------------------------------------------------------------------------------


def _abonnements(abonnements: QuerySet[Abonnement], limite: int | None) -> list[Incident]:
    return [
        Incident(
            "abonnement", a.pk, f"{a.consommateur} ne reçoit plus les annonces de changements",
            reverse("abonnement", args=[a.consommateur_id, a.pk]), a.motif, a.suspendu_le or a.cree_le,
            f"{a.consommateur} n’apprend plus ce qui change au répertoire.",
            "Prévenez le consommateur ; quand son adresse répond de nouveau, reprenez l’abonnement.",
            "L’abonnement est repris : tout ce qui a changé depuis part, dans l’ordre.",
        )
        for a in abonnements.select_related("consommateur").order_by("suspendu_le", "pk")[:limite]
    ]  # fmt: skip


# -- lots ----------------------------------------------------------------------------------------------


def _en_souffrance() -> QuerySet[Lot]:
    return Lot.objects.en_souffrance(timedelta(minutes=10))


def _lots(lots: QuerySet[Lot], limite: int | None) -> list[Incident]:
    lus = lots.select_related("auteur").annotate(
        attendent=Count("lignes", filter=Q(lignes__resultat=ResultatLigne.A_FAIRE))
    )
    return [
        Incident(
            "lot", lot.pk, f"Le traitement « {lot.get_action_display()} » est arrêté", "",
            f"{lot.attendent} tâche{pluriel(lot.attendent)} à traiter.", lot.cree_le,
            f"{lot.auteur} attend la fin de ce traitement.",
            "Vérifiez qu’un worker Celery tourne ; ou relancez le traitement.",
            "Le traitement reprend là où il s’est arrêté : aucune tâche n’est traitée deux fois.",
        )
        for lot in lus.order_by("cree_le", "pk")[:limite]
    ]  # fmt: skip


def _reprendre_lot(*, numero: int, acteur: User) -> None:
    """Its lines are worked one by one under their lock: asked twice, it goes no further than once."""
    domaine.exiger_gestionnaire(acteur)
    if not _en_souffrance().filter(pk=numero).exists():
        raise Conflit("lot_repris", "Ce traitement est terminé, ou avance de nouveau : il n’y a rien à faire.")
    reveiller(numero)


# -- the flow ------------------------------------------------------------------------------------------


def _du_flux(tasks: QuerySet[Any], limite: int | None) -> Iterator[tuple[Any, Any, str]]:
    """(task, its dossier, the title of the step that it is about)."""
    lues = list(tasks[:limite])
    du_processus = {d.processus_id: d for d in Dossier.objects.filter(processus__in={t.process_id for t in lues})}
    for task in lues:
        noeud = task.flow_task
        hote = str(noeud.name if noeud else "").partition("__")[0]
        titre = ETAPES[hote].titre if hote in ETAPES else str(noeud.task_title if noeud else "étape disparue")
        yield task, du_processus.get(task.process_id), titre


def _minuteries(tasks: QuerySet[Any], limite: int | None) -> list[Incident]:
    return [
        Incident(
            "minuterie", t.pk, f"Une minuterie de « {etape} » ne s’est pas déclenchée",
            reverse("dossier", args=[d.pk]) if d else "", "Les minuteries sont déclenchées chaque minute.", t.scheduled,
            f"Les personnes attendues sur « {d} » n’ont pas été relancées.",
            "Vérifiez que Celery beat et un worker tournent ; ou déclenchez-la à la main.",
            "La minuterie est déclenchée maintenant : rappel ou signalement du retard par courriel.",
        )
        for t, d, etape in _du_flux(tasks, limite)
    ]  # fmt: skip


def _etapes(tasks: QuerySet[Any], limite: int | None) -> list[Incident]:
    return [
        Incident(
            "etape", t.pk, f"L’étape « {etape} » est en erreur", reverse("dossier", args=[d.pk]) if d else "",
            (t.data or {}).get("_exception", {}).get("title", "")[:300], t.finished or t.created,
            f"Le dossier « {d} » ne fait pas ce qu’il devait faire à cette étape.",
            "Relancez-la ; si elle échoue encore, transmettez le message au support.",
            "L’étape est refaite maintenant ; elle est classée si la tâche qu’elle accompagne est déjà traitée.",
        )
        for t, d, etape in _du_flux(tasks, limite)
    ]  # fmt: skip


GENRES: dict[str, Genre] = {
    "publication": Genre(
        "Publications échouées",
        supervision.publications_echouees,
        _publications,
        verbes.reessayer_publication,
        "dossier",
    ),
    "sans-acteur": Genre("Tâches que personne ne peut faire", dossiers.sans_acteur, _sans_acteur, None),
    "tenue": Genre(
        "Tâches tenues par des absents", supervision.tenues_par_des_absents, _tenues, verbes.remettre_en_file
    ),
    "circuit": Genre("Circuits qui ont changé", supervision.circuits_perimes, _circuits, None),
    "courriel": Genre("Courriels non partis", envois_en_echec, _courriels, _reexpedier),
    "abonnement": Genre(
        "Abonnements suspendus d’office", Abonnement.objects.suspendus_d_office, _abonnements, reprendre
    ),
    "lot": Genre(
        "Traitements arrêtés",
        _en_souffrance,
        _lots,
        _reprendre_lot,
        fait="La reprise est demandée : le traitement quitte la liste dès qu’il avance.",
    ),
    "minuterie": Genre("Minuteries non déclenchées", dossiers.minuteries_en_retard, _minuteries, verbes.declencher),
    "etape": Genre("Étapes du flux en erreur", dossiers.etapes_en_erreur, _etapes, verbes.relancer),
}


def compter() -> dict[str, int]:
    """How many of each kind; more than ``dossiers.PLAFOND`` is said « 1 000+ ». One statement."""
    return dossiers.compter({nom: genre.liste() for nom, genre in GENRES.items()})


def lire(nombres: dict[str, int], genre: str = "", limite: int | None = LIMITE) -> list[Incident]:
    """The oldest first: at most ``limite`` of each kind (None: all). Kinds that the counts say empty are not read."""
    choisis: Iterable[str] = [genre] if genre in GENRES else GENRES
    lus = [i for nom in choisis if nombres[nom] for i in GENRES[nom].lire(GENRES[nom].liste(), limite)]
    return sorted(lus, key=lambda i: i.depuis)


def trouver(genre: str, numero: int) -> Incident:
    """One that can be tried again."""
    choisi = GENRES.get(genre)
    lus = choisi.lire(choisi.liste().filter(**{choisi.cle: numero}), 1) if choisi and choisi.verbe else []
    if not lus:
        raise Introuvable("incident_clos", "Cet incident n’est plus dans la liste : il a été repris, ou s’est réglé.")
    return lus[0]


def reessayer(genre: str, numero: int, acteur: User) -> str:
    """« Réessayer »; says what was done. Refuses what is no longer an incident, and says who dealt with it."""
    verbe = GENRES[genre].verbe if genre in GENRES else None
    if verbe is None:
        raise Introuvable("incident_inconnu", "Cet incident n’existe pas.")
    verbe(numero=numero, acteur=acteur)
    return GENRES[genre].fait


def cellules(lus: list[Incident]) -> Iterator[LigneExportee]:
    yield ("Genre", "Incident", "Précision", "Depuis", "Qui en souffre", "Que faire")
    for i in lus:
        yield (GENRES[i.genre].titre, i.quoi, i.precision, i.depuis.isoformat(timespec="minutes"), i.gene, i.remede)
