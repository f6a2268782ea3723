"""Rows of a file → what they would change in the draft, every error at once, and what collides with what others did
since the file was given."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils import timezone

from backoffice.socle.erreurs import Invalide
from structures.champs import CHAMPS, Champ
from structures.domaine.fusion import heurts, sans_heurts
from structures.domaine.lecture import relire_toutes
from structures.domaine.patches import Etat, Patch, appliquer, difference, utile, valeur
from structures.domaine.texte import normaliser
from structures.domaine.valider import erreurs_coherence, erreurs_de_forme
from structures.enums import NatureConcept, Niveau, niveau_parent
from structures.importations.tableau import Lignes, illisible
from structures.models import Association
from structures.requetes import etats_au

from ...models import Dossier, Revision
from ..apercu import NoeudTravail, apercu
from ..contenu import A_LA_CREATION, MODIFIABLES, champ_du_type
from ..fusion import etat_de_travail
from .colonnes import (
    ACTION,
    CHAMPS_DU_FICHIER,
    CREER,
    IDENTIFIANT,
    LISTES,
    MODIFIER,
    NIVEAU,
    RATTACHEMENT,
    STRUCTURE,
    SUPPRIMER,
    VERSION,
    codes_fermes,
    communes_citees,
    est_inchange,
    lire,
)
from .gabarit import communes_de, jetons_de
from .lexique import Illisible, Lexique
from .suppressions import accueillies, emportees, revision_de

ERREURS_MAXIMALES = 300  # nobody reads more at once
_ACTIONS = {"": "", "modifier": MODIFIER, "creer": CREER, "supprimer": SUPPRIMER}
_NIVEAUX = {normaliser(mot): n.value for n in Niveau for mot in (n.value, n.label)} | {"pole": Niveau.POLE.value}


@dataclass(frozen=True, slots=True)
class Erreur:
    """Where it is in the file (row as the spreadsheet numbers it, title of the column) and why it can't be taken."""

    ligne: int
    colonne: str
    raison: str


@dataclass(slots=True)
class Analyse:
    """``lignes``: what ``Proposition.lignes`` keeps, one object a row that changes something:

    ``ligne``, ``action``, ``fiche`` (id, null for a new one), ``cle`` (how other rows name a new one), ``niveau``,
    ``parent`` (id, « cle » of a new one, or null: where it is), ``patch`` (over the fiche as it is), ``heurts`` (field
    → change that collides with what others did since), ``version`` (what the analysis was made on), ``emporte`` (id
    and number of the save of each fiche below that a deletion takes along).
    """

    erreurs: list[Erreur] = field(default_factory=list)
    lignes: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class _Ligne:
    numero: int
    cellules: dict[str, str]  # by title of the column
    noeud: NoeudTravail | None = None
    niveau: str = ""
    action: str = MODIFIER
    parent: int | str | None = None

    @property
    def cle(self) -> str:
        """How others name a new fiche: what its row says, else what no trimmed cell can say."""
        return self.cellules.get(IDENTIFIANT) or f" ligne {self.numero}"


def analyser(dossier: Dossier, brutes: Lignes) -> Analyse:
    """Read everything, refuse nothing silently, up to ``ERREURS_MAXIMALES``. A constant number of statements."""
    analyseur = _Analyseur(dossier)
    try:
        analyseur.analyser(brutes)
    except _TropDErreurs:
        analyseur.resultat.lignes.clear()
    return analyseur.resultat


class _TropDErreurs(Exception):
    """As many errors as are told."""


class _Analyseur:
    def __init__(self, dossier: Dossier) -> None:
        self.dossier = dossier
        self.jour = timezone.localdate()
        self.arbre = apercu(dossier)
        self.noeuds = {n.identifiant: n for n in self.arbre.noeuds.values()}
        self.resultat = Analyse()

    def analyser(self, brutes: Lignes) -> None:
        lignes = self._lignes(brutes)
        if lignes is None:
            return
        self._reconnaitre(lignes)
        self._placer(lignes)
        self._lire_l_etat(lignes)
        for ligne in lignes:
            self._comparer(ligne)
        self._refuser_les_perdues(lignes)
        self._suivre_les_suppressions()

    def _erreur(self, ligne: int, colonne: str, raison: str) -> None:
        self.resultat.erreurs.append(Erreur(ligne, colonne, raison))
        if len(self.resultat.erreurs) == ERREURS_MAXIMALES:
            raise _TropDErreurs

    # -- the columns ---------------------------------------------------------------------------------

    def _lignes(self, brutes: Lignes) -> list[_Ligne] | None:
        """The rows by column; None when the header can't be used."""
        if not brutes or not any(brutes[0]):
            self._erreur(1, "", "la première ligne doit donner les titres des colonnes : partez du gabarit.")
            return None
        titres = [self._titre(rang, brut) for rang, brut in enumerate(brutes[0])]
        for rang, titre in enumerate(titres):
            if titre and titre in titres[:rang]:
                self._erreur(1, titre, "cette colonne est là deux fois : n’en gardez qu’une.")
        for manque in sorted({IDENTIFIANT, NIVEAU} - set(titres)):
            self._erreur(1, manque, "cette colonne manque : partez du gabarit.")
        if self.resultat.erreurs:
            return None
        lignes = []
        for numero, brute in enumerate(brutes[1:], 2):
            cellules = {t: c for t, c in zip(titres, brute, strict=False) if t}
            if any(cellules.values()):
                lignes.append(_Ligne(numero, cellules))
            for titre, texte in cellules.items():
                if raison := illisible(texte):
                    self._erreur(numero, titre, raison)
                    cellules[titre] = ""
        if not lignes:
            self._erreur(2, "", "le fichier ne contient aucune fiche.")
        return lignes

    def _titre(self, rang: int, brut: str) -> str:
        connus = {normaliser(t): t for t in (*STRUCTURE, VERSION)}
        connus |= {normaliser(mot): c.libelle for c in CHAMPS_DU_FICHIER for mot in (c.nom, c.libelle)}
        if not brut:
            return ""
        if (titre := connus.get(normaliser(brut))) is None:
            self._erreur(1, brut[:40], f"la colonne {rang + 1} n’est pas du gabarit : retirez-la.")
            return ""
        return titre

    # -- which fiche, what is asked ------------------------------------------------------------------

    def _reconnaitre(self, lignes: Iterable[_Ligne]) -> None:
        """Find the fiche of each row; refuse rows that name one twice, or one that is not of this establishment."""
        deja: dict[str, int] = {}
        for ligne in lignes:
            identifiant = ligne.cellules.get(IDENTIFIANT, "")
            if identifiant and identifiant in deja:
                self._erreur(ligne.numero, IDENTIFIANT, f"« {identifiant} » est déjà à la ligne {deja[identifiant]}.")
            deja.setdefault(identifiant, ligne.numero)
            ligne.noeud = self.noeuds.get(identifiant)
            action = _ACTIONS.get(normaliser(ligne.cellules.get(ACTION, "")))
            if action is None:
                self._erreur(ligne.numero, ACTION, "écrivez créer, modifier ou supprimer, ou laissez vide.")
            ligne.action = action or (MODIFIER if ligne.noeud else CREER)
            self._verifier_action(ligne, identifiant)
            self._verifier_niveau(ligne)

    def _verifier_action(self, ligne: _Ligne, identifiant: str) -> None:
        if ligne.noeud is None:
            if ligne.action != CREER or "/" in identifiant or (identifiant.isalnum() and len(identifiant) > 9):
                self._erreur(
                    ligne.numero, IDENTIFIANT, f"« {identifiant[:40]} » n’est pas une fiche de cet établissement."
                )
        elif ligne.action == CREER:
            self._erreur(ligne.numero, ACTION, "cette fiche existe déjà : laissez l’action vide.")
        elif ligne.noeud.supprime and ligne.action == MODIFIER:
            self._erreur(ligne.numero, IDENTIFIANT, "cette fiche est supprimée dans le dossier.")
        elif ligne.noeud is self.arbre.racine and ligne.action == SUPPRIMER:
            self._erreur(ligne.numero, ACTION, "un établissement ne se supprime pas par un dossier collaboratif.")

    def _verifier_niveau(self, ligne: _Ligne) -> None:
        texte = ligne.cellules.get(NIVEAU, "")
        niveau = _NIVEAUX.get(normaliser(texte), "")
        ligne.niveau = ligne.noeud.niveau if ligne.noeud else niveau
        if ligne.noeud and texte and niveau != ligne.noeud.niveau:
            self._erreur(ligne.numero, NIVEAU, f"cette fiche est de niveau {ligne.noeud.niveau}.")
        elif not ligne.noeud and niveau not in (Niveau.POLE, Niveau.SERVICE, Niveau.UF, Niveau.UO):
            self._erreur(ligne.numero, NIVEAU, "indiquez le niveau de la nouvelle fiche : P, S, UF ou UO.")

    # -- where ---------------------------------------------------------------------------------------

    def _placer(self, lignes: list[_Ligne]) -> None:
        """Resolve « Rattachement »."""
        nouvelles = {ligne.cle: ligne for ligne in lignes if ligne.noeud is None}
        for ligne in lignes:
            voulu = ligne.cellules.get(RATTACHEMENT, "")
            if ligne.noeud is self.arbre.racine or ligne.action == SUPPRIMER or (ligne.noeud and not voulu):
                continue
            dessus = self.noeuds.get(voulu) or nouvelles.get(voulu)
            if dessus is None:
                raison = f"« {voulu[:40]} » n’est ni une fiche de l’établissement, ni le repère d’une nouvelle ligne."
                self._erreur(ligne.numero, RATTACHEMENT, raison if voulu else "indiquez la fiche du dessus.")
                continue
            attendu = niveau_parent(ligne.niveau, self.arbre.champ)
            if dessus.niveau != attendu:
                ou = f"ne peut être que sous un niveau {attendu}" if attendu else "n’existe pas dans cet établissement"
                self._erreur(ligne.numero, RATTACHEMENT, f"une fiche de niveau {ligne.niveau} {ou}.")
                continue  # what hangs is never longer than the levels
            if isinstance(dessus, _Ligne):
                ligne.parent = dessus.cle
            elif not ligne.noeud or dessus.fiche_id != ligne.noeud.parent_id:
                ligne.parent = dessus.fiche_id

    def _refuser_les_perdues(self, lignes: list[_Ligne]) -> None:
        """Nothing may be hung under, or filled in, what the file or the dossier deletes; a row left as it was
        given goes with it."""
        parents: dict[int | str, int | str | None] = {n.fiche_id: n.parent_id for n in self.arbre.noeuds.values()}
        parents |= {self._qui(ligne): ligne.parent for ligne in lignes if ligne.parent is not None}
        supprimees = {n.fiche_id for n in self.arbre.noeuds.values() if n.supprime}
        ici = {ligne.noeud.fiche_id for ligne in lignes if ligne.action == SUPPRIMER and ligne.noeud}
        retenues = {ligne["ligne"] for ligne in self.resultat.lignes if ligne["action"] != SUPPRIMER}
        for ligne in (ligne for ligne in lignes if ligne.numero in retenues):
            dessus, vus = parents.get(self._qui(ligne)), set[int | str]()
            while dessus is not None and dessus not in vus and dessus not in supprimees | ici:
                vus.add(dessus)
                dessus = parents.get(dessus)
            if dessus is not None and dessus in supprimees | ici:
                par = "ce fichier" if dessus in ici else "le dossier"
                self._erreur(ligne.numero, RATTACHEMENT, f"{par} supprime la fiche à laquelle celle-ci est rattachée.")

    @staticmethod
    def _qui(ligne: _Ligne) -> int | str:
        return ligne.noeud.fiche_id if ligne.noeud else ligne.cle

    # -- what the fiches hold ------------------------------------------------------------------------

    def _lire_l_etat(self, lignes: Collection[_Ligne]) -> None:
        """The fiches as they are, and as the file was given with them."""
        noeuds = [ligne.noeud for ligne in lignes if ligne.noeud]
        registre = etats_au(n.fiche_id for n in noeuds)
        self.jetons = jetons_de(registre)
        self.etats = {n.fiche_id: etat_de_travail(n.travail, registre.get(n.fiche_id, {})) for n in noeuds}
        self.montres = dict(self.etats)
        self._relire(lignes)
        citees = [
            citee
            for ligne in lignes
            for champ in CHAMPS_DU_FICHIER
            for citee in communes_citees(champ, ligne.cellules.get(champ.libelle, ""))
        ]
        codes = communes_de(self.etats) | communes_de(self.montres) | {code for code, _ in citees if code}
        self.lexique = Lexique(LISTES, codes, {nom for _, nom in citees if nom})
        self.champs_des_types: dict[str, list[str]] = {}
        paires = Association.objects.filter(nature=NatureConcept.TYPE_CHAMP, source__nomenclature="J238")
        for type_, champ in paires.order_by("pk").values_list("source__code", "cible__code"):
            self.champs_des_types.setdefault(type_, []).append(champ)

    def _relire(self, lignes: Iterable[_Ligne]) -> None:
        """For rows given before something was saved since: the fiche as it was then."""
        depassees: dict[int, tuple[_Ligne, int, str, date]] = {}
        for ligne in lignes:
            noeud = ligne.noeud
            if noeud is None or not ligne.cellules.get(VERSION):
                continue
            try:
                revision, jeton, jour = _lire_version(ligne.cellules[VERSION])
            except ValueError:
                self._erreur(ligne.numero, VERSION, "elle a été modifiée : reprenez celle du gabarit, ou videz-la.")
                continue
            if (revision, jeton) != (revision_de(noeud), self.jetons.get(noeud.fiche_id, "")):
                depassees[noeud.fiche_id] = (ligne, revision, jeton, jour)
        alors = relire_toutes({cle: (jeton, jour) for cle, (_, _, jeton, jour) in depassees.items() if jeton})
        revisions = {
            (r.fiche_id, r.numero): r.patch
            for r in Revision.objects.filter(
                dossier=self.dossier,
                fiche__in=[cle for cle, (ligne, *_) in depassees.items() if ligne.noeud and ligne.noeud.travail],
                numero__in={revision for _, revision, _, _ in depassees.values()},
            )
        }
        for cle, (ligne, revision, jeton, _) in depassees.items():
            patch = revisions.get((cle, revision)) if revision else {}
            etat = alors.get(cle) if jeton else {}
            if patch is None or etat is None:
                self._erreur(
                    ligne.numero, VERSION,
                    "ce que le fichier montrait de cette fiche a été annulé depuis : reprenez un gabarit neuf.",
                )  # fmt: skip
            else:
                self.montres[cle] = appliquer(etat, patch)

    # -- the values ----------------------------------------------------------------------------------

    def _comparer(self, ligne: _Ligne) -> None:
        cle = ligne.noeud.fiche_id if ligne.noeud else 0
        if ligne.action == SUPPRIMER:
            if ligne.noeud and not ligne.noeud.supprime:
                self._retenir(ligne, {}, {})
            return
        montre, etat = self.montres.get(cle, {}), self.etats.get(cle, {})
        if not ligne.noeud and ligne.niveau == Niveau.UO:
            montre = etat = {"age_min_unite": "an", "age_max_unite": "an"}
        mien = difference(montre, self._saisie(ligne, montre))
        trouves = {h.nom for h in heurts(montre, etat, mien)}
        garde = utile(etat, sans_heurts(montre, etat, mien, trouves))
        garde |= self._champ_du_type(ligne, appliquer(etat, garde), garde)
        tout = utile(etat, {**garde, **{nom: mien[nom] for nom in trouves}})
        self._verifier(ligne, etat, tout)
        collisions = {nom: mien[nom] for nom in trouves if nom in tout}
        if not ligne.noeud:
            garde = difference({}, appliquer(etat, garde))
        if garde or collisions or ligne.parent is not None:
            self._retenir(ligne, garde, collisions)

    def _saisie(self, ligne: _Ligne, montre: Etat) -> dict[str, Any]:
        """The values of the cells that no longer say what the file was given with."""
        saisie: dict[str, Any] = {}
        for champ in CHAMPS_DU_FICHIER:
            texte = ligne.cellules.get(champ.libelle)
            if texte is None:
                continue
            if ligne.niveau not in champ.niveaux:
                if texte and ligne.niveau:
                    raison = f"ce champ n’existe pas sur une fiche de niveau {ligne.niveau} : videz la cellule."
                    self._erreur(ligne.numero, champ.libelle, raison)
                continue
            if est_inchange(champ, texte, montre, self.lexique) or (not ligne.noeud and not texte):
                continue
            try:
                saisie[champ.nom] = lire(champ, texte, montre, self.lexique)
            except Illisible as erreur:
                self._erreur(ligne.numero, champ.libelle, str(erreur))
                continue
            if self._est_fige(ligne, champ) and saisie[champ.nom] != valeur(montre, champ.nom):
                self._erreur(ligne.numero, champ.libelle, "ce champ ne change plus une fois la fiche publiée.")
                del saisie[champ.nom]
        return saisie

    @staticmethod
    def _est_fige(ligne: _Ligne, champ: Champ) -> bool:
        neuve = ligne.noeud is None or ligne.noeud.neuve
        return champ.qui not in (A_LA_CREATION if neuve else MODIFIABLES)

    def _champ_du_type(self, ligne: _Ligne, apres: Etat, patch: Patch) -> Patch:
        permis = self.champs_des_types.get(valeur(apres, "type_uo"), [])
        try:
            return champ_du_type(permis, patch, apres, ligne.noeud is None or ligne.noeud.neuve)
        except Invalide:
            self._erreur(
                ligne.numero, CHAMPS["type_uo"].libelle, "choisissez un type du même champ d’activité que l’unité."
            )
            return {}

    def _verifier(self, ligne: _Ligne, etat: Etat, patch: Patch) -> None:
        apres = appliquer(etat, patch)
        erreurs = erreurs_de_forme(ligne.niveau, patch, apres) if ligne.niveau else {}
        sains = [nom for nom in patch if nom not in erreurs]
        for nom, fermes in codes_fermes(sains, etat, apres, self.lexique, self.jour).items():
            mots = ", ".join(fermes)
            erreurs[nom] = [f"{mots} : ce code est fermé, choisissez une valeur en vigueur."]
        for nom, messages in (erreurs | erreurs_coherence(sains, apres)).items():
            for message in messages:
                self._erreur(ligne.numero, CHAMPS[nom].libelle, message)

    def _retenir(self, ligne: _Ligne, patch: Patch, collisions: Patch) -> None:
        noeud = ligne.noeud
        self.resultat.lignes.append(
            {
                "ligne": ligne.numero,
                "action": ligne.action,
                "fiche": noeud.fiche_id if noeud else None,
                "cle": "" if noeud else ligne.cle,
                "niveau": ligne.niveau,
                "parent": ligne.parent,
                "patch": patch,
                "heurts": collisions,
                "version": [revision_de(noeud), self.jetons.get(noeud.fiche_id, "")] if noeud else [0, ""],
                "emporte": [],
            }
        )

    def _suivre_les_suppressions(self) -> None:
        """Keep what each deletion takes along; refuse those that the gesture refuses."""
        dessous = emportees(self.arbre, self.resultat.lignes)
        perdues = accueillies(self.arbre, dessous)
        for ligne in self.resultat.lignes:
            ligne["emporte"] = [[n.fiche_id, revision_de(n)] for n in dessous.get(ligne["fiche"], [])]
            if perdue := perdues.get(ligne["fiche"]):
                raison = (
                    f"« {perdue.designation} » a été déplacée sous cette nouvelle fiche : déplacez-la d’abord ailleurs."
                )
                self._erreur(ligne["ligne"], ACTION, raison)


def _lire_version(texte: str) -> tuple[int, str, date]:
    revision, jeton, jour = texte.split("/")
    if not (revision.isascii() and revision.isdecimal() and len(revision) < 10):
        raise ValueError(revision)
    return int(revision), jeton, date.fromisoformat(jour)
