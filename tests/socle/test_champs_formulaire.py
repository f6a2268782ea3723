"""Form fields: their Python contract, what they refuse, and that what was typed comes back."""

import datetime
import html

import pytest
from django import forms
from django.http import QueryDict

from backoffice.socle.champs_formulaire import (
    ChoixField,
    ChoixMultipleField,
    CodesNombresField,
    CommunesField,
    ContactsField,
    DateField,
    EntierField,
    LignesField,
    Lot,
    LundiField,
    TexteField,
)

ACTIVITES = [("1", "Urgences"), ("2", "Traumatologie"), ("3", "Dialyse")]
COMMUNES = {"75115": "Paris 15e (75)", "93066": "Saint-Denis (93)", "97411": "Saint-Denis (974)"}


def formulaire(data: str | None = None, initial=None, **champs: forms.Field) -> forms.Form:
    classe = type("F", (forms.Form,), champs)
    return classe(data=None if data is None else QueryDict(data), initial=initial)


# -- codes


def test_codes_come_once_in_the_order_of_the_list():
    form = formulaire("a=3&a=1&a=3", a=ChoixMultipleField(choices=ACTIVITES))
    assert form.is_valid()
    assert form.cleaned_data["a"] == ["1", "3"]


def test_an_unknown_code_is_refused_and_stays_visible():
    form = formulaire("a=1&a=9", a=ChoixMultipleField(choices=ACTIVITES))
    assert form.errors["a"] == ["« 9 » n’est pas dans la liste. Retirer cette valeur."]
    assert "(code inconnu)" in str(form)
    assert form["a"].value() == ["1", "9"]


def test_a_closed_code_is_accepted_for_those_who_hold_it_and_said_closed():
    form = formulaire("a=9&a=1", a=ChoixMultipleField(choices=ACTIVITES, fermes=[("9", "Ancienne")]))
    assert form.is_valid()
    assert form.cleaned_data["a"] == ["1", "9"]
    assert "(code fermé)" in str(
        formulaire(initial={"a": ["9"]}, a=ChoixMultipleField(choices=ACTIVITES, fermes=[("9", "Ancienne")]))
    )


def test_none_ticked_is_an_answer():
    form = formulaire("", initial={"a": ["1"]}, a=ChoixMultipleField(choices=ACTIVITES, required=False))
    assert form.is_valid()
    assert form.cleaned_data["a"] == []
    assert form.changed_data == ["a"]


def test_the_order_of_codes_is_no_change():
    form = formulaire("a=1&a=2", initial={"a": ["2", "1"]}, a=ChoixMultipleField(choices=ACTIVITES))
    assert form.changed_data == []


def test_one_field_s_closed_codes_do_not_leak_into_another_form():
    class F(forms.Form):
        a = ChoixMultipleField(choices=ACTIVITES)

    premier = F()
    premier.fields["a"].fermes = [("9", "Ancienne")]
    assert F().fields["a"].fermes == []


def test_labels_are_escaped():
    html = str(formulaire(initial={"a": ["1"]}, a=ChoixMultipleField(choices=[("1", "<script>x</script>")])))
    assert "<script>" not in html


def test_single_code_with_a_closed_one():
    champ = ChoixField(choices=ACTIVITES, fermes=[("9", "Ancienne")])
    assert champ.choices[0] == ("", "Sélectionnez")
    assert champ.choices[-1] == ("9", "Ancienne (code fermé)")
    assert champ.clean("9") == "9"
    champ.choices = [("4", "Autre")]
    assert [c for c, _ in champ.choices] == ["", "4", "9"]
    with pytest.raises(forms.ValidationError, match="n’est pas dans la liste"):
        champ.clean("1")


def test_the_label_says_mandatory_in_words_and_ties_hint_and_error():
    html = str(formulaire("", nom=TexteField(label="Nom", help_text="Aide")))
    assert '<label for="id_nom">Nom <span class="obligatoire">(obligatoire)</span></label>' in html
    assert 'aria-describedby="id_nom_helptext id_nom_error"' in html
    assert 'id="id_nom_helptext"' in html
    assert 'id="id_nom_error"' in html
    assert 'aria-invalid="true"' in html
    assert "Cette information est obligatoire." in html


# -- communes


LOTS = [Lot("D93", "Tout le département : Seine-Saint-Denis (93), 3 communes", ("93001", "93005", "93066"))]
TOUTES = COMMUNES | {"93001": "Aubervilliers (93)", "93005": "Aulnay-sous-Bois (93)"}


def communes(**options) -> CommunesField:
    return CommunesField(
        url="/communes/",
        libelles=lambda codes: {c: TOUTES[c] for c in codes if c in TOUTES},
        resoudre=lambda t: (
            [Lot(c, lib, (c,)) for c, lib in COMMUNES.items() if t == c or t.lower() in lib.lower()]
            + [lot for lot in LOTS if lot.cle == t]
        ),
        departements=lambda: {"93": "Seine-Saint-Denis"},
        required=False,
        **options,
    )


def test_communes_keep_their_order_and_take_one_more_by_name():
    form = formulaire("t=93066&t=75115", t=communes())
    assert form.is_valid()
    assert form.cleaned_data["t"] == ["93066", "75115"]
    form = formulaire("t=93066&t-ajout=paris", t=communes())
    assert form.is_valid()
    assert form.cleaned_data["t"] == ["93066", "75115"]
    assert form.changed_data == ["t"]


def test_communes_come_by_whole_lots_and_go_one_by_one():
    form = formulaire("t=93066 75115&t-ajout=D93", t=communes())
    assert form.is_valid()
    assert form.cleaned_data["t"] == ["93066", "75115", "93001", "93005"]
    assert (
        "Tout le département : Seine-Saint-Denis (93), 3 communes : 2 ajoutées, 1 était déjà dans la liste."
    ) in html.unescape(str(form))
    form = formulaire("t=93001 93005 93066&t-retrait=93005&t-retrait=93066", t=communes())
    assert form.is_valid()
    assert form.cleaned_data["t"] == ["93001"]


def test_the_same_communes_in_another_order_are_no_change():
    form = formulaire("t=93066&t=75115", t=communes(initial=["75115", "93066"]))
    assert form.changed_data == []


def test_many_communes_are_one_box_a_departement():
    codes = [f"93{n:03d}" for n in range(400)]
    champ = CommunesField(
        libelles=lambda cs: {c: f"Commune {c} (93)" for c in cs}, departements=lambda: {"93": "Seine"}
    )
    page = champ.widget.render("t", codes, {"id": "id_t"})
    assert page.count('name="t" ') == 1
    assert "Seine (93) : 400 communes" in page
    assert page.count('name="t-retrait"') == 400
    toutes = [f"{d:02d}{n:03d}" for d in range(1, 96) for n in range(370)]
    libelles = {c: f"Commune {c} ({c[:2]})" for c in toutes}
    champ = CommunesField(libelles=lambda cs: libelles, departements=dict)
    page = champ.widget.render("t", toutes, {"id": "id_t"})
    assert page.count('name="t" ') == 95
    assert "t-retrait" not in page
    assert len(page) < 250_000


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("t=00000", "« 00000 » n’est pas une commune connue. La retirer."),
        (
            "t-ajout=Atlantide",
            "Aucune commune ni aucun département ni aucun EPCI ne s’appelle « Atlantide ». Vérifier le nom, ou écrire "
            "son code INSEE.",
        ),
        ("t=75115&t-ajout=75115", "Paris 15e (75) est déjà dans la liste."),
        (
            "t=93001 93005 93066&t-ajout=D93",
            "Tout le département : Seine-Saint-Denis (93), 3 communes : toutes sont déjà dans la liste.",
        ),
        (
            "t-ajout=saint-denis",
            "Plusieurs réponses pour « saint-denis » : Saint-Denis (93) – 93066, Saint-Denis (974) – 97411."
            " Écrire le code de la bonne.",
        ),
    ],
)
def test_communes_refused(data, message):
    form = formulaire(data, t=communes())
    assert form.errors["t"] == [message]
    if "ajout=" in data:
        assert f'value="{data.split("ajout=")[1]}"' in str(form)


# -- dates, numbers


def test_dates():
    assert DateField().clean("2027-03-01") == datetime.date(2027, 3, 1)
    assert DateField().clean("01/03/2027") == datetime.date(2027, 3, 1)
    assert LundiField().clean("2027-03-04") == datetime.date(2027, 3, 1)
    assert 'type="date"' in str(formulaire(initial={"d": datetime.date(2027, 3, 1)}, d=DateField()))
    assert 'value="2027-03-01"' in str(formulaire(initial={"d": datetime.date(2027, 3, 1)}, d=DateField()))
    with pytest.raises(forms.ValidationError, match="Cette date n’existe pas"):
        DateField().clean("31/02/2027")


def test_numbers_say_what_is_expected():
    champ = EntierField(min_value=1, max_value=10)
    assert champ.clean("3") == 3
    for texte, message in [("douze", "entier"), ("0", "1 ou plus"), ("11", "10 au plus")]:
        with pytest.raises(forms.ValidationError, match=message):
            champ.clean(texte)


# -- rows


def capacites(**options) -> LignesField:
    return LignesField(
        mot="capacité",
        required=False,
        uniques=("nature",),
        **options,
        colonnes={
            "nature": ChoixField(choices=ACTIVITES, label="Nature"),
            "nombre": EntierField(label="Nombre", min_value=0),
        },
    )


def test_rows_are_dicts_and_blank_or_removed_ones_are_left_out():
    form = formulaire(
        "c-present=1&c-0-nature=1&c-0-nombre=12&c-1-nature=&c-1-nombre=&c-7-nature=2&c-7-nombre=0&c-9-nature=3&c-9-nombre=1&c-9-retirer=1",
        c=capacites(),
    )
    assert form.is_valid(), form.errors
    assert form.cleaned_data["c"] == [{"nature": "1", "nombre": 12}, {"nature": "2", "nombre": 0}]


def test_a_wrong_cell_is_said_in_the_row_and_beside_the_cell():
    form = formulaire("c-present=1&c-0-nature=1&c-0-nombre=douze&c-1-nature=&c-1-nombre=4", c=capacites())
    assert form.errors["c"] == [
        "Capacité 1, Nombre : Écrire un nombre entier.",
        "Capacité 2, Nature : Cette information est obligatoire.",
    ]
    html = str(form)
    assert 'id="id_c-0-nombre_error"' in html
    assert 'id="id_c-1-nature_error"' in html
    assert 'value="douze"' in html


def test_rows_that_must_differ():
    form = formulaire("c-present=1&c-0-nature=1&c-0-nombre=1&c-1-nature=1&c-1-nombre=2", c=capacites())
    assert form.errors["c"] == ["Capacité 2 : déjà indiqué à la ligne 1. Garder une seule des deux."]


def test_unchanged_rows_are_no_change():
    initial = {"c": [{"nature": "1", "nombre": 12}]}
    assert not formulaire("c-present=1&c-0-nature=1&c-0-nombre=12", initial=initial, c=capacites()).has_changed()
    assert formulaire("c-present=1", initial=initial, c=capacites()).has_changed()
    assert not formulaire("c-present=1", initial={}, c=capacites()).has_changed()


def test_errors_of_one_person_do_not_reach_the_next():
    class F(forms.Form):
        contacts = ContactsField(natures=ACTIVITES, canaux=ACTIVITES, confidentialites=ACTIVITES, required=False)

    fautif = F(data=QueryDict("contacts-present=1&contacts-0-nature=1&contacts-0-confidentialite=8"))
    assert not fautif.is_valid()
    assert F.base_fields["contacts"].widget.erreurs == {}
    assert "_error" not in str(F(initial={"contacts": [{"nature": "1", "confidentialite": "1", "telecoms": []}]}))


def test_codes_and_numbers():
    champ = CodesNombresField(choices=ACTIVITES, required=False)
    form = formulaire(
        "e-present=1&e-0-code=2&e-0-nombre=3&e-1-code=1&e-1-nombre=1", initial={"e": {"2": 3, "1": 1}}, e=champ
    )
    assert form.is_valid()
    assert form.cleaned_data["e"] == {"2": 3, "1": 1}
    assert not form.has_changed()
    assert 'value="3"' in str(formulaire(initial={"e": {"2": 3}}, e=CodesNombresField(choices=ACTIVITES)))


# -- contacts

NIVEAUX = [("L", "Libre"), ("R", "Restreint"), ("T", "Très restreint")]


def contacts() -> ContactsField:
    return ContactsField(
        natures=[("1", "Accueil")],
        fonctions=[("1", "Cadre")],
        canaux=[("1", "Téléphone")],
        confidentialites=NIVEAUX,
        required=False,
    )


def saisie(
    *, nature="1", nom="", fonction="", confidentialite="R", canal="1", valeur="01 40", niveau="R", ident=""
) -> str:
    q = QueryDict(mutable=True)
    q["k-present"] = "1"
    q["k-0-id"] = ident
    q["k-0-nature"], q["k-0-nom"], q["k-0-fonction"], q["k-0-confidentialite"] = nature, nom, fonction, confidentialite
    q["k-0-telecoms-present"] = "1"
    q["k-0-telecoms-0-canal"], q["k-0-telecoms-0-valeur"], q["k-0-telecoms-0-confidentialite"] = canal, valeur, niveau
    return q.urlencode()


def test_contacts_keep_their_identity_and_telecoms():
    form = formulaire(saisie(ident="c1"), k=contacts())
    assert form.is_valid(), form.errors
    assert form.cleaned_data["k"] == [
        {
            "id": "c1",
            "nature": "1",
            "nom": "",
            "fonction": "",
            "confidentialite": "R",
            "telecoms": [{"canal": "1", "valeur": "01 40", "confidentialite": "R"}],
        }
    ]


@pytest.mark.parametrize(
    ("cas", "message"),
    [
        ({"nature": ""}, "Contact 1 : Choisir une nature de contact, ou donner un nom et une fonction."),
        ({"nature": "", "nom": "Dr A"}, "Contact 1 : Indiquer la fonction de Dr A."),
        (
            {"nature": "1", "nom": "Dr A", "fonction": "1"},
            "Contact 1 : Choisir une nature de contact, ou donner un nom et une fonction, mais pas les deux.",
        ),
        (
            {"confidentialite": "T", "niveau": "L"},
            "Contact 1 : Un moyen de contact ne peut pas être moins confidentiel que son contact (très restreint).",
        ),
        ({"valeur": ""}, "Contact 1, moyen de contact 1, Numéro ou adresse : Cette information est obligatoire."),
    ],
)
def test_contacts_refused(cas, message):
    form = formulaire(saisie(**cas), k=contacts())
    assert form.errors["k"] == [message]
    assert 'id="id_k-0-' in str(form)


def test_a_refused_telecom_says_which_one_of_which_contact():
    champ = ContactsField(
        natures=[("1", "Secrétariat")],
        canaux=[("1", "Téléphone")],
        confidentialites=NIVEAUX,
        verifier_telecom=lambda canal, valeur: f"« {valeur} » n’est pas un numéro." if canal == "1" else "",
    )
    form = formulaire(saisie(valeur="demain"), k=champ)
    assert form.errors["k"] == ["Contact 1, moyen de contact 1 : « demain » n’est pas un numéro."]
    assert 'id="id_k-0-telecoms-0-valeur_error"' in str(form)


def test_two_ways_to_remove_in_a_contact_have_their_own_words():
    html = str(formulaire(initial={}, k=contacts()))
    assert "> Retirer ce contact</label>" in html
    assert "> Retirer ce moyen de contact</label>" in html


def test_a_prefilled_blank_contact_is_ignored():
    assert formulaire(saisie(nature="", canal="", valeur=""), k=contacts()).is_valid()
    form = formulaire(saisie(nature="", canal="", valeur=""), k=contacts())
    form.is_valid()
    assert form.cleaned_data["k"] == []


def test_new_contacts_start_restricted():
    modele = str(formulaire(initial={}, k=contacts()))
    assert '<option value="R" selected>Restreint</option>' in modele
