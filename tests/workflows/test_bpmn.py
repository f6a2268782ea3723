"""The flow as BPMN 2.0: the file in docs/ is what the command writes, and it is well formed; the drawing follows it."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.core.management import call_command
from django.utils import translation

from structures.enums import Filiere
from workflows import schema
from workflows.enums import ETAPES, route
from workflows.flows import DossierFlow
from workflows.parcours import Parcours

FICHIER = Path(__file__).resolve().parents[2] / "docs" / "dossier.bpmn"
BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
DC = "{http://www.omg.org/spec/DD/20100524/DC}"


@pytest.fixture(scope="module")
def processus() -> ElementTree.Element:
    racine = ElementTree.fromstring(FICHIER.read_text(encoding="utf-8"))
    assert racine.tag == f"{BPMN}definitions"
    assert racine.get("targetNamespace")
    [seul] = racine.findall(f"{BPMN}process")
    return seul


@pytest.mark.parametrize("langue", ["fr", "en"])
def test_fichier_a_jour(langue, tmp_path):
    """To renew it: manage.py flowexport workflows/flows.DossierFlow --format bpmn --output docs/dossier.bpmn"""
    schema.bpmn.cache_clear()
    with translation.override(langue):
        call_command("flowexport", "workflows/flows.DossierFlow", format="bpmn", output=str(tmp_path / "flux.bpmn"))
        ecrit = (tmp_path / "flux.bpmn").read_text(encoding="utf-8")
        assert schema.bpmn() == ecrit
    assert FICHIER.read_text(encoding="utf-8") == ecrit


def test_identifiants_uniques():
    identifiants = [e.get("id") for e in ElementTree.parse(FICHIER).iter() if e.get("id")]
    assert len(identifiants) == len(set(identifiants))


def test_enchainements(processus):
    """Every sequence flow joins two elements, which say so; every node is reached and left."""
    elements = {e.get("id"): e for e in processus if not e.tag.endswith("sequenceFlow")}
    entrees: dict[str, set[str]] = {cle: set() for cle in elements}
    sorties: dict[str, set[str]] = {cle: set() for cle in elements}
    for flux in processus.findall(f"{BPMN}sequenceFlow"):
        sorties[flux.attrib["sourceRef"]].add(flux.attrib["id"])
        entrees[flux.attrib["targetRef"]].add(flux.attrib["id"])
    for cle, element in elements.items():
        assert {e.text for e in element.findall(f"{BPMN}incoming")} == entrees[cle], cle
        assert {e.text for e in element.findall(f"{BPMN}outgoing")} == sorties[cle], cle
        genre = element.tag.removeprefix(BPMN)
        assert bool(entrees[cle]) == (genre not in ("startEvent", "boundaryEvent")), cle
        assert bool(sorties[cle]) == (genre != "endEvent"), cle
        assert element.get("default") is None or element.get("default") in sorties[cle]


def test_minuteries_attachees(processus):
    """A reminder and two escalations on each human step; they interrupt nothing."""
    taches = {e.attrib["id"] for e in processus.findall(f"{BPMN}userTask")}
    assert taches == {f"id_node_{noeud}" for noeud in ETAPES}
    evenements = processus.findall(f"{BPMN}boundaryEvent")
    assert sorted(e.attrib["attachedToRef"] for e in evenements) == sorted([*taches] * 3)
    for evenement in evenements:
        assert evenement.attrib["cancelActivity"] == "false"
        assert evenement.find(f"{BPMN}timerEventDefinition") is not None


def test_dessin_bpmn_complet(processus):
    """Each element and each flow has its place on the diagram of the file."""
    racine = ElementTree.parse(FICHIER).getroot()
    dessines = {e.get("bpmnElement") for e in racine.iter() if e.get("bpmnElement")}
    attendus = {e.attrib["id"] for e in processus} | {processus.attrib["id"]}
    assert attendus == dessines
    for forme in racine.iter(f"{DC}Bounds"):
        assert float(forme.attrib["x"]) >= 0  # a number for every tool, whatever the language of the product
        assert float(forme.attrib["width"]) > 0
    for point in racine.iter("{http://www.omg.org/spec/DD/20100524/DI}waypoint"):
        assert {"x", "y"} <= {a for a in point.attrib if float(point.attrib[a] if a in "xy" else 0) >= 0}


# -- our own drawing ---------------------------------------------------------------------------------


def test_chaque_noeud_a_sa_place():
    assert {n.name for n in schema.noeuds_dessines()} == set(schema.PLACES)
    caches = {n.name for n in DossierFlow.instance.nodes()} - set(schema.PLACES)
    assert caches == {"rappel", "escalade", "recours", "rappel_envoye"} | {n for n in caches if "timeout" in n.lower()}
    assert set(schema._DETOURS) <= set(schema.aretes())


@pytest.mark.parametrize("filiere", list(Filiere))
def test_parcours_dessines(filiere):
    parcours = Parcours(filiere, route(filiere), (), (), "Hôpital")
    hors = schema.hors_parcours(parcours)
    assert not hors & set(parcours.noeuds)
    assert {n for n in ETAPES if n not in hors} == set(parcours.noeuds) - {"publie"}
    dessin = schema.dessin(parcours, "envoi", {"creation", "redaction"}, "Où en est le dossier")
    arbre = ElementTree.fromstring(dessin)
    assert [e.tag for e in arbre][:2] == ["title", "desc"]
    assert dessin.count("schema-ici") == 1
    assert dessin.count('class="schema-coche"') == 1
    assert "style=" not in dessin
