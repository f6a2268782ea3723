"""Working days, the clock that stops, and the timers of the flow under time travel."""

from datetime import date, datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine

from notifications.models import Envoi
from tests.factories import dossiers as fabrique
from tests.factories.repertoire import compte, gestionnaire, hopital
from workflows.delais import ajouter_jours_ouvres, echeance, jours_ouvres_entre, rappel, recours
from workflows.domaine import decisions, taches
from workflows.models import Dossier, Tache
from workflows.tasks import declencher_minuteries

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("depart", "nombre", "attendu"),
    [
        (date(2026, 11, 27), 1, date(2026, 11, 30)),  # over a weekend
        (date(2026, 12, 24), 1, date(2026, 12, 28)),  # Christmas is a Friday
        (date(2026, 5, 7), 1, date(2026, 5, 11)),  # 8 May is a Friday
        (date(2026, 4, 3), 1, date(2026, 4, 7)),  # Easter Monday
        (date(2026, 12, 31), 1, date(2027, 1, 4)),
        (date(2026, 11, 22), 0, date(2026, 11, 22)),
        (date(2026, 11, 25), -1, date(2026, 11, 24)),
        (date(2026, 11, 30), -1, date(2026, 11, 27)),
        (date(2026, 11, 20), 10, date(2026, 12, 4)),
    ],
)
def test_jours_ouvres(depart: date, nombre: int, attendu: date) -> None:
    assert ajouter_jours_ouvres(depart, nombre) == attendu


@pytest.mark.parametrize(
    ("depart", "jours", "limite", "alerte", "suite"),
    [
        # Clocks go back on Sunday 25 October 2026, forward on Sunday 28 March 2027.
        ((2026, 10, 23, 10), 3, (2026, 10, 28), (2026, 10, 27), (2026, 10, 30)),
        ((2027, 3, 26, 23, 30), 3, (2027, 4, 1), (2027, 3, 31), (2027, 4, 5)),
        # Over Christmas and New Year's Day; over the Ascension; a delay of one day is reminded of at once.
        ((2026, 12, 23, 9), 3, (2026, 12, 29), (2026, 12, 28), (2026, 12, 31)),
        ((2026, 12, 30, 9), 2, (2027, 1, 4), (2026, 12, 31), (2027, 1, 6)),
        ((2027, 5, 4, 9), 2, (2027, 5, 7), (2027, 5, 5), (2027, 5, 11)),
    ],
)
def test_moments(depart: tuple[int, ...], jours: int, limite: Any, alerte: Any, suite: Any) -> None:
    """Paris time all along: the end of the last day, eight in the morning for the mails."""
    debut = datetime(*depart, tzinfo=PARIS)  # type: ignore[misc, arg-type]
    fin = echeance(debut, jours)
    assert fin == datetime(*limite, 23, 59, 59, tzinfo=PARIS)
    assert rappel(fin, debut) == datetime(*alerte, 8, tzinfo=PARIS)
    assert recours(fin) == datetime(*suite, 8, tzinfo=PARIS)
    assert jours_ouvres_entre(debut, fin) == jours
    assert jours_ouvres_entre(fin, debut) == 0
    assert rappel(echeance(debut, 0), debut) >= debut


@pytest.fixture
def lieu(db: None) -> SimpleNamespace:
    """A hospital: two Directions (one task for both), its référent, two gestionnaires."""
    with time_machine.travel(datetime(2026, 11, 2, 9, tzinfo=PARIS), tick=False):
        arbre = hopital()
        return SimpleNamespace(
            uo=arbre["UO"],
            eg=arbre["EG"],
            referent=compte("referent", arbre["EG"], "referent"),
            direction=compte("direction", arbre["EG"], "direction"),
            adjointe=compte("direction", arbre["EG"], "adjointe"),
            sesan=gestionnaire("sesan"),
            sesan2=gestionnaire("sesan2"),
        )


def envoye(lieu: SimpleNamespace) -> Dossier:
    dossier = fabrique.brouillon(lieu.eg, lieu.referent)
    fabrique.modifier(dossier, lieu.referent, lieu.uo.pk, nom="Unité renommée")
    return fabrique.envoye(dossier, lieu.referent)


def courriels(tache: Tache) -> list[tuple[str, str]]:
    envois = Envoi.objects.filter(cle__contains=f":tache:{tache.pk}:").exclude(type_code="tache_creee")
    return sorted(envois.values_list("type_code", "destinataire__username"))


def sonneries(tache: Tache) -> list[str]:
    types = ("rappel", "escalade", "recours")
    return [e.type for e in tache.dossier.evenements.all() if e.type in types and e.details["tache"] == tache.pk]


def aller(horloge: Any, *moment: int) -> None:
    horloge.move_to(datetime(*moment, tzinfo=PARIS))  # type: ignore[misc, arg-type]
    declencher_minuteries()
    assert declencher_minuteries() == 0  # once


def test_rappel_puis_retard_puis_recours(lieu: SimpleNamespace) -> None:
    """To those who may do it, now: the day before, then once late; two working days later to the gestionnaires."""
    with time_machine.travel(datetime(2026, 11, 20, 10, tzinfo=PARIS), tick=False) as horloge:
        tache = fabrique.tache(envoye(lieu))
        assert tache.echeance == datetime(2026, 11, 25, 23, 59, 59, tzinfo=PARIS)
        aller(horloge, 2026, 11, 20, 11)
        assert courriels(tache) == []
        aller(horloge, 2026, 11, 24, 8)
        rappels = [("tache_rappel", "adjointe"), ("tache_rappel", "direction")]
        assert courriels(tache) == rappels
        nouvelle = compte("direction", lieu.eg, "nouvelle")  # arrived since; one left
        lieu.adjointe.habilitations.update(fin=date(2026, 11, 24))
        aller(horloge, 2026, 11, 26, 0)
        retards = [("tache_retard", "direction"), ("tache_retard", nouvelle.username)]
        assert courriels(tache) == rappels + retards
        horloge.move_to(datetime(2026, 11, 24, 8, tzinfo=PARIS))  # the clock is set back: nothing comes twice
        assert declencher_minuteries() == 0
        aller(horloge, 2026, 11, 30, 8)
        recours_ = [("tache_recours", "sesan"), ("tache_recours", "sesan2")]
        assert courriels(tache) == sorted(rappels + retards + recours_)
        assert sonneries(tache) == ["rappel", "escalade", "recours"]
        decisions.valider(tache=tache.pk, acteur=lieu.direction)
        suite = fabrique.tache(tache.dossier)
        taches.prendre(numero=suite.pk, acteur=lieu.sesan)
        aller(horloge, 2026, 12, 14, 23)  # a Monday, ten working days after
        aller(horloge, 2026, 12, 15, 0)
        aller(horloge, 2026, 12, 16, 8)
        # The supervisor of a gestionnaire is the other one.
        assert courriels(suite)[-1:] == [("tache_retard", "sesan2")]
        assert [c for c in courriels(suite) if c[0] == "tache_recours"] == [("tache_recours", "sesan2")]


@pytest.mark.parametrize(
    ("reprise", "attendues"),
    [
        ((2026, 11, 25, 12), ["rappel"]),
        ((2026, 11, 26, 9), ["escalade"]),  # the reminder would come with the escalation
        ((2027, 2, 1, 10), ["recours"]),
    ],
)
def test_apres_des_jours_d_arret(lieu: SimpleNamespace, reprise: tuple[int, ...], attendues: list[str]) -> None:
    """One mail each, the last that was due: to everybody who would have had one."""
    with time_machine.travel(datetime(2026, 11, 20, 10, tzinfo=PARIS), tick=False) as horloge:
        tache = fabrique.tache(envoye(lieu))
        aller(horloge, *reprise)
        assert sonneries(tache) == attendues
        gens = [nom for _, nom in courriels(tache)]
        assert gens == ["adjointe", "direction", *(["sesan", "sesan2"] if attendues == ["recours"] else [])]
        aller(horloge, 2027, 3, 1, 10)
        assert [s for s in sonneries(tache) if s == "recours"] == ["recours"]


def test_le_delai_s_arrete_pendant_la_correction(lieu: SimpleNamespace) -> None:
    """What was left, never under two days; whole again after a withdrawal, and for those who edit."""

    def du(dossier: Dossier) -> tuple[str, int | None, date]:
        tache = fabrique.tache(dossier)
        return tache.noeud, tache.restait, tache.echeance.astimezone(PARIS).date()

    def renvoyer_la_correction(dossier: Dossier) -> None:
        fabrique.envoye(fabrique.relu(dossier), lieu.referent)

    with time_machine.travel(datetime(2026, 11, 3, 10, tzinfo=PARIS), tick=False) as horloge:
        dossier = envoye(lieu)
        decisions.valider(tache=fabrique.tache(dossier).pk, acteur=lieu.direction)
        assert du(dossier) == ("approbation_sesan", None, date(2026, 11, 18))  # the 11th is a holiday
        horloge.move_to(datetime(2026, 11, 10, 18, tzinfo=PARIS))  # five days taken
        fabrique.renvoye(dossier, lieu.sesan)
        assert du(dossier)[:2] == ("redaction", None)
        horloge.move_to(datetime(2026, 12, 3, 10, tzinfo=PARIS))  # a Thursday
        renvoyer_la_correction(dossier)
        assert du(dossier) == ("validation_direction", 3, date(2026, 12, 8))  # validated on the day, nothing taken
        decisions.valider(tache=fabrique.tache(dossier).pk, acteur=lieu.direction)
        assert du(dossier) == ("approbation_sesan", 5, date(2026, 12, 10))
        assert fabrique.tache(dossier).suspension == "délai suspendu pendant la correction : il restait 5 jours"
        horloge.move_to(datetime(2026, 12, 14, 10, tzinfo=PARIS))
        fabrique.renvoye(dossier, lieu.sesan)
        renvoyer_la_correction(dossier)
        horloge.move_to(datetime(2026, 12, 15, 10, tzinfo=PARIS))
        decisions.retirer(numero=dossier.pk, acteur=lieu.referent)
        renvoyer_la_correction(dossier)
        assert du(dossier) == ("validation_direction", None, date(2026, 12, 18))
        fabrique.renvoye(dossier, lieu.direction)
        horloge.move_to(datetime(2026, 12, 21, 10, tzinfo=PARIS))
        renvoyer_la_correction(dossier)
        decisions.valider(tache=fabrique.tache(dossier).pk, acteur=lieu.direction)
        assert du(dossier) == ("approbation_sesan", None, date(2027, 1, 6))
        horloge.move_to(datetime(2027, 1, 5, 10, tzinfo=PARIS))
        fabrique.renvoye(dossier, lieu.sesan)
        renvoyer_la_correction(dossier)
        decisions.valider(tache=fabrique.tache(dossier).pk, acteur=lieu.direction)
        assert du(dossier) == ("approbation_sesan", 1, date(2027, 1, 7))  # two days at least
        mots = "délai suspendu pendant la correction : il restait 1 jour, porté à 2"
        assert fabrique.tache(dossier).suspension == mots


def test_un_dossier_renvoye_se_rappelle_a_ceux_qui_le_corrigent(lieu: SimpleNamespace) -> None:
    """Five working days after the return, with why; at the due date as ever; nothing once it is sent again."""
    with time_machine.travel(datetime(2026, 11, 4, 10, tzinfo=PARIS), tick=False) as horloge:
        dossier = envoye(lieu)
        fabrique.renvoye(dossier, lieu.direction, "Le territoire manque.")
        tache = fabrique.tache(dossier)
        aller(horloge, 2026, 11, 12, 7)  # the 11th is a holiday
        assert courriels(tache) == []
        aller(horloge, 2026, 11, 12, 8)
        rappels = [("tache_rappel", nom) for nom in ("adjointe", "direction", "referent")]
        assert courriels(tache) == rappels
        envoi = Envoi.objects.filter(cle__contains=f"tache:{tache.pk}:rappel").first()
        assert envoi.sujet.startswith("Rappel : à corriger et renvoyer au plus tard le 17 décembre")
        assert "il est revenu le mercredi 4 novembre 2026" in envoi.corps_texte.replace("\xa0", " ")
        assert "Renvoyé par : direction\nMotif : Le territoire manque." in envoi.corps_texte
        aller(horloge, 2026, 12, 18, 0)
        assert courriels(tache) == rappels + [("tache_retard", nom) for _, nom in rappels]
        fabrique.envoye(fabrique.relu(dossier), lieu.referent)
        fabrique.renvoye(dossier, lieu.direction)
        encore = fabrique.tache(dossier)
        fabrique.envoye(fabrique.relu(dossier), lieu.referent)
        aller(horloge, 2027, 1, 4, 8)
        assert courriels(encore) == []
