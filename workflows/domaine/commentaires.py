"""Threads on the fiches of a dossier: comment, answer, « Résolu », « Rouvrir »; and who is told of it.

Whoever may see an open dossier talks about it (``regles.interlocuteurs_de``). Each verb locks the dossier, so that an
answer never comes after the end, nor two people resolve one thread.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Introuvable, Invalide
from backoffice.socle.mots import date_longue, nombre
from notifications.domaine import notifier
from notifications.registre import TypeNotification
from structures.champs import CHAMPS, Champ, champs_de, libelle
from structures.domaine.texte import normaliser

from .. import notifications as types
from ..enums import TypeEvenement
from ..models import Commentaire, Dossier, Evenement
from ..regles import dossiers_visibles, interlocuteurs_de
from .apercu import SANS_NOM, apercu
from .chaine import sceau_commentaire
from .journal import consigner, consigner_tous, noms_des
from .taches import contexte_mail, saisir
from .travaux import noeud_de

LONGUEUR_MAXIMALE = 5000  # characters of a comment
EXTRAIT = 200  # characters of it that the journal repeats
GROUPAGE = timedelta(minutes=10)  # slots of the clock: in each, one mail of a kind a person and dossier


@transaction.atomic
def commenter(
    *,
    numero: int,
    acteur: User,
    fiche: int,
    texte: str,
    champ: str = "",
    cites: Collection[int] = (),
    vu: int | None = None,
) -> Commentaire:
    """Open a thread on a fiche, or on one of its fields. People named in the text (« @Prénom Nom ») or in ``cites``
    are mailed; those who may not see the dossier are passed over.

    ``vu`` is the last event of the journal that the page knew: a second click on it gives the comment of the first.
    Refuses: no text or too long, a field that the fiche has not (``Invalide``), a fiche that left the dossier, an
    ended dossier (``Conflit``).
    """
    dossier = _ouvrir(numero, acteur)
    texte = _texte_exige(texte)
    if deja := _deja_ecrit(dossier, acteur, vu, fiche_id=fiche, champ=champ, parent=None, texte=texte):
        return deja
    niveau = noeud_de(dossier, apercu(dossier), fiche).niveau
    if champ and champ not in {c.nom for c in champs_a_commenter(niveau)}:
        message = "Choisissez un champ de la liste."
        raise Invalide("champ", message, champs={"champ": [message]})
    commentaire = Commentaire(dossier=dossier, fiche_id=fiche, champ=champ, auteur=acteur, texte=texte)
    _ecrire(dossier, commentaire, cites)
    return commentaire


@transaction.atomic
def repondre(
    *, numero: int, acteur: User, fil: int, texte: str, cites: Collection[int] = (), vu: int | None = None
) -> Commentaire:
    """Answer in a thread and mail those who wrote in it. A resolved one must be reopened first (``Conflit``)."""
    dossier = _ouvrir(numero, acteur)
    premier = _fil(dossier, fil)
    texte = _texte_exige(texte)
    if deja := _deja_ecrit(dossier, acteur, vu, parent=premier, texte=texte):
        return deja
    if premier.resolu_le:
        raise Conflit(
            "fil_resolu",
            f"{premier.resolu_par} a résolu ce fil le {date_longue(premier.resolu_le, 'heure')} : rouvrez-le pour y "
            "répondre.",
        )
    reponse = Commentaire(
        dossier=dossier, fiche_id=premier.fiche_id, champ=premier.champ, parent=premier, auteur=acteur, texte=texte
    )
    deja_prevenus = {p.pk for p in _ecrire(dossier, reponse, cites)}
    du_fil = Commentaire.objects.filter(Q(pk=premier.pk) | Q(parent=premier.pk)).order_by()
    ecrivains = User.objects.filter(pk__in=du_fil.values("auteur")).exclude(pk__in=deja_prevenus)
    _prevenir(types.CommentaireReponse, dossier, reponse, acteur, ecrivains)
    return reponse


@transaction.atomic
def resoudre(*, numero: int, acteur: User, fil: int) -> Commentaire:
    """« Résolu »: the thread is dealt with; whoever opened it is told. Refuses (``Conflit``) when somebody else did."""
    dossier = _ouvrir(numero, acteur)
    premier = _fil(dossier, fil)
    if premier.resolu_le:
        _refuser_si_autre(
            premier.resolu_par, acteur, f"a déjà résolu ce fil le {date_longue(premier.resolu_le, 'heure')}"
        )
        return premier
    premier.resolu_le, premier.resolu_par = timezone.now(), acteur
    premier.save(update_fields=["resolu_le", "resolu_par"])
    _consigner(dossier, TypeEvenement.COMMENTAIRE_RESOLU, premier, acteur)
    _prevenir(types.CommentaireResolu, dossier, premier, acteur, [premier.auteur])
    return premier


@transaction.atomic
def rouvrir(*, numero: int, acteur: User, fil: int) -> Commentaire:
    """« Rouvrir »: the thread waits again. Refuses (``Conflit``) when somebody else reopened it."""
    dossier = _ouvrir(numero, acteur)
    premier = _fil(dossier, fil)
    if premier.resolu_le is None:
        rouverts = dossier.evenements.filter(type=TypeEvenement.COMMENTAIRE_ROUVERT, details__fil=premier.pk)
        dernier = rouverts.select_related("acteur").last()
        if dernier:
            _refuser_si_autre(dernier.acteur, acteur, f"a déjà rouvert ce fil le {date_longue(dernier.le, 'heure')}")
        return premier
    premier.resolu_le = premier.resolu_par = None
    premier.save(update_fields=["resolu_le", "resolu_par"])
    _consigner(dossier, TypeEvenement.COMMENTAIRE_ROUVERT, premier, acteur)
    return premier


def commenter_le_renvoi(dossier: Dossier, acteur: User, textes: Mapping[int, str]) -> dict[int, User]:
    """The comments of a « Renvoyer », each the first of a thread, in a constant number of statements.

    Returns the people whom they name: the mail of the return is theirs too. The caller holds the lock and has checked
    that the fiches are of the dossier.
    """
    if not textes:
        return {}
    propres = {fiche: _texte_exige(texte) for fiche, texte in textes.items()}
    commentaires = Commentaire.objects.bulk_create(
        Commentaire(dossier=dossier, fiche_id=fiche, auteur=acteur, texte=texte) for fiche, texte in propres.items()
    )
    personnes = interlocuteurs_de(dossier).exclude(pk=acteur.pk)
    noms = noms_des(dossier, propres.keys())
    cites = {c.pk: nommes(c.texte, list(personnes)) for c in commentaires}
    Commentaire.mentions.through.objects.bulk_create(
        Commentaire.mentions.through(commentaire_id=pk, user_id=p.pk) for pk, gens in cites.items() for p in gens
    )
    consigner_tous(
        Evenement(
            dossier=dossier, type=TypeEvenement.COMMENTE, acteur=acteur, fiche_id=c.fiche_id,
            details=_details(c, noms.get(c.fiche_id, "")),
        )
        for c in commentaires
    )  # fmt: skip
    return {p.pk: p for gens in cites.values() for p in gens}


# -- people ----------------------------------------------------------------------------------------------


def noms_a_citer(personnes: Iterable[User]) -> dict[int, str]:
    """How each is named after « @ »: name, with the identifier when two people bear the same."""
    noms = {p.pk: str(p) for p in personnes}
    normalises = [normaliser(nom) for nom in noms.values()]
    return {
        p.pk: f"{noms[p.pk]} ({p.username})" if normalises.count(normaliser(noms[p.pk])) > 1 else noms[p.pk]
        for p in personnes
    }


def nommes(texte: str, personnes: Collection[User]) -> list[User]:
    """The people whom the text names after « @ », by name or identifier, without regard to accents and case."""
    par_mots: dict[tuple[str, ...], User] = {}
    noms = noms_a_citer(personnes)
    for p in personnes:
        par_mots[tuple(normaliser(p.username).split())] = p
        par_mots[tuple(normaliser(noms[p.pk]).split())] = p
    long = max(map(len, par_mots), default=0)
    trouves: dict[int, User] = {}
    for suite in re.split(r"(?<!\w)@", texte)[1:]:
        mots = tuple(normaliser(suite[:300]).split())
        for n in range(long, 0, -1):  # the longest name wins
            if nomme := par_mots.get(mots[:n]):
                trouves[nomme.pk] = nomme
                break
    return list(trouves.values())


# -- below: what the verbs share ---------------------------------------------------------------------------


def champs_a_commenter(niveau: str) -> list[Champ]:
    """Fields of the fiches of a level that everybody may read; a number and its unit are one question."""
    return [c for c in champs_de(niveau) if c.section != "gestion" and not c.nom.endswith("_unite")]


def champ_en_mots(nom: str, niveau: str) -> str:
    """Empty for a comment on the whole fiche."""
    return libelle(CHAMPS[nom], niveau) if nom in CHAMPS else ""


def noms_des_retirees(dossier: Dossier, fiches: Collection[int]) -> dict[int, str]:
    """Names of new fiches that left the dossier, as they were when they were last commented on."""
    if not fiches:
        return {}
    commentes = dossier.evenements.filter(type=TypeEvenement.COMMENTE, fiche__in=fiches).order_by("pk")
    return dict(commentes.values_list("fiche_id", "details__nom"))


def _nom(dossier: Dossier, fiche: int) -> str:
    noms = noms_des(dossier, [fiche]) or noms_des_retirees(dossier, [fiche])
    return noms.get(fiche) or SANS_NOM


def _ouvrir(numero: int, acteur: User) -> Dossier:
    dossier = saisir(numero)
    if not dossiers_visibles(acteur).filter(pk=numero).exists():
        raise Introuvable("dossier_inconnu", "Ce dossier n’existe pas, ou il n’est pas visible avec votre compte.")
    if not dossier.est_ouvert:
        raise Conflit(
            "dossier_termine",
            f"Ce dossier s’est terminé le {date_longue(dossier.termine_le, 'heure')} "
            f"({dossier.get_etat_display().lower()}) : ses commentaires restent lisibles, mais rien ne s’y ajoute.",
        )
    return dossier


def _fil(dossier: Dossier, numero: int) -> Commentaire:
    fils = dossier.commentaires.filter(parent__isnull=True).select_related("auteur", "resolu_par", "fiche")
    premier = fils.filter(pk=numero).first()
    if premier is None:
        raise Introuvable("fil_inconnu", "Ce fil de commentaires n’existe pas dans ce dossier.")
    return premier


def _texte_exige(texte: str) -> str:
    texte = texte.replace("\r\n", "\n").strip()  # a browser counts a line break as one character
    message = ""
    if not texte:
        message = "Écrivez votre commentaire."
    elif len(texte) > LONGUEUR_MAXIMALE:
        au_plus, longueur = nombre(LONGUEUR_MAXIMALE), nombre(len(texte))
        message = f"Un commentaire compte {au_plus} caractères au plus ; le vôtre en a {longueur}."
    if message:
        raise Invalide("texte", message, champs={"texte": [message]})
    return texte


def _deja_ecrit(dossier: Dossier, acteur: User, vu: int | None, **meme: Any) -> Commentaire | None:
    """The comment of the first of two clicks on one page."""
    if vu is None:
        return None
    depuis = dossier.evenements.filter(pk__gt=vu, type=TypeEvenement.COMMENTE, acteur=acteur)
    return dossier.commentaires.filter(
        pk__in=list(depuis.values_list("details__commentaire", flat=True)), **meme
    ).first()


def _refuser_si_autre(auteur: User | None, acteur: User, fait: str) -> None:
    """Two clicks of one person are one; somebody else's came first."""
    if auteur != acteur:
        raise Conflit("deja_fait", f"{auteur} {fait}. Rechargez la page pour voir où en est la discussion.")


def _ecrire(dossier: Dossier, commentaire: Commentaire, cites: Collection[int]) -> list[User]:
    """Save it, journal it, mail the people it names; returns them."""
    commentaire.save()
    personnes = list(interlocuteurs_de(dossier).exclude(pk=commentaire.auteur_id))
    gens = {p.pk: p for p in personnes if p.pk in set(cites)} | {p.pk: p for p in nommes(commentaire.texte, personnes)}
    commentaire.mentions.set(gens)
    _consigner(dossier, TypeEvenement.COMMENTE, commentaire, commentaire.auteur)
    _prevenir(types.CommentaireCite, dossier, commentaire, commentaire.auteur, gens.values())
    return list(gens.values())


def _details(commentaire: Commentaire, nom: str) -> dict[str, Any]:
    texte = commentaire.texte
    return {
        "commentaire": commentaire.pk,
        "fil": commentaire.parent_id or commentaire.pk,
        "champ": commentaire.champ,
        "texte": texte if len(texte) <= EXTRAIT else f"{texte[:EXTRAIT].rstrip()}…",
        "nom": nom,  # of a fiche that may leave the dossier
        "sceau": sceau_commentaire(commentaire),
    }


def _consigner(dossier: Dossier, type_: str, commentaire: Commentaire, acteur: User) -> None:
    fiche = commentaire.fiche_id
    consigner(dossier, type_, acteur, fiche=fiche, **_details(commentaire, _nom(dossier, fiche)))


def _prevenir(
    type_: type[TypeNotification],
    dossier: Dossier,
    commentaire: Commentaire,
    acteur: User,
    personnes: Iterable[User],
) -> None:
    """One mail to each of those who still see the dossier; no second of this kind in a slot."""
    destinataires = set(personnes) & set(interlocuteurs_de(dossier))
    if not destinataires - {acteur}:
        return
    tranche = int(timezone.now().timestamp() // GROUPAGE.total_seconds())
    fiche = commentaire.fiche
    notifier(
        type_,
        destinataires=destinataires,
        cle=f"dossier:{dossier.pk}:{tranche}",
        contexte=contexte_mail(
            dossier,
            acteur=acteur,
            commentaire=commentaire,
            fiche=_nom(dossier, fiche.pk),
            champ=champ_en_mots(commentaire.champ, fiche.niveau),
        ),
        lien=reverse("dossier_fil", args=[dossier.pk, commentaire.parent_id or commentaire.pk]),
        sauf=acteur,
    )
