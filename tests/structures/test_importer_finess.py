"""FINESS, historic layout: what a file creates, changes, keeps, refuses, and the files of which nothing is imported."""

import os
import threading
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from backoffice.socle.erreurs import Conflit
from structures.domaine.enregistrer import ecarts, enregistrer
from structures.domaine.reserver import annoncer, ouvrir
from structures.enums import Niveau, Source
from structures.importations import finess as importation
from structures.importations.controles import depuis_lambert93, finess_valide, siret_valide
from structures.importations.finess import importer
from structures.importations.lecture import FichierRefuse
from structures.importations.rapport import Rapport
from structures.models import Fiche, Modification, RegleCategorie, VersionFiche

from .fabrique import aujourdhui, change, enfants, etablissement, numero, personne, versions

JOUR = date(2024, 5, 6)
EG1, EG2, EG3 = numero("75000001"), numero("75000002"), numero("75000003")
EJ1, EJ2 = numero("75900001"), numero("75900002")
SIRET = numero("2601000450001")
REEL = Path(os.environ.get("ROR_DONNEES", Path(__file__).parents[3] / "shared" / "data")) / "finess"

# Position of the fields of a « structureet » row, type first.
RANGS = {
    "finess": 1, "ej": 2, "rs": 3, "rs_longue": 4, "compl_rs": 5, "compl_distrib": 6, "num": 7, "type": 8, "voie": 9,
    "indice": 10, "lieu_dit": 11, "commune": 12, "departement": 13, "acheminement": 15, "telephone": 16,
    "categorie": 18, "siret": 22, "mft": 24, "sph": 26, "ouverture": 28,
}  # fmt: skip


def ligne(finess: str = EG1, ej: str = EJ1, **champs: str) -> str:
    valeurs = {
        "rs": f"RESIDENCE {finess}", "num": "12", "type": "AV", "voie": "DE PARIS", "commune": "107",
        "departement": "75", "acheminement": "75007 PARIS", "telephone": "0147020235", "categorie": "500",
        "ouverture": "2004-03-02",
    } | {"finess": finess, "ej": ej} | champs  # fmt: skip
    cases = ["structureet"] + [""] * 31
    for nom, valeur in valeurs.items():
        cases[RANGS[nom]] = f'"{valeur.replace(chr(34), chr(34) * 2)}"' if ";" in valeur or '"' in valeur else valeur
    return ";".join(cases)


def position(
    finess: str = EG1, x: str = "2.3083210507768", y: str = "48.8538527661997", projection: str = "WGS84"
) -> str:
    return f"geolocalisation;{finess};{x};{y};1,ATLASANTE,100,IGN,BD_ADRESSE,V2.2,{projection};{JOUR}"


def texte(structures: Iterable[str], positions: Iterable[str] | None = None, jour: date = JOUR) -> str:
    structures = list(structures)
    if positions is None:
        positions = [position(s.split(";")[1]) for s in structures]
    return "\n".join([f"finess;etalab;111;{jour}", *structures, *positions]) + "\n"


@pytest.fixture
def importe(tmp_path) -> Callable[..., Rapport]:
    """``importe(texte)``: the report of the import of a file with this content."""

    def lancer(contenu: str | bytes, **options: Any) -> Rapport:
        chemin = tmp_path / "finess.csv"
        chemin.write_bytes(contenu if isinstance(contenu, bytes) else contenu.encode())
        rapport = Rapport()
        importer(chemin, rapport, **options)
        return rapport

    return lancer


def fiche(finess: str) -> Fiche:
    return Fiche.objects.get(identifiant=f"1{finess}")


def actuelle(finess: str) -> VersionFiche:
    return VersionFiche.objects.get(fiche__identifiant=f"1{finess}", validite__contains=aujourdhui())


def rien_ecrit() -> bool:
    return not (Fiche.objects.exists() or Modification.objects.exists() or VersionFiche.objects.exists())


def bilan(rapport: Rapport) -> tuple[int, int, int, int]:
    """(EJ created, EG created, changed, unchanged)"""
    return rapport.ej_creees, rapport.eg_crees, rapport.eg_modifies, rapport.eg_inchanges


# -- creation ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_chaque_champ_du_fichier_arrive_a_sa_place(importe):
    rapport = importe(
        texte(
            [
                ligne(
                    rs="EHPAD A", rs_longue='EHPAD "LES; ACACIAS"', compl_rs="PAVILLON B", compl_distrib="HALL 2",
                    indice="B", lieu_dit="BP 12", categorie="355", siret=SIRET, mft="03", sph="1",
                )
            ]
        )
    )  # fmt: skip
    assert bilan(rapport) == (1, 1, 0, 0)
    assert rapport.refus == []
    eg, ej = actuelle(EG1), actuelle(EJ1)
    attendu = {
        "niveau": Niveau.EG, "parent_id": ej.fiche_id, "nom": 'EHPAD "LES; ACACIAS"', "finess": EG1, "siret": SIRET,
        "categorie": "355", "participation_sph": "1", "mode_tarification": "03",
        "adresse_voie": "12 BIS AVENUE DE PARIS", "adresse_complement": "PAVILLON B, HALL 2, BP 12",
        "code_postal": "75007", "commune": "75107", "telephone": "0147020235",
        "date_ouverture": date(2004, 3, 2), "longitude": 2.3083211, "latitude": 48.8538528,
    }  # fmt: skip
    assert {nom: getattr(eg, nom) for nom in attendu} == attendu
    assert eg.validite.lower == ej.validite.lower == date(2004, 3, 2)
    assert (ej.nom, ej.finess, ej.niveau) == (f"Entité juridique {EJ1}", EJ1, Niveau.EJ)
    assert set(Modification.objects.values_list("source", "origine", "auteur")) == {
        (Source.IMPORT, f"FINESS {JOUR}", None)
    }
    assert ecarts() == []


@pytest.mark.django_db
def test_une_ej_commence_avec_son_premier_etablissement(importe):
    importe(texte([ligne(EG1, ouverture="2010-01-02"), ligne(EG2, ouverture="1987-06-05"), ligne(EG3, EJ2)]))
    assert {f: versions(fiche(f))[0].validite.lower for f in (EJ1, EG1, EG2)} == {
        EJ1: date(1987, 6, 5),
        EG1: date(2010, 1, 2),
        EG2: date(1987, 6, 5),
    }
    assert VersionFiche.objects.filter(parent=fiche(EJ1)).count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("ouverture", "depuis", "lue"),
    [
        ("1904-04-04", JOUR, None),  # conventional: not known
        ("", JOUR, None),
        (str(JOUR + timedelta(days=9)), JOUR, JOUR + timedelta(days=9)),  # announced: the file knows it already
        ("1884-04-01", date(1884, 4, 1), date(1884, 4, 1)),
        ("0426-03-01", JOUR, None),
    ],
)
def test_une_ouverture_invraisemblable_ne_date_pas_la_fiche(importe, ouverture, depuis, lue):
    rapport = importe(texte([ligne(ouverture=ouverture)]))
    [version] = versions(fiche(EG1))
    assert (version.validite.lower, version.date_ouverture) == (depuis, lue)
    assert [(r.champ, r.ligne_entiere) for r in rapport.refus] == (
        [("date_ouverture", False)] if ouverture.startswith("04") else []
    )


@pytest.mark.django_db
def test_hors_perimetre_est_compte_et_ignore(importe):
    rapport = importe(texte([ligne(EG1), ligne(EG2, categorie="620"), ligne(EG3, departement="2A")]))
    assert rapport.ignores == {"catégorie hors du répertoire": 1, "hors de la région 11": 1}
    assert bilan(rapport) == (1, 1, 0, 0)
    assert not Fiche.objects.filter(identifiant__in=[f"1{EG2}", f"1{EG3}"]).exists()


@pytest.mark.django_db
def test_toutes_les_regions_avec_outre_mer_et_corse(importe):
    corse, martinique, ej_corse = numero("2A000001"), numero("97000001"), numero("2A900001")
    rapport = importe(
        texte([
            ligne(corse, ej_corse, departement="2A", commune="004", acheminement="20000 AJACCIO"),
            ligne(martinique, departement="9B", commune="207", acheminement="97224 DUCOS"),
        ], [position(corse), position(martinique, "705000.0", "1620000.0", "UTM_N20")]),
        region="toutes",
    )  # fmt: skip
    assert rapport.eg_crees == 2
    assert [(actuelle(f).commune, actuelle(f).code_postal) for f in (corse, martinique)] == [
        ("2A004", "20000"),
        ("97207", "97224"),
    ]
    assert (actuelle(martinique).latitude, actuelle(martinique).longitude) == (None, None)
    assert any("UTM_N20" in remarque for remarque in rapport.remarques)


@pytest.mark.django_db
def test_lambert_93_devient_longitude_et_latitude(importe):
    importe(texte([ligne()], [position(EG1, "658557.548", "6860084.001", "LAMBERT_93")]))
    assert (actuelle(EG1).longitude, actuelle(EG1).latitude) == pytest.approx((2.435368, 48.839473), abs=2e-6)


# -- again, and changes -----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_la_seconde_fois_ne_change_rien(importe):
    contenu = texte([ligne(EG1), ligne(EG2, siret=SIRET), ligne(EG3, EJ2, ouverture="")])
    importe(contenu)
    avant = list(Modification.objects.values_list("pk", flat=True))
    rapport = importe(contenu)
    assert bilan(rapport) == (0, 0, 0, 3)
    assert rapport.modifications == 0
    assert list(Modification.objects.values_list("pk", flat=True)) == avant


@pytest.mark.django_db
def test_un_fichier_plus_recent_ne_change_que_ce_qui_differe(importe):
    importe(texte([ligne(EG1, siret=SIRET, lieu_dit="BP 3"), ligne(EG2)]))
    demain = JOUR + timedelta(days=1)
    rapport = importe(texte([ligne(EG1, telephone="0199000001", siret="", lieu_dit=""), ligne(EG2)], jour=demain))
    assert bilan(rapport) == (0, 0, 1, 1)
    assert dict(rapport.changements) == {"telephone": 1}
    derniere = fiche(EG1).modifications.last()
    assert (derniere.patch, derniere.date_effet, derniere.origine) == (
        {"telephone": "0199000001"},
        demain,
        f"FINESS {demain}",
    )
    eg = actuelle(EG1)
    assert (eg.telephone, eg.siret, eg.adresse_complement) == ("0199000001", SIRET, "BP 3")  # empty never erases
    assert [v.telephone for v in versions(fiche(EG1))] == ["0147020235", "0199000001"]
    assert ecarts() == []


@pytest.mark.django_db
def test_ce_qu_une_personne_a_change_apres_le_fichier_reste(importe):
    importe(texte([ligne()]))
    enregistrer([change(fiche(EG1), JOUR + timedelta(days=30), personne(), telephone="0611111111")])
    rapport = importe(texte([ligne(rs="NOUVEAU NOM")], jour=JOUR + timedelta(days=2)))
    assert [(c.champ, c.fichier, c.repertoire) for c in rapport.conserves] == [
        ("telephone", "0147020235", "0611111111")
    ]
    assert dict(rapport.changements) == {"nom": 1}
    assert (actuelle(EG1).telephone, actuelle(EG1).nom) == ("0611111111", "NOUVEAU NOM")


@pytest.mark.django_db
def test_un_changement_prevu_reste_prevu(importe):
    importe(texte([ligne()]))
    dans_un_mois = aujourdhui() + timedelta(days=30)
    enregistrer([change(fiche(EG1), dans_un_mois, personne(), telephone="0611111111")])
    importe(texte([ligne(telephone="0199000001")], jour=JOUR + timedelta(days=2)))
    assert actuelle(EG1).telephone == "0199000001"
    assert versions(fiche(EG1))[-1].telephone == "0611111111"
    assert bilan(importe(texte([ligne(telephone="0199000001")], jour=JOUR + timedelta(days=2)))) == (0, 0, 0, 1)


@pytest.mark.django_db
def test_un_fichier_plus_ancien_que_le_dernier_ne_fait_pas_reculer(importe):
    importe(texte([ligne(rs="NOM RECENT")]))
    rapport = importe(texte([ligne(rs="NOM ANCIEN"), ligne(EG2)], jour=JOUR - timedelta(days=400)))
    assert bilan(rapport) == (0, 1, 0, 1)
    assert [(c.champ, c.fichier) for c in rapport.conserves] == [("nom", "NOM ANCIEN")]
    assert actuelle(EG1).nom == "NOM RECENT"


@pytest.mark.django_db
def test_un_changement_annule_ne_retient_pas_le_fichier(importe):
    importe(texte([ligne()]))
    saisie = change(fiche(EG1), aujourdhui(), personne(), telephone="0611111111")
    enregistrer([saisie])
    Modification.objects.filter(pk=saisie.pk).update(annulee_le="2026-01-01T00:00Z", annulee_par=personne())
    rapport = importe(texte([ligne(telephone="0199000001")], jour=JOUR + timedelta(days=2)))
    assert dict(rapport.changements) == {"telephone": 1}


@pytest.mark.django_db
def test_une_fiche_sous_dossier_envoye_attend(importe):
    importe(texte([ligne()]))
    eg = fiche(EG1)
    ouvrir(eg=eg, dossier=1, nom="Extension", etape="Rédaction")
    annoncer(dossier=1, etape="Validation", fiches=[eg.pk], envoye=True)
    suite = texte([ligne(telephone="0199000001")], jour=JOUR + timedelta(days=2))
    rapport = importe(suite)
    assert (bilan(rapport), [c.champ for c in rapport.conserves]) == ((0, 0, 0, 1), ["telephone"])
    annoncer(dossier=1, etape="Rédaction", envoye=False)
    assert importe(suite).eg_modifies == 1


@pytest.mark.django_db
@pytest.mark.parametrize("connue", [True, False])
def test_un_etablissement_change_d_ej(importe, connue):
    importe(texte([ligne(EG1, EJ1), *([ligne(EG2, EJ2, ouverture="2001-01-01")] if connue else [])]))
    rapport = importe(texte([ligne(EG1, EJ2)], jour=JOUR + timedelta(days=2)))
    assert dict(rapport.changements) == {"parent": 1}
    assert rapport.ej_creees == (0 if connue else 1)
    assert [v.parent_id for v in versions(fiche(EG1))] == [fiche(EJ1).pk, fiche(EJ2).pk]
    assert ecarts() == []


@pytest.mark.django_db
def test_un_demenagement_d_ej_fait_par_une_personne_reste_et_ne_cree_pas_d_ej(importe):
    importe(texte([ligne(EG1, EJ1)]))
    autre, _ = etablissement(jour=date(2000, 1, 1))
    enregistrer([change(fiche(EG1), aujourdhui(), personne(), parent=autre.pk)])
    rapport = importe(texte([ligne(EG1, EJ2)], jour=JOUR + timedelta(days=2)))
    assert (rapport.ej_creees, [c.champ for c in rapport.conserves]) == (0, ["parent"])
    assert not Fiche.objects.filter(identifiant=f"1{EJ2}").exists()


@pytest.mark.django_db
def test_le_nom_d_une_ej_n_est_jamais_ecrase(importe):
    importe(texte([ligne(EG1)]))
    enregistrer([change(fiche(EJ1), JOUR, personne(), nom="Assistance publique")])
    rapport = importe(texte([ligne(EG1), ligne(EG2)], jour=JOUR + timedelta(days=2)))
    assert (rapport.ej_creees, rapport.ej_inchangees) == (0, 1)
    assert actuelle(EJ1).nom == "Assistance publique"


@pytest.mark.django_db
def test_une_fiche_fermee_n_est_pas_rouverte(importe):
    importe(texte([ligne(EG1)]))
    enregistrer([change(fiche(EG1), aujourdhui(), personne(), existe=False)])
    rapport = importe(texte([ligne(EG1, rs="AUTRE")], jour=JOUR + timedelta(days=2)))
    assert (rapport.eg_fermes, bilan(rapport)) == (1, (0, 0, 0, 0))
    assert not VersionFiche.objects.filter(fiche=fiche(EG1), validite__contains=aujourdhui()).exists()


@pytest.mark.django_db
def test_un_etablissement_d_une_ej_fermee_est_refuse(importe):
    importe(texte([ligne(EG1)]))
    enregistrer([change(fiche(f), aujourdhui(), personne(), existe=False) for f in (EG1, EJ1)])
    rapport = importe(texte([ligne(EG2, EJ1)], jour=JOUR + timedelta(days=2)))
    assert [(r.champ, r.ligne_entiere) for r in rapport.refus] == [("parent", True)]
    assert not Fiche.objects.filter(identifiant=f"1{EG2}").exists()


@pytest.mark.django_db
def test_un_etablissement_ne_commence_pas_avant_l_ej_du_repertoire(importe):
    importe(texte([ligne(EG1, ouverture="2010-01-01")]))
    importe(texte([ligne(EG1, ouverture="2010-01-01"), ligne(EG2, ouverture="1990-01-01")]))
    [version] = versions(fiche(EG2))
    assert (version.validite.lower, version.date_ouverture) == (date(2010, 1, 1), date(1990, 1, 1))


@pytest.mark.django_db
def test_les_fiches_sous_l_etablissement_ne_bougent_pas(importe):
    importe(texte([ligne(EG1)]))
    [uo] = enfants(fiche(EG1), Niveau.UO, fiche(EG1), jour=JOUR)
    importe(texte([ligne(EG1, rs="NOUVEAU NOM")], jour=JOUR + timedelta(days=2)))
    assert len(versions(uo)) == 1
    assert ecarts() == []


@pytest.mark.django_db
def test_ce_qui_manque_au_fichier_est_compte_et_laisse(importe):
    importe(texte([ligne(EG1), ligne(EG2)]))
    rapport = importe(texte([ligne(EG2)]))
    assert rapport.absents == 1
    assert actuelle(EG1)


# -- refusals by line -------------------------------------------------------------------------------------------------

FAUX = EG1[:-1] + str((int(EG1[-1]) + 1) % 10)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("champs", "champ", "entiere"),
    [
        ({"finess": FAUX}, "finess", True),
        ({"ej": EJ1[:-1] + str((int(EJ1[-1]) + 1) % 10)}, "parent", True),
        ({"ej": EG1}, "parent", True),
        ({"rs": ""}, "nom", True),
        ({"rs": "X" * 256}, "nom", True),
        ({"siret": SIRET[:-1] + str((int(SIRET[-1]) + 1) % 10)}, "siret", False),
        ({"siret": "123"}, "siret", False),
        ({"ouverture": "02/03/2004"}, "date_ouverture", False),
        ({"ouverture": "2004-02-30"}, "date_ouverture", False),
        ({"commune": "999"}, "commune", False),
        ({"sph": "X"}, "participation_sph", False),
        ({"mft": "ZZ"}, "mode_tarification", False),
        ({"telephone": "voir secrétariat"}, "telephone", False),
        ({"acheminement": "PARIS"}, "code_postal", False),
        ({"voie": "X" * 300}, "adresse_voie", False),
    ],
)
def test_une_erreur_est_refusee_avec_sa_ligne_son_champ_et_sa_raison(importe, champs, champ, entiere):
    lignes = [ligne(EG2), ligne(**{"finess": EG1, **champs}), ligne(EG3)]
    rapport = importe(texte(lignes))
    [refus] = rapport.refus
    assert (refus.ligne, refus.champ, refus.ligne_entiere) == (3, champ, entiere)
    assert refus.raison
    assert rapport.eg_crees == (2 if entiere else 3)
    assert rapport.lignes_refusees == int(entiere)
    if not entiere:
        assert not getattr(actuelle(EG1), champ)
    assert ecarts() == []


@pytest.mark.django_db
def test_des_lignes_identiques_sont_lues_une_fois(importe):
    rapport = importe(texte([ligne(EG1), ligne(EG2), ligne(EG1)], [position(EG1), position(EG1), position(EG2)]))
    assert (rapport.doublons, rapport.eg_crees, rapport.refus) == ([4], 2, [])
    assert actuelle(EG1).latitude


@pytest.mark.django_db
def test_un_numero_avec_deux_contenus_est_refuse(importe):
    rapport = importe(texte([ligne(EG1), ligne(EG2), ligne(EG1, rs="AUTRE")]))
    assert [(r.ligne, r.champ, r.raison.rsplit(" ", 1)[1]) for r in sorted(rapport.refus)] == [
        (2, "finess", "4"),
        (4, "finess", "2"),
    ]
    assert set(Fiche.objects.values_list("identifiant", flat=True)) == {f"1{EG2}", f"1{EJ1}"}


@pytest.mark.django_db
def test_deux_positions_pour_un_numero_ne_sont_pas_reprises(importe):
    rapport = importe(texte([ligne()], [position(), position(x="3.5")]))
    assert {(r.champ, r.ligne_entiere) for r in rapport.refus} == {("latitude", False)}
    assert actuelle(EG1).latitude is None


@pytest.mark.django_db
def test_un_numero_a_la_fois_ej_et_etablissement_est_refuse(importe):
    rapport = importe(texte([ligne(EG1, EJ1), ligne(EG2, EG1), ligne(EG3, EJ2)]))
    assert {(r.ligne, r.champ) for r in rapport.refus} == {(2, "finess"), (3, "parent")}
    assert rapport.eg_crees == 1


@pytest.mark.django_db
def test_un_numero_d_ej_du_repertoire_ne_devient_pas_un_etablissement(importe):
    importe(texte([ligne(EG1, EJ1)]))
    rapport = importe(texte([ligne(EG1, EJ1), ligne(EJ2, EJ1), ligne(EG3, EJ2)], jour=JOUR + timedelta(days=1)))
    assert {r.ligne for r in rapport.refus} == {3, 4}
    rapport = importe(texte([ligne(EG2, EG1)], jour=JOUR + timedelta(days=1)))
    assert [(r.ligne, r.champ, r.ligne_entiere) for r in rapport.refus] == [(2, "parent", True)]


# -- the same file, written otherwise ---------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("recoder", "encodage"),
    [
        (lambda t: t.encode("utf-8-sig"), "UTF-8"),
        (lambda t: t.encode("iso-8859-1"), "ISO-8859-1"),
        (lambda t: t.replace("'", "’").encode("cp1252"), "Windows-1252"),
        (lambda t: t.replace("\n", "\r\n").encode(), "UTF-8"),
        (lambda t: t.replace("\n", "\r\n").encode("iso-8859-1"), "ISO-8859-1"),
        (lambda t: (t + "\n\n").encode(), "UTF-8"),
    ],
)
def test_encodages_et_fins_de_ligne(importe, recoder, encodage):
    contenu = texte([ligne(rs="CENTRE DE SANTÉ DE L'ÎLE"), ligne(EG2)])
    rapport = importe(recoder(contenu))
    assert rapport.encodage == encodage
    assert actuelle(EG1).nom.replace("’", "'") == "CENTRE DE SANTÉ DE L'ÎLE"
    if encodage != "Windows-1252":
        assert importe(contenu).modifications == 0


@pytest.mark.django_db
def test_l_ordre_des_lignes_est_indifferent(importe):
    lignes = [ligne(EG1), ligne(EG2, EJ2), ligne(EG3)]
    importe(texte(lignes))
    rapport = importe(texte(lignes[::-1], [position(f) for f in (EG2, EG1, EG3)]))
    assert rapport.modifications == 0


# -- files that can't be trusted --------------------------------------------------------------------------------------

BON = texte([ligne(EG1, rs="ÉTABLISSEMENT"), ligne(EG2)])
LIGNES = BON.splitlines(keepends=True)
SANS_POSITION = "".join(LIGNES[:3])


def permuter(contenu: str) -> str:
    """The columns of the structures in another order."""
    return "\n".join(
        ";".join([c[0], *c[5:], *c[1:5]]) if (c := texte_.split(";"))[0] == "structureet" else texte_
        for texte_ in contenu.splitlines()
    ) + "\n"  # fmt: skip


REFUSES: dict[str, tuple[str | bytes, int | None, str]] = {
    "vide": ("", None, "vide"),
    "seulement l'en-tête": (LIGNES[0], None, "aucun établissement"),
    "sans en-tête": ("".join(LIGNES[1:]), 1, "première ligne"),
    "autre fichier": ("code;libelle\n1;un\n", 1, "première ligne"),
    "date illisible": (BON.replace(f"111;{JOUR}", "111;hier", 1), 1, "hier"),
    "daté de l'avenir": (texte([ligne()], jour=date(2999, 1, 1)), 1, "avenir"),
    "coupé entre deux lignes de structure": ("".join(LIGNES[:2]), 2, "tronqué"),
    "coupé avant les positions": (SANS_POSITION, 3, "tronqué"),
    "coupé dans une structure": (SANS_POSITION[:-40], 3, "tronqué"),
    "coupé dans une position": (BON[:-7], 5, "tronqué"),
    "sans la dernière fin de ligne": (BON[:-1], 5, "tronqué"),
    "coupé entre deux positions": ("".join(LIGNES[:4]), None, "tronqué"),
    "une position sans structure": (texte([ligne()], [position(), position(EG3)]), 4, "structureet"),
    "sections mêlées": ("".join([LIGNES[0], LIGNES[1], LIGNES[3], LIGNES[2], LIGNES[4]]), 4, "suit"),
    "trié": ("".join([LIGNES[0], *sorted(LIGNES[1:])]), 4, "suit"),
    "un champ de moins": (BON.replace("structureet;", "structureet", 1), 2, ""),
    "un champ de plus": (BON.replace("AV;DE PARIS", "AV;DE;PARIS", 1), 2, "33 champs au lieu de 32"),
    "une virgule pour un point-virgule": (BON.replace(";", ","), 1, "première ligne"),
    "colonnes permutées": (permuter(BON), 2, "colonnes"),
    "type de ligne inconnu": (BON.replace("geolocalisation", "geo", 1), 4, "geo"),
    "guillemet jamais refermé": (BON.replace("ÉTABLISSEMENT", '"ÉTABLISSEMENT', 1), 2, "guillemet"),
    "champ énorme": (BON.replace("ÉTABLISSEMENT", "X" * 30_000, 1), 2, "20000 octets"),
    "octet nul": (BON.replace("ÉTABLISSEMENT", "A\0B", 1), 2, "0x00"),
    "caractère de contrôle": (BON.replace("ÉTABLISSEMENT", "A\x1bB", 1), 2, "0x1b"),
    "binaire": (bytes(range(256)) * 50, 1, "interdit"),
    "UTF-16": (BON.encode("utf-16"), 1, "interdit"),
    "encodages mêlés": (BON.encode() * 9 + b"\xe9\n", 46, "mélange"),
    "fins de ligne de vieux Mac": (BON.replace("\n", "\r"), 1, ""),
}


@pytest.mark.django_db
@pytest.mark.parametrize("cas", REFUSES)
def test_rien_n_est_importe_d_un_fichier_douteux(importe, cas):
    contenu, ligne_attendue, mot = REFUSES[cas]
    with pytest.raises(FichierRefuse) as refus:
        importe(contenu)
    assert refus.value.ligne == ligne_attendue
    assert mot in refus.value.message
    assert rien_ecrit()


@pytest.mark.django_db
def test_un_refus_ne_defait_pas_ce_qui_etait_la(importe):
    importe(BON)
    avant = Modification.objects.count()
    with pytest.raises(FichierRefuse):
        importe(BON.replace("ÉTABLISSEMENT", "AUTRE", 1)[:-1])
    assert Modification.objects.count() == avant
    assert actuelle(EG1).nom == "ÉTABLISSEMENT"


@pytest.mark.django_db
def test_un_fichier_sans_positions_passe_si_on_le_dit(importe):
    assert importe(SANS_POSITION, sans_geolocalisation=True).eg_crees == 2


@pytest.mark.django_db
@pytest.mark.parametrize("nom", ["absent.csv", "."])
def test_un_chemin_illisible_est_dit(tmp_path, nom):
    with pytest.raises(FichierRefuse, match="lu"):
        importer(tmp_path / nom, Rapport())


@pytest.mark.django_db
def test_une_panne_en_cours_d_ecriture_n_importe_rien(importe, monkeypatch):
    appels = []

    def lache(modifications):
        appels.append(len(modifications))
        if len(appels) == 3:
            raise RuntimeError("coupure")
        enregistrer(modifications)

    monkeypatch.setattr(importation, "enregistrer", lache)
    monkeypatch.setattr(importation, "LOT", 2)
    with pytest.raises(RuntimeError, match="coupure"), transaction.atomic():
        importe(texte([ligne(numero(f"7500010{n}")) for n in range(6)]))
    assert appels == [1, 2, 2]
    assert rien_ecrit()


@pytest.mark.django_db
def test_plusieurs_lots_font_le_meme_repertoire(importe, monkeypatch):
    monkeypatch.setattr(importation, "LOT", 2)
    monkeypatch.setattr(importation, "LOT_ANALYSE", 1)
    contenu = texte([ligne(numero(f"7500010{n}"), (EJ1, EJ2, EG3)[n % 3]) for n in range(7)])
    assert bilan(importe(contenu)) == (3, 7, 0, 0)
    assert bilan(importe(contenu)) == (0, 0, 0, 7)
    assert ecarts() == []


@pytest.mark.django_db
def test_sans_referentiels_rien_ne_se_fait(importe):
    RegleCategorie.objects.all().delete()
    with pytest.raises(Exception, match="charger_referentiels"):
        importe(BON)


# -- with others ------------------------------------------------------------------------------------------------------


def ailleurs(action: Callable[[], None]) -> tuple[threading.Event, threading.Event, threading.Thread]:
    """Run ``action`` in a transaction of another connection; it holds it until the second event is set."""
    pret, fini = threading.Event(), threading.Event()

    def tenir() -> None:
        try:
            with transaction.atomic():
                action()
                pret.set()
                fini.wait(20)
        finally:
            pret.set()
            connection.close()

    fil = threading.Thread(target=tenir)
    fil.start()
    pret.wait(20)
    return pret, fini, fil


@pytest.mark.course
@pytest.mark.django_db(transaction=True)
def test_deux_imports_ne_courent_pas_ensemble(importe):
    _, fini, fil = ailleurs(importation._exclusivite)
    try:
        with pytest.raises(Conflit, match="Un autre import est en cours") as refus:
            importe(BON)
        assert refus.value.code == "import_en_cours"
        assert rien_ecrit()
    finally:
        fini.set()
        fil.join(20)
    assert importe(BON).eg_crees == 2


@pytest.mark.course
@pytest.mark.django_db(transaction=True)
def test_une_fiche_tenue_trop_longtemps_arrete_l_import_avec_une_phrase(importe):
    importe(BON)
    _, fini, fil = ailleurs(lambda: list(Fiche.objects.select_for_update(no_key=True)))
    try:
        with connection.cursor() as curseur:
            curseur.execute("SET lock_timeout = '200ms'")
        with pytest.raises(Conflit, match="relancez dans un instant"):
            importe(texte([ligne(EG1, rs="AUTRE"), ligne(EG2)], jour=JOUR + timedelta(days=1)))
    finally:
        fini.set()
        fil.join(20)
        connection.close()
    assert actuelle(EG1).nom == "ÉTABLISSEMENT"


# -- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("finess", "valide"),
    [("750000010", True), ("010000024", True), ("2A0000014", True), ("2B0000020", True), ("750000011", False),
     ("75000001", False), ("7500000100", False), ("2C0000014", False), ("A50000010", False), ("", False),
     ("75000001\u0660", False)],
)  # fmt: skip
def test_cle_d_un_numero_finess(finess, valide):
    assert finess_valide(finess) is valide


@pytest.mark.parametrize(
    ("siret", "valide"),
    [("26010004500012", True), ("35600000000048", True), ("35600000049837", True), ("35600000049838", False),
     ("26010004500013", False), ("2601000450001", False), ("", False)],
)  # fmt: skip
def test_cle_d_un_siret_et_exception_de_la_poste(siret, valide):
    assert siret_valide(siret) is valide


@pytest.mark.parametrize(
    ("metres", "degres"),
    [((700000.0, 6600000.0), (3.0, 46.5)), ((658557.548, 6860084.001), (2.435368, 48.839473))],
)
def test_lambert_93(metres, degres):
    assert depuis_lambert93(*metres) == pytest.approx(degres, abs=2e-6)


# -- the real file ----------------------------------------------------------------------------------------------------


@pytest.mark.lent
@pytest.mark.django_db
@pytest.mark.skipif(not REEL.exists(), reason=f"no reference data in {REEL} (set ROR_DONNEES)")
def test_le_fichier_reel_deux_fois():
    chemin = REEL / "finess_structureet_idf.csv"
    rapports = []
    for _ in range(2):
        rapport = Rapport()
        importer(chemin, rapport)
        rapports.append(rapport)
    assert [bilan(r) for r in rapports] == [(3145, 8341, 0, 0), (0, 0, 0, 8341)]
    assert [sum(r.ignores.values()) for r in rapports] == [6122, 6122]
    assert {r.champ for r in rapports[0].refus} == {"date_ouverture"}
    assert ecarts() == []


@pytest.mark.django_db
@pytest.mark.skipif(not REEL.exists(), reason=f"no reference data in {REEL} (set ROR_DONNEES)")
def test_les_lignes_intactes_de_2026(importe):
    contenu = (REEL / "finess_et_format_20260512_sample.csv").read_text(encoding="utf-8")
    with pytest.raises(FichierRefuse, match="geolocalisation"):
        importe(contenu)
    rapport = importe(contenu, sans_geolocalisation=True, region="toutes")
    assert (rapport.version, rapport.date, rapport.eg_crees) == ("111", "2026-05-12", 5)
    assert actuelle("010000024").nom == "CENTRE HOSPITALIER DE BOURG-EN-BRESSE FLEYRIAT"
    assert actuelle("010000024").adresse_voie == "900 ROUTE DE PARIS"
