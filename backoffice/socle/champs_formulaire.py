"""Form fields of the product: Django fields whose Python values are plain lists and dicts, ready for JSON.

========================  =========================================================================
field                     cleaned value
========================  =========================================================================
``ChoixField``            code, or "" when not required and empty
``ChoixMultipleField``    list of codes, without doubles, in the order of the list
``CommunesField``         list of COG codes, in the order in which they were added
``SemaineField``          ``{1: [["08:00", "12:00"], …], …, 7: []}``: always seven days; 24:00 may end a day
``DateField``             ``datetime.date`` or None      (``LundiField``: the Monday of the chosen week)
``LignesField``           list of dicts, one a row: the columns, and ``id`` when the row came with one
``CodesNombresField``     ``{code: nombre}``, in the order of the rows
``ContactsField``         list of ``{id, nature, nom, fonction, confidentialite, telecoms}``, telecoms being a
                          list of ``{canal, valeur, confidentialite}``
========================  =========================================================================

Each takes ``initial`` in the shape of its cleaned value. Nomenclatures are given by the caller as (code, label)
pairs; ``fermes`` are the pairs of closed codes *held by this fiche*: still accepted, shown with « (code fermé) ».
When a form is refused everything that was typed comes back, right or wrong. Choices, ``fermes`` and callables can be
set in the form's ``__init__``: ``self.fields["actes"].choices = …``.
"""

import copy
import datetime
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.datastructures import MultiValueDict

from . import semaine

Paires = Iterable[tuple[str, str]]
FERME = " (code fermé)"
OBLIGATOIRE = "Cette information est obligatoire."


def _paires(valeur: Paires | Mapping[str, str] | None) -> list[tuple[str, str]]:
    if valeur is None:
        return []
    return [(str(c), str(lib)) for c, lib in (valeur.items() if isinstance(valeur, Mapping) else valeur)]


def _liste(data: Any, nom: str) -> list[str]:
    if isinstance(data, MultiValueDict) or hasattr(data, "getlist"):
        return data.getlist(nom)
    valeur = data.get(nom)
    return [] if valeur is None else list(valeur) if isinstance(valeur, list | tuple) else [valeur]


# -- One date ----------------------------------------------------------------------------------------


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


class LundiField(DateField):
    """« La semaine du … »: any day is accepted, the value is the Monday of its week."""

    def clean(self, value: Any) -> datetime.date | None:
        jour = super().clean(value)
        return None if jour is None else jour - datetime.timedelta(days=jour.weekday())


# -- Coded values ------------------------------------------------------------------------------------


class ChoixField(forms.ChoiceField):
    """One code of a nomenclature in a native list; « Sélectionnez » first. ``fermes``: see the module."""

    default_error_messages = {
        "required": OBLIGATOIRE,
        "invalid_choice": "« %(value)s » n’est pas dans la liste. Choisir une des valeurs proposées.",
    }

    def __init__(self, *, choices: Any = (), fermes: Any = None, vide: str = "Sélectionnez", **kwargs: Any) -> None:
        self._ouverts: list[tuple[str, str]] = []
        self._fermes = _paires(fermes)
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
        self._ouverts = [p for p in _paires(valeur() if callable(valeur) else valeur) if p[0] != ""]
        self._poser()

    @property
    def fermes(self) -> list[tuple[str, str]]:
        return self._fermes

    @fermes.setter
    def fermes(self, valeur: Any) -> None:
        self._fermes = _paires(valeur)
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
        self.fermes = _paires(fermes)

    def id_for_label(self, id_: str) -> str:
        return ""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return [v for v in _liste(data, name) if v != ""]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False  # unticked checkboxes do not appear in the data

    def format_value(self, value: Any) -> list[str]:
        return [] if value is None else [str(v) for v in (value if isinstance(value, list | tuple | set) else [value])]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        contexte = super().get_context(name, value, attrs)
        tenus = self.format_value(value)
        ouverts = _paires(self.choices)
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
        cast(ChoixMultiple, self.widget).fermes = _paires(valeur)

    def _codes(self) -> list[str]:
        return [c for c, _ in _paires(cast(Paires, self.choices))] + [c for c, _ in self.fermes]

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


# -- Communes ----------------------------------------------------------------------------------------


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
        saisie = SaisieCommunes(v for v in _liste(data, name) if v)
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


# -- A typical week ----------------------------------------------------------------------------------


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
        return {j: str(data.get(f"{name}-{j}") or "") for j in range(1, 8)}

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
                        "id": base if j == 1 else f"{base}_{j}",
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


# -- Rows --------------------------------------------------------------------------------------------

_LIGNE = re.compile(r"^(\d+)-(.+)$")


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
        self.disposition = "ligne"

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
        for n in sorted(numeros):
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
                "disposition": self.disposition,
                "imbrique": self.profondeur > 0,
                "vierge_nue": self._vierge_nue,
            }
        )
        return contexte


class LignesField(forms.Field):
    """A list of rows.

    ``colonnes``: ``{name: forms.Field}``; a column may itself be a ``LignesField``. ``mot``: the French word for a row
    (« capacité »), ``ajouter`` the words of the button (« Ajouter une capacité »). ``uniques``: columns whose values
    together can't appear twice. ``verifier(ligne) -> {column: message}`` adds a rule over a whole row ("" as column:
    beside the row). A row left entirely empty is ignored; columns that are prefilled (``initial``) don't count.
    ``avec_id``: rows carry the ``id`` they had in ``initial``.
    """

    widget = LignesWidget
    default_error_messages = {"required": OBLIGATOIRE}

    def __init__(
        self,
        *,
        colonnes: Mapping[str, forms.Field],
        mot: str = "ligne",
        ajouter: str = "",
        disposition: str = "ligne",
        uniques: Sequence[str] = (),
        verifier: Callable[[dict[str, Any]], Mapping[str, str]] | None = None,
        avec_id: bool = False,
        profondeur: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.colonnes = dict(colonnes)
        self.mot, self.uniques, self.verifier, self.avec_id = mot, tuple(uniques), verifier, avec_id
        self.widget.mot, self.widget.disposition, self.widget.profondeur = mot, disposition, profondeur
        self.widget.ajouter = ajouter
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
                if any(not champ._est_vierge(x) for x in valeur or [] if not x.get("retirer")):
                    return False
            elif champ.initial is None and valeur not in (None, "", [], False):
                return False
        return not ligne.get("id")

    def nettoyer(self, lignes: Any) -> tuple[list[dict[str, Any]], dict[str, list[str]], list[str]]:
        """(cleaned rows, errors by relative path « 2-nombre », the same in one line each for the field)."""
        resultat: list[dict[str, Any]] = []
        erreurs: dict[str, list[str]] = {}
        resume: list[str] = []
        vus: dict[tuple[Any, ...], int] = {}
        mot = self.mot.capitalize()
        for n, brute in enumerate(lignes or []):
            if brute.get("retirer") or self._est_vierge(brute):
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
    """Equipment and the like: ``{code: nombre}``, each code once, numbers from ``minimum`` (1) on."""

    widget = CodesNombresWidget

    def __init__(
        self,
        *,
        choices: Any = (),
        fermes: Any = None,
        libelle_code: str = "Équipement",
        mot: str = "équipement",
        minimum: int = 1,
        maximum: int = 99999,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            colonnes={
                "code": ChoixField(label=libelle_code, choices=choices, fermes=fermes),
                "nombre": EntierField(label="Nombre", min_value=minimum, max_value=maximum),
            },
            mot=mot,
            uniques=("code",),
            **kwargs,
        )

    def finir(self, lignes: list[dict[str, Any]]) -> dict[str, int]:
        return {ligne["code"]: ligne["nombre"] for ligne in lignes}


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


class TexteField(forms.CharField):
    """A line of text (``lignes=4``: several lines), its spaces trimmed, « obligatoire » in our words."""

    default_error_messages = {"required": OBLIGATOIRE}

    def __init__(self, *, lignes: int = 1, **kwargs: Any) -> None:
        if lignes > 1:
            kwargs.setdefault("widget", forms.Textarea(attrs={"rows": lignes}))
        super().__init__(**kwargs)


class ContactsField(LignesField):
    """Contacts of a fiche, each with its telecoms.

    ``natures`` (R287), ``fonctions`` (R251), ``canaux`` (R200), ``confidentialites`` (R283) are (code, label) pairs;
    confidentialities go from the least to the most confidential. A contact has a nature, or a name with a function.
    A telecom is never less confidential than its contact: refused, saying so. New contacts start at
    ``confidentialite_defaut``. ``fermes``: ``{"natures": …, "fonctions": …, "canaux": …}``.
    """

    def __init__(
        self,
        *,
        natures: Any = (),
        fonctions: Any = (),
        canaux: Any = (),
        confidentialites: Any = (),
        confidentialite_defaut: str = "",
        fermes: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        fermes = fermes or {}
        niveaux = _paires(confidentialites)
        defaut = confidentialite_defaut or (niveaux[min(1, len(niveaux) - 1)][0] if niveaux else "")
        self._rang = {code: rang for rang, (code, _) in enumerate(niveaux)}
        self._noms = dict(niveaux)
        super().__init__(
            colonnes={
                "nature": ChoixField(
                    label="Nature du contact", choices=natures, fermes=fermes.get("natures"), required=False
                ),
                "nom": TexteField(label="Nom", required=False, max_length=200),
                "fonction": ChoixField(
                    label="Fonction", choices=fonctions, fermes=fermes.get("fonctions"), required=False
                ),
                "confidentialite": ChoixField(label="Confidentialité", choices=niveaux, initial=defaut),
                "telecoms": LignesField(
                    label="Moyens de contact",
                    mot="moyen de contact",
                    profondeur=1,
                    required=False,
                    colonnes={
                        "canal": ChoixField(label="Canal", choices=canaux, fermes=fermes.get("canaux")),
                        "valeur": TexteField(label="Numéro ou adresse", max_length=250),
                        "confidentialite": ChoixField(label="Confidentialité", choices=niveaux, initial=defaut),
                    },
                ),
            },
            mot="contact",
            disposition="fiche",
            avec_id=True,
            verifier=self._verifier,
            **kwargs,
        )

    def _verifier(self, contact: dict[str, Any]) -> dict[str, str]:
        refus: dict[str, str] = {}
        if not contact["nature"] and not contact["nom"]:
            refus["nature"] = "Choisir une nature de contact, ou donner un nom et une fonction."
        elif contact["nature"] and contact["nom"]:
            refus["nature"] = "Choisir une nature de contact, ou donner un nom et une fonction, mais pas les deux."
        elif contact["nom"] and not contact["fonction"]:
            refus["fonction"] = f"Indiquer la fonction de {contact['nom']}."
        rang = self._rang.get(contact["confidentialite"], 0)
        for j, telecom in enumerate(contact["telecoms"]):
            if self._rang.get(telecom["confidentialite"], 0) < rang:
                refus[f"telecoms-{j}-confidentialite"] = (
                    f"Un moyen de contact ne peut pas être moins confidentiel que son contact "
                    f"({self._noms[contact['confidentialite']].lower()})."
                )
        return refus
