"""The establishments of the demo. FINESS numbers are made up (99 after the département) with a right Luhn key."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from structures.domaine.creer import creer_etablissements, creer_fiches
from structures.domaine.enregistrer import enregistrer, verrouiller
from structures.enums import Niveau, Source
from structures.models import Fiche, Modification

from .offres import CAMSP, DEPUIS, EHPAD, HOPITAL, SESSAD, SITE_NORD

ORIGINE = "données de démonstration"


@dataclass(frozen=True)
class Etablissement:
    cle: str
    prefixe: str
    nom: str
    categorie: str
    voie: str
    code_postal: str
    commune: str
    ej: str
    contenu: Any


ENTITES = {
    "ch": ("75990001", "Centre hospitalier TEST", "75013", "75113"),
    "asso": ("92990001", "Association TEST", "92130", "92040"),
}
ETABLISSEMENTS = (
    Etablissement("hopital", "75990010", "Hôpital TEST", "355", "10 boulevard de l’Hôpital", "75013", "75113", "ch", HOPITAL),
    Etablissement("site_nord", "75990011", "Hôpital TEST site Nord", "355", "2 rue de la Chapelle", "75018", "75118", "ch", SITE_NORD),
    Etablissement("clinique", "75990012", "Clinique TEST", "365", "5 rue de Vaugirard", "75015", "75115", "ch", SITE_NORD),
    Etablissement("ehpad", "92990010", "EHPAD TEST", "500", "12 rue du Général Leclerc", "92130", "92040", "asso", EHPAD),
    Etablissement("ehpad_parc", "92990011", "EHPAD du Parc TEST", "500", "3 avenue du Parc", "92240", "92046", "asso", EHPAD),
    Etablissement("sessad", "92990012", "SESSAD TEST", "182", "8 rue Ernest Renan", "92130", "92040", "asso", SESSAD),
    Etablissement("ime", "92990013", "IME TEST", "183", "21 rue des Écoles", "92320", "92020", "asso", SESSAD),
    Etablissement("camsp", "78990010", "CAMSP TEST", "190", "4 rue de la Paroisse", "78000", "78646", "asso", CAMSP),
    Etablissement("experimental", "92990014", "Établissement expérimental TEST", "370", "1 place Jeanne d’Arc", "92130", "92040", "asso", SESSAD),
)  # fmt: skip

POSITIONS = {  # latitude, longitude: somewhere in the commune
    "hopital": (48.8405, 2.3640), "site_nord": (48.8846, 2.3600), "clinique": (48.8420, 2.3080),
    "ehpad": (48.8240, 2.2730), "ehpad_parc": (48.8180, 2.2990), "sessad": (48.8265, 2.2785),
    "ime": (48.8020, 2.2880), "camsp": (48.8050, 2.1270), "experimental": (48.8215, 2.2660),
}  # fmt: skip


def finess(prefixe: str) -> str:
    """Nine digits: the eight given and their Luhn key."""
    somme = 0
    for rang, chiffre in enumerate(reversed(prefixe)):
        n = int(chiffre) * (2 if rang % 2 == 0 else 1)
        somme += n - 9 if n > 9 else n
    return prefixe + str(-somme % 10)


def poser_etablissements() -> dict[str, Fiche]:
    numeros = {cle: finess(prefixe) for cle, (prefixe, *_) in ENTITES.items()}
    numeros |= {e.cle: finess(e.prefixe) for e in ETABLISSEMENTS}
    niveaux = [(Niveau.EJ if cle in ENTITES else Niveau.EG, numero) for cle, numero in numeros.items()]
    crees = creer_etablissements(niveaux)
    fiches_ = {cle: crees[numero] for cle, numero in numeros.items()}
    _poser(
        (
            fiches_[cle],
            {
                "existe": True, "nom": nom, "finess": numeros[cle], "code_postal": code_postal, "commune": commune,
                "adresse_voie": "1 place de la Mairie",
            },
        )
        for cle, (_, nom, code_postal, commune) in ENTITES.items()
    )  # fmt: skip
    _poser(
        (
            fiches_[e.cle],
            {
                "existe": True, "parent": fiches_[e.ej].pk, "nom": e.nom, "finess": numeros[e.cle],
                "categorie": e.categorie, "adresse_voie": e.voie, "code_postal": e.code_postal, "commune": e.commune,
                "telephone": "01 99 00 00 00",
                **dict(zip(("latitude", "longitude"), POSITIONS[e.cle], strict=True)),
            },
        )
        for e in ETABLISSEMENTS
    )  # fmt: skip
    for e in ETABLISSEMENTS:
        verrouiller([fiches_[e.cle].pk])
        _poser(_arbre(fiches_[e.cle], e.contenu))
    return fiches_


def _arbre(eg: Fiche, contenu: Any) -> list[tuple[Fiche, dict[str, Any]]]:
    """Identities and first patches of everything below an EG."""
    if isinstance(contenu, list):
        uos = creer_fiches(eg=eg, niveaux=[Niveau.UO] * len(contenu))
        return [(uo, offre.patch(eg.pk)) for uo, offre in zip(uos, contenu, strict=True)]
    lignes: list[tuple[Fiche, dict[str, Any]]] = []

    def descendre(parent: Fiche, branche: Any, niveaux: list[str]) -> None:
        if isinstance(branche, list):
            uos = creer_fiches(eg=eg, niveaux=[Niveau.UO] * len(branche))
            lignes.extend((uo, offre.patch(parent.pk)) for uo, offre in zip(uos, branche, strict=True))
            return
        crees = creer_fiches(eg=eg, niveaux=[niveaux[0]] * len(branche))
        for fiche, (nom, dessous) in zip(crees, branche.items(), strict=True):
            lignes.append((fiche, {"existe": True, "parent": parent.pk, "nom": nom}))
            descendre(fiche, dessous, niveaux[1:])

    descendre(eg, contenu, [Niveau.POLE, Niveau.SERVICE, Niveau.UF])
    return lignes


def _poser(fiches_patches: Iterable[tuple[Fiche, dict[str, Any]]]) -> None:
    enregistrer(
        [
            Modification(fiche=f, date_effet=DEPUIS, patch=p, source=Source.IMPORT, origine=ORIGINE)
            for f, p in fiches_patches
        ]
    )
