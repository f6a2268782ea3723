"""The list of the répertoire through the HTTP client: search, criteria, chips, what it says of each establishment."""

import re
from datetime import timedelta
from importlib import import_module
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from django.core.cache import cache
from django.http import QueryDict
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from structures import liste
from structures.domaine import reserver
from structures.domaine.personnel import ajouter_favori
from structures.enums import Role
from structures.recherche import vocabulaire
from structures.vues import criteres, repertoire
from tests.factories import repertoire as fabrique
from tests.formulaires import lire_formulaire
from tests.navigation import HTMX, client, requetes_de, texte

pytestmark = pytest.mark.django_db

AUJOURDHUI = timezone.localdate()


@pytest.fixture
def lecteur():
    return client(fabrique.lecteur())


def noms(reponse) -> list[str]:
    """The establishments of a list, in its order."""
    return re.findall(r'class="eg-nom"[^>]*>([^<]+)<', reponse.content.decode())


def formulaire(reponse) -> QueryDict:
    """What the form of criteria sends as it is shown."""
    html = reponse.content.decode()
    return lire_formulaire(re.search(r'<form class="criteres-form".*?</form>', html, re.S)[0])


def puces(reponse) -> list[tuple[str, str]]:
    """(label, address without it) of the active criteria."""
    html = reponse.content.decode()
    trouvees = re.findall(r'<li class="puce">([^<]+)<a class="puce-retirer" href="([^"]+)"', html)
    return [(mot, url.replace("&amp;", "&")) for mot, url in trouvees]


# -- the list ----------------------------------------------------------------------------------------


def test_la_liste_range_les_eg_sous_leur_ej_avec_l_astuce(hopital, lecteur):
    page = texte(lecteur.get("/repertoire/"))
    assert "ASTUCE : Ctrl + F (Windows) ou Cmd (⌘) + F (Mac)" in page
    assert page.index("Groupe hospitalier TEST") < page.index("Hôpital TEST")
    assert "Paris 13e Arrondissement (75) · Centre hospitalier (CH) · 1 UO" in page
    assert "Dérouler la liste des structures" in page
    for mot in ("critères d’affichage", "préférences de recherche", "mss (médico-social et social)"):
        assert mot in page.lower()


def test_la_case_mss_est_decochee_et_ajoute_le_reste(lecteur):
    fabrique.etablissement("sanitaire", nom="Hôpital A")
    fabrique.etablissement("medico-social", nom="EHPAD B")
    fabrique.etablissement("social", nom="CHRS C")
    sans = lecteur.get("/repertoire/")
    assert noms(sans) == ["Hôpital A"]
    assert "mss" not in formulaire(sans)
    avec = lecteur.get("/repertoire/?mss=1")
    assert noms(avec) == ["CHRS C", "EHPAD B", "Hôpital A"]
    assert formulaire(avec)["mss"] == "1"


@pytest.mark.parametrize("q", ["hopital saint denis", "HÔPITAL St-Denis", "  st   denis ", "hôp denis", "93200"])
def test_la_recherche_ignore_accents_casse_et_abreviations(lecteur, q):
    fabrique.etablissement(nom="Hôpital Saint-Denis", commune="93066", code_postal="93200")
    fabrique.etablissement(nom="Clinique du Parc", commune="92075")
    assert noms(lecteur.get("/repertoire/", {"q": q})) == ["Hôpital Saint-Denis"]


def test_un_texte_hostile_reste_du_texte(hopital, lecteur):
    reponse = lecteur.get("/repertoire/", {"q": "<script>alert(1)</script> % ' \\", "commune": "<b>", "km": "<i>"})
    assert reponse.status_code == 200
    assert "<script>alert" not in reponse.content.decode()
    assert "<b>" not in reponse.content.decode()


def test_mes_etablissements_viennent_d_abord_meme_sans_la_case_mss():
    ehpad = fabrique.etablissement("medico-social", nom="Zéphyr EHPAD")
    fabrique.etablissement(nom="Autre hôpital")
    sienne = client(fabrique.compte(Role.REFERENT, ehpad)).get("/repertoire/")
    assert noms(sienne) == ["Zéphyr EHPAD", "Autre hôpital"]
    page = texte(sienne).split("ASTUCE", 1)[1]
    assert "2 établissements" in page
    assert page.index("Mes établissements") < page.index("Zéphyr EHPAD") < page.index("Autres établissements")
    autre = client(fabrique.lecteur()).get("/repertoire/")
    assert noms(autre) == ["Autre hôpital"]
    assert "Mes établissements" not in texte(autre)


def test_celui_qui_en_a_beaucoup_les_retrouve_tous(monkeypatch):
    monkeypatch.setattr(repertoire, "LIMITE_MIENNES", 2)
    ej = fabrique.entite_juridique()
    for i in range(3):
        fabrique.etablissement("medico-social", nom=f"EHPAD {i}", ej=ej)
    navigateur = client(fabrique.compte(Role.DIRECTION, ej))
    premiere = navigateur.get("/repertoire/")
    assert noms(premiere) == ["EHPAD 0", "EHPAD 1"]
    assert "3 établissements" in texte(premiere)
    lien = re.search(r'href="([^"]+)">Afficher mes 3 établissements', premiere.content.decode())[1]
    assert noms(navigateur.get(lien.replace("&amp;", "&"))) == ["EHPAD 0", "EHPAD 1", "EHPAD 2"]


def test_la_liste_se_deroule_en_liens_de_texte_sans_javascript(hopital, lecteur):
    eg, unite = hopital["EG"].identifiant, hopital["UO"].identifiant
    ferme = lecteur.get("/repertoire/").content.decode()
    assert f'href="/repertoire/?q=&amp;derouler={eg}#eg-{eg}"' in ferme
    assert unite not in ferme
    for url in (f"/repertoire/?derouler={eg}", "/repertoire/?derouler=page"):
        ouvert = lecteur.get(url).content.decode()
        assert re.search(rf'href="/repertoire/{unite}/"[^>]*>Unité de cardiologie</a>', ouvert)


def test_la_liste_se_deroule_par_un_fragment(hopital, lecteur):
    url = reverse("fiche_structures", args=[hopital["EG"].identifiant])
    fragment = lecteur.get(url, headers=HTMX).content.decode()
    assert "Unité de cardiologie" in fragment
    assert "<html" not in fragment
    assert "Unité de cardiologie" in texte(lecteur.get(url, follow=True))


def test_les_etats_d_un_etablissement(hopital, lecteur):
    fabrique.publier(hopital["UO"], {"activites": {"retire": ["013"]}}, AUJOURDHUI)
    reserver.ouvrir(eg=hopital["EG"], dossier=12, nom="Ouverture de l’UHCD", etape="Rédaction")
    page = texte(lecteur.get("/repertoire/"))
    assert "dossier ouvert Rédaction" in page
    assert "1 fiche incomplète" in page


def test_la_pagination_garde_les_criteres(lecteur):
    ej = fabrique.entite_juridique()
    for i in range(52):
        fabrique.etablissement(nom=f"Hôpital {i:02d}", ej=ej)
    page = lecteur.get("/repertoire/?q=hopital&mss=1&departement=75")
    assert "52 établissements" in texte(page)
    suivant = re.search(r'href="([^"]+)" rel="next"', page.content.decode())[1].replace("&amp;", "&")
    assert parse_qs(urlsplit(suivant).query) | {"apres": []} == {
        "q": ["hopital"], "mss": ["1"], "departement": ["75"], "apres": [],
    }  # fmt: skip
    deux = lecteur.get(suivant)
    assert noms(deux) == ["Hôpital 50", "Hôpital 51"]
    retour = re.search(r'href="([^"]+)" rel="prev"', deux.content.decode())[1].replace("&amp;", "&")
    assert noms(lecteur.get(retour)) == noms(page)


def test_la_liste_un_autre_jour_garde_ce_jour(hopital, lecteur):
    fabrique.etablissement(nom="Hôpital récent", depuis=AUJOURDHUI - timedelta(days=3))
    assert noms(lecteur.get("/repertoire/?q=")) == ["Hôpital récent", "Hôpital TEST"]
    avant = lecteur.get("/repertoire/?au=2023-05-06&departement=75")
    assert noms(avant) == ["Hôpital TEST"]
    assert "6 mai 2023" in texte(avant)
    assert formulaire(avant)["au"] == "2023-05-06"
    [(_, sans)] = puces(avant)
    assert parse_qs(urlsplit(sans).query) == {"au": ["2023-05-06"]}


def test_autant_de_requetes_pour_un_ou_trois_etablissements(hopital, lecteur):
    adresse = "/repertoire/?derouler=page&activite=013&departement=75"
    un = requetes_de(lecteur, adresse), requetes_de(lecteur, "/repertoire/criteres/?departement=75", headers=HTMX)
    for nom in ("Deux", "Trois"):
        autre = fabrique.hopital(nom)
        reserver.ouvrir(eg=autre["EG"], dossier=autre["EG"].pk, nom=nom, etape="Rédaction")
    assert len(noms(lecteur.get(adresse))) == 3
    trois = requetes_de(lecteur, adresse), requetes_de(lecteur, "/repertoire/criteres/?departement=75", headers=HTMX)
    assert trois == un


def test_une_page_de_cinquante_etablissements_est_legere(lecteur):
    ej = fabrique.entite_juridique()
    for i in range(50):
        fabrique.etablissement(nom=f"Hôpital {i:02d} de la Pitié et des Enfants malades", ej=ej)
    page = lecteur.get("/repertoire/?q=hopital")
    assert len(noms(page)) == 50
    assert len(page.content) < 130_000


# -- criteria ----------------------------------------------------------------------------------------


@pytest.fixture
def varies():
    """Two hospitals and an EHPAD that differ by everything that a criterion asks."""
    parisien = fabrique.hopital("Hôpital parisien")
    vanves = fabrique.etablissement(nom="Clinique de Vanves", commune="92075", code_postal="92170", categorie="365")
    ehpad = fabrique.etablissement("medico-social", nom="EHPAD des Lilas", commune="93045", code_postal="93260")
    accueil = fabrique.uo(
        ehpad, "Unité d’accueil", unite_sensible=True,
        horaires={"pose": {"01/2024-01-08": {"2": [["08:00", "12:00"]]}}},
    )  # fmt: skip
    return {"parisien": parisien["EG"], "vanves": vanves, "ehpad": ehpad, "accueil": accueil}


@pytest.mark.parametrize(
    ("adresse", "attendus", "mots"),
    [
        ("q=vanves", ["Clinique de Vanves"], ["« vanves »"]),
        ("departement=92", ["Clinique de Vanves"], ["Hauts-de-Seine (92)"]),
        (
            "commune=92075&commune=75113",
            ["Clinique de Vanves", "Hôpital parisien"],
            ["Paris 13e Arrondissement (75)", "Vanves (92)"],
        ),
        ("champ=medico-social", ["EHPAD des Lilas"], ["Médico-social"]),
        ("categorie=355", ["Hôpital parisien"], ["Centre hospitalier (CH)"]),
        ("activite=013&mss=1", ["EHPAD des Lilas", "Hôpital parisien"], ["Cardiologie générale"]),
        ("type=149", ["Hôpital parisien"], ["Unité hospitalière de cardiologie"]),
        ("sensible=1&mss=1", ["EHPAD des Lilas"], ["Unité sensible"]),
        ("jour=2&heure=09%3A30&mss=1", ["EHPAD des Lilas"], ["Ouvert le mardi à 09 h 30"]),
        ("jour=2&heure=14%3A00&mss=1", [], ["Ouvert le mardi à 14 h 00"]),
        (
            "nouvelles=12&departement=92",
            ["Clinique de Vanves"],
            ["Hauts-de-Seine (92)", "Sans nouvelles depuis 12 mois"],
        ),
        ("dossier=1", ["Hôpital parisien"], ["Dans un dossier collaboratif"]),
        ("favoris=1&mss=1", ["EHPAD des Lilas"], ["Favoris"]),
        ("public=01&departement=93&mss=1", ["EHPAD des Lilas"], ["Seine-Saint-Denis (93)", "public"]),
    ],
)  # fmt: skip
def test_l_adresse_les_criteres_et_les_puces_disent_la_meme_chose(varies, adresse, attendus, mots):
    lecteur = fabrique.lecteur()
    reserver.ouvrir(eg=varies["parisien"], dossier=1, nom="Essai", etape="Rédaction")
    ajouter_favori(user=lecteur, fiche=varies["accueil"])
    navigateur = client(lecteur)
    page = navigateur.get(f"/repertoire/?{adresse}")
    assert noms(page) == attendus
    affichees = puces(page)
    assert len(affichees) == len(mots)
    for (mot, _), attendu in zip(affichees, mots, strict=True):
        assert attendu == "public" or mot.replace("\xa0", " ") == attendu
    # The form sends back what the address says, and each chip leads to the same criteria without its own.
    relus = QueryDict("&".join(f"{nom}={valeur}" for nom, valeur in formulaire(page).items() if valeur), mutable=True)
    for nom, valeurs in formulaire(page).lists():
        relus.setlist(nom, [v for v in valeurs if v])
    lus, erreurs = criteres.lire(relus, AUJOURDHUI)
    assert (lus.requete(), erreurs) == (criteres.lire(QueryDict(adresse), AUJOURDHUI)[0].requete(), {})
    for _, url in affichees:
        sans = parse_qsl(urlsplit(url).query, keep_blank_values=True)
        assert len([p for p in sans if p[1]]) in {len(parse_qsl(adresse)) - 1, len(parse_qsl(adresse)) - 2}


def test_les_unites_qui_correspondent_sont_nommees(hopital, lecteur):
    for i in range(7):
        fabrique.uo(hopital["UF"], f"Unité {i}", activites={"ajoute": ["014"]})
    page = lecteur.get("/repertoire/?activite=014")
    html = re.search(r'<p class="eg-offres">.*?</p>', page.content.decode(), re.S)[0]
    assert re.findall(r'<a href="/repertoire/11/\d+/">([^<]+)</a>', html) == [f"Unité {i}" for i in range(5)]
    assert html.endswith(" et 2 autres</p>")
    assert "eg-offres" not in lecteur.get("/repertoire/").content.decode()


def test_une_commune_se_donne_par_son_nom(varies, lecteur):
    assert noms(lecteur.get("/repertoire/", {"commune": "Vanves"})) == ["Clinique de Vanves"]
    page = lecteur.get("/repertoire/", {"autour": "vanves (92)", "km": "10"})
    assert "aucun n’a de coordonnées" in texte(page)
    assert formulaire(page)["autour"] == "vanves (92)"
    ambigue = lecteur.get("/repertoire/", {"autour": "Saint-Denis"})
    assert "Plusieurs communes s’appellent « Saint-Denis » : choisissez entre" in texte(ambigue)
    assert "« Saint-Denis (93) »" in texte(ambigue)


def test_une_distance_autour_d_une_commune(lecteur):
    fabrique.etablissement(nom="Ici", commune="92075", latitude=48.82, longitude=2.29)
    fabrique.etablissement(nom="Tout près", commune="92040", latitude=48.82, longitude=2.27)
    fabrique.etablissement(nom="Loin", commune="78646", latitude=48.80, longitude=1.90)
    page = lecteur.get("/repertoire/?autour=92075&km=10")
    assert noms(page) == ["Ici", "Tout près"]
    [(mot, sans)] = puces(page)
    assert (mot.replace("\xa0", " "), sans) == ("À 10 km de Vanves (92)", "/repertoire/?q=")
    assert formulaire(page)["autour"] == "Vanves (92)"
    assert noms(lecteur.get("/repertoire/?autour=92075&km=50")) == ["Ici", "Loin", "Tout près"]


def test_une_heure_ou_une_distance_seules_ne_sont_pas_des_criteres(varies, lecteur):
    page = lecteur.get("/repertoire/?q=&heure=09:00&km=10&jour=&autour=&nouvelles=")
    assert noms(page) == ["Clinique de Vanves", "Hôpital parisien"]
    assert puces(page) == []


def test_le_total_dit_ce_qui_est_masque(varies, lecteur):
    def total(navigateur, adresse: str) -> str:
        html = navigateur.get(adresse).content.decode()
        [mots] = re.findall(r'<h2 class="liste-total".*?</h2>', html, re.S)
        return " ".join(re.sub(r"<[^>]+>", "", mots).split())

    tus = "Le médico-social et le social sont masqués : cochez MSS."
    assert total(lecteur, "/repertoire/?q=") == f"2 établissements. {tus}"
    assert total(lecteur, "/repertoire/?mss=1") == "3 établissements"
    referent = fabrique.compte(Role.REFERENT, varies["vanves"], "referent")
    autres = "Le médico-social et le social des autres sont masqués : cochez MSS."
    assert total(client(referent), "/repertoire/?q=") == f"2 établissements, dont le vôtre. {autres}"
    assert total(client(referent), "/repertoire/?q=Vanves") == (f"1 établissement pour « Vanves », le vôtre. {autres}")


def test_l_heure_se_propose_avec_le_jour(varies, lecteur):
    assert lecteur.get("/repertoire/?q=").context["heure"] == ""
    page = lecteur.get("/repertoire/?jour=2&heure=")
    assert page.context["heure"] == "09:00"
    [(mot, _)] = puces(page)
    assert mot.replace("\xa0", " ") == "Ouvert le mardi à 09 h 00"


@pytest.mark.parametrize(
    ("adresse", "phrase"),
    [
        ("categorie=999", "le répertoire ne connaît pas « 999 »"),
        ("departement=92&departement=zz", "le répertoire ne connaît pas « zz »"),
        ("jour=9&heure=08:00", "Choisissez le jour de la semaine"),
        ("jour=2&heure=25h", "Indiquez l’heure sous la forme 14:30"),
        ("nouvelles=abc", "Indiquez un nombre de mois entre 1 et 120"),
        ("commune=Zzyzx", "le répertoire ne connaît pas « Zzyzx »"),
    ],
)
def test_un_critere_illisible_est_dit_a_cote_et_le_reste_s_applique(varies, lecteur, adresse, phrase):
    page = lecteur.get(f"/repertoire/?{adresse}")
    assert page.status_code == 200
    assert phrase in texte(page).replace("\xa0", " ")
    if adresse.startswith("departement"):
        assert noms(page) == ["Clinique de Vanves"]
    panneau = lecteur.get(f"/repertoire/criteres/?{adresse}", headers=HTMX)
    assert phrase in texte(panneau).replace("\xa0", " ")


# -- the panel ---------------------------------------------------------------------------------------


def valeurs(reponse, nom: str) -> dict[str, int]:
    html = reponse.content.decode()
    return {
        code: int(n.replace("\u202f", ""))
        for code, n in re.findall(
            rf'name="{nom}" value="([^"]+)"[^>]*><span>[^<]*</span> <span[^>]*>([\d\u202f]+)<', html
        )
    }


def test_le_panneau_compte_les_etablissements_par_valeur(varies, lecteur):
    panneau = lecteur.get("/repertoire/criteres/?mss=1&departement=92", headers=HTMX)
    assert "<html" not in panneau.content.decode()
    assert valeurs(panneau, "departement") == {"75": 1, "92": 1, "93": 1}  # its own choice does not count in it
    assert valeurs(panneau, "categorie") == {"365": 1}
    assert 'name="departement" value="92" checked' in panneau.content.decode()


def test_les_nombres_sont_ceux_de_la_liste_les_siens_compris(monkeypatch):
    """One's own establishments are listed whatever the MSS box: they are counted too, and for nobody else."""
    memoire = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    monkeypatch.setattr(import_module("structures.recherche.facettes"), "LENT_SECONDES", 0)
    with override_settings(CACHES=memoire):
        cache.clear()
        ehpad = fabrique.etablissement("medico-social", nom="Mon EHPAD", commune="92075")
        fabrique.uo(ehpad, type_uo="69", unite_sensible=True)
        fabrique.etablissement(nom="Hôpital", commune="92075")
        fabrique.etablissement("medico-social", nom="Autre EHPAD", commune="92075")
        moi = client(fabrique.compte(Role.REFERENT, ehpad))
        assert valeurs(client(fabrique.lecteur()).get("/repertoire/criteres/", headers=HTMX), "departement") == {
            "92": 1
        }
        panneau = moi.get("/repertoire/criteres/", headers=HTMX)
        for parametre, code, nombre in (("departement", "92", 2), ("commune", "92075", 2), ("type", "69", 1)):
            assert valeurs(panneau, parametre) == {code: nombre}
            assert len(noms(moi.get(f"/repertoire/?{parametre}={code}"))) == nombre
        assert valeurs(panneau, "champ") == {"medico-social": 2, "sanitaire": 1}
        rien = moi.get("/repertoire/?q=ehpad&departement=75")
        assert "Retirer Paris (75) (1)" in texte(rien)
        assert noms(moi.get("/repertoire/?q=ehpad")) == ["Mon EHPAD"]
        cache.clear()


def test_ou_chercher_ailleurs_compte_jusqu_a_un_plafond(lecteur, monkeypatch):
    monkeypatch.setattr(liste, "PLAFOND", 1)
    monkeypatch.setattr(repertoire, "PLAFOND", 1)
    ej = fabrique.entite_juridique()
    for i in range(3):
        fabrique.etablissement(nom=f"Hôpital {i}", ej=ej)
    rien = lecteur.get("/repertoire/?q=hopital&departement=92")
    assert "Retirer Hauts-de-Seine (92) (plus de 1)" in texte(rien)


def test_sans_javascript_le_panneau_est_une_page_qui_s_applique(varies, lecteur):
    liste = lecteur.get("/repertoire/?q=&departement=92")
    assert 'formaction="/repertoire/criteres/"' in liste.content.decode()
    page = lecteur.get("/repertoire/criteres/", formulaire(liste))
    assert page.status_code == 200
    html = re.search(r'<form class="carte criteres-page".*?</form>', page.content.decode(), re.S)[0]
    envoi = lire_formulaire(html, categorie=["365"])
    assert noms(lecteur.get(f"/repertoire/?{envoi.urlencode()}")) == ["Clinique de Vanves"]
    assert "Appliquer" in texte(page)


def test_dix_valeurs_puis_les_autres(lecteur):
    ej = fabrique.entite_juridique()
    for i in range(1, 14):
        fabrique.etablissement(nom=f"Hôpital {i}", ej=ej, commune=f"751{i:02d}")
    html = lecteur.get("/repertoire/criteres/", headers=HTMX).content.decode()
    assert len(valeurs_html(html, "commune")) == 10
    for i, departement in enumerate(("77", "78", "91", "92", "93", "94", "95", "2A", "13", "69", "59")):
        fabrique.etablissement(nom=f"Clinique {i}", ej=ej, commune=COMMUNES[departement])
    html = lecteur.get("/repertoire/criteres/", headers=HTMX).content.decode()
    assert len(valeurs_html(html, "departement")) == 12
    assert "2 autres" in html
    assert html.index('id="departement-75"') < html.index("2 autres")


COMMUNES = {
    "77": "77288", "78": "78646", "91": "91228", "92": "92075", "93": "93066", "94": "94028", "95": "95500",
    "2A": "2A004", "13": "13201", "69": "69381", "59": "59350",
}  # fmt: skip


def valeurs_html(html: str, nom: str) -> list[str]:
    return re.findall(rf'name="{nom}" value="([^"]+)"', html)


def test_un_critere_change_remplace_les_resultats_et_l_adresse(varies, lecteur):
    reponse = lecteur.get("/repertoire/?q=&departement=92&heure=09:00&km=10", headers=HTMX)
    html = reponse.content.decode()
    assert html.startswith('<section class="resultats" id="resultats"')
    assert reponse["HX-Push-Url"] == "/repertoire/?departement=92"
    assert "ror-resultats" in reponse["HX-Trigger-After-Settle"]
    assert 'data-ror-annonce="1 établissement"' in html
    tout = lecteur.get("/repertoire/?q=", headers=HTMX)
    assert tout["HX-Push-Url"] == "/repertoire/?q="


def test_une_longue_liste_dit_plus_de_puis_le_nombre_exact(lecteur, monkeypatch):
    monkeypatch.setattr(liste, "PLAFOND", 2)
    ej = fabrique.entite_juridique()
    for i in range(4):
        fabrique.etablissement(nom=f"Hôpital {i}", ej=ej)
    page = lecteur.get("/repertoire/?q=hopital")
    assert "Plus de 2 établissements" in texte(page)
    assert len(noms(page)) == 4
    exact = '<strong id="total-nombre" hx-swap-oob="true">4 établissements</strong>'
    assert exact in lecteur.get("/repertoire/criteres/?q=hopital", headers=HTMX).content.decode()
    assert "total-nombre" not in lecteur.get("/repertoire/criteres/?q=3", headers=HTMX).content.decode()


# -- nothing found -----------------------------------------------------------------------------------


def test_une_faute_de_frappe_est_corrigee_et_dite(hopital, lecteur):
    vocabulaire.rafraichir_vocabulaire()
    page = lecteur.get("/repertoire/?q=cardiolgie")
    assert noms(page) == ["Hôpital TEST"]
    mots = texte(page).replace("\xa0", " ").replace("\u202f", " ")
    assert "Résultats pour « cardiologie »" in mots
    assert "Aucun établissement ne correspond à « cardiolgie »" in mots


def test_rien_ne_correspond_et_quoi_faire(varies, lecteur):
    page = lecteur.get("/repertoire/?q=lilas")
    assert noms(page) == []
    assert "Aucun établissement ne correspond" in texte(page)
    lien = r'href="/repertoire/\?mss=1&amp;q=lilas"[^>]*>\s*<span>Ajouter le médico-social et le social'
    assert re.search(lien, page.content.decode())
    deux = lecteur.get("/repertoire/?q=vanves&departement=75")
    assert "Retirer Paris (75) (1)" in texte(deux)
    assert "Vérifiez l’orthographe" in texte(lecteur.get("/repertoire/?q=xyzxyz"))
