"""The screens of the répertoire through the HTTP client (acceptance B, C, D)."""

import re
from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from structures import affichage
from structures.domaine import reserver
from tests.factories import repertoire as fabrique
from tests.navigation import client, requetes_de, texte

pytestmark = pytest.mark.django_db

AUJOURDHUI = timezone.localdate()
DEMAIN = AUJOURDHUI + timedelta(days=1)
DANS_UN_MOIS = AUJOURDHUI + timedelta(days=30)


def fiche(identifiant: str, suffixe: str = "") -> str:
    return f"/repertoire/{identifiant}/{suffixe}"


# -- access ------------------------------------------------------------------------------------------


def test_toutes_les_adresses_demandent_une_session(hopital):
    identifiant = hopital["UO"].identifiant
    for url in [
        "/repertoire/",
        "/repertoire/communes/?q=vanves",
        fiche(identifiant),
        fiche(identifiant, "modifier/"),
        fiche(identifiant, "historique/"),
        fiche(hopital["EG"].identifiant, "structures/"),
        fiche(identifiant, "changements/1/annuler/"),
    ]:
        reponse = Client().get(url)
        assert (reponse.status_code, reponse["Location"].split("?")[0]) == (302, "/connexion/"), url


def test_adresses_stables(hopital):
    assert reverse("fiche", args=["11/0000123"]) == "/repertoire/11/0000123/"
    assert reverse("fiche", args=[hopital["EG"].identifiant]) == f"/repertoire/{hopital['EG'].identifiant}/"
    assert reverse("fiche_modifier", args=["11/0000123"]) == "/repertoire/11/0000123/modifier/"


@pytest.mark.parametrize("inconnu", ["11/9999999", "1750000001", "n-importe-quoi", "11/0000001/autre"])
def test_un_identifiant_inconnu_est_un_404(referent, inconnu):
    for suffixe in ("", "modifier/", "historique/"):
        assert client(referent).get(fiche(inconnu, suffixe)).status_code == 404


def test_une_fiche_jamais_publiee_n_existe_pas(hopital, referent):
    from structures.domaine.creer import creer_fiches

    [brouillon] = creer_fiches(eg=hopital["EG"], niveaux=["UO"])
    for suffixe in ("", "historique/"):
        assert client(referent).get(fiche(brouillon.identifiant, suffixe)).status_code == 404


# -- communes ----------------------------------------------------------------------------------------


def test_le_selecteur_de_communes(referent):
    navigateur = client(referent)
    resultats = navigateur.get("/repertoire/communes/?q=St+Den").json()["resultats"]
    assert {"code": "93066", "libelle": "Saint-Denis (93)"} in resultats
    assert len(resultats) == 20
    assert navigateur.get("/repertoire/communes/?q=v").json() == {"resultats": []}


# -- reading -----------------------------------------------------------------------------------------


def test_l_eg_montre_son_arbre_avec_niveaux_et_decomptes(hopital):
    page = client(fabrique.lecteur()).get(fiche(hopital["EG"].identifiant))
    html = page.content.decode()
    for niveau in ("P", "S", "UF", "UO"):
        assert f"niveau-{niveau}" in html
        assert f"/repertoire/{hopital[niveau].identifiant}/" in html
    assert "Entité géographique" in texte(page)
    assert "Centre hospitalier (CH)" in texte(page)


def test_l_ej_montre_ses_etablissements(hopital):
    page = client(fabrique.lecteur()).get(fiche(hopital["EJ"].identifiant))
    assert "Établissements" in texte(page)
    assert fiche(hopital["EG"].identifiant) in page.content.decode()
    assert "Raison sociale" in texte(page)


def test_une_fiche_se_lit_par_sections_avec_les_libelles(hopital):
    fabrique.publier(
        hopital["UO"],
        {
            "territoire": {"ajoute": ["92075"]},
            "horaires": {"pose": {"01/2024-01-08": {"1": [["08:00", "12:00"]]}}},
            "conditions_admission": "Sur rendez-vous <b>seulement</b>",
        },
        date(2024, 1, 8),
    )
    reponse = client(fabrique.lecteur()).get(fiche(hopital["UO"].identifiant))
    page = texte(reponse)
    for attendu in ("Unité hospitalière de cardiologie", "Cardiologie générale", "16 ans", "Vanves (92)"):
        assert attendu in page
    assert "8 h – 12 h" in page
    assert "<b>seulement" not in reponse.content.decode()
    fil = re.search(r'<nav class="fil.*?</nav>', reponse.content.decode(), re.S)[0]
    attendu = ["Répertoire", "Groupe hospitalier TEST", "Hôpital TEST", "Pôle Médecine", "Cardiologie", "UF 2101"]
    assert re.findall(r"<a [^>]*>([^<]+)</a>", fil) == attendu


def test_les_contacts_selon_le_droit(hopital, referent):
    contacts = {
        "a": {"nature": "01", "confidentialite": "1", "telecoms": [{"canal": "2", "valeur": "0140000001"}]},
        "c": {
            "nom": "Nom Secret",
            "fonction": "03",
            "confidentialite": "3",
            "telecoms": [{"canal": "2", "valeur": "0140000003"}],
        },
    }
    fabrique.publier(hopital["UO"], {"contacts": {"pose": contacts}}, date(2024, 1, 1))
    url = fiche(hopital["UO"].identifiant)
    for suffixe in ("", "historique/"):
        autre = client(fabrique.lecteur(f"lecteur{suffixe[:4]}")).get(url + suffixe).content.decode()
        assert "Nom Secret" not in autre
        assert "0140000003" not in autre
        assert "masqué" in autre
        assert "Nom Secret" in client(referent).get(url + suffixe).content.decode()
    assert "0140000001" in client(fabrique.lecteur("lecteur2")).get(url).content.decode()


def test_la_completude_dit_ce_qui_manque(hopital):
    navigateur = client(fabrique.lecteur())
    assert "complète" in texte(navigateur.get(fiche(hopital["UO"].identifiant)))
    fabrique.publier(hopital["UO"], {"activites": {"retire": ["013"]}, "age_max": None}, date(2024, 1, 1))
    page = texte(navigateur.get(fiche(hopital["UO"].identifiant)))
    assert "incomplète" in page
    assert "2 informations obligatoires manquent" in page
    assert re.search(r"manquent\s+Activités opérationnelles\s+Âge maximum", page)


def test_une_fiche_fermee_se_lit_encore(hopital, referent):
    fabrique.publier(hopital["UO"], {"existe": False}, date(2024, 3, 1))
    navigateur = client(referent)
    page = texte(navigateur.get(fiche(hopital["UO"].identifiant)))
    assert "Cette fiche est fermée depuis le 1er mars 2024" in page
    assert "Unité de cardiologie" in page
    assert "Pôle Médecine" in page
    assert (
        fiche(hopital["UO"].identifiant, "modifier/")
        not in navigateur.get(fiche(hopital["UO"].identifiant)).content.decode()
    )
    assert navigateur.get(fiche(hopital["UO"].identifiant, "modifier/")).status_code == 409
    avant = texte(navigateur.get(fiche(hopital["UO"].identifiant) + "?au=2024-02-29"))
    assert "fermée depuis" not in avant


def test_une_fiche_qui_ouvrira(hopital):
    from structures.domaine.creer import creer_fiches

    [neuve] = creer_fiches(eg=hopital["EG"], niveaux=["UO"])
    fabrique.publier(neuve, {"existe": True, "parent": hopital["UF"].pk, "nom": "Unité à venir"}, DANS_UN_MOIS)
    page = texte(client(fabrique.lecteur()).get(fiche(neuve.identifiant)))
    assert "n’existe pas encore à cette date" in page
    assert "Unité à venir" in page


def test_autant_de_requetes_pour_une_fiche_courte_ou_longue(hopital, referent):
    autre = fabrique.uo(hopital["UF"], "Unité longue")
    contact = {"nature": "01", "confidentialite": "1", "telecoms": [{"canal": "2", "valeur": "0140000001"}]}
    courte = {
        "contacts": {"pose": {"a": contact}},
        "territoire": {"ajoute": ["92075"]},
        "horaires": {"pose": {"01/2024-01-08": {}}},
        "capacites": {"pose": {"p": {"nature": "01", "statut": "01", "nombre": 1}}},
    }
    longue = {
        "contacts": {"pose": dict.fromkeys("abc", contact)},
        "territoire": {"ajoute": ["92075", "94080", "75113"]},
        "horaires": {"pose": {f"01/2024-01-{j:02d}": {} for j in (8, 15, 22)}},
        "capacites": {"pose": {f"p{i}": {"nature": "01", "statut": f"0{i}", "nombre": 1} for i in (1, 2, 3)}},
    }
    for cible, contenu, fois in ((hopital["UO"], courte, 1), (autre, longue, 3)):
        fabrique.publier(cible, contenu, date(2024, 1, 1))
        for i in range(fois):
            fabrique.direct(cible, referent, {"conditions_accueil": f"Version {i}"}, DANS_UN_MOIS + timedelta(days=i))
    navigateur = client(referent)
    for suffixe in ("", "historique/", "modifier/"):
        mesures = {requetes_de(navigateur, fiche(f.identifiant, suffixe)) for f in (hopital["UO"], autre)}
        assert len(mesures) == 1, suffixe


def test_autant_de_requetes_pour_un_arbre_d_une_ou_de_trois_branches(hopital):
    navigateur, url = client(fabrique.lecteur()), fiche(hopital["EG"].identifiant)
    un = requetes_de(navigateur, url)
    for i in range(2):
        fabrique.uo(fabrique.uf(fabrique.service(fabrique.pole(hopital["EG"], f"Pôle {i}"))))
    assert requetes_de(navigateur, url) == un


# -- banners -----------------------------------------------------------------------------------------


def test_le_bandeau_jaune_du_dossier_puis_de_la_validation(hopital, referent, monkeypatch):
    url = fiche(hopital["UO"].identifiant)
    navigateur = client(referent)
    assert "fait partie du dossier" not in texte(navigateur.get(url))
    reserver.ouvrir(eg=hopital["EG"], dossier=12, nom="Ouverture de l’UHCD", etape="Rédaction")
    for niveau in ("EG", "P", "UO"):
        page = texte(navigateur.get(fiche(hopital[niveau].identifiant)))
        assert "Cette structure fait partie du dossier collaboratif « Ouverture de l’UHCD »." in page
        assert "Étape en cours : rédaction." in page
    assert "/dossiers/12/" not in navigateur.get(url).content.decode()
    assert "fait partie du dossier" not in texte(navigateur.get(fiche(hopital["EJ"].identifiant)))

    reserver.annoncer(dossier=12, etape="En validation par la Direction", fiches=[hopital["UO"].pk], envoye=True)
    reponse = navigateur.get(url)
    assert "en cours de validation par un gestionnaire depuis le" in texte(reponse)
    assert "Étape en cours : validation par la Direction." in texte(reponse)
    assert "elle pourra être modifiée quand il sera publié" in texte(reponse)
    assert f"{url}modifier/" not in reponse.content.decode()
    assert navigateur.get(f"{url}modifier/").status_code == 409


def test_le_lien_vers_le_dossier_est_pour_ceux_qui_le_voient(hopital, referent, monkeypatch):
    reserver.ouvrir(eg=hopital["EG"], dossier=12, nom="Ouverture", etape="Rédaction")
    monkeypatch.setattr(affichage, "_visibles", lambda user, numeros: set())
    assert not affichage.peut_voir_dossier(referent, 12)
    url = fiche(hopital["UO"].identifiant)
    assert "/dossiers/12/" not in client(referent).get(url).content.decode()
    affichage.enregistrer_regle_dossiers(lambda user, numeros: {12} if user == referent else set())
    assert "/dossiers/12/" in client(referent).get(url).content.decode()
    assert "/dossiers/12/" not in client(fabrique.lecteur()).get(url).content.decode()
