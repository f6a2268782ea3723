"""Import and export of the reference data and of the habilitations (django-import-export), previewed in the admin.

Columns are those of the files of structures/donnees. A file is imported as a whole or not at all; every error says its
line, its field and why, in French. Nothing is ever deleted by an import.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Model, QuerySet
from import_export import fields, resources, results, widgets
from import_export.instance_loaders import BaseInstanceLoader
from tablib import Dataset

from backoffice.comptes.models import User
from backoffice.socle.erreurs import ErreurMetier

from .domaine.habilitations import accorder, structure_de, terminer
from .domaine.texte import normaliser
from .enums import ChampEG, Filiere, NatureConcept, Niveau, Role
from .models import (
    Association,
    Autorite,
    Commune,
    Concept,
    Departement,
    Fiche,
    Habilitation,
    Nomenclature,
    RegleCategorie,
    RegleTarification,
)

# -- cells ------------------------------------------------------------------------------------------------------------


class Texte(widgets.Widget):
    """Text without the blanks around it. A spreadsheet that made a number of a code gives it back as text."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        texte = "" if value is None else str(value).strip()
        if "\x00" in texte:
            raise ValueError("Ce texte contient un caractère qui ne peut pas être enregistré.")
        return texte

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None else str(value)


class Jour(widgets.DateWidget):
    """2027-03-31 or 31/03/2027."""

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")
        self.formats = ("%Y-%m-%d", "%d/%m/%Y")

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        try:
            return super().clean(value.strip() if isinstance(value, str) else value, row, **kwargs)
        except ValueError:
            raise ValueError(f"« {str(value)[:20]} » n’est pas une date : écrivez 31/03/2027 ou 2027-03-31.") from None


class Nombre(widgets.IntegerWidget):
    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> int | None:
        try:
            return super().clean(value, row, **kwargs)
        except (ValueError, ArithmeticError):
            raise ValueError(f"« {str(value)[:20]} » n’est pas un nombre entier.") from None


class Liste(Texte):
    """Several values in one cell, in the order of the file. ``permises`` gives the values that may be there."""

    def __init__(self, separateur: str, permises: Callable[[], Iterable[str]] | None = None) -> None:
        super().__init__()
        self.separateur, self.permises = separateur, permises
        self._lues: set[str] | None = None

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        valeurs = [v.strip() for v in super().clean(value).split(self.separateur) if v.strip()]
        if self.permises is not None:
            self._lues = set(self.permises()) if self._lues is None else self._lues
            for inconnue in (v for v in valeurs if v not in self._lues):
                raise ValueError(
                    f"« {inconnue[:20]} » n’existe pas. Valeurs possibles : {', '.join(sorted(self._lues))}."
                )
        return valeurs

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return self.separateur.join(value or ())


class Choix(Texte):
    """A value of an enumeration, written as its code or its label."""

    def __init__(self, choix: Any) -> None:
        super().__init__()
        self.codes = {normaliser(str(mot)): code for code, libelle in choix.choices for mot in (code, libelle)}
        self.permises = ", ".join(code for code, _ in choix.choices)

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        texte = super().clean(value)
        code = self.codes.get(normaliser(texte))
        if code is None:
            raise ValueError(f"« {texte[:40]} » n’existe pas. Valeurs possibles : {self.permises}.")
        return str(code)


class ParCode(Texte):
    """A row of another table found by its code. The table is read once for the whole file."""

    def __init__(self, lignes: Callable[[], QuerySet[Any]], code: Callable[[Any], str], quoi: str) -> None:
        super().__init__()
        self.lignes, self.code, self.quoi = lignes, code, quoi
        self._par_code: dict[str, Any] | None = None

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        texte = super().clean(value)
        if not texte:
            return None
        if self._par_code is None:
            self._par_code = {self.code(ligne): ligne for ligne in self.lignes()}
        trouvee = self._par_code.get(texte) or self._par_code.get(texte.lower())
        if trouvee is None:
            raise ValueError(f"{self.quoi} « {texte[:40]} » n’existe pas.")
        return trouvee

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None else self.code(value)


# -- what every resource does -----------------------------------------------------------------------------------------


class Precharge(BaseInstanceLoader):
    """Every row of the table by its key, read in one statement instead of one a line."""

    def __init__(self, resource: Any, dataset: Dataset | None = None) -> None:
        super().__init__(resource, dataset)
        self.cles = [resource.fields[nom] for nom in resource.get_import_id_fields()]
        self.connues = {tuple(cle.get_value(ligne) for cle in self.cles): ligne for ligne in resource.get_queryset()}
        self.vues: set[Any] = set()

    def get_instance(self, row: dict[str, Any]) -> Any:
        try:
            cle = tuple(cle.clean(row) for cle in self.cles)
        except ValueError:
            return None  # the cell is read again with the others, and its error reported then
        if cle in self.vues:
            raise ValidationError("Une ligne précédente du fichier porte déjà cette clé.")
        self.vues.add(cle)
        return self.trouver(cle)

    def trouver(self, cle: tuple[Any, ...]) -> Any:
        return self.connues.get(cle)


class Erreur(results.Error):
    """The admin prints the traceback of an error of the file: there is nothing in it for the reader."""

    traceback = ""  # type: ignore[assignment]


class Referentiel(resources.ModelResource):
    """Whole file or nothing; every column must be there, more are ignored."""

    class Meta:
        clean_model_instances = True
        use_transactions = True
        skip_unchanged = True
        report_skipped = False
        instance_loader_class = Precharge

    @classmethod
    def get_error_result_class(cls) -> type[results.Error]:
        return Erreur

    def import_data(self, dataset: Dataset, *args: Any, **kwargs: Any) -> Any:
        kwargs["rollback_on_validation_errors"] = True
        return super().import_data(dataset, *args, **kwargs)

    def before_import(self, dataset: Dataset, **kwargs: Any) -> None:
        attendues = [champ.column_name for champ in self.get_import_fields()]
        manquantes = [nom for nom in attendues if nom not in (dataset.headers or [])]
        if manquantes:
            del dataset[:]
            raise ValidationError(
                f"Il manque {'la colonne' if len(manquantes) == 1 else 'les colonnes'} {', '.join(manquantes)}. "
                f"Colonnes attendues : {', '.join(attendues)}."
            )
        while len(dataset) and not any(dataset[-1]):  # empty lines that a spreadsheet leaves at the end
            del dataset[-1]

    def _check_import_id_fields(self, headers: Any) -> None:
        """``before_import`` has said it, in French."""

    def validate_instance(
        self, instance: Model, import_validation_errors: Any = None, validate_unique: bool = True
    ) -> None:
        """Errors under the name of the column, which is what the reader has before him."""
        try:
            super().validate_instance(instance, import_validation_errors, validate_unique)
        except ValidationError as erreur:
            colonnes = {champ.attribute: champ.column_name for champ in self.fields.values()}
            raise ValidationError(
                {colonnes.get(nom, nom): messages for nom, messages in erreur.update_error_dict({}).items()}
            ) from erreur


def _champ(attribut: str, colonne: str = "", cellule: Any = None) -> fields.Field:
    return fields.Field(attribute=attribut, column_name=colonne or attribut, widget=cellule or Texte())


def _types_autorite() -> Iterable[str]:
    return Autorite.objects.order_by().values_list("type", flat=True).distinct()


def _code(ligne: Any) -> str:
    return str(ligne.pk)


# -- nomenclatures ----------------------------------------------------------------------------------------------------


class NomenclatureResource(Referentiel):
    code, nom, libelle, url, oid, version = (_champ(c) for c in ("code", "nom", "libelle", "url", "oid", "version"))

    class Meta:
        model = Nomenclature
        fields = ("code", "nom", "libelle", "url", "oid", "version")
        import_id_fields = ("code",)


class ConceptResource(Referentiel):
    """A code is closed by its ``date_fin``; leaving it out of the file changes nothing."""

    nomenclature = _champ("nomenclature", cellule=ParCode(Nomenclature.objects.all, _code, "La nomenclature"))
    code, libelle = _champ("code"), _champ("libelle")
    date_debut, date_fin = _champ("date_debut", cellule=Jour()), _champ("date_fin", cellule=Jour())

    class Meta:
        model = Concept
        fields = ("nomenclature", "code", "libelle", "date_debut", "date_fin")
        import_id_fields = ("nomenclature", "code")

    def get_queryset(self) -> QuerySet[Concept]:
        return Concept.objects.select_related("nomenclature")


class AssociationResource(Referentiel):
    """Concepts are written « nomenclature/code », such as J238/08."""

    nature = _champ("nature", cellule=Choix(NatureConcept))
    source = _champ(
        "source", cellule=ParCode(Concept.objects.all, lambda c: f"{c.nomenclature_id}/{c.code}", "Le code")
    )
    cible = _champ("cible", cellule=ParCode(Concept.objects.all, lambda c: f"{c.nomenclature_id}/{c.code}", "Le code"))

    class Meta:
        model = Association
        fields = ("nature", "source", "cible")
        import_id_fields = ("nature", "source", "cible")

    def get_queryset(self) -> QuerySet[Association]:
        return Association.objects.select_related("source", "cible")


class RegleCategorieResource(Referentiel):
    code = _champ("categorie", "code")
    filiere, champ = _champ("filiere", cellule=Choix(Filiere)), _champ("champ", cellule=Choix(ChampEG))
    autorites = _champ("autorites", cellule=Liste("+", _types_autorite))

    class Meta:
        model = RegleCategorie
        fields = ("code", "filiere", "champ", "autorites")
        import_id_fields = ("code",)


class RegleTarificationResource(Referentiel):
    code = _champ("mode", "code")
    autorites = _champ("autorites", cellule=Liste("+", _types_autorite))

    class Meta:
        model = RegleTarification
        fields = ("code", "autorites")
        import_id_fields = ("code",)


# -- places and authorities -------------------------------------------------------------------------------------------


class DepartementResource(Referentiel):
    code, nom, region = _champ("code"), _champ("nom"), _champ("region")

    class Meta:
        model = Departement
        fields = ("code", "nom", "region")
        import_id_fields = ("code",)


class CommuneResource(Referentiel):
    code, nom, type, departement, region = (_champ(c) for c in ("code", "nom", "type", "departement", "region"))
    codes_postaux = _champ("codes_postaux", cellule=Liste(","))
    epci, epci_nom, population = _champ("epci"), _champ("epci_nom"), _champ("population", cellule=Nombre())

    class Meta:
        model = Commune
        fields = (
            "code", "nom", "type", "departement", "region", "codes_postaux", "epci", "epci_nom", "population",
        )  # fmt: skip
        import_id_fields = ("code",)

    def before_save_instance(self, instance: Commune, row: dict[str, Any], **kwargs: Any) -> None:
        indexer(instance)


def indexer(commune: Commune) -> None:
    """The text by which the commune is found (structures/domaine/referentiels.py writes the same)."""
    commune.recherche = normaliser(f"{commune.nom} {commune.departement} {' '.join(commune.codes_postaux)}")[:200]


class AutoriteResource(Referentiel):
    code, nom, type, departement = (_champ(c) for c in ("code", "nom", "type", "departement"))

    class Meta:
        model = Autorite
        fields = ("code", "nom", "type", "departement")
        import_id_fields = ("code",)


# -- habilitations ----------------------------------------------------------------------------------------------------


class HabilitationsConnues(Precharge):
    """The line without a beginning is about the habilitation that runs."""

    def trouver(self, cle: tuple[Any, ...]) -> Habilitation | None:
        if cle[-1] is not None:
            return self.connues.get(cle)
        en_cours = [h for (*portee, _), h in self.connues.items() if tuple(portee) == cle[:-1] and h.fin is None]
        return en_cours[0] if en_cours else None


class HabilitationResource(Referentiel):
    """Rights are given and ended by the verbs of structures/domaine/habilitations.py, with their refusals.

    ``finess`` is that of an EG or an EJ. An empty ``debut`` means today, or the habilitation that runs; a line that was
    exported and comes back with a ``fin`` ends it. Nothing is deleted.
    """

    identifiant = _champ("user", "identifiant", ParCode(User.objects.all, lambda u: u.username.lower(), "Le compte"))
    role = _champ("role", cellule=Choix(Role))
    finess = _champ(
        "fiche",
        "finess",
        ParCode(
            lambda: Fiche.objects.filter(niveau__in=[Niveau.EJ, Niveau.EG]), lambda f: f.identifiant[1:], "La structure"
        ),
    )
    autorite = _champ("autorite", cellule=ParCode(Autorite.objects.all, _code, "L’autorité"))
    debut, fin = _champ("debut", cellule=Jour()), _champ("fin", cellule=Jour())

    class Meta:
        model = Habilitation
        fields = ("identifiant", "role", "finess", "autorite", "debut", "fin")
        import_id_fields = ("identifiant", "role", "finess", "autorite", "debut")
        instance_loader_class = HabilitationsConnues
        clean_model_instances = False  # the verbs check, and say it better

    def get_queryset(self) -> QuerySet[Habilitation]:
        return Habilitation.objects.select_related("user", "fiche", "autorite")

    def import_instance(self, instance: Habilitation, row: dict[str, Any], **kwargs: Any) -> None:
        debut, fin = instance.debut, instance.fin
        super().import_instance(instance, row, **kwargs)
        if not str(row.get("identifiant") or "").strip():
            raise ValidationError({"user": "Indiquez l’identifiant du compte."})
        if instance._state.adding:
            return
        instance.debut = instance.debut or debut
        if fin is not None and instance.fin is None:
            raise ValidationError({"fin": "Une habilitation terminée ne reprend pas : donnez-en une nouvelle."})

    def save_instance(self, instance: Habilitation, is_create: bool, row: dict[str, Any], **kwargs: Any) -> None:
        acteur = kwargs.get("user")
        try:
            if not is_create:
                terminer(habilitation=instance, acteur=acteur, fin=instance.fin)
                return
            if instance.fiche is not None:
                structure_de(instance.fiche.identifiant[1:])
            instance.pk = accorder(
                user=instance.user,
                role=instance.role,
                fiche=instance.fiche,
                autorite=instance.autorite,
                debut=instance.debut,
                fin=instance.fin,
                acteur=acteur,
            ).pk
        except ErreurMetier as refus:
            phrases: dict[str, Any] = {**refus.champs} or {str(NON_FIELD_ERRORS): [refus.message]}
            raise ValidationError(phrases) from refus
