"""The handicap way: two authorities approve jointly, SESAN doesn't."""

import json

import pytest
from playwright.sync_api import expect

from backoffice.pages.demo.offres import ANTENNE
from structures.models import VersionFiche
from workflows.models import Dossier, Tache

from .conftest import (
    BUREAU,
    agir,
    connecter,
    creer_dossier,
    dit,
    envoyer,
    etapes,
    etat,
    finaliser,
    remplir,
    sans_defaut,
)

pytestmark = [pytest.mark.navigateur, pytest.mark.lent, pytest.mark.timeout(300)]

NOM = "Antenne de Chatou, second essai"


def test_deux_tutelles_approuvent_ensemble(site):
    referent = site.entrer("referent.camsp")
    creer_dossier(referent, "CAMSP TEST", NOM)
    agir(referent, "CAMSP TEST", "Créer des unités opérationnelles")
    referent.get_by_role("button", name="Créer", exact=True).click()
    remplir(referent, ANTENNE)
    finaliser(referent)
    dit(referent, "est enregistrée et finalisée")
    envoyer(referent)
    assert etat(NOM) == "approbation"  # no Direction on this way
    taches = {t.autorite_id: t.pk for t in Tache.objects.filter(dossier__nom=NOM, close_le__isnull=True)}
    assert sorted(taches) == ["ARS-11", "CD-78"]

    sesan = site.entrer("gestionnaire", f"/taches/{taches['ARS-11']}/")
    expect(sesan.get_by_text("Cette tâche revient à")).to_be_visible()
    for bouton in ("Approuver", "Refuser le dossier", "Renvoyer pour correction", "Prendre"):
        expect(sesan.get_by_role("button", name=bouton)).to_have_count(0)
    sans_defaut(sesan)
    entetes = json.loads(sesan.locator("body").get_attribute("hx-headers"))
    force = sesan.request.post(f"/taches/{taches['ARS-11']}/approuver/", headers=entetes)
    assert force.status == 403
    assert etat(NOM) == "approbation"

    ars = site.ouvrir(viewport=BUREAU)
    ars.goto(site.boite.lien("tutelle.ars", NOM))
    connecter(ars, "tutelle.ars")
    expect(ars.locator("aside")).to_contain_text("Approbation conjointe")
    expect(ars.locator(".autres-tutelles")).to_contain_text("n’a pas encore décidé")
    sans_defaut(ars)
    ars.get_by_role("button", name="Approuver").click()
    dit(ars, "approuv")
    assert etat(NOM) == "approbation"
    assert not VersionFiche.objects.filter(nom=ANTENNE.nom).exists()

    cd = site.ouvrir()
    cd.goto(site.boite.lien("tutelle.cd", NOM))
    connecter(cd, "tutelle.cd")
    expect(cd.locator(".autres-tutelles")).to_contain_text("a approuvé")
    cd.get_by_role("button", name="Approuver").click()
    dit(cd, "publié")

    referent.goto(site.boite.lien("referent.camsp", NOM))
    referent.get_by_role("link", name=ANTENNE.nom).first.click()
    expect(referent.get_by_role("heading", level=1)).to_have_text(ANTENNE.nom)
    assert etat(NOM) == "publie"
    assert etapes(NOM) == [
        ("redaction", "finalise"),
        ("envoi", "envoye"),
        ("approbation_tutelle", "approuve"),
        ("approbation_tutelle", "approuve"),
    ]
    dossier = Dossier.objects.get(nom=NOM)
    assert sorted(Tache.objects.filter(dossier=dossier, autorite__isnull=False).values_list("autorite", flat=True)) == [
        "ARS-11",
        "CD-78",
    ]
    assert site.boite.recus() == [
        ("dossier_publie", "referent.camsp"),
        ("dossier_publie", "tutelle.ars"),
        ("tache_creee", "direction.camsp"),  # redaction
        ("tache_creee", "direction.camsp"),  # envoi
        ("tache_creee", "tutelle.ars"),
        ("tache_creee", "tutelle.ars2"),
        ("tache_creee", "tutelle.cd"),
    ]
