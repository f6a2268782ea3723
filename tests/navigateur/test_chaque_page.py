"""Every page of the product, as those who see little, use a phone or no mouse get it; under the CSP.

The pages are the addresses of the resolver, filled by the table of tests/test_autorisations.py: a new address is walked
without a word here.
"""

import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.test_autorisations import eg_nomme, table, uo_de

from .conftest import BUREAU, TELEPHONE, fautes_axe

pytestmark = [pytest.mark.navigateur, pytest.mark.lent, pytest.mark.timeout(600)]

# Files, JSON, redirections, and the HTML of a mail, in a sandbox that no script enters.
PAS_DES_PAGES = {
    "sante-vive",
    "sante-prete",
    "fhir_metadata",
    "fhir_jeton",
    "fhir_smart",
    "communes",
    "exporter",
    "fiche_structures",
    "dossier_circuit",
    "dossier_exporter",
    "dossier_journal_exporter",
    "dossier_gabarit",
    "etablissement_gabarit",
    "fiche_pdf",
    "dossier_decision_exporter",
    "export_fichier",
    "comptes_modele",
    "envoi_html",
    "importation_fichier",
}
ANONYME = {"connexion", "aide-composants"}  # walked by tests/socle and tests/comptes, without an account
PERSONNES = (
    "referent.ehpad",
    "referent.hopital",
    "direction.hopital",
    "gestionnaire",
    "tutelle.ars",
    "referent.sessad",
)

# What Tab has to reach, and how many times to press it; the shell is walked on a person's first page only. Of a group
# of radio buttons one is a stop, of a tree one row; a date or an hour has a stop for each of its parts, and a box that
# scrolls is one.
ARRETS = """(debutDe) => {
  const groupes = new Set();
  const zone = document.querySelector(debutDe);
  window.debut = (e) => e.outerHTML.slice(0, 200);
  window.sansMarque = [];
  window.atteints = new Set();
  document.addEventListener('focusin', ({ target }) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(target);
    const point = target.querySelector(':scope > :is(circle, path)'); // of the map: its edge thickens
    const entoure = outlineStyle !== 'none' && parseFloat(outlineWidth) > 2;
    window.atteints.add(target);
    if (!(point ? parseFloat(getComputedStyle(point).strokeWidth) > 3 : entoure)) window.sansMarque.push(debut(target));
  });
  window.attendus = [...zone.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')]
    .filter((e) => e.tabIndex >= 0 && !e.disabled && e.checkVisibility({ visibilityProperty: true }))
    .filter((e) => {
      if (e.type !== 'radio') return true;
      const choisi = document.querySelector(`input[type=radio][name="${e.name}"]:checked`);
      if (choisi) return choisi === e;
      return !groupes.has(e.name) && groupes.add(e.name);
    });
  zone.setAttribute('tabindex', '-1');
  zone.focus();
  sansMarque.length = 0; // nobody goes there by Tab
  const parties = 3 * attendus.filter((e) => ['date', 'time'].includes(e.type)).length;
  return attendus.length + parties + 20 * zone.querySelectorAll('iframe').length + 3; // links inside of a mail
}"""
MANQUES = """() => ({
  positifs: [...document.querySelectorAll('[tabindex]')].filter((e) => e.tabIndex > 0).map(debut),
  sansMarque,
  sautes: attendus.filter((e) => !atteints.has(e)).map(debut),
})"""


def pages(qui: str) -> list[str]:
    """Paths of the pages that this person walks: each address by the first one who may see it."""
    trouvees = [
        (
            next((p for p in PERSONNES if p in un.voient), ""),
            f"{reverse(nom, kwargs=un.kwargs)}?{urlencode(un.donnees)}",
        )
        for nom, cas in table().items()
        for un in cas
        if nom not in PAS_DES_PAGES | ANONYME and un.voient
    ]
    eg, uo = eg_nomme("Hôpital TEST"), uo_de("EHPAD TEST")
    plus_tard = timezone.localdate() + timedelta(days=30)
    trouvees += [
        ("referent.hopital", "/repertoire/?q="),
        ("referent.hopital", "/repertoire/?mss=1&derouler=page"),
        ("referent.hopital", "/repertoire/?q=introuvable"),
        ("referent.hopital", reverse("fiche", args=[eg.identifiant])),
        ("referent.ehpad", f"{reverse('fiche', args=[uo.identifiant])}?au={plus_tard.isoformat()}"),
        ("referent.ehpad", "/signalements/?onglet=les-miens"),
        ("referent.ehpad", "/signalements/?onglet=traites"),
        ("gestionnaire", "/"),
        ("direction.hopital", "/"),
        ("tutelle.ars", "/taches/?onglet=terminees"),
    ]
    assert "" not in {personne for personne, _ in trouvees}
    return [chemin.removesuffix("?") for personne, chemin in trouvees if personne == qui]


def fautes(page: Page, chemin: str, zone: str) -> dict[str, object] | None:
    """What is wrong with a page: by day on a phone, by night on a large screen, then by Tab in this part of it.

    None for an address that leads to another one, which has its own line in the table.
    """
    page.set_viewport_size(TELEPHONE)
    reponse = page.goto(chemin)
    assert reponse is not None
    if reponse.request.redirected_from:
        return None
    expect(page.locator(".htmx-request")).to_have_count(0)
    trouvees: dict[str, object] = {"statut": reponse.status if reponse.status not in (200, 409, 422) else 0}
    trouvees["largeur"] = page.evaluate("Math.max(0, document.documentElement.scrollWidth - innerWidth)")
    page.evaluate("for (const d of document.querySelectorAll('main details:not(.deroulant)')) d.open = true")
    trouvees["telephone"] = fautes_axe(page)
    page.set_viewport_size(BUREAU)
    page.emulate_media(color_scheme="dark")
    trouvees["sombre"] = fautes_axe(page, "color-contrast", dans=zone)
    page.emulate_media(color_scheme="light")
    clavier = page.context.new_cdp_session(page)  # half the messages of page.keyboard
    for _ in range(page.evaluate(ARRETS, zone)):
        clavier.send(
            "Input.dispatchKeyEvent", {"type": "rawKeyDown", "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
        )
    clavier.detach()
    trouvees |= page.evaluate(MANQUES)
    trouvees["console"] = list(page.ennuis)  # type: ignore[attr-defined]
    page.ennuis.clear()  # type: ignore[attr-defined]
    return {quoi: lesquelles for quoi, lesquelles in trouvees.items() if lesquelles}


@pytest.mark.parametrize("qui", PERSONNES)
def test_chaque_page(site, qui):
    page = site.entrer(qui)
    trouvees, zone = {}, "body"
    for chemin in pages(qui):
        constat = fautes(page, chemin, zone)
        if constat is None:
            continue
        zone = "main"  # the shell is the same on all of them
        if constat:
            trouvees[chemin] = constat
    assert not trouvees, json.dumps(trouvees, indent=1, ensure_ascii=False)
