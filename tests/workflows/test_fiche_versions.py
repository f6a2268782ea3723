"""The register moved on under a fiche of a dossier; somebody else saved or removed it meanwhile (domain.md §5)."""

import re
from typing import Any

import pytest

from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from tests.navigation import client, requetes_de, texte
from tests.workflows.ecrans import ouvrir, poster, url, url_fiche
from workflows.domaine import contenu, gestes
from workflows.models import Evenement

pytestmark = pytest.mark.django_db


def contact(numero: str) -> dict[str, Any]:
    telecoms = [{"canal": "2", "valeur": numero, "confidentialite": "2"}]
    return {"nature": "07", "nom": "", "fonction": "", "confidentialite": "2", "telecoms": telecoms}


@pytest.fixture
def deux_conflits(monde, dossier):
    """The register and the dossier both changed two texts, and one contact beside contacts of their own."""
    pose = {"pose": {"k": contact("01 00 00 00 00"), "stable": contact("01 99 99 99 99")}}
    repertoire.direct(monde.uo, monde.referent, {"contacts": pose})
    fabrique.modifier(
        dossier, monde.referent, monde.uo.pk, finaliser=False,
        conditions_admission="Du dossier", conditions_accueil="Du dossier aussi", activites=frozenset(["013", "014"]),
        contacts={
            "k": contact("01 11 11 11 11"), "stable": contact("01 99 99 99 99"), "mien": contact("01 22 22 22 22"),
        },
    )  # fmt: skip
    repertoire.direct(
        monde.uo, monde.collegue,
        {
            "conditions_admission": "Du répertoire", "conditions_accueil": "Du répertoire aussi",
            "informations_complementaires": "Nouvelles", "activites": {"ajoute": ["097"]},
            "contacts": {"pose": {"k": contact("01 33 33 33 33"), "leur": contact("01 44 44 44 44")}},
        },
    )  # fmt: skip


def radios(reponse) -> dict[str, list[str]]:
    trouves: dict[str, list[str]] = {}
    for nom, valeur in re.findall(
        r'type="radio" id="[^"]+" name="(regler_\w+)" value="(\w+)"', reponse.content.decode()
    ):
        trouves.setdefault(nom, []).append(valeur)
    return trouves


def test_plusieurs_conflits_en_un_envoi(monde, dossier, deux_conflits):
    """One choice a field, several settled by one save; a list keeps what does not collide from both sides."""
    page = ouvrir(monde.referent, dossier, monde.uo)
    assert radios(page) == {
        "regler_conditions_admission": ["repertoire", "dossier"],
        "regler_conditions_accueil": ["repertoire", "dossier"],
        "regler_contacts": ["repertoire", "dossier", "deux"],
    }
    mots = texte(page)
    assert "une autre valeur aux 3 champs ci-dessous" in mots
    assert "retiré : Numéro" not in mots
    bloc = mots[mots.index("Contacts Au départ") :]
    leur, mien = bloc[bloc.index("Garder le répertoire") :], bloc[bloc.index("Garder le dossier") :]
    leur = leur[: leur.index("Garder le dossier")]
    for cote, numeros in ((leur, ("01 33 33 33 33", "01 44 44 44 44")), (mien, ("01 11 11 11 11", "01 22 22 22 22"))):
        assert re.findall(r"retiré : [^:]*: [^:]*01 00 00 00 00", cote), cote
        assert all(re.search(rf"ajouté : [^:]*: [^:]*{n}", cote) for n in numeros), cote
        assert "1 inchangé" in cote
    assert "2 champs changés au répertoire ont été repris dans cette fiche" in mots
    reponse = poster(
        monde.referent, dossier, monde.uo, page, "finaliser",
        regler_conditions_admission="repertoire", regler_conditions_accueil="dossier", regler_contacts="repertoire",
    )  # fmt: skip
    assert reponse.status_code == 302
    travail = dossier.fiches.get()
    assert travail.etat == "finalisee"
    assert travail.patch == {
        "conditions_accueil": "Du dossier aussi",
        "activites": {"ajoute": ["014"]},
        "contacts": {"pose": {"mien": contact("01 22 22 22 22")}},
    }
    assert radios(ouvrir(monde.referent, dossier, monde.uo)) == {}
    regles = Evenement.objects.filter(dossier=dossier, type="conflit_regle").order_by("pk")
    assert [(e.details["champ"], e.details["garder"]) for e in regles] == [
        ("conditions_admission", "repertoire"), ("conditions_accueil", "dossier"), ("contacts", "repertoire"),
    ]  # fmt: skip


def test_garder_les_deux_contacts(monde, dossier, deux_conflits):
    page = ouvrir(monde.referent, dossier, monde.uo)
    assert poster(monde.referent, dossier, monde.uo, page, regler_contacts="deux").status_code == 302
    travail = dossier.fiches.get()
    assert travail.patch["contacts"] == {
        "pose": {"k-bis": contact("01 11 11 11 11"), "mien": contact("01 22 22 22 22")}
    }
    assert set(radios(ouvrir(monde.referent, dossier, monde.uo))) == {
        "regler_conditions_admission", "regler_conditions_accueil",
    }  # fmt: skip
    assert "les deux valeurs gardées" in texte(client(monde.referent).get(url(dossier, "journal/")))


def test_un_conflit_regle_avec_ce_qui_est_tape_ailleurs(monde, dossier, deux_conflits):
    """The choice and what was typed in other fields are saved together; what is not chosen waits."""
    page = ouvrir(monde.referent, dossier, monde.uo)
    reponse = poster(monde.referent, dossier, monde.uo, page, regler_conditions_admission="repertoire", age_min="18")
    assert reponse.status_code == 302
    travail = dossier.fiches.get()
    assert (travail.etat, travail.patch["age_min"]) == ("en_attente", 18)
    assert "conditions_admission" not in travail.patch
    assert travail.patch["conditions_accueil"] == "Du dossier aussi"
    refus = poster(monde.referent, dossier, monde.uo, ouvrir(monde.referent, dossier, monde.uo), "finaliser")
    assert refus.status_code == 422
    assert "choisissez celle à garder" in texte(refus)


def test_un_choix_fait_sur_une_valeur_depassee_se_redemande(monde, dossier, deux_conflits):
    page = ouvrir(monde.referent, dossier, monde.uo)
    repertoire.direct(monde.uo, monde.collegue, {"conditions_admission": "Encore autre chose"})
    avant = dossier.fiches.get().patch
    reponse = poster(monde.referent, dossier, monde.uo, page, regler_conditions_admission="repertoire", age_min="18")
    assert reponse.status_code == 409
    assert "Encore autre chose" in texte(reponse)
    assert dossier.fiches.get().patch == avant
    assert 'value="18"' in reponse.content.decode()
    assert 'name="regler_conditions_admission" value="repertoire" checked' in reponse.content.decode()
    assert poster(monde.referent, dossier, monde.uo, reponse).status_code == 302
    assert dossier.fiches.get().patch.keys() == {"conditions_accueil", "activites", "contacts", "age_min"}


@pytest.mark.parametrize("garder", ["hasard", "deux"])
def test_choix_forge(monde, dossier, deux_conflits, garder):
    page = ouvrir(monde.referent, dossier, monde.uo)
    avant = dossier.fiches.get().patch
    refus = poster(monde.referent, dossier, monde.uo, page, regler_conditions_admission=garder)
    assert refus.status_code == 422
    assert "Choisissez la valeur à garder." in texte(refus)
    assert dossier.fiches.get().patch == avant


def test_ce_qui_se_reprend_seul_est_dit(monde, dossier):
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, conditions_admission="Du dossier")
    assert "repris dans cette fiche" not in texte(ouvrir(monde.referent, dossier, monde.uo))
    repertoire.direct(monde.uo, monde.collegue, {"conditions_accueil": "Du répertoire"})
    page = ouvrir(monde.referent, dossier, monde.uo)
    assert "1 champ changé au répertoire a été repris dans cette fiche" in texte(page)
    assert ">Du répertoire</textarea>" in page.content.decode().replace(">\n", ">").replace(">\r\n", ">")
    poster(monde.referent, dossier, monde.uo, page, age_min="17")
    assert "repris dans cette fiche" not in texte(ouvrir(monde.referent, dossier, monde.uo))


def test_un_age_et_son_unite_se_departagent_ensemble(monde, dossier):
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, finaliser=False, age_min=18, age_min_unite="mois")
    repertoire.direct(monde.uo, monde.collegue, {"age_min": 3, "age_min_unite": "semaine"})
    page = ouvrir(monde.referent, dossier, monde.uo)
    assert radios(page) == {"regler_age_min": ["repertoire", "dossier"]}
    mots = texte(page)
    assert "Âge minimum Au départ 16 ans Garder le répertoire pour Âge minimum 3 semaines" in mots
    assert "Garder le dossier pour Âge minimum 18 mois" in mots
    poster(monde.referent, dossier, monde.uo, page, regler_age_min="repertoire")
    assert not dossier.fiches.exists()


def test_le_repertoire_change_au_moment_de_l_enregistrement(monde, dossier, monkeypatch):
    """Between the check of the view and the lock of the verb: still asked, never overwritten."""
    page = ouvrir(monde.referent, dossier, monde.uo)
    enregistrer = contenu.enregistrer

    def juste_avant(**arguments):
        repertoire.direct(monde.uo, monde.collegue, {"conditions_admission": "Du répertoire"})
        monkeypatch.setattr(contenu, "enregistrer", enregistrer)
        return enregistrer(**arguments)

    monkeypatch.setattr(contenu, "enregistrer", juste_avant)
    reponse = poster(monde.referent, dossier, monde.uo, page, conditions_admission="De moi")
    assert reponse.status_code == 409
    mots = texte(reponse)
    assert "vient de changer « Conditions d’admission »" in mots
    assert "Prendre la valeur de collegue" in mots
    assert "Garder ma saisie pour Conditions d’admission De moi" in mots
    assert not dossier.fiches.exists()
    garde = poster(monde.referent, dossier, monde.uo, reponse, garder_conditions_admission="mienne")
    assert garde.status_code == 302
    travail = dossier.fiches.get()
    assert (travail.patch, travail.base) == (
        {"conditions_admission": "De moi"}, {"conditions_admission": "Du répertoire"},
    )  # fmt: skip


# -- colleagues --------------------------------------------------------------------------------------


def test_trois_colonnes_et_listes_entre_collegues(monde, dossier):
    """A contact changed by both: theirs is kept, the contact that I added stays."""
    repertoire.direct(monde.uo, monde.referent, {"contacts": {"pose": {"k": contact("01 00 00 00 00")}}})
    page = ouvrir(monde.referent, dossier, monde.uo)
    fabrique.modifier(dossier, monde.collegue, monde.uo.pk, finaliser=False, contacts={"k": contact("01 55 55 55 55")})
    [ligne] = re.findall(r'name="(contacts-(\d+)-[^"]*valeur)" [^>]*value="01 00 00 00 00"', page.content.decode())[
        :1
    ] or [("", "")]
    assert ligne[0]
    reponse = poster(monde.referent, dossier, monde.uo, page, **{ligne[0]: "01 66 66 66 66"}, age_min="18")
    assert reponse.status_code == 409
    mots = texte(reponse)
    assert "Prendre la valeur de collegue" in mots
    for numero in ("01 00 00 00 00", "01 55 55 55 55", "01 66 66 66 66"):
        assert numero in mots
    assert poster(monde.referent, dossier, monde.uo, reponse, garder_contacts="leur").status_code == 302
    assert dossier.fiches.get().patch == {"age_min": 18, "contacts": {"pose": {"k": contact("01 55 55 55 55")}}}


def test_une_fiche_retiree_par_un_collegue(monde, dossier):
    """409: who removed it and when; what was typed is there to be copied."""
    [neuve] = fabrique.nouvelles(dossier, monde.referent, monde.uf.pk)
    page = ouvrir(monde.referent, dossier, neuve)
    gestes.supprimer(numero=dossier.pk, acteur=monde.collegue, fiches=[neuve.pk])
    reponse = poster(monde.referent, dossier, neuve, page, conditions_accueil="Une longue phrase tapée")
    assert reponse.status_code == 409
    mots = texte(reponse)
    assert "collegue l’a supprimée" in mots
    assert "Conditions d’accueil Une longue phrase tapée" in mots
    assert not re.search(r"Action|Revision|Type vu|Jeton", mots)  # what the form sends for itself
    assert client(monde.referent).get(url_fiche(dossier, neuve)).status_code == 409
    assert client(monde.voisin).post(url_fiche(dossier, neuve)).status_code == 404


def test_session_finie_la_saisie_reste(monde, dossier):
    page = ouvrir(monde.referent, dossier, monde.uo)
    navigateur = client(monde.referent)
    navigateur.logout()
    reponse = navigateur.post(url_fiche(dossier, monde.uo), {"conditions_accueil": "Une longue phrase tapée"})
    assert (page.status_code, reponse.status_code) == (200, 403)
    assert "Une longue phrase tapée" in texte(reponse)


def test_requetes_constantes(monde, dossier, deux_conflits):
    """The form costs the same with more fiches, more conflicts and more saves."""
    adresse = url_fiche(dossier, monde.uo)
    une, *autres = fabrique.nouvelles(dossier, monde.referent, monde.uf.pk, 4)
    fabrique.modifier(dossier, monde.collegue, une.pk, finaliser=False, nom="Unité")
    # Her own last gesture both times: that of somebody else costs the sentence that says whose it is.
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, finaliser=False, age_min=11)
    avant = requetes_de(client(monde.referent), adresse)
    for fiche in autres:
        fabrique.modifier(dossier, monde.collegue, fiche.pk, finaliser=False, nom="Unité")
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, finaliser=False, age_min=12)
    repertoire.direct(monde.uo, monde.collegue, {"age_min": 13})
    assert requetes_de(client(monde.referent), adresse) == avant
