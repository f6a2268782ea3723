"""Names that the database stores: renaming one would silently orphan live tasks."""

from workflows.domaine import versions
from workflows.enums import ETAPES, EtatDossier, EtatFiche, Issue, TypeEvenement
from workflows.flows import DossierFlow
from workflows.models import Processus

# Frozen, by version of the flow. A name may be added, with a new version; none may be changed or taken away while a
# task of it may be alive.
_VERSION_1 = {
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


def _minuteries(noeuds, *noms):
    taches = [tache for tache, genre in noeuds.items() if genre == "Tache"]
    return {f"{tache}__{nom}": "TimerBoundary" for tache in taches for nom in noms}


NOEUDS = {
    1: _VERSION_1 | _minuteries(_VERSION_1, "timeout", "timeout_2"),  # reminder, escalation
    2: _VERSION_1 | {"recours": "Function"} | _minuteries(_VERSION_1, "timeout", "timeout_2", "timeout_3"),
}


def test_noeuds():
    """A process of any version stands on nodes that the flow of today knows, of the same kind."""
    assert {n.name: type(n).__name__ for n in DossierFlow.instance.nodes()} == NOEUDS[versions.VERSION]
    assert all(noeuds.items() <= NOEUDS[versions.VERSION].items() for noeuds in NOEUDS.values())


def test_un_pas_par_version():
    assert set(NOEUDS) == set(range(1, versions.VERSION + 1))
    assert set(versions.PAS) == set(range(1, versions.VERSION))


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
        "approuve", "renvoye", "refuse", "retire", "abandonne", "commente", "publie", "flux_mis_a_jour",
    } <= set(TypeEvenement.values)  # fmt: skip
