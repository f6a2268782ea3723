"""The screens of the dossiers through the HTTP client (acceptance E to I)."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backoffice.comptes.models import User
from structures.enums import Role
from structures.models import Fiche
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from tests.formulaires import lire_formulaire
from workflows.changements import changements, resume
from workflows.domaine import decisions, gestes
from workflows.models import Dossier, Evenement, FicheTravail

pytestmark = pytest.mark.django_db


@pytest.fixture
def monde() -> SimpleNamespace:
    """A hospital with one fiche of each level, its people, SESAN and somebody else's establishment."""
    arbre = repertoire.hopital()
    eg = arbre["EG"]
    ailleurs = repertoire.etablissement(nom="Clinique voisine")
    return SimpleNamespace(
        **{niveau.lower(): fiche for niveau, fiche in arbre.items()},
        ailleurs=ailleurs,
        referent=repertoire.compte(Role.REFERENT, eg, "referent"),
        collegue=repertoire.compte(Role.REFERENT, eg, "collegue"),
        direction=repertoire.compte(Role.DIRECTION, eg, "direction"),
        voisin=repertoire.compte(Role.REFERENT, ailleurs, "voisin"),
        gestionnaire=repertoire.gestionnaire("gestionnaire"),
        tutelle=repertoire.compte(Role.TUTELLE, "ARS-11", "tutelle"),
    )


@pytest.fixture
def dossier(monde: SimpleNamespace) -> Dossier:
    return fabrique.brouillon(monde.eg, monde.referent, "Ouverture de l’UHCD")


def client(user: User) -> Client:
    navigateur = Client()
    navigateur.force_login(user)
    return navigateur


def texte(reponse: Any) -> str:
    """The words of a page, tags left out."""
    sans = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", reponse.content.decode(), flags=re.S)
    mots = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", sans))
    return mots.replace("&#x27;", "'").replace("\u00a0", " ").replace("\u202f", " ")


def url(dossier: Dossier, suite: str = "") -> str:
    return f"/dossiers/{dossier.pk}/{suite}"


def url_fiche(dossier: Dossier, fiche: Fiche) -> str:
    return url(dossier, f"fiches/{fiche.pk}/")


def etat(dossier: Dossier) -> str:
    return str(Dossier.objects.values_list("etat", flat=True).get(pk=dossier.pk))


def touchees(dossier: Dossier) -> dict[int, str]:
    """Nature of each change by fiche."""
    return {t.fiche_id: t.nature for t in dossier.fiches.all()}


def requetes_de(navigateur: Client, adresse: str, **entetes: Any) -> int:
    navigateur.get("/dossiers/circuit.bpmn")  # the first visit writes the session
    with CaptureQueriesContext(connection) as vues:
        assert navigateur.get(adresse, **entetes).status_code == 200
    return len(vues)


def saisir(reponse: Any, **changements_: Any) -> Any:
    return lire_formulaire(reponse.content.decode(), **changements_)


# -- access ------------------------------------------------------------------------------------------

LECTURES = ("", "changements/", "journal/")
ACTIONS = (
    "ajouter/",
    "dupliquer/",
    "deplacer/",
    "supprimer/",
    "annuler/",
    "conflit/",
    "envoyer/",
    "retirer/",
    "abandonner/",
)


NEUVE = {"existe": True, "age_min_unite": "an", "age_max_unite": "an"}  # a new UO


def test_tout_demande_une_session(monde, dossier):
    for suite in (*LECTURES, *ACTIONS, f"fiches/{monde.uo.pk}/", f"fiches/{monde.uo.pk}/menu/"):
        reponse = Client().get(url(dossier, suite))
        assert (reponse.status_code, reponse["Location"].split("?")[0]) == (302, "/connexion/"), suite
    for adresse in ("/dossiers/", "/dossiers/creer/", "/dossiers/circuit.bpmn"):
        assert Client().get(adresse).status_code == 302


def test_le_dossier_d_un_autre_n_existe_pas(monde, dossier):
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    for user in (monde.voisin, monde.tutelle):
        for suite in (*LECTURES, f"fiches/{monde.uo.pk}/", f"fiches/{monde.uo.pk}/menu/"):
            assert client(user).get(url(dossier, suite)).status_code == 404, suite
        for suite in (*ACTIONS, f"fiches/{monde.uo.pk}/"):
            assert client(user).post(url(dossier, suite), {"fiche": monde.uo.pk}).status_code == 404, suite
    assert client(monde.referent).get("/dossiers/999999/").status_code == 404
    assert client(monde.referent).get("/dossiers/99999999999999999999999/").status_code == 404


def test_qui_voit_sans_modifier_est_refuse(monde, dossier):
    """A gestionnaire reads every dossier and changes none: no action on screen, 403 on each address."""
    neuve = fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    avant = list(dossier.fiches.values_list("fiche", "patch", "revision").order_by("pk"))
    navigateur = client(monde.gestionnaire)
    page = navigateur.get(url(dossier))
    assert page.status_code == 200
    for mot in ("Supprimer", "Déplacer", "Dupliquer", 'href="envoyer/"', "Abandonner le dossier", "<button disabled"):
        assert mot not in page.content.decode(), mot
    assert "menu/" not in page.content.decode()
    for suite in (*ACTIONS, f"fiches/{neuve.pk}/"):
        reponse = navigateur.post(url(dossier, suite), {"fiche": neuve.pk, "sous": monde.uf.pk, "parent": monde.uf.pk})
        assert reponse.status_code == 403, suite
    assert list(dossier.fiches.values_list("fiche", "patch", "revision").order_by("pk")) == avant
    lecture = navigateur.get(url_fiche(dossier, neuve))
    assert lecture.status_code == 200
    assert "Enregistrer" not in texte(lecture)


def test_identifiants_forges(monde, dossier):
    """A fiche of another establishment, a number that is none: 404, nothing happens."""
    navigateur = client(monde.referent)
    for fiche in (monde.ailleurs.pk, 10**17, "x", "", "-1", "１２"):
        for suite in ("dupliquer/", "deplacer/", "supprimer/", "annuler/", "conflit/"):
            reponse = navigateur.post(url(dossier, suite), {"fiche": fiche, "parent": monde.uf.pk, "champ": "nom"})
            assert reponse.status_code == 404, (suite, fiche)
        assert navigateur.post(url(dossier, "ajouter/"), {"sous": fiche, "quantite": 1}).status_code == 404
        for suite in ("ajouter/?sous=", "deplacer/?fiche=", "supprimer/?fiche=", "annuler/?fiche="):
            assert navigateur.get(url(dossier, f"{suite}{fiche}")).status_code == 404
    assert navigateur.get(url(dossier, f"fiches/{monde.ailleurs.pk}/")).status_code == 404
    assert not dossier.fiches.exists()


# -- the list ----------------------------------------------------------------------------------------


def test_liste_de_mes_dossiers(monde, dossier):
    """Acceptance 58: mine, with progress, who acts and the last change; not those of others."""
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, finaliser=False)
    autre = fabrique.brouillon(monde.ailleurs, monde.voisin, "Dossier du voisin")
    page = texte(client(monde.referent).get("/dossiers/"))
    assert "Ouverture de l’UHCD" in page
    assert "Hôpital TEST" in page
    assert "1 fiche finalisée sur 2" in page
    assert "Finaliser les fiches Référents et Directions de l’établissement" in page
    assert "Fiche enregistrée et mise en attente" in page
    assert "Le dossier collaboratif, c’est quoi ?" in page
    assert autre.nom not in page
    assert autre.nom in texte(client(monde.gestionnaire).get("/dossiers/"))


def test_liste_onglets_et_recherche(monde, dossier):
    fini = fabrique.brouillon(monde.ailleurs, monde.voisin, "Évaluation gériatrique")
    decisions.abandonner(numero=fini.pk, acteur=monde.voisin)
    navigateur = client(monde.gestionnaire)

    def noms(question: str) -> list[str]:
        corps = navigateur.get(f"/dossiers/{question}").content.decode()
        return re.findall(r'dossiers-nom"[^>]*>([^<]+)<', corps)

    assert noms("") == ["Ouverture de l’UHCD"]
    assert noms("?etat=termines") == ["Évaluation gériatrique"]
    assert noms("?etat=tous") == ["Évaluation gériatrique", "Ouverture de l’UHCD"]
    assert noms("?etat=tous&q=evaluation") == ["Évaluation gériatrique"]
    assert noms("?etat=tous&q=voisine") == ["Évaluation gériatrique"]  # name of the establishment
    assert noms("?etat=tous&q=hopital+uhcd") == ["Ouverture de l’UHCD"]
    assert noms("?etat=tous&q=inconnu") == []
    assert noms("?etat=bidon") == ["Ouverture de l’UHCD"]
    assert "Aucun dossier trouvé" in texte(navigateur.get("/dossiers/?q=inconnu"))


def test_liste_par_pages(monde, dossier, monkeypatch):
    from workflows import requetes

    decisions.abandonner(numero=dossier.pk, acteur=monde.referent)
    for _ in range(4):
        suivant = fabrique.brouillon(monde.eg, monde.referent)
        decisions.abandonner(numero=suivant.pk, acteur=monde.referent)
    tous = list(Dossier.objects.order_by("-pk"))
    page = requetes.page_dossiers(Dossier.objects.all(), taille=2)
    assert (page.lignes, page.precedent, page.suivant) == (tous[:2], None, tous[1].pk)
    page = requetes.page_dossiers(Dossier.objects.all(), apres=page.suivant, taille=2)
    assert (page.lignes, page.precedent, page.suivant) == (tous[2:4], tous[2].pk, tous[3].pk)
    fin = requetes.page_dossiers(Dossier.objects.all(), apres=page.suivant, taille=2)
    assert (fin.lignes, fin.suivant) == (tous[4:], None)
    retour = requetes.page_dossiers(Dossier.objects.all(), avant=page.precedent, taille=2)
    assert (retour.lignes, retour.precedent) == (tous[:2], None)


def test_liste_requetes_constantes(monde, dossier):
    navigateur = client(monde.gestionnaire)
    une = requetes_de(navigateur, "/dossiers/?etat=tous")
    for eg in (monde.ailleurs, repertoire.etablissement(nom="Troisième")):
        acteur = repertoire.compte(Role.DIRECTION, eg)
        autre = fabrique.brouillon(eg, acteur)
        fabrique.nouvelle(autre, acteur, eg.pk, "Pôle")
    assert requetes_de(navigateur, "/dossiers/?etat=tous") == une


def test_liste_vide(monde):
    page = texte(client(monde.referent).get("/dossiers/"))
    assert "Aucun dossier n’a encore été créé sur vos établissements." in page
    assert "Créer un dossier collaboratif" in page
    page = texte(client(monde.tutelle).get("/dossiers/"))
    assert "Aucun dossier n’est visible avec votre compte" in page
    assert "Créer un dossier collaboratif" not in page


def test_menu_principal(monde):
    """Acceptance 57."""
    assert "Dossiers collaboratifs" in texte(client(monde.referent).get("/repertoire/"))
    assert "Dossiers collaboratifs" not in texte(client(repertoire.lecteur()).get("/repertoire/"))


# -- creation ----------------------------------------------------------------------------------------


def test_creer(monde):
    """Acceptance 55 and 56."""
    navigateur = client(monde.referent)
    page = navigateur.get(f"/dossiers/creer/?eg={monde.eg.identifiant}")
    assert "Nom du dossier" in texte(page)
    reponse = navigateur.post("/dossiers/creer/", saisir(page, nom="  Ouverture   de l’UHCD "))
    cree = Dossier.objects.get()
    assert (cree.nom, cree.eg, cree.auteur, cree.etat) == ("Ouverture de l’UHCD", monde.eg, monde.referent, "redaction")
    assert (reponse.status_code, reponse["Location"]) == (302, url(cree))
    assert "Pour commencer" in texte(navigateur.get(url(cree)))


@pytest.mark.parametrize("nom", ["", "   ", "x" * 151])
def test_creer_sans_nom(monde, nom):
    reponse = client(monde.referent).post("/dossiers/creer/", {"eg": monde.eg.identifiant, "nom": nom})
    assert reponse.status_code == 422
    assert 'href="#id_nom"' in reponse.content.decode()
    assert not Dossier.objects.exists()


def test_creer_deux_fois(monde, dossier):
    """One open dossier an EG: 409 with a link to it, what was typed stays."""
    page = client(monde.collegue).get("/dossiers/creer/")
    assert "Dossiers déjà ouverts sur vos établissements" in texte(page)
    reponse = client(monde.collegue).post("/dossiers/creer/", {"eg": monde.eg.identifiant, "nom": "Le mien"})
    assert reponse.status_code == 409
    assert f'href="{url(dossier)}"' in reponse.content.decode()
    assert 'value="Le mien"' in reponse.content.decode()
    assert Dossier.objects.count() == 1


def test_creer_sans_droit(monde):
    assert client(monde.gestionnaire).get("/dossiers/creer/").status_code == 403
    assert client(monde.tutelle).post("/dossiers/creer/", {"eg": monde.eg.identifiant, "nom": "x"}).status_code == 403
    navigateur = client(monde.voisin)
    assert navigateur.get(f"/dossiers/creer/?eg={monde.eg.identifiant}").status_code == 403
    assert navigateur.get("/dossiers/creer/?eg=1999999999").status_code == 404
    reponse = navigateur.post("/dossiers/creer/", {"eg": monde.eg.identifiant, "nom": "Chez les autres"})
    assert reponse.status_code == 422
    assert not Dossier.objects.exists()


def test_creer_seulement_sur_un_eg(monde):
    """Acceptance 54."""
    navigateur = client(monde.referent)
    for fiche in (monde.p, monde.s, monde.uf, monde.uo, monde.ej):
        reponse = navigateur.get(f"/dossiers/creer/?eg={fiche.identifiant}")
        assert reponse.status_code == 422
        assert "se crée sur un établissement" in texte(reponse)
        assert navigateur.post("/dossiers/creer/", {"eg": fiche.identifiant, "nom": "x"}).status_code == 422
    assert not Dossier.objects.exists()


# -- the workspace -----------------------------------------------------------------------------------


def test_espace_de_travail(monde, dossier):
    """Acceptance 52, 59, 63, 76: the tree with what happens to each fiche, in words."""
    autre = repertoire.uf(monde.s, "UF 2102")
    finalisee = fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Unité d’hospitalisation de courte durée")
    attente = fabrique.nouvelle(dossier, monde.referent, autre.pk, "Unité à compléter", finaliser=False)
    gestes.deplacer(numero=dossier.pk, acteur=monde.referent, fiche=monde.uo.pk, parent=autre.pk)
    page = client(monde.referent).get(url(dossier))
    mots, corps = texte(page), page.content.decode()
    for niveau in ("EG", "P", "S", "UF", "UO"):
        assert f'class="niveau-{niveau}"' in corps
    assert "Unité d’hospitalisation de courte durée ajout finalisée" in mots
    assert "Unité à compléter ajout en attente" in mots
    assert "Unité de cardiologie depuis UF 2101 déplacement finalisée" in mots
    assert "2 fiches finalisées sur 3" in mots
    assert "Il reste « Unité à compléter »." in mots
    assert f'id="fiche-{finalisee.pk}"' in corps
    assert f'href="{url_fiche(dossier, attente)}"' in corps
    assert "disabled" in corps.split("Envoyer en validation")[0].rsplit("<button", 1)[1]
    assert "Compléter les fiches en cours" in mots
    assert "Centre hospitalier" in mots
    assert "la Direction de l’établissement valide le dossier, puis SESAN" in mots


def test_suppression_barree(monde, dossier):
    gestes.supprimer(numero=dossier.pk, acteur=monde.referent, fiche=monde.uf.pk)
    corps = client(monde.referent).get(url(dossier)).content.decode()
    assert "<s>UF 2101</s>" in corps
    assert "<s>Unité de cardiologie</s>" in corps
    assert "<s>Cardiologie</s>" not in corps


@pytest.mark.parametrize(
    ("niveau", "creation"),
    [
        ("eg", "Créer des pôles"),
        ("p", "Créer des services"),
        ("s", "Créer des unités fonctionnelles"),
        ("uf", "Créer des unités opérationnelles"),
        ("uo", ""),
    ],
)
def test_menu_d_un_noeud(monde, dossier, niveau, creation):
    """Acceptance 64, 65, 67: what can be created depends on the level."""
    noeud = getattr(monde, niveau)
    reponse = client(monde.referent).get(url(dossier, f"fiches/{noeud.pk}/menu/"), headers={"HX-Request": "true"})
    mots = texte(reponse)
    assert (creation in mots) if creation else ("Créer" not in mots)
    assert "Modifier la fiche" in mots
    for verbe in ("Dupliquer", "Déplacer", "Supprimer"):
        assert (verbe in mots) == (niveau != "eg"), verbe
    assert "Il n’y a pas d’autre place possible." in mots or niveau == "eg"
    assert "Annuler ce changement" not in mots


def test_hors_sanitaire_les_unites_sont_sous_l_etablissement(monde):
    ehpad = repertoire.etablissement("medico-social", nom="EHPAD TEST")
    acteur = repertoire.compte(Role.REFERENT, ehpad)
    dossier = fabrique.brouillon(ehpad, acteur)
    page = texte(client(acteur).get(url(dossier)))
    assert "Créer des unités opérationnelles" in page
    assert "Créer des pôles" not in page
    assert "l’approbation revient à SESAN, sans validation préalable de la Direction" in page


def test_filtre_de_l_arbre(monde, dossier):
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Unité finie")
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Unité en cours", finaliser=False)
    navigateur = client(monde.referent)

    def fiches_vues(filtre: str) -> set[str]:
        corps = navigateur.get(url(dossier, f"?montrer={filtre}")).content.decode()
        return set(re.findall(r'class="arbre-nom"[^>]*>(?:<s>)?([^<]+)<', corps))

    chemin = {"Hôpital TEST", "Pôle Médecine", "Cardiologie", "UF 2101"}
    assert fiches_vues("touchees") == chemin | {"Unité finie", "Unité en cours"}
    assert fiches_vues("en-attente") == chemin | {"Unité en cours"}
    assert fiches_vues("finalisees") == chemin | {"Unité finie"}
    assert fiches_vues("") == fiches_vues("bidon") == chemin | {"Unité finie", "Unité en cours", "Unité de cardiologie"}


def test_espace_requetes_constantes(monde, dossier):
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, nom="Unité renommée")
    navigateur = client(monde.referent)
    adresses = ["", "changements/", "journal/", f"fiches/{monde.uo.pk}/", f"supprimer/?fiche={monde.uf.pk}", "envoyer/"]
    avant = {a: requetes_de(navigateur, url(dossier, a)) for a in adresses}
    for i in range(3):
        fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, f"Unité {i}")
        unite = repertoire.uo(monde.uf, f"Unité ancienne {i}")
        fabrique.modifier(dossier, monde.collegue, unite.pk, conditions_accueil="…", actes=frozenset(["0172"]))
    apres = {a: requetes_de(navigateur, url(dossier, a)) for a in adresses}
    assert apres == avant
    assert max(avant.values()) <= 45


def test_grand_arbre_replie_sans_menus(monde, dossier, monkeypatch):
    from workflows.vues import espace

    monkeypatch.setattr(espace, "GRAND_ARBRE", 3)
    monkeypatch.setattr(espace, "MENUS_INCLUS", 3)
    autre = repertoire.uf(repertoire.service(monde.p, "Pneumologie"), "UF 2120")
    repertoire.uo(autre, "Unité de pneumologie")
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, nom="Unité renommée")
    corps = client(monde.referent).get(url(dossier)).content.decode()
    assert corps.count("arbre-ferme") == 2  # Pneumologie and its UF; the branch that changes stays open
    assert "Unité de pneumologie" in corps  # a real name all the same
    assert f'hx-get="{url_fiche(dossier, monde.uo)}menu/"' in corps


def test_renvoi_visible(monde, dossier):
    """The reason on top, the comment on its fiche, and the fiche to take up again."""
    neuve = fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Unité commentée")
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, nom="Unité de cardiologie générale")
    fabrique.envoye(dossier, monde.referent)
    fabrique.renvoye(
        dossier, monde.direction, "Les âges sont à revoir.", **{f"fiche_{neuve.pk}": "À partir de 18 ans."}
    )
    navigateur = client(monde.referent)
    page = texte(navigateur.get(url(dossier)))
    assert "renvoyé pour correction" in page
    assert "Les âges sont à revoir." in page
    assert "Unité commentée ajout en attente commentée" in page
    assert "1 fiche finalisée sur 2" in page
    assert "À partir de 18 ans." in texte(navigateur.get(url_fiche(dossier, neuve)))
    fabrique.modifier(dossier, monde.referent, neuve.pk, age_min=18)
    page = texte(navigateur.get(url(dossier)))
    assert "Unité commentée ajout finalisée" in page
    assert "Les âges sont à revoir." in page


def test_dossier_envoye_se_lit(monde, dossier):
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    fabrique.envoye(dossier, monde.referent)
    page = client(monde.referent).get(url(dossier))
    mots = texte(page)
    assert "validation par la Direction" in mots
    assert "Direction en cours Direction de l’établissement, avant le" in mots
    assert "Retirer" in mots
    assert "Supprimer" not in mots
    assert "Abandonner" not in mots
    assert "Valider le dossier" not in mots
    decide = client(monde.direction).get(url(dossier))
    assert f'href="/taches/{fabrique.tache(dossier).pk}/"' in decide.content.decode()
    assert "Valider le dossier" in texte(decide)
    assert "Retirer" not in texte(decide)


def test_dossiers_termines(monde, dossier):
    """An ended dossier shows what it did, with the names of then, and nothing to change."""
    neuve = fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Unité publiée")
    service = repertoire.service(monde.p, "Service fermé")
    gestes.supprimer(numero=dossier.pk, acteur=monde.referent, fiche=service.pk)
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, nom="Unité de cardiologie générale")
    fabrique.envoye(dossier, monde.referent)
    decisions.valider(tache=fabrique.tache(dossier).pk, acteur=monde.direction)
    decisions.approuver(tache=fabrique.tache(dossier).pk, acteur=monde.gestionnaire)
    page = texte(client(monde.referent).get(url(dossier)))
    assert "Ce que le dossier a changé" in page
    assert "1 ajout 1 modification 1 suppression" in page
    assert "Unité publiée" in page
    assert "Service fermé" in page
    assert "Unité de cardiologie générale" in page
    assert "publié" in page
    assert texte(client(monde.referent).get(url_fiche(dossier, neuve))).count("Unité publiée") >= 1
    assert client(monde.referent).get(url_fiche(dossier, monde.uf)).status_code == 404
    lignes = {c.nom: c for c in changements(fabrique.relu(dossier))}
    [ligne] = lignes["Unité de cardiologie générale"].lignes
    assert (ligne["avant"], ligne["apres"]) == ("Unité de cardiologie", "Unité de cardiologie générale")
    for suite in ("ajouter/", "supprimer/", "envoyer/", "abandonner/", "retirer/"):
        reponse = client(monde.referent).post(
            url(dossier, suite), {"fiche": monde.uo.pk, "sous": monde.uf.pk, "quantite": 1}
        )
        assert reponse.status_code == 409, suite


def test_schema_et_position(monde, dossier):
    corps = client(monde.referent).get(url(dossier)).content.decode()
    assert "Où en est le dossier" in corps
    dessin = corps.split('<svg class="schema"')[1].split("</svg>")[0]
    assert "1. Compléter les fiches : en cours." in dessin
    assert dessin.count("schema-ici") == 1
    bpmn = client(monde.referent).get("/dossiers/circuit.bpmn")
    assert bpmn["Content-Type"].startswith("application/bpmn+xml")
    assert b"bpmn:definitions" in bpmn.content


# -- actions on the tree -----------------------------------------------------------------------------


def test_ajouter(monde, dossier):
    """Acceptance 65, 66, 68: any number; one leads straight to its fiche."""
    navigateur = client(monde.referent)
    page = navigateur.get(url(dossier, f"ajouter/?sous={monde.uf.pk}"))
    assert "Créer des unités opérationnelles sous « UF 2101 »" in texte(page)
    reponse = navigateur.post(url(dossier, "ajouter/"), saisir(page, quantite="3"))
    crees = list(dossier.fiches.order_by("pk"))
    assert [(t.fiche.niveau, t.patch, t.etat) for t in crees] == [
        ("UO", NEUVE | {"parent": monde.uf.pk}, "en_attente")
    ] * 3
    assert reponse["Location"] == url(dossier, f"#fiche-{crees[0].fiche_id}")
    reponse = navigateur.post(url(dossier, "ajouter/"), {"sous": monde.s.pk, "quantite": "1"})
    uf = dossier.fiches.order_by("pk").last()
    assert (uf.fiche.niveau, reponse["Location"]) == ("UF", url_fiche(dossier, uf.fiche))


@pytest.mark.parametrize("quantite", ["", "0", "201", "trois", "-1"])
def test_ajouter_une_quantite_impossible(monde, dossier, quantite):
    reponse = client(monde.referent).post(url(dossier, "ajouter/"), {"sous": monde.uf.pk, "quantite": quantite})
    assert reponse.status_code == 422
    assert 'href="#id_quantite"' in reponse.content.decode()
    assert not dossier.fiches.exists()


def test_ajouter_sous_une_unite(monde, dossier):
    """Acceptance 67: nothing below an UO."""
    reponse = client(monde.referent).post(url(dossier, "ajouter/"), {"sous": monde.uo.pk, "quantite": 1})
    assert reponse.status_code == 422
    assert not dossier.fiches.exists()


def test_dupliquer(monde, dossier):
    """Acceptance 74."""
    reponse = client(monde.referent).post(url(dossier, "dupliquer/"), {"fiche": monde.uo.pk})
    copie = dossier.fiches.get()
    assert (copie.nature, copie.etat, copie.patch["parent"]) == ("ajout", "en_attente", monde.uf.pk)
    assert copie.patch["nom"] == "Unité de cardiologie (copie)"
    assert reponse["Location"] == url(dossier, f"#fiche-{copie.fiche_id}")
    assert client(monde.referent).post(url(dossier, "dupliquer/"), {"fiche": monde.eg.pk}).status_code == 422


def test_deplacer(monde, dossier):
    """Acceptance 78: legal places only, with their path."""
    autre = repertoire.uf(repertoire.service(monde.p, "Pneumologie"), "UF 2120")
    navigateur = client(monde.referent)
    page = navigateur.get(url(dossier, f"deplacer/?fiche={monde.uo.pk}"))
    mots = texte(page)
    assert "Pôle Médecine › Pneumologie › UF 2120" in mots
    assert re.findall(r'type="radio" name="parent" value="(\d+)"', page.content.decode()) == [str(autre.pk)]
    reponse = navigateur.post(url(dossier, "deplacer/"), {"fiche": monde.uo.pk, "parent": autre.pk})
    assert reponse["Location"] == url(dossier, f"#fiche-{monde.uo.pk}")
    assert touchees(dossier) == {monde.uo.pk: "deplacement"}
    for parent in (monde.p.pk, monde.uo.pk, monde.ailleurs.pk, "", "x"):
        reponse = navigateur.post(url(dossier, "deplacer/"), {"fiche": monde.uo.pk, "parent": parent})
        assert reponse.status_code == 422, parent
    assert dossier.fiches.get().patch == {"parent": autre.pk}
    assert navigateur.post(url(dossier, "deplacer/"), {"fiche": monde.eg.pk, "parent": autre.pk}).status_code == 422


def test_supprimer(monde, dossier):
    """Acceptance 79: the confirmation names all that goes."""
    neuve = fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Unité éphémère")
    navigateur = client(monde.referent)
    page = navigateur.get(url(dossier, f"supprimer/?fiche={monde.s.pk}"))
    mots = texte(page)
    assert "Supprimer « Cardiologie » ?" in mots
    assert (
        "Fermées à la publication du dossier ; leur historique reste consultable : S Cardiologie UF UF 2101 UO Unité"
        in mots
    )
    assert "Nouvelles dans ce dossier, elles disparaissent : UO Unité éphémère" in mots
    assert "Supprimer 4 fiches" in mots
    reponse = navigateur.post(url(dossier, "supprimer/"), saisir(page))
    assert reponse["Location"] == url(dossier, f"#fiche-{monde.s.pk}")
    assert touchees(dossier) == dict.fromkeys([monde.s.pk, monde.uf.pk, monde.uo.pk], "suppression")
    assert not dossier.fiches.filter(fiche=neuve.pk).exists()
    assert navigateur.get(url(dossier, f"supprimer/?fiche={monde.s.pk}")).status_code == 409
    assert navigateur.post(url(dossier, "supprimer/"), {"fiche": monde.eg.pk}).status_code == 422


def test_annuler(monde, dossier):
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, nom="Unité renommée")
    navigateur = client(monde.referent)
    page = navigateur.get(url(dossier, f"annuler/?fiche={monde.uo.pk}"))
    assert "Unité de cardiologie Unité renommée" in texte(page)
    reponse = navigateur.post(url(dossier, "annuler/"), saisir(page))
    assert reponse["Location"] == url(dossier, f"#fiche-{monde.uo.pk}")
    assert not dossier.fiches.exists()
    assert navigateur.get(url(dossier, f"annuler/?fiche={monde.uo.pk}")).status_code == 409
    assert navigateur.post(url(dossier, "annuler/"), {"fiche": monde.uo.pk}).status_code == 409


def test_annuler_une_suppression(monde, dossier):
    gestes.supprimer(numero=dossier.pk, acteur=monde.referent, fiche=monde.uf.pk)
    navigateur = client(monde.referent)
    page = navigateur.get(url_fiche(dossier, monde.uf))
    assert "Annuler la suppression" in texte(page)
    assert "Enregistrer" not in texte(page)
    assert navigateur.post(url_fiche(dossier, monde.uf), {"revision": 1}).status_code == 409
    navigateur.post(url(dossier, "annuler/"), {"fiche": monde.uf.pk})
    assert not dossier.fiches.exists()


def test_les_actions_ne_font_rien_par_get(monde, dossier):
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    avant = (Evenement.objects.count(), list(FicheTravail.objects.values_list("patch", flat=True)))
    navigateur = client(monde.referent)
    for suite in ACTIONS:
        navigateur.get(url(dossier, f"{suite}?fiche={monde.uo.pk}&sous={monde.uf.pk}"))
    assert (Evenement.objects.count(), list(FicheTravail.objects.values_list("patch", flat=True))) == avant


def test_panneau_sans_rechargement(monde, dossier):
    """The script of the workspace asks for a panel alone, and the address follows."""
    navigateur = client(monde.referent)
    for suite in (f"fiches/{monde.uo.pk}/", f"ajouter/?sous={monde.uf.pk}", f"supprimer/?fiche={monde.uo.pk}"):
        reponse = navigateur.get(url(dossier, suite), headers={"HX-Request": "true"})
        assert reponse["HX-Push-Url"] == url(dossier, suite)
        assert "HX-Request" in reponse["Vary"]
        assert "<html" not in reponse.content.decode()
        assert "arbre-nom" not in reponse.content.decode()


# -- the form of a fiche -----------------------------------------------------------------------------


def ouvrir(user: User, dossier: Dossier, fiche: Fiche) -> Any:
    reponse = client(user).get(url_fiche(dossier, fiche))
    assert reponse.status_code == 200
    return reponse


def poster(user: User, dossier: Dossier, fiche: Fiche, page: Any, action: str = "attente", **champs: Any) -> Any:
    corps = saisir(page, action=action, **champs).urlencode()
    return client(user).post(url_fiche(dossier, fiche), corps, content_type="application/x-www-form-urlencoded")


def complet(page: Any, **champs: Any) -> dict[str, Any]:
    return {
        "nom": "Unité d’hospitalisation de courte durée",
        "type_uo": "149",
        "mode_prise_en_charge": "28",
        "activites": ["013"],
        "age_min": "16",
        "age_min_unite": "an",
        "age_max": "120",
        "age_max_unite": "an",
    } | champs


def test_completer_une_fiche(monde, dossier):
    """Acceptance 69, 71, 72, 75, 76: filled, finalised, the flow goes on."""
    [neuve] = fabrique.nouvelles(dossier, monde.referent, monde.uf.pk)
    page = ouvrir(monde.referent, dossier, neuve)
    mots = texte(page)
    assert "nouvelle fiche" in mots
    assert "sous Pôle Médecine › Cardiologie › UF 2101" in mots
    assert "Il manque 7 informations pour finaliser" in mots
    assert "Champ d’activité" in mots  # typed at creation only
    reponse = poster(monde.referent, dossier, neuve, page, "finaliser", **complet(page))
    assert (reponse.status_code, reponse["Location"]) == (302, url(dossier, f"#fiche-{neuve.pk}"))
    travail = dossier.fiches.get()
    assert (travail.etat, travail.revisions.count()) == ("finalisee", 2)
    assert travail.patch["nom"] == "Unité d’hospitalisation de courte durée"
    assert travail.patch["champ_activite"] == "01"  # from the type
    assert etat(dossier) == "finalise"
    assert "Toutes les fiches ont été finalisées" in texte(client(monde.referent).get(url(dossier)))


def test_mettre_en_attente(monde, dossier):
    """Acceptance 73: incomplete is fine, and says what is missing."""
    [neuve] = fabrique.nouvelles(dossier, monde.referent, monde.uf.pk)
    page = ouvrir(monde.referent, dossier, neuve)
    navigateur = client(monde.referent)
    reponse = navigateur.post(
        url_fiche(dossier, neuve), saisir(page, action="attente", nom="Unité d’essai"), follow=True
    )
    travail = dossier.fiches.get()
    assert (travail.etat, travail.patch["nom"]) == ("en_attente", "Unité d’essai")
    assert "est enregistrée, en attente. Il manque pour la finaliser : Type d’UO, " in texte(reponse)


def test_finaliser_incomplete(monde, dossier):
    """Acceptance 75, the refusal: links to what is missing, nothing saved, nothing lost."""
    [neuve] = fabrique.nouvelles(dossier, monde.referent, monde.uf.pk)
    page = ouvrir(monde.referent, dossier, neuve)
    reponse = poster(monde.referent, dossier, neuve, page, "finaliser", **complet(page, activites=None, age_max=""))
    assert reponse.status_code == 422
    corps, mots = reponse.content.decode(), texte(reponse)
    assert "La fiche ne peut pas encore être finalisée : rien n’a été enregistré" in mots
    for ancre in ("id_activites", "id_age_max"):
        assert f'href="#{ancre}"' in corps
        assert f'id="{ancre}' in corps
    assert "Pour garder ce que vous avez saisi et terminer plus tard" in mots
    assert 'value="Unité d’hospitalisation de courte durée"' in corps
    assert dossier.fiches.get().patch == NEUVE | {"parent": monde.uf.pk}
    poster(monde.referent, dossier, neuve, reponse, "attente")
    assert dossier.fiches.get().patch["nom"] == "Unité d’hospitalisation de courte durée"


def test_contenu_refuse(monde, dossier):
    page = ouvrir(monde.referent, dossier, monde.uo)
    reponse = poster(monde.referent, dossier, monde.uo, page, age_min="90", age_max="3", nom="x" * 300)
    assert reponse.status_code == 422
    assert "L’âge maximum est inférieur à l’âge minimum." in texte(reponse)
    assert "id_nom" in re.findall(r'href="#([^"]+)"', reponse.content.decode())
    assert not dossier.fiches.exists()


def test_type_d_uo_du_meme_champ(monde, dossier):
    """Acceptance 60 to 62: another type of the same champ; champ and mode no longer change."""
    page = ouvrir(monde.referent, dossier, monde.uo)
    corps = page.content.decode()
    types = set(re.findall(r'<option value="([^"]+)"', corps.split('name="type_uo"')[1].split("</select>")[0]))
    assert {"149", "121"} <= types
    assert "08" not in types  # médico-social
    assert 'name="champ_activite"' not in corps
    assert 'name="mode_prise_en_charge"' not in corps
    assert "Ce qui ne change pas ici" in texte(page)
    reponse = poster(monde.referent, dossier, monde.uo, page, "finaliser", type_uo="121")
    assert reponse.status_code == 302
    assert dossier.fiches.get().patch == {"type_uo": "121"}
    reponse = poster(monde.referent, dossier, monde.uo, page, type_uo="08")
    assert reponse.status_code == 422
    [neuve] = fabrique.nouvelles(dossier, monde.referent, monde.uf.pk)
    assert '<option value="08"' in ouvrir(monde.referent, dossier, neuve).content.decode()


def test_nom_d_une_unite(monde, dossier):
    """Acceptance 70: a hint, a proposal, a warning that does not block."""
    page = ouvrir(monde.referent, dossier, monde.uo)
    assert "« Unité », suivi du nom du type d’unité opérationnelle." in texte(page)
    assert '"149": "Unit' in page.content.decode()
    reponse = client(monde.referent).post(
        url_fiche(dossier, monde.uo), saisir(page, action="finaliser", nom="Cardio"), follow=True
    )
    assert "ne commence pas par « Unité »" in texte(reponse)
    assert dossier.fiches.get().etat == "finalisee"
    assert "commence par « Unité »" in texte(ouvrir(monde.referent, dossier, monde.uo))


def test_rien_change(monde, dossier):
    page = ouvrir(monde.referent, dossier, monde.uo)
    assert poster(monde.referent, dossier, monde.uo, page).status_code == 302
    assert not dossier.fiches.exists()
    reponse = poster(monde.referent, dossier, monde.uo, page, "finaliser")
    assert reponse.status_code == 422
    assert "identique au répertoire" in texte(reponse)
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, nom="Unité renommée")
    page = ouvrir(monde.referent, dossier, monde.uo)
    poster(monde.referent, dossier, monde.uo, page, nom="Unité de cardiologie")
    assert not dossier.fiches.exists()


def test_tous_les_champs_survivent_a_un_enregistrement(monde, dossier):
    """Opening and saving a full fiche changes nothing but what was typed."""
    riche = repertoire.uo(
        monde.uf,
        "Unité riche",
        actes={"ajoute": ["0172"]},
        territoire={"ajoute": ["92040", "75113"]},
        capacites={"pose": {"p": {"nature": "01", "statut": "01", "nombre": 12}}},
        horaires={"pose": {"01/2024-01-08": {"1": [["08:00", "12:00"]]}}},
        contacts={
            "pose": {
                "c": {
                    "nature": "07", "nom": "", "fonction": "", "confidentialite": "2",
                    "telecoms": [{"canal": "2", "valeur": "01 99 00 12 34", "confidentialite": "2"}],
                }
            }
        },
        boites_mssante={"ajoute": ["a@b.mssante.fr"]},
    )  # fmt: skip
    page = ouvrir(monde.referent, dossier, riche)
    assert poster(monde.referent, dossier, riche, page, conditions_accueil="Une personne.").status_code == 302
    assert dossier.fiches.get().patch == {"conditions_accueil": "Une personne."}


def test_enchainer_les_fiches(monde, dossier):
    """Acceptance 68: one by one, the next one to finalise follows."""
    une, deux = fabrique.nouvelles(dossier, monde.referent, monde.uf.pk, 2)
    page = ouvrir(monde.referent, dossier, une)
    assert f'href="{url_fiche(dossier, deux)}"' in page.content.decode()
    reponse = poster(monde.referent, dossier, une, page, "finaliser", enchainer="1", **complet(page))
    assert reponse["Location"] == url_fiche(dossier, deux)


# -- several people ----------------------------------------------------------------------------------


def test_deux_personnes_sur_des_champs_differents(monde, dossier):
    """Both changes are kept."""
    page = ouvrir(monde.referent, dossier, monde.uo)
    fabrique.modifier(dossier, monde.collegue, monde.uo.pk, finaliser=False, conditions_accueil="De la collègue")
    reponse = poster(monde.referent, dossier, monde.uo, page, conditions_admission="De la référente")
    assert reponse.status_code == 302
    assert dossier.fiches.get().patch == {
        "conditions_accueil": "De la collègue",
        "conditions_admission": "De la référente",
    }


def test_deux_personnes_sur_le_meme_champ(monde, dossier):
    """409: both versions side by side, what was typed stays, nothing is overwritten; then the person chooses."""
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, finaliser=False, conditions_admission="Au départ")
    page = ouvrir(monde.referent, dossier, monde.uo)
    fabrique.modifier(
        dossier,
        monde.collegue,
        monde.uo.pk,
        finaliser=False,
        conditions_admission="La leur",
        conditions_accueil="Reprise",
    )
    reponse = poster(monde.referent, dossier, monde.uo, page, "finaliser", conditions_admission="La mienne")
    assert reponse.status_code == 409
    mots, corps = texte(reponse), reponse.content.decode()
    assert "collegue a enregistré cette fiche" in mots
    champ = "Conditions d’admission"
    assert f"{champ} À l’ouverture du formulaire Au départ Prendre la valeur actuelle de {champ} La leur" in mots
    assert f"Garder ma saisie pour {champ} La mienne" in mots
    assert ">La mienne</textarea>" in corps.replace("\r\n", "").replace(">\n", ">")
    assert ">Reprise</textarea>" in corps.replace(">\n", ">")
    assert f'name="revision" value="{dossier.fiches.get().revision}"' in corps
    assert dossier.fiches.get().patch["conditions_admission"] == "La leur"
    encore = poster(monde.referent, dossier, monde.uo, reponse, "finaliser")
    assert encore.status_code == 302
    assert dossier.fiches.get().patch == {"conditions_admission": "La mienne", "conditions_accueil": "Reprise"}


def test_garder_la_version_de_l_autre(monde, dossier):
    page = ouvrir(monde.referent, dossier, monde.uo)
    fabrique.modifier(dossier, monde.collegue, monde.uo.pk, finaliser=False, conditions_admission="La leur")
    reponse = poster(
        monde.referent, dossier, monde.uo, page, conditions_admission="La mienne", informations_complementaires="À moi"
    )
    # Nothing was changed in the dossier when the form was filled: revision 0.
    assert reponse.status_code == 409
    poster(monde.referent, dossier, monde.uo, reponse, garder_conditions_admission="leur")
    assert dossier.fiches.get().patch == {"conditions_admission": "La leur", "informations_complementaires": "À moi"}


def test_le_repertoire_change_pendant_la_saisie(monde, dossier):
    """A direct change between opening and saving is neither undone nor overwritten silently."""
    page = ouvrir(monde.referent, dossier, monde.uo)
    repertoire.direct(monde.uo, monde.collegue, {"conditions_accueil": "Directe", "conditions_admission": "Directe"})
    reponse = poster(monde.referent, dossier, monde.uo, page, informations_complementaires="Du dossier")
    assert reponse.status_code == 302
    assert dossier.fiches.get().patch == {"informations_complementaires": "Du dossier"}
    reponse = poster(monde.referent, dossier, monde.uo, page, conditions_admission="Du dossier")
    assert reponse.status_code == 409
    assert "Une modification directe du répertoire a changé « Conditions d’admission »" in texte(reponse)
    assert dossier.fiches.get().patch == {"informations_complementaires": "Du dossier"}
    assert poster(monde.referent, dossier, monde.uo, reponse).status_code == 302
    assert dossier.fiches.get().patch["conditions_admission"] == "Du dossier"


def test_conflit_avec_le_repertoire(monde, dossier):
    """Base, register and dossier side by side; two buttons."""
    fabrique.modifier(
        dossier, monde.referent, monde.uo.pk, conditions_admission="Du dossier", conditions_accueil="Idem"
    )
    repertoire.direct(monde.uo, monde.collegue, {"conditions_admission": "Du répertoire"})
    navigateur = client(monde.referent)
    espace = texte(navigateur.get(url(dossier)))
    assert "1 fiche à départager : Unité de cardiologie" in espace
    assert "conflit à régler" in espace
    page = navigateur.get(url_fiche(dossier, monde.uo))
    assert "Conditions d’admission — Du répertoire Garder celle du répertoire" in texte(page)
    refus = poster(monde.referent, dossier, monde.uo, page, "finaliser", nom="Unité de cardiologie 2")
    assert refus.status_code == 422
    assert navigateur.get(url(dossier, "envoyer/")).status_code == 200
    assert "a changé aussi au répertoire" in texte(navigateur.get(url(dossier, "envoyer/")))
    assert navigateur.post(url(dossier, "envoyer/")).status_code == 422
    donnees = {"fiche": monde.uo.pk, "champ": "conditions_admission", "garder": "repertoire"}
    reponse = navigateur.post(url(dossier, "conflit/"), donnees)
    assert (reponse.status_code, reponse["Location"]) == (302, url_fiche(dossier, monde.uo))
    assert dossier.fiches.get().patch == {"conditions_accueil": "Idem"}
    assert navigateur.post(url(dossier, "conflit/"), donnees).status_code == 409
    assert navigateur.post(url(dossier, "conflit/"), donnees | {"garder": "hasard"}).status_code == 409


@pytest.mark.parametrize("revision", ["", "x", "-1", "99", "１"])
def test_revision_forgee(monde, dossier, revision):
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, nom="Unité renommée")
    page = ouvrir(monde.referent, dossier, monde.uo)
    reponse = poster(monde.referent, dossier, monde.uo, page, revision=revision, nom="Autre")
    assert reponse.status_code == 422
    assert dossier.fiches.get().patch == {"nom": "Unité renommée"}
    assert poster(monde.referent, dossier, monde.uo, page, jeton="999999.zz", nom="Autre").status_code == 422


def test_enregistrer_sur_un_dossier_envoye(monde, dossier):
    """409, and what was typed is shown to be copied."""
    neuve = fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    page = ouvrir(monde.referent, dossier, neuve)
    fabrique.envoye(dossier, monde.collegue)
    reponse = poster(monde.referent, dossier, neuve, page, conditions_accueil="Une longue phrase tapée")
    assert reponse.status_code == 409
    assert "n’est plus un brouillon" in texte(reponse)
    assert "Une longue phrase tapée" in texte(reponse)
    for suite in ("ajouter/", "supprimer/", "dupliquer/", "deplacer/", "annuler/"):
        champs = {"fiche": neuve.pk, "sous": monde.uf.pk, "quantite": 1, "parent": monde.uf.pk}
        assert client(monde.referent).post(url(dossier, suite), champs).status_code in (409, 422), suite


def test_contacts_masques_pour_la_tutelle():
    """What is très restreint is read by those who answer for the establishment and by SESAN only."""
    sessad = repertoire.etablissement("handicap", nom="SESSAD TEST")
    acteur, tutelle = repertoire.compte(Role.REFERENT, sessad), repertoire.compte(Role.TUTELLE, "ARS-11")
    dossier = fabrique.brouillon(sessad, acteur)
    contact = {
        "nature": "07", "nom": "", "fonction": "", "confidentialite": "3",
        "telecoms": [{"canal": "2", "valeur": "06 11 22 33 44", "confidentialite": "3"}],
    }  # fmt: skip
    neuve = fabrique.nouvelle(dossier, acteur, sessad.pk, contacts={"c": contact})
    fabrique.envoye(dossier, acteur)
    for adresse in (url(dossier, "changements/"), url_fiche(dossier, neuve)):
        assert "06 11 22 33 44" not in texte(client(tutelle).get(adresse))
        assert "06 11 22 33 44" in texte(client(acteur).get(adresse))


# -- sending, withdrawing, abandoning ----------------------------------------------------------------


def test_envoyer(monde, dossier):
    """Acceptance 80 to 82."""
    attente = fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Unité à finir", finaliser=False)
    navigateur = client(monde.referent)
    page = navigateur.get(url(dossier, "envoyer/"))
    assert "Le dossier ne peut pas encore être envoyé" in texte(page)
    assert f'href="{url_fiche(dossier, attente)}"' in page.content.decode()
    refus = navigateur.post(url(dossier, "envoyer/"))
    assert (refus.status_code, etat(dossier)) == (422, "redaction")
    assert "Toutes les fiches doivent être finalisées" in texte(refus)
    fabrique.modifier(dossier, monde.referent, attente.pk, informations_complementaires="Prête")
    page = texte(navigateur.get(url(dossier, "envoyer/")))
    assert "1 ajout" in page
    assert "la Direction de l’établissement valide le dossier, puis SESAN donne l’approbation finale" in page
    assert "personne ne pourra valider" not in page
    reponse = navigateur.post(url(dossier, "envoyer/"), follow=True)
    assert etat(dossier) == "validation"
    assert "Le dossier est envoyé. Prochaine étape : Direction de l’établissement." in texte(reponse)
    assert navigateur.post(url(dossier, "envoyer/")).status_code == 409
    assert navigateur.get(url(dossier, "envoyer/")).status_code == 409


def test_envoyer_sans_changement(monde, dossier):
    navigateur = client(monde.referent)
    assert "Ce dossier ne change encore aucune fiche." in texte(navigateur.get(url(dossier, "envoyer/")))
    assert navigateur.post(url(dossier, "envoyer/")).status_code == 422


def test_alarme_sans_direction(monde):
    """Nobody to validate: said before the sending."""
    acteur = repertoire.compte(Role.REFERENT, monde.ailleurs, "seul")
    dossier = fabrique.brouillon(monde.ailleurs, acteur)
    fabrique.nouvelle(dossier, acteur, monde.ailleurs.pk, "Pôle neuf")
    page = texte(client(acteur).get(url(dossier, "envoyer/")))
    assert "Aucun compte Direction n’est ouvert sur cet établissement" in page


def test_alarme_tutelle():
    sessad = repertoire.etablissement("handicap", nom="SESSAD TEST")
    acteur = repertoire.compte(Role.REFERENT, sessad)
    dossier = fabrique.brouillon(sessad, acteur)
    fabrique.nouvelle(dossier, acteur, sessad.pk)
    page = texte(client(acteur).get(url(dossier, "envoyer/")))
    assert "l’approbation revient à l’Agence régionale de santé Île-de-France" in page
    assert "n’a pas de compte qui puisse approuver ce dossier" in page
    repertoire.compte(Role.TUTELLE, "ARS-11")
    assert "n’a pas de compte" not in texte(client(acteur).get(url(dossier, "envoyer/")))


def test_retirer(monde, dossier):
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    fabrique.envoye(dossier, monde.referent)
    assert client(monde.collegue).get(url(dossier, "retirer/")).status_code == 409
    assert client(monde.collegue).post(url(dossier, "retirer/")).status_code == 403
    navigateur = client(monde.referent)
    assert "Retirer le dossier « Ouverture de l’UHCD » ?" in texte(navigateur.get(url(dossier, "retirer/")))
    reponse = navigateur.post(url(dossier, "retirer/"))
    assert (reponse.status_code, etat(dossier)) == (302, "redaction")
    assert navigateur.post(url(dossier, "retirer/")).status_code == 409


def test_retirer_trop_tard(monde, dossier):
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    fabrique.envoye(dossier, monde.referent)
    decisions.valider(tache=fabrique.tache(dossier).pk, acteur=monde.direction)
    reponse = client(monde.referent).post(url(dossier, "retirer/"))
    assert (reponse.status_code, etat(dossier)) == (409, "approbation")
    assert "Retirer" not in texte(client(monde.referent).get(url(dossier)))


def test_abandonner(monde, dossier):
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, finaliser=False)
    navigateur = client(monde.collegue)
    page = texte(navigateur.get(url(dossier, "abandonner/")))
    assert "Les changements préparés sur 1 fiche ne seront jamais publiés." in page
    assert etat(dossier) == "redaction"
    reponse = navigateur.post(url(dossier, "abandonner/"), follow=True)
    assert etat(dossier) == "abandonne"
    assert "est abandonné. Rien n’a changé au répertoire." in texte(reponse)
    assert navigateur.post(url(dossier, "abandonner/")).status_code == 409


# -- what the dossier changes ------------------------------------------------------------------------


def test_changements(monde, dossier):
    """One list for authors and deciders: counts, marks, before and after with labels."""
    autre = repertoire.uf(monde.s, "UF 2102")
    places = repertoire.uo(
        autre, "Unité réduite", capacites={"pose": {"p": {"nature": "01", "statut": "01", "nombre": 10}}}
    )
    service = repertoire.service(monde.p, "Pneumologie")
    fermee = repertoire.uf(service, "UF 2120")
    fabrique.nouvelle(
        dossier,
        monde.referent,
        autre.pk,
        "Unité nouvelle",
        capacites={"c": {"nature": "01", "statut": "01", "nombre": 4}},
    )
    gestes.deplacer(numero=dossier.pk, acteur=monde.referent, fiche=monde.uo.pk, parent=autre.pk)
    fabrique.modifier(
        dossier, monde.referent, monde.uo.pk, type_uo="121", activites=frozenset(["013", "014"]), unite_sensible=True
    )
    fabrique.modifier(
        dossier, monde.referent, places.pk, capacites={"p": {"nature": "01", "statut": "01", "nombre": 7}}
    )
    gestes.supprimer(numero=dossier.pk, acteur=monde.referent, fiche=service.pk)
    liste = changements(dossier)
    synthese = resume(liste)
    assert synthese.comptes == [
        ("ajout", "1 ajout"), ("deplacement", "1 déplacement"), ("modification", "1 modification"),
        ("suppression", "2 suppressions"),
    ]  # fmt: skip
    assert [(nom, pourquoi) for nom, pourquoi, _ in synthese.attentions] == [
        ("Unité de cardiologie", "Type d’UO modifié"),
        ("Unité de cardiologie", "devient une unité sensible"),
        ("Unité réduite", "capacité réduite de 10 à 7 places"),
        ("Pneumologie", "sa suppression ferme aussi 1 fiche rattachée"),
    ]
    par_nom = {c.nom: c for c in liste}
    deplacee = par_nom["Unité de cardiologie"]
    assert (deplacee.de, deplacee.vers) == ("UF 2101", "UF 2102")
    assert deplacee.natures == ["deplacement", "modification"]
    avant_apres = {ligne["champ"]: (ligne["avant"], ligne["apres"]) for ligne in deplacee.lignes}
    assert set(avant_apres) == {"Type d’UO", "Activités opérationnelles", "Unité sensible"}
    assert avant_apres["Unité sensible"] == ("Non", "Oui")
    assert len(avant_apres["Activités opérationnelles"][1]) == 2
    assert par_nom["Unité nouvelle"].extrait.endswith("1 activité opérationnelle · 4 places")
    assert [c.nom for c in par_nom["Pneumologie"].dessous] == ["UF 2120"]
    assert par_nom["UF 2120"].entraine
    assert fermee.pk == par_nom["UF 2120"].fiche
    page = texte(client(monde.gestionnaire).get(url(dossier, "changements/")))
    assert "1 ajout 1 déplacement 1 modification 2 suppressions" in page
    assert "À regarder de près" in page
    assert "de UF 2101 vers UF 2102" in page
    assert "Avec 1 fiche rattachée" in page


def test_changements_requetes_constantes(monde, dossier):
    def compter() -> int:
        with CaptureQueriesContext(connection) as vues:
            resume(changements(dossier, monde.gestionnaire))
        return len(vues)

    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, territoire=frozenset(["92040"]))
    un = compter()
    for i in range(3):
        fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, f"Unité {i}", territoire=frozenset(["75113"]))
        fabrique.modifier(dossier, monde.referent, repertoire.uo(monde.uf, f"Ancienne {i}").pk, nom=f"Unité neuve {i}")
    assert compter() == un


# -- journal -----------------------------------------------------------------------------------------


def test_journal(monde, dossier):
    neuve = fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Unité journalisée")
    fabrique.modifier(dossier, monde.collegue, neuve.pk, conditions_accueil="…")
    fabrique.envoye(dossier, monde.referent)
    fabrique.renvoye(dossier, monde.direction, "Motif lisible")
    page = client(monde.gestionnaire).get(url(dossier, "journal/"))
    mots = texte(page)
    for phrase in (
        "Dossier créé",
        "Fiche enregistrée et finalisée : « Unité journalisée » collegue",
        "Conditions d’accueil",
        "Toutes les fiches ont été finalisées",
        "Envoyé en validation",
        "Étape ouverte : Validation par la Direction",
        "Renvoyé pour correction direction",
        "Motif lisible",
    ):
        assert phrase in mots, phrase
    assert f'href="{url_fiche(dossier, neuve)}"' in page.content.decode()


def test_journal_par_pages(monde, dossier, monkeypatch):
    from workflows.vues.dossiers import JournalView

    monkeypatch.setattr(JournalView, "TAILLE", 2)
    for i in range(2):
        fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, f"Unité {i}")
    vus, suite = [], url(dossier, "journal/")
    while suite:
        corps = client(monde.referent).get(suite).content.decode()
        vus += re.findall(r'chronologie-titre">(?:<a[^>]*>)?([^<]+)', corps)
        plus = re.search(r'href="(\?avant=\d+)"', corps)
        suite = url(dossier, "journal/") + plus.group(1) if plus else ""
    assert len(vus) == Evenement.objects.filter(dossier=dossier).count()
