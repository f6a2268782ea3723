"""The working copies of a draft: what every gesture on its fiches shares, under the lock of ``ouvrir_brouillon``."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.db import connection
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Introuvable
from backoffice.socle.mots import date_longue
from structures.domaine import reserver
from structures.domaine.patches import Patch, appliquer, composer
from structures.models import Fiche, VersionFiche

from ..enums import EtatDossier, EtatFiche, Issue, TypeEvenement
from ..models import Dossier, Evenement, FicheTravail, Geste, Revision, Tache
from ..regles import peut_editer
from .apercu import Apercu, NoeudTravail
from .fusion import etat_de_travail, poser
from .journal import consigner
from .taches import conclure, saisir


def ouvrir_brouillon(numero: int, acteur: User) -> Dossier:
    """Lock a dossier to work on it. 404 when there is none, 403 when the person does not edit its EG, 409 when it is no
    longer a draft."""
    dossier = saisir(numero)
    if not peut_editer(acteur, dossier):
        raise Interdit("sans_droit", "Seuls les Référents et Directions de l’établissement modifient ce dossier.")
    exiger_brouillon(dossier)
    return dossier


def exiger_brouillon(dossier: Dossier) -> None:
    """``Conflit`` when the fiches of the dossier can no longer be changed."""
    if not dossier.est_brouillon:
        raise Conflit(
            "dossier_fige",
            f"Ce dossier n’est plus un brouillon ({dossier.get_etat_display().lower()}) : ses fiches ne peuvent plus "
            "être modifiées. Rechargez la page pour voir où il en est.",
        )


# -- which fiche -------------------------------------------------------------------------------------


def noeud_de(dossier: Dossier, arbre: Apercu, fiche: int) -> NoeudTravail:
    """The fiche in the tree. ``Conflit`` (``fiche_retiree``) when it was there before: who removed it and when."""
    if fiche in arbre.noeuds:
        return arbre.noeuds[fiche]
    cle = str(fiche)
    retrait = _dernier(dossier, annule_le__isnull=True, apres__contains={cle: None})
    defait = _dernier(dossier, annule_le__isnull=False, avant__contains={cle: None})
    if retrait is not None and (defait is None or defait.pk < retrait.pk):
        nom, quand = retrait.avant[cle]["patch"].get("nom", ""), retrait.evenement.le
        raise _retiree(nom, f"{retrait.auteur} l’a supprimée", quand)
    if defait is not None and defait.annule_le is not None:
        raise _retiree("", f"{defait.auteur} a annulé sa création", defait.annule_le)
    derniere = VersionFiche.objects.filter(fiche=fiche, eg=dossier.eg_id).order_by("validite").last()
    if derniere is None:
        raise Introuvable("fiche_inconnue", "Cette fiche ne fait pas partie de l’établissement.")
    raise _retiree(derniere.nom, "elle a été fermée au répertoire", derniere.validite.upper)


def _dernier(dossier: Dossier, **filtre: Any) -> Geste | None:
    return dossier.gestes.filter(**filtre).select_related("auteur", "evenement").order_by("pk").last()


def _retiree(nom: str, comment: str, quand: Any) -> Conflit:
    jour = date_longue(quand, "heure")
    sujet = f"La fiche « {nom} » n’est" if nom else "Cette fiche n’est"
    return Conflit(
        "fiche_retiree",
        f"{sujet} plus dans ce dossier : {comment} le {jour}. Rien n’a été enregistré. Reprenez ce que vous "
        "aviez saisi sur une autre fiche si c’est encore utile.",
    )


# -- one gesture -------------------------------------------------------------------------------------


def poser_patch(
    dossier: Dossier, acteur: User, noeud: NoeudTravail, mien: Patch, repertoire: Mapping[str, Any]
) -> FicheTravail:
    """The working copy of a fiche with ``mien`` laid over it, en attente, not yet written (``accomplir``)."""
    travail = noeud.travail or FicheTravail(dossier=dossier, fiche_id=noeud.fiche_id, modifiee_par=acteur)
    if noeud.publie:
        # What the person typed is measured against the register that she saw, which settles these fields.
        voulu = appliquer(etat_de_travail(travail, repertoire), mien)
        poser(travail, repertoire, {nom: voulu[nom] for nom in mien})
    else:
        travail.patch = composer(travail.patch, mien)
    travail.mettre_en_attente()
    return travail


def accomplir(
    dossier: Dossier,
    acteur: User,
    type_: str,
    travaux: Iterable[FicheTravail],
    *,
    fiche: Fiche | int | None = None,
    confirmer: bool = False,
    **details: Any,
) -> Evenement:
    """Write the working copies that a gesture changed; journal it with what takes it back; let the flow follow.

    ``confirmer``: they are decided again, as they are, with today's knowledge.
    A copy whose patch is empty stands for a fiche that the dossier no longer touches: it goes. The copies written
    together share one number, which no other save ever gets: a form that shows one can't be taken for another. A
    constant number of statements.
    """
    voulus = {t.fiche_id: t for t in travaux}
    avant = {t.fiche_id: photo(t) for t in FicheTravail.objects.filter(dossier=dossier, fiche__in=voulus)}
    changes = {cle: t for cle, t in voulus.items() if confirmer or change(t, avant.get(cle))}
    if changes:
        numero, maintenant = _numero(), timezone.now()
        for travail in changes.values():
            travail.revision, travail.modifiee_par, travail.modifiee_le = numero, acteur, maintenant
        ecrire(changes.values())
    evenement = consigner(dossier, type_, acteur, fiche=fiche, **details)
    if changes:
        Geste.objects.create(
            evenement=evenement, dossier=dossier, auteur=acteur,
            avant={str(cle): avant.get(cle) for cle in changes},
            apres={str(cle): t.revision if t.patch else None for cle, t in changes.items()},
        )  # fmt: skip
    suivre(dossier, acteur)
    return evenement


def photo(travail: FicheTravail) -> dict[str, Any]:
    """A working copy as ``Geste.avant`` keeps it."""
    return {
        "patch": travail.patch, "base": travail.base, "etat": travail.etat,
        "revision": travail.revision, "par": travail.modifiee_par_id, "le": travail.modifiee_le.isoformat(),
    }  # fmt: skip


def change(travail: FicheTravail, avant: Mapping[str, Any] | None) -> bool:
    """Whether a working copy says something else than its ``photo`` before; None: there was none."""
    present = (travail.patch, travail.base, travail.etat) if travail.patch else None
    return present != ((avant["patch"], avant["base"], avant["etat"]) if avant else None)


def _numero() -> int:
    with connection.cursor() as curseur:
        curseur.execute("SELECT nextval(pg_get_serial_sequence('workflows_revision', 'id'))")
        return int(curseur.fetchone()[0])


def ecrire(travaux: Collection[FicheTravail]) -> None:
    """Write working copies with the number, author and time that they carry; those whose patch is empty go."""
    FicheTravail.objects.filter(pk__in=[t.pk for t in travaux if not t.patch]).delete()
    gardes = [t for t in travaux if t.patch]
    FicheTravail.objects.bulk_create(
        gardes, update_conflicts=True, unique_fields=["dossier", "fiche"],
        update_fields=["patch", "base", "etat", "revision", "modifiee_par", "modifiee_le"],
    )  # fmt: skip
    # A gesture taken back brings back the number that it replaced, whose revision may still be there.
    Revision.objects.bulk_create(
        [
            Revision(
                dossier_id=t.dossier_id, fiche_id=t.fiche_id, numero=t.revision, patch=t.patch,
                auteur_id=t.modifiee_par_id, le=t.modifiee_le,
            )
            for t in gardes
        ],
        ignore_conflicts=True,
    )  # fmt: skip


def renvoyer_en_attente(travaux: Collection[FicheTravail]) -> None:
    """Working copies that a return sends back: en attente, under a number of their own, so that no gesture made before
    the return can take it back. They stay signed by who saved them."""
    numero = _numero() if travaux else 0
    for travail in travaux:
        travail.revision = numero
        travail.mettre_en_attente()
    ecrire(travaux)


# -- what a confirmation showed ----------------------------------------------------------------------


def jeton_de(noeuds: Iterable[NoeudTravail]) -> str:
    """Names what a confirmation shows: each fiche and the number of its save, 0 for one that the dossier leaves as it
    is."""
    return ",".join(f"{n.fiche_id}:{n.travail.revision if n.travail else 0}" for n in noeuds)


def refuser_si_depassee(dossier: Dossier, noeuds: Collection[NoeudTravail], jeton: str | None) -> None:
    """``Conflit`` (``confirmation_depassee``) when these are no longer what the confirmation with this token showed:
    which fiches changed, by whom and when. None: no confirmation was shown (commands, tests)."""
    if jeton is None:
        return
    vus, ici = set(jeton.split(",")), {jeton_de([n]): n for n in noeuds}
    if vus == ici.keys():
        return
    cles = {cle.partition(":")[0] for cle in vus ^ ici.keys()}
    venues = [f"« {n.designation} »" for cle, n in ici.items() if cle not in vus]
    quoi = f" : {', '.join(venues[:3])}{' et d’autres' if len(venues) > 3 else ''}" if venues else ""
    touches = dossier.gestes.filter(apres__has_any_keys=sorted(cles)).select_related("auteur", "evenement")
    dernier = max(touches, key=lambda g: g.annule_le or g.evenement.le, default=None)
    qui = "Le répertoire"
    if dernier is not None:
        quand = date_longue(dernier.annule_le or dernier.evenement.le, "heure")
        qui = f"Le {quand}, {dernier.auteur}"
    raise Conflit(
        "confirmation_depassee",
        f"{qui} a changé ce que cette confirmation montrait{quoi}. Rien n’a été fait : relisez ce qui suit, puis "
        "confirmez de nouveau si c’est encore ce que vous voulez.",
    )


# -- the flow follows --------------------------------------------------------------------------------


def suivre(dossier: Dossier, acteur: User) -> None:
    """Keep the flow in step: all touched fiches finalised → ``envoi``; one that is not → back to ``redaction``."""
    etats = list(dossier.fiches.values_list("etat", flat=True))
    pret = bool(etats) and all(etat == EtatFiche.FINALISEE for etat in etats)
    if pret and dossier.etat == EtatDossier.REDACTION:
        terminer_redaction(dossier, acteur)
    elif not pret and dossier.etat == EtatDossier.FINALISE:
        dossier.rouvrir()
        dossier.save(update_fields=["etat"])
        reserver.annoncer(dossier=dossier.pk, etape=dossier.get_etat_display(), envoye=False)
        consigner(dossier, TypeEvenement.ROUVERT, acteur)
        conclure(tache_du_noeud(dossier, "envoi"), dossier, acteur, Issue.ROUVERT)


def terminer_redaction(dossier: Dossier, acteur: User) -> None:
    dossier.finaliser()
    dossier.save(update_fields=["etat"])
    reserver.annoncer(dossier=dossier.pk, etape=dossier.get_etat_display(), envoye=False)
    consigner(dossier, TypeEvenement.FICHES_FINALISEES, acteur)
    conclure(tache_du_noeud(dossier, "redaction"), dossier, acteur, Issue.FINALISE)


def tache_du_noeud(dossier: Dossier, noeud: str) -> Tache:
    tache = Tache.objects.select_related("tache").get(dossier=dossier, noeud=noeud, close_le__isnull=True)
    tache.dossier = dossier
    return tache
