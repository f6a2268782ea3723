"""The inbox and the decision pages through the HTTP client, on the demo data (issue 2 §3, acceptance I and J)."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.comptes.models import User
from notifications.models import Envoi
from structures.enums import Role
from structures.models import Fiche, Habilitation, VersionFiche
from tests.factories import dossiers as fabrique
from workflows import boite, requetes
from workflows.domaine import decisions
from workflows.domaine import taches as verbes
from workflows.enums import EtatDossier, EtatFiche
from workflows.models import Commentaire, Decision, Dossier, Tache
from workflows.regles import acteurs_de
from workflows.vues.taches import age_en_mots, echeance_en_mots

pytestmark = pytest.mark.usefixtures("demo")

CLINIQUE, IME = "Consultation de dermatologie à la clinique", "Plateforme de répit"
EXPERIMENTAL, PARC, NORD = "Équipe mobile autisme", "Unité d’accueil temporaire", "Consultation de dermatologie"


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
    """One more dossier, with one new UO, sent."""
    lieu = eg(etablissement)
    uf = lieu.fiches.filter(niveau="UF").order_by("pk").first()
    dossier = fabrique.brouillon(lieu, personne(acteur), nom)
    fabrique.nouvelle(dossier, personne(acteur), (uf or lieu).pk)
    return fabrique.envoye(dossier, personne(acteur))


def texte(reponse) -> str:
    sans = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", reponse.content.decode(), flags=re.S)
    sans = re.sub(r'<(span|th)[^>]*class="[^"]*visually-hidden[^>]*>.*?</\1>', " ", sans, flags=re.S)
    mots = unescape(re.sub(r"<[^>]+>", " ", sans))
    return re.sub(r"\s+", " ", mots)


def noms(reponse) -> list[str]:
    """Names of the dossiers of the rows, in order."""
    return [unescape(n) for n in re.findall(r'<a class="tache-nom"[^>]*>([^<]*)</a>', reponse.content.decode())]


def nombres(reponse) -> dict[str, str]:
    """The tabs of tasks and what they count."""
    onglets = reponse.context["onglets"]
    return {o["libelle"]: str(o["nombre"]) for o in onglets if o["url"] != "/signalements/"}


def boutons(reponse) -> set[str]:
    """Where the buttons of the decision card post."""
    return set(re.findall(r'formaction="/taches/\d+/(\w+)/"', reponse.content.decode()))


def messages(reponse) -> list[str]:
    return [str(m) for m in reponse.context["messages"]]


# -- the inbox -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("qui", "a_prendre"),
    [
        ("gestionnaire", {EXPERIMENTAL}),
        ("direction.hopital", {CLINIQUE, NORD}),
        ("referent.hopital", {NORD}),
        ("referent.ehpad", {PARC}),
        ("referent.sessad", set()),
        ("tutelle.ars", {IME}),
        ("tutelle.cd", set()),
    ],
)
def test_chacun_voit_ce_qu_il_peut_faire(qui: str, a_prendre: set[str]) -> None:
    reponse = client(qui).get("/taches/")
    assert set(noms(reponse)) == a_prendre
    assert nombres(reponse)["À prendre"] == str(len(a_prendre))


def test_sans_droit_la_file_est_vide() -> None:
    User.objects.create(username="personne", email="personne@essai.example")
    reponse = client("personne").get("/taches/")
    assert reponse.status_code == 200
    assert nombres(reponse) == dict.fromkeys(nombres(reponse), "0")


def test_prendre_puis_rendre() -> None:
    numero = tache(EXPERIMENTAL).pk
    navigateur, collegue = client("gestionnaire"), client("gestionnaire2")
    reponse = navigateur.post(f"/taches/{numero}/prendre/", {"depuis": "liste", "suite": "onglet=a-prendre"})
    assert reponse["Location"] == "/taches/?onglet=a-prendre"
    reponse = navigateur.get("/taches/?onglet=mes-taches")
    assert noms(reponse) == [EXPERIMENTAL]
    assert nombres(reponse) == {
        "À prendre": "0", "Mes tâches": "1", "Mon équipe": "0", "En retard": "0", "En attente d’autres": "0",
        "Terminées": "2",
    }  # fmt: skip
    assert noms(collegue.get("/taches/")) == []

    refus = collegue.post(f"/taches/{numero}/prendre/")
    assert refus.status_code == 409
    assert "Sophie Renard a pris cette tâche" in texte(refus)

    reponse = navigateur.post(
        f"/taches/{numero}/rendre/", {"depuis": "liste", "suite": "onglet=mes-taches"}, follow=True
    )
    assert (nombres(reponse)["À prendre"], nombres(reponse)["Mes tâches"]) == ("1", "0")
    assert "de nouveau à prendre" in texte(reponse)
    assert navigateur.post(f"/taches/{numero}/rendre/").status_code == 409


def test_une_tache_d_equipe_ne_se_prend_pas() -> None:
    navigateur, numero = client("referent.ehpad"), tache(PARC).pk
    assert "À faire en équipe" in texte(navigateur.get("/taches/"))
    refus = navigateur.post(f"/taches/{numero}/prendre/")
    assert refus.status_code == 409
    assert "commune à l’équipe" in texte(refus)
    page = navigateur.get(f"/taches/{numero}/")
    assert f'href="/dossiers/{tache(PARC).dossier_id}/"' in page.content.decode()
    assert boutons(page) == set()


def test_un_geste_htmx_rend_la_file_et_le_message() -> None:
    navigateur, numero = client("gestionnaire"), tache(EXPERIMENTAL).pk
    entetes = {"HX-Request": "true"}
    reponse = navigateur.post(
        f"/taches/{numero}/prendre/", {"depuis": "liste", "suite": "onglet=a-prendre"}, headers=entetes, follow=True
    )
    corps = reponse.content.decode()
    assert corps.lstrip().startswith('<div id="file"')
    assert "<html" not in corps
    assert "est à votre nom" in corps
    assert "HX-Request" in reponse["Vary"]
    refus = client("gestionnaire2").post(f"/taches/{numero}/prendre/", headers=entetes)
    assert (refus.status_code, refus["HX-Retarget"]) == (409, "#alertes")


def test_en_retard() -> None:
    Tache.objects.filter(pk=tache(EXPERIMENTAL).pk).update(echeance=timezone.now() - timedelta(days=3))
    reponse = client("gestionnaire").get("/taches/?onglet=en-retard")
    assert noms(reponse) == [EXPERIMENTAL]
    assert "en retard de 3 jours" in texte(reponse)
    assert noms(client("gestionnaire").get("/taches/?echeance=-1")) == [EXPERIMENTAL]
    assert noms(client("direction.hopital").get("/taches/?echeance=-1")) == []


def test_terminees_sont_les_miennes_et_pas_celles_qu_une_autre_decision_a_closes() -> None:
    reponse = client("tutelle.cd").get("/taches/?onglet=terminees")
    assert noms(reponse) == ["Antenne de Chatou"]
    assert "Renvoyé pour correction" in texte(reponse)
    Habilitation.objects.filter(user=personne("tutelle.cd")).update(fin=timezone.localdate())
    assert noms(client("tutelle.cd").get("/taches/?onglet=terminees")) == []


def test_filtres() -> None:
    navigateur = client("direction.hopital")
    assert noms(navigateur.get("/taches/?etape=validation_direction")) == [CLINIQUE]
    assert noms(navigateur.get("/taches/?q=CLINIQUE")) == [CLINIQUE]
    assert noms(navigateur.get("/taches/?q=hopital+nord")) == [NORD]  # accents and case
    assert noms(navigateur.get("/taches/?q=paris+dermatologie")) == [CLINIQUE, NORD]
    vide = navigateur.get("/taches/?q=introuvable")
    assert "Aucune tâche ne correspond" in texte(vide)
    # What the address says and nobody knows is ignored.
    assert noms(navigateur.get("/taches/?etape=nulle&tri=x&onglet=y&apres=z&avant=-1")) == [CLINIQUE, NORD]
    assert noms(navigateur.get("/taches/?apres=99999999")) == [CLINIQUE, NORD]


def test_filtre_par_autorite() -> None:
    ars = personne("tutelle.ars")
    Habilitation.objects.create(user=ars, role=Role.TUTELLE, autorite_id="CD-78")
    envoyer("CAMSP TEST", "Antenne", "referent.camsp")
    navigateur = client("tutelle.ars")
    assert sorted(noms(navigateur.get("/taches/"))) == ["Antenne", "Antenne", IME]
    assert noms(navigateur.get("/taches/?autorite=CD-78")) == ["Antenne"]


def test_tri_et_pages() -> None:
    gestionnaire = personne("gestionnaire")
    for i, nom in enumerate(["EHPAD TEST", "SESSAD TEST", "Hôpital TEST"]):
        referent = f"referent.{nom.split()[0].lower().replace('ô', 'o')}"
        envoyer(nom, f"Dossier {i}", referent)
    decisions.valider(tache=tache("Dossier 2").pk, acteur=personne("direction.hopital"))
    toutes = boite.onglets(gestionnaire)["a-prendre"]
    ordre = [t.pk for t in toutes.order_by("echeance", "pk")]
    assert len(ordre) == 3
    Tache.objects.filter(pk=ordre[2]).update(creee_le=timezone.now() - timedelta(days=9))
    vues, suite = [], None
    for _ in range(3):
        page = boite.page_taches(toutes, apres=suite, taille=1)
        vues.append(page.taches[0].pk)
        suite = page.suivant
    assert (vues, suite) == (ordre, None)
    retour = boite.page_taches(toutes, avant=ordre[2], taille=1)
    assert ([t.pk for t in retour.taches], retour.precedent, retour.suivant) == ([ordre[1]], ordre[1], ordre[1])
    debut = boite.page_taches(toutes, avant=ordre[1], taille=1)
    assert ([t.pk for t in debut.taches], debut.precedent, debut.suivant) == ([ordre[0]], None, ordre[0])
    assert boite.page_taches(toutes, tri="anciennete").taches[0].pk == ordre[2]
    terminees = boite.onglets(gestionnaire)["terminees"]
    finies = boite.page_taches(terminees, tri="-fin", taille=1)
    assert finies.taches[0].close_le == terminees.order_by("-close_le").first().close_le


def test_un_compteur_s_arrete_a_mille() -> None:
    toutes = Tache.objects.all()
    assert requetes.compter({"a": toutes, "b": Tache.objects.none()}, plafond=2) == {"a": 3, "b": 0}
    assert requetes.compter({}) == {}


def statements(navigateur: Client, url: str) -> int:
    navigateur.get("/aide/accessibilite/")  # writes the session
    with CaptureQueriesContext(connection) as vues:
        assert navigateur.get(url).status_code == 200
    return len(vues)


def test_autant_de_requetes_pour_une_ligne_que_pour_trois() -> None:
    navigateur = client("gestionnaire")
    une = statements(navigateur, "/taches/")
    for nom, referent in (("EHPAD TEST", "referent.ehpad"), ("EHPAD du Parc TEST", "")):
        if referent:
            envoyer(nom, f"Dossier {nom}", referent)
    envoyer("Hôpital TEST", "Dossier hôpital", "referent.hopital")
    decisions.valider(tache=tache("Dossier hôpital").pk, acteur=personne("direction.hopital"))
    assert len(noms(navigateur.get("/taches/"))) == 3
    assert statements(navigateur, "/taches/") == une <= 15


def test_mots_des_echeances() -> None:
    maintenant = timezone.localtime().replace(hour=12)

    def mots(jours: int) -> str:
        return re.sub(
            r"<span class.*?</span>|<[^>]+>", "", str(echeance_en_mots(maintenant + timedelta(days=jours), maintenant))
        )

    assert [mots(n).replace("\xa0", " ") for n in (-3, -1, 1, 2)] == [
        "en retard de 3 jours", "en retard de 1 jour", "demain", "dans 2 jours",
    ]  # fmt: skip
    assert "aujourd’hui" in str(echeance_en_mots(maintenant + timedelta(hours=1), maintenant))
    assert "ouverte depuis hier" in str(age_en_mots(timezone.now() - timedelta(days=1)))


# -- one task ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nom", "boutons_par_personne"),
    [
        (CLINIQUE, {
            "direction.hopital": {"valider", "renvoyer"}, "referent.hopital": set(), "gestionnaire": set(),
            "tutelle.ars": None, "referent.ehpad": None,
        }),
        (EXPERIMENTAL, {
            "gestionnaire": {"affecter"}, "gestionnaire2": {"affecter"}, "referent.sessad": set(), "tutelle.ars": None,
        }),
        (IME, {
            "tutelle.ars": {"approuver", "renvoyer", "refuser"}, "tutelle.ars2": {"approuver", "renvoyer", "refuser"},
            "gestionnaire": set(), "referent.sessad": set(), "direction.sessad": set(), "tutelle.cd": None,
            "direction.hopital": None,
        }),
    ],
)  # fmt: skip
def test_les_boutons_de_chacun(nom: str, boutons_par_personne: dict[str, set[str] | None]) -> None:
    numero = tache(nom).pk
    for qui, attendus in boutons_par_personne.items():
        page = client(qui).get(f"/taches/{numero}/")
        if attendus is None:
            assert page.status_code == 404, qui
            continue
        assert boutons(page) == attendus, qui
        assert ("Vous pouvez la consulter" in texte(page)) == (not attendus), qui
        if not attendus:
            gestes = [
                client(qui).post(f"/taches/{numero}/{g}/") for g in ("valider", "approuver", "affecter", "prendre")
            ]
            assert {g.status_code for g in gestes} == {403}, qui


def test_une_direction_signe_en_deux_clics_depuis_le_courriel() -> None:
    """Acceptance 82: open the mail's link, « Valider le dossier »; nothing to take first."""
    courriel = Envoi.objects.filter(type_code="tache_creee", destinataire=personne("direction.hopital"))
    chemin = f"/taches/{tache(CLINIQUE).pk}/"
    assert any(chemin in c.corps_texte for c in courriel)
    navigateur = client("direction.hopital")
    page = navigateur.get(chemin)
    assert "Valider « Consultation de dermatologie à la clinique »" in texte(page).replace("\u202f", " ").replace(
        "\xa0", " "
    )
    reponse = navigateur.post(f"{chemin}valider/", {"suite": page.context["suite"]}, follow=True)
    assert reponse.redirect_chain == [("/taches/", 302)]  # what is left is work in a dossier, not a decision
    assert any("est validé. SESAN" in m for m in messages(reponse))
    assert tache(CLINIQUE).noeud == "approbation_sesan"


def test_apres_une_decision_la_tache_suivante_de_la_liste_s_ouvre() -> None:
    envoyer("Hôpital TEST", "Autre dossier", "referent.hopital")
    premiere, seconde = tache(CLINIQUE).pk, tache("Autre dossier").pk
    navigateur = client("direction.hopital")
    suite = "onglet=a-prendre&etape=validation_direction"
    reponse = navigateur.post(f"/taches/{premiere}/valider/", {"suite": suite})
    assert reponse["Location"] == f"/taches/{seconde}/?{suite}"
    reponse = navigateur.post(f"/taches/{seconde}/valider/", {"suite": suite})
    assert reponse["Location"] == f"/taches/?{suite}"


def test_la_suite_ne_transporte_que_nos_parametres() -> None:
    page = client("direction.hopital").get(
        f"/taches/{tache(CLINIQUE).pk}/?onglet=a-prendre&ailleurs=https://pirate.example"
    )
    assert page.context["suite"] == "onglet=a-prendre"


def test_renvoyer_avec_motif_et_commentaires() -> None:
    ouverte = tache(CLINIQUE)
    travail = ouverte.dossier.fiches.get()
    champ = f"commentaire-{travail.fiche_id}"
    navigateur, url = client("direction.hopital"), f"/taches/{ouverte.pk}/renvoyer/"
    assert f'name="{champ}"' in navigateur.get(f"/taches/{ouverte.pk}/").content.decode()

    refus = navigateur.post(url, {"motif_renvoi": "  ", champ: "Précisez l’âge."})
    assert refus.status_code == 422
    assert "Indiquez le motif" in texte(refus)
    assert 'href="#id_motif_renvoi"' in refus.content.decode()
    assert "Précisez l’âge.</textarea>" in refus.content.decode()
    assert not Decision.objects.filter(tache=ouverte.pk).exists()

    reponse = navigateur.post(url, {"motif_renvoi": "À revoir.", champ: "Précisez l’âge."}, follow=True)
    assert any("renvoyé pour correction" in m for m in messages(reponse))
    dossier = fabrique.relu(ouverte.dossier)
    assert (dossier.etat, dossier.motif) == (EtatDossier.REDACTION, "À revoir.")
    assert dossier.fiches.get().etat == EtatFiche.EN_ATTENTE
    assert Commentaire.objects.get(dossier=dossier).texte == "Précisez l’âge."
    suivante = client("referent.hopital").get(f"/taches/{fabrique.tache(dossier).pk}/")
    assert "À revoir." in texte(suivante)


def test_ce_qui_est_ecrit_pour_un_renvoi_n_est_pas_perdu_par_une_validation() -> None:
    ouverte = tache(CLINIQUE)
    fiche = ouverte.dossier.fiches.get().fiche_id
    navigateur, url = client("direction.hopital"), f"/taches/{ouverte.pk}/valider/"
    for champs in ({f"commentaire-{fiche}": "Hum."}, {"motif_renvoi": "Hum."}):
        refus = navigateur.post(url, champs)
        assert refus.status_code == 422
        assert "Hum.</textarea>" in refus.content.decode()
        assert "renvoyez le dossier, ou effacez" in texte(refus)
    assert Tache.objects.get(pk=ouverte.pk).close_le is None


def test_refuser_puis_la_page_dit_qui_quand_quoi() -> None:
    ouverte = tache(IME)
    navigateur = client("tutelle.ars")
    refus = navigateur.post(f"/taches/{ouverte.pk}/refuser/", {"motif_refus": ""})
    assert refus.status_code == 422
    assert 'href="#id_motif_refus"' in refus.content.decode()
    navigateur.post(f"/taches/{ouverte.pk}/refuser/", {"motif_refus": "Hors du périmètre."})
    assert fabrique.relu(ouverte.dossier).etat == EtatDossier.REFUSE
    page = client("referent.sessad").get(f"/taches/{ouverte.pk}/")
    assert "Cette tâche est terminée Refusé par Isabelle Perrin" in texte(page)
    assert "Hors du périmètre." in texte(page)
    assert boutons(page) == set()
    tard = client("tutelle.ars2").post(f"/taches/{ouverte.pk}/renvoyer/", {"motif_renvoi": "Une page de motifs."})
    assert tard.status_code == 409
    assert "déjà été traitée par Isabelle Perrin" in texte(tard)
    assert "Une page de motifs." in texte(tard)  # what was typed stays readable


def test_une_tache_prise_par_un_collegue_se_lit_seulement() -> None:
    numero = tache(IME).pk
    verbes.prendre(numero=numero, acteur=personne("tutelle.ars"))
    page = client("tutelle.ars2").get(f"/taches/{numero}/")
    assert boutons(page) == set()
    assert "Isabelle Perrin a pris cette tâche" in texte(page)
    refus = client("tutelle.ars2").post(f"/taches/{numero}/refuser/", {"motif_refus": "Mon motif."})
    assert refus.status_code == 409
    assert "Mon motif." in texte(refus)
    assert "refuser" in boutons(client("tutelle.ars").get(f"/taches/{numero}/"))
    # Her account closes: the task is not stuck with her.
    User.objects.filter(username="tutelle.ars").update(is_active=False)
    assert "refuser" in boutons(client("tutelle.ars2").get(f"/taches/{numero}/"))


def test_nul_n_approuve_ce_qu_il_a_envoye() -> None:
    Habilitation.objects.create(user=personne("gestionnaire"), role=Role.REFERENT, fiche=eg("EHPAD TEST"))
    dossier = envoyer("EHPAD TEST", "Envoyé par un gestionnaire", "gestionnaire")
    numero = fabrique.tache(dossier).pk
    page = client("gestionnaire").get(f"/taches/{numero}/")
    assert boutons(page) == set()
    assert "Vous avez envoyé ce dossier" in texte(page)
    assert client("gestionnaire").post(f"/taches/{numero}/approuver/").status_code == 403
    assert boutons(client("gestionnaire2").get(f"/taches/{numero}/")) == {"approuver", "renvoyer", "refuser"}
    reponse = client("gestionnaire2").post(f"/taches/{numero}/approuver/", follow=True)
    [dit] = [m for m in messages(reponse) if "approuvé et publié" in m]
    assert f'<a href="/dossiers/{dossier.pk}/">Ouvrir le dossier</a>' in dit
    assert f'<a href="/repertoire/{dossier.eg.identifiant}/">Voir l’établissement</a>' in dit
    assert fabrique.relu(dossier).etat == EtatDossier.PUBLIE


def test_affecter_a_deux_tutelles_qui_approuvent_ensemble() -> None:
    ouverte = tache(EXPERIMENTAL)
    navigateur, url = client("gestionnaire"), f"/taches/{ouverte.pk}/affecter/"
    refus = navigateur.post(url, {})
    assert refus.status_code == 422
    assert "Choisissez au moins une tutelle" in texte(refus)
    assert next(nom for _, nom in refus.context["affectation"].fields["autorites"].choices) == (
        "Conseil départemental des Hauts-de-Seine (son département)"
    )
    reponse = navigateur.post(url, {"autorites": ["ARS-11", "CD-78"]}, follow=True)
    assert any("confié aux tutelles" in m for m in messages(reponse))
    ars, cd = tache(EXPERIMENTAL, "ARS-11"), tache(EXPERIMENTAL, "CD-78")
    page = texte(client("tutelle.cd").get(f"/taches/{cd.pk}/"))
    assert "Agence régionale de santé Île-de-France n’a pas encore décidé" in page
    assert "Conseil départemental des Yvelines n’a" not in page
    reponse = client("tutelle.ars").post(f"/taches/{ars.pk}/approuver/", follow=True)
    assert any("Il sera publié quand l’autre tutelle" in m for m in messages(reponse))
    page = texte(client("tutelle.cd").get(f"/taches/{cd.pk}/"))
    assert "Agence régionale de santé Île-de-France a approuvé le" in page
    assert "Votre approbation est la dernière" in page
    client("tutelle.cd").post(f"/taches/{cd.pk}/renvoyer/", {"motif_renvoi": "Incomplet."})
    assert "Conseil départemental des Yvelines a renvoyé" in texte(client("tutelle.ars").get(f"/taches/{ars.pk}/"))


def test_recharger_l_adresse_d_un_geste_revient_a_la_tache() -> None:
    numero = tache(CLINIQUE).pk
    reponse = client("direction.hopital").get(f"/taches/{numero}/renvoyer/")
    assert reponse["Location"] == f"/taches/{numero}/"
    assert client("referent.ehpad").get(f"/taches/{numero}/renvoyer/").status_code == 404


def test_la_page_d_une_tache_coute_autant_pour_un_changement_que_pour_trois() -> None:
    navigateur = client("direction.hopital")
    une = statements(navigateur, f"/taches/{tache(CLINIQUE).pk}/")
    lieu, referent = eg("Hôpital TEST"), personne("referent.hopital")
    uf = lieu.fiches.filter(niveau="UF").order_by("pk").first()
    dossier = fabrique.brouillon(lieu, referent, "Trois changements")
    for i in range(3):
        fabrique.nouvelle(dossier, referent, uf.pk, f"Unité {i}")
    fabrique.envoye(dossier, referent)
    assert statements(navigateur, f"/taches/{fabrique.tache(dossier).pk}/") == une


# -- nobody can -----------------------------------------------------------------------------------------


def actives_sans_acteur() -> set[int]:
    """One by one, what the set query says at once."""
    ouvertes = Tache.objects.filter(close_le__isnull=True).select_related("dossier")
    return {t.pk for t in ouvertes if not acteurs_de(t).exists()}


def test_sans_acteur_est_le_jumeau_de_acteurs_de() -> None:
    def compare() -> set[int]:
        vues = set(requetes.sans_acteur().values_list("pk", flat=True))
        assert vues == actives_sans_acteur()
        return vues

    assert compare() == set()
    Habilitation.objects.filter(user__username="direction.hopital").update(fin=timezone.localdate())
    assert compare() == {tache(CLINIQUE).pk}
    User.objects.filter(username__startswith="tutelle.ars").update(is_active=False)
    assert compare() == {tache(CLINIQUE).pk, tache(IME).pk}
    User.objects.filter(username="gestionnaire2").update(is_active=False)
    assert compare() == {tache(CLINIQUE).pk, tache(IME).pk}
    User.objects.filter(username__in=["referent.ehpad", "direction.ehpad", "gestionnaire"]).update(is_active=False)
    assert compare() == {tache(CLINIQUE).pk, tache(IME).pk, tache(EXPERIMENTAL).pk, tache(PARC).pk}
