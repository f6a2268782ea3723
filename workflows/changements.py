"""What a dossier changes, in words.

liste = changements(dossier, lecteur=request.user)     # constant number of statements
synthese = resume(liste)
{% include "workflows/_changements.html" with changements=liste resume=synthese %}
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from backoffice.socle.templatetags.ror import nombre, pluriel
from structures.affichage import Affichage
from structures.champs import CHAMPS, Qui, champs_de, est_vide, libelle
from structures.domaine.patches import Etat, appliquer, depuis_json, valeur
from structures.domaine.texte import normaliser
from structures.enums import Niveau
from structures.models import VersionFiche
from structures.regles import peut_lire_contacts_tres_restreints
from structures.requetes import etats_au

from .domaine.apercu import SANS_NOM, apercu
from .domaine.fusion import conflits
from .enums import Nature
from .models import Commentaire, Dossier, FicheTravail

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from backoffice.comptes.models import User

BAISSE_NOTABLE = 0.2  # of the places of a unit: a mark of attention (issue 4)
_ORDRE = [Nature.AJOUT, Nature.DEPLACEMENT, Nature.MODIFICATION, Nature.SUPPRESSION]
_RANGS = {niveau: rang for rang, niveau in enumerate(Niveau.values)}


@dataclass(slots=True)
class Changement:
    """What a dossier does to one fiche, as a reviewer reads it.

    ``nature`` is the heading it stands under, ``natures`` everything it is (a moved fiche may be modified too).
    ``lignes``: before → after for <c-table-diff>; ``contenu``: (label, value) pairs of a new fiche, ``extrait`` its
    one-line summary. ``de`` and ``vers``: names of the places of a move. ``dessous``: the fiches that a closing takes
    along, each a Changement of its own whose ``entraine`` is True.
    """

    fiche: int
    identifiant: str
    niveau: str
    nom: str
    url: str
    nature: str
    etat: str
    travail: FicheTravail
    ancien_nom: str = ""
    parent: str = ""
    chemin: str = ""
    de: str = ""
    vers: str = ""
    natures: list[str] = field(default_factory=list)
    lignes: list[dict[str, Any]] = field(default_factory=list)
    contenu: list[tuple[str, Any]] = field(default_factory=list)
    extrait: str = ""
    attentions: list[str] = field(default_factory=list)
    commentaires: list[Commentaire] = field(default_factory=list)
    en_conflit: bool = False
    entraine: bool = False
    dessous: list["Changement"] = field(default_factory=list)

    @property
    def niveau_en_mots(self) -> str:
        return Niveau(self.niveau).label

    @property
    def finalisee(self) -> bool:
        return self.travail.est_finalisee

    @property
    def ancre(self) -> str:
        return f"changement-{self.fiche}"


@dataclass(slots=True)
class Bloc:
    """Changes shown together; ``titre`` says under what new fiches are created, "" elsewhere."""

    titre: str
    changements: list[Changement]


@dataclass(slots=True)
class Groupe:
    nature: str
    titre: str
    blocs: list[Bloc]


@dataclass(slots=True)
class Resume:
    """Counts and marks of a list of changes. ``comptes``: (nature, words) for those that occur. ``direct``: nothing
    there needed a dossier, only the content of fiches that exist changes."""

    total: int
    finalisees: int
    comptes: list[tuple[str, str]]
    attentions: list[tuple[str, str, str]]  # (name of the fiche, why to look closer, anchor)
    groupes: list[Groupe]
    direct: bool

    @property
    def en_attente(self) -> int:
        return self.total - self.finalisees


@dataclass(slots=True)
class _Lieux:
    """Where fiches are, by fiche id: name, level, parent; ``rang`` orders them as the tree does."""

    noms: dict[int, str]
    niveaux: dict[int, str]
    parents: dict[int, int | None]
    rang: dict[int, int]

    def nom(self, fiche: int | None) -> str:
        return self.noms.get(fiche or 0, "") or SANS_NOM

    def chemin(self, fiche: int | None) -> str:
        """« Pôle A › Service B », from below the EG down to this fiche."""
        maillons: list[str] = []
        vus: set[int] = set()
        while fiche in self.noms and fiche not in vus and self.niveaux.get(fiche) not in (Niveau.EG, Niveau.EJ):
            vus.add(fiche)
            maillons.append(self.nom(fiche))
            fiche = self.parents.get(fiche)
        return " › ".join(reversed(maillons))


def changements(
    dossier: Dossier, lecteur: "User | AnonymousUser | None" = None, *, fiche: int | None = None
) -> list[Changement]:
    """What the dossier does, fiche by fiche (to one ``fiche``), in the order of the tree; a constant number of
    statements.

    An open dossier is compared with the register of today, an ended one with what it was written on. Contacts *très
    restreint* are masked unless ``lecteur`` answers for the establishment.
    """
    tous = list(dossier.fiches.select_related("fiche", "modifiee_par"))
    travaux = tous if fiche is None else [t for t in tous if t.fiche_id == fiche]
    if not travaux:
        return []
    registre = etats_au(t.fiche_id for t in travaux) if dossier.est_ouvert else {}
    lieux = _lieux_ouverts(dossier, tous) if dossier.est_ouvert else _lieux_passes(tous)
    etats = {t.fiche_id: _avant_apres(t, registre, ouvert=dossier.est_ouvert) for t in travaux}
    tout_voir = lecteur is not None and peut_lire_contacts_tres_restreints(lecteur, dossier.eg)
    affichage = Affichage((e for paire in etats.values() for e in paire), niveau=Niveau.UO, tres_restreint=tout_voir)
    commentaires: dict[int, list[Commentaire]] = defaultdict(list)
    for commentaire in dossier.commentaires.select_related("auteur"):
        commentaires[commentaire.fiche_id].append(commentaire)
    liste = [
        _changement(t, lieux, affichage, *etats[t.fiche_id], registre.get(t.fiche_id), commentaires[t.fiche_id])
        for t in travaux
    ]
    liste.sort(key=lambda c: lieux.rang.get(c.fiche, len(lieux.rang)))
    _rattacher_suppressions(liste, lieux)
    return liste


def resume(liste: Collection[Changement]) -> Resume:
    """Counts, marks of attention and groups of ``changements``; no statement."""
    comptes = Counter(c.nature for c in liste)
    return Resume(
        total=len(liste),
        finalisees=sum(c.finalisee for c in liste),
        comptes=[(n, compte_en_mots(n, comptes[n])) for n in _ORDRE if comptes[n]],
        attentions=[(c.nom, a, f"#{c.ancre}") for c in liste for a in c.attentions],
        groupes=[_groupe(n, [c for c in liste if c.nature == n and not c.entraine]) for n in _ORDRE if comptes[n]],
        direct=bool(liste) and all(_est_direct(c.travail) for c in liste),
    )


def _est_direct(travail: FicheTravail) -> bool:
    """Could have been a modification directe: content of a fiche that exists, in fields that may change there."""
    return travail.nature == Nature.MODIFICATION and all(CHAMPS[nom].qui is Qui.PARTOUT for nom in travail.patch)


_MOTS = {
    Nature.AJOUT: ("ajout", "ajouts"),
    Nature.MODIFICATION: ("modification", "modifications"),
    Nature.DEPLACEMENT: ("déplacement", "déplacements"),
    Nature.SUPPRESSION: ("suppression", "suppressions"),
}
_TITRES = {
    Nature.AJOUT: "Ajouts",
    Nature.MODIFICATION: "Modifications",
    Nature.DEPLACEMENT: "Déplacements",
    Nature.SUPPRESSION: "Suppressions",
}


def compte_en_mots(nature: str, combien: int) -> str:
    """« 3 ajouts »."""
    return f"{nombre(combien)} {_MOTS[Nature(nature)][combien > 1]}"


def _groupe(nature: str, liste: list[Changement]) -> Groupe:
    if nature != Nature.AJOUT:
        return Groupe(nature, _TITRES[Nature(nature)], [Bloc("", liste)])
    blocs = [Bloc(parent, list(dessous)) for parent, dessous in groupby(liste, key=lambda c: c.parent)]
    return Groupe(nature, _TITRES[Nature.AJOUT], blocs)


# -- where the fiches are ----------------------------------------------------------------------------


def _lieux_ouverts(dossier: Dossier, travaux: list[FicheTravail]) -> _Lieux:
    arbre = apercu(dossier, travaux)
    rang = {n.fiche_id: i for i, n in enumerate(arbre.racine.parcours())}
    noeuds = arbre.noeuds.values()
    lieux = _Lieux(
        {n.fiche_id: n.nom for n in noeuds},
        {n.fiche_id: n.niveau for n in noeuds},
        {n.fiche_id: n.parent_id for n in noeuds},
        rang,
    )
    _ajouter_disparues(lieux, travaux)
    return lieux


def _lieux_passes(travaux: list[FicheTravail]) -> _Lieux:
    lieux = _Lieux({}, {}, {}, {})
    _ajouter_disparues(lieux, travaux)
    ordre = sorted(lieux.noms, key=lambda f: (_RANGS.get(lieux.niveaux[f], 9), normaliser(lieux.noms[f]), f))
    lieux.rang = {fiche: i for i, fiche in enumerate(ordre)}
    return lieux


def _ajouter_disparues(lieux: _Lieux, travaux: list[FicheTravail]) -> None:
    """Complete with the last known name and place of the fiches that the register of today does not hold."""
    cites = {p for t in travaux for p in (t.patch.get("parent"), t.base.get("parent")) if p}
    manquent = ({t.fiche_id for t in travaux} | cites) - lieux.noms.keys()
    if manquent:
        versions = VersionFiche.objects.filter(fiche__in=manquent).order_by("fiche_id", "validite")
        for fiche, niveau, nom, parent in versions.values_list("fiche_id", "niveau", "nom", "parent_id"):
            lieux.noms[fiche], lieux.niveaux[fiche], lieux.parents[fiche] = nom, niveau, parent
    for travail in travaux:
        if travail.fiche_id in manquent:
            fiche = travail.fiche_id
            lieux.niveaux[fiche] = travail.fiche.niveau
            lieux.noms[fiche] = travail.patch.get("nom", lieux.noms.get(fiche, ""))
            lieux.parents[fiche] = travail.patch.get("parent", lieux.parents.get(fiche))


# -- one change --------------------------------------------------------------------------------------


def _avant_apres(travail: FicheTravail, registre: Mapping[int, Etat], *, ouvert: bool) -> tuple[Etat, Etat]:
    """Both states, on what the patch touches and what is needed to say it."""
    noms = {*travail.patch, "unite_sensible", "age_min_unite", "age_max_unite"}
    if ouvert:
        etat = registre.get(travail.fiche_id, {})
        avant = {n: etat[n] for n in noms if n in etat}
    else:
        avant = {n: depuis_json(n, v) for n, v in travail.base.items()}
    return avant, appliquer(avant, travail.patch)


def _changement(
    travail: FicheTravail,
    lieux: _Lieux,
    affichage: Affichage,
    avant: Etat,
    apres: Etat,
    registre: Etat | None,
    commentaires: list[Commentaire],
) -> Changement:
    fiche, niveau, nature = travail.fiche_id, travail.fiche.niveau, travail.nature
    mots = copy(affichage)
    mots.niveau = niveau
    parent = lieux.parents.get(fiche)
    changement = Changement(
        fiche=fiche,
        identifiant=travail.fiche.identifiant,
        niveau=niveau,
        nom=lieux.nom(fiche),
        url=reverse("dossier_fiche", args=[travail.dossier_id, fiche]),
        nature=nature,
        natures=[nature],
        etat="finalisee" if travail.est_finalisee else "en-attente",
        travail=travail,
        ancien_nom=valeur(avant, "nom") if "nom" in travail.patch and nature != Nature.AJOUT else "",
        parent=_lieu(lieux, parent),
        chemin=lieux.chemin(parent),
        commentaires=commentaires,
        en_conflit=bool(registre is not None and conflits(travail, registre)),
    )
    if nature == Nature.AJOUT:
        changement.contenu = _contenu(mots, niveau, apres)
        changement.extrait = _extrait(mots, apres)
    elif nature != Nature.SUPPRESSION:
        contenu = [n for n in travail.patch if n not in ("existe", "parent")]
        changement.lignes = mots.differences(avant, apres, contenu) if contenu else []
        if nature == Nature.DEPLACEMENT:
            changement.de = _lieu(lieux, avant.get("parent", travail.base.get("parent")))
            changement.vers = _lieu(lieux, travail.patch["parent"])
            if contenu:
                changement.natures.append(Nature.MODIFICATION)
    _marquer(changement, avant, apres)
    return changement


def _lieu(lieux: _Lieux, fiche: int | None) -> str:
    return lieux.nom(fiche) if fiche in lieux.noms else ""


def _contenu(mots: Affichage, niveau: str, etat: Etat) -> list[tuple[str, Any]]:
    """(label, value) of what a new fiche holds, in the order of the screen."""
    return [
        (libelle(champ, niveau), mots.texte(champ.nom, etat))
        for champ in champs_de(niveau)
        if champ.nom in etat and not champ.nom.endswith("_unite") and not est_vide(champ, etat[champ.nom])
    ]


def _extrait(mots: Affichage, etat: Etat) -> str:
    morceaux = []
    if etat.get("type_uo"):
        morceaux.append(mots.code(CHAMPS["type_uo"].nomenclature, etat["type_uo"]))
    if activites := valeur(etat, "activites"):
        morceaux.append(f"{len(activites)} activité{pluriel(activites)} opérationnelle{pluriel(activites)}")
    if places := _places(etat):
        morceaux.append(f"{nombre(places)} place{pluriel(places)}")
    return " · ".join(morceaux)


def _places(etat: Etat) -> int:
    return sum(c.get("nombre") or 0 for c in valeur(etat, "capacites").values())


def _marquer(c: Changement, avant: Etat, apres: Etat) -> None:
    """Marks of attention: what a reviewer should not miss."""
    if "type_uo" in c.travail.patch and c.nature != Nature.AJOUT:
        c.attentions.append("Type d’UO modifié")
        for ligne in c.lignes:
            if ligne["champ"] == CHAMPS["type_uo"].libelle:
                ligne["attention"] = "à vérifier"
    if "unite_sensible" in c.travail.patch:
        devient = bool(apres.get("unite_sensible"))
        c.attentions.append("devient une unité sensible" if devient else "n’est plus une unité sensible")
    elif apres.get("unite_sensible"):
        c.attentions.append("unité sensible")
    if "capacites" in c.travail.patch and c.nature != Nature.AJOUT:
        places = _places(avant), _places(apres)
        if places[0] and places[1] < places[0] * (1 - BAISSE_NOTABLE):
            c.attentions.append(f"capacité réduite de {nombre(places[0])} à {nombre(places[1])} places")
    if c.en_conflit:
        c.attentions.append("modifiée aussi au répertoire depuis : conflit à régler")


def _rattacher_suppressions(liste: Iterable[Changement], lieux: _Lieux) -> None:
    """Hang each closing under the highest one that takes it along."""
    fermees = {c.fiche: c for c in liste if c.nature == Nature.SUPPRESSION}
    for c in fermees.values():
        haut, fiche, vus = None, lieux.parents.get(c.fiche), {c.fiche}
        while fiche in fermees and fiche not in vus:
            vus.add(fiche)
            haut = fermees[fiche]
            fiche = lieux.parents.get(fiche)
        if haut is not None:
            c.entraine = True
            haut.dessous.append(c)
    for c in fermees.values():
        if c.dessous:
            n = len(c.dessous)
            c.attentions.insert(0, f"sa suppression ferme aussi {nombre(n)} fiche{pluriel(n)} rattachée{pluriel(n)}")
