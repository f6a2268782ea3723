"""Communes one by one, by whole EPCI and by whole département: found, added, taken off, with and without JavaScript."""

from datetime import date

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from structures.communes import LIMITE_LOTS, communes_ou_lots_nommes, rechercher_lots
from structures.enums import Role
from structures.models import Commune
from tests.factories import repertoire as fabrique
from tests.factories.dossiers import brouillon, travail
from tests.formulaires import lire_formulaire

pytestmark = pytest.mark.django_db

HAUTS_DE_SEINE = "Tout le département : Hauts-de-Seine (92), 36 communes"
METROPOLE = "Tout l’EPCI : Métropole du Grand Paris, 150 communes"


def codes(**criteres) -> tuple[str, ...]:
    return tuple(Commune.objects.filter(**criteres).order_by("code").values_list("code", flat=True))


@pytest.mark.parametrize("texte", ["92", "hauts de seine", "Hauts-de-Seine (92)"])
def test_un_departement_se_nomme_par_son_code_ou_son_nom(texte):
    [lot] = communes_ou_lots_nommes(texte)
    assert lot.libelle == HAUTS_DE_SEINE
    assert lot.codes == codes(departement="92")


@pytest.mark.parametrize("texte", ["Métropole du Grand Paris", "metropole du grand paris", "200054781"])
def test_un_epci_se_nomme_par_son_code_ou_son_nom(texte):
    [lot] = communes_ou_lots_nommes(texte)
    assert (lot.cle, lot.libelle) == ("200054781", METROPOLE)
    assert lot.codes == codes(epci="200054781")


def test_un_epci_se_nomme_sans_son_genre():
    [avec], [sans] = communes_ou_lots_nommes("CA Melun Val de Seine"), communes_ou_lots_nommes("Melun Val de Seine")
    assert avec == sans
    assert avec.codes == codes(epci_nom="CA Melun Val de Seine")


def test_un_nom_de_commune_et_de_departement_demande_un_code():
    assert [lot.cle for lot in communes_ou_lots_nommes("Paris")] == ["75056", "75"]
    assert communes_ou_lots_nommes("Vanv") == []
    assert communes_ou_lots_nommes("  ") == []


def test_la_recherche_propose_les_lots_de_la_region_d_abord():
    assert rechercher_lots("haut")[0].libelle == HAUTS_DE_SEINE
    assert rechercher_lots("grand paris")[0].libelle == METROPOLE
    assert rechercher_lots("h") == []
    assert rechercher_lots("vanves") == []
    with CaptureQueriesContext(connection) as vues:
        assert len(rechercher_lots("ca")) == LIMITE_LOTS
    assert len(vues) == 4
    assert vues[3]["sql"].count("'200") <= 2 * LIMITE_LOTS  # ranked and cut before their communes are read


def test_les_noms_des_epci_sont_lus_et_normalises_une_fois(settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()
    rechercher_lots("grand")
    with CaptureQueriesContext(connection) as vues:
        assert rechercher_lots("grand paris")[0].libelle == METROPOLE
        assert communes_ou_lots_nommes("200054781")[0].libelle == METROPOLE
    assert len(vues) == 3  # communes of each, and the communes that are called so
    cache.clear()


def test_le_selecteur_ne_propose_des_lots_que_si_on_les_demande():
    navigateur = Client()
    navigateur.force_login(fabrique.lecteur())
    fabrique.referentiels()
    assert navigateur.get("/repertoire/communes/?q=92").json().keys() == {"resultats"}
    reponse = navigateur.get("/repertoire/communes/?q=92&lots=1").json()
    assert reponse["lots"][0] == {"libelle": HAUTS_DE_SEINE, "codes": list(codes(departement="92"))}
    assert navigateur.get("/repertoire/communes/?q=9&lots=1").json() == {"resultats": [], "lots": []}


def plat(reponse) -> str:
    """A page with plain spaces."""
    return reponse.content.decode().replace("\u00a0", " ").replace("\u202f", " ")


class Ecran:
    """The edit form of an UO, filled as a browser without JavaScript would."""

    def __init__(self, user, uo, url=""):
        self.navigateur = Client()
        self.navigateur.force_login(user)
        self.url = url or f"/repertoire/{uo.identifiant}/modifier/"
        self.ouvrir()

    def ouvrir(self) -> None:
        self.page = plat(self.navigateur.get(self.url))

    def poster(self, etape: str, **changements):
        donnees = lire_formulaire(self.page, etape=etape, **changements)
        reponse = self.navigateur.post(self.url, dict(donnees.lists()))
        self.page = plat(reponse)
        return reponse

    @property
    def territoire(self) -> set[str]:
        return set(" ".join(lire_formulaire(self.page).getlist("territoire")).split())


@pytest.fixture
def uo():
    return fabrique.hopital()["UO"]


@pytest.fixture
def ecran(uo):
    return Ecran(fabrique.compte(Role.REFERENT, uo.eg, "referent"), uo)


def test_ajouter_un_departement_sans_javascript(uo, ecran):
    fabrique.publier(uo, {"territoire": {"ajoute": ["92004", "92075", "75113"]}}, date(2024, 1, 1))
    ecran.ouvrir()
    reponse = ecran.poster("saisie", **{"territoire-ajout": "92"})
    assert reponse.status_code == 200
    assert f"{HAUTS_DE_SEINE} : 34 ajoutées, 2 étaient déjà dans la liste." in ecran.page
    assert ecran.territoire == {*codes(departement="92"), "75113"}
    assert "Hauts-de-Seine (92) : 36 communes" in ecran.page
    assert lire_formulaire(ecran.page)["territoire-ajout"] == ""
    # one of them is taken off, then everything is saved
    assert ecran.poster("resume", **{"territoire-retrait": "92002"}).status_code == 200
    assert ecran.poster("enregistrer").status_code == 302
    assert set(fabrique.contenu(uo).territoire) == {*codes(departement="92"), "75113"} - {"92002"}


def test_retirer_un_departement_d_un_coup(uo, ecran):
    fabrique.publier(uo, {"territoire": {"ajoute": [*codes(departement="92"), "75113"]}}, date(2024, 1, 1))
    ecran.ouvrir()
    assert ecran.poster("saisie", territoire=["75113"]).status_code == 200
    assert ecran.territoire == {"75113"}


@pytest.mark.parametrize(
    ("texte", "phrase"),
    [
        ("Atlantide", "Aucune commune ni aucun département ni aucun EPCI ne s’appelle « Atlantide »."),
        ("75113", "Paris 13e Arrondissement (75) est déjà dans la liste."),
        ("Paris", "Plusieurs réponses pour « Paris » : Paris (75) – 75056, Tout le département : Paris (75)"),
    ],
)
def test_ce_qui_ne_s_ajoute_pas_est_dit_et_reste_dans_le_champ(uo, ecran, texte, phrase):
    fabrique.publier(uo, {"territoire": {"ajoute": ["75113"]}}, date(2024, 1, 1))
    ecran.ouvrir()
    assert ecran.poster("resume", **{"territoire-ajout": texte}).status_code == 422
    assert phrase in ecran.page
    assert lire_formulaire(ecran.page)["territoire-ajout"] == texte
    assert ecran.territoire == {"75113"}


def test_l_adresse_ne_prend_qu_une_commune_et_aucun_lot():
    eg = fabrique.etablissement()
    ecran = Ecran(fabrique.gestionnaire(), eg)
    assert "un EPCI ou un département" not in ecran.page
    assert ecran.poster("resume", **{"commune-ajout": "92"}).status_code == 422
    assert "Aucune commune ne s’appelle « 92 »." in ecran.page


def test_dans_un_dossier_aussi_et_rien_n_est_enregistre_avant(uo):
    referent = fabrique.compte(Role.REFERENT, uo.eg, "referent")
    dossier = brouillon(uo.eg, referent)
    ecran = Ecran(referent, uo, f"/dossiers/{dossier.pk}/fiches/{uo.pk}/")
    assert ecran.poster("saisie", **{"territoire-ajout": "92"}).status_code == 200
    assert ecran.territoire == set(codes(departement="92"))
    assert travail(dossier, uo.pk) is None


def test_toutes_les_communes_de_france_ne_chargent_pas_la_page(uo, ecran):
    toutes = list(Commune.objects.values_list("code", flat=True))
    assert len(toutes) == 35_014
    fabrique.publier(uo, {"territoire": {"ajoute": toutes}}, date(2024, 1, 1))
    page = ecran.navigateur.get(ecran.url).content
    assert len(page) < 900_000
    assert page.count(b'name="territoire"') < 110
