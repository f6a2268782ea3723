"""FINESS in its other layouts: the JSON of 2026, the file of legal entities; what is closed, moved out or flagged."""

import gzip
import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from notifications.models import Envoi
from structures.domaine.enregistrer import ecarts, enregistrer
from structures.domaine.reserver import annoncer, ouvrir
from structures.enums import EtatImportation
from structures.importations import classement, depot
from structures.importations.controles import siren_valide
from structures.importations.deroulement import travailler
from structures.importations.lecture import FichierRefuse
from structures.importations.releve import Ligne, Position
from structures.models import DetailImportation, Fiche, Importation, RegleCategorie, Signalement

from .fabrique import aujourdhui, change, numero, personne
from .fichier_finess import (
    EG1,
    EG2,
    EG3,
    EJ1,
    EJ2,
    JOUR,
    actuelle,
    bilan,
    fiche,
    ligne,
    rien_ecrit,
    texte,
)

SIREN = numero("26010004")


def ege(finess: str = EG1, **plus: Any) -> dict[str, Any]:
    infos = {
        "egeId": finess, "numFinessEge": finess, "nomEgeCourt": f"RES {finess}", "nomEgeLong": f"RESIDENCE {finess}",
        "siret": "", "espic": ["1"], "dateOuverture": "2004-03-02", "dateFermeture": plus.pop("fermeture", ""),
    }  # fmt: skip
    adresse = {
        "numeroVoie": "12", "typeVoie": "AV", "libelleVoie": "DE PARIS", "cogCommune": "75107", "codePostal": "75007",
        "ligneAcheminement": "PARIS", "coordonneesGeographique": {
            "coordonneeX": "6860084.001", "coordonneeY": "658557.548", "directionLatitude": "48.8538",
            "directionLongitude": "2.3083"},
    }  # fmt: skip
    return {
        "informationsGeneralesEGE": infos | plus.pop("infos", {}), "categorieentiteGeographiqueExercice": "500",
        "modefixationtarifaire": {"code": "03", "system": "https://mos.esante.gouv.fr/NOS/…"}, "adresse": [adresse],
        "contact": [{"telecom": {"telephone": "01.47.02.02.35"}}], "etatObjet": "A", "evenement": [{"x": ["}]{"]}],
    } | plus  # fmt: skip


def pmej(*eges: dict[str, Any], finess: str = EJ1, **plus: Any) -> dict[str, Any]:
    infos = {"numFinessPm": finess, "denominationPm": "ASSO", "denominationLonguePmSmsse": "ASSOCIATION DES ÉTOILES",
             "siren": SIREN, "statutJuridique": "60", "dateCreation": "1990-02-03"}  # fmt: skip
    adresse = {"numeroVoie": "1", "typeVoie": "R", "libelleVoie": "HAUTE", "cogCommune": "92012", "codePostal": "92100",
               "ligneAcheminement": "BOULOGNE"}  # fmt: skip
    return {"informationsGeneralesPMEJ": infos, "adresse": [adresse], "etatObjet": "A", "ege": list(eges)} | plus


def document(*pmejs: dict[str, Any], jour: Any = JOUR, **plus: Any) -> str:
    tete = {"schemaVersion": "v1.0.0", "generatedAt": f"{jour}T02:14:23Z", "gco": [{"typeGco": "1"}], "gcc": []}
    return json.dumps(tete | {"pmej": list(pmejs)} | plus, ensure_ascii=False, indent=1)


def entites(*lignes: tuple[str, str], jour: Any = JOUR) -> str:
    champs = [
        ["structureej", f, nom, nom, "", "1", "R", "HAUTE", "", "", "", "012", "92100 BOULOGNE", "92", "", "", "60", "",
         "", "", SIREN, "9499Z", "1990-02-03"]
        for f, nom in lignes
    ]  # fmt: skip
    return "\n".join([f"finess;etalab;12;{jour}", *map(";".join, champs)]) + "\n"


@pytest.mark.django_db
@pytest.mark.parametrize("ecrire", [str.encode, lambda t: gzip.compress(t.encode()), lambda t: t.encode("utf-8-sig")])
def test_le_json_remplit_les_ej_et_les_eg(importe, ecrire):
    contenu = document(pmej(ege(), ege(EG2, adresse=[{"cogCommune": "75107"}])), pmej(finess=EJ2))
    rapport = importe(ecrire(contenu))
    assert (bilan(rapport), rapport.refus, rapport.encodage) == ((1, 2, 0, 0), [], "UTF-8")
    attendu = {
        "parent_id": fiche(EJ1).pk, "nom": f"RESIDENCE {EG1}", "categorie": "500", "participation_sph": "1",
        "mode_tarification": "03", "adresse_voie": "12 AVENUE DE PARIS", "code_postal": "75007", "commune": "75107",
        "telephone": "0147020235", "longitude": 2.3083, "latitude": 48.8538,
    }  # fmt: skip
    assert {nom: getattr(actuelle(EG1), nom) for nom in attendu} == attendu
    ej = actuelle(EJ1)
    assert (ej.nom, ej.siren, ej.statut_juridique, ej.adresse_voie, ej.commune) == (
        "ASSOCIATION DES ÉTOILES", SIREN, "60", "1 RUE HAUTE", "92012",
    )  # fmt: skip
    assert rapport.ignores == {"entités juridiques sans établissement suivi": 1}
    assert importe(contenu).modifications == 0
    # The historic file of the same establishment says the same thing.
    historique = texte([ligne(rs_longue=f"RESIDENCE {EG1}", mft="03", sph="1"), ligne(EG2)], [])
    assert dict(importe(historique, sans_geolocalisation=True).changements) == {"adresse_voie": 1, "code_postal": 1}
    assert ecarts() == []


@pytest.mark.django_db
def test_le_fichier_des_ej_nomme_celles_que_le_repertoire_suit(importe):
    importe(texte([ligne(EG1, EJ1)]))
    rapport = importe(entites((EJ1, "ASSOCIATION A"), (EJ2, "B")))
    assert (rapport.ej_modifiees, rapport.ej_creees, rapport.absents) == (1, 0, 0)
    assert (actuelle(EJ1).nom, actuelle(EJ1).siren, actuelle(EJ1).code_postal) == ("ASSOCIATION A", SIREN, "92100")
    enregistrer([change(fiche(EJ1), aujourdhui(), personne(), nom="Association A (siège)")])
    rapport = importe(entites((EJ1, "AUTRE"), jour=JOUR + timedelta(days=1)))
    assert [(c.champ, c.repertoire) for c in rapport.conserves] == [("nom", "Association A (siège)")]
    assert not Fiche.objects.filter(identifiant=f"1{EJ2}").exists()
    assert ecarts() == []


BON = document(pmej(ege(), ege(EG2)))
REFUSES = {
    "coupé": (BON[:-30], "tronqué"),
    "coupé dans une chaîne": (BON[: BON.index("RESIDENCE") + 4], "tronqué"),
    "sans accolade finale": (BON.rstrip()[:-1], "tronqué"),
    "deux documents": (BON + BON, "suit la fin"),
    "une liste": ('{"pmej": 3}', "generatedAt"),
    "sans date": (BON.replace("generatedAt", "autre"), "generatedAt"),
    "daté de l'avenir": (document(pmej(ege()), jour="2999-01-01"), "avenir"),
    "sans établissement": (document(pmej()), "établissement"),
    "sans entité": (document(), "entité juridique"),
    "pmej qui n'en est pas": (document("x"), "pmej[0]"),
    "guillemets simples": (BON.replace('"', "'"), "JSON"),
    "virgule de trop": (BON.replace('"A",', '"A",,', 1), "JSON"),
    "gzip coupé": (gzip.compress(BON.encode())[:-20], "tronqué"),
    "gzip abîmé": (gzip.compress(BON.encode())[:12] + b"\xff" * 200, "abîmé"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("cas", REFUSES)
def test_rien_n_est_importe_d_un_json_douteux(importe, cas, monkeypatch):
    monkeypatch.setattr("structures.importations.flux_json.BLOC", 64)  # elements that straddle many blocks
    contenu, mot = REFUSES[cas]
    with pytest.raises(FichierRefuse, match=mot.replace("[", r"\[")):
        importe(contenu)
    assert rien_ecrit()


@pytest.mark.django_db
def test_le_json_dit_ou_est_ce_qui_est_refuse(importe, agent, monkeypatch):
    monkeypatch.setattr("structures.importations.flux_json.BLOC", 64)
    doubles = [ege(EG2), ege(EG2), ege(EG3), ege(EG3, infos={"nomEgeLong": "AUTRE"})]
    importation = lancer(document(pmej(finess=EJ2), pmej(ege(infos={"siret": "12"}), *doubles)))
    refus = DetailImportation.objects.filter(importation=importation, sort="refuse")
    assert [(d.colonne, d.cle) for d in refus] == [
        ("pmej[1].ege[0].siret", EG1),
        ("pmej[1].ege[3].numFinessEge", EG3),
        ("pmej[1].ege[4].numFinessEge", EG3),
    ]
    assert '"numFinessPm"' in document(pmej(finess=EJ2), pmej()).splitlines()[(refus[0].ligne or 0) + 1]
    assert importation.bilan["sorts"] == {"cree": 3, "refuse": 3, "ignore": 1}


def lancer(contenu: str, acteur: Any = None, *, analyser: bool = False) -> Importation:
    importation = depot.deposer(
        genre="finess", nom="f.json", morceaux=[contenu.encode()], acteur=acteur, analyser=analyser
    )
    assert travailler(importation.pk)
    importation.refresh_from_db()
    assert importation.etat == (EtatImportation.A_CONFIRMER if analyser else EtatImportation.APPLIQUEE), (
        importation.message
    )
    return importation


def details(importation: Importation, sort: str) -> list[tuple[str, str]]:
    return list(importation.details.filter(sort=sort).order_by("pk").values_list("cle", "raison"))


@pytest.mark.django_db
def test_un_eg_ferme_au_finess_est_signale_une_fois_et_reste_ouvert(agent):
    lancer(document(pmej(ege(), ege(EG2), ege(EG3, etatObjet="I"))))
    plus_tard = {"jour": JOUR + timedelta(days=9)}
    ferme = document(pmej(ege(etatObjet="I", fermeture="2024-05-10"), ege(EG2)), **plus_tard)
    assert "personne n’est prévenu" in details(lancer(ferme), "ferme")[0][1]
    assert not Signalement.objects.exists()
    assert "signalement" in details(lancer(ferme, agent, analyser=True), "ferme")[0][1]
    assert not Signalement.objects.exists()
    for mots in (" : un signalement le dit", "aucun signalement n’est ajouté"):
        [(finess, raison)] = details(lancer(ferme, agent), "ferme")
        assert (finess, mots in raison) == (EG1, True)
    [signalement] = Signalement.objects.all()
    assert (signalement.fiche, signalement.theme, signalement.valeur_proposee) == (
        fiche(EG1),
        "ferme",
        "Fermé le 10\u00a0mai\u00a02024",
    )
    assert actuelle(EG1).nom
    assert not Envoi.objects.exists()  # the agent is the one who imports: nobody else may treat it
    # Closed here, open there: said, not reopened.
    enregistrer([change(fiche(EG2), aujourdhui(), personne(), existe=False)])
    assert [cle for cle, _ in details(lancer(ferme), "rouvert")] == [EG2]


@pytest.mark.django_db
def test_une_categorie_qui_change_le_circuit_d_un_dossier_ouvert_se_voit():
    RegleCategorie.objects.get_or_create(categorie="500", defaults={"champ": "medico-social", "filiere": "autre"})
    lancer(document(pmej(ege(), ege(EG2), ege(EG3))))
    for n, finess in enumerate((EG1, EG2), 1):
        ouvrir(eg=fiche(finess), dossier=n, nom=f"Extension {n}", etape="Rédaction")
    annoncer(dossier=2, etape="Validation", fiches=[], envoye=True)
    ime = {"categorieentiteGeographiqueExercice": "183"}
    importation = lancer(
        document(pmej(ege(**ime), ege(EG2, **ime), ege(EG3, categorieentiteGeographiqueExercice="620")),
                 jour=JOUR + timedelta(days=1))
    )  # fmt: skip
    (un, brouillon), (deux, envoye), (trois, hors) = details(importation, "signale")
    assert (un, deux, trois) == (EG1, EG2, EG3)
    assert ("« Extension 1 »" in brouillon, "à son envoi" in brouillon) == (True, True)
    assert ("« Extension 2 »" in envoye, "garde son circuit" in envoye) == (True, True)
    assert "ne suit pas" in hors
    assert [actuelle(f).categorie for f in (EG1, EG2, EG3)] == ["183", "183", "500"]
    assert {d.champ for d in importation.details.filter(sort="change")} == {"Catégorie"}


@pytest.mark.django_db
def test_les_entites_sans_nom_se_disent_et_les_copies_vont_par_lots(django_assert_max_num_queries):
    lancee = lancer(texte([ligne(EG1), ligne(EG2, siret="1")]))
    assert any("ne nomme pas, créées sous un nom d’attente, qui sera publié : 1." in p for p in lancee.bilan["phrases"])
    assert "cs1100501" in dict(details(lancee, "cree"))[EJ1]
    assert (lancee.bilan["nombres"]["lignes refusées"], lancee.bilan["nombres"]["valeurs refusées"]) == (0, 1)
    nommee = lancer(document(pmej(*(ege(numero(f"7500{i:04d}")) for i in range(30)), finess=EJ2)))
    assert dict(details(nommee, "cree"))[EJ2] == ""
    assert not any("nom d’attente" in phrase for phrase in nommee.bilan["phrases"])
    rangs = [Position(i, str(i), 1.0, 2.0) if i % 2 else Ligne(*[None] * len(Ligne._fields)) for i in range(50)]
    classement.preparer()
    with django_assert_max_num_queries(3):  # two of them are COPY, and so not seen when there are more
        classement.copier(rangs)
    with connection.cursor() as curseur:
        curseur.execute("SELECT (SELECT count(*) FROM finess_ligne), (SELECT count(*) FROM finess_position)")
        assert curseur.fetchone() == (25, 25)


def test_un_siren_n_a_que_des_chiffres_ordinaires():
    assert siren_valide(SIREN)
    assert not siren_valide(f"{SIREN[:8]}²")
