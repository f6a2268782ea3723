"""The fold against a day-by-day reference, for any order of entry and of cancellation."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from structures.domaine.enregistrer import annuler, ecarts, enregistrer
from structures.domaine.patches import valeur
from structures.domaine.plier import Changement, Periode, plier
from structures.enums import Niveau
from structures.models import Modification
from structures.requetes import etat_de

from .fabrique import change, enfants, etablissement, personne, versions
from .reference import ENSEMBLES, ENTIERS, INDEXES, TEXTES, Saisie, etat_le, patches

DEBUT = date(2026, 3, 1)
JOURS = [DEBUT + timedelta(days=n) for n in range(10)]
OBSERVES = [DEBUT - timedelta(days=1), *JOURS, DEBUT + timedelta(days=4000)]
CHAMPS = (*TEXTES, *ENTIERS, *ENSEMBLES, *INDEXES)

saisies = st.lists(st.builds(lambda jour, patch, annulee: (jour, patch, annulee),
                             st.sampled_from(JOURS), patches(), st.booleans()), max_size=12)  # fmt: skip


def au(periodes: list[Periode], jour: date) -> Periode | None:
    [periode] = [p for p in periodes if p.du <= jour and (p.au is None or jour < p.au)] or [None]
    return periode


@given(saisies, st.randoms(use_true_random=False))
@settings(max_examples=600, deadline=None)
def test_le_pli_egale_la_reference_jour_par_jour(entrees, hasard):
    suite = [Saisie(jour, ordre, patch, annulee) for ordre, (jour, patch, annulee) in enumerate(entrees)]
    vivantes = [Changement(s.jour, s.ordre, s.patch) for s in suite if not s.annulee]
    hasard.shuffle(vivantes)  # the fold sorts by itself
    periodes = plier(vivantes)
    for jour in OBSERVES:
        attendu, periode = etat_le(suite, jour), au(periodes, jour)
        obtenu = None if periode is None else {nom: valeur(periode.etat, nom) for nom in CHAMPS}
        assert obtenu == attendu, jour


@given(saisies)
@settings(max_examples=300, deadline=None)
def test_les_periodes_se_suivent_sans_chevauchement_ni_voisines_egales(entrees):
    changements = [Changement(jour, ordre, patch) for ordre, (jour, patch, _) in enumerate(entrees)]
    periodes = plier(changements)
    for avant, apres in pairwise(periodes):
        assert avant.au is not None
        assert avant.du < avant.au <= apres.du
        if avant.au == apres.du:
            assert any(valeur(avant.etat, nom) != valeur(apres.etat, nom) for nom in CHAMPS)
    for periode in periodes:
        assert periode.ordre == max(c.ordre for c in changements if c.date_effet == periode.du)


def test_un_changement_saisi_apres_coule_dans_celui_deja_prevu():
    prevu = Changement(JOURS[5], 1, {"nom": "Nom prévu"})
    periodes = plier([
        Changement(JOURS[0], 0, {"existe": True, "nom": "Ancien", "conditions_accueil": "x"}),
        prevu,
        Changement(JOURS[2], 2, {"nom": "Intermédiaire", "conditions_accueil": "y"}),
    ])  # fmt: skip
    assert [(p.du, p.au, p.etat["nom"], p.etat["conditions_accueil"]) for p in periodes] == [
        (JOURS[0], JOURS[2], "Ancien", "x"),
        (JOURS[2], JOURS[5], "Intermédiaire", "y"),
        (JOURS[5], None, "Nom prévu", "y"),
    ]


def test_deux_ajouts_a_la_meme_liste_survivent_tous_les_deux():
    periodes = plier([
        Changement(JOURS[0], 0, {"existe": True, "activites": {"ajoute": ["001"]}}),
        Changement(JOURS[5], 1, {"activites": {"ajoute": ["002"]}}),
        Changement(JOURS[2], 2, {"activites": {"ajoute": ["003"], "retire": ["001"]}}),
    ])  # fmt: skip
    assert [sorted(p.etat["activites"]) for p in periodes] == [["001"], ["003"], ["002", "003"]]


def test_aucun_changement_ne_donne_aucune_periode():
    assert plier([]) == []
    assert plier([Changement(JOURS[0], 0, {"nom": "jamais ouverte"})]) == []


# -- through the database ---------------------------------------------------------------------------------------------

operations = st.lists(
    st.one_of(
        st.lists(st.tuples(st.integers(0, 1), st.sampled_from(JOURS), patches()), min_size=1, max_size=3),
        st.integers(0, 20),  # cancels the live modification of that rank, modulo their number
    ),
    max_size=10,
)


@pytest.mark.django_db
@given(operations)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_les_versions_en_base_egalent_la_reference(suite):
    with transaction.atomic():
        acteur = personne()
        _, eg = etablissement(jour=DEBUT - timedelta(days=30))
        uos = enfants(eg, Niveau.UO, eg, 2, jour=DEBUT - timedelta(days=20))
        enregistrer([change(uo, DEBUT - timedelta(days=20), acteur, existe=False, nom="") for uo in uos])
        socle = set(Modification.objects.values_list("pk", flat=True))
        for operation in suite:
            if isinstance(operation, list):
                enregistrer([change(uos[rang], jour, acteur, **patch) for rang, jour, patch in operation])
                continue
            vivantes = Modification.objects.vivantes().exclude(pk__in=socle).order_by("pk")
            if vivantes:
                annuler(vivantes[operation % len(vivantes)], acteur)
        for uo in uos:
            entrees = [
                Saisie(m.date_effet, m.pk, m.patch, m.annulee_le is not None)
                for m in Modification.objects.filter(fiche=uo)
            ]
            lues = versions(uo)
            for jour in OBSERVES:
                presentes = [
                    v
                    for v in lues
                    if v.validite.lower <= jour and (v.validite.upper is None or jour < v.validite.upper)
                ]
                attendu = etat_le(entrees, jour)
                obtenu = [{nom: etat_de(v)[nom] for nom in CHAMPS} for v in presentes]
                assert obtenu == ([] if attendu is None else [attendu]), (uo, jour)
        assert ecarts() == []
        transaction.set_rollback(True)
