"""A typical week: what is read, what is refused and in which words."""

import itertools

import pytest
from django import forms
from hypothesis import given
from hypothesis import strategies as st

from backoffice.socle import semaine
from backoffice.socle.champs_formulaire import SemaineField

QUARTS = st.integers(0, 96).map(lambda q: q * 15)


@st.composite
def jours(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Intervals of a day in order, none touching the next."""
    bornes = sorted(draw(st.sets(QUARTS, max_size=8)))
    return [(d, f) for d, f in zip(bornes[::2], bornes[1::2], strict=False)]


class Formulaire(forms.Form):
    horaires = SemaineField(label="Horaires", required=False)


def soumettre(**textes: str) -> Formulaire:
    return Formulaire(data={f"horaires-{j[1:]}": t for j, t in textes.items()})


@given(st.lists(jours(), min_size=7, max_size=7))
def test_what_is_shown_is_read_back(semaine_type):
    valeur = {
        j: [[semaine.en_heure(d), semaine.en_heure(f)] for d, f in plages] for j, plages in enumerate(semaine_type, 1)
    }
    textes = SemaineField().widget.format_value(valeur)
    form = Formulaire(data={f"horaires-{j}": t for j, t in textes.items()}, initial={"horaires": valeur})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["horaires"] == valeur
    assert form.changed_data == []


@given(st.dictionaries(st.integers(1, 7), st.text(max_size=60)))
def test_any_text_is_read_or_refused_and_kept(textes):
    form = Formulaire(data={f"horaires-{j}": t for j, t in textes.items()})
    if form.is_valid():
        for plages in form.cleaned_data["horaires"].values():
            minutes = [(semaine.en_minutes(d), semaine.en_minutes(f)) for d, f in plages]
            assert all(d < f for d, f in minutes)
            assert all(f < d for (_, f), (d, _) in itertools.pairwise(minutes))
    else:
        assert all(m.split(" ")[0].lower() in semaine.JOURS for m in form.errors["horaires"])
    assert form["horaires"].value() == {j: textes.get(j, "") for j in range(1, 8)}


@given(jours(), QUARTS, QUARTS)
def test_an_overlap_is_refused_naming_day_and_hours(plages, debut, fin):
    if debut >= fin:
        return
    texte = ", ".join(f"{semaine.en_heure(d)}-{semaine.en_heure(f)}" for d, f in [*plages, (debut, fin)])
    _, refus = semaine.lire_jour(texte, 3)
    chevauche = any(d < fin and debut < f for d, f in plages)
    assert bool(refus) == chevauche
    for message in refus:
        assert message.startswith("Mercredi : les plages ")
        assert message.endswith(" se chevauchent.")


@pytest.mark.parametrize(
    ("texte", "attendu"),
    [
        ("8-12, 14h-18h30", [["08:00", "12:00"], ["14:00", "18:30"]]),
        ("8h à 12h et 14:00–18:00", [["08:00", "12:00"], ["14:00", "18:00"]]),
        ("14:00-18:00 ; 08:00-12:00", [["08:00", "12:00"], ["14:00", "18:00"]]),
        ("20:00-24:00", [["20:00", "24:00"]]),
        ("08:00-12:00, 12:00-18:00", [["08:00", "18:00"]]),
        ("24h/24", [["00:00", "24:00"]]),
        ("fermé", []),
        ("", []),
    ],
)
def test_reads_what_people_write(texte, attendu):
    assert semaine.lire_jour(texte, 1) == (attendu, [])


@pytest.mark.parametrize(
    ("texte", "refus"),
    [
        ("18:00-08:00", "Lundi : la fin (08:00) doit venir après le début (18:00)."),
        ("20:00-00:00", "Lundi : la fin (00:00) doit venir après le début (20:00). Pour minuit, écrire 24:00."),
        ("08:00-25:00", "Lundi : « 08:00-25:00 » n’est pas une plage d’heures. Écrire par exemple 08:00-12:00."),
        ("demain", "Lundi : « demain » n’est pas une plage d’heures. Écrire par exemple 08:00-12:00."),
        ("08:00-12:00, 11:00-14:00", "Lundi : les plages 08:00-12:00 et 11:00-14:00 se chevauchent."),
    ],
)
def test_refuses_in_words(texte, refus):
    form = soumettre(j1=texte)
    assert not form.is_valid()
    assert form.errors["horaires"] == [refus]


def test_a_refused_day_is_marked_and_keeps_its_text():
    form = soumettre(j2="demain", j3="08:00-12:00")
    html = str(form)
    assert 'value="demain"' in html
    assert html.count('aria-invalid="true"') == 1


def test_json_gives_days_as_text():
    assert semaine.normaliser({"1": [["08:00", "12:00"]]}) == {1: [["08:00", "12:00"]], **{j: [] for j in range(2, 8)}}
    assert not Formulaire(
        data={"horaires-1": "08:00-12:00"}, initial={"horaires": {"1": [["08:00", "12:00"]]}}
    ).has_changed()


def test_required_wants_one_interval():
    class Exige(forms.Form):
        horaires = SemaineField()

    assert Exige(data={"horaires-1": ""}).errors == {"horaires": ["Indiquer au moins une plage d’heures."]}


def test_hours_in_words():
    assert (
        semaine.plages_en_mots([["08:00", "12:00"], ["14:00", "18:30"]])
        == "8\u00a0h\u00a0–\u00a012\u00a0h, 14\u00a0h\u00a0–\u00a018\u00a0h\u00a030"
    )
    assert semaine.plages_en_mots([]) == "fermé"
    assert semaine.plages_en_mots([["00:00", "24:00"]]) == "24\u00a0h/24"
    assert semaine.lignes({}) == []
