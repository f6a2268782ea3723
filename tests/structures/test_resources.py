"""Imports and exports of reference data through their resources: nothing changes twice, nothing half imported."""

import tomllib
from datetime import date

import pytest
from tablib import Dataset

from structures import resources
from structures.domaine.referentiels import DONNEES
from structures.models import (
    Association,
    Autorite,
    Commune,
    Concept,
    Departement,
    Nomenclature,
    RegleCategorie,
    RegleTarification,
)

from .tableurs import fautes, importer, lire, totaux

pytestmark = pytest.mark.django_db

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
