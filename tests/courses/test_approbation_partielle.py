"""Approvers who except fiches at the same moment: one follow-up, and nobody approves what she has not seen."""

from functools import partial

import pytest

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit
from structures.models import Fiche, Modification
from tests.factories import dossiers as fabrique
from workflows.domaine import decisions
from workflows.enums import EtatDossier
from workflows.models import Dossier, FicheEcartee

from .conftest import eg, ensemble, personne, refus

pytestmark = [pytest.mark.course, pytest.mark.usefixtures("demo")]


def envoyer(etablissement: Fiche, acteur: User) -> tuple[Dossier, list[int]]:
    dossier = fabrique.brouillon(etablissement, acteur)
    unites = [fabrique.nouvelle(dossier, acteur, etablissement.pk, f"Unité {i}").pk for i in (1, 2, 3)]
    return fabrique.envoye(dossier, acteur), unites


def sauf(dossier: Dossier, acteur: User, fiche: int, autorite: str = "") -> partial[Dossier]:
    """What this person confirms, on what she was shown before the others decide."""
    tache, choix = fabrique.tache(dossier, autorite).pk, {fiche: "Pas cette année."}
    jeton = decisions.essayer_sauf(tache=tache, acteur=acteur, ecartees=choix).jeton
    return partial(decisions.approuver_sauf, tache=tache, acteur=acteur, ecartees=choix, jeton=jeton)


def test_quatre_gestionnaires_ecartent_chacun_une_autre_fiche() -> None:
    dossier, unites = envoyer(eg("EHPAD TEST"), User.objects.get(username="referent.ehpad"))
    gens = [personne("gestionnaire", f"g{i}") for i in range(4)]
    perdants = refus(ensemble([sauf(dossier, g, unites[i % 3]) for i, g in enumerate(gens)]))
    assert [p.code for p in perdants] == ["tache_close"] * 3
    suite = Dossier.objects.get(suite_de=dossier)
    [ecartee] = FicheEcartee.objects.all()
    assert list(suite.fiches.values_list("fiche", flat=True)) == [ecartee.fiche_id]
    assert Modification.objects.filter(origine=f"dossier {dossier.pk}").count() == 2


def test_deux_tutelles_ensemble_la_seconde_relit() -> None:
    dossier, unites = envoyer(eg("CAMSP TEST"), User.objects.get(username="referent.camsp"))
    gens = {"ARS-11": User.objects.get(username="tutelle.ars"), "CD-78": User.objects.get(username="tutelle.cd")}
    [perdant] = refus(ensemble([sauf(dossier, g, unites[i], c) for i, (c, g) in enumerate(sorted(gens.items()))]))
    assert isinstance(perdant, Conflit)
    assert perdant.code == "partage_change"
    assert fabrique.relu(dossier).etat == EtatDossier.APPROBATION
    reste = fabrique.tache(dossier)
    sauf(dossier, gens[reste.autorite_id], unites[2], reste.autorite_id)()
    assert fabrique.relu(dossier).ecartees == 2
