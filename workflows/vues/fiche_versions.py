"""Versions of a field side by side, one to be chosen: register and dossier, what others saved and what one typed."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from backoffice.socle.mots import date_longue, nombre, pluriel
from backoffice.socle.templatetags.ror import definition, differences
from structures.affichage import Affichage
from structures.champs import CHAMPS, UNITES, libelle
from structures.domaine.fusion import Heurt
from structures.domaine.lecture import Passage
from structures.domaine.patches import Etat

from ..domaine.departage import Garder, choix_de

LEUR, MIENNE = "leur", "mienne"


class Version(NamedTuple):
    """One side: what the radio sends, its words, and the content with what it added and removed."""

    valeur: str
    titre: str
    contenu: SafeString | str


class Departage(NamedTuple):
    """A field to settle. ``controle``: name of the radios · ``depart``: what both sides started from · ``refuse``: an
    answer is asked again."""

    nom: str
    champ: str
    controle: str
    titre_depart: str
    depart: SafeString | str
    versions: list[Version]
    choix: str = ""
    refuse: bool = False


def entre_repertoire_et_dossier(
    heurts: Iterable[Heurt], mots: Affichage, etats: tuple[Etat, Etat, Etat], choix: Mapping[str, str]
) -> list[Departage]:
    """What the register changed too, field by field. ``etats``: at the start, in the register, in the dossier."""
    lignes: dict[str, Departage] = {}
    for h in heurts:
        nom = UNITES.get(h.nom, h.nom)
        base, leur, mien = (mots.texte(nom, etat) for etat in etats)
        versions = [
            Version(Garder.REPERTOIRE, "Garder le répertoire", _marquer(base, leur)),
            Version(Garder.DOSSIER, "Garder le dossier", _marquer(base, mien)),
        ]
        if Garder.DEUX in choix_de(h):
            versions.append(Version(Garder.DEUX, "Garder les deux", "L’un à côté de l’autre dans la liste."))
        champ = libelle(CHAMPS[nom], mots.niveau)
        lignes[nom] = Departage(
            nom, champ, f"regler_{nom}", "Au départ", definition(base), versions, choix.get(nom, "")
        )
    return list(lignes.values())


def entre_collegues(
    noms: Iterable[str],
    mots: Affichage,
    etats: tuple[Etat, Etat, Etat],
    passages: Mapping[str, Passage],
    choix: Mapping[str, str],
    *,
    indecis: bool,
) -> list[Departage]:
    """What somebody else changed while the form was filled. ``etats``: at its opening, now, as typed."""
    lignes = []
    for nom in noms:
        base, leur, mienne = (mots.texte(nom, etat) for etat in etats)
        qui = passages.get(nom)
        prendre = f"Prendre la valeur de {qui.qui}, {date_longue(qui.quand, 'heure')}" if qui else ""
        versions = [
            Version(LEUR, prendre or "Prendre la valeur actuelle", _marquer(base, leur)),
            Version(MIENNE, "Garder ma saisie", _marquer(base, mienne)),
        ]
        choisi = choix.get(nom, "")
        champ = libelle(CHAMPS[nom], mots.niveau)
        lignes.append(
            Departage(
                nom, champ, f"garder_{nom}", "À l’ouverture du formulaire", definition(base), versions, choisi,
                indecis and not choisi,
            )
        )  # fmt: skip
    return lignes


def _marquer(base: Any, cote: Any) -> SafeString | str:
    """One side as it differs from the start: words of a text, elements of a list."""
    if not isinstance(base, list) or not isinstance(cote, list):
        return differences(base, cote)[1] if cote else ""
    retires, ajoutes = [x for x in base if x not in cote], [x for x in cote if x not in base]
    reste = len(cote) - len(ajoutes)
    lignes = [
        *(format_html('<del><span class="visually-hidden">retiré : </span>{}</del>', x) for x in retires),
        *(format_html('<ins><span class="visually-hidden">ajouté : </span>{}</ins>', x) for x in ajoutes),
    ]
    if reste:
        mot = f"{nombre(reste)} inchangé{pluriel(reste)}"
        lignes.append(format_html('<span class="discret">{}</span>', mot))
    return format_html_join(mark_safe("<br>"), "{}", ((x,) for x in lignes))
