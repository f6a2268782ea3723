"""Words of the register that the database stores as short codes (docs/glossaire.md)."""

from django.db import models


class Niveau(models.TextChoices):
    EJ = "EJ", "Entité juridique"
    EG = "EG", "Entité géographique"
    POLE = "P", "Pôle"
    SERVICE = "S", "Service"
    UF = "UF", "Unité fonctionnelle"
    UO = "UO", "Unité opérationnelle"


class Role(models.TextChoices):
    REFERENT = "referent", "Référent"
    DIRECTION = "direction", "Direction"
    GESTIONNAIRE = "gestionnaire", "Gestionnaire SESAN"
    TUTELLE = "tutelle", "Tutelle"


class Filiere(models.TextChoices):
    """Decides the route of a dossier (domain.md §6)."""

    SANITAIRE = "sanitaire", "Sanitaire"
    HANDICAP = "handicap", "Handicap"
    AUTRE = "autre", "Médico-social et social hors handicap"


class OrigineTutelle(models.TextChoices):
    """What makes an authority the one that approves for a handicap establishment (domain.md §6)."""

    MANUELLE = "manuelle", "fixée par SESAN"
    REGULATION = "regulation", "autorité de régulation au FINESS"
    TARIFICATION = "tarification", "mode de tarification"
    CATEGORIE = "categorie", "règle de la catégorie"


class ChampEG(models.TextChoices):
    """Field of activity of an establishment, from its FINESS category."""

    SANITAIRE = "sanitaire", "Sanitaire"
    MEDICO_SOCIAL = "medico-social", "Médico-social"
    SOCIAL = "social", "Social"


class Source(models.TextChoices):
    DIRECT = "direct", "Modification directe"
    DOSSIER = "dossier", "Dossier collaboratif"
    IMPORT = "import", "Import"


class NatureConcept(models.TextChoices):
    """What an association between two concepts says."""

    TYPE_CHAMP = "type_champ", "Type d’UO → champ d’activité"
    FAMILLE_ACTIVITE = "famille_activite", "Famille d’activités → activité opérationnelle"


class NatureRegle(models.TextChoices):
    """What gestionnaires may set of what codes imply (domaine/associations.py)."""

    CATEGORIE = "categories", "Catégorie → filière, champ, autorités"
    TARIFICATION = "tarification", "Mode de tarification → autorités"
    TYPE_CHAMP = "types", "Type d’UO → champs"
    FAMILLE_ACTIVITE = "familles", "Famille → activités"


class ThemeSignalement(models.TextChoices):
    """What a reader says is wrong with a fiche."""

    INEXACT = "inexact", "Une information est inexacte"
    PERIME = "perime", "Une information n’est plus à jour"
    MANQUANT = "manquant", "Une information manque"
    FERME = "ferme", "La structure est fermée ou a déménagé"
    DOUBLON = "doublon", "La fiche existe en double"
    AUTRE = "autre", "Autre chose"


class IssueSignalement(models.TextChoices):
    CORRIGE = "corrige", "Corrigé"
    SANS_SUITE = "sans-suite", "Sans suite"
    RETIRE = "retire", "Retiré par son auteur"


class ActionRessource(models.TextChoices):
    """What happened to an exposed resource, in the words of FHIR."""

    CREATION = "create", "Création"
    MODIFICATION = "update", "Modification"
    SUPPRESSION = "delete", "Suppression"


class EtatImportation(models.TextChoices):
    """How far the import of a file is. The running states hold a lock while their worker lives (``en_cours``)."""

    A_ANALYSER = "a-analyser", "en attente d’analyse"
    ANALYSE = "analyse", "analyse en cours"
    A_CONFIRMER = "a-confirmer", "à confirmer"
    A_APPLIQUER = "a-appliquer", "en attente d’application"
    APPLICATION = "application", "application en cours"
    APPLIQUEE = "appliquee", "appliqué"
    REFUSEE = "refusee", "fichier refusé"
    INTERROMPUE = "interrompue", "interrompu"
    ABANDONNEE = "abandonnee", "abandonné"


class SortDetail(models.TextChoices):
    """What an import does of one thing of its file; the tabs of its report, in this order."""

    CREE = "cree", "Créés"
    CHANGE = "change", "Modifiés"
    DEPLACE = "deplace", "Rattachés ailleurs"
    FERME = "ferme", "Fermés"
    ROUVERT = "rouvert", "Rouverts"
    SIGNALE = "signale", "À examiner"
    CONSERVE = "conserve", "Conservés"
    REFUSE = "refuse", "Refusés"
    INCHANGE = "inchange", "Inchangés"
    IGNORE = "ignore", "Laissés de côté"


class EtatExportFhir(models.TextChoices):
    """How far a bulk export is."""

    DEMANDE = "demande", "demandé"
    EN_COURS = "en_cours", "en cours"
    PRET = "pret", "prêt"
    ECHEC = "echec", "en échec"


class ProfilAcces(models.IntegerChoices):
    """Which contacts a consumer sees, by their confidentiality (domain.md §7). The numbers are the national ones."""

    LIBRES = 0, "Profil 0 : contacts libres seulement"
    TOUS = 1, "Profil 1 : tous les contacts, même très restreints"
    RESTREINTS = 2, "Profil 2 : contacts libres et restreints"


# The types of resources that are exposed.
ORGANISATION, OFFRE, LIEU = "Organization", "HealthcareService", "Location"
TYPES_EXPOSES = (ORGANISATION, OFFRE, LIEU)


class Portee(models.TextChoices):
    """What a consumer may ask for: scopes of the SMART kind « system »; the export is a right of its own."""

    ORGANISATIONS = "system/Organization.read", "Entités juridiques, établissements et organisation interne"
    OFFRES = "system/HealthcareService.read", "Offres (unités opérationnelles)"
    LIEUX = "system/Location.read", "Lieux"
    TOUT = "system/*.read", "Toutes les ressources"
    EXPORT = "system/*.export", "Export en masse de ce que les autres portées donnent à lire"

    @staticmethod
    def lire(type_: str) -> str:
        """The scope that reads this type alone."""
        return f"system/{type_}.read"


class ActeConsommateur(models.TextChoices):
    CREATION = "creation", "Création"
    MODIFICATION = "modification", "Modification"
    RENOUVELLEMENT = "renouvellement", "Renouvellement du secret"
    SUSPENSION = "suspension", "Suspension"
    REACTIVATION = "reactivation", "Réactivation"
    ABONNEMENT = "abonnement", "Abonnement aux changements"


# Roles that may change the fiches of an establishment (acceptance 7 and 8).
ROLES_EDITEURS = (Role.REFERENT, Role.DIRECTION)

# Level of the parent by level of the fiche. Levels only go down, so that the tree can hold no cycle.
NIVEAUX_PARENTS: dict[str, tuple[str, ...]] = {
    Niveau.EJ: (),
    Niveau.EG: (Niveau.EJ,),
    Niveau.POLE: (Niveau.EG,),
    Niveau.SERVICE: (Niveau.POLE,),
    Niveau.UF: (Niveau.SERVICE,),
    Niveau.UO: (Niveau.UF, Niveau.EG),
}


def niveau_parent(niveau: str, champ: str) -> str | None:
    """The one legal level of the parent in an establishment of this ``champ``; None when the level can't exist.

    Pôles, Services and UF exist in sanitaire only; elsewhere an UO hangs directly under the EG (domain.md §2).
    """
    sanitaire = champ == ChampEG.SANITAIRE
    if niveau == Niveau.UO:
        return Niveau.UF if sanitaire else Niveau.EG
    if niveau in (Niveau.POLE, Niveau.SERVICE, Niveau.UF):
        return NIVEAUX_PARENTS[niveau][0] if sanitaire else None
    return NIVEAUX_PARENTS[niveau][0] if NIVEAUX_PARENTS[niveau] else None


def niveau_enfant(niveau: str, champ: str) -> str | None:
    """The level that can be created directly below a fiche of this level in an establishment of this ``champ``."""
    for candidat in (Niveau.POLE, Niveau.SERVICE, Niveau.UF, Niveau.UO):
        if niveau_parent(candidat, champ) == niveau:
            return candidat
    return None
