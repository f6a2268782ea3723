"""Every resource of the demo: valid for an R4 validator that is none of ours, with what the guide makes mandatory."""

from collections import Counter

import pytest

from structures.champs import CHAMPS
from structures.enums import Niveau
from structures.fhir.exposition import ecarts_d_exposition, exposer
from structures.fhir.index import valeurs
from structures.fhir.visibilite import OBLIGATOIRES
from structures.models import Ressource

from .guide_fhir import ELEMENTS, SANS_TYPE, fautes

pytestmark = pytest.mark.django_db


def test_la_declaration_des_elements_obligatoires():
    declares = {tuple(element.split(".", 1)) for elements in OBLIGATOIRES.values() for element in elements}
    assert {(type_, nom) for type_, nom in declares if nom not in ELEMENTS[type_]} == set()
    assert {(nom, niveau) for niveau, e in OBLIGATOIRES.items() for champs in e.values() for nom in champs} == {
        ("finess", "EJ"), ("nom", "EJ"), ("finess", "EG"), ("nom", "EG"), ("categorie", "EG"), ("commune", "EG"),
        ("nom", "P"), ("nom", "S"), ("nom", "UF"), ("nom", "UO"), ("type_uo", "UO"), ("champ_activite", "UO"),
        ("activites", "UO"), ("mode_prise_en_charge", "UO"), ("age_min", "UO"), ("age_min_unite", "UO"),
        ("age_max", "UO"), ("age_max_unite", "UO"),
    }  # fmt: skip
    assert all(niveau in CHAMPS[nom].niveaux for niveau, e in OBLIGATOIRES.items() for c in e.values() for nom in c)


def test_tout_ce_que_la_demonstration_expose(demo):
    exposer()
    exposees = list(Ressource.objects.filter(contenu__isnull=False).select_related("fiche").order_by("pk"))
    la = {f"{x.type}/{x.identifiant}" for x in exposees}
    trouvees = Counter(
        faute
        for x in exposees
        for faute in fautes(x.contenu, sauf=SANS_TYPE if x.fiche.niveau == Niveau.EJ else frozenset())
    )
    references = ("partOf", "providedBy", "location", "managingOrganization")
    citees = {cite for x in exposees for nom in references for cite in valeurs(x.contenu, f"{nom}.reference")}
    assert (trouvees, citees - la) == ({}, set())
    assert {x.fiche.niveau for x in exposees} == set(Niveau)
    assert {x.type for x in exposees} == set(ELEMENTS)
    assert ecarts_d_exposition() == []
