"""« Suivi par SESAN » is for the gestionnaires: no page says its fields or its values to anybody else."""

from datetime import timedelta

import pytest
from django.utils import timezone

from structures.enums import Role
from structures.models import Autorite
from tests.factories import dossiers
from tests.factories import repertoire as fabrique
from tests.navigation import client, texte
from tests.saisie import Saisie

pytestmark = pytest.mark.django_db

AUJOURDHUI = timezone.localdate()
HIER, DANS_UN_MOIS = AUJOURDHUI - timedelta(days=1), AUJOURDHUI + timedelta(days=30)
CHAMPS = ("Tutelles fixées par SESAN", "Mode de tarification", "Autorité de régulation")


@pytest.fixture
def eg():
    return fabrique.hopital()["EG"]


@pytest.fixture
def sophie():
    return fabrique.gestionnaire("sophie")


@pytest.fixture
def referent(eg):
    return fabrique.compte(Role.REFERENT, eg, "referent")


@pytest.fixture
def autorites(eg):
    """Two authorities: the first may be set now, the other one planned."""
    return list(Autorite.objects.order_by("pk")[:2])


def fixer(eg, acteur, autorite, date_effet=AUJOURDHUI, **plus):
    return fabrique.direct(eg, acteur, {"autorites": {"ajoute": [autorite.pk]}, **plus}, date_effet)


def test_aucune_page_ne_les_dit_aux_autres(eg, sophie, referent, autorites):
    for autorite, jour in zip(autorites, (AUJOURDHUI, DANS_UN_MOIS), strict=True):
        fixer(eg, sophie, autorite, jour)
    url, lecteur = f"/repertoire/{eg.identifiant}/", fabrique.lecteur()
    for suite in (
        "",
        "historique/",
        f"comparer/?du={HIER}&au={AUJOURDHUI}",
        f"comparer/?du={AUJOURDHUI}&au={DANS_UN_MOIS}",
        "modifier/",
        "signaler/?champ=autorites",
    ):
        lue = client(sophie).get(url + suite).content.decode()
        assert any(a.nom in lue for a in autorites), suite
        for user in (referent, lecteur):
            page = client(user).get(url + suite).content.decode()
            for mots in (*CHAMPS, *(a.nom for a in autorites)):
                assert mots not in page, (suite, mots)
    voir = {"etape": "voir", "champ": "autorites"}
    assert autorites[0].nom in client(sophie).post(f"{url}signaler/", voir).content.decode()
    assert autorites[0].nom not in client(referent).post(f"{url}signaler/", voir).content.decode()


def test_l_historique_dit_le_reste_et_nomme_le_suivi(eg, sophie, referent, autorites):
    fixer(eg, sophie, autorites[0], nom_operationnel="Hôpital de l’Essai")
    page = texte(client(referent).get(f"/repertoire/{eg.identifiant}/historique/"))
    assert "Nom opérationnel, Suivi par SESAN" in page
    assert "Hôpital de l’Essai" in page


def test_comparer_ne_compte_pas_une_fiche_ou_rien_d_autre_ne_change(eg, sophie, referent, autorites):
    fixer(eg, sophie, autorites[0])
    url = f"/repertoire/{eg.identifiant}/comparer/?du={HIER}&au={AUJOURDHUI}"
    assert client(sophie).get(url).context["total"] == 1
    assert client(referent).get(url).context["total"] == 0


def test_le_resume_ne_dit_pas_ce_que_sesan_a_change_pendant_la_saisie(eg, sophie, referent, autorites):
    saisie = Saisie(referent, f"/repertoire/{eg.identifiant}/modifier/")
    fixer(eg, sophie, autorites[0])
    saisie.envoyer("verifier", telephone="0140000001")
    assert saisie.reponse.status_code == 200
    for mots in (*CHAMPS, autorites[0].nom):
        assert mots not in saisie.mots
    saisie.envoyer("enregistrer")
    assert saisie.reponse.status_code == 302
    page = texte(client(referent).get(f"/repertoire/{eg.identifiant}/"))
    assert CHAMPS[0] not in page
    assert fabrique.contenu(eg).autorites == [autorites[0].pk]


def test_annuler_est_propose_a_qui_peut_changer_tout_ce_qui_a_change(eg, sophie, referent, autorites):
    m = fixer(eg, sophie, autorites[0], nom_operationnel="Autre nom")
    historique, defaire = (f"/repertoire/{eg.identifiant}/{s}" for s in ("historique/", f"changements/{m.pk}/defaire/"))
    page = client(referent).get(historique)
    assert defaire not in page.content.decode()
    assert "seuls les gestionnaires SESAN peuvent changer : demandez-leur de l’annuler" in texte(page)
    for methode in ("get", "post"):
        reponse = getattr(client(referent), methode)(defaire)
        assert reponse.status_code == 403
        assert "demandez-leur de l’annuler" in texte(reponse)
        assert autorites[0].nom not in texte(reponse)
    assert "demandez-leur de l’annuler" not in texte(client(fabrique.lecteur()).get(historique))
    assert defaire in client(sophie).get(historique).content.decode()
    saisie = Saisie(sophie, defaire)
    saisie.envoyer("")
    assert saisie.reponse.status_code == 302
    assert fabrique.contenu(eg, AUJOURDHUI).autorites == []


def test_aucune_page_d_un_dossier_ne_les_dit(eg, sophie, referent, autorites):
    dossier = dossiers.brouillon(eg, referent)
    dossiers.modifier(dossier, referent, eg.pk, telephone="0140000001")
    fixer(eg, sophie, autorites[0])
    url = f"/dossiers/{dossier.pk}/fiches/{eg.pk}/"

    def lue(user) -> str:
        return client(user).get(url).content.decode()

    def sans_suivi(page: str) -> bool:
        return not any(mots in page for mots in (*CHAMPS, *(a.nom for a in autorites)))

    assert "id_telephone" in lue(referent)
    assert sans_suivi(lue(referent))
    assert autorites[0].nom in lue(sophie)  # who reads it with everything that SESAN keeps
    dossiers.envoye(dossier, referent)
    assert "id_telephone" not in lue(referent)
    assert sans_suivi(lue(referent))
