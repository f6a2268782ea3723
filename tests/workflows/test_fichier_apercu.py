"""« Remplir depuis un fichier »: the preview and its confirmation, and who was there meanwhile."""

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.socle.erreurs import Conflit, Interdit, Introuvable
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from tests.navigation import client
from workflows.domaine import decisions, gestes
from workflows.domaine.fichier.appliquer import appliquer_proposition
from workflows.enums import Nature
from workflows.models import Dossier, Evenement, Proposition

from .ecrans import url
from .feuille import AVEC_MACROS, Feuille, deposer, envoyer, erreurs, reprendre

pytestmark = pytest.mark.django_db


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


# -- the screens -------------------------------------------------------------------------------------


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
    assert envoyer(navigateur, dossier, AVEC_MACROS, "piege.xlsx").status_code == 422
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
