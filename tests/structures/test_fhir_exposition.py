"""The exposition: what is exposed when, from the verbs of the register to the resources and their history."""

from datetime import timedelta

import psycopg
import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from structures.enums import Niveau, Role
from structures.fhir import exposition
from structures.fhir.exposition import ecarts_d_exposition, exposer, il_reste_a_exposer
from structures.models import AExposer, Commune, Concept, Fiche, Ressource, RessourceVersion
from tests.factories import dossiers as d
from tests.factories import repertoire as r
from workflows.domaine import decisions

pytestmark = pytest.mark.django_db

TYPES = {Niveau.EG: ["Organization", "Location"], Niveau.UO: ["HealthcareService", "Location"]}


def noms(*fiches: Fiche) -> set[str]:
    """« Organization/1750000001 » for each resource of these fiches."""
    return {
        f"{type_}/{fiche.identifiant.replace('/', '-')}"
        for fiche in fiches
        for type_ in TYPES.get(fiche.niveau, ["Organization"])
    }


def exposees() -> set[str]:
    return {f"{x.type}/{x.identifiant}" for x in Ressource.objects.filter(contenu__isnull=False)}


class Fil:
    """The change feed, read as it grows."""

    def __init__(self) -> None:
        exposer()
        self.rang = 0
        self.lire()

    def lire(self) -> list[tuple[str, str, int]]:
        """(action, type, version) of what came since the last time, sorted."""
        lignes = RessourceVersion.objects.filter(rang__gt=self.rang).order_by("rang")
        lues = list(lignes.values_list("rang", "action", "type", "version"))
        self.rang = lues[-1][0] if lues else self.rang
        return sorted(ligne[1:] for ligne in lues)


@pytest.fixture
def hopital() -> dict[str, Fiche]:
    return r.hopital()


def contenu(type_: str, fiche: Fiche) -> dict:
    return Ressource.objects.get(type=type_, fiche=fiche).contenu


def test_une_fiche_est_exposee_change_se_ferme_et_se_rouvre(hopital):
    fil = Fil()
    assert exposees() == noms(*hopital.values())
    uo, uf = hopital["UO"], hopital["UF"]
    assert contenu("HealthcareService", uo)["meta"]["versionId"] == "1"
    r.publier(uo, {"nom": "Unité renommée"})
    r.publier(hopital["P"], {"code_interne": "P1"})  # says nothing to consumers
    assert exposer() == 2
    assert fil.lire() == [("update", "HealthcareService", 2), ("update", "Location", 2)]
    assert contenu("HealthcareService", uo)["name"] == "Unité renommée"
    r.publier(uo, {"existe": False}, timezone.localdate())
    assert exposer() == 2
    assert fil.lire() == [("delete", "HealthcareService", 3), ("delete", "Location", 3)]
    assert exposees() == noms(*hopital.values()) - noms(uo)
    tombe = Ressource.objects.get(type="Location", fiche=uo)
    assert (tombe.contenu, tombe.jetons, tombe.textes, tombe.version) == (None, [], "", 3)
    r.publier(uo, {"existe": True, "parent": uf.pk}, timezone.localdate())
    exposer()
    assert fil.lire() == [("create", "HealthcareService", 4), ("create", "Location", 4)]
    assert exposer() == 0
    assert not il_reste_a_exposer()
    assert ecarts_d_exposition() == []


def test_ce_qui_manque_a_une_fiche_cache_celles_d_en_dessous(hopital):
    fil = Fil()
    r.publier(hopital["P"], {"nom": ""})
    exposer()
    assert exposees() == noms(hopital["EJ"], hopital["EG"])
    assert (
        fil.lire()
        == [("delete", "HealthcareService", 2), ("delete", "Location", 2)] + [("delete", "Organization", 2)] * 3
    )
    r.publier(hopital["EJ"], {"nom": ""})
    exposer()
    assert exposees() == set()
    r.publier(hopital["EJ"], {"nom": "Groupe"})
    r.publier(hopital["P"], {"nom": "Pôle"})
    exposer()
    assert exposees() == noms(*hopital.values())
    assert ecarts_d_exposition() == []


def test_une_adresse_un_libelle_une_commune_changent_partout(hopital):
    fil = Fil()
    r.publier(hopital["EG"], {"adresse_voie": "3 rue Neuve"})
    exposer()
    assert fil.lire() == [("update", "Location", 2)] * 2 + [("update", "Organization", 2)]
    Commune.objects.filter(pk="75113").update(nom="Paris XIII")
    Concept.objects.filter(nomenclature="R211", code="013").update(libelle="Cardiologie")
    exposer()
    lieu = contenu("Location", hopital["UO"])
    assert (lieu["address"]["line"], lieu["address"]["city"]) == (["3 rue Neuve"], "PARIS XIII")
    assert contenu("HealthcareService", hopital["UO"])["specialty"][0]["coding"][0]["display"] == "Cardiologie"
    assert fil.lire() == [
        ("update", "HealthcareService", 2), ("update", "Location", 3), ("update", "Location", 3),
        ("update", "Organization", 2), ("update", "Organization", 3),
    ]  # fmt: skip
    Concept.objects.filter(nomenclature="R211", code="013").update(date_fin=None)
    assert not AExposer.objects.exists()


def test_un_changement_prevu_parait_son_jour(hopital):
    fil, jour = Fil(), timezone.localdate()
    lundi = jour + timedelta(days=14 - jour.weekday())
    semaines = {f"01/{depuis}": {"1": [["08:00", "24:00"]]} for depuis in (lundi - timedelta(days=21), lundi)}
    r.publier(hopital["UO"], {"horaires": {"pose": semaines}, "nom": "Avant"})
    r.publier(hopital["UO"], {"nom": "Après"}, jour + timedelta(days=3))
    r.publier(hopital["UF"], {"date_fermeture": (jour + timedelta(days=30)).isoformat(), "type_fermeture": "DEF"})
    exposer()
    fil.lire()
    heures = contenu("HealthcareService", hopital["UO"])["availableTime"]
    assert [x["extension"][1]["valuePeriod"] for x in heures] == [
        {"start": str(lundi - timedelta(days=21)), "end": str(lundi - timedelta(days=1))},
        {"start": str(lundi)},
    ]
    assert {x["availableEndTime"] for x in heures} == {"23:59:00"}
    for jours, attendu in (
        (2, []),
        (3, [("update", "HealthcareService", 3), ("update", "Location", 3)]),
        ((lundi - jour).days, [("update", "HealthcareService", 4)]),
        (30, [("delete", "HealthcareService", 5), ("delete", "Location", 4), ("delete", "Organization", 3)]),
    ):
        with time_machine.travel(timezone.now() + timedelta(days=jours)):
            exposer()
            assert fil.lire() == attendu, jours
            assert ecarts_d_exposition() == []


def test_un_dossier_ne_se_voit_qu_a_sa_publication(hopital):
    referent, direction = r.compte(Role.REFERENT, hopital["EG"]), r.compte(Role.DIRECTION, hopital["EG"])
    fil, avant = Fil(), exposees()
    dossier = d.brouillon(hopital["EG"], referent)
    neuve = d.nouvelle(dossier, referent, parent=hopital["UF"].pk)
    d.modifier(dossier, referent, hopital["UO"].pk, nom="Unité du dossier")
    d.envoye(dossier, referent)
    decisions.valider(tache=d.tache(dossier).pk, acteur=direction)
    exposer()
    assert (fil.lire(), exposees()) == ([], avant)
    decisions.approuver(tache=d.tache(dossier).pk, acteur=r.gestionnaire())
    exposer()
    assert exposees() == avant | noms(neuve)
    assert fil.lire() == [
        ("create", "HealthcareService", 1), ("create", "Location", 1),
        ("update", "HealthcareService", 2), ("update", "Location", 2),
    ]  # fmt: skip
    assert ecarts_d_exposition() == []


def test_un_seul_projecteur_a_la_fois_et_rien_ne_se_perd(hopital, monkeypatch):
    base = connection.settings_dict
    with psycopg.connect(host=base["HOST"], dbname=base["NAME"], user=base["USER"]) as autre:
        autre.execute("SELECT pg_advisory_xact_lock(%s)", [exposition._VERROU])
        assert exposer() == 0
    marques = AExposer.objects.count()
    with monkeypatch.context() as remplace:
        remplace.setattr(exposition, "_en_dessous", panne)
        with pytest.raises(KeyboardInterrupt):
            exposer()  # killed once all is written
    assert (exposees(), AExposer.objects.count()) == (set(), marques)
    assert exposer() == 8


def panne(*_: object) -> None:
    raise KeyboardInterrupt


def test_une_capacite_garde_le_jour_ou_elle_a_change(hopital):
    """Something else that changes neither dates it again nor makes a version of the place."""

    def jours() -> dict[int, str]:
        exposer()
        lues = [x["extension"] for x in contenu("Location", uo)["extension"] if x["url"].endswith("supported-capacity")]
        parties = [{p["url"]: p for p in lue} for lue in lues]
        return {p["nbCapacity"]["valueInteger"]: p["capacityUpdateDate"]["valueDateTime"] for p in parties}

    uo, debut = hopital["UO"], timezone.localdate()
    demain, apres = str(debut + timedelta(days=1)), str(debut + timedelta(days=2))
    lits, places = ({"nature": "01", "statut": "01", "nombre": n} for n in (10, 20))
    r.publier(uo, {"capacites": {"pose": {"a": lits, "b": places}}}, debut)
    assert jours() == {10: str(debut), 20: str(debut)}
    with time_machine.travel(demain + "T12:00:00Z", tick=False):
        r.publier(uo, {"capacites": {"pose": {"b": places | {"nombre": 21}}}}, timezone.localdate())
        assert jours() == {10: str(debut), 21: demain}
    versions = RessourceVersion.objects.filter(type="Location", fiche=uo)
    avant = versions.count()
    with time_machine.travel(apres + "T12:00:00Z", tick=False):
        r.publier(uo, {"age_min": 3}, timezone.localdate())
        assert jours() == {10: str(debut), 21: demain}
    assert versions.count() == avant
    assert contenu("HealthcareService", uo)["active"] is contenu("Organization", hopital["EG"])["active"] is True


def test_un_contenu_illisible_n_arrete_pas_les_autres(hopital, caplog):
    r.publier(hopital["UO"], {"capacites": {"pose": {"a": {"nombre": 3}}}})
    exposer()
    assert exposees() == {nom for niveau, fiche in hopital.items() if niveau != "UO" for nom in noms(fiche)}
    assert {x.getMessage() for x in caplog.records} == {f"fiche {hopital['UO'].identifiant} cannot be exposed"}


def test_le_nombre_de_requetes_ne_depend_pas_du_nombre_de_fiches(hopital):
    exposer()
    mesures = []
    for nombre in (1, 3):
        for _ in range(nombre):
            r.uo(hopital["UF"])
        with CaptureQueriesContext(
            connection,
        ) as requetes:
            assert exposer() == 2 * nombre
        mesures.append(len(requetes))
    assert mesures[0] == mesures[1] <= 30


def test_le_controle_voit_ce_qui_s_ecarte(hopital, capsys):
    call_command("exposer")
    call_command("verifier_exposition")
    assert capsys.readouterr().out.splitlines() == ["8 resource(s) changed.", "The exposition and the register agree."]
    cle = hopital["UO"].identifiant.replace("/", "-")
    Ressource.objects.filter(type="Location").update(tri="zzz")
    Ressource.objects.filter(type="HealthcareService").update(version=7)
    Ressource.objects.filter(type="Organization", fiche=hopital["EJ"]).delete()
    r.publier(hopital["P"], {"nom": "Pôle nouveau"})
    with pytest.raises(CommandError, match="6 difference"):
        call_command("verifier_exposition")
    assert set(capsys.readouterr().out.splitlines()) == {
        "des fiches attendent d’être exposées",
        f"Organization/{hopital['EJ'].identifiant} : le contenu exposé n’est pas celui de la fiche",
        f"Organization/{hopital['P'].identifiant.replace('/', '-')} : le contenu exposé n’est pas celui de la fiche",
        f"HealthcareService/{cle} : l’historique ne mène pas à ce qui est exposé",
        f"Location/{hopital['EG'].identifiant} : la recherche ne la trouve pas par son contenu",
        f"Location/{cle} : la recherche ne la trouve pas par son contenu",
    }


def test_ce_qui_n_est_plus_trouve_par_son_contenu_l_est_de_nouveau_sans_version_de_plus(hopital):
    """After a search parameter more: the next run over everything."""
    exposer()
    versions = RessourceVersion.objects.count()
    avant = dict(Ressource.objects.filter(type="Location").values_list("identifiant", "maj"))
    Ressource.objects.filter(type="Location").update(tri="zzz", jetons=[])
    assert exposition.tout_reexposer() == len(avant) == 2
    assert ecarts_d_exposition() == []
    assert RessourceVersion.objects.count() == versions
    assert dict(Ressource.objects.filter(type="Location").values_list("identifiant", "maj")) == avant
    assert exposition.tout_reexposer() == 0
