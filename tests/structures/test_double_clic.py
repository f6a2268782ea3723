"""Two clicks on « Enregistrer »: the second one is answered as the first, and nothing is saved twice."""

from datetime import timedelta

import pytest
from django.utils import timezone

from structures.enums import Role
from structures.models import Modification
from tests.factories import repertoire as fabrique
from tests.navigation import client
from tests.saisie import Saisie

pytestmark = pytest.mark.django_db

AUJOURDHUI = timezone.localdate()
CONTACT = {
    "contacts-0-nature": "01",
    "contacts-0-confidentialite": "2",
    "contacts-0-telecoms-present": "1",
    "contacts-0-telecoms-0-canal": "2",
    "contacts-0-telecoms-0-valeur": "01 99 00 12 34",
    "contacts-0-telecoms-0-confidentialite": "2",
}


@pytest.fixture
def saisie(hopital) -> Saisie:
    referent = fabrique.compte(Role.REFERENT, hopital["EG"], "referent")
    return Saisie(referent, f"/repertoire/{hopital['UO'].identifiant}/modifier/")


@pytest.mark.parametrize("changement", [{"conditions_admission": "Sur rendez-vous"}, CONTACT])
def test_un_double_clic_repond_deux_fois_que_c_est_enregistre(hopital, saisie, changement):
    saisie.envoyer("resume", **changement)
    donnees = saisie.donnees(etape="enregistrer")
    for _ in range(2):
        reponse = saisie.navigateur.post(saisie.url, donnees)
        assert (reponse.status_code, reponse["Location"]) == (302, f"/repertoire/{hopital['UO'].identifiant}/")
        assert "visibles dès maintenant" in saisie.navigateur.get(reponse["Location"]).content.decode()
    assert Modification.objects.filter(fiche=hopital["UO"], source="direct").count() == 1
    autre = fabrique.compte(Role.DIRECTION, hopital["EG"], "autre")
    if changement is not CONTACT:  # somebody else's same change is no second click
        assert client(autre).post(saisie.url, donnees).status_code == 422


def test_un_double_clic_sur_un_changement_prevu(hopital):
    referent = fabrique.compte(Role.REFERENT, hopital["EG"], "referent")
    prevu = fabrique.direct(hopital["UO"], referent, {"conditions_admission": "A"}, AUJOURDHUI + timedelta(days=30))
    saisie = Saisie(referent, f"/repertoire/{hopital['UO'].identifiant}/changements/{prevu.pk}/modifier/")
    saisie.envoyer("resume", conditions_admission="B")
    donnees = saisie.donnees(etape="enregistrer")
    for _ in range(2):
        reponse = saisie.navigateur.post(saisie.url, donnees)
        assert reponse.status_code == 302
        assert "Le changement prévu est modifié" in saisie.navigateur.get(reponse["Location"]).content.decode()
    assert Modification.objects.filter(fiche=hopital["UO"], source="direct").count() == 2
    assert saisie.navigateur.post(saisie.url, {**donnees, "conditions_admission": ["C"]}).status_code == 409
