"""Reading pages in tests: a browser that is signed in, the words of a page, how many statements it costs."""

import re
from html import unescape
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

HTMX = {"HX-Request": "true"}


def client(user: Any) -> Client:
    navigateur = Client()
    navigateur.force_login(user)
    return navigateur


def texte(reponse: Any) -> str:
    """The words of a page, tags and scripts left out."""
    return mots(reponse.content.decode())


def mots(html: str) -> str:
    """The words of a piece of a page."""
    sans = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", html, flags=re.S)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", sans)))


def requetes_de(navigateur: Client, url: str, **entetes: Any) -> int:
    """Statements of a page; a first visit writes the session and is not counted."""
    navigateur.get(url, **entetes)
    with CaptureQueriesContext(connection) as vues:
        assert navigateur.get(url, **entetes).status_code == 200
    return len(vues)
