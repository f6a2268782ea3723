"""Supervision: figures held against a naive count, the list behind each of them."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.http import QueryDict
from django.utils import timezone
from viewflow.workflow.models import Task

from backoffice.pages import incidents, tableaux
from backoffice.pages.forms import FiltreActes, FiltreTachesOuvertes
from notifications.models import Envoi, EtatEnvoi
from structures.domaine.enregistrer import enregistrer
from structures.enums import Role
from structures.models import Habilitation, Modification
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from tests.factories.repertoire import contenu
from tests.navigation import client, requetes_de, texte
from workflows import supervision
from workflows.domaine import taches
from workflows.domaine.journal import consigner
from workflows.durees import Duree
from workflows.enums import ACTES, Issue, TypeEvenement
from workflows.models import Decision, Dossier, Suppleance, Tache
from workflows.regles import peut_faire
from workflows.supervision import TRANCHES, Periode

from .jeu_de_taches import envoyes, taches_de

pytestmark = pytest.mark.django_db

NOEUDS = [
    ("redaction", None),
    ("validation_direction", None),
    ("approbation_sesan", None),
    ("approbation_tutelle", "ARS-11"),
    ("approbation_tutelle", "CD-78"),
]


def derriere(case: tableaux.Case) -> Any:
    """The list that a figure leads to."""
    choix = QueryDict(case.url.partition("?")[2])
    return FiltreActes(choix).actes if "/actes/" in case.url else FiltreTachesOuvertes(choix).taches


def verifier_les_listes(*tables: tableaux.Tableau) -> int:
    """Each figure that leads somewhere is the number of what is there. Returns how many were followed."""
    cases = [case for table in tables for ligne in table.lignes for case in ligne if case.url]
    for case in cases:
        assert derriere(case).count() == case.valeur, case
    return len(cases)


# -- where the dossiers are, since when --------------------------------------------------------------


def test_the_backlog_as_counted_by_hand(monde: Any, dossier: Dossier, django_assert_num_queries: Any) -> None:
    """Three dossiers with tasks of every age, two of them joint; the days are those of Paris."""
    Tache.objects.update(close_le=timezone.now(), issue=Issue.ABANDONNE)
    autre = fabrique.brouillon(monde.ailleurs, monde.voisin)
    Tache.objects.filter(dossier=autre).update(close_le=timezone.now(), issue=Issue.ABANDONNE)
    hasard, lignes = random.Random(3), []
    # 30 March in Paris, two days after the change of hour.
    with time_machine.travel(datetime(2027, 3, 29, 22, 30, tzinfo=UTC), tick=False):
        maintenant, aujourdhui = timezone.now(), date(2027, 3, 30)
        for lequel in (dossier, autre):
            for task in taches_de(lequel, 70):
                noeud, autorite = hasard.choice(NOEUDS)
                age = hasard.choice([0, 1, 2, 7, 8, 14, 15, 30, 31, 60, 61, 200])
                creee = maintenant - timedelta(days=age, minutes=hasard.choice([0, 31, 700, 1380]))
                echeance = maintenant + timedelta(hours=hasard.randint(-300, 300))
                lignes.append(
                    Tache(
                        tache=task, dossier=lequel, eg_id=lequel.eg_id, noeud=noeud, autorite_id=autorite,
                        creee_le=creee, echeance=echeance,
                    )
                )  # fmt: skip
        Tache.objects.bulk_create(lignes)
        naif: Counter[tuple[str, str, str, bool]] = Counter()
        for t in lignes:
            age = (aujourdhui - timezone.localdate(t.creee_le)).days
            [tranche] = [x.cle for x in TRANCHES if x.de <= age and (x.a is None or age <= x.a)]
            naif[t.noeud, t.autorite_id or "", tranche, t.echeance < maintenant] += 1
        with django_assert_num_queries(1):
            arrieres = supervision.arrieres()
        assert {
            (a.noeud, a.autorite, t.cle): (n, r)
            for a in arrieres
            for t, n, r in zip(TRANCHES, a.nombres, a.retards, strict=True)
            if n
        } == {
            (*cle,): (naif[*cle, True] + naif[*cle, False], naif[*cle, True])
            for cle in {(noeud, autorite, tranche) for noeud, autorite, tranche, _ in naif}
        }
        with django_assert_num_queries(1):
            positions = supervision.positions()
        ici = {noeud: [t for t in lignes if t.noeud == noeud] for noeud, _ in NOEUDS}
        tard = {noeud: [t for t in taches_ici if t.echeance < maintenant] for noeud, taches_ici in ici.items()}
        attendues = {noeud: (len(ici[noeud]), len(tard[noeud])) for noeud in ici}
        attendues["approbation_tutelle"] = tuple(  # jointly: the dossiers, not their tasks
            len({t.dossier_id for t in groupe["approbation_tutelle"]}) for groupe in (ici, tard)
        )
        assert {noeud: (p.dossiers, p.en_retard) for noeud, p in positions.items()} == attendues
        tables = [tableaux.par_age(arrieres), tableaux.arrieres_par_etape(arrieres)]
        assert verifier_les_listes(*tables) > 40
        assert sum(case.valeur for _, case, _ in tables[0].lignes) == len(lignes)
        assert max(b.premier + b.second for b in tables[0].barres) in (99, 100, 101)


def test_durations_are_told_when_there_are_enough(monde: Any, dossier: Dossier) -> None:
    durees = {
        ("redaction", ""): Duree("redaction", "", 4, 3.0, 9.0),
        ("approbation_sesan", ""): Duree("approbation_sesan", "", 12, 2.5, 8.0),
        ("envoi", ""): Duree("envoi", "", 12, 0.0, 1.0),
    }
    lues = {ligne[0].valeur: ligne[-2:] for ligne in tableaux.par_etape(supervision.positions(), durees).lignes}
    assert [c.valeur for c in lues["Finaliser les fiches"]] == ["trop peu de cas", ""]
    assert [c.valeur for c in lues["Approbation par SESAN"]] == ["2,5 j", "8 j"]
    assert [c.valeur for c in lues["Envoyer en validation"]] == ["moins d’un jour", "1 j"]


def test_the_tasks_held_by_absents_are_those_whose_holder_cannot_do_them(monde: Any, dossier: Dossier) -> None:
    """As ``peut_faire`` says of each holder: an account, each kind of right, a substitution that begins then ends."""
    jour = timezone.localdate()
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    fabrique.envoye(dossier, monde.referent)
    chez_la_direction = fabrique.tache(dossier)
    taches.prendre(numero=chez_la_direction.pk, acteur=monde.direction)
    a_sesan, aussi = [fabrique.tache(d) for d in envoyes(2)]
    for tache in (a_sesan, aussi):
        taches.prendre(numero=tache.pk, acteur=repertoire.gestionnaire(f"sesan{tache.pk}"))
    [task] = taches_de(dossier, 1)  # one more, at an authority
    Task.objects.filter(pk=task.pk).update(owner=monde.tutelle, status="ASSIGNED")
    a_la_tutelle = Tache.objects.create(
        tache=task, dossier=dossier, eg=dossier.eg, noeud="approbation_tutelle", autorite_id="ARS-11",
        creee_le=timezone.now(), echeance=timezone.now(),
    )  # fmt: skip

    def compare() -> set[int]:
        tenues = Tache.objects.filter(close_le=None, tache__owner__isnull=False).select_related("tache__owner")
        vues = set(supervision.tenues_par_des_absents().values_list("pk", flat=True))
        assert vues == {t.pk for t in tenues if not peut_faire(t.tache.owner, t)}
        return vues

    assert compare() == set()
    partie = Task.objects.get(pk=a_sesan.pk).owner
    Habilitation.objects.filter(user=partie).update(fin=jour)
    Habilitation.objects.create(user=partie, role=Role.REFERENT, fiche=monde.ailleurs)
    assert compare() == {a_sesan.pk}
    Dossier.objects.filter(pk=aussi.dossier_id).update(envoye_par=Task.objects.get(pk=aussi.pk).owner)
    assert compare() == {a_sesan.pk, aussi.pk}
    Habilitation.objects.filter(user=monde.tutelle).update(autorite="CD-78")
    Habilitation.objects.filter(user=monde.direction).update(role=Role.REFERENT)
    perdues = {a_sesan.pk, aussi.pk, a_la_tutelle.pk, chez_la_direction.pk}
    assert compare() == perdues
    absente = repertoire.compte(Role.DIRECTION, monde.ej)  # of the whole EJ
    autre = repertoire.compte(Role.TUTELLE, "ARS-11")
    for qui, pour in ((absente, monde.direction), (autre, monde.tutelle)):
        Suppleance.objects.create(absente=qui, suppleante=pour, du=jour, au=jour, ecrite_par=qui)
    assert compare() == perdues - {a_la_tutelle.pk, chez_la_direction.pk}
    Dossier.objects.filter(pk=dossier.pk).update(envoye_par=autre)  # nobody stands in for it against its sender
    assert compare() == perdues - {chez_la_direction.pk}
    Dossier.objects.filter(pk=dossier.pk).update(envoye_par=monde.referent)
    Suppleance.objects.update(finie_le=timezone.now())
    assert compare() == perdues


# -- what was done -----------------------------------------------------------------------------------


def test_the_activity_as_counted_by_hand_across_a_year_end(
    monde: Any, dossier: Dossier, django_assert_num_queries: Any
) -> None:
    """2026 has 53 ISO weeks: 3 January 2027 belongs to the last one, in Paris."""
    hasard = random.Random(8)
    gens = [monde.referent, monde.direction, monde.gestionnaire, None]
    faits: list[tuple[str, Any, datetime]] = []
    depart = datetime(2026, 12, 13, 22, tzinfo=UTC)
    moments = sorted(depart + timedelta(minutes=hasard.randint(0, 60 * 24 * 36)) for _ in range(90))
    bords = [datetime(2027, 1, 3, 22, 59, tzinfo=UTC), datetime(2027, 1, 3, 23, 1, tzinfo=UTC)]  # Sunday, Monday
    for moment in sorted([*moments, *bords]):
        type_, qui = hasard.choice([*ACTES, TypeEvenement.RAPPEL]), hasard.choice(gens)
        with time_machine.travel(moment, tick=False):
            consigner(dossier, type_, qui, tache=1)
        faits.append((type_, qui, moment))
    decidees = []
    for task, moment in zip(taches_de(dossier, 60), hasard.choices(moments, k=60), strict=True):
        noeud, autorite = hasard.choice(NOEUDS[1:])
        issue = hasard.choice([*supervision.REPONSES, Issue.AFFECTE])
        decidees.append(
            Decision(
                dossier=dossier, tache=task, noeud=noeud, autorite_id=autorite, acteur=monde.gestionnaire, issue=issue,
                motif="Parce que.", empreinte="e", le=moment,
            )
        )  # fmt: skip
    Decision.objects.bulk_create(decidees)
    periode = Periode(date(2026, 12, 16), date(2027, 1, 13))

    def dedans(moment: datetime) -> bool:
        return periode.du <= timezone.localdate(moment) <= periode.au

    vus = [(t, q, m) for t, q, m in faits if t in ACTES and dedans(m)]
    with django_assert_num_queries(1):
        semaines = supervision.par_semaine(periode)
    assert [tableaux.semaine_en_mots(s) for s, _ in semaines] == [
        "2026-S51, du 16/12 au 20/12",
        "2026-S52, du 21/12 au 27/12",
        "2026-S53, du 28/12 au 03/01",
        "2027-S01, du 04/01 au 10/01",
        "2027-S02, du 11/01 au 13/01",
    ]
    assert [nombres for _, nombres in semaines] == [
        dict(Counter(t for t, _, m in vus if s.du <= timezone.localdate(m) <= s.au)) for s, _ in semaines
    ]
    with django_assert_num_queries(1):
        personnes = supervision.par_personne(periode)
    assert {p.personne: {t: n for t, n in p.nombres.items() if n} for p in personnes} == {
        qui.pk: dict(Counter(t.value for t, q, _ in vus if q == qui)) for qui in gens if qui
    }
    assert [sum(p.nombres.values()) for p in personnes] == sorted(
        (sum(p.nombres.values()) for p in personnes), reverse=True
    )
    with django_assert_num_queries(1):
        autorites = supervision.par_autorite(periode)
    assert {(a.noeud, a.autorite): a.nombres for a in autorites} == {
        cle: dict(Counter(d.issue for d in decidees if (d.noeud, d.autorite_id or "") == cle and dedans(d.le)))
        for cle in {(d.noeud, d.autorite_id or "") for d in decidees if dedans(d.le)}
    }
    tables = [tableaux.par_semaine(periode), tableaux.par_autorite(periode, {}), tableaux.par_personne(periode, None)]
    assert verifier_les_listes(*tables) > 50


def test_a_period_is_what_the_address_says_or_twelve_weeks(monde: Any) -> None:
    with time_machine.travel(datetime(2027, 1, 6, 12, tzinfo=UTC), tick=False):
        for adresse, attendue in {
            "": (date(2026, 10, 19), date(2027, 1, 6)),
            "du=2026-12-28&au=2027-01-03": (date(2026, 12, 28), date(2027, 1, 3)),
            "du=2027-02-01": (date(2026, 10, 19), date(2027, 1, 6)),  # after its end: refused, said on the page
            "du=hier": (date(2026, 10, 19), date(2027, 1, 6)),
            "au=2026-01-04": (date(2025, 10, 13), date(2026, 1, 4)),
            "au=0001-01-05": (date(2026, 10, 19), date(2027, 1, 6)),  # where the calendar ends
            "du=9999-12-01&au=9999-12-31": (date(2026, 10, 19), date(2027, 1, 6)),
            "mesure=inventee&personne=x": (date(2026, 10, 19), date(2027, 1, 6)),
        }.items():
            assert tuple(FiltreActes(QueryDict(adresse)).periode) == attendue, adresse
        for ou in (
            "/supervision/activite/?au=0001-01-05",
            "/supervision/actes/?du=9999-12-01&au=9999-12-31",
            "/exports/supervision-semaines.csv?au=0001-01-05",
        ):
            assert client(monde.gestionnaire).get(ou).status_code == 200
        page = client(monde.gestionnaire).get("/supervision/actes/?du=2026-12-28&au=2027-01-03&mesure=envoye")
        ici = "/supervision/activite/?du=2026-12-28&amp;au=2027-01-03"
        assert f'<li><a href="{ici}">Activité</a></li><li><span aria-current="page">Envoyés</span>' in page.text
        page = client(monde.gestionnaire).get("/supervision/activite/?du=2027-02-01")
        assert "Le début est après la fin." in texte(page)
        assert "Deux ans au plus." in texte(client(monde.gestionnaire).get("/supervision/activite/?du=2020-01-01"))


# -- pages -------------------------------------------------------------------------------------------


PAGES = ("", "anciennete/", "activite/", "incidents/", "taches/?etape=approbation_sesan", "actes/?mesure=envoye")


def test_pages_cost_the_same_for_one_and_three(monde: Any) -> None:
    navigateur = client(monde.gestionnaire)

    def en_incident(dossier: Dossier) -> None:
        Envoi.objects.filter(destinataire=monde.gestionnaire, cle__contains=str(fabrique.tache(dossier).pk)).update(
            etat=EtatEnvoi.ECHEC, erreur="550 Boîte inconnue", prochaine_tentative=None
        )
        minuterie = Task.objects.filter(process=dossier.processus_id, status="SCHEDULED").order_by("pk").first()
        Task.objects.filter(pk=minuterie.pk).update(scheduled=timezone.now() - timedelta(hours=1))
        consigner(dossier, TypeEvenement.PUBLICATION_ECHOUEE, None, texte="Panne.", code="panne")
        ime = {"categorie": "183"}  # handicap: another route than the one it was sent on
        enregistrer([Modification(fiche=dossier.eg, date_effet=timezone.localdate(), patch=ime, source="import")])

    def tenir(dossier: Dossier) -> None:
        partie = repertoire.gestionnaire()
        taches.prendre(numero=fabrique.tache(dossier).pk, acteur=partie)
        type(partie).objects.filter(pk=partie.pk).update(is_active=False)

    [un] = envoyes(1)
    en_incident(un)
    tenir(un)
    couts = [requetes_de(navigateur, f"/supervision/{page}") for page in PAGES]
    for d in envoyes(2):
        en_incident(d)
        tenir(d)
    assert [requetes_de(navigateur, f"/supervision/{page}") for page in PAGES] == couts
    assert max(couts) <= 23, couts
    nombres = incidents.compter()
    assert nombres == {
        "publication": 3,
        "sans-acteur": 0,
        "tenue": 3,
        "circuit": 3,
        "courriel": 3,
        "lot": 0,
        "minuterie": 3,
        "etape": 0,
        "abonnement": 0,
    }
    page = navigateur.get("/supervision/incidents/")
    assert Counter(i.genre for i in page.context["incidents"]) == {g: n for g, n in nombres.items() if n}
    assert [i.genre for i in navigateur.get("/supervision/incidents/?genre=tenue").context["incidents"]] == [
        "tenue"
    ] * 3
    accueil = texte(navigateur.get("/"))
    assert all(incidents.GENRES[g].titre in accueil for g, n in nombres.items() if n)


def test_the_flow_shows_its_figures(monde: Any) -> None:
    for d in envoyes(2):
        Tache.objects.filter(dossier=d, close_le=None).update(echeance=timezone.now() - timedelta(days=d.pk % 2))
    page = client(monde.gestionnaire).get("/supervision/")
    corps = page.content.decode()
    assert (
        'href="/supervision/taches/?etape=approbation_sesan" aria-label="Approbation par SESAN : 2 (dossiers)"' in corps
    )
    assert "etape=approbation_sesan&amp;retard=oui" in corps
    assert "2 dossiers ouverts, 2 en retard." in texte(page).replace("\xa0", " ")
    liste = client(monde.gestionnaire).get("/supervision/taches/?etape=approbation_sesan&retard=oui")
    assert [ligne.tache.dossier_id for ligne, _ in liste.context["lignes"]] == list(
        Tache.objects.filter(close_le=None).order_by("echeance", "pk").values_list("dossier", flat=True)
    )


def test_tables_as_files(monde: Any) -> None:
    [d] = envoyes(1)
    Dossier.objects.filter(pk=d.pk).update(nom="=1+1")
    navigateur = client(monde.gestionnaire)

    def lu(adresse: str) -> list[list[str]]:
        corps = b"".join(navigateur.get(f"/exports/supervision-{adresse}").streaming_content).decode()
        return [ligne.split(";") for ligne in corps.lstrip("\ufeff").splitlines()]

    assert lu("anciennete.csv")[1] == ["Approbation par SESAN", "1", "0", "0", "0", "0", "0", "1", "0"]
    assert [ligne[:4] for ligne in lu("taches.csv?etape=approbation_sesan")] == [
        ["Dossier", "Établissement", "Étape", "Autorité"],
        ["'=1+1", contenu(d.eg).nom, "Approbation par SESAN", ""],
    ]
    assert len(lu("taches.csv?etape=envoi")) == 1
    assert [ligne[1] for ligne in lu("actes.csv?mesure=envoye")] == ["Quoi", "Envoyé en validation"]
    courriel = Envoi.objects.filter(destinataire=monde.gestionnaire).first()
    en_echec = {"etat": EtatEnvoi.ECHEC, "erreur": "550", "prochaine_tentative": None}
    neufs = ({"pk": None, "cle": f"essai:{rang}"} | en_echec for rang in range(incidents.LIMITE + 5))
    Envoi.objects.bulk_create(
        Envoi(**{c.attname: getattr(courriel, c.attname) for c in Envoi._meta.concrete_fields} | neuf) for neuf in neufs
    )
    assert len(lu("incidents.csv?genre=courriel")) == 1 + incidents.LIMITE + 5  # the page shows LIMITE of them
    for nom in ("etapes", "ages", "semaines", "autorites", "personnes", "incidents"):
        assert b"".join(navigateur.get(f"/exports/supervision-{nom}.xlsx").streaming_content)[:2] == b"PK"
    assert b"".join(navigateur.get("/exports/supervision-etapes.ods").streaming_content)[:2] == b"PK"
    assert navigateur.get("/exports/supervision-etapes.exe").status_code == 404
    assert navigateur.get("/exports/supervision-inconnu.csv").status_code == 404
