"""Dossiers for the tests, brought to each state by the domain verbs only.

dossier = brouillon(eg, referent)
unite = nouvelle(dossier, referent, parent=uf.pk)             # finalised; finaliser=False leaves it en attente
modifier(dossier, referent, uo.pk, nom="Unité renommée")
envoye(dossier, referent); decisions.valider(tache=tache(dossier).pk, acteur=direction)
"""

from itertools import count
from typing import Any

from backoffice.comptes.models import User
from structures.enums import Niveau
from structures.models import Fiche
from structures.requetes import etats_au
from workflows.domaine import contenu, decisions, gestes, instantane
from workflows.domaine.creer import creer
from workflows.models import Dossier, FicheTravail, Tache

_numeros = count(1)

# What an UO needs to be finalised: in a hospital, and elsewhere.
COMPLETE: dict[str, Any] = {
    "type_uo": "149",
    "champ_activite": "01",
    "mode_prise_en_charge": "28",
    "activites": frozenset(["013"]),
    "age_min": 16,
    "age_min_unite": "an",
    "age_max": 120,
    "age_max_unite": "an",
}
COMPLETE_MEDICO_SOCIAL: dict[str, Any] = COMPLETE | {
    "type_uo": "08",
    "champ_activite": "04",
    "familles_serafin": frozenset(["001"]),
    "publics": frozenset(["01"]),
}


def brouillon(eg: Fiche, acteur: User, nom: str = "") -> Dossier:
    """An open dossier without any change."""
    return creer(eg=eg, nom=nom or f"Dossier {next(_numeros)}", acteur=acteur)


def travail(dossier: Dossier, fiche: int) -> FicheTravail | None:
    return FicheTravail.objects.filter(dossier=dossier, fiche=fiche).first()


def registre(fiche: int) -> dict[str, Any]:
    """A fiche as the register has it today; empty for a new one."""
    return etats_au([fiche]).get(fiche, {})


def enregistrer(
    dossier: Dossier, acteur: User, fiche: int, saisie: dict[str, Any], *, finaliser: bool = True
) -> FicheTravail | None:
    """Save a fiche on top of its last save."""
    actuel = travail(dossier, fiche)
    return contenu.enregistrer(
        numero=dossier.pk,
        acteur=acteur,
        fiche=fiche,
        saisie=saisie,
        revision=actuel.revision if actuel else 0,
        registre=registre(fiche),
        finaliser=finaliser,
    )


def modifier(
    dossier: Dossier, acteur: User, fiche: int, *, finaliser: bool = True, **saisie: Any
) -> FicheTravail | None:
    return enregistrer(dossier, acteur, fiche, saisie, finaliser=finaliser)


def nouvelles(dossier: Dossier, acteur: User, parent: int, quantite: int = 1) -> list[Fiche]:
    """Empty fiches of the level below ``parent``."""
    crees = gestes.ajouter(numero=dossier.pk, acteur=acteur, parent=parent, quantite=quantite)
    return [t.fiche for t in crees]


def nouvelle(
    dossier: Dossier, acteur: User, parent: int, nom: str = "Unité nouvelle", *, finaliser: bool = True, **saisie: Any
) -> Fiche:
    """One new fiche, complete and finalised unless said."""
    [fiche] = nouvelles(dossier, acteur, parent)
    contenu: dict[str, Any] = {"nom": nom}
    if fiche.niveau == Niveau.UO:
        medico_social = Fiche.objects.get(pk=parent).niveau == Niveau.EG
        contenu |= COMPLETE_MEDICO_SOCIAL if medico_social else COMPLETE
    enregistrer(dossier, acteur, fiche.pk, contenu | saisie, finaliser=finaliser)
    return fiche


def relu(dossier: Dossier) -> Dossier:
    return Dossier.objects.select_related("eg").get(pk=dossier.pk)


def envoye(dossier: Dossier, acteur: User) -> Dossier:
    return decisions.envoyer(numero=dossier.pk, acteur=acteur, vu=instantane.empreinte_de(dossier))


def tache(dossier: Dossier, autorite: str = "") -> Tache:
    """The open task; that of an authority when two approve jointly."""
    ouvertes = Tache.objects.filter(dossier=dossier, close_le__isnull=True)
    return (ouvertes.filter(autorite=autorite) if autorite else ouvertes).get()


def renvoye(dossier: Dossier, acteur: User, motif: str = "À revoir.", **commentaires: str) -> Dossier:
    """Sent back; ``fiche_12="…"`` comments the fiche 12."""
    notes = {int(cle.removeprefix("fiche_")): texte for cle, texte in commentaires.items()}
    return decisions.renvoyer(tache=tache(dossier).pk, acteur=acteur, motif=motif, commentaires=notes)
