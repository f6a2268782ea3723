"""Supervision: figures held against a naive count, the list behind each of them, incidents tried again once."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.http import QueryDict
from django.utils import timezone
from viewflow.workflow.models import Task
from viewflow.workflow.timers import fire_due_timers

from backoffice.pages import incidents, tableaux
from backoffice.pages.forms import FiltreActes, FiltreTachesOuvertes
from backoffice.socle.erreurs import Conflit
from notifications.models import Envoi, EtatEnvoi
from structures.domaine.enregistrer import enregistrer
from structures.enums import ChampEG, Role
from structures.models import Habilitation, Modification
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from tests.factories.repertoire import contenu
from tests.navigation import client, requetes_de, texte
from workflows import supervision
from workflows.domaine import decisions, equipe, lots, minuteries, publication, taches
from workflows.domaine.journal import consigner
from workflows.durees import Duree
from workflows.enums import ACTES, ActionLot, EtatDossier, Issue, TypeEvenement
from workflows.models import Decision, Dossier, Evenement, Suppleance, Tache
from workflows.regles import participants, peut_faire
from workflows.supervision import TRANCHES, Periode

pytestmark = pytest.mark.django_db

NOEUDS = [
    ("redaction", None),
    ("validation_direction", None),
    ("approbation_sesan", None),
    ("approbation_tutelle", "ARS-11"),
    ("approbation_tutelle", "CD-78"),
]


def processus(dossier: Dossier, nombre: int) -> list[Task]:
    modele = Task.objects.filter(process=dossier.processus_id).order_by("-pk")[0]
    return Task.objects.bulk_create(
        Task(process_id=dossier.processus_id, flow_task=modele.flow_task, flow_task_type="HUMAN") for _ in range(nombre)
    )


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


# -- where the dossiers are, since when ----------------------------------------------------------------


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
            for task in processus(lequel, 70):
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


# -- what was done -------------------------------------------------------------------------------------


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
    for task, moment in zip(processus(dossier, 60), hasard.choices(moments, k=60), strict=True):
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


# -- pages ---------------------------------------------------------------------------------------------


def envoyer(monde: Any, nombre: int) -> list[Dossier]:
    """Dossiers at SESAN, each on its own EHPAD."""
    envoyes = []
    for rang in range(nombre):
        eg = repertoire.etablissement(ChampEG.MEDICO_SOCIAL, nom=f"EHPAD {Dossier.objects.count()}")
        referent = repertoire.compte(Role.REFERENT, eg)
        d = fabrique.brouillon(eg, referent, f"Dossier envoyé {eg.pk}.{rang}")
        fabrique.nouvelle(d, referent, eg.pk)
        envoyes.append(fabrique.envoye(d, referent))
    return envoyes


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

    [un] = envoyer(monde, 1)
    en_incident(un)
    tenir(un)
    couts = [requetes_de(navigateur, f"/supervision/{page}") for page in PAGES]
    for d in envoyer(monde, 2):
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
    }
    page = navigateur.get("/supervision/incidents/")
    assert Counter(i.genre for i in page.context["incidents"]) == {g: n for g, n in nombres.items() if n}
    assert [i.genre for i in navigateur.get("/supervision/incidents/?genre=tenue").context["incidents"]] == [
        "tenue"
    ] * 3
    accueil = texte(navigateur.get("/"))
    assert all(incidents.GENRES[g].titre in accueil for g, n in nombres.items() if n)


def test_a_task_that_nobody_can_do_says_the_remedy(monde: Any, dossier: Dossier) -> None:
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    fabrique.envoye(dossier, monde.referent)
    assert incidents.compter()["sans-acteur"] == 0
    Habilitation.objects.filter(user=monde.direction).update(fin=timezone.localdate())
    [vu] = client(monde.gestionnaire).get("/supervision/incidents/").context["incidents"]
    assert (vu.genre, vu.precision) == (
        "sans-acteur",
        "Les droits de ceux qui avaient ce rôle sur cet établissement ont pris fin, ou n’ont pas commencé.",
    )
    numero = monde.eg.identifiant[1:]
    assert vu.ailleurs == ("Ouvrir un compte", f"/comptes/creer/?role=direction&finess={numero}")
    assert client(monde.gestionnaire).post(f"/supervision/incidents/sans-acteur/{vu.cle}/reessayer/").status_code == 404
    assert fabrique.tache(dossier) in supervision.ouvertes(personne=True)


def test_the_flow_shows_its_figures(monde: Any) -> None:
    for d in envoyer(monde, 2):
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
    [d] = envoyer(monde, 1)
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


# -- « Réessayer » -------------------------------------------------------------------------------------


def reessayer(monde: Any, genre: str, numero: int) -> Any:
    return client(monde.gestionnaire).post(f"/supervision/incidents/{genre}/{numero}/reessayer/")


def dernier(dossier: Dossier) -> Evenement:
    return dossier.evenements.select_related("acteur").last()


def test_a_mail_leaves_again_once(monde: Any, settings: Any) -> None:
    settings.EMAIL_HOST = "localhost"
    envoyer(monde, 1)
    courriel = Envoi.objects.filter(destinataire=monde.gestionnaire).first()
    Envoi.objects.filter(pk=courriel.pk).update(etat=EtatEnvoi.ECHEC, erreur="550", prochaine_tentative=None)
    page = client(monde.gestionnaire).get(f"/supervision/incidents/courriel/{courriel.pk}/reessayer/")
    assert "Le courriel part de nouveau" in texte(page)
    assert reessayer(monde, "courriel", courriel.pk).status_code == 302
    courriel.refresh_from_db()
    assert (courriel.etat, courriel.reexpedie_par) == (EtatEnvoi.A_ENVOYER, monde.gestionnaire)
    assert reessayer(monde, "courriel", courriel.pk).status_code == 409


def test_a_timer_fires_once(monde: Any) -> None:
    [d] = envoyer(monde, 1)
    rappel = Task.objects.filter(process=d.processus_id, status="SCHEDULED").order_by("scheduled").first()
    assert reessayer(monde, "minuterie", rappel.pk).status_code == 409  # not due
    Task.objects.filter(pk=rappel.pk).update(scheduled=timezone.now() - timedelta(hours=1))
    assert reessayer(monde, "minuterie", rappel.pk).status_code == 302
    assert [e.type for e in d.evenements.order_by("-pk")[:2]] == [TypeEvenement.INCIDENT_REPRIS, TypeEvenement.RAPPEL]
    assert dernier(d).acteur == monde.gestionnaire
    encore = reessayer(monde, "minuterie", rappel.pk)
    assert encore.status_code == 409
    assert f"{monde.gestionnaire} a déjà repris cet incident" in texte(encore)
    assert (fire_due_timers(), d.evenements.filter(type=TypeEvenement.RAPPEL).count()) == (0, 1)


def test_a_step_in_error_is_done_again_or_set_aside(monde: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    dossiers = envoyer(monde, 2)

    def en_panne(*_: Any, **__: Any) -> None:
        raise RuntimeError("gabarit illisible")

    with monkeypatch.context() as panne:
        panne.setattr(minuteries, "sonner", en_panne)
        for d in dossiers:
            rappel = Task.objects.filter(process=d.processus_id, status="SCHEDULED").order_by("scheduled").first()
            Task.objects.filter(pk=rappel.pk).update(scheduled=timezone.now() - timedelta(hours=1))
        fire_due_timers()
        fautives = [Task.objects.get(process=d.processus_id, status="ERROR") for d in dossiers]
        refus = reessayer(monde, "etape", fautives[0].pk)
        assert (refus.status_code, "gabarit illisible" in texte(refus)) == (409, True)
        assert Task.objects.filter(status="ERROR").count() == 2
    page = texte(client(monde.gestionnaire).get("/supervision/incidents/?genre=etape"))
    assert "L’étape « Rappel par courriel » est en erreur" in page.replace("\xa0", " ")
    assert "gabarit illisible" in page
    assert reessayer(monde, "etape", fautives[0].pk).status_code == 302
    assert [e.type for e in dossiers[0].evenements.order_by("-pk")[:2]] == [
        TypeEvenement.INCIDENT_REPRIS,
        TypeEvenement.RAPPEL,
    ]
    assert reessayer(monde, "etape", fautives[0].pk).status_code == 409
    decisions.approuver(tache=fabrique.tache(dossiers[1]).pk, acteur=monde.gestionnaire)
    assert reessayer(monde, "etape", fautives[1].pk).status_code == 302
    assert "classée sans suite" in dernier(dossiers[1]).details["texte"]
    assert not dossiers[1].evenements.filter(type=TypeEvenement.RAPPEL).exists()
    assert incidents.compter()["etape"] == 0


def test_a_task_of_somebody_who_left_goes_back_to_the_queue_once(monde: Any) -> None:
    [d] = envoyer(monde, 1)
    tache, partie = fabrique.tache(d), repertoire.gestionnaire("partie")
    taches.prendre(numero=tache.pk, acteur=partie)
    assert reessayer(monde, "tenue", tache.pk).status_code == 409  # she can still do it
    Habilitation.objects.filter(user=partie).update(fin=timezone.localdate())
    [vu] = incidents.lire(incidents.compter(), "tenue")
    assert (vu.cle, vu.precision) == (tache.pk, "Prise par partie.")
    assert reessayer(monde, "tenue", tache.pk).status_code == 302
    assert Tache.objects.select_related("tache").get(pk=tache.pk).tache.owner is None
    assert (dernier(d).type, dernier(d).acteur) == (TypeEvenement.INCIDENT_REPRIS, monde.gestionnaire)
    assert "a déjà repris cet incident" in texte(reessayer(monde, "tenue", tache.pk))
    with pytest.raises(Conflit, match=r"^gestionnaire a remis cette tâche dans la file le .* vous pouvez la prendre"):
        equipe.reprendre(numero=tache.pk, acteur=repertoire.gestionnaire(), motif="Absente", vu=partie.pk)


def test_the_tasks_held_by_absents_are_those_whose_holder_cannot_do_them(monde: Any, dossier: Dossier) -> None:
    """As ``peut_faire`` says of each holder: an account, each kind of right, a substitution that begins then ends."""
    jour = timezone.localdate()
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    fabrique.envoye(dossier, monde.referent)
    chez_la_direction = fabrique.tache(dossier)
    taches.prendre(numero=chez_la_direction.pk, acteur=monde.direction)
    a_sesan, aussi = [fabrique.tache(d) for d in envoyer(monde, 2)]
    for tache in (a_sesan, aussi):
        taches.prendre(numero=tache.pk, acteur=repertoire.gestionnaire(f"sesan{tache.pk}"))
    [task] = processus(dossier, 1)  # one more, at an authority
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


def test_a_lot_that_stopped_goes_on(monde: Any) -> None:
    tache = fabrique.tache(*envoyer(monde, 1))
    lot = lots.lancer(acteur=monde.gestionnaire, action=ActionLot.PRENDRE, jeton=uuid4(), choisies=[(tache.pk, "")])
    assert reessayer(monde, "lot", lot.pk).status_code == 409  # it has only just begun
    type(lot).objects.filter(pk=lot.pk).update(cree_le=timezone.now() - timedelta(hours=1))
    [vu] = incidents.lire(incidents.compter(), "lot")
    assert (vu.precision, vu.gene) == ("1 tâche à traiter.", "gestionnaire attend la fin de ce traitement.")
    reprise = client(monde.gestionnaire).post(f"/supervision/incidents/lot/{lot.pk}/reessayer/", follow=True)
    assert "le traitement quitte la liste dès qu’il avance" in texte(reprise)
    lots.travailler(lot.pk)
    assert reessayer(monde, "lot", lot.pk).status_code == 409
    assert incidents.compter()["lot"] == 0


def test_a_publication_that_fails_is_an_incident_until_it_would_pass(
    monde: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    [d] = envoyer(monde, 1)
    approbatrice = repertoire.gestionnaire("approbatrice")

    def en_panne(*_: Any) -> None:
        raise RuntimeError("disque plein")

    with monkeypatch.context() as panne:
        panne.setattr(publication, "enregistrer", en_panne)
        for _ in range(2):  # the same cause twice is one incident
            with pytest.raises(Conflit, match="pour une raison technique") as refus:
                decisions.approuver(tache=fabrique.tache(d).pk, acteur=approbatrice)
            assert refus.value.code == "publication_en_panne"
        assert fabrique.relu(d).etat == EtatDossier.APPROBATION
        assert d.evenements.filter(type=TypeEvenement.PUBLICATION_ECHOUEE).count() == 1
        [vu] = incidents.lire(incidents.compter(), "publication")
        assert vu.cle == d.pk
        assert reessayer(monde, "publication", d.pk).status_code == 409
        assert incidents.compter()["publication"] == 1
        rappel = Task.objects.filter(process=d.processus_id, status="SCHEDULED").order_by("scheduled").first()
        Task.objects.filter(pk=rappel.pk).update(scheduled=timezone.now() - timedelta(hours=1))
        assert reessayer(monde, "minuterie", rappel.pk).status_code == 302  # another incident of the same dossier
        with pytest.raises(Conflit, match="pour une raison technique"):
            decisions.approuver(tache=fabrique.tache(d).pk, acteur=approbatrice)
        assert d.evenements.filter(type=TypeEvenement.PUBLICATION_ECHOUEE).count() == 1
        assert incidents.compter()["publication"] == 1
    Envoi.objects.all().update(etat=EtatEnvoi.NON_EXPEDIE)
    avant = set(Envoi.objects.values_list("pk", flat=True))
    assert reessayer(monde, "publication", d.pk).status_code == 302
    assert fabrique.relu(d).etat == EtatDossier.APPROBATION  # nobody approved in their place
    [averti] = Envoi.objects.exclude(pk__in=avant)
    assert (averti.type_code, averti.destinataire) == ("approbation_a_refaire", approbatrice)
    assert "n’a pas été enregistrée (approbatrice)." in averti.corps_texte
    assert set(participants(d)) == {d.envoye_par, approbatrice}  # not who took up the incident
    assert incidents.compter()["publication"] == 0
    assert reessayer(monde, "publication", d.pk).status_code == 409
    decisions.approuver(tache=fabrique.tache(d).pk, acteur=approbatrice)
    assert fabrique.relu(d).etat == EtatDossier.PUBLIE
