"""A list of communes, added one at a time or by whole lots (an EPCI, a département)."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby, islice
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError

from ..mots import nombre, pluriel
from .base import liste_postee

GROUPEES = 12  # more communes than that are shown by département
DEPLIEES = 60  # up to that many, the groups are open
DETAILLEES = 2_000  # beyond, a group is only taken off as a whole: 35,000 checkboxes would choke the page
MAXIMUM = 40_000  # codes read: more than there are communes in France
LONGUEUR_CODE = 20  # characters read of one
CITEES = 5  # unknown codes that a refusal names


class Lot(NamedTuple):
    """What can be added in one pick. ``cle``: what to type to mean it and nothing else."""

    cle: str
    libelle: str
    codes: tuple[str, ...]


class Groupe(NamedTuple):
    """The chosen communes of one département; ``communes`` are (code, label)."""

    libelle: str
    communes: list[tuple[str, str]]

    @property
    def codes(self) -> str:
        return " ".join(code for code, _ in self.communes)


class SaisieCommunes(list[str]):
    """Codes as posted; what was typed in the field beside them; ``note``: what that has added, once it is there."""

    ajout: str = ""
    note: str = ""


class CommunesWidget(forms.Widget):
    """Chips and a combobox over ``url``.

    GET ``url?q=van`` answers ``{"resultats": [{"code": "92075", "libelle": "Vanves (92)"}]}``, and with ``lots=1`` also
    ``"lots": [{"libelle": "Tout le département : …", "codes": ["92002", …]}]``. Without JavaScript the same text field
    takes a name or a code, resolved by the server; its button posts ``etape=saisie``: the view then shows the form
    again as it was typed. One value posted may hold several codes, separated by spaces.
    """

    template_name = "socle/champs/communes.html"
    use_fieldset = True
    url = ""
    lots = True
    libelles: Callable[[Sequence[str]], Mapping[str, str]] | None = None
    departements: Callable[[], Mapping[str, str]] | None = None

    def id_for_label(self, id_: str) -> str:
        return ""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> SaisieCommunes:
        retires = {code for valeur in liste_postee(data, f"{name}-retrait") for code in valeur.split()}
        postes = (code[:LONGUEUR_CODE] for valeur in liste_postee(data, name) for code in valeur.split())
        saisie = SaisieCommunes(code for code in islice(dict.fromkeys(postes), MAXIMUM) if code not in retires)
        saisie.ajout = str(data.get(f"{name}-ajout") or "").strip()
        return saisie

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        contexte = super().get_context(name, value, attrs)
        codes = list(dict.fromkeys(str(v) for v in value or []))
        libelles = self.libelles(codes) if self.libelles and codes else {}
        communes = [(c, libelles.get(c) or f"code {c} (inconnu)") for c in codes]
        groupees = len(codes) > GROUPEES
        contexte["widget"].update(
            {
                "url": self.url,
                "lots": self.lots,
                "communes": [] if groupees else communes,
                "groupes": self._groupes(communes) if groupees else [],
                "detaillees": len(codes) <= DETAILLEES,
                "depliees": len(codes) <= DEPLIEES,
                "nombre": len(codes),
                "ajout": getattr(value, "ajout", ""),
                "note": getattr(value, "note", ""),
                "libelle": contexte["widget"]["attrs"].pop("data-libelle", ""),
            }
        )
        return contexte

    def _groupes(self, communes: Sequence[tuple[str, str]]) -> list[Groupe]:
        noms = self.departements() if self.departements else {}

        def departement(commune: tuple[str, str]) -> str:
            return commune[1].rpartition(" (")[2].rstrip(")")

        return [
            Groupe(f"{noms[code]} ({code})" if code in noms else code, list(siennes))
            for code, siennes in groupby(sorted(communes, key=lambda c: (departement(c), c[0])), departement)
        ]


class CommunesField(forms.Field):
    """A list of communes.

    ``url``: endpoint of the combobox. ``libelles(codes) -> {code: label}`` gives the label, « Vanves (92) », of the
    codes that exist: a code that it leaves out is refused. ``resoudre(texte) -> [Lot, …]`` finds what was typed by
    hand; several answers are refused with their list, none too, one that adds nothing too. ``departements() ->
    {code: name}`` names the groups. ``lots``: False when only communes one by one are proposed.
    """

    widget = CommunesWidget
    default_error_messages = {"required": "Ajouter au moins une commune."}

    def __init__(
        self,
        *,
        url: str = "",
        libelles: Callable[[Sequence[str]], Mapping[str, str]] | None = None,
        resoudre: Callable[[str], Sequence[Lot]] | None = None,
        departements: Callable[[], Mapping[str, str]] | None = None,
        lots: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.widget.url = url
        self.widget.lots = lots
        self.widget.departements = departements
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

    def ajouter(self, value: Any) -> SaisieCommunes:
        """What is in the list once the text typed beside it has been added; ValidationError when it can't be."""
        saisie = SaisieCommunes(dict.fromkeys(str(v) for v in value or []))
        texte = getattr(value, "ajout", "")
        if not texte:
            return saisie
        trouves = list(self.resoudre(texte)) if self.resoudre else []
        if not trouves:
            quoi = "ni aucun département ni aucun EPCI " if self.widget.lots else ""
            raise ValidationError(
                f"Aucune commune {quoi}ne s’appelle « {texte} ». Vérifier le nom, ou écrire son code INSEE."
            )
        if len(trouves) > 1:
            noms = ", ".join(f"{lot.libelle} – {lot.cle}" for lot in trouves[:8])
            raise ValidationError(f"Plusieurs réponses pour « {texte} » : {noms}. Écrire le code de la bonne.")
        [lot] = trouves
        presentes = set(saisie)
        nouvelles = [code for code in lot.codes if code not in presentes]
        if not nouvelles and len(lot.codes) == 1:
            raise ValidationError(f"{lot.libelle} est déjà dans la liste.")
        if not nouvelles:
            raise ValidationError(f"{lot.libelle} : toutes sont déjà dans la liste.")
        saisie.extend(nouvelles)
        saisie.note = _note(lot, len(nouvelles))
        return saisie

    def bound_data(self, data: Any, initial: Any) -> Any:
        """A form shown again holds what was typed as communes, when it could be read."""
        try:
            return data if self.disabled else self.ajouter(data)
        except ValidationError:
            return data

    def clean(self, value: Any) -> list[str]:
        refus: list[str] = []
        codes = list(dict.fromkeys(str(v) for v in value or []))
        if codes and self.libelles:
            connus = self.libelles(codes)
            inconnus = [c for c in codes if c not in connus]
            refus += [f"« {c} » n’est pas une commune connue. La retirer." for c in inconnus[:CITEES]]
            if (autres := len(inconnus) - CITEES) > 0:
                refus.append(f"{nombre(autres)} autre{pluriel(autres)} code{pluriel(autres)} à retirer.")
        try:
            codes = list(self.ajouter(value))
        except ValidationError as erreur:
            refus += erreur.messages
        if refus:
            raise ValidationError(refus, code="invalid")
        if self.required and not codes:
            raise ValidationError(self.error_messages["required"], code="required")
        return codes

    def has_changed(self, initial: Any, data: Any) -> bool:
        if self.disabled:
            return False
        return set(initial or []) != set(data or []) or bool(getattr(data, "ajout", ""))


def _note(lot: Lot, nouvelles: int) -> str:
    deja = len(lot.codes) - nouvelles
    if len(lot.codes) == 1:
        return f"{lot.libelle} : ajoutée."
    note = f"{lot.libelle} : {nombre(nouvelles)} ajoutée{pluriel(nouvelles)}"
    return f"{note}, {nombre(deja)} {'étaient' if deja > 1 else 'était'} déjà dans la liste." if deja else f"{note}."
