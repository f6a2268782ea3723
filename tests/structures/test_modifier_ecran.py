"""A direct change through the HTTP client: form, summary, date d’effet, and who may change what."""

import re
from datetime import date, timedelta

import pytest

from structures.champs import Qui, champs_de
from structures.domaine import reserver
from structures.enums import Role
from structures.models import Commune
from tests.factories import repertoire as fabrique
from tests.navigation import client, texte

from .ecrans import AUJOURDHUI, DANS_UN_MOIS, fiche, ouvrir

pytestmark = pytest.mark.django_db


def test_le_crayon_n_est_que_pour_ceux_qui_ont_le_droit(hopital, referent):
    url = fiche(hopital["UO"])
    ailleurs = fabrique.compte(Role.REFERENT, fabrique.etablissement(nom="Autre"))
    for user, attendu in (
        (referent, True),
        (fabrique.compte(Role.DIRECTION, hopital["EJ"]), True),
        (fabrique.gestionnaire(), True),
        (ailleurs, False),
        (fabrique.compte(Role.TUTELLE, "ARS-11"), False),
        (fabrique.lecteur(), False),
    ):
        html = client(user).get(url).content.decode()
        assert (f'href="{url}modifier/"' in html) is attendu
        assert client(user).get(f"{url}modifier/").status_code == (200 if attendu else 403)
        assert client(user).post(f"{url}modifier/").status_code == (422 if attendu else 403)


def test_le_type_d_uo_est_en_lecture_avec_la_note(hopital, referent):
    reponse = client(referent).get(fiche(hopital["UO"], "modifier/"))
    assert "mode édition" in texte(reponse)
    assert "Unité hospitalière de cardiologie" in texte(reponse)
    note = "Il n’est pas possible de modifier un type d’unité opérationnelle (UO) depuis le répertoire"
    assert f"À NOTER : {note}" in texte(reponse)
    for fige in ("type_uo", "champ_activite", "mode_prise_en_charge"):
        assert f'name="{fige}"' not in reponse.content.decode()
    assert note not in texte(client(referent).get(fiche(hopital["EG"], "modifier/")))


def test_une_modification_directe_d_un_bout_a_l_autre(hopital, referent):
    """Form, summary, date of effect, and the fiche that shows it at once (acceptance 28 to 49)."""
    saisie = ouvrir(referent, hopital["UO"])
    saisie.envoyer(
        "resume", activites=["013", "097"], conditions_admission="Sur rendez-vous", **{"territoire-ajout": "Vanves"}
    )
    assert saisie.reponse.status_code == 200
    assert "3 champs modifiés" in saisie.mots
    assert "Date à laquelle les modifications doivent être prises en compte" in saisie.mots
    assert fabrique.contenu(hopital["UO"]).conditions_admission == ""  # nothing saved yet
    assert saisie.donnees()["date_effet"] == [AUJOURDHUI.isoformat()]
    saisie.envoyer("enregistrer")
    assert (saisie.reponse.status_code, saisie.reponse["Location"]) == (302, fiche(hopital["UO"]))
    page = texte(saisie.navigateur.get(saisie.reponse["Location"]))
    assert "visibles dès maintenant" in page
    lue = fabrique.contenu(hopital["UO"])
    assert (lue.activites, lue.conditions_admission, lue.territoire) == (["013", "097"], "Sur rendez-vous", ["92075"])
    modification = hopital["UO"].modifications.latest("pk")
    assert modification.patch == {
        "activites": {"ajoute": ["097"]},
        "conditions_admission": "Sur rendez-vous",
        "territoire": {"ajoute": ["92075"]},
    }
    assert modification.auteur == referent


def test_une_date_d_effet_a_venir_ne_montre_rien_avant(hopital, referent):
    saisie = ouvrir(referent, hopital["UO"])
    saisie.envoyer("resume", nom="Unité renommée")
    saisie.envoyer("enregistrer", date_effet=DANS_UN_MOIS.isoformat())
    assert "Ils seront visibles dans le répertoire le" in texte(saisie.navigateur.get(saisie.reponse["Location"]))
    assert fabrique.contenu(hopital["UO"]).nom == "Unité de cardiologie"
    assert fabrique.contenu(hopital["UO"], DANS_UN_MOIS - timedelta(days=1)).nom == "Unité de cardiologie"
    assert fabrique.contenu(hopital["UO"], DANS_UN_MOIS).nom == "Unité renommée"


def test_revenir_a_la_saisie_garde_tout(hopital, referent):
    saisie = ouvrir(referent, hopital["UO"])
    saisie.envoyer("resume", nom="Unité renommée", activites=["097"])
    saisie.envoyer("saisie")
    assert saisie.reponse.status_code == 200
    donnees = saisie.donnees()
    assert (donnees["nom"], donnees["activites"]) == (["Unité renommée"], ["097"])


def test_rien_n_a_change(hopital, referent):
    saisie = ouvrir(referent, hopital["UO"])
    saisie.envoyer("resume")
    assert saisie.reponse.status_code == 422
    assert "Rien n’a changé" in saisie.mots


def test_une_saisie_refusee_revient_entiere_avec_ses_erreurs(hopital, referent):
    saisie = ouvrir(referent, hopital["UO"])
    saisie.envoyer(
        "resume", nom="x" * 300, age_min="200", conditions_accueil="<b>gardé</b>", **{"horaires_01-1": "12h-8h"}
    )
    assert saisie.reponse.status_code == 422
    assert "3 informations sont à corriger" in saisie.mots
    donnees = saisie.donnees()
    assert donnees["nom"] == ["x" * 300]
    assert donnees["horaires_01-1"] == ["12h-8h"]
    assert "&lt;b&gt;gardé" in saisie.reponse.content.decode()


def test_ce_qui_est_obligatoire_ne_se_vide_pas(hopital, referent):
    saisie = ouvrir(referent, hopital["UO"])
    saisie.envoyer("resume", nom="", activites=[])
    assert saisie.reponse.status_code == 422
    assert "« Nom » est obligatoire" in saisie.mots
    assert "« Activités opérationnelles » est obligatoire" in saisie.mots


def test_ce_qui_manquait_deja_ne_bloque_pas(hopital, referent):
    fabrique.publier(hopital["UO"], {"activites": {"retire": ["013"]}}, date(2024, 1, 1))
    saisie = ouvrir(referent, hopital["UO"])
    assert saisie.envoyer("resume", nom="Unité renommée").status_code == 200


def test_la_date_passee_est_refusee_sauf_au_gestionnaire_avec_motif(hopital, referent):
    hier = AUJOURDHUI - timedelta(days=1)
    saisie = ouvrir(referent, hopital["UO"])
    saisie.envoyer("resume", nom="Unité renommée")
    saisie.envoyer("enregistrer", date_effet=hier.isoformat(), motif="J’insiste")
    assert saisie.reponse.status_code == 422
    assert "La date d’effet ne peut pas être passée" in saisie.mots
    assert saisie.donnees()["nom"] == ["Unité renommée"]

    sesan = ouvrir(fabrique.gestionnaire(), hopital["UO"])
    sesan.envoyer("resume", nom="Unité renommée")
    sesan.envoyer("enregistrer", date_effet=hier.isoformat())
    assert sesan.reponse.status_code == 422
    assert "Indiquez pourquoi" in sesan.mots
    sesan.envoyer("enregistrer", date_effet=hier.isoformat(), motif="Oubli signalé par l’hôpital")
    assert sesan.reponse.status_code == 302
    assert fabrique.contenu(hopital["UO"], hier).nom == "Unité renommée"


def test_une_date_d_effet_illisible_ou_apres_la_fermeture(hopital, referent):
    fabrique.publier(hopital["UO"], {"existe": False}, DANS_UN_MOIS)
    saisie = ouvrir(referent, hopital["UO"])
    saisie.envoyer("resume", nom="Unité renommée")
    saisie.envoyer("enregistrer", date_effet="31/02/2027")
    assert saisie.reponse.status_code == 422
    assert "Cette date n’existe pas" in saisie.mots
    saisie.envoyer("enregistrer", date_effet=DANS_UN_MOIS.isoformat())
    assert saisie.reponse.status_code == 409
    assert "elle a été fermée" in saisie.mots
    assert saisie.donnees()["nom"] == ["Unité renommée"]


# -- typical weeks and the date d’effet --------------------------------------------------------------


def lundi_de(jour: date) -> date:
    return jour - timedelta(days=jour.weekday())


MATIN = {"horaires_01-6": "8h-12h"}
SAMEDI = {"6": [["08:00", "12:00"]]}
REGLE = "si la date d’effet vient après cette semaine, ils commencent le lundi de la semaine de la date d’effet"


def test_les_horaires_attendent_la_date_d_effet(hopital, referent):
    """The week is left at its default: it begins the Monday of the week of the date d’effet; both pages say so."""
    saisie = ouvrir(referent, hopital["UO"])
    assert "les horaires commencent le lundi de la semaine de la date d’effet" in saisie.mots
    saisie.envoyer("resume", **MATIN)
    assert REGLE in saisie.mots.replace("Si la", "si la")
    saisie.envoyer("enregistrer", date_effet=DANS_UN_MOIS.isoformat())
    assert saisie.reponse.status_code == 302
    assert fabrique.contenu(hopital["UO"], DANS_UN_MOIS).horaires == {f"01/{lundi_de(DANS_UN_MOIS)}": SAMEDI}
    assert fabrique.contenu(hopital["UO"]).horaires == {}


@pytest.mark.parametrize("jours", [-14, 0])
def test_une_semaine_passee_reste_permise_pour_un_effet_immediat(hopital, referent, jours):
    saisie = ouvrir(referent, hopital["UO"])
    lundi = lundi_de(AUJOURDHUI) + timedelta(days=jours)
    saisie.envoyer("resume", **MATIN, horaires_01_lundi=lundi.isoformat())
    saisie.envoyer("enregistrer")
    assert fabrique.contenu(hopital["UO"]).horaires == {f"01/{lundi}": SAMEDI}


def test_une_semaine_choisie_apres_la_date_d_effet_est_gardee(hopital, referent):
    lundi = lundi_de(DANS_UN_MOIS) + timedelta(days=7)
    saisie = ouvrir(referent, hopital["UO"])
    saisie.envoyer("resume", **MATIN, horaires_01_lundi=lundi.isoformat())
    saisie.envoyer("enregistrer", date_effet=DANS_UN_MOIS.isoformat())
    assert fabrique.contenu(hopital["UO"], DANS_UN_MOIS).horaires == {f"01/{lundi}": SAMEDI}


def test_des_horaires_deja_prevus_cette_semaine_la_ne_sont_pas_ecrases(hopital, referent):
    prevus = {f"01/{lundi_de(DANS_UN_MOIS)}": {"1": [["09:00", "10:00"]]}}
    fabrique.direct(hopital["UO"], referent, {"horaires": {"pose": prevus}})
    saisie = ouvrir(referent, hopital["UO"])
    saisie.envoyer("resume", **MATIN)
    saisie.envoyer("enregistrer", date_effet=DANS_UN_MOIS.isoformat())
    assert saisie.reponse.status_code == 422
    assert "Des horaires sont déjà prévus à partir du" in saisie.mots
    assert fabrique.contenu(hopital["UO"], DANS_UN_MOIS).horaires == prevus
    assert saisie.donnees()["horaires_01-6"] == ["8h-12h"]


def test_sans_horaires_le_resume_ne_parle_pas_de_semaine(hopital, referent):
    saisie = ouvrir(referent, hopital["UO"])
    saisie.envoyer("resume", nom="Unité renommée")
    assert "Les horaires commencent" not in saisie.mots


# -- the form ----------------------------------------------------------------------------------------


def test_les_liens_vers_un_champ_menent_a_un_champ(hopital, referent):
    """« À compléter » and the deep links of other pages (/modifier/#id_<champ>) name ids of the page."""
    fabrique.publier(hopital["UO"], {"activites": {"retire": ["013"]}, "age_max": None}, date(2024, 1, 1))
    saisie = ouvrir(referent, hopital["UO"])
    html = saisie.reponse.content.decode()
    assert "2 informations obligatoires à compléter" in saisie.mots
    ids = set(re.findall(r' id="([^"]+)"', html))
    liens = re.findall(r'<a href="#([^"]+)">', html.split('class="sommaire"', 1)[1].split("</details>", 1)[0])
    assert {"id_activites", "id_age_max", "saisie-horaires"} <= set(liens)
    assert set(liens) <= ids
    modifiables = [c.nom for c in champs_de("UO", {Qui.PARTOUT})]
    assert [nom for nom in modifiables if f"id_{nom}" not in ids] == []


# -- who may change what -----------------------------------------------------------------------------


def test_un_formulaire_forge_ne_touche_que_ce_qui_se_modifie_ici(hopital, referent):
    """A field of the dossier or of another level is ignored; a broken token is refused in words."""
    saisie = ouvrir(referent, hopital["UO"])
    saisie.envoyer("resume", nom="Unité renommée", type_uo="69", champ_activite="03", finess="750000001", existe="")
    saisie.envoyer("enregistrer")
    assert hopital["UO"].modifications.latest("pk").patch == {"nom": "Unité renommée"}
    autre = ouvrir(referent, hopital["UO"])
    for jeton in ("", "abc", "1.0.0"):
        reponse = autre.navigateur.post(autre.url, {"jeton": jeton, "jour": "x", "nom": "Y", "etape": "resume"})
        assert reponse.status_code == 422
        assert "Le formulaire est illisible" in texte(reponse)


def test_une_fiche_reservee_entre_temps_est_un_409_qui_garde_la_saisie(hopital, referent):
    saisie = ouvrir(referent, hopital["UO"])
    saisie.envoyer("resume", nom="Unité renommée")
    reserver.ouvrir(eg=hopital["EG"], dossier=12, nom="Ouverture", etape="Approbation")
    reserver.annoncer(dossier=12, etape="Approbation", fiches=[hopital["UO"].pk], envoye=True)
    saisie.envoyer("enregistrer")
    assert saisie.reponse.status_code == 409
    assert "Le dossier collaboratif « Ouverture » change cette fiche" in saisie.mots
    assert saisie.donnees()["nom"] == ["Unité renommée"]


@pytest.mark.parametrize("niveau", ["EJ", "EG", "P", "S", "UF", "UO"])
def test_chaque_niveau_se_lit_et_se_modifie(hopital, niveau):
    saisie = ouvrir(fabrique.gestionnaire(), hopital[niveau])
    assert saisie.reponse.status_code == 200
    assert saisie.envoyer("resume", nom=f"{niveau} renommé").status_code == 200
    saisie.envoyer("enregistrer")
    assert saisie.reponse.status_code == 302
    page = texte(saisie.navigateur.get(saisie.reponse["Location"]))
    assert f"{niveau} renommé" in page


def test_la_tutelle_fixee_par_sesan_est_au_gestionnaire_seul(hopital, referent):
    url = fiche(hopital["EG"], "modifier/")
    assert 'name="autorites"' not in client(referent).get(url).content.decode()
    saisie = ouvrir(fabrique.gestionnaire(), hopital["EG"])
    saisie.envoyer("resume", autorites=["ARS-11", "CD-75"])
    saisie.envoyer("enregistrer")
    assert fabrique.contenu(hopital["EG"]).autorites == ["ARS-11", "CD-75"]


def test_un_territoire_de_toute_la_region_se_modifie(hopital, referent, settings):
    """1,286 communes travel twice through the form (the settings of the product must let that many fields through)."""
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 50_000
    communes = sorted(Commune.objects.filter(region="11").values_list("code", flat=True))
    fabrique.publier(hopital["UO"], {"territoire": {"ajoute": communes}}, date(2024, 1, 1))
    saisie = ouvrir(referent, hopital["UO"])
    saisie.envoyer("resume", territoire=communes[1:])
    assert f"… et {len(communes) - 1} inchangés".replace("1285", "1 285") in saisie.mots
    saisie.envoyer("enregistrer")
    assert hopital["UO"].modifications.latest("pk").patch == {"territoire": {"retire": [communes[0]]}}
