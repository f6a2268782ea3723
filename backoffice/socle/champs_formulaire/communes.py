"""A list of communes, added one at a time."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from .base import liste_postee


class SaisieCommunes(list[str]):
    """Codes as posted, and what was typed in the field beside them."""

    ajout: str = ""


class CommunesWidget(forms.Widget):
    """Chips and a combobox over ``url``.

    GET ``url?q=van`` answers ``{"resultats": [{"code": "92075", "libelle": "Vanves (92)"}], "reste": 0}``.
    Without JavaScript the same text field takes a name or a COG code, resolved by the server.
    """

    template_name = "socle/champs/communes.html"
    use_fieldset = True
    url = ""
    libelles: Callable[[Sequence[str]], Mapping[str, str]] | None = None

    def id_for_label(self, id_: str) -> str:
        return ""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> SaisieCommunes:
        saisie = SaisieCommunes(v for v in liste_postee(data, name) if v)
        saisie.ajout = str(data.get(f"{name}-ajout") or "").strip()
        return saisie

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        contexte = super().get_context(name, value, attrs)
        codes = list(dict.fromkeys(str(v) for v in value or []))
        libelles = self.libelles(codes) if self.libelles and codes else {}
        contexte["widget"].update(
            {
                "url": self.url,
                "communes": [(c, libelles.get(c) or f"code {c} (inconnu)") for c in codes],
                "ajout": getattr(value, "ajout", ""),
                "libelle": contexte["widget"]["attrs"].pop("data-libelle", ""),
            }
        )
        return contexte


class CommunesField(forms.Field):
    """A list of communes, added one at a time.

    ``url``: endpoint of the combobox. ``libelles(codes) -> {code: label}`` gives the label, with its département,
    of the codes that exist: a code that it leaves out is refused. ``resoudre(texte) -> [(code, label), …]`` finds
    what was typed by hand; several answers are refused with their list, none too, a double too.
    """

    widget = CommunesWidget
    default_error_messages = {"required": "Ajouter au moins une commune."}

    def __init__(
        self,
        *,
        url: str = "",
        libelles: Callable[[Sequence[str]], Mapping[str, str]] | None = None,
        resoudre: Callable[[str], Sequence[tuple[str, str]]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.widget.url = url
        self.libelles = libelles
        self.resoudre = resoudre
        if self.label:
            self.widget.attrs.setdefault("data-libelle", self.label)

    @property
    def libelles(self) -> Callable[[Sequence[str]], Mapping[str, str]] | None:
        return self.widget.libelles

    @libelles.setter
    def libelles(self, valeur: Callable[[Sequence[str]], Mapping[str, str]] | None) -> None:
        self.widget.libelles = valeur

    def clean(self, value: Any) -> list[str]:
        codes = list(dict.fromkeys(str(v) for v in value or []))
        refus: list[str] = []
        if codes and self.libelles:
            connus = self.libelles(codes)
            refus += [f"« {c} » n’est pas une commune connue. La retirer." for c in codes if c not in connus]
        ajout = getattr(value, "ajout", "")
        if ajout:
            trouves = list(self.resoudre(ajout)) if self.resoudre else []
            if not trouves:
                refus.append(f"Aucune commune ne s’appelle « {ajout} ». Vérifier le nom, ou écrire son code INSEE.")
            elif len(trouves) > 1:
                noms = ", ".join(f"{lib} – {c}" for c, lib in trouves[:8])
                refus.append(f"Plusieurs communes répondent à « {ajout} » : {noms}. Écrire le code de la bonne.")
            elif trouves[0][0] in codes:
                refus.append(f"{trouves[0][1]} est déjà dans la liste.")
            else:
                codes.append(trouves[0][0])
        if refus:
            raise ValidationError(refus, code="invalid")
        if self.required and not codes:
            raise ValidationError(self.error_messages["required"], code="required")
        return codes

    def has_changed(self, initial: Any, data: Any) -> bool:
        if self.disabled:
            return False
        return list(initial or []) != list(data or []) or bool(getattr(data, "ajout", ""))
