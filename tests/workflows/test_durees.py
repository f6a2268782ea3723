"""How long steps take: held against a count by hand, on random tasks over several years."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from viewflow.workflow.models import Task

from tests.factories import dossiers as fabrique
from workflows import durees as module
from workflows.delais import est_ouvre
from workflows.durees import Duree, durees
from workflows.enums import Issue
from workflows.models import Dossier, Tache
from workflows.models.tache import TRANCHEES

pytestmark = pytest.mark.django_db


def closes(dossier: Dossier, lignes: list[tuple[str, str | None, datetime, datetime, str]]) -> None:
    """Ended tasks (node, authority, created, closed, issue) of a dossier, in two statements."""
    modele = Task.objects.filter(process=dossier.processus_id).order_by("-pk")[0]
    taches = Task.objects.bulk_create(
        Task(process_id=dossier.processus_id, flow_task=modele.flow_task, flow_task_type="HUMAN", status="DONE")
        for _ in lignes
    )
    Tache.objects.bulk_create(
        Tache(
            tache=task, dossier=dossier, eg_id=dossier.eg_id, noeud=noeud, autorite_id=autorite, creee_le=du,
            echeance=du, close_le=au, issue=issue,
        )
        for task, (noeud, autorite, du, au, issue) in zip(taches, lignes, strict=True)
    )  # fmt: skip


def _jours(du: datetime, au: datetime) -> int:
    """Working days after the day of ``du``, up to that of ``au``."""
    jour, nombre = timezone.localdate(du), 0
    while jour < timezone.localdate(au):
        jour += timedelta(days=1)
        nombre += est_ouvre(jour)
    return nombre


def _quantile(valeurs: list[int], part: float) -> float:
    tries = sorted(valeurs)
    rang = (len(tries) - 1) * part
    bas = int(rang)
    haut = min(bas + 1, len(tries) - 1)
    return tries[bas] + (tries[haut] - tries[bas]) * (rang - bas)


def _naives(lignes: list[Any], noeud: str, autorite: str, recentes: int) -> Duree | None:
    toutes = noeud == "approbation_tutelle" and not autorite
    retenues = [li for li in lignes if li[0] == noeud and (toutes or (li[1] or "") == autorite) and li[4] in TRANCHEES]
    dernieres = sorted(retenues, key=lambda li: li[3], reverse=True)[:recentes]
    jours = [_jours(du, au) for _, _, du, au, _ in dernieres]
    return Duree(noeud, autorite, len(jours), _quantile(jours, 0.5), _quantile(jours, 0.9)) if jours else None


def test_as_counted_by_hand(
    monde: Any, dossier: Dossier, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    hasard = random.Random(5)
    depart = datetime(2024, 3, 1, 8, tzinfo=UTC)
    noeuds = [("approbation_sesan", None), ("approbation_tutelle", "ARS-11"), ("approbation_tutelle", "CD-78")]
    lignes = []
    for _ in range(150):
        noeud, autorite = hasard.choice(noeuds)
        # through Christmas, May, both changes of hour, and a night that is another day in Paris
        du = depart + timedelta(hours=hasard.randrange(2 * 365 * 24))
        au = du + timedelta(hours=hasard.choice([0, 1, 9, 26, 24 * 5, 24 * 17, 24 * 60]))
        issue = hasard.choice([Issue.APPROUVE, Issue.RENVOYE, Issue.REFUSE, Issue.ANNULE, Issue.RETIRE])
        lignes.append((noeud, autorite, du, au, str(issue)))
    closes(dossier, lignes)
    for recentes in (200, 12):
        monkeypatch.setattr(module, "RECENTES", recentes)
        with django_assert_num_queries(2):
            lues = durees()
        cles = [("approbation_sesan", ""), *(("approbation_tutelle", a) for a in ("", "ARS-11", "CD-78"))]
        assert lues == {cle: _naives(lignes, *cle, recentes) for cle in cles}
    assert {d.nombre for d in lues.values()} == {12}
    with django_assert_num_queries(1):
        assert set(durees([("approbation_sesan", ""), ("validation_direction", "")])) == {("approbation_sesan", "")}
    assert durees([]) == {}


def test_working_days_and_enough_of_them(monde: Any, dossier: Dossier) -> None:
    paris = timezone.get_current_timezone()

    def le(jour: date, heure: int) -> datetime:
        return datetime(jour.year, jour.month, jour.day, heure, tzinfo=paris)

    vendredi, samedi, mercredi = date(2025, 12, 19), date(2025, 12, 20), date(2025, 12, 31)
    attendus = [
        (le(vendredi, 0), le(vendredi, 23), 0),
        (le(vendredi, 23), le(samedi, 1), 0),
        (le(samedi, 9), date(2025, 12, 22), 1),
        (le(vendredi, 18), date(2025, 12, 26), 4),  # 22, 23, 24, 26
        (le(mercredi, 9), date(2026, 1, 5), 2),  # 2 and 5
    ]
    lignes = [
        ("validation_direction", None, du, au if isinstance(au, datetime) else le(au, 10), str(Issue.VALIDE))
        for du, au, _ in attendus
    ]
    for i, ligne in enumerate(lignes, 1):
        Tache.objects.exclude(close_le=None).delete()
        closes(dossier, [ligne])
        assert durees()["validation_direction", ""] == Duree("validation_direction", "", 1, *[attendus[i - 1][2]] * 2)
    assert not durees()["validation_direction", ""].parle
    closes(dossier, lignes[:4])
    assert durees()["validation_direction", ""].parle
    assert fabrique.tache(dossier).noeud == "redaction"
