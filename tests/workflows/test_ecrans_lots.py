"""Many tasks at once and the gestures of a team, through the HTTP client: what is shown first, what comes after."""

from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from structures.enums import Role
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from tests.formulaires import lire_formulaire
from tests.navigation import HTMX, client, requetes_de, texte
from tests.workflows.jeu_de_taches import copier
from workflows.domaine import lots, taches
from workflows.models import LigneLot, Lot, MiseDeCote, Suivi, Tache

pytestmark = pytest.mark.django_db


@pytest.fixture
def tache(monde: SimpleNamespace) -> Tache:
    """At SESAN; another gestionnaire is there too."""
    eg = repertoire.etablissement("medico-social", nom="EHPAD voisin")
    referent = repertoire.compte(Role.REFERENT, eg)
    dossier = fabrique.brouillon(eg, referent, "Accueil de jour")
    fabrique.nouvelle(dossier, referent, eg.pk)
    fabrique.envoye(dossier, referent)
    monde.autre = repertoire.gestionnaire("sesan1")
    return fabrique.tache(dossier)


def test_de_la_liste_au_rapport(monde: SimpleNamespace, tache: Tache) -> None:
    g = client(monde.gestionnaire)
    prise = copier(tache, 1)[0]
    taches.prendre(numero=prise.pk, acteur=monde.autre)
    choix = {"action": "approuver", "tache": [tache.pk, prise.pk], "suite": "onglet=a-prendre"}
    apercu = g.post("/traitements/apercu/", choix)
    mots = texte(apercu)
    assert "Approuver ou valider 1 dossier" in mots
    assert f"{monde.autre} a pris cette tâche" in mots
    assert [ligne.tache.pk for ligne in apercu.context["possibles"]] == [tache.pk]
    assert not Lot.objects.exists()
    ligne = f"{tache.pk}:{tache.dossier.empreinte}"
    donnees = {"action": "approuver", "jeton": apercu.context["jeton"], "ligne": ligne}
    demande, encore = (g.post("/traitements/", donnees) for _ in range(2))
    lot = Lot.objects.get()
    assert demande["Location"] == encore["Location"] == f"/traitements/{lot.pk}/"
    url = demande["Location"]
    assert "attend son tour" in texte(g.get(url))
    assert 'hx-trigger="every 2s"' in g.get(url, headers=HTMX).content.decode()
    assert "en cours" in texte(g.get("/traitements/"))
    lots.travailler(lot.pk)
    rapport = g.get(url, headers=HTMX)
    assert "every 2s" not in rapport.content.decode()
    assert "Approuvé et publié" in texte(rapport)
    csv = b"".join(g.get(f"/exports/traitement.csv?lot={lot.pk}").streaming_content).decode()
    assert "Accueil de jour;EHPAD voisin;Approbation par SESAN;Fait;Approuvé et publié." in csv
    for autre in (monde.autre, monde.referent):
        assert client(autre).get(url).status_code == 404
        assert "Aucun traitement" in texte(client(autre).get("/traitements/"))


def test_attribuer_demande_a_qui(monde: SimpleNamespace, tache: Tache) -> None:
    g = client(monde.gestionnaire)
    choix = {"action": "attribuer", "toutes": "1", "suite": "onglet=a-prendre"}
    premiere = g.post("/traitements/apercu/", choix)
    assert not premiere.context["pret"]
    assert premiere.context["collegues"] == [monde.autre]
    seconde = g.post("/traitements/apercu/", {**choix, "a": monde.autre.pk})
    assert seconde.context["pret"]
    assert "Attribuer 1 tâche à sesan1" in texte(seconde)
    donnees = {"action": "attribuer", "jeton": uuid4(), "a": monde.autre.pk, "ligne": f"{tache.pk}:"}
    g.post("/traitements/", donnees)
    lots.travailler(Lot.objects.get().pk)
    assert Tache.objects.get(pk=tache.pk).tache.owner == monde.autre


def test_toutes_sont_les_premieres_de_la_liste(
    monde: SimpleNamespace, tache: Tache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the person sees it sorted, not by due date."""
    monkeypatch.setattr(lots, "MAXIMUM", 2)
    taches_ = [tache, *copier(tache, 2)]
    for rang, t in enumerate(taches_):
        Tache.objects.filter(pk=t.pk).update(changements=rang, echeance=timezone.now() + timedelta(days=rang))
    choix = {"action": "prendre", "toutes": "1", "suite": "onglet=a-prendre&tri=-taille"}
    apercu = client(monde.gestionnaire).post("/traitements/apercu/", choix)
    assert [ligne.tache.pk for ligne in apercu.context["possibles"]] == [taches_[1].pk, taches_[2].pk]


def test_ce_qui_est_refuse_avant_de_commencer(monde: SimpleNamespace, tache: Tache) -> None:
    g = client(monde.gestionnaire)
    assert g.post("/traitements/apercu/", {"action": "prendre", "tache": range(1, 502)}).status_code == 422
    assert g.post("/traitements/apercu/", {"action": "tout", "tache": [tache.pk]}).status_code == 422
    assert g.post("/traitements/apercu/", {"action": "prendre", "tache": ["x"]}).status_code == 302
    ligne = f"{tache.pk}:"
    for faux in ({"jeton": "x"}, {"ligne": "x:"}, {"action": "attribuer"}, {"ligne": [f"{n}:" for n in range(1, 502)]}):
        donnees = {"action": "prendre", "jeton": str(uuid4()), "ligne": ligne, **faux}
        assert g.post("/traitements/", donnees).status_code == 422
    assert client(monde.voisin).post("/traitements/", {**donnees, "ligne": ligne}).status_code == 422
    assert not LigneLot.objects.exists()


def test_recommencer_ce_qui_a_echoue(monde: SimpleNamespace, tache: Tache) -> None:
    """From the report to the usual preview, with those that are still open, and to whom they were to go."""
    g = client(monde.gestionnaire)
    prise, close, libre = copier(tache, 3)
    toutes = [prise.pk, close.pk, libre.pk]
    taches.prendre(numero=prise.pk, acteur=monde.autre)
    lot = lots.lancer(
        acteur=monde.gestionnaire, action="attribuer", jeton=uuid4(), a=repertoire.gestionnaire("sesan2"),
        choisies=[(numero, "") for numero in toutes],
    )  # fmt: skip
    lots.travailler(lot.pk)
    page = g.get(f"/traitements/{lot.pk}/")
    assert page.context["a_recommencer"] == [prise.pk]
    assert "Recommencer celle qui a échoué…" in texte(page)
    lot.lignes.filter(tache__in=[close, libre]).update(resultat="erreur")
    Tache.objects.filter(pk=close.pk).update(close_le=timezone.now(), issue="approuve")
    taches.rendre(numero=prise.pk, acteur=monde.autre)
    page = g.get(f"/traitements/{lot.pk}/")
    assert "Recommencer les 2 qui ont échoué…" in texte(page)
    saisie = lire_formulaire(page.content.decode())
    assert saisie.getlist("tache") == [str(prise.pk), str(libre.pk)]
    apercu = g.post("/traitements/apercu/", dict(saisie))
    assert [ligne.tache.pk for ligne in apercu.context["possibles"]] == [prise.pk]
    assert apercu.context["a"] == lot.destinataire
    assert f"Déjà au nom de {lot.destinataire}" in texte(apercu)


def test_les_pages_ne_dependent_pas_du_nombre(monde: SimpleNamespace, tache: Tache) -> None:
    g = client(monde.gestionnaire)
    g.post("/traitements/apercu/", {"action": "prendre", "tache": [tache.pk]})
    comptes = []
    for toutes in ([tache], [tache, *copier(tache, 2)]):
        with CaptureQueriesContext(connection) as vues:
            g.post("/traitements/apercu/", {"action": "prendre", "tache": [t.pk for t in toutes]})
        lot = lots.lancer(
            acteur=monde.gestionnaire, action="prendre", jeton=uuid4(), choisies=[(t.pk, "") for t in toutes]
        )
        lots.travailler(lot.pk)
        comptes.append((len(vues), requetes_de(g, f"/traitements/{lot.pk}/"), requetes_de(g, "/traitements/")))
    assert comptes[0] == comptes[1]
    assert max(comptes[0]) <= 20


def test_gestes_d_une_equipe(monde: SimpleNamespace, tache: Tache) -> None:
    """Assign, take over, put aside, back again, follow: from the page of the task."""
    g, autre = client(monde.gestionnaire), client(monde.autre)
    page, suite = f"/taches/{tache.pk}/", "onglet=a-prendre"
    gestes = {a["libelle"] for a in g.get(page).context["situation"].gestes}
    assert gestes == {"Attribuer à une autre personne…", "Mettre de côté…", "Suivre le dossier"}
    demande = g.get(f"{page}attribuer/?{suite}")
    assert [str(p) for p, _ in demande.context["form"].fields["a"].choices][1:] == [str(monde.autre.pk)]
    fait = g.post(f"{page}attribuer/?{suite}", {"a": monde.autre.pk})
    assert fait["Location"] == f"{page}?{suite}"
    assert "Reprendre la tâche…" in texte(g.get(page))
    assert g.post(f"{page}reprendre/", {"motif": "", "vu": monde.autre.pk}).status_code == 422
    assert autre.get(f"{page}reprendre/?{suite}")["Location"] == f"{page}?{suite}"  # hers already
    assert g.post(f"{page}reprendre/", {"motif": "Absente", "vu": monde.autre.pk}).status_code == 302
    refus = autre.post(f"{page}reprendre/", {"motif": "À moi", "vu": monde.autre.pk})
    assert refus.status_code == 409
    assert "gestionnaire a repris cette tâche le" in texte(refus)
    demande = g.get(f"{page}mettre-de-cote/")
    assert "Accueil Tâches " in texte(demande)
    assert "banniere-jaune" not in demande.content.decode()
    loin = (timezone.localdate(tache.echeance) + timedelta(days=2)).isoformat()
    trop_tard = g.post(f"{page}mettre-de-cote/", {"retour_le": loin})
    assert trop_tard.status_code == 422
    assert "confirmez" in texte(trop_tard)
    assert g.post(f"{page}mettre-de-cote/", {"retour_le": loin, "malgre_echeance": "on"}).status_code == 302
    assert "Vous avez mis cette tâche de côté" in texte(g.get(page))
    assert g.post(f"{page}ressortir/").status_code == 302
    assert not MiseDeCote.objects.exists()
    adresse = f"/dossiers/{tache.dossier_id}/suivre/"
    assert "Suivre le dossier" in texte(g.get(f"/dossiers/{tache.dossier_id}/"))
    assert g.post(adresse, {"suivre": "oui", "tache": tache.pk})["Location"] == page
    assert Suivi.objects.count() == 1
    assert "Ne plus suivre" in texte(g.get(page))
    assert g.post(adresse, {"suivre": "non"})["Location"] == f"/dossiers/{tache.dossier_id}/"
    assert not Suivi.objects.exists()
    assert client(monde.voisin).post(adresse).status_code == 404


def test_precedente_et_suivante(monde: SimpleNamespace, tache: Tache) -> None:
    autres = copier(tache, 2)
    g = client(monde.gestionnaire)
    for numero, voisines in (
        (tache.pk, [("Suivante", autres[0].pk)]),
        (autres[0].pk, [("Précédente", tache.pk), ("Suivante", autres[1].pk)]),
    ):
        page = g.get(f"/taches/{numero}/?onglet=a-prendre")
        assert [(mot, url) for mot, _, url in page.context["voisines"]] == [
            (mot, f"/taches/{cle}/?onglet=a-prendre") for mot, cle in voisines
        ]
    assert g.get(f"/taches/{tache.pk}/").context["voisines"] == []
