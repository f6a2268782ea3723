"""Rows of fields: capacities, equipment, telecoms."""

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from .base import OBLIGATOIRE
from .codes import ChoixField
from .simples import EntierField

_LIGNE = re.compile(r"^([0-9]{1,4})-(.+)$")
LIGNES_MAX = 100


class LignesWidget(forms.Widget):
    """Rows of fields, named ``<name>-<row>-<column>``; a module adds and takes off rows.

    ``disposition``: "ligne" (a row is one line of fields) or "fiche" (a row is a small card).
    """

    template_name = "socle/champs/lignes.html"
    use_fieldset = True
    erreurs: Mapping[str, list[str]] = {}
    profondeur = 0

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.colonnes: dict[str, forms.Field] = {}
        self.mot = "ligne"
        self.ajouter = ""
        self.retirer = ""
        self.disposition = "ligne"
        self.maximum = LIGNES_MAX

    def id_for_label(self, id_: str) -> str:
        return ""

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}-present" not in data

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[dict[str, Any]]:
        prefixe = f"{name}-"
        numeros = {
            int(trouve[1]) for cle in data if cle.startswith(prefixe) and (trouve := _LIGNE.match(cle[len(prefixe) :]))
        }
        lignes = []
        # Two rows more than may be sent: the blank one of a page without JavaScript, and one to know of too many.
        for n in sorted(numeros)[: self.maximum + 2]:
            base = f"{name}-{n}"
            ligne: dict[str, Any] = {
                "id": str(data.get(f"{base}-id") or ""),
                "retirer": bool(data.get(f"{base}-retirer")),
            }
            for colonne, champ in self.colonnes.items():
                ligne[colonne] = champ.widget.value_from_datadict(data, files, f"{base}-{colonne}")
            lignes.append(ligne)
        return lignes

    def format_value(self, value: Any) -> list[dict[str, Any]]:
        return [dict(ligne) for ligne in value or []]

    def _cellules(
        self, name: str, ligne: Mapping[str, Any] | None, numero: str, base: str, chemin: str
    ) -> list[dict[str, Any]]:
        cellules = []
        for colonne, champ in self.colonnes.items():
            valeur = champ.initial if ligne is None else ligne.get(colonne)
            ident = f"{base}-{numero}-{colonne}"
            messages = self.erreurs.get(f"{chemin}{numero}-{colonne}", [])
            imbrique = isinstance(champ.widget, LignesWidget)
            attrs: dict[str, Any] = {"id": ident}
            if messages:
                attrs |= {"aria-invalid": "true", "aria-describedby": f"{ident}_error"}
            if imbrique:
                widget = copy.copy(champ.widget)
                widget.erreurs = self.erreurs
                widget._chemin = f"{chemin}{numero}-{colonne}-"
                widget._vierge_nue = ligne is None
                rendu = widget.render(f"{name}-{numero}-{colonne}", valeur, attrs, renderer=self._renderer)
            else:
                rendu = champ.widget.render(
                    f"{name}-{numero}-{colonne}", champ.prepare_value(valeur), attrs, renderer=self._renderer
                )
            cellules.append(
                {
                    "colonne": colonne,
                    "libelle": champ.label or colonne.capitalize(),
                    "requis": champ.required,
                    "id": ident,
                    "rendu": rendu,
                    "erreurs": messages,
                    "imbrique": imbrique,
                    "aide": champ.help_text,
                    "ensemble": champ.widget.use_fieldset,
                }
            )
        return cellules

    _renderer: Any = None
    _chemin = ""
    # inside a blank row or the model of one the blank row below is drawn straight, without <noscript>
    _vierge_nue = False

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        self._renderer = renderer
        return super().render(name, value, attrs, renderer)

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        contexte = super().get_context(name, value, attrs)
        base = contexte["widget"]["attrs"].get("id") or f"id_{name}"
        lignes = self.format_value(value)
        modele = f"__ligne{self.profondeur}__"
        contexte["widget"].update(
            {
                "base": base,
                "lignes": [
                    {
                        "prefixe": f"{name}-{n}",
                        "numero": n + 1,
                        "id": ligne.get("id") or "",
                        "retirer": bool(ligne.get("retirer")),
                        "cellules": self._cellules(name, ligne, str(n), base, self._chemin),
                        "erreurs": self.erreurs.get(f"{self._chemin}{n}-", []),
                    }
                    for n, ligne in enumerate(lignes)
                ],
                "vierge": {
                    "prefixe": f"{name}-{len(lignes)}",
                    "numero": len(lignes) + 1,
                    "id": "",
                    "retirer": False,
                    "erreurs": [],
                    "cellules": self._cellules(name, None, str(len(lignes)), base, "?"),
                },
                "modele": {
                    "prefixe": f"{name}-{modele}",
                    "numero": "",
                    "id": "",
                    "retirer": False,
                    "erreurs": [],
                    "cellules": self._cellules(name, None, modele, base, "?"),
                },
                "jeton": modele,
                "mot": self.mot,
                "ajouter": self.ajouter or f"Ajouter un {self.mot}",
                "retirer": self.retirer,
                "disposition": self.disposition,
                "imbrique": self.profondeur > 0,
                "vierge_nue": self._vierge_nue,
            }
        )
        return contexte


class LignesField(forms.Field):
    """A list of rows.

    ``colonnes``: ``{name: forms.Field}``; a column may itself be a ``LignesField``. ``mot``: the French word for a
    row (« capacité »), ``ajouter`` and ``retirer`` those of the buttons (« Ajouter une capacité »). ``uniques``:
    columns whose values together can't appear twice. ``verifier(ligne) -> {column: message}`` adds a rule over a
    whole row ("" as column: beside the row). A row left entirely empty is ignored; columns that are prefilled
    (``initial``) don't count. ``avec_id``: rows carry the ``id`` they had in ``initial``. ``maximum``: rows that
    can be sent at once; those beyond are not read.
    """

    widget = LignesWidget
    default_error_messages = {"required": OBLIGATOIRE}

    def __init__(
        self,
        *,
        colonnes: Mapping[str, forms.Field],
        mot: str = "ligne",
        ajouter: str = "",
        retirer: str = "Retirer",
        disposition: str = "ligne",
        uniques: Sequence[str] = (),
        verifier: Callable[[dict[str, Any]], Mapping[str, str]] | None = None,
        avec_id: bool = False,
        profondeur: int = 0,
        maximum: int = LIGNES_MAX,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.colonnes = dict(colonnes)
        self.mot, self.uniques, self.verifier, self.avec_id = mot, tuple(uniques), verifier, avec_id
        self.widget.mot, self.widget.disposition, self.widget.profondeur = mot, disposition, profondeur
        self.widget.ajouter = ajouter
        self.maximum = self.widget.maximum = maximum
        self.widget.retirer = retirer
        self.widget.colonnes = self.colonnes

    def __deepcopy__(self, memo: dict[int, Any]) -> "LignesField":
        copie = super().__deepcopy__(memo)
        copie.colonnes = {nom: copy.deepcopy(champ, memo) for nom, champ in self.colonnes.items()}
        copie.widget.colonnes = copie.colonnes
        return copie

    def _est_vierge(self, ligne: Mapping[str, Any]) -> bool:
        for nom, champ in self.colonnes.items():
            valeur = ligne.get(nom)
            if isinstance(champ, LignesField):
                if any(not champ._a_ignorer(x) for x in valeur or []):
                    return False
            elif champ.initial is None and valeur not in (None, "", [], False):
                return False
        return not ligne.get("id")

    def _a_ignorer(self, ligne: Mapping[str, Any]) -> bool:
        return bool(ligne.get("retirer")) or self._est_vierge(ligne)

    def nettoyer(self, lignes: Any) -> tuple[list[dict[str, Any]], dict[str, list[str]], list[str]]:
        """(cleaned rows, errors by relative path « 2-nombre », the same in one line each for the field)."""
        resultat: list[dict[str, Any]] = []
        erreurs: dict[str, list[str]] = {}
        resume: list[str] = []
        vus: dict[tuple[Any, ...], int] = {}
        mot = self.mot.capitalize()
        remplies = sum(not self._a_ignorer(ligne) for ligne in lignes or [])
        if len(lignes or []) > self.maximum + 1 or remplies > self.maximum:
            message = f"Trop de lignes à la fois : {self.maximum} au plus. Les suivantes n’ont pas été lues."
            return [], {"": [message]}, [message]
        for n, brute in enumerate(lignes or []):
            if self._a_ignorer(brute):
                continue
            propre: dict[str, Any] = {"id": brute["id"]} if self.avec_id and brute.get("id") else {}
            correcte = True
            for nom, champ in self.colonnes.items():
                if isinstance(champ, LignesField):
                    valeurs, dessous, textes = champ.nettoyer(brute.get(nom))
                    propre[nom] = valeurs
                    if not valeurs and not dessous and champ.required:
                        textes, dessous = (
                            [str(champ.error_messages["required"])],
                            {"": [str(champ.error_messages["required"])]},
                        )
                    erreurs |= {f"{n}-{nom}-{cle}" if cle else f"{n}-{nom}": v for cle, v in dessous.items()}
                    resume += [f"{mot} {n + 1}, {t[0].lower()}{t[1:]}" for t in textes]
                    correcte = correcte and not dessous
                    continue
                try:
                    propre[nom] = champ.clean(brute.get(nom))
                except ValidationError as refus:
                    erreurs[f"{n}-{nom}"] = list(refus.messages)
                    resume += [f"{mot} {n + 1}, {champ.label or nom} : {m}" for m in refus.messages]
                    correcte = False
            if not correcte:
                continue
            for nom, message in (self.verifier(propre) if self.verifier else {}).items():
                erreurs.setdefault(f"{n}-{nom}", []).append(message)
                resume.append(f"{mot} {n + 1} : {message}")
            if self.uniques:
                cle = tuple(propre.get(u) for u in self.uniques)
                if cle in vus:
                    message = f"Déjà indiqué à la ligne {vus[cle] + 1}. Garder une seule des deux."
                    erreurs.setdefault(f"{n}-{self.uniques[0]}", []).append(message)
                    resume.append(f"{mot} {n + 1} : {message[0].lower()}{message[1:]}")
                vus.setdefault(cle, n)
            resultat.append(propre)
        return resultat, erreurs, resume

    def clean(self, value: Any) -> Any:
        resultat, erreurs, resume = self.nettoyer(value)
        self.widget.erreurs = erreurs
        if resume:
            raise ValidationError(resume, code="invalid")
        if self.required and not resultat:
            raise ValidationError(self.error_messages["required"], code="required")
        return self.finir(resultat)

    def finir(self, lignes: list[dict[str, Any]]) -> Any:
        return lignes

    def has_changed(self, initial: Any, data: Any) -> bool:
        if self.disabled:
            return False
        resultat, erreurs, _ = self.nettoyer(data)
        return bool(erreurs) or self.finir(resultat) != (initial or type(self.finir([]))())


class CodesNombresWidget(LignesWidget):
    """Rows of a code and a number; ``initial`` is ``{code: nombre}``."""

    def format_value(self, value: Any) -> list[dict[str, Any]]:
        if isinstance(value, Mapping):
            return [{"code": c, "nombre": n} for c, n in value.items()]
        return super().format_value(value)


class CodesNombresField(LignesField):
    """Equipment: ``{code: nombre}``, each code once, numbers from 1 on."""

    widget = CodesNombresWidget

    def __init__(self, *, choices: Any = (), fermes: Any = None, **kwargs: Any) -> None:
        super().__init__(
            colonnes={
                "code": ChoixField(label="Équipement", choices=choices, fermes=fermes),
                "nombre": EntierField(label="Nombre", min_value=1, max_value=99_999),
            },
            mot="équipement",
            uniques=("code",),
            **kwargs,
        )

    def finir(self, lignes: list[dict[str, Any]]) -> dict[str, int]:
        return {ligne["code"]: ligne["nombre"] for ligne in lignes}
