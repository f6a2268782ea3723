"""What a dossier of 1,000 changes does, as a reviewer reads it; and the same dossier given as a file and read back."""

import csv
import io

from django.test import Client

from workflows import revue
from workflows.domaine.apercu import apercu
from workflows.domaine.creer import creer
from workflows.domaine.fichier.appliquer import appliquer_proposition, proposer
from workflows.domaine.fichier.gabarit import lignes as gabarit

from . import jeux
from .espace import ENTETES, ligne, ouvrir
from .mesure import mesurer, tableau


def mesurer_diff(taille: int = 1000) -> None:
    eg = jeux.ehpad("950000000", taille)
    referent, gestionnaire = jeux.acteurs(eg)
    dossier, _ = jeux.dossier_envoye(eg, taille, referent)
    client = Client()
    client.force_login(gestionnaire)
    with mesurer() as lecture:
        liste = revue.changements(dossier, gestionnaire)
        revue.resume(liste)
    lignes = [
        ligne(f"diff of {len(liste)} changes", lecture),
        ligne("its page", *ouvrir(client, f"/dossiers/{dossier.pk}/changements/")),
        *_fichier(taille),
    ]
    tableau("The review and the file of a dossier", ENTETES, lignes)


def _fichier(taille: int) -> list[list[str]]:
    """The template of an establishment, every UO changed in it, read, then laid over the draft."""
    eg = jeux.ehpad("960000000", taille)
    referent, _ = jeux.acteurs(eg)
    dossier = creer(eg=eg, nom="Fichier", acteur=referent)
    with mesurer() as ecriture:
        rangees = [list(rangee) for rangee in gabarit(apercu(dossier))]
    colonne = rangees[0].index("Conditions d’admission")
    for rangee in rangees[2:]:
        rangee[colonne] = "Du fichier."
    tampon = io.StringIO()
    csv.writer(tampon, delimiter=";").writerows(rangees)
    octets = tampon.getvalue().encode()
    with mesurer() as depot:
        proposition = proposer(
            numero=dossier.pk, acteur=referent, nom="essai.csv", flux=io.BytesIO(octets), taille=len(octets)
        )
    with mesurer() as reprise:
        appliquer_proposition(numero=dossier.pk, acteur=referent, proposition=proposition.pk)
    return [
        ligne(f"template of {taille} fiches", ecriture, octets),
        ligne(f"read and check its {len(proposition.lignes)} changes", depot),
        ligne("lay them over the draft", reprise),
    ]
