"""States, nodes and decisions of a dossier. Every value is stored in the database: none is ever renamed."""

from dataclasses import dataclass
from enum import Enum

from django.db import models

from structures.enums import ROLES_EDITEURS, Filiere, Role


class EtatDossier(models.TextChoices):
    REDACTION = "redaction", "Brouillon"
    FINALISE = "finalise", "Fiches finalisées"
    VALIDATION = "validation", "En validation par la Direction"
    AFFECTATION = "affectation", "En attente d’affectation à une tutelle"
    APPROBATION = "approbation", "En approbation"
    PUBLIE = "publie", "Publié"
    REFUSE = "refuse", "Refusé"
    ABANDONNE = "abandonne", "Abandonné"


BROUILLONS = (EtatDossier.REDACTION, EtatDossier.FINALISE)
ENVOYES = (EtatDossier.VALIDATION, EtatDossier.AFFECTATION, EtatDossier.APPROBATION)
OUVERTS = (*BROUILLONS, *ENVOYES)
TERMINES = (EtatDossier.PUBLIE, EtatDossier.REFUSE, EtatDossier.ABANDONNE)


class EtatFiche(models.TextChoices):
    EN_ATTENTE = "en_attente", "En attente"
    FINALISEE = "finalisee", "Finalisée"


class Nature(models.TextChoices):
    """What a dossier does to a fiche, read from its patch."""

    AJOUT = "ajout", "Ajout"
    MODIFICATION = "modification", "Modification"
    DEPLACEMENT = "deplacement", "Déplacement"
    SUPPRESSION = "suppression", "Suppression"


class Issue(models.TextChoices):
    """How a task ended."""

    FINALISE = "finalise", "Toutes les fiches finalisées"
    ROUVERT = "rouvert", "Fiche rouverte"
    ENVOYE = "envoye", "Envoyé en validation"
    VALIDE = "valide", "Validé"
    AFFECTE = "affecte", "Tutelle affectée"
    APPROUVE = "approuve", "Approuvé"
    RENVOYE = "renvoye", "Renvoyé pour correction"
    REFUSE = "refuse", "Refusé"
    RETIRE = "retire", "Retiré par l’expéditeur"
    ABANDONNE = "abandonne", "Abandonné"
    ANNULE = "annule", "Close par une autre décision"


class ActionLot(models.TextChoices):
    """What can be done on many tasks at once."""

    PRENDRE = "prendre", "Prendre"
    ATTRIBUER = "attribuer", "Attribuer"
    APPROUVER = "approuver", "Approuver ou valider"


class ResultatLigne(models.TextChoices):
    A_FAIRE = "a_faire", "À faire"
    FAIT = "fait", "Fait"
    REFUSE = "refuse", "Refusé"
    ERREUR = "erreur", "Erreur"


class TypeEvenement(models.TextChoices):
    CREE = "cree", "Dossier créé"
    FICHE_AJOUTEE = "fiche_ajoutee", "Fiche ajoutée"
    FICHE_ENREGISTREE = "fiche_enregistree", "Fiche enregistrée et mise en attente"
    FICHE_FINALISEE = "fiche_finalisee", "Fiche enregistrée et finalisée"
    FICHE_DUPLIQUEE = "fiche_dupliquee", "Fiche dupliquée"
    FICHE_DEPLACEE = "fiche_deplacee", "Fiche déplacée"
    FICHE_SUPPRIMEE = "fiche_supprimee", "Fiche supprimée"
    CHANGEMENT_ANNULE = "changement_annule", "Changement annulé"
    CONFLIT_REGLE = "conflit_regle", "Conflit réglé"
    FICHES_FINALISEES = "fiches_finalisees", "Toutes les fiches ont été finalisées"
    ROUVERT = "rouvert", "Rédaction reprise"
    ENVOYE = "envoye", "Envoyé en validation"
    TACHE_CREEE = "tache_creee", "Étape ouverte"
    TACHE_PRISE = "tache_prise", "Tâche prise"
    TACHE_RENDUE = "tache_rendue", "Tâche remise dans la file"
    TACHE_REPRISE = "tache_reprise", "Tâche reprise à un collègue"
    TACHE_ATTRIBUEE = "tache_attribuee", "Tâche attribuée"
    MISE_DE_COTE = "mise_de_cote", "Tâche mise de côté"
    RESSORTIE = "ressortie", "Tâche de nouveau en vue"
    SUIVI = "suivi", "Dossier suivi"
    SUIVI_FINI = "suivi_fini", "Dossier qui n’est plus suivi"
    SANS_ACTEUR = "sans_acteur", "Incident : personne ne peut faire cette tâche"
    RAPPEL = "rappel", "Rappel envoyé"
    ESCALADE = "escalade", "Retard signalé"
    RECOURS = "recours", "Retard signalé aux gestionnaires"
    VALIDE = "valide", "Validé par la Direction"
    AFFECTE = "affecte", "Tutelle affectée"
    APPROUVE = "approuve", "Approuvé"
    RENVOYE = "renvoye", "Renvoyé pour correction"
    REFUSE = "refuse", "Refusé"
    RETIRE = "retire", "Retiré par l’expéditeur"
    ABANDONNE = "abandonne", "Abandonné"
    COMMENTE = "commente", "Commentaire"
    COMMENTAIRE_RESOLU = "commentaire_resolu", "Commentaire résolu"
    COMMENTAIRE_ROUVERT = "commentaire_rouvert", "Commentaire rouvert"
    GESTE_ANNULE = "geste_annule", "Dernière opération annulée"
    FICHIER_APPLIQUE = "fichier_applique", "Changements repris d’un fichier"
    DECISIONS_CADUQUES = "decisions_caduques", "Décisions caduques : le contenu a changé"
    PUBLICATION_ECHOUEE = "publication_echouee", "Incident : la publication a échoué"
    INCIDENT_REPRIS = "incident_repris", "Incident repris"
    PUBLIE = "publie", "Publié"
    FLUX_MIS_A_JOUR = "flux_mis_a_jour", "Circuit mis à jour"


class GenreEvenement(models.TextChoices):
    """What one looks for in a journal."""

    DECISIONS = "decisions", "Envois et décisions"
    TACHES = "taches", "Étapes, tâches et rappels"
    COMMENTAIRES = "commentaires", "Commentaires"
    FICHES = "fiches", "Travail sur les fiches"


GENRES: dict[str, tuple[TypeEvenement, ...]] = {
    GenreEvenement.DECISIONS: (
        TypeEvenement.CREE, TypeEvenement.ENVOYE, TypeEvenement.VALIDE, TypeEvenement.AFFECTE, TypeEvenement.APPROUVE,
        TypeEvenement.RENVOYE, TypeEvenement.REFUSE, TypeEvenement.RETIRE, TypeEvenement.ABANDONNE,
        TypeEvenement.DECISIONS_CADUQUES, TypeEvenement.PUBLIE,
    ),
    GenreEvenement.FICHES: (
        TypeEvenement.FICHE_AJOUTEE, TypeEvenement.FICHE_ENREGISTREE, TypeEvenement.FICHE_FINALISEE,
        TypeEvenement.FICHE_DUPLIQUEE, TypeEvenement.FICHE_DEPLACEE, TypeEvenement.FICHE_SUPPRIMEE,
        TypeEvenement.CHANGEMENT_ANNULE, TypeEvenement.CONFLIT_REGLE, TypeEvenement.FICHES_FINALISEES,
        TypeEvenement.ROUVERT, TypeEvenement.GESTE_ANNULE, TypeEvenement.FICHIER_APPLIQUE,
    ),
    GenreEvenement.COMMENTAIRES: (
        TypeEvenement.COMMENTE, TypeEvenement.COMMENTAIRE_RESOLU, TypeEvenement.COMMENTAIRE_ROUVERT,
    ),
}  # fmt: skip
# All the rest is about tasks.
GENRES[GenreEvenement.TACHES] = tuple(t for t in TypeEvenement if not any(t in types for types in GENRES.values()))

# What somebody arranges for herself, or repairs for the others: she does not take part in the dossier by it.
SANS_PART = (
    TypeEvenement.MISE_DE_COTE, TypeEvenement.RESSORTIE, TypeEvenement.SUIVI, TypeEvenement.SUIVI_FINI,
    TypeEvenement.INCIDENT_REPRIS,
)  # fmt: skip

# What the supervision counts of the life of a dossier.
ACTES = (
    TypeEvenement.CREE,
    TypeEvenement.ENVOYE,
    TypeEvenement.VALIDE,
    TypeEvenement.RENVOYE,
    TypeEvenement.APPROUVE,
    TypeEvenement.REFUSE,
    TypeEvenement.PUBLIE,
)


class Cercle(Enum):
    """Which people a task is for: decides the inbox, the right to act and the mails."""

    EDITEURS = "éditeurs de l’établissement"
    DIRECTION = "Direction de l’établissement"
    GESTIONNAIRES = "gestionnaires SESAN"
    TUTELLE = "membres de la tutelle"


@dataclass(frozen=True, slots=True)
class Etape:
    """A human step: the node of the flow, its words, who acts, and whether one person takes it for herself."""

    noeud: str
    titre: str
    action: str
    cercle: Cercle
    reservable: bool
    neutre: bool  # « Nobody approves for SESAN or a tutelle what they sent themselves »

    @property
    def roles(self) -> tuple[str, ...]:
        return {
            Cercle.EDITEURS: ROLES_EDITEURS,
            Cercle.DIRECTION: (Role.DIRECTION,),
            Cercle.GESTIONNAIRES: (Role.GESTIONNAIRE,),
            Cercle.TUTELLE: (Role.TUTELLE,),
        }[self.cercle]


ETAPES: dict[str, Etape] = {
    etape.noeud: etape
    for etape in (
        Etape("redaction", "Finaliser les fiches", "Finaliser les fiches", Cercle.EDITEURS, False, False),
        Etape("envoi", "Envoyer en validation", "Envoyer en validation", Cercle.EDITEURS, False, False),
        Etape(
            "validation_direction", "Validation par la Direction", "Valider le dossier", Cercle.DIRECTION, True, False
        ),
        Etape(
            "affectation_tutelle",
            "Affectation à une tutelle",
            "Affecter à une tutelle",
            Cercle.GESTIONNAIRES,
            True,
            False,
        ),
        Etape("approbation_tutelle", "Approbation par la tutelle", "Approuver", Cercle.TUTELLE, True, True),
        Etape("approbation_sesan", "Approbation par SESAN", "Approuver", Cercle.GESTIONNAIRES, True, True),
    )
}


def route(filiere: str) -> tuple[str, ...]:
    """The steps a dossier of this filière goes through, in order, as shown to people before and after sending."""
    milieu = {
        Filiere.SANITAIRE: ("validation_direction", "approbation_sesan"),
        Filiere.HANDICAP: ("approbation_tutelle",),
        Filiere.AUTRE: ("approbation_sesan",),
    }[Filiere(filiere)]
    return ("redaction", "envoi", *milieu, "publie")
