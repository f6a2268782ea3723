"""A file that fills a dossier, in tests: the template as a person changes it, deposited and applied."""

import csv
import io
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from workflows.domaine.apercu import apercu
from workflows.domaine.fichier.appliquer import FichierEnErreur, appliquer_proposition, proposer
from workflows.domaine.fichier.gabarit import lignes
from workflows.models import Dossier, Evenement, Proposition

from .ecrans import url


def en_csv(rangees: list[list[Any]], separateur: str = ";") -> bytes:
    tampon = io.StringIO()
    csv.writer(tampon, delimiter=separateur).writerows(rangees)
    return tampon.getvalue().encode()


def paquet(**entrees: bytes) -> bytes:
    tampon = io.BytesIO()
    with zipfile.ZipFile(tampon, "w", zipfile.ZIP_DEFLATED) as zip_:
        for nom, contenu in entrees.items():
            zip_.writestr(nom.replace("__", "/").replace("_xml", ".xml").replace("_bin", ".bin"), contenu)
    return tampon.getvalue()


AVEC_MACROS = paquet(xl__workbook_xml=b"<a/>", xl__vbaProject_bin=b"x")


def gabarit(dossier: Dossier) -> list[list[Any]]:
    return [list(ligne) for ligne in lignes(apercu(dossier))]


class Feuille:
    """The template as a person changes it: cells by identifier and column."""

    def __init__(self, dossier: Dossier) -> None:
        self.rangees = gabarit(dossier)

    @property
    def titres(self) -> list[str]:
        return self.rangees[0]

    def poser(self, identifiant: str, **cellules: Any) -> "Feuille":
        rangee = next((r for r in self.rangees if r[0] == identifiant), None)
        if rangee is None:
            rangee = [identifiant, *[""] * (len(self.titres) - 1)]
            self.rangees.append(rangee)
        for titre, contenu in cellules.items():
            rangee[self.titres.index(TITRES.get(titre, titre))] = contenu
        return self

    def lire(self, identifiant: str, titre: str) -> Any:
        return next(r for r in self.rangees if r[0] == identifiant)[self.titres.index(titre)]

    def octets(self) -> bytes:
        return en_csv(self.rangees)


TITRES = {
    "niveau": "Niveau", "sous": "Rattachement", "action": "Action", "nom": "Nom",
    "activites": "Activités opérationnelles",
    "type_uo": "Type d’UO", "champ": "Champ d’activité", "mode": "Mode de prise en charge", "age_min": "Âge minimum",
    "conditions": "Conditions d’admission", "territoire": "Territoire d’intervention", "version": "Version",
}  # fmt: skip


def deposer(dossier: Dossier, acteur: Any, octets: bytes, nom: str = "essai.csv") -> Proposition:
    return proposer(numero=dossier.pk, acteur=acteur, nom=nom, flux=io.BytesIO(octets), taille=len(octets))


def reprendre(dossier: Dossier, acteur: Any, octets: bytes, *prendre: str) -> Evenement:
    proposition = deposer(dossier, acteur, octets)
    return appliquer_proposition(numero=dossier.pk, acteur=acteur, proposition=proposition.pk, prendre=prendre)


def erreurs(dossier: Dossier, acteur: Any, octets: bytes) -> list[tuple[int, str, str]]:
    with pytest.raises(FichierEnErreur) as refus:
        deposer(dossier, acteur, octets)
    assert not Proposition.objects.exists()
    return [(e.ligne, e.colonne, e.raison) for e in refus.value.erreurs]


def envoyer(navigateur: Client, dossier: Dossier, octets: bytes, nom: str = "essai.csv") -> Any:
    return navigateur.post(url(dossier, "fichier/"), {"fichier": SimpleUploadedFile(nom, octets)})
