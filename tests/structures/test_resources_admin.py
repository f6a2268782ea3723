"""The same imports and exports through the pages of the admin: preview, confirmation, refusals, formulas."""

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import load_workbook

from backoffice.comptes.models import User
from structures.models import (
    Association,
    Autorite,
    Commune,
    Concept,
    Departement,
    Habilitation,
    Nomenclature,
    RegleCategorie,
    RegleTarification,
)

from .fabrique import aujourdhui, etablissement, personne
from .tableurs import numero

pytestmark = pytest.mark.django_db

MODELES = [
    Nomenclature, Concept, Association, RegleCategorie, RegleTarification, Departement, Commune, Autorite, Habilitation,
]  # fmt: skip


@pytest.fixture
def chef(client: Client, agent: User) -> Client:
    User.objects.filter(pk=agent.pk).update(is_staff=True)
    client.force_login(User.objects.get(pk=agent.pk))
    return client


def adresse(modele: Any, *suite: str) -> str:
    return "/".join(["/admin/structures", modele._meta.model_name, *suite, ""])


def contenu(reponse: Any) -> str:
    assert reponse.status_code == 200, reponse.status_code
    return reponse.content.decode()


@pytest.mark.parametrize("modele", MODELES)
def test_les_pages_de_l_admin_s_ouvrent(chef, modele):
    assert contenu(chef.get(adresse(modele)))
    for page in ("add", "import", "export"):
        assert contenu(chef.get(adresse(modele, page))), page
    ligne = modele.objects.first()
    assert contenu(chef.get(adresse(modele, str(ligne.pk), "change")))
    assert chef.get(adresse(modele, str(ligne.pk), "delete")).status_code == 403
    assert modele in admin.site._registry


@pytest.mark.parametrize("modele", MODELES)
@pytest.mark.parametrize("page", ["", "add", "import", "export"])
def test_un_agent_sans_habilitation_n_y_entre_pas(client, modele, page):
    agent = personne("agent")
    User.objects.filter(pk=agent.pk).update(is_staff=True)
    client.force_login(User.objects.get(pk=agent.pk))
    assert client.get(adresse(modele, page) if page else adresse(modele)).status_code == 403


def televerser(chef: Client, modele: Any, octets: bytes, nom: str = "f.csv", format_: str = "0") -> str:
    fichier = SimpleUploadedFile(nom, octets)
    return contenu(chef.post(adresse(modele, "import"), {"import_file": fichier, "format": format_, "resource": ""}))


def confirmer(chef: Client, modele: Any, apercu: str) -> Any:
    champs = {nom: valeur_de(apercu, nom) for nom in ("import_file_name", "original_file_name", "format", "resource")}
    return chef.post(adresse(modele, "process_import"), champs, follow=True)


def valeur_de(page: str, nom: str) -> str:
    balise = page.split(f'name="{nom}"', 1)[1].split(">", 1)[0]
    return balise.split('value="', 1)[1].split('"', 1)[0] if 'value="' in balise else ""


DEPARTEMENTS = "code;nom;region\n99;Côte-d’Essai;11\n98;Autre;11\n"


@pytest.mark.parametrize(
    "octets",
    [
        DEPARTEMENTS.encode(),
        DEPARTEMENTS.encode("utf-8-sig"),
        DEPARTEMENTS.encode("cp1252"),
        DEPARTEMENTS.replace(";", ",").encode(),
        DEPARTEMENTS.replace("\n", "\r\n").encode(),
    ],
)
def test_un_fichier_est_previsualise_puis_importe(chef, octets):
    apercu = televerser(chef, Departement, octets)
    assert "Côte-d’Essai" in apercu
    assert not Departement.objects.filter(pk="99").exists()
    confirmer(chef, Departement, apercu)
    assert Departement.objects.get(pk="99").nom == "Côte-d’Essai"


def test_les_erreurs_s_affichent_dans_l_apercu_sans_bouton_pour_confirmer(chef):
    apercu = televerser(chef, Concept, b"nomenclature;code;libelle;date_debut;date_fin\nR999;1;x;;\n")
    assert "La nomenclature « R999 » n’existe pas." in apercu
    assert 'name="confirm"' not in apercu


def test_un_fichier_d_un_autre_modele_est_refuse_sans_trace_technique(chef):
    apercu = televerser(chef, Concept, DEPARTEMENTS.encode())
    assert "Il manque les colonnes nomenclature, libelle, date_debut, date_fin." in apercu
    assert "Traceback" not in apercu
    assert 'name="confirm"' not in apercu


def test_ce_qui_a_change_depuis_l_apercu_n_est_pas_annonce_comme_un_succes(chef):
    apercu = televerser(chef, Concept, b"nomenclature;code;libelle;date_debut;date_fin\nNEUVE;1;x;;\n")
    assert 'name="confirm"' not in apercu
    Nomenclature.objects.create(code="NEUVE", nom="n", libelle="l")
    apercu = televerser(chef, Concept, b"nomenclature;code;libelle;date_debut;date_fin\nNEUVE;1;x;;\n")
    Nomenclature.objects.filter(pk="NEUVE").delete()
    page = contenu(confirmer(chef, Concept, apercu))
    assert "Rien n’a été importé." in page
    assert "La nomenclature « NEUVE » n’existe pas." in page


COLONNES_EXPORTEES = {f"departementresource_{nom}": "on" for nom in ("code", "nom", "region")}


def test_l_export_neutralise_les_formules(chef):
    Departement.objects.create(code="99", nom="=2+5", region="11")
    texte = chef.post(adresse(Departement, "export"), {
        "format": "0", "resource": "", **COLONNES_EXPORTEES,
    }).content.decode("utf-8-sig")  # fmt: skip
    assert "code;nom;region" in texte
    assert "99;2+5;11" in texte


def test_l_export_xlsx_se_relit(chef):
    reponse = chef.post(adresse(Departement, "export"), {
        "format": "1", "resource": "", **COLONNES_EXPORTEES,
    })  # fmt: skip
    assert load_workbook(BytesIO(reponse.content)).active.max_row == Departement.objects.count() + 1
    Departement.objects.filter(pk="75").update(nom="Autre")
    confirmer(chef, Departement, televerser(chef, Departement, reponse.content, "d.xlsx", "1"))
    assert Departement.objects.get(pk="75").nom == "Paris"


def test_une_cle_ne_se_change_pas_et_une_commune_se_reindexe(chef):
    commune = Commune.objects.get(pk="75107")
    donnees = {"code": "00000", "nom": "Paris Sept", "type": commune.type, "departement": "75", "region": "11",
               "codes_postaux": "75007", "epci": "", "epci_nom": "", "population": ""}  # fmt: skip
    chef.post(adresse(Commune, "75107", "change"), donnees)
    commune.refresh_from_db()
    assert (commune.nom, commune.recherche) == ("Paris Sept", "paris sept 75 75007")
    assert not Commune.objects.filter(pk="00000").exists()


def test_un_droit_se_donne_et_se_termine_dans_l_admin(chef):
    _, eg = etablissement()
    personne("neuf")
    saisie = {"identifiant": "NEUF", "role": "referent", "finess": numero(eg), "autorite": "", "debut": "", "fin": ""}
    chef.post(adresse(Habilitation, "add"), saisie)
    droit = Habilitation.objects.get(user__username="neuf")
    assert (droit.fiche_id, droit.debut, droit.fin) == (eg.pk, aujourdhui(), None)
    assert "déjà ce droit" in contenu(chef.post(adresse(Habilitation, "add"), saisie))
    fin = aujourdhui() + timedelta(days=5)
    chef.post(adresse(Habilitation, str(droit.pk), "change"), {"fin": fin.isoformat(), "role": "direction"})
    droit.refresh_from_db()
    assert (droit.role, droit.fin) == ("referent", fin)
    assert "une" in contenu(chef.post(adresse(Habilitation, str(droit.pk), "change"), {"fin": ""}))
    chef.post(adresse(Habilitation), {"action": "terminer_aujourdhui", "_selected_action": [droit.pk]})
    droit.refresh_from_db()
    assert droit.fin == aujourdhui()


@pytest.mark.parametrize(
    ("champs", "phrase"),
    [
        ({"identifiant": "absent"}, "Ce compte n’existe pas."),
        ({"finess": ""}, "numéro FINESS"),
        ({"finess": "750000010"}, "ne porte le numéro"),
        ({"role": "tutelle", "finess": ""}, "Choisissez l’autorité."),
        ({"fin": "2020-01-01"}, "La fin vient après le début."),
    ],
)
def test_un_droit_impossible_est_refuse_dans_le_formulaire(chef, champs, phrase):
    _, eg = etablissement()
    personne("neuf")
    saisie = {"identifiant": "neuf", "role": "referent", "finess": numero(eg), "autorite": "", "debut": "", "fin": ""}
    assert phrase in contenu(chef.post(adresse(Habilitation, "add"), saisie | champs))
    assert not Habilitation.objects.filter(user__username="neuf").exists()


def test_une_autorite_inconnue_de_personne_se_cree(chef):
    chef.post(adresse(Autorite, "add"), {"code": "CD-99", "nom": "Essai", "type": "CD", "departement": "99"})
    assert Autorite.objects.get(pk="CD-99").nom == "Essai"
