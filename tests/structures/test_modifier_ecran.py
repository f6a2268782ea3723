"""A direct change through the HTTP client: form, summary, date d’effet, and what somebody else changed meanwhile."""

import re
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from structures.champs import Qui, champs_de
from structures.domaine import reserver
from structures.domaine.suites import annuler_prevue
from structures.enums import Role
from structures.models import Commune
from tests.factories import repertoire as fabrique
from tests.formulaires import lire_formulaire

pytestmark = pytest.mark.django_db

AUJOURDHUI = timezone.localdate()
DANS_UN_MOIS = AUJOURDHUI + timedelta(days=30)


@pytest.fixture
def hopital():
    return fabrique.hopital()


@pytest.fixture
def referent(hopital):
    return fabrique.compte(Role.REFERENT, hopital["EG"], "referent")


def client(user) -> Client:
    navigateur = Client()
    navigateur.force_login(user)
    return navigateur


def fiche(identifiant: str, suffixe: str = "") -> str:
    return f"/repertoire/{identifiant}/{suffixe}"


def texte(reponse) -> str:
    """The words of a page, tags and hidden controls left out."""
    sans = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", reponse.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", sans)).replace("&#x27;", "'")


def test_le_crayon_n_est_que_pour_ceux_qui_ont_le_droit(hopital, referent):
    url = fiche(hopital["UO"].identifiant)
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
    reponse = client(referent).get(fiche(hopital["UO"].identifiant, "modifier/"))
    assert "mode édition" in texte(reponse)
    assert "Unité hospitalière de cardiologie" in texte(reponse)
    note = "Il n’est pas possible de modifier un type d’unité opérationnelle (UO) depuis le répertoire"
    assert f"À NOTER : {note}" in texte(reponse)
    for fige in ("type_uo", "champ_activite", "mode_prise_en_charge"):
        assert f'name="{fige}"' not in reponse.content.decode()
    assert note not in texte(client(referent).get(fiche(hopital["EG"].identifiant, "modifier/")))


class Saisie:
    """A person with the form of a fiche open: what she types, then the steps."""

    def __init__(self, user, cible) -> None:
        self.navigateur = client(user)
        self.url = fiche(cible.identifiant, "modifier/")
        self.reponse = self.navigateur.get(self.url)

    def envoyer(self, etape: str, **changements):
        self.reponse = self.navigateur.post(self.url, self.donnees(etape=etape, **changements))
        return self.reponse

    def donnees(self, **changements) -> dict[str, list[str]]:
        [formulaire] = re.findall(r'<form method="post" class="pile.*?</form>', self.reponse.content.decode(), re.S)
        return dict(lire_formulaire(formulaire, **changements).lists())

    @property
    def mots(self) -> str:
        return texte(self.reponse)


def test_une_modification_directe_d_un_bout_a_l_autre(hopital, referent):
    """Form, summary, date of effect, and the fiche that shows it at once (acceptance 28 to 49)."""
    saisie = Saisie(referent, hopital["UO"])
    saisie.envoyer(
        "resume", activites=["013", "097"], conditions_admission="Sur rendez-vous", **{"territoire-ajout": "Vanves"}
    )
    assert saisie.reponse.status_code == 200
    assert "3 champs modifiés" in saisie.mots
    assert "Date à laquelle les modifications doivent être prises en compte" in saisie.mots
    assert fabrique.contenu(hopital["UO"]).conditions_admission == ""  # nothing saved yet
    assert saisie.donnees()["date_effet"] == [AUJOURDHUI.isoformat()]
    saisie.envoyer("enregistrer")
    assert (saisie.reponse.status_code, saisie.reponse["Location"]) == (302, fiche(hopital["UO"].identifiant))
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
    saisie = Saisie(referent, hopital["UO"])
    saisie.envoyer("resume", nom="Unité renommée")
    saisie.envoyer("enregistrer", date_effet=DANS_UN_MOIS.isoformat())
    assert "Ils seront visibles dans le répertoire le" in texte(saisie.navigateur.get(saisie.reponse["Location"]))
    assert fabrique.contenu(hopital["UO"]).nom == "Unité de cardiologie"
    assert fabrique.contenu(hopital["UO"], DANS_UN_MOIS - timedelta(days=1)).nom == "Unité de cardiologie"
    assert fabrique.contenu(hopital["UO"], DANS_UN_MOIS).nom == "Unité renommée"


def test_revenir_a_la_saisie_garde_tout(hopital, referent):
    saisie = Saisie(referent, hopital["UO"])
    saisie.envoyer("resume", nom="Unité renommée", activites=["097"])
    saisie.envoyer("saisie")
    assert saisie.reponse.status_code == 200
    donnees = saisie.donnees()
    assert (donnees["nom"], donnees["activites"]) == (["Unité renommée"], ["097"])


def test_rien_n_a_change(hopital, referent):
    saisie = Saisie(referent, hopital["UO"])
    saisie.envoyer("resume")
    assert saisie.reponse.status_code == 422
    assert "Rien n’a changé" in saisie.mots


def test_une_saisie_refusee_revient_entiere_avec_ses_erreurs(hopital, referent):
    saisie = Saisie(referent, hopital["UO"])
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
    saisie = Saisie(referent, hopital["UO"])
    saisie.envoyer("resume", nom="", activites=[])
    assert saisie.reponse.status_code == 422
    assert "« Nom » est obligatoire" in saisie.mots
    assert "« Activités opérationnelles » est obligatoire" in saisie.mots


def test_ce_qui_manquait_deja_ne_bloque_pas(hopital, referent):
    fabrique.publier(hopital["UO"], {"activites": {"retire": ["013"]}}, date(2024, 1, 1))
    saisie = Saisie(referent, hopital["UO"])
    assert saisie.envoyer("resume", nom="Unité renommée").status_code == 200


def test_la_date_passee_est_refusee_sauf_au_gestionnaire_avec_motif(hopital, referent):
    hier = AUJOURDHUI - timedelta(days=1)
    saisie = Saisie(referent, hopital["UO"])
    saisie.envoyer("resume", nom="Unité renommée")
    saisie.envoyer("enregistrer", date_effet=hier.isoformat(), motif="J’insiste")
    assert saisie.reponse.status_code == 422
    assert "La date d’effet ne peut pas être passée" in saisie.mots
    assert saisie.donnees()["nom"] == ["Unité renommée"]

    sesan = Saisie(fabrique.gestionnaire(), hopital["UO"])
    sesan.envoyer("resume", nom="Unité renommée")
    sesan.envoyer("enregistrer", date_effet=hier.isoformat())
    assert sesan.reponse.status_code == 422
    assert "Indiquez pourquoi" in sesan.mots
    sesan.envoyer("enregistrer", date_effet=hier.isoformat(), motif="Oubli signalé par l’hôpital")
    assert sesan.reponse.status_code == 302
    assert fabrique.contenu(hopital["UO"], hier).nom == "Unité renommée"


def test_une_date_d_effet_illisible_ou_apres_la_fermeture(hopital, referent):
    fabrique.publier(hopital["UO"], {"existe": False}, DANS_UN_MOIS)
    saisie = Saisie(referent, hopital["UO"])
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
    saisie = Saisie(referent, hopital["UO"])
    assert "les horaires commencent le lundi de la semaine de la date d’effet" in saisie.mots
    saisie.envoyer("resume", **MATIN)
    assert REGLE in saisie.mots.replace("Si la", "si la")
    saisie.envoyer("enregistrer", date_effet=DANS_UN_MOIS.isoformat())
    assert saisie.reponse.status_code == 302
    assert fabrique.contenu(hopital["UO"], DANS_UN_MOIS).horaires == {f"01/{lundi_de(DANS_UN_MOIS)}": SAMEDI}
    assert fabrique.contenu(hopital["UO"]).horaires == {}


@pytest.mark.parametrize("jours", [-14, 0])
def test_une_semaine_passee_reste_permise_pour_un_effet_immediat(hopital, referent, jours):
    saisie = Saisie(referent, hopital["UO"])
    lundi = lundi_de(AUJOURDHUI) + timedelta(days=jours)
    saisie.envoyer("resume", **MATIN, horaires_01_lundi=lundi.isoformat())
    saisie.envoyer("enregistrer")
    assert fabrique.contenu(hopital["UO"]).horaires == {f"01/{lundi}": SAMEDI}


def test_une_semaine_choisie_apres_la_date_d_effet_est_gardee(hopital, referent):
    lundi = lundi_de(DANS_UN_MOIS) + timedelta(days=7)
    saisie = Saisie(referent, hopital["UO"])
    saisie.envoyer("resume", **MATIN, horaires_01_lundi=lundi.isoformat())
    saisie.envoyer("enregistrer", date_effet=DANS_UN_MOIS.isoformat())
    assert fabrique.contenu(hopital["UO"], DANS_UN_MOIS).horaires == {f"01/{lundi}": SAMEDI}


def test_des_horaires_deja_prevus_cette_semaine_la_ne_sont_pas_ecrases(hopital, referent):
    prevus = {f"01/{lundi_de(DANS_UN_MOIS)}": {"1": [["09:00", "10:00"]]}}
    fabrique.direct(hopital["UO"], referent, {"horaires": {"pose": prevus}})
    saisie = Saisie(referent, hopital["UO"])
    saisie.envoyer("resume", **MATIN)
    saisie.envoyer("enregistrer", date_effet=DANS_UN_MOIS.isoformat())
    assert saisie.reponse.status_code == 422
    assert "Des horaires sont déjà prévus à partir du" in saisie.mots
    assert fabrique.contenu(hopital["UO"], DANS_UN_MOIS).horaires == prevus
    assert saisie.donnees()["horaires_01-6"] == ["8h-12h"]


def test_sans_horaires_le_resume_ne_parle_pas_de_semaine(hopital, referent):
    saisie = Saisie(referent, hopital["UO"])
    saisie.envoyer("resume", nom="Unité renommée")
    assert "Les horaires commencent" not in saisie.mots


# -- somebody else saved meanwhile -------------------------------------------------------------------


@pytest.fixture
def collegue(hopital):
    return fabrique.compte(Role.DIRECTION, hopital["EG"], "direction")


SEMAINE = {"horaires_01-1": "8h-12h", "horaires_01_lundi": "2030-01-07"}


@pytest.mark.parametrize(("choix", "garde"), [("mienne", "De moi"), ("leur", "Du collègue")])
def test_un_enregistrement_perime_se_departage_champ_par_champ(hopital, referent, collegue, choix, garde):
    """409 with the three values and who; the choice and the rest of what was typed are saved by one button."""
    saisie = Saisie(referent, hopital["UO"])
    saisie.envoyer("resume", conditions_accueil="De moi", conditions_admission="De moi aussi", **SEMAINE)
    fabrique.direct(hopital["UO"], collegue, {"conditions_accueil": "Du collègue", "nom": "Unité renommée"})
    saisie.envoyer("enregistrer")
    assert saisie.reponse.status_code == 409
    assert "Un champ est à départager" in saisie.mots
    assert re.search(
        r"Conditions d’accueil .*À l’ouverture du formulaire — Prendre la valeur de direction", saisie.mots
    )
    assert re.search(r"Du collègue Garder ma saisie pour Conditions d’accueil De moi", saisie.mots)
    assert "2 champs modifiés" in saisie.mots  # what does not collide
    assert re.search(r"Modifié par d’autres .* Nom Unité de cardiologie Unité renommée", saisie.mots)
    saisie.envoyer("enregistrer", garder_conditions_accueil=choix)
    assert saisie.reponse.status_code == 302
    lue = fabrique.contenu(hopital["UO"])
    assert (lue.conditions_accueil, lue.conditions_admission, lue.nom) == (garde, "De moi aussi", "Unité renommée")
    assert lue.horaires == {"01/2030-01-07": {"1": [["08:00", "12:00"]]}}
    page = texte(saisie.navigateur.get(saisie.reponse["Location"]))
    assert ("direction a aussi modifié « Nom »" in page) is True


def test_le_resume_montre_deja_le_heurt_et_demande_un_choix(hopital, referent, collegue):
    saisie = Saisie(referent, hopital["UO"])
    fabrique.direct(hopital["UO"], collegue, {"conditions_accueil": "Du collègue"})
    assert saisie.envoyer("resume", conditions_accueil="De moi").status_code == 409
    avant = hopital["UO"].modifications.count()
    assert saisie.envoyer("enregistrer").status_code == 409
    assert "Choisissez la valeur à garder" in saisie.mots
    assert saisie.envoyer("enregistrer", garder_conditions_accueil="autre").status_code == 409
    assert hopital["UO"].modifications.count() == avant
    assert saisie.envoyer("saisie").status_code == 200
    assert saisie.donnees()["conditions_accueil"] == ["De moi"]


def test_tout_ceder_n_enregistre_rien(hopital, referent, collegue):
    saisie = Saisie(referent, hopital["UO"])
    fabrique.direct(hopital["UO"], collegue, {"conditions_accueil": "Du collègue"})
    avant = hopital["UO"].modifications.count()
    saisie.envoyer("resume", conditions_accueil="De moi")
    saisie.envoyer("enregistrer", garder_conditions_accueil="leur")
    assert "Les valeurs du répertoire sont gardées" in texte(saisie.navigateur.get(saisie.reponse["Location"]))
    assert hopital["UO"].modifications.count() == avant


def test_un_choix_fait_sur_une_valeur_qui_change_encore_est_redemande(hopital, referent, collegue):
    saisie = Saisie(referent, hopital["UO"])
    fabrique.direct(hopital["UO"], collegue, {"conditions_accueil": "Première"})
    saisie.envoyer("resume", conditions_accueil="De moi")
    fabrique.direct(hopital["UO"], collegue, {"conditions_accueil": "Seconde"})
    saisie.envoyer("enregistrer", garder_conditions_accueil="mienne")
    assert saisie.reponse.status_code == 409
    assert "Seconde" in saisie.mots
    assert "garder_conditions_accueil" not in saisie.donnees()
    saisie.envoyer("enregistrer", garder_conditions_accueil="mienne")
    assert fabrique.contenu(hopital["UO"]).conditions_accueil == "De moi"


def test_un_age_et_son_unite_se_departagent_ensemble(hopital, referent, collegue):
    saisie = Saisie(referent, hopital["UO"])
    fabrique.direct(hopital["UO"], collegue, {"age_min_unite": "mois"})
    saisie.envoyer("resume", age_min="18")
    assert saisie.reponse.status_code == 409
    assert re.search(r"Âge minimum .* 16 ans Prendre .* 16 mois Garder ma saisie .* 18 ans", saisie.mots)
    saisie.envoyer("enregistrer", garder_age_min="leur")
    lue = fabrique.contenu(hopital["UO"])
    assert (lue.age_min, lue.age_min_unite) == (16, "mois")


def test_une_annulation_se_departage_aussi(hopital, referent, collegue):
    prevu = fabrique.direct(hopital["UO"], collegue, {"conditions_accueil": "Prévu"}, DANS_UN_MOIS)
    saisie = Saisie(referent, hopital["UO"])
    saisie.envoyer("resume", conditions_accueil="De moi")
    annuler_prevue(modification=prevu, acteur=collegue)
    plus_tard = (DANS_UN_MOIS + timedelta(days=1)).isoformat()
    saisie.envoyer("enregistrer", date_effet=plus_tard)
    assert saisie.reponse.status_code == 409
    assert "Prendre la valeur de direction" in saisie.mots
    saisie.envoyer("enregistrer", date_effet=plus_tard, garder_conditions_accueil="mienne")
    assert saisie.reponse.status_code == 302
    assert fabrique.contenu(hopital["UO"]).conditions_accueil == ""


def test_un_changement_prevu_plus_tard_n_est_pas_un_heurt(hopital, referent, collegue):
    saisie = Saisie(referent, hopital["UO"])
    fabrique.direct(hopital["UO"], collegue, {"conditions_accueil": "Prévu"}, DANS_UN_MOIS)
    saisie.envoyer("resume", conditions_accueil="De moi")
    assert saisie.envoyer("enregistrer").status_code == 302
    contenus = [fabrique.contenu(hopital["UO"], jour).conditions_accueil for jour in (AUJOURDHUI, DANS_UN_MOIS)]
    assert contenus == ["De moi", "Prévu"]


def test_des_changements_qui_ne_se_heurtent_pas_se_fusionnent_et_se_disent(hopital, referent, collegue):
    saisie = Saisie(referent, hopital["UO"])
    saisie.envoyer("resume", activites=["013", "014"])
    fabrique.direct(hopital["UO"], collegue, {"activites": {"ajoute": ["097"]}, "nom": "Renommée"})
    assert saisie.envoyer("enregistrer").status_code == 302
    lue = fabrique.contenu(hopital["UO"])
    assert (lue.nom, lue.activites) == ("Renommée", ["013", "014", "097"])
    page = texte(saisie.navigateur.get(saisie.reponse["Location"]))
    assert "direction a aussi modifié « Nom », « Activités opérationnelles » pendant votre saisie" in page


# -- what is refused, and stays on the screen --------------------------------------------------------


@pytest.mark.parametrize(
    ("saisi", "phrase"),
    [
        ({"horaires_01-1": "08:00-25:00"}, "Lundi : « 08:00-25:00 » n’est pas une plage d’heures"),
        ({"horaires_01-2": "18h-8h"}, "Mardi : la fin (08:00) doit venir après le début (18:00)"),
        ({"horaires_01-3": "8h-12h, 11h-14h"}, "Mercredi : les plages 08:00-12:00 et 11:00-14:00 se chevauchent"),
        ({"horaires_01-4": "22h-0h"}, "Pour minuit, écrire 24:00"),
        ({"age_min": "１６"}, "Écrire un nombre entier"),
        ({"age_min": "200"}, "L’âge maximum est inférieur à l’âge minimum"),
        ({"conditions_admission": "x" * 100_000}, "compte 100000 caractères ; 20000 au plus"),
        ({"activites": ["013", "INCONNU"]}, "« INCONNU » n’est pas dans la liste"),
        ({"territoire": ["75113", "00000"]}, "« 00000 » n’est pas une commune connue"),
        ({"date_fermeture": "1990-01-01", "date_ouverture": "2000-01-01"}, "La fermeture précède l’ouverture"),
        ({"capacites-0-nature": "01", "capacites-0-statut": "01", "capacites-0-nombre": "-3"}, "0 ou plus"),
        ({"equipements-0-code": "ZZZ", "equipements-0-nombre": "1"}, "« ZZZ » n’est pas dans la liste"),
    ],
)
def test_une_mauvaise_saisie_dit_sa_phrase_et_revient_entiere(hopital, referent, saisi, phrase):
    saisie = Saisie(referent, hopital["UO"])
    avant = hopital["UO"].modifications.count()
    envoye = saisie.donnees(etape="enregistrer", date_effet=AUJOURDHUI.isoformat(), **saisi)
    saisie.reponse = saisie.navigateur.post(saisie.url, envoye)
    assert saisie.reponse.status_code == 422
    assert phrase in saisie.mots.replace("\u202f", " ").replace("\xa0", " ").replace("« ", "« ")
    revenu = saisie.donnees()
    for nom, contenu in saisi.items():
        if nom == "equipements-0-code":  # a native list shows what it offers, and nothing else can be chosen in it
            continue
        assert revenu[nom] == (contenu if isinstance(contenu, list) else [contenu])
    assert hopital["UO"].modifications.count() == avant


def test_une_session_terminee_garde_la_saisie_a_l_ecran(hopital, referent):
    saisie = Saisie(referent, hopital["UO"])
    envoye = saisie.donnees(etape="resume", conditions_accueil="Une longue\nsaisie", activites=["013", "097"])
    saisie.navigateur.logout()
    reponse = saisie.navigateur.post(saisie.url, envoye, headers={"referer": f"http://testserver{saisie.url}"})
    assert reponse.status_code == 403
    assert "Votre session est terminée" in texte(reponse)
    assert "Conditions accueil Une longue saisie" in texte(reponse)
    assert f"next={saisie.url}" in reponse.content.decode()


def test_une_fiche_fermee_entre_temps_est_un_409_qui_garde_la_saisie(hopital, referent):
    saisie = Saisie(referent, hopital["UO"])
    saisie.envoyer("resume", conditions_accueil="Une longue saisie")
    fabrique.publier(hopital["UO"], {"existe": False}, AUJOURDHUI)
    saisie.envoyer("enregistrer")
    assert saisie.reponse.status_code == 409
    assert "elle ne peut pas être modifiée" in saisie.mots
    assert "Une longue saisie" in saisie.mots


def test_un_formulaire_forge_pour_une_autre_fiche_n_ecrit_rien(hopital, referent):
    """The form of one's own fiche posted to somebody else's, and fields of another level."""
    ailleurs = fabrique.hopital("Ailleurs")
    saisie = Saisie(referent, hopital["UO"])
    envoye = saisie.donnees(etape="enregistrer", nom="Volée", date_effet=AUJOURDHUI.isoformat())
    reponse = saisie.navigateur.post(fiche(ailleurs["UO"].identifiant, "modifier/"), envoye)
    assert reponse.status_code == 403
    assert ailleurs["UO"].modifications.count() == 1
    pole = Saisie(referent, hopital["P"])
    pole.envoyer("resume", nom="Pôle renommé", activites=["013"], finess="750000001", autorites=["ARS-11"])
    pole.envoyer("enregistrer")
    assert hopital["P"].modifications.latest("pk").patch == {"nom": "Pôle renommé"}


# -- the form -----------------------------------------------------------------------------------------


def test_les_liens_vers_un_champ_menent_a_un_champ(hopital, referent):
    """« À compléter » and the deep links of other pages (/modifier/#id_<champ>) name ids of the page."""
    fabrique.publier(hopital["UO"], {"activites": {"retire": ["013"]}, "age_max": None}, date(2024, 1, 1))
    saisie = Saisie(referent, hopital["UO"])
    html = saisie.reponse.content.decode()
    assert "2 informations obligatoires à compléter" in saisie.mots
    ids = set(re.findall(r' id="([^"]+)"', html))
    liens = re.findall(r'<a href="#([^"]+)">', html.split('class="sommaire"', 1)[1].split("</details>", 1)[0])
    assert {"id_activites", "id_age_max", "saisie-horaires"} <= set(liens)
    assert set(liens) <= ids
    modifiables = [c.nom for c in champs_de("UO", {Qui.PARTOUT})]
    assert [nom for nom in modifiables if f"id_{nom}" not in ids] == []


def test_autant_de_requetes_pour_un_ou_trois_changements(hopital, referent, collegue):
    """Form and summary, with somebody else's changes to settle."""

    def requetes(n: int) -> tuple[int, int]:
        unite = fabrique.uo(hopital["UF"], f"Unité {n}")
        textes = ["conditions_accueil", "conditions_admission", "informations_complementaires"][:n]
        saisie = Saisie(referent, unite)
        fabrique.direct(unite, collegue, dict.fromkeys(textes, "Du collègue"))
        envoye = saisie.donnees(
            etape="resume", territoire=["92075", "94080", "75113"][:n], **dict.fromkeys(textes, "Z")
        )
        with CaptureQueriesContext(connection) as formulaire:
            saisie.navigateur.get(saisie.url)
        with CaptureQueriesContext(connection) as resume:
            assert saisie.navigateur.post(saisie.url, envoye).status_code == 409
        return len(formulaire), len(resume)

    assert requetes(1) == requetes(3)


# -- who may change what -----------------------------------------------------------------------------


def test_un_formulaire_forge_ne_touche_que_ce_qui_se_modifie_ici(hopital, referent):
    """A field of the dossier or of another level is ignored; a broken token is refused in words."""
    saisie = Saisie(referent, hopital["UO"])
    saisie.envoyer("resume", nom="Unité renommée", type_uo="69", champ_activite="03", finess="750000001", existe="")
    saisie.envoyer("enregistrer")
    assert hopital["UO"].modifications.latest("pk").patch == {"nom": "Unité renommée"}
    autre = Saisie(referent, hopital["UO"])
    for jeton in ("", "abc", "1.0.0"):
        reponse = autre.navigateur.post(autre.url, {"jeton": jeton, "jour": "x", "nom": "Y", "etape": "resume"})
        assert reponse.status_code == 422
        assert "Le formulaire est illisible" in texte(reponse)


def test_une_fiche_reservee_entre_temps_est_un_409_qui_garde_la_saisie(hopital, referent):
    saisie = Saisie(referent, hopital["UO"])
    saisie.envoyer("resume", nom="Unité renommée")
    reserver.ouvrir(eg=hopital["EG"], dossier=12, nom="Ouverture", etape="Approbation")
    reserver.annoncer(dossier=12, etape="Approbation", fiches=[hopital["UO"].pk], envoye=True)
    saisie.envoyer("enregistrer")
    assert saisie.reponse.status_code == 409
    assert "Le dossier collaboratif « Ouverture » change cette fiche" in saisie.mots
    assert saisie.donnees()["nom"] == ["Unité renommée"]


@pytest.mark.parametrize("niveau", ["EJ", "EG", "P", "S", "UF", "UO"])
def test_chaque_niveau_se_lit_et_se_modifie(hopital, niveau):
    saisie = Saisie(fabrique.gestionnaire(), hopital[niveau])
    assert saisie.reponse.status_code == 200
    assert saisie.envoyer("resume", nom=f"{niveau} renommé").status_code == 200
    saisie.envoyer("enregistrer")
    assert saisie.reponse.status_code == 302
    page = texte(saisie.navigateur.get(saisie.reponse["Location"]))
    assert f"{niveau} renommé" in page


def test_la_tutelle_fixee_par_sesan_est_au_gestionnaire_seul(hopital, referent):
    url = fiche(hopital["EG"].identifiant, "modifier/")
    assert 'name="autorites"' not in client(referent).get(url).content.decode()
    saisie = Saisie(fabrique.gestionnaire(), hopital["EG"])
    saisie.envoyer("resume", autorites=["ARS-11", "CD-75"])
    saisie.envoyer("enregistrer")
    assert fabrique.contenu(hopital["EG"]).autorites == ["ARS-11", "CD-75"]


def test_un_territoire_de_toute_la_region_se_modifie(hopital, referent, settings):
    """1,286 communes travel twice through the form (the settings of the product must let that many fields through)."""
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 50_000
    communes = sorted(Commune.objects.filter(region="11").values_list("code", flat=True))
    fabrique.publier(hopital["UO"], {"territoire": {"ajoute": communes}}, date(2024, 1, 1))
    saisie = Saisie(referent, hopital["UO"])
    saisie.envoyer("resume", territoire=communes[1:])
    assert f"… et {len(communes) - 1} inchangés".replace("1285", "1 285") in saisie.mots
    saisie.envoyer("enregistrer")
    assert hopital["UO"].modifications.latest("pk").patch == {"territoire": {"retire": [communes[0]]}}
