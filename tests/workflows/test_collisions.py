"""The register moved on under a draft: every collision of the tree is said in words, settled by a verb, or refused."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.socle.erreurs import Conflit, Invalide
from structures.enums import Role
from tests.factories import dossiers as fabrique
from tests.factories.repertoire import CATEGORIES, compte, direct, etablissement, pole, publier, service, uf, uo
from tests.navigation import client, texte
from tests.workflows.ecrans import url
from workflows.domaine import decisions, gestes
from workflows.domaine.apercu import apercu
from workflows.domaine.collisions import Collision, collisions
from workflows.models import FicheTravail

pytestmark = pytest.mark.django_db
AUJOURDHUI = timezone.localdate


class Monde:
    def __init__(self, unites: int = 1) -> None:
        self.eg = etablissement("sanitaire", nom="Hôpital TEST")
        self.service = service(pole(self.eg), nom="Service")
        self.uf, self.uf2 = uf(self.service, nom="UF 1"), uf(self.service, nom="UF 2")
        self.unites = [uo(self.uf, nom=f"Unité {i}") for i in range(unites)]
        self.uo = self.unites[0]
        self.lea = compte(Role.REFERENT, self.eg)
        self.dossier = fabrique.brouillon(self.eg, self.lea)

    def faire(self, verbe, **arguments):
        return verbe(numero=self.dossier.pk, acteur=self.lea, **arguments)

    def collisions(self) -> list[Collision]:
        travaux = list(self.dossier.fiches.select_related("fiche", "modifiee_par"))
        return collisions(self.dossier, travaux, apercu(self.dossier, travaux))

    def seule(self, code: str) -> Collision:
        (trouvee,) = self.collisions()
        assert trouvee.code == code
        return trouvee

    def regler(self, collision: Collision, verbe: str) -> None:
        (choix,) = [c for c in collision.choix if c.verbe == verbe]
        arguments = {"fiches": [choix.fiche]} if verbe == "supprimer" else {"fiche": choix.fiche}
        self.faire(getattr(gestes, verbe), **arguments)
        assert self.collisions() == []

    def patches(self) -> dict[int, dict]:
        return dict(FicheTravail.objects.filter(dossier=self.dossier).values_list("fiche_id", "patch"))


@pytest.fixture
def monde(db: None) -> Monde:
    return Monde()


def fermer(fiche, jour=None) -> None:
    """As an import does."""
    publier(fiche, {"existe": False}, jour or AUJOURDHUI())


def test_une_fiche_changee_fermee_au_repertoire(monde: Monde) -> None:
    fabrique.modifier(monde.dossier, monde.lea, monde.uo.pk, finaliser=False, nom="Unité renommée")
    fermer(monde.uo)
    collision = monde.seule("fiche_fermee")
    assert collision.phrase.startswith("« Unité renommée » a été fermée au répertoire le ")
    with pytest.raises(Conflit, match="fermée au répertoire") as refus:
        fabrique.modifier(monde.dossier, monde.lea, monde.uo.pk, nom="Encore")
    assert refus.value.code == "fiche_retiree"
    monde.regler(collision, "annuler_changement")
    assert monde.patches() == {}


def test_une_fiche_supprimee_des_deux_cotes(monde: Monde) -> None:
    monde.faire(gestes.supprimer, fiches=[monde.uo.pk])
    fermer(monde.uo)
    collision = monde.seule("fiche_fermee")
    assert collision.phrase.endswith("il n’y a plus rien à supprimer.")
    monde.regler(collision, "annuler_changement")


@pytest.mark.parametrize("verbe", ["annuler_changement", "deplacer"])
def test_deplacee_sous_une_fiche_fermee_depuis(monde: Monde, verbe: str) -> None:
    troisieme = uf(monde.service, nom="UF 3")
    monde.faire(gestes.deplacer, fiches=[monde.uo.pk], parent=monde.uf2.pk)
    fermer(monde.uf2)
    collision = monde.seule("parent_ferme")
    assert "« Unité 0 » serait rattachée à « UF 2 », fermée au répertoire le" in collision.phrase
    assert [c.verbe for c in collision.choix] == ["deplacer", "annuler_changement"]
    # Until then it is shown at its published place, not nowhere.
    assert monde.uo.pk in {n.fiche_id for n in apercu(monde.dossier).noeuds[monde.uf.pk].enfants}
    if verbe == "deplacer":
        monde.faire(gestes.deplacer, fiches=[monde.uo.pk], parent=troisieme.pk)
        assert monde.patches() == {monde.uo.pk: {"parent": troisieme.pk}}
    else:
        monde.regler(collision, verbe)
        assert monde.patches() == {}
    assert monde.collisions() == []


def test_ajoutee_sous_une_fiche_fermee_depuis(monde: Monde) -> None:
    (neuve,) = monde.faire(gestes.ajouter, parent=monde.uf2.pk, nom="Unité neuve")
    fermer(monde.uf2)
    collision = monde.seule("parent_ferme")
    assert [c.verbe for c in collision.choix] == ["deplacer", "supprimer"]
    monde.regler(collision, "supprimer")
    assert neuve.fiche_id not in monde.patches()


def test_deplacee_sous_une_fiche_dont_la_fermeture_est_prevue(monde: Monde) -> None:
    """The register would refuse it at publication: no fiche may outlive its parent."""
    fermer(monde.uf2, AUJOURDHUI() + timedelta(days=30))
    monde.faire(gestes.deplacer, fiches=[monde.uo.pk], parent=monde.uf2.pk)
    assert "dont la fermeture est prévue au répertoire le" in monde.seule("parent_ferme").phrase


@pytest.mark.parametrize("verbe", ["supprimer", "annuler_changement"])
def test_apparue_sous_une_fiche_que_le_dossier_supprime(monde: Monde, verbe: str) -> None:
    monde.faire(gestes.supprimer, fiches=[monde.uf2.pk])
    nouvelle = uo(monde.uf2, nom="Unité importée", depuis=AUJOURDHUI())
    collision = monde.seule("parent_supprime")
    assert (collision.fiche, [c.verbe for c in collision.choix]) == (
        nouvelle.pk,
        ["deplacer", "supprimer", "annuler_changement"],
    )
    monde.regler(collision, verbe)


def test_prevue_sous_une_fiche_que_le_dossier_supprime(monde: Monde) -> None:
    monde.faire(gestes.supprimer, fiches=[monde.uf2.pk])
    uo(monde.uf2, nom="Unité à venir", depuis=AUJOURDHUI() + timedelta(days=10))
    collision = monde.seule("ouverture_prevue")
    assert "« Unité à venir » doit être rattachée le" in collision.phrase
    monde.regler(collision, "annuler_changement")


@pytest.mark.parametrize("jours", [0, 5])
@pytest.mark.parametrize("verbe", ["confirmer_suppression", "annuler_changement"])
def test_modifiee_apres_sa_suppression(monde: Monde, verbe: str, jours: int) -> None:
    monde.faire(gestes.supprimer, fiches=[monde.uo.pk])
    assert monde.collisions() == []
    direct(monde.uo, monde.lea, {"conditions_accueil": "Deux lits."}, AUJOURDHUI() + timedelta(days=jours))
    collision = monde.seule("changee_depuis_la_suppression")
    assert str(monde.lea) in collision.phrase
    assert (", pour le " in collision.phrase) == bool(jours)
    monde.regler(collision, verbe)
    assert (monde.uo.pk in monde.patches()) == (verbe == "confirmer_suppression")
    with pytest.raises(Conflit):
        monde.faire(gestes.confirmer_suppression, fiche=monde.uo.pk)


def test_la_categorie_de_l_etablissement_a_change(monde: Monde) -> None:
    """What the dossier places must be legal for the category of today; what it leaves in place is not its doing."""
    (neuve,) = monde.faire(gestes.ajouter, parent=monde.uf2.pk, nom="Unité neuve")
    (interne,) = monde.faire(gestes.ajouter, parent=monde.service.pk, nom="UF neuve")
    fabrique.modifier(monde.dossier, monde.lea, monde.uo.pk, finaliser=False, nom="Unité renommée")
    publier(monde.eg, {"categorie": CATEGORIES["medico-social"]}, AUJOURDHUI())
    trouvees = {c.fiche: c for c in monde.collisions()}
    assert {c.code for c in trouvees.values()} == {"niveau_illegal"}
    assert set(trouvees) == {neuve.fiche_id, interne.fiche_id}
    assert "il faut un niveau « entité géographique »" in trouvees[neuve.fiche_id].phrase
    assert "n’a plus de niveau « unité fonctionnelle »" in trouvees[interne.fiche_id].phrase
    monde.faire(gestes.deplacer, fiches=[neuve.fiche_id], parent=monde.eg.pk)
    monde.faire(gestes.supprimer, fiches=[interne.fiche_id])
    assert monde.collisions() == []


def test_l_etablissement_a_ferme(monde: Monde) -> None:
    fabrique.modifier(monde.dossier, monde.lea, monde.uo.pk, finaliser=False, nom="Unité renommée")
    for fiche in (monde.uo, monde.uf, monde.uf2, monde.service, *monde.eg.fiches.filter(niveau="P"), monde.eg):
        fermer(fiche)
    assert [(c.fiche, c.code, c.choix) for c in monde.collisions()] == [(monde.eg.pk, "eg_ferme", ())]


def test_le_nombre_d_instructions_ne_depend_pas_du_nombre_de_collisions(db: None) -> None:
    comptes = []
    for taille in (2, 6):
        monde = Monde(taille)
        moitie = taille // 2
        monde.faire(gestes.deplacer, fiches=[u.pk for u in monde.unites[:moitie]], parent=monde.uf2.pk)
        monde.faire(gestes.supprimer, fiches=[u.pk for u in monde.unites[moitie:]])
        for unite in monde.unites[moitie:]:
            direct(unite, monde.lea, {"conditions_accueil": "Deux lits."})
        fermer(monde.uf2)
        travaux = list(monde.dossier.fiches.select_related("fiche", "modifiee_par"))
        arbre = apercu(monde.dossier, travaux)
        with CaptureQueriesContext(connection) as instructions:
            assert len(collisions(monde.dossier, travaux, arbre)) == taille
        comptes.append(len(instructions))
    assert comptes[0] == comptes[1] <= 4


def test_ni_envoi_ni_publication_tant_qu_il_en_reste(monde: Monde) -> None:
    """An import under a sent dossier stops the publication; its authors settle it once it is returned to them."""
    direction, sesan = compte(Role.DIRECTION, monde.eg), compte(Role.GESTIONNAIRE)
    monde.faire(gestes.deplacer, fiches=[monde.uo.pk], parent=monde.uf2.pk)
    fabrique.envoye(monde.dossier, monde.lea)
    decisions.valider(tache=fabrique.tache(monde.dossier).pk, acteur=direction)
    fermer(monde.uf2)
    with pytest.raises(Conflit, match="« UF 2 » n’est plus au répertoire"):
        decisions.approuver(tache=fabrique.tache(monde.dossier).pk, acteur=sesan)
    fabrique.renvoye(monde.dossier, sesan)
    with pytest.raises(Invalide, match="fermée au répertoire") as refus:
        fabrique.envoye(monde.dossier, monde.lea)
    assert refus.value.code == "arbre_illegal"
    monde.regler(monde.seule("parent_ferme"), "annuler_changement")


def test_l_espace_de_travail_offre_de_regler_chaque_collision(monde: Monde) -> None:
    autre = uo(monde.uf, nom="Unité 2")
    monde.faire(gestes.supprimer, fiches=[monde.uo.pk])
    monde.faire(gestes.deplacer, fiches=[autre.pk], parent=monde.uf2.pk)
    direct(monde.uo, monde.lea, {"conditions_accueil": "Deux lits."})
    fermer(autre)
    navigateur = client(monde.lea)
    page = navigateur.get(url(monde.dossier))
    assert "Le répertoire a changé sous ce dossier" in texte(page)
    for collision in monde.collisions():
        assert " ".join(collision.phrase.split()) in texte(page)
    boutons = [c for collision in monde.collisions() for c in collision.choix]
    assert {b.libelle for b in boutons} == {
        "Abandonner ce changement",
        "Supprimer quand même",
        "Annuler la suppression",
    }
    filtree = navigateur.get(url(monde.dossier, "?montrer=conflits"))
    assert f'id="fiche-{monde.uo.pk}"' in filtree.content.decode()
    for choix in boutons[:2]:
        navigateur.post(url(monde.dossier, "collision/"), {"fiche": choix.fiche, "verbe": choix.verbe})
    assert monde.collisions() == []
    assert "Le répertoire a changé sous ce dossier" not in texte(navigateur.get(url(monde.dossier)))
    # Both were settled: a second click says so; what was never offered is refused.
    for choix in boutons[:2]:
        saisie = {"fiche": choix.fiche, "verbe": choix.verbe}
        assert navigateur.post(url(monde.dossier, "collision/"), saisie).status_code == 409
    assert (
        navigateur.post(url(monde.dossier, "collision/"), {"fiche": autre.pk, "verbe": "finaliser"}).status_code == 422
    )
