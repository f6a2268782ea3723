"""Values of a nomenclature: one in a native list, several in the panel « Sélectionnez »."""

from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError

from .base import FERME, OBLIGATOIRE, Paires, liste_postee, paires_de


class ChoixField(forms.ChoiceField):
    """One code of a nomenclature in a native list; « Sélectionnez » first. ``fermes``: see the module."""

    default_error_messages = {
        "required": OBLIGATOIRE,
        "invalid_choice": "« %(value)s » n’est pas dans la liste. Choisir une des valeurs proposées.",
    }

    def __init__(self, *, choices: Any = (), fermes: Any = None, vide: str = "Sélectionnez", **kwargs: Any) -> None:
        self._ouverts: list[tuple[str, str]] = []
        self._fermes = paires_de(fermes)
        self._vide = vide
        super().__init__(choices=choices, **kwargs)

    def _poser(self) -> None:
        ouverts = {c for c, _ in self._ouverts}
        complet = [("", self._vide), *self._ouverts, *((c, lib + FERME) for c, lib in self._fermes if c not in ouverts)]
        self._choices = complet
        self.widget.choices = complet

    @property
    def choices(self) -> Any:
        return self._choices

    @choices.setter
    def choices(self, valeur: Any) -> None:
        self._ouverts = [p for p in paires_de(valeur() if callable(valeur) else valeur) if p[0] != ""]
        self._poser()

    @property
    def fermes(self) -> list[tuple[str, str]]:
        return self._fermes

    @fermes.setter
    def fermes(self, valeur: Any) -> None:
        self._fermes = paires_de(valeur)
        self._poser()


class ChoixMultiple(forms.Widget):
    """« Sélectionnez » opens a panel: filter, checkboxes, « Ajouter ». Without JavaScript the checkboxes are the field.

    ``data-libelle`` in ``attrs`` names the panel for screen readers (the field sets it from its label).
    """

    template_name = "socle/champs/choix_multiple.html"
    use_fieldset = True

    def __init__(self, attrs: dict[str, Any] | None = None, choices: Any = (), fermes: Any = None) -> None:
        super().__init__(attrs)
        self.choices = choices
        self.fermes = paires_de(fermes)

    def id_for_label(self, id_: str) -> str:
        return ""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return [v for v in liste_postee(data, name) if v != ""]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False  # unticked checkboxes do not appear in the data

    def format_value(self, value: Any) -> list[str]:
        return [] if value is None else [str(v) for v in (value if isinstance(value, list | tuple | set) else [value])]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        contexte = super().get_context(name, value, attrs)
        tenus = self.format_value(value)
        ouverts = paires_de(self.choices)
        codes = {c for c, _ in ouverts}
        fermes = [(c, lib) for c, lib in self.fermes if c not in codes]
        connus = codes | {c for c, _ in fermes}
        coches = set(tenus)
        options = [(c, lib, c in coches, "") for c, lib in ouverts]
        options += [(c, lib, c in coches, "code fermé") for c, lib in fermes]
        # A code that nobody knows stays visible, so that the person can take it off.
        options += [(c, c, True, "code inconnu") for c in dict.fromkeys(tenus) if c not in connus]
        par_code = {option[0]: option for option in options}
        contexte["widget"].update(
            {
                "options": options,
                "puces": [par_code[c] for c in dict.fromkeys(tenus)],
                "libelle": contexte["widget"]["attrs"].pop("data-libelle", ""),
                "requis": contexte["widget"]["attrs"].pop("required", False),
            }
        )
        return contexte


class ChoixMultipleField(forms.MultipleChoiceField):
    """Several codes of a nomenclature (a few or 1,500)."""

    widget = ChoixMultiple
    default_error_messages = {
        "required": "Choisir au moins une valeur.",
        "invalid_choice": "« %(value)s » n’est pas dans la liste. Retirer cette valeur.",
        "invalid_list": "Choisir des valeurs de la liste.",
    }

    def __init__(self, *, choices: Any = (), fermes: Any = None, **kwargs: Any) -> None:
        super().__init__(choices=choices, **kwargs)
        self.fermes = fermes
        if self.label:
            self.widget.attrs.setdefault("data-libelle", self.label)

    @property
    def fermes(self) -> list[tuple[str, str]]:
        return cast(ChoixMultiple, self.widget).fermes

    @fermes.setter
    def fermes(self, valeur: Any) -> None:
        cast(ChoixMultiple, self.widget).fermes = paires_de(valeur)

    def _codes(self) -> list[str]:
        return [c for c, _ in paires_de(cast(Paires, self.choices))] + [c for c, _ in self.fermes]

    def validate(self, value: list[str]) -> None:
        if self.required and not value:
            raise ValidationError(self.error_messages["required"], code="required")
        connus = set(self._codes())
        inconnus = [v for v in value if v not in connus]
        if inconnus:
            raise ValidationError(
                [
                    ValidationError(self.error_messages["invalid_choice"], code="invalid_choice", params={"value": v})
                    for v in dict.fromkeys(inconnus)
                ]
            )

    def clean(self, value: Any) -> list[str]:
        choisis = set(super().clean(value))
        return [c for c in dict.fromkeys(self._codes()) if c in choisis]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return not self.disabled and set(initial or []) != {str(v) for v in data or []}
