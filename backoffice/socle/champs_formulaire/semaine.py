"""A typical week."""

from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError

from .. import semaine


class SemaineWidget(forms.Widget):
    """Seven text fields « 08:00-12:00, 14:00-18:00 »; a module draws the grid of blocks over them.

    ``type_horaire`` is the word on the blocks.
    """

    template_name = "socle/champs/semaine.html"
    use_fieldset = True
    jours_en_erreur: frozenset[int] = frozenset()
    type_horaire = "Horaire d’ouverture"

    def id_for_label(self, id_: str) -> str:
        return ""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[int, str]:
        # One character more than may be typed, to know of too many.
        return {j: str(data.get(f"{name}-{j}") or "")[: semaine.TEXTE_MAX + 1] for j in range(1, 8)}

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return all(f"{name}-{j}" not in data for j in range(1, 8))

    def format_value(self, value: Any) -> dict[int, str]:
        source = {int(j): v for j, v in (value or {}).items()}
        return {
            j: v if isinstance(v, str) else semaine.jour_en_texte(v) for j in range(1, 8) for v in [source.get(j) or ""]
        }

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        contexte = super().get_context(name, value, attrs)
        textes = self.format_value(value)
        base = contexte["widget"]["attrs"].get("id") or f"id_{name}"
        contexte["widget"].update(
            {
                "jours": [
                    {
                        "nom": semaine.JOURS[j - 1].capitalize(),
                        "name": f"{name}-{j}",
                        "id": f"{base}_{j}",
                        "texte": textes[j],
                        "erreur": j in self.jours_en_erreur,
                    }
                    for j in range(1, 8)
                ],
                "base": base,
                "type_horaire": self.type_horaire,
            }
        )
        return contexte


class SemaineField(forms.Field):
    """Opening hours by weekday. Overlaps, an end before its beginning and unreadable hours are refused, each named."""

    widget = SemaineWidget
    default_error_messages = {"required": "Indiquer au moins une plage d’heures."}

    def __init__(self, *, type_horaire: str = "Horaire d’ouverture", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.widget.type_horaire = type_horaire

    def clean(self, value: Any) -> semaine.Semaine:
        resultat: semaine.Semaine = {}
        refus: list[str] = []
        fautifs: set[int] = set()
        textes = cast(SemaineWidget, self.widget).format_value(value)
        for j in range(1, 8):
            resultat[j], messages = semaine.lire_jour(textes[j], j)
            if messages:
                fautifs.add(j)
                refus += messages
        self.widget.jours_en_erreur = frozenset(fautifs)
        if refus:
            raise ValidationError(refus, code="invalid")
        if self.required and not any(resultat.values()):
            raise ValidationError(self.error_messages["required"], code="required")
        return resultat

    def has_changed(self, initial: Any, data: Any) -> bool:
        if self.disabled:
            return False
        textes = cast(SemaineWidget, self.widget).format_value(data)
        apres = {j: semaine.lire_jour(textes[j], j) for j in range(1, 8)}
        if any(refus for _, refus in apres.values()):
            return True
        return semaine.normaliser(initial) != {j: plages for j, (plages, _) in apres.items()}
