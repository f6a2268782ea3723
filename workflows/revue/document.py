"""The page to print as a PDF. Needs WeasyPrint and the Pango library of the machine; without them there is none."""

import logging
from collections.abc import Callable
from functools import cache
from typing import Any

MAXIMUM = 400  # changes: a longer PDF takes more than ten seconds of a worker; the page to print has no limit


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
    raise ValueError(f"A review fetches nothing: {url}")
