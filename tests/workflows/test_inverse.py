"""« Annuler cette publication »: the inverse of a published dossier, held against what came later."""

from types import SimpleNamespace

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backoffice.socle.erreurs import Conflit, Interdit, Introuvable
from structures.domaine.enregistrer import ecarts
from structures.models import Fiche, VersionFiche
from structures.requetes import etats_au
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from tests.formulaires import lire_formulaire
from workflows import revue
from workflows.domaine import decisions, gestes
from workflows.domaine.inverse import annuler_publication, inverse_de
from workflows.enums import EtatDossier, EtatFiche, Nature
from workflows.models import Dossier

from .ecrans import url

pytestmark = pytest.mark.django_db


def publier(monde: SimpleNamespace, dossier: Dossier) -> Dossier:
    fabrique.envoye(dossier, monde.referent)
    decisions.valider(tache=fabrique.tache(dossier).pk, acteur=monde.direction)
    decisions.approuver(tache=fabrique.tache(dossier).pk, acteur=monde.gestionnaire)
    return fabrique.relu(dossier)


def annuler(monde: SimpleNamespace, dossier: Dossier, *prendre: str) -> Dossier:
    return annuler_publication(
        numero=dossier.pk, acteur=monde.referent, nom="Retour", jeton=inverse_de(dossier).jeton, prendre=prendre
    )


def registre(monde: SimpleNamespace) -> dict[int, dict]:
    """Everything that the register says of the establishment today."""
    return etats_au(Fiche.objects.filter(eg=monde.eg).values_list("pk", flat=True))


@pytest.fixture
def publie(monde, dossier) -> SimpleNamespace:
    """A dossier that adds, moves, renames, changes lists and closes a branch, published."""
    autre_service = repertoire.service(monde.p, "Pneumologie")
    fermee = repertoire.uf(autre_service, "UF fermée")
    dessous = repertoire.uo(fermee, "Unité fermée", conditions_admission="Sur rendez-vous.")
    avant = registre(monde)
    neuve = fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Unité neuve")
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, nom="Unité renommée", activites=frozenset(["013", "014"]))
    gestes.deplacer(numero=dossier.pk, acteur=monde.referent, fiches=[monde.uf.pk], parent=autre_service.pk)
    gestes.supprimer(numero=dossier.pk, acteur=monde.referent, fiches=[fermee.pk])
    return SimpleNamespace(
        dossier=publier(monde, dossier), avant=avant, neuve=neuve, fermee=fermee, dessous=dessous, service=autre_service
    )


def test_l_inverse_publie_remet_le_repertoire_comme_avant(monde, publie):
    retour = annuler(monde, publie.dossier)
    assert (retour.annule, retour.etat, retour.nom) == (publie.dossier, EtatDossier.FINALISE, "Retour")
    assert {t.fiche_id: t.nature for t in retour.fiches.all()} == {
        publie.neuve.pk: Nature.SUPPRESSION,
        monde.uo.pk: Nature.MODIFICATION,
        monde.uf.pk: Nature.DEPLACEMENT,
        publie.fermee.pk: Nature.AJOUT,
        publie.dessous.pk: Nature.AJOUT,
    }
    assert {t.etat for t in retour.fiches.all()} == {EtatFiche.FINALISEE}
    publier(monde, retour)
    assert registre(monde) == publie.avant
    assert ecarts(monde.eg) == []


def test_une_fiche_rouverte_est_la_meme_avec_son_histoire(monde, publie):
    publier(monde, annuler(monde, publie.dossier))
    periodes = VersionFiche.objects.filter(fiche=publie.dessous).order_by("validite")
    assert [v.nom for v in periodes] == ["Unité fermée"]  # closed and reopened on one day: no gap
    assert publie.dessous.modifications.count() == 3
    version = periodes.last()
    assert (version.type_fermeture, version.date_fermeture, version.parent_id) == ("", None, publie.fermee.pk)
    assert version.conditions_admission == "Sur rendez-vous."


def test_la_revue_dit_qu_une_fiche_est_rouverte(monde, publie):
    liste = revue.changements(annuler(monde, publie.dossier), monde.referent)
    rouvertes = {c.fiche for c in liste if "reouverture" in {a.code for a in c.attentions}}
    assert rouvertes == {publie.fermee.pk, publie.dessous.pk}


def test_ce_qu_on_retire_d_une_fiche_rouverte_ne_revient_pas(monde, publie):
    """The fold keeps what a fiche held when it was closed: publication says what is no longer there."""
    retour = annuler(monde, publie.dossier)
    fabrique.modifier(retour, monde.referent, publie.dessous.pk, activites=frozenset(["014"]), conditions_admission="")
    publier(monde, retour)
    version = repertoire.contenu(publie.dessous)
    assert (version.activites, version.conditions_admission) == (["014"], "")


def test_le_champ_d_activite_d_une_fiche_rouverte_ne_change_pas(monde, publie):
    retour = annuler(monde, publie.dossier)
    with pytest.raises(Exception, match="Champ d’activité"):
        fabrique.modifier(retour, monde.referent, publie.dessous.pk, champ_activite="04")


def test_une_modification_directe_plus_recente_est_gardee(monde, publie):
    repertoire.direct(monde.uo, monde.direction, {"nom": "Unité corrigée"})
    [retour] = [r for r in inverse_de(publie.dossier).retours if r.fiche == monde.uo]
    assert [h.nom for h in retour.heurts] == ["nom"]
    assert retour.derniers["nom"].auteur == monde.direction
    assert retour.patch == {"activites": {"retire": ["014"]}}
    publier(monde, annuler(monde, publie.dossier))
    version = repertoire.contenu(monde.uo)
    assert (version.nom, version.activites) == ("Unité corrigée", ["013"])


def test_ou_reprise_si_la_personne_le_choisit(monde, publie):
    repertoire.direct(monde.uo, monde.direction, {"nom": "Unité corrigée"})
    publier(monde, annuler(monde, publie.dossier, f"{monde.uo.pk}:nom"))
    assert repertoire.contenu(monde.uo).nom == "Unité de cardiologie"


def test_une_fiche_ajoutee_puis_modifiee_n_est_supprimee_que_par_choix(monde, publie):
    repertoire.direct(publie.neuve, monde.direction, {"conditions_accueil": "Le matin."})
    [retour] = [r for r in inverse_de(publie.dossier).retours if r.fiche == publie.neuve]
    assert (retour.agit, retour.exclue) == (False, "Elle a été modifiée depuis la publication.")
    assert retour.derniers["existe"].auteur == monde.direction
    [retour] = [r for r in inverse_de(publie.dossier, [f"{publie.neuve.pk}:existe"]).retours if r.fiche == publie.neuve]
    assert (retour.agit, retour.nature) == (True, Nature.SUPPRESSION)


def test_une_fiche_ajoutee_qui_en_porte_d_autres_reste(monde, dossier):
    [service] = fabrique.nouvelles(dossier, monde.referent, monde.p.pk)
    fabrique.modifier(dossier, monde.referent, service.pk, nom="Service neuf")
    publier(monde, dossier)
    suite = fabrique.brouillon(monde.eg, monde.referent)
    gestes.deplacer(numero=suite.pk, acteur=monde.referent, fiches=[monde.uf.pk], parent=service.pk)
    publier(monde, suite)
    [retour] = inverse_de(dossier).retours
    assert retour.exclue == "D’autres fiches y sont rattachées aujourd’hui : elles restent."
    with pytest.raises(Conflit, match="Rien ne peut être annulé"):
        annuler(monde, dossier)
    assert not Dossier.objects.filter(annule=dossier).exists()


def test_on_ne_revient_pas_sous_une_fiche_fermee_depuis(monde, publie):
    suite = fabrique.brouillon(monde.eg, monde.referent)
    gestes.supprimer(numero=suite.pk, acteur=monde.referent, fiches=[monde.s.pk])
    publier(monde, suite)
    exclus = {r.fiche.pk: r.exclue for r in inverse_de(publie.dossier).retours if r.exclue}
    assert exclus == {monde.uf.pk: "La fiche à laquelle elle serait de nouveau rattachée n’existe plus."}


def test_annuler_l_annulation_revient_a_la_publication(monde, publie):
    apres = registre(monde)
    retour = publier(monde, annuler(monde, publie.dossier))
    publier(monde, annuler(monde, retour))
    assert registre(monde) == apres
    assert ecarts(monde.eg) == []


def test_deux_fois_la_meme_annulation(monde, publie):
    annuler(monde, publie.dossier)
    with pytest.raises(Conflit, match="déjà ouvert"):
        annuler(monde, publie.dossier)


def test_refus(monde, publie):
    def demander(acteur, **plus):
        arguments = {"numero": publie.dossier.pk, "nom": "Retour", "jeton": inverse_de(publie.dossier).jeton} | plus
        return annuler_publication(acteur=acteur, **arguments)

    with pytest.raises(Introuvable):
        demander(monde.voisin)
    with pytest.raises(Interdit):
        demander(monde.gestionnaire)
    with pytest.raises(Conflit, match="Relisez l’aperçu"):
        demander(monde.referent, jeton="autre")
    brouillon = fabrique.brouillon(monde.ailleurs, monde.voisin)
    with pytest.raises(Conflit, match="seule une publication s’annule"):
        demander(monde.voisin, numero=brouillon.pk)
    assert not Dossier.objects.filter(annule__isnull=False).exists()


# -- the page ----------------------------------------------------------------------------------------


def client(user) -> Client:
    navigateur = Client()
    navigateur.force_login(user)
    return navigateur


def test_la_page_dit_ce_qui_revient_et_ce_qui_reste(monde, publie):
    repertoire.direct(monde.uo, monde.direction, {"nom": "Unité corrigée"})
    navigateur, adresse = client(monde.referent), url(publie.dossier, "annuler-publication/")
    page = navigateur.get(adresse).content.decode()
    for mots in ("5 fiches remises comme avant", "réouverture", "a été changé de nouveau", "direction"):
        assert mots in page
    donnees = lire_formulaire(page)
    assert donnees["nom"] == "Annulation : Ouverture de l’UHCD"
    refus = navigateur.post(adresse, donnees | {"nom": ""})
    assert refus.status_code == 422
    suite = navigateur.post(adresse, {**donnees.dict(), "prendre": [f"{monde.uo.pk}:nom"]})
    retour = Dossier.objects.get(annule=publie.dossier)
    assert suite["Location"] == url(retour)
    assert retour.fiches.get(fiche=monde.uo).patch["nom"] == "Unité de cardiologie"
    assert client(monde.gestionnaire).get(adresse).status_code == 403
    assert client(monde.voisin).get(adresse).status_code == 404
    assert client(monde.referent).get(url(retour, "annuler-publication/")).status_code == 409


def test_autant_de_requetes_pour_une_fiche_que_pour_plusieurs(monde, dossier):
    navigateur = client(monde.referent)
    navigateur.get(url(dossier))

    def compter(dossier: Dossier) -> int:
        with CaptureQueriesContext(connection) as vues:
            assert navigateur.get(url(dossier, "annuler-publication/")).status_code == 200
        return len(vues)

    fabrique.modifier(dossier, monde.referent, monde.uo.pk, nom="Un")
    une = compter(publier(monde, dossier))
    plusieurs = fabrique.brouillon(monde.eg, monde.referent)
    for fiche in (monde.uo, monde.uf, monde.s):
        fabrique.modifier(plusieurs, monde.referent, fiche.pk, nom="Autre nom")
    assert compter(publier(monde, plusieurs)) == une
