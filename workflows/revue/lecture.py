"""Read what a dossier changes and put it in words. A constant number of statements for any number of changes."""

from collections import defaultdict
from collections.abc import Mapping
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from backoffice.socle.mots import nombre, pluriel
from structures.affichage import Affichage
from structures.champs import CHAMPS, Qui, champs_de, est_vide, libelle
from structures.domaine.patches import Etat, appliquer, depuis_json, valeur
from structures.enums import Niveau
from structures.regles import peut_lire_contacts_tres_restreints
from structures.requetes import etats_au

from ..domaine.apercu import Apercu, apercu
from ..domaine.collisions import collisions
from ..domaine.fusion import conflits
from ..enums import Nature
from ..models import Commentaire, Dossier, FicheTravail
from . import attentions
from .lieux import Lieux, lieux_de
from .modele import Changement, rattacher

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from backoffice.comptes.models import User

# What is needed to say and to weigh any change, beside the fields of its patch.
_CONTEXTE = {"unite_sensible", "age_min_unite", "age_max_unite", "activites", "capacites"}


def changements(
    dossier: Dossier, lecteur: "User | AnonymousUser | None" = None, *, fiche: int | None = None
) -> list[Changement]:
    """What the dossier does, fiche by fiche (to one ``fiche``), in the order of the tree; a constant number of
    statements.

    An open dossier is compared with the register of today, an ended one with what it was written on. Contacts *très
    restreint* are masked unless ``lecteur`` answers for the establishment.
    """
    tout_voir = lecteur is not None and peut_lire_contacts_tres_restreints(lecteur, dossier.eg)
    return Lecture(dossier, fiche=fiche).changements(tout_voir=tout_voir)


class Lecture:
    """Everything that the review of a dossier needs, read once; then worded as often as wanted."""

    def __init__(self, dossier: Dossier, *, fiche: int | None = None) -> None:
        self.dossier = dossier
        self.tous = list(dossier.fiches.select_related("fiche", "modifiee_par"))
        self.entier = fiche is None
        self.travaux = [t for t in self.tous if fiche is None or t.fiche_id == fiche]
        ouvert = bool(self.travaux) and dossier.est_ouvert
        self.registre: dict[int, Etat] = etats_au(t.fiche_id for t in self.travaux) if ouvert else {}
        self.etats = {t.fiche_id: self._avant_apres(t) for t in self.travaux}

    def _avant_apres(self, travail: FicheTravail) -> tuple[Etat, Etat]:
        """Both states, on what the patch touches and what is needed to say it."""
        if self.dossier.est_ouvert:
            etat = self.registre.get(travail.fiche_id, {})
            avant = {n: etat[n] for n in {*travail.patch, *_CONTEXTE} if n in etat}
        else:
            avant = {n: depuis_json(n, v) for n, v in travail.base.items()}
        return avant, appliquer(avant, travail.patch)

    @cached_property
    def arbre(self) -> Apercu | None:
        """The tree that an open dossier makes."""
        return apercu(self.dossier, self.tous) if self.dossier.est_ouvert else None

    @cached_property
    def lieux(self) -> Lieux:
        return lieux_de(self.tous, self.arbre)

    @cached_property
    def _url(self) -> str:
        return reverse("dossier", args=[self.dossier.pk])  # that of each fiche is under it: a thousand cost

    @cached_property
    def _mots(self) -> Affichage:
        return Affichage((etat for paire in self.etats.values() for etat in paire), niveau=Niveau.UO)

    @cached_property
    def _commentaires(self) -> Mapping[int, list[Commentaire]]:
        """The first comment of each thread that nobody has settled, by fiche."""
        ouverts = self.dossier.commentaires.filter(parent__isnull=True, resolu_le__isnull=True)
        par_fiche: dict[int, list[Commentaire]] = defaultdict(list)
        for commentaire in ouverts.select_related("auteur"):
            par_fiche[commentaire.fiche_id].append(commentaire)
        return par_fiche

    def changements(self, *, tout_voir: bool) -> list[Changement]:
        """In the order of the tree. ``tout_voir``: contacts *très restreint* are told, not masked."""
        if not self.travaux:
            return []
        mots = copy(self._mots)
        mots.tres_restreint = tout_voir
        liste = [self._changement(t, mots) for t in self.travaux]
        liste.sort(key=lambda c: self.lieux.rang.get(c.fiche, len(self.lieux.rang)))
        rattacher(liste)
        if self.arbre:
            attentions.marquer_collisions(liste, collisions(self.dossier, self.tous, self.arbre))
            attentions.marquer_dernieres_offres(self.dossier.eg, liste, self.etats, self.tous, mots)
            if self.entier:
                attentions.marquer_etablissement(self.dossier.eg, liste, self.etats, self.travaux)
        attentions.marquer_fermetures(liste)
        return liste

    def _changement(self, travail: FicheTravail, mots: Affichage) -> Changement:
        fiche, niveau, nature, lieux = travail.fiche_id, travail.fiche.niveau, travail.nature, self.lieux
        avant, apres = self.etats[fiche]
        mots = copy(mots)
        mots.niveau = niveau
        parent = lieux.parents.get(fiche)
        registre = self.registre.get(fiche)
        changement = Changement(
            fiche=fiche,
            identifiant=travail.fiche.identifiant,
            niveau=niveau,
            nom=lieux.nom(fiche),
            url=f"{self._url}fiches/{fiche}/",
            nature=nature,
            finalisee=travail.est_finalisee,
            direct=_est_direct(travail),
            natures=[nature],
            parent=lieux.lieu(parent),
            chemin=lieux.chemin(parent),
            sous=self._emportee_par(travail),
            commentaires=self._commentaires.get(fiche, []),
        )
        if nature == Nature.AJOUT:
            changement.contenu = _contenu(mots, niveau, apres)
            changement.extrait = _extrait(mots, apres)
        elif nature != Nature.SUPPRESSION:
            self._comparer(changement, travail, mots)
        en_conflit = bool(registre is not None and conflits(travail, registre))
        changement.attentions = attentions.sur_la_fiche(travail, avant, apres, en_conflit=en_conflit)
        if any(a.code == "type" for a in changement.attentions):
            for ligne in changement.lignes:
                if ligne["nom"] == "type_uo":
                    ligne["attention"] = "à vérifier"
        return changement

    def _comparer(self, changement: Changement, travail: FicheTravail, mots: Affichage) -> None:
        """Before → after of a fiche that stays, and where it goes."""
        avant, apres = self.etats[travail.fiche_id]
        contenu = [n for n in travail.patch if n not in ("existe", "parent")]
        changement.lignes = mots.differences(avant, apres, contenu) if contenu else []
        if travail.nature == Nature.DEPLACEMENT:
            changement.de = self.lieux.lieu(avant.get("parent", travail.base.get("parent")))
            changement.vers = self.lieux.lieu(travail.patch["parent"])
            if contenu:
                changement.natures.append(Nature.MODIFICATION)
        if "nom" in contenu and valeur(avant, "nom") != valeur(apres, "nom"):
            changement.ancien_nom = valeur(avant, "nom")
            changement.natures.append("renommage")

    @cached_property
    def _fermees(self) -> set[int]:
        return {t.fiche_id for t in self.travaux if t.nature == Nature.SUPPRESSION}

    def _emportee_par(self, travail: FicheTravail) -> int | None:
        """The highest closing of the dossier that takes this one along."""
        if travail.nature != Nature.SUPPRESSION:
            return None
        haut, vus = None, {travail.fiche_id}
        fiche = self.lieux.parents.get(travail.fiche_id)
        while fiche in self._fermees and fiche not in vus:
            vus.add(fiche)
            haut = fiche
            fiche = self.lieux.parents.get(fiche)
        return haut


def _est_direct(travail: FicheTravail) -> bool:
    """Could have been a modification directe: content of a fiche that exists, in fields that may change there."""
    return travail.nature == Nature.MODIFICATION and all(CHAMPS[nom].qui is Qui.PARTOUT for nom in travail.patch)


def _contenu(mots: Affichage, niveau: str, etat: Etat) -> list[list[Any]]:
    """[label, value] of what a new fiche holds, in the order of the screen."""
    return [
        [libelle(champ, niveau), mots.texte(champ.nom, etat)]
        for champ in champs_de(niveau)
        if champ.nom in etat and not champ.nom.endswith("_unite") and not est_vide(champ, etat[champ.nom])
    ]


def _extrait(mots: Affichage, etat: Etat) -> str:
    morceaux = []
    if etat.get("type_uo"):
        morceaux.append(mots.code(CHAMPS["type_uo"].nomenclature, etat["type_uo"]))
    if activites := valeur(etat, "activites"):
        morceaux.append(f"{len(activites)} activité{pluriel(activites)} opérationnelle{pluriel(activites)}")
    if places := attentions.places(etat):
        morceaux.append(f"{nombre(places)} place{pluriel(places)}")
    return " · ".join(morceaux)
