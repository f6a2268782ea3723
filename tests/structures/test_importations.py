"""Imports: deposit, dry run, report, confirmation, application, stop, a dead worker; the screens and the command."""

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Invalide
from structures.domaine.enregistrer import enregistrer
from structures.enums import EtatImportation
from structures.importations import depot, deroulement, genres
from structures.importations.deroulement import _exclusivite, travailler
from structures.importations.suivi import Suivi
from structures.models import DetailImportation, Fiche, Importation, MorceauImporte

from .fabrique import aujourdhui, change, personne
from .fichier_finess import EG1, EG2, EG3, EJ1, JOUR, actuelle, fiche, ligne, rien_ecrit, texte

BON = texte([ligne(EG1), ligne(EG2)])


def deposer(contenu: str = BON, acteur: User | None = None) -> Importation:
    return depot.deposer(genre="finess", nom="finess.csv", morceaux=[contenu.encode()], acteur=acteur)


def relue(importation: Importation) -> Importation:
    return Importation.objects.get(pk=importation.pk)


def analysee(contenu: str = BON, acteur: User | None = None) -> Importation:
    importation = deposer(contenu, acteur)
    assert travailler(importation.pk)
    return relue(importation)


def appliquee(importation: Importation, acteur: User | None = None) -> Importation:
    depot.confirmer(numero=importation.pk, acteur=acteur, empreinte=importation.empreinte_bilan)
    assert travailler(importation.pk)
    return relue(importation)


def sorts(importation: Importation) -> set[tuple[str, str, str, str, str]]:
    lus = DetailImportation.objects.filter(importation=importation)
    return set(lus.values_list("sort", "cle", "champ", "avant", "apres"))


@pytest.mark.django_db
def test_analyser_puis_confirmer_puis_appliquer(agent):
    importation = analysee(acteur=agent)
    assert (importation.etat, importation.bilan["sorts"]) == (EtatImportation.A_CONFIRMER, {"cree": 3})
    assert rien_ecrit()
    creations = {("cree", EJ1, "", "", ""), ("cree", EG1, "", "", EJ1), ("cree", EG2, "", "", EJ1)}
    assert sorts(importation) == creations
    importation = appliquee(importation, agent)
    assert (importation.etat, importation.confirme_par) == (EtatImportation.APPLIQUEE, agent)
    assert sorts(importation) == creations
    assert actuelle(EG1).parent == fiche(EJ1)
    assert not MorceauImporte.objects.exists()
    with pytest.raises(Conflit, match="déjà appliqué"):
        depot.confirmer(numero=importation.pk, acteur=agent, empreinte=importation.empreinte_bilan)
    assert travailler(importation.pk)  # a message that comes twice
    encore = analysee(texte([ligne(EG1, telephone="0199000001"), ligne(EG2)], jour=JOUR + timedelta(days=1)))
    assert analysee(acteur=agent).message.startswith("Rien à changer")  # the older file again: over, without a question
    assert sorts(encore) == {("change", EG1, "Téléphone", "0147020235", "0199000001"), ("inchange", EG2, "", "", "")}


@pytest.mark.django_db
def test_ce_qui_a_change_depuis_l_analyse_se_confirme_de_nouveau():
    appliquee(analysee())
    demain = JOUR + timedelta(days=1)
    importation = analysee(texte([ligne(EG1, telephone="0199000001"), ligne(EG2)], jour=demain))
    avant = importation.empreinte_bilan
    enregistrer([change(fiche(EG1), aujourdhui(), personne(), telephone="0611111111")])
    importation = appliquee(importation)
    assert (importation.etat, importation.confirme_le) == (EtatImportation.A_CONFIRMER, None)
    assert "a changé depuis l’analyse" in importation.message
    assert {s[0] for s in sorts(importation)} == {"conserve", "inchange"}
    assert actuelle(EG1).telephone == "0611111111"
    with pytest.raises(Conflit, match="de nouveau"):
        depot.confirmer(numero=importation.pk, acteur=None, empreinte=avant)
    assert appliquee(importation).etat == EtatImportation.APPLIQUEE


@pytest.mark.django_db
def test_un_fichier_refuse_dit_pourquoi_et_s_efface():
    importation = analysee(BON[:-1])
    assert (importation.etat, "ligne 5" in importation.message) == (EtatImportation.REFUSEE, True)
    assert not MorceauImporte.objects.exists()
    assert rien_ecrit()
    for nom, contenu in (("f.pdf", b"x"), ("f.csv", b"")):
        with pytest.raises(Invalide):
            depot.deposer(genre="finess", nom=nom, morceaux=[contenu], acteur=None)
    with pytest.raises(Interdit):
        deposer(acteur=personne())


@pytest.mark.django_db
def test_purger_abandonne_ce_que_personne_ne_confirme():
    vieille, recente = analysee(), analysee()
    Importation.objects.filter(pk=vieille.pk).update(demande_le=timezone.now() - timedelta(days=31))
    assert depot.purger() == 1
    assert (relue(vieille).etat, relue(recente).etat) == (EtatImportation.ABANDONNEE, EtatImportation.A_CONFIRMER)
    assert {m.importation_id for m in MorceauImporte.objects.all()} == {recente.pk}


# -- other connections: what is seen meanwhile -------------------------------------------------------------------------


@pytest.fixture
def lent(monkeypatch) -> list[object]:
    """A genre that looks at its own row from outside its transaction, then does what the test put there."""
    vues: list[object] = []

    def importer(chemin: Path, suivi: Suivi) -> genres.Bilan:
        suivi.etape("Lecture", 10)
        suivi._dit_le = 0
        suivi.avancer(4)
        autre = connection.copy()
        try:
            with autre.cursor() as curseur:
                curseur.execute("SELECT etat, etape, fait, total FROM structures_importation")
                vues.append(curseur.fetchone())
                vues.append(depot.vivantes() == {suivi.numero})
                if "arreter" in suivi.options:
                    curseur.execute("UPDATE structures_importation SET annulation_le = now()")
        finally:
            autre.close()
        if "tomber" in suivi.options:
            raise RuntimeError("panne")
        Fiche.objects.create(niveau="EJ", identifiant="1LENT")
        suivi._dit_le = 0
        suivi.avancer(5)
        return genres.Bilan(["fait"])

    monkeypatch.setitem(genres._GENRES, "lent", genres.Genre("lent", "Lent", "", (".csv",), importer))
    return vues


def lancer(*options: str) -> Importation:
    importation = depot.deposer(
        genre="lent", nom="a.csv", morceaux=[b"x"], acteur=None, options=dict.fromkeys(options, True), analyser=False
    )
    assert travailler(importation.pk)
    return relue(importation)


@pytest.mark.course
@pytest.mark.django_db(transaction=True)
def test_l_avancement_se_voit_et_l_arret_s_entend(lent, caplog):
    assert (lancer().etat, Fiche.objects.count()) == (EtatImportation.APPLIQUEE, 1)
    assert lent == [(EtatImportation.APPLICATION, "Lecture", 4, 10), True]
    Importation.objects.all().delete()
    Fiche.objects.all().delete()
    arrete = lancer("arreter")
    assert (arrete.etat, Fiche.objects.count()) == (EtatImportation.ABANDONNEE, 0)
    tombe = lancer("tomber")
    assert (tombe.etat, Fiche.objects.count()) == (EtatImportation.INTERROMPUE, 0)
    assert "panne" in caplog.text
    assert depot.relancer(numero=tombe.pk, acteur=None).etat == EtatImportation.A_ANALYSER


@pytest.mark.course
@pytest.mark.django_db(transaction=True)
def test_un_seul_import_a_la_fois_et_un_programme_mort_se_voit():
    importation = deposer()
    autre = connection.copy()
    try:
        with autre.cursor() as curseur:
            curseur.execute("SELECT pg_advisory_lock(hashtext('structures.importations'))")
        assert not travailler(importation.pk)
        assert relue(importation).etat == EtatImportation.A_ANALYSER
        # As a killed worker leaves it: claimed, and no lock.
        Importation.objects.update(etat=EtatImportation.ANALYSE, commence_le=timezone.now() - timedelta(minutes=1))
        assert depot.interrompue(relue(importation))
        with autre.cursor() as curseur:
            curseur.execute(f"SELECT pg_advisory_lock({depot.CLE_VERROU}, {importation.pk})")
        assert not depot.interrompue(relue(importation))
        with pytest.raises(Conflit, match="n’attend pas"):
            depot.relancer(numero=importation.pk, acteur=None)
    finally:
        autre.close()
    assert depot.relancer(numero=importation.pk, acteur=None).etat == EtatImportation.A_ANALYSER
    assert travailler(importation.pk)
    assert relue(importation).etat == EtatImportation.A_CONFIRMER


def ailleurs(action: Callable[[], None]) -> tuple[threading.Event, threading.Event, threading.Thread]:
    """Run ``action`` in a transaction of another connection; it holds it until the second event is set."""
    pret, fini = threading.Event(), threading.Event()

    def tenir() -> None:
        try:
            with transaction.atomic():
                action()
                pret.set()
                fini.wait(20)
        finally:
            pret.set()
            connection.close()

    fil = threading.Thread(target=tenir)
    fil.start()
    pret.wait(20)
    return pret, fini, fil


@pytest.mark.course
@pytest.mark.django_db(transaction=True)
def test_une_fiche_tenue_trop_longtemps_arrete_l_import_avec_une_phrase():
    appliquee(analysee())
    _, fini, fil = ailleurs(lambda: list(Fiche.objects.select_for_update(no_key=True)))
    try:
        with connection.cursor() as curseur:
            curseur.execute("SET lock_timeout = '200ms'")
        importation = analysee(texte([ligne(EG1, rs="AUTRE"), ligne(EG2)], jour=JOUR + timedelta(days=1)))
        assert (importation.etat, importation.message.split(".")[0]) == (
            EtatImportation.INTERROMPUE,
            "Des fiches sont en cours de modification",
        )
    finally:
        fini.set()
        fil.join(20)
        connection.close()
    assert actuelle(EG1).nom != "AUTRE"
    depot.relancer(numero=importation.pk, acteur=None)
    assert travailler(importation.pk)
    assert appliquee(relue(importation)).etat == EtatImportation.APPLIQUEE
    assert actuelle(EG1).nom == "AUTRE"


@pytest.mark.django_db
def test_ce_qu_un_travail_endormi_trouve_change_n_est_plus_a_lui(monkeypatch):
    # The worker sleeps between its claim and its lock; its import shows as interrupted, and somebody decides otherwise.
    for geste, attendu in ((depot.relancer, EtatImportation.A_ANALYSER), (depot.annuler, EtatImportation.ABANDONNEE)):
        importation = analysee()
        depot.confirmer(numero=importation.pk, acteur=None, empreinte=importation.empreinte_bilan)

        def exclusivite(numero: int, geste: Any = geste) -> None:
            with monkeypatch.context() as m:
                m.setattr(depot, "DELAI", timedelta(seconds=-1))
                m.setattr(depot, "vivantes", set)
                geste(numero=numero, acteur=None)
            _exclusivite(numero)

        with monkeypatch.context() as m:
            m.setattr(deroulement, "_exclusivite", exclusivite)
            assert travailler(importation.pk)
        assert relue(importation).etat == attendu
        assert rien_ecrit()


# -- screens and command -----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_du_depot_au_bilan_par_les_ecrans(agent, django_assert_max_num_queries):
    client = Client()
    client.force_login(agent)
    url = reverse("importation_deposer", args=["finess"])
    assert "Choisissez le fichier" in client.post(url).text
    contenu = texte([ligne(EG1), ligne(EG2, siret="1")])
    reponse = client.post(url, {"fichier": SimpleUploadedFile("mon fichier.csv", contenu.encode())}, follow=True)
    assert "En attente d’un programme libre" in reponse.text
    importation = Importation.objects.get()
    adresse = reverse("importation", args=[importation.pk])
    travailler(importation.pk)
    assert client.get(adresse, headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    with django_assert_max_num_queries(14):
        page = client.get(adresse, {"sort": "refuse"}).text
    assert "clé de contrôle fausse" in page
    assert "Appliquer au répertoire" in page
    assert "n’est pas dans ce bilan" in client.get(adresse, {"sort": "autre"}).text
    with django_assert_max_num_queries(8):
        assert "à confirmer" in client.get(reverse("importations")).text
    rapport = client.get(reverse("exporter", args=["import", "csv"]), {"import": importation.pk, "sort": "refuse"})
    assert b"".join(rapport.streaming_content).count(b"\n") == 2
    assert (
        b"".join(client.get(reverse("importation_fichier", args=[importation.pk])).streaming_content).decode()
        == contenu
    )
    bilan = {"empreinte": Importation.objects.get().empreinte_bilan}
    client.post(reverse("importation_confirmer", args=[importation.pk]), bilan)
    assert relue(importation).etat == EtatImportation.A_APPLIQUER
    client.post(reverse("importation_annuler", args=[importation.pk]))
    assert relue(importation).etat == EtatImportation.ABANDONNEE
    page = client.get(adresse).text
    assert ("Abandonné" in page, "Créés" in page, "changerait" in page) == (True, True, True)
    Importation.objects.update(etat=EtatImportation.REFUSEE)
    page = client.get(adresse).text  # a refused file says why, and no longer what it would do
    assert ("Refusés" in page, "Créés" in page, "changerait" in page) == (True, False, False)


def commander(chemin: Path, *options: str) -> str:
    sortie = StringIO()
    call_command("importer", "finess", str(chemin), *options, stdout=sortie)
    return sortie.getvalue()


@pytest.mark.django_db
def test_la_commande_fait_comme_les_ecrans(tmp_path):
    chemin, bilan = tmp_path / "f.csv", tmp_path / "bilan.json"
    chemin.write_text(texte([ligne(EG1), ligne(EG2, departement="2A", commune="004"), ligne(EG3, siret="1")], []))
    options = ("--option", "sans_geolocalisation", "--option", "region=toutes")
    simulation = commander(chemin, "--simulation", *options)
    assert rien_ecrit()
    reelle = commander(chemin, "--json", str(bilan), *options)
    assert simulation.splitlines()[1:-1] == reelle.splitlines()[1:-1]
    assert f"refusés : ligne 4, {EG3}  SIRET « 1 »" in reelle
    assert (actuelle(EG1).finess, actuelle(EG2).finess) == (EG1, EG2)
    lu = json.loads(bilan.read_text())
    assert (lu["etat"], lu["bilan"]["nombres"]["établissements créés"]) == ("appliquee", 3)
    assert [(d["ligne"], d["colonne"]) for d in lu["details"] if d["sort"] == "refuse"] == [(4, "colonne 23")]
    with pytest.raises(CommandError, match=r"ligne 4.*tronqué"):
        commander(chemin)
    with pytest.raises(CommandError, match="option de ce genre"):
        commander(chemin, "--option", "couleur")
    with pytest.raises(CommandError, match="ne peut pas être lu"):
        commander(tmp_path / "absent.csv")
