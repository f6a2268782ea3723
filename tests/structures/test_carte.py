"""The map: the same establishments as the list, where they are, light whatever their number."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from structures import carte as dessin
from structures.enums import Role
from structures.liste import chercher
from structures.models import Commune
from structures.recherche import Criteres
from tests.factories import repertoire as fabrique

pytestmark = pytest.mark.django_db

ISSY, VANVES, PARIS13, VERSAILLES = (48.824, 2.273), (48.821, 2.289), (48.832, 2.356), (48.805, 2.127)


def eg(nom, ou=PARIS13, commune="75113", champ="sanitaire", **champs):
    position = {"latitude": ou[0], "longitude": ou[1]} if ou else {}
    return fabrique.etablissement(champ, nom=nom, commune=commune, ej=champs.pop("ej", None), **position, **champs)


@pytest.fixture
def navigateur():
    navigateur = Client()
    navigateur.force_login(fabrique.lecteur())
    return navigateur


def page(navigateur, requete="") -> str:
    reponse = navigateur.get(f"/repertoire/carte/{requete}")
    assert reponse.status_code == 200
    return reponse.content.decode().replace("\u00a0", " ").replace("\u202f", " ")


def lieux(html: str) -> dict[str, str]:
    """Name and address of each sign of the map."""
    return {nom: url for url, nom in re.findall(r'<a href="([^"]+)" class="lieu[^"]*" aria-label="([^"]+)"', html)}


def texte(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_un_etablissement_est_un_lien_vers_sa_fiche(navigateur):
    fiche = eg("Hôpital du Sud", VANVES, "92075")
    html = page(navigateur)
    assert lieux(html) == {"Hôpital du Sud, Vanves (92)": f"/repertoire/{fiche.identifiant}/"}
    assert 'class="lieu lieu-sanitaire"' in html
    assert "Hauts-de-Seine (92)" in html
    assert "Hôpital du Sud" in html[html.index('id="resultats"') :]


def test_la_carte_montre_ce_que_montre_la_liste(navigateur):
    eg("Hôpital du Sud", VANVES, "92075")
    eg("EHPAD des Lilas", VERSAILLES, "78646", "medico-social")
    eg("Foyer du Parc", PARIS13, champ="social")
    assert list(lieux(page(navigateur))) == ["Hôpital du Sud, Vanves (92)"]
    tous = page(navigateur, "?mss=1")
    assert sorted(lieux(tous)) == [
        "EHPAD des Lilas, Versailles (78)",
        "Foyer du Parc, Paris 13e Arrondissement (75)",
        "Hôpital du Sud, Vanves (92)",
    ]
    for champ in ("Sanitaire", "Médico-social", "Social"):
        assert re.search(rf"</svg> {champ}</li>", tous)
    assert list(lieux(page(navigateur, "?mss=1&departement=78"))) == ["EHPAD des Lilas, Versailles (78)"]
    assert list(lieux(page(navigateur, "?mss=1&q=foyer"))) == ["Foyer du Parc, Paris 13e Arrondissement (75)"]


def test_les_siens_sont_la_sans_la_case_mss():
    ehpad = eg("EHPAD des Lilas", VERSAILLES, "78646", "medico-social")
    sien = Client()
    sien.force_login(fabrique.compte(Role.REFERENT, ehpad))
    assert list(lieux(page(sien))) == ["EHPAD des Lilas, Versailles (78)"]


def test_des_voisins_font_un_rond_qui_ouvre_leur_liste(navigateur):
    eg("Hôpital A", ISSY, "92040")
    eg("Hôpital B", (ISSY[0] + 0.001, ISSY[1]), "92040")
    eg("Hôpital C", VANVES, "92075")
    html = page(navigateur, "?q=hopital")
    [(nom, url)] = lieux(html).items()
    assert nom == "3 établissements : Issy-les-Moulineaux (92), Vanves (92)"
    assert url == "/repertoire/?commune=92040&amp;commune=92075&amp;q=hopital"
    assert "3 établissements" in texte(navigateur.get(url.replace("&amp;", "&")).content.decode())
    # nearer, they come apart
    assert len(lieux(page(navigateur, "?q=hopital&commune=92040&commune=92075"))) == 2


def test_un_rond_dit_combien_en_montre_sa_liste(navigateur):
    eg("Hôpital A", VANVES, "92075")
    eg("Hôpital B", (VANVES[0] + 0.001, VANVES[1]), "92075")
    eg("Hôpital C", (VANVES[0] + 0.5, VANVES[1]), "92075")
    eg("Hôpital D", None, "92075")
    eg("Hôpital E", VERSAILLES, "78646")
    html = page(navigateur, "?q=hopital")
    ronds = {nom: url for nom, url in lieux(html).items() if "établissements" in nom}
    [(nom, url)] = ronds.items()
    assert nom == "2 établissements ici, 4 dans la liste : Vanves (92)"
    assert "4 établissements" in texte(navigateur.get(url.replace("&amp;", "&")).content.decode())


def test_un_rond_de_beaucoup_de_communes_ouvre_une_liste_sans_erreur(navigateur, monkeypatch):
    ej = fabrique.entite_juridique()
    communes = list(Commune.objects.filter(departement="78").order_by("code").values_list("code", flat=True)[:51])
    for rang, commune in enumerate(communes):
        eg(f"Hôpital {rang}", VERSAILLES, commune, ej=ej)
    eg("Hôpital de Vanves", VANVES, "92075")
    [url] = [url for nom, url in lieux(page(navigateur, "?q=hopital")).items() if nom.startswith("51 établissements :")]
    assert url == "/repertoire/?departement=78&amp;q=hopital"
    liste = texte(navigateur.get(url.replace("&amp;", "&")).content.decode())
    assert "51 établissements" in liste
    assert "Choisissez au plus" not in liste
    # of the communes that were asked for, there is no wider list: it is theirs
    monkeypatch.setattr(dessin, "VALEURS_MAX", 1)
    choisies = "&".join(f"commune={c}" for c in communes[:3])
    [url] = lieux(page(navigateur, f"?{choisies}")).values()
    assert url.replace("&amp;", "&") == f"/repertoire/?{choisies}"


def test_un_departement_fait_un_lieu_d_un_pays_entier(navigateur, monkeypatch):
    monkeypatch.setattr(dessin, "LIMITE_POINTS", 0)
    monkeypatch.setattr(dessin, "LIMITE_DEPARTEMENTS", 0)
    monkeypatch.setattr(dessin, "ECART_LOTS", 1.0)
    eg("Hôpital A", VERSAILLES, "78646")
    eg("Hôpital B", (48.99, 1.71), "78361")
    assert list(lieux(page(navigateur, "?q=hopital"))) == ["2 établissements : Yvelines (78)"]


def test_zoomer_c_est_choisir_un_departement(navigateur):
    eg("Hôpital A", ISSY, "92040")
    eg("Hôpital B", VERSAILLES, "78646")
    html = page(navigateur, "?q=hopital")
    zooms = re.findall(r'<a href="([^"]+)">([^<]+\(\d\d\))</a>', html)
    assert zooms == [
        ("/repertoire/carte/?departement=78&amp;q=hopital", "Yvelines (78)"),
        ("/repertoire/carte/?departement=92&amp;q=hopital", "Hauts-de-Seine (92)"),
    ]
    zoome = page(navigateur, "?departement=92&q=hopital")
    assert '<strong aria-current="true">Hauts-de-Seine (92)</strong>' in zoome
    assert '<a href="/repertoire/carte/?q=hopital">Voir toute la région</a>' in zoome


def test_sans_coordonnees_c_est_dit_et_la_liste_les_a(navigateur):
    eg("Hôpital A", ISSY, "92040")
    eg("Hôpital sans adresse précise", None)
    eg("Hôpital mal placé", (0.0, 0.0))
    html = page(navigateur)
    assert list(lieux(html)) == ["Hôpital A, Issy-les-Moulineaux (92)"]
    assert "1 établissement sans coordonnées : il n’est que dans la liste ." in texte(html)
    assert "1 établissement hors du dessin" in texte(html)
    assert "Hôpital sans adresse précise" in html


def test_la_carte_d_un_autre_jour(navigateur):
    demain = timezone.localdate() + timedelta(days=1)
    fiche = eg("Hôpital de demain", ISSY, "92040", ej=fabrique.entite_juridique(), depuis=demain)
    assert lieux(page(navigateur)) == {}
    html = page(navigateur, f"?au={demain.isoformat()}")
    assert list(lieux(html).values()) == [f"/repertoire/{fiche.identifiant}/?au={demain.isoformat()}"]
    assert "autre-jour" in html


def test_un_critere_inconnu_est_refuse_en_mots_et_le_reste_garde(navigateur):
    eg("Hôpital A", ISSY, "92040")
    html = page(navigateur, "?departement=XX&q=hopital")
    assert "le répertoire ne connaît pas « XX »" in html
    assert len(lieux(html)) == 1


def test_rien_a_montrer(navigateur):
    fabrique.referentiels()
    html = page(navigateur, "?q=introuvable")
    assert "Aucun établissement ne correspond à ces critères." in html
    assert lieux(html) == {}


def test_un_nom_hostile_reste_du_texte(navigateur):
    eg('<script>alert(1)</script>" onload="x', ISSY, "92040")
    html = page(navigateur)
    assert "<script>alert" not in html
    assert 'onload="x' not in html.replace("&quot; onload=&quot;x", "")


@pytest.mark.parametrize("limite", [dessin.LIMITE_POINTS, 0])
def test_autant_de_requetes_pour_un_ou_trois_etablissements(navigateur, monkeypatch, limite):
    monkeypatch.setattr(dessin, "LIMITE_POINTS", limite)

    def compter() -> int:
        page(navigateur, "?mss=1")
        with CaptureQueriesContext(connection) as vues:
            page(navigateur, "?mss=1")
        return len(vues)

    eg("Hôpital A", ISSY, "92040")
    un = compter()
    eg("Hôpital B", VERSAILLES, "78646")
    eg("EHPAD C", PARIS13, champ="medico-social")
    assert compter() == un


def test_compter_par_commune_donne_le_meme_total(monkeypatch):
    """What is read one by one and what PostgreSQL counts are the same establishments."""
    for rang, (ou, commune) in enumerate(
        [(ISSY, "92040"), (VANVES, "92075"), (PARIS13, "75113"), (VERSAILLES, "78646")]
    ):
        for numero in range(rang + 1):
            eg(f"Hôpital {rang}{numero}", ou, commune)
    eg("Hôpital perdu", None)
    criteres, user = Criteres(), fabrique.lecteur("un.autre")
    un_par_un = dessin.carte(criteres, user, chercher(criteres, user))
    monkeypatch.setattr(dessin, "LIMITE_POINTS", 0)
    comptes = dessin.carte(criteres, user, chercher(criteres, user))
    assert sum(lieu.nombre for lieu in un_par_un.lieux) == sum(lieu.nombre for lieu in comptes.lieux) == 10
    assert un_par_un.par_departement == comptes.par_departement == {"75": 4, "78": 4, "92": 3}
    assert un_par_un.sans_coordonnees == comptes.sans_coordonnees == 1
    assert all(not lieu.identifiant for lieu in comptes.lieux)


def test_un_pays_entier_se_compte_par_departement(navigateur, monkeypatch):
    monkeypatch.setattr(dessin, "LIMITE_POINTS", 0)
    monkeypatch.setattr(dessin, "LIMITE_DEPARTEMENTS", 0)
    eg("Hôpital A", ISSY, "92040")
    eg("Hôpital B", VANVES, "92075")
    eg("Hôpital C", VERSAILLES, "78646")
    assert lieux(page(navigateur, "?q=hopital")) == {
        "2 établissements : Hauts-de-Seine (92)": "/repertoire/?departement=92&amp;q=hopital",
        "1 établissement : Yvelines (78)": "/repertoire/?departement=78&amp;q=hopital",
    }


def test_tout_etablissement_est_dans_un_lieu_et_un_seul():
    lieux_ = [dessin.Lieu(x % 97 * 8.0, x % 89 * 7.0, 1 + x % 5, [f"{x:05d}"]) for x in range(2_000)]
    total = sum(lieu.nombre for lieu in lieux_)
    gardes = dessin._rassembler(lieux_, 32.0)
    assert sum(lieu.nombre for lieu in gardes) == total
    assert sorted(zone for lieu in gardes for zone in lieu.zones) == [f"{x:05d}" for x in range(2_000)]
    for rang, un in enumerate(gardes):
        assert all(abs(un.x - autre.x) >= 32 or abs(un.y - autre.y) >= 0.1 or un is autre for autre in gardes[rang:])
        assert all((un.x - a.x) ** 2 + (un.y - a.y) ** 2 >= 32**2 for a in gardes[rang + 1 :])


# -- the outlines ------------------------------------------------------------------------------------


def test_les_contours_de_chaque_departement_de_metropole():
    attendus = {
        d for d in Commune.objects.values_list("departement", flat=True).distinct() if d[:2] not in ("97", "98")
    }
    assert set(dessin.contours()) == attendus
    assert all(len(anneau) >= 3 for anneaux in dessin.contours().values() for anneau in anneaux)


@pytest.mark.parametrize(
    ("lieu", "departement"),
    [
        ((2.347, 48.859), "75"), ((2.273, 48.824), "92"), ((2.127, 48.805), "78"), ((2.455, 48.791), "94"),
        ((2.440, 48.909), "93"), ((2.442, 48.624), "91"), ((2.655, 48.540), "77"), ((2.061, 49.036), "95"),
        ((4.835, 45.764), "69"), ((5.370, 43.296), "13"), ((8.972, 41.621), "2A"), ((-4.100, 47.996), "29"),
        ((7.752, 48.573), "67"), ((3.057, 50.629), "59"), ((-0.579, 44.838), "33"),
    ],
)  # fmt: skip
def test_une_ville_est_dans_son_departement(lieu, departement):
    trouves = [code for code, anneaux in dessin.contours().items() if dessin.dedans(*lieu, anneaux)]
    assert trouves == [departement]


def test_un_nom_ne_se_cache_pas_sous_un_lieu():
    carre = dessin.Trace("92", "Hauts-de-Seine", [[(100, 100), (300, 100), (300, 300), (100, 300)]], Criteres())
    [nom] = dessin._nommer([carre], [], 600)
    assert nom == ("Hauts-de-Seine", 200, 200)
    milieu = dessin.Lieu(200, 200, 10, ["92040"])
    [nom] = dessin._nommer([carre], [milieu], 600)
    assert nom.texte == "Hauts-de-Seine"
    assert abs(nom.y - 200) > milieu.rayon
    partout = [dessin.Lieu(x, y, 10, ["92040"]) for x in range(100, 301, 40) for y in range(100, 301, 10)]
    assert dessin._nommer([carre], partout, 600) == []


def test_le_dessin_garde_les_proportions():
    cadre = dessin._autour([(2.0, 48.0), (3.0, 49.0)])
    (x1, y1), (x2, y2) = cadre.place(2.0, 48.5), cadre.place(3.0, 48.5)
    assert y1 == y2
    (_, haut), (_, bas) = cadre.place(2.5, 49.0), cadre.place(2.5, 48.0)
    # a degree of longitude is 0.66 degree of latitude there
    assert (x2 - x1) / (bas - haut) == pytest.approx(0.6626, abs=0.001)
    assert 0 < x1 < x2 < dessin.LARGEUR
    assert cadre.hauteur <= dessin.HAUTEUR_MAX
