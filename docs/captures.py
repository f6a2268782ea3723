"""Pictures of the screens for the README and the documentation.

    .venv/bin/python -m docs.captures http://localhost:8000 [FOLDER]

The product runs with fresh demo data. On Hôpital TEST the script makes a dossier that adds, moves and deletes: give it
an instance of its own (`PORT=8123 VAR_DIR=/tmp/captures make run`).
"""

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from backoffice.embarque.comptes_demo import MOT_DE_PASSE

DOSSIER = "Réorganisation de la cardiologie"
BUREAU = {"width": 1280, "height": 860}
TELEPHONE = {"width": 360, "height": 740}


def entrer(navigateur: Browser, url: str, qui: str, taille: dict[str, int]) -> Page:
    contexte = navigateur.new_context(
        locale="fr-FR", base_url=url, viewport=taille, color_scheme="light", reduced_motion="reduce"
    )
    page = contexte.new_page()
    page.goto("/connexion/")
    page.get_by_label("Identifiant").fill(qui)
    page.get_by_label("Mot de passe").fill(MOT_DE_PASSE)
    page.get_by_role("button", name="Connexion").click()
    page.wait_for_url(f"{url}/")
    return page


def agir(page: Page, fiche: str, action: str) -> None:
    arbre = page.locator("#arbre-dossier")
    arbre.get_by_label(f"Actions sur {fiche}").first.click()
    arbre.locator("details.deroulant[open]").get_by_text(action, exact=True).click()


def preparer(page: Page) -> None:
    """The dossier of the picture: one unit added, one renamed and finalised, one moved, one deleted."""
    page.goto("/dossiers/creer/")
    page.locator("#id_eg").select_option(label="Hôpital TEST")
    page.get_by_label("Nom du dossier").fill(DOSSIER)
    page.get_by_role("button", name="Enregistrer").click()
    page.get_by_role("heading", name="Pour commencer").wait_for()
    espace = page.url
    agir(page, "Unité de consultation de cardiologie", "Dupliquer")
    page.locator("#arbre-dossier .arbre-ligne", has_text="ajout").get_by_role("link").first.click()
    page.locator("#id_nom").fill("Unité de consultation d’insuffisance cardiaque")
    page.get_by_role("button", name="Enregistrer et finaliser").click()
    page.wait_for_url(f"{espace}**")
    agir(page, "UF 2101 Cardiologie", "Créer des unités opérationnelles")
    page.get_by_role("button", name="Créer", exact=True).click()
    page.locator("#id_nom").fill("Unité de réadaptation cardiaque de jour")
    page.get_by_role("button", name="Enregistrer et mettre en attente").last.click()
    page.wait_for_url(f"{espace}**")
    page.goto(espace)
    agir(page, "Unité de cardiologie interventionnelle", "Supprimer")
    page.get_by_role("button", name="Supprimer", exact=True).click()
    page.goto(espace)
    agir(page, "Unité d’exploration du sommeil", "Déplacer")
    page.get_by_role("radio", name="UF 2110 Neurologie").check()
    page.get_by_role("dialog").get_by_role("button", name="Déplacer", exact=True).click()
    page.get_by_text("est déplacée").wait_for()
    page.goto(espace)


def main(url: str, dossier: Path) -> None:
    dossier.mkdir(parents=True, exist_ok=True)
    url = url.rstrip("/")
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as outil:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        navigateur = outil.chromium.launch(executable_path=chromium, args=options)
        referent = entrer(navigateur, url, "referent.hopital", BUREAU)
        referent.goto("/dossiers/")
        if referent.get_by_role("link", name=DOSSIER).count():
            referent.get_by_role("link", name=DOSSIER).first.click()
        else:
            preparer(referent)
        referent.goto(f"{referent.url.split('?')[0].split('#')[0]}?montrer=touchees")
        referent.set_viewport_size({"width": 1280, "height": 1220})
        referent.screenshot(path=dossier / "dossier.png")
        referent.set_viewport_size(BUREAU)
        referent.goto("/repertoire/?mss=1")
        referent.screenshot(path=dossier / "repertoire.png")

        gestionnaire = entrer(navigateur, url, "gestionnaire", BUREAU)
        gestionnaire.goto("/taches/")
        gestionnaire.screenshot(path=dossier / "taches.png")

        direction = entrer(navigateur, url, "direction.hopital", TELEPHONE)
        direction.goto("/taches/")
        direction.get_by_role("link", name="Consultation de dermatologie à la clinique").click()
        direction.get_by_role("button", name="Valider le dossier").wait_for()
        direction.screenshot(path=dossier / "decision-360.png")
        navigateur.close()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], Path(sys.argv[2] if len(sys.argv) > 2 else Path(__file__).parent / "images"))
