"""Accounts and their rights, worked by a gestionnaire (acceptance 5 to 9; domain.md §6, leavers)."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.pages import requetes
from backoffice.socle.erreurs import Conflit, Interdit, Invalide
from notifications.models import Envoi
from structures.domaine import habilitations
from structures.domaine.enregistrer import verrouiller
from structures.enums import Role
from structures.models import Autorite, Fiche, Habilitation, VersionFiche
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from workflows.domaine import suppleances
from workflows.domaine import taches as verbes
from workflows.models import Dossier, Suppleance, Tache
from workflows.regles import peut_faire

pytestmark = pytest.mark.usefixtures("demo")

AUJOURDHUI = timezone.localdate()
NOUVEAU = {
    "identifiant": "camille.durand",
    "prenom": "Camille",
    "nom": "Durand",
    "email": "camille@hopital.example",
    "role": "direction",
    "finess": "",
    "autorite": "",
}


def personne(nom: str) -> User:
    return User.objects.get(username=nom)


def client(nom: str = "gestionnaire") -> Client:
    navigateur = Client()
    navigateur.force_login(personne(nom))
    return navigateur


def eg(nom: str) -> Fiche:
    return VersionFiche.objects.get(nom=nom, niveau="EG").fiche


def finess(nom: str) -> str:
    return VersionFiche.objects.get(nom=nom, niveau__in=["EG", "EJ"]).finess


def tache(nom: str) -> Tache:
    return fabrique.tache(Dossier.objects.get(nom=nom))


def texte(reponse) -> str:
    sans = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", reponse.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", sans)))


def messages(reponse) -> list[str]:
    return [str(m) for m in reponse.context["messages"]]


# -- open ------------------------------------------------------------------------------------------------


def test_ouvrir_un_compte_envoie_l_identifiant_et_le_mot_de_passe() -> None:
    navigateur = client()
    reponse = navigateur.post("/comptes/creer/", NOUVEAU | {"finess": finess("Hôpital TEST")}, follow=True)
    user = personne("camille.durand")
    assert reponse.redirect_chain == [(f"/comptes/{user.pk}/", 302)]
    assert user.doit_changer_mot_de_passe
    droit = user.habilitations.get()
    assert (droit.role, droit.fiche, droit.debut, droit.fin) == (Role.DIRECTION, eg("Hôpital TEST"), AUJOURDHUI, None)
    courriel = Envoi.objects.get(destinataire=user)
    assert (courriel.type_code, courriel.adresse) == ("compte_ouvert", "camille@hopital.example")
    assert "camille.durand" in courriel.corps_texte
    assert user.check_password(courriel.secret)
    premiere = Client()
    assert premiere.login(username="camille.durand", password=courriel.secret)
    assert premiere.get("/")["Location"].startswith("/mot-de-passe/")


@pytest.mark.parametrize(
    ("serveur", "attendu"), [("smtp.example", "partent à camille@hopital.example"), ("", "n’est pas parti")]
)
def test_le_message_dit_si_le_mot_de_passe_part(settings, serveur: str, attendu: str) -> None:
    settings.EMAIL_HOST = serveur
    reponse = client().post("/comptes/creer/", NOUVEAU | {"finess": finess("Hôpital TEST")}, follow=True)
    [dit] = messages(reponse)
    assert "est ouvert" in dit
    assert attendu in dit
    redonne = client().post(f"/comptes/{personne('camille.durand').pk}/mot-de-passe/", follow=True)
    [redit] = messages(redonne)
    assert ("part à camille@hopital.example" in redit) == bool(serveur)


def test_ouvrir_refuse_tout_a_la_fois_et_garde_la_saisie() -> None:
    avant = (User.objects.count(), Envoi.objects.count(), Habilitation.objects.count())
    donnees = NOUVEAU | {"identifiant": "GESTIONNAIRE", "finess": "123456789"}
    refus = client().post("/comptes/creer/", donnees)
    assert refus.status_code == 422
    mots = texte(refus)
    assert "Un compte porte déjà cet identifiant." in mots
    assert "Aucun établissement ni entité juridique du répertoire ne porte le numéro « 123456789 »" in mots
    assert 'value="camille@hopital.example"' in refus.content.decode()
    assert (User.objects.count(), Envoi.objects.count(), Habilitation.objects.count()) == avant


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"role": "direction", "finess": ""}, "Indiquez le numéro FINESS"),
        ({"role": "tutelle", "finess": ""}, "Choisissez l’autorité"),
        ({"role": "gestionnaire", "autorite": "ARS-11"}, "Une autorité ne se choisit que pour une tutelle"),
        ({"role": "tutelle", "autorite": "ARS-99"}, "n’est pas dans la liste"),
        ({"role": ""}, "Cette information est obligatoire"),
        ({"email": "pas une adresse"}, "Cette adresse n’est pas complète"),
        ({"identifiant": "avec espace", "role": "gestionnaire"}, "nom d’utilisateur"),
        ({"prenom": ""}, "Cette information est obligatoire"),
    ],
)
def test_refus_a_l_ouverture(change: dict[str, str], message: str) -> None:
    refus = client().post("/comptes/creer/", NOUVEAU | change)
    assert refus.status_code == 422
    assert message in texte(refus).replace("\u202f", " ").replace("'", "’")
    assert not User.objects.filter(username=NOUVEAU["identifiant"]).exists()


def test_le_remede_de_la_supervision_preremplit() -> None:
    corps = client().get(f"/comptes/creer/?role=direction&finess={finess('Clinique TEST')}").content.decode()
    assert f'value="{finess("Clinique TEST")}"' in corps
    assert '<option value="direction" selected>' in corps


def test_seuls_les_gestionnaires() -> None:
    for qui in ("direction.hopital", "tutelle.ars"):
        for url in ("/comptes/", "/comptes/creer/", f"/comptes/{personne('referent.ehpad').pk}/"):
            assert client(qui).get(url).status_code == 403
        assert client(qui).post("/comptes/creer/", NOUVEAU | {"role": "gestionnaire"}).status_code == 403
        assert client(qui).post(f"/comptes/{personne(qui).pk}/droits/", {"role": "gestionnaire"}).status_code == 403
    assert client().get("/comptes/999999/").status_code == 404


# -- find ------------------------------------------------------------------------------------------------


def comptes_de(reponse) -> set[str]:
    return {u.username for u, _ in reponse.context["lignes"]}


def test_chercher() -> None:
    navigateur = client()
    assert comptes_de(navigateur.get("/comptes/?q=sessad")) == {"referent.sessad", "direction.sessad"}
    assert comptes_de(navigateur.get("/comptes/?role=tutelle")) == {"tutelle.ars", "tutelle.ars2", "tutelle.cd"}
    User.objects.filter(username="tutelle.ars2").update(is_active=False)
    assert comptes_de(navigateur.get("/comptes/?role=tutelle")) == {"tutelle.ars", "tutelle.cd"}
    assert comptes_de(navigateur.get("/comptes/?role=tutelle&etat=desactives")) == {"tutelle.ars2"}
    assert len(comptes_de(navigateur.get("/comptes/?etat=tous"))) == User.objects.count()
    assert "Aucun compte ne correspond" in texte(navigateur.get("/comptes/?q=introuvable"))
    assert "EHPAD TEST" in texte(navigateur.get("/comptes/?q=referent.ehpad"))


def test_pages() -> None:
    tous = list(User.objects.order_by("username").values_list("username", flat=True))
    vus, suite = [], ""
    while True:
        page = requetes.page_comptes(requetes.chercher_comptes(etat="tous"), apres=suite, taille=4)
        vus += [u.username for u in page.comptes]
        suite = page.suivant
        if not suite:
            break
    assert vus == tous
    retour = requetes.page_comptes(requetes.chercher_comptes(etat="tous"), avant=tous[4], taille=4)
    assert [u.username for u in retour.comptes] == tous[:4]
    assert (retour.precedent, retour.suivant) == ("", tous[3])


def test_la_liste_coute_autant_pour_un_que_pour_trois() -> None:
    navigateur = client()

    def statements(url: str) -> int:
        navigateur.get("/aide/accessibilite/")
        with CaptureQueriesContext(connection) as vues:
            assert navigateur.get(url).status_code == 200
        return len(vues)

    assert statements("/comptes/?q=referent.ehpad") == statements("/comptes/?q=referent")
    compte = personne("referent.camsp")
    un = statements(f"/comptes/{compte.pk}/")
    for nom in ("EHPAD TEST", "SESSAD TEST"):
        Habilitation.objects.create(user=compte, role=Role.REFERENT, fiche=eg(nom))
    assert statements(f"/comptes/{compte.pk}/") == un


# -- rights ----------------------------------------------------------------------------------------------


def test_donner_un_droit_de_plus() -> None:
    compte = personne("referent.ehpad")
    url = f"/comptes/{compte.pk}/droits/"
    fin = AUJOURDHUI + timedelta(days=90)
    donnees = {"role": "referent", "finess": finess("SESSAD TEST"), "fin": fin.isoformat()}
    reponse = client().post(url, donnees, follow=True)
    assert messages(reponse) == ["Le droit est donné."]
    assert compte.habilitations.filter(fiche=eg("SESSAD TEST"), debut=AUJOURDHUI, fin=fin).exists()
    refus = client().post(url, donnees)
    assert refus.status_code == 422
    assert "Cette personne a déjà ce droit depuis le" in texte(refus)
    refus = client().post(url, {"role": "referent", "finess": finess("IME TEST"), "fin": AUJOURDHUI.isoformat()})
    assert refus.status_code == 422
    assert "La fin vient après le début." in texte(refus)
    assert f'value="{finess("IME TEST")}"' in refus.content.decode()


def test_mettre_fin_rend_les_taches_a_la_file() -> None:
    direction, numero = personne("direction.hopital"), tache("Consultation de dermatologie à la clinique").pk
    verbes.prendre(numero=numero, acteur=direction)
    droit = direction.habilitations.get()
    url = f"/comptes/{direction.pk}/droits/{droit.pk}/terminer/"
    page = texte(client().get(url)).replace("\u202f", " ").replace("\xa0", " ")
    assert "Mettre fin au droit « Direction »" in page
    assert "Les tâches à son nom" in page  # said before: nobody else is a Direction there
    assert "Personne d’autre n’a ce rôle sur cet établissement." in page
    assert "Plus personne ne pourra" not in page
    reponse = client().post(url, follow=True)
    assert reponse.request["QUERY_STRING"] == f"taches={numero}"
    assert any("a pris fin" in m for m in messages(reponse))
    rendues = texte(reponse)
    assert "Consultation de dermatologie à la clinique" in rendues
    assert "personne" in rendues
    ouverte = Tache.objects.select_related("tache").get(pk=numero)
    assert ouverte.tache.owner_id is None
    assert not peut_faire(direction, ouverte)
    droit.refresh_from_db()
    assert droit.fin == AUJOURDHUI
    assert client().post(url).status_code == 409


def test_desactiver_rend_les_taches_et_reactiver() -> None:
    ars, numero = personne("tutelle.ars"), tache("Plateforme de répit").pk
    verbes.prendre(numero=numero, acteur=ars)
    navigateur = client("tutelle.ars")
    suppleances.ecrire(
        absente=ars, suppleante=personne("tutelle.ars2"), du=AUJOURDHUI, au=AUJOURDHUI + timedelta(9), acteur=ars
    )
    reponse = client().post(f"/comptes/{ars.pk}/desactiver/", follow=True)
    assert reponse.request["PATH_INFO"] == f"/comptes/{ars.pk}/taches-rendues/"
    assert str(personne("tutelle.ars2")) in texte(reponse)
    assert Tache.objects.get(pk=numero).tache.owner_id is None
    assert Suppleance.objects.get().finie_par == personne("gestionnaire")
    assert Envoi.objects.filter(type_code="suppleance_finie").get().destinataire == personne("tutelle.ars2")
    assert "toutes été faites" in texte(client().get(f"/comptes/{ars.pk}/taches-rendues/?taches=0"))
    reponse = client().get(f"/comptes/{ars.pk}/")
    assert navigateur.get("/")["Location"].startswith("/connexion/")
    assert "Ce compte est désactivé" in texte(reponse)
    assert client().post(f"/comptes/{ars.pk}/mot-de-passe/").status_code == 409
    assert client().post(f"/comptes/{ars.pk}/droits/", {"role": "gestionnaire"}).status_code == 409
    assert client().post(f"/comptes/{ars.pk}/reactiver/").status_code == 302
    assert personne("tutelle.ars").is_active
    assert client().post(f"/comptes/{ars.pk}/reactiver/").status_code == 409


def test_redonner_un_mot_de_passe() -> None:
    compte = personne("referent.ehpad")
    assert "referent.ehpad@demo.example" in texte(client().get(f"/comptes/{compte.pk}/mot-de-passe/"))
    client().post(f"/comptes/{compte.pk}/mot-de-passe/")
    courriel = Envoi.objects.get(destinataire=compte, type_code="mot_de_passe_redonne")
    assert personne("referent.ehpad").check_password(courriel.secret)


def test_un_gestionnaire_ne_se_retire_pas_lui_meme() -> None:
    moi = personne("gestionnaire")
    droit = moi.habilitations.get()
    assert client().post(f"/comptes/{moi.pk}/desactiver/").status_code == 403
    assert client().post(f"/comptes/{moi.pk}/droits/{droit.pk}/terminer/").status_code == 403
    assert client().post(f"/comptes/{moi.pk}/mot-de-passe/").status_code == 403
    droit.refresh_from_db()
    assert (personne("gestionnaire").is_active, droit.fin) == (True, None)
    assert "Désactiver…" not in texte(client().get(f"/comptes/{moi.pk}/"))
    autre = personne("gestionnaire2").habilitations.get()
    assert client().post(f"/comptes/{autre.user_id}/droits/{autre.pk}/terminer/").status_code == 302


# -- the verbs, beyond what the screens can ask ------------------------------------------------------------


def test_accorder_refuse() -> None:
    moi, user = personne("gestionnaire"), personne("referent.camsp")
    uo = eg("EHPAD TEST").fiches.filter(niveau="UO").first()
    ars = Autorite.objects.get(pk="ARS-11")
    for nommes, champ in (
        ({"role": "chef"}, "role"),
        ({"role": Role.REFERENT}, "finess"),
        ({"role": Role.REFERENT, "fiche": uo}, "finess"),
        ({"role": Role.REFERENT, "fiche": eg("EHPAD TEST"), "autorite": ars}, "autorite"),
        ({"role": Role.TUTELLE}, "autorite"),
        ({"role": Role.TUTELLE, "autorite": ars, "fiche": uo}, "finess"),
        ({"role": Role.GESTIONNAIRE, "fiche": uo}, "finess"),
        ({"role": Role.GESTIONNAIRE, "fin": AUJOURDHUI}, "fin"),
    ):
        with pytest.raises(Invalide) as refus:
            habilitations.accorder(user=user, acteur=moi, **nommes)
        assert list(refus.value.champs) == [champ]
    with pytest.raises(Interdit):
        habilitations.accorder(user=user, role=Role.GESTIONNAIRE, acteur=user)
    assert user.habilitations.count() == 1


def test_des_periodes_qui_se_suivent_ne_sont_pas_un_doublon() -> None:
    moi, user, lieu = personne("gestionnaire"), personne("referent.camsp"), eg("EHPAD TEST")
    dans = [AUJOURDHUI + timedelta(days=30 * i) for i in range(4)]
    nommes = {"user": user, "role": Role.REFERENT, "fiche": lieu, "acteur": moi}
    habilitations.accorder(**nommes, debut=dans[0], fin=dans[1])
    habilitations.accorder(**nommes, debut=dans[2])
    habilitations.accorder(**nommes, debut=dans[1], fin=dans[2])
    for debut, fin in ((dans[0], None), (dans[1], dans[3]), (dans[3], None)):
        with pytest.raises(Invalide):
            habilitations.accorder(**nommes, debut=debut, fin=fin)


def test_une_structure_fermee_est_refusee() -> None:
    lieu = eg("SESSAD TEST")
    assert habilitations.structure_de(f" {lieu.identifiant[1:4]} {lieu.identifiant[4:]} ") == lieu
    verrouiller([lieu.pk])
    for fiche in [*lieu.fiches.filter(niveau="UO"), lieu]:
        if VersionFiche.objects.filter(fiche=fiche, validite__contains=AUJOURDHUI).exists():
            repertoire.publier(fiche, {"existe": False}, AUJOURDHUI)
    with pytest.raises(Invalide, match="fermée"):
        habilitations.structure_de(lieu.identifiant[1:])


def test_terminer_refuse() -> None:
    moi = personne("gestionnaire")
    droit = personne("referent.camsp").habilitations.get()
    with pytest.raises(Interdit):
        habilitations.terminer(habilitation=droit, acteur=personne("direction.camsp"))
    with pytest.raises(Invalide):
        habilitations.terminer(habilitation=droit, acteur=moi, fin=AUJOURDHUI - timedelta(days=1))
    bientot = AUJOURDHUI + timedelta(days=7)
    assert habilitations.terminer(habilitation=droit, acteur=moi, fin=bientot).fin == bientot
    Habilitation.objects.filter(user=personne("gestionnaire2")).update(fin=AUJOURDHUI)
    with pytest.raises(Conflit, match="dernier gestionnaire"):
        habilitations.terminer(habilitation=moi.habilitations.get(), acteur=None)
