"""« Annuler la dernière opération »: each gesture can be taken back by its author while nothing was built on it."""

import re

import pytest

from backoffice.socle.erreurs import Conflit, Interdit, Introuvable, Invalide
from structures.enums import Role
from tests.factories import dossiers as fabrique
from tests.factories.repertoire import compte, etablissement, pole, service, uf, uo
from workflows.domaine import annulation, contenu, gestes
from workflows.models import FicheTravail, Geste, Revision

pytestmark = pytest.mark.django_db


class Monde:
    def __init__(self) -> None:
        self.eg = etablissement("sanitaire", nom="Hôpital TEST")
        self.pole = pole(self.eg)
        self.service = service(self.pole, nom="Service")
        self.uf, self.uf2 = uf(self.service, nom="UF 1"), uf(self.service, nom="UF 2")
        self.uo = uo(self.uf, nom="Unité de cardiologie")
        self.lea, self.tom = compte(Role.REFERENT, self.eg), compte(Role.REFERENT, self.eg)
        self.dossier = fabrique.brouillon(self.eg, self.lea)

    def etat(self) -> dict[int, tuple]:
        lignes = FicheTravail.objects.filter(dossier=self.dossier).order_by("fiche_id")
        return {t.fiche_id: (t.patch, t.base, t.etat, t.revision) for t in lignes}

    def faire(self, verbe, acteur=None, **arguments):
        return verbe(numero=self.dossier.pk, acteur=acteur or self.lea, **arguments)

    def dernier(self) -> int:
        return Geste.objects.filter(dossier=self.dossier).latest("pk").pk

    def defaire(self, geste: int | None = None, acteur=None):
        return self.faire(annulation.defaire, acteur, geste=geste or self.dernier())


@pytest.fixture
def monde(db: None) -> Monde:
    return Monde()


def _saisir(monde: Monde, fiche: int, *, acteur=None, finaliser: bool = False, **saisie):
    return fabrique.enregistrer(monde.dossier, acteur or monde.lea, fiche, saisie, finaliser=finaliser)


GESTES = {
    "ajouter": lambda m: m.faire(gestes.ajouter, parent=m.uf.pk, quantite=3),
    "dupliquer": lambda m: m.faire(gestes.dupliquer, fiche=m.uf.pk, avec_dessous=True),
    "deplacer": lambda m: m.faire(gestes.deplacer, fiches=[m.uo.pk], parent=m.uf2.pk),
    "enregistrer": lambda m: _saisir(m, m.uo.pk, conditions_accueil="Deux lits."),
    "finaliser en nombre": lambda m: m.faire(contenu.finaliser, fiches=[m.uo.pk]),
    "finaliser": lambda m: _saisir(m, m.uo.pk, conditions_accueil="Trois lits.", finaliser=True),
    "annuler un changement": lambda m: m.faire(gestes.annuler_changement, fiche=m.uo.pk),
    "supprimer": lambda m: m.faire(gestes.supprimer, fiches=[m.uf.pk, m.uf2.pk]),
}


@pytest.mark.parametrize("geste", sorted(GESTES))
def test_chaque_geste_se_defait(monde: Monde, geste: str) -> None:
    """Patch, base, state and number of every fiche are those of before; the journal keeps both."""
    _saisir(monde, monde.uo.pk, conditions_accueil="Un lit.")
    avant = monde.etat()
    GESTES[geste](monde)
    assert monde.etat() != avant
    monde.defaire()
    assert monde.etat() == avant
    assert monde.dossier.evenements.filter(type="geste_annule").count() == 1


def test_plusieurs_gestes_se_defont_l_un_apres_l_autre(monde: Monde) -> None:
    etats = [monde.etat()]
    for geste in GESTES.values():
        geste(monde)
        etats.append(monde.etat())
    while len(etats) > 1:
        assert monde.etat() == etats.pop()
        (dernier, *_) = annulation.gestes_a_defaire(monde.dossier, monde.lea)
        monde.defaire(dernier.pk)
    assert monde.etat() == {}
    assert annulation.gestes_a_defaire(monde.dossier, monde.lea) == []


def test_un_geste_depasse_dit_par_qui(monde: Monde) -> None:
    _saisir(monde, monde.uo.pk, conditions_accueil="Un lit.")
    geste = monde.dernier()
    _saisir(monde, monde.uo.pk, acteur=monde.tom, conditions_admission="Sur rendez-vous.")
    assert annulation.gestes_a_defaire(monde.dossier, monde.lea) == []
    with pytest.raises(Conflit, match=str(monde.tom)) as refus:
        monde.defaire(geste)
    assert refus.value.code == "geste_depasse"
    monde.defaire(acteur=monde.tom)  # what he built on it goes: hers can go again
    assert [g.pk for g in annulation.gestes_a_defaire(monde.dossier, monde.lea)] == [geste]
    monde.defaire(geste)
    assert monde.etat() == {}


def test_la_derniere_operation_n_en_cache_pas_une_autre(monde: Monde) -> None:
    """Something was built on the last one: it is said by whom and when, and the older ones keep their place."""
    assert annulation.derniere_depassee(monde.dossier, monde.lea) is None
    neuves = [t.fiche_id for t in monde.faire(gestes.ajouter, parent=monde.uf.pk, quantite=2)]
    for cle in neuves:
        _saisir(monde, cle, **fabrique.COMPLETE, nom=f"Unité {cle}")
    autre = _saisir(monde, monde.uo.pk, conditions_accueil="A", finaliser=True)
    monde.faire(contenu.finaliser, fiches=neuves)
    dernier = monde.dernier()
    assert annulation.derniere_depassee(monde.dossier, monde.lea) is None
    _saisir(monde, neuves[1], acteur=monde.tom, conditions_accueil="B", finaliser=True)
    trouve, pourquoi = annulation.derniere_depassee(monde.dossier, monde.lea)
    assert trouve.pk == dernier
    assert re.match(rf"{monde.tom} a changé depuis une des fiches de cette opération, le \d+\s\w+\s\d{{4}}", pourquoi)
    restent = annulation.gestes_a_defaire(monde.dossier, monde.lea)
    assert dernier not in [g.pk for g in restent]
    assert restent[0].apres == {str(monde.uo.pk): autre.revision}
    monde.defaire(acteur=monde.tom)
    assert annulation.derniere_depassee(monde.dossier, monde.lea) is None
    fabrique.envoye(monde.dossier, monde.lea)
    assert annulation.derniere_depassee(fabrique.relu(monde.dossier), monde.lea) is None


def test_deplacer_ne_retire_pas_ce_qui_est_finalise(monde: Monde) -> None:
    """New or changed, a fiche that is still complete stays finalised; one that lacks something does not."""
    neuve, vide = (t.fiche_id for t in monde.faire(gestes.ajouter, parent=monde.uf.pk, quantite=2))
    attente = _saisir(monde, monde.uo.pk, conditions_accueil="A")
    monde.faire(gestes.deplacer, fiches=[neuve, monde.uo.pk], parent=monde.uf2.pk)
    assert [monde.etat()[cle][2] for cle in (neuve, attente.fiche_id)] == ["en_attente"] * 2
    _saisir(monde, neuve, finaliser=True, **fabrique.COMPLETE, nom="Unité neuve")
    _saisir(monde, monde.uo.pk, finaliser=True, conditions_accueil="A")
    FicheTravail.objects.filter(dossier=monde.dossier, fiche=vide).update(etat="finalisee")
    troisieme = uf(monde.service, nom="UF 3")
    monde.faire(gestes.deplacer, fiches=[neuve, vide, monde.uo.pk], parent=troisieme.pk)
    etat = monde.etat()
    assert {cle: etat[cle][2] for cle in (neuve, vide, monde.uo.pk)} == {
        neuve: "finalisee", vide: "en_attente", monde.uo.pk: "finalisee",
    }  # fmt: skip
    assert {etat[cle][0]["parent"] for cle in (neuve, vide, monde.uo.pk)} == {troisieme.pk}
    monde.faire(gestes.deplacer, fiches=[monde.uo.pk], parent=monde.uf.pk)  # where the register has it
    assert monde.etat()[monde.uo.pk][:3] == ({"conditions_accueil": "A"}, {"conditions_accueil": ""}, "finalisee")


def test_les_enregistrements_d_avant_un_changement_annule_reviennent_avec_lui(monde: Monde) -> None:
    """A form opened on an earlier save still merges once the forgetting is taken back; no row was lost meanwhile."""
    premiere = _saisir(monde, monde.uo.pk, conditions_accueil="A")
    seconde = _saisir(monde, monde.uo.pk, conditions_admission="Sur rendez-vous.")
    monde.faire(gestes.annuler_changement, fiche=monde.uo.pk)
    gardees = Revision.objects.filter(dossier=monde.dossier, fiche=monde.uo).values_list("numero", flat=True)
    assert list(gardees) == [premiere.revision, seconde.revision]
    monde.defaire()
    monde.faire(
        contenu.enregistrer, monde.tom, fiche=monde.uo.pk, saisie={"conditions_accueil": "B"},
        revision=premiere.revision, registre=fabrique.registre(monde.uo.pk),
    )  # fmt: skip
    assert monde.etat()[monde.uo.pk][0] == {"conditions_accueil": "B", "conditions_admission": "Sur rendez-vous."}


def test_un_geste_d_avant_un_renvoi_ne_le_defait_pas(monde: Monde) -> None:
    """Finalise, move, send, return with a comment: undoing the move would say that the fiche is finalised again."""
    _saisir(monde, monde.uo.pk, conditions_accueil="A", finaliser=True)
    monde.faire(gestes.deplacer, fiches=[monde.uf2.pk], parent=service(monde.pole).pk)
    monde.faire(contenu.finaliser, fiches=[monde.uf2.pk])
    avant = monde.etat()[monde.uo.pk]
    geste = Geste.objects.filter(dossier=monde.dossier).earliest("pk").pk
    fabrique.envoye(monde.dossier, monde.lea)
    direction = compte(Role.DIRECTION, monde.eg)
    fabrique.renvoye(monde.dossier, direction, **{f"fiche_{monde.uo.pk}": "Précisez."})
    apres = monde.etat()[monde.uo.pk]
    assert (apres[:2], apres[2]) == (avant[:2], "en_attente")
    assert apres[3] > avant[3]
    assert geste not in [g.pk for g in annulation.gestes_a_defaire(monde.dossier, monde.lea)]
    with pytest.raises(Conflit, match=f"{direction} a changé depuis .*renvoyé") as refus:
        monde.defaire(geste)
    assert refus.value.code == "geste_depasse"
    assert monde.etat()[monde.uo.pk] == apres


def test_enregistrer_sans_rien_changer_ne_laisse_pas_de_trace(monde: Monde) -> None:
    """Nor on an untouched fiche, nor on one already saved so."""
    for saisie in ({}, {"conditions_accueil": "A"}, {"conditions_accueil": "A"}, {}):
        _saisir(monde, monde.uo.pk, **saisie)
        _saisir(monde, monde.uo.pk, acteur=monde.tom, **saisie)
    assert list(monde.dossier.evenements.filter(acteur=monde.tom)) == []
    assert monde.dossier.evenements.filter(type="fiche_enregistree").count() == 1
    _saisir(monde, monde.uo.pk, acteur=monde.tom, finaliser=True)
    assert monde.dossier.evenements.filter(acteur=monde.tom, type="fiche_finalisee").count() == 1


def test_une_suppression_ne_s_annule_pas_vers_une_place_fermee(monde: Monde) -> None:
    """The new fiche that it was moved to is gone, and its published parent is closed too."""
    (nouvelle,) = monde.faire(gestes.ajouter, parent=monde.service.pk, nom="UF 3")
    monde.faire(gestes.deplacer, fiches=[monde.uo.pk], parent=nouvelle.fiche_id)
    monde.faire(gestes.supprimer, fiches=[monde.uo.pk])
    monde.faire(gestes.supprimer, fiches=[nouvelle.fiche_id])
    monde.faire(gestes.supprimer, fiches=[monde.uf.pk])
    avant = monde.etat()
    with pytest.raises(Invalide, match="UF 1") as refus:
        monde.faire(gestes.annuler_changement, fiche=monde.uo.pk)
    assert (refus.value.code, monde.etat()) == ("parent_supprime", avant)
    monde.faire(gestes.annuler_changement, fiche=monde.uf.pk)
    monde.faire(gestes.annuler_changement, fiche=monde.uo.pk)
    assert monde.etat() == {}


def test_deux_onglets_defont_une_fois(monde: Monde) -> None:
    GESTES["ajouter"](monde)
    geste = monde.dernier()
    monde.defaire(geste)
    with pytest.raises(Conflit) as refus:
        monde.defaire(geste)
    assert refus.value.code == "deja_defait"


def test_seul_son_auteur_defait_un_geste(monde: Monde) -> None:
    GESTES["ajouter"](monde)
    with pytest.raises(Interdit):
        monde.defaire(acteur=monde.tom)
    with pytest.raises(Introuvable):
        monde.defaire(10**9)


def test_defaire_un_ajout_sous_lequel_un_collegue_a_cree(monde: Monde) -> None:
    (nouvelle,) = monde.faire(gestes.ajouter, parent=monde.service.pk, nom="UF 3")
    geste = monde.dernier()
    monde.faire(gestes.ajouter, monde.tom, parent=nouvelle.fiche_id, nom="Unité 3")
    avant = monde.etat()
    with pytest.raises(Invalide, match="Unité 3"):
        monde.defaire(geste)
    assert monde.etat() == avant


def test_defaire_un_deplacement_vers_un_parent_supprime_depuis(monde: Monde) -> None:
    monde.faire(gestes.deplacer, fiches=[monde.uo.pk], parent=monde.uf2.pk)
    geste = monde.dernier()
    monde.faire(gestes.supprimer, monde.tom, fiches=[monde.uf.pk])
    with pytest.raises(Invalide, match="Unité de cardiologie"):
        monde.defaire(geste)


def test_un_numero_defait_n_est_jamais_redonne(monde: Monde) -> None:
    """A form that shows a save taken back can't erase what came after it."""
    premiere = _saisir(monde, monde.uo.pk, conditions_accueil="A")
    seconde = _saisir(monde, monde.uo.pk, conditions_accueil="B")
    monde.defaire()
    troisieme = _saisir(monde, monde.uo.pk, acteur=monde.tom, conditions_accueil="C")
    assert len({premiere.revision, seconde.revision, troisieme.revision}) == 3
    with pytest.raises(Conflit) as refus:
        monde.faire(
            contenu.enregistrer, fiche=monde.uo.pk, saisie={"conditions_accueil": "D"}, revision=seconde.revision,
            registre=fabrique.registre(monde.uo.pk),
        )  # fmt: skip
    assert set(refus.value.champs) == {"conditions_accueil"}


def test_agir_sur_une_fiche_retiree_dit_par_qui(monde: Monde) -> None:
    (nouvelle, autre) = monde.faire(gestes.ajouter, parent=monde.uf.pk, quantite=2)
    _saisir(monde, nouvelle.fiche_id, nom="Unité neuve")
    monde.faire(gestes.supprimer, monde.tom, fiches=[nouvelle.fiche_id])
    verbes = [
        (
            contenu.enregistrer,
            {"fiche": nouvelle.fiche_id, "saisie": {"nom": "X"}, "revision": nouvelle.revision, "registre": {}},
        ),
        (gestes.supprimer, {"fiches": [monde.uo.pk, nouvelle.fiche_id]}),
        (gestes.deplacer, {"fiches": [nouvelle.fiche_id], "parent": monde.uf2.pk}),
        (gestes.dupliquer, {"fiche": nouvelle.fiche_id}),
        (gestes.annuler_changement, {"fiche": nouvelle.fiche_id}),
    ]
    for verbe, arguments in verbes:
        with pytest.raises(Conflit, match=f"« Unité neuve ».*{monde.tom}") as refus:
            monde.faire(verbe, **arguments)
        assert refus.value.code == "fiche_retiree"
    monde.defaire(acteur=monde.tom)
    monde.faire(gestes.annuler_changement, fiche=nouvelle.fiche_id)
    monde.defaire()
    monde.faire(gestes.annuler_changement, fiche=autre.fiche_id)
    with pytest.raises(Introuvable):
        monde.faire(gestes.supprimer, fiches=[10**9])
