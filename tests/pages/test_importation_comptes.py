"""Accounts and rights from a spreadsheet: what is read, what is refused and where, nothing by halves."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from openpyxl import Workbook, load_workbook

from backoffice.comptes.models import User
from backoffice.exports.fichiers import ecrire
from backoffice.pages.importation_comptes import COLONNES
from notifications.models import Envoi
from structures.enums import EtatImportation, Role
from structures.importations import depot
from structures.importations.deroulement import travailler
from structures.models import DetailImportation, Habilitation, Importation
from tests.factories import repertoire as fabrique
from tests.navigation import client, texte

pytestmark = pytest.mark.django_db
JOUR = timezone.localdate()
FIN = (JOUR + timedelta(days=30)).strftime("%d/%m/%Y")


def analyser(rangees: list[list[Any]], acteur: User | None, forme: str = "csv", entete: Any = COLONNES) -> Importation:
    tampon = io.BytesIO()
    ecrire(forme, [entete, *rangees], tampon, "Comptes")
    nom = f"comptes.{forme}"
    importation = depot.deposer(genre="comptes", nom=nom, morceaux=[tampon.getvalue()], acteur=acteur)
    assert travailler(importation.pk)
    importation.refresh_from_db()
    return importation


def appliquer(importation: Importation, acteur: User) -> Importation:
    depot.confirmer(numero=importation.pk, acteur=acteur, empreinte=importation.empreinte_bilan)
    assert travailler(importation.pk)
    importation.refresh_from_db()
    assert importation.etat == EtatImportation.APPLIQUEE
    return importation


def details(importation: Importation, *colonnes: str) -> list[tuple[Any, ...]]:
    lus = DetailImportation.objects.filter(importation=importation).order_by("pk")
    return list(lus.values_list(*(colonnes or ("sort", "ligne", "cle", "champ", "avant", "apres"))))


def test_ouvrir_corriger_donner_terminer() -> None:
    acteur, eg = fabrique.gestionnaire("chef"), fabrique.etablissement(nom="Hôpital TEST")
    finess = eg.identifiant[1:]
    zoe = fabrique.compte(Role.REFERENT, eg, "zoe")
    tim = fabrique.compte(Role.TUTELLE, "ARS-11", "tim")
    depuis = zoe.habilitations.get().debut
    rangees = [
        ["Ada.L", "Lovelace", "Ada", "ada@essai.example", "Référent", finess, "", ""],
        ["ada.l", "", "", "", "Tutelle", "ARS-11", "", FIN],  # the same person again: another right
        ["ZOE", "Durand", zoe.first_name, zoe.email.upper(), "referent", finess, depuis.isoformat(), FIN],
        ["tim", "", "", "", "", "", "", ""],
        ["tim", tim.last_name, tim.first_name, tim.email, "tutelle", "ars-11", "", ""],
    ]
    for forme in ("ods", "xlsx", "csv"):
        importation = analyser(rangees, acteur, forme)
        assert importation.etat == EtatImportation.A_CONFIRMER, (importation.message, details(importation))
    assert not User.objects.filter(username="Ada.L").exists()  # nothing before it is confirmed
    assert not Envoi.objects.filter(type_code="compte_ouvert").exists()
    lus = details(importation, "sort", "ligne", "cle", "champ", "avant")
    assert lus == [
        ("cree", 2, "Ada.L", "Compte", ""),
        ("cree", 2, "Ada.L", "Droit", ""),
        ("cree", 3, "Ada.L", "Droit", ""),
        ("change", 4, "zoe", "Nom", zoe.last_name),  # the case of an address is no change
        ("ferme", 4, "zoe", "Droit", lus[4][4]),
        ("inchange", 5, "tim", "", ""),
        ("inchange", 6, "tim", "", ""),
    ]
    assert importation.bilan["nombres"] == {
        "Comptes ouverts": 1, "Corrections": 1, "Droits donnés": 2, "Droits terminés": 1, "Lignes sans effet": 2,
        "Lignes refusées": 0,
    }  # fmt: skip
    appliquer(importation, acteur)
    ada = User.objects.get(username="Ada.L")
    assert ada.doit_changer_mot_de_passe
    assert set(ada.habilitations.values_list("role", "fiche", "autorite", "fin")) == {
        (Role.REFERENT, eg.pk, None, None), (Role.TUTELLE, None, "ARS-11", JOUR + timedelta(days=30)),
    }  # fmt: skip
    assert zoe.habilitations.get().fin == JOUR + timedelta(days=30)
    assert Envoi.objects.filter(type_code="compte_ouvert", destinataire=ada).count() == 1
    encore = analyser(rangees, acteur)
    assert {d[0] for d in details(encore)} == {"inchange"}  # a second time: nothing, and no second password
    assert (encore.etat, encore.message.split(" :")[0]) == (EtatImportation.APPLIQUEE, "Rien à changer")
    assert Envoi.objects.filter(type_code="compte_ouvert").count() == 1

    # The accounts as the list exports them come back without a change.
    exportes = b"".join(client(acteur).get("/exports/droits.csv").streaming_content).decode("utf-8-sig")
    entete, *siens = csv.reader(io.StringIO(exportes), delimiter=";")
    assert {d[0] for d in details(analyser(siens, acteur, "xlsx", entete))} == {"inchange"}
    modele = client(acteur).get("/comptes/modele.xlsx")
    feuille = load_workbook(io.BytesIO(b"".join(modele.streaming_content))).worksheets[0]
    assert tuple(c.value for c in feuille[1]) == COLONNES


def test_une_ligne_refusee_refuse_le_fichier() -> None:
    acteur, eg = fabrique.gestionnaire("chef"), fabrique.etablissement()
    autre = fabrique.gestionnaire("autre")
    zoe = fabrique.compte(Role.REFERENT, eg, "zoe")
    parti = fabrique.compte(Role.REFERENT, eg, "parti")
    User.objects.filter(pk=parti.pk).update(is_active=False)
    User.objects.create(username="racine", email="racine@essai.example", is_superuser=True, is_staff=True)
    finess, ada = eg.identifiant[1:], ["Lovelace", "Ada", "ada@essai.example"]
    rangees = [
        ["bonne", *ada, "Référent", finess, "", ""],
        ["ada", *ada, "Référent", "999999999", "", ""],  # unknown FINESS
        ["ada", "Byron", "", "", "", "", "", ""],  # the same person otherwise
        ["eve", "", "Eve", "eve", "Chef", finess, "", ""],
        ["zoe", "", "", "", "Chef", finess, "", ""],
        ["zoe", "", "", "", "Direction", "", "", ""],
        ["zoe", "", "", "", "Tutelle", "ARS de la Lune", "", ""],
        ["zoe", "", "", "", "Direction", finess, "31 mars", ""],
        ["zoe", "", "", "", "Gestionnaire", finess, "", ""],
        ["zoe", "", "", "", "", finess, "", ""],
        ["zoe", "", "", "", "Direction", finess, "", ""],
        ["zoe", "", "", "", "Direction", finess, "", ""],  # the same right twice
        ["zoe", "", "", "", "Référent", finess, "", "01/01/2020"],  # an end that has passed
        ["chef", "", "", "", "Tutelle", "ARS-11", "", ""],  # herself
        ["chef", "", "", "", "Gestionnaire", "", "", FIN],
        ["parti", "", "", "", "Direction", finess, "", ""],
        ["", *ada, "", "", "", ""],
        ["racine", "", "", "chef@essai.example", "", "", "", ""],  # whose password would then be asked again
    ]
    importation = analyser(rangees, acteur)
    assert importation.etat == EtatImportation.REFUSEE
    refus = [
        (ligne, colonne) for sort, ligne, colonne in details(importation, "sort", "ligne", "colonne")
        if sort == "refuse"
    ]  # fmt: skip
    assert refus == [
        (3, "Structure"), (4, "Nom"), (5, "Nom"), (5, "E-mail"), (6, "Rôle"), (7, "Structure"), (8, "Structure"),
        (9, "Début"), (10, "Structure"), (11, "Rôle"), (13, "Rôle"), (14, "Fin"), (15, ""), (16, "Fin"), (17, ""),
        (18, "Identifiant"), (19, ""),
    ]  # fmt: skip
    raisons = dict(details(importation, "ligne", "raison"))
    assert raisons[15].startswith("Personne ne se donne un droit")
    assert raisons[16].startswith("Personne ne met fin à ses propres droits")
    assert not User.objects.filter(username__in=["bonne", "ada", "eve"]).exists()
    assert Habilitation.objects.filter(user=zoe).count() == 1
    page = client(autre).get(f"/imports/{importation.pk}/")
    assert "Rien n’a été importé" in texte(page)
    assert "Aucun établissement ni entité juridique" in texte(page)

    sans = analyser([["ada"]], acteur, entete=["Identifiant"])
    assert "il manque les colonnes Nom, Prénom, E-mail" in sans.message
    classeur = Workbook()
    classeur.active.append(list(COLONNES))
    classeur.active.append(["zoe", "=1+1"])
    tampon = io.BytesIO()
    classeur.save(tampon)
    formule = depot.deposer(genre="comptes", nom="c.xlsx", morceaux=[tampon.getvalue()], acteur=acteur)
    assert travailler(formule.pk)
    assert "formule" in details(formule, "raison")[0][0]


def test_une_adresse_changee_se_dit_a_l_ancienne_et_les_lignes_se_contredisent() -> None:
    acteur, collegue = fabrique.gestionnaire("chef"), fabrique.gestionnaire("collegue")
    ancienne = collegue.email
    appliquer(analyser([["collegue", "", "", "ailleurs@essai.example", "", "", "", ""]], acteur), acteur)
    [envoi] = Envoi.objects.filter(destinataire=collegue)
    assert (envoi.type_code, envoi.adresse) == ("adresse_changee", ancienne)
    assert "collegue" in envoi.corps_texte
    assert "ailleurs@" not in envoi.corps_texte
    contredites = [["collegue", *noms, "", "", "", "", ""] for noms in (("", ""), ("MARTIN", ""), ("DURAND", "Zoé"))]
    importation = analyser([r[:8] for r in contredites], acteur)
    refus = [d for d in details(importation, "sort", "ligne", "colonne", "raison") if d[0] == "refuse"]
    assert refus == [("refuse", 4, "Nom", "La ligne 3 dit « MARTIN » pour cette même personne.")]


def test_une_adresse_partagee_est_signalee_et_le_droit_termine_se_redonne() -> None:
    acteur, eg = fabrique.gestionnaire("chef"), fabrique.etablissement()
    zoe = fabrique.compte(Role.REFERENT, eg, "zoe")
    finess, hier = eg.identifiant[1:], JOUR - timedelta(days=1)
    Habilitation.objects.filter(user=zoe).update(debut=hier - timedelta(days=9), fin=hier)
    rangees = [
        [
            "zoe",
            "",
            "",
            "",
            "Référent",
            finess,
            (hier - timedelta(days=9)).isoformat(),
            hier.isoformat(),
        ],  # as exported
        ["zoe", "", "", "", "Référent", finess, "", ""],
        ["zoe2", "Durand", "Zoé", zoe.email.upper(), "", "", "", ""],
    ]
    importation = analyser(rangees, acteur)
    assert details(importation, "sort", "ligne", "champ") == [
        ("inchange", 2, ""), ("cree", 3, "Droit"), ("cree", 4, "Compte"), ("signale", 4, "E-mail"),
    ]  # fmt: skip
    appliquer(importation, acteur)
    assert sorted(zoe.habilitations.values_list("debut", "fin"), key=str) == sorted(
        [(hier - timedelta(days=9), hier), (JOUR, None)], key=str
    )
