"""Several fiches at once: all or nothing for a move or a deletion, a report for « Finaliser », constant statements."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backoffice.socle.erreurs import Conflit, Invalide
from structures.enums import Role
from tests.factories import dossiers as fabrique
from tests.factories.repertoire import compte, etablissement, pole, service, uf, uo
from workflows.domaine import contenu, gestes
from workflows.domaine.apercu import apercu
from workflows.models import FicheTravail

pytestmark = pytest.mark.django_db


class Monde:
    def __init__(self, unites: int = 2) -> None:
        self.eg = etablissement("sanitaire", nom="Hôpital TEST")
        self.service = service(pole(self.eg), nom="Service")
        self.uf, self.uf2 = uf(self.service, nom="UF 1"), uf(self.service, nom="UF 2")
        self.unites = [uo(self.uf, nom=f"Unité {i}") for i in range(unites)]
        self.lea = compte(Role.REFERENT, self.eg)
        self.dossier = fabrique.brouillon(self.eg, self.lea)

    @property
    def cles(self) -> list[int]:
        return [u.pk for u in self.unites]

    def faire(self, verbe, **arguments):
        return verbe(numero=self.dossier.pk, acteur=self.lea, **arguments)

    def travaux(self) -> dict[int, FicheTravail]:
        return {t.fiche_id: t for t in FicheTravail.objects.filter(dossier=self.dossier)}

    def patches(self) -> dict[int, dict]:
        return {cle: t.patch for cle, t in self.travaux().items()}


def test_deplacer_plusieurs(db: None) -> None:
    monde = Monde(3)
    deja = uo(monde.uf2, nom="Déjà là")
    assert monde.faire(gestes.deplacer, fiches=[*monde.cles, deja.pk], parent=monde.uf2.pk) == monde.cles
    assert monde.patches() == {cle: {"parent": monde.uf2.pk} for cle in monde.cles}
    assert {t.etat for t in monde.travaux().values()} == {"finalisee"}
    assert monde.faire(gestes.deplacer, fiches=monde.cles, parent=monde.uf.pk) == monde.cles
    assert monde.patches() == {}


def test_deplacer_plusieurs_est_tout_ou_rien(db: None) -> None:
    monde = Monde()
    with pytest.raises(Invalide, match=r"« UF 2 » .unité fonctionnelle. se rattache") as refus:
        monde.faire(gestes.deplacer, fiches=[*monde.cles, monde.uf2.pk], parent=monde.uf2.pk)
    assert set(refus.value.champs) == {"parent"}
    with pytest.raises(Invalide, match="Choisissez une autre place : « Unité 0 » est déjà sous « UF 1 »"):
        monde.faire(gestes.deplacer, fiches=monde.cles, parent=monde.uf.pk)
    assert monde.patches() == {}


def test_supprimer_plusieurs_est_tout_ou_rien(db: None) -> None:
    monde = Monde(3)
    monde.faire(gestes.supprimer, fiches=[monde.cles[0]])
    with pytest.raises(Conflit, match="« Unité 0 » est déjà supprimée"):
        monde.faire(gestes.supprimer, fiches=monde.cles)
    assert set(monde.patches()) == {monde.cles[0]}
    assert monde.faire(gestes.supprimer, fiches=[monde.cles[1], monde.uf.pk]) == ["Unité 1", "UF 1", "Unité 2"]
    monde.faire(gestes.annuler_changement, fiche=monde.uf.pk)  # undone together: they were closed together
    assert set(monde.patches()) == {monde.cles[0]}


def test_une_fiche_accueillie_part_si_elle_est_choisie_aussi(db: None) -> None:
    monde = Monde(1)
    (nouvelle,) = monde.faire(gestes.ajouter, parent=monde.service.pk, nom="UF 3")
    monde.faire(gestes.deplacer, fiches=monde.cles, parent=nouvelle.fiche_id)
    with pytest.raises(Invalide, match="« Unité 0 » a été déplacée sous la nouvelle fiche « UF 3 »"):
        monde.faire(gestes.supprimer, fiches=[nouvelle.fiche_id])
    monde.faire(gestes.supprimer, fiches=[nouvelle.fiche_id, *monde.cles])
    assert {cle: p["existe"] for cle, p in monde.patches().items()} == {monde.cles[0]: False}
    monde.faire(gestes.annuler_changement, fiche=monde.cles[0])  # its new parent is gone: back to its published place
    assert monde.patches() == {}


def test_finaliser_plusieurs_rend_compte(db: None) -> None:
    monde = Monde()
    (vide,) = monde.faire(gestes.ajouter, parent=monde.uf.pk)
    fabrique.modifier(monde.dossier, monde.lea, monde.cles[0], finaliser=False, conditions_accueil="Deux lits.")
    faits, refus = monde.faire(contenu.finaliser, fiches=[vide.fiche_id, *monde.cles])
    assert faits == [monde.cles[0]]
    assert refus[monde.cles[1]] == {"": ["Ce dossier ne change plus cette fiche : il n’y a rien à finaliser."]}
    assert refus[vide.fiche_id]["nom"] == ["« Nom » est obligatoire pour finaliser la fiche."]
    assert {cle: t.etat for cle, t in monde.travaux().items()} == {
        monde.cles[0]: "finalisee",
        vide.fiche_id: "en_attente",
    }
    assert monde.faire(contenu.finaliser, fiches=[monde.cles[0]]) == ([], {})


def test_dupliquer_avec_ce_qui_est_dessous(db: None) -> None:
    """New identifiers, the same shape, « (copie) » on the root only; what the dossier closes is not copied."""
    monde = Monde()
    monde.faire(gestes.supprimer, fiches=[monde.cles[1]])
    (neuve,) = monde.faire(gestes.ajouter, parent=monde.uf.pk, nom="Unité neuve")
    fabrique.modifier(monde.dossier, monde.lea, monde.cles[0], finaliser=False, nom="Unité renommée")
    racine = monde.faire(gestes.dupliquer, fiche=monde.service.pk, avec_dessous=True)

    def forme(fiche: int) -> tuple:
        noeud = apercu(monde.dossier).noeuds[fiche]
        return (noeud.niveau, noeud.nom, sorted(forme(n.fiche_id) for n in noeud.enfants if not n.supprime))

    modele, copie = forme(monde.service.pk), forme(racine.fiche_id)
    assert copie == (modele[0], "Service (copie)", modele[2])
    crees = {t.fiche_id for t in monde.travaux().values() if t.nature == "ajout"} - {neuve.fiche_id}
    assert len(crees) == 5  # the Service, its two UF, the renamed unit and the new one
    assert {t.etat for cle, t in monde.travaux().items() if cle in crees} == {"en_attente"}
    seule = monde.faire(gestes.dupliquer, fiche=monde.service.pk)
    assert apercu(monde.dossier).noeuds[seule.fiche_id].enfants == []


@pytest.mark.parametrize("geste", ["deplacer", "supprimer", "finaliser", "dupliquer", "reouvrir"])
def test_le_nombre_d_instructions_ne_depend_pas_du_nombre_de_fiches(db: None, geste: str) -> None:
    comptes = []
    for taille in (2, 9):
        monde = Monde(taille)
        choisies = monde.cles[1:]
        match geste:
            case "finaliser":
                for cle in choisies:
                    fabrique.modifier(monde.dossier, monde.lea, cle, finaliser=False, conditions_accueil="Deux lits.")
                verbe, arguments = contenu.finaliser, {"fiches": choisies}
            case "deplacer":
                verbe, arguments = gestes.deplacer, {"fiches": choisies, "parent": monde.uf2.pk}
            case "supprimer":
                monde.faire(gestes.deplacer, fiches=choisies, parent=monde.uf2.pk)
                verbe, arguments = gestes.supprimer, {"fiches": [monde.uf.pk, monde.uf2.pk]}
            case "dupliquer":
                verbe, arguments = gestes.dupliquer, {"fiche": monde.uf.pk, "avec_dessous": True}
            case _:
                monde.faire(gestes.supprimer, fiches=[monde.uf.pk])
                verbe, arguments = gestes.annuler_changement, {"fiche": monde.uf.pk}
        fabrique.modifier(monde.dossier, monde.lea, monde.eg.pk, finaliser=False, commentaire="En attente.")
        with CaptureQueriesContext(
            connection,
        ) as instructions:
            monde.faire(verbe, **arguments)
        comptes.append(len(instructions))
    assert comptes[0] == comptes[1]
