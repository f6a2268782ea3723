"""Freshness: who answered for a fiche and when, rule RE1.2, « Tout est à jour », the monthly reminder (issue 3)."""

from datetime import date, datetime, time, timedelta
from functools import partial

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.pages import requetes as pages
from backoffice.socle.erreurs import Conflit, Interdit
from notifications import expedition
from notifications.models import Envoi
from structures import suivi
from structures.domaine.confirmer import confirmer
from structures.domaine.enregistrer import annuler, ecarts, enregistrer
from structures.domaine.fraicheur import Reponse, noter, premier_jour, reconstruire, requises
from structures.enums import Role, Source
from structures.models import Confirmation, Fiche, Fraicheur, Modification
from structures.regles import editeurs_de, editeurs_des
from structures.tasks import rappeler_la_fraicheur
from tests.courses.conftest import ensemble, refus
from tests.factories import repertoire as fabrique
from tests.notifications.conftest import Recu, smtp  # noqa: F401  a real SMTP server

pytestmark = pytest.mark.django_db


def le(jour: date, heure: int = 12) -> datetime:
    return timezone.make_aware(datetime.combine(jour, time(heure)))


def repondre(fiches: list[Fiche], quand: datetime) -> None:
    """A publication that touched these fiches at that moment."""
    patch = {"code_interne": f"{quand:%f%j}"}
    enregistrer(
        [
            Modification(fiche=f, date_effet=quand.date(), patch=patch, source=Source.DOSSIER, saisie_le=quand)
            for f in fiches
        ]
    )


def ehpad(offres: int, **champs) -> tuple[Fiche, list[Fiche]]:
    eg = fabrique.etablissement("medico-social", nom="EHPAD TEST", **champs)
    return eg, [fabrique.uo(eg, nom=f"Unité {n:02d}") for n in range(offres)]


def client(user: User) -> Client:
    navigateur = Client()
    navigateur.force_login(user)
    return navigateur


# -- the rule --------------------------------------------------------------------------------------------


def test_combien_d_offres_il_faut() -> None:
    assert [requises(n) for n in (0, 1, 7, 8, 9, 12, 13, 14, 100, 101)] == [0, 1, 1, 2, 3, 3, 4, 4, 25, 26]


@pytest.mark.parametrize(
    ("jour", "attendu"),
    [
        (date(2026, 11, 22), date(2025, 11, 22)),  # twelve months to the day still count
        (date(2028, 3, 1), date(2027, 3, 1)),
        (date(2028, 2, 29), date(2027, 3, 1)),  # what was said on 28 February 2027 had its year on the 28th
        (date(2029, 2, 28), date(2028, 2, 28)),  # 29 February 2028 counts until 28 February 2029
        (date(2029, 3, 1), date(2028, 3, 1)),
    ],
)
def test_le_premier_jour_qui_compte(jour: date, attendu: date) -> None:
    assert premier_jour(jour) == attendu


def test_douze_mois_comme_les_compte_postgresql() -> None:
    with connection.cursor() as curseur:
        curseur.execute(
            "SELECT d::date, (d + interval '12 months')::date "
            "FROM generate_series('2026-01-01'::date, '2029-12-31', interval '1 day') d"
        )
        fins = dict(curseur.fetchall())
    for dit, fin in fins.items():
        for jour in (fin, fin + timedelta(1)):
            assert (dit >= premier_jour(jour)) == (jour <= fin), (dit, jour)


@pytest.mark.parametrize("offres", [0, 1, 7, 8, 9])
def test_la_regle_en_sql_est_celle_de_la_fonction(offres: int) -> None:
    eg, unites = ehpad(offres)
    for a_jour in range(offres + 1):
        if a_jour:
            repondre([unites[a_jour - 1]], timezone.now())
        lue = suivi.fraicheur_des([eg.pk]).get(eg.pk)
        if not offres:
            assert lue is None
            assert suivi.nombre_en_defaut() == 0
            continue
        assert (lue.offres, lue.a_jour, lue.requises) == (offres, a_jour, requises(offres))
        assert lue.suffisante == (a_jour >= requises(offres))
        assert suivi.nombre_en_defaut() == (not lue.suffisante)
        assert [d.nom for d in suivi.en_defaut(5)] == ([] if lue.suffisante else ["EHPAD TEST"])


def test_ce_qui_compte_et_jusqu_a_quand() -> None:
    """Closed offers don't count, an import says nothing, an offer created by a dossier counts from its creation."""
    eg, unites = ehpad(3)
    aujourdhui = timezone.localdate()
    fabrique.publier(unites[2], {"existe": False}, aujourdhui - timedelta(1))
    repondre([unites[0]], le(premier_jour(aujourdhui), 0))  # the first instant that counts
    repondre([unites[1]], le(premier_jour(aujourdhui), 0) - timedelta(seconds=1))
    lue = suivi.fraicheur_des([eg.pk])[eg.pk]
    assert (lue.offres, lue.a_jour, lue.bientot) == (2, 1, 0)
    assert lue.suffisante
    assert lue.menacee
    nouvelle = fabrique.uo(eg, nom="Unité neuve")
    assert suivi.fraicheur_des([eg.pk])[eg.pk].a_jour == 1  # imported
    fabrique.publier(nouvelle, {"informations_complementaires": "x"}, aujourdhui, Source.DOSSIER)
    assert suivi.fraicheur_des([eg.pk])[eg.pk].a_jour == 2
    assert [(u.nom, u.a_jour_le is None) for u in suivi.a_relire(eg)] == [("Unité 01", False)]
    assert ecarts() == []


# -- the derived row -------------------------------------------------------------------------------------


def test_chaque_changement_compte_et_pas_les_imports() -> None:
    eg, [unite] = ehpad(1)
    referent = fabrique.compte(Role.REFERENT, eg)
    assert not Fraicheur.objects.exists()
    demain = timezone.localdate() + timedelta(1)
    prevue = fabrique.direct(unite, referent, {"conditions_accueil": "Sur rendez-vous"}, date_effet=demain)
    ligne = Fraicheur.objects.get()
    assert (ligne.fiche_id, ligne.eg_id, ligne.a_jour_le, ligne.auteur) == (unite.pk, eg.pk, prevue.saisie_le, referent)
    annuler(prevue, referent)  # she looked at the fiche all the same
    assert Fraicheur.objects.get().a_jour_le == prevue.saisie_le
    fabrique.publier(unite, {"conditions_accueil": "Importé"}, timezone.localdate())
    assert Fraicheur.objects.get().a_jour_le == prevue.saisie_le
    assert ecarts() == []


def test_une_reponse_plus_ancienne_n_efface_pas_la_derniere() -> None:
    _, [unite] = ehpad(1)
    maintenant = timezone.now()
    repondre([unite], maintenant)
    repondre([unite], maintenant - timedelta(days=40))
    assert Fraicheur.objects.get().a_jour_le == maintenant
    assert ecarts() == []


def test_les_ecarts_se_voient_et_se_reconstruisent() -> None:
    eg, unites = ehpad(2)
    repondre(unites, timezone.now())
    juste = set(Fraicheur.objects.values_list("fiche", "eg", "a_jour_le", "auteur"))
    noter([Reponse(unites[0].pk, eg.pk, timezone.now() + timedelta(days=1), None)])
    Fraicheur.objects.filter(fiche=unites[1]).delete()
    assert [c.split(" : ")[0] for c in ecarts()] == [f"fiche {u.identifiant}" for u in unites]
    reconstruire()
    assert set(Fraicheur.objects.values_list("fiche", "eg", "a_jour_le", "auteur")) == juste
    call_command("verifier_repertoire")


def test_une_instruction_de_plus_pour_mille_fiches() -> None:
    _, unites = ehpad(3)

    def instructions(fiches: list[Fiche]) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captures:
            repondre(fiches, timezone.now())
        return len(captures)

    assert instructions(unites[:1]) == instructions(unites)


# -- « Tout est à jour » -----------------------------------------------------------------------------------


def test_confirmer_une_fiche() -> None:
    eg, [unite] = ehpad(1)
    referent, collegue = fabrique.compte(Role.REFERENT, eg), fabrique.compte(Role.DIRECTION, eg)
    adresse = reverse("fiche_confirmer", args=[unite.identifiant])
    page = client(referent).get(adresse)
    assert "Cette fiche est-elle à jour" in page.text
    assert not Confirmation.objects.exists()
    reponse = client(referent).post(adresse, follow=True)
    assert "1 fiche confirmée à la date d’aujourd’hui." in reponse.text
    faite = Confirmation.objects.get()
    assert (faite.fiche, faite.auteur) == (unite, referent)
    ligne = Fraicheur.objects.get()
    assert (ligne.a_jour_le, ligne.auteur, ligne.eg_id) == (faite.faite_le, referent, eg.pk)
    assert "C’était déjà confirmé aujourd’hui." in client(collegue).post(adresse, follow=True).text
    assert Confirmation.objects.count() == 1
    with time_machine.travel(timezone.now() + timedelta(days=1), tick=True):
        assert confirmer(fiches=[unite.pk], acteur=collegue) == 1
        assert Fraicheur.objects.get().auteur == collegue
    assert ecarts() == []


def test_confirmer_l_etablissement_confirme_ses_uo_ouvertes() -> None:
    hopital = fabrique.hopital()
    eg, ferme = hopital["EG"], fabrique.uo(hopital["UF"], nom="Unité fermée")
    fabrique.publier(ferme, {"existe": False}, timezone.localdate() - timedelta(1))
    referent = fabrique.compte(Role.REFERENT, hopital["EJ"])
    navigateur = client(referent)
    assert "ses unités opérationnelles (1) sont exactes" in navigateur.get(
        reverse("fiche_confirmer", args=[eg.identifiant])
    ).text.replace("\n", " ")
    navigateur.post(reverse("fiche_confirmer", args=[eg.identifiant]))
    assert set(Confirmation.objects.values_list("fiche", flat=True)) == {eg.pk, hopital["UO"].pk}
    assert suivi.fraicheur_des([eg.pk])[eg.pk].a_jour == 1


def test_confirmer_coute_le_meme_nombre_d_instructions() -> None:
    eg, unites = ehpad(3)
    referent = fabrique.compte(Role.REFERENT, eg)

    def instructions(fiches: list[Fiche]) -> int:
        with CaptureQueriesContext(connection) as captures:
            confirmer(fiches=[f.pk for f in fiches], acteur=referent)
        return len(captures)

    assert instructions([unites[0]]) == instructions([eg, *unites[1:]])


def test_qui_peut_confirmer() -> None:
    eg, [unite] = ehpad(1)
    autre = fabrique.etablissement("medico-social", nom="Ailleurs")
    adresse = reverse("fiche_confirmer", args=[unite.identifiant])
    ej = Fiche.objects.get(versions_enfants__fiche=eg)
    attendus = {
        fabrique.compte(Role.REFERENT, eg): 302,
        fabrique.compte(Role.DIRECTION, ej): 302,
        fabrique.compte(Role.REFERENT, autre): 403,
        fabrique.gestionnaire(): 403,  # nobody answers in the establishment's place
        fabrique.compte(Role.TUTELLE, "ARS-11"): 403,
        fabrique.lecteur(): 403,
    }
    assert {u.username: client(u).post(adresse).status_code for u in attendus} == {
        u.username: code for u, code in attendus.items()
    }
    with pytest.raises(Interdit):  # nor mixed with fiches of her own
        confirmer(fiches=[unite.pk, autre.pk], acteur=next(iter(attendus)))


def test_une_fiche_fermee_ne_se_confirme_pas() -> None:
    eg, [unite] = ehpad(1)
    referent = fabrique.compte(Role.REFERENT, eg)
    fabrique.publier(unite, {"existe": False}, timezone.localdate())
    with pytest.raises(Conflit, match="fermée entre-temps"):
        confirmer(fiches=[unite.pk], acteur=referent)
    fabrique.publier(eg, {"existe": False}, timezone.localdate())
    for fiche in (unite, eg):
        for methode in ("get", "post"):
            reponse = getattr(client(referent), methode)(reverse("fiche_confirmer", args=[fiche.identifiant]))
            assert reponse.status_code == 409
            assert "Cette fiche est fermée depuis le" in reponse.text
    with pytest.raises(Conflit, match="fermée entre-temps"):  # all of them, between the page and the verb
        confirmer(fiches=[], acteur=referent)
    assert not Confirmation.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_deux_clics_au_meme_moment_confirment_une_fois() -> None:
    eg, unites = ehpad(2)
    gens = [fabrique.compte(Role.REFERENT, eg) for _ in range(4)]
    cles = [f.pk for f in (eg, *unites)]
    resultats = ensemble([partial(confirmer, fiches=cles, acteur=g) for g in gens])
    assert sorted(resultats) == [0, 0, 0, 3]
    assert not refus(resultats)
    assert Confirmation.objects.count() == 3
    assert ecarts() == []


# -- the pages -------------------------------------------------------------------------------------------


def test_la_page_d_un_etablissement_dit_ou_il_en_est() -> None:
    eg, unites = ehpad(9)
    referent = fabrique.compte(Role.REFERENT, eg)
    repondre(unites[:2], timezone.now())
    repondre(unites[2:3], timezone.now() - timedelta(days=500))
    page = client(referent).get(reverse("fiche", args=[eg.identifiant]))
    fraicheur = page.context["fraicheur"]
    assert fraicheur["regle"].phrase == "2 unités sur 9 à jour depuis moins de 12 mois : il en faut 3."
    # never answered for first, then the oldest; five of the seven
    assert [u.nom for u in fraicheur["a_relire"]] == [f"Unité {n:02d}" for n in (3, 4, 5, 6, 7)]
    assert fraicheur["url_confirmer"] == reverse("fiche_confirmer", args=[eg.identifiant])
    lu = client(fabrique.lecteur()).get(reverse("fiche", args=[unites[0].identifiant])).context["fraicheur"]
    assert (lu["url_confirmer"], lu["regle"], lu["derniere"].fiche_id) == ("", None, unites[0].pk)


@pytest.mark.parametrize("au", ["2021-01-01", "2199-01-01"])
def test_un_autre_jour_ne_dit_rien_de_la_fraicheur(au: str) -> None:
    eg, _ = ehpad(1)
    page = client(fabrique.lecteur()).get(reverse("fiche", args=[eg.identifiant]), {"au": au})
    assert (page.context["fraicheur"], page.context["signalements"]) == (None, None)


def test_l_accueil_et_la_supervision() -> None:
    eg, unites = ehpad(8)
    _, [seule] = ehpad(1)
    repondre([unites[0], seule], timezone.now())
    referent = fabrique.compte(Role.REFERENT, eg)
    [ligne], _ = pages.mes_etablissements(referent)
    assert (ligne.fraicheur.a_jour, ligne.fraicheur.requises) == (1, 2)
    phrase = "1 unité sur 8 à jour depuis moins de 12 mois\u00a0: il en faut 2."
    assert phrase in client(referent).get("/").text
    supervision = client(fabrique.gestionnaire()).get(reverse("supervision"))
    assert supervision.context["nombre_en_defaut"] == 1
    assert [d.identifiant for d in supervision.context["en_defaut"]] == [eg.identifiant]
    assert phrase in supervision.text


def test_trois_etablissements_coutent_autant_qu_un() -> None:
    egs = [ehpad(2)[0] for _ in range(3)]

    def instructions(cles: list[int]) -> int:
        with CaptureQueriesContext(connection) as captures:
            suivi.fraicheur_des(cles)
            suivi.en_defaut(len(cles))
        return len(captures)

    assert instructions([egs[0].pk]) == instructions([e.pk for e in egs]) == 3


# -- the reminder ------------------------------------------------------------------------------------------


def rappels() -> list[tuple[str, str]]:
    envois = Envoi.objects.filter(type_code="fraicheur_rappel").order_by("pk")
    return [(e.destinataire.username, e.cle.split(":")[3]) for e in envois.select_related("destinataire")]


def test_un_rappel_par_mois_a_ceux_qui_modifient() -> None:
    eg, _ = ehpad(2)
    ehpad(2)  # nobody edits it
    a_jour, [unite] = ehpad(1)
    repondre([unite], le(date(2027, 2, 1)))
    referent, direction = fabrique.compte(Role.REFERENT, eg, "nadia"), fabrique.compte(Role.DIRECTION, eg, "philippe")
    fabrique.compte(Role.REFERENT, a_jour, "autre")
    fabrique.gestionnaire()
    assert editeurs_des([eg.pk]) == {eg.pk: list(editeurs_de(eg))} == {eg.pk: [referent, direction]}
    for jour, nouveaux in (
        (date(2027, 3, 1), 2),
        (date(2027, 3, 2), 0),  # the same month: never two
        (date(2027, 3, 21), 0),
        (date(2027, 3, 22), 0),  # the last week says nothing
        (date(2027, 3, 31), 0),
        (date(2027, 4, 15), 2),  # nothing ran since: caught up
        (date(2027, 4, 16), 0),
        (date(2027, 5, 1), 2),
    ):
        avant = len(rappels())
        with time_machine.travel(le(jour), tick=False):
            rappeler_la_fraicheur()
        assert len(rappels()) - avant == nouveaux, jour
    assert rappels() == [(nom, mois) for mois in ("2027-03", "2027-04", "2027-05") for nom in ("nadia", "philippe")]


def test_le_rappel_previent_trente_jours_avant() -> None:
    eg, [unite] = ehpad(1)
    fabrique.compte(Role.REFERENT, eg, "nadia")
    repondre([unite], le(date(2026, 4, 15)))
    for jour, attendus in ((date(2027, 3, 16), 0), (date(2027, 3, 17), 1)):
        with time_machine.travel(le(jour), tick=False):
            rappeler_la_fraicheur()
        assert len(rappels()) == attendus, jour
    envoi = Envoi.objects.get(type_code="fraicheur_rappel")
    assert envoi.sujet == "Unités à confirmer : EHPAD TEST"
    assert "trop peu d’unités de cet établissement seront encore à jour dans 30 jours" in envoi.corps_texte
    assert f"/repertoire/{eg.identifiant}/" in envoi.corps_texte


@pytest.mark.django_db(transaction=True)
def test_deux_repartiteurs_et_un_seul_courriel(smtp: Recu) -> None:  # noqa: F811
    eg, _ = ehpad(2)
    fabrique.compte(Role.REFERENT, eg, "nadia")
    fabrique.compte(Role.DIRECTION, eg, "philippe")
    with time_machine.travel(le(date(2027, 3, 3)), tick=True):
        ensemble([rappeler_la_fraicheur] * 3)
        ensemble([expedition.expedier] * 2)
    assert smtp.adresses == ["nadia@example.org", "philippe@example.org"]


def test_le_rappel_coute_un_courriel_de_plus_et_rien_d_autre() -> None:
    def instructions() -> int:
        with time_machine.travel(le(date(2027, 3, 3)), tick=False), CaptureQueriesContext(connection) as captures:
            rappeler_la_fraicheur()
        return len(captures)

    for _ in range(3):
        eg, _ = ehpad(1)
        fabrique.compte(Role.REFERENT, eg)
    trois = instructions()
    for _ in range(2):
        eg, _ = ehpad(1)
        fabrique.compte(Role.REFERENT, eg)
    cinq = instructions()
    un_etablissement = (cinq - trois) / 2
    assert un_etablissement == 3  # savepoint, insert, release
