import pytest
from tablib import Dataset

from backoffice.comptes.models import User
from backoffice.comptes.resources import CompteResource

from .conftest import MOT_DE_PASSE

pytestmark = pytest.mark.django_db
COLONNES = ["identifiant", "nom", "prenom", "email"]


@pytest.fixture
def admin(client, compte):
    user = compte("chef")
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    user.refresh_from_db()
    client.force_login(user)
    return user


def importer(*lignes, dry_run=False):
    return CompteResource().import_data(Dataset(*lignes, headers=COLONNES), dry_run=dry_run, raise_errors=False)


def test_import_cree_et_corrige(compte):
    ancien = compte("Jean.Petit", nom="Ancien")
    resultat = importer(("jean.petit", "Petit", "Jean", "j@example.org"), ("neuf", "Neuf", "Ève", "e@example.org"))
    assert not resultat.has_errors()
    assert not resultat.has_validation_errors()
    assert (resultat.totals["new"], resultat.totals["update"]) == (1, 1)
    ancien.refresh_from_db()
    assert (ancien.username, ancien.last_name) == ("Jean.Petit", "Petit")
    assert ancien.check_password(MOT_DE_PASSE)
    neuf = User.objects.get(username="neuf")
    assert not neuf.has_usable_password()
    assert neuf.doit_changer_mot_de_passe


def test_import_refuse_en_disant_ou():
    resultat = importer(("neuf", "Neuf", "Ève", "pas une adresse"), ("bon", "Bon", "Al", "b@example.org"))
    assert [ligne.number for ligne in resultat.invalid_rows] == [1]
    assert "email" in resultat.invalid_rows[0].error_dict


def test_import_deux_fois_ne_change_rien():
    ligne = ("neuf", "Neuf", "Ève", "e@example.org")
    importer(ligne)
    assert importer(ligne).totals["skip"] == 1


def test_export_sans_mot_de_passe(compte):
    compte()
    donnees = CompteResource().export()
    assert donnees.headers == COLONNES
    assert "$" not in donnees.csv


def test_pages_de_l_admin(client, admin, compte):
    autre = compte("autre")
    assert client.get("/admin/comptes/user/").status_code == 200
    page = client.get(f"/admin/comptes/user/{autre.pk}/change/").content.decode()
    assert autre.password not in page
    assert client.get("/admin/comptes/user/import/").status_code == 200
    assert client.get("/admin/comptes/user/export/").status_code == 200
    assert client.get("/admin/comptes/user/add/").status_code == 403
    assert client.get(f"/admin/comptes/user/{autre.pk}/delete/").status_code == 403
    assert client.get(f"/admin/comptes/user/{autre.pk}/password/").status_code == 403
    assert client.get("/admin/password_change/")["Location"] == "/mot-de-passe/"


@pytest.mark.parametrize(
    ("action", "champ", "valeur"),
    [("donner_mot_de_passe", "doit_changer_mot_de_passe", True), ("desactiver", "is_active", False)],
)
def test_actions(client, admin, compte, action, champ, valeur):
    autre = compte("autre")
    reponse = client.post("/admin/comptes/user/", {"action": action, "_selected_action": [autre.pk, admin.pk]})
    assert reponse.status_code == 302
    autre.refresh_from_db()
    assert getattr(autre, champ) is valeur
