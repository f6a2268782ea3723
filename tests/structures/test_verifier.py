"""manage.py verifier_repertoire sees any gap between the versions and the modifications."""

from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from structures.domaine.enregistrer import ecarts, enregistrer
from structures.enums import Niveau

from .fabrique import change, enfants, etablissement, hopital

pytestmark = pytest.mark.django_db

SABOTAGES = {
    "nom": "UPDATE structures_versionfiche SET nom = 'Autre' WHERE fiche_id = %s",
    "recherche": "UPDATE structures_versionfiche SET recherche = '' WHERE fiche_id = %s",
    "validite": """UPDATE structures_versionfiche SET validite = '[2023-03-03,)'
                   WHERE fiche_id = %s AND upper_inf(validite)""",
    "activites": "UPDATE structures_versionfiche SET activites = '{zzz}' WHERE fiche_id = %s",
    "equipements": """UPDATE structures_versionfiche SET equipements = '{"5": 9}' WHERE fiche_id = %s""",
    "parent_id": """UPDATE structures_versionfiche v SET parent_id = (SELECT max(id) FROM structures_fiche
                    WHERE niveau = 'EG' AND id <> v.parent_id) WHERE fiche_id = %s""",
    "age_min": "UPDATE structures_versionfiche SET age_min = 99 WHERE fiche_id = %s",
}


def verifier() -> str:
    sortie = StringIO()
    call_command("verifier_repertoire", stdout=sortie)
    return sortie.getvalue()


def saboter(requete: str, fiche) -> None:
    with connection.cursor() as curseur:
        curseur.execute(requete, [fiche.pk])


def test_un_repertoire_sain():
    hopital()
    assert "agree" in verifier()


def test_un_repertoire_vide():
    assert "agree" in verifier()


@pytest.mark.parametrize("colonne", SABOTAGES)
def test_une_version_changee_a_la_main_est_vue(colonne):
    etablissement()
    _, eg = etablissement()
    [uo, temoin] = enfants(eg, Niveau.UO, eg, 2)
    enregistrer([change(uo, date(2022, 2, 2), nom="Seconde", activites={"ajoute": ["001"]})])
    saboter(SABOTAGES[colonne], uo)
    [constat] = ecarts()
    assert uo.identifiant in constat
    assert colonne in constat
    assert ecarts(temoin) == []
    with pytest.raises(CommandError, match="1 fiche"):
        verifier()


def test_une_version_effacee_ou_de_trop_est_vue():
    _, eg = etablissement()
    uos = enfants(eg, Niveau.UO, eg, 2)
    saboter("DELETE FROM structures_versionfiche WHERE fiche_id = %s", uos[0])
    saboter("UPDATE structures_versionfiche SET validite = '[2020-01-01,2021-01-01)' WHERE fiche_id = %s", uos[1])
    assert [constat.split(" :")[0] for constat in ecarts()] == [f"fiche {uo.identifiant}" for uo in uos]
    assert "0 version(s) en base, 1 attendue(s)" in ecarts()[0]


def test_un_lot_plus_petit_que_le_repertoire_voit_tout():
    fiches = hopital()
    saboter("UPDATE structures_versionfiche SET nom = 'Autre' WHERE fiche_id = %s", fiches[Niveau.UO])
    assert len(ecarts(lot=2)) == 1
    assert len(ecarts(fiches[Niveau.EG])) == 1
