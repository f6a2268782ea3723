"""The pages of « Approuver sauf certaines fiches »: tick, read, confirm; what the dossiers say afterwards."""

from types import SimpleNamespace

import pytest

from structures.enums import Role
from structures.models import Autorite
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from tests.navigation import client, texte
from workflows.domaine import decisions as verbes
from workflows.domaine import gestes
from workflows.enums import EtatDossier
from workflows.models import Dossier

from .ecrans import url

pytestmark = pytest.mark.django_db


@pytest.fixture
def foyer(monde) -> SimpleNamespace:
    """At the ARS and the Conseil départemental: three new units."""
    eg = repertoire.etablissement("handicap", nom="Foyer TEST", categorie="437")
    referent = repertoire.compte(Role.REFERENT, eg, "referent.foyer")
    dossier = fabrique.brouillon(eg, referent, "Trois unités")
    unites = [fabrique.nouvelle(dossier, referent, eg.pk, f"Unité {i}") for i in (1, 2, 3)]
    dossier = fabrique.envoye(dossier, referent)
    ars, cd = sorted(dossier.autorites)
    gens = {ars: monde.tutelle, cd: repertoire.compte(Role.TUTELLE, cd, "tutelle.cd")}
    return SimpleNamespace(dossier=dossier, referent=referent, unites=unites, ars=ars, cd=cd, gens=gens)


def page(foyer: SimpleNamespace, code: str, suite: str = "") -> str:
    return f"/taches/{fabrique.tache(foyer.dossier, code).pk}/{suite}"


def confirmer(reponse, **champs) -> dict:
    return {"jeton": reponse.context["jeton"], "confirmer": "1", **champs}


def test_deux_tutelles_ecartent_chacune_puis_le_dossier_le_dit(foyer):
    une, deux, trois = foyer.unites
    ars, cd = client(foyer.gens[foyer.ars]), client(foyer.gens[foyer.cd])
    tache = page(foyer, foyer.ars)
    corps = ars.get(tache).content.decode()
    assert corps.count('name="ecarter"') == 3
    assert f'formaction="{tache}approuver-sauf/"' in corps
    # a plain approval does not forget the ticks; a comment on a ticked fiche is its reason
    refus = ars.post(f"{tache}approuver/", {"ecarter": [une.pk]})
    assert refus.status_code == 422
    assert f'value="{une.pk}" form="decision" checked' in refus.content.decode()
    vue = ars.post(f"{tache}approuver-sauf/", {"ecarter": [une.pk], f"commentaire-{une.pk}": "Pas financée."})
    assert vue.status_code == 200
    dit = texte(vue)
    assert "Ne sera pas publiée (1)" in dit
    assert "Seront publiées (2)" in dit
    assert f"{Autorite.objects.get(pk=foyer.cd)} doit aussi approuver" in dit
    assert fabrique.relu(foyer.dossier).etat == EtatDossier.APPROBATION
    sans_motif = ars.post(f"{tache}approuver-sauf/", confirmer(vue, ecarter=[une.pk]))
    assert (sans_motif.status_code, 'href="#id_motif"' in sans_motif.content.decode()) == (422, True)
    # ticked after the page was shown: shown again, not decided
    champs = {f"motif-{une.pk}": "Pas financée."}
    change = ars.post(f"{tache}approuver-sauf/", confirmer(vue, ecarter=[une.pk, deux.pk], motif="Non.", **champs))
    assert (change.status_code, "n’est plus ce que la page montrait" in texte(change)) == (409, True)
    fait = ars.post(f"{tache}approuver-sauf/", confirmer(vue, ecarter=[une.pk], **champs), follow=True)
    assert "approuvé sauf certaines fiches" in texte(fait)
    assert f"({Autorite.objects.get(pk=foyer.ars)}) ; attend" in texte(client(foyer.referent).get(url(foyer.dossier)))
    actes = client(repertoire.gestionnaire("suivi")).get("/supervision/actes/?etape=approbation_tutelle")
    assert "Approuvé sauf certaines fiches" in texte(actes)

    # the other one sees it before deciding, and can't approve without reading it
    tache = page(foyer, foyer.cd)
    dit = texte(cd.get(tache))
    assert "1 fiche déjà écartée de la publication" in dit
    assert "Pas financée." in dit
    assert "Relire, puis approuver" in dit
    assert cd.post(f"{tache}approuver/").status_code == 409
    vue = cd.get(f"{tache}approuver-sauf/")
    assert "Approuver et publier le reste" in texte(vue)
    toutes = cd.post(f"{tache}approuver-sauf/", {"ecarter": [deux.pk, trois.pk]})
    assert (toutes.status_code, "Plus rien ne serait publié" in texte(toutes)) == (422, True)
    vue = cd.post(f"{tache}approuver-sauf/", {"ecarter": [deux.pk]})
    fait = cd.post(f"{tache}approuver-sauf/", confirmer(vue, ecarter=[deux.pk], motif="Trop petite."), follow=True)
    assert "publié sauf 2 fiches" in texte(fait)

    # what the dossiers say
    suite = Dossier.objects.get(suite_de=foyer.dossier)
    navigateur = client(foyer.referent)
    premier = navigateur.get(url(foyer.dossier))
    dit = texte(premier)
    assert "publié sauf 2 fiches" in dit
    assert f'<a href="{url(suite)}">Trois unités (suite)</a>' in premier.content.decode()
    assert "Suite d’un dossier publié en partie" in texte(navigateur.get(url(suite)))
    assert "publié sauf 2 fiches" in texte(navigateur.get("/dossiers/?etat=tous"))
    journal = texte(navigateur.get(url(foyer.dossier, "journal/")))
    assert "« Unité 1 » : Pas financée." in journal
    assert "« Unité 2 » : Trop petite." in journal
    decisions = texte(navigateur.get(url(foyer.dossier, "decisions/")))
    assert "contenu publié sauf 2 fiches" in decisions
    assert navigateur.get(url(suite, "journal/")).status_code == 200
    # a tutelle that the follow-up has not come to does not see it
    premier = cd.get(url(foyer.dossier))
    assert (premier.status_code, url(suite) in premier.content.decode()) == (200, False)
    assert cd.get(url(suite)).status_code == 404


def test_ce_qui_va_avec_est_montre_et_la_direction_n_ecarte_rien(monde, dossier):
    neuve = fabrique.nouvelle(dossier, monde.referent, monde.s.pk, "UF neuve")
    fabrique.nouvelle(dossier, monde.referent, neuve.pk, "Unité du dessous")
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, conditions_accueil="Sur rendez-vous.")
    fermee = repertoire.uo(monde.uf, "Unité fermée")
    gestes.supprimer(numero=dossier.pk, acteur=monde.referent, fiches=[fermee.pk])
    fabrique.envoye(dossier, monde.referent)
    tache = f"/taches/{fabrique.tache(dossier).pk}/"
    assert 'name="ecarter"' not in client(monde.direction).get(tache).content.decode()
    assert client(monde.direction).get(f"{tache}approuver-sauf/").status_code == 302
    assert client(monde.direction).post(f"{tache}approuver-sauf/", {"ecarter": [neuve.pk]}).status_code == 403
    verbes.valider(tache=fabrique.tache(dossier).pk, acteur=monde.direction)
    tache = f"/taches/{fabrique.tache(dossier).pk}/approuver-sauf/"
    dit = texte(client(monde.gestionnaire).post(tache, {"ecarter": [neuve.pk]}))
    assert "Est aussi écartée (1)" in dit
    assert "Le dossier la rattache à « UF neuve », dont la création est écartée." in dit

    # a closing that came back is confirmed from its menu
    vue = client(monde.gestionnaire).post(tache, {"ecarter": [fermee.pk]})
    client(monde.gestionnaire).post(tache, confirmer(vue, ecarter=[fermee.pk], motif="Trop tôt."))
    suite = Dossier.objects.get(suite_de=dossier)
    editrice = client(monde.referent)
    assert "Confirmer la suppression" in texte(editrice.get(url(suite, f"fiches/{fermee.pk}/menu/")))
    editrice.post(url(suite, "finaliser/"), {"fiche": fermee.pk})
    assert fabrique.relu(suite).etat == EtatDossier.FINALISE
    assert "Confirmer la suppression" not in texte(editrice.get(url(suite, f"fiches/{fermee.pk}/menu/")))

    # nothing to except when there is one change only
    fabrique.envoye(suite, monde.referent)
    verbes.valider(tache=fabrique.tache(suite).pk, acteur=monde.direction)
    tache = f"/taches/{fabrique.tache(suite).pk}/"
    seul = texte(client(monde.gestionnaire).get(tache))
    assert ("Refuser le dossier" in seul, "Écarter" in seul) == (True, False)
    assert client(monde.gestionnaire).get(f"{tache}approuver-sauf/")["Location"] == tache
