"""The search of the register: the box, spelling, the address, pages (and test_recherche_naive.py)."""

from datetime import date, timedelta
from importlib import import_module
from typing import Any
from urllib.parse import quote

import pytest
from django.core.cache import cache
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from backoffice.comptes.models import User
from structures import recherche
from structures.domaine.cog import departement
from structures.domaine.enregistrer import ecarts
from structures.domaine.texte import normaliser
from structures.models import Commune, IndexEG, Mot
from structures.recherche import Criteres, correction, facettes, offres, page, rafraichir_vocabulaire
from structures.recherche.mots import contient
from tests.factories import repertoire as fabrique

pytestmark = pytest.mark.django_db

AUJOURDHUI = timezone.localdate()
FUTUR = AUJOURDHUI + timedelta(days=400)


def lire(adresse: str, jour: date = AUJOURDHUI) -> tuple[Criteres, dict[str, str]]:
    return recherche.lire(QueryDict(adresse), jour)


def criteres(adresse: str) -> Criteres:
    lus, erreurs = lire(adresse)
    assert erreurs == {}
    return lus


def noms(c: Criteres, user: User | None = None) -> list[str]:
    return [v.nom for v in recherche.etablissements(c, user or User())]


def trouves(q: str, **autres: Any) -> set[str]:
    return set(noms(Criteres(q=q, mss=True, **autres)))


# -- the box -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "q",
    [
        "hôpital SAINT louis", "st-louis", "HOPITAL  St Louis", "le grand louis",  # name, operational name
        "750590019", "750 590 019", "12345678900019", "123 456 789 00019",  # FINESS, SIRET
        "75013", "paris 13", "Paris 13e Arrondissement",  # postcode, commune
        "groupe des essais", "987654324", "987 654 324",  # its EJ
        "pôle tête", "neurochirurgie", "UF 4510",  # a fiche below
        "neurologie",  # an activity, by its label
        "unité hospitalière de cardiologie louis",  # a Type d'UO, by its label
        "l'hôpital de la louis",  # « de », « la » count for nothing beside others
    ],
)  # fmt: skip
def test_la_boite_trouve(q: str) -> None:
    ej = fabrique.entite_juridique("Groupe des Essais", siren="987654324")
    eg = fabrique.etablissement(
        nom="Hôpital Saint-Louis", nom_operationnel="Le Grand Louis", ej=ej, siret="12345678900019", finess="750590019"
    )
    uf = fabrique.uf(fabrique.service(fabrique.pole(eg, "Pôle Tête et cou"), "Neurochirurgie"), "UF 4510")
    fabrique.uo(uf, "Unité du rachis", activites={"ajoute": ["097"]})
    fabrique.etablissement(nom="Clinique des Lilas", commune="92050", code_postal="92000")
    assert noms(Criteres(q=q)) == ["Hôpital Saint-Louis"]


def test_un_departement_se_cherche_par_son_nom() -> None:
    fabrique.etablissement(nom="Ici", commune="92050", code_postal="92000")
    fabrique.etablissement(nom="Ailleurs")
    assert trouves("hauts de seine") == {"Ici"}


def test_l_identifiant_d_une_fiche_trouve_son_etablissement() -> None:
    fiches, _ = fabrique.hopital("Un"), fabrique.hopital("Deux")
    assert trouves(fiches["UO"].identifiant) == {"Un"}
    assert trouves(fiches["UO"].identifiant.split("/")[1]) == {"Un"}
    assert trouves("0000") == set()  # what all identifiers begin with


def test_un_mot_court_commence_un_mot() -> None:
    fabrique.etablissement(nom="Clinique Uzes")
    fabrique.etablissement(nom="Clinique du Luzerne")
    assert trouves("uz") == {"Clinique Uzes"}
    assert trouves("luz") == {"Clinique du Luzerne"}
    assert trouves("de") == set()  # alone, it counts


@pytest.mark.parametrize("q", ["%", "_", "\\", "' OR 1=1 --", "(", "[a", "\0", "🏥", "é" * 200, "12(", "*" * 50])
def test_ce_qui_n_est_pas_un_mot_ne_casse_rien(q: str) -> None:
    fabrique.etablissement(nom="Clinique")
    lus, erreurs = recherche.lire(QueryDict(f"q={quote(q)}"), AUJOURDHUI)
    assert erreurs == {}
    assert noms(lus) in ([], ["Clinique"])
    assert correction(lus, User()) is None


def test_les_mots_suivent_le_jour() -> None:
    eg = fabrique.etablissement(nom="Hôpital Ancien")
    fabrique.publier(eg, {"nom": "Hôpital Nouveau"}, AUJOURDHUI + timedelta(days=10))
    assert trouves("ancien") == {"Hôpital Ancien"}
    assert trouves("nouveau") == set()
    assert trouves("ancien", jour=FUTUR) == set()
    assert trouves("nouveau", jour=FUTUR) == {"Hôpital Nouveau"}
    assert trouves("hopital", jour=date(2015, 1, 1)) == set()


def test_des_mots_d_un_autre_jour_ne_vident_pas_la_page() -> None:
    """The index proposes first those who had the word another day: the page goes on until it is full."""
    for i in range(9):
        eg = fabrique.etablissement(nom=f"A{i} Mutualiste")
        fabrique.publier(eg, {"nom": f"A{i}"}, date(2022, 1, 1))
    reste = [fabrique.etablissement(nom=f"B{i} Mutualiste").pk for i in range(3)]
    assert [v.fiche_id for v in page(Criteres(q="mutualiste"), User(), taille=2).lignes] == reste[:2]
    assert page(Criteres(q="mutualiste"), User(), taille=2).suivant == reste[1]


def test_le_nom_de_l_ej_suit_le_rattachement() -> None:
    eg = fabrique.etablissement(nom="Clinique", ej=fabrique.entite_juridique("Fondation Alpha"))
    assert trouves("alpha") == {"Clinique"}
    autre = fabrique.entite_juridique("Fondation Beta")
    fabrique.publier(eg, {"parent": autre.pk}, date(2024, 1, 1))
    assert (trouves("alpha"), trouves("beta")) == (set(), {"Clinique"})
    fabrique.publier(autre, {"nom": "Fondation Gamma"}, date(2025, 1, 1))
    assert (trouves("beta"), trouves("gamma")) == (set(), {"Clinique"})
    assert ecarts() == []


def test_une_modification_sans_mot_nouveau_n_ecrit_pas_l_index() -> None:
    fiches = fabrique.hopital()
    [avant] = IndexEG.objects.filter(eg=fiches["EG"]).extra(select={"ecrit": "xmin::text"}).values_list("ecrit")
    fabrique.publier(fiches["UO"], {"conditions_accueil": "Sur rendez-vous"}, AUJOURDHUI)
    assert [avant] == list(
        IndexEG.objects.filter(eg=fiches["EG"]).extra(select={"ecrit": "xmin::text"}).values_list("ecrit")
    )


@given(st.text(max_size=30), st.text(alphabet="ab1é-'", min_size=1, max_size=6), st.text(max_size=30))
def test_un_texte_contient_chacun_de_ses_mots(avant: str, mot: str, apres: str) -> None:
    assert all(contient(normaliser(f"{avant} {mot} {apres}"), m) for m in normaliser(mot).split())


# -- spelling ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("q", "corrige"),
    [
        ("cardioligie", "cardiologie"), ("hopitla", "hopital"), ("lilsa", "lilas"), ("clnique lilas", "clinique lilas"),
        ("cardyologi", "cardiologie"),  # two letters
        ("neurologei", "neurologie"),  # an activity of no name
        ("Hopitl des Lils", "hopital lilas"),
    ],
)  # fmt: skip
def test_une_faute_est_pardonnee(q: str, corrige: str) -> None:
    eg = fabrique.hopital("Hôpital Clinique des Lilas")
    fabrique.publier(eg["UO"], {"activites": {"ajoute": ["097"]}}, AUJOURDHUI)
    rafraichir_vocabulaire()
    assert noms(Criteres(q=q)) == []
    trouvee = correction(Criteres(q=q), User())
    assert trouvee is not None
    assert (trouvee.q, noms(trouvee)) == (corrige, ["Hôpital Clinique des Lilas"])


def test_pas_de_correction_pour_rien() -> None:
    fabrique.hopital("Hôpital des Lilas")
    fabrique.etablissement(nom="Clinique")
    rafraichir_vocabulaire()
    assert correction(Criteres(q="zyxwvu"), User()) is None
    assert correction(Criteres(q="lilas clinique"), User()) is None  # both known
    assert correction(Criteres(q="lils", departements=("974",)), User()) is None  # and nothing there
    assert correction(Criteres(q="999999999"), User()) is None


def test_le_vocabulaire_se_reecrit_sans_doubles() -> None:
    eg = fabrique.etablissement(nom="Clinique Zénith")
    nombre = rafraichir_vocabulaire()
    assert Mot.objects.filter(mot="zenith").exists()
    assert not Mot.objects.filter(mot__regex=r"\d").exists()
    fabrique.publier(eg, {"nom": "Clinique Zodiaque"}, fabrique.DEBUT)
    assert rafraichir_vocabulaire() == nombre
    assert set(Mot.objects.filter(mot__startswith="z").values_list("mot", flat=True)) >= {"zodiaque"}
    assert not Mot.objects.filter(mot="zenith").exists()


# -- the address ---------------------------------------------------------------------------------------------


def test_l_adresse_et_les_criteres_se_repondent() -> None:
    adresse = (
        "acte=0172&activite=013&activite=097&au=2027-03-01&autour=92050&categorie=355&champ=sanitaire&commune=92050"
        "&departement=75&departement=92&dossier=1&favoris=1&heure=09%3A30&incomplet=1&jour=2&km=15&mode=28&mss=1"
        "&nouvelles=12&public=01&q=h%C3%B4pital+saint&sensible=1&signale=1&temporalite=01&type=149"
    )
    fabrique.etablissement(commune="92050", latitude=48.9, longitude=2.2)
    lus, erreurs = lire(adresse, date(2027, 3, 1))
    assert erreurs == {}
    assert lus.requete() == adresse
    assert lus.ouvert == (2, 570)
    assert (lus.autour, lus.sans_nouvelles) == (("92050", 15), 12)
    assert criteres("").requete() == ""
    assert lus.requete(departements=(), q="") == adresse.replace("&departement=75&departement=92", "").replace(
        "&q=h%C3%B4pital+saint", ""
    )


INCONNU = "le répertoire ne connaît pas « {} ». Ce critère n’est pas appliqué."


@pytest.mark.parametrize(
    ("adresse", "parametre", "phrase"),
    [
        ("activite=ZZ", "activite", f"Activité opérationnelle : {INCONNU.format('ZZ')}"),
        ("departement=99&departement=75", "departement", f"Département : {INCONNU.format('99')}"),
        ("commune=Vanves", "commune", f"Commune : {INCONNU.format('Vanves')}"),
        ("champ=x", "champ", f"Champ d’activité : {INCONNU.format('x')}"),
        ("jour=8&heure=09:00", "jour", "Choisissez le jour de la semaine où la structure doit être ouverte."),
        ("heure=09:00", "jour", "Choisissez le jour de la semaine où la structure doit être ouverte."),
        ("jour=1", "heure", "Indiquez l’heure sous la forme 14:30."),
        ("jour=1&heure=24:00", "heure", "Indiquez l’heure sous la forme 14:30."),
        ("nouvelles=0", "nouvelles", "Indiquez un nombre de mois entre 1 et 120."),
        ("nouvelles=x", "nouvelles", "Indiquez un nombre de mois entre 1 et 120."),
        ("autour=00000", "autour", f"Commune : {INCONNU.format('00000')}"),
        (
            "autour=92050", "autour",
            "La distance se mesure depuis les établissements de cette commune, et aucun n’a de coordonnées au "
            "répertoire. Choisissez une commune voisine ou le département.",
        ),
        ("autour=75113&km=500", "km", "Indiquez une distance en kilomètres entre 1 et 200."),
        ("q=" + "a" * 100_000, "q", "La recherche s’arrête à 200 caractères : la fin de votre texte n’a pas été lue."),
        ("&".join(f"activite={n}" for n in range(200)), "activite", None),
        ("type=%00", "type", None), ("activite=<b>", "activite", None),
    ],
)  # fmt: skip
def test_ce_qui_ne_se_lit_pas_est_dit_et_le_reste_garde(adresse: str, parametre: str, phrase: str | None) -> None:
    fabrique.etablissement(nom="Clinique", latitude=48.83, longitude=2.36)
    lus, erreurs = lire(f"{adresse}&mode=28")
    assert lus.modes == ("28",)
    if parametre != "type":
        assert set(erreurs) == {parametre}
    if phrase:
        assert erreurs[parametre] == phrase
    noms(lus)


def test_les_heures_se_tapent_de_plusieurs_facons() -> None:
    for heure in ("9:30", "09:30", "9h30"):
        assert criteres(f"jour=1&heure={heure}").ouvert == (1, 570)
    assert criteres("jour=1&heure=14h").ouvert == (1, 840)


# -- statements ------------------------------------------------------------------------------------------------


def instructions(fonction: Any) -> int:
    with CaptureQueriesContext(connection) as vues:
        fonction()
    return len(vues)


@pytest.mark.parametrize("adresse", ["", "q=hopital", "q=hopital+cardiologie&activite=013", "type=149&departement=75"])
def test_autant_d_instructions_pour_un_que_pour_trois(adresse: str) -> None:
    user = fabrique.lecteur()
    premier = fabrique.hopital("Hôpital Un")["EG"].pk

    def mesurer(egs: list[int]) -> list[int]:
        c = criteres(adresse)
        return [
            instructions(lambda: lire(adresse)),
            instructions(lambda: page(c, user)),
            instructions(lambda: page(c, user, apres=premier)),
            instructions(lambda: recherche.compter(c, user)),
            instructions(lambda: offres(c, egs)),
            instructions(lambda: facettes(c, user)),
        ]

    un = mesurer([premier])
    trois = mesurer([premier, *(fabrique.hopital(f"Hôpital {n}")["EG"].pk for n in ("Deux", "Trois"))])
    assert un == trois
    assert max(un) <= 35


def test_les_facettes_lentes_sont_gardees_et_disent_de_quand(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    monkeypatch.setattr(import_module("structures.recherche.facettes"), "LENT_SECONDES", 0)
    cache.clear()
    user, c = fabrique.lecteur(), Criteres()
    fabrique.etablissement(nom="Une")
    [avant] = facettes(c, user, ["departements"])
    fabrique.etablissement(nom="Deux")
    [apres] = facettes(c, user, ["departements"])
    assert apres == avant
    assert [(v.code, v.libelle, v.nombre) for v in avant.valeurs] == [("75", "Paris (75)", 1)]
    cache.clear()


# -- the list --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("q", ["", "hopital", "75013"])
def test_les_pages_se_suivent_sans_rien_perdre_ni_repeter(q: str) -> None:
    ej = fabrique.entite_juridique()
    for i in range(7):
        fabrique.etablissement(nom=f"Hôpital {i // 2}", ej=ej)  # equal names too
    c, user = Criteres(q=q), User()
    toutes = list(recherche.etablissements(c, user).values_list("fiche_id", flat=True))
    vues, repere, pages = [], None, []
    while True:
        une = page(c, user, apres=repere, taille=3)
        vues += [v.fiche_id for v in une.lignes]
        pages.append(une)
        repere = une.suivant
        if repere is None:
            break
    assert vues == toutes
    assert len(toutes) == 7
    assert [len(p.lignes) for p in pages] == [3, 3, 1]
    retour = page(c, user, avant=pages[2].precedent, taille=3)
    assert [v.pk for v in retour.lignes] == [v.pk for v in pages[1].lignes]
    assert page(c, user, avant=retour.precedent, taille=3).precedent is None
    assert [v.pk for v in page(c, user, apres=999_999_999, taille=3).lignes] == [v.pk for v in pages[0].lignes]
    sauf = toutes[:4]
    assert [v.fiche_id for v in page(c, user, taille=2, sauf=sauf).lignes] == toutes[4:6]
    assert (recherche.compter(c, user, sauf=sauf), recherche.compter(c, user, plafond=5)) == (3, 5)


def test_le_departement_d_une_commune() -> None:
    assert [departement(c) for c in ("75113", "97411", "98818", "2A004", "")] == ["75", "974", "988", "2A", ""]


def test_un_departement_se_trouve_et_se_compte_outre_mer() -> None:
    fabrique.etablissement(nom="Médipôle", commune="98818", code_postal="98800")
    assert ecarts() == []
    assert trouves("nouvelle caledonie") == {"Médipôle"}
    [facette] = facettes(Criteres(), fabrique.lecteur(), ["departements"])
    assert [(v.code, v.libelle, v.nombre) for v in facette.valeurs] == [("988", "Nouvelle-Calédonie (988)", 1)]
    codes = dict(Commune.objects.values_list("code", "departement"))
    assert {code: departement(code) for code in codes} == codes


def test_une_unite_fermee_un_temps_n_est_pas_ouverte() -> None:
    """« Ouvert le … » says what the fiche says of that day."""
    contenu = {
        "horaires": {"pose": {"01/2020-01-06": {"1": [["08:00", "12:00"]]}}},
        "date_fermeture": "2026-03-02",
        "date_reouverture": "2026-04-06",
    }
    fabrique.publier(fabrique.hopital("Clinique")["UO"], contenu, fabrique.DEBUT)
    lundis = [date(2026, 2, 23), date(2026, 3, 2), date(2026, 3, 30), date(2026, 4, 6)]
    assert [noms(Criteres(ouvert=(1, 540), jour=jour)) for jour in lundis] == [["Clinique"], [], [], ["Clinique"]]


def test_autant_d_instructions_pour_un_mot_inconnu_que_pour_trois(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("structures.recherche.vocabulaire"), "ESSAIS", 0)
    fabrique.hopital("Hôpital Clinique des Lilas")
    rafraichir_vocabulaire()
    un = instructions(lambda: correction(Criteres(q="hopitl"), User()))
    assert instructions(lambda: correction(Criteres(q="hopitl clnique lils"), User())) == un
    assert instructions(lambda: correction(Criteres(q="hopitl zyxwvu cardiolgie lilas"), User())) == un == 3


def test_une_reponse_trop_large_donne_les_valeurs_sans_leur_nombre(monkeypatch: pytest.MonkeyPatch) -> None:
    user = fabrique.lecteur()
    fabrique.hopital()
    criteres = Criteres(mss=True, types=("149",))
    comptees = {f.nom: f for f in facettes(criteres, user)}
    monkeypatch.setattr(import_module("structures.recherche.facettes"), "UNITES_COMPTEES", 0)
    larges = {f.nom: f for f in facettes(criteres, user)}
    assert list(larges) == list(comptees)
    assert {v.nombre for nom in ("types", "activites", "sensible", "incomplet") for v in larges[nom].valeurs} == {None}
    assert [v.code for v in larges["types"].valeurs if v.choisi] == ["149"]
    assert len(larges["types"].valeurs) > 100  # every type that can be chosen
    for nom in ("departements", "communes", "champs", "categories", "en_dossier", "favoris", "signale"):
        assert larges[nom].valeurs == comptees[nom].valeurs
