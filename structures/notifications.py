"""The mails of the register. Templates: templates/notifications/<code>/."""

from notifications.registre import TypeNotification, enregistrer


@enregistrer
class SignalementRecu(TypeNotification):
    code = "signalement_recu"
    libelle = "Erreur signalée"
    description = (
        "À ceux qui peuvent modifier la fiche, quand quelqu’un y signale une erreur ou complète ce qu’il en dit."
    )
    bouton = "Voir le signalement"


@enregistrer
class SignalementClos(TypeNotification):
    code = "signalement_clos"
    libelle = "Réponse à un signalement"
    description = "À la personne qui a signalé l’erreur, quand son signalement est clos."
    bouton = "Voir la réponse"


@enregistrer
class FraicheurRappel(TypeNotification):
    code = "fraicheur_rappel"
    libelle = "Unités à confirmer"
    description = (
        "Aux Référents et aux Directions, au plus une fois par mois, quand trop peu d’unités de leur établissement "
        "sont à jour (règle RE1.2) ou ne le seront plus dans les 30 jours."
    )
    bouton = "Voir l’établissement"


@enregistrer
class AbonnementSuspendu(TypeNotification):
    code = "abonnement_suspendu"
    libelle = "Abonnement suspendu d’office"
    description = "Aux gestionnaires, quand un consommateur ne reçoit plus les annonces de changements depuis un jour."
    bouton = "Voir l’abonnement"
