"""Imports and exports of reference data and habilitations, through the resources and through the admin's preview."""

import csv
import gzip
import tomllib
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import load_workbook
from tablib import Dataset

from backoffice.comptes.models import User
from structures import resources
from structures.domaine.habilitations import accorder
from structures.domaine.referentiels import DONNEES
from structures.enums import Role
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

from .fabrique import aujourdhui, change, enregistrer, etablissement, personne

pytestmark = pytest.mark.django_db
HABILITATION = ("identifiant", "role", "finess", "autorite", "debut", "fin")


def lire(chemin: Path, **ajouts: str) -> Dataset:
    """A file of the starter set, with constant columns added."""
    ouvrir: Any = gzip.open if chemin.suffix == ".gz" else open
    with ouvrir(chemin, "rt", encoding="utf-8", newline="") as flux:
        lignes = list(csv.reader(flux, delimiter=";"))
    return Dataset(*[(*ligne, *ajouts.values()) for ligne in lignes[1:]], headers=[*lignes[0], *ajouts])


def importer(resource: type, *lignes: Any, colonnes: Any = None, **options: Any) -> Any:
    donnees = lignes[0] if isinstance(lignes[0], Dataset) else Dataset(*lignes, headers=colonnes)
    return resource().import_data(donnees, **options)


def totaux(resultat: Any) -> tuple[int, int, int]:
    """(new, changed, unchanged), after checking that nothing was refused."""
    assert (resultat.base_errors, [r.error_dict for r in resultat.invalid_rows]) == ([], [])
    assert not resultat.has_errors()
    return resultat.totals["new"], resultat.totals["update"], resultat.totals["skip"]


def fautes(resultat: Any) -> dict[int, dict[str, list[str]]]:
    """Refusals by number of line and column; the whole of them are validation errors, never crashes."""
    assert not [e.error for ligne in resultat.error_rows for e in ligne.errors]
    return {ligne.number: ligne.error_dict for ligne in resultat.invalid_rows}


# -- the starter files are in the layout of the resources -------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource", "fichier", "ajouts"),
    [
        (resources.RegleCategorieResource, "categories.csv", {}),
        (resources.RegleTarificationResource, "tarification.csv", {}),
        (resources.AutoriteResource, "autorites.csv", {}),
        (resources.DepartementResource, "departements.csv", {}),
        (resources.ConceptResource, "concepts/R66.csv", {"nomenclature": "R66"}),
        (resources.ConceptResource, "concepts/R338.csv", {"nomenclature": "R338"}),
    ],
)
def test_le_jeu_de_depart_revient_sans_rien_changer(resource, fichier, ajouts):
    donnees = lire(DONNEES / fichier, **ajouts)
    assert totaux(importer(resource, donnees)) == (0, 0, len(donnees))


def test_les_nomenclatures_de_depart_reviennent_sans_rien_changer():
    listes = tomllib.loads((DONNEES / "nomenclatures.toml").read_text(encoding="utf-8"))
    colonnes = ["code", "nom", "libelle", "url", "oid", "version"]
    donnees = Dataset(*[[c, *(d.get(k, "") for k in colonnes[1:])] for c, d in listes.items()], headers=colonnes)
    assert totaux(importer(resources.NomenclatureResource, donnees)) == (0, 0, len(listes))


def test_un_millier_de_communes_revient_sans_rien_changer():
    donnees = lire(DONNEES / "communes.csv.gz")
    donnees = Dataset(*donnees[:1000], headers=donnees.headers)
    assert totaux(importer(resources.CommuneResource, donnees)) == (0, 0, 1000)


@pytest.mark.parametrize(
    "modele",
    [Nomenclature, Concept, Association, RegleCategorie, RegleTarification, Departement, Autorite],
)
def test_ce_qui_est_exporte_revient_sans_rien_changer(modele):
    resource = getattr(resources, f"{modele.__name__}Resource")
    exporte = resource().export(queryset=modele.objects.all())
    assert len(exporte) == modele.objects.count() > 0
    assert totaux(importer(resource, exporte)) == (0, 0, len(exporte))


# -- what an import does ----------------------------------------------------------------------------------------------

CONCEPT = ("nomenclature", "code", "libelle", "date_debut", "date_fin")


def test_un_concept_est_cree_corrige_ferme():
    premier, second = Concept.objects.filter(nomenclature="R66", date_fin=None)[:2]
    resultat = importer(
        resources.ConceptResource,
        ("R66", "9999", "Nouvelle catégorie", "2026-01-01", ""),
        ("R66", premier.code, "Autre libellé", "", ""),
        ("R66", second.code, second.libelle, second.date_debut, "31/12/2026"),
        colonnes=CONCEPT,
    )
    assert totaux(resultat) == (1, 2, 0)
    premier.refresh_from_db()
    second.refresh_from_db()
    assert (premier.libelle, premier.date_debut, second.date_fin) == ("Autre libellé", None, date(2026, 12, 31))
    assert Concept.objects.get(nomenclature="R66", code="9999").date_debut == date(2026, 1, 1)


def test_une_commune_importee_se_cherche():
    colonnes = ("code", "nom", "type", "departement", "region", "codes_postaux", "epci", "epci_nom", "population")
    ligne = ("01999", "Saint-Été-l’Œuvre", "commune-actuelle", "01", "84", "01990,01991", "", "", 12)
    assert totaux(importer(resources.CommuneResource, ligne, colonnes=colonnes)) == (1, 0, 0)
    commune = Commune.objects.get(pk="01999")
    assert (commune.recherche, commune.codes_postaux, commune.population) == (
        "saint ete l oeuvre 01 01990 01991",
        ["01990", "01991"],
        12,
    )


def test_un_code_devenu_nombre_dans_un_tableur_reste_un_code():
    assert totaux(importer(resources.DepartementResource, (99.0, "Essai", 11), colonnes=("code", "nom", "region"))) == (
        1,
        0,
        0,
    )
    assert Departement.objects.get(pk="99").region == "11"


CATEGORIE = ("code", "filiere", "champ", "autorites")
REFUS = [
    (resources.ConceptResource, CONCEPT, ("R999", "1", "x", "", ""), "nomenclature",
     "La nomenclature « R999 » n’existe pas."),
    (resources.ConceptResource, CONCEPT, ("", "1", "x", "", ""), "nomenclature", None),
    (resources.ConceptResource, CONCEPT, ("R66", "", "x", "", ""), "code", None),
    (resources.ConceptResource, CONCEPT, ("R66", "1", "x" * 401, "", ""), "libelle", None),
    (resources.ConceptResource, CONCEPT, ("R66", "1", "x", "hier", ""), "date_debut", "n’est pas une date"),
    (resources.ConceptResource, CONCEPT, ("R66", "1", "x", "2026-01-02", "2026-01-01"), "__all__", None),
    (resources.RegleCategorieResource, CATEGORIE, ("1", "autres", "social", ""), "filiere",
     "« autres » n’existe pas. Valeurs possibles : sanitaire, handicap, autre."),
    (resources.RegleCategorieResource, CATEGORIE, ("1", "autre", "social", "ARS+XX"),
     "autorites", "« XX » n’existe pas"),
    (resources.RegleCategorieResource, CATEGORIE, ("12345", "autre", "social", ""),
     "code", None),
    (resources.AssociationResource, ("nature", "source", "cible"), ("type_champ", "J238/ZZ", "R227/01"), "source",
     "Le code « J238/ZZ » n’existe pas."),
    (resources.CommuneResource,
     ("code", "nom", "type", "departement", "region", "codes_postaux", "epci", "epci_nom", "population"),
     ("01998", "A", "t", "01", "84", "", "", "", "beaucoup"), "population", "n’est pas un nombre entier"),
    (resources.NomenclatureResource, ("code", "nom", "libelle", "url", "oid", "version"),
     ("R1", "a\x00b", "x", "", "", ""), "nom", "ne peut pas être enregistré"),
]  # fmt: skip


@pytest.mark.parametrize(("resource", "colonnes", "ligne", "champ", "phrase"), REFUS)
def test_une_erreur_est_dite_par_ligne_et_colonne_et_rien_n_est_importe(resource, colonnes, ligne, champ, phrase):
    modele = resource._meta.model
    avant = modele.objects.count()
    bonne = {
        resources.ConceptResource: ("R66", "9998", "Bonne", "", ""),
        resources.RegleCategorieResource: ("998", "autre", "social", "ARS"),
        resources.NomenclatureResource: ("R998", "a", "b", "", "", ""),
    }.get(resource)
    lignes = [bonne, ligne] if bonne else [ligne]
    trouvees = fautes(importer(resource, *lignes, colonnes=colonnes))
    assert list(trouvees) == [len(lignes)]
    assert list(trouvees[len(lignes)]) == [champ]
    [message] = trouvees[len(lignes)][champ]
    assert (phrase or "") in message
    assert modele.objects.count() == avant


def test_deux_lignes_pour_une_cle_sont_refusees():
    ligne = ("R66", "9999", "Une", "", "")
    trouvees = fautes(importer(resources.ConceptResource, ligne, ligne, colonnes=CONCEPT))
    assert trouvees == {2: {"__all__": ["Une ligne précédente du fichier porte déjà cette clé."]}}
    assert not Concept.objects.filter(code="9999").exists()


def test_une_colonne_qui_manque_est_nommee():
    resultat = importer(
        resources.ConceptResource, ("R66", "9999", "x", ""), colonnes=("nomenclature", "code", "libelle", "debut")
    )
    [erreur] = resultat.base_errors
    assert "Il manque les colonnes date_debut, date_fin." in str(erreur.error)
    assert (erreur.traceback, resultat.invalid_rows, resultat.error_rows) == ("", [], [])


def test_les_colonnes_en_trop_et_les_lignes_vides_de_la_fin_sont_ignorees():
    resultat = importer(
        resources.DepartementResource,
        ("99", "Essai", "11", "inutile"),
        ("", None, "", ""),
        colonnes=("code", "nom", "region", "autre"),
    )
    assert totaux(resultat) == (1, 0, 0)


def test_l_apercu_n_ecrit_rien():
    resultat = importer(
        resources.DepartementResource, ("99", "Essai", "11"), colonnes=("code", "nom", "region"), dry_run=True
    )
    assert totaux(resultat) == (1, 0, 0)
    assert not Departement.objects.filter(pk="99").exists()


def test_le_nombre_d_ordres_ne_depend_pas_des_lignes_inchangees(django_assert_max_num_queries):
    donnees = Dataset(*lire(DONNEES / "communes.csv.gz")[:500], headers=lire(DONNEES / "communes.csv.gz").headers)
    with django_assert_max_num_queries(2 * 500 + 20):  # one savepoint a line, no lookup
        importer(resources.CommuneResource, donnees)


# -- habilitations ----------------------------------------------------------------------------------------------------


@pytest.fixture
def gestionnaire() -> User:
    chef = personne("chef")
    accorder(user=chef, role=Role.GESTIONNAIRE, acteur=None)
    return chef


def numero(fiche: Any) -> str:
    return fiche.identifiant[1:]


def test_les_droits_arrivent_par_leurs_cles(gestionnaire):
    ej, eg = etablissement()
    for nom in ("a", "b", "c"):
        personne(nom)
    resultat = importer(
        resources.HabilitationResource,
        ("A", "Référent", numero(eg), "", "", ""),
        ("b", "direction", numero(ej), "", "2026-01-01", "31/12/2030"),
        ("c", "tutelle", "", "ARS-11", "", ""),
        ("c", "gestionnaire", "", "", "", ""),
        colonnes=HABILITATION,
        user=gestionnaire,
    )
    assert totaux(resultat) == (4, 0, 0)
    lues = Habilitation.objects.exclude(user=gestionnaire).order_by("pk")
    assert list(lues.values_list("user__username", "role", "fiche", "autorite", "debut", "fin")) == [
        ("a", "referent", eg.pk, None, aujourdhui(), None),
        ("b", "direction", ej.pk, None, date(2026, 1, 1), date(2030, 12, 31)),
        ("c", "tutelle", None, "ARS-11", aujourdhui(), None),
        ("c", "gestionnaire", None, None, aujourdhui(), None),
    ]
    exporte = resources.HabilitationResource().export()
    assert totaux(importer(resources.HabilitationResource, exporte, user=gestionnaire)) == (0, 0, 5)


@pytest.mark.parametrize("debut", [None, "le sien"])
def test_une_fin_dans_le_fichier_termine_sans_effacer(gestionnaire, debut):
    _, eg = etablissement()
    droit = accorder(user=personne(), role=Role.REFERENT, fiche=eg, debut=date(2025, 1, 1), acteur=None)
    fin = aujourdhui() + timedelta(days=3)
    ligne = (droit.user.username, "referent", numero(eg), "", droit.debut if debut else "", fin.isoformat())
    assert totaux(importer(resources.HabilitationResource, ligne, colonnes=HABILITATION, user=gestionnaire)) == (
        0,
        1,
        0,
    )
    droit.refresh_from_db()
    assert (droit.debut, droit.fin) == (date(2025, 1, 1), fin)


@pytest.mark.parametrize(
    ("ligne", "champ", "phrase"),
    [
        (("absent", "referent", "EG", "", "", ""), "identifiant", "Le compte « absent » n’existe pas."),
        (("", "referent", "EG", "", "", ""), "identifiant", "Indiquez"),
        (("bon", "chef", "EG", "", "", ""), "role", "« chef » n’existe pas"),
        (("bon", "referent", "", "", "", ""), "finess", "numéro FINESS"),
        (("bon", "referent", "999999999", "", "", ""), "finess", "La structure « 999999999 » n’existe pas."),
        (("bon", "referent", "FERME", "", "", ""), "finess", "fermée"),
        (("bon", "tutelle", "", "ARS-99", "", ""), "autorite", "L’autorité « ARS-99 » n’existe pas."),
        (("bon", "tutelle", "EG", "ARS-11", "", ""), "finess", "Référent"),
        (("bon", "gestionnaire", "", "ARS-11", "", ""), "autorite", "tutelle"),
        (("bon", "referent", "EG", "", "2026-02-01", "2026-01-01"), "fin", "après le début"),
        (("bon", "referent", "EG", "", "demain", ""), "debut", "n’est pas une date"),
        (("bon", "direction", "EG", "", "2024-01-01", ""), "role", "déjà ce droit"),
        (("parti", "referent", "EG", "", "", ""), "__all__", "désactivé"),
    ],
)  # fmt: skip
def test_un_droit_impossible_est_refuse_en_disant_pourquoi(gestionnaire, ligne, champ, phrase):
    _, eg = etablissement()
    _, ferme = etablissement()
    enregistrer([change(ferme, aujourdhui(), existe=False)])
    accorder(user=personne("bon"), role=Role.DIRECTION, fiche=eg, acteur=None)
    User.objects.filter(pk=personne("parti").pk).update(is_active=False)
    avant = Habilitation.objects.count()
    cellules = tuple({"EG": numero(eg), "FERME": numero(ferme)}.get(c, c) for c in ligne)
    bonne = ("bon", "referent", numero(eg), "", "", "")
    trouvees = fautes(
        importer(resources.HabilitationResource, bonne, cellules, colonnes=HABILITATION, user=gestionnaire)
        if cellules[:3] != bonne[:3]
        else importer(resources.HabilitationResource, cellules, colonnes=HABILITATION, user=gestionnaire)
    )
    [(numero_, par_champ)] = trouvees.items()
    assert numero_ == (1 if cellules[:3] == bonne[:3] else 2)
    assert list(par_champ) == [champ]
    assert phrase in " ".join(par_champ[champ])
    assert Habilitation.objects.count() == avant


def test_une_habilitation_terminee_ne_reprend_pas(gestionnaire):
    _, eg = etablissement()
    droit = accorder(
        user=personne(), role=Role.REFERENT, fiche=eg, debut=date(2025, 1, 1), fin=date(2025, 6, 1), acteur=None
    )
    ligne = (droit.user.username, "referent", numero(eg), "", "2025-01-01", "")
    trouvees = fautes(importer(resources.HabilitationResource, ligne, colonnes=HABILITATION, user=gestionnaire))
    assert list(trouvees[1]) == ["fin"]


def test_le_dernier_gestionnaire_reste(gestionnaire):
    ligne = (gestionnaire.username, "gestionnaire", "", "", "", aujourdhui().isoformat())
    trouvees = fautes(importer(resources.HabilitationResource, ligne, colonnes=HABILITATION, user=gestionnaire))
    assert trouvees[1]
    assert Habilitation.objects.actives().filter(user=gestionnaire).exists()


def test_seul_un_gestionnaire_donne_des_droits():
    _, eg = etablissement()
    ligne = (personne("a").username, "referent", numero(eg), "", "", "")
    trouvees = fautes(importer(resources.HabilitationResource, ligne, colonnes=HABILITATION, user=personne("b")))
    assert "Seuls les gestionnaires" in trouvees[1]["__all__"][0]


# -- the admin --------------------------------------------------------------------------------------------------------

MODELES = [
    Nomenclature, Concept, Association, RegleCategorie, RegleTarification, Departement, Commune, Autorite, Habilitation,
]  # fmt: skip


@pytest.fixture
def chef(client: Client, gestionnaire: User) -> Client:
    User.objects.filter(pk=gestionnaire.pk).update(is_staff=True)
    client.force_login(User.objects.get(pk=gestionnaire.pk))
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
