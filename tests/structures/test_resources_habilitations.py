"""Habilitations that come from a file: by their keys, ended and never erased, refused with the reason."""

from datetime import date, timedelta

import pytest

from backoffice.comptes.models import User
from structures import resources
from structures.domaine.habilitations import accorder
from structures.enums import Role
from structures.models import (
    Habilitation,
)

from .fabrique import aujourdhui, change, enregistrer, etablissement, personne
from .tableurs import fautes, importer, numero, totaux

pytestmark = pytest.mark.django_db
HABILITATION = ("identifiant", "role", "finess", "autorite", "debut", "fin")


def test_les_droits_arrivent_par_leurs_cles(agent):
    ej, eg = etablissement()
    for nom in ("a", "b", "c"):
        personne(nom)
    resultat = importer(
        resources.HabilitationResource,
        ("A", "Référent", numero(eg), "", "", ""),
        ("b", "direction", numero(ej), "", "2026-01-01", "31/12/2030"),
        ("c", "tutelle", "", "ARS-11", "", ""),
        ("c", "gestionnaire", "", "", "", ""),
        colonnes=HABILITATION,
        user=agent,
    )
    assert totaux(resultat) == (4, 0, 0)
    lues = Habilitation.objects.exclude(user=agent).order_by("pk")
    assert list(lues.values_list("user__username", "role", "fiche", "autorite", "debut", "fin")) == [
        ("a", "referent", eg.pk, None, aujourdhui(), None),
        ("b", "direction", ej.pk, None, date(2026, 1, 1), date(2030, 12, 31)),
        ("c", "tutelle", None, "ARS-11", aujourdhui(), None),
        ("c", "gestionnaire", None, None, aujourdhui(), None),
    ]
    exporte = resources.HabilitationResource().export()
    assert totaux(importer(resources.HabilitationResource, exporte, user=agent)) == (0, 0, 5)


@pytest.mark.parametrize("debut", [None, "le sien"])
def test_une_fin_dans_le_fichier_termine_sans_effacer(agent, debut):
    _, eg = etablissement()
    droit = accorder(user=personne(), role=Role.REFERENT, fiche=eg, debut=date(2025, 1, 1), acteur=None)
    fin = aujourdhui() + timedelta(days=3)
    ligne = (droit.user.username, "referent", numero(eg), "", droit.debut if debut else "", fin.isoformat())
    assert totaux(importer(resources.HabilitationResource, ligne, colonnes=HABILITATION, user=agent)) == (
        0,
        1,
        0,
    )
    droit.refresh_from_db()
    assert (droit.debut, droit.fin) == (date(2025, 1, 1), fin)


@pytest.mark.parametrize(
    ("ligne", "champ", "phrase"),
    [
        (("absent", "referent", "EG", "", "", ""), "identifiant", "Le compte « absent » n’existe pas."),
        (("", "referent", "EG", "", "", ""), "identifiant", "Indiquez"),
        (("bon", "chef", "EG", "", "", ""), "role", "« chef » n’existe pas"),
        (("bon", "referent", "", "", "", ""), "finess", "numéro FINESS"),
        (("bon", "referent", "999999999", "", "", ""), "finess", "La structure « 999999999 » n’existe pas."),
        (("bon", "referent", "FERME", "", "", ""), "finess", "fermée"),
        (("bon", "tutelle", "", "ARS-99", "", ""), "autorite", "L’autorité « ARS-99 » n’existe pas."),
        (("bon", "tutelle", "EG", "ARS-11", "", ""), "finess", "Référent"),
        (("bon", "gestionnaire", "", "ARS-11", "", ""), "autorite", "tutelle"),
        (("bon", "referent", "EG", "", "2026-02-01", "2026-01-01"), "fin", "après le début"),
        (("bon", "referent", "EG", "", "demain", ""), "debut", "n’est pas une date"),
        (("bon", "direction", "EG", "", "2024-01-01", ""), "role", "déjà ce droit"),
        (("parti", "referent", "EG", "", "", ""), "__all__", "désactivé"),
    ],
)  # fmt: skip
def test_un_droit_impossible_est_refuse_en_disant_pourquoi(agent, ligne, champ, phrase):
    _, eg = etablissement()
    _, ferme = etablissement()
    enregistrer([change(ferme, aujourdhui(), existe=False)])
    accorder(user=personne("bon"), role=Role.DIRECTION, fiche=eg, acteur=None)
    User.objects.filter(pk=personne("parti").pk).update(is_active=False)
    avant = Habilitation.objects.count()
    cellules = tuple({"EG": numero(eg), "FERME": numero(ferme)}.get(c, c) for c in ligne)
    bonne = ("bon", "referent", numero(eg), "", "", "")
    trouvees = fautes(
        importer(resources.HabilitationResource, bonne, cellules, colonnes=HABILITATION, user=agent)
        if cellules[:3] != bonne[:3]
        else importer(resources.HabilitationResource, cellules, colonnes=HABILITATION, user=agent)
    )
    [(numero_, par_champ)] = trouvees.items()
    assert numero_ == (1 if cellules[:3] == bonne[:3] else 2)
    assert list(par_champ) == [champ]
    assert phrase in " ".join(par_champ[champ])
    assert Habilitation.objects.count() == avant


def test_une_habilitation_terminee_ne_reprend_pas(agent):
    _, eg = etablissement()
    droit = accorder(
        user=personne(), role=Role.REFERENT, fiche=eg, debut=date(2025, 1, 1), fin=date(2025, 6, 1), acteur=None
    )
    ligne = (droit.user.username, "referent", numero(eg), "", "2025-01-01", "")
    trouvees = fautes(importer(resources.HabilitationResource, ligne, colonnes=HABILITATION, user=agent))
    assert list(trouvees[1]) == ["fin"]


def test_le_dernier_gestionnaire_reste(agent):
    ligne = (agent.username, "gestionnaire", "", "", "", aujourdhui().isoformat())
    trouvees = fautes(importer(resources.HabilitationResource, ligne, colonnes=HABILITATION, user=agent))
    assert trouvees[1]
    assert Habilitation.objects.actives().filter(user=agent).exists()


def test_seul_un_gestionnaire_donne_des_droits():
    _, eg = etablissement()
    ligne = (personne("a").username, "referent", numero(eg), "", "", "")
    trouvees = fautes(importer(resources.HabilitationResource, ligne, colonnes=HABILITATION, user=personne("b")))
    assert "Seuls les gestionnaires" in trouvees[1]["__all__"][0]
