"""The mails of a dossier. Templates: templates/notifications/<code>/."""

from notifications.registre import TypeNotification, enregistrer


@enregistrer
class TacheCreee(TypeNotification):
    code = "tache_creee"
    libelle = "Nouvelle tâche"
    description = "À ceux qui peuvent faire la tâche, quand elle est créée."
    bouton = "Ouvrir la tâche"


@enregistrer
class TacheRappel(TypeNotification):
    code = "tache_rappel"
    libelle = "Rappel d’une tâche"
    description = "À ceux qui peuvent faire la tâche, avant son échéance ou quelques jours après un renvoi."
    bouton = "Ouvrir la tâche"


@enregistrer
class TacheRetard(TypeNotification):
    code = "tache_retard"
    libelle = "Tâche en retard"
    description = "À ceux qui peuvent faire la tâche, après son échéance."
    bouton = "Ouvrir la tâche"


@enregistrer
class TacheRecours(TypeNotification):
    code = "tache_recours"
    libelle = "Retard qui dure"
    description = "Aux gestionnaires, quand une tâche n’est toujours pas faite quelques jours après son échéance."
    bouton = "Ouvrir la tâche"


@enregistrer
class ApprobationARefaire(TypeNotification):
    code = "approbation_a_refaire"
    libelle = "Approbation à refaire"
    description = "À ceux qui peuvent approuver, quand une publication qui avait échoué passerait maintenant."
    bouton = "Ouvrir la tâche"


@enregistrer
class TacheSansActeur(TypeNotification):
    code = "tache_sans_acteur"
    libelle = "Incident : tâche sans acteur"
    description = "Aux gestionnaires, quand personne ne peut faire une tâche qui vient d’être créée."
    bouton = "Voir le dossier"


@enregistrer
class TacheAttribuee(TypeNotification):
    code = "tache_attribuee"
    libelle = "Tâche attribuée"
    description = "À la personne à qui quelqu’un d’autre attribue une tâche."
    bouton = "Ouvrir la tâche"


@enregistrer
class TachesAttribuees(TypeNotification):
    code = "taches_attribuees"
    libelle = "Tâches attribuées en nombre"
    description = "À la personne à qui quelqu’un d’autre attribue plusieurs tâches d’un coup."
    bouton = "Ouvrir mes tâches"


@enregistrer
class TacheReprise(TypeNotification):
    code = "tache_reprise"
    libelle = "Tâche reprise"
    description = "À la personne qui avait pris une tâche, quand quelqu’un la reprend ou l’attribue."
    bouton = "Voir la tâche"


@enregistrer
class DossierAvance(TypeNotification):
    code = "dossier_avance"
    libelle = "Décision sur un dossier suivi"
    description = "À ceux qui suivent le dossier, quand il est validé, affecté ou approuvé par une tutelle."
    bouton = "Ouvrir le dossier"


@enregistrer
class DossierRenvoye(TypeNotification):
    code = "dossier_renvoye"
    libelle = "Dossier renvoyé pour correction"
    description = "À ceux qui ont pris part au dossier."
    bouton = "Ouvrir le dossier"


@enregistrer
class DossierRefuse(TypeNotification):
    code = "dossier_refuse"
    libelle = "Dossier refusé"
    description = "À ceux qui ont pris part au dossier."
    bouton = "Ouvrir le dossier"


@enregistrer
class DossierRetire(TypeNotification):
    code = "dossier_retire"
    libelle = "Dossier retiré par son expéditeur"
    description = "À ceux qui ont pris part au dossier ou avaient à se prononcer."
    bouton = "Ouvrir le dossier"


@enregistrer
class DossierAbandonne(TypeNotification):
    code = "dossier_abandonne"
    libelle = "Dossier abandonné"
    description = "À ceux qui ont pris part au dossier."
    bouton = "Ouvrir le dossier"


@enregistrer
class DossierPublie(TypeNotification):
    code = "dossier_publie"
    libelle = "Dossier publié"
    description = "À ceux qui ont pris part au dossier."
    bouton = "Voir l’établissement"


@enregistrer
class CommentaireCite(TypeNotification):
    code = "commentaire_cite"
    libelle = "Cité dans un commentaire"
    description = "À la personne qu’un commentaire d’un dossier nomme, une fois par dossier et par dix minutes."
    bouton = "Lire et répondre"


@enregistrer
class CommentaireReponse(TypeNotification):
    code = "commentaire_reponse"
    libelle = "Réponse à un commentaire"
    description = "À ceux qui ont écrit dans la discussion, une fois par dossier et par dix minutes."
    bouton = "Lire et répondre"


@enregistrer
class CommentaireResolu(TypeNotification):
    code = "commentaire_resolu"
    libelle = "Commentaire résolu"
    description = "À la personne qui a ouvert la discussion, une fois par dossier et par dix minutes."
    bouton = "Voir la discussion"


@enregistrer
class SuppleanceEcrite(TypeNotification):
    code = "suppleance_ecrite"
    libelle = "Suppléance"
    description = "À la personne absente et à celle qui la supplée, quand une autre personne l’écrit."
    bouton = "Voir les absences"


@enregistrer
class SuppleanceFinie(TypeNotification):
    code = "suppleance_finie"
    libelle = "Fin d’une suppléance"
    description = "À la personne absente et à celle qui la supplée, quand elle prend fin avant son terme."
    bouton = "Voir les absences"


@enregistrer
class RadarSansActeur(TypeNotification):
    code = "radar_sans_acteur"
    libelle = "Dossiers que personne ne peut faire avancer"
    description = "Aux gestionnaires, une fois par jour ouvré tant qu’il y en a."
    bouton = "Voir les dossiers"
