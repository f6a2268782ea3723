"""« Remplir depuis un fichier »: what the template says, what a file changes, and every file that can't be trusted."""

import csv
import io
import zipfile
from datetime import date, timedelta
from itertools import count
from time import process_time
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openpyxl import Workbook, load_workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from backoffice.socle.erreurs import Conflit, Interdit, Introuvable, Invalide
from structures.exports import FORMATS, ecrire_classeur
from structures.importations.lecture import FichierRefuse
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from workflows.domaine import annulation, decisions, gestes
from workflows.domaine.fichier import tableau
from workflows.domaine.fichier.analyse import ERREURS_MAXIMALES
from workflows.domaine.fichier.appliquer import FichierEnErreur, appliquer_proposition, proposer
from workflows.domaine.fichier.gabarit import feuilles, lignes
from workflows.enums import EtatFiche, Nature
from workflows.models import Dossier, Evenement, Proposition

from .ecrans import url

pytestmark = pytest.mark.django_db


def en_csv(rangees: list[list[Any]], separateur: str = ";") -> bytes:
    tampon = io.StringIO()
    csv.writer(tampon, delimiter=separateur).writerows(rangees)
    return tampon.getvalue().encode()


def gabarit(dossier: Dossier) -> list[list[Any]]:
    return [list(ligne) for ligne in lignes(dossier)]


class Feuille:
    """The template as a person changes it: cells by identifier and column."""

    def __init__(self, dossier: Dossier) -> None:
        self.rangees = gabarit(dossier)

    @property
    def titres(self) -> list[str]:
        return self.rangees[0]

    def poser(self, identifiant: str, **cellules: Any) -> "Feuille":
        rangee = next((r for r in self.rangees if r[0] == identifiant), None)
        if rangee is None:
            rangee = [identifiant, *[""] * (len(self.titres) - 1)]
            self.rangees.append(rangee)
        for titre, contenu in cellules.items():
            rangee[self.titres.index(TITRES.get(titre, titre))] = contenu
        return self

    def lire(self, identifiant: str, titre: str) -> Any:
        return next(r for r in self.rangees if r[0] == identifiant)[self.titres.index(titre)]

    def octets(self) -> bytes:
        return en_csv(self.rangees)


TITRES = {
    "niveau": "Niveau", "sous": "Rattachement", "action": "Action", "nom": "Nom",
    "activites": "Activités opérationnelles",
    "type_uo": "Type d’UO", "champ": "Champ d’activité", "mode": "Mode de prise en charge", "age_min": "Âge minimum",
    "conditions": "Conditions d’admission", "territoire": "Territoire d’intervention", "version": "Version",
}  # fmt: skip


def deposer(dossier: Dossier, acteur: Any, octets: bytes, nom: str = "essai.csv") -> Proposition:
    return proposer(numero=dossier.pk, acteur=acteur, nom=nom, flux=io.BytesIO(octets), taille=len(octets))


def reprendre(dossier: Dossier, acteur: Any, octets: bytes, *prendre: str) -> Evenement:
    proposition = deposer(dossier, acteur, octets)
    return appliquer_proposition(numero=dossier.pk, acteur=acteur, proposition=proposition.pk, prendre=prendre)


def erreurs(dossier: Dossier, acteur: Any, octets: bytes) -> list[tuple[int, str, str]]:
    with pytest.raises(FichierEnErreur) as refus:
        deposer(dossier, acteur, octets)
    assert not Proposition.objects.exists()
    return [(e.ligne, e.colonne, e.raison) for e in refus.value.erreurs]


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
    with pytest.raises(Invalide, match="ne change rien"):
        deposer(dossier, monde.referent, octets)


def test_le_classeur_explique_et_donne_les_valeurs(dossier):
    tampon = io.BytesIO()
    ecrire_classeur(feuilles(dossier), tampon)
    classeur = load_workbook(tampon)
    assert classeur.sheetnames == ["Fiches", "Mode d’emploi", "Valeurs"]
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


# -- somebody was there meanwhile --------------------------------------------------------------------


def test_ce_qui_a_change_depuis_le_gabarit_se_fusionne_champ_par_champ(monde, dossier):
    feuille = Feuille(dossier)
    repertoire.direct(monde.uo, monde.direction, {"conditions_admission": "Du répertoire", "age_max": 90})
    fabrique.modifier(dossier, monde.collegue, monde.uo.pk, nom="Unité de la collègue", finaliser=False)
    feuille.poser(monde.uo.identifiant, nom="Unité du fichier", conditions="Du fichier", activites="013 | 014")
    [ligne] = deposer(dossier, monde.referent, feuille.octets()).lignes
    assert ligne["patch"] == {"activites": {"ajoute": ["014"]}}
    assert ligne["heurts"] == {"nom": "Unité du fichier", "conditions_admission": "Du fichier"}
    reprendre(dossier, monde.referent, feuille.octets(), f"{ligne['ligne']}:conditions_admission")
    assert dossier.fiches.get(fiche=monde.uo).patch == {
        "nom": "Unité de la collègue", "conditions_admission": "Du fichier", "activites": {"ajoute": ["014"]},
    }  # fmt: skip


def test_un_apercu_depasse_n_est_pas_applique(monde, dossier):
    proposition = deposer(
        dossier, monde.referent, Feuille(dossier).poser(monde.uo.identifiant, nom="Du fichier").octets()
    )
    fabrique.modifier(dossier, monde.collegue, monde.uo.pk, nom="De la collègue", finaliser=False)
    with pytest.raises(Conflit, match="collegue"):
        appliquer_proposition(numero=dossier.pk, acteur=monde.referent, proposition=proposition.pk)
    assert dossier.fiches.get().patch == {"nom": "De la collègue"}


def test_une_suppression_n_emporte_que_ce_que_l_apercu_a_nomme(monde, dossier):
    page, proposition = apercu_d_une_suppression(monde, dossier)
    assert f'<span class="niveau niveau-UO">UO</span> {repertoire.contenu(monde.uo).nom}</li>' in page
    fabrique.nouvelle(dossier, monde.collegue, monde.uf.pk, "Unité de la collègue")
    reponse = client(monde.referent).post(url(dossier, f"fichier/{proposition.pk}/"))
    page = reponse.content.decode()
    assert reponse.status_code == 409
    assert "que la suppression de la ligne 5 emporterait, a été ajoutée ou modifiée" in page
    assert "Reprendre ces changements" not in page
    assert [t.patch["nom"] for t in dossier.fiches.all()] == ["Unité de la collègue"]


def test_une_suppression_n_emporte_pas_ce_que_quelqu_un_a_enregistre_depuis(monde, dossier):
    _, proposition = apercu_d_une_suppression(monde, dossier)
    fabrique.modifier(dossier, monde.collegue, monde.uo.pk, nom="De la collègue", finaliser=False)
    with pytest.raises(Conflit, match=r"« De la collègue », .* par .*collegue"):
        appliquer_proposition(numero=dossier.pk, acteur=monde.referent, proposition=proposition.pk)
    assert dossier.fiches.get().patch == {"nom": "De la collègue"}


def test_une_suppression_emporte_moins_quand_quelqu_un_a_mis_une_fiche_a_l_abri(monde, dossier):
    abri = repertoire.uf(monde.s, "UF à l’abri")
    _, proposition = apercu_d_une_suppression(monde, dossier)
    gestes.deplacer(numero=dossier.pk, acteur=monde.collegue, fiches=[monde.uo.pk], parent=abri.pk)
    appliquer_proposition(numero=dossier.pk, acteur=monde.referent, proposition=proposition.pk)
    assert {t.fiche_id: t.nature for t in dossier.fiches.all()} == {
        monde.uf.pk: Nature.SUPPRESSION, monde.uo.pk: Nature.DEPLACEMENT,
    }  # fmt: skip


def apercu_d_une_suppression(monde: Any, dossier: Dossier) -> tuple[str, Proposition]:
    """The preview of a file that deletes the UF, as it is read."""
    feuille = Feuille(dossier).poser(monde.uf.identifiant, action="supprimer")
    proposition = deposer(dossier, monde.referent, feuille.octets())
    return client(monde.referent).get(url(dossier, f"fichier/{proposition.pk}/")).content.decode(), proposition


def test_une_fiche_publiee_n_est_pas_perdue_avec_la_nouvelle_qui_l_accueille(monde, dossier):
    [neuve] = fabrique.nouvelles(dossier, monde.referent, monde.s.pk)
    gestes.deplacer(numero=dossier.pk, acteur=monde.referent, fiches=[monde.uo.pk], parent=neuve.pk)
    nom = repertoire.contenu(monde.uo).nom

    def feuille() -> Feuille:
        return Feuille(dossier).poser(neuve.identifiant, action="supprimer")

    [(_, colonne, raison)] = erreurs(dossier, monde.referent, feuille().octets())
    assert colonne == "Action"
    assert raison == f"« {nom} » a été déplacée sous cette nouvelle fiche : déplacez-la d’abord ailleurs."
    ferme = feuille().poser(monde.uo.identifiant, action="supprimer")
    assert len(deposer(dossier, monde.referent, ferme.octets()).lignes) == 2
    reprendre(dossier, monde.referent, feuille().poser(monde.uo.identifiant, sous=monde.uf.identifiant).octets())
    assert not dossier.fiches.exists()


def test_une_fois_et_par_son_auteur(monde, dossier):
    proposition = deposer(
        dossier, monde.referent, Feuille(dossier).poser(monde.uo.identifiant, nom="Du fichier").octets()
    )

    def appliquer(acteur: Any, numero: int = dossier.pk) -> Evenement:
        return appliquer_proposition(numero=numero, acteur=acteur, proposition=proposition.pk)

    with pytest.raises(Interdit):
        appliquer(monde.collegue)
    ailleurs = fabrique.brouillon(monde.ailleurs, monde.voisin)
    with pytest.raises(Introuvable):
        appliquer(monde.voisin, ailleurs.pk)
    appliquer(monde.referent)
    with pytest.raises(Conflit, match="déjà été repris"):
        appliquer(monde.referent)


def test_autant_de_requetes_pour_un_gabarit_que_pour_trois(monde, dossier):
    """Each row may come from a template of another day."""
    unites = [monde.uo, *(repertoire.uo(monde.uf, f"Unité {rang}") for rang in range(2))]
    donnee = Feuille(dossier)
    for unite in unites:
        repertoire.direct(unite, monde.direction, {"age_max": 90})

    def compter(nombre: int) -> int:
        feuille = Feuille(dossier)
        for rang, unite in enumerate(unites[:nombre]):
            revision, jeton, _ = donnee.lire(unite.identifiant, "Version").split("/")
            jour = timezone.localdate() - timedelta(days=rang)
            feuille.poser(unite.identifiant, nom=f"Renommée {rang}", version=f"{revision}/{jeton}/{jour}")
        with CaptureQueriesContext(connection) as vues:
            assert len(deposer(dossier, monde.referent, feuille.octets()).lignes) == nombre
        return len(vues)

    assert compter(1) == compter(3)


def test_un_dossier_envoye_ne_se_remplit_plus(monde, dossier):
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    octets = Feuille(dossier).poser(monde.uo.identifiant, nom="Du fichier").octets()
    fabrique.envoye(dossier, monde.referent)
    with pytest.raises(Conflit):
        deposer(dossier, monde.referent, octets)
    decisions.retirer(numero=dossier.pk, acteur=monde.referent)
    assert deposer(dossier, monde.referent, octets).lignes


# -- errors ------------------------------------------------------------------------------------------


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


# -- files that can't be trusted ---------------------------------------------------------------------


def classeur(rangees: list[list[Any]]) -> bytes:
    livre = Workbook()
    for rangee in rangees:
        livre.active.append(rangee)
    tampon = io.BytesIO()
    livre.save(tampon)
    return tampon.getvalue()


def paquet(**entrees: bytes) -> bytes:
    tampon = io.BytesIO()
    with zipfile.ZipFile(tampon, "w", zipfile.ZIP_DEFLATED) as zip_:
        for nom, contenu in entrees.items():
            zip_.writestr(nom.replace("__", "/").replace("_xml", ".xml").replace("_bin", ".bin"), contenu)
    return tampon.getvalue()


def lire(octets: bytes) -> list[list[str]]:
    return tableau.lire(io.BytesIO(octets), len(octets))


ENTETE = ["Identifiant", "Niveau", "Nom"]
BON = classeur([ENTETE])
PIEGES = {
    "vide": (b"", "vide"),
    "binaire": (b"\x7fELF\x00\x01\x02", "texte"),
    "zip quelconque": (paquet(lisez_moi=b"bonjour"), "ni un classeur"),
    "tronqué": (BON[: len(BON) // 2], "abîmé ou tronqué"),
    "XML cassé": (paquet(xl__workbook_xml=b"<workbook"), "abîmé ou tronqué"),
    "macros": (paquet(xl__workbook_xml=b"<a/>", xl__vbaProject_bin=b"x"), "macros"),
    "bombe": (paquet(xl__workbook_xml=b"0" * (tableau.DEPLIE_MAXIMAL + 1)), "démesuré"),
    "entités": (paquet(content_xml=b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), "XML"),
    "guillemet ouvert": (b'Identifiant;Niveau\n"N1;UO', "guillemet"),
    "encodages mêlés": ("Identifiant;é\n".encode() * 5 + "é".encode("latin-1"), "encodage"),
    "trop de lignes": (b"Identifiant;Niveau\n" + b"N;UO\n" * (tableau.LIGNES_MAXIMALES + 1), "lignes"),
}


@pytest.mark.parametrize("nom", PIEGES)
def test_fichiers_refuses(nom):
    octets, mot = PIEGES[nom]
    with pytest.raises(FichierRefuse, match=mot):
        lire(octets)


ODS = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
    ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
    '<table:table table:name="Fiches">{}</table:table></office:spreadsheet></office:body></office:document-content>'
)
RANGEE = (
    '<table:table-row table:number-rows-repeated="{}"><table:table-cell table:number-columns-repeated="{}"><text:p>{}'
    "</text:p></table:table-cell></table:table-row>"
)
DOCTYPE = '<!DOCTYPE a [<!ENTITY b "c">]>'


def ods(contenu: str) -> bytes:
    return paquet(content_xml=ODS.format(contenu).encode())


def xlsx(cible: str = "feuille.xml", feuille: str = "<worksheet/>", textes: str = "<sst/>") -> bytes:
    liens = "".join(
        f'<Relationship Id="{cle}" Type="http://x/{genre}" Target="{part}"/>'
        for cle, genre, part in (("r1", "worksheet", cible), ("r2", "sharedStrings", "textes.xml"))
    )
    return paquet(**{
        "xl/workbook.xml": b'<workbook xmlns:r="urn:r"><sheets><sheet name="Fiches" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f"<Relationships>{liens}</Relationships>".encode(),
        "xl/textes.xml": textes.encode(),
        f"xl/{cible}": feuille.encode(),
    })  # fmt: skip


def test_une_cellule_repetee_se_lit_une_fois_et_se_compte_avant(monkeypatch):
    lues = []
    monkeypatch.setattr(tableau, "en_texte", lambda brut: lues.append(brut) or brut)
    assert lire(ods(RANGEE.format(1000, 200, "x"))) == [["x"] * tableau.COLONNES_MAXIMALES] * 1000
    with pytest.raises(FichierRefuse, match="plus de 5000 lignes"):
        lire(ods(RANGEE.format(6000, 200, "x" * 15_000)))
    with pytest.raises(FichierRefuse, match="trop de texte"):
        lire(ods(RANGEE.format(4000, 200, "x" * 15_000)))
    assert len(lues) == 3


def test_les_elements_se_comptent_avant_d_etre_lus(monkeypatch):
    monkeypatch.setattr(tableau, "ELEMENTS_MAXIMAUX", 1000)
    monkeypatch.setattr(tableau.ElementTree, "iterparse", lambda *_: pytest.fail("lu avant d’être compté"))
    with pytest.raises(FichierRefuse, match="démesuré"):
        lire(ods("<a/>" * 1001))
    monkeypatch.undo()
    monkeypatch.setattr(tableau, "ELEMENTS_MAXIMAUX", 1000)
    monkeypatch.setattr(tableau, "_texte_xlsx", lambda _: pytest.fail("lu avant d’être compté"))
    with pytest.raises(FichierRefuse, match="démesuré"):
        lire(xlsx(textes=f"<sst>{'<si/>' * 1000}</sst>"))
    with pytest.raises(FichierRefuse, match="démesuré"):
        lire(ods("<a>" * 60 + "</a>" * 60))


def test_rien_ne_reste_de_ce_qui_a_ete_lu():
    lecture = tableau._Paquet(io.BytesIO(ods(RANGEE.format(1, 1, "x") * 5000 + "<a/>" * 5000)))
    restes = [e for evenement, e in lecture.lire("content.xml", {"table-row"}) if evenement == "start"]
    assert len(restes) == 10_004
    assert sum(len(e) for e in restes if not e.tag.endswith("table-row")) == 0


def test_cinq_mille_fiches_pleines_tiennent(dossier):
    """A hundred fiches with every cell filled, fifty times."""
    titres = gabarit(dossier)[0]
    rangees = [[f"Cellule {rang} et son texte à dire" for _ in titres] for rang in range(100)]
    for format_ in ("xlsx", "ods"):
        tampon = io.BytesIO()
        FORMATS[format_].ecrire(rangees, tampon, "Fiches")
        assert lire(tampon.getvalue()) == rangees
        entrees = zipfile.ZipFile(tampon)
        contenus = [entrees.read(nom) for nom in entrees.namelist()]
        assert 50 * sum(map(len, contenus)) < tableau.DEPLIE_MAXIMAL
        assert 50 * sum(c.count(b"<") - c.count(b"</") for c in contenus) < tableau.ELEMENTS_MAXIMAUX


@pytest.mark.parametrize(
    "octets",
    [
        paquet(content_xml=f'<?xml version="1.0" encoding="UTF-16"?>{DOCTYPE}<a>&b;</a>'.encode("utf-16")),
        xlsx("feuille.bin", f"{DOCTYPE}<worksheet/>"),
        xlsx(textes=f"{DOCTYPE}<sst/>"),
    ],
    ids=["UTF-16", "feuille sans nom de XML", "textes partagés"],
)
def test_aucune_entite_quels_que_soient_l_encodage_et_le_nom(octets):
    with pytest.raises(FichierRefuse, match="définitions XML"):
        lire(octets)


def test_les_lignes_gardent_leur_numero():
    vides = RANGEE.format(2, 1, "") + RANGEE.format(1, 1, "x")
    assert lire(ods(vides + RANGEE.format(1_000_000, 1, ""))) == [[], [], ["x"]]
    assert lire(xlsx(feuille='<w><row r="3"><c r="B3"><v>7</v></c></row><row r="1048576"/></w>')) == [
        [], [], ["", "7"],
    ]  # fmt: skip
    for desordre in ('<row r="2"><c r="A2"><v>7</v></c></row>' * 2, '<row><c r="B1"/><c r="A1"/></row>'):
        with pytest.raises(FichierRefuse):
            lire(xlsx(feuille=f"<w>{desordre}</w>"))


def test_les_valeurs_d_un_classeur_xlsx():
    livre = Workbook()
    livre.active.append(["Une autre feuille"])
    feuille = livre.create_sheet("Fiches")
    riche = CellRichText("Deux ", TextBlock(InlineFont(b=True), "styles"))
    feuille.append(["  texte ", 13, 13.5, True, date(2027, 3, 31), None, riche, "=1+1"])
    feuille["A3"] = 999_999_999
    feuille["A3"].number_format = "dd/mm/yyyy"
    tampon = io.BytesIO()
    livre.save(tampon)
    premiere, vide, troisieme = lire(tampon.getvalue())
    assert premiere == ["texte", "13", "13.5", "oui", "31/03/2027", "", "Deux styles", "=1+1"]
    assert isinstance(premiere[-1], tableau.Formule)
    assert (vide, troisieme) == ([], ["999999999"])


def test_cent_megaoctets_ne_sont_pas_lus():
    with pytest.raises(FichierRefuse, match="100 Mo ; 10 Mo au plus"):
        tableau.lire(io.BytesIO(b"x"), 100 * 1024 * 1024)


@pytest.mark.parametrize("separateur", [";", ",", "\t"])
@pytest.mark.parametrize("encodage", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_separateurs_et_encodages_des_tableurs(separateur, encodage):
    texte = f"Identifiant{separateur}Niveau{separateur}Nom\nN1{separateur}UO{separateur}Unité d’été\n"
    assert lire(texte.encode(encodage)) == [ENTETE, ["N1", "UO", "Unité d’été"]]


def test_une_formule_est_refusee_a_sa_place(monde, dossier):
    octets = classeur([[*ENTETE, "Rattachement"], [monde.uo.identifiant, "UO", "=1+1", ""]])
    assert erreurs(dossier, monde.referent, octets) == [
        (2, "Nom", "la cellule contient une formule : remplacez-la par sa valeur.")
    ]


def test_un_texte_qui_ressemble_a_une_formule_reste_du_texte():
    rangees = [ENTETE, ["N1", "UO", "=HYPERLINK(1)"]]
    for format_ in ("xlsx", "ods"):
        tampon = io.BytesIO()
        FORMATS[format_].ecrire(rangees, tampon, "Fiches")
        assert lire(tampon.getvalue()) == rangees
        assert not isinstance(lire(tampon.getvalue())[1][2], tableau.Formule)
    assert lire(en_csv([ENTETE, ["N1", "UO", "'=HYPERLINK(1)"]])) == rangees


# -- the screens -------------------------------------------------------------------------------------


def client(user: Any) -> Client:
    navigateur = Client()
    navigateur.force_login(user)
    return navigateur


def envoyer(navigateur: Client, dossier: Dossier, octets: bytes, nom: str = "essai.csv") -> Any:
    return navigateur.post(url(dossier, "fichier/"), {"fichier": SimpleUploadedFile(nom, octets)})


def test_deposer_voir_confirmer(monde, dossier):
    navigateur = client(monde.referent)
    assert "Gabarit XLSX" in navigateur.get(url(dossier, "fichier/")).content.decode()
    feuille = Feuille(dossier).poser(monde.uo.identifiant, nom="Unité <b>du</b> fichier")
    feuille.poser("U1", niveau="UO", sous=monde.uf.identifiant, nom="Unité neuve")
    suite = envoyer(navigateur, dossier, feuille.octets())
    assert suite.status_code == 302
    page = navigateur.get(suite["Location"]).content.decode()
    for mots in ("2 lignes à reprendre", "Unité neuve", "&lt;b&gt;", "Reprendre ces changements"):
        assert mots in page
    assert not dossier.fiches.exists()  # nothing before the confirmation
    assert client(monde.collegue).post(suite["Location"]).status_code == 403
    assert client(monde.collegue).get(suite["Location"]).status_code == 200
    assert client(monde.voisin).get(suite["Location"]).status_code == 404
    assert navigateur.post(suite["Location"])["Location"] == url(dossier)
    assert {t.patch["nom"] for t in dossier.fiches.all()} == {"Unité <b>du</b> fichier", "Unité neuve"}
    assert "essai.csv" in navigateur.get(url(dossier, "journal/")).content.decode()
    assert "Ce fichier a été repris" in navigateur.get(suite["Location"]).content.decode()


def test_les_erreurs_sont_un_tableau_et_rien_n_est_garde(monde, dossier):
    navigateur = client(monde.referent)
    reponse = envoyer(navigateur, dossier, Feuille(dossier).poser(monde.uo.identifiant, age_min="seize").octets())
    page = reponse.content.decode()
    assert reponse.status_code == 422
    assert '<td data-titre="Ligne">6</td><td data-titre="Colonne">Âge minimum</td>' in page
    assert navigateur.post(url(dossier, "fichier/")).status_code == 422
    assert envoyer(navigateur, dossier, PIEGES["macros"][0], "piege.xlsx").status_code == 422
    assert not Proposition.objects.exists()


def test_autant_de_requetes_pour_une_ligne_que_pour_dix(monde, dossier):
    navigateur = client(monde.referent)
    unites = [repertoire.uo(monde.uf, f"Unité {rang}") for rang in range(4)]
    navigateur.get(url(dossier))

    noms = count()

    def compter(nombre: int) -> list[int]:
        feuille = Feuille(dossier)
        for rang in range(nombre):
            feuille.poser(
                unites[rang].identifiant, nom=f"Renommée {next(noms)}", activites="013 | 014", territoire="Vanves (92)"
            )
            feuille.poser(f"U{rang}", niveau="UO", sous=monde.uf.identifiant, nom=f"Neuve {rang}", type_uo="149")
        comptes = []
        for adresse, methode in ((None, None), ("GET", "get"), ("POST", "post")):
            with CaptureQueriesContext(connection) as vues:
                if adresse is None:
                    suite = envoyer(navigateur, dossier, feuille.octets())["Location"]
                else:
                    assert getattr(navigateur, methode)(suite).status_code in (200, 302)
            comptes.append(len(vues))
        return comptes

    compter(1)  # the first change of a dossier opens more
    assert compter(1) == compter(3)
