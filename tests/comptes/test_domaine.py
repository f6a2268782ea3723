import re

import pghistory.models
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from backoffice.comptes import domaine
from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Invalide

from .conftest import MOT_DE_PASSE

pytestmark = pytest.mark.django_db


def creer(**autres):
    donnees = {"identifiant": "jean.petit", "email": "j@example.org", "prenom": "Jean", "nom": "Petit", "acteur": None}
    return domaine.creer_compte(**{**donnees, **autres})


def test_creer_compte_rend_un_mot_de_passe_provisoire():
    user, provisoire = creer()
    user.refresh_from_db()
    assert re.fullmatch(r"([a-z2-9]{4}-){3}[a-z2-9]{4}", provisoire)
    assert not set(provisoire) & set("01ilo")
    assert user.check_password(provisoire)
    assert (user.username, user.doit_changer_mot_de_passe, user.is_active) == ("jean.petit", True, True)


def test_deux_tirages_different():
    assert domaine.mot_de_passe_provisoire() != domaine.mot_de_passe_provisoire()


def test_identifiant_deja_pris_quelle_que_soit_la_casse():
    creer()
    for identifiant in ("jean.petit", "Jean.Petit "):
        with pytest.raises(Invalide) as refus:
            creer(identifiant=identifiant)
        assert refus.value.champs == {"identifiant": ["Un compte porte déjà cet identifiant."]}
    assert User.objects.count() == 1


def test_champs_manquants_ou_faux():
    with pytest.raises(Invalide) as refus:
        creer(identifiant="a b", email="pas-une-adresse", prenom=" ", nom="")
    assert set(refus.value.champs) == {"identifiant", "email", "prenom", "nom"}
    assert User.objects.count() == 0


def test_course_sur_l_identifiant(monkeypatch):
    creer()
    monkeypatch.setattr(User, "full_clean", lambda self, **k: None)
    with pytest.raises(Invalide) as refus:
        creer()
    assert list(refus.value.champs) == ["identifiant"]


def test_la_base_refuse_deux_casses():
    creer()
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(username="JEAN.PETIT", email="x@example.org")


def test_un_compte_n_est_jamais_supprime():
    user, _ = creer()
    with pytest.raises(DatabaseError, match="Cannot delete"), transaction.atomic():
        User.objects.filter(pk=user.pk)._raw_delete("default")


def test_desactiver_puis_reactiver(compte):
    user, gestionnaire = compte("un"), compte("deux")
    domaine.desactiver_compte(user=user, acteur=gestionnaire)
    assert not User.objects.get(pk=user.pk).is_active
    with pytest.raises(Conflit):
        domaine.desactiver_compte(user=user, acteur=gestionnaire)
    domaine.reactiver_compte(user=user, acteur=gestionnaire)
    assert User.objects.get(pk=user.pk).is_active
    with pytest.raises(Conflit):
        domaine.reactiver_compte(user=user, acteur=gestionnaire)


def test_personne_ne_se_desactive(compte):
    user = compte()
    with pytest.raises(Interdit):
        domaine.desactiver_compte(user=user, acteur=user)


def test_redonner_mot_de_passe(compte):
    user = compte()
    provisoire = domaine.redonner_mot_de_passe(user=user, acteur=None)
    user.refresh_from_db()
    assert user.check_password(provisoire)
    assert user.doit_changer_mot_de_passe
    domaine.desactiver_compte(user=user, acteur=None)
    with pytest.raises(Conflit):
        domaine.redonner_mot_de_passe(user=user, acteur=None)


@pytest.mark.parametrize("mauvais", ["court", "123456789012345", "q1w2e3r4t5y6", "jean.petit"])
def test_les_regles_du_mot_de_passe(mauvais):
    user, _ = creer()
    with pytest.raises(Invalide) as refus:
        domaine.changer_mot_de_passe(user=user, nouveau=mauvais)
    assert list(refus.value.champs) == ["nouveau"]
    assert refus.value.champs["nouveau"]


def test_le_provisoire_ne_peut_etre_garde():
    user, provisoire = creer()
    with pytest.raises(Invalide, match="ne convient pas") as refus:
        domaine.changer_mot_de_passe(user=user, nouveau=provisoire)
    assert "provisoire" in refus.value.champs["nouveau"][0]


def test_l_annonce_part_dans_la_transaction(monkeypatch, compte):
    annonces = []
    monkeypatch.setattr(
        domaine,
        "_annonceur",
        lambda user, mot, nouveau: annonces.append((user.pk, mot, nouveau, connection.in_atomic_block)),
    )
    user, premier = creer()
    second = domaine.redonner_mot_de_passe(user=user, acteur=None)
    creer(identifiant="sans.annonce", annoncer=False)
    assert annonces == [(user.pk, premier, True, True), (user.pk, second, False, True)]


def test_l_historique_dit_qui_et_ne_garde_pas_le_mot_de_passe(compte):
    acteur = compte("gestion")
    user, _ = creer(acteur=acteur)
    domaine.desactiver_compte(user=user, acteur=acteur)
    evenements = list(user.events.order_by("pgh_id"))
    assert [e.pgh_label for e in evenements] == ["insert", "update"]
    contextes = [pghistory.models.Context.objects.get(pk=e.pgh_context_id).metadata for e in evenements]
    assert contextes == [
        {"verbe": "creer_compte", "acteur": acteur.pk},
        {"verbe": "desactiver_compte", "acteur": acteur.pk},
    ]
    assert "password" not in {f.name for f in user.events.model._meta.get_fields()}


def test_connexion_sans_casse(compte, client):
    compte("Jean.Petit")
    assert client.login(username="jean.PETIT", password=MOT_DE_PASSE)
