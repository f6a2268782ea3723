"""FINESS, historic layout: what a file creates, changes and keeps, however it is written."""

from datetime import date, timedelta

import pytest

from structures.domaine.enregistrer import ecarts, enregistrer
from structures.domaine.reserver import annoncer, ouvrir
from structures.enums import Niveau, Source
from structures.models import Fiche, Modification, VersionFiche

from .fabrique import aujourdhui, change, enfants, etablissement, numero, personne, versions
from .fichier_finess import EG1, EG2, EG3, EJ1, EJ2, JOUR, SIRET, actuelle, bilan, fiche, ligne, position, texte

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
