"""« Remplir depuis un fichier »: every error at once, by line and column."""

from time import process_time

import pytest

from tests.factories import repertoire
from tests.navigation import client
from workflows.domaine.fichier.analyse import ERREURS_MAXIMALES

from .ecrans import url
from .feuille import Feuille, deposer, en_csv, envoyer, erreurs, reprendre

pytestmark = pytest.mark.django_db


def test_toutes_les_erreurs_d_un_coup_par_ligne_et_colonne(monde, dossier):
    feuille = (
        Feuille(dossier)
        .poser(monde.uo.identifiant, activites="999 | Cardiologie inconnue", age_min="seize", champ="04")
        .poser(monde.uf.identifiant, activites="013", niveau="UO")
        .poser("11/9999999", niveau="UO", sous=monde.uf.identifiant)
        .poser("U1", niveau="UO", sous=monde.s.identifiant, territoire="Saint-Denis")
        .poser("U2", niveau="", sous="absente")
    )
    trouvees = erreurs(dossier, monde.referent, feuille.octets())
    assert {(ligne, colonne) for ligne, colonne, _ in trouvees} == {
        (6, "Activités opérationnelles"), (6, "Âge minimum"), (6, "Champ d’activité"),
        (5, "Activités opérationnelles"), (5, "Niveau"),
        (7, "Identifiant"),
        (8, "Rattachement"), (8, "Territoire d’intervention"),
        (9, "Niveau"), (9, "Rattachement"),
    }  # fmt: skip
    raisons = " ".join(raison for *_, raison in trouvees)
    for mots in ("« 999 » n’est ni un code ni un libellé", "« seize »", "n’est pas une fiche de cet établissement",
                 "ne peut être que sous un niveau UF", "plusieurs communes"):  # fmt: skip
        assert mots in raisons


def test_la_fiche_d_un_autre_etablissement_n_est_pas_revelee(monde, dossier):
    ailleurs = repertoire.uo(repertoire.uf(repertoire.service(repertoire.pole(monde.ailleurs))))
    for identifiant in (ailleurs.identifiant, "11/9999998", monde.ailleurs.identifiant):
        octets = en_csv([["Identifiant", "Niveau", "Nom"], [identifiant, "UO", "Prise"]])
        [(ligne, colonne, raison), *_] = erreurs(dossier, monde.referent, octets)
        assert (ligne, colonne) == (2, "Identifiant")
        assert raison == f"« {identifiant} » n’est pas une fiche de cet établissement."


@pytest.mark.parametrize(
    ("rangees", "attendu"),
    [
        ([["Identifiant", "Niveau", "Couleur"], ["X", "UO", "bleu"]], (1, "Couleur")),
        ([["Identifiant", "Nom"], ["X", "Y"]], (1, "Niveau")),
        ([["Identifiant", "Niveau", "Nom", "Nom"], ["X", "P", "a", "b"]], (1, "Nom")),
        ([["Identifiant", "Niveau"]], (2, "")),
        ([["", "Niveau"], ["X", "P"]], (1, "Identifiant")),
    ],
)
def test_entetes(monde, dossier, rangees, attendu):
    assert attendu in {(ligne, colonne) for ligne, colonne, _ in erreurs(dossier, monde.referent, en_csv(rangees))}


def test_deux_lignes_d_une_fiche(monde, dossier):
    octets = en_csv([["Identifiant", "Niveau"], *[[monde.uo.identifiant, "UO"]] * 2])
    assert (3, "Identifiant", f"« {monde.uo.identifiant} » est déjà à la ligne 2.") in erreurs(
        dossier, monde.referent, octets
    )


def test_rien_sous_ce_que_le_fichier_supprime(monde, dossier):
    feuille = (
        Feuille(dossier)
        .poser(monde.s.identifiant, action="supprimer")
        .poser("U1", niveau="UO", sous=monde.uf.identifiant, nom="Perdue")
    )
    trouvees = erreurs(dossier, monde.referent, feuille.octets())
    assert trouvees == [(7, "Rattachement", "ce fichier supprime la fiche à laquelle celle-ci est rattachée.")]


def test_un_type_d_un_autre_champ(monde, dossier):
    feuille = Feuille(dossier).poser(monde.uo.identifiant, type_uo="08")
    [(ligne, colonne, raison)] = erreurs(dossier, monde.referent, feuille.octets())
    assert (ligne, colonne, raison) == (6, "Type d’UO", "choisissez un type du même champ d’activité que l’unité.")


@pytest.mark.parametrize("colonne", ["Équipements", "Capacités"])
def test_un_nombre_se_lit_d_un_trait_dans_un_texte_demesure(monde, dossier, colonne):
    feuille = Feuille(dossier).poser(monde.uo.identifiant, **{colonne: f"a:{' ' * 32_000}x"})
    octets, debut = feuille.octets(), process_time()
    [(ligne, ou, raison)] = erreurs(dossier, monde.referent, octets)
    assert process_time() - debut < 5
    assert (ligne, ou) == (6, colonne)
    assert raison.endswith("compte 32003 caractères ; 2000 au plus.")


def test_un_repere_ne_prend_pas_la_place_d_une_ligne_sans_repere(monde, dossier):
    octets = en_csv([
        ["Identifiant", "Niveau", "Rattachement", "Nom"],
        ["ligne 3", "P", monde.eg.identifiant, "Pôle Un"],
        ["", "P", monde.eg.identifiant, "Pôle Deux"],
        ["", "S", "ligne 3", "Service du Un"],
    ])  # fmt: skip
    reprendre(dossier, monde.referent, octets)
    travaux = {t.patch["nom"]: t for t in dossier.fiches.all()}
    assert travaux["Service du Un"].patch["parent"] == travaux["Pôle Un"].fiche_id


def test_une_ligne_sans_nom_ni_repere_se_lit_dans_l_apercu(monde, dossier):
    proposition = deposer(dossier, monde.referent, en_csv([["Identifiant", "Niveau", "Rattachement"],
                                                           ["", "P", monde.eg.identifiant]]))  # fmt: skip
    page = client(monde.referent).get(url(dossier, f"fichier/{proposition.pk}/")).content.decode()
    assert "(ligne 2)" in page


def test_la_lecture_s_arrete_apres_les_erreurs_que_l_on_montre(monde, dossier):
    rangees = [["", "UO", monde.uf.identifiant, "seize"] for _ in range(ERREURS_MAXIMALES + 50)]
    octets = en_csv([["Identifiant", "Niveau", "Rattachement", "Âge minimum"], *rangees])
    assert len(erreurs(dossier, monde.referent, octets)) == ERREURS_MAXIMALES
    page = envoyer(client(monde.referent), dossier, octets).content.decode()
    assert "Le fichier contient au moins 300 erreurs" in page
    assert page.count('<td data-titre="Ligne">') == ERREURS_MAXIMALES


def test_une_chaine_de_lignes_refusees_ne_se_remonte_pas(monde, dossier):
    rangees = [[f"p{rang}", "P", f"p{rang + 1}"] for rang in range(ERREURS_MAXIMALES - 2)]
    rangees += [[f"p{len(rangees)}", "P", monde.s.identifiant], [monde.s.identifiant, "", "", "supprimer"]]
    octets = en_csv([["Identifiant", "Niveau", "Rattachement", "Action"], *rangees])
    assert {raison for *_, raison in erreurs(dossier, monde.referent, octets)} == {
        "une fiche de niveau P ne peut être que sous un niveau EG."
    }


def test_une_version_modifiee(monde, dossier):
    for version in ("n’importe quoi", "9/9.9/2026-01-01", "0/x/hier", f"{'9' * 30}/1.0/2026-01-01"):
        feuille = Feuille(dossier).poser(monde.uo.identifiant, nom="Autre", version=version)
        assert erreurs(dossier, monde.referent, feuille.octets())[0][:2] == (6, "Version")
