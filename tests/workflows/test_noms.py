"""Names that the database stores: renaming one would silently orphan live tasks."""

from workflows.enums import ETAPES, EtatDossier, EtatFiche, Issue, TypeEvenement
from workflows.flows import DossierFlow
from workflows.models import Processus

# Frozen. A name may be added; none may be changed or taken away while a task of it may be alive.
NOEUDS = {
    "abandonne": "End",
    "accord_tutelles": "Join",
    "affectation_tutelle": "Tache",
    "approbation_sesan": "Tache",
    "approbation_tutelle": "Tache",
    "creation": "StartHandle",
    "envoi": "Tache",
    "escalade": "Function",
    "publication": "Function",
    "publie": "End",
    "rappel": "Function",
    "rappel_envoye": "End",
    "recours": "Function",
    "redaction": "Tache",
    "refuse": "End",
    "suite_affectation": "Switch",
    "suite_direction": "Switch",
    "suite_envoi": "Switch",
    "suite_redaction": "Switch",
    "suite_sesan": "Switch",
    "suite_tutelle": "Switch",
    "tutelles": "ParAutorite",
    "validation_direction": "Tache",
}


_RANGS = ("timeout", "timeout_2", "timeout_3")  # reminder, escalation, recours (since version 2)
MINUTERIES = {f"{tache}__{nom}" for tache, genre in NOEUDS.items() if genre == "Tache" for nom in _RANGS}


def test_noeuds():
    noeuds = {n.name: type(n).__name__ for n in DossierFlow.instance.nodes()}
    assert {nom for nom, genre in noeuds.items() if genre == "TimerBoundary"} == MINUTERIES
    assert {nom: genre for nom, genre in noeuds.items() if nom not in MINUTERIES} == NOEUDS


def test_flux():
    assert f"{DossierFlow.__module__}.{DossierFlow.__name__}" == "workflows.flows.DossierFlow"
    assert DossierFlow.instance.flow_label == "dossier"
    assert DossierFlow.process_class is Processus


def test_etapes_humaines():
    assert list(ETAPES) == [
        "redaction", "envoi", "validation_direction", "affectation_tutelle", "approbation_tutelle", "approbation_sesan",
    ]  # fmt: skip
    assert set(ETAPES) == {n.name for n in DossierFlow.instance.nodes() if type(n).__name__ == "Tache"}


def test_valeurs_enregistrees():
    assert set(EtatDossier.values) == {
        "redaction", "finalise", "validation", "affectation", "approbation", "publie", "refuse", "abandonne",
    }  # fmt: skip
    assert set(EtatFiche.values) == {"en_attente", "finalisee"}
    assert set(Issue.values) == {
        "finalise", "rouvert", "envoye", "valide", "affecte", "approuve", "renvoye", "refuse", "retire", "abandonne",
        "annule",
    }  # fmt: skip
    assert {
        "cree", "fiche_ajoutee", "fiche_enregistree", "fiche_finalisee", "fiche_dupliquee", "fiche_deplacee",
        "fiche_supprimee", "changement_annule", "conflit_regle", "fiches_finalisees", "rouvert", "envoye",
        "tache_creee", "tache_prise", "tache_rendue", "sans_acteur", "rappel", "escalade", "valide", "affecte",
        "approuve", "renvoye", "refuse", "retire", "abandonne", "commente", "publie",
    } <= set(TypeEvenement.values)  # fmt: skip
