"""Small establishments for the tests of the register, made by its own verbs."""

from collections.abc import Sequence
from datetime import date
from itertools import count
from typing import Any

from django.utils import timezone

from backoffice.comptes.models import User
from structures.domaine.creer import creer_etablissements, creer_fiches
from structures.domaine.enregistrer import enregistrer
from structures.enums import ChampEG, Filiere, Niveau, Source
from structures.models import Fiche, Modification, RegleCategorie, VersionFiche

ORIGINE = date(2020, 1, 1)
HOPITAL, EHPAD = "101", "500"
_suite = count(1)


def numero(corps: str) -> str:
    """A FINESS number, SIREN or SIRET: the digits given and their Luhn key."""
    chiffres = corps.replace("2A", "21", 1).replace("2B", "22", 1) if corps[:2] in ("2A", "2B") else corps
    somme = 0
    for rang, chiffre in enumerate(reversed(chiffres)):
        n = int(chiffre) * (2 - rang % 2)
        somme += n // 10 + n % 10
    return corps + str(-somme % 10)


def finess() -> str:
    return numero(f"7588{next(_suite):04d}")


def personne(identifiant: str = "referent.test") -> User:
    user, _ = User.objects.get_or_create(username=identifiant, defaults={"email": f"{identifiant}@example.org"})
    return user


def change(fiche: Fiche, jour: date, auteur: User | None = None, **patch: Any) -> Modification:
    """An unsaved modification: direct when somebody signs it, else imported."""
    source = Source.DIRECT if auteur else Source.IMPORT
    return Modification(fiche=fiche, date_effet=jour, patch=patch, source=source, auteur=auteur)


def regles() -> None:
    RegleCategorie.objects.bulk_create(
        [
            RegleCategorie(categorie=HOPITAL, champ=ChampEG.SANITAIRE, filiere=Filiere.SANITAIRE),
            RegleCategorie(categorie=EHPAD, champ=ChampEG.MEDICO_SOCIAL, filiere=Filiere.AUTRE),
        ],
        ignore_conflicts=True,
    )


def etablissement(categorie: str = EHPAD, jour: date = ORIGINE) -> tuple[Fiche, Fiche]:
    """(EJ, EG), both open from ``jour`` on."""
    regles()
    ej, eg = finess(), finess()
    fiches = creer_etablissements([(Niveau.EJ, ej), (Niveau.EG, eg)])
    enregistrer(
        [
            change(fiches[ej], jour, existe=True, nom=f"EJ {ej}", finess=ej),
            change(fiches[eg], jour, existe=True, parent=fiches[ej].pk, nom=f"EG {eg}", finess=eg, categorie=categorie),
        ]
    )
    return fiches[ej], fiches[eg]


def enfants(eg: Fiche, niveau: str, parent: Fiche, nombre: int = 1, jour: date = ORIGINE) -> list[Fiche]:
    """Fiches of one level, open from ``jour`` on, written together."""
    fiches = creer_fiches(eg=eg, niveaux=[niveau] * nombre)
    enregistrer([change(f, jour, existe=True, parent=parent.pk, nom=f"{niveau} {f.identifiant}") for f in fiches])
    return fiches


def hopital(jour: date = ORIGINE) -> dict[str, Fiche]:
    """A hospital with one fiche of each level, by level."""
    ej, eg = etablissement(HOPITAL, jour)
    arbre = {Niveau.EJ.value: ej, Niveau.EG.value: eg}
    parent = eg
    for niveau in (Niveau.POLE, Niveau.SERVICE, Niveau.UF, Niveau.UO):
        [parent] = enfants(eg, niveau, parent, jour=jour)
        arbre[niveau.value] = parent
    return arbre


def versions(fiche: Fiche) -> Sequence[VersionFiche]:
    return list(VersionFiche.objects.filter(fiche=fiche).order_by("validite"))


def aujourdhui() -> date:
    return timezone.localdate()
