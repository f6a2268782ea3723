"""From a type and a context to a subject, a text and an HTML body. Under a millisecond a mail (tests hold it to 3)."""

from functools import cache
from typing import Any, NamedTuple

import css_inline
from django.conf import settings
from django.template import Context
from django.template.loader import get_template

from backoffice.socle.support import support

from .registre import TypeNotification


class Rendu(NamedTuple):
    sujet: str
    texte: str
    html: str


@cache
def _inliner() -> css_inline.CSSInliner:
    # Mail programs drop <style>: every rule becomes a style attribute. Nothing is ever fetched.
    return css_inline.CSSInliner(load_remote_stylesheets=False)


@cache
def _gabarit(nom: str) -> Any:
    return get_template(nom).template  # type: ignore[attr-defined]


def _modele(nom: str) -> Any:
    return get_template(nom).template if settings.DEBUG else _gabarit(nom)  # type: ignore[attr-defined]


def absolue(lien: str | None) -> str:
    """``lien`` as an address for a mail: a path is put under SITE_URL. Empty for None."""
    if not lien:
        return ""
    if lien.startswith("/") and not lien.startswith("//"):
        return settings.SITE_URL.rstrip("/") + lien
    if lien.startswith(("https://", "http://")):
        return lien
    raise ValueError(f"Neither a path nor an address: {lien!r}")


def rendre(type_: type[TypeNotification], contexte: dict[str, Any]) -> Rendu:
    """Render the three parts. The text parts are not HTML-escaped, whatever their author wrote."""
    complet = {
        "produit": settings.NOM_PRODUIT,
        "site": settings.SITE_URL,
        "support": support(),
        "bouton": type_.bouton,
        "lien": "",
        **contexte,
    }
    sujet = _modele(type_.gabarit("sujet.txt")).render(Context(complet, autoescape=False))
    complet["sujet"] = " ".join(sujet.split())[:250]
    texte = _modele(type_.gabarit("corps.txt")).render(Context(complet, autoescape=False))
    html = _modele(type_.gabarit("corps.html")).render(Context(complet))
    return Rendu(complet["sujet"], texte.strip() + "\n", _inliner().inline(html))
