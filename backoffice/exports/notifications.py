"""The mail of the exports."""

from notifications.registre import TypeNotification, enregistrer


@enregistrer
class ExportTermine(TypeNotification):
    code = "export_termine"
    libelle = "Export préparé"
    description = "À la personne qui a demandé un export en arrière-plan, quand il est prêt ou ne peut pas l’être."
    bouton = "Voir mes exports"
