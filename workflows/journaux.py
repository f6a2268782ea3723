"""The journal of a dossier as a file to keep, and whether a journal holds: in a file, in the database (ADR 11).

The file, JSON lines in UTF-8, each in canonical form (``domaine.chaine``):

    head   {"format": "ror-journal", "version": 1, "dossier": 12, "nom", "etablissement", "exporte_le", "personnes"}
    event  {"contenu": {…}, "empreinte", "precedente", "rang"}, one a line, in their order
    tail   {"entete": digest of the head, "evenements": how many, "empreinte": of the last, "sceau": digest of the rest}

A file is verified without a database. It proves that nothing of it was altered since its last digest was known: who
keeps that digest elsewhere can tell a file that was written again from the beginning.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from backoffice.comptes.models import User

from .domaine import chaine
from .models import Commentaire, Decision, Dossier, Evenement

NOM_FORMAT = "ror-journal"
_PAQUET = 2000  # rows read at once


@dataclass(frozen=True, slots=True)
class Faute:
    """``ou``: the line of the file, or the rank of the event; 0 when it concerns none."""

    ou: int
    phrase: str


@dataclass(slots=True)
class Verification:
    """What was read of a journal, and what of it does not hold."""

    dossier: int = 0
    evenements: int = 0
    empreinte: str = chaine.ORIGINE
    fautes: list[Faute] = field(default_factory=list)

    @property
    def intacte(self) -> bool:
        return not self.fautes

    def _suivre(self, ou: int, rang: int, precedente: str, empreinte: str, contenu: dict[str, Any]) -> None:
        """The next event. The one after it is compared with what this one says: one fault is told once."""
        attendu = self.evenements + 1
        if rang > attendu:
            self._faute(ou, f"l’événement {attendu} est attendu, c’est le {rang} : ce qui était entre les deux manque.")
        elif rang < attendu:
            self._faute(ou, f"l’événement {attendu} est attendu, c’est le {rang} : il a été déplacé ou ajouté.")
        elif self.empreinte and precedente != self.empreinte:
            self._faute(ou, f"l’événement {rang} ne suit pas le précédent : l’un des deux a été changé.")
        try:
            tenu = chaine.maillon(rang, precedente, chaine.condense(contenu)) == empreinte
        except ValueError:  # nothing that was written has no canonical form
            tenu = False
        if not tenu:
            self._faute(ou, f"l’événement {rang} n’est plus celui qui a été consigné.")
        self.evenements, self.empreinte = rang, empreinte

    def _sauter(self) -> None:
        """An event that can't be read, told already: the next one is not blamed for it."""
        self.evenements, self.empreinte = self.evenements + 1, ""

    def _faute(self, ou: int, phrase: str) -> None:
        self.fautes.append(Faute(ou, phrase))


# -- the file ----------------------------------------------------------------------------------------------


def lignes_du_fichier(dossier: Dossier) -> Iterator[str]:
    """The export, line after line."""
    evenements = list(dossier.evenements.order_by("rang"))
    auteurs = User.objects.filter(pk__in={e.acteur_id for e in evenements if e.acteur_id}).order_by("pk")
    entete = {
        "format": NOM_FORMAT,
        "version": chaine.FORMAT,
        "dossier": dossier.pk,
        "nom": dossier.nom,
        "etablissement": dossier.eg.identifiant,
        "exporte_le": chaine.instant(timezone.now()),
        "personnes": {str(p.pk): f"{p} ({p.username})" for p in auteurs},
    }
    yield chaine.canonique(entete) + "\n"
    for e in evenements:
        ligne = {"contenu": chaine.contenu(e), "empreinte": e.empreinte, "precedente": e.precedente, "rang": e.rang}
        yield chaine.ecrire(ligne) + "\n"
    fin = {
        "entete": chaine.condense(entete),
        "evenements": len(evenements),
        "empreinte": evenements[-1].empreinte if evenements else chaine.ORIGINE,
    }
    yield chaine.canonique(fin | {"sceau": chaine.condense(fin)}) + "\n"


_ENTETE = {
    "format": str, "version": int, "dossier": int, "nom": str, "etablissement": str, "exporte_le": str,
    "personnes": dict,
}  # fmt: skip
_EVENEMENT = {"contenu": dict, "empreinte": str, "precedente": str, "rang": int}
_FIN = {"entete": str, "evenements": int, "empreinte": str, "sceau": str}
_ENTIER_MAX = 2**63  # what the database can hold; Python doesn't even write a number of 4 301 digits


def verifier_fichier(octets: bytes) -> Verification:
    """Read an exported file without any database. Each fault names its line."""
    vue = Verification()
    brutes = octets.split(b"\n")
    if brutes[-1]:
        vue._faute(len(brutes), "le fichier s’arrête au milieu de cette ligne.")
    lignes = {numero: _lire(vue, numero, brute) for numero, brute in enumerate(brutes[:-1], 1)}
    entete: Any = lignes.get(1)
    if not _est(entete, _ENTETE) or entete["format"] != NOM_FORMAT:
        vue._faute(1, "ce n’est pas l’en-tête d’un journal exporté.")
        return vue
    if entete["version"] != chaine.FORMAT:
        vue._faute(1, f"la version {entete['version']} du format n’est pas connue.")
        return vue
    vue.dossier = entete["dossier"]
    derniere = len(lignes)
    for numero in range(2, derniere + 1):
        ligne = lignes[numero]
        if _est(ligne, _EVENEMENT):
            if ligne["contenu"].get("dossier") != vue.dossier:
                vue._faute(numero, "cet événement n’est pas de ce dossier.")
            vue._suivre(numero, ligne["rang"], ligne["precedente"], ligne["empreinte"], ligne["contenu"])
        elif numero < derniere and ligne is None:
            vue._sauter()
        elif numero < derniere:
            vue._faute(numero, "ce n’est pas un événement.")
    if not brutes[-1]:
        _finir(vue, derniere, lignes[derniere], entete)
    vue.fautes.sort(key=lambda f: f.ou)
    return vue


def _lire(vue: Verification, numero: int, brute: bytes) -> Any:
    try:
        texte = brute.decode()
        valeur = json.loads(texte)
        if chaine.canonique(valeur) == texte:
            return valeur
    except (ValueError, RecursionError):
        pass
    vue._faute(numero, "cette ligne n’est pas écrite comme l’export l’écrit.")
    return None


def _est(ligne: Any, forme: dict[str, type]) -> bool:
    return (
        isinstance(ligne, dict)
        and ligne.keys() == forme.keys()
        and all(type(ligne[cle]) is genre for cle, genre in forme.items())
        and all(abs(ligne[cle]) < _ENTIER_MAX for cle, genre in forme.items() if genre is int)
    )


def _finir(vue: Verification, numero: int, fin: Any, entete: dict[str, Any]) -> None:
    if fin is None:  # told already
        return
    if not _est(fin, _FIN):
        vue._faute(numero + 1, "la fin du fichier manque : il a été coupé.")
        return
    if chaine.condense({cle: v for cle, v in fin.items() if cle != "sceau"}) != fin["sceau"]:
        vue._faute(numero, "la fin du fichier a été changée.")
        return
    if fin["entete"] != chaine.condense(entete):
        vue._faute(1, "l’en-tête n’est plus celui qui a été exporté.")
    if (fin["evenements"], fin["empreinte"]) != (vue.evenements, vue.empreinte or fin["empreinte"]):
        vue._faute(
            numero,
            f"{fin['evenements']} événements sont annoncés, le dernier d’empreinte {fin['empreinte'][:12]} ; le "
            f"dernier ici est le {vue.evenements}, d’empreinte {vue.empreinte[:12]}.",
        )


# -- the database ------------------------------------------------------------------------------------------


def verifier_base(numero: int | None = None) -> Iterator[Verification]:
    """Each dossier, or this one: its chain, its end, and the decisions and comments that it seals.

    A constant number of statements, rows read in packets: memory holds one dossier.
    """
    dossiers = Dossier.objects.order_by("pk")
    dossiers = dossiers if numero is None else dossiers.filter(pk=numero)
    tetes = dossiers.values_list("pk", "tete_journal__rang", "tete_journal__empreinte")
    with _meme_instant():
        evenements = _ParDossier(Evenement.objects.order_by("dossier_id", "rang"), numero)
        decisions = _ParDossier(Decision.objects.prefetch_related("ecartees").order_by("dossier_id", "pk"), numero)
        commentaires = _ParDossier(Commentaire.objects.order_by("dossier_id", "pk"), numero)
        for cle, rang, empreinte in tetes.iterator(_PAQUET):
            vue = Verification(cle)
            lus = list(evenements.de(cle))
            for e in lus:
                vue._suivre(e.rang, e.rang, e.precedente, e.empreinte, chaine.contenu(e))
            if not lus and not rang:  # nor any head
                vue._faute(0, "le journal manque : celui d’un dossier a au moins l’événement de sa création.")
            elif (rang, empreinte) != (vue.evenements or None, vue.empreinte if lus else None):
                vue._faute(vue.evenements, f"le journal s’arrête à l’événement {vue.evenements} au lieu du {rang}.")
            _comparer(vue, lus, "decision", decisions.de(cle), _sceau_decision)
            _comparer(vue, lus, "commentaire", commentaires.de(cle), chaine.sceau_commentaire)
            yield vue


def verifier(dossier: Dossier) -> Verification:
    """One dossier. Four statements."""
    [vue] = verifier_base(dossier.pk)
    return vue


@contextmanager
def _meme_instant() -> Iterator[None]:
    """Several statements that see the same moment, while people write."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic(), connection.cursor() as curseur:
        curseur.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


class _ParDossier:
    """Rows in the order of their dossiers, given one dossier at a time."""

    def __init__(self, lignes: Any, numero: int | None) -> None:
        lignes = lignes if numero is None else lignes.filter(dossier=numero)
        self._lignes = lignes.iterator(_PAQUET)
        self._prochaine = next(self._lignes, None)

    def de(self, numero: int) -> Iterator[Any]:
        while self._prochaine is not None and self._prochaine.dossier_id == numero:
            yield self._prochaine
            self._prochaine = next(self._lignes, None)


def _sceau_decision(decision: Decision) -> str:
    return chaine.sceau_decision(decision, {e.fiche_id: e.motif for e in decision.ecartees.all()})


def _comparer(
    vue: Verification, evenements: list[Evenement], genre: str, lignes: Iterable[Any], sceau: Callable[[Any], str]
) -> None:
    """Rows that the journal speaks of: none is missing, none is altered, none was put there behind its back."""
    presents = {ligne.pk: sceau(ligne) for ligne in lignes}
    nom = {"decision": "La décision", "commentaire": "Le commentaire"}[genre]
    vus = set()
    for e in evenements:
        if not isinstance(e.details, dict) or "sceau" not in e.details or not isinstance(e.details.get(genre), int):
            continue
        cle = e.details[genre]
        vus.add(cle)
        if presents.get(cle) != e.details["sceau"]:
            quoi = "n’est plus dans la base" if cle not in presents else "n’est plus ce que le journal en dit"
            vue._faute(e.rang, f"{nom} {cle}, à l’événement {e.rang}, {quoi}.")
    for cle in sorted(presents.keys() - vus):
        vue._faute(0, f"{nom} {cle} n’est pas au journal.")
