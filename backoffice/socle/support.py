"""How to reach the support: the same words on every page, in refusals and under mails."""

from typing import TypedDict

from django.conf import settings


class Support(TypedDict):
    telephone: str
    telephone_lien: str
    horaires: str
    formulaire: str
    courriel: str


def support() -> Support:
    """The contacts of the support, from the settings; ``telephone_lien`` is the ``tel:`` address."""
    return {
        "telephone": settings.SUPPORT_TELEPHONE,
        "telephone_lien": "tel:" + "".join(c for c in settings.SUPPORT_TELEPHONE if c.isdigit() or c == "+"),
        "horaires": settings.SUPPORT_HORAIRES,
        "formulaire": settings.SUPPORT_FORMULAIRE,
        "courriel": settings.SUPPORT_COURRIEL,
    }
