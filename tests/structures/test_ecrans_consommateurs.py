"""The screens of the consumers: the secret once, gestures, use, and as many statements for three as for one."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.comptes.models import User
from structures.consommation import DERNIERS_REFUS, TAILLE_PAGE, page_consommateurs, usage_de
from structures.domaine import consommation
from structures.domaine.consommateurs import reactiver, reconnaitre, suspendre
from structures.enums import ActeConsommateur, Role
from structures.models import Consommateur, RefusConsommateur, UsageConsommateur
from structures.vues.consommateurs import _ICONES
from tests.factories.consommateurs import consommateur, jeton
from tests.factories.repertoire import compte

pytestmark = pytest.mark.django_db

SAISIE = {
    "nom": "Régulation",
    "organisme": "SAMU",
    "courriel": "samu@essai.example",
    "profil": "2",
    "portees": ["system/*.read", "system/*.export"],
    "quota_minute": "60",
    "quota_jour": "5 000",
    "reseaux": "192.0.2.7/24\n\n2001:db8::/32",
}


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(compte(Role.GESTIONNAIRE))
    return client


def secret_de(page: str) -> str:
    [secret] = re.findall(r'<code id="secret">([^<]+)</code>', page)
    return str(secret)


def test_ouvrir_regler_renouveler_suspendre(client: Client) -> None:
    refusee = client.post("/consommateurs/creer/", SAISIE | {"reseaux": "partout", "quota_minute": "0"})
    assert (refusee.status_code, Consommateur.objects.count()) == (422, 0)
    refusee = client.post("/consommateurs/creer/", SAISIE | {"reseaux": "partout", "quota_jour": "5000"})
    assert (refusee.status_code, "n’est pas un réseau" in refusee.text) == (422, True)
    # Nothing is given that was not ticked, and a narrower scope is no illusion.
    assert (
        "checked"
        not in client.get("/consommateurs/creer/").text.partition('name="portees"')[2].partition("</fieldset>")[0]
    )
    double = client.post("/consommateurs/creer/", SAISIE | {"portees": ["system/*.read", "system/Location.read"]})
    assert (double.status_code, "donne déjà tout à lire" in double.text) == (422, True)
    ouverte = client.post("/consommateurs/creer/", SAISIE | {"quota_jour": "5000"})
    assert "<code>http://testserver/fhir/jeton/</code>" in ouverte.text
    assert (ouverte.status_code, ouverte["Cache-Control"]) == (200, "no-store")
    outil, secret = Consommateur.objects.get(), secret_de(ouverte.text)
    assert (reconnaitre(outil.client_id, secret), outil.reseaux) == (outil, ["192.0.2.0/24", "2001:db8::/32"])
    page = f"/consommateurs/{outil.pk}/"
    assert secret not in client.get(page).text + client.get(f"{page}modifier/").text + client.get(f"{page}secret/").text
    reglee = client.post(f"{page}modifier/", SAISIE | {"quota_jour": "6000", "reseaux": ""}, follow=True)
    assert "5\u202f000 → 6\u202f000" in reglee.text
    assert client.post(f"{page}secret/").status_code == 422
    nouveau = secret_de(client.post(f"{page}secret/", {"ancien": "garder"}).text)
    assert [bool(reconnaitre(outil.client_id, s)) for s in (secret, nouveau)] == [True, True]
    assert "le précédent marche jusqu’au" in client.get(page).text
    brut = jeton(outil, nouveau)
    dernier = secret_de(client.post(f"{page}secret/", {"ancien": "finir"}).text)
    assert [bool(reconnaitre(outil.client_id, s)) for s in (secret, nouveau, dernier)] == [False, False, True]
    assert client.post(f"{page}suspendre/", {"motif": " "}).status_code == 422
    suspendue = client.post(f"{page}suspendre/", {"motif": "Clé publiée"}, follow=True).text
    assert ("Clé publiée" in suspendue, "Rendre l’accès" in suspendue, brut in suspendue) == (True, True, False)
    assert client.post(f"{page}suspendre/", {"motif": "Encore"}).status_code == 409
    assert "Rendre l’accès" not in client.post(f"{page}reactiver/", follow=True).text
    actes = ["creation", "modification", "renouvellement", "renouvellement", "suspension", "reactivation"]
    assert list(outil.journal.order_by("pk").values_list("acte", flat=True)) == actes


def test_l_usage_se_lit_par_jour_et_par_interaction(client: Client) -> None:
    outil, _ = consommateur(profil=2)
    for statut, refus in ((200, False), (404, False), (429, True), (500, False)):
        consommation.compter(outil.pk, "read", statut=statut, duree_ms=10, ressources=3, octets=50, refus=refus)
    consommation.compter(outil.pk, "search-type Organization", statut=200, duree_ms=40, octets=2000)
    UsageConsommateur.objects.filter(interaction="read").update(jour=timezone.localdate() - timedelta(days=29))
    usage = usage_de(outil, 30)
    vus = [(t.requetes, t.refus, t.quota, t.erreurs_client, t.erreurs_serveur) for t in usage.jours if t.requetes]
    assert vus == [(4, 1, 1, 1, 1), (1, 0, 0, 0, 0)]
    assert [t.quoi for t in usage.interactions] == ["read", "search-type Organization"]
    assert (usage.jours_au_quota, usage.total.moyenne_ms, len(usage.barres)) == (1, 16, 30)
    assert [tuple(b) for b in (usage.barres[0], usage.barres[-1])] == [(1, 25, 75, 0, 25), (291, 75, 25, 75, 0)]
    page = client.get(f"/consommateurs/{outil.pk}/?jours=90").text
    assert ("Quota atteint 1 jour" in page, page.count('class="barre-premier"')) == (True, 90)


def test_la_liste_par_pages_et_en_un_ordre(client: Client) -> None:
    """Neighbouring pages hold each consumer once; the number of statements does not grow with the rows."""
    compter = []
    client.get("/consommateurs/")  # the first page of a session writes it
    for combien in (1, 2):
        for _ in range(combien):
            outil, _ = consommateur()
            consommation.compter(outil.pk, "read", statut=200, duree_ms=1)
            RefusConsommateur.objects.create(
                consommateur=outil, minute=timezone.now(), statut=403, interaction="read", motif="x", chemin="/fhir/"
            )
        for adresse in ("/consommateurs/", f"/consommateurs/{outil.pk}/"):
            with CaptureQueriesContext(connection) as ordres:
                assert client.get(adresse).status_code == 200
            compter.append(len(ordres))
    assert compter[:2] == compter[2:]
    for _ in range(TAILLE_PAGE):
        consommateur()
    premiere = page_consommateurs()
    seconde = page_consommateurs(apres=premiere.suivant)
    noms = [c.name for page in (premiere, seconde) for c in page.consommateurs]
    assert (len(premiere.consommateurs), len(set(noms)), len(noms)) == (TAILLE_PAGE, TAILLE_PAGE + 3, TAILLE_PAGE + 3)
    assert [c.name for c in page_consommateurs(avant=seconde.precedent).consommateurs] == noms[:TAILLE_PAGE]
    assert (premiere.precedent, seconde.suivant) == ("", "")


def test_les_refus_et_le_journal_s_exportent_en_entier(client: Client) -> None:
    """Past what the page shows of them, in as many statements for three rows as for one."""
    outil, _ = consommateur()
    autre, _ = consommateur()
    agent = User.objects.get()

    def lu(nom: str) -> tuple[list[list[str]], int]:
        with CaptureQueriesContext(connection) as ordres:
            recu = client.get(f"/exports/{nom}.csv?consommateur={outil.pk}")
            brut = b"".join(recu.streaming_content).decode("utf-8-sig")
        return list(csv.reader(io.StringIO(brut), delimiter=";")), len(ordres)

    def refuser(qui: Consommateur, rang: int) -> None:
        minute = timezone.now() - timedelta(minutes=rang)
        RefusConsommateur.objects.create(
            consommateur=qui,
            minute=minute,
            statut=403,
            interaction="read",
            motif=f"={rang}",
            chemin="/fhir/x",
            nombre=2,
        )

    refuser(autre, 0)
    refuser(outil, 0)
    lu("refus")
    (titres, un), un_refus = lu("refus")
    assert titres == ["Minute", "Statut", "Interaction", "Dernier motif", "Dernière adresse demandée", "Fois"]
    assert un[1:] == ["403", "read", "'=0", "/fhir/x", "2"]
    for rang in range(1, DERNIERS_REFUS + 2):
        refuser(outil, rang)
    lignes, autant = lu("refus")
    assert ([ligne[3] for ligne in lignes[1:]], autant) == ([f"'={n}" for n in range(DERNIERS_REFUS + 2)], un_refus)

    _, un_acte = lu("journal-acces")
    suspendre(pk=outil.pk, acteur=agent, motif="Clé publiée")
    reactiver(pk=outil.pk, acteur=agent)
    (_, *actes), autant = lu("journal-acces")
    assert [tuple(a[1:3]) for a in actes][:2] == [("Réactivation", str(agent)), ("Suspension", str(agent))]
    assert (actes[-1][2], actes[1][4], autant) == ("Commande", "Clé publiée", un_acte)
    page = client.get(f"/consommateurs/{outil.pk}/").text
    assert all(f"/exports/{nom}.csv?consommateur={outil.pk}" in page for nom in ("refus", "journal-acces"))


def test_chaque_acte_a_son_signe() -> None:
    assert set(_ICONES) == set(ActeConsommateur)
