"""Work on the fiches of a draft: create, fill, finalise, duplicate, move, delete, undo, settle a conflict.

Each verb locks the dossier, checks that the person edits its EG and that it is a draft, and lets the flow know when
the last fiche is finalised (→ ``envoi``) or one is reopened (→ ``redaction``).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.formats import date_format

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Introuvable, Invalide
from structures.champs import CHAMPS, Qui, champs_de, libelle, manquants
from structures.domaine import reserver
from structures.domaine.creer import creer_fiches
from structures.domaine.fusion import heurts, sans_heurts
from structures.domaine.patches import Etat, Patch, appliquer, composer, difference, utile, valeur
from structures.domaine.valider import erreurs_contenu
from structures.enums import NatureConcept, Niveau
from structures.models import Association, Fiche
from structures.requetes import etats_au

from ..enums import EtatDossier, EtatFiche, Issue, Nature, TypeEvenement
from ..models import Dossier, FicheTravail, Revision, Tache
from ..regles import peut_editer
from .apercu import Apercu, NoeudTravail, apercu
from .fusion import base_de, conflits, etat_de_travail, poser
from .journal import consigner
from .taches import conclure, saisir

QUANTITE_MAXIMALE = 200
COPIE = " (copie)"  # two fiches of one name can't be told apart in the tree
DATES_DE_VIE = ("date_ouverture", "date_fermeture", "type_fermeture", "date_reouverture")  # not those of a copy
MODIFIABLES = frozenset({Qui.PARTOUT, Qui.DOSSIER})
A_LA_CREATION = MODIFIABLES | {Qui.CREATION}


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


@transaction.atomic
def ajouter(
    *, numero: int, acteur: User, parent: int, quantite: int = 1, nom: str = "", vu: int | None = None
) -> list[FicheTravail]:
    """Create ``quantite`` fiches of the level that goes below ``parent``, en attente (acceptance 64–68).

    ``vu`` is the last event of the journal that the page knew: a second click on the same page is refused
    (``Conflit``) rather than done twice. None: no page (commands, tests).
    """
    dossier = ouvrir_brouillon(numero, acteur)
    _refuser_deux_fois(dossier, acteur, vu, TypeEvenement.FICHE_AJOUTEE, "Vous venez de créer ces fiches", sous=parent)
    arbre = apercu(dossier)
    noeud = _noeud(arbre, parent)
    niveau = arbre.niveau_a_creer(noeud)
    if niveau is None:
        raise Invalide("niveau_illegal", f"Rien ne peut être créé sous « {noeud.nom or noeud.identifiant} ».")
    if not 1 <= quantite <= QUANTITE_MAXIMALE:
        message = f"Choisissez une quantité entre 1 et {QUANTITE_MAXIMALE}."
        raise Invalide("quantite", message, champs={"quantite": [message]})
    fiches = creer_fiches(eg=dossier.eg, niveaux=[niveau] * quantite)
    patch: Patch = {"existe": True, "parent": parent} | ({"nom": nom} if nom else {})
    if niveau == Niveau.UO:  # what almost every fiche says
        patch |= {"age_min_unite": "an", "age_max_unite": "an"}
    travaux = _creer_travaux(dossier, acteur, [(f, dict(patch)) for f in fiches])
    consigner(
        dossier, TypeEvenement.FICHE_AJOUTEE, acteur, fiche=fiches[0],
        fiches=[f.identifiant for f in fiches], niveau=niveau, sous=parent,
    )  # fmt: skip
    _suivre(dossier, acteur)
    return travaux


@transaction.atomic
def dupliquer(*, numero: int, acteur: User, fiche: int, vu: int | None = None) -> FicheTravail:
    """Copy a fiche to the same place: new identifier, no published history, en attente (acceptance 74).

    ``vu``: as for ``ajouter``.
    """
    dossier = ouvrir_brouillon(numero, acteur)
    noeud = _noeud(apercu(dossier), fiche)
    _refuser_deux_fois(
        dossier,
        acteur,
        vu,
        TypeEvenement.FICHE_DUPLIQUEE,
        "Vous venez de dupliquer cette fiche",
        modele=noeud.identifiant,
    )
    if noeud.niveau == Niveau.EG or noeud.supprime:
        raise Invalide("duplication_illegale", "Cette fiche ne peut pas être dupliquée.")
    etat = etat_de_travail(noeud.travail, etats_au([fiche]).get(fiche, {}))
    copie = difference({}, {c.nom: valeur(etat, c.nom) for c in champs_de(noeud.niveau)})
    copie = {n: v for n, v in copie.items() if n not in DATES_DE_VIE}
    copie["nom"] = f"{valeur(etat, 'nom')[: CHAMPS['nom'].longueur - len(COPIE)]}{COPIE}"
    (nouvelle,) = creer_fiches(eg=dossier.eg, niveaux=[noeud.niveau])
    patch: Patch = copie | {"existe": True, "parent": noeud.parent_id}
    (travail,) = _creer_travaux(dossier, acteur, [(nouvelle, patch)])
    consigner(dossier, TypeEvenement.FICHE_DUPLIQUEE, acteur, fiche=nouvelle, modele=noeud.identifiant)
    _suivre(dossier, acteur)
    return travail


@transaction.atomic
def deplacer(*, numero: int, acteur: User, fiche: int, parent: int) -> FicheTravail | None:
    """Put a fiche under another legal parent (acceptance 78); back to its published place undoes the move."""
    dossier = ouvrir_brouillon(numero, acteur)
    arbre = apercu(dossier)
    noeud = _noeud(arbre, fiche)
    if noeud.supprime or noeud.niveau == Niveau.EG:
        raise Invalide("deplacement_illegal", "Cette fiche ne peut pas être déplacée.")
    if parent not in {place.fiche_id for place in arbre.places(noeud)}:
        message = "Choisissez une place de la liste : cette fiche ne peut pas aller là."
        raise Invalide("place_illegale", message, champs={"parent": [message]})
    travail = _enregistrer_patch(dossier, acteur, noeud, {"parent": parent})
    if travail is not None and noeud.publie:
        _finaliser_si_complete(dossier, arbre, noeud, travail)
    consigner(
        dossier, TypeEvenement.FICHE_DEPLACEE, acteur, fiche=fiche,
        de=arbre.noeuds[noeud.parent_id].nom if noeud.parent_id in arbre.noeuds else "", vers=arbre.noeuds[parent].nom,
    )  # fmt: skip
    _suivre(dossier, acteur)
    return travail


@transaction.atomic
def supprimer(*, numero: int, acteur: User, fiche: int) -> list[str]:
    """Delete a fiche and all below. Published ones will be closed, new ones disappear (domain.md §2).

    Refuses a new fiche under which published ones were moved: they would be lost. Returns the names that go.
    """
    dossier = ouvrir_brouillon(numero, acteur)
    arbre = apercu(dossier)
    noeud = _noeud(arbre, fiche)
    if noeud.niveau == Niveau.EG:
        raise Invalide("suppression_illegale", "Un établissement ne se supprime pas par un dossier collaboratif.")
    branche = [n for n in noeud.parcours() if not n.supprime]
    if not branche:
        raise Conflit("deja_supprimee", "Cette fiche est déjà supprimée dans ce dossier.")
    accueillies = [n for n in branche if n.publie]
    if not noeud.publie and accueillies:
        raise Invalide(
            "fiches_accueillies",
            f"« {accueillies[0].nom} » a été déplacée sous cette nouvelle fiche : déplacez-la d’abord ailleurs.",
        )
    perdu = _retirer_travaux(n.travail for n in branche if not n.publie and n.travail)
    publies = [n for n in branche if n.publie]
    for n in publies:
        parent = arbre.noeuds.get(n.parent_id or 0)
        if n.travail and parent is not None and not parent.publie:  # its new parent disappears: no place to go back to
            n.travail.patch.pop("parent", None)
            n.travail.base.pop("parent", None)
    _fermer_travaux(dossier, acteur, publies)
    noms = [n.nom or n.identifiant for n in branche]
    consigner(dossier, TypeEvenement.FICHE_SUPPRIMEE, acteur, fiche=fiche, noms=noms, perdu=perdu)
    _suivre(dossier, acteur)
    return noms


@transaction.atomic
def annuler_changement(*, numero: int, acteur: User, fiche: int) -> None:
    """Forget what the dossier does to a fiche. A closing is undone for the whole branch it took along;
    refuses to forget a new fiche that others hang under, and a move or closing that others depend on."""
    dossier = ouvrir_brouillon(numero, acteur)
    arbre = apercu(dossier)
    noeud = _noeud(arbre, fiche)
    if noeud.travail is None:
        raise Conflit("rien_a_annuler", "Ce dossier ne change plus cette fiche.")
    if not noeud.publie and noeud.enfants:
        raise Invalide("fiches_dessous", "D’autres fiches sont rattachées à celle-ci : supprimez-la avec elles.")
    annules = [noeud]
    if noeud.supprime:  # undone with everything that was closed by the same gesture
        lot = noeud.travail.revision
        annules = [n for n in arbre.noeuds.values() if n.supprime and n.travail and n.travail.revision == lot]
    # An undone closing comes back where the dossier had put it, any other undone change where the register has it.
    for annule in annules:
        parent = arbre.noeuds.get((annule.parent_id if annule.supprime else annule.parent_publie_id) or 0)
        if annule.publie and parent is not None and parent.supprime and parent not in annules:
            raise Invalide(
                "parent_supprime",
                f"« {parent.nom} », à laquelle la fiche serait rattachée, est supprimée par ce dossier : annulez "
                "d’abord cette suppression.",
            )
    perdu = {}
    if noeud.supprime:
        _rouvrir_travaux(acteur, [n.travail for n in annules if n.travail])
    else:
        perdu = _retirer_travaux([noeud.travail])
    consigner(dossier, TypeEvenement.CHANGEMENT_ANNULE, acteur, fiche=fiche, nom=noeud.nom, perdu=perdu)
    _suivre(dossier, acteur)


@transaction.atomic
def enregistrer(
    *,
    numero: int,
    acteur: User,
    fiche: int,
    saisie: Mapping[str, Any],
    revision: int,
    finaliser: bool = False,
) -> FicheTravail | None:
    """« Enregistrer et mettre en attente », or « … et finaliser » (acceptance 73 and 75).

    ``saisie`` is the state of the fields of the form, ``revision`` the save that it showed (0: untouched). What
    others saved meanwhile merges; a value changed on both sides is refused (``Conflit`` with ``champs``: theirs).
    Finalising is refused (``Invalide`` with ``champs``) while mandatory fields are missing or a conflict with the
    register is open. Returns None when nothing is left to change.
    """
    dossier = ouvrir_brouillon(numero, acteur)
    arbre = apercu(dossier)
    noeud = _noeud(arbre, fiche)
    if noeud.supprime:
        raise Conflit("fiche_supprimee", "Cette fiche est supprimée dans ce dossier : annulez d’abord la suppression.")
    repertoire = etats_au([fiche]).get(fiche, {})
    _refuser_champs_figes(noeud, saisie, etat_de_travail(noeud.travail, repertoire))
    mien = _ce_que_j_ai_change(noeud, repertoire, saisie, revision)
    etat = etat_de_travail(noeud.travail, repertoire)
    mien |= _champ_du_type(noeud, mien, appliquer(etat, mien))
    if mien:
        erreurs = erreurs_contenu(noeud.niveau, etat, utile(etat, mien))
        if erreurs:
            raise Invalide("contenu", "Certaines informations sont à corriger.", champs=erreurs)
    travail = _enregistrer_patch(dossier, acteur, noeud, mien)
    if finaliser:
        if travail is None:
            raise Invalide("rien_a_finaliser", "Cette fiche est identique au répertoire : il n’y a rien à finaliser.")
        _finaliser(arbre, noeud, travail, repertoire)
    elif travail is not None:
        travail.mettre_en_attente()
        travail.save(update_fields=["etat"])
    type_ = TypeEvenement.FICHE_FINALISEE if finaliser else TypeEvenement.FICHE_ENREGISTREE
    consigner(dossier, type_, acteur, fiche=fiche, champs=sorted(mien), revision=travail.revision if travail else 0)
    _suivre(dossier, acteur)
    return travail


@transaction.atomic
def regler_conflit(*, numero: int, acteur: User, fiche: int, champ: str, garder: str) -> None:
    """Settle a field that the register changed too: ``garder`` is « repertoire » or « dossier »."""
    dossier = ouvrir_brouillon(numero, acteur)
    noeud = _noeud(apercu(dossier), fiche)
    travail = noeud.travail
    repertoire = etats_au([fiche]).get(fiche, {})
    if travail is None or champ not in {c.nom for c in conflits(travail, repertoire)}:
        raise Conflit("conflit_regle", "Ce conflit a déjà été réglé. Rechargez la fiche.")
    if garder not in ("repertoire", "dossier"):
        raise Invalide("choix", "Choisissez la valeur à garder.")
    mien = {champ: travail.patch[champ]}
    garde = mien if garder == "dossier" else sans_heurts(base_de(travail, repertoire), repertoire, mien, [champ])
    poser(travail, repertoire, {champ: valeur(appliquer(repertoire, garde), champ)})
    if travail.patch:
        _ajouter_revision(travail, acteur)
        travail.mettre_en_attente()
        travail.save()
    else:
        _retirer_travaux([travail])
    consigner(dossier, TypeEvenement.CONFLIT_REGLE, acteur, fiche=fiche, champ=champ, garder=garder)
    _suivre(dossier, acteur)


def manques(arbre: Apercu, noeud: NoeudTravail, etat: Etat) -> dict[str, list[str]]:
    """By field, what a fiche still lacks to be finalised (acceptance 75)."""
    if noeud.supprime:
        return {}
    return {
        champ.nom: [f"« {libelle(champ, noeud.niveau)} » est obligatoire pour finaliser la fiche."]
        for champ in manquants(noeud.niveau, arbre.champ, etat)
    }


# -- below: what the verbs share; the dossier is locked --------------------------------------------------


def _refuser_deux_fois(dossier: Dossier, acteur: User, vu: int | None, type_: str, phrase: str, **details: Any) -> None:
    if vu is None:
        return
    deja = dossier.evenements.filter(type=type_, acteur=acteur, pk__gt=vu, details__contains=details)
    if deja.exists():
        raise Conflit(
            "deja_fait", f"{phrase} : c’est fait, dans l’arbre du dossier. Recommencez de là pour en avoir d’autres."
        )


def _noeud(arbre: Apercu, fiche: int) -> NoeudTravail:
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


def _creer_travaux(dossier: Dossier, acteur: User, contenus: Iterable[tuple[Fiche, Patch]]) -> list[FicheTravail]:
    (numero,) = _numeros(1)
    travaux = FicheTravail.objects.bulk_create(
        [FicheTravail(dossier=dossier, fiche=f, patch=p, revision=numero, modifiee_par=acteur) for f, p in contenus]
    )
    Revision.objects.bulk_create([Revision(travail=t, numero=numero, patch=t.patch, auteur=acteur) for t in travaux])
    return travaux


def _ajouter_revision(travail: FicheTravail, acteur: User) -> None:
    (travail.revision,) = _numeros(1)
    travail.modifiee_par, travail.modifiee_le = acteur, timezone.now()
    if travail._state.adding:
        travail.save()
    Revision.objects.create(travail=travail, numero=travail.revision, patch=travail.patch, auteur=acteur)


def _retirer_travaux(travaux: Iterable[FicheTravail]) -> dict[str, Patch]:
    """Forget working copies; returns their patches by fiche, which the journal keeps."""
    retires = list(travaux)
    FicheTravail.objects.filter(pk__in=[t.pk for t in retires]).delete()
    return {str(t.fiche_id): t.patch for t in retires}


def _fermer_travaux(dossier: Dossier, acteur: User, noeuds: Iterable[NoeudTravail]) -> None:
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


def _rouvrir_travaux(acteur: User, travaux: Iterable[FicheTravail]) -> None:
    """Undo a closing: a fiche that was only closed is no longer touched, the others are as they were, en attente."""
    seulement_fermes: list[FicheTravail] = []
    changes: list[FicheTravail] = []
    for travail in travaux:
        (changes if travail.patch.keys() - {"existe"} else seulement_fermes).append(travail)
    _retirer_travaux(seulement_fermes)
    for travail in changes:
        travail.patch = {nom: v for nom, v in travail.patch.items() if nom != "existe"}
        travail.base = {nom: v for nom, v in travail.base.items() if nom != "existe"}
        travail.mettre_en_attente()
        _ajouter_revision(travail, acteur)
        travail.save()


def _enregistrer_patch(dossier: Dossier, acteur: User, noeud: NoeudTravail, mien: Patch) -> FicheTravail | None:
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
            _retirer_travaux([noeud.travail])
        return None
    _ajouter_revision(travail, acteur)
    travail.mettre_en_attente()
    travail.save()
    return travail


def _ce_que_j_ai_change(
    noeud: NoeudTravail, repertoire: Mapping[str, Any], saisie: Mapping[str, Any], revision: int
) -> Patch:
    """The patch from what the form showed to what was typed; refused where somebody changed the same since."""
    travail = noeud.travail
    actuelle = travail.revision if travail else 0
    if revision == actuelle:
        return difference(etat_de_travail(travail, repertoire), dict(saisie))
    vue = travail.revisions.filter(numero=revision).first() if travail else None
    if travail is None or (vue is None and revision != 0):
        raise Conflit(
            "fiche_modifiee",
            "Le changement que votre formulaire montrait a été annulé dans ce dossier pendant que vous le remplissiez. "
            "Rouvrez la fiche, vérifiez-la et refaites vos changements s’ils sont encore utiles.",
        )
    montre = appliquer(repertoire, vue.patch if vue else {})
    mien = difference(montre, dict(saisie))
    trouves = [h.nom for h in heurts(montre, appliquer(repertoire, travail.patch), mien)]
    if trouves:
        noms = ", ".join(f"« {libelle(CHAMPS[n], noeud.niveau)} »" for n in trouves)
        quand = date_format(timezone.localtime(travail.modifiee_le), "j F Y à H:i")
        phrase = (
            f"{travail.modifiee_par} a enregistré cette fiche le {quand}, pendant que vous la remplissiez, et y a "
            f"changé {noms} autrement que vous. Comparez les deux versions et gardez la bonne."
        )
        raise Conflit("fiche_modifiee", phrase, champs={n: [phrase] for n in trouves})
    return mien


def _refuser_champs_figes(noeud: NoeudTravail, saisie: Mapping[str, Any], etat: Mapping[str, Any]) -> None:
    """A dossier changes everything but official identities; champ and mode are typed once (domain.md §2)."""
    permis = MODIFIABLES if noeud.publie else A_LA_CREATION
    for nom, contenu in saisie.items():
        champ = CHAMPS.get(nom)
        if champ is None or champ.nom in ("existe", "parent") or noeud.niveau not in champ.niveaux:
            raise Invalide("champ_inconnu", f"Le champ « {nom} » n’existe pas sur cette fiche.")
        if champ.qui not in permis and contenu != valeur(etat, nom):
            raise Invalide("champ_fige", f"« {champ.libelle} » ne peut pas être modifié dans un dossier.")


def _champ_du_type(noeud: NoeudTravail, mien: Patch, voulu: Etat) -> Patch:
    """A type brings its champ to a new fiche; on one that has a champ, or is given one, both agree (domain.md §2)."""
    if not mien.keys() & {"type_uo", "champ_activite"}:
        return {}
    champs = list(
        Association.objects.filter(
            nature=NatureConcept.TYPE_CHAMP, source__nomenclature="J238", source__code=valeur(voulu, "type_uo")
        ).values_list("cible__code", flat=True)
    )
    champ = valeur(voulu, "champ_activite")
    if not champs or champ in champs:
        return {}
    if not noeud.publie and "champ_activite" not in mien:
        return {"champ_activite": champs[0]}
    if not champ:
        return {"champ_activite": champs[0]}
    message = "Choisissez un type du même champ d’activité que l’unité."
    raise Invalide("type_hors_champ", message, champs={"type_uo": [message]})


def _finaliser(arbre: Apercu, noeud: NoeudTravail, travail: FicheTravail, repertoire: Mapping[str, Any]) -> None:
    a_regler = conflits(travail, repertoire)
    if a_regler:
        noms = {c.nom: ["Le répertoire a changé cette valeur : choisissez celle à garder."] for c in a_regler}
        raise Invalide("conflit_a_regler", "Réglez d’abord les conflits avec le répertoire.", champs=noms)
    # What is published is the patch over the register of now: a save was checked against an earlier one.
    erreurs = erreurs_contenu(noeud.niveau, repertoire, travail.patch)
    if erreurs:
        raise Invalide("contenu", "Certaines informations sont à corriger.", champs=erreurs)
    absents = manques(arbre, noeud, etat_de_travail(travail, repertoire))
    if absents:
        raise Invalide("incomplete", "La fiche est incomplète : elle ne peut pas être finalisée.", champs=absents)
    travail.finaliser()
    travail.save(update_fields=["etat"])


def _finaliser_si_complete(dossier: Dossier, arbre: Apercu, noeud: NoeudTravail, travail: FicheTravail) -> None:
    repertoire = etats_au([noeud.fiche_id]).get(noeud.fiche_id, {})
    seulement_deplacee = travail.nature == Nature.DEPLACEMENT and travail.patch.keys() == {"parent"}
    if seulement_deplacee and not manques(arbre, noeud, etat_de_travail(travail, repertoire)):
        travail.finaliser()
        travail.save(update_fields=["etat"])


def _suivre(dossier: Dossier, acteur: User) -> None:
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
        conclure(_tache(dossier, "envoi"), dossier, acteur, Issue.ROUVERT)


def terminer_redaction(dossier: Dossier, acteur: User) -> None:
    dossier.finaliser()
    dossier.save(update_fields=["etat"])
    reserver.annoncer(dossier=dossier.pk, etape=dossier.get_etat_display(), envoye=False)
    consigner(dossier, TypeEvenement.FICHES_FINALISEES, acteur)
    conclure(_tache(dossier, "redaction"), dossier, acteur, Issue.FINALISE)


def _tache(dossier: Dossier, noeud: str) -> Tache:
    tache = Tache.objects.select_related("tache").get(dossier=dossier, noeud=noeud, close_le__isnull=True)
    tache.dossier = dossier
    return tache
