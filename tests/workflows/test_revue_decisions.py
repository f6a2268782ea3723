"""What was decided is kept as it was; a content that changed since makes the decisions void."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.utils import timezone
from openpyxl import load_workbook

from backoffice.socle.erreurs import Conflit
from structures.enums import Role
from structures.models import Fiche
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from tests.navigation import client, texte
from tests.workflows.ecrans import etat, url
from workflows.domaine import decisions, gestes, instantane
from workflows.enums import EtatDossier, TypeEvenement
from workflows.models import Decision, Dossier, Instantane

pytestmark = pytest.mark.django_db


@pytest.fixture
def envoye(monde, dossier) -> Dossier:
    """Sent: a unit with one more activity, a unit moved, a new one."""
    autre = repertoire.uf(monde.s, "UF 2102")
    deplacee = repertoire.uo(monde.uf, "Unité qui part")
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, activites=frozenset(["013", "014"]))
    fabrique.modifier(dossier, monde.referent, deplacee.pk, conditions_accueil="Sur rendez-vous.")
    gestes.deplacer(numero=dossier.pk, acteur=monde.referent, fiches=[deplacee.pk], parent=autre.pk)
    fabrique.modifier(dossier, monde.referent, deplacee.pk, conditions_admission="Avec une lettre.")
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Unité neuve")
    return fabrique.envoye(dossier, monde.referent)


def valider(monde, dossier: Dossier) -> None:
    decisions.valider(tache=fabrique.tache(dossier).pk, acteur=monde.direction)


def approuver(monde, dossier: Dossier) -> None:
    decisions.approuver(tache=fabrique.tache(dossier).pk, acteur=monde.gestionnaire)


def importer(fiche: Fiche, patch: dict) -> None:
    """An import changes the register today."""
    repertoire.publier(fiche, patch, timezone.localdate())


def caduques(dossier: Dossier) -> list[list[str]]:
    journal = dossier.evenements.filter(type=TypeEvenement.DECISIONS_CADUQUES).order_by("pk")
    return [e.details["ecarts"] for e in journal]


# -- the digest ------------------------------------------------------------------------------------------


def test_l_empreinte_est_celle_du_contenu(monde, dossier):
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, conditions_accueil="Sur rendez-vous.")

    def empreinte() -> str:
        return instantane.empreinte(instantane.contenu_decide(list(dossier.fiches.select_related("fiche"))))

    avant = empreinte()
    assert len(avant) == 64
    importer(monde.uo, {"conditions_admission": "Autre chose."})  # not a field of the dossier
    assert empreinte() == avant
    importer(monde.uo, {"conditions_accueil": "Sans rendez-vous."})
    assert empreinte() != avant
    importer(monde.uo, {"conditions_accueil": ""})
    assert empreinte() == avant


def test_un_instantane_par_contenu_que_chaque_decision_repete(monde, envoye):
    valider(monde, envoye)
    fabrique.renvoye(envoye, monde.gestionnaire)
    fabrique.envoye(envoye, monde.referent)
    valider(monde, envoye)
    [garde] = Instantane.objects.filter(dossier=envoye)
    prises = list(Decision.objects.filter(dossier=envoye).values_list("issue", "empreinte"))
    assert prises == [("valide", garde.empreinte), ("renvoye", garde.empreinte), ("valide", garde.empreinte)]
    assert instantane.empreinte(garde.contenu["decide"]) == garde.empreinte
    fabrique.renvoye(envoye, monde.gestionnaire)
    fabrique.modifier(envoye, monde.referent, monde.uo.pk, conditions_accueil="Sur rendez-vous.")
    fabrique.envoye(envoye, monde.referent)
    assert Instantane.objects.filter(dossier=envoye).count() == 2


def test_ce_qui_a_ete_decide_se_lit_des_annees_apres(monde, envoye):
    valider(monde, envoye)
    approuver(monde, envoye)
    assert etat(envoye) == EtatDossier.PUBLIE
    importer(monde.uo, {"nom": "Unité renommée depuis", "activites": {"retire": ["014"]}})
    prise = Decision.objects.filter(dossier=envoye).latest("pk")
    navigateur = client(monde.referent)
    liste = texte(navigateur.get(url(envoye, "decisions/")))
    assert "Approbation par SESAN : approuvé" in liste
    assert "contenu publié" in liste
    page = texte(navigateur.get(url(envoye, f"decisions/{prise.pk}/")))
    assert "Empreinte vérifiée" in page
    assert prise.empreinte in page
    assert "Unité de cardiologie" in page
    assert "Unité renommée depuis" not in page
    assert "de UF 2101 vers UF 2102" in page
    fichier = navigateur.get(url(envoye, f"decisions/{prise.pk}.xlsx"))
    lus = load_workbook(BytesIO(fichier.content))["Synthèse"]
    assert ("Empreinte du contenu décidé", prise.empreinte) in list(lus.iter_rows(values_only=True))
    assert navigateur.get(url(envoye, "decisions/999999/")).status_code == 404


def test_un_instantane_se_lit_avec_les_droits_du_jour():
    sessad = repertoire.etablissement("handicap", nom="SESSAD TEST")
    acteur, tutelle = repertoire.compte(Role.REFERENT, sessad), repertoire.compte(Role.TUTELLE, "ARS-11")
    dossier = fabrique.brouillon(sessad, acteur)
    contact = {
        "nature": "07", "nom": "", "fonction": "", "confidentialite": "3",
        "telecoms": [{"canal": "2", "valeur": "06 11 22 33 44", "confidentialite": "3"}],
    }  # fmt: skip
    fabrique.nouvelle(dossier, acteur, sessad.pk, contacts={"c": contact})
    fabrique.envoye(dossier, acteur)
    decisions.refuser(tache=fabrique.tache(dossier).pk, acteur=tutelle, motif="Non.")
    prise = Decision.objects.get(dossier=dossier)
    for qui, vu in ((acteur, True), (tutelle, False)):
        assert ("06 11 22 33 44" in client(qui).get(url(dossier, f"decisions/{prise.pk}/")).text) is vu


# -- content that changed since --------------------------------------------------------------------------


def test_un_import_sous_un_dossier_valide_rend_la_validation_caduque(monde, envoye):
    valider(monde, envoye)
    importer(monde.uo, {"activites": {"ajoute": ["016"]}})
    with pytest.raises(instantane.DecisionsCaduques) as refus:
        approuver(monde, envoye)
    assert refus.value.statut == 409
    assert "« Unité de cardiologie » (Activités opérationnelles)" in refus.value.message
    assert "Renvoyez le dossier pour correction" in refus.value.message
    assert etat(envoye) == EtatDossier.APPROBATION
    assert caduques(envoye) == [["« Unité de cardiologie » (Activités opérationnelles)"]]
    assert repertoire.contenu(monde.uo).activites == ["013", "016"]

    with pytest.raises(instantane.DecisionsCaduques):
        approuver(monde, envoye)
    assert len(caduques(envoye)) == 1  # said once

    fabrique.renvoye(envoye, monde.gestionnaire)
    fabrique.envoye(envoye, monde.referent)
    valider(monde, envoye)
    approuver(monde, envoye)
    assert etat(envoye) == EtatDossier.PUBLIE
    assert repertoire.contenu(monde.uo).activites == ["013", "014", "016"]


def test_la_page_et_le_clic_disent_ce_qui_a_change(monde, envoye):
    valider(monde, envoye)
    importer(monde.uo, {"activites": {"ajoute": ["016"]}})
    tache = fabrique.tache(envoye)
    navigateur = client(monde.gestionnaire)
    page = navigateur.get(f"/taches/{tache.pk}/")
    assert "Le répertoire a changé depuis l’envoi de ce dossier" in texte(page)
    assert "« Unité de cardiologie » (Activités opérationnelles)" in texte(page)
    assert f'formaction="/taches/{tache.pk}/approuver/"' not in page.text
    assert f'formaction="/taches/{tache.pk}/renvoyer/"' in page.text
    refus = navigateur.post(f"/taches/{tache.pk}/approuver/")  # a page opened before
    assert refus.status_code == 409
    assert "« Unité de cardiologie » (Activités opérationnelles)" in texte(refus)
    journal = texte(navigateur.get(url(envoye, "journal/")))
    assert "Décisions caduques : le contenu a changé" in journal
    assert "« Unité de cardiologie » (Activités opérationnelles)" in journal
    liste = texte(navigateur.get(url(envoye, "decisions/")))
    assert "le contenu a changé depuis" in liste


def test_la_premiere_decision_porte_aussi_sur_ce_qui_a_ete_envoye(monde, envoye):
    importer(monde.uo, {"activites": {"ajoute": ["016"]}})
    with pytest.raises(instantane.DecisionsCaduques):
        valider(monde, envoye)
    assert etat(envoye) == EtatDossier.VALIDATION
    assert not Decision.objects.filter(dossier=envoye).exists()


def test_une_fiche_fermee_par_un_import_le_dit(monde, envoye):
    valider(monde, envoye)
    importer(monde.uo, {"existe": False})
    with pytest.raises(instantane.DecisionsCaduques) as refus:
        approuver(monde, envoye)
    assert "n’est plus au répertoire" in refus.value.message


def test_un_lieu_renomme_se_voit(monde, envoye):
    """The unit that moves would go to a place that reads otherwise than what was approved."""
    valider(monde, envoye)
    lieu = Fiche.objects.get(versions__nom="UF 2102")
    repertoire.direct(lieu, monde.gestionnaire, {"nom": "UF 2199"})
    with pytest.raises(instantane.DecisionsCaduques) as refus:
        approuver(monde, envoye)
    assert "« UF 2102 » s’appelle maintenant « UF 2199 »" in refus.value.message


def test_ce_que_le_dossier_ne_touche_pas_ne_change_rien(monde, envoye):
    valider(monde, envoye)
    importer(monde.uo, {"conditions_admission": "Sans lettre."})
    repertoire.direct(monde.p, monde.gestionnaire, {"nom": "Pôle Cœur"})
    approuver(monde, envoye)
    assert etat(envoye) == EtatDossier.PUBLIE
    assert caduques(envoye) == []


def test_un_changement_prevu_dont_le_jour_vient_rend_caduc(monde, dossier, time_machine):
    demain = timezone.localdate() + timedelta(days=1)
    repertoire.direct(monde.uo, monde.referent, {"activites": {"ajoute": ["016"]}}, date_effet=demain)
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, activites=frozenset(["013", "014"]))
    fabrique.envoye(dossier, monde.referent)
    valider(monde, dossier)
    time_machine.move_to(timezone.now() + timedelta(days=1))
    with pytest.raises(instantane.DecisionsCaduques):
        approuver(monde, dossier)


def test_l_expediteur_ne_retire_que_tant_que_les_decisions_sont_caduques(monde, envoye):
    """What counts is the content of now: an import may go back to what was decided on."""
    valider(monde, envoye)
    importer(monde.uo, {"activites": {"ajoute": ["016"]}})
    with pytest.raises(instantane.DecisionsCaduques):
        approuver(monde, envoye)
    importer(monde.uo, {"activites": {"retire": ["016"]}})
    with pytest.raises(Conflit, match="ne peut plus être retiré"):
        decisions.retirer(numero=envoye.pk, acteur=monde.referent)
    assert client(monde.referent).get(url(envoye, "retirer/")).status_code == 409
    importer(monde.uo, {"activites": {"ajoute": ["016"]}})
    decisions.retirer(numero=envoye.pk, acteur=monde.referent)
    assert etat(envoye) == EtatDossier.REDACTION
