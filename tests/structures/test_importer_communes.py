"""Import of the communes of a year: the list, the movements, and the fiches that follow, one change of the day each."""

import zipfile
from datetime import date

import pytest
from django.db import transaction

from backoffice.socle.erreurs import Invalide
from structures.communes import communes_seules
from structures.domaine.enregistrer import ecarts
from structures.domaine.reserver import annoncer, ouvrir
from structures.enums import Role, Source
from structures.importations.communes import lecture
from structures.importations.communes.application import COMMUNES
from structures.importations.communes.lecture import Mouvement
from structures.importations.communes.mouvements import devenir
from structures.importations.lecture import FichierRefuse
from structures.importations.suivi import Suivi
from structures.models import AExposer, Commune, IndexEG, Modification, VersionFiche
from structures.requetes import rechercher_communes
from tests.factories.repertoire import compte, direct, etablissement, publier, referentiels, uo

FUSION = date(2026, 1, 1)
AUJOURDHUI = date(2026, 11, 1)
ENTETE = (
    "MOD,DATE_EFF,TYPECOM_AV,COM_AV,TNCC_AV,NCC_AV,NCCENR_AV,LIBELLE_AV,TYPECOM_AP,COM_AP,TNCC_AP,NCC_AP,NCCENR_AP,"
    "LIBELLE_AP"
)
# 01002 goes into 01001, which takes another name; both become parts of it.
NOUVELLE = [
    "32,2026-01-01,COM,01001,5,X,X,L'Abergement-Clémenciat,COM,01001,0,X,X,Val-Nouveau",
    "32,2026-01-01,COM,01001,5,X,X,L'Abergement-Clémenciat,COMD,01001,5,X,X,L'Abergement-Clémenciat",
    "32,2026-01-01,COM,01002,5,X,X,L'Abergement-de-Varey,COM,01001,0,X,X,Val-Nouveau",
    "32,2026-01-01,COM,01002,5,X,X,L'Abergement-de-Varey,COMD,01002,5,X,X,L'Abergement-de-Varey",
]


def mouvements(*lignes: str) -> str:
    return "\n".join([ENTETE, *lignes]) + "\n"


@pytest.fixture
def importe(tmp_path, db):
    """``importe(text)`` or ``importe(list=…, movements=…)``: the lines of the report, without their words."""

    def lancer(seul: str | bytes = "", **fichiers: str) -> set[tuple[str, ...]]:
        chemin = tmp_path / ("cog.zip" if fichiers else "cog.csv")
        if fichiers:
            with zipfile.ZipFile(chemin, "w", zipfile.ZIP_DEFLATED) as archive:
                for nom, contenu in fichiers.items():
                    archive.writestr(f"{nom}.csv", contenu)
        else:
            chemin.write_bytes(seul if isinstance(seul, bytes) else seul.encode())
        with transaction.atomic():
            bilan = COMMUNES.importer(chemin, Suivi())
        return {(d.sort.value, d.cle, d.fiche, d.champ, d.avant, d.apres) for d in bilan.details}

    return lancer


def suite_de(fiche, champ: str) -> list[tuple[date, object]]:
    return [
        (v.validite.lower, getattr(v, champ)) for v in VersionFiche.objects.filter(fiche=fiche).order_by("validite")
    ]


def test_les_fiches_suivent_la_fusion_a_son_jour(importe):
    eg = etablissement("medico-social", commune="01002", code_postal="01640")
    unite = uo(eg, territoire={"ajoute": ["01002", "01004"]})
    voisin = etablissement("medico-social", commune="01001")
    revenu = etablissement("medico-social", commune="01002")
    publier(revenu, {"commune": "75113"}, date(2025, 6, 1))
    publier(revenu, {"commune": "01002"}, date(2026, 3, 1))
    direct(eg, compte(Role.REFERENT, eg), {"telephone": "0102030405"}, date_effet=date(2026, 12, 31))
    retenu = etablissement("medico-social", commune="01002")
    ouvrir(eg=retenu, dossier=1, nom="D", etape="x")
    annoncer(dossier=1, etape="x", fiches=[retenu.pk], envoye=True)
    AExposer.objects.all().delete()
    avant = Modification.objects.count()
    details = importe(mouvements(*NOUVELLE))
    assert details == {
        ("change", "01001", "", "Nom", "L'Abergement-Clémenciat", "Val-Nouveau"),
        ("ferme", "01002", "", "Devenue", "", "01001"),
        ("change", "01002", eg.identifiant, "Commune", "01002", "01001"),
        ("change", "01002", unite.identifiant, "Territoire d’intervention", "01002", "01001"),
        ("change", "01002", revenu.identifiant, "Commune", "01002", "01001"),
        ("conserve", "01002", retenu.identifiant, "Commune", "01002", "01001"),
    }
    assert suite_de(eg, "commune")[1:] == [(FUSION, "01001"), (date(2026, 12, 31), "01001")]
    assert suite_de(unite, "territoire") == [(date(2020, 1, 6), ["01002", "01004"]), (FUSION, ["01001", "01004"])]
    assert suite_de(revenu, "commune")[-2:] == [(date(2025, 6, 1), "75113"), (date(2026, 3, 1), "01001")]
    ecrites = Modification.objects.order_by("pk")[avant:]
    assert {(m.fiche_id, m.source, m.origine) for m in ecrites} == {
        (eg.pk, Source.IMPORT, "COG 2026-01-01"), (unite.pk, Source.IMPORT, "COG 2026-01-01"),
        (revenu.pk, Source.IMPORT, "COG 2026-03-01"),
    }  # fmt: skip
    assert {tuple(m.patch) for m in ecrites} == {("commune",), ("territoire",)}
    assert ecarts() == []
    assert {"val", "nouveau"} <= set(IndexEG.objects.get(eg=voisin).texte.split())
    assert set(AExposer.objects.values_list("fiche", flat=True)) == {None, eg.pk, unite.pk, revenu.pk}
    assert importe(mouvements(*NOUVELLE)) == {("conserve", "01002", retenu.identifiant, "Commune", "01002", "01001")}
    # A commune that is no more is read, and not chosen.
    assert Commune.objects.get(pk="01002").libelle == "L'Abergement-de-Varey (01)"
    assert [code for code, _ in rechercher_communes("abergement de varey")] == []
    assert communes_seules("01002") == []
    with pytest.raises(Invalide) as refus:
        direct(voisin, compte(Role.REFERENT, voisin), {"commune": "01002"})
    assert refus.value.champs == {
        "commune": ["La commune 01002 n’existe plus depuis le 01/01/2026 : elle est devenue 01001."]
    }


def test_ce_qui_est_ambigu_est_montre_et_ne_change_rien(importe):
    eg = etablissement("medico-social", commune="01004")
    partage = etablissement("medico-social", commune="01005")
    details = importe(
        mouvements(
            "21,2026-01-01,COM,01004,5,X,X,Ambérieu-en-Bugey,COM,01004,0,X,X,Ambérieu-en-Bugey",
            "21,2026-01-01,COM,01004,5,X,X,Ambérieu-en-Bugey,COM,01990,0,X,X,Bourg-Refait",
            "30,2026-01-01,COM,01005,5,X,X,Ambérieux-en-Dombes,COM,01006,0,X,X,Ambléon",
            "30,2026-01-01,COM,01005,5,X,X,Ambérieux-en-Dombes,COM,01007,0,X,X,Ambronay",
        )
    )
    assert details == {
        ("cree", "01990", "", "", "", ""), ("ferme", "01005", "", "Partagée", "", "01006, 01007"),
        ("signale", "01004", eg.identifiant, "Commune", "01004", "01004 ou 01990"),
        ("signale", "01005", partage.identifiant, "Commune", "01005", "01006 ou 01007"),
    }  # fmt: skip
    assert (Commune.objects.get(pk="01990").departement, Commune.objects.get(pk="01990").region) == ("01", "84")
    assert Modification.objects.filter(origine__startswith="COG").count() == 0
    # Until it is corrected, each import says it again.
    assert importe(mouvements("30,2027-01-01,COM,01006,,,,X,COM,01006,,,,X")) == {
        ("signale", "01005", partage.identifiant, "Commune", "01005", "")
    }


def test_la_liste_de_l_annee_et_ses_mouvements(importe):
    referentiels()
    Commune.objects.exclude(code__in=["01001", "01002", "01004", "01005"]).delete()
    eg = etablissement("medico-social", commune="01005", nom="Perdu")
    lignes = [
        "TYPECOM,COM,REG,DEP,CTCD,ARR,TNCC,NCC,NCCENR,LIBELLE,CAN,COMPARENT",
        "COM,01001,84,01,01D,012,0,X,X,Val-Nouveau,0108,", "COMD,01002,,,,,5,X,X,L'Abergement-de-Varey,,01001",
        "COM,01004,27,01,01D,011,1,X,X,Ambérieu-en-Bugey,0101,", "COM,01901,84,01,01D,011,1,X,X,Toute-Neuve,0101,",
    ]  # fmt: skip
    autre = {"v_region_2026": "REG,LIBELLE\n11,X\n"}
    fichiers = {"v_commune_2026": "\n".join(lignes) + "\n", "v_mvt_commune_2026": mouvements(*NOUVELLE), **autre}
    details = importe(**fichiers)
    assert details == {
        ("cree", "01901", "", "", "", ""), ("change", "01001", "", "Nom", "L'Abergement-Clémenciat", "Val-Nouveau"),
        ("change", "01004", "", "Région", "84", "27"), ("ferme", "01002", "", "Devenue", "", "01001"),
        ("signale", "01005", eg.identifiant, "Commune", "01005", ""), ("ignore", "v_region_2026.csv", "", "", "", ""),
    }  # fmt: skip
    assert Commune.objects.get(pk="01004").codes_postaux == ["01500"]  # the file does not say: kept
    assert {d[0] for d in importe(**fichiers)} == {"signale", "ignore"}
    ancienne = "\n".join([*lignes, "COM,01002,84,01,01D,012,0,X,X,L'Abergement-de-Varey,0108,"]) + "\n"
    with pytest.raises(FichierRefuse, match=r"ligne 6.*depuis le 01/01/2026 : cette liste est d’une année plus anc"):
        importe(ancienne)
    rendue = "21,2026-03-01,COM,01001,0,X,X,Val-Nouveau,COM,01002,5,X,X,L'Abergement-de-Varey"
    details = importe(liste=ancienne, mouvements=mouvements(*NOUVELLE, rendue))
    assert ("rouvert", "01002", "", "", "", "") in details


def test_ce_que_disent_les_mouvements():
    def m(jour: str, avant: str, apres: str, noms: tuple[str, str] = ("", "")) -> Mouvement:
        return Mouvement(date.fromisoformat(jour), avant, noms[0], apres, noms[1])

    lus = devenir(
        [
            m("1972-01-01", "A", "B"), m("1990-01-01", "B", "B"), m("1990-01-01", "B", "A"),  # gone, and back
            m("2025-01-01", "C", "X"), m("2026-01-01", "X", "D"),  # through one that the register never knew
            m("2024-01-01", "E", "F"), m("2025-01-01", "F", "G"),
            m("2026-05-01", "H", "H", ("Nom", "Nouveau")), m("2027-01-01", "A", "B"),
        ],
        ["A", "B", "C", "D", "E", "F", "G", "H"], None, AUJOURDHUI,
    )  # fmt: skip
    assert lus.successeurs == {
        "C": (date(2025, 1, 1), "D"), "E": (date(2024, 1, 1), "F"), "F": (date(2025, 1, 1), "G")
    }  # fmt: skip
    assert (lus.partages, lus.renommees, lus.a_venir) == ({}, [("H", "Nom", "Nouveau")], 1)
    dans_la_liste = devenir([m("2025-01-01", "C", "D")], ["C", "D"], ["C", "D"], AUJOURDHUI)
    assert dans_la_liste.successeurs == {}


@pytest.mark.parametrize(
    ("contenu", "mots"),
    [
        ("a;b\n1;2\n", "ni liste de communes"),
        ("code;nom;departement\n01001;Un\n", "ligne 2, colonne 3"),
        ("code;nom;departement\n1001;Un;01\n", "« 1001 » n’est pas un code"),
        ("code;nom;departement\n01001;Un;01\n01001;Deux;01\n", "déjà, autrement, ligne 2"),
        ("code;nom;departement;population\n01001;Un;01;mille\n", "« mille »"),
        ("code;nom;departement;codes_postaux\n01001;Un;01;1234\n", "codes postaux"),
        (mouvements("32,01/01/2026,COM,01001,,,,,COM,01002,,,,"), "AAAA-MM-JJ"),
        ('code;nom;departement\n01001;"Un;01\n', "coupé"),
        ('code;"nom;departement\n01001;Un;01\n', "noms des colonnes"),
        (b"code;nom;departement\n01001;\xc3\xa9\xc3\xa9\xc3\xa9;01\n01002;\xe9;01\n", "ligne 3) : il mélange"),
        (b"code;nom;departement\n01001;\xc3\xa9\xc3\xa9\xc3;01\n", "ligne 2) : il mélange"),
        (b"code;nom;departement\n01001;\x00;01\n", "caractère interdit"),
        (";" * 900, "dépasse 500 octets"),
        ("code;nom;departement\n" + "01001;Un;01\n" * 41, "(ligne 42) : plus de 40 lignes"),
        (
            {"a": mouvements(*NOUVELLE[:1] * 4), "b": "code;nom;departement\n" + "01003;Un;01\n" * 37},
            "plus de 40 lignes",
        ),
        ({"a": "code;nom;departement\n" * 60}, "a.csv dépasse"),
        ({"a": "\n" * 900, "b": "\n" * 900, "c": "\n" * 900}, "une fois ouvert"),
    ],
)
def test_un_fichier_abime_est_refuse_et_dit_ou(importe, contenu, mots, monkeypatch):
    monkeypatch.setattr(lecture, "BORNES", lecture.BORNES._replace(taille=1_000, total=2_000))
    monkeypatch.setattr(lecture, "LIGNE_MAX", 500)
    monkeypatch.setattr(lecture, "LIGNES_MAX", 40)
    referentiels()
    avant = Commune.objects.count()
    with pytest.raises(FichierRefuse) as refus:
        importe(**contenu) if isinstance(contenu, dict) else importe(contenu)
    assert mots in refus.value.message
    assert Commune.objects.count() == avant
