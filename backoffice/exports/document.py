"""A page to print, and the PDF of it. Needs WeasyPrint and the Pango library of the machine; without them the page is
given, which says why."""

import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from backoffice.socle.mots import nombre

MAXIMUM = 400  # changes or fiches: a longer PDF takes more than ten seconds of a worker; the page to print has no limit
STYLES = "ror/document.css"


def imprimer(request: HttpRequest, gabarit: str, contexte: dict[str, Any]) -> HttpResponse:
    """The page to print."""
    return render(request, gabarit, contexte | {"ecran": True, "sans_pdf": ""})


def en_pdf(
    request: HttpRequest, gabarit: str, contexte: dict[str, Any], nom: str, *, combien: int, quoi: str
) -> HttpResponse:
    """« nom.pdf »; the page to print when no PDF can be made of ``combien`` things (``quoi``: « changements »)."""
    phrase = ""
    if combien > MAXIMUM:
        phrase = f"Au-delà de {nombre(MAXIMUM)} {quoi}, le PDF se fait dans votre navigateur."
    elif moteur() is None:
        phrase = "Ce serveur ne sait pas produire de PDF."
    if phrase:
        return render(request, gabarit, contexte | {"ecran": True, "sans_pdf": phrase})
    contenu = pdf(render_to_string(gabarit, contexte | {"ecran": False, "sans_pdf": ""}), _styles())
    entetes = {"Content-Disposition": f'attachment; filename="{nom}.pdf"'}
    return HttpResponse(contenu, content_type="application/pdf", headers=entetes)


@cache
def _styles() -> str:
    chemin = finders.find(STYLES)
    assert isinstance(chemin, str), STYLES
    return Path(chemin).read_text()


@cache
def moteur() -> Callable[..., Any] | None:
    """WeasyPrint's ``HTML``; None on a machine that can't make a PDF (Pango is missing)."""
    logging.getLogger("weasyprint.progress").setLevel(logging.WARNING)  # it says every step and every page
    try:
        from weasyprint import HTML
    except (ImportError, OSError):  # OSError: the package is there, its system libraries are not
        return None
    return HTML  # type: ignore[no-any-return]


def pdf(html: str, styles: str) -> bytes:
    """The document of this page, tagged for assistive technology. Nothing is fetched: neither fonts nor images."""
    from weasyprint import CSS

    fabrique = moteur()
    assert fabrique is not None, "asked for a PDF on a machine that can't make one"
    document = fabrique(string=html, url_fetcher=_rien_a_chercher)
    return bytes(document.write_pdf(stylesheets=[CSS(string=styles)], pdf_variant="pdf/ua-1"))


def _rien_a_chercher(url: str, *args: Any, **kwargs: Any) -> Any:
    raise ValueError(f"A document fetches nothing: {url}")
