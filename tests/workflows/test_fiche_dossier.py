"""The form of a fiche of a dossier through the HTTP client (acceptance 60–62, 69–76)."""

import re
from typing import Any

import pytest

from structures.enums import Role
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from tests.navigation import client, texte
from tests.workflows.ecrans import NEUVE, etat, ouvrir, poster, saisir, url, url_fiche

pytestmark = pytest.mark.django_db


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
    assert reponse.status_code == 200  # what goes with the new type is asked first: test_fiche_type.py
    assert poster(monde.referent, dossier, monde.uo, reponse, "finaliser").status_code == 302
    assert dossier.fiches.get().patch == {"type_uo": "121"}
    reponse = poster(monde.referent, dossier, monde.uo, page, type_uo="08")
    assert reponse.status_code == 422
    [neuve] = fabrique.nouvelles(dossier, monde.referent, monde.uf.pk)
    assert '<option value="08"' in ouvrir(monde.referent, dossier, neuve).content.decode()


def test_nom_d_une_unite(monde, dossier):
    """Acceptance 70: a hint, a proposal, a warning that does not block."""
    page = ouvrir(monde.referent, dossier, monde.uo)
    assert "« Unité », suivi du nom du type d’unité opérationnelle." in texte(page)
    assert "&quot;149&quot;: &quot;Unit" in page.content.decode()
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
    reponse = client(monde.referent).post(
        url_fiche(dossier, monde.uo), saisir(page, action="finaliser"), follow=True
    )  # nothing is wrong: said, not refused
    assert "« Unité de cardiologie » n’a pas changé." in texte(reponse)
    assert not dossier.fiches.exists()
    for action in ("attente", "finaliser"):
        fabrique.modifier(dossier, monde.referent, monde.uo.pk, nom="Unité renommée")
        page = ouvrir(monde.referent, dossier, monde.uo)
        poster(monde.referent, dossier, monde.uo, page, action, nom="Unité de cardiologie")
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
    reponse = poster(monde.referent, dossier, une, page, "suivante", **complet(page))
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
    assert f"{champ} À l’ouverture du formulaire Au départ Prendre la valeur de collegue, " in mots
    assert f" pour {champ} La leur Garder ma saisie pour {champ} La mienne" in mots
    assert ">La mienne</textarea>" in corps.replace("\r\n", "").replace(">\n", ">")
    assert ">Reprise</textarea>" in corps.replace(">\n", ">")
    assert f'name="revision" value="{dossier.fiches.get().revision}"' in corps
    assert dossier.fiches.get().patch["conditions_admission"] == "La leur"
    sans_choix = poster(monde.referent, dossier, monde.uo, reponse, "finaliser")
    assert sans_choix.status_code == 409
    assert "Choisissez la valeur à garder" in texte(sans_choix)
    assert dossier.fiches.get().patch["conditions_admission"] == "La leur"
    encore = poster(monde.referent, dossier, monde.uo, sans_choix, "finaliser", garder_conditions_admission="mienne")
    assert encore.status_code == 302
    assert dossier.fiches.get().patch == {"conditions_admission": "La mienne", "conditions_accueil": "Reprise"}


@pytest.mark.parametrize("ouvert_revision", ["999999999", "x"])
def test_une_reponse_sur_une_version_illisible_se_redemande(monde, dossier, ouvert_revision):
    """« Prendre la valeur de… » never lets through what was typed because the opened version can't be read."""
    page = ouvrir(monde.referent, dossier, monde.uo)
    fabrique.modifier(dossier, monde.collegue, monde.uo.pk, finaliser=False, conditions_admission="La leur")
    page = poster(monde.referent, dossier, monde.uo, page, conditions_admission="La mienne")
    assert page.status_code == 409
    reponses = {"garder_conditions_admission": "leur", "garder_activites": "leur"}
    page = poster(
        monde.referent, dossier, monde.uo, page, ouvert_revision=ouvert_revision,
        a_regler=["conditions_admission", "activites"], activites=["013", "014"], **reponses,
    )  # fmt: skip
    assert page.status_code == 409
    assert "n’est plus lisible" in texte(page)
    assert ">La mienne</textarea>" in page.content.decode().replace("\r\n", "").replace(">\n", ">")
    assert dossier.fiches.get().patch == {"conditions_admission": "La leur"}
    page = poster(monde.referent, dossier, monde.uo, page, informations_complementaires="À moi", **reponses)
    assert page.status_code == 302
    assert dossier.fiches.get().patch == {"conditions_admission": "La leur", "informations_complementaires": "À moi"}


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
    assert "Le répertoire ou le dossier a changé « Conditions d’admission »" in texte(reponse)
    assert "Prendre la valeur de collegue, " in texte(reponse)
    assert dossier.fiches.get().patch == {"informations_complementaires": "Du dossier"}
    garde = poster(monde.referent, dossier, monde.uo, reponse, garder_conditions_admission="mienne")
    assert garde.status_code == 302
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
    assert (
        "Conditions d’admission Au départ — Garder le répertoire pour Conditions d’admission Du répertoire Garder"
        in (texte(page))
    )
    refus = poster(monde.referent, dossier, monde.uo, page, "finaliser", nom="Unité de cardiologie 2")
    assert refus.status_code == 422
    assert "#id_conditions_admission" in refus.content.decode()
    assert navigateur.get(url(dossier, "envoyer/")).status_code == 200
    assert "a changé aussi au répertoire" in texte(navigateur.get(url(dossier, "envoyer/")))
    assert navigateur.post(url(dossier, "envoyer/")).status_code == 422
    reponse = poster(monde.referent, dossier, monde.uo, page, "finaliser", regler_conditions_admission="repertoire")
    assert (reponse.status_code, reponse["Location"]) == (302, url(dossier, f"#fiche-{monde.uo.pk}"))
    assert (dossier.fiches.get().patch, dossier.fiches.get().etat) == ({"conditions_accueil": "Idem"}, "finalisee")
    # The same page again, as by a second click: the conflict is settled already.
    assert poster(monde.referent, dossier, monde.uo, page, regler_conditions_admission="dossier").status_code == 302
    assert dossier.fiches.get().patch == {"conditions_accueil": "Idem"}


def test_la_fiche_pour_ceux_qui_la_lisent(monde, dossier):
    """No form; what changes, what it lacks, who saved it, the next change; everything that it holds."""
    [neuve] = fabrique.nouvelles(dossier, monde.referent, monde.uf.pk)
    fabrique.modifier(dossier, monde.collegue, neuve.pk, finaliser=False, nom="Unité nouvelle", type_uo="149")
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, conditions_accueil="Autrement")
    navigateur = client(monde.gestionnaire)
    page = navigateur.get(url_fiche(dossier, neuve))
    mots, corps = texte(page), page.content.decode()
    assert 'name="nom"' not in corps
    assert "Enregistrée par collegue" in mots
    assert (
        "Il manque 4 informations pour finaliser cette fiche : Mode de prise en charge, Activités opérationnelles,"
        in mots
    )
    assert "Voir au répertoire" not in mots
    assert "Changement suivant" in mots or "Changement précédent" in mots
    assert f'href="{url_fiche(dossier, monde.uo)}"' in corps
    lue = texte(navigateur.get(url_fiche(dossier, monde.uo)))
    assert "Conditions d’accueil" in lue
    assert "Autrement" in lue
    assert "pour finaliser cette fiche" not in lue
    assert navigateur.post(url_fiche(dossier, monde.uo), {"nom": "x"}).status_code == 403


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
