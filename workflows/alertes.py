"""What would stop or delay a dossier once it is sent, said while it is a draft: to its authors, who may wait, and to
the gestionnaires, who may correct it (domain.md §6: an incident, never a silence)."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import F, FilteredRelation, Q
from django.urls import reverse

from structures.competence import Circuit, Regles, regles_de
from structures.enums import Filiere, OrigineTutelle, Role
from structures.models import Habilitation, VersionFiche
from structures.regles import egs_avec_editeur
from structures.requetes import versions_au

from .enums import BROUILLONS
from .parcours import le


@dataclass(frozen=True, slots=True)
class Alerte:
    """``phrase``: to the authors, with what happens next. ``constat``, ``remede``, ``url``: to the gestionnaires, with
    the way to correct it. ``grave``: nobody could do the step."""

    code: str
    phrase: str
    constat: str
    remede: str
    url: str
    grave: bool = True


Personne = Callable[[str, str], bool]  # (node, authority) -> nobody can do this step


def alertes_de(circuit: Circuit, noms: dict[str, str], eg: VersionFiche, personne: Personne) -> list[Alerte]:
    """Of a dossier of this establishment sent today. ``noms``: of its authorities, by code."""
    if circuit.filiere != Filiere.HANDICAP:
        trouvees = []
        if circuit.filiere == Filiere.SANITAIRE and personne("validation_direction", ""):
            trouvees.append(
                Alerte(
                    "sans_direction",
                    "Aucun compte Direction n’est ouvert sur cet établissement : personne ne pourra valider le "
                    "dossier. Si vous l’envoyez, il attendra qu’un compte soit ouvert ; SESAN en est averti. Demandez "
                    "au support l’ouverture d’un compte Direction.",
                    "Aucune Direction n’est habilitée sur l’établissement.",
                    "Ouvrir un compte Direction",
                    _compte(role=Role.DIRECTION, finess=eg.fiche.identifiant[1:]),
                )
            )
        if personne("approbation_sesan", ""):
            trouvees.append(
                Alerte(
                    "sans_gestionnaire",
                    "Aucun gestionnaire SESAN ne peut approuver ce dossier aujourd’hui : il attendra.",
                    "Aucun gestionnaire ne peut approuver ce dossier.",
                    "Ouvrir un compte gestionnaire",
                    _compte(role=Role.GESTIONNAIRE),
                )
            )
        return trouvees
    if not circuit.autorites:
        return [
            Alerte(
                "sans_tutelle",
                "La tutelle de cet établissement n’est pas connue : après l’envoi, un gestionnaire SESAN devra d’abord "
                "la désigner, ce qui ajoute une étape. SESAN en est averti et peut la fixer dès maintenant.",
                "Ni le FINESS, ni la tarification, ni la catégorie ne désignent de tutelle.",
                "Fixer la tutelle",
                _tutelles(eg),
            )
        ]
    trouvees = []
    if len(circuit.autorites) > 1:
        en_mots = " et ".join(le(noms.get(code, code)) for code in circuit.autorites)
        trouvees.append(
            Alerte(
                "deux_tutelles",
                f"Ce dossier demande l’accord de {len(circuit.autorites)} tutelles, {en_mots} : toutes doivent "
                "l’approuver, un seul renvoi suffit à le rendre. Si l’une d’elles n’est pas la vôtre, dites-le au "
                "support avant l’envoi.",
                "La tarification désigne plusieurs tutelles, et la catégorie pas les mêmes.",
                "Vérifier les tutelles",
                _tutelles(eg),
                grave=False,
            )
        )
    trouvees += [
        Alerte(
            "tutelle_sans_membre",
            f"{_majuscule(le(noms.get(code, code)))} n’a pas de compte qui puisse approuver ce dossier : si vous "
            "l’envoyez, il attendra qu’un compte soit ouvert. Les gestionnaires SESAN en sont avertis.",
            f"{_majuscule(le(noms.get(code, code)))} n’a aucun membre qui puisse approuver.",
            "Ouvrir un compte de tutelle",
            _compte(role=Role.TUTELLE, autorite=code),
        )
        for code in circuit.autorites
        if personne("approbation_tutelle", code)
    ]
    return trouvees


def _tutelles(eg: VersionFiche) -> str:
    return reverse("fiche_tutelles", args=[eg.fiche.identifiant])


def _compte(**champs: str) -> str:
    return f"{reverse('compte_creer')}?{urlencode(champs)}"


def _majuscule(texte: str) -> str:
    return texte[:1].upper() + texte[1:]


@dataclass(frozen=True, slots=True)
class AVerifier:
    """A draft that would be stopped or delayed if its author sent it today. ``eg``: only what a line shows."""

    numero: int
    dossier: str
    eg: VersionFiche
    alertes: list[Alerte]


# What the rules read of an establishment, and what a line shows: the whole of thousands of versions is heavy.
_LUES = ("nom", "categorie", "commune", "autorites", "autorite_regulation", "mode_tarification", "fiche__identifiant")


def circuits_a_verifier() -> list[AVerifier]:
    """Drafts that a gestionnaire can unblock before they are sent, the last created first. Six statements.

    Several authorities are told when the tarification names them and the category does not: those set by hand, or that
    the category has by default, are what was wanted. « Nobody » is what ``regles.acteurs_a`` says of the author's
    sending, asked for all of them at once; a substitute needs somebody who may, so that she changes nothing here.
    """
    egs: list[Any] = list(
        versions_au()
        .annotate(
            brouillon=FilteredRelation("fiche__dossiers", condition=Q(fiche__dossiers__etat__in=BROUILLONS)),
            dossier=F("brouillon__pk"),
            nom_dossier=F("brouillon__nom"),
            auteur=F("brouillon__auteur"),
        )
        .filter(brouillon__isnull=False)
        .select_related("fiche")
        .only(*_LUES)
        .order_by("-dossier")
    )
    if not egs:
        return []
    regles = regles_de(egs)
    dirigees = set(egs_avec_editeur([Role.DIRECTION]).order_by().values_list("pk", flat=True))
    personnes: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    tenues = Habilitation.objects.actives().filter(role__in=[Role.GESTIONNAIRE, Role.TUTELLE]).order_by()
    for role, autorite, user in tenues.values_list("role", "autorite", "user"):
        personnes[role, autorite or ""].add(user)
    noms = {code: autorite.nom for code, autorite in regles.autorites.items()}

    def alertes(eg: Any) -> list[Alerte]:
        def personne(noeud: str, autorite: str) -> bool:
            if noeud == "validation_direction":
                return eg.fiche_id not in dirigees
            return personnes[Role.TUTELLE if autorite else Role.GESTIONNAIRE, autorite] <= {eg.auteur}

        circuit = regles.circuit(eg)
        trouvees = alertes_de(circuit, noms, eg, personne)
        return [t for t in trouvees if t.code != "deux_tutelles" or _discordante(regles, circuit, eg)]

    lignes = [AVerifier(eg.dossier, eg.nom_dossier, eg, alertes(eg)) for eg in egs]
    return [ligne for ligne in lignes if ligne.alertes]


def _discordante(regles: Regles, circuit: Circuit, eg: VersionFiche) -> bool:
    return circuit.origine == OrigineTutelle.TARIFICATION and regles.par_defaut(eg) != circuit.autorites
