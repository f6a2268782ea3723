"""The signs of the product (ui.md, « Signs »): one look per state, always an icon with a word."""

from typing import NamedTuple


class Signe(NamedTuple):
    """``ton`` is a CSS suffix: ok, attente, info, retard, deplacement, neutre."""

    mot: str
    icone: str
    ton: str


SIGNES: dict[str, Signe] = {
    # a fiche inside a dossier
    "en-attente": Signe("en attente", "attente", "attente"),
    "finalisee": Signe("finalisée", "coche", "ok"),
    "ajout": Signe("ajout", "ajout", "info"),
    "modification": Signe("modification", "crayon", "attente"),
    "deplacement": Signe("déplacement", "deplacement", "deplacement"),
    "suppression": Signe("suppression", "corbeille", "neutre"),
    "conflit": Signe("conflit à régler", "alerte", "retard"),
    "commentee": Signe("commentée", "bulle", "attente"),
    "a-resoudre": Signe("à résoudre", "bulle", "attente"),
    "resolu": Signe("résolu", "ok", "ok"),
    "retiree": Signe("fiche retirée du dossier", "moins", "neutre"),
    "bloquant": Signe("bloquant", "erreur", "retard"),
    "avertissement": Signe("avertissement", "alerte", "attente"),
    "deja-la": Signe("déjà au répertoire", "info", "neutre"),
    # a dossier
    "brouillon": Signe("brouillon", "brouillon", "attente"),
    "finalise": Signe("fiches finalisées", "coche", "ok"),
    "envoye": Signe("envoyé", "envoi", "info"),
    "validation": Signe("validation par la Direction", "horloge", "info"),
    "approbation": Signe("en approbation", "horloge", "info"),
    "approbation-sesan": Signe("approbation par SESAN", "horloge", "info"),
    "approbation-tutelle": Signe("approbation par la tutelle", "horloge", "info"),
    "affectation": Signe("autorité à désigner", "horloge", "attente"),
    "publie": Signe("publié", "ok", "ok"),
    "renvoye": Signe("renvoyé pour correction", "renvoi", "attente"),
    "refuse": Signe("refusé", "refus", "retard"),
    "abandonne": Signe("abandonné", "abandon", "neutre"),
    "retire": Signe("retiré", "demi-tour", "neutre"),
    # a fiche of the register
    "ouverte": Signe("ouverte", "ok", "ok"),
    "fermee": Signe("fermée", "moins", "neutre"),
    "complete": Signe("complète", "coche", "ok"),
    "incomplete": Signe("incomplète", "alerte", "attente"),
    "prevu": Signe("changement prévu", "calendrier", "info"),
    "annulee": Signe("annulé", "abandon", "neutre"),
    "remplacee": Signe("remplacé", "abandon", "neutre"),
    "defaite": Signe("défaite", "demi-tour", "neutre"),
    "renommage": Signe("nom changé", "crayon", "attente"),
    "type": Signe("type d’UO changé", "crayon", "attente"),
    "fermeture": Signe("fermeture prévue", "moins", "attente"),
    "dans-dossier": Signe("dans le dossier", "dossier", "attente"),
    "signalee": Signe("erreur signalée", "bulle", "attente"),
    "sensible": Signe("unité sensible", "cadenas", "neutre"),
    "libre": Signe("libre", "oeil", "neutre"),
    "restreint": Signe("restreint", "cadenas", "neutre"),
    "tres-restreint": Signe("très restreint", "cadenas", "neutre"),
    "favori": Signe("favori", "etoile-pleine", "attente"),
    "a-jour": Signe("à jour", "coche", "ok"),
    "a-confirmer": Signe("à confirmer", "horloge", "attente"),
    # a reported error
    "corrige": Signe("corrigé", "coche", "ok"),
    "sans-suite": Signe("sans suite", "moins", "neutre"),
    # a task, a mail, an incident
    "a-faire": Signe("à faire", "taches", "info"),
    "prise": Signe("prise en charge", "personne", "info"),
    "faite": Signe("faite", "coche", "ok"),
    "attention": Signe("à regarder de près", "alerte", "attente"),
    "retard": Signe("en retard", "retard", "retard"),
    "incident": Signe("incident", "alerte", "retard"),
    "echec": Signe("échec", "erreur", "retard"),
    "en-cours": Signe("en cours", "horloge", "info"),
    "applique": Signe("appliqué", "ok", "ok"),
    "parti": Signe("parti", "envoi", "ok"),
    "active": Signe("actif", "coche", "ok"),
    "inactive": Signe("désactivé", "abandon", "neutre"),
    "suspendu": Signe("suspendu", "pause", "retard"),
    "sursis": Signe("deux secrets", "cle", "attente"),
}


def signe(etat: str) -> Signe:
    """The sign of ``etat`` (spaces, ``_`` and capitals accepted); an unknown state is shown as its own word."""
    cle = str(etat).strip().lower().replace("_", "-").replace(" ", "-")
    return SIGNES.get(cle) or Signe(str(etat).replace("_", " "), "info", "neutre")
