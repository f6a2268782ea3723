"""The mails about accounts. Dossiers and tasks declare theirs in their own app."""

from .registre import TypeNotification, enregistrer


@enregistrer
class CompteOuvert(TypeNotification):
    code = "compte_ouvert"
    libelle = "Ouverture de compte"
    description = "À la personne dont le compte vient d’être ouvert : identifiant et mot de passe provisoire."
    bouton = "Se connecter"


@enregistrer
class MotDePasseRedonne(TypeNotification):
    code = "mot_de_passe_redonne"
    libelle = "Nouveau mot de passe provisoire"
    description = "À la personne dont le support a remplacé le mot de passe."
    bouton = "Se connecter"


@enregistrer
class AdresseChangee(TypeNotification):
    code = "adresse_changee"
    libelle = "Adresse de courriel changée"
    description = "À l’adresse qu’un compte n’a plus, pour que personne ne le prenne à l’insu de sa titulaire."
