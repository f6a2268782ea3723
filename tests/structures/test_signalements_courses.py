"""Reported errors: several people at the same moment."""

from functools import partial

import pytest
from django.urls import reverse

from notifications import expedition
from structures.domaine import signalements as verbes
from structures.domaine.signalements import LIMITE, clore, retirer
from structures.enums import IssueSignalement
from structures.models import Signalement
from tests.courses.conftest import ensemble, refus
from tests.factories import repertoire as fabrique
from tests.navigation import client
from tests.notifications.conftest import Recu, smtp  # noqa: F401  a real SMTP server

from .guichet import SIGNALE, Monde, courriels

pytestmark = pytest.mark.django_db(transaction=True)


def test_deux_personnes_closent_et_une_personne_retire(smtp: Recu) -> None:  # noqa: F811
    monde = Monde()
    signalement = monde.signaler()
    resultats = ensemble(
        [
            partial(clore, numero=signalement.pk, acteur=monde.referent, issue=IssueSignalement.CORRIGE),
            partial(clore, numero=signalement.pk, acteur=monde.direction, issue=IssueSignalement.CORRIGE),
            partial(retirer, numero=signalement.pk, acteur=monde.lecteur),
        ]
    )
    perdants = refus(resultats)
    assert {p.code for p in perdants} == {"deja_clos"}
    assert len(perdants) == 2
    signalement.refresh_from_db()
    assert all(p.message.startswith(f"{signalement.clos_par} a clos ce signalement le ") for p in perdants)
    ensemble([expedition.expedier] * 2)
    recus = ["lecteur@example.org"] if signalement.issue == "corrige" else []
    assert smtp.adresses == [*recus, "nadia@example.org", "philippe@example.org"]
    perdant = monde.direction if signalement.clos_par == monde.referent else monde.referent
    page = client(perdant).post(reverse("signalement_clore", args=[signalement.pk]), {"issue": "corrige"})
    assert page.status_code == 409
    assert str(signalement.clos_par) in page.text


def test_deux_clics_signalent_une_fois() -> None:
    monde = Monde()
    resultats = ensemble([partial(verbes.signaler, fiche=monde.uo, acteur=monde.lecteur, champ="nom", **SIGNALE)] * 4)
    assert [p.code for p in refus(resultats)] == ["deja_signale"] * 3
    assert Signalement.objects.count() == 1
    assert courriels("signalement_recu") == ["nadia", "philippe"]


def test_le_maximum_tient_quand_tout_arrive_ensemble() -> None:
    monde = Monde()
    uos = [fabrique.uo(monde.eg, nom=f"Unité {n}") for n in range(LIMITE + 1)]
    for uo in uos[: LIMITE - 2]:
        monde.signaler(fiche=uo)
    champs = ("nom", "activites", "horaires", "actes", "contacts", "publics")
    resultats = ensemble(
        [partial(verbes.signaler, fiche=uos[-1], acteur=monde.lecteur, champ=c, **SIGNALE) for c in champs]
    )
    assert [p.code for p in refus(resultats)] == ["trop_de_signalements"] * 4
    assert Signalement.objects.filter(clos_le__isnull=True).count() == LIMITE
