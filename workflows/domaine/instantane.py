"""What people decide on: its canonical form, its digest, and the review kept as they read it.

The canonical form is JSON with sorted keys and no spaces:

    {"format": 1,
     "fiches": [{"fiche": id, "patch": {…}, "avant": {field: value of the register}}, …],   by id, touched fields only
     "lieux": {id: name}}                                                   the places that fiches leave and go to

``avant`` is null for a fiche that the register does not hold. A sent dossier whose content is no longer the one that
was sent (an import, or a planned change whose day came, moved the register under it) can't be approved: every
decision in favour asks ``verifier``.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit
from structures.champs import CHAMPS, libelle
from structures.domaine.enregistrer import verrouiller
from structures.domaine.patches import valeur, vers_json
from structures.requetes import etats_au, versions_au

from .. import revue
from ..enums import ENVOYES, Issue, Nature, TypeEvenement
from ..models import Decision, Dossier, FicheTravail, Instantane
from ..regles import peut_editer
from ..revue import conservation
from .apercu import designer
from .echecs import PublicationEchouee, noter_echec
from .journal import consigner
from .taches import saisir

FORMAT = 1
CITES = 5  # differences told in a sentence

Contenu = dict[str, Any]


def contenu_decide(travaux: Collection[FicheTravail]) -> Contenu:
    """The canonical form of what these working copies change in the register of today. Two statements."""
    registre = etats_au(t.fiche_id for t in travaux if t.nature != Nature.AJOUT)
    fiches = []
    cites: set[int] = set()
    for travail in sorted(travaux, key=lambda t: t.fiche_id):
        etat = registre.get(travail.fiche_id)
        avant = None if etat is None else {nom: vers_json(nom, valeur(etat, nom)) for nom in travail.patch}
        fiches.append({"fiche": travail.fiche_id, "patch": travail.patch, "avant": avant})
        cites |= {lieu for lieu in (travail.patch.get("parent"), (avant or {}).get("parent")) if lieu}
    noms = versions_au().filter(fiche__in=cites).order_by("fiche").values_list("fiche", "nom")
    return {"format": FORMAT, "fiches": fiches, "lieux": {str(lieu): nom for lieu, nom in noms}}


def empreinte(contenu: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical form."""
    return hashlib.sha256(json.dumps(contenu, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def empreinte_de(dossier: Dossier) -> str:
    """The digest of what the dossier would publish now."""
    return empreinte(contenu_decide(list(dossier.fiches.select_related("fiche"))))


def garder(dossier: Dossier, decide: Contenu) -> str:
    """Keep the review of a dossier that is being sent, once for each content; returns the digest."""
    signature = empreinte(decide)
    if not Instantane.objects.filter(dossier=dossier, empreinte=signature).exists():
        contenu = {"decide": decide, "changements": conservation.en_json(revue.Lecture(dossier))}
        Instantane.objects.create(dossier=dossier, empreinte=signature, contenu=contenu)
    return signature


# -- content that changed since ---------------------------------------------------------------------------


class DecisionsCaduques(Conflit):
    """What was sent, and decided on since, is no longer what the dossier would publish."""

    def __init__(self, dossier: Dossier, ecarts: list[str], maintenant: str) -> None:
        self.dossier, self.ecarts, self.maintenant = dossier.pk, ecarts, maintenant
        super().__init__(
            "decisions_caduques",
            f"Le répertoire a changé depuis l’envoi de ce dossier : {_enumerer(ecarts)}. Les décisions déjà prises ne "
            "valent plus pour ce contenu, et rien n’a été publié. Renvoyez le dossier pour correction : ses auteurs "
            "vérifieront puis l’enverront de nouveau. La personne qui l’a envoyé peut aussi le retirer.",
        )


def verifier(dossier: Dossier) -> None:
    """Refuse (``DecisionsCaduques``) to decide in favour of a content that is not the one that was sent.

    The dossier is locked; what the digest reads of the register is locked here.
    """
    travaux = list(dossier.fiches.select_related("fiche"))
    lieux = {t.patch["parent"] for t in travaux if "parent" in t.patch}
    verrouiller({dossier.eg_id, *(t.fiche_id for t in travaux), *lieux})
    maintenant = contenu_decide(travaux)
    if empreinte(maintenant) != dossier.empreinte:
        raise DecisionsCaduques(dossier, _ecarts(dossier, maintenant, travaux), empreinte(maintenant))


def ecarts_depuis_l_envoi(dossier: Dossier) -> list[str]:
    """For a page: what ``verifier`` would refuse, in phrases; empty when the content is the one that was sent."""
    travaux = list(dossier.fiches.select_related("fiche"))
    maintenant = contenu_decide(travaux)
    return [] if empreinte(maintenant) == dossier.empreinte else _ecarts(dossier, maintenant, travaux)


def _ecarts(dossier: Dossier, maintenant: Contenu, travaux: Collection[FicheTravail]) -> list[str]:
    """What changed since the sending, a phrase each. Fields are named, their values are not: contacts may be secret."""
    garde = Instantane.objects.filter(dossier=dossier, empreinte=dossier.empreinte).first()
    alors: Contenu = garde.contenu["decide"] if garde else {"fiches": [], "lieux": {}}
    avant = {f["fiche"]: f for f in alors["fiches"]}
    phrases = []
    noms = _noms(travaux)
    niveaux = {t.fiche_id: t.fiche.niveau for t in travaux}
    for fiche in maintenant["fiches"]:
        cle = fiche["fiche"]
        vue = avant.get(cle)
        if vue == fiche:
            continue
        if vue is not None and fiche["avant"] is None:
            phrases.append(f"« {noms[cle]} » n’est plus au répertoire")
        else:
            lus = (vue or {}).get("avant") or {}
            changes = [n for n, v in (fiche["avant"] or {}).items() if n not in lus or lus[n] != v]
            mots = ", ".join(libelle(CHAMPS[n], niveaux[cle]) for n in changes)
            phrases.append(f"« {noms[cle]} » ({mots})" if mots else f"« {noms[cle]} »")
    destinations = {str(t.patch["parent"]) for t in travaux if "parent" in t.patch}
    phrases += [
        f"« {nom} » n’est plus au répertoire"
        for lieu, nom in alors["lieux"].items()
        if lieu in destinations and lieu not in maintenant["lieux"]
    ]
    phrases += [
        f"« {nom} » s’appelle maintenant « {maintenant['lieux'][lieu]} »"
        for lieu, nom in alors["lieux"].items()
        if maintenant["lieux"].get(lieu, nom) != nom
    ]
    return phrases


def _noms(travaux: Collection[FicheTravail]) -> dict[int, str]:
    cles = [t.fiche_id for t in travaux]
    publies = dict(versions_au().filter(fiche__in=cles).order_by("fiche").values_list("fiche", "nom"))
    noms = {t.fiche_id: t.patch.get("nom") or publies.get(t.fiche_id, "") for t in travaux}
    return {t.fiche_id: designer(noms[t.fiche_id], t.fiche.identifiant) for t in travaux}


def _enumerer(phrases: list[str]) -> str:
    reste = len(phrases) - CITES
    return ", ".join(phrases[:CITES]) + (f" et {reste} autre{'s' if reste > 1 else ''}" if reste > 0 else "")


def peut_retirer(user: User, dossier: Dossier) -> bool:
    """The sender, while she still edits the EG, until the first decision in favour that still holds (domain.md §6)."""
    if dossier.etat not in ENVOYES or dossier.envoye_par_id != user.pk or not peut_editer(user, dossier):
        return False
    favorables = Decision.objects.filter(
        dossier=dossier, issue__in=[Issue.VALIDE, Issue.APPROUVE], le__gte=dossier.envoye_le
    )
    return not favorables.exists() or empreinte_de(dossier) != dossier.empreinte


@contextmanager
def decision_signee() -> Iterator[None]:
    """The transaction of a decision in favour. A refusal undoes all of it; that the earlier decisions no longer hold,
    or that the publication failed, is then written in the journal by itself. Inside another transaction that the
    refusal would undo too, whoever opened that one does it by this."""
    try:
        with transaction.atomic():
            yield
    except DecisionsCaduques as refus:
        _noter(refus)
        raise
    except PublicationEchouee as refus:
        noter_echec(refus)
        raise


@transaction.atomic
def _noter(refus: DecisionsCaduques) -> None:
    dossier = saisir(refus.dossier)
    deja = dossier.evenements.filter(
        type=TypeEvenement.DECISIONS_CADUQUES, details__empreinte=refus.maintenant, le__gte=dossier.envoye_le
    )
    if dossier.etat in ENVOYES and not deja.exists():
        prises = Decision.objects.filter(dossier=dossier, le__gte=dossier.envoye_le).values_list("pk", flat=True)
        consigner(
            dossier, TypeEvenement.DECISIONS_CADUQUES, None,
            empreinte=refus.maintenant, ecarts=refus.ecarts, decisions=list(prises),
        )  # fmt: skip
