"""The workspace of a dossier on 3,000 fiches: opened, and a subtree of 500 moved in it."""

import gzip
import statistics

from django.test import Client

from workflows.domaine import gestes
from workflows.domaine.creer import creer

from . import jeux
from .mesure import Mesure, mesurer, tableau


def ouvrir(client: Client, adresse: str, fois: int = 5) -> tuple[Mesure, bytes]:
    """The median of the same page asked several times, after once to warm up; its bytes."""
    client.get(adresse)
    releves: list[tuple[Mesure, bytes]] = []
    for _ in range(fois):
        with mesurer() as releve:
            reponse = client.get(adresse)
        assert reponse.status_code == 200, reponse.status_code
        releves.append((releve, reponse.content))
    milieu = statistics.median_low(releve.secondes for releve, _ in releves)
    return next(r for r in releves if r[0].secondes == milieu)


def ligne(quoi: str, releve: Mesure, page: bytes = b"") -> list[str]:
    tailles = [f"{len(page) / 1000:.0f}", f"{len(gzip.compress(page)) / 1000:.0f}"] if page else ["", ""]
    return [quoi, f"{releve.secondes:.3f}", f"{releve.python:.3f}", str(releve.instructions), *tailles]


ENTETES = ["what", "s", "Python s", "statements", "KB", "KB gzipped"]


def mesurer_espace(services: int = 6, unites: int = 498) -> None:
    eg, autre, lieux = jeux.hopital("940000000", services, unites)
    referent, _ = jeux.acteurs(eg)
    client = Client()
    client.force_login(referent)
    dossier = creer(eg=eg, nom="Regroupement", acteur=referent)
    adresse = f"/dossiers/{dossier.pk}/"
    lignes = [ligne(f"open the workspace, {eg.fiches.count()} fiches", *ouvrir(client, adresse))]
    with mesurer() as deplacement:
        gestes.deplacer(numero=dossier.pk, acteur=referent, fiches=[lieux[0].pk], parent=autre.pk)
    lignes.append(ligne(f"move a Service and the {unites + 1} fiches below it", deplacement))
    ufs = list(eg.fiches.filter(niveau="UF").order_by("pk"))
    uos = list(eg.fiches.filter(niveau="UO", versions__parent=ufs[0]).order_by("pk").values_list("pk", flat=True))
    with mesurer() as plusieurs:
        gestes.deplacer(numero=dossier.pk, acteur=referent, fiches=uos, parent=ufs[1].pk)
    lignes.append(ligne(f"move {len(uos)} UO one by one in one gesture", plusieurs))
    lignes.append(ligne(f"open it again, {len(uos) + 1} fiches changed", *ouvrir(client, adresse)))
    tableau("The workspace of a dossier", ENTETES, lignes)
