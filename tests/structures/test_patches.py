"""Laws of the patches: what one does, composed, inverted and reduced must mean the same."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from structures.champs import CHAMPS
from structures.domaine.patches import appliquer, composer, depuis_json, difference, inverser, utile, valeur, vers_json

from .reference import ENSEMBLES, ENTIERS, INDEXES, TEXTES, patches

PLEINS = (*TEXTES, *ENTIERS, *ENSEMBLES, *INDEXES, "existe")

etats = st.fixed_dictionaries(
    {},
    optional={
        **{nom: st.sampled_from(["", "a", "b"]) for nom in TEXTES},
        **{nom: st.sampled_from([None, 0, 3]) for nom in ENTIERS},
        **{nom: st.frozensets(st.sampled_from(elements)) for nom, elements in ENSEMBLES.items()},
        **{nom: st.dictionaries(st.sampled_from(cles), st.integers(1, 2)) for nom, cles in INDEXES.items()},
        "existe": st.booleans(),
    },
)


def plein(etat):
    """The state with its empty values written out, to compare what two states mean."""
    return {nom: valeur(etat, nom) for nom in PLEINS}


@given(etats, etats)
@settings(deadline=None)
def test_difference_mene_d_un_etat_a_l_autre(avant, apres):
    patch = difference(avant, plein(apres))
    assert plein(appliquer(avant, patch)) == plein(apres)
    assert set(patch) == {nom for nom in PLEINS if valeur(avant, nom) != valeur(apres, nom)}


@given(etats)
def test_aucune_difference_avec_soi_meme(etat):
    assert difference(etat, plein(etat)) == {}


@given(etats, patches(), patches())
@settings(max_examples=300, deadline=None)
def test_composer_fait_ce_que_font_les_deux(etat, premier, second):
    ensemble = composer(premier, second)
    assert plein(appliquer(etat, ensemble)) == plein(appliquer(appliquer(etat, premier), second))


@given(patches(), patches(), patches(), etats)
@settings(deadline=None)
def test_composer_est_associatif(un, deux, trois, etat):
    gauche, droite = composer(composer(un, deux), trois), composer(un, composer(deux, trois))
    assert plein(appliquer(etat, gauche)) == plein(appliquer(etat, droite))


@given(etats, patches())
@settings(max_examples=300, deadline=None)
def test_inverser_ramene_a_l_etat_d_avant(etat, patch):
    assert plein(appliquer(appliquer(etat, patch), inverser(etat, patch))) == plein(etat)


@given(etats, patches())
@settings(deadline=None)
def test_utile_garde_ce_qui_change_et_rien_d_autre(etat, patch):
    reduit = utile(etat, patch)
    assert plein(appliquer(etat, reduit)) == plein(appliquer(etat, patch))
    assert reduit == utile(etat, reduit)
    assert utile(appliquer(etat, patch), patch) == {}
    for nom, changement in reduit.items():
        assert plein(appliquer(etat, {nom: changement})) != plein(etat)


@given(etats, patches())
def test_appliquer_ne_touche_pas_l_etat_recu(etat, patch):
    copie = {nom: (dict(v) if isinstance(v, dict) else v) for nom, v in etat.items()}
    appliquer(etat, patch)
    assert etat == copie


@given(etats, etats)
def test_un_patch_est_du_json(avant, apres):
    patch = difference(avant, plein(apres))
    assert json.loads(json.dumps(patch)) == patch


@given(etats)
def test_un_etat_passe_par_le_json(etat):
    ecrit = json.loads(json.dumps({nom: vers_json(nom, v) for nom, v in etat.items()}))
    assert {nom: depuis_json(nom, v) for nom, v in ecrit.items()} == etat


def test_chaque_champ_a_une_valeur_vide():
    for nom in CHAMPS:
        assert difference({}, {nom: valeur({}, nom)}) == {}
