"""Accounts and rights from a spreadsheet: a kind of import (structures/importations).

A row is a person and, when it says a role, one of her rights; several rows may be about one person. Everything goes
through the verbs of the screens, with their refusals, each told with its line and column. One refused row refuses the
file: nothing is half imported. An account is never closed, nor a right taken back, because a row is missing.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from backoffice.comptes import domaine as comptes
from backoffice.comptes.models import User
from backoffice.exports.fichiers import Ligne
from backoffice.socle.erreurs import ErreurMetier
from backoffice.socle.mots import date_longue
from structures.domaine import habilitations
from structures.domaine.texte import normaliser
from structures.enums import ROLES_EDITEURS, Role, SortDetail
from structures.importations.bilan import Bilan, Detail
from structures.importations.genres import Genre
from structures.importations.lecture import FichierRefuse
from structures.importations.suivi import Suivi
from structures.importations.tableau import illisible, lire
from structures.models import Autorite, Habilitation
from structures.requetes import noms_au
from structures.resources import Choix, Jour

from . import domaine
from .requetes import ou_en_mots

NOUVEAUX_MAXIMUM = 500  # a provisional password takes a third of a second, and the whole file is one transaction

COLONNES = ("Identifiant", "Nom", "Prénom", "E-mail", "Rôle", "Structure", "Début", "Fin")
_SYNONYMES = {
    "e mail": "E-mail", "email": "E-mail", "courriel": "E-mail", "adresse e mail": "E-mail", "droit": "Rôle",
    "finess": "Structure", "autorite": "Structure", "structure finess ou autorite": "Structure",
}  # fmt: skip
_CHAMPS = {
    "identifiant": "Identifiant", "nom": "Nom", "prenom": "Prénom", "email": "E-mail", "role": "Rôle",
    "finess": "Structure", "autorite": "Structure", "debut": "Début", "fin": "Fin",
}  # fmt: skip
EXPLICATIONS: tuple[Ligne, ...] = (
    ("Colonne", "Comment la remplir"),
    ("Identifiant", "Obligatoire. Un identifiant inconnu ouvre un compte : son mot de passe provisoire part par "
     "courriel, une seule fois, quand l’import est appliqué. Les majuscules ne comptent pas."),
    ("Nom, Prénom, E-mail", "Obligatoires pour un nouveau compte. Pour un compte qui existe : vide ne change rien."),
    ("Rôle", "Référent, Direction, Tutelle ou Gestionnaire. Vide : la ligne ne parle que du compte. Une ligne par "
     "droit : répétez l’identifiant."),
    ("Structure", "Référent, Direction : le numéro FINESS de l’établissement ou de l’entité juridique. Tutelle : le "
     "code ou le nom de l’autorité. Gestionnaire : vide."),
    ("Début", "31/03/2027. Vide : aujourd’hui."),
    ("Fin", "Premier jour sans le droit. Sur un droit en cours, elle y met fin ce jour-là. Retirer une ligne du "
     "fichier ne retire aucun droit."),
    ("Vos propres droits", "Personne ne se donne ni ne se retire un droit : ces lignes sont refusées."),
)  # fmt: skip


def modele() -> list[tuple[str, Iterator[Ligne]]]:
    """(title, rows) of the workbook to fill."""
    return [("Comptes", iter([COLONNES])), ("Mode d’emploi", iter(EXPLICATIONS)), ("Autorités", _autorites())]


def _autorites() -> Iterator[Ligne]:
    yield ("Code", "Nom")
    yield from Autorite.objects.order_by("pk").values_list("pk", "nom")


class Refus(Exception):
    def __init__(self, colonne: str, raison: str) -> None:
        super().__init__(raison)
        self.colonne, self.raison = colonne, raison


@dataclass(slots=True)
class Rangee:
    numero: int
    cellules: dict[str, str]

    def __getitem__(self, colonne: str) -> str:
        return self.cellules.get(colonne, "")


def lire_rangees(chemin: Path) -> list[Rangee]:
    """The rows that say something, their number in the file first. Refuses a file without the columns it needs."""
    with chemin.open("rb") as flux:
        lignes = lire(flux, chemin.stat().st_size)
    titres = [_titre(t) for t in (lignes[0] if lignes else [])]
    for colonne in COLONNES:
        if titres.count(colonne) > 1:
            raise FichierRefuse(f"la colonne « {colonne} » s’y trouve deux fois.")
    manquantes = [c for c in ("Identifiant", "Nom", "Prénom", "E-mail") if c not in titres]
    if manquantes:
        raise FichierRefuse(
            f"il manque {'la colonne' if len(manquantes) == 1 else 'les colonnes'} {', '.join(manquantes)}. Partez du "
            "modèle, ou de l’export des comptes."
        )
    rangees = [
        Rangee(numero, {titre: cellule for titre, cellule in zip(titres, ligne, strict=False) if titre in COLONNES})
        for numero, ligne in enumerate(lignes[1:], 2)
    ]
    return [r for r in rangees if any(r.cellules.values())]


def _titre(brut: str) -> str:
    mots = normaliser(brut)
    par_mots = {normaliser(c): c for c in COLONNES}
    return par_mots.get(mots) or _SYNONYMES.get(mots, brut)


def importer(chemin: Path, suivi: Suivi) -> Bilan:
    if suivi.acteur is not None:
        domaine.exiger_gestionnaire(suivi.acteur)
    passage = _Passage(suivi.acteur)
    rangees = lire_rangees(chemin)
    for rangee in suivi.parcourir(rangees, "Lecture des comptes", len(rangees)):
        passage.traiter(rangee)
    return passage.bilan(len(rangees))


@dataclass(slots=True)
class _Passage:
    """One reading of the file, its rows done for real one after the other."""

    acteur: User | None
    details: list[Detail] = field(default_factory=list)
    # By identifier, the first row that says each column.
    vues: dict[str, dict[str, Rangee]] = field(default_factory=dict)
    autorites: dict[str, str] = field(default_factory=lambda: _par_mots())
    droits: dict[tuple[Any, ...], int] = field(default_factory=dict)  # (account, role, scope, beginning) → its row
    ouverts: int = 0

    def traiter(self, rangee: Rangee) -> None:
        """All of a row, or a refusal."""
        try:
            with transaction.atomic():
                faits = self._faire(rangee)
        except Refus as refus:
            faits = [self._refus(rangee, refus.colonne, refus.raison)]
        except ErreurMetier as refus:
            phrases = [(c, m) for c, messages in refus.champs.items() for m in messages] or [("", refus.message)]
            faits = [self._refus(rangee, _CHAMPS.get(c, c), m) for c, m in phrases]
        self.details += faits

    def _refus(self, rangee: Rangee, colonne: str, raison: str) -> Detail:
        return Detail(
            SortDetail.REFUSE, rangee.numero, colonne, rangee["Identifiant"], _nom(rangee), "", colonne, "",
            rangee[colonne], raison,
        )  # fmt: skip

    def _faire(self, rangee: Rangee) -> list[Detail]:
        for colonne, texte in rangee.cellules.items():
            if pourquoi := illisible(texte):
                raise Refus(colonne, pourquoi)
        cle = rangee["Identifiant"].lower()
        if not cle:
            raise Refus("Identifiant", "Indiquez l’identifiant du compte.")
        self._refuser_contradiction(rangee, self.vues.setdefault(cle, {}))
        user = User.objects.filter(username__iexact=cle).first()
        if user is None:
            user, faits = self._ouvrir(rangee)
        else:
            faits = self._changer(user, rangee)
        faits += self._droit(user, rangee)
        return faits or [Detail(SortDetail.INCHANGE, rangee.numero, "", user.username, str(user))]

    def _refuser_contradiction(self, rangee: Rangee, premieres: dict[str, Rangee]) -> None:
        for colonne in ("Nom", "Prénom", "E-mail"):
            if not rangee[colonne]:
                continue
            premiere = premieres.setdefault(colonne, rangee)
            if rangee[colonne].casefold() != premiere[colonne].casefold():
                dit = f"La ligne {premiere.numero} dit « {premiere[colonne]} » pour cette même personne."
                raise Refus(colonne, dit)

    def _ouvrir(self, rangee: Rangee) -> tuple[User, list[Detail]]:
        if self.ouverts >= NOUVEAUX_MAXIMUM:
            raise Refus("Identifiant", f"Un fichier ouvre {NOUVEAUX_MAXIMUM} comptes au plus : répartissez-les.")
        user, _ = comptes.creer_compte(
            identifiant=rangee["Identifiant"],
            email=rangee["E-mail"],
            prenom=rangee["Prénom"],
            nom=rangee["Nom"],
            acteur=self.acteur,
        )
        self.ouverts += 1
        faits = [Detail(SortDetail.CREE, rangee.numero, "", user.username, str(user), champ="Compte", apres=user.email)]
        autres = User.objects.filter(email__iexact=user.email).exclude(pk=user.pk).order_by("pk")
        if (autre := autres.first()) is not None:
            raison = f"Le compte « {autre.username} » ({autre}) a la même adresse : est-ce la même personne ?"
            faits.append(
                Detail(SortDetail.SIGNALE, rangee.numero, "E-mail", user.username, str(user), "", "E-mail", "",
                       user.email, raison)
            )  # fmt: skip
        return user, faits

    def _changer(self, user: User, rangee: Rangee) -> list[Detail]:
        avant = {"Nom": user.last_name, "Prénom": user.first_name, "E-mail": user.email}
        change = {c: rangee[c] for c, v in avant.items() if rangee[c] and rangee[c] != v}
        if "E-mail" in change and change["E-mail"].casefold() == avant["E-mail"].casefold():
            del change["E-mail"]  # the case of an address is nothing to write to everybody about
        if not change:
            return []
        comptes.corriger_compte(
            user=user, nom=change.get("Nom"), prenom=change.get("Prénom"), email=change.get("E-mail"),
            acteur=self.acteur,
        )  # fmt: skip
        return [
            Detail(SortDetail.CHANGE, rangee.numero, c, user.username, str(user), "", c, avant[c], apres)
            for c, apres in change.items()
        ]

    # -- rights ----------------------------------------------------------------------------------------

    def _droit(self, user: User, rangee: Rangee) -> list[Detail]:
        if not rangee["Rôle"]:
            for colonne in ("Structure", "Début", "Fin"):
                if rangee[colonne]:
                    raise Refus("Rôle", f"« {colonne} » est rempli : dites de quel rôle il s’agit.")
            return []
        role = _cellule(Choix(Role), "Rôle", rangee)
        debut, fin = (_cellule(Jour(), colonne, rangee) for colonne in ("Début", "Fin"))
        finess, autorite = ("", "") if role == Role.GESTIONNAIRE else _portee(role, rangee["Structure"], self.autorites)
        if role == Role.GESTIONNAIRE and rangee["Structure"]:
            raise Refus("Structure", "Un gestionnaire l’est de toute la région : laissez cette case vide.")
        siens = Habilitation.objects.filter(user=user, role=role).select_related("autorite", "fiche")
        if autorite:
            siens = siens.filter(autorite=autorite)
        elif finess:
            siens = siens.filter(fiche__identifiant=f"1{finess}")
        cle = (user.pk, role, finess, autorite, debut)
        if (premiere := self.droits.setdefault(cle, rangee.numero)) != rangee.numero:
            raise Refus("Rôle", f"La ligne {premiere} parle déjà de ce droit.")
        if debut is not None and siens.filter(debut=debut, fin=fin).exists():
            return []
        vivant = siens.filter(Q(fin__isnull=True) | Q(fin__gt=timezone.localdate())).order_by("debut").first()
        if vivant is not None and debut in (None, vivant.debut):
            return self._terminer(user, vivant, fin, rangee) if fin and fin != vivant.fin else []
        fiche, choisie = domaine.portee(role, finess, autorite)
        donne = habilitations.accorder(
            user=user, role=role, fiche=fiche, autorite=choisie, debut=debut, fin=fin, acteur=self.acteur
        )
        return [_detail(SortDetail.CREE, rangee, user, "", _en_mots(donne))]

    def _terminer(self, user: User, vivant: Habilitation, fin: date, rangee: Rangee) -> list[Detail]:
        if self.acteur is not None and user.pk == self.acteur.pk:
            raise Refus("Fin", "Personne ne met fin à ses propres droits : demandez-le à un autre gestionnaire.")
        if vivant.fin is not None and fin > vivant.fin:
            raise Refus("Fin", f"Ce droit prend fin le {date_longue(vivant.fin)} : donnez-en un nouveau ensuite.")
        avant = _en_mots(vivant)
        domaine.terminer_droit(habilitation=vivant, acteur=self.acteur, fin=fin)
        return [_detail(SortDetail.FERME, rangee, user, avant, _en_mots(vivant))]

    # -- the report ------------------------------------------------------------------------------------

    def bilan(self, rangees: int) -> Bilan:
        nombres = Counter((d.sort, d.champ if d.champ in ("Compte", "Droit") else "") for d in self.details)
        refusees = {d.ligne for d in self.details if d.sort == SortDetail.REFUSE}
        bilan = Bilan(
            [f"{rangees} lignes lues, {len(self.vues)} personnes."],
            {
                "Comptes ouverts": nombres[SortDetail.CREE, "Compte"],
                "Corrections": nombres[SortDetail.CHANGE, ""],
                "Droits donnés": nombres[SortDetail.CREE, "Droit"],
                "Droits terminés": nombres[SortDetail.FERME, "Droit"],
                "Lignes sans effet": nombres[SortDetail.INCHANGE, ""],
                "Lignes refusées": len(refusees),
            },
            self.details,
            complet=True,
        )
        if refusees:
            bilan.refus = (
                "Des lignes sont refusées : corrigez-les, puis déposez de nouveau le fichier. Rien n’a été importé."
            )
        return bilan


def _nom(rangee: Rangee) -> str:
    return f"{rangee['Prénom']} {rangee['Nom']}".strip()


def _cellule(widget: Any, colonne: str, rangee: Rangee) -> Any:
    try:
        return widget.clean(rangee[colonne]) if rangee[colonne] else None
    except (ValueError, ValidationError) as erreur:
        raise Refus(colonne, str(erreur)) from erreur


def _par_mots() -> dict[str, str]:
    """The code of each authority, by its code and by its name."""
    return {normaliser(mot): a.pk for a in Autorite.objects.order_by("pk") for mot in (a.nom, a.pk)}


def _portee(role: str, brut: str, par_mots: dict[str, str]) -> tuple[str, str]:
    """(FINESS number, code of the authority), the one that this role takes."""
    if role in ROLES_EDITEURS:
        return "".join(brut.split()).upper().zfill(9) if brut else "", ""
    if not brut:
        raise Refus("Structure", "Indiquez l’autorité : son code ou son nom, de la feuille « Autorités » du modèle.")
    if normaliser(brut) not in par_mots:
        raise Refus("Structure", f"L’autorité « {brut[:60]} » n’existe pas.")
    return "", par_mots[normaliser(brut)]


def _en_mots(droit: Habilitation) -> str:
    """« Référent, Hôpital TEST (750000000), depuis le 3 mars 2027 jusqu’au 4 avril 2027 »."""
    ou = ou_en_mots(droit, noms_au([droit.fiche_id]) if droit.fiche_id else {})
    jusqu_au = f" jusqu’au {date_longue(droit.fin)}" if droit.fin else ""
    mots = [droit.get_role_display(), ou, f"depuis le {date_longue(droit.debut)}{jusqu_au}"]
    return ", ".join(mot for mot in mots if mot)


def _detail(sort: SortDetail, rangee: Rangee, user: User, avant: str, apres: str) -> Detail:
    return Detail(sort, rangee.numero, "Rôle", user.username, str(user), "", "Droit", avant, apres)


COMPTES = Genre(
    "comptes",
    "Comptes et droits",
    "Les personnes, leurs rôles et leurs structures, depuis un tableur : comptes à ouvrir, droits à donner ou à "
    "terminer.",
    (".xlsx", ".ods", ".csv"),
    importer,
    modele="comptes_modele",
)
