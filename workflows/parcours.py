"""Where a dossier is, which steps it goes through and why, who is expected to act."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from backoffice.socle.mots import date_longue
from structures.enums import Filiere
from structures.models import Autorite
from structures.requetes import circuit_de, options_de, version_au

from .enums import Cercle, EtatDossier, route
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
        filiere, codes = circuit_de(version) if version else (Filiere.AUTRE.value, [])
    noms = dict(Autorite.objects.filter(pk__in=codes).values_list("pk", "nom")) if codes else {}
    noeuds = route(filiere)
    if filiere == Filiere.HANDICAP and (not codes or dossier.etat == EtatDossier.AFFECTATION):
        noeuds = (*noeuds[:2], "affectation_tutelle", *noeuds[2:])
    option = options_de([("R66", categorie)]).get(("R66", categorie)) if categorie else None
    return Parcours(
        filiere, noeuds, tuple(noms.get(c, c) for c in codes), tuple(codes), option.libelle if option else categorie
    )


_LIBELLES_ETAPES = {
    "redaction": "Finaliser les fiches",
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
