"""Acceptance D in a browser: pencil, editors, summary, date d’effet; then the same without JavaScript, on a phone."""

import re
from datetime import date, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from backoffice.comptes.models import User
from structures.enums import Niveau
from structures.models import Fiche
from structures.regles import egs_de
from structures.requetes import version_au
from tests.factories import repertoire as fabrique

from .conftest import TELEPHONE, sans_defaut

pytestmark = pytest.mark.navigateur


@pytest.fixture
def unite(site) -> Fiche:
    """An UO of the référent that no dossier holds, closed on Sundays."""
    egs = egs_de(User.objects.get(username="referent.hopital"))
    libres = Fiche.objects.filter(eg__in=egs, niveau=Niveau.UO, reservee__isnull=True).order_by("pk")
    return next(u for u in libres if not any(s.get("7") for s in version_au(u).horaires.values()))


def contenu(unite: Fiche, jour: date | None = None):
    return version_au(unite, jour)


def libelle(page, code: str) -> re.Pattern[str]:
    texte = page.locator(f"input[name=actes][value='{code}'] + span").text_content().strip()
    return re.compile(f"^{re.escape(texte)}$")


def modifier(page) -> None:
    page.locator(".actions-form").get_by_role("button", name="Modifier", exact=True).click()


def test_du_crayon_a_la_fiche_modifiee(site, unite):
    adresse = f"/repertoire/{unite.identifiant}/"
    page = site.entrer("referent.hopital", adresse)
    page.get_by_role("link", name="Modifier", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Modifier")
    sans_defaut(page)

    # 30 to 33: « Sélectionnez », search, tick several, « Ajouter », take one off by its icon
    tenus = set(contenu(unite).actes)
    actes = page.locator("ror-choix", has=page.locator("#id_actes"))
    actes.locator("summary").click()
    libres = actes.locator("input[type=checkbox]:not(:checked)")
    codes = [libres.nth(i).get_attribute("value") for i in (0, 1, 2)]
    for code in codes:
        actes.locator(f"input[value='{code}']").check()
    expect(actes.locator(".puce")).to_have_count(len(tenus))  # not before « Ajouter »
    actes.get_by_role("button", name="Ajouter").click()
    expect(actes.locator(".puce")).to_have_count(len(tenus) + 3)
    actes.locator(".puce", has_text=libelle(page, codes[1])).get_by_role("button").click()
    expect(actes.locator(".puce")).to_have_count(len(tenus) + 2)
    # 35 to 40
    page.locator("#id_conditions_admission").fill("Sur rendez-vous <b>seulement</b>")
    page.locator("#id_territoire").press_sequentially("vanves")
    page.locator("#saisie-territoire").get_by_role("option", name="Vanves (92)").click()
    # 41 to 46: an hour clicked on Sunday, its end dragged to midnight, then by the list, copied to Saturday
    page.locator(".semaine-ouvrir").first.click()
    dimanche = page.locator("dialog[open] .grille-colonne").nth(6)
    dimanche.click(position={"x": 20, "y": 32 * 20 + 5})
    bloc = dimanche.locator(".plage")
    expect(bloc).to_contain_text("Horaire d'ouverture")
    bord = dimanche.locator(".plage-bas").bounding_box()
    page.mouse.move(bord["x"] + 20, bord["y"] + 4)
    page.mouse.down()
    page.mouse.move(bord["x"] + 20, bord["y"] + 400, steps=5)
    page.mouse.up()
    expect(bloc).to_have_attribute("aria-label", "Horaire d'ouverture, dimanche, de 20 h à 24 h")
    page.get_by_label("Début", exact=True).select_option("21:15")
    expect(bloc).to_have_attribute("aria-label", "Horaire d'ouverture, dimanche, de 21 h 15 à 24 h")
    page.get_by_label("Jour à recopier").select_option("dimanche")
    page.get_by_label("Vers", exact=True).select_option("samedi")
    page.locator("dialog[open]").get_by_role("button", name="Recopier", exact=True).click()
    sans_defaut(page)
    page.locator("dialog[open]").get_by_role("button", name="Modifier", exact=True).click()
    lundi = page.locator("#id_horaires_01_lundi")
    expect(lundi).to_be_focused()
    lundi.fill("2030-01-09")

    # leaving with something typed is asked first
    page.once("dialog", lambda d: d.dismiss())
    page.get_by_role("link", name="Accueil", exact=True).first.click()
    expect(page.locator("#id_conditions_admission")).to_have_value("Sur rendez-vous <b>seulement</b>")

    # 47 to 49
    modifier(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Ce qui va changer")
    sans_defaut(page)
    page.get_by_role("button", name="Revenir à la saisie").click()
    expect(actes.locator(".puce")).to_have_count(len(tenus) + 2)
    modifier(page)
    demain = timezone.localdate() + timedelta(days=1)
    page.get_by_label("Date à laquelle les modifications doivent être prises en compte").fill(demain.isoformat())
    page.get_by_role("button", name="Enregistrer", exact=True).click()
    expect(page.locator("#messages")).to_contain_text("Ils seront visibles dans le répertoire le")
    expect(page.locator("#messages").get_by_role("link", name="Voir ou annuler ce changement")).to_be_visible()
    assert contenu(unite).conditions_admission != contenu(unite, demain).conditions_admission
    lue = contenu(unite, demain)
    assert lue.conditions_admission == "Sur rendez-vous <b>seulement</b>"
    assert set(lue.actes) == tenus | {codes[0], codes[2]}
    assert "92075" in lue.territoire
    semaine = lue.horaires["01/2030-01-07"]
    assert (semaine["6"], semaine["7"]) == ([["21:15", "24:00"]], [["21:15", "24:00"]])


def test_un_lien_vers_un_champ_replie_l_ouvre(site, unite):
    page = site.entrer("referent.hopital", f"/repertoire/{unite.identifiant}/modifier/")
    for ancre in ("id_horaires_03", "id_contacts", "id_activites", "id_horaires"):
        page.goto(f"/repertoire/{unite.identifiant}/modifier/?x={ancre}#{ancre}")
        page.wait_for_function("() => document.activeElement !== document.body")
        cible = page.evaluate(
            "n => { const e = document.getElementById(n); return e.contains(document.activeElement)"
            " || e.parentElement.contains(document.activeElement) }",
            ancre,
        )
        assert cible, ancre
    sans_defaut(page)


def test_le_meme_changement_sans_javascript_sur_un_telephone(site, unite):
    adresse = f"/repertoire/{unite.identifiant}/modifier/"
    page = site.entrer("referent.hopital", adresse, java_script_enabled=False, viewport=TELEPHONE)
    page.locator("#id_actes").click()
    page.locator("input[name=actes]").first.check()
    code = page.locator("input[name=actes]").first.get_attribute("value")
    page.locator("#id_territoire").fill("Vanves")
    page.locator("#id_horaires_01_7").fill("9h-12h, 22h-24h")
    page.locator("#id_horaires_01_lundi").fill("2030-01-09")
    page.locator("#id_conditions_accueil").fill("De moi")
    page.locator("#id_age_min").fill("douze")
    modifier(page)
    expect(page.get_by_text("Écrire un nombre entier.").first).to_be_visible()
    expect(page.locator("#id_horaires_01_7")).to_have_value("9h-12h, 22h-24h")
    page.locator("#id_age_min").fill("12")
    modifier(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Ce qui va changer")
    # somebody else saves the same field: settled here, by a choice
    collegue = User.objects.get(username="direction.hopital")
    fabrique.direct(unite, collegue, {"conditions_accueil": "Du collègue"})
    page.get_by_role("button", name="Enregistrer", exact=True).click()
    expect(page.get_by_text("Un champ est à départager")).to_be_visible()
    page.get_by_label(re.compile("Garder ma saisie")).check()
    page.get_by_role("button", name="Enregistrer", exact=True).click()
    expect(page.locator("#messages")).to_contain_text("visibles dès maintenant")
    lue = contenu(unite)
    assert (lue.conditions_accueil, lue.age_min, code in lue.actes) == ("De moi", 12, True)
    assert lue.horaires["01/2030-01-07"]["7"] == [["09:00", "12:00"], ["22:00", "24:00"]]
    assert "92075" in lue.territoire
    assert page.evaluate("document.documentElement.scrollWidth") <= TELEPHONE["width"]
