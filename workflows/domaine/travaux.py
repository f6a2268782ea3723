"""The working copies of a draft: what every verb on its fiches shares, under the lock of ``ouvrir_brouillon``."""

from collections.abc import Iterable

from django.db import connection
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Introuvable
from structures.domaine import reserver
from structures.domaine.patches import Patch, appliquer, composer
from structures.models import Fiche
from structures.requetes import etats_au

from ..enums import EtatDossier, EtatFiche, Issue, TypeEvenement
from ..models import Dossier, FicheTravail, Revision, Tache
from ..regles import peut_editer
from .apercu import Apercu, NoeudTravail
from .fusion import etat_de_travail, poser
from .journal import consigner
from .taches import conclure, saisir


def ouvrir_brouillon(numero: int, acteur: User) -> Dossier:
    """Lock a dossier to work on it. 404 when it is not the person's, 409 when it is no longer a draft."""
    dossier = saisir(numero)
    if not peut_editer(acteur, dossier):
        raise Interdit("sans_droit", "Seuls les Référents et Directions de l’établissement modifient ce dossier.")
    if not dossier.est_brouillon:
        raise Conflit(
            "dossier_fige",
            f"Ce dossier n’est plus un brouillon ({dossier.get_etat_display().lower()}) : ses fiches ne peuvent plus "
            "être modifiées. Rechargez la page pour voir où il en est.",
        )
    return dossier


def noeud_de(arbre: Apercu, fiche: int) -> NoeudTravail:
    if fiche not in arbre.noeuds:
        raise Introuvable("fiche_inconnue", "Cette fiche ne fait plus partie de l’établissement.")
    return arbre.noeuds[fiche]


def _numeros(nombre: int) -> list[int]:
    """Numbers of saves, never given twice: a form that shows an undone save can't be taken for a later one."""
    with connection.cursor() as curseur:
        curseur.execute(
            "SELECT nextval(pg_get_serial_sequence('workflows_revision', 'id')) FROM generate_series(1, %s)", [nombre]
        )
        return [numero for (numero,) in curseur.fetchall()]


def creer_travaux(dossier: Dossier, acteur: User, contenus: Iterable[tuple[Fiche, Patch]]) -> list[FicheTravail]:
    (numero,) = _numeros(1)
    travaux = FicheTravail.objects.bulk_create(
        [FicheTravail(dossier=dossier, fiche=f, patch=p, revision=numero, modifiee_par=acteur) for f, p in contenus]
    )
    Revision.objects.bulk_create([Revision(travail=t, numero=numero, patch=t.patch, auteur=acteur) for t in travaux])
    return travaux


def ajouter_revision(travail: FicheTravail, acteur: User) -> None:
    (travail.revision,) = _numeros(1)
    travail.modifiee_par, travail.modifiee_le = acteur, timezone.now()
    if travail._state.adding:
        travail.save()
    Revision.objects.create(travail=travail, numero=travail.revision, patch=travail.patch, auteur=acteur)


def retirer_travaux(travaux: Iterable[FicheTravail]) -> dict[str, Patch]:
    """Forget working copies; returns their patches by fiche, which the journal keeps."""
    retires = list(travaux)
    FicheTravail.objects.filter(pk__in=[t.pk for t in retires]).delete()
    return {str(t.fiche_id): t.patch for t in retires}


def fermer_travaux(dossier: Dossier, acteur: User, noeuds: Iterable[NoeudTravail]) -> None:
    """Patch ``existe: false`` on published fiches, in a constant number of statements; nothing is left to fill.

    What was typed before stays in the patch, for the day the closing is undone. One number marks the fiches closed
    together: undoing one undoes those.
    """
    (numero,) = _numeros(1)
    travaux = [n.travail or FicheTravail(dossier=dossier, fiche_id=n.fiche_id, modifiee_par=acteur) for n in noeuds]
    for travail in travaux:
        travail.patch, travail.base = {**travail.patch, "existe": False}, {**travail.base, "existe": True}
        travail.finaliser()
        travail.revision, travail.modifiee_par, travail.modifiee_le = numero, acteur, timezone.now()
    FicheTravail.objects.bulk_update(
        [t for t in travaux if t.pk], ["patch", "base", "etat", "revision", "modifiee_par", "modifiee_le"]
    )
    FicheTravail.objects.bulk_create([t for t in travaux if not t.pk])
    Revision.objects.bulk_create([Revision(travail=t, numero=numero, patch=t.patch, auteur=acteur) for t in travaux])


def rouvrir_travaux(acteur: User, travaux: Iterable[FicheTravail]) -> None:
    """Undo a closing: a fiche that was only closed is no longer touched, the others are as they were, en attente."""
    seulement_fermes: list[FicheTravail] = []
    changes: list[FicheTravail] = []
    for travail in travaux:
        (changes if travail.patch.keys() - {"existe"} else seulement_fermes).append(travail)
    retirer_travaux(seulement_fermes)
    for travail in changes:
        travail.patch = {nom: v for nom, v in travail.patch.items() if nom != "existe"}
        travail.base = {nom: v for nom, v in travail.base.items() if nom != "existe"}
        travail.mettre_en_attente()
        ajouter_revision(travail, acteur)
        travail.save()


def enregistrer_patch(dossier: Dossier, acteur: User, noeud: NoeudTravail, mien: Patch) -> FicheTravail | None:
    """Lay ``mien`` over the working copy; a fiche that ends as the register has it is no longer touched."""
    travail = noeud.travail or FicheTravail(dossier=dossier, fiche_id=noeud.fiche_id, modifiee_par=acteur)
    if not mien:
        return noeud.travail
    repertoire = etats_au([noeud.fiche_id]).get(noeud.fiche_id, {}) if noeud.publie else {}
    if noeud.publie:
        # What the person typed is measured against the register that she saw, which settles these fields.
        voulu = appliquer(etat_de_travail(travail, repertoire), mien)
        poser(travail, repertoire, {nom: voulu[nom] for nom in mien})
    else:
        travail.patch = composer(travail.patch, mien)
    if not travail.patch:
        if noeud.travail:
            retirer_travaux([noeud.travail])
        return None
    ajouter_revision(travail, acteur)
    travail.mettre_en_attente()
    travail.save()
    return travail


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
