"""One value a field: a line of text, a whole number, a day."""

import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from .base import OBLIGATOIRE


class TexteField(forms.CharField):
    """A line of text (``lignes=4``: several lines), its spaces trimmed, « obligatoire » in our words."""

    default_error_messages = {"required": OBLIGATOIRE}

    def __init__(self, *, lignes: int = 1, **kwargs: Any) -> None:
        if lignes > 1:
            kwargs.setdefault("widget", forms.Textarea(attrs={"rows": lignes}))
        super().__init__(**kwargs)


def _chiffres_courants(valeur: Any, champ: forms.Field) -> None:
    """Digits of other scripts are numbers for Python, and nobody here types them on purpose."""
    if isinstance(valeur, str) and any(c.isdigit() and not c.isascii() for c in valeur):
        raise ValidationError(champ.error_messages["invalid"], code="invalid")


class EntierField(forms.IntegerField):
    """A whole number, with messages that say what is expected."""

    default_error_messages = {
        "required": OBLIGATOIRE,
        "invalid": "Écrire un nombre entier.",
        "min_value": "Écrire un nombre de %(limit_value)s ou plus.",
        "max_value": "Écrire un nombre de %(limit_value)s au plus.",
    }

    def __init__(self, *, min_value: int | None = None, max_value: int | None = None, **kwargs: Any) -> None:
        # A plain text field: the browser's number field throws away what it can't read, and turns with the wheel.
        kwargs.setdefault("widget", forms.TextInput(attrs={"inputmode": "numeric", "class": "champ-nombre"}))
        super().__init__(min_value=min_value, max_value=max_value, **kwargs)

    def to_python(self, value: Any) -> int | None:
        _chiffres_courants(value, self)
        return super().to_python(value)


class DateWidget(forms.DateInput):
    """The browser's own date picker."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class DateField(forms.DateField):
    """A day. Also reads « 03/12/2026 », for browsers that show a plain text field."""

    widget = DateWidget
    default_error_messages = {
        "required": OBLIGATOIRE,
        "invalid": "Cette date n’existe pas. Écrire jour/mois/année, par exemple 03/12/2026.",
    }

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("input_formats", ["%Y-%m-%d", "%d/%m/%Y", "%d/%m/%y", "%d-%m-%Y", "%d.%m.%Y"])
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> datetime.date | None:
        _chiffres_courants(value, self)
        return super().to_python(value)


class LundiField(DateField):
    """« La semaine du … »: any day is accepted, the value is the Monday of its week."""

    def clean(self, value: Any) -> datetime.date | None:
        jour = super().clean(value)
        return None if jour is None else jour - datetime.timedelta(days=jour.weekday())
