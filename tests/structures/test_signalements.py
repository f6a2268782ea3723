"""Reported errors: from a reader's form to the answer that she gets by mail (issue 3, anomalies)."""

from datetime import timedelta
from functools import partial
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Invalide
from notifications import expedition
from notifications.models import Envoi
from structures import affichage, regles, suivi
from structures.domaine import reserver
from structures.domaine import signalements as verbes
from structures.domaine.creer import creer_fiches
from structures.domaine.signalements import LIMITE, clore, completer, retirer, signaler
from structures.enums import IssueSignalement, Role, ThemeSignalement
from structures.models import Fiche, Signalement, VersionFiche
from structures.vues.signalements import remede
from tests.courses.conftest import ensemble, refus
from tests.factories import repertoire as fabrique
from tests.formulaires import lire_formulaire
from tests.notifications.conftest import Recu, smtp  # noqa: F401  a real SMTP server
from workflows.requetes import compter

pytestmark = pytest.mark.django_db

SIGNALE = {"theme": ThemeSignalement.INEXACT, "message": "C’est faux."}


class Monde:
    """An EHPAD with one offer, its Référent and its Direction, a reader from elsewhere, a gestionnaire."""

    def __init__(self) -> None:
        self.eg = fabrique.etablissement("medico-social", nom="EHPAD TEST")
        self.uo = fabrique.uo(self.eg, nom="Unité d’hébergement", conditions_accueil="Sur rendez-vous")
        self.referent = fabrique.compte(Role.REFERENT, self.eg, "nadia")
        self.direction = fabrique.compte(Role.DIRECTION, self.eg, "philippe")
        self.lecteur = fabrique.lecteur("lecteur")
        self.gestionnaire = fabrique.gestionnaire("sophie")

    def signaler(self, champ: str = "conditions_accueil", acteur: User | None = None, **plus: str) -> Signalement:
        return signaler(fiche=plus.pop("fiche", self.uo), acteur=acteur or self.lecteur, champ=champ, **SIGNALE | plus)


@pytest.fixture
def monde(db: None) -> Monde:
    return Monde()


def client(user: User) -> Client:
    navigateur = Client()
    navigateur.force_login(user)
    return navigateur


def adresse_de(fiche: Fiche) -> str:
    return reverse("fiche_signaler", args=[fiche.identifiant])


def poster(user: User, fiche: Fiche, etape: str = "signaler", **changements: str):
    """Fill the form as a browser shows it and press a button."""
    navigateur, adresse = client(user), adresse_de(fiche)
    page = navigateur.get(adresse, {"champ": changements.get("champ", "")})
    return navigateur.post(adresse, lire_formulaire(page.text, etape=etape, **changements), follow=True)


def messages(reponse) -> list[str]:
    return [str(m) for m in reponse.context["messages"]]


def courriels(type_code: str) -> list[str]:
    envois = Envoi.objects.filter(type_code=type_code).select_related("destinataire")
    return sorted(e.destinataire.username for e in envois)


# -- reporting -------------------------------------------------------------------------------------------


def test_un_lecteur_signale_un_champ(monde: Monde) -> None:
    page = client(monde.lecteur).get(adresse_de(monde.uo), {"champ": "conditions_accueil"})
    assert page.context["form"].initial == {"champ": "conditions_accueil"}
    assert page.context["actuelle"] == ["Sur rendez-vous"]
    reponse = poster(monde.lecteur, monde.uo, champ="conditions_accueil", valeur_proposee="Sans rendez-vous", **SIGNALE)
    signalement = Signalement.objects.get()
    assert reponse.redirect_chain == [(reverse("signalement", args=[signalement.pk]), 302)]
    assert (signalement.fiche, signalement.champ, signalement.auteur) == (monde.uo, "conditions_accueil", monde.lecteur)
    assert (signalement.message, signalement.valeur_proposee) == ("C’est faux.", "Sans rendez-vous")
    assert courriels("signalement_recu") == ["nadia", "philippe"]
    envoi = Envoi.objects.filter(type_code="signalement_recu").first()
    assert envoi.sujet == "Erreur signalée : Unité d’hébergement – Conditions d’accueil"
    assert reverse("signalement", args=[signalement.pk]) in envoi.corps_texte


def test_ce_qui_manque_est_dit_a_cote_et_la_saisie_reste(monde: Monde) -> None:
    for donnees, champs in (
        ({"theme": "", "message": ""}, {"theme", "message"}),
        ({"theme": "inconnu", "message": "x"}, {"theme"}),
        ({"theme": "inexact", "message": "   "}, {"message"}),
        ({"theme": "inexact", "message": "x" * 4001}, {"message"}),
        ({"theme": "inexact", "message": "x", "champ": "autorites"}, {"champ"}),  # kept by SESAN
        ({"theme": "inexact", "message": "x", "champ": "age_min_unite"}, {"champ"}),
    ):
        reponse = client(monde.lecteur).post(adresse_de(monde.eg), {"valeur_proposee": "À garder", **donnees})
        assert reponse.status_code == 422, donnees
        assert reponse.context["form"].errors.keys() == champs
        assert "À garder" in reponse.text
    assert not Signalement.objects.exists()


def test_sans_javascript_on_voit_ce_que_dit_le_repertoire(monde: Monde) -> None:
    donnees = {"champ": "conditions_accueil", "theme": "inexact", "message": "Brouillon", "etape": "voir"}
    reponse = client(monde.lecteur).post(adresse_de(monde.uo), donnees)
    assert reponse.status_code == 200
    assert reponse.context["actuelle"] == ["Sur rendez-vous"]
    assert "Brouillon" in reponse.text
    assert not Signalement.objects.exists()
    fragment = client(monde.lecteur).get(adresse_de(monde.uo), {"champ": "age_min"}, headers={"HX-Request": "true"})
    assert "16 ans" in fragment.text
    assert "<html" not in fragment.text


def test_une_fois_par_champ_puis_on_complete(monde: Monde) -> None:
    premier = monde.signaler()
    reponse = poster(monde.lecteur, monde.uo, champ="conditions_accueil", theme="autre", message="Et aussi ceci.")
    assert reponse.status_code == 409
    assert reponse.context["premier"] == premier
    assert "Et aussi ceci." in reponse.text
    assert "Compléter mon signalement" in reponse.text
    # The same page, its other button.
    donnees = lire_formulaire(reponse.text, etape="completer", valeur_proposee="Libre")
    client(monde.lecteur).post(adresse_de(monde.uo), donnees)
    premier.refresh_from_db()
    assert premier.message.startswith("C’est faux.\n\nComplément du ")
    assert premier.message.endswith(" : Et aussi ceci.")
    assert premier.valeur_proposee == "Libre"
    assert Signalement.objects.count() == 1
    # Another field, another person, or once it is closed: a report of its own.
    monde.signaler("activites")
    monde.signaler(acteur=monde.gestionnaire)
    clore(numero=premier.pk, acteur=monde.referent, issue=IssueSignalement.CORRIGE)
    monde.signaler()
    assert Signalement.objects.count() == 4


def test_un_complement_previent_ceux_qui_modifient_et_ne_grossit_pas_sans_fin(monde: Monde) -> None:
    premier = monde.signaler()
    for n in (1, 2):
        complete = completer(numero=premier.pk, acteur=monde.lecteur, message=f"Et aussi ceci {n}.")
        assert courriels("signalement_recu") == ["nadia"] * (n + 1) + ["philippe"] * (n + 1)
        envoi = Envoi.objects.filter(type_code="signalement_recu").latest("pk")
        assert envoi.sujet == "Signalement complété : Unité d’hébergement – Conditions d’accueil"
        assert f"Et aussi ceci {n}." in envoi.corps_texte
    for _ in range(2):
        complete = completer(numero=premier.pk, acteur=monde.lecteur, message="x" * 4000)
    reponse = poster(
        monde.lecteur, monde.uo, "completer", champ="conditions_accueil", theme="autre", message="y" * 4000
    )
    assert reponse.status_code == 422
    assert "dépasserait 12\u202f000 caractères" in reponse.context["form"].errors["message"][0]
    assert "y" * 4000 in reponse.text
    premier.refresh_from_db()
    assert premier.message == complete.message


def test_vingt_en_attente_au_plus(monde: Monde) -> None:
    uos = [fabrique.uo(monde.eg, nom=f"Unité {n}") for n in range(LIMITE)]
    for uo in uos:
        dernier = monde.signaler(fiche=uo)
    reponse = poster(monde.lecteur, monde.uo, champ="activites", **SIGNALE)
    assert reponse.status_code == 409
    assert "Vous avez 20 signalements en attente : c’est le maximum." in unescape(reponse.text).replace("\u00a0", " ")
    assert "C’est faux." in reponse.text
    retirer(numero=dernier.pk, acteur=monde.lecteur)
    monde.signaler("activites")


def test_sur_une_fiche_fermee_ou_jamais_publiee(monde: Monde) -> None:
    fabrique.publier(monde.uo, {"existe": False}, timezone.localdate())
    for methode in ("get", "post"):
        reponse = getattr(client(monde.lecteur), methode)(adresse_de(monde.uo), SIGNALE)
        assert reponse.status_code == 409
        assert "il n’y a plus rien à y corriger" in reponse.text
    with pytest.raises(Conflit):
        monde.signaler()
    [inconnue] = creer_fiches(eg=monde.eg, niveaux=["UO"])
    assert client(monde.lecteur).get(adresse_de(inconnue)).status_code == 404


def test_les_contacts_tres_restreints_ne_se_montrent_pas(monde: Monde) -> None:
    telecom = {"canal": "2", "valeur": "01 99 00 12 34", "confidentialite": "3"}
    contact = {"nature": "07", "nom": "", "fonction": "", "confidentialite": "3", "telecoms": [telecom]}
    fabrique.publier(monde.uo, {"contacts": {"pose": {"c1": contact}}}, timezone.localdate())
    signalement = monde.signaler("contacts")
    for user, voit in ((monde.lecteur, False), (monde.referent, True), (monde.gestionnaire, True)):
        pages = [
            client(user).get(adresse_de(monde.uo), {"champ": "contacts"}),
            client(user).get(reverse("signalement", args=[signalement.pk])),
        ]
        for page in pages:
            assert ("01 99 00 12 34" in page.text) is voit
            assert ("Contact très restreint (masqué)" in page.text) is not voit


def test_les_champs_de_sesan_ne_sont_proposes_qu_aux_gestionnaires(monde: Monde) -> None:
    def champs(user: User) -> set[str]:
        return {code for code, _ in client(user).get(adresse_de(monde.eg)).context["form"].fields["champ"].choices}

    assert champs(monde.gestionnaire) - champs(monde.lecteur) == {
        "mode_tarification",
        "autorite_regulation",
        "autorites",
    }


# -- whose task it is --------------------------------------------------------------------------------------


def test_c_est_la_tache_de_ceux_qui_modifient_la_fiche(monde: Monde) -> None:
    orpheline = fabrique.uo(fabrique.etablissement("medico-social", nom="Sans personne"))
    ej = Fiche.objects.get(versions_enfants__fiche=monde.eg)
    groupe = fabrique.compte(Role.DIRECTION, ej, "groupe")
    sien, seul, du_groupe = monde.signaler(), monde.signaler(fiche=orpheline), monde.signaler("nom", fiche=ej)
    attendus = {
        monde.referent: {sien}, monde.direction: {sien}, groupe: {sien, du_groupe}, monde.gestionnaire: {seul},
        monde.lecteur: set(), fabrique.compte(Role.TUTELLE, "ARS-11"): set(),
    }  # fmt: skip
    assert {u: set(regles.signalements_a_traiter(u)) for u in attendus} == attendus
    for signalement in (sien, seul, du_groupe):  # the same question from the other side
        gens = {u for u, leurs in attendus.items() if signalement in leurs}
        assert set(regles.traitants_de(signalement.fiche)) == gens
        assert {e.destinataire for e in Envoi.objects.filter(cle__contains=f":signalement:{signalement.pk}:")} == gens
    visibles = {
        monde.referent: {sien}, groupe: {sien, du_groupe}, monde.gestionnaire: {sien, seul, du_groupe},
        monde.lecteur: {sien, seul, du_groupe}, fabrique.lecteur("autre"): set(),
    }  # fmt: skip
    assert {u: set(regles.signalements_visibles(u)) for u in visibles} == visibles


def test_le_compteur_la_file_et_la_liste(monde: Monde) -> None:
    for champ in ("nom", "activites", "horaires"):
        monde.signaler(champ)
    file = client(monde.referent).get(reverse("taches"))
    assert {o["libelle"]: o["nombre"] for o in file.context["onglets"]}["Signalements"] == 3
    [menu] = [e for e in file.context["shell"].menu if e["libelle"] == "Tâches"]
    assert menu["compteur"] == 3
    liste = client(monde.referent).get(reverse("signalements"))
    assert liste.context["onglet"] == "a-traiter"
    assert [ligne.champ for ligne in liste.context["lignes"]] == ["Nom", "Activités opérationnelles", "Horaires"]
    assert {(ligne.fiche, ligne.etablissement) for ligne in liste.context["lignes"]} == {
        ("Unité d’hébergement", "EHPAD TEST")
    }
    siens = client(monde.lecteur).get(reverse("signalements"))
    assert siens.context["onglet"] == "les-miens"
    assert [ligne.champ for ligne in siens.context["lignes"]] == ["Horaires", "Activités opérationnelles", "Nom"]
    clore(numero=Signalement.objects.get(champ="nom").pk, acteur=monde.direction, issue=IssueSignalement.CORRIGE)
    traites = client(monde.referent).get(reverse("signalements"), {"onglet": "traites"})
    assert [ligne.champ for ligne in traites.context["lignes"]] == ["Nom"]
    assert (
        "Rien à traiter" in client(fabrique.lecteur("autre")).get(reverse("signalements"), {"onglet": "a-traiter"}).text
    )


def test_un_gestionnaire_voit_tous_ceux_qui_sont_ouverts(monde: Monde) -> None:
    ancien, recent, clos = monde.signaler("nom"), monde.signaler("actes"), monde.signaler("horaires")
    Signalement.objects.filter(pk=ancien.pk).update(cree_le=timezone.now() - timedelta(days=31))
    clore(numero=clos.pk, acteur=monde.direction, issue=IssueSignalement.CORRIGE)
    sophie, adresse = client(monde.gestionnaire), reverse("signalements")

    def vus(**filtre: object) -> list[Signalement]:
        return [ligne.signalement for ligne in sophie.get(adresse, filtre).context["lignes"]]

    page = sophie.get(adresse)
    assert page.context["onglet"] == "tous"  # nothing waits for her
    assert {o["libelle"]: o["nombre"] for o in page.context["onglets"]} == {
        "À traiter": 0, "Tous": 2, "Mes signalements": None, "Traités": None,
    }  # fmt: skip
    assert vus(onglet="tous") == [ancien, recent]
    assert vus(onglet="tous", depuis="30") == [ancien]
    assert vus(onglet="tous", depuis="90") == []
    assert vus(onglet="tous", depuis="hier") == [ancien, recent]
    assert vus(onglet="a-traiter") == []
    ouverts = suivi.signalements_ouverts()
    assert (ouverts.nombre, ouverts.anciens) == (2, 1)
    for url in ("accueil", "supervision"):
        assert (
            'href="/signalements/?onglet=tous&amp;depuis=30">1 depuis plus de 30 jours' in sophie.get(reverse(url)).text
        )
    autre = client(monde.referent).get(adresse, {"onglet": "tous"})
    assert autre.context["onglet"] == "a-traiter"
    assert "Tous" not in {o["libelle"] for o in autre.context["onglets"]}


def test_filtrer(monde: Monde) -> None:
    autre = fabrique.uo(monde.eg, nom="Unité de répit")
    a = monde.signaler("nom")
    b = monde.signaler("nom", fiche=autre, theme=ThemeSignalement.FERME, message="Fermée depuis mars")
    for filtre, attendu in (
        ({"q": "repit"}, {b}),
        ({"q": "EHPAD test"}, {a, b}),
        ({"q": "mars"}, {b}),
        ({"q": "rien"}, set()),
        ({"theme": "ferme"}, {b}),
        ({"theme": "inventé", "apres": "x", "onglet": "ailleurs"}, {a, b}),
    ):
        lignes = client(monde.referent).get(reverse("signalements"), filtre).context["lignes"]
        assert {ligne.signalement for ligne in lignes} == attendu, filtre


@pytest.mark.parametrize("croissant", [True, False])
def test_pages_par_cle(monde: Monde, croissant: bool) -> None:
    uos = [fabrique.uo(monde.eg, nom=f"Unité {n}") for n in range(7)]
    tous = [monde.signaler(fiche=uo).pk for uo in uos]
    attendu = tous if croissant else tous[::-1]
    liste = Signalement.objects.all()

    def cles(page: suivi.Page) -> list[int]:
        return [s.pk for s in page.signalements]

    page = suivi.page(liste, croissant=croissant, taille=3)
    lues, pages = cles(page), [page]
    while page.suivant:
        page = suivi.page(liste, croissant=croissant, apres=page.suivant, taille=3)
        lues += cles(page)
        pages.append(page)
    assert lues == attendu
    assert [len(p.signalements) for p in pages] == [3, 3, 1]
    while page.precedent:
        page = suivi.page(liste, croissant=croissant, avant=page.precedent, taille=3)
        assert cles(page) == attendu[attendu.index(page.signalements[0].pk) :][:3]
    assert cles(page) == attendu[:3]


def test_trois_lignes_coutent_autant_qu_une(monde: Monde) -> None:
    adresses = [f"{reverse('signalements')}?onglet={onglet}" for onglet in suivi.ONGLETS]
    adresses += [reverse("taches"), reverse("fiche", args=[monde.uo.identifiant])]
    navigateur = client(monde.referent)

    def instructions() -> list[int]:
        comptes = []
        for adresse in adresses:
            navigateur.get(adresse)
            with CaptureQueriesContext(connection) as captures:
                assert navigateur.get(adresse).status_code == 200
            comptes.append(len(captures))
        return comptes

    def un_de_chaque(champ: str) -> None:
        clos = monde.signaler(champ)
        clore(numero=clos.pk, acteur=monde.direction, issue=IssueSignalement.CORRIGE)
        monde.signaler(champ)
        monde.signaler(champ, acteur=monde.referent, fiche=fabrique.uo(monde.eg))

    un_de_chaque("nom")
    pour_un = instructions()
    un_de_chaque("activites")
    un_de_chaque("horaires")
    assert instructions() == pour_un
    assert compter({"s": regles.signalements_a_traiter(monde.referent)}) == {"s": 6}


def test_la_fiche_dit_ce_qui_y_est_signale(monde: Monde) -> None:
    monde.signaler("nom")
    monde.signaler("activites")
    monde.signaler("nom", fiche=monde.eg)
    ferme = monde.signaler("horaires")
    retirer(numero=ferme.pk, acteur=monde.lecteur)
    fiche = reverse("fiche", args=[monde.uo.identifiant])
    vu = client(monde.referent).get(fiche).context["signalements"]
    assert (vu["nombre"], {champ for _, champ in vu["liste"]}) == (2, {"Nom", "Activités opérationnelles"})
    ailleurs = client(fabrique.lecteur("autre")).get(fiche).context["signalements"]
    assert (ailleurs["nombre"], ailleurs["mots"], ailleurs["liste"]) == (2, "2 erreurs signalées", [])
    monde.signaler("horaires")
    monde.signaler("actes")
    page = client(monde.referent).get(fiche)
    assert len(page.context["signalements"]["liste"]) == 3
    assert "4 erreurs signalées" in page.text
    entete = page.text[page.text.index("<h1") :]
    assert entete.index("complète") < entete.index("4 erreurs signalées") < entete.index("Signaler une erreur")


# -- the page of a report and its endings ----------------------------------------------------------------------


def test_corriger_ouvre_le_formulaire_au_champ_puis_on_repond(monde: Monde) -> None:
    signalement = monde.signaler(valeur_proposee="Sans rendez-vous")
    adresse = reverse("signalement", args=[signalement.pk])
    page = client(monde.referent).get(adresse)
    assert page.context["actuelle"] == ["Sur rendez-vous"]
    modifier = reverse("fiche_modifier", args=[monde.uo.identifiant])
    assert f'href="{modifier}#id_conditions_accueil"' in page.text
    assert 'id="id_conditions_accueil"' in client(monde.referent).get(modifier).text
    fabrique.direct(monde.uo, monde.referent, {"conditions_accueil": "Sans rendez-vous"})
    assert client(monde.referent).get(adresse).context["actuelle"] == ["Sans rendez-vous"]
    reponse = client(monde.referent).post(
        reverse("signalement_clore", args=[signalement.pk]), {"issue": "corrige", "reponse": "Merci !"}, follow=True
    )
    assert messages(reponse) == ["Signalement clos (corrigé). lecteur en est prévenu(e) par courriel."]
    signalement.refresh_from_db()
    assert (signalement.issue, signalement.reponse, signalement.clos_par) == ("corrige", "Merci !", monde.referent)
    assert courriels("signalement_clos") == ["lecteur"]
    assert "Merci !" in Envoi.objects.get(type_code="signalement_clos").corps_texte
    vu = client(monde.lecteur).get(adresse)
    assert "Merci !" in vu.text
    assert (vu.context["remede"], vu.context["sien"]) == (None, False)


def test_sans_suite_demande_une_reponse(monde: Monde) -> None:
    signalement = monde.signaler()
    adresse = reverse("signalement_clore", args=[signalement.pk])
    for reponse_ in ("", "   "):
        reponse = client(monde.direction).post(adresse, {"issue": "sans-suite", "reponse": reponse_})
        assert reponse.status_code == 422
        assert reponse.context["form"].errors == {
            "reponse": ["Dites à la personne pourquoi son signalement reste sans suite."]
        }
    assert client(monde.direction).post(adresse, {"issue": "retire", "reponse": "x"}).status_code == 422
    with pytest.raises(Invalide):
        clore(numero=signalement.pk, acteur=monde.direction, issue=IssueSignalement.SANS_SUITE)
    assert client(monde.direction).post(adresse, {"issue": "sans-suite", "reponse": "C’est exact."}).status_code == 302
    signalement.refresh_from_db()
    assert signalement.issue == IssueSignalement.SANS_SUITE


def test_personne_ne_recoit_de_courriel_sur_son_propre_geste(monde: Monde) -> None:
    signalement = monde.signaler(acteur=monde.referent)
    assert courriels("signalement_recu") == ["philippe"]
    clore(numero=signalement.pk, acteur=monde.referent, issue=IssueSignalement.CORRIGE)
    assert courriels("signalement_clos") == []


def test_retirer_le_sien(monde: Monde) -> None:
    signalement = monde.signaler()
    adresse = reverse("signalement_retirer", args=[signalement.pk])
    assert "Retirer votre signalement" in client(monde.lecteur).get(adresse).text
    assert [client(u).post(adresse).status_code for u in (monde.referent, fabrique.lecteur("autre"))] == [403, 404]
    assert messages(client(monde.lecteur).post(adresse, follow=True)) == ["Votre signalement est retiré."]
    assert not regles.signalements_a_traiter(monde.referent).exists()
    assert client(monde.lecteur).post(adresse).status_code == 409
    with pytest.raises(Conflit, match="a clos ce signalement"):
        completer(numero=signalement.pk, acteur=monde.lecteur, message="Encore")


def test_chacun_son_role(monde: Monde) -> None:
    signalement = monde.signaler()
    with pytest.raises(Interdit):
        clore(numero=signalement.pk, acteur=monde.lecteur, issue=IssueSignalement.CORRIGE)
    with pytest.raises(Interdit):
        completer(numero=signalement.pk, acteur=monde.referent, message="x")
    with pytest.raises(Interdit):
        retirer(numero=signalement.pk, acteur=monde.referent)
    clore(numero=signalement.pk, acteur=monde.gestionnaire, issue=IssueSignalement.CORRIGE)


@pytest.mark.parametrize(
    ("champ", "phrase", "bouton"),
    [
        ("type_uo", "changez-le dans un dossier collaboratif", "Créer un dossier collaboratif"),
        ("mode_prise_en_charge", "ne change plus une fois la fiche créée", "Créer un dossier collaboratif"),
        ("activites", "Corrigez la fiche s’il y a lieu", "Corriger ce champ"),
        ("", "Relisez la fiche", "Modifier la fiche"),
    ],
)
def test_ou_corriger(monde: Monde, champ: str, phrase: str, bouton: str) -> None:
    signalement = monde.signaler(champ)
    dit = remede(monde.referent, signalement, fabrique.contenu(monde.uo))
    assert phrase in dit.phrase
    assert dit.bouton == bouton
    assert bouton in client(monde.referent).get(reverse("signalement", args=[signalement.pk])).text


def test_le_dossier_ouvert_est_le_meme_lien_partout(monde: Monde, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the report, from the page of the fiche, from the menu of the establishment; nobody else is led there."""
    reserver.ouvrir(eg=monde.eg, dossier=12, nom="Ouverture", etape="Rédaction")
    monkeypatch.setattr(affichage, "_visibles", lambda user, numeros: {12} if user == monde.referent else set())
    signalement = monde.signaler("type_uo")
    dit = remede(monde.referent, signalement, fabrique.contenu(monde.uo))
    assert dit[1:] == ("Ouvrir le dossier « Ouverture »", f"/dossiers/12/fiches/{monde.uo.pk}/")
    page = client(monde.referent).get(reverse("fiche", args=[monde.uo.identifiant]))
    assert (page.context["vers_dossier"].action, page.context["vers_dossier"].url) == dit[1:]
    menu = client(monde.referent).get(reverse("fiche", args=[monde.eg.identifiant])).context["actions_structure"]
    assert menu == [{"libelle": "Ouvrir le dossier « Ouverture »", "url": "/dossiers/12/", "icone": "dossier"}]
    assert remede(monde.gestionnaire, signalement, fabrique.contenu(monde.uo)).url == ""
    ailleurs = client(monde.direction).get(reverse("fiche", args=[monde.eg.identifiant]))
    assert ailleurs.context["actions_structure"] == []


def test_ou_corriger_ce_qui_vient_d_ailleurs_ou_n_est_plus_la(monde: Monde) -> None:
    finess = monde.signaler("finess", fiche=monde.eg)
    assert "fichiers nationaux (FINESS)" in remede(monde.referent, finess, fabrique.contenu(monde.eg)).phrase
    assert remede(monde.referent, finess, fabrique.contenu(monde.eg)).url == ""
    sur_uo = monde.signaler()
    fabrique.publier(monde.uo, {"existe": False}, timezone.localdate())
    page = client(monde.referent).get(reverse("signalement", args=[sur_uo.pk]))
    assert page.context["remede"].url == ""
    assert page.context["remede"].phrase.startswith("Cette fiche est fermée depuis le ")
    clore(numero=sur_uo.pk, acteur=monde.referent, issue=IssueSignalement.CORRIGE)
    assert "Unité d’hébergement" in client(monde.referent).get(f"{reverse('signalements')}?onglet=traites").text
    assert VersionFiche.objects.filter(fiche=monde.uo, validite__contains=timezone.localdate()).count() == 0


# -- races -------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_deux_personnes_closent_et_une_personne_retire(smtp: Recu) -> None:  # noqa: F811
    monde = Monde()
    signalement = monde.signaler()
    resultats = ensemble(
        [
            partial(clore, numero=signalement.pk, acteur=monde.referent, issue=IssueSignalement.CORRIGE),
            partial(clore, numero=signalement.pk, acteur=monde.direction, issue=IssueSignalement.CORRIGE),
            partial(retirer, numero=signalement.pk, acteur=monde.lecteur),
        ]
    )
    perdants = refus(resultats)
    assert {p.code for p in perdants} == {"deja_clos"}
    assert len(perdants) == 2
    signalement.refresh_from_db()
    assert all(p.message.startswith(f"{signalement.clos_par} a clos ce signalement le ") for p in perdants)
    ensemble([expedition.expedier] * 2)
    recus = ["lecteur@example.org"] if signalement.issue == "corrige" else []
    assert smtp.adresses == [*recus, "nadia@example.org", "philippe@example.org"]
    perdant = monde.direction if signalement.clos_par == monde.referent else monde.referent
    page = client(perdant).post(reverse("signalement_clore", args=[signalement.pk]), {"issue": "corrige"})
    assert page.status_code == 409
    assert str(signalement.clos_par) in page.text


@pytest.mark.django_db(transaction=True)
def test_deux_clics_signalent_une_fois() -> None:
    monde = Monde()
    resultats = ensemble([partial(verbes.signaler, fiche=monde.uo, acteur=monde.lecteur, champ="nom", **SIGNALE)] * 4)
    assert [p.code for p in refus(resultats)] == ["deja_signale"] * 3
    assert Signalement.objects.count() == 1
    assert courriels("signalement_recu") == ["nadia", "philippe"]


@pytest.mark.django_db(transaction=True)
def test_le_maximum_tient_quand_tout_arrive_ensemble() -> None:
    monde = Monde()
    uos = [fabrique.uo(monde.eg, nom=f"Unité {n}") for n in range(LIMITE + 1)]
    for uo in uos[: LIMITE - 2]:
        monde.signaler(fiche=uo)
    champs = ("nom", "activites", "horaires", "actes", "contacts", "publics")
    resultats = ensemble(
        [partial(verbes.signaler, fiche=uos[-1], acteur=monde.lecteur, champ=c, **SIGNALE) for c in champs]
    )
    assert [p.code for p in refus(resultats)] == ["trop_de_signalements"] * 4
    assert Signalement.objects.filter(clos_le__isnull=True).count() == LIMITE
