"""Too much at once, and numbers out of bounds: refused in words, before anything that costs is built."""

from datetime import date, timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from structures.domaine.valider import erreurs_contenu
from structures.enums import Role
from structures.models import Commune
from structures.vues.criteres import lire
from tests.factories import repertoire as fabrique
from tests.navigation import client
from tests.saisie import Saisie

pytestmark = pytest.mark.django_db

AUJOURDHUI = timezone.localdate()


@pytest.fixture
def saisie(hopital) -> Saisie:
    referent = fabrique.compte(Role.REFERENT, hopital["EG"], "referent")
    return Saisie(referent, f"/repertoire/{hopital['UO'].identifiant}/modifier/")


def lues(adresse: str):
    """What is read of an address, and its statements on the communes."""
    with CaptureQueriesContext(connection) as vues:
        criteres, erreurs = lire(QueryDict(adresse), AUJOURDHUI)
    return criteres, erreurs, [v["sql"] for v in vues if "structures_commune" in v["sql"]]


def test_mille_communes_par_leur_nom_se_lisent_en_une_requete():
    fabrique.referentiels()
    criteres, erreurs, requetes = lues("&".join(f"commune=zz{i}" for i in range(1000)))
    assert len(requetes) == 2  # the names, then the codes
    assert "au plus 50 valeurs" in erreurs["commune"] or "ne connaît pas" in erreurs["commune"]
    assert criteres.communes == ()
    _, _, une_lettre = lues("&".join(["commune=s"] * 390))
    assert len(une_lettre) == 2


def test_les_communes_nommees_ne_lisent_que_les_leurs(monkeypatch):
    fabrique.referentiels()
    lus = []
    depuis = Commune.from_db.__func__
    monkeypatch.setattr(Commune, "from_db", classmethod(lambda c, *a: lus.append(1) or depuis(c, *a)))
    criteres, erreurs, _ = lues("commune=s&commune=Vanves&commune=saint&commune=Malakoff (92)&autour=paris")
    assert criteres.communes == ("92046", "92075")
    assert len(lus) == 3
    assert "« s »" in erreurs["commune"]


def test_une_recherche_gardee_ne_lit_pas_mille_noms(hopital):
    navigateur = client(fabrique.lecteur())
    criteres = "&".join(f"commune=zz{i}" for i in range(1000))
    with CaptureQueriesContext(connection) as vues:
        navigateur.post("/repertoire/recherches/", {"criteres": criteres, "nom": "x"})
    assert len([v for v in vues if "structures_commune" in v["sql"]]) <= 2


@pytest.mark.parametrize("nom", ["contacts", "equipements"])
def test_un_numero_de_ligne_de_cinq_mille_chiffres_ne_compte_pas(saisie, nom):
    donnees = saisie.donnees(etape="resume", conditions_admission="Sur rendez-vous")
    corps = urlencode([*donnees.items(), (f"{nom}-{'1' * 5000}-nature", "01")], doseq=True)
    reponse = saisie.navigateur.post(saisie.url, corps, content_type="application/x-www-form-urlencoded")
    assert reponse.status_code == 200


def test_cinq_cents_contacts_sont_refuses_en_mots(saisie):
    saisie.envoyer("resume", **{f"contacts-{i}-nature": "01" for i in range(500)})
    assert saisie.reponse.status_code == 422
    assert "Trop de lignes à la fois : 100 au plus" in saisie.mots
    assert len(saisie.reponse.content) < 2_000_000
    assert 'name="contacts-99-nature"' in saisie.reponse.content.decode()


def test_treize_plages_dans_une_journee_sont_refusees(saisie):
    treize = ", ".join(f"{h:02d}:00-{h:02d}:30" for h in range(13))
    saisie.envoyer("resume", **{"horaires_01-1": treize})
    assert (saisie.reponse.status_code, "Lundi : trop de plages d’heures, 12 au plus." in saisie.mots) == (422, True)
    assert treize in saisie.reponse.content.decode()
    lundi = (AUJOURDHUI - timedelta(days=AUJOURDHUI.weekday())).isoformat()
    semaine = {"1": [[f"{h:02d}:00", f"{h:02d}:30"] for h in range(13)]}
    refus = erreurs_contenu("UO", {}, {"horaires": {"pose": {f"01/{lundi}": semaine}}})
    assert refus == {"horaires": ["Lundi : trop de plages d’heures, 12 au plus."]}


def test_cinq_mille_communes_inconnues_se_disent_en_peu_de_mots(saisie):
    saisie.envoyer("resume", territoire=[f"zz{i}" for i in range(5000)])
    assert saisie.reponse.status_code == 422
    assert saisie.mots.count("n’est pas une commune connue") == 10  # above the form and beside the field
    assert "4 995 autres codes à retirer" in saisie.mots.replace("\u202f", " ").replace("\u00a0", " ")


@pytest.mark.parametrize("jour", ["0001-01-01", "1799-12-30", "9999-12-31", "2200-01-06"])
def test_une_semaine_type_hors_du_temps_est_refusee_a_cote_du_champ(saisie, jour):
    saisie.envoyer("resume", **{"horaires_02_lundi": jour, "horaires_02-1": "08:00-12:00"})
    assert saisie.reponse.status_code == 422
    assert "Une semaine type commence un lundi entre 1800 et 2199" in saisie.mots
    lundi = date.fromisoformat(jour)
    lundi -= timedelta(days=lundi.weekday())
    patch = {"horaires": {"pose": {f"02/{lundi.isoformat()}": {"1": [["08:00", "12:00"]]}}}}
    assert "entre 1800 et 2199" in erreurs_contenu("UO", {}, patch)["horaires"][0]
