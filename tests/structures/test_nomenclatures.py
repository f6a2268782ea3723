"""The pages of the nomenclatures: what a list is, the fiches that hold its closed codes, and how to correct them."""

from datetime import date

import pytest
from django.test import Client

from structures.domaine.usages import Usage, est_employee, nombres, usages
from structures.enums import Role
from structures.models import Concept
from tests.factories.repertoire import compte, etablissement, publier, uo

pytestmark = pytest.mark.django_db


@pytest.fixture
def gestionnaire() -> Client:
    client = Client()
    client.force_login(compte(Role.GESTIONNAIRE))
    return client


def fermer(liste: str, code: str, remplace_par: str = "") -> None:
    Concept.objects.filter(nomenclature=liste, code=code).update(
        date_fin=date(2024, 5, 6), date_debut=None, remplace_par=remplace_par
    )


def test_chaque_champ_code_dit_qui_le_tient():
    unite = uo(etablissement("medico-social"), familles_serafin={"ajoute": ["01"]}, equipements={"pose": {"010": 2}})
    contact = {
        "nature": "03", "confidentialite": "2",
        "telecoms": [{"canal": "1", "valeur": "0102030405", "confidentialite": "3"}],
    }  # fmt: skip
    publier(
        unite,
        {
            "contacts": {"pose": {"a": contact}},
            "capacites": {"pose": {"b": {"nature": "01", "statut": "02", "nombre": 4}}},
            "horaires": {"pose": {"04/2026-01-05": {"lundi": []}}},
        },
    )
    attendus = {
        "R266": ("01", "familles_serafin"), "R212": ("010", "equipements"), "R287": ("03", "contacts"),
        "R283": ("3", "contacts"), "R200": ("1", "contacts"), "R329": ("01", "capacites"), "R330": ("02", "capacites"),
        "R252": ("04", "horaires"), "J238": ("08", "type_uo"),
    }  # fmt: skip
    lus = {liste: usages(liste, [code, "inconnu"]) for liste, (code, _) in attendus.items()}
    assert lus == {liste: [Usage(code, unite.pk, champ)] for liste, (code, champ) in attendus.items()}
    assert nombres("R283", ["1", "2", "3"]) == {"2": 1, "3": 1}
    assert usages("R283", ["2", "3"], 1, Usage("2", unite.pk, "contacts")) == [Usage("3", unite.pk, "contacts")]
    assert not est_employee("R331")


def test_un_code_ferme_se_corrige_depuis_sa_liste(gestionnaire, django_assert_max_num_queries):
    eg = etablissement("medico-social")
    unites = [uo(eg, activites={"ajoute": ["013"]}) for _ in range(3)]
    fermer("R211", "013", "014")
    liste = gestionnaire.get("/nomenclatures/R211/", {"q": "013"}).content.decode()
    assert "fermé</strong> depuis le" in liste
    assert "?code=013" in liste
    assert ">3<" in liste
    with django_assert_max_num_queries(13):
        page = gestionnaire.get("/nomenclatures/R211/fiches/").content.decode()
    assert [u.pk for u in unites] == [u.fiche for u in usages("R211", ["013"])]
    for unite in unites:
        assert f'href="/repertoire/{unite.identifiant}/modifier/#id_activites"' in page
    assert page.count(str(Concept.objects.get(nomenclature="R211", code="014"))) == 3
    fichier = b"".join(gestionnaire.get("/exports/codes-tenus.csv", {"liste": "R211"}).streaming_content).decode()
    lignes = fichier.strip().split("\r\n")
    assert len(lignes) == 4
    assert all(u.identifiant in fichier for u in unites)
    assert "Rien à corriger" in gestionnaire.get("/nomenclatures/R210/fiches/").content.decode()


def test_les_listes_les_filtres_et_les_pages(gestionnaire, monkeypatch):
    etablissement("medico-social")
    assert "R211 Activité opérationnelle" in gestionnaire.get("/nomenclatures/").content.decode()
    monkeypatch.setattr("structures.nomenclatures.PAGE", 2)
    vus, adresse = [], "?etat=ouverts"
    for _ in range(4):
        reponse = gestionnaire.get(f"/nomenclatures/R338/{adresse}")
        vus += [ligne.concept.code for ligne in reponse.context["lignes"]]
        adresse = reponse.context["suivant"]
    ouverts = Concept.objects.filter(nomenclature="R338", date_fin__isnull=True).order_by("code")
    assert vus == list(ouverts.values_list("code", flat=True)[:8])
    assert (
        gestionnaire.get("/nomenclatures/R338/", {"q": "teleexpertise 7", "apres": "x", "etat": "non"}).status_code
        == 200
    )
    assert gestionnaire.get("/nomenclatures/X1/").status_code == 404
    assert gestionnaire.get("/nomenclatures/R211/fiches/", {"apres": "a|9999999999999999999999|b"}).status_code == 200
