"""A dossier in words: what it changes, which steps it goes through, what happened to it.

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

from backoffice.socle.templatetags.ror import date_longue, nombre, pluriel
from structures.affichage import Affichage
from structures.champs import CHAMPS, Qui, champs_de, est_vide, libelle
from structures.domaine.patches import Etat, appliquer, depuis_json, valeur
from structures.domaine.texte import normaliser
from structures.enums import Filiere, Niveau
from structures.models import Autorite, VersionFiche
from structures.regles import peut_lire_contacts_tres_restreints
from structures.requetes import autorites_competentes, champ_et_filiere, etats_au, options_de, version_au

from .domaine.apercu import apercu
from .domaine.fusion import conflits
from .enums import ETAPES, Cercle, EtatDossier, Nature, TypeEvenement, route
from .models import Commentaire, Decision, Dossier, Evenement, FicheTravail, Tache

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from backoffice.comptes.models import User

SANS_NOM = "(sans nom)"
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


# -- where a dossier is ------------------------------------------------------------------------------


def signe_de(dossier: Dossier) -> str:
    """The sign (socle.etats) of the state of a dossier; a draft that came back says so."""
    match dossier.etat:
        case EtatDossier.REDACTION if dossier.motif:
            return "renvoye"
        case EtatDossier.REDACTION:
            return "brouillon"
        case EtatDossier.APPROBATION:
            return "approbation-tutelle" if dossier.filiere == Filiere.HANDICAP else "approbation-sesan"
    return str(dossier.etat)


def qui_agit(taches: Iterable[Tache]) -> str:
    """Who is expected to act on open tasks: « Direction de l’établissement », « ARS Île-de-France et CD 78 »."""
    gens = [_acteurs_en_mots(tache) for tache in taches]
    return " et ".join(dict.fromkeys(gens))


def _acteurs_en_mots(tache: Tache) -> str:
    gens = {
        Cercle.EDITEURS: "Référents et Directions de l’établissement",
        Cercle.DIRECTION: "Direction de l’établissement",
        Cercle.GESTIONNAIRES: "SESAN",
        Cercle.TUTELLE: tache.autorite.nom if tache.autorite else "tutelle",
    }[tache.etape.cercle]
    if tache.tache.owner:
        return f"{gens} ({tache.tache.owner})"
    return gens


@dataclass(frozen=True, slots=True)
class Parcours:
    """The steps that a dossier goes through and why. ``noeuds``: names of the flow, in order, « publie » last."""

    filiere: str
    noeuds: tuple[str, ...]
    autorites: tuple[str, ...]
    codes: tuple[str, ...]
    categorie: str

    @property
    def phrase(self) -> str:
        debut = f"L’établissement relève de la catégorie « {self.categorie} »" if self.categorie else "L’établissement"
        match self.filiere:
            case Filiere.SANITAIRE:
                suite = "la Direction de l’établissement valide le dossier, puis SESAN donne l’approbation finale."
            case Filiere.HANDICAP if len(self.autorites) > 1:
                suite = f"l’approbation revient conjointement {' et '.join(map(_a, self.autorites))}."
            case Filiere.HANDICAP if self.autorites:
                suite = f"l’approbation revient {_a(self.autorites[0])}."
            case Filiere.HANDICAP:
                suite = "l’approbation revient à une tutelle que SESAN doit d’abord désigner."
            case _:
                suite = "l’approbation revient à SESAN, sans validation préalable de la Direction."
        return f"{debut} : {suite}"


def _a(nom: str) -> str:
    """« à l’Agence… », « au Conseil… »."""
    if nom.startswith("Conseil"):
        return f"au {nom}"
    return f"à l’{nom}" if nom[:1] in "AEÉIOU" else f"à {nom}"


def parcours_de(dossier: Dossier) -> Parcours:
    """Decided at the sending; before it, what it would be today. At most six statements."""
    version = version_au(dossier.eg)
    categorie = version.categorie if version else ""
    filiere, codes = dossier.filiere, list(dossier.autorites)
    if dossier.est_brouillon or not filiere:
        filiere = champ_et_filiere(categorie)[1]
        codes = autorites_competentes(version) if version and filiere == Filiere.HANDICAP else []
    noms = dict(Autorite.objects.filter(pk__in=codes).values_list("pk", "nom")) if codes else {}
    noeuds = route(filiere)
    if filiere == Filiere.HANDICAP and (not codes or dossier.etat == EtatDossier.AFFECTATION):
        noeuds = (*noeuds[:2], "affectation_tutelle", *noeuds[2:])
    option = options_de([("R66", categorie)]).get(("R66", categorie)) if categorie else None
    return Parcours(
        filiere, noeuds, tuple(noms.get(c, c) for c in codes), tuple(codes), option.libelle if option else categorie
    )


_LIBELLES_ETAPES = {
    "redaction": "Compléter les fiches",
    "envoi": "Envoyer en validation",
    "validation_direction": "Direction",
    "affectation_tutelle": "Choix de la tutelle",
    "approbation_tutelle": "Tutelle",
    "approbation_sesan": "SESAN",
    "publie": "Publication",
}
_POSITIONS = {
    EtatDossier.REDACTION: "redaction",
    EtatDossier.FINALISE: "envoi",
    EtatDossier.VALIDATION: "validation_direction",
    EtatDossier.AFFECTATION: "affectation_tutelle",
    EtatDossier.PUBLIE: "publie",
}


def position_de(dossier: Dossier) -> str:
    """The node of the flow where the dossier stands; "refuse" and "abandonne" are ends."""
    if dossier.etat == EtatDossier.APPROBATION:
        return "approbation_tutelle" if dossier.filiere == Filiere.HANDICAP else "approbation_sesan"
    return _POSITIONS.get(EtatDossier(dossier.etat), str(dossier.etat))


def etapes_de(dossier: Dossier, parcours: Parcours, taches: Iterable[Tache]) -> list[dict[str, str]]:
    """Lines of <c-etapes>, each with its ``noeud``. ``taches``: the open ones, with owner and authority.

    One statement more on a dossier that was sent: who decided.
    """
    ouvertes = list(taches)
    decisions: dict[str, list[Decision]] = defaultdict(list)
    if dossier.envoye_le and not dossier.est_brouillon:
        for decision in dossier.decisions.filter(le__gte=dossier.envoye_le).select_related("acteur", "autorite"):
            decisions[decision.noeud].append(decision)
    ici = position_de(dossier)
    if ici == EtatDossier.REFUSE:
        ici = "publie"
    elif ici == EtatDossier.ABANDONNE:
        ici = "redaction"
    rang = parcours.noeuds.index(ici) if ici in parcours.noeuds else 0
    lignes = []
    for i, noeud in enumerate(parcours.noeuds):
        etat = "fait" if i < rang or dossier.etat == EtatDossier.PUBLIE else "en-cours" if i == rang else "a-venir"
        if not dossier.est_ouvert and dossier.etat != EtatDossier.PUBLIE and i >= rang:
            etat = "sans-objet"
        detail = _detail_etape(dossier, noeud, etat, parcours, ouvertes, decisions[noeud])
        lignes.append({"noeud": noeud, "libelle": _LIBELLES_ETAPES[noeud], "etat": etat, "detail": detail})
    return lignes


def _detail_etape(
    dossier: Dossier,
    noeud: str,
    etat: str,
    parcours: Parcours,
    taches: list[Tache],
    decisions: list[Decision],
) -> str:
    if noeud == "publie" and dossier.publie_le:
        return f"le {date_longue(dossier.publie_le)}"
    if noeud == "publie" and dossier.etat == EtatDossier.REFUSE:
        return "dossier refusé"
    if noeud == "redaction" and dossier.etat == EtatDossier.ABANDONNE:
        return f"dossier abandonné le {date_longue(dossier.termine_le)}"
    if etat == "en-cours" and taches:
        return f"{qui_agit(taches)}, avant le {date_longue(min(t.echeance for t in taches))}"
    if etat == "fait" and noeud == "envoi" and dossier.envoye_le:
        return f"le {date_longue(dossier.envoye_le)} par {dossier.envoye_par}"
    if etat == "fait" and decisions:
        return " ; ".join(
            f"{d.get_issue_display().lower()} le {date_longue(d.le)} par {d.acteur}"
            + (f" ({d.autorite.nom})" if d.autorite else "")
            for d in decisions
        )
    if noeud == "approbation_tutelle" and parcours.autorites:
        return " et ".join(parcours.autorites)
    return ""


# -- the journal -------------------------------------------------------------------------------------

_ICONES = {
    TypeEvenement.CREE: "dossier", TypeEvenement.FICHE_AJOUTEE: "ajout", TypeEvenement.FICHE_ENREGISTREE: "crayon",
    TypeEvenement.FICHE_FINALISEE: "coche", TypeEvenement.FICHE_DUPLIQUEE: "dupliquer",
    TypeEvenement.FICHE_DEPLACEE: "deplacement", TypeEvenement.FICHE_SUPPRIMEE: "corbeille",
    TypeEvenement.CHANGEMENT_ANNULE: "demi-tour", TypeEvenement.CONFLIT_REGLE: "ok",
    TypeEvenement.FICHES_FINALISEES: "ok", TypeEvenement.ROUVERT: "crayon", TypeEvenement.ENVOYE: "envoi",
    TypeEvenement.TACHE_CREEE: "taches", TypeEvenement.TACHE_PRISE: "personne", TypeEvenement.TACHE_RENDUE: "inbox",
    TypeEvenement.SANS_ACTEUR: "alerte", TypeEvenement.RAPPEL: "cloche", TypeEvenement.ESCALADE: "retard",
    TypeEvenement.VALIDE: "approbation", TypeEvenement.AFFECTE: "tableau", TypeEvenement.APPROUVE: "approbation",
    TypeEvenement.RENVOYE: "renvoi", TypeEvenement.REFUSE: "refus", TypeEvenement.RETIRE: "demi-tour",
    TypeEvenement.ABANDONNE: "abandon", TypeEvenement.COMMENTE: "commentaire", TypeEvenement.PUBLIE: "publication",
}  # fmt: skip


def lignes_journal(dossier: Dossier, evenements: Collection[Evenement]) -> list[dict[str, Any]]:
    """Lines of <c-chronologie>; at most four statements whatever their number. Give events with ``acteur``."""
    cites = {e.fiche_id for e in evenements if e.fiche_id}
    noms = _noms_des(dossier, cites)
    autorites = _noms_des_autorites(evenements)
    ouvertes = set(dossier.fiches.values_list("fiche_id", flat=True)) if dossier.est_ouvert and cites else set()
    lignes = []
    for e in evenements:
        nom = noms.get(e.fiche_id or 0, "")
        lignes.append(
            {
                "quand": e.le,
                "titre": _titre_evenement(e, nom),
                "qui": str(e.acteur) if e.acteur_id else "Automatique",
                "texte": _texte_evenement(e, autorites),
                "etat": "",
                "icone": _ICONES.get(TypeEvenement(e.type), "etape"),
                "url": reverse("dossier_fiche", args=[dossier.pk, e.fiche_id]) if e.fiche_id in ouvertes else "",
            }
        )
    return lignes


def _noms_des(dossier: Dossier, fiches: Collection[int]) -> dict[int, str]:
    """Names as the dossier has them, else the last known ones."""
    if not fiches:
        return {}
    versions = VersionFiche.objects.filter(fiche__in=fiches).order_by("fiche_id", "validite")
    noms = dict(versions.values_list("fiche_id", "nom"))
    touchees = dossier.fiches.filter(fiche__in=fiches).values_list("fiche_id", "patch__nom")
    return noms | {fiche: nom for fiche, nom in touchees if nom}


def _noms_des_autorites(evenements: Iterable[Evenement]) -> dict[str, str]:
    codes = {c for e in evenements for c in [e.details.get("autorite"), *(e.details.get("autorites") or [])] if c}
    return dict(Autorite.objects.filter(pk__in=codes).values_list("pk", "nom")) if codes else {}


def _titre_evenement(e: Evenement, nom: str) -> str:
    titre = e.get_type_display()
    noeud = e.details.get("noeud")
    if noeud in ETAPES:
        return f"{titre} : {ETAPES[noeud].titre}" if e.type != TypeEvenement.SANS_ACTEUR else titre
    if e.type == TypeEvenement.FICHE_AJOUTEE and len(e.details.get("fiches", ())) > 1:
        niveau = Niveau(e.details["niveau"]).label.lower()
        return f"{len(e.details['fiches'])} fiches ajoutées ({niveau})"
    return f"{titre} : « {nom} »" if nom else titre


def _texte_evenement(e: Evenement, autorites: Mapping[str, str]) -> str:
    d = e.details
    match e.type:
        case TypeEvenement.FICHE_SUPPRIMEE if len(d.get("noms", ())) > 1:
            cites = ", ".join(nom or SANS_NOM for nom in d["noms"][1:6]) + ("…" if len(d["noms"]) > 6 else "")
            return f"Avec {len(d['noms']) - 1} fiche(s) rattachée(s) : {cites}"
        case TypeEvenement.FICHE_DEPLACEE:
            return f"De « {d.get('de') or SANS_NOM} » vers « {d.get('vers') or SANS_NOM} »."
        case TypeEvenement.FICHE_ENREGISTREE | TypeEvenement.FICHE_FINALISEE if d.get("champs"):
            noms = [CHAMPS[c].libelle for c in d["champs"] if c in CHAMPS and not c.endswith("_unite")]
            return ", ".join(noms[:6]) + (f" et {len(noms) - 6} autres champs" if len(noms) > 6 else "")
        case TypeEvenement.CONFLIT_REGLE:
            garde = "répertoire" if d.get("garder") == "repertoire" else "dossier"
            return f"{CHAMPS[d['champ']].libelle} : valeur du {garde} gardée." if d.get("champ") in CHAMPS else ""
        case TypeEvenement.SANS_ACTEUR if d.get("noeud") in ETAPES:
            return f"Étape « {ETAPES[d['noeud']].titre} ». Les gestionnaires SESAN en sont informés."
        case TypeEvenement.AFFECTE:
            return ", ".join(autorites.get(c, c) for c in d.get("autorites") or [])
    motif = d.get("motif") or ""
    autorite = autorites.get(d.get("autorite") or "", "")
    return "\n".join(x for x in (autorite, motif) if x)
