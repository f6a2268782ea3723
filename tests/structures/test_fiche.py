"""The page of a fiche and of an establishment: what it says, where it leads, what it costs."""

import re
import time
from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from structures import requetes
from structures.domaine import reserver
from structures.domaine.creer import creer_fiches
from structures.domaine.enregistrer import enregistrer
from structures.domaine.horaires import ouverture
from structures.enums import Source
from structures.etablissement import etats_des_fiches, voisines
from structures.models import Modification, Signalement
from structures.sections import ouverture_en_mots
from tests.factories import repertoire as fabrique
from tests.navigation import client, mots, requetes_de

AUJOURDHUI = timezone.localdate()
DANS_UN_MOIS = AUJOURDHUI + timedelta(days=30)
LONG = f"Unité de prise en charge ambulatoire {'pluridisciplinaire ' * 4}du suje"


def adresse(fiche, suite: str = "") -> str:
    return f"/repertoire/{fiche.identifiant}/{suite}"


def lire(user, fiche, suite: str = "") -> str:
    reponse = client(user).get(adresse(fiche, suite))
    assert reponse.status_code == 200
    return reponse.content.decode()


def arbre(html: str) -> str:
    return re.search(r'<ul class="arbre".*?</ror-arbre>', html, re.S)[0]


def noms(html: str) -> list[str]:
    return re.findall(r'class="arbre-nom"[^>]*>([^<]+)<', arbre(html))


def vider(fiche) -> None:
    """Two mandatory fields of an UO are lost, as by an import."""
    fabrique.publier(fiche, {"activites": {"retire": ["013"]}, "age_max": None}, date(2024, 1, 1))


# -- the establishment ---------------------------------------------------------------------------------


def test_l_eg_dit_combien_de_fiches_sont_completes_et_mene_aux_autres(hopital, referent):
    assert "5 fiches complètes sur 5" in mots(lire(referent, hopital["EG"]))
    vider(hopital["UO"])
    html = lire(referent, hopital["EG"])
    assert "4 fiches complètes sur 5" in mots(html)
    [etat] = re.findall(r'<ul class="incompletes">.*?</ul>', html, re.S)
    assert re.findall(r'href="([^"]+)"', etat) == [adresse(hopital["UO"])]


def test_au_dela_de_huit_l_arbre_montre_toutes_les_incompletes(hopital, referent):
    for i in range(9):
        fabrique.uo(hopital["UF"], f"Unité {i}", activites={})
    html = lire(referent, hopital["EG"])
    [etat] = re.findall(r'<ul class="incompletes">.*?</ul>', html, re.S)
    assert mots(etat).split() == [m for i in range(8) for m in ("Unité", str(i))] + ["et", "1", "autre"]
    filtre = lire(referent, hopital["EG"], "?montrer=incomplete")
    assert noms(filtre) == [
        "Hôpital TEST",
        "Pôle Médecine",
        "Cardiologie",
        "UF 2101",
        *(f"Unité {i}" for i in range(9)),
    ]
    assert noms(lire(referent, hopital["EG"], "?montrer=nimporte")) == noms(html)


def test_chaque_signe_de_l_arbre(hopital, referent):
    eg, uf = hopital["EG"], hopital["UF"]
    unites = {
        nom: fabrique.uo(uf, nom) for nom in ("incomplète", "prévue", "fermeture", "fermée", "dossier", "signalée")
    }
    vider(unites["incomplète"])
    fabrique.direct(unites["prévue"], referent, {"nom": "Renommée"}, DANS_UN_MOIS)
    fabrique.publier(unites["fermeture"], {"existe": False}, DANS_UN_MOIS)
    fabrique.publier(unites["fermée"], {"existe": False}, date(2024, 1, 1))
    reserver.ouvrir(eg=eg, dossier=12, nom="Ouverture", etape="Approbation")
    reserver.annoncer(dossier=12, etape="Approbation", fiches=[unites["dossier"].pk], envoye=True)
    Signalement.objects.create(fiche=unites["signalée"], theme="inexact", message="Non", auteur=referent)
    fabrique.publier(hopital["UO"], {"unite_sensible": True}, date(2024, 6, 1))
    with CaptureQueriesContext(connection) as lues:
        etats = etats_des_fiches(eg, "sanitaire", AUJOURDHUI)
    assert len(lues) == 1
    assert etats == {
        unites["incomplète"].pk: ["incomplete"],
        unites["prévue"].pk: ["prevu"],
        unites["fermeture"].pk: ["fermeture"],
        unites["dossier"].pk: ["dans-dossier"],
        unites["signalée"].pk: ["signalee"],
        hopital["UO"].pk: ["sensible"],
    }
    page = mots(arbre(lire(referent, eg)))
    for phrase in (
        "incomplète incomplète", "prévue changement prévu", "fermeture fermeture prévue", "dossier dans le dossier",
        "signalée erreur signalée", "Unité de cardiologie unité sensible",
    ):  # fmt: skip
        assert f"UO {phrase}" in page
    # of another day, what the register of that day says: nothing planned, reported or in a dossier
    assert etats_des_fiches(eg, "sanitaire", date(2024, 3, 1)) == {unites["incomplète"].pk: ["incomplete"]}
    assert etats_des_fiches(eg, "sanitaire", DANS_UN_MOIS)[hopital["UO"].pk] == ["sensible"]
    assert unites["prévue"].pk not in etats_des_fiches(eg, "sanitaire", DANS_UN_MOIS)


def test_le_medico_social_exige_davantage(db):
    ehpad = fabrique.etablissement("medico-social")
    unite = fabrique.uo(ehpad, "Unité d’hébergement", publics={})
    assert etats_des_fiches(ehpad, "medico-social", AUJOURDHUI) == {unite.pk: ["incomplete"]}
    assert etats_des_fiches(ehpad, "social", AUJOURDHUI) == {}


def test_les_branches_comptent_leurs_uo(hopital, referent):
    fabrique.uo(hopital["UF"], "Unité 2")
    fabrique.pole(hopital["EG"], "Pôle vide")
    page = mots(arbre(lire(referent, hopital["EG"])))
    assert "EG Hôpital TEST 2 UO P Pôle Médecine 2 UO S Cardiologie 2 UO UF UF 2101 2 UO UO Unité 2" in page
    assert "P Pôle vide 0 UO" in page


def test_un_lien_profond_montre_la_fiche_dans_l_arbre(hopital, referent):
    lien = f"/repertoire/{hopital['EG'].identifiant}/?fiche={hopital['UO'].identifiant.replace('/', '%2F')}#noeud"
    assert f'href="{lien}"' in lire(referent, hopital["UO"])
    html = arbre(client(referent).get(lien).content.decode())
    [courant] = re.findall(r'<a class="arbre-nom"[^>]* aria-current="true" id="noeud">([^<]*)</a>', html)
    assert courant == "Unité de cardiologie"
    [courant] = re.findall(
        r'aria-current="true" id="noeud">([^<]*)</a>', arbre(lire(referent, hopital["EG"], "?fiche=x"))
    )
    assert courant == "Hôpital TEST"


def test_la_branche_d_un_pole_et_les_etablissements_d_une_ej(hopital, referent):
    assert noms(lire(referent, hopital["P"])) == ["Pôle Médecine", "Cardiologie", "UF 2101", "Unité de cardiologie"]
    assert noms(lire(referent, hopital["EJ"])) == ["Hôpital TEST"]
    assert '<ul class="arbre"' not in lire(referent, hopital["UO"])


def test_un_nom_de_120_caracteres_et_du_html_restent_du_texte(hopital, referent):
    fabrique.direct(hopital["UO"], referent, {"nom": LONG})
    fabrique.direct(hopital["UF"], referent, {"nom": "<b>UF & Cie</b>"})
    html = lire(referent, hopital["EG"])
    assert len(LONG) == 120
    assert f">{LONG}</a>" in html
    assert "&lt;b&gt;UF &amp; Cie&lt;/b&gt;" in arbre(html)


# -- a fiche ---------------------------------------------------------------------------------------------


def test_ce_qui_manque_mene_a_son_champ(hopital, referent):
    vider(hopital["UO"])
    html = lire(referent, hopital["UO"])
    [bloc] = re.findall(r'<section class="carte manquants".*?</section>', html, re.S)
    url = adresse(hopital["UO"], "modifier/")
    assert re.findall(r'<a href="([^"]+)">([^<]+)</a>', bloc) == [
        (f"{url}#id_activites", "Activités opérationnelles"),
        (f"{url}#id_age_max", "Âge maximum"),
    ]
    formulaire = client(referent).get(url).content.decode()
    ancres = set(re.findall(rf'href="{url}#(id_\w+)"', html))
    assert {"id_nom", "id_horaires", "id_contacts", "id_territoire", "id_capacites"} <= ancres
    assert {a for a in ancres if f'id="{a}"' not in formulaire} == set()


def test_un_lecteur_signale_sans_pouvoir_modifier(hopital):
    vider(hopital["UO"])
    html = lire(fabrique.lecteur(), hopital["UO"])
    assert "/modifier/" not in html
    assert "2 informations obligatoires manquent" in mots(html)
    assert f'href="{adresse(hopital["UO"])}signaler/?champ=type_uo"' in html
    assert "Signaler une erreur sur « Type d’UO »" in mots(html)
    assert "?champ=" not in lire(fabrique.lecteur("autre"), hopital["UO"], "?au=2024-02-01")


def test_chaque_champ_et_chaque_section_a_son_adresse(hopital, referent):
    html = lire(referent, hopital["UO"])
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert {"section-offre", "section-horaires", "champ-type_uo", "champ-activites", "champ-horaires"} <= set(ids)
    sauts = re.findall(r'<nav class="sauts".*?</nav>', html, re.S)[0]
    assert set(re.findall(r'href="#([^"]+)"', sauts)) <= set(ids)


def test_l_offre_d_abord(hopital, referent):
    titres = re.findall(r"<h2[^>]*>([^<]+)</h2>", lire(referent, hopital["UO"]))
    assert titres[:3] == ["Offre", "Public accueilli", "Identité"]


def test_les_voisines_dans_l_ordre_de_l_arbre(hopital, referent):
    a, b, c = (fabrique.uo(hopital["UF"], nom) for nom in ("Unité A", "Unité B", "Unité C"))
    version = requetes.version_au(b)
    assert [v.nom for v in voisines(version, AUJOURDHUI)] == ["Unité A", "Unité C"]
    html = lire(referent, b)
    assert f'href="{adresse(a)}" rel="prev"' in html
    assert f'href="{adresse(c)}" rel="next"' in html
    premiere, derniere = requetes.version_au(a), requetes.version_au(hopital["UO"])
    assert voisines(premiere, AUJOURDHUI)[0] is None
    assert voisines(derniere, AUJOURDHUI)[1] is None
    assert f'href="{adresse(a)}?au=2024-02-01" rel="prev"' in lire(referent, b, "?au=2024-02-01")


def test_les_communes_d_un_grand_territoire_se_lisent_par_departement(hopital, referent):
    communes = ["92075", "94080", *(f"751{n:02d}" for n in range(1, 13))]
    fabrique.publier(hopital["UO"], {"territoire": {"ajoute": communes}}, date(2024, 1, 1))
    page = mots(lire(referent, hopital["UO"]))
    assert "14 communes Paris (75) : 12 communes Paris 10e" in page
    assert "Hauts-de-Seine (92) : 1 commune Vanves" in page


# -- open now ----------------------------------------------------------------------------------------------

MATIN_ET_SOIR = [["08:30", "12:30"], ["13:30", "18:00"]]
LUNDI = datetime.fromisoformat("2026-11-23")
BUREAU = {"01/2026-01-05": {str(j): MATIN_ET_SOIR for j in range(1, 6)}}
NUIT = {"01/2026-01-05": {"5": [["20:00", "24:00"]], "6": [["00:00", "06:00"], ["22:00", "24:00"]]}}
TOUJOURS = {"01/2026-01-05": {str(j): [["00:00", "24:00"]] for j in range(1, 8)}}
BIENTOT = {"01/2026-01-05": {}, "01/2026-12-07": {"1": [["09:00", "12:00"]]}}


@pytest.mark.parametrize(
    ("horaires", "moment", "phrase"),
    [
        (BUREAU, "2026-11-23T09:00", "Ouvert maintenant, ferme à 12 h 30"),  # a Monday
        (BUREAU, "2026-11-23T08:29", "Fermé, ouvre à 8 h 30"),
        (BUREAU, "2026-11-23T12:30", "Fermé, ouvre à 13 h 30"),
        (BUREAU, "2026-11-23T17:59", "Ouvert maintenant, ferme à 18 h"),
        (BUREAU, "2026-11-23T18:00", "Fermé, ouvre demain à 8 h 30"),
        (BUREAU, "2026-11-27T18:00", "Fermé, ouvre lundi à 8 h 30"),  # Friday evening
        (NUIT, "2026-11-27T23:00", "Ouvert maintenant, ferme demain à 6 h"),
        (NUIT, "2026-11-28T05:00", "Ouvert maintenant, ferme à 6 h"),
        (NUIT, "2026-11-28T22:30", "Ouvert maintenant, ferme à minuit"),
        (TOUJOURS, "2026-11-28T22:30", "Ouvert 24 h/24 et 7 j/7"),
        (BIENTOT, "2026-11-27T10:00", "Fermé, ouvre le lundi 7 décembre 2026 à 9 h"),
        (BIENTOT, "2026-11-20T10:00", "Fermé, aucune ouverture dans les deux semaines"),
    ],
)
def test_ouvert_maintenant_selon_les_horaires_habituels(horaires, moment, phrase):
    maintenant = datetime.fromisoformat(moment)
    trouvee = ouverture(horaires, maintenant)
    assert ouverture_en_mots(trouvee, maintenant).replace("\u00a0", " ") == phrase


def test_sans_semaine_en_vigueur_on_ne_dit_rien():
    assert ouverture({}, LUNDI) is None
    assert ouverture({"03/2026-01-05": {"1": [["08:00", "12:00"]]}}, LUNDI) is None
    assert ouverture({"01/2027-01-04": {"1": [["08:00", "12:00"]]}}, LUNDI) is None


def test_l_ouverture_se_dit_sur_la_fiche_d_aujourd_hui_seulement(hopital, referent):
    toute_la_semaine = {str(j): [["00:00", "24:00"]] for j in range(1, 8)}
    fabrique.publier(hopital["UO"], {"horaires": {"pose": {"01/2024-01-08": toute_la_semaine}}}, date(2024, 1, 8))
    phrase = "Ouvert 24 h/24 et 7 j/7 (horaires habituels)"
    assert phrase in mots(lire(referent, hopital["UO"]))
    assert phrase not in mots(lire(referent, hopital["UO"], "?au=2024-02-01"))
    fabrique.publier(hopital["UO"], {"type_fermeture": "01", "date_fermeture": "2024-05-01"}, date(2024, 5, 1))
    assert phrase not in mots(lire(referent, hopital["UO"]))
    fabrique.publier(hopital["UO"], {"date_reouverture": "2024-06-01"}, date(2024, 5, 1))
    assert phrase in mots(lire(referent, hopital["UO"]))


# -- what a page costs ---------------------------------------------------------------------------------------


def test_le_nombre_de_requetes_est_constant_et_borne(hopital, referent):
    navigateur = client(referent)
    une = {niveau: requetes_de(navigateur, adresse(hopital[niveau])) for niveau in ("EG", "UO")}
    for i in range(2):
        unite = fabrique.uo(fabrique.uf(fabrique.service(fabrique.pole(hopital["EG"], f"Pôle {i}"))), activites={})
        fabrique.uo(hopital["UF"], f"Unité {i}")
        fabrique.direct(unite, referent, {"nom": f"Unité renommée {i}"}, DANS_UN_MOIS)
        Signalement.objects.create(fiche=unite, theme="inexact", message="Non", auteur=referent)
    assert {niveau: requetes_de(navigateur, adresse(hopital[niveau])) for niveau in ("EG", "UO")} == une
    assert une["UO"] <= 23
    assert une["EG"] <= 27


def test_un_etablissement_de_3000_fiches_reste_leger(hopital, referent):
    """2,996 more fiches: 600 KB of HTML, the same number of statements, every name in the page."""
    navigateur, url = client(referent), adresse(hopital["EG"])
    avant = requetes_de(navigateur, url)
    poles = [("P", hopital["EG"].pk, f"Pôle d’activité clinique {i}") for i in range(16)]
    _publier_en_bloc(hopital, poles)
    services = [("S", p, f"Service de médecine spécialisée {p} {i}") for p in _dernieres(16) for i in range(10)]
    _publier_en_bloc(hopital, services)
    ufs = [("UF", s, f"UF {s}{i} Hospitalisation complète") for s in _dernieres(160) for i in range(3)]
    _publier_en_bloc(hopital, ufs)
    uos = [("UO", u, f"Unité d’hospitalisation de jour {u}-{i}") for u in _dernieres(480) for i in range(5)][:2339]
    _publier_en_bloc(hopital, uos, complet=True)
    assert requetes_de(navigateur, url) == avant
    debut = time.process_time()  # ours alone: other processes of the machine do not count
    reponse = navigateur.get(url)
    duree = time.process_time() - debut
    assert len(noms(reponse.content.decode())) == 3000
    assert len(reponse.content) <= 600_000
    assert duree < 1  # some 80 ms on a quiet machine
    assert "arbre-ferme" in reponse.content.decode()


def _dernieres(nombre: int) -> list[int]:
    return sorted(Modification.objects.order_by("-fiche_id").values_list("fiche_id", flat=True)[:nombre])


def _publier_en_bloc(hopital, lignes: list[tuple[str, int, str]], *, complet: bool = False) -> None:
    fiches = creer_fiches(eg=hopital["EG"], niveaux=[niveau for niveau, _, _ in lignes])
    type_uo, champ, mode = fabrique.TYPE_UO["sanitaire"]
    offre = {
        "type_uo": type_uo, "champ_activite": champ, "mode_prise_en_charge": mode, "activites": {"ajoute": ["013"]},
        "age_min": 16, "age_min_unite": "an", "age_max": 120, "age_max_unite": "an",
    } if complet else {}  # fmt: skip
    enregistrer(
        [
            Modification(
                fiche=fiche,
                date_effet=fabrique.DEBUT,
                patch={"existe": True, "parent": parent, "nom": nom, **offre},
                source=Source.IMPORT,
                origine="essai",
            )
            for fiche, (_, parent, nom) in zip(fiches, lignes, strict=True)
        ]
    )
