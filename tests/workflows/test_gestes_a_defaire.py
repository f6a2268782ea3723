"""« Annuler la dernière opération »: each gesture can be taken back by its author while nothing was built on it."""

import pytest

from backoffice.socle.erreurs import Conflit, Interdit, Introuvable, Invalide
from structures.enums import Role
from tests.factories import dossiers as fabrique
from tests.factories.repertoire import compte, etablissement, pole, service, uf, uo
from workflows.domaine import annulation, contenu, gestes
from workflows.models import FicheTravail, Geste

pytestmark = pytest.mark.django_db


class Monde:
    def __init__(self) -> None:
        self.eg = etablissement("sanitaire", nom="Hôpital TEST")
        self.service = service(pole(self.eg), nom="Service")
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
            contenu.enregistrer, fiche=monde.uo.pk, saisie={"conditions_accueil": "D"}, revision=seconde.revision
        )
    assert set(refus.value.champs) == {"conditions_accueil"}


def test_agir_sur_une_fiche_retiree_dit_par_qui(monde: Monde) -> None:
    (nouvelle, autre) = monde.faire(gestes.ajouter, parent=monde.uf.pk, quantite=2)
    _saisir(monde, nouvelle.fiche_id, nom="Unité neuve")
    monde.faire(gestes.supprimer, monde.tom, fiches=[nouvelle.fiche_id])
    verbes = [
        (contenu.enregistrer, {"fiche": nouvelle.fiche_id, "saisie": {"nom": "X"}, "revision": nouvelle.revision}),
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
