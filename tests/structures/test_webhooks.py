"""Webhooks: order, signature, retries, replay, killed workers. A real receiver."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.conf import settings as reglages
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.socle.erreurs import Conflit, Interdit, Introuvable, Invalide
from notifications.models import Envoi
from structures.enums import ActionRessource, Role
from structures.livraisons import abonnements as verbes
from structures.livraisons import livrer, poster, signature
from structures.livraisons.changements import dernier_rang
from structures.models import Abonnement, Livraison, RessourceVersion, TentativeLivraison
from tests.factories.consommateurs import consommateur
from tests.factories.repertoire import compte, etablissement, gestionnaire, uo

from .destinataire import recepteur_brut

pytestmark = pytest.mark.django_db
TOUS = ["Organization", "HealthcareService", "Location"]


@pytest.fixture
def sesan():
    return gestionnaire()


@pytest.fixture
def abonne(destinataire, sesan):
    def ouvrir(types=TOUS, departements=(), qui=None):
        return verbes.abonner(
            consommateur=(qui or consommateur()[0]).pk, acteur=sesan, adresse=destinataire.adresse, types=types,
            departements=departements,
        )  # fmt: skip

    return ouvrir


def changer(nombre=1, *, fiche=None, type_="Organization", nom="a") -> list[int]:
    """So many resources created in the feed; their ranks."""
    fiche = fiche or etablissement()
    contenu = {"resourceType": type_, "contact": [{"telecom": [{"value": "0102030405"}]}]}
    faites = RessourceVersion.objects.bulk_create(
        RessourceVersion(
            type=type_, identifiant=f"{nom}{n}-{fiche.pk}", fiche=fiche, version=1, maj=timezone.now(),
            action=ActionRessource.CREATION, contenu=contenu,
        )
        for n in range(nombre)
    )  # fmt: skip
    return [v.rang for v in faites]


def vieillir(**delta) -> None:
    """As if time had gone by for what is planned."""
    for a in Abonnement.objects.all():
        Abonnement.objects.filter(pk=a.pk).update(prochaine_tentative=a.prochaine_tentative - timedelta(**delta))


def verifier() -> dict:
    """The snippet of the documentation, as a receiver copies it."""
    texte = (Path(reglages.BASE_DIR) / "docs" / "webhooks.md").read_text(encoding="utf-8")
    espace: dict = {}
    exec(texte.partition("```python\n")[2].partition("```")[0], espace)
    return espace


def test_chaque_changement_dans_l_ordre_par_cent_sans_contenu(abonne, destinataire):
    changer(3, nom="avant")  # before the subscription: an export says it
    abonnement = abonne()
    rangs = changer(250)
    bilan = livrer.livrer()
    assert (bilan.livrees, bilan.reportees) == (3, 0)
    assert destinataire.rangs == rangs
    assert [len(json.loads(c)["evenements"]) for _, _, c in destinataire.recus] == [100, 100, 50]
    assert set(destinataire.evenements[0]) == {"rang", "type", "identifiant", "version", "action", "maj"}
    assert b"0102030405" not in b"".join(c for _, _, c in destinataire.recus)
    assert list(Livraison.objects.order_by("pk").values_list("premier", "dernier")) == [
        (rangs[0], rangs[99]), (rangs[100], rangs[199]), (rangs[200], rangs[249]),
    ]  # fmt: skip
    abonnement.refresh_from_db()
    assert (abonnement.curseur, abonnement.jeton, abonnement.echecs) == (rangs[-1], None, 0)
    assert livrer.livrer() == livrer.Bilan()


def test_le_destinataire_reconnait_la_signature(abonne, destinataire, sesan):
    abonnement = abonne()
    changer()
    livrer.livrer()
    [(chemin, entetes, corps)] = destinataire.recus
    secret = verbes.reveler(numero=abonnement.pk, acteur=sesan)
    est_du_ror = verifier()["est_du_ror"]
    assert chemin == "/ror?a=1"
    assert entetes["Ror-Livraison"] == json.loads(corps)["id"] == str(Livraison.objects.get().identifiant)
    assert est_du_ror(secret, entetes, corps)
    assert not est_du_ror(secret, entetes, corps + b" ")
    assert not est_du_ror("0" * 64, entetes, corps)
    assert not est_du_ror(secret, entetes | {"Ror-Horodatage": str(int(entetes["Ror-Horodatage"]) - 1)}, corps)
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        assert not est_du_ror(secret, entetes, corps)
    # No copy of the database holds it.
    assert secret not in str(list(Abonnement.objects.values()))

    verbes.renouveler_secret(numero=abonnement.pk, acteur=sesan, garder_ancien=True)
    nouveau = verbes.reveler(numero=abonnement.pk, acteur=sesan)
    verbes.essayer(numero=abonnement.pk, acteur=sesan)
    livrer.livrer()
    assert est_du_ror(secret, *destinataire.recus[-1][1:])
    assert est_du_ror(nouveau, *destinataire.recus[-1][1:])
    verbes.renouveler_secret(numero=abonnement.pk, acteur=sesan, garder_ancien=False)
    verbes.essayer(numero=abonnement.pk, acteur=sesan)
    livrer.livrer()
    assert not est_du_ror(nouveau, *destinataire.recus[-1][1:])


def test_les_filtres(abonne, destinataire):
    paris, evry = etablissement(), etablissement(commune="91228", code_postal="91000")
    offres = abonne(types=["HealthcareService"], departements=["91"])
    unite = uo(etablissement("medico-social", commune="91228", code_postal="91000"))
    attendus = []
    for fiche, type_ in ((paris, "HealthcareService"), (evry, "Organization"), (unite, "HealthcareService")):
        attendus = changer(fiche=fiche, type_=type_)
    changer(fiche=paris, type_="HealthcareService", nom="b")
    livrer.livrer()
    assert destinataire.rangs == attendus
    offres.refresh_from_db()
    assert offres.curseur == dernier_rang()
    # A right that was taken from the consumer is taken from his subscriptions.
    qui = offres.consommateur
    qui.portees = ["system/Organization.read"]
    qui.save()
    changer(fiche=unite, type_="HealthcareService", nom="c")
    assert livrer.livrer().livrees == 0


def test_un_droit_retire_vaut_pour_ce_qui_attend_et_se_rejoue(abonne, destinataire, sesan):
    abonnement, fiche = abonne(), uo(etablissement("medico-social"))
    qui = abonnement.consommateur
    lues, interdites = changer(2, fiche=fiche), changer(fiche=fiche, type_="HealthcareService")
    livrer.livrer()
    mixte = Livraison.objects.get()
    changer(fiche=fiche, type_="HealthcareService", nom="b")
    livrer.livrer()
    interdite = Livraison.objects.latest("pk")
    verbes.rejouer(livraison=interdite.pk, acteur=sesan)
    verbes.rejouer(livraison=mixte.pk, acteur=sesan)
    ouvertes = [str(i) for i in Livraison.objects.filter(livree_le=None).values_list("identifiant", flat=True)]
    qui.portees = ["system/Organization.read"]
    qui.save()
    destinataire.recus.clear()
    assert livrer.livrer().livrees == 1
    assert destinataire.rangs == lues  # of what waited, without one type, under another name
    assert json.loads(destinataire.recus[0][2])["id"] not in ouvertes
    assert list(
        qui.journal.filter(acte="abonnement", acteur=None).order_by("pk").values_list("changements", flat=True)
    ) == [
        [["Livraison en attente", ouvertes[0], "annonces retirées faute de droit : 1 sur 1"]],
        [["Livraison en attente", ouvertes[1], "annonces retirées faute de droit : 1 sur 3"]],
    ]
    verbes.rejouer(livraison=mixte.pk, acteur=sesan)
    livrer.livrer()
    assert destinataire.rangs == lues * 2
    assert interdites[0] not in destinataire.rangs
    with pytest.raises(Conflit, match="plus le droit"):
        verbes.rejouer(livraison=interdite.pk, acteur=sesan)
    # The consumer is suspended during a run: the run says nothing more, and lets the subscription go.
    for _ in range(3):
        verbes.essayer(numero=abonnement.pk, acteur=sesan)
    pris = livrer.reclamer()
    type(qui).objects.filter(pk=qui.pk).update(suspendu_le=timezone.now(), motif_suspension="Fuite")
    livrer.servir(pris, bilan := livrer.Bilan(), time.monotonic() + 5)
    assert bilan == livrer.Bilan()
    assert Abonnement.objects.get().jeton is None


def test_de_plus_en_plus_tard_puis_suspendu_puis_repris_sans_perte(abonne, destinataire, sesan, monkeypatch):
    monkeypatch.setattr(livrer, "ECHECS_MAX", 4)
    abonnement = abonne()
    rangs = changer(2)
    destinataire.statuts = [500, 404, 302, 503]
    destinataire.entetes, destinataire.corps = {"Location": destinataire.adresse}, b"{}" + b"x" * 9000
    delais = []
    for _ in range(3):
        assert livrer.livrer().reportees == 1
        abonnement.refresh_from_db()
        delais.append(round((abonnement.prochaine_tentative - timezone.now()).total_seconds()))
        assert livrer.livrer() == livrer.Bilan()  # not before its time
        vieillir(seconds=delais[-1])
    assert delais == [30, 60, 120]
    rangs += changer(nom="ensuite")
    assert livrer.livrer().suspendus == 1
    abonnement.refresh_from_db()
    assert abonnement.suspendu_par is None
    assert "503" in abonnement.motif
    assert set(Abonnement.objects.suspendus_d_office()) == {abonnement}
    assert list(Envoi.objects.values_list("type_code", "destinataire")) == [("abonnement_suspendu", sesan.pk)]
    essais = TentativeLivraison.objects.order_by("pk")
    assert list(essais.values_list("statut", flat=True)) == [500, 404, 302, 503]
    assert len(essais[0].reponse) == livrer.EXTRAIT
    assert "redirige" in essais[2].erreur
    vieillir(days=2)
    assert livrer.livrer() == livrer.Bilan()
    verbes.reprendre(numero=abonnement.pk, acteur=sesan)
    assert livrer.livrer().livrees == 2
    assert destinataire.rangs == [*rangs[:2] * 5, rangs[2]]
    assert len({json.loads(c)["id"] for _, _, c in destinataire.recus}) == 2  # the same delivery each time
    with pytest.raises(Conflit):
        verbes.reprendre(numero=abonnement.pk, acteur=sesan)


def test_rejouer(abonne, destinataire, sesan):
    abonnement = abonne()
    rangs = changer(3)
    livrer.livrer()
    premiere = Livraison.objects.get()
    copie = verbes.rejouer(livraison=premiere.pk, acteur=sesan)
    with pytest.raises(Conflit):
        verbes.rejouer(livraison=copie.pk, acteur=sesan)
    livrer.livrer()
    assert destinataire.rangs == rangs * 2
    assert len({json.loads(c)["id"] for _, _, c in destinataire.recus}) == 2
    verbes.rejouer_depuis(numero=abonnement.pk, acteur=sesan, rang=rangs[1])
    livrer.livrer()
    assert destinataire.rangs == [*rangs, *rangs, *rangs[1:]]
    assert verbes.rang_du(timezone.now() - timedelta(days=1)) == RessourceVersion.objects.earliest("pk").rang
    for rang in (0, dernier_rang() + 1):
        with pytest.raises(Invalide):
            verbes.rejouer_depuis(numero=abonnement.pk, acteur=sesan, rang=rang)
    essai = verbes.essayer(numero=abonnement.pk, acteur=sesan)
    livrer.livrer()
    assert json.loads(destinataire.recus[-1][2])["genre"] == "essai"
    with pytest.raises(Conflit):
        verbes.rejouer(livraison=essai.pk, acteur=sesan)
    verbes.suspendre(numero=abonnement.pk, acteur=sesan, motif="Maintenance")
    changer(nom="b")
    assert livrer.livrer() == livrer.Bilan()
    for verbe in (verbes.essayer, lambda **k: verbes.rejouer_depuis(rang=1, **k)):
        with pytest.raises(Conflit):
            verbe(numero=abonnement.pk, acteur=sesan)
    Livraison.objects.update(livree_le=timezone.now() - timedelta(days=31))
    assert livrer.purger() == Livraison.objects.count() + 4 == 4


def test_un_travailleur_mort_apres_l_envoi_recommence_la_meme_livraison(abonne, destinataire, settings, monkeypatch):
    settings.LIVRAISON_BAIL_SECONDES = 90
    abonne()
    rangs = changer(2)
    mort = livrer.reclamer()
    livraison = livrer._prochaine(mort)
    corps = livraison.corps.encode()
    assert poster.poster(mort.adresse, corps, {"Ror-Livraison": str(livraison.identifiant)}).acceptee
    # Killed here. Somebody holds the subscription until its lease ends.
    assert livrer.livrer() == livrer.Bilan()
    vieillir(seconds=91)
    assert livrer.livrer().livrees == 1
    assert destinataire.rangs == rangs * 2
    assert [e["Ror-Livraison"] for _, e, _ in destinataire.recus] == [str(livraison.identifiant)] * 2
    # It was only slow, and wakes up: its claim is lost, it sends nothing and changes nothing.
    assert livrer._prochaine(mort) is None
    livrer._noter(mort, livraison, poster.Reponse(500, "", "", 3), timezone.now(), livrer.Bilan())
    assert Abonnement.objects.get().echecs == 0


@pytest.mark.course
@pytest.mark.django_db(transaction=True)
def test_plusieurs_travailleurs_gardent_l_ordre(abonne, destinataire):
    for _ in range(3):
        abonne()
    rangs = changer(320)
    destinataire.corps = b"ok"

    def travailler(_):
        try:
            return livrer.livrer().livrees
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as fils:
        assert sum(fils.map(travailler, range(4))) == 12
    for numero in Abonnement.objects.values_list("pk", flat=True):
        siens = [json.loads(c) for _, _, c in destinataire.recus]
        assert [e["rang"] for d in siens if d["abonnement"] == numero for e in d["evenements"]] == rangs


def test_ce_qui_n_est_pas_du_http_se_note(abonne, destinataire):
    """An answer that PostgreSQL can't hold as it is."""
    abonnement = abonne()
    port = recepteur_brut(lambda prise: prise.sendall(b"\x00GARBAGE\n"))
    Abonnement.objects.filter(pk=abonnement.pk).update(adresse=f"http://127.0.0.1:{port}/")
    changer()
    assert livrer.livrer().reportees == 1
    assert "GARBAGE" in TentativeLivraison.objects.get().erreur
    assert Abonnement.objects.get().echecs == 1


def test_qui_peut_et_ce_qui_est_refuse(abonne, destinataire, sesan):
    qui, referent = consommateur()[0], compte(Role.REFERENT, etablissement())
    abonnement = abonne(qui=qui)
    for geste in (verbes.reveler, verbes.essayer, verbes.reprendre):
        with pytest.raises(Interdit):
            geste(numero=abonnement.pk, acteur=referent)
        with pytest.raises((Introuvable, Conflit)):
            geste(numero=0, acteur=sesan)
    saisie = {"adresse": "https://10.0.0.1/", "types": ["Patient"], "departements": ["999"]}
    with pytest.raises(Invalide) as refus:
        verbes.modifier(numero=abonnement.pk, acteur=sesan, **saisie)
    assert set(refus.value.champs) == {"adresse", "types", "departements"}
    with pytest.raises(Invalide):
        verbes.suspendre(numero=abonnement.pk, acteur=sesan, motif=" ")
    for _ in range(verbes.MAXIMUM - 1):
        abonne(qui=qui)
    with pytest.raises(Conflit):
        abonne(qui=qui)
    assert qui.journal.filter(acte="abonnement").count() == verbes.MAXIMUM
    for faux in ({"types": []}, {"motif": "x"}, {"ancien_sel": "x"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Abonnement.objects.update(**faux)
    assert len(signature.secret_de(abonnement.sel)) == 64


def test_les_ecrans(client, abonne, destinataire, sesan, django_assert_num_queries):
    qui, ailleurs = consommateur()[0], consommateur()[0]
    racine = f"/consommateurs/{qui.pk}/abonnements/"
    client.force_login(sesan)
    assert "Aucun abonnement" in client.get(racine).text
    saisie = {"adresse": "https://10.0.0.1/", "types": ["Organization"], "departements": ["75"]}
    refusee = client.post(f"{racine}ajouter/", saisie)
    assert refusee.status_code == 422
    assert "une adresse de cette machine ou d’un réseau privé" in refusee.text
    page = client.post(f"{racine}ajouter/", saisie | {"adresse": destinataire.adresse}, follow=True)
    abonnement = Abonnement.objects.get()
    un = f"{racine}{abonnement.pk}/"
    assert page.redirect_chain == [(un, 302)]
    assert client.get(un.replace(f"/{qui.pk}/", f"/{ailleurs.pk}/")).status_code == 404
    secret = signature.secret_de(abonnement.sel)
    assert secret not in page.text
    assert secret in client.post(f"{un}secret/").text
    client.post(f"{un}essayer/")  # Celery is not there: the sweep does it
    livrer.livrer()
    livraison = Livraison.objects.get()
    assert "acceptée" in client.get(f"{un}livraisons/{livraison.pk}/").text

    changer()
    livrer.livrer()
    client.post(f"{un}livraisons/{Livraison.objects.latest('pk').pk}/rejouer/")
    rejeu = client.post(f"{un}rejouer/", {"rang": "", "jour": timezone.localdate().isoformat()})
    assert rejeu.status_code == 302
    assert client.post(f"{un}rejouer/", {"rang": "", "jour": ""}).status_code == 422
    assert client.post(f"{un}rejouer/", {"rang": "9" * 12}).status_code == 422
    client.post(f"{un}renouveler/", {"garder_ancien": "on"})
    client.post(f"{un}modifier/", saisie | {"adresse": f"{destinataire.adresse}b", "departements": []})
    assert client.post(f"{un}suspendre/", {"motif": ""}).status_code == 422
    client.post(f"{un}suspendre/", {"motif": "Maintenance"})
    assert "Maintenance" in client.get(un).text
    client.post(f"{un}reprendre/")
    abonnement.refresh_from_db()
    assert (abonnement.suspendu_le, abonnement.departements, bool(abonnement.ancien_sel)) == (None, [], True)

    with CaptureQueriesContext(connection) as une:
        client.get(un)
    for _ in range(2):
        verbes.essayer(numero=abonnement.pk, acteur=sesan)
    livrer.livrer()
    with django_assert_num_queries(len(une)):
        client.get(un)
    with CaptureQueriesContext(connection) as une:
        client.get(racine)
    for _ in range(2):
        abonne(qui=qui)
    with django_assert_num_queries(len(une)):
        client.get(racine)


def test_l_incident_se_reprend_depuis_la_supervision(client, abonne, destinataire, sesan, monkeypatch):
    monkeypatch.setattr(livrer, "ECHECS_MAX", 1)
    abonnement = abonne()
    changer()
    destinataire.statuts = [500]
    livrer.livrer()
    client.force_login(sesan)
    page = client.get("/supervision/incidents/").text
    assert f"{abonnement.consommateur} ne reçoit plus les annonces de changements" in page
    reessayer = f"/supervision/incidents/abonnement/{abonnement.pk}/reessayer/"
    assert client.post(reessayer).status_code == 302
    assert livrer.livrer().livrees == 1
    assert client.post(reessayer).status_code == 409
