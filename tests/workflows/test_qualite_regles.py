"""Each quality rule by itself: when it fires, when it does not, on which field, and what it means for the dossier.

No database: a rule is a function of a fiche and of what the references say.
"""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from structures.champs import CHAMPS
from structures.domaine.patches import difference
from tests.factories.dossiers import COMPLETE, COMPLETE_MEDICO_SOCIAL
from workflows.domaine.apercu import Apercu, NoeudTravail
from workflows.domaine.qualite import CATALOGUE, Faute, Gravite
from workflows.domaine.qualite import contexte as lectures
from workflows.domaine.qualite.contexte import Contexte
from workflows.domaine.qualite.passe import _fautes
from workflows.models import FicheTravail

JOUR = date(2026, 11, 23)
COMPLETES: dict[str, dict[str, Any]] = {
    "sanitaire": COMPLETE | {"nom": "Unité de cardiologie"},
    "medico-social": COMPLETE_MEDICO_SOCIAL | {"nom": "Unité d’accueil"},
    "EG": {
        "nom": "Hôpital", "finess": "750000018", "categorie": "355", "adresse_voie": "1 rue A", "commune": "75113",
        "code_postal": "75013",
    },
    "P": {"nom": "Pôle Médecine"},
}  # fmt: skip
STANDARD = {"nature": "06", "confidentialite": "2", "telecoms": [{"canal": "2", "valeur": "01 99 00 12 34"}]}


def contact(**plus: Any) -> dict[str, Any]:
    return {"c": STANDARD | plus}


def telecom(canal: str, valeur: str, **plus: str) -> dict[str, Any]:
    return contact(telecoms=[{"canal": canal, "valeur": valeur} | plus])


def capacites(*lignes: tuple[str, str, int]) -> dict[str, Any]:
    return {str(i): {"nature": n, "statut": s, "nombre": combien} for i, (n, s, combien) in enumerate(lignes)}


def fautes(
    niveau: str = "UO",
    champ: str = "sanitaire",
    *,
    categorie: str = "",
    publie: bool = False,
    touche: tuple[str, ...] | None = None,
    arbre: Any = None,
    **contenu: Any,
) -> list[Faute]:
    """What the rules find on one fiche: complete but for ``contenu``; new, or published and changed in ``touche``.

    ``arbre`` puts it into another tree than an EG over an UF over it: a function of the fiche that returns the tree.
    """
    etat = COMPLETES[champ if niveau == "UO" else niveau] | contenu
    eg = NoeudTravail(1, "EG", "1750000018", "Hôpital", None)
    uf = NoeudTravail(2, "UF", "11/0000002", "UF", 1)
    dessus = uf if (niveau, champ) == ("UO", "sanitaire") else eg
    fiche = NoeudTravail(3, niveau, "11/0000003", etat["nom"], dessus.fiche_id, etat.get("type_uo", ""))
    if niveau == "EG":
        fiche = eg
    else:
        dessus.enfants = [fiche]
    fiche.publie = publie
    tout = Apercu(eg, {n.fiche_id: n for n in (eg, uf, fiche)}, champ, ouvert=True)
    if arbre is not None:
        arbre(tout, fiche)
    patch = difference({}, {n: etat[n] for n in touche if n in etat}) if touche is not None else difference({}, etat)
    fiche.travail = fiche.travail or FicheTravail(fiche_id=fiche.fiche_id, patch=patch)
    contexte = Contexte(
        arbre=tout,
        categorie=categorie,
        jour=JOUR,
        inconnus={("R211", "ZZZ")},
        fermes={("R211", "002"): "« Fermée » (code 002) n’est plus en vigueur depuis le 1 janvier 2020"},
        champs_des_types={"149": {"01"}, "48": {"04"}},
        communes={"75113": ["75013"], "92009": ["92270"], "92999": []},
        communes_finies={"92999": "« Finie » (code 92999) n’est plus une commune : remplacez-la par Bois-Colombes."},
        homonymes=lectures._homonymes(tout, {fiche.parent_id}),
        maternite=any("Maternité" in n.nom for n in tout.noeuds.values()),
        quittees=lectures._quittees(tout),
    )
    return list(_fautes(0, fiche, fiche.travail, etat, contexte))


def soeur(nom: str) -> Any:
    """A sister of this name and the same type, that the dossier leaves as it is."""

    def poser(tout: Apercu, fiche: NoeudTravail) -> None:
        tout.noeuds[9] = NoeudTravail(9, "UO", "11/0000009", nom, fiche.parent_id, "149")

    return poser


def avec_uo(tout: Apercu, fiche: NoeudTravail) -> None:
    tout.noeuds[8] = NoeudTravail(8, "UO", "11/0000008", "Unité", fiche.fiche_id, "149")
    fiche.enfants = [tout.noeuds[8]]


def rien_dessous(tout: Apercu, fiche: NoeudTravail) -> None:
    avec_uo(tout, fiche)
    tout.noeuds[8].travail = FicheTravail(fiche_id=8, patch={"existe": False})
    tout.noeuds[8].parent_publie_id = fiche.fiche_id


EG_SEUL: dict[str, Any] = {"niveau": "EG", "champ": "sanitaire"}
IME: dict[str, Any] = {"champ": "medico-social", "categorie": "183", "mode_prise_en_charge": "46"}
EHPAD: dict[str, Any] = {"champ": "medico-social", "categorie": "500"}
URGENCES: dict[str, Any] = {"mode_prise_en_charge": "33", "activites": frozenset({"157"})}
MATERNITE: dict[str, Any] = {"mode_prise_en_charge": "28", "activites": frozenset({"100"})}

# By code: where it is put right, what makes it fire, what does not (each a fiche, see ``fautes``).
CAS: dict[str, tuple[str, list[dict[str, Any]], list[dict[str, Any]]]] = {
    "BO-ELEMENTS-EG": ("adresse_voie", [EG_SEUL | {"adresse_voie": ""}], [EG_SEUL]),
    "BO-ELEMENTS-OI": ("nom", [{"niveau": "P", "nom": ""}], [{"niveau": "P"}]),
    "BO-ELEMENTS-UO": ("type_uo", [{"type_uo": ""}], [{}, {"champ": "medico-social"}]),
    "BO-SERAFIN": (
        "familles_serafin",
        [{"champ": "medico-social", "familles_serafin": frozenset()}],
        [{"familles_serafin": frozenset()}, {"champ": "medico-social"}],
    ),
    "BO-PUBLIC": ("publics", [{"champ": "medico-social", "publics": frozenset()}], [{"publics": frozenset()}]),
    "BO-NOM-UNITE": ("nom", [{"nom": "Cardiologie"}], [{"nom": "unité A"}, {"niveau": "P", "nom": "Cardiologie"}]),
    "BO-NOM-COPIE": ("nom", [{"nom": "Unité A (copie)"}], [{"nom": "Unité A (copie) bis"}]),
    "BO-DOUBLON": (
        "nom",
        [{"arbre": soeur("UNITE de cardiologie")}],
        [{"arbre": soeur("Unité de neurologie")}, {"arbre": soeur("Unité de cardiologie"), "type_uo": "48"}],
    ),
    "BO-IDENTITE": (
        "champ_activite",
        [{"publie": True, "touche": ("champ_activite",)}],
        [{}, {"publie": True, "touche": ("nom",)}],
    ),
    "BO-CODE-POSTAL": ("code_postal", [EG_SEUL | {"code_postal": "92270"}], [EG_SEUL, EG_SEUL | {"code_postal": ""}]),
    "BO-TYPE-CHAMP": ("type_uo", [{"type_uo": "48"}], [{}, {"type_uo": "999"}]),
    "BO-CHAMP-EG": (
        "champ_activite",
        [{"champ_activite": "04"}, {"champ": "medico-social", "champ_activite": "03"}],
        [{}, {"champ_activite": "05"}, {"champ": "medico-social", "champ_activite": "06"}],
    ),
    "CO1": (
        "nom",
        [URGENCES | {"nom": "Unité d’accueil"}],
        [
            URGENCES | {"nom": "Unité d’URGENCES adultes"},
            {"nom": "Unité d’accueil", "activites": frozenset({"157"})},
            {"nom": "Unité d’accueil", "mode_prise_en_charge": "33"},
        ],
    ),
    "CO2": ("nom", [MATERNITE], [MATERNITE | {"nom": "Unité de Maternité"}, MATERNITE | {"arbre": soeur("Maternité")}]),
    "CO3": (
        "unite_sensible",
        [
            {"nom": "Unité UHSI"},
            {"nom": "Unité de décontamination"},
            {"activites": frozenset({"089"})},
            {"unite_sensible": True},
        ],
        [
            {"nom": "Unité UHSI", "unite_sensible": True},
            {"nom": "Unité sécurisée Alzheimer", "champ": "medico-social", "categorie": "500"},
            {"nom": "Unité Uhsine"},
        ],
    ),
    "CP5": (
        "temporalite_accueil",
        [IME, IME | {"mode_prise_en_charge": "47"}, EHPAD | {"mode_prise_en_charge": "46"}],
        [
            IME | {"temporalite_accueil": "02"},
            IME | {"type_uo": "38"},
            IME | {"mode_prise_en_charge": "32"},
            EHPAD | {"mode_prise_en_charge": "47"},
            IME | {"categorie": "355"},
        ],
    ),
    "CP6": (
        "capacites",
        [IME, IME | {"capacites": capacites(("02", "02", 5))}, IME | {"categorie": "209"}],
        [
            IME | {"capacites": capacites(("02", "01", 5))},
            IME | {"type_uo": "25"},
            IME | {"mode_prise_en_charge": "32"},
            IME | {"categorie": "355"},
        ],
    ),
    "BO-CODE-INCONNU": ("activites", [{"activites": frozenset({"ZZZ"})}], [{}]),
    "BO-CODE-FERME": (
        "activites",
        [{"publie": True, "touche": ("nom",), "activites": frozenset({"002"})}],
        [{}, {"activites": frozenset({"002"})}],
    ),
    "BO-CODE-CHOISI": (
        "activites",
        [{"activites": frozenset({"002"})}],
        [{"publie": True, "touche": ("nom",), "activites": frozenset({"002"})}],
    ),
    "BO-COMMUNES": (
        "territoire",
        [{"territoire": frozenset({"99999"})}],
        [{"territoire": frozenset({"75113", "92009"})}],
    ),
    "BO-COMMUNE-FINIE": (
        "territoire",
        [{"publie": True, "touche": ("nom",), "territoire": frozenset({"92999"})}],
        [{}, {"territoire": frozenset({"92999"})}],
    ),
    "BO-COMMUNE-CHOISIE": (
        "territoire",
        [{"territoire": frozenset({"92999"})}],
        [{"publie": True, "touche": ("nom",), "territoire": frozenset({"92999"})}],
    ),
    "BO-AGES": ("age_max", [{"age_min": 20, "age_max": 18}], [{"age_min": 18, "age_max": 18}]),
    "BO-AGE-PLAUSIBLE": ("age_max", [{"age_max": 999}], [{"age_max": 130}, {"age_max": 999, "age_max_unite": "mois"}]),
    "BO-HORAIRES": (
        "horaires",
        [{"mode_prise_en_charge": "32"}, {"temporalite_accueil": "01"}],
        [
            {"mode_prise_en_charge": "32", "horaires": {"01/2026-11-23": {"1": [["08:00", "12:00"]]}}},
            {"temporalite_accueil": "01", "ouverture_annuelle": "02"},
            {"temporalite_accueil": "02"},
        ],
    ),
    "BO-TERRITOIRE": (
        "territoire",
        [{"mode_prise_en_charge": "49"}],
        [{"mode_prise_en_charge": "49", "territoire": frozenset({"75113"})}, {}],
    ),
    "BO-CAPACITE-UNIQUE": (
        "capacites",
        [{"capacites": capacites(("01", "01", 5), ("01", "01", 3))}],
        [{"capacites": capacites(("01", "01", 5), ("02", "01", 3), ("01", "02", 2))}],
    ),
    "BO-CAPACITE-SOMME": (
        "capacites",
        [{"capacites": capacites(("01", "01", 5), ("01", "02", 4), ("01", "03", 2))}],
        [{"capacites": capacites(("01", "01", 5), ("01", "06", 1), ("01", "02", 4), ("01", "03", 2))}],
    ),
    "BO-CONTACT": (
        "contacts",
        [
            {"contacts": contact(nom="Camille Martin", fonction="03")},
            {"contacts": contact(nature="", nom="Camille Martin")},
            {"contacts": contact(nature="")},
        ],
        [{"contacts": contact()}, {"contacts": contact(nature="", nom="Camille Martin", fonction="03")}],
    ),
    "BO-CONTACT-NIVEAU": ("contacts", [{"contacts": contact(confidentialite="")}], [{"contacts": contact()}]),
    "BO-SENSIBLE": (
        "contacts",
        [{"unite_sensible": True, "contacts": contact()}],
        [{"contacts": contact()}, {"unite_sensible": True, "contacts": contact(confidentialite="3")}],
    ),
    "BO-TELECOM": (
        "contacts",
        [{"contacts": telecom("2", "zéro un")}, {"contacts": telecom("3", "")}],
        [{"contacts": telecom("2", "+33 1 99 00 12 34")}],
    ),
    "BO-TELECOM-NIVEAU": (
        "contacts",
        [{"contacts": telecom("2", "01 99 00 12 34", confidentialite="1")}],
        [{"contacts": telecom("2", "01 99 00 12 34", confidentialite="3")}],
    ),
    "BO-TELEPHONE-EG": (
        "telephone",
        [EG_SEUL | {"telephone": "standard"}],
        [EG_SEUL | {"telephone": "01 99 00 12 34"}, EG_SEUL],
    ),
    "BO-ADRESSE": (
        "contacts",
        [{"contacts": telecom("3", "camille.martin")}, {"contacts": telecom("4", "pas une adresse")}],
        [
            {"contacts": telecom("3", "camille@etablissement.example")},
            {"contacts": telecom("4", "www.etablissement.example")},
            {"contacts": telecom("4", "https://etablissement.example/rdv")},
        ],
    ),
    "BO-NUMERO": (
        "contacts",
        [{"contacts": telecom("2", "01 99 00 12")}],
        [{"contacts": telecom("2", "+32 2 123 45 67")}, {"contacts": telecom("2", "3939")}],
    ),
    "CP4": ("contacts", [{}, {"contacts": contact(telecoms=[])}], [{"contacts": contact()}]),
    "BO-MSSANTE": (
        "boites_mssante",
        [{"boites_mssante": frozenset({"unite@hopital.example"})}],
        [{"boites_mssante": frozenset({"unite@hopital.mssante.example"})}],
    ),
    "BO-FERMETURE": (
        "type_fermeture",
        [{"date_fermeture": "2027-01-01"}],
        [{"date_fermeture": "2027-01-01", "type_fermeture": "DEF"}, {}],
    ),
    "BO-FERMETURE-ORDRE": (
        "date_fermeture",
        [{"date_ouverture": "2027-01-01", "date_fermeture": "2026-01-01"}],
        [{"date_ouverture": "2026-01-01", "date_fermeture": "2027-01-01"}],
    ),
    "BO-FERMETURE-DEF": (
        "date_fermeture",
        [{"type_fermeture": "DEF", "date_fermeture": "2026-11-23"}],
        [
            {"type_fermeture": "DEF", "date_fermeture": "2026-11-24"},
            {"type_fermeture": "PRO", "date_fermeture": "2026-11-23"},
        ],
    ),
    "BO-REOUVERTURE-ORDRE": (
        "date_reouverture",
        [{"date_reouverture": "2027-01-01"}, {"date_fermeture": "2027-01-01", "date_reouverture": "2027-01-01"}],
        [{"date_fermeture": "2027-01-01", "date_reouverture": "2027-01-02"}],
    ),
    "BO-REOUVERTURE": (
        "date_reouverture",
        [{"type_fermeture": "DEF", "date_fermeture": "2027-01-01", "date_reouverture": "2027-02-01"}],
        [{"type_fermeture": "PRO", "date_fermeture": "2027-01-01", "date_reouverture": "2027-02-01"}],
    ),
    "BO-FERMETURE-PRO": (
        "date_reouverture",
        [
            {"type_fermeture": "PRO", "date_fermeture": "2027-01-01"},
            {"type_fermeture": "PRO", "date_fermeture": "2026-01-01", "date_reouverture": "2026-11-23"},
        ],
        [{"type_fermeture": "PRO", "date_fermeture": "2027-01-01", "date_reouverture": "2027-02-01"}],
    ),
    "BO-VIDE": (
        "parent",
        [{"niveau": "P"}, {"niveau": "P", "arbre": rien_dessous}],
        [{"niveau": "P", "arbre": avec_uo}],
    ),
    "BO-SANS-UO": ("", [EG_SEUL, EG_SEUL | {"arbre": rien_dessous}], [EG_SEUL | {"arbre": avec_uo}]),
}


def trouvees(code: str, fiche: dict[str, Any]) -> list[Faute]:
    return [f for f in fautes(**fiche) if f.regle.code == code]


def test_chaque_regle_a_son_essai_et_sa_ligne_de_documentation():
    """Adding a rule asks for its cases here and its line in docs/regles-qualite.md, in the same words."""
    assert set(CAS) == set(CATALOGUE)
    texte = (Path(__file__).parents[2] / "docs/regles-qualite.md").read_text()
    lignes = {r.code: f"| `{r.code}` | {r.titre} | {r.gravite} | {', '.join(niveaux(r))} |" for r in CATALOGUE.values()}
    assert [ligne for ligne in lignes.values() if ligne not in texte] == []
    assert {mot.split("`")[1] for mot in texte.splitlines() if mot.startswith("| `")} == set(lignes)


def niveaux(regle: Any) -> list[str]:
    return [n for n in ("EG", "P", "S", "UF", "UO") if n in regle.niveaux]


@pytest.mark.parametrize("regle", CATALOGUE.values(), ids=CATALOGUE)
def test_une_regle_se_comprend(regle):
    """A code, a title, a source, levels of a dossier, and fields that exist there."""
    assert regle.titre
    assert regle.source
    assert not regle.titre.endswith(".")
    assert set(niveaux(regle)) == set(regle.niveaux)
    for nom in regle.champs:
        assert regle.niveaux & CHAMPS[nom].niveaux, nom


@pytest.mark.parametrize("code", CAS)
def test_elle_se_declenche(code):
    champ, declenchent, _ = CAS[code]
    for fiche in declenchent:
        constats = trouvees(code, fiche)
        assert constats, fiche
        assert {(f.champ, f.gravite, f.touchee) for f in constats} == {(champ, CATALOGUE[code].gravite, True)}, fiche
        assert all(f.phrase[0] in "«" or f.phrase[0].isupper() for f in constats)
        assert all(f.phrase.endswith(".") for f in constats)


@pytest.mark.parametrize("code", CAS)
def test_elle_ne_se_declenche_pas(code):
    for fiche in CAS[code][2]:
        assert trouvees(code, fiche) == [], fiche


@pytest.mark.parametrize(
    "code",
    [
        r.code
        for r in CATALOGUE.values()
        if r.gravite is Gravite.BLOQUANT
        and not r.obligatoire
        and r.code not in ("BO-CODE-CHOISI", "BO-COMMUNE-CHOISIE", "BO-IDENTITE")
    ],  # the last three are about the change itself
)
def test_ce_que_le_dossier_n_a_pas_fait_ne_bloque_pas(code):
    """On a published fiche, a rule blocks where the dossier changes one of its fields, else it warns."""
    regle, (_, declenchent, _) = CATALOGUE[code], CAS[code]
    ailleurs = "conditions_accueil" if "UO" in regle.niveaux else "date_ouverture"
    fiche = declenchent[0] | {"publie": True}
    assert {f.bloque for f in trouvees(code, fiche | {"touche": tuple(regle.champs)})} == {True}
    assert {f.bloque for f in trouvees(code, fiche | {"touche": (ailleurs,)})} == {False}


def test_un_nombre_et_son_unite_sont_une_question():
    sans = {"age_min": None, "age_min_unite": "", "age_max_unite": ""}
    assert [f.champ for f in trouvees("BO-ELEMENTS-UO", sans)] == ["age_min", "age_max_unite"]


def test_un_doublon_est_dit_une_fois():
    """On the fiche that the dossier touches, or the younger of two that it touches."""

    def touchee(tout: Apercu, fiche: NoeudTravail) -> None:
        soeur("Unité de cardiologie")(tout, fiche)
        tout.noeuds[9].travail = FicheTravail(fiche_id=9, patch={})

    assert trouvees("BO-DOUBLON", {"arbre": touchee}) == []  # 9 is younger than 3: said there


def test_une_fiche_complete_est_sans_reproche():
    assert [f.regle.code for f in fautes(contacts=contact())] == []
    assert [f.regle.code for f in fautes(champ="medico-social", categorie="500", contacts=contact())] == []
