"""The catalogue of fiche fields: one declaration feeds form, page, diff, export and the mandatory check.

A field is single-valued (``VALEUR``), a set whose elements are added and removed one by one (``ENSEMBLE``),
or a set of structured elements known by a key (``INDEXE``). The shape decides how a patch is written
(structures/domaine/patches.py). Source of the list: domain.md §3, with the nomenclature of each coded field.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cache

from .enums import Niveau


class Forme(Enum):
    VALEUR = "valeur"
    ENSEMBLE = "ensemble"
    INDEXE = "indexe"


class Genre(Enum):
    """What a value looks like, and which editor and display it gets."""

    TEXTE = ("texte", Forme.VALEUR)
    TEXTE_LONG = ("texte_long", Forme.VALEUR)
    BOOLEEN = ("booleen", Forme.VALEUR)
    ENTIER = ("entier", Forme.VALEUR)
    DECIMAL = ("decimal", Forme.VALEUR)
    DATE = ("date", Forme.VALEUR)
    CODE = ("code", Forme.VALEUR)
    UNITE_AGE = ("unite_age", Forme.VALEUR)
    COMMUNE = ("commune", Forme.VALEUR)
    FICHE = ("fiche", Forme.VALEUR)
    CODES = ("codes", Forme.ENSEMBLE)
    TEXTES = ("textes", Forme.ENSEMBLE)
    COMMUNES = ("communes", Forme.ENSEMBLE)
    AUTORITES = ("autorites", Forme.ENSEMBLE)
    EQUIPEMENTS = ("equipements", Forme.INDEXE)
    CAPACITES = ("capacites", Forme.INDEXE)
    HORAIRES = ("horaires", Forme.INDEXE)
    CONTACTS = ("contacts", Forme.INDEXE)

    def __init__(self, code: str, forme: Forme) -> None:
        self.code = code
        self.forme = forme


class Exige(Enum):
    """When a field is mandatory to finalise a fiche."""

    NON = "non"
    TOUJOURS = "toujours"
    MEDICO_SOCIAL = "medico-social"


class Qui(Enum):
    """Where a field may be changed once the fiche exists."""

    PARTOUT = "partout"  # modification directe and dossier
    DOSSIER = "dossier"  # dossier only: the structure
    CREATION = "creation"  # typed when the fiche is created in a dossier, then frozen
    IMPORT = "import"  # official identity, kept by the imports
    GESTIONNAIRE = "gestionnaire"  # back office setting, not a field of the national model


SECTIONS = {
    "identite": "Identité",
    "offre": "Offre",
    "public": "Public accueilli",
    "acces": "Accès et fonctionnement",
    "horaires": "Horaires",
    "contacts": "Contacts",
    "moyens": "Moyens et capacités",
    "territoire": "Territoire d’intervention",
    "vie": "Ouverture et fermeture",
    "gestion": "Suivi par SESAN",
}

UNITES_AGE = (("an", "an(s)"), ("mois", "mois"), ("semaine", "semaine(s)"), ("jour", "jour(s)"))
# A number is read, changed and settled with its unit, never alone.
UNITES = {"age_min_unite": "age_min", "age_max_unite": "age_max"}
LIES = UNITES | {nombre: unite for unite, nombre in UNITES.items()}
JOURS_PAR_UNITE = {"an": 365.25, "mois": 30.4375, "semaine": 7.0, "jour": 1.0}


@dataclass(frozen=True, slots=True)
class Champ:
    """One field of a fiche. ``nom`` is the key in patches and the column of ``VersionFiche``."""

    nom: str
    libelle: str
    genre: Genre
    niveaux: frozenset[str]
    section: str
    nomenclature: str = ""
    exige: Exige = Exige.NON
    qui: Qui = Qui.PARTOUT
    aide: str = ""
    longueur: int = 0

    @property
    def forme(self) -> Forme:
        return self.genre.forme

    def vide(self) -> object:
        """The value of a field that nobody has filled."""
        if self.forme is Forme.ENSEMBLE:
            return frozenset()
        if self.forme is Forme.INDEXE:
            return {}
        if self.genre is Genre.BOOLEEN:
            return False
        if self.genre in (Genre.TEXTE, Genre.TEXTE_LONG, Genre.CODE, Genre.COMMUNE, Genre.UNITE_AGE):
            return ""
        return None


_INTERNES = frozenset({Niveau.POLE, Niveau.SERVICE, Niveau.UF})
_EJ, _EG, _UO = frozenset({Niveau.EJ}), frozenset({Niveau.EG}), frozenset({Niveau.UO})
_TOUS = frozenset(Niveau.values)

# Structural fields: written by the verbs only, shown by nobody as a form field.
STRUCTURE: tuple[Champ, ...] = (
    Champ("existe", "Présence au répertoire", Genre.BOOLEEN, _TOUS, "vie", qui=Qui.DOSSIER),
    Champ("parent", "Rattachement", Genre.FICHE, _TOUS, "identite", qui=Qui.DOSSIER),
)

# fmt: off
CONTENU: tuple[Champ, ...] = (
    # -- identity ---------------------------------------------------------------------------------
    Champ("nom", "Nom", Genre.TEXTE, _TOUS, "identite", exige=Exige.TOUJOURS, longueur=255),
    Champ("nom_operationnel", "Nom opérationnel", Genre.TEXTE, _EG, "identite", longueur=255,
          aide="Le nom sous lequel le public connaît l’établissement."),
    Champ("finess", "Numéro FINESS", Genre.TEXTE, _EJ | _EG, "identite", exige=Exige.TOUJOURS, qui=Qui.IMPORT, longueur=9),
    Champ("siren", "SIREN", Genre.TEXTE, _EJ, "identite", qui=Qui.IMPORT, longueur=9),
    Champ("siret", "SIRET", Genre.TEXTE, _EG, "identite", qui=Qui.IMPORT, longueur=14),
    Champ("statut_juridique", "Statut juridique", Genre.CODE, _EJ, "identite", "R72", qui=Qui.IMPORT),
    Champ("categorie", "Catégorie d’établissement", Genre.CODE, _EG, "identite", "R66", exige=Exige.TOUJOURS, qui=Qui.IMPORT),
    Champ("participation_sph", "Participation au service public hospitalier", Genre.CODE, _EG, "identite", "R73"),
    Champ("code_interne", "Code interne", Genre.TEXTE, _INTERNES, "identite", longueur=64),
    # -- address ----------------------------------------------------------------------------------
    Champ("adresse_voie", "Voie", Genre.TEXTE, _EJ | _EG, "acces", exige=Exige.TOUJOURS, longueur=255,
          aide="Numéro, type et nom de la voie."),
    Champ("adresse_complement", "Complément d’adresse", Genre.TEXTE, _EJ | _EG, "acces", longueur=255),
    Champ("code_postal", "Code postal", Genre.TEXTE, _EJ | _EG, "acces", longueur=5),
    Champ("commune", "Commune", Genre.COMMUNE, _EJ | _EG, "acces", exige=Exige.TOUJOURS),
    Champ("latitude", "Latitude", Genre.DECIMAL, _EG, "acces", qui=Qui.IMPORT),
    Champ("longitude", "Longitude", Genre.DECIMAL, _EG, "acces", qui=Qui.IMPORT),
    Champ("telephone", "Téléphone", Genre.TEXTE, _EG, "contacts", longueur=20),
    Champ("accessibilite", "Accessibilité", Genre.CODES, _EG, "acces", "R202"),
    Champ("territoire_sante", "Territoire de santé", Genre.TEXTE, _EG, "territoire", longueur=100),
    Champ("places_aide_sociale_permanentes", "Places habilitées à l’aide sociale (permanent)", Genre.ENTIER, _EG, "moyens"),
    Champ("places_aide_sociale_temporaires", "Places habilitées à l’aide sociale (temporaire)", Genre.ENTIER, _EG, "moyens"),
    Champ("commentaire", "Commentaire", Genre.TEXTE_LONG, _EG, "acces"),
    # -- the offer --------------------------------------------------------------------------------
    Champ("type_uo", "Type d’UO", Genre.CODE, _UO, "offre", "J238", exige=Exige.TOUJOURS, qui=Qui.DOSSIER),
    Champ("champ_activite", "Champ d’activité", Genre.CODE, _UO, "offre", "R227", exige=Exige.TOUJOURS, qui=Qui.CREATION),
    Champ("mode_prise_en_charge", "Mode de prise en charge", Genre.CODE, _UO, "offre", "R213", exige=Exige.TOUJOURS, qui=Qui.CREATION),
    Champ("unite_sensible", "Unité sensible", Genre.BOOLEEN, _UO, "offre",
          aide="Une unité sensible rend tous ses contacts très restreints."),
    Champ("activites", "Activités opérationnelles", Genre.CODES, _UO, "offre", "R211", exige=Exige.TOUJOURS),
    Champ("familles_serafin", "Famille SERAFIN", Genre.CODES, _UO, "offre", "R265", exige=Exige.MEDICO_SOCIAL),
    Champ("actes", "Actes spécifiques", Genre.CODES, _UO, "offre", "R210"),
    Champ("actes_hors_cabinet", "Actes réalisés hors cabinet", Genre.CODES, _UO, "offre", "R210"),
    Champ("specialisations", "Spécialisations de prise en charge", Genre.CODES, _UO, "offre", "R245"),
    Champ("modalites_accueil", "Modalités d’accueil", Genre.CODES, _UO, "acces", "R338"),
    Champ("temporalite_accueil", "Temporalité d’accueil", Genre.CODE, _UO, "acces", "R240"),
    Champ("mode_gestion", "Mode de gestion", Genre.CODE, _UO, "acces", "R236"),
    Champ("ouverture_annuelle", "Ouverture annuelle", Genre.CODE, _UO, "acces", "R238"),
    # -- public -----------------------------------------------------------------------------------
    Champ("publics", "Public pris en charge", Genre.CODES, _UO, "public", "R239", exige=Exige.MEDICO_SOCIAL),
    Champ("age_min", "Âge minimum", Genre.ENTIER, _UO, "public", exige=Exige.TOUJOURS),
    Champ("age_min_unite", "Unité de l’âge minimum", Genre.UNITE_AGE, _UO, "public", exige=Exige.TOUJOURS),
    Champ("age_max", "Âge maximum", Genre.ENTIER, _UO, "public", exige=Exige.TOUJOURS),
    Champ("age_max_unite", "Unité de l’âge maximum", Genre.UNITE_AGE, _UO, "public", exige=Exige.TOUJOURS),
    Champ("conditions_admission", "Conditions d’admission", Genre.TEXTE_LONG, _UO, "public"),
    Champ("conditions_accueil", "Conditions d’accueil", Genre.TEXTE_LONG, _UO, "public"),
    Champ("informations_complementaires", "Informations complémentaires", Genre.TEXTE_LONG, _UO, "public"),
    # -- means ------------------------------------------------------------------------------------
    Champ("professions", "Professions", Genre.CODES, _UO, "moyens", "R356"),
    Champ("competences", "Compétences spécifiques", Genre.CODES, _UO, "moyens", "R243"),
    Champ("equipements", "Équipements", Genre.EQUIPEMENTS, _UO, "moyens", "R212"),
    Champ("capacites", "Capacités", Genre.CAPACITES, _UO, "moyens"),
    # -- when, who, where -------------------------------------------------------------------------
    Champ("horaires", "Horaires", Genre.HORAIRES, _UO, "horaires", "R252"),
    Champ("contacts", "Contacts", Genre.CONTACTS, _TOUS, "contacts"),
    Champ("boites_mssante", "Boîtes MSSanté", Genre.TEXTES, _UO, "contacts", longueur=254,
          aide="Une adresse de messagerie sécurisée de santé par ligne."),
    Champ("territoire", "Territoire d’intervention", Genre.COMMUNES, _UO, "territoire"),
    # -- life -------------------------------------------------------------------------------------
    Champ("date_ouverture", "Date d’ouverture", Genre.DATE, _TOUS, "vie"),
    Champ("type_fermeture", "Type de fermeture", Genre.CODE, _TOUS, "vie", "R286"),
    Champ("date_fermeture", "Date de fermeture", Genre.DATE, _TOUS, "vie"),
    Champ("date_reouverture", "Réouverture prévue", Genre.DATE, _UO, "vie"),
    # -- kept by SESAN ----------------------------------------------------------------------------
    Champ("mode_tarification", "Mode de tarification", Genre.CODE, _EG, "gestion", "R74", qui=Qui.IMPORT),
    Champ("autorite_regulation", "Autorité de régulation", Genre.CODE, _EG, "gestion", qui=Qui.IMPORT),
    Champ("autorites", "Tutelles fixées par SESAN", Genre.AUTORITES, _EG, "gestion", qui=Qui.GESTIONNAIRE),
)
# fmt: on

CHAMPS: dict[str, Champ] = {champ.nom: champ for champ in (*STRUCTURE, *CONTENU)}
_PAR_NIVEAU: dict[str, list[Champ]] = {niveau: [c for c in CONTENU if niveau in c.niveaux] for niveau in Niveau}

LIBELLES_NOM = {Niveau.EJ: "Raison sociale", Niveau.EG: "Dénomination"}


def libelle(champ: Champ, niveau: str) -> str:
    """The word on the screen: the name of an EJ is a raison sociale, that of an EG a dénomination."""
    return LIBELLES_NOM.get(Niveau(niveau), champ.libelle) if champ.nom == "nom" else champ.libelle


def champs_de(niveau: str, qui: Iterable[Qui] | None = None) -> list[Champ]:
    """Content fields of a level in the order of the screen, limited to those that may change here (``qui``)."""
    autorises = None if qui is None else set(qui)
    return [c for c in _PAR_NIVEAU[niveau] if autorises is None or c.qui in autorises]


def est_exige(champ: Champ, champ_eg: str) -> bool:
    """True when a fiche of an establishment of this ``champ_eg`` can't be finalised without the field."""
    if champ.exige is Exige.MEDICO_SOCIAL:
        return champ_eg == "medico-social"
    return champ.exige is Exige.TOUJOURS


def est_vide(champ: Champ, valeur: object) -> bool:
    if champ.genre is Genre.BOOLEEN:
        return False
    return valeur is None or valeur == "" or valeur == {} or (hasattr(valeur, "__len__") and len(valeur) == 0)


def manquants(niveau: str, champ_eg: str, etat: dict[str, object]) -> list[Champ]:
    """Mandatory fields that the state lacks, in the order of the screen (domain.md §3, mark *)."""
    return [c for c in _exiges(niveau, champ_eg) if est_vide(c, etat.get(c.nom, c.vide()))]


@cache
def _exiges(niveau: str, champ_eg: str) -> list[Champ]:
    return [champ for champ in champs_de(niveau) if est_exige(champ, champ_eg)]
