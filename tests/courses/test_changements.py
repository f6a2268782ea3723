"""One planned change, one past change, several people at once: one winner, the others are told who; nothing twice."""

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit
from structures.domaine.lecture import lire
from structures.domaine.modifier import modifier
from structures.domaine.suites import annuler_prevue, defaire, modifier_prevue
from structures.models import Fiche, Modification

from .conftest import eg, ensemble, personne, refus

pytestmark = [pytest.mark.course, pytest.mark.usefixtures("demo")]


def unite() -> Fiche:
    uo = eg("EHPAD TEST").fiches.filter(niveau="UO").order_by("pk").first()
    assert uo is not None
    return uo


def change(fiche: Fiche, dans: int, **champs: object) -> Modification:
    lecture = lire(fiche)
    assert lecture is not None
    return modifier(
        fiche=fiche,
        acteur=User.objects.get(username="referent.ehpad"),
        patch=champs,
        date_effet=timezone.localdate() + timedelta(days=dans),
        jeton=lecture.jeton,
    )


def gens(nombre: int) -> list[User]:
    return [personne("gestionnaire", f"g{i}") for i in range(nombre)]


def modifier_autrement(prevu: Modification, acteur: User) -> Modification:
    lecture = lire(prevu.fiche, prevu.date_effet, sans=prevu)
    assert lecture is not None
    return modifier_prevue(
        modification=prevu,
        acteur=acteur,
        patch={"conditions_accueil": f"De {acteur}"},
        date_effet=prevu.date_effet,
        jeton=lecture.jeton,
    )


def test_modifier_et_annuler_le_meme_changement_prevu() -> None:
    """Four enter it again, four cancel it: one gesture counts, the other seven are told of it."""
    prevu = change(unite(), 10, conditions_accueil="Prévu")
    avant = Modification.objects.count()
    tous = gens(8)
    resultats = ensemble(
        [partial(modifier_autrement, prevu, g) for g in tous[:4]]
        + [partial(annuler_prevue, modification=prevu, acteur=g) for g in tous[4:]]
    )
    perdants = refus(resultats)
    assert len(perdants) == 7
    assert {(type(p), p.code) for p in perdants} == {(Conflit, "deja_annulee")}
    prevu.refresh_from_db()
    assert all(f"par {prevu.annulee_par}" in p.message for p in perdants)
    [gagnant] = [r for r in resultats if r not in perdants]
    assert Modification.objects.count() - avant == (1 if gagnant else 0)
    assert Modification.objects.filter(remplace=prevu).count() == (1 if gagnant else 0)


def test_defaire_huit_fois_la_meme_modification() -> None:
    passee = change(unite(), 0, conditions_accueil="Erreur", informations_complementaires="Erreur")
    resultats = ensemble(
        [
            partial(
                defaire,
                modification=passee,
                acteur=g,
                champs=["conditions_accueil", "informations_complementaires"],
                date_effet=timezone.localdate(),
            )
            for g in gens(8)
        ]
    )
    perdants = refus(resultats)
    assert len(perdants) == 7
    assert {(type(p), p.code) for p in perdants} == {(Conflit, "deja_defaite")}
    [gagnant] = Modification.objects.filter(inverse=passee)
    assert all(f"{gagnant.auteur} a déjà défait cette modification" in p.message for p in perdants)


def test_defaire_pendant_qu_un_autre_change_la_meme_valeur() -> None:
    """Whoever comes second is told, or finds nothing to undo: never both on one value."""
    uo = unite()
    passee = change(uo, 0, conditions_accueil="Un")
    lecture = lire(uo)
    assert lecture is not None
    un, deux = gens(2)
    aujourdhui = timezone.localdate()
    resultats = ensemble(
        [
            partial(defaire, modification=passee, acteur=un, champs=["conditions_accueil"], date_effet=aujourdhui),
            partial(
                modifier,
                fiche=uo,
                acteur=deux,
                patch={"conditions_accueil": "Deux"},
                date_effet=aujourdhui,
                jeton=lecture.jeton,
            ),
        ]
    )
    [perdant] = refus(resultats)
    assert perdant.code in ("apercu_perime", "modifiee_entre_temps")
    assert str(deux if perdant.code == "apercu_perime" else un) in perdant.message
