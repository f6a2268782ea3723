"""Home by role, guidance, accessibility, supervision (ui.md, acceptance 24–27 and 51)."""

import re
from datetime import datetime
from html import unescape

import pytest
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.pages import requetes
from backoffice.socle import menu
from structures.champs import manquants
from structures.completude import fiches_incompletes
from structures.enums import ChampEG, Niveau, Role
from structures.models import Fiche, Fraicheur, Habilitation, RegleCategorie, VersionFiche
from structures.requetes import etat_de, versions_au
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from workflows.domaine import decisions
from workflows.domaine import taches as verbes
from workflows.models import Dossier, Tache

pytestmark = pytest.mark.usefixtures("demo")

CLINIQUE, IME, EXPERIMENTAL = (
    "Consultation de dermatologie à la clinique",
    "Plateforme de répit",
    "Équipe mobile autisme",
)


def personne(nom: str) -> User:
    return User.objects.get(username=nom)


def client(nom: str) -> Client:
    navigateur = Client()
    navigateur.force_login(personne(nom))
    return navigateur


def eg(nom: str) -> Fiche:
    return VersionFiche.objects.get(nom=nom, niveau="EG").fiche


def tache(nom: str, autorite: str = "") -> Tache:
    return fabrique.tache(Dossier.objects.get(nom=nom), autorite)


def envoyer(etablissement: str, nom: str, acteur: str) -> Dossier:
    lieu = eg(etablissement)
    uf = lieu.fiches.filter(niveau="UF").order_by("pk").first()
    dossier = fabrique.brouillon(lieu, personne(acteur), nom)
    fabrique.nouvelle(dossier, personne(acteur), (uf or lieu).pk)
    return fabrique.envoye(dossier, personne(acteur))


def texte(reponse) -> str:
    sans = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", reponse.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", sans)))


def cartes(reponse) -> list[str]:
    """Titles of the cards, in order."""
    return [unescape(t) for t in re.findall(r"<h2>([^<]*)</h2>", reponse.content.decode())]


def statements(navigateur: Client, url: str) -> int:
    navigateur.get("/aide/accessibilite/")
    with CaptureQueriesContext(connection) as vues:
        assert navigateur.get(url).status_code == 200
    return len(vues)


# -- home ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("qui", "sections"),
    [
        (
            "referent.ehpad",
            ["Dossiers à faire avancer", "Mes établissements", "J’ai une modification à faire", "Mon répertoire"],
        ),
        ("referent.camsp", ["Mes établissements", "J’ai une modification à faire"]),
        (
            "direction.hopital",
            ["À valider", "Dossiers à faire avancer", "Mes établissements", "J’ai une modification à faire"],
        ),
        ("tutelle.ars", ["À approuver"]),
        ("gestionnaire", ["La file, par étape", "Incidents", "Erreurs signalées", "Mes tâches"]),
    ],
)
def test_l_accueil_de_chacun(qui: str, sections: list[str]) -> None:
    assert cartes(client(qui).get("/")) == sections


def test_plusieurs_roles_plusieurs_sections() -> None:
    Habilitation.objects.create(user=personne("tutelle.ars"), role=Role.REFERENT, fiche=eg("EHPAD TEST"))
    titres = cartes(client("tutelle.ars").get("/"))
    assert titres == ["À approuver", "Mes établissements", "J’ai une modification à faire"]


def test_sans_habilitation_on_dit_a_qui_demander() -> None:
    User.objects.create(username="personne", email="personne@essai.example")
    page = texte(client("personne").get("/"))
    assert "Votre compte n’a aucun droit en ce moment" in page
    for contact in ("01 83 76 30 31", "ror.support@sesan.fr", "https://formulaire-support.sante-idf.fr"):
        assert contact in page
    entrees = re.findall(r'<nav class="haut-nav".*?</nav>', client("personne").get("/").content.decode(), flags=re.S)[0]
    assert "/taches/" not in entrees
    assert "/supervision/" not in entrees


def test_le_menu_compte_les_taches_qui_attendent() -> None:
    def compteurs(qui: str) -> dict[str, int]:
        return {e["libelle"]: e["compteur"] for e in client(qui).get("/aide/ou-modifier/").context["shell"].menu}

    assert compteurs("gestionnaire")["Tâches"] == 1
    assert list(compteurs("gestionnaire"))[-3:] == ["Supervision", "Consommateurs", "Comptes"]
    assert compteurs("direction.hopital")["Tâches"] == 3  # two tasks and a reported error
    assert "Supervision" not in compteurs("direction.hopital")
    verbes.prendre(numero=tache(EXPERIMENTAL).pk, acteur=personne("gestionnaire2"))
    assert compteurs("gestionnaire")["Tâches"] == 0
    assert compteurs("gestionnaire2")["Tâches"] == 1


@pytest.mark.parametrize(
    ("qui", "instructions"),
    # Her roles, the counts; her establishments for who edits some.
    [("gestionnaire", 2), ("tutelle.ars", 2), ("direction.hopital", 3), ("referent.hopital", 3), ("personne", 1)],
)
def test_le_menu_coute_deux_instructions_ou_trois(qui: str, instructions: int) -> None:
    user, _ = User.objects.get_or_create(username=qui)
    requete = RequestFactory().get("/")
    requete.user = user
    with CaptureQueriesContext(connection) as vues:
        menu.entrees_pour(requete)
    assert len(vues) == instructions


def test_mes_etablissements_disent_completude_et_dossier_en_cours() -> None:
    referent = personne("referent.ehpad")
    unite = VersionFiche.objects.filter(eg=eg("EHPAD TEST"), niveau=Niveau.UO).order_by("fiche_id").first().fiche
    repertoire.publier(unite, {"age_min": None, "publics": {"retire": ["01"]}}, timezone.localdate())
    liste, encore = requetes.mes_etablissements(referent)
    vus = {e.version.nom: (e.uo, e.incompletes, e.reservation and e.reservation.nom) for e in liste}
    assert vus == {"EHPAD TEST": (3, 1, None), "EHPAD du Parc TEST": (3, 0, "Unité d’accueil temporaire")}
    assert not encore
    assert liste[0].version.nom == "EHPAD du Parc TEST"  # the open dossier first
    page = texte(client("referent.ehpad").get("/"))
    assert "1 fiche incomplète" in page.replace("\u202f", " ").replace("\xa0", " ")
    assert requetes.mes_etablissements(referent, limite=1)[1]


def test_un_import_n_est_pas_une_reponse_de_l_etablissement() -> None:
    referent, hopital = personne("referent.ehpad"), eg("EHPAD TEST")
    Fraicheur.objects.filter(eg=hopital).delete()

    def reponse() -> datetime | None:
        return {e.version.fiche_id: e.repondu_le for e in requetes.mes_etablissements(referent)[0]}[hopital.pk]

    repertoire.publier(hopital, {"adresse_voie": "Ailleurs"}, timezone.localdate())
    assert reponse() is None
    assert "ni modifié ni confirmé depuis son import" in texte(client("referent.ehpad").get("/"))
    repertoire.direct(hopital, referent, {"nom_operationnel": "Le Parc"})
    assert reponse() == Fraicheur.objects.get(fiche=hopital).a_jour_le


def test_incompletes_est_le_jumeau_de_manquants() -> None:
    def premiere(niveau: str, lieu: str) -> Fiche:
        return VersionFiche.objects.filter(niveau=niveau, eg=eg(lieu)).order_by("fiche_id").first().fiche

    for fiche, patch in (
        (premiere(Niveau.UO, "SESSAD TEST"), {"familles_serafin": {"retire": ["022"]}}),
        (premiere(Niveau.UO, "Hôpital TEST"), {"type_uo": "", "age_max": None}),
        (eg("CAMSP TEST"), {"adresse_voie": ""}),
        (premiere(Niveau.POLE, "Hôpital TEST"), {"nom": ""}),
    ):
        repertoire.publier(fiche, patch, timezone.localdate())
    champs = dict(RegleCategorie.objects.values_list("pk", "champ"))
    categories = dict(versions_au().filter(niveau=Niveau.EG).values_list("fiche_id", "categorie"))
    ms = {pk for pk, code in categories.items() if champs[code] == ChampEG.MEDICO_SOCIAL}
    attendues = {
        v.pk
        for v in versions_au().exclude(niveau=Niveau.EJ)
        if manquants(v.niveau, champs[categories[v.eg_id]], etat_de(v))
    }
    vues = versions_au().exclude(niveau=Niveau.EJ).filter(fiches_incompletes(ms))
    assert set(vues.values_list("pk", flat=True)) == attendues
    assert len(attendues) == 4


def test_a_approuver_dit_ce_que_l_autre_tutelle_a_fait() -> None:
    envoyer("CAMSP TEST", "Antenne", "referent.camsp")
    page = texte(client("tutelle.cd").get("/"))
    assert "Approbation conjointe : Agence régionale de santé Île-de-France n’a pas encore décidé" in page
    decisions.approuver(tache=tache("Antenne", "ARS-11").pk, acteur=personne("tutelle.ars"))
    assert "Agence régionale de santé Île-de-France a approuvé le" in texte(client("tutelle.cd").get("/"))
    assert "Antenne" not in texte(client("tutelle.ars").get("/"))


def test_l_accueil_coute_autant_pour_un_que_pour_trois() -> None:
    navigateur, referent = client("referent.camsp"), personne("referent.camsp")
    # From two on: with a single structure, the header reads its name too. One of them waits for a decision.
    Habilitation.objects.create(user=referent, role=Role.REFERENT, fiche=eg("Clinique TEST"))
    deux = statements(navigateur, "/")
    for nom in ("SESSAD TEST", "EHPAD TEST"):
        Habilitation.objects.create(user=referent, role=Role.REFERENT, fiche=eg(nom))
    assert statements(navigateur, "/") == deux
    envoyer("CAMSP TEST", "Antenne", "referent.camsp")
    tutelle = client("tutelle.ars")
    deux = statements(tutelle, "/")
    envoyer("SESSAD TEST", "Autre", "referent.sessad")
    assert statements(tutelle, "/") == deux


# -- guidance ------------------------------------------------------------------------------------------


def test_ou_modifier() -> None:
    page = client("referent.ehpad").get("/aide/ou-modifier/")
    mots = texte(page).replace("\u202f", " ").replace("\xa0", " ")
    for phrase in (
        "J’ai une modification à faire… où aller ?",
        "Le contenu d’une fiche, instantanément",
        "activités opérationnelles",
        "modalités d’accueil",
        "horaires",
        "contacts",
        "Le dossier collaboratif, c’est quoi ?",
        "Ajouter des fiches",
        "Déplacer des fiches",
        "Supprimer des fiches",
        "Changer un Type d’UO",
        "Il n’est pas possible de modifier un type d’unité opérationnelle (UO) depuis le répertoire",
        "date à laquelle les modifications doivent être prises en compte",
    ):
        assert phrase in mots
    assert 'href="/repertoire/"' in page.content.decode()
    assert 'href="/dossiers/"' in page.content.decode()
    assert "/aide/ou-modifier/" in client("referent.ehpad").get("/").content.decode()


def test_la_declaration_d_accessibilite_se_lit_sans_compte() -> None:
    page = Client().get("/aide/accessibilite/")
    assert page.status_code == 200
    assert "non conforme" in texte(page)
