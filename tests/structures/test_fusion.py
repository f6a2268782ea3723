"""Three-way merge, pure: what collides, what merges, what remains when one gives way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from structures.domaine.fusion import Heurt, heurts, sans_heurts, se_heurtent
from structures.domaine.patches import Etat, appliquer, difference, valeur

BASE: Etat = {
    "nom": "Unité",
    "activites": frozenset({"1", "2"}),
    "equipements": {"a": 1, "b": 2},
    "age_min": 16,
    "age_min_unite": "an",
}


@pytest.mark.parametrize(
    ("leur", "mien", "attendus"),
    [
        ({"nom": "A"}, {"nom": "B"}, {"nom"}),
        ({"nom": "A"}, {"nom": "A"}, set()),
        ({"conditions_accueil": "A"}, {"nom": "B"}, set()),
        ({"activites": frozenset({"1", "2", "3"})}, {"activites": frozenset({"1"})}, set()),
        ({"equipements": {"a": 5, "b": 2}}, {"equipements": {"a": 7, "b": 2}}, {"equipements"}),
        ({"equipements": {"b": 2}}, {"equipements": {"a": 7, "b": 2}}, {"equipements"}),
        ({"equipements": {"b": 2}}, {"equipements": {"b": 2}}, set()),
        ({"equipements": {"a": 1, "b": 3}}, {"equipements": {"a": 7, "b": 2}}, set()),
        # a number and its unit are one value
        ({"age_min_unite": "mois"}, {"age_min": 18}, {"age_min"}),
        ({"age_min": 3, "age_min_unite": "mois"}, {"age_min": 18}, {"age_min"}),
        ({"age_min_unite": "mois"}, {"age_min": 18, "age_min_unite": "mois"}, set()),
    ],
)
def test_ce_qui_se_heurte(leur, mien, attendus):
    patch = difference(BASE, mien)
    assert {h.nom for h in heurts(BASE, {**BASE, **leur}, patch)} == attendus


def test_un_heurt_dit_les_trois_valeurs():
    patch = difference(BASE, {"nom": "Mien"})
    assert heurts(BASE, {**BASE, "nom": "Leur"}, patch) == [Heurt("nom", "Unité", "Leur", "Mien")]


def test_ceder_un_element_garde_les_autres():
    leur = {**BASE, "equipements": {"a": 5, "b": 2}, "nom": "Leur"}
    patch = difference(BASE, {"equipements": {"a": 7, "c": 3}, "nom": "Mien", "conditions_accueil": "Ici"})
    reste = sans_heurts(BASE, leur, patch, ["equipements", "nom"])
    assert reste == {"equipements": {"pose": {"c": 3}, "retire": ["b"]}, "conditions_accueil": "Ici"}
    assert appliquer(leur, reste)["equipements"] == {"a": 5, "c": 3}


def test_ceder_un_nombre_cede_son_unite():
    patch = difference(BASE, {"age_min": 18, "age_min_unite": "mois"})
    assert sans_heurts(BASE, {**BASE, "age_min": 3}, patch, ["age_min"]) == {}


ETATS = st.fixed_dictionaries(
    {
        "nom": st.sampled_from("ABC"),
        "activites": st.frozensets(st.sampled_from("123")),
        "equipements": st.dictionaries(st.sampled_from("ab"), st.integers(1, 3)),
        "age_min": st.sampled_from([None, 3, 16]),
        "age_min_unite": st.sampled_from(["", "an", "mois"]),
    }
)


@given(ETATS, ETATS, ETATS)
def test_ce_qui_reste_ne_se_heurte_plus_et_rien_ne_se_perd(base, leur, mien):
    """Where nothing collides both changes hold; where one gives way the other side is whole."""
    patch = difference(base, mien)
    noms = [h.nom for h in heurts(base, leur, patch)]
    reste = sans_heurts(base, leur, patch, noms)
    assert heurts(base, leur, reste) == []
    fusion = appliquer(leur, reste)
    for nom, leur_changement in difference(base, leur).items():
        if nom in noms:
            assert not difference(fusion, {nom: valeur(appliquer(fusion, {nom: leur_changement}), nom)})
    for nom in patch.keys() - set(noms):
        if nom in reste:
            assert not difference(fusion, {nom: valeur(appliquer(fusion, {nom: patch[nom]}), nom)})


@given(ETATS, ETATS, ETATS)
def test_se_heurter_est_reciproque(base, un, deux):
    a, b = difference(base, un), difference(base, deux)
    for nom in a.keys() & b.keys():
        assert se_heurtent(nom, a[nom], b[nom]) == se_heurtent(nom, b[nom], a[nom])
