"""« Remplir depuis un fichier »: what the template says, what a file changes."""

import io

import pytest
from openpyxl import load_workbook

from backoffice.exports.fichiers import ecrire_classeur
from backoffice.socle.erreurs import Invalide
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from tests.navigation import client
from workflows.domaine import annulation
from workflows.domaine.apercu import apercu
from workflows.domaine.fichier.appliquer import FichierEnErreur
from workflows.domaine.fichier.gabarit import feuilles
from workflows.enums import EtatFiche, Nature

from .ecrans import url
from .feuille import Feuille, deposer, en_csv, erreurs, reprendre

pytestmark = pytest.mark.django_db

SEMAINE = {"01/2026-01-05": {"1": [["08:00", "12:00"], ["14:00", "24:00"]], "3": [["09:00", "10:00"]]}}
CONTACTS = {
    "c1": {
        "nature": "01", "nom": "", "fonction": "", "confidentialite": "2",
        "telecoms": [
            {"canal": "2", "valeur": "01 02 03 04 05", "confidentialite": "2"},
            {"canal": "3", "valeur": "a@b.fr", "confidentialite": "3"},
        ],
    },
    "c2": {"nature": "", "nom": "Ada Martin", "fonction": "01", "confidentialite": "3", "telecoms": []},
}  # fmt: skip


# -- the template ------------------------------------------------------------------------------------


def test_le_gabarit_rend_l_arbre_du_dossier(monde, dossier):
    neuve = fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Unité neuve")
    feuille = Feuille(dossier)
    assert [(r[0], r[1], r[2]) for r in feuille.rangees[1:]] == [
        (monde.eg.identifiant, "EG", ""),
        (monde.p.identifiant, "P", monde.eg.identifiant),
        (monde.s.identifiant, "S", monde.p.identifiant),
        (monde.uf.identifiant, "UF", monde.s.identifiant),
        (monde.uo.identifiant, "UO", monde.uf.identifiant),
        (neuve.identifiant, "UO", monde.uf.identifiant),
    ]
    assert feuille.lire(monde.uo.identifiant, "Activités opérationnelles").endswith("[013]")
    assert feuille.lire(monde.uo.identifiant, "Âge minimum") == 16


@pytest.mark.parametrize("format_", ["xlsx", "ods", "csv"])
def test_le_gabarit_tel_quel_ne_change_rien(monde, dossier, format_):
    fabrique.modifier(
        dossier, monde.referent, monde.uo.pk, conditions_admission="=1+1\nSur rendez-vous.",
        territoire=frozenset(["75113", "92075"]), boites_mssante=frozenset(["a@b.mssante.fr"]),
        capacites={"autre-cle": {"nature": "01", "statut": "01", "nombre": 12}}, equipements={"009": 2},
        horaires=SEMAINE, contacts=CONTACTS,
    )  # fmt: skip
    navigateur = client(monde.referent)
    reponse = navigateur.get(url(dossier, f"fichier/gabarit/?format={format_}"))
    octets = b"".join(reponse.streaming_content)
    # True too of a file that holds what has been changed since.
    with pytest.raises(Invalide, match="ne change rien : ses cellules disent ce qu’elles disaient"):
        deposer(dossier, monde.referent, octets)


def test_le_classeur_explique_et_donne_les_valeurs(dossier):
    tampon = io.BytesIO()
    ecrire_classeur(feuilles(apercu(dossier)), tampon)
    classeur = load_workbook(tampon)
    assert classeur.sheetnames == ["Fiches", "Mode d’emploi", "Valeurs"]
    explique = dict(classeur["Mode d’emploi"].iter_rows(values_only=True))
    colonnes = {
        mot[19:].split(" (")[0]: set(dit[:-1].split(", ")) for mot, dit in explique.items() if "du niveau" in mot
    }
    assert list(colonnes) == ["EG", "P", "S", "UF", "UO"]
    assert "Type d’UO" in colonnes["UO"] - colonnes["UF"]
    assert set.union(*colonnes.values()) == {c.value for c in classeur["Fiches"][1][4:-1]}
    valeurs = set(classeur["Valeurs"].iter_rows(values_only=True))
    assert any(colonne == "Type d’UO" and valeur.endswith("[149]") for colonne, valeur in valeurs)


# -- what a file changes -----------------------------------------------------------------------------


def test_un_type_amene_son_champ_dans_le_fichier_comme_dans_le_formulaire(monde, dossier):
    """On a new fiche that had another champ; refused beside one that the same save gives, and on a published one."""
    du_fichier, du_formulaire = fabrique.nouvelles(dossier, monde.referent, monde.uf.pk, 2)
    for fiche in (du_fichier, du_formulaire):
        fabrique.enregistrer(dossier, monde.referent, fiche.pk, {"type_uo": "149"}, finaliser=False)
        assert fabrique.travail(dossier, fiche.pk).patch["champ_activite"] == "01"
    reprendre(dossier, monde.referent, Feuille(dossier).poser(du_fichier.identifiant, type_uo="08").octets())
    fabrique.enregistrer(dossier, monde.referent, du_formulaire.pk, {"type_uo": "08"}, finaliser=False)
    assert [fabrique.travail(dossier, f.pk).patch["champ_activite"] for f in (du_fichier, du_formulaire)] == ["04"] * 2
    with pytest.raises(Invalide, match="même champ"):
        fabrique.enregistrer(dossier, monde.referent, monde.uo.pk, {"type_uo": "08"}, finaliser=False)
    with pytest.raises(FichierEnErreur):
        reprendre(dossier, monde.referent, Feuille(dossier).poser(monde.uo.identifiant, type_uo="08").octets())


def test_modifier_deplacer_creer_supprimer_en_un_geste(monde, dossier):
    autre = repertoire.uo(monde.uf, "Unité à fermer")
    feuille = (
        Feuille(dossier)
        .poser(monde.uo.identifiant, nom="Unité renommée", activites="013 | 014", age_min="18")
        .poser(autre.identifiant, action="supprimer")
        .poser("U1", niveau="UO", sous="F1", nom="Unité du fichier", type_uo="149", conditions="Sur dossier.")
        .poser("F1", niveau="UF", sous="S1", nom="UF du fichier")
        .poser("S1", niveau="Service", sous="P1", nom="Service du fichier", action="créer")
        .poser("P1", niveau="Pôle", sous=monde.eg.identifiant, nom="Pôle du fichier")
        .poser(monde.uf.identifiant, sous="S1")
    )
    evenement = reprendre(dossier, monde.referent, feuille.octets())
    assert evenement.details == {"fichier": "essai.csv", "creees": 4, "nombre": 7}
    travaux = {t.patch.get("nom", ""): t for t in dossier.fiches.select_related("fiche")}
    pole, service = travaux["Pôle du fichier"], travaux["Service du fichier"]
    uf, uo = travaux["UF du fichier"], travaux["Unité du fichier"]
    assert [t.patch["parent"] for t in (pole, service, uf, uo)] == [
        monde.eg.pk, pole.fiche_id, service.fiche_id, uf.fiche_id,
    ]  # fmt: skip
    assert [t.fiche.identifiant for t in (pole, service, uf, uo)] == sorted(
        t.fiche.identifiant for t in (pole, service, uf, uo)
    )
    assert uo.patch == {
        "existe": True, "parent": uf.fiche_id, "nom": "Unité du fichier", "type_uo": "149", "champ_activite": "01",
        "conditions_admission": "Sur dossier.", "age_min_unite": "an", "age_max_unite": "an",
    }  # fmt: skip
    assert travaux["Unité renommée"].patch == {
        "nom": "Unité renommée", "activites": {"ajoute": ["014"]}, "age_min": 18,
    }  # fmt: skip
    assert dossier.fiches.get(fiche=monde.uf).patch == {"parent": service.fiche_id}
    assert dossier.fiches.get(fiche=autre).nature == Nature.SUPPRESSION
    assert {t.etat for t in dossier.fiches.exclude(fiche=autre)} == {EtatFiche.EN_ATTENTE}
    annulation.defaire(numero=dossier.pk, acteur=monde.referent, geste=evenement.geste.pk)
    assert not dossier.fiches.exists()


def test_codes_libelles_et_nombres_devenus_sont_compris(monde, dossier):
    feuille = Feuille(dossier)
    texte = feuille.lire(monde.uo.identifiant, "Activités opérationnelles")
    libelle = texte.rpartition(" [")[0]
    for ecrit in ("13", libelle.upper(), texte, "[013]"):
        feuille.poser(monde.uo.identifiant, activites=f"{ecrit} | 014")
        proposition = deposer(dossier, monde.referent, feuille.octets())
        assert [ligne["patch"] for ligne in proposition.lignes] == [{"activites": {"ajoute": ["014"]}}]


def test_horaires_contacts_capacites_s_ecrivent_et_se_relisent(monde, dossier):
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, horaires=SEMAINE, contacts=CONTACTS, finaliser=False)
    feuille = Feuille(dossier)
    accueil = feuille.lire(monde.uo.identifiant, "Contacts").split(" | ")[0]
    feuille.poser(
        monde.uo.identifiant,
        Horaires="Horaire d'ouverture à partir du 5/1/2026 : lundi 8h00-12h00 14:00-24:00, mer 09:00-11:00",
        Contacts=f"{accueil} | Zoé Petit / 01 ; Accès restreint ; Téléphone fixe : 01 11 11 11 11 (3)",
        Capacités="Lit / installé : 12 | Place / Disponible : 3",
        Équipements="009 : 2",
    )
    [ligne] = deposer(dossier, monde.referent, feuille.octets()).lignes
    patch = ligne["patch"]
    assert patch["horaires"] == {
        "pose": {"01/2026-01-05": {"1": [["08:00", "12:00"], ["14:00", "24:00"]], "3": [["09:00", "11:00"]]}}
    }
    assert patch["capacites"] == {
        "pose": {
            "01-01": {"nature": "01", "statut": "01", "nombre": 12},
            "02-02": {"nature": "02", "statut": "02", "nombre": 3},
        }
    }
    assert patch["equipements"] == {"pose": {"009": 2}}
    [retire], [nouveau] = patch["contacts"]["retire"], patch["contacts"]["pose"].values()
    assert retire in CONTACTS
    assert nouveau == {
        "nature": "", "nom": "Zoé Petit", "fonction": "01", "confidentialite": "2",
        "telecoms": [{"canal": "2", "valeur": "01 11 11 11 11", "confidentialite": "3"}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("colonne", "texte"),
    [
        ("Horaires", "Ouverture le matin"),
        ("Horaires", "Horaire d'ouverture à partir du 05/01/2026 : lun matin"),
        ("Horaires", "Horaire d'ouverture à partir du 06/01/2026 : lun 08:00-12:00"),
        ("Horaires", "Horaire d'ouverture à partir du 05/01/2026 : lun 18:00-12:00"),
        ("Contacts", "Ada Martin"),
        ("Contacts", "Ada Martin / 01 ; Accès restreint ; 01 02 03"),
        ("Contacts", "Ada Martin / 01 ; Accès restreint ; Téléphone fixe : bonjour"),
        ("Capacités", "12 lits"),
        ("Équipements", "009 : beaucoup"),
    ],
)
def test_ce_qui_n_est_pas_ecrit_comme_il_faut(monde, dossier, colonne, texte):
    feuille = Feuille(dossier).poser(monde.uo.identifiant, **{colonne: texte})
    assert {(ligne, ou) for ligne, ou, _ in erreurs(dossier, monde.referent, feuille.octets())} == {(6, colonne)}


def test_ce_qui_est_absent_du_fichier_ne_change_pas(monde, dossier):
    octets = en_csv([["Identifiant", "Niveau", "Nom"], [monde.uo.identifiant, "UO", "Unité renommée"]])
    reprendre(dossier, monde.referent, octets)
    assert dossier.fiches.get().patch == {"nom": "Unité renommée"}
