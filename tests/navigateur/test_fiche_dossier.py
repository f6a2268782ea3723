"""Acceptance F and the fiches of G in a browser: a type changed, new units filled one by one, two people on one fiche;
then the same without JavaScript, on a phone."""

import re

import pytest
from playwright.sync_api import expect

from backoffice.comptes.models import User
from structures.models import Concept, Fiche, VersionFiche
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from workflows.models import Dossier

from .conftest import TELEPHONE, cocher, dit, sans_defaut

pytestmark = [pytest.mark.navigateur, pytest.mark.lent, pytest.mark.timeout(300)]

CARDIO, REA = "Unité hospitalière de cardiologie", "121"


# Whether the panel took typing when the answer to its form came.
NOTER_LE_PANNEAU = """() => document.addEventListener('htmx:afterRequest', ({ detail }) => {
  if (detail.requestConfig.verb === 'post') window.ferme = document.getElementById('panneau').inert;
})"""


@pytest.fixture
def dossier(site) -> Dossier:
    """A draft of the hospital of the demo, which nobody has changed yet."""
    return fabrique.brouillon(fiche("Hôpital TEST"), personne("referent.hopital"), "Cardiologie et réanimation")


def personne(identifiant: str) -> User:
    return User.objects.get(username=identifiant)


def fiche(nom: str) -> Fiche:
    return VersionFiche.objects.select_related("fiche").get(nom=nom, eg__versions__nom="Hôpital TEST").fiche


def adresse(dossier: Dossier, fiche: Fiche) -> str:
    return f"/dossiers/{dossier.pk}/fiches/{fiche.pk}/"


def enregistrer(page, bouton: str) -> None:
    page.locator(".fiche-boutons").get_by_role("button", name=bouton, exact=True).click()


def titre(page) -> object:
    return page.locator("#panneau h2").first


def propose(code: str) -> str:
    libelle = Concept.objects.get(nomenclature="J238", code=code).libelle
    return libelle if libelle.startswith("Unité") else f"Unité {libelle}"


def completer(page, *, age: str = "18") -> None:
    page.locator("#id_mode_prise_en_charge").select_option("28")
    cocher(page, "activites", "127")
    for borne, valeur in (("age_min", age), ("age_max", "120")):
        page.locator(f"#id_{borne}").fill(valeur)
        page.locator(f"#id_{borne}_unite").select_option("an")


def test_changer_le_type_d_une_unite(site, dossier):
    """60 to 62: the name follows, what does not go with the new type is asked about, nothing goes unasked."""
    unite = fiche(CARDIO)
    page = site.entrer("referent.hopital", f"/dossiers/{dossier.pk}/")
    page.locator(f"#fiche-{unite.pk}").click()  # beside the tree, without a reload
    expect(page.locator("#id_type_uo")).to_have_value("149")
    options = page.locator("#id_type_uo option").evaluate_all("o => o.map((x) => x.value)")
    assert REA in options
    assert "100" not in options  # SMR: another champ
    page.locator("#id_type_uo").focus()
    page.locator("#id_type_uo").select_option(REA)
    expect(page.locator("#id_nom")).to_have_value(propose(REA))
    assert not dossier.fiches.exists()
    question = page.locator(".champ .question-type")
    expect(question).to_contain_text("ne propose pas les valeurs ci-dessous")
    expect(page.locator("#id_type_uo")).to_be_focused()  # shown, and in nobody's way
    sans_defaut(page)
    acte = question.get_by_role("checkbox", name=re.compile("^Retirer « ECG"))
    expect(acte).not_to_be_checked()
    acte.check()
    enregistrer(page, "Enregistrer et finaliser")
    dit(page, "est enregistrée et finalisée")
    travail = dossier.fiches.get()
    assert (travail.etat, travail.patch["type_uo"], travail.patch["nom"]) == ("finalisee", REA, propose(REA))
    assert (travail.patch["actes"], "activites" in travail.patch) == ({"retire": ["0172"]}, False)
    assert repertoire.contenu(unite).type_uo == "149"  # 77: nothing shows before the publication


def test_les_nouvelles_fiches_une_par_une(site, dossier):
    """69 to 73, 75, 76: name, type, editors; en attente, refused with links, finalised, on to the next."""
    uf = fiche("UF 2101 Cardiologie")
    une, deux = fabrique.nouvelles(dossier, personne("referent.hopital"), uf.pk, 2)
    page = site.entrer("referent.hopital", adresse(dossier, une))
    expect(page.get_by_text("Il manque 7 informations pour finaliser")).to_be_visible()
    page.locator("#id_type_uo").select_option(REA)
    expect(page.locator("#id_nom")).to_have_value(propose(REA))
    page.locator("#id_nom").fill("Réanimation B")
    page.locator("#id_type_uo").select_option("149")
    expect(page.locator("#id_nom")).to_have_value("Réanimation B")  # a name of one's own stays
    page.locator("#id_type_uo").select_option(REA)
    enregistrer(page, "Enregistrer et mettre en attente")
    dit(page, "est enregistrée, en attente")
    dit(page, "ne commence pas par « Unité »")
    assert dossier.fiches.get(fiche=une).patch["nom"] == "Réanimation B"

    page.goto(adresse(dossier, une))
    expect(page.get_by_text("commence par « Unité », suivi du nom de son type")).to_be_visible()
    page.locator("#id_nom").fill("Unité de réanimation B")
    enregistrer(page, "Enregistrer et finaliser")
    resume = page.locator(".resume-erreurs")
    expect(resume).to_contain_text("La fiche ne peut pas encore être finalisée")
    expect(page.locator("#id_nom")).to_have_value("Unité de réanimation B")
    sans_defaut(page)
    resume.get_by_role("link", name=re.compile("^Âge minimum")).click()  # nobody asks whether to give up
    expect(page.locator("#id_age_min")).to_be_focused()
    completer(page)
    enregistrer(page, "Enregistrer, finaliser et passer à la suivante")
    expect(titre(page)).to_contain_text(deux.identifiant)
    assert dossier.fiches.get(fiche=une).etat == "finalisee"
    expect(
        page.locator(f"#fiche-{une.pk}").locator("xpath=ancestor::*[contains(@class,'arbre-ligne')][1]")
    ).to_contain_text("finalisée")
    sans_defaut(page)
    page.locator("#id_conditions_accueil").fill("Perdu ?")
    page.once("dialog", lambda d: d.dismiss())
    page.get_by_role("link", name="Revenir au dossier").click()
    expect(page.locator("#id_conditions_accueil")).to_have_value("Perdu ?")
    assert not VersionFiche.objects.filter(fiche__in=[une, deux]).exists()


def test_le_repertoire_et_une_collegue_ont_change_la_fiche(site, dossier):
    """Register and dossier side by side, settled in one save; then a colleague's save, settled before mine."""
    unite, referente, directrice = fiche(CARDIO), personne("referent.hopital"), personne("direction.hopital")
    fabrique.modifier(dossier, referente, unite.pk, conditions_accueil="Du dossier", conditions_admission="Du dossier")
    repertoire.direct(
        unite,
        directrice,
        {"conditions_accueil": "Du répertoire", "conditions_admission": "Du répertoire", "age_max": 90},
    )
    page = site.entrer("referent.hopital", adresse(dossier, unite))
    conflits = page.locator("#conflits")
    expect(conflits.get_by_role("group")).to_have_count(2)
    expect(page.get_by_text("1 champ changé au répertoire a été repris dans cette fiche")).to_be_visible()
    sans_defaut(page)
    conflits.get_by_label("Garder le répertoire pour Conditions d’accueil").check()
    conflits.get_by_label("Garder le dossier pour Conditions d’admission").check()
    page.locator("#id_informations_complementaires").fill("Les miennes")
    fabrique.modifier(
        dossier, directrice, unite.pk, finaliser=False, informations_complementaires="De la direction", age_min=20
    )
    page.evaluate(NOTER_LE_PANNEAU)
    enregistrer(page, "Enregistrer et finaliser")
    expect(page.get_by_text("Rien n’a encore été enregistré")).to_be_visible()
    assert page.evaluate("() => window.ferme") is True  # what one typed meanwhile would be lost with the form
    expect(page.locator("#panneau[inert]")).to_have_count(0)
    expect(page.locator("#id_informations_complementaires")).to_have_value("Les miennes")
    expect(page.locator("#id_age_min")).to_have_value("20")
    expect(conflits.get_by_label("Garder le répertoire pour Conditions d’accueil")).to_be_checked()
    sans_defaut(page)
    enregistrer(page, "Enregistrer et finaliser")
    expect(page.get_by_text("Choisissez la valeur à garder.").first).to_be_visible()
    page.get_by_label("Garder ma saisie pour Informations complémentaires").check()
    enregistrer(page, "Enregistrer et finaliser")
    dit(page, "est enregistrée et finalisée")
    assert dossier.fiches.get().patch == {
        "conditions_admission": "Du dossier", "informations_complementaires": "Les miennes", "age_min": 20,
    }  # fmt: skip


def test_sans_javascript_sur_un_telephone(site, dossier):
    """The same steps by plain forms at 360 px, by night."""
    unite = fiche(CARDIO)
    [neuve] = fabrique.nouvelles(dossier, personne("referent.hopital"), fiche("UF 2101 Cardiologie").pk)
    page = site.entrer(
        "referent.hopital", adresse(dossier, unite),
        java_script_enabled=False, viewport=TELEPHONE, color_scheme="dark",
    )  # fmt: skip
    page.locator("#id_type_uo").select_option(REA)
    enregistrer(page, "Enregistrer et mettre en attente")
    expect(page.get_by_text("Vérifiez ce qui va avec le nouveau type")).to_be_visible()
    page.get_by_label(re.compile("^Retirer « Cardiologie générale")).check()
    page.locator(".question-type").get_by_role("button", name="Enregistrer et mettre en attente").click()
    dit(page, "est enregistrée, en attente")
    travail = dossier.fiches.get(fiche=unite)
    assert travail.patch == {"type_uo": REA, "nom": propose(REA), "activites": {"retire": ["013"]}}

    page.goto(adresse(dossier, neuve))
    page.locator("#id_type_uo").select_option("149")
    page.locator("#id_activites").click()
    page.locator("input[name=activites][value='013']").check()
    enregistrer(page, "Enregistrer et finaliser")
    expect(page.locator(".resume-erreurs")).to_contain_text("Mode de prise en charge")
    expect(page.locator("#id_nom")).to_have_value(propose("149"))
    page.locator("#id_mode_prise_en_charge").select_option("28")
    for borne, valeur in (("age_min", "16"), ("age_max", "120")):
        page.locator(f"#id_{borne}").fill(valeur)
        page.locator(f"#id_{borne}_unite").select_option("an")
    fabrique.modifier(
        dossier, personne("direction.hopital"), neuve.pk, finaliser=False, conditions_accueil="De la direction"
    )
    page.locator("#id_conditions_accueil").fill("De moi")
    enregistrer(page, "Enregistrer, finaliser et passer à la suivante")
    page.get_by_label("Garder ma saisie pour Conditions d’accueil").check()
    enregistrer(page, "Enregistrer, finaliser et passer à la suivante")
    expect(titre(page)).to_have_text(propose(REA))  # the first one waits still
    travail = dossier.fiches.get(fiche=neuve)
    assert (travail.etat, travail.patch["nom"], travail.patch["conditions_accueil"]) == (
        "finalisee", propose("149"), "De moi",
    )  # fmt: skip
    assert page.evaluate("document.documentElement.scrollWidth") <= TELEPHONE["width"]
