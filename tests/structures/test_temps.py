"""Any day of the register, its history, two days compared, planned changes and undoing, through the HTTP client."""

import re
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from backoffice.socle.mots import date_longue
from structures import temps
from structures.domaine import reserver
from structures.domaine.confirmer import confirmer
from structures.domaine.creer import creer_fiches
from structures.domaine.enregistrer import ecarts
from structures.domaine.patches import valeur
from structures.domaine.suites import annuler_prevue
from structures.enums import Role, Source
from structures.models import Concept, Modification
from tests.factories import repertoire as fabrique
from tests.navigation import client, requetes_de, texte
from tests.saisie import Saisie

pytestmark = pytest.mark.django_db

AUJOURDHUI = timezone.localdate()
DEMAIN = AUJOURDHUI + timedelta(days=1)
DANS_UN_MOIS = AUJOURDHUI + timedelta(days=30)


@pytest.fixture
def hopital():
    return fabrique.hopital()


@pytest.fixture
def unite(hopital):
    return hopital["UO"]


@pytest.fixture
def referent(hopital):
    return fabrique.compte(Role.REFERENT, hopital["EG"], "referent")


@pytest.fixture
def direction(hopital):
    return fabrique.compte(Role.DIRECTION, hopital["EG"], "direction")


def fiche(cible, suffixe: str = "") -> str:
    return f"/repertoire/{cible.identifiant}/{suffixe}"


def changement(m: Modification, geste: str) -> str:
    return fiche(m.fiche, f"changements/{m.pk}/{geste}/")


# -- a day ------------------------------------------------------------------------------------------


def test_un_autre_jour_se_dit_et_se_quitte(hopital, unite, referent):
    fabrique.direct(unite, referent, {"conditions_accueil": "Demain seulement"}, DEMAIN)
    navigateur, url = client(referent), fiche(unite)
    aujourdhui = navigateur.get(url)
    assert "Demain seulement" in texte(aujourdhui)
    assert "autre-jour" not in aujourdhui.content.decode()
    demain = navigateur.get(f"{url}?au={DEMAIN}")
    assert "Demain seulement" in texte(demain)
    assert "Vous consultez le répertoire au" in texte(demain)
    assert "Revenir à aujourd’hui" in texte(demain)
    assert 'class="autre-jour"' in demain.content.decode()
    assert f"{url}modifier/" not in demain.content.decode()
    assert f"/repertoire/{hopital['UF'].identifiant}/?au={DEMAIN}" in demain.content.decode()


def test_un_changement_deja_montre_n_est_plus_annonce(unite, referent):
    fabrique.direct(unite, referent, {"conditions_accueil": "Demain"}, DEMAIN)
    fabrique.direct(unite, referent, {"conditions_accueil": "Plus tard"}, DANS_UN_MOIS)
    navigateur = client(referent)
    annonces = {
        au: navigateur.get(fiche(unite), {"au": au} if au else {}).context["prochain"]
        for au in ("", str(DEMAIN), str(DANS_UN_MOIS))
    }
    demain, plus_tard = (f"le {date_longue(jour)}" for jour in (DEMAIN, DANS_UN_MOIS))
    assert annonces == {"": demain, str(DEMAIN): plus_tard, str(DANS_UN_MOIS): ""}


def test_une_seule_version_ne_se_compare_pas(unite, referent):
    navigateur, url = client(referent), fiche(unite, "historique/")
    page = navigateur.get(url).content.decode()
    for absent in ('id="comparer"', 'type="radio"', "Comparer avec la veille"):
        assert absent not in page
    assert "/comparer/" not in navigateur.get(fiche(unite)).content.decode()
    fabrique.direct(unite, referent, {"conditions_accueil": "Demain"}, DEMAIN)
    page = navigateur.get(url).content.decode()
    assert 'id="comparer"' in page
    assert page.count('type="radio"') == 4
    assert "/comparer/" in navigateur.get(fiche(unite)).content.decode()


@pytest.mark.parametrize("au", ["hier", "2027-02-30", "0001-01-01", "9999-12-31", "2027-1-1"])
def test_une_mauvaise_date_est_dite_et_montre_aujourd_hui(unite, au):
    navigateur = client(fabrique.lecteur())
    for url in ("/repertoire/", fiche(unite), fiche(unite, "historique/")):
        reponse = navigateur.get(url, {"au": au})
        assert reponse.status_code == 200
        assert "n’est pas une date que le répertoire peut montrer" in texte(reponse)
        assert "autre-jour" not in reponse.content.decode()


def test_les_jours_ou_quelque_chose_change_autour_du_jour(hopital, unite, referent):
    """On a fiche its own, on an EG those of the whole establishment; a closing is one of them."""
    fabrique.publier(unite, {"nom": "Renommée"}, date(2023, 5, 2))
    fabrique.publier(hopital["UF"], {"nom": "UF 9"}, date(2023, 6, 1))
    fabrique.publier(unite, {"existe": False}, date(2024, 2, 1))
    assert temps.jours_voisins(unite, date(2023, 5, 20)) == (date(2023, 5, 2), date(2024, 2, 1))
    assert temps.jours_voisins(hopital["EG"], date(2023, 5, 20)) == (date(2023, 5, 2), date(2023, 6, 1))
    assert temps.jours_voisins(unite, date(2010, 1, 1)) == (None, fabrique.DEBUT)
    page = client(referent).get(fiche(unite), {"au": "2023-05-20"}).content.decode()
    assert 'href="?au=2023-05-02" rel="prev"' in page
    assert 'href="?au=2024-02-01" rel="next"' in page


def test_changer_de_jour_garde_les_autres_criteres(unite):
    page = client(fabrique.lecteur()).get("/repertoire/?q=cardio&mss=1&au=2023-05-06").content.decode()
    [choix] = re.findall(r'<form class="jour-form".*?</form>', page, re.S)
    assert re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', choix) == [("q", "cardio"), ("mss", "1")]
    assert 'name="au" value="2023-05-06"' in choix


# -- history ----------------------------------------------------------------------------------------


def test_l_historique_dit_qui_quand_quoi_et_pourquoi(unite, referent):
    gestionnaire = fabrique.gestionnaire("sesan")
    fabrique.direct(unite, referent, {"conditions_accueil": "Un"})
    passee = AUJOURDHUI - timedelta(days=9)
    fabrique.direct(unite, gestionnaire, {"conditions_accueil": "Deux"}, passee, "Oubli signalé")
    annulee = fabrique.direct(unite, referent, {"nom": "Jamais"}, DEMAIN)
    annuler_prevue(modification=annulee, acteur=referent)
    reponse = client(fabrique.lecteur()).get(fiche(unite, "historique/"))
    page = texte(reponse)
    assert page.index("Annulé par referent") < page.index("Motif : Oubli signalé") < page.index("Création de la fiche")
    assert "4 modifications" in page
    assert "Cardiologie générale" in page
    assert f'href="{fiche(unite)}?au={passee}"' in reponse.content.decode()
    assert "/defaire/" not in reponse.content.decode()  # a reader reads


def test_l_historique_un_autre_jour_montre_ce_qui_vaut_ce_jour_la(unite, referent):
    fabrique.publier(unite, {"nom": "Renommée"}, date(2023, 5, 2))
    page = texte(client(referent).get(fiche(unite, "historique/"), {"au": "2023-05-01"}))
    assert "1 modification," in page
    assert "Renommée" not in page
    assert "Vous consultez le répertoire au 1er mai 2023".replace(" ", "") in page.replace(" ", "").replace("\xa0", "")


def test_l_historique_se_lit_par_pages(unite, referent):
    for i in range(55):
        fabrique.publier(unite, {"conditions_accueil": f"Version {i}"}, date(2024, 1, 1))
    navigateur, url = client(referent), fiche(unite, "historique/")
    page = navigateur.get(url).content.decode()
    suivant = re.search(r'href="(\?avant=\d+)"', page)[1]
    assert "Création de la fiche" not in page
    assert re.search(r"Version 4</del>.*?Version 5</ins>|<del>4</del>.*?<ins>5</ins>", page, re.S)
    assert "Création de la fiche" in navigateur.get(url + suivant).content.decode()


def test_l_historique_coute_autant_pour_1_3_ou_60_modifications(unite, referent):
    navigateur, url, mesures = client(referent), fiche(unite, "historique/"), []
    for nombre in (1, 2, 57):
        for i in range(nombre):
            fabrique.publier(unite, {"conditions_accueil": f"{nombre} {i}"}, date(2024, 1, 1) + timedelta(days=i))
        mesures.append(requetes_de(navigateur, url))
    assert mesures[0] == mesures[1] >= mesures[2]  # a page without the creation has fewer labels to read


def test_les_etapes_sont_celles_de_toute_l_histoire(hopital, unite, referent):
    """Read from the versions, a page at a time: before and after are those of the fold, even across a closing."""
    fabrique.publier(unite, {"conditions_accueil": "Un", "nom": "A"}, date(2022, 1, 3))
    fabrique.publier(unite, {"existe": False}, date(2023, 1, 2))
    fabrique.publier(unite, {"nom": "B"}, date(2023, 6, 1))
    fabrique.publier(unite, {"existe": True, "conditions_accueil": "Deux"}, date(2024, 1, 1))
    tot = fabrique.publier(unite, {"conditions_accueil": "Trois"}, date(2024, 1, 1))
    fabrique.publier(unite, {"conditions_accueil": "Quatre"}, date(2022, 1, 3))
    annulee = fabrique.direct(unite, referent, {"nom": "Jamais"}, DEMAIN)
    annuler_prevue(modification=annulee, acteur=referent)
    dites = {
        (e.modification.date_effet, e.modification.pk): (
            valeur(e.avant, "nom"),
            valeur(e.avant, "conditions_accueil"),
            valeur(e.apres, "nom"),
            valeur(e.apres, "conditions_accueil"),
        )
        for e in temps.etapes_des(list(temps.modifications_de(unite)))
        if e.modification.patch.keys() & {"nom", "conditions_accueil"}
    }
    assert list(dict(sorted(dites.items())).values()) == [
        ("", "", "Unité de cardiologie", ""),
        ("Unité de cardiologie", "", "A", "Un"),
        ("", "Un", "", "Quatre"),
        ("A", "", "B", ""),
        ("", "Quatre", "", "Deux"),
        ("", "Deux", "", "Trois"),
        ("B", "", "Jamais", ""),
    ]
    assert tot.pk


def test_un_contact_devenu_secret_ne_se_lit_sur_aucune_page_de_l_historique(unite, referent):
    contact = {"nom": "Nom Discret", "fonction": "03", "telecoms": []}
    fabrique.publier(unite, {"contacts": {"pose": {"c": {**contact, "confidentialite": "2"}}}}, date(2024, 1, 1))
    for i in range(51):
        fabrique.publier(unite, {"conditions_accueil": f"Version {i}"}, date(2024, 2, 1))
    fabrique.publier(unite, {"contacts": {"pose": {"c": {**contact, "confidentialite": "3"}}}}, date(2024, 3, 1))
    lecteur = client(fabrique.lecteur())
    for url in (
        fiche(unite, f"historique/?avant={Modification.objects.latest('pk').pk - 49}"),
        fiche(unite, "?au=2024-01-15"),
        fiche(unite, "comparer/?du=2023-12-01&au=2024-01-15"),
    ):
        page = texte(lecteur.get(url))
        assert "masqué" in page
        assert "Nom Discret" not in page
        assert "Nom Discret" in texte(client(referent).get(url))


def test_l_historique_dit_aussi_les_confirmations(unite, referent):
    confirmer(fiches=[unite.pk], acteur=referent)
    page = texte(client(fabrique.lecteur()).get(fiche(unite, "historique/")))
    assert "Tout est à jour : confirmé sans changement par referent" in page


def test_la_page_de_la_fiche_ne_lit_que_les_dernieres(unite, referent):
    for i in range(14):
        fabrique.publier(unite, {"conditions_accueil": f"Version {i}"}, date(2024, 1, 1))
    page = client(referent).get(fiche(unite)).content.decode()
    assert page.count('class="chronologie-point"') == 10
    assert "Tout l’historique (15)" in page


def test_la_source_mene_au_dossier_pour_qui_peut_le_voir(unite, referent, monkeypatch):
    from structures import affichage

    monkeypatch.setattr(affichage, "_visibles", lambda user, numeros: set(numeros) if user == referent else set())
    m = fabrique.publier(unite, {"nom": "Par dossier"}, date(2024, 1, 1), Source.DOSSIER)
    Modification.objects.bulk_create(
        [Modification(fiche=unite, date_effet=m.date_effet, patch=m.patch, source=m.source, origine="dossier 12")]
    )
    url = fiche(unite, "historique/")
    assert 'href="/dossiers/12/">Dossier 12</a>' in client(referent).get(url).content.decode()
    lecture = client(fabrique.lecteur()).get(url)
    assert "/dossiers/12/" not in lecture.content.decode()
    assert "Dossier 12" in texte(lecture)


# -- two days compared --------------------------------------------------------------------------------


def mouvements(hopital, referent) -> None:
    """In 2024: a UO closed, another added, one moved, one renamed, one of another type."""
    fermee = fabrique.uo(hopital["UF"], "Unité fermée")
    fabrique.publier(fermee, {"existe": False}, date(2024, 3, 1))
    deplacee = fabrique.uo(hopital["UF"], "Unité déplacée")
    ailleurs = fabrique.uf(hopital["S"], "UF 2102")
    fabrique.publier(deplacee, {"parent": ailleurs.pk, "nom": "Unité partie"}, date(2024, 4, 1))
    fabrique.uo(ailleurs, "Unité neuve", depuis=date(2024, 5, 1))
    fabrique.publier(hopital["UO"], {"type_uo": "69", "conditions_accueil": "Autres"}, date(2024, 6, 1))
    fabrique.direct(hopital["P"], referent, {"nom": "Pôle Cœur"})


def test_deux_dates_d_un_etablissement(hopital, referent):
    mouvements(hopital, referent)
    reponse = client(referent).get(fiche(hopital["EG"], f"comparer/?du=2024-01-01&au={AUJOURDHUI}"))
    page = texte(reponse)
    for mots in (
        "5 fiches sur lesquelles quelque chose a changé",
        "1 ajoutée",
        "1 fermée",
        "1 déplacée",
        "2 renommées",
        "1 type d’UO changé",
        "1 contenu modifié",
        "De UF « UF 2101 » vers UF « UF 2102 »",
        "referent, modification directe, au",
    ):
        assert mots in page.replace("\xa0", " ").replace("Unité fonctionnelle", "UF"), mots
    titres = re.findall(r"<h3>([^<]+)</h3>", reponse.content.decode())
    assert titres == ["Fiches ajoutées", "Fiches fermées", "Fiches déplacées", "Fiches renommées", "Types d’UO changés"]
    noms = re.findall(r'class="comparer-nom">.*?<a [^>]*>([^<]+)</a>', reponse.content.decode(), re.S)
    assert noms == ["Unité neuve", "Unité fermée", "Unité partie", "Pôle Cœur", "Unité de cardiologie"]
    retour = texte(client(referent).get(fiche(hopital["EG"], "comparer/?du=2024-06-01&au=2024-06-02")))
    assert "Rien n’a changé entre ces deux dates" in retour


def test_deux_versions_d_une_fiche_champ_par_champ_avec_qui_quand_pourquoi(unite, referent):
    gestionnaire = fabrique.gestionnaire("sesan")
    passee = AUJOURDHUI - timedelta(days=9)
    fabrique.direct(unite, gestionnaire, {"conditions_accueil": "Deux"}, passee, "Oubli signalé")
    fabrique.direct(unite, referent, {"age_min": 18})
    reponse = client(referent).get(fiche(unite, f"comparer/?du={passee - timedelta(days=1)}&au={AUJOURDHUI}"))
    lignes = re.findall(r'<tr><th scope="row">(.*?)</th>.*?Qui, quand, pourquoi">(.*?)</td>', reponse.content.decode())
    dites = {champ: cause.replace("\xa0", " ") for champ, cause in lignes}
    assert dites.keys() == {"Âge minimum", "Conditions d’accueil"}
    assert dites["Âge minimum"].startswith("referent, modification directe, au")
    assert dites["Conditions d’accueil"].endswith("Motif : Oubli signalé")
    avant = texte(client(referent).get(fiche(unite, f"comparer/?du=2019-01-01&au={AUJOURDHUI}")))
    assert "Cette fiche n’était pas ouverte au répertoire le" in avant


@pytest.mark.parametrize(
    ("parametres", "phrase"),
    [
        ("du=2024-02-30&au=2024-03-01", "Cette date n’existe pas"),
        ("du=2024-03-01&au=2024-03-01", "La seconde date vient après la première"),
        ("du=2024-03-02&au=2024-03-01", "La seconde date vient après la première"),
        ("du=0900-03-02&au=2024-03-01", "choisissez entre 1900 et 2199"),
        ("du=2024-03-02", "obligatoire"),
    ],
)
def test_comparer_de_mauvaises_dates(unite, parametres, phrase):
    reponse = client(fabrique.lecteur()).get(fiche(unite, f"comparer/?{parametres}"))
    assert reponse.status_code == 422
    assert phrase in texte(reponse)


def test_comparer_coute_autant_pour_1_ou_3_fiches_et_se_lit_par_pages(hopital, referent):
    navigateur = client(referent)
    url = fiche(hopital["EG"], "comparer/?du=2023-01-01&au=2024-12-31")
    mesures = []
    for nombre in (1, 2):
        for _ in range(nombre):
            neuve = fabrique.uo(hopital["UF"], territoire={"ajoute": ["92075"]})
            fabrique.publier(neuve, {"territoire": {"ajoute": ["94080"]}, "nom": "Autre"}, date(2024, 1, 1))
        mesures.append(requetes_de(navigateur, url))
    assert len(set(mesures)) == 1
    for fiche_ in fabrique.creer_fiches(eg=hopital["EG"], niveaux=["UO"] * 60):
        fabrique.publier(fiche_, {"existe": True, "parent": hopital["UF"].pk, "nom": "N"}, date(2024, 2, 1))
    page = navigateur.get(url).content.decode()
    assert "1 à 50 sur 63" in texte(navigateur.get(url))
    assert "60 ajoutées" in texte(navigateur.get(url))
    suivant = re.search(r'href="(\?[^"]*debut=50)"', page)[1].replace("&amp;", "&")
    assert page.count('class="comparer-nom"') == 50
    assert navigateur.get(f"{url}&debut=500").content.decode().count('class="comparer-nom"') == 50
    assert (
        navigateur.get(fiche(hopital["EG"], f"comparer/{suivant}")).content.decode().count('class="comparer-nom"') == 13
    )


# -- planned changes ----------------------------------------------------------------------------------


def test_les_changements_prevus_se_listent_et_s_annulent(unite, referent):
    navigateur = client(referent)
    prevu = fabrique.direct(unite, referent, {"conditions_accueil": "Entrée rue Jenner"}, DANS_UN_MOIS)
    annuler = changement(prevu, "annuler")
    page = navigateur.get(fiche(unite))
    assert "Entrée rue Jenner" in texte(page)
    assert annuler in page.content.decode()
    assert changement(prevu, "modifier") in page.content.decode()
    assert "n’aura pas lieu" in texte(navigateur.get(annuler))
    assert Modification.objects.get(pk=prevu.pk).annulee_le is None  # a GET asks, it does nothing
    reponse = navigateur.post(annuler, follow=True)
    assert "est annulé : il n’aura pas lieu" in texte(reponse)
    assert "Aucun changement n’est prévu" in texte(reponse)
    assert "Annulé par referent" in texte(navigateur.get(fiche(unite, "historique/")))
    encore = navigateur.post(annuler)
    assert encore.status_code == 409
    assert "a déjà été annulé, par referent le" in texte(encore)


def test_un_changement_prevu_est_a_son_auteur_et_aux_gestionnaires(hopital, unite, referent, direction):
    prevu = fabrique.direct(unite, referent, {"conditions_accueil": "Bientôt"}, DANS_UN_MOIS)
    assert changement(prevu, "annuler") not in client(direction).get(fiche(unite)).content.decode()
    for geste in ("annuler", "modifier"):
        for methode in ("get", "post"):
            assert getattr(client(direction), methode)(changement(prevu, geste)).status_code == 403
            ailleurs = fiche(hopital["EG"], f"changements/{prevu.pk}/{geste}/")
            assert getattr(client(referent), methode)(ailleurs).status_code == 404
    assert client(fabrique.gestionnaire()).post(changement(prevu, "annuler")).status_code == 302
    assert Modification.objects.get(pk=prevu.pk).annulee_le is not None


def test_modifier_un_changement_prevu_valeurs_et_date(unite, referent):
    prevu = fabrique.direct(
        unite, referent, {"conditions_accueil": "Entrée A", "activites": {"ajoute": ["097"]}}, DANS_UN_MOIS
    )
    saisie = Saisie(referent, changement(prevu, "modifier"))
    donnees = saisie.donnees()
    assert (donnees["conditions_accueil"], donnees["activites"]) == (["Entrée A"], ["013", "097"])
    saisie.envoyer("resume", conditions_accueil="Entrée B", activites=["013"])
    assert saisie.donnees()["date_effet"] == [DANS_UN_MOIS.isoformat()]
    assert "Entrée B" in saisie.mots
    assert saisie.envoyer("enregistrer", date_effet=DEMAIN.isoformat()).status_code == 302
    nouveau = unite.modifications.latest("pk")
    assert (nouveau.patch, nouveau.date_effet, nouveau.remplace) == ({"conditions_accueil": "Entrée B"}, DEMAIN, prevu)
    prevu.refresh_from_db()
    assert prevu.annulee_par == referent
    assert fabrique.contenu(unite).conditions_accueil == ""
    for jour in (DEMAIN, DANS_UN_MOIS):
        assert fabrique.contenu(unite, jour).conditions_accueil == "Entrée B"
        assert fabrique.contenu(unite, jour).activites == ["013"]
    page = texte(client(referent).get(fiche(unite, "historique/")))
    assert "Modifié avant d’avoir eu lieu par referent" in page
    assert "Remplace le changement prévu le" in page
    assert ecarts() == []
    perime = client(referent).get(changement(prevu, "modifier"))
    assert perime.status_code == 409
    assert "a déjà été modifié : il est prévu le" in texte(perime)


def test_modifier_un_changement_prevu_sans_rien_changer_ou_hors_regles(unite, referent):
    prevu = fabrique.direct(unite, referent, {"age_min": 20}, DANS_UN_MOIS)
    saisie = Saisie(referent, changement(prevu, "modifier"))
    saisie.envoyer("resume")
    saisie.envoyer("enregistrer")
    assert saisie.reponse.status_code == 422
    assert "ce changement est déjà prévu ainsi" in saisie.mots
    saisie = Saisie(referent, changement(prevu, "modifier"))
    saisie.envoyer("resume", age_min="130")
    assert saisie.reponse.status_code == 422
    assert "L’âge maximum est inférieur à l’âge minimum" in saisie.mots
    saisie = Saisie(referent, changement(prevu, "modifier"))
    saisie.envoyer("resume", age_min="21")
    hier = AUJOURDHUI - timedelta(days=1)
    saisie.envoyer("enregistrer", date_effet=hier.isoformat())
    assert saisie.reponse.status_code == 422
    assert "ne peut pas être passée" in saisie.mots
    prevu.refresh_from_db()
    assert prevu.annulee_le is None
    assert unite.modifications.latest("pk") == prevu


def test_modifier_un_changement_prevu_que_l_autre_annule_ou_double(unite, referent):
    """Somebody cancelled it: 409 with who. Somebody changed the same field before its day: her value is asked about."""
    prevu = fabrique.direct(unite, referent, {"conditions_accueil": "A"}, DANS_UN_MOIS)
    saisie = Saisie(referent, changement(prevu, "modifier"))
    autre = fabrique.direct(unite, fabrique.gestionnaire("sesan"), {"conditions_accueil": "De SESAN"}, DEMAIN)
    saisie.envoyer("resume", conditions_accueil="B")
    assert saisie.reponse.status_code == 409
    assert "De SESAN" in saisie.mots
    assert "sesan" in saisie.mots
    annuler_prevue(modification=prevu, acteur=fabrique.gestionnaire("autre"))
    saisie.envoyer("enregistrer", date_effet=DANS_UN_MOIS.isoformat(), garder_conditions_accueil="mienne")
    assert saisie.reponse.status_code == 409
    assert "a déjà été annulé, par autre le" in saisie.mots
    assert unite.modifications.latest("pk") == autre


# -- undoing --------------------------------------------------------------------------------------------


def defaire(user, m: Modification, **changements):
    """Read the preview, then send its form."""
    saisie = Saisie(user, changement(m, "defaire"))
    assert saisie.reponse.status_code == 200, saisie.mots
    saisie.reponse = saisie.navigateur.post(saisie.url, saisie.donnees(**changements))
    return saisie


def test_annuler_une_modification_la_defait_par_son_inverse(unite, referent, direction):
    m = fabrique.direct(
        unite, referent, {"conditions_accueil": "Erreur", "activites": {"ajoute": ["097"]}, "age_min": 18}
    )
    historique = client(direction).get(fiche(unite, "historique/")).content.decode()
    assert changement(m, "defaire") in historique
    apercu = texte(client(direction).get(changement(m, "defaire")))
    for mots in ("Ce qui revient comme avant", "Erreur", "Conditions d’accueil", "Âge minimum", "16 ans"):
        assert mots in apercu.replace("\xa0", " ")
    assert unite.modifications.latest("pk") == m  # a GET shows, it does nothing
    saisie = defaire(direction, m)
    assert (saisie.reponse.status_code, saisie.reponse["Location"]) == (302, fiche(unite, "historique/"))
    lue = fabrique.contenu(unite)
    assert (lue.conditions_accueil, lue.activites, lue.age_min) == ("", ["013"], 16)
    u = unite.modifications.latest("pk")
    assert (u.inverse, u.auteur, u.patch) == (
        m,
        direction,
        {"conditions_accueil": "", "activites": {"retire": ["097"]}, "age_min": 16},
    )
    page = texte(client(referent).get(fiche(unite, "historique/")))
    assert "Annulation d’une modification" in page
    assert "Défaite par direction le" in page
    assert "Défait la modification de referent du" in page
    assert ecarts() == []


def test_annuler_deux_fois_est_refuse_en_disant_qui(unite, referent, direction):
    m = fabrique.direct(unite, referent, {"conditions_accueil": "Erreur"})
    ouverte = Saisie(referent, changement(m, "defaire"))
    defaire(direction, m)
    for reponse in (
        ouverte.navigateur.post(ouverte.url, ouverte.donnees()),
        client(referent).get(changement(m, "defaire")),
    ):
        assert reponse.status_code == 409
        assert "direction a déjà défait cette modification le" in texte(reponse)
    assert unite.modifications.filter(inverse=m).count() == 1


def test_annuler_l_annulation_retablit(unite, referent):
    m = fabrique.direct(unite, referent, {"conditions_accueil": "Bon finalement"})
    defaire(referent, m)
    defaire(referent, unite.modifications.latest("pk"))
    assert fabrique.contenu(unite).conditions_accueil == "Bon finalement"


def test_annuler_laisse_ce_qui_a_change_depuis_et_dit_par_qui(unite, referent, direction):
    m = fabrique.direct(unite, referent, {"conditions_accueil": "Un", "conditions_admission": "Un"})
    fabrique.direct(unite, direction, {"conditions_accueil": "Deux"})
    apercu = texte(client(referent).get(changement(m, "defaire")))
    assert re.search(r"modifié de nouveau depuis.*« Conditions d’accueil » Deux .*direction, le", apercu)
    defaire(referent, m)
    lue = fabrique.contenu(unite)
    assert (lue.conditions_accueil, lue.conditions_admission) == ("Deux", "")


def test_annuler_quand_tout_a_change_depuis_ne_propose_rien(unite, referent, direction):
    m = fabrique.direct(unite, referent, {"conditions_accueil": "Un"})
    ouverte = Saisie(referent, changement(m, "defaire"))
    fabrique.direct(unite, direction, {"conditions_accueil": "Deux"})
    perime = ouverte.navigateur.post(ouverte.url, ouverte.donnees())
    assert perime.status_code == 409
    assert re.search("n’est plus ce que la page montrait : « Conditions d’accueil » par direction le", texte(perime))
    apercu = texte(client(referent).get(changement(m, "defaire")))
    assert "Rien ne peut être défait" in apercu
    forge = client(referent).post(changement(m, "defaire"), {"date_effet": AUJOURDHUI.isoformat()})
    assert forge.status_code == 409
    assert fabrique.contenu(unite).conditions_accueil == "Deux"


def test_annuler_suit_les_regles_de_tout_changement(hopital, unite, referent):
    """A code closed since, something mandatory emptied, a fiche of a sent dossier, a date in the past."""
    fabrique.publier(unite, {"activites": {"ajoute": ["014"]}}, date(2024, 1, 1))
    m = fabrique.direct(unite, referent, {"activites": {"retire": ["014"]}})
    Concept.objects.filter(nomenclature="R211", code="014").update(date_fin=date(2025, 1, 1))
    saisie = defaire(referent, m)
    assert saisie.reponse.status_code == 422
    assert "est fermé" in saisie.mots
    fabrique.publier(unite, {"age_max": None, "age_max_unite": ""}, date(2024, 1, 1))
    complete = fabrique.direct(unite, referent, {"age_max": 90, "age_max_unite": "an"})
    saisie = defaire(referent, complete)
    assert saisie.reponse.status_code == 422
    assert "obligatoire" in saisie.mots
    simple = fabrique.direct(unite, referent, {"conditions_accueil": "Un"})
    hier, passee = AUJOURDHUI - timedelta(days=1), AUJOURDHUI - timedelta(days=9)
    ancienne = fabrique.direct(unite, fabrique.gestionnaire(), {"conditions_admission": "Un"}, passee, "Oubli")
    for m, phrase in ((simple, "Choisissez une date à partir du"), (ancienne, "ne peut pas être passée")):
        saisie = defaire(referent, m, date_effet=hier.isoformat())
        assert saisie.reponse.status_code == 422
        assert phrase in saisie.mots
    reserver.ouvrir(eg=hopital["EG"], dossier=12, nom="Ouverture", etape="Approbation")
    reserver.annoncer(dossier=12, etape="Approbation", fiches=[unite.pk], envoye=True)
    saisie = defaire(referent, simple)
    assert saisie.reponse.status_code == 409
    assert "Le dossier collaboratif « Ouverture » change cette fiche" in saisie.mots
    assert not unite.modifications.filter(inverse__isnull=False).exists()


def test_annuler_a_une_date_a_venir_puis_annuler_l_annulation_prevue(unite, referent):
    m = fabrique.direct(unite, referent, {"conditions_accueil": "Un"})
    defaire(referent, m, date_effet=DANS_UN_MOIS.isoformat())
    assert fabrique.contenu(unite).conditions_accueil == "Un"
    assert fabrique.contenu(unite, DANS_UN_MOIS).conditions_accueil == ""
    prevue = unite.modifications.latest("pk")
    assert client(referent).post(changement(prevue, "annuler")).status_code == 302
    assert fabrique.contenu(unite, DANS_UN_MOIS).conditions_accueil == "Un"
    assert defaire(referent, m).reponse.status_code == 302


def test_ce_qui_ne_s_annule_pas_ici_dit_ou(hopital, unite, referent):
    creation = unite.modifications.first()
    prevue = fabrique.direct(unite, referent, {"conditions_accueil": "Bientôt"}, DEMAIN)
    passe = {creation: "dossier collaboratif", prevue: "n’est pas encore en vigueur"}
    for m, phrase in passe.items():
        for methode in ("get", "post"):
            reponse = getattr(client(referent), methode)(changement(m, "defaire"))
            assert reponse.status_code == 409
            assert phrase in texte(reponse)
    m = fabrique.direct(unite, referent, {"conditions_admission": "Un"})
    assert client(fabrique.lecteur()).get(changement(m, "defaire")).status_code == 403
    assert client(referent).get(fiche(hopital["EG"], f"changements/{m.pk}/defaire/")).status_code == 404
    page = texte(client(referent).get(fiche(unite, "historique/")))
    assert "ils se défont dans un dossier collaboratif" in page


def test_une_fiche_fermee_ou_a_venir_garde_son_historique_et_se_compare(hopital, referent):
    [neuve] = creer_fiches(eg=hopital["EG"], niveaux=["UO"])
    for suffixe in ("historique/", "comparer/"):
        assert client(referent).get(fiche(neuve, suffixe)).status_code == 404
    fabrique.publier(neuve, {"existe": True, "parent": hopital["UF"].pk, "nom": "À venir"}, DANS_UN_MOIS)
    for suffixe in ("historique/", f"comparer/?du={AUJOURDHUI}&au={DANS_UN_MOIS}"):
        assert "À venir" in texte(client(referent).get(fiche(neuve, suffixe)))


def test_la_base_refuse_une_seconde_suite(unite, referent):
    """Under every lock: the constraints hold what the verbs promise."""
    passee = fabrique.direct(unite, referent, {"conditions_accueil": "Un"})
    commun = {"fiche": unite, "date_effet": passee.date_effet, "source": Source.DIRECT, "auteur": referent, "patch": {}}
    for champ in ("inverse", "remplace"):
        Modification.objects.create(**commun, **{champ: passee})
        with pytest.raises(IntegrityError), transaction.atomic():
            Modification.objects.create(**commun, **{champ: passee})
