"""The accounts of the demo data: created by ``charger_demo``, shown by ``make run``. For trying out only."""

from typing import NamedTuple

MOT_DE_PASSE = "Demo-ROR-2026"


class CompteDemo(NamedTuple):
    identifiant: str
    role: str
    pour: str


COMPTES = (
    CompteDemo("referent.ehpad", "Référent de l'EHPAD TEST", "décrire l'offre et monter un dossier"),
    CompteDemo("direction.ehpad", "Direction de l'EHPAD TEST", "monter un dossier approuvé par SESAN"),
    CompteDemo("referent.hopital", "Référent de l'hôpital", "décrire pôles, services, UF et UO"),
    CompteDemo("direction.hopital", "Direction de l'hôpital", "valider un dossier"),
    CompteDemo("referent.sessad", "Référent du SESSAD", "monter un dossier à une seule tutelle"),
    CompteDemo("direction.sessad", "Direction du SESSAD", "suivre et envoyer un dossier"),
    CompteDemo("referent.camsp", "Référent du CAMSP", "monter un dossier à deux tutelles"),
    CompteDemo("direction.camsp", "Direction du CAMSP", "suivre et envoyer un dossier"),
    CompteDemo("gestionnaire", "Gestionnaire régional", "affecter, approuver et publier"),
    CompteDemo("gestionnaire2", "Gestionnaire régional", "prendre le relais d'un collègue"),
    CompteDemo("tutelle.ars", "Tutelle, ARS", "approuver ou refuser"),
    CompteDemo("tutelle.ars2", "Tutelle, ARS", "prendre le relais d'un collègue"),
    CompteDemo("tutelle.cd", "Tutelle, conseil départemental", "approuver conjointement avec l'ARS"),
)
