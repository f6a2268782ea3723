"""A live site on the demo data, a real SMTP server, and people who sign in by the form."""

import asyncio
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from backoffice.comptes.models import User
from backoffice.embarque.comptes_demo import MOT_DE_PASSE
from backoffice.pages.demo import charger_demo
from backoffice.socle.templatetags.ror import typo
from notifications import expedition, reveil
from notifications.models import Envoi
from structures.domaine.enregistrer import ecarts
from tests.photographie import poser_la_demo
from workflows.models import Dossier, Tache

AXE = Axe().axe_script
BUREAU = {"width": 1280, "height": 900}
TELEPHONE = {"width": 360, "height": 740}


class Boite:
    """The mail server of the region: what it received, and those that the outbox still holds."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        await asyncio.sleep(0)
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def relever(self) -> list[EmailMessage]:
        """Send what waits in the outbox, as a worker does."""
        expedition.expedier()
        assert not Envoi.objects.exclude(etat__in=["envoye", "non_expedie"]).exists()
        return self.messages

    def recus(self) -> list[tuple[str, str]]:
        """(type, recipient) of every message received, sorted; the type is that of the row with this subject."""
        types = {e.sujet: e.type_code for e in Envoi.objects.all()}
        comptes = dict(User.objects.values_list("email", "username"))
        return sorted((types[m["Subject"].strip()], comptes[m["To"]]) for m in self.relever())

    def lien(self, qui: str, dans: str) -> str:
        """The path that the last mail to ``qui`` about ``dans`` leads to."""
        pour = [m for m in self.relever() if m["To"].startswith(f"{qui}@") and dans in m["Subject"]]
        texte = pour[-1].get_body(("plain",)).get_content()
        trouve = re.search(r"https?://[^/\s]+(/\S+)", texte)
        assert trouve, texte
        return trouve[1]


@pytest.fixture
def boite(settings) -> Iterator[Boite]:
    recue = Boite()
    with socket.socket() as prise:
        prise.bind(("127.0.0.1", 0))
        port = prise.getsockname()[1]
    controleur = Controller(recue, hostname="127.0.0.1", port=port)
    controleur.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 5
    yield recue
    controleur.stop()


@dataclass
class Site:
    """The live product and the browsers of the people who use it."""

    url: str
    browser: Browser
    boite: Boite
    pages: list[Page] = field(default_factory=list)

    def ouvrir(self, **options: Any) -> Page:
        """A browser of its own, whose faults are told at the end."""
        options = {"viewport": BUREAU, "color_scheme": "light", "reduced_motion": "reduce", **options}
        contexte = self.browser.new_context(locale="fr-FR", base_url=self.url, **options)
        contexte.set_default_timeout(10_000)
        page = contexte.new_page()
        page.ennuis = []  # type: ignore[attr-defined]
        page.ailleurs = []  # type: ignore[attr-defined]
        page.on("pageerror", lambda e: page.ennuis.append(str(e)))
        page.on("console", lambda m: page.ennuis.append(m.text) if _ennuyeux(m) else None)
        page.on("request", lambda r: None if r.url.startswith((self.url, "data:")) else page.ailleurs.append(r.url))
        self.pages.append(page)
        return page

    def entrer(self, qui: str, chemin: str = "/", **options: Any) -> Page:
        """Sign in by the form, on the way to ``chemin``."""
        page = self.ouvrir(**options)
        page.goto(chemin)
        connecter(page, qui)
        page.wait_for_url(f"{self.url}{chemin}")
        return page


def _ennuyeux(message: Any) -> bool:
    # refusals that the journeys ask for; a request given up for a newer one (a lost one says htmx:sendError)
    attendu = re.search(r"status of (409|422)|^htmx:(sendAbort|afterRequest)\b", message.text)
    return "Security Policy" in message.text or (message.type == "error" and not attendu)


def connecter(page: Page, qui: str) -> None:
    page.get_by_label("Identifiant").fill(qui)
    page.get_by_label("Mot de passe").fill(MOT_DE_PASSE)
    page.get_by_role("button", name="Connexion").click()


def fautes_axe(page: Page, *regles: str, dans: str = "html") -> list[str]:
    """The faults that axe knows of; ``regles``: of these rules only; ``dans``: in this part of the page."""
    options: dict[str, Any] = {"resultTypes": ["violations"], "iframes": False}
    if regles:
        options["runOnly"] = [*regles]
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    violations = page.evaluate("async ([dans, options]) => (await axe.run(dans, options)).violations", [dans, options])
    return [f"{v['id']} : {v['nodes'][0]['html'][:200]}" for v in violations]


def sans_defaut(page: Page) -> None:
    """No accessibility fault that axe knows of, nothing wider than the screen: for what a gesture brought on a page,
    since test_chaque_page walks every page as it comes."""
    assert fautes_axe(page) == [], page.url
    largeur = page.viewport_size["width"]  # type: ignore[index]
    assert page.evaluate("document.documentElement.scrollWidth") <= largeur, page.url


@pytest.fixture
def site(transactional_db: None, live_server: Any, browser: Browser, boite: Boite, monkeypatch) -> Iterator[Site]:
    """The demo data behind a live server; at the end no page left the machine, broke the CSP or erred, and the register
    proves itself."""
    monkeypatch.setattr(reveil, "_publier", lambda: None)  # the test drains the outbox itself
    poser_la_demo(charger_demo)
    expedition.conserver()  # the mails of the dossiers of the demo
    ouvert = Site(live_server.url, browser, boite)
    yield ouvert
    for page in ouvert.pages:
        assert (page.ailleurs, page.ennuis) == ([], [])  # type: ignore[attr-defined]
        page.context.close()
    assert ecarts() == []


def etapes(nom: str) -> list[tuple[str, str]]:
    dossier = Dossier.objects.get(nom=nom)
    return list(Tache.objects.filter(dossier=dossier).order_by("pk").values_list("noeud", "issue"))


def etat(nom: str) -> str:
    return str(Dossier.objects.get(nom=nom).etat)


def creer_dossier(page: Page, eg: str, nom: str) -> None:
    """From the establishment in the répertoire to the empty workspace."""
    page.get_by_role("link", name="Répertoire", exact=True).first.click()
    page.locator("a.eg-nom", has_text=re.compile(f"^{re.escape(eg)}$")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(eg)
    page.locator("summary.bouton", has_text=re.compile("^Structure$")).click()
    page.locator("details.deroulant[open]").get_by_role("link", name="Créer un dossier collaboratif").click()
    page.get_by_label("Nom du dossier").fill(nom)
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(nom)
    expect(page.locator("#messages")).to_contain_text("est créé")


def dit(page: Page, texte: str) -> None:
    """A message: at the top of a page, beside the tree of a dossier when there was no reload."""
    expect(page.locator("#messages, #toasts-dossier").filter(has_text=typo(texte))).to_have_count(1)


def agir(page: Page, fiche: str, action: str) -> None:
    """Choose an action in the menu of a fiche of the tree."""
    noeud = page.locator("#arbre-dossier")
    noeud.get_by_label(f"Actions sur {fiche}").first.click()
    panneau = noeud.locator("details.deroulant[open]")
    panneau.get_by_text(action, exact=True).click()


def cocher(page: Page, champ: str, *codes: str) -> None:
    """Open a multiple choice by « Sélectionnez », tick, « Ajouter »."""
    choix = page.locator("ror-choix", has=page.locator(f"#id_{champ}"))
    choix.locator("summary").click()
    for code in codes:
        choix.locator(f"input[value='{code}']").check()
    choix.get_by_role("button", name="Ajouter").click()
    expect(choix.locator(".puce")).to_have_count(len(codes))


def remplir(page: Page, offre: Any, *, reste: bool = True) -> None:
    """The mandatory fields of an UO."""
    page.locator("#id_type_uo").select_option(offre.type_uo)
    page.locator("#id_nom").fill(offre.nom)
    if not reste:
        return
    page.locator("#id_champ_activite").select_option(offre.champ)
    page.locator("#id_mode_prise_en_charge").select_option(offre.mode)
    for champ, codes in (
        ("activites", offre.activites),
        ("publics", offre.publics),
        ("familles_serafin", offre.serafin),
    ):
        if codes:
            cocher(page, champ, *codes)
    for borne, age in zip(("age_min", "age_max"), offre.ages, strict=True):
        page.locator(f"#id_{borne}").fill(str(age))
        page.locator(f"#id_{borne}_unite").select_option("an")


def finaliser(page: Page) -> None:
    page.get_by_role("button", name="Enregistrer et finaliser").click()


def noeud(page: Page, nom: str) -> Any:
    """The line of a fiche in the tree of the dossier."""
    return page.locator("#arbre-dossier .arbre-ligne", has_text=nom)


def envoyer(page: Page) -> None:
    page.get_by_role("link", name="Envoyer en validation").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Envoyer en validation")
    page.get_by_role("button", name="Envoyer en validation").click()
    expect(page.locator("#messages")).to_contain_text("est envoyé")
