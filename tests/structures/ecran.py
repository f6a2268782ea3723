"""What tests of the screens of the répertoire share: somebody signed in, the words of a page, its statements."""

import re

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext


def client(user) -> Client:
    navigateur = Client()
    navigateur.force_login(user)
    return navigateur


def texte(html: str) -> str:
    """The words of a page, tags and hidden controls left out."""
    sans = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", html, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", sans)).replace("&#x27;", "'")


def requetes_de(navigateur: Client, url: str) -> int:
    """Statements of a page; a first visit writes the session and is not counted."""
    navigateur.get("/repertoire/communes/")
    with CaptureQueriesContext(connection) as vues:
        assert navigateur.get(url).status_code == 200
    return len(vues)
