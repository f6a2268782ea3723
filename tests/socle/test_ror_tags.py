"""Template tags: French dates, numbers, plurals, query strings, differences."""

import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from hypothesis import given
from hypothesis import strategies as st

from backoffice.socle.etats import SIGNES
from backoffice.socle.templatetags import ror

N, F = "\u00a0", "\u202f"
PARIS = ZoneInfo("Europe/Paris")


def test_long_dates():
    assert ror.date_longue(datetime.date(2027, 3, 3)) == f"3{N}mars{N}2027"
    assert ror.date_longue(datetime.date(2027, 3, 1), "jour") == f"lundi 1er{N}mars{N}2027"
    assert ror.date_longue("2027-03-03") == f"3{N}mars{N}2027"
    assert (
        ror.date_longue(datetime.datetime(2027, 1, 3, 23, 30, tzinfo=datetime.UTC), "heure")
        == f"4{N}janvier{N}2027 à 0{N}h{N}30"
    )
    assert ror.date_longue(None) == ror.date_longue("") == ror.date_longue("hier") == ""


@pytest.mark.parametrize(
    ("ecart", "mots"),
    [
        ({"seconds": 10}, "à l’instant"),
        ({"minutes": 1, "seconds": 5}, f"il y a 1{N}minute"),
        ({"minutes": 40}, f"il y a 40{N}minutes"),
        ({"hours": 3}, f"il y a 3{N}heures"),
        ({"days": 1}, "hier"),
        ({"days": 2}, f"il y a 2{N}jours"),
        ({"days": 90}, f"il y a 3{N}mois"),
        ({"days": 400}, f"il y a 1{N}an"),
        ({"days": 800}, f"il y a 2{N}ans"),
        ({"days": -1}, "demain"),
        ({"days": -5}, f"dans 5{N}jours"),
    ],
)
def test_how_long_ago(monkeypatch, ecart, mots):
    maintenant = datetime.datetime(2027, 3, 10, 15, 0, tzinfo=PARIS)
    monkeypatch.setattr(timezone, "now", lambda: maintenant)
    html = ror.il_y_a(maintenant - datetime.timedelta(**ecart))
    assert f">{mots}<span" in html
    assert html.startswith("<time datetime=")
    assert 'title="' in html


def test_how_long_ago_of_a_day_and_of_nothing():
    assert f"il y a 2{N}jours" in ror.il_y_a(timezone.localdate() - datetime.timedelta(days=2))
    assert ror.il_y_a(None) == ""


def test_numbers_and_plurals():
    assert ror.nombre(1234567) == f"1{F}234{F}567"
    assert ror.nombre(1234.5) == f"1{F}234,5"
    assert ror.nombre(-3) == "\u22123"
    assert ror.nombre(None) == ""
    assert ror.nombre("abc") == "abc"
    assert [ror.pluriel(n) for n in (0, 1, 1.5, 2, [1, 2])] == ["", "", "", "s", "s"]
    assert [ror.pluriel(n, "al,aux") for n in (1, 2)] == ["al", "aux"]


def test_url_avec_replaces_and_removes():
    request = RequestFactory().get("/repertoire/?q=a b&page=3&n=1&n=2")
    rendu = Template('{% url_avec page=4 q=None etat="à faire" %}').render(Context({"request": request}))
    assert rendu == "?n=1&amp;n=2&amp;page=4&amp;etat=%C3%A0+faire"
    assert Template("{% url_avec page=None %}").render(Context({})) == "?"


def test_typo():
    assert ror.typo("« Bonjour » : oui ; non ? vite !") == f"«{F}Bonjour{F}»{N}: oui{F}; non{F}? vite{F}!"
    assert ror.typo("dossier n° 4") == f"dossier n°{N}4"
    assert ror.typo("08:00-12:00 http://a") == "08:00-12:00 http://a"
    assert isinstance(ror.typo(mark_safe("<b>« a »</b>")), SafeString)
    assert not isinstance(ror.typo("<b>"), SafeString)
    champ = mark_safe('<input value="« a »">')
    assert ror.typo(champ) == champ


def test_badges_always_have_a_word_and_an_icon_of_the_sprite():
    from django.contrib.staticfiles import finders

    sprite = Path(finders.find("ror/icones.svg")).read_text("utf-8")
    for etat, signe in SIGNES.items():
        assert signe.mot in ror.badge_etat(etat)
        assert f'id="{signe.icone}"' in sprite, etat
    assert "etat inconnu" in ror.badge_etat("etat_inconnu")
    assert "&lt;b&gt;" in ror.badge_etat("<b>")


@given(st.text(max_size=80), st.text(max_size=80))
def test_differences_lose_no_text_and_escape(avant, apres):
    import html
    import re

    gauche, droite = ror.differences(avant, apres)
    nu = lambda h: html.unescape(re.sub(r"</?(?:del|ins)>", "", h))  # noqa: E731
    assert nu(gauche) == avant
    assert nu(droite) == apres


def test_differences_mark_words_and_items():
    assert ror.differences("Sur avis du réanimateur", "Sur avis du médecin de garde") == (
        "Sur avis du <del>réanimateur</del>",
        "Sur avis du <ins>médecin de garde</ins>",
    )
    assert ror.differences(["a", "b"], ["b", "c"]) == ("<del>a</del><br>b", "b<br><ins>c</ins>")
    assert ror.differences(None, "x") == ("", "<ins>x</ins>")


def test_differences_of_very_long_texts_stay_quick():
    import time

    debut = time.perf_counter()
    ror.differences("mot " * 20_000, "mat " * 20_000)
    assert time.perf_counter() - debut < 2
