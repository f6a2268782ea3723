"""Reported errors: whose task they are, their list, and what the fiche says of them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from notifications.models import Envoi
from structures import regles, suivi
from structures.domaine.signalements import clore, retirer
from structures.enums import IssueSignalement, Role, ThemeSignalement
from structures.models import Fiche, Signalement
from tests.factories import repertoire as fabrique
from tests.navigation import client
from workflows.requetes import compter

from .guichet import Monde

pytestmark = pytest.mark.django_db


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
