"""Favourites, what was seen last, saved searches: each person's own (acceptance 20 to 22)."""

import re

import pytest

from backoffice.socle.erreurs import Conflit
from structures.domaine import personnel
from structures.domaine.creer import creer_fiches
from structures.models import Favori, RechercheEnregistree
from tests.factories import repertoire as fabrique
from tests.formulaires import lire_formulaire
from tests.navigation import HTMX, client, requetes_de, texte

pytestmark = pytest.mark.django_db


@pytest.fixture
def personne():
    return fabrique.lecteur()


def fiche(cible, suffixe: str = "") -> str:
    return f"/repertoire/{cible.identifiant}/{suffixe}"


# -- favourites --------------------------------------------------------------------------------------


def bouton(reponse, cible) -> tuple[str, str]:
    """(words, value sent) of the star of a fiche."""
    html = reponse.content.decode()
    valeur, mot = re.search(
        rf'id="favori-{cible.pk}" name="favori" value="(\d)".*?<span class="etoile-mot">([^<]+)', html, re.S
    ).groups()
    return mot, valeur


@pytest.mark.parametrize("page", ["/repertoire/", "la fiche"])
def test_l_etoile_ajoute_puis_retire(hopital, personne, page):
    navigateur, eg = client(personne), hopital["EG"]
    page = fiche(eg) if page == "la fiche" else page
    assert bouton(navigateur.get(page), eg) == ("Ajouter aux favoris", "1")
    reponse = navigateur.post(fiche(eg, "favori/"), {"favori": "1"}, headers={"referer": f"http://testserver{page}"})
    assert (reponse.status_code, reponse["Location"]) == (302, f"{page}#favori-{eg.pk}")
    assert bouton(navigateur.get(page), eg) == ("Retirer des favoris", "0")
    navigateur.post(fiche(eg, "favori/"), {"favori": "0"})
    assert bouton(navigateur.get(page), eg) == ("Ajouter aux favoris", "1")


def test_deux_clics_sur_l_etoile_font_un_favori(hopital, personne):
    navigateur = client(personne)
    for _ in range(2):
        reponse = navigateur.post(fiche(hopital["EG"], "favori/"), {"favori": "1"}, headers=HTMX)
        assert reponse.status_code == 200
        assert bouton(reponse, hopital["EG"]) == ("Retirer des favoris", "0")
        assert "Hôpital TEST est dans vos favoris" in reponse.content.decode()
    assert Favori.objects.filter(user=personne).count() == 1
    for _ in range(2):
        navigateur.post(fiche(hopital["EG"], "favori/"), {"favori": "0"}, headers=HTMX)
    assert not Favori.objects.exists()


def test_les_favoris_sont_a_chacun_et_restreignent_la_liste(hopital, personne):
    ehpad = fabrique.etablissement("medico-social", nom="EHPAD")
    unite = fabrique.uo(ehpad, "Unité")
    personnel.ajouter_favori(user=personne, fiche=unite)
    autre = fabrique.lecteur("autre")
    personnel.ajouter_favori(user=autre, fiche=hopital["EG"])
    noms = r'class="eg-nom"[^>]*>([^<]+)<'
    adresse = "/repertoire/?favoris=1&mss=1"
    assert re.findall(noms, client(personne).get(adresse).content.decode()) == ["EHPAD"]
    assert re.findall(noms, client(autre).get(adresse).content.decode()) == ["Hôpital TEST"]
    assert bouton(client(autre).get(fiche(unite)), unite) == ("Ajouter aux favoris", "1")


def test_on_ne_met_pas_en_favori_ce_qui_n_est_pas_publie(hopital, personne):
    [brouillon] = creer_fiches(eg=hopital["EG"], niveaux=["UO"])
    for url in (fiche(brouillon, "favori/"), "/repertoire/11/9999999/favori/"):
        assert client(personne).post(url, {"favori": "1"}).status_code == 404
    assert not Favori.objects.exists()


# -- seen last ---------------------------------------------------------------------------------------


def vus(navigateur) -> list[str]:
    html = navigateur.get("/repertoire/").content.decode()
    bloc = re.search(r'<div class="vus">.*?</div>', html, re.S)
    return re.findall(r"<a [^>]*>([^<]+)</a>", bloc[0]) if bloc else []


def test_les_fiches_vues_recemment_les_dernieres_d_abord(hopital, personne):
    navigateur = client(personne)
    for cible in (hopital["EG"], hopital["UO"], hopital["EG"]):
        navigateur.get(fiche(cible))
    assert vus(navigateur) == ["Hôpital TEST", "Unité de cardiologie"]
    accueil = texte(navigateur.get("/"))
    assert "Vus récemment Hôpital TEST Unité de cardiologie Hôpital TEST" in accueil
    temoin = navigateur.cookies["ror_vus"]
    assert (temoin["httponly"], temoin["samesite"]) == (True, "Lax")


def test_huit_fiches_au_plus(hopital, personne):
    navigateur = client(personne)
    unites = [fabrique.uo(hopital["UF"], f"Unité {i}") for i in range(10)]
    for unite in unites:
        navigateur.get(fiche(unite))
    assert vus(navigateur) == [f"Unité {i}" for i in range(9, 1, -1)]


def test_personne_d_autre_ne_voit_ce_qui_a_ete_vu_sur_le_meme_poste(hopital, personne):
    navigateur = client(personne)
    navigateur.get(fiche(hopital["UO"]))
    autre = client(fabrique.lecteur("autre"))
    autre.cookies["ror_vus"] = navigateur.cookies["ror_vus"].value
    assert vus(autre) == []
    autre.get(fiche(hopital["EG"]))
    assert vus(autre) == ["Hôpital TEST"]


@pytest.mark.parametrize("valeur", ["", "1-2-3", "1:abc:def", "x" * 5000])
def test_un_temoin_abime_ne_gene_pas(hopital, personne, valeur):
    navigateur = client(personne)
    navigateur.cookies["ror_vus"] = valeur
    assert vus(navigateur) == []


# -- saved searches ----------------------------------------------------------------------------------


def enregistrer(navigateur, criteres: str, nom: str, **plus: str):
    """What « Enregistrer cette recherche » sends from the list under these criteria."""
    html = navigateur.get(f"/repertoire/?{criteres}").content.decode()
    bloc = re.search(r'<form class="mes-recherches-form".*?</form>', html, re.S)[0]
    return navigateur.post("/repertoire/recherches/", lire_formulaire(bloc, nom=nom, **plus), follow=True)


def test_une_recherche_s_enregistre_et_se_retrouve(hopital, personne):
    navigateur = client(personne)
    reponse = enregistrer(navigateur, "departement=75&q=hopital&heure=09:00&au=2024-05-06", "  Mes   hôpitaux ")
    assert reponse.redirect_chain == [("/repertoire/?departement=75&q=hopital", 302)]
    assert "La recherche « Mes hôpitaux » est enregistrée" in texte(reponse).replace("\u202f", " ")
    [recherche] = RechercheEnregistree.objects.all()
    assert (recherche.user, recherche.nom, recherche.criteres, recherche.par_defaut) == (
        personne, "Mes hôpitaux", "departement=75&q=hopital", False,
    )  # fmt: skip
    page = texte(navigateur.get("/repertoire/recherches/")).replace("\u202f", " ")
    assert "Mes hôpitaux « hopital », Paris (75)" in page
    assert "Mes hôpitaux" in texte(navigateur.get("/"))


def test_la_recherche_par_defaut_s_applique_et_se_quitte(hopital, personne):
    navigateur = client(personne)
    enregistrer(navigateur, "departement=92", "Mon 92", par_defaut="on")
    reponse = navigateur.get("/repertoire/", follow=True)
    assert reponse.redirect_chain == [("/repertoire/?departement=92", 302)]
    assert "Votre recherche par défaut « Mon 92 » est appliquée" in texte(reponse)
    sortie = re.search(r'href="([^"]+)">Voir tout le répertoire', reponse.content.decode())[1]
    assert sortie == "/repertoire/?q="
    tout = navigateur.get(sortie)
    assert tout.status_code == 200
    assert "Hôpital TEST" in texte(tout)
    assert "Votre recherche par défaut" not in texte(tout)
    assert client(fabrique.lecteur("autre")).get("/repertoire/").status_code == 200  # hers alone
    enregistrer(navigateur, "departement=75", "Mon 75", par_defaut="on")
    assert list(RechercheEnregistree.objects.filter(par_defaut=True).values_list("nom", flat=True)) == ["Mon 75"]


def test_deux_recherches_ne_portent_pas_le_meme_nom_sans_le_dire(hopital, personne):
    navigateur = client(personne)
    enregistrer(navigateur, "departement=92", "Mon secteur")
    refus = enregistrer(navigateur, "departement=75", "mon SECTEUR")
    assert refus.status_code == 422
    assert "Vous avez déjà une recherche « Mon secteur »" in texte(refus).replace("\u202f", " ")
    bloc = re.search(r'<form class="carte".*?</form>', refus.content.decode(), re.S)[0]
    saisie = lire_formulaire(bloc)
    assert (saisie["nom"], saisie["criteres"]) == ("mon SECTEUR", "departement=75")
    assert RechercheEnregistree.objects.get().criteres == "departement=92"
    saisie["remplacer"] = "on"
    navigateur.post("/repertoire/recherches/", saisie)
    recherche = RechercheEnregistree.objects.get()
    assert (recherche.nom, recherche.criteres) == ("mon SECTEUR", "departement=75")


@pytest.mark.parametrize(
    ("donnees", "phrase"),
    [
        ({"nom": "", "criteres": "q=a"}, "Cette information est obligatoire"),
        ({"nom": "x" * 81, "criteres": "q=a"}, "80"),
        ({"nom": "Rien", "criteres": ""}, "Choisissez au moins un critère"),
        ({"nom": "Inconnue", "criteres": "categorie=zzz&n=importe"}, "Choisissez au moins un critère"),
    ],
)
def test_une_recherche_refusee_le_dit(personne, donnees, phrase):
    reponse = client(personne).post("/repertoire/recherches/", donnees)
    assert reponse.status_code == 422
    assert phrase in texte(reponse)
    assert not RechercheEnregistree.objects.exists()


def test_cinquante_recherches_au_plus(personne):
    for i in range(personnel.RECHERCHES_MAXIMUM):
        personnel.enregistrer_recherche(user=personne, nom=f"Recherche {i}", criteres="q=a")
    reponse = client(personne).post("/repertoire/recherches/", {"nom": "Encore", "criteres": "q=a"})
    assert reponse.status_code == 422
    assert "Vous avez déjà 50 recherches" in texte(reponse)


def test_renommer_mettre_par_defaut_supprimer(personne):
    navigateur = client(personne)
    une = personnel.enregistrer_recherche(user=personne, nom="Une", criteres="q=a", par_defaut=True)
    deux = personnel.enregistrer_recherche(user=personne, nom="Deux", criteres="q=b")
    page = navigateur.get(f"/repertoire/recherches/{deux.pk}/")
    bloc = re.search(r'<form class="carte".*?</form>', page.content.decode(), re.S)[0]
    refus = navigateur.post(f"/repertoire/recherches/{deux.pk}/", lire_formulaire(bloc, nom="UNE"))
    assert refus.status_code == 422
    assert "Vous avez déjà une recherche « Une »" in texte(refus).replace("\u202f", " ")
    navigateur.post(f"/repertoire/recherches/{deux.pk}/", lire_formulaire(bloc, nom="Renommée", par_defaut="on"))
    lues = RechercheEnregistree.objects.order_by("pk").values_list("nom", "par_defaut", "criteres")
    assert list(lues) == [("Une", False, "q=a"), ("Renommée", True, "q=b")]
    confirmation = navigateur.get(f"/repertoire/recherches/{une.pk}/supprimer/")
    assert "Supprimer la recherche « Une »" in texte(confirmation).replace("\u202f", " ")
    assert RechercheEnregistree.objects.count() == 2
    navigateur.post(f"/repertoire/recherches/{une.pk}/supprimer/")
    assert RechercheEnregistree.objects.get().nom == "Renommée"


def test_modifier_une_recherche_ne_la_ressuscite_pas_et_garde_ses_criteres(personne):
    """From a form that was opened before."""
    ouverte = personnel.enregistrer_recherche(user=personne, nom="Une", criteres="q=a")
    personnel.enregistrer_recherche(user=personne, nom="Une", criteres="q=b", remplacer=True)
    personnel.modifier_recherche(recherche=ouverte, nom="Deux", par_defaut=False)
    assert list(RechercheEnregistree.objects.values_list("nom", "criteres")) == [("Deux", "q=b")]
    personnel.supprimer_recherche(recherche=RechercheEnregistree.objects.get())
    with pytest.raises(Conflit, match="Vous avez supprimé la recherche « Une » entre-temps"):
        personnel.modifier_recherche(recherche=ouverte, nom="Trois", par_defaut=True)
    assert not RechercheEnregistree.objects.exists()


def test_la_recherche_de_quelqu_un_d_autre_n_existe_pas(personne):
    recherche = personnel.enregistrer_recherche(user=fabrique.lecteur("autre"), nom="La sienne", criteres="q=a")
    navigateur = client(personne)
    for suffixe in ("", "supprimer/"):
        url = f"/repertoire/recherches/{recherche.pk}/{suffixe}"
        assert navigateur.get(url).status_code == 404
        assert navigateur.post(url, {"nom": "Prise"}).status_code == 404
    recherche.refresh_from_db()
    assert recherche.nom == "La sienne"
    for page in ("/repertoire/recherches/", "/", "/repertoire/?q="):
        assert "La sienne" not in texte(navigateur.get(page))


def test_autant_de_requetes_pour_une_ou_trois_recherches_et_favoris(hopital, personne):
    navigateur = client(personne)

    def remplir(nom: str) -> None:
        personnel.enregistrer_recherche(user=personne, nom=nom, criteres="activite=013&commune=75113&departement=75")
        personnel.ajouter_favori(user=personne, fiche=fabrique.etablissement(nom=nom))

    remplir("Une")
    pages = ("/repertoire/recherches/", "/", "/repertoire/?q=")
    une = [requetes_de(navigateur, page) for page in pages]
    for nom in ("Deux", "Trois"):
        remplir(nom)
    assert [requetes_de(navigateur, page) for page in pages] == une
