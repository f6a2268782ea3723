"""A new Type d'UO in the form of a fiche: the name that it proposes, what is not known to go with it (acceptance 60–62,
70)."""

import html
import re

import pytest

from structures.models import Concept
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from tests.navigation import client, texte
from tests.workflows.ecrans import ouvrir, poster, url, url_fiche
from workflows.domaine.type_uo import CHAMPS_DU_TYPE, Avis, avis

pytestmark = pytest.mark.django_db

REA = "121"  # another type of the same champ
ETAT = {"champ_activite": "01", "activites": frozenset(["013", "127"]), "actes": frozenset(["0172"])}


def autre(monde, **champs):
    return repertoire.uo(monde.uf, "Unité autre", **champs)


def retirables(reponse) -> list[str]:
    """What the question proposes to take off."""
    return re.findall(r'name="retirer" value="([^"]+)"', reponse.content.decode())


# -- what is known -----------------------------------------------------------------------------------


def test_ce_que_l_on_regarde():
    """The coded lists of the offer and of its means, read from the catalogue."""
    assert CHAMPS_DU_TYPE == (
        "activites", "familles_serafin", "actes", "actes_hors_cabinet", "specialisations", "professions", "competences",
    )  # fmt: skip


def test_une_valeur_va_avec_le_type_quand_une_autre_unite_la_propose(monde):
    autre(monde, type_uo=REA, activites={"ajoute": ["127"]})
    autre(monde, type_uo=REA, activites={"ajoute": ["014"]}, actes={"ajoute": ["0236"]})
    assert avis(monde.uo.pk, ETAT, REA) == Avis(2, True, {"activites": ["013"], "actes": ["0172"]})


def test_sans_unite_de_ce_type_on_regarde_le_champ(monde):
    autre(monde, activites={"ajoute": ["013"]})
    assert avis(monde.uo.pk, ETAT, REA) == Avis(1, False, {"activites": ["127"], "actes": ["0172"]})
    assert avis(0, {**ETAT, "champ_activite": "03"}, REA) == Avis(
        0, False, {"activites": ["013", "127"], "actes": ["0172"]}
    )


def test_une_unite_fermee_ne_dit_rien(monde):
    fermee = autre(monde, type_uo=REA, activites={"ajoute": ["013"]})
    repertoire.publier(fermee, {"existe": False}, depuis=repertoire.DEBUT.replace(year=2021))
    assert avis(monde.uo.pk, ETAT, REA) == Avis(0, False, {"activites": ["013", "127"], "actes": ["0172"]})


def test_la_fiche_elle_meme_ne_dit_rien(monde):
    assert avis(monde.uo.pk, {"champ_activite": "01", "activites": frozenset(["013"])}, "149").unites == 0
    assert avis(monde.uo.pk, {"champ_activite": "01"}, "149") == Avis(0, False, {})


def test_deux_requetes_au_plus(monde, django_assert_num_queries):
    with django_assert_num_queries(2):
        avis(monde.uo.pk, ETAT, REA)
    for _ in range(3):
        autre(monde, type_uo=REA)
    with django_assert_num_queries(1):
        avis(monde.uo.pk, ETAT, REA)


# -- the question ------------------------------------------------------------------------------------


def test_rien_n_est_retire_sans_reponse(monde, dossier):
    """Asked before anything is saved; what was typed stays; unticked values are kept, ticked ones go."""
    autre(monde, type_uo=REA, activites={"ajoute": ["127"]})
    page = ouvrir(monde.referent, dossier, monde.uo)
    question = poster(
        monde.referent, dossier, monde.uo, page, "finaliser",
        type_uo=REA, activites=["013", "127", "014"], conditions_accueil="Une longue phrase",
    )  # fmt: skip
    assert question.status_code == 200
    assert not dossier.fiches.exists()
    mots = texte(question)
    assert "Vérifiez ce qui va avec le nouveau type" in mots
    assert "L’autre unité de ce type au répertoire ne propose pas les valeurs ci-dessous." in mots
    assert f"Retirer « {Concept.objects.get(nomenclature='R211', code='013').libelle} »" in mots
    assert retirables(question) == ["activites:013", "activites:014"]
    assert ">Une longue phrase</textarea>" in question.content.decode().replace(">\n", ">").replace(">\r\n", ">")
    assert "Enregistrer et finaliser" in mots
    reponse = poster(monde.referent, dossier, monde.uo, question, "finaliser", retirer=["activites:013"])
    assert reponse.status_code == 302
    travail = dossier.fiches.get()
    assert travail.etat == "finalisee"
    assert travail.patch == {
        "type_uo": REA,
        "activites": {"ajoute": ["014", "127"], "retire": ["013"]},
        "conditions_accueil": "Une longue phrase",
    }


def test_tout_garder(monde, dossier):
    page = ouvrir(monde.referent, dossier, monde.uo)
    question = poster(monde.referent, dossier, monde.uo, page, type_uo=REA)
    assert "n’a pas d’autre unité de ce type ni de ce champ d’activité" in texte(question)
    assert poster(monde.referent, dossier, monde.uo, question).status_code == 302
    assert dossier.fiches.get().patch == {"type_uo": REA}


def test_ce_qui_va_avec_le_type_ne_demande_rien(monde, dossier):
    autre(monde, type_uo=REA, activites={"ajoute": ["013"]})
    page = ouvrir(monde.referent, dossier, monde.uo)
    assert poster(monde.referent, dossier, monde.uo, page, type_uo=REA).status_code == 302


def test_un_autre_type_repose_la_question(monde, dossier):
    """An answer is about the type that was asked about."""
    page = ouvrir(monde.referent, dossier, monde.uo)
    question = poster(monde.referent, dossier, monde.uo, page, type_uo=REA)
    encore = poster(monde.referent, dossier, monde.uo, question, type_uo="262", retirer=["activites:013"])
    assert (encore.status_code, retirables(encore)) == (200, ["activites:013"])
    assert not dossier.fiches.exists()
    assert poster(monde.referent, dossier, monde.uo, encore, type_uo="149").status_code == 302  # back: nothing changed
    assert not dossier.fiches.exists()


def test_une_reponse_refusee_garde_ce_qui_a_ete_retire(monde, dossier):
    """Nothing left to offer: finalising is refused with a link, and the form no longer holds the value."""
    page = ouvrir(monde.referent, dossier, monde.uo)
    question = poster(monde.referent, dossier, monde.uo, page, "finaliser", type_uo=REA)
    refus = poster(monde.referent, dossier, monde.uo, question, "finaliser", retirer=["activites:013"])
    assert refus.status_code == 422
    assert 'href="#id_activites"' in refus.content.decode()
    assert not dossier.fiches.exists()
    assert poster(monde.referent, dossier, monde.uo, refus).status_code == 302  # not asked twice
    assert dossier.fiches.get().patch == {"type_uo": REA, "activites": {"retire": ["013"]}}


def test_la_question_des_que_le_type_est_choisi(monde, dossier):
    """What the script asks for shows the question alone and writes nothing; answered there, it is not asked again."""
    page = ouvrir(monde.referent, dossier, monde.uo)
    direct = poster(monde.referent, dossier, monde.uo, page, "finaliser", etape="type", type_uo=REA)
    assert direct.status_code == 200
    assert retirables(direct) == ["activites:013"]
    assert f'name="type_vu" value="{REA}"' in direct.content.decode()
    assert "<form" not in direct.content.decode()
    assert not dossier.fiches.exists()
    rien = poster(monde.referent, dossier, monde.uo, page, "finaliser", etape="type", type_uo="149")
    assert rien.content.strip() == b""
    assert poster(monde.referent, dossier, monde.uo, page, type_uo=REA, type_vu=["", REA]).status_code == 302
    assert dossier.fiches.get().patch == {"type_uo": REA}


@pytest.mark.parametrize("forge", ["nom:Unité de cardiologie", "activites", "", "activites:'; DROP", "parent:1"])
def test_retraits_forges(monde, dossier, forge):
    page = ouvrir(monde.referent, dossier, monde.uo)
    question = poster(monde.referent, dossier, monde.uo, page, type_uo=REA)
    assert poster(monde.referent, dossier, monde.uo, question, retirer=[forge]).status_code == 302
    assert dossier.fiches.get().patch == {"type_uo": REA}


def test_une_fiche_sans_type_n_a_rien_a_verifier(monde, dossier):
    [neuve] = fabrique.nouvelles(dossier, monde.referent, monde.uf.pk)
    page = ouvrir(monde.referent, dossier, neuve)
    assert poster(monde.referent, dossier, neuve, page, type_uo=REA, activites=["013"]).status_code == 302


# -- the list of types -------------------------------------------------------------------------------


def groupes(reponse) -> dict[str, list[str]]:
    """The types offered, by group of the list; "" for those outside any."""
    liste = reponse.content.decode().split('<select name="type_uo"')[1].split("</select>")[0]
    hors, *blocs = liste.split('<optgroup label="')
    codes = {html.unescape(b.split('"')[0]): re.findall(r'<option value="([^"]*)"', b) for b in blocs}
    return {"": re.findall(r'<option value="([^"]*)"', hors), **codes}


def test_les_types_d_une_nouvelle_unite_par_champ(monde, dossier):
    """The champs of a hospital first; each type once, under the name that the list of champs has."""
    [neuve] = fabrique.nouvelles(dossier, monde.referent, monde.uf.pk)
    page = ouvrir(monde.referent, dossier, neuve)
    trouves = groupes(page)
    assert list(trouves) == [
        "", "Médecine Chirurgie Obstétrique (MCO)", "Soins Médicaux et de réadaptation (SMR)", "Psychiatrie (PSY)",
        "Ville", "Médico-social (MS)",
    ]  # fmt: skip
    assert trouves[""] == [""]
    codes = [code for liste in trouves.values() for code in liste]
    assert len(codes) == len(set(codes)) == 126
    assert {"149", REA} < set(trouves["Médecine Chirurgie Obstétrique (MCO)"])
    assert poster(monde.referent, dossier, neuve, page, type_uo="100").status_code == 302  # the champ follows
    assert dossier.fiches.get().patch["champ_activite"] == "02"
    assert 'value="100" selected' in ouvrir(monde.referent, dossier, neuve).content.decode()


def test_les_types_d_une_nouvelle_unite_medico_sociale(db):
    ehpad = repertoire.etablissement("handicap")
    referent = repertoire.compte("referent", ehpad)
    dossier = fabrique.brouillon(ehpad, referent)
    [neuve] = fabrique.nouvelles(dossier, referent, ehpad.pk)
    assert list(groupes(ouvrir(referent, dossier, neuve)))[1] == "Médico-social (MS)"


def test_une_unite_publiee_n_a_qu_un_champ(monde, dossier):
    assert list(groupes(ouvrir(monde.referent, dossier, monde.uo))) == [""]


# -- the name ----------------------------------------------------------------------------------------


def propose(code: str) -> str:
    libelle = Concept.objects.get(nomenclature="J238", code=code).libelle
    return libelle if libelle.startswith("Unité") else f"Unité {libelle}"


def test_un_nom_vide_prend_celui_du_type(monde, dossier):
    """Acceptance 70 without JavaScript; a name of one's own stays."""
    [neuve] = fabrique.nouvelles(dossier, monde.referent, monde.uf.pk)
    poster(monde.referent, dossier, neuve, ouvrir(monde.referent, dossier, neuve), type_uo="149")
    assert dossier.fiches.get().patch["nom"] == propose("149")
    page = ouvrir(monde.referent, dossier, neuve)
    poster(monde.referent, dossier, neuve, page, type_uo=REA)  # still the former proposal: it follows
    assert dossier.fiches.get().patch["nom"] == propose(REA)
    page = ouvrir(monde.referent, dossier, neuve)
    poster(monde.referent, dossier, neuve, page, nom="Unité Jeanne")
    poster(monde.referent, dossier, neuve, ouvrir(monde.referent, dossier, neuve), type_uo="149")
    assert dossier.fiches.get().patch["nom"] == "Unité Jeanne"


def test_le_type_reste_dans_le_champ_de_la_fiche_publiee(monde, dossier):
    """A type of another champ is not in the list, and is refused when forged."""
    page = client(monde.referent).get(url_fiche(dossier, monde.uo))
    refus = poster(monde.referent, dossier, monde.uo, page, type_uo="100")  # SMR
    assert refus.status_code == 422
    assert "n’est pas dans la liste" in texte(refus)
    assert client(monde.referent).get(url(dossier)).status_code == 200
