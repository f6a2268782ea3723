"""FicheForm: what is typed becomes the smallest patch, and what nobody touched stays what it was."""

from datetime import date, timedelta

import pytest
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from structures.champs import CONTENU, Genre, Qui, champs_de
from structures.domaine.patches import Etat, appliquer, valeur
from structures.domaine.valider import erreurs_contenu
from structures.enums import Niveau
from structures.forms import DateEffetForm, FicheForm
from structures.models import Association, Concept
from tests.factories import repertoire as fabrique
from tests.formulaires import lire_formulaire

pytestmark = pytest.mark.django_db

JOUR = date(2026, 11, 25)  # a Wednesday
LUNDI, PROCHAIN = date(2026, 11, 23), date(2026, 12, 7)
SEMAINE = {"1": [["08:00", "12:00"]], "5": [["08:00", "12:00"], ["14:00", "18:00"]]}

ETAT: Etat = {
    "existe": True,
    "nom": "Unité de cardiologie",
    "type_uo": "149",
    "champ_activite": "01",
    "activites": frozenset({"013", "014"}),
    "age_min": 16,
    "age_min_unite": "an",
    "conditions_admission": "Première ligne\nSeconde ligne",
    "unite_sensible": False,
    "territoire": frozenset({"75113"}),
    "boites_mssante": frozenset({"cardio@hopital.mssante.fr"}),
    "equipements": {"01": 2},
    "capacites": {"p1": {"nature": "01", "statut": "01", "nombre": 12, "maj": "2026-01-01"}},
    "horaires": {"01/2024-01-08": SEMAINE},
    "contacts": {
        "c1": {
            "nature": "01", "nom": "", "fonction": "", "confidentialite": "2",
            "telecoms": [{"canal": "2", "valeur": "01 40 00 00 01", "confidentialite": "2"}],
        },
        "c2": {"nature": "", "nom": "Ada Lefèvre", "fonction": "03", "confidentialite": "3", "telecoms": []},
    },
    "date_ouverture": "2020-01-06",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _referentiels() -> None:
    fabrique.referentiels()
    code = Concept.objects.filter(nomenclature="R212").order_by("code").values_list("code", flat=True)[0]
    ETAT["equipements"] = {code: 2}


def formulaire(
    etat: Etat | None = None, data: QueryDict | None = None, qui: set[Qui] | None = None, **options
) -> FicheForm:
    return FicheForm(
        niveau=Niveau.UO,
        champs=champs_de(Niveau.UO, qui or {Qui.PARTOUT}),
        etat=ETAT if etat is None else etat,
        champ_eg="sanitaire",
        data=data,
        jour=JOUR,
        **options,
    )


def poste(form: FicheForm, **changements) -> QueryDict:
    return lire_formulaire(str(form), **changements)


def patch(etat: Etat | None = None, **changements):
    base = ETAT if etat is None else etat
    form = formulaire(base, poste(formulaire(base), **changements))
    assert form.is_valid(), form.errors
    return form.patch(base)


# -- from the screen to the patch --------------------------------------------------------------------


def test_rendu_tel_quel_ne_change_rien():
    assert patch() == {}


def test_une_fiche_vide_rendue_telle_quelle_ne_change_rien():
    assert patch({"existe": True}) == {}


@pytest.mark.parametrize(
    ("saisie", "attendu"),
    [
        ({"nom": "  Unité de rythmologie "}, {"nom": "Unité de rythmologie"}),
        ({"conditions_admission": "Première ligne\r\nSeconde ligne"}, {}),
        ({"conditions_admission": "Une\r\nDeux"}, {"conditions_admission": "Une\nDeux"}),
        ({"age_min": "15", "age_min_unite": "mois"}, {"age_min": 15, "age_min_unite": "mois"}),
        ({"age_min": ""}, {"age_min": None}),
        ({"date_ouverture": "03/03/2027"}, {"date_ouverture": "2027-03-03"}),
        ({"date_ouverture": ""}, {"date_ouverture": None}),
        ({"activites": ["014", "097"]}, {"activites": {"ajoute": ["097"], "retire": ["013"]}}),
        ({"activites": []}, {"activites": {"retire": ["013", "014"]}}),
        ({"territoire-ajout": "Vanves"}, {"territoire": {"ajoute": ["92075"]}}),
        ({"territoire": [], "territoire-ajout": "92075"}, {"territoire": {"ajoute": ["92075"], "retire": ["75113"]}}),
        (
            {"boites_mssante": "cardio@hopital.mssante.fr\r\n\r\n rythmo@hopital.mssante.fr "},
            {"boites_mssante": {"ajoute": ["rythmo@hopital.mssante.fr"]}},
        ),
        ({"temporalite_accueil": "02"}, {"temporalite_accueil": "02"}),
    ],
)
def test_un_champ_modifie(saisie, attendu):
    assert patch(**saisie) == attendu


def test_un_champ_absent_du_formulaire_poste_garde_sa_valeur():
    assert patch(nom=None, conditions_admission=None, unite_sensible=None, age_min=None) == {}


def test_chaque_champ_du_catalogue_a_son_champ_de_formulaire():
    for niveau in Niveau.values:
        champs = champs_de(niveau)
        form = FicheForm(niveau=niveau, champs=champs, etat={}, champ_eg="sanitaire", jour=JOUR)
        attendus = {c.nom for c in champs if c.genre is not Genre.HORAIRES}
        assert attendus <= set(form.fields)
        assert {nom.split("_")[0] for nom in set(form.fields) - attendus} <= {"horaires"}


def test_une_saisie_de_tous_les_champs_fait_la_fiche_voulue():
    """Patch applied to the base gives the state typed: the form loses nothing on the way."""
    form = formulaire(data=poste(formulaire(), nom="Autre", activites=["097"], **{"capacites-0-nombre": "30"}))
    assert form.is_valid()
    apres = appliquer(ETAT, form.patch(ETAT))
    assert {nom: valeur(apres, nom) for nom in form.etat_saisi()} == form.etat_saisi()


# -- structured values -------------------------------------------------------------------------------


def test_une_capacite_changee_garde_sa_cle_et_ce_que_le_formulaire_ignore():
    assert patch(**{"capacites-0-nombre": "14"}) == {
        "capacites": {"pose": {"p1": {"nature": "01", "statut": "01", "nombre": 14, "maj": "2026-01-01"}}}
    }


def test_une_capacite_ajoutee_et_une_retiree():
    changement = patch(
        **{
            "capacites-0-retirer": "1",
            "capacites-1-nature": "02",
            "capacites-1-statut": "01",
            "capacites-1-nombre": "5",
        }
    )
    assert changement == {
        "capacites": {"pose": {"02-01": {"nature": "02", "statut": "01", "nombre": 5}}, "retire": ["p1"]}
    }


def test_un_equipement_ajoute():
    autre = (
        Concept.objects.filter(nomenclature="R212", date_fin=None).exclude(code__in=ETAT["equipements"]).first().code
    )
    assert patch(**{"equipements-1-code": autre, "equipements-1-nombre": "3"}) == {"equipements": {"pose": {autre: 3}}}


def test_un_contact_change_garde_sa_cle():
    changement = patch(**{"contacts-0-telecoms-0-valeur": "01 40 00 00 99"})
    assert list(changement["contacts"]["pose"]) == ["c1"]
    assert changement["contacts"]["pose"]["c1"]["telecoms"][0]["valeur"] == "01 40 00 00 99"


def test_un_contact_nouveau_recoit_sa_propre_cle():
    saisie = {
        "contacts-2-nature": "02",
        "contacts-2-nom": "",
        "contacts-2-fonction": "",
        "contacts-2-confidentialite": "2",
    }
    changement = patch(**saisie, **{"contacts-2-id": "c9999", "contacts-2-telecoms-present": "1"})
    [cle] = changement["contacts"]["pose"]
    assert cle not in ("c1", "c2", "c9999")


def test_les_nouveaux_contacts_commencent_a_restreint_tres_restreint_dans_une_unite_sensible():
    def defaut(etat: Etat) -> str:
        return formulaire(etat).fields["contacts"].colonnes["confidentialite"].initial

    assert (defaut(ETAT), defaut({**ETAT, "unite_sensible": True})) == ("2", "3")


def test_une_unite_qui_devient_sensible_rend_ses_contacts_tres_restreints():
    changement = patch(unite_sensible="oui")
    assert changement["unite_sensible"] is True
    assert list(changement["contacts"]["pose"]) == ["c1"]
    contact = changement["contacts"]["pose"]["c1"]
    assert (contact["confidentialite"], contact["telecoms"][0]["confidentialite"]) == ("3", "3")


# -- typical weeks -----------------------------------------------------------------------------------


def test_de_nouveaux_horaires_s_appliquent_du_lundi_choisi():
    """Any day of the chosen week is accepted; the week in force before it stays."""
    changement = patch(**{"horaires_01-1": "9h-12h", "horaires_01_lundi": "2026-12-09"})
    attendue = {"1": [["09:00", "12:00"]], "5": SEMAINE["5"]}
    assert changement == {"horaires": {"pose": {f"01/{PROCHAIN.isoformat()}": attendue}}}


def test_le_lundi_propose_est_celui_de_la_semaine():
    assert formulaire().initial["horaires_01_lundi"] == LUNDI


def test_changer_seulement_le_lundi_ne_change_rien():
    assert patch(horaires_01_lundi="2027-01-04") == {}


def test_un_autre_genre_d_horaires():
    changement = patch(**{"horaires_03-6": "20:00-24:00"})
    assert changement == {"horaires": {"pose": {f"03/{LUNDI.isoformat()}": {"6": [["20:00", "24:00"]]}}}}


def test_tout_fermer_met_fin_aux_horaires_sans_effacer_le_passe():
    assert patch(**{"horaires_01-1": "", "horaires_01-5": ""}) == {
        "horaires": {"pose": {f"01/{LUNDI.isoformat()}": {}}}
    }


def test_des_horaires_prevus_se_modifient_et_se_retirent():
    prevus = {**ETAT, "horaires": {**ETAT["horaires"], "01/2026-12-07": {"2": [["10:00", "11:00"]]}}}
    assert patch(prevus, **{"horaires_01_2026-12-07-2": "10:00-12:00"}) == {
        "horaires": {"pose": {"01/2026-12-07": {"2": [["10:00", "12:00"]]}}}
    }
    assert patch(prevus, **{"horaires_01_2026-12-07_retirer": "on"}) == {"horaires": {"retire": ["01/2026-12-07"]}}


@pytest.mark.parametrize(
    ("saisie", "champ", "extrait"),
    [
        ({"horaires_01-1": "12:00-08:00"}, "horaires_01", "la fin (08:00) doit venir après le début"),
        ({"horaires_01-1": "08:00-12:00, 11:00-13:00"}, "horaires_01", "se chevauchent"),
        ({"horaires_01-1": "9h-10h", "horaires_01_lundi": ""}, "horaires_01_lundi", "Indiquez la semaine"),
        (
            {"horaires_01-1": "9h-10h", "horaires_01_lundi": "2023-01-02"},
            "horaires_01_lundi",
            "depuis le 8\u00a0janvier\u00a02024",
        ),
        ({"activites": ["999999"]}, "activites", "n’est pas dans la liste"),
        ({"territoire-ajout": "Atlantide"}, "territoire", "Aucune commune"),
        ({"territoire-ajout": "Paris 13e Arrondissement"}, "territoire", "déjà dans la liste"),
        ({"territoire": ["75113", "00000"]}, "territoire", "n’est pas une commune connue"),
        ({"age_min": "douze"}, "age_min", "nombre entier"),
        ({"age_min": "200"}, "age_max", "inférieur à l’âge minimum"),
        ({"nom": "x" * 300}, "nom", "255 au plus"),
        ({"conditions_accueil": "x" * 100_000}, "conditions_accueil", "100000 caractères"),
        ({"boites_mssante": "pas une adresse"}, "boites_mssante", "n’est pas une adresse"),
        ({"contacts-0-nature": ""}, "contacts", "nature"),
        ({"contacts-0-telecoms-0-confidentialite": "1"}, "contacts", "moins confidentiel"),
        (
            {"contacts-0-telecoms-0-valeur": "numéro"},
            "contacts",
            "Contact 1, moyen de contact 1 : « numéro » n’est pas",
        ),
        ({"date_fermeture": "2019-01-01"}, "date_fermeture", "La fermeture précède l’ouverture"),
        ({"date_ouverture": "31/02/2027"}, "date_ouverture", "n’existe pas"),
    ],
)
def test_une_saisie_refusee_dit_pourquoi_a_cote_du_champ_et_reste(saisie, champ, extrait):
    etat = {**ETAT, "age_max": 120, "age_max_unite": "an"}
    form = formulaire(etat, poste(formulaire(etat), **saisie))
    form.is_valid()
    form.ajouter_erreurs(erreurs_contenu(Niveau.UO, etat, form.patch(etat), JOUR))
    assert extrait in " ".join(form.errors[champ])
    rendu = str(form)
    for postee in saisie.values():
        texte = postee if isinstance(postee, str) else postee[-1]
        assert texte[:200] in rendu


# -- closed and unknown codes ------------------------------------------------------------------------


def test_un_code_ferme_tenu_reste_et_ne_se_choisit_pas_ailleurs():
    Concept.objects.filter(nomenclature="R211", code="014").update(date_fin=JOUR)
    assert patch() == {}
    assert "014" not in dict(formulaire({**ETAT, "activites": frozenset({"013"})}).fields["activites"].choices)
    assert formulaire().fields["activites"].fermes[0][0] == "014"
    sans = {**ETAT, "activites": frozenset({"013"})}
    form = formulaire(sans, poste(formulaire(sans), activites=["013", "014"]))
    assert not form.is_valid()


def test_un_code_seul_inconnu_des_nomenclatures_ne_se_perd_pas():
    assert patch({**ETAT, "temporalite_accueil": "ZZ", "activites": frozenset({"ZZZ"})}) == {}


def test_le_type_d_uo_se_choisit_parmi_ceux_du_meme_champ():
    form = FicheForm(
        niveau="UO", champs=champs_de("UO", {Qui.PARTOUT, Qui.DOSSIER}), etat=ETAT, champ_eg="sanitaire", jour=JOUR
    )
    offerts = {code for code, _ in form.fields["type_uo"].choices if code}
    du_champ = Association.objects.filter(cible__nomenclature="R227", cible__code="01").values_list(
        "source__code", flat=True
    )
    assert offerts == set(du_champ)


def test_les_familles_de_deux_nomenclatures_sont_offertes_ensemble():
    codes = {c for c, _ in formulaire().fields["familles_serafin"].choices}
    listes = set(
        Concept.objects.filter(nomenclature__in=["R265", "R266"], code__in=codes).values_list("nomenclature", flat=True)
    )
    assert listes == {"R265", "R266"}


# -- shape of the form -------------------------------------------------------------------------------


def test_une_seule_requete_pour_toutes_les_listes(django_assert_num_queries):
    with django_assert_num_queries(1):
        formulaire()


def test_le_nombre_de_requetes_du_rendu_ne_depend_pas_du_contenu():
    from django.db import connection

    def requetes(n: int) -> int:
        etat = {
            **ETAT,
            "territoire": frozenset(["75113", "92075", "94080"][:n]),
            "contacts": {f"c{i}": ETAT["contacts"]["c1"] for i in range(n)},
        }
        with CaptureQueriesContext(connection, ) as vues:  # fmt: skip
            str(formulaire(etat))
        return len(vues)

    assert requetes(1) == requetes(3)


def test_obligatoire_se_dit_et_ne_bloque_pas():
    vide = {"existe": True}
    form = formulaire(vide, poste(formulaire(vide)))
    assert form.is_valid()
    assert form.fields["nom"].required
    assert not form.fields["publics"].required
    medico = FicheForm(niveau="UO", champs=champs_de("UO"), etat=vide, champ_eg="medico-social", jour=JOUR)
    assert medico.fields["publics"].required
    assert "(obligatoire)" in form["nom"].as_field_group()


def test_les_erreurs_d_un_refus_vont_a_leur_champ():
    form = formulaire(data=poste(formulaire()))
    assert form.is_valid()
    form.ajouter_erreurs({"nom": ["Trop long."], "horaires": ["Un lundi."], "inconnu": ["Ailleurs."]})
    assert dict(form.errors) == {"nom": ["Trop long."], "horaires_01": ["Un lundi."], "__all__": ["Ailleurs."]}


def test_les_sections_suivent_le_catalogue_et_aucun_champ_ne_manque():
    form = formulaire()
    montres = [c.name for s in form.sections() for g in s.groupes for c in g.champs]
    assert len(montres) == len(set(montres))
    assert set(montres) == set(form.fields)
    ordre = list(dict.fromkeys(c.section for c in CONTENU if "UO" in c.niveaux and c.qui is Qui.PARTOUT))
    assert {s.code for s in form.sections()} == set(ordre)


def test_montre_reprend_une_saisie_sur_une_autre_base():
    """What was typed on an older state is shown on the new one, and comes back as the same change."""
    typee = {"horaires": {"pose": {"01/2026-12-07": {"3": [["10:00", "11:00"]]}}}, "activites": {"ajoute": ["097"]}}
    base = {**ETAT, "nom": "Renommée entre-temps"}
    montre = formulaire(base, montre=appliquer(base, typee))
    form = formulaire(base, poste(montre))
    assert form.is_valid(), form.errors
    assert form.patch(base) == typee


def test_la_date_d_effet_n_est_passee_que_pour_un_gestionnaire():
    assert "motif" not in DateEffetForm(gestionnaire=False).fields
    assert "motif" in DateEffetForm(gestionnaire=True).fields
    assert not DateEffetForm(gestionnaire=False, data={"date_effet": "demain"}).is_valid()
    form = DateEffetForm(gestionnaire=False, data={"date_effet": str(JOUR + timedelta(days=3))})
    assert form.is_valid()
