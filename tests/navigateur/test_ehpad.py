"""The short way, without Direction: structure changes of an EHPAD by dossier, content of a fiche at once."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from structures.models import Fiche, VersionFiche

from .conftest import agir, creer_dossier, dit, envoyer, etapes, etat, finaliser, noeud, sans_defaut

pytestmark = [pytest.mark.navigateur, pytest.mark.lent, pytest.mark.timeout(300)]

NOM = "Réorganisation de l’accueil"
JOUR, REPIT, HEBERGEMENT = (
    "Unité d’accueil de jour Alzheimer",
    "Unité de répit pour les aidants",
    "Unité d’hébergement permanent",
)


def fiche_de(nom: str) -> Fiche:
    eg = VersionFiche.objects.get(nom="EHPAD TEST").fiche_id
    return Fiche.objects.get(eg=eg, pk__in=VersionFiche.objects.filter(nom=nom).values("fiche"))


def test_changer_le_type_dupliquer_supprimer(site):
    jour, repit = fiche_de(JOUR), fiche_de(REPIT)
    referent = site.entrer("referent.ehpad")
    creer_dossier(referent, "EHPAD TEST", NOM)

    noeud(referent, JOUR).get_by_role("link", name=JOUR).click()
    type_uo = referent.locator("#id_type_uo")
    expect(type_uo).to_have_value("29")
    type_uo.select_option("38")
    # What no unit of the new type offers is asked about; nothing is ticked, all of it stays.
    expect(referent.locator(".question-type")).to_be_visible()
    finaliser(referent)
    dit(referent, "est enregistrée et finalisée")

    agir(referent, REPIT, "Supprimer")
    expect(referent.get_by_text("Fermées à la publication du dossier")).to_be_visible()
    sans_defaut(referent)
    referent.get_by_role("button", name="Supprimer", exact=True).click()
    dit(referent, "sera fermée à la publication")
    expect(noeud(referent, REPIT)).to_contain_text("suppression")

    agir(referent, HEBERGEMENT, "Dupliquer")
    dit(referent, "est dupliquée")
    copie = noeud(referent, HEBERGEMENT).filter(has_text="ajout")
    expect(copie).to_contain_text("en attente")
    copie.get_by_role("link", name=HEBERGEMENT).click()
    referent.locator("#id_nom").fill("Unité d’hébergement temporaire")
    finaliser(referent)
    dit(referent, "Toutes les fiches ont été finalisées")
    envoyer(referent)
    assert etat(NOM) == "approbation"

    gestionnaire = site.entrer("gestionnaire2", site.boite.lien("gestionnaire2", NOM))
    expect(gestionnaire.get_by_text("1 ajout")).to_be_visible()
    gestionnaire.get_by_role("button", name="Approuver").click()
    dit(gestionnaire, "publié")

    referent.goto(site.boite.lien("referent.ehpad", NOM))
    structures = referent.locator("#structures")
    expect(structures.get_by_role("link", name="Unité d’hébergement temporaire")).to_be_visible()
    expect(structures.get_by_role("link", name=REPIT)).to_have_count(0)
    aujourdhui = VersionFiche.objects.filter(validite__contains=timezone.localdate())
    assert aujourdhui.get(fiche=jour).type_uo == "38"
    assert not aujourdhui.filter(fiche=repit).exists()
    assert etat(NOM) == "publie"
    assert etapes(NOM) == [
        ("redaction", "finalise"),  # the type
        ("envoi", "rouvert"),  # by the copy
        ("redaction", "finalise"),
        ("envoi", "envoye"),
        ("approbation_sesan", "approuve"),
    ]
    assert site.boite.recus() == [
        ("dossier_publie", "referent.ehpad"),
        *[("tache_creee", "direction.ehpad")] * 4,  # redaction and envoi, twice
        ("tache_creee", "gestionnaire"),
        ("tache_creee", "gestionnaire2"),
    ]


def test_une_modification_directe_d_aujourd_hui_se_voit_aussitot(site):
    texte = "Visite préalable avec l’équipe, sur rendez-vous."
    fiche = fiche_de(JOUR)
    referent = site.entrer("referent.ehpad", f"/repertoire/{fiche.identifiant}/")
    referent.get_by_role("link", name="Modifier", exact=True).click()
    expect(referent.get_by_text("Il n’est pas possible de modifier un type")).to_be_visible()
    expect(referent.locator("#id_type_uo")).to_have_count(0)
    referent.locator("#id_conditions_admission").fill(texte)
    referent.locator(".actions-form").get_by_role("button", name="Modifier").click()
    expect(referent.get_by_role("heading", level=1)).to_have_text("Ce qui va changer")
    expect(referent.get_by_label(re.compile("Date à laquelle"))).to_have_value(timezone.localdate().isoformat())
    referent.get_by_role("button", name="Enregistrer").click()
    expect(referent.get_by_role("heading", level=1)).to_have_text(JOUR)
    expect(referent.locator("#contenu dd", has_text=texte).first).to_be_visible()
    lecteur = site.entrer("tutelle.cd", f"/repertoire/{fiche.identifiant}/")
    expect(lecteur.locator("#contenu dd", has_text=texte).first).to_be_visible()
    assert site.boite.recus() == []
