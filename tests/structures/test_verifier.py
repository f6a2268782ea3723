"""manage.py verifier_repertoire sees any gap between the versions and the modifications."""

import re
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

import structures
from structures.domaine.enregistrer import ecarts, enregistrer
from structures.domaine.fraicheur import reconstruire as reconstruire_fraicheur
from structures.domaine.indexer import reconstruire_index
from structures.enums import Niveau, Role
from structures.models import Fraicheur, IndexEG
from tests.factories import repertoire

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


def verifier(*options: str) -> str:
    sortie = StringIO()
    call_command("verifier_repertoire", *options, stdout=sortie)
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


def test_l_index_et_la_fraicheur_se_reconstruisent():
    eg = hopital()[Niveau.EG]
    juste = IndexEG.objects.values_list("texte", "codes").get(eg=eg)
    saboter("UPDATE structures_indexeg SET texte = ' faux ', codes = '{}' WHERE eg_id = %s", eg)
    saboter("INSERT INTO structures_fraicheur (fiche_id, a_jour_le) VALUES (%s, now())", eg)
    with pytest.raises(CommandError):
        verifier()
    assert "agree" in verifier("--reconstruire")
    assert [set(x.split()) if isinstance(x, str) else sorted(x) for x in juste] == [
        set(x.split()) if isinstance(x, str) else sorted(x)
        for x in IndexEG.objects.values_list("texte", "codes").get(eg=eg)
    ]
    assert not Fraicheur.objects.exists()


@pytest.mark.parametrize("reconstruire", [reconstruire_index, reconstruire_fraicheur])
@pytest.mark.django_db(transaction=True)
def test_une_publication_pendant_la_reconstruction_n_y_change_rien(reconstruire):
    """It waits for its end, whatever the moment at which it comes; readers always have the former rows or the new."""
    fiches = repertoire.hopital()
    acteur = repertoire.compte(Role.REFERENT, fiches["EG"])
    repertoire.direct(fiches["EG"], acteur, {"nom": "Premier"})
    derivees = IndexEG if reconstruire is reconstruire_index else Fraicheur
    vus = []

    def publier():
        try:
            vus.append(derivees.objects.count())
            repertoire.direct(fiches["UO"], acteur, {"nom": "Nouvelle"})
            repertoire.direct(repertoire.etablissement(nom="Ailleurs"), repertoire.gestionnaire(), {"nom": "Second"})
        finally:
            connection.close()

    with ThreadPoolExecutor() as ailleurs:
        publications = []

        def au_milieu(executer, sql, *reste):
            if "INSERT INTO" in sql and not publications:
                publications.append(ailleurs.submit(publier))
                wait(publications, timeout=1)
            return executer(sql, *reste)

        with connection.execute_wrapper(au_milieu):
            reconstruire()
        publications[0].result()
    assert vus == [1]
    assert ecarts() == []


def test_les_migrations_portent_ce_qu_elles_executent():
    """What they run is what was written then, not what the code has become."""
    for migration in (Path(structures.__file__).parent / "migrations").glob("0*.py"):
        assert not re.search(r"(from|import) (structures|\.\.)\S* import", migration.read_text()), migration.name
