"""Consumers of the exposition: token, scope, quota, suspension, secrets, use, journal."""

import base64
import hashlib
import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from oauth2_provider.models import AccessToken

from backoffice.comptes.limites import ESSAIS_PAR_IDENTIFIANT
from backoffice.socle.erreurs import Conflit, Interdit, Introuvable, Invalide
from structures.domaine import consommateurs, consommation
from structures.enums import Role
from structures.fhir.acces import Acces, reserve_aux_consommateurs
from structures.models import (
    CompteurConsommateur,
    Consommateur,
    JournalConsommateur,
    RefusConsommateur,
    UsageConsommateur,
)
from tests.factories.consommateurs import consommateur, jeton
from tests.factories.repertoire import compte

pytestmark = pytest.mark.django_db

LIRE_ORGANISATIONS, LIRE_OFFRES = "system/Organization.read", "system/HealthcareService.read"


@reserve_aux_consommateurs("read")
def lire(request: HttpRequest, acces: Acces, type_: str) -> HttpResponse:
    if "absente" in request.GET:
        raise Introuvable("absente", "Cette ressource n’existe pas.")
    acces.ressources = 2
    if "flux" in request.GET:
        return StreamingHttpResponse(iter([b"12", b"345"]))
    return HttpResponse(f"{acces.profil} {acces.consommateur}", status=400 if "mal" in request.GET else 200)


@reserve_aux_consommateurs("operation", portee="system/*.export")
def exporter(request: HttpRequest, acces: Acces) -> HttpResponse:
    return HttpResponse("fait")


def demander(brut: str | None, vue=lire, chemin: str = "/fhir/x", adresse: str = "127.0.0.1", **parametres):
    entetes = {} if brut is None else {"Authorization": f"Bearer {brut}"}
    requete = RequestFactory().get(chemin, headers=entetes, REMOTE_ADDR=adresse)
    return vue(requete, **({"type_": "Organization"} if vue is lire else {}) | parametres)


def motif(reponse: HttpResponse) -> tuple[int, str]:
    contenu = json.loads(reponse.content)
    assert (contenu["resourceType"], len(contenu["issue"])) == ("OperationOutcome", 1)
    return reponse.status_code, contenu["issue"][0]["code"]


def demander_jeton(identifiant: str, secret: str, **donnees: str) -> HttpResponse:
    corps = {"grant_type": "client_credentials", "client_id": identifiant, "client_secret": secret}
    return Client().post("/fhir/jeton/", corps | donnees)


# -- the token -------------------------------------------------------------------------------------------


def test_un_jeton_par_le_corps_ou_par_basic() -> None:
    outil, secret = consommateur(LIRE_ORGANISATIONS, LIRE_OFFRES)
    reponse = demander_jeton(outil.client_id, secret)
    corps = reponse.json()
    assert (reponse.status_code, reponse["Cache-Control"]) == (200, "no-store")
    assert {cle: corps[cle] for cle in corps if cle != "access_token"} == {
        "expires_in": 3600,
        "token_type": "Bearer",
        "scope": f"{LIRE_ORGANISATIONS} {LIRE_OFFRES}",
    }
    basic = base64.b64encode(f"{outil.client_id}:{secret}".encode()).decode()
    autre = Client().post(
        "/fhir/jeton/",
        {"grant_type": "client_credentials", "scope": LIRE_OFFRES},
        headers={"Authorization": f"Basic {basic}"},
    )
    assert (autre.status_code, autre.json()["scope"]) == (200, LIRE_OFFRES)
    # Kept as a digest only, and no page of a browser is needed nor offered for it.
    garde = AccessToken.objects.get(scope=LIRE_OFFRES)
    assert garde.token == ""
    assert garde.token_checksum == hashlib.sha256(autre.json()["access_token"].encode()).hexdigest()
    assert Client().get("/fhir/jeton/").status_code == 405


def test_les_jetons_se_comptent_et_ont_une_borne(monkeypatch) -> None:
    monkeypatch.setattr("structures.fhir.jeton.JETONS_PAR_FENETRE", 2)
    outil, secret = consommateur()
    reponses = [demander_jeton(outil.client_id, secret) for _ in range(3)]
    assert [r.status_code for r in reponses] == [200, 200, 429]
    assert 0 < int(reponses[-1]["Retry-After"]) <= 900
    assert AccessToken.objects.filter(application=outil).count() == 2
    assert UsageConsommateur.objects.get(consommateur=outil, interaction="jeton").requetes == 2
    assert RefusConsommateur.objects.values_list("consommateur", "interaction", "statut").get() == (
        outil.pk,
        "jeton",
        429,
    )
    autre, son_secret = consommateur()
    assert demander_jeton(autre.client_id, son_secret).status_code == 200


def test_chaque_refus_du_jeton_dit_son_nom() -> None:
    outil, secret = consommateur(LIRE_ORGANISATIONS)
    suspendu, son_secret = consommateur()
    consommateurs.suspendre(pk=suspendu.pk, acteur=compte(Role.GESTIONNAIRE), motif="Trop de requêtes")
    ailleurs, cle = consommateur(reseaux=("192.0.2.0/24",))
    cas = {
        (400, "invalid_scope"): demander_jeton(outil.client_id, secret, scope="system/*.read"),
        (400, "unsupported_grant_type"): demander_jeton(outil.client_id, secret, grant_type="password"),
        (400, "unauthorized_client"): demander_jeton(suspendu.client_id, son_secret),
        (401, "invalid_client"): demander_jeton(outil.client_id, secret[:-1]),
        (400, "invalid_request"): Client().post("/fhir/jeton/?scope=x", {"client_secret": secret}),
    }
    assert {attendu: (r.status_code, r.json()["error"]) for attendu, r in cas.items()} == {c: c for c in cas}
    assert demander_jeton(ailleurs.client_id, cle).json()["error"] == "unauthorized_client"
    assert demander_jeton(suspendu.client_id, "autre").status_code == 401  # suspension is told to who has the secret
    for illisible in ("pas du base64 !", base64.b64encode(b"sans deux points").decode(), "w6k="):
        entetes = {"Authorization": f"Basic {illisible}"}
        reponse = Client().post("/fhir/jeton/", {"grant_type": "client_credentials"}, headers=entetes)
        assert reponse.status_code == 401, illisible
    assert demander_jeton("\x00", "\x00").status_code in (400, 401)
    assert set(RefusConsommateur.objects.values_list("consommateur", "interaction", "statut")) == {
        (outil.pk, "jeton", 400),
        (outil.pk, "jeton", 401),
        (suspendu.pk, "jeton", 400),
        (suspendu.pk, "jeton", 401),
        (ailleurs.pk, "jeton", 400),
    }


def test_les_mauvais_secrets_sont_comptes_par_adresse() -> None:
    """Five failures and this address waits; the right secret from elsewhere still works, and costs no login."""
    outil, secret = consommateur()
    assert {demander_jeton(outil.client_id, "faux").status_code for _ in range(ESSAIS_PAR_IDENTIFIANT)} == {401}
    attente = demander_jeton(outil.client_id, secret)
    assert (attente.status_code, 0 < int(attente["Retry-After"]) <= 900) == (429, True)
    corps = {"grant_type": "client_credentials", "client_id": outil.client_id, "client_secret": secret}
    assert Client(REMOTE_ADDR="198.51.100.7").post("/fhir/jeton/", corps).status_code == 200
    identifiants = {"username": outil.client_id, "password": "faux"}
    assert Client().post(reverse("connexion"), identifiants).status_code == 200  # the login's own count, untouched


def test_un_inconnu_coute_ce_que_coute_un_mauvais_secret() -> None:
    """Same statements, same answer: nothing tells whether an identifier exists."""
    outil, _ = consommateur()
    with CaptureQueriesContext(
        connection,
    ) as mauvais:
        refus = consommateurs.reconnaitre(outil.client_id, "faux")
    with CaptureQueriesContext(connection) as inconnu:
        assert consommateurs.reconnaitre("personne", "faux") is refus is None
    assert len(mauvais) == len(inconnu) == 1
    corps = [demander_jeton(nom, "faux") for nom in (outil.client_id, "personne")]
    assert corps[0].content == corps[1].content


# -- access ----------------------------------------------------------------------------------------------


def test_qui_entre() -> None:
    outil, secret = consommateur(LIRE_ORGANISATIONS, profil=2)
    autre, son_secret = consommateur(LIRE_OFFRES)
    brut, autre_brut = jeton(outil, secret), jeton(autre, son_secret)
    assert demander(brut).content == f"2 {outil}".encode()
    for faux in (None, "", "n’importe quoi", brut[:-1], secret):
        reponse = demander(faux)
        assert motif(reponse) == (401, "login")
        assert reponse["WWW-Authenticate"].startswith("Bearer ")
    assert motif(demander(autre_brut)) == (403, "forbidden")
    assert demander(autre_brut, type_="HealthcareService").status_code == 200
    assert motif(demander(brut, vue=exporter)) == (403, "forbidden")
    # A scope taken away is gone at the next request, whatever the token says.
    gestionnaire = compte(Role.GESTIONNAIRE)
    reglages = consommateurs.Reglages("Outil", "o@essai.example", "Éditeur", 2, [LIRE_OFFRES], 10, 10)
    consommateurs.modifier(pk=outil.pk, acteur=gestionnaire, reglages=reglages)
    assert motif(demander(brut)) == (403, "forbidden")
    AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert motif(demander(autre_brut)) == (401, "expired")


def test_le_joker_donne_chaque_type_mais_pas_l_export() -> None:
    outil, secret = consommateur("system/*.read", reseaux=("127.0.0.0/8",))
    brut = jeton(outil, secret)
    assert {demander(brut, type_=t).status_code for t in ("Organization", "HealthcareService", "Location")} == {200}
    assert motif(demander(brut, vue=exporter)) == (403, "forbidden")
    assert motif(demander(brut, adresse="198.51.100.7")) == (403, "security")
    etroit = jeton(outil, secret, "system/Location.read")
    assert motif(demander(etroit)) == (403, "forbidden")
    exportateur, secret = consommateur("system/*.read", "system/*.export")
    assert demander(jeton(exportateur, secret), vue=exporter).content == b"fait"


def test_suspendre_finit_les_jetons_et_renouveler_le_secret() -> None:
    gestionnaire = compte(Role.GESTIONNAIRE)
    outil, premier = consommateur()
    brut = jeton(outil, premier)
    consommateurs.suspendre(pk=outil.pk, acteur=gestionnaire, motif="Clé publiée par erreur")
    assert motif(demander(brut)) == (401, "login")
    with pytest.raises(Conflit, match="déjà suspendu : "):
        consommateurs.suspendre(pk=outil.pk, acteur=gestionnaire, motif="Encore")
    consommateurs.reactiver(pk=outil.pk, acteur=gestionnaire)
    assert demander(brut).status_code == 401  # the ended tokens stay ended
    _, deuxieme = consommateurs.renouveler(pk=outil.pk, acteur=gestionnaire, garder_ancien=True)
    assert [bool(consommateurs.reconnaitre(outil.client_id, s)) for s in (premier, deuxieme)] == [True, True]
    Consommateur.objects.filter(pk=outil.pk).update(ancien_secret_fin=timezone.now())
    assert [bool(consommateurs.reconnaitre(outil.client_id, s)) for s in (premier, deuxieme)] == [False, True]
    brut = jeton(outil, deuxieme)
    _, troisieme = consommateurs.renouveler(pk=outil.pk, acteur=gestionnaire, garder_ancien=False)
    secrets = (premier, deuxieme, troisieme)
    assert [bool(consommateurs.reconnaitre(outil.client_id, s)) for s in secrets] == [False, False, True]
    assert motif(demander(brut)) == (401, "login")
    # Nowhere in the database, in no form that can be read back.
    with connection.cursor() as curseur:
        for table in connection.introspection.table_names(curseur):
            if (table.startswith(("structures_", "oauth2_provider_")) and "consommateur" in table) or "token" in table:
                curseur.execute(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM \"{table}\" t")
                contenu = curseur.fetchone()[0]
                assert not any(s in contenu for s in (*secrets, brut)), table


# -- quota and use ---------------------------------------------------------------------------------------


def test_le_quota_de_la_minute_puis_du_jour() -> None:
    outil, secret = consommateur(quota_minute=2, quota_jour=3)
    brut = jeton(outil, secret)
    statuts = [demander(brut).status_code for _ in range(3)]
    assert statuts in ([200, 200, 429], [200, 200, 200])  # the clock may pass a minute meanwhile
    CompteurConsommateur.objects.update(dans_la_minute=2, dans_la_journee=2)
    refus = demander(brut, chemin="/fhir/Organization?name=x")
    assert motif(refus) == (429, "throttled")
    assert 1 <= int(refus["Retry-After"]) <= 60
    CompteurConsommateur.objects.update(minute=timezone.now() - timedelta(minutes=2))
    assert demander(brut).status_code == 200
    assert CompteurConsommateur.objects.values_list("dans_la_minute", "dans_la_journee").get() == (1, 3)
    refus = demander(brut)
    assert (refus.status_code, int(refus["Retry-After"]) <= 25 * 3600) == (429, True)
    assert "3 requêtes par jour" in json.loads(refus.content)["issue"][0]["diagnostics"]
    CompteurConsommateur.objects.update(jour=timezone.localdate() - timedelta(days=1))
    CompteurConsommateur.objects.update(minute=timezone.now() - timedelta(minutes=2))
    assert demander(brut).status_code == 200


def test_l_usage_compte_tout_en_trois_ordres() -> None:
    outil, secret = consommateur()
    brut = jeton(outil, secret)
    demander(brut)
    with CaptureQueriesContext(connection) as ordres:
        demander(brut)
    assert len(ordres) == 3  # token and consumer, quota, use
    b"".join(demander(brut, chemin="/fhir/x?flux"))
    assert motif(demander(brut, chemin="/fhir/x?absente")) == (404, "not-found")
    demander(brut, chemin="/fhir/x?mal")
    demander(brut, vue=exporter)
    texte = len(f"0 {outil}".encode())
    absente = len(demander(brut, chemin="/fhir/x?absente").content)
    usages = UsageConsommateur.objects.filter(consommateur=outil, jour=timezone.localdate())
    colonnes = ("requetes", "ressources", "refus", "quota", "erreurs_client", "erreurs_serveur")
    assert {u.interaction: tuple(getattr(u, c) for c in colonnes) for u in usages} == {
        "read Organization": (6, 8, 0, 0, 3, 0),
        "operation": (1, 0, 1, 0, 0, 0),
        "jeton": (1, 0, 0, 0, 0, 0),
    }
    assert usages.get(interaction="read Organization").octets == 3 * texte + 5 + 2 * absente
    refus = RefusConsommateur.objects.get()
    assert (refus.statut, refus.interaction, refus.nombre) == (403, "operation", 1)
    Consommateur.objects.filter(pk=outil.pk).update(quota_minute=1)
    CompteurConsommateur.objects.update(minute=timezone.now() + timedelta(hours=1), dans_la_minute=1)
    assert [demander(brut).status_code for _ in range(2)] == [429, 429]
    assert usages.get(interaction="read Organization").quota == 2
    assert RefusConsommateur.objects.filter(statut=429).values_list("nombre", flat=True)[0] in (1, 2)


def test_purger_oublie_ce_qui_est_vieux() -> None:
    outil, secret = consommateur()
    jeton(outil, secret)
    consommation.compter(outil.pk, "read", statut=200, duree_ms=1)
    consommation.noter_refus(outil.pk, "read", statut=403, motif="x", chemin="/fhir/")
    assert consommation.purger() == 0
    vieux = timezone.now() - timedelta(days=500)
    AccessToken.objects.update(expires=vieux)
    RefusConsommateur.objects.update(minute=vieux)
    UsageConsommateur.objects.update(jour=vieux.date())
    assert consommation.purger() == 4  # a token, a refusal, the use of two interactions


# -- who may change them ---------------------------------------------------------------------------------


def test_seuls_les_gestionnaires_et_chaque_acte_au_journal() -> None:
    gestionnaire, tutelle = compte(Role.GESTIONNAIRE), compte(Role.TUTELLE, "ARS-11")
    reglages = consommateurs.Reglages("Outil", "o@essai.example", "Éditeur", 0, [LIRE_OFFRES], 10, 10)
    outil, _ = consommateurs.creer(acteur=gestionnaire, reglages=reglages)
    gestes = [
        lambda qui: consommateurs.creer(acteur=qui, reglages=reglages),
        lambda qui: consommateurs.modifier(pk=outil.pk, acteur=qui, reglages=reglages),
        lambda qui: consommateurs.renouveler(pk=outil.pk, acteur=qui, garder_ancien=True),
        lambda qui: consommateurs.suspendre(pk=outil.pk, acteur=qui, motif="x"),
        lambda qui: consommateurs.reactiver(pk=outil.pk, acteur=qui),
    ]
    for geste in gestes:
        with pytest.raises(Interdit):
            geste(tutelle)
    for geste in gestes[1:]:
        geste(gestionnaire)
    # Nothing changed in « modifier », hence no line.
    assert list(outil.journal.order_by("pk").values_list("acte", "acteur")) == [
        (acte, gestionnaire.pk) for acte in ("creation", "renouvellement", "suspension", "reactivation")
    ]
    change = consommateurs.Reglages("Outil 2", "o@essai.example", "Éditeur", 2, [LIRE_OFFRES], 10, 2000)
    consommateurs.modifier(pk=outil.pk, acteur=gestionnaire, reglages=change)
    assert outil.journal.first().changements == [
        ["Nom", "Outil", "Outil 2"],
        ["Profil d’accès", "Profil 0 : contacts libres seulement", "Profil 2 : contacts libres et restreints"],
        ["Requêtes par jour", "10", "2\u202f000"],
    ]
    for requete in (JournalConsommateur.objects.all().delete, Consommateur.objects.all().delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            requete()


def test_ce_qui_est_refuse_dit_ou() -> None:
    consommateur()
    pris = Consommateur.objects.get().name
    reglages = consommateurs.Reglages(
        pris.upper(), "pas une adresse", " ", 3, ["system/*.export"], 0, 10**9, ["partout"]
    )
    with pytest.raises(Invalide) as refus:
        consommateurs.creer(acteur=None, reglages=reglages)
    champs = {"nom", "courriel", "organisme", "profil", "portees", "quota_minute", "quota_jour", "reseaux"}
    assert set(refus.value.champs) == champs


def test_la_configuration_smart_et_les_controles_de_deploiement() -> None:
    assert Client().get("/fhir/.well-known/smart-configuration").json()["token_endpoint"].endswith("/fhir/jeton/")
    call_command("check", "--deploy", "--tag", "security", "--fail-level", "CRITICAL")
