"""Where a dossier is, which steps it goes through and why, who is expected to act."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from backoffice.socle.mots import date_longue
from structures.competence import Circuit, circuit_de, fixee_par
from structures.enums import Filiere, OrigineTutelle
from structures.models import Autorite
from structures.requetes import options_de, version_au

from .enums import Cercle, EtatDossier, TypeEvenement, route
from .models import Decision, Dossier, Tache


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


def mot_de(dossier: Dossier) -> str:
    """What the sign says instead of its own word: « publié sauf 2 fiches »."""
    return dossier.get_etat_display().lower() if dossier.ecartees else ""


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
    """The steps that a dossier goes through and why. ``noeuds``: names of the flow, in order, « publie » last.

    ``autorites``: their names, ``codes`` their codes. ``pourquoi``: a sentence on what made them the ones. ``sien``: it
    is told to somebody of the establishment.
    """

    filiere: str
    noeuds: tuple[str, ...]
    autorites: tuple[str, ...]
    codes: tuple[str, ...]
    categorie: str
    code_categorie: str = ""
    pourquoi: str = ""
    sien: bool = False

    @property
    def phrase(self) -> str:
        """« Votre établissement relève du handicap (catégorie 182, « Service… ») : l’approbation revient à l’… »."""
        debut = f"{'Votre' if self.sien else 'L’'}{' ' if self.sien else ''}établissement"
        if self.categorie:
            numero = f"{self.code_categorie}, " if self.code_categorie else ""
            debut += f" relève {_RELEVE[Filiere(self.filiere)]} (catégorie {numero}« {self.categorie} »)"
        match self.filiere:
            case Filiere.SANITAIRE:
                suite = "la Direction de l’établissement valide le dossier, puis SESAN donne l’approbation finale."
            case Filiere.HANDICAP if len(self.autorites) > 1:
                suite = f"l’approbation revient conjointement {' et '.join(map(a, self.autorites))}."
            case Filiere.HANDICAP if self.autorites:
                suite = f"l’approbation revient {a(self.autorites[0])}."
            case Filiere.HANDICAP:
                suite = "l’approbation revient à une tutelle que SESAN doit d’abord désigner."
            case _:
                suite = "l’approbation revient à SESAN, sans validation préalable de la Direction."
        return f"{debut} : {suite}"


_RELEVE = {
    Filiere.SANITAIRE: "du sanitaire",
    Filiere.HANDICAP: "du handicap",
    Filiere.AUTRE: "du médico-social ou du social, hors handicap",
}
_ARTICLES = {"Conseil": "le ", "Département": "le ", "Ville": "la ", "Métropole": "la ", "Collectivité": "la "}


def le(nom: str) -> str:
    """« l’Agence… », « le Conseil… », « la Ville… »: the name of an authority in a sentence."""
    return f"{_ARTICLES.get(nom.split(' ')[0], 'l’' if nom[:1] in 'AEÉIOU' else '')}{nom}"


def a(nom: str) -> str:
    """« à l’Agence… », « au Conseil… »."""
    return f"au {nom}" if le(nom).startswith("le ") else f"à {le(nom)}"


def de(nom: str) -> str:
    """« de l’Agence… », « du Conseil… »."""
    return f"du {nom}" if le(nom).startswith("le ") else f"de {le(nom)}"


def parcours_de(dossier: Dossier, *, sien: bool = False) -> Parcours:
    """Decided at the sending; before it, what it would be today. At most seven statements."""
    version = version_au(dossier.eg)
    categorie = version.categorie if version else ""
    decide = bool(dossier.filiere) and not dossier.est_brouillon
    if decide:
        circuit = Circuit(dossier.filiere, list(dossier.autorites))
    else:
        circuit = circuit_de(version) if version else Circuit(Filiere.AUTRE.value, [])
    noms = dict(Autorite.objects.filter(pk__in=circuit.autorites).values_list("pk", "nom")) if circuit.autorites else {}
    pourquoi = ""
    if circuit.filiere == Filiere.HANDICAP:
        pourquoi = (
            _pourquoi_apres_l_envoi(dossier) if decide else pourquoi_elles(circuit, dossier.eg_id, timezone.now())
        )
    option = options_de([("R66", categorie)]).get(("R66", categorie)) if categorie else None
    return Parcours(
        circuit.filiere,
        noeuds_de(circuit.filiere, circuit.autorites, dossier.etat),
        tuple(noms.get(c, c) for c in circuit.autorites),
        tuple(circuit.autorites),
        option.libelle if option else categorie,
        categorie if option else "",
        pourquoi,
        sien,
    )


def noeuds_de(filiere: str, autorites: Collection[str], etat: str) -> tuple[str, ...]:
    """The steps of a dossier of this filière in this state, « publie » last; SESAN may have to find its authority."""
    noeuds = route(filiere)
    if filiere == Filiere.HANDICAP and (not autorites or etat == EtatDossier.AFFECTATION):
        return (*noeuds[:2], "affectation_tutelle", *noeuds[2:])
    return noeuds


def pourquoi_elles(circuit: Circuit, eg: int, au: datetime) -> str:
    """What makes the authorities of a handicap establishment the ones; a statement for those set by hand."""
    plusieurs = len(circuit.autorites) > 1
    match circuit.origine:
        case OrigineTutelle.MANUELLE:
            choix = fixee_par(eg, au)
            sujet = "Ces tutelles ont été fixées" if plusieurs else "Cette tutelle a été fixée"
            qui = f" par {choix.auteur}" if choix and choix.auteur else ""
            return f"{sujet} à la main{qui} le {date_longue(choix.saisie_le)}." if choix else f"{sujet} à la main."
        case OrigineTutelle.REGULATION:
            return "C’est l’autorité de régulation que le FINESS donne à cet établissement."
        case OrigineTutelle.TARIFICATION:
            return f"Le mode de tarification de l’établissement {'les' if plusieurs else 'la'} désigne."
        case OrigineTutelle.CATEGORIE if plusieurs:
            return "Ce sont les tutelles que cette catégorie d’établissement a par défaut dans ce département."
        case OrigineTutelle.CATEGORIE:
            return "C’est la tutelle que cette catégorie d’établissement a par défaut dans ce département."
    return "Ni SESAN, ni le FINESS, ni le mode de tarification, ni la catégorie ne désignent de tutelle."


def _pourquoi_apres_l_envoi(dossier: Dossier) -> str:
    """As the journal of the last sending has it: the rules may have changed since."""
    dernier = (
        dossier.evenements.filter(type__in=[TypeEvenement.ENVOYE, TypeEvenement.AFFECTE])
        .select_related("acteur")
        .order_by("-pk")
        .first()
    )
    if dernier is None:
        return ""
    if dernier.type == TypeEvenement.AFFECTE:
        sujet = "Ces tutelles ont été choisies" if len(dossier.autorites) > 1 else "Cette tutelle a été choisie"
        return f"{sujet} à la main par {dernier.acteur} le {date_longue(dernier.le)}."
    origine = dernier.details.get("origine", "")
    return pourquoi_elles(Circuit(dossier.filiere, dossier.autorites, origine), dossier.eg_id, dernier.le)


_LIBELLES_ETAPES = {
    "redaction": "Finaliser les fiches",
    "envoi": "Envoyer en validation",
    "validation_direction": "Direction",
    "affectation_tutelle": "Affectation à une tutelle",
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
        prises = dossier.decisions.filter(le__gte=dossier.envoye_le)
        for decision in prises.select_related("acteur", "pour", "autorite"):
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


def _en_mots(decisions: list[Decision]) -> str:
    return " ; ".join(
        f"{d.get_issue_display().lower()} le {date_longue(d.le)} par {d.qui}"
        + (f" ({d.autorite.nom})" if d.autorite else "")
        for d in decisions
    )


def _detail_etape(
    dossier: Dossier,
    noeud: str,
    etat: str,
    parcours: Parcours,
    taches: list[Tache],
    decisions: list[Decision],
) -> str:
    if noeud == "publie" and dossier.publie_le:
        sauf = dossier.get_etat_display().removeprefix(EtatDossier.PUBLIE.label)
        return f"le {date_longue(dossier.publie_le)}{',' if sauf else ''}{sauf}"
    if noeud == "publie" and dossier.etat == EtatDossier.REFUSE:
        return "dossier refusé"
    if noeud == "redaction" and dossier.etat == EtatDossier.ABANDONNE:
        return f"dossier abandonné le {date_longue(dossier.termine_le)}"
    if etat == "en-cours" and taches:
        deja = f"{_en_mots(decisions)} ; attend " if decisions else ""  # one of two authorities
        return f"{deja}{qui_agit(taches)}, au plus tard le {date_longue(min(t.echeance for t in taches))}"
    if etat == "fait" and noeud == "envoi" and dossier.envoye_le:
        return f"le {date_longue(dossier.envoye_le)} par {dossier.envoye_par}"
    if etat == "fait" and decisions:
        return _en_mots(decisions)
    if noeud == "approbation_tutelle" and parcours.autorites:
        return " et ".join(parcours.autorites)
    return ""
