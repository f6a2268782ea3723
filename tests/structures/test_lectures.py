"""Read models and display: what the screens ask, on any day, in a constant number of statements."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from structures import requetes, temps
from structures.affichage import Affichage, age_en_mots, semaine_en_mots
from structures.competence import circuit_de
from structures.domaine.lecture import lire, relire
from structures.domaine.patches import valeur
from structures.domaine.suites import annuler_prevue
from structures.enums import Role
from structures.models import Autorite, Commune, RegleCategorie
from structures.sections import Ligne, contacts, sections, semaines_affichees
from tests.factories import repertoire as fabrique

pytestmark = pytest.mark.django_db

AUJOURDHUI = timezone.localdate()
DEMAIN = AUJOURDHUI + timedelta(days=1)
DANS_UN_MOIS = AUJOURDHUI + timedelta(days=30)


def compter(fonction) -> int:
    with CaptureQueriesContext(connection) as vues:
        fonction()
    return len(vues)


# -- one fiche ---------------------------------------------------------------------------------------


def test_fil_de_l_ej_a_l_uo():
    fiches = fabrique.hopital()
    fil = requetes.fil_de(fiches["UO"].pk)
    assert [m.niveau for m in fil] == ["EJ", "EG", "P", "S", "UF", "UO"]
    assert fil[1].nom == "Hôpital TEST"
    assert requetes.fil_de(fiches["UO"].pk, date(2010, 1, 1)) == []
    assert compter(lambda: requetes.fil_de(fiches["UO"].pk)) == compter(lambda: requetes.fil_de(fiches["EJ"].pk)) == 1


def test_version_la_plus_proche_d_une_fiche_ouverte_fermee_ou_a_venir():
    fiches = fabrique.hopital()
    unite = fiches["UO"]
    fabrique.publier(unite, {"nom": "Dernier nom"}, date(2023, 1, 2))
    fabrique.publier(unite, {"existe": False}, date(2024, 1, 1))
    assert requetes.version_la_plus_proche(unite, date(2022, 6, 1)).nom == "Unité de cardiologie"
    assert requetes.version_la_plus_proche(unite).nom == "Dernier nom"
    assert requetes.version_la_plus_proche(unite, date(2010, 1, 1)).nom == "Unité de cardiologie"


def test_relire_retrouve_ce_que_le_formulaire_montrait():
    """The token names a moment: later entries and later cancellations do not count."""
    fiches = fabrique.hopital()
    unite, eg = fiches["UO"], fiches["EG"]
    auteur = fabrique.compte(Role.REFERENT, eg)
    lectures = []

    def noter() -> None:
        lecture = lire(unite, DANS_UN_MOIS)
        lectures.append((lecture.jeton, lecture.etat))

    noter()
    premiere = fabrique.direct(unite, auteur, {"conditions_accueil": "Un"}, DEMAIN)
    noter()
    fabrique.direct(unite, auteur, {"conditions_accueil": "Deux"}, DANS_UN_MOIS)
    noter()
    annuler_prevue(modification=premiere, acteur=auteur)
    noter()
    fabrique.direct(unite, auteur, {"activites": {"ajoute": ["097"]}})
    noter()
    assert [valeur(e, "conditions_accueil") for _, e in lectures] == ["", "Un", "Deux", "Deux", "Deux"]
    for jeton, etat in lectures:
        assert relire(unite, jeton, DANS_UN_MOIS) == etat


@pytest.mark.parametrize("jeton", ["", "x", "1", "1.x", "-1.0", "1.0.0", "9" * 60 + ".0"])
def test_relire_refuse_un_jeton_illisible(jeton):
    assert relire(fabrique.hopital()["UO"], jeton, AUJOURDHUI) is None


def test_les_etapes_disent_avant_et_apres_dans_l_ordre_des_effets():
    fiches = fabrique.hopital()
    auteur = fabrique.compte(Role.REFERENT, fiches["EG"])
    tard = fabrique.direct(fiches["UO"], auteur, {"conditions_accueil": "Tard"}, DANS_UN_MOIS)
    tot = fabrique.direct(fiches["UO"], auteur, {"conditions_accueil": "Tôt"}, DEMAIN)
    etapes = temps.etapes_des(temps.prevues_de(fiches["UO"]))
    assert [e.modification.pk for e in etapes] == [tot.pk, tard.pk]
    assert [valeur(e.avant, "conditions_accueil") for e in etapes] == ["", "Tôt"]
    annuler_prevue(modification=tot, acteur=auteur)
    assert valeur(temps.etapes_des([tard])[0].avant, "conditions_accueil") == ""


# -- lists -------------------------------------------------------------------------------------------


def test_nombres_de_fiches_par_etablissement():
    fiches = fabrique.hopital()
    fabrique.uo(fiches["UF"], "Unité de rythmologie")
    vide = fabrique.etablissement(nom="Vide")
    assert requetes.nombres_de_fiches([fiches["EG"].pk, vide.pk]) == {fiches["EG"].pk: (5, 2, 0), vide.pk: (0, 0, 0)}


def test_les_arbres_de_plusieurs_etablissements_en_une_requete(django_assert_num_queries):
    un, deux = fabrique.hopital("Un"), fabrique.hopital("Deux")
    with django_assert_num_queries(1):
        arbres = requetes.arbres_des([un["EG"].pk, deux["EG"].pk])
    assert {pk: [n.niveau for n in racine.parcours()] for pk, racine in arbres.items()} == {
        un["EG"].pk: ["EG", "P", "S", "UF", "UO"],
        deux["EG"].pk: ["EG", "P", "S", "UF", "UO"],
    }


@pytest.mark.parametrize(
    ("texte", "code"),
    [
        ("st denis", "93066"),
        ("SAINT-DENIS", "93066"),
        ("l'hay les roses", "94038"),
        ("L Haÿ", "94038"),
        ("92170", "92075"),
        ("vanves", "92075"),
        ("92075", "92075"),
        ("paris 15", "75115"),
    ],
)
def test_rechercher_une_commune(texte, code):
    assert requetes.rechercher_communes(texte)[0][0] == code


def test_rechercher_une_commune_est_borne_et_dit_le_departement():
    trouvees = requetes.rechercher_communes("saint")
    assert len(trouvees) == 20
    assert all(label.endswith(")") for _, label in trouvees)
    assert requetes.rechercher_communes("   ") == []


def test_une_commune_nommee_a_la_main():
    assert requetes.communes_nommees("Vanves") == [("92075", "Vanves (92)")]
    assert requetes.communes_nommees("vanves (92)") == [("92075", "Vanves (92)")]
    assert requetes.communes_nommees("92075") == [("92075", "Vanves (92)")]
    assert requetes.communes_nommees("Vanv") == []
    homonymes = requetes.communes_nommees("Saint-Denis")
    assert {code for code, _ in homonymes} >= {"93066", "97411"}
    assert len(homonymes) == Commune.objects.filter(nom="Saint-Denis").count()


def test_habilitation_principale():
    fiches = fabrique.hopital()
    assert requetes.habilitation_principale(fabrique.compte(Role.REFERENT, fiches["EG"])) == (
        "Référent",
        "Hôpital TEST",
    )
    assert requetes.habilitation_principale(fabrique.gestionnaire()) == ("Gestionnaire SESAN", "")
    assert requetes.habilitation_principale(fabrique.lecteur()) == ("", "")
    assert requetes.habilitation_principale(fabrique.compte(Role.TUTELLE, "ARS-11"))[0] == "Tutelle"


# -- display -----------------------------------------------------------------------------------------


def test_ages_et_semaines_en_mots():
    assert [age_en_mots(15, "an"), age_en_mots(1, "an"), age_en_mots(3, "mois"), age_en_mots(None, "")] == [
        "15 ans",
        "1 an",
        "3 mois",
        "",
    ]
    semaine = {**{str(j): [["08:00", "12:00"]] for j in range(1, 6)}, "6": [["09:00", "24:00"]]}
    assert semaine_en_mots(semaine).replace("\u00a0", " ") == "lundi à vendredi 8 h – 12 h ; samedi 9 h – 24 h"
    assert semaine_en_mots({}) == "fermé toute la semaine"


CONTACTS = {
    "a": {"nature": "01", "confidentialite": "1", "telecoms": [{"canal": "2", "valeur": "01", "confidentialite": "1"}]},
    "b": {"nature": "02", "confidentialite": "2", "telecoms": [{"canal": "2", "valeur": "02", "confidentialite": "3"}]},
    "c": {"nom": "Ada", "fonction": "03", "confidentialite": "3", "telecoms": []},
}


def test_les_contacts_tres_restreints_sont_masques():
    etat = {"contacts": CONTACTS}
    fabrique.referentiels()
    lus, masques = contacts(Affichage([etat], niveau="UO"), etat)
    assert ([c.titre for c in lus], masques) == (["Accueil", "Prise de rendez-vous"], 1)
    assert [[t.valeur for t in c.telecoms] for c in lus] == [["01"], []]  # a très restreint telecom is masked too
    tous, aucun = contacts(Affichage([etat], niveau="UO", tres_restreint=True), etat)
    assert ([c.titre for c in tous], aucun) == (["Accueil", "Prise de rendez-vous", "Ada"], 0)
    assert [t.etat for t in tous[1].telecoms] == ["tres-restreint"]


def test_une_unite_sensible_masque_tous_ses_contacts():
    etat = {"contacts": CONTACTS, "unite_sensible": True}
    assert contacts(Affichage([etat], niveau="UO"), etat) == ([], 3)


def test_un_contact_devenu_tres_restreint_ne_se_lit_pas_dans_le_passe():
    avant = {"contacts": {"b": {"nom": "Nom secret", "fonction": "03", "confidentialite": "2", "telecoms": []}}}
    apres = {"contacts": {"b": {**avant["contacts"]["b"], "confidentialite": "3"}}}
    affichage = Affichage([avant, apres], niveau="UO", une_fiche=True)
    assert "Nom secret" not in str(affichage.differences(avant, apres))
    assert affichage.differences(avant, apres)[0]["attention"] == "changement masqué"
    assert contacts(affichage, avant) == ([], 1)
    entier = Affichage([avant, apres], niveau="UO", tres_restreint=True)
    assert "Nom secret" in str(entier.differences(avant, apres))


def test_les_differences_suivent_l_ecran_et_nomment_les_champs():
    fabrique.referentiels()
    avant = {"age_min": 3, "age_min_unite": "mois", "activites": frozenset({"013"}), "unite_sensible": False}
    apres = {
        "nom": "Unité",
        "age_min": 3,
        "age_min_unite": "an",
        "activites": frozenset({"013", "097"}),
        "unite_sensible": True,
    }
    lignes = Affichage([avant, apres], niveau="UO").differences(avant, apres)
    assert [(x["champ"], x["avant"], x["apres"]) for x in lignes] == [
        ("Nom", "", "Unité"),
        ("Unité sensible", "Non", "Oui"),
        ("Activités opérationnelles", ["Cardiologie générale"], ["Cardiologie générale", "Neurologie"]),
        ("Âge minimum", "3 mois", "3 ans"),
    ]
    concises = Affichage([avant, apres], niveau="UO").differences(avant, apres, ["activites"], concis=True)
    assert [(x["avant"], x["apres"]) for x in concises] == [([], ["Neurologie"])]
    assert Affichage([], niveau="EG").differences({}, {"nom": "X"})[0]["champ"] == "Dénomination"


def test_une_longue_liste_dit_ce_qui_change_et_compte_le_reste():
    codes = frozenset(Commune.objects.filter(departement="94").values_list("code", flat=True)[:30])
    avant, apres = {"territoire": codes}, {"territoire": codes | {"92075"}}
    [ligne] = Affichage([avant, apres], niveau="UO").differences(avant, apres)
    assert ligne["avant"] == ["… et 30 inchangés"]
    assert ligne["apres"] == ["Vanves (92)", "… et 30 inchangés"]


def test_les_sections_separent_ce_qui_est_rempli_vide_ou_manque():
    fabrique.referentiels()
    etat = {"nom": "Unité", "activites": frozenset({"013", "ZZZ"}), "temporalite_accueil": "02"}
    lues = {s.code: s for s in sections(Affichage([etat], niveau="UO"), etat, "sanitaire")}
    offre = {ligne.nom: ligne.valeur for ligne in lues["offre"].lignes}
    assert offre["activites"] == ["Cardiologie générale", "code ZZZ (inconnu)"]
    assert offre["type_uo"] is None  # mandatory and missing: said on its line
    assert "Actes spécifiques" in [ligne.libelle for ligne in lues["offre"].vides]
    assert lues["acces"].lignes == [Ligne("temporalite_accueil", "Temporalité d’accueil", "Permanent")]
    assert not lues["moyens"].remplie


def test_un_code_ferme_se_lit_avec_sa_mention():
    fabrique.referentiels()
    etat = {"activites": frozenset({"002"})}  # closed in 2019
    assert Affichage([etat], niveau="UO").texte("activites", etat) == ["Addictologie sans précision (code fermé)"]


def test_les_libelles_se_lisent_en_quatre_requetes_quel_que_soit_le_nombre():
    etats = [
        {"activites": frozenset({"013"}), "territoire": frozenset({"92075"}), "contacts": CONTACTS, "parent": 1},
        {"activites": frozenset({"097"}), "autorites": frozenset({"ARS-11"}), "commune": "75113"},
    ] * 3
    assert compter(lambda: Affichage(etats[:1], niveau="UO")) == 3
    assert compter(lambda: Affichage(etats, niveau="UO")) == 4


def test_semaines_en_vigueur_et_a_venir():
    fabrique.referentiels()
    horaires = {
        "01/2024-01-08": {"1": [["08:00", "12:00"]]},
        "01/2025-01-06": {"1": [["09:00", "12:00"]]},
        "01/2027-01-04": {"1": [["10:00", "12:00"]]},
        "03/2027-01-04": {"6": [["10:00", "12:00"]]},
    }
    etat = {"horaires": horaires}
    vues = semaines_affichees(Affichage([etat], niveau="UO", jour=date(2026, 11, 25)), etat)
    assert [(s.titre, s.lundi.isoformat(), s.a_venir) for s in vues] == [
        ("Horaire d'ouverture", "2025-01-06", False),
        ("Horaire d'ouverture", "2027-01-04", True),
        ("Horaire de garde", "2027-01-04", True),
    ]


def test_le_jeton_lu_est_celui_du_verbe():
    """``relire`` and ``lire`` speak of the same token."""
    unite = fabrique.hopital()["UO"]
    lecture = lire(unite)
    assert relire(unite, lecture.jeton, lecture.jour) == lecture.etat


def test_l_autorite_d_un_departement_d_outre_mer():
    Autorite.objects.create(code="CD-974", nom="Département de La Réunion", type="CD", departement="974")
    eg = fabrique.etablissement("handicap", commune="97411", mode_tarification="", autorite_regulation="")
    RegleCategorie.objects.filter(pk=fabrique.contenu(eg).categorie).update(autorites=["CD"])
    assert circuit_de(fabrique.contenu(eg)).autorites == ["CD-974"]
