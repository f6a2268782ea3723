"""Exports in the background: asked once, prepared once whatever dies, for their author alone, forgotten in time."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from types import SimpleNamespace
from typing import Any

import openpyxl
import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.exports import domaine, registre, tasks, views
from backoffice.exports.fichiers import Ligne, ecrire_classeur
from backoffice.exports.models import EtatExport, ExportDemande, Morceau
from backoffice.exports.registre import Contenu
from backoffice.socle.erreurs import Conflit, Interdit, Introuvable
from notifications.models import Envoi
from structures.enums import Role
from structures.models import Habilitation
from tests.factories import repertoire as fabrique
from tests.navigation import client, texte

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def nombres(user: User, choix: Any) -> Contenu:
    """A list of ``n`` rows for whoever is called « ada »; a worker may die, or its author act, at row ``a``."""
    if user.username != "ada":
        raise Interdit("sans_droit", "Cette liste n’est pas la vôtre.")
    n = int(choix.get("n", 3))

    def lignes() -> Iterator[Ligne]:
        yield ("Rang", "Carré")
        for i in range(n):
            if i == PENDANT.a:
                PENDANT.geste()
            yield (i, f"={i * i}")

    return Contenu(lignes(), lambda: n, "essai")


PENDANT = SimpleNamespace(a=None, geste=lambda: None)


@pytest.fixture(autouse=True)
def liste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registre._exports, "nombres", registre.Export("nombres", "Nombres", f"{__name__}.nombres"))
    monkeypatch.setattr(PENDANT, "a", None)
    monkeypatch.setattr(domaine, "PAS", 0.0)


@pytest.fixture
def ada() -> User:
    return fabrique.compte(Role.REFERENT, fabrique.etablissement(), "ada")


def demander(ada: User, **plus: Any) -> ExportDemande:
    return domaine.demander(acteur=ada, **({"nom": "nombres", "requete": "n=4", "forme": "csv"} | plus))


def etat(demande: ExportDemande) -> tuple[str, int, int | None]:
    demande.refresh_from_db()
    return demande.etat, demande.lignes, demande.total


def octets(reponse: Any) -> bytes:
    assert reponse.status_code == 200
    return b"".join(reponse.streaming_content)


def test_du_bouton_au_fichier(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "SEUIL", 3)
    monkeypatch.setattr(domaine, "MORCEAU", 1000)
    navigateur = client(ada)
    # What can be sent as it is written is, however long; the others up to SEUIL rows.
    assert octets(navigateur.get("/exports/nombres.csv?n=40")).count(b"\r\n") == 41
    assert octets(navigateur.get("/exports/nombres.xlsx?n=3"))[:2] == b"PK"
    longue = navigateur.get("/exports/nombres.xlsx?n=4&apres=12")
    assert (longue.status_code, longue["Location"]) == (302, "/exports/nombres/preparer/?n=4&forme=xlsx")
    assert "Cette liste est longue" in texte(navigateur.get(longue["Location"]))
    assert not ExportDemande.objects.exists()  # a GET writes nothing

    assert navigateur.post(longue["Location"], {"forme": "xlsx"})["Location"] == "/exports/"
    assert navigateur.post(longue["Location"], {"forme": "xlsx"}).status_code == 302  # twice: one demand
    demande = ExportDemande.objects.get()
    assert (demande.requete, demande.forme, demande.auteur) == ("n=4", "xlsx", ada)
    page = navigateur.get("/exports/", headers=HTMX).content.decode()
    assert "every 2s" in page
    assert "En attente" in page
    refus = navigateur.get(f"/exports/{demande.pk}/fichier/")
    assert refus.status_code == 409
    tasks.preparer(demande.pk)
    tasks.preparer(demande.pk)  # delivered twice by the broker
    assert etat(demande) == ("pret", 4, 4)
    assert "every 2s" not in navigateur.get("/exports/", headers=HTMX).content.decode()
    recu = navigateur.get(f"/exports/{demande.pk}/fichier/")
    jour = timezone.localdate().isoformat()
    assert recu["Content-Disposition"] == f'attachment; filename="ror-nombres-{jour}-essai.xlsx"'
    assert (recu["Content-Length"], recu["Cache-Control"]) == (str(demande.taille), "no-store, private")
    feuille = openpyxl.load_workbook(io.BytesIO(octets(recu))).active
    assert [ligne[1].value for ligne in feuille.iter_rows()] == ["Carré", "=0", "=1", "=4", "=9"]
    assert {ligne[1].data_type for ligne in feuille.iter_rows()} == {"s"}
    assert Morceau.objects.count() > 2
    [courriel] = Envoi.objects.filter(type_code="export_termine")
    assert (courriel.destinataire, courriel.sujet) == (ada, "Votre export est prêt : Nombres")

    bob = fabrique.compte(Role.GESTIONNAIRE, None, "bob")
    assert client(bob).get(f"/exports/{demande.pk}/fichier/").status_code == 404
    assert client(bob).post(f"/exports/{demande.pk}/annuler/").status_code == 404
    assert client(bob).post("/exports/nombres/preparer/", {"forme": "csv"}).status_code == 403
    User.objects.filter(pk=ada.pk).update(username="eve")  # may no longer see the list
    assert client(User.objects.get(pk=ada.pk)).get(f"/exports/{demande.pk}/fichier/").status_code == 403

    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1), tick=False):
        # Its time is over, though the hourly purge has yet to come.
        navigateur = client(User.objects.get(pk=ada.pk))
        assert navigateur.get(f"/exports/{demande.pk}/fichier/").status_code == 404
        assert f"/exports/{demande.pk}/fichier/" not in navigateur.get("/exports/").content.decode()
        assert tasks.purger() == 1
    assert not Morceau.objects.exists()


class Tue(BaseException):
    """kill -9: nothing of ours runs after it."""


def test_un_travailleur_tue_laisse_tout_a_refaire(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    demande = demander(ada)

    def meurt() -> None:
        raise Tue

    PENDANT.a, PENDANT.geste = 2, meurt
    with pytest.raises(Tue):
        domaine.preparer(demande.pk)
    assert etat(demande) == ("en_cours", 2, 4)
    assert domaine.preparer(demande.pk) is False  # its lease runs
    assert domaine.delaisses() == []
    relances: list[int] = []
    monkeypatch.setattr(tasks.preparer, "apply_async", lambda args, **_: relances.extend(args))
    with time_machine.travel(timezone.now() + domaine.BAIL + timedelta(seconds=1)):
        assert tasks.reprendre() == 1
        assert relances == [demande.pk]

        def doublee() -> None:
            """It was only slow: another begins again while it still writes."""
            PENDANT.a = None
            ExportDemande.objects.filter(pk=demande.pk).update(battement=timezone.now() - 2 * domaine.BAIL)
            assert domaine.preparer(demande.pk)

        PENDANT.geste = doublee
        assert domaine.preparer(demande.pk) is False  # stopped at its next word
    assert etat(demande) == ("pret", 4, 4)
    assert sum(len(m.contenu) for m in Morceau.objects.all()) == demande.taille
    assert Envoi.objects.filter(type_code="export_termine").count() == 1

    ExportDemande.objects.filter(pk=demande.pk).delete()
    maudite = demander(ada)
    ExportDemande.objects.filter(pk=maudite.pk).update(essais=domaine.ESSAIS)
    assert domaine.preparer(maudite.pk)
    assert etat(maudite)[0] == EtatExport.ECHEC
    assert "Appelez le support" in texte(client(ada).get("/exports/"))


def test_annuler_refuser_limiter(ada: User) -> None:
    demande = demander(ada)
    PENDANT.a, PENDANT.geste = 1, lambda: domaine.annuler(numero=demande.pk, acteur=ada)
    assert domaine.preparer(demande.pk) is False
    assert etat(demande)[0] == EtatExport.ANNULE
    assert not Morceau.objects.exists()
    with pytest.raises(Conflit):
        domaine.annuler(numero=demande.pk, acteur=ada)
    PENDANT.a = None
    for rang in range(domaine.MAXIMUM):
        demander(ada, requete=f"n={rang}")
    with pytest.raises(Conflit, match="déjà en préparation"):
        demander(ada, requete="n=99")
    with pytest.raises(Introuvable):
        demander(ada, forme="pdf")
    premiere = ExportDemande.objects.filter(etat=EtatExport.EN_ATTENTE).earliest("pk")
    User.objects.filter(pk=ada.pk).update(username="eve")  # lost the right while it waited
    assert domaine.preparer(premiere.pk)
    assert etat(premiere)[0] == EtatExport.ECHEC
    premiere.refresh_from_db()
    assert premiere.raison == "Cette liste n’est pas la vôtre."


def test_comptes_et_envois_autant_de_requetes_pour_un_ou_trois() -> None:
    gestionnaire = fabrique.compte(Role.GESTIONNAIRE, None, "gestionnaire")
    navigateur, eg = client(gestionnaire), fabrique.etablissement(nom="Hôpital TEST")

    def lu(adresse: str) -> tuple[list[list[str]], int]:
        with CaptureQueriesContext(connection) as vues:
            brut = octets(navigateur.get(f"/exports/{adresse}")).decode("utf-8-sig")
        return list(csv.reader(io.StringIO(brut), delimiter=";")), len(vues)

    fabrique.compte(Role.REFERENT, eg, "zoe")
    lu("comptes.csv")
    [entetes, *_, zoe], un = lu("comptes.csv")
    assert dict(zip(entetes, zoe, strict=True))["Droits"] == f"Référent · Hôpital TEST ({eg.identifiant[1:]})"
    for rang in range(3):
        Habilitation.objects.create(user=fabrique.compte(Role.DIRECTION, eg, f"z{rang}"), role=Role.REFERENT, fiche=eg)
    lignes, autant = lu("comptes.csv")
    assert (len(lignes), autant) == (6, un)
    assert [ligne[4] for ligne in lu("comptes.csv?q=zoe")[0][1:]] == ["zoe"]


def test_le_lien_d_une_page_garde_ses_choix() -> None:
    eg = fabrique.etablissement(nom="Hôpital TEST")
    navigateur = client(fabrique.lecteur())
    page = navigateur.get(f"/repertoire/{eg.identifiant}/comparer/?du=2019-01-01&au=2026-01-01").content.decode()
    [lien] = re.findall(r'href="(/exports/comparaison\.csv\?[^"]*)"', page)
    recu = navigateur.get(unescape(lien))
    assert recu["Content-Disposition"].endswith(f'-{eg.identifiant}-2019-01-01-2026-01-01.csv"')
    _, *lignes = csv.reader(io.StringIO(octets(recu).decode("utf-8-sig")), delimiter=";")
    assert {ligne[0] for ligne in lignes} == {"ajoutée"}
    historique = navigateur.get(f"/exports/historique.csv?fiche={eg.identifiant}")
    assert len(octets(historique).splitlines()) > 1


def test_un_tableur_ouvre_chaque_liste() -> None:
    """Excel repairs, or refuses, a workbook whose sheet has a name of more than 31 characters."""
    classeur = io.BytesIO()
    ecrire_classeur([(export.titre, [("Nom",)]) for export in registre.tous()], classeur)
    noms = openpyxl.load_workbook(classeur).sheetnames
    assert [nom for nom in noms if len(nom) > 31] == []
    assert len(noms) == len(registre.tous()) > 30
