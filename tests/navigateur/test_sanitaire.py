"""The sanitaire way, from an empty dossier to the répertoire: Référent, Direction on a telephone, SESAN."""

import pytest
from playwright.sync_api import expect

from backoffice.pages.demo.offres import Offre
from structures.models import VersionFiche

from .conftest import (
    TELEPHONE,
    agir,
    connecter,
    creer_dossier,
    dit,
    envoyer,
    etapes,
    etat,
    finaliser,
    noeud,
    remplir,
    sans_defaut,
)

pytestmark = [pytest.mark.navigateur, pytest.mark.lent, pytest.mark.timeout(300)]

NOM = "Filière cardiaque"
UNITE = Offre("Unité d’insuffisance cardiaque", "149", "01", "28", ("013", "014"), (18, 120))


def test_du_brouillon_au_repertoire(site):
    referent = site.entrer("referent.hopital")
    creer_dossier(referent, "Hôpital TEST", NOM)

    agir(referent, "UF 2101 Cardiologie", "Créer des unités opérationnelles")
    sans_defaut(referent)
    referent.get_by_label("Combien ?").fill("1")
    referent.get_by_role("button", name="Créer", exact=True).click()
    expect(referent.get_by_text("Une fiche est créée")).to_be_visible()
    remplir(referent, UNITE, reste=False)
    finaliser(referent)
    refus = referent.locator(".resume-erreurs")
    expect(refus).to_contain_text("ne peut pas encore être finalisée")
    manques = ("Mode de prise en charge", "Activités opérationnelles", "Âge minimum", "Âge maximum")
    for manque in manques:
        expect(refus).to_contain_text(manque)
    sans_defaut(referent)
    remplir(referent, UNITE)
    finaliser(referent)
    dit(referent, "est enregistrée et finalisée")
    ligne = noeud(referent, UNITE.nom)
    expect(ligne).to_contain_text("finalisée")
    expect(ligne.locator(".etat-ok, .badge-ok, .etat-finalisee")).to_have_count(1)

    envoyer(referent)
    sans_defaut(referent)
    assert etat(NOM) == "validation"
    referent.get_by_role("link", name="Répertoire", exact=True).first.click()
    referent.locator("a.eg-nom", has_text="Hôpital TEST").first.click()
    expect(referent.locator(".banniere-jaune")).to_contain_text("en cours de validation par un gestionnaire")
    assert not VersionFiche.objects.filter(nom=UNITE.nom).exists()
    expect(referent.get_by_text(UNITE.nom)).to_have_count(0)

    direction = site.ouvrir(viewport=TELEPHONE)
    direction.goto(site.boite.lien("direction.hopital", NOM))
    connecter(direction, "direction.hopital")
    bouton = direction.get_by_role("button", name="Valider le dossier")
    expect(bouton).to_be_in_viewport()
    expect(direction.locator(".changement-nom")).to_have_text(UNITE.nom)
    bouton.click()
    dit(direction, "est validé")
    assert etat(NOM) == "approbation"

    gestionnaire = site.entrer("gestionnaire", site.boite.lien("gestionnaire", NOM))
    gestionnaire.get_by_role("button", name="Prendre").click()
    dit(gestionnaire, "est à votre nom")
    gestionnaire.get_by_role("button", name="Approuver").click()
    dit(gestionnaire, "publié")
    sans_defaut(gestionnaire)

    referent.goto(site.boite.lien("referent.hopital", NOM))  # the mail of the publication leads to the establishment
    expect(referent.locator(".banniere-jaune")).to_have_count(0)
    referent.get_by_role("button", name="Tout déplier").click()
    referent.get_by_role("link", name=UNITE.nom).click()
    expect(referent.get_by_role("heading", level=1)).to_have_text(UNITE.nom)

    assert etat(NOM) == "publie"
    assert etapes(NOM) == [
        ("redaction", "finalise"),
        ("envoi", "envoye"),
        ("validation_direction", "valide"),
        ("approbation_sesan", "approuve"),
    ]
    assert site.boite.recus() == MAILS


MAILS = [
    ("dossier_publie", "direction.hopital"),
    ("dossier_publie", "referent.hopital"),
    ("tache_creee", "direction.hopital"),  # redaction
    ("tache_creee", "direction.hopital"),  # envoi
    ("tache_creee", "direction.hopital"),  # validation_direction
    ("tache_creee", "gestionnaire"),
    ("tache_creee", "gestionnaire2"),
]
