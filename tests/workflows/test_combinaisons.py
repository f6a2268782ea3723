"""Verbs on one tree combined: nothing typed is lost, nothing illegal is sent, whatever the order."""

from datetime import timedelta

import pytest
from django.utils import timezone

from backoffice.socle.erreurs import Conflit, Invalide
from structures.domaine.enregistrer import ecarts
from structures.enums import Role
from structures.models import Modification
from tests.factories import dossiers as fabrique
from tests.factories.repertoire import compte, direct, etablissement, pole, service, uf, uo
from workflows.domaine import contenu, decisions, gestes
from workflows.models import Dossier, FicheTravail

pytestmark = pytest.mark.django_db


class Monde:
    def __init__(self) -> None:
        self.eg = etablissement("sanitaire", nom="Hôpital TEST")
        self.service = service(pole(self.eg), nom="Service")
        self.uf, self.uf2 = uf(self.service, nom="UF 1"), uf(self.service, nom="UF 2")
        self.uo = uo(self.uf, nom="Unité de cardiologie", activites={"ajoute": ["013"]})
        self.referent, self.collegue = compte(Role.REFERENT, self.eg), compte(Role.REFERENT, self.eg)
        self.direction, self.sesan = compte(Role.DIRECTION, self.eg), compte(Role.GESTIONNAIRE)
        self.dossier = fabrique.brouillon(self.eg, self.referent)

    def patches(self) -> dict[int, dict]:
        return dict(FicheTravail.objects.filter(dossier=self.dossier).values_list("fiche_id", "patch"))

    def verbe(self, nom: str, **arguments):
        if nom == "enregistrer":
            arguments = {"registre": fabrique.registre(arguments["fiche"]), **arguments}
        module = contenu if hasattr(contenu, nom) else gestes
        return getattr(module, nom)(numero=self.dossier.pk, acteur=self.referent, **arguments)

    def modifier(self, finaliser: bool = True, **saisie):
        return fabrique.modifier(self.dossier, self.referent, self.uo.pk, finaliser=finaliser, **saisie)

    def departager(self, **choix: str):
        """Settle what the register changed too, field by field, typing nothing."""
        revision = FicheTravail.objects.get(dossier=self.dossier, fiche=self.uo).revision
        self.verbe("enregistrer", fiche=self.uo.pk, saisie={}, revision=revision, departages=choix)


@pytest.fixture
def monde(db: None) -> Monde:
    return Monde()


def test_supprimer_puis_annuler_rend_ce_qui_etait_saisi(monde: Monde) -> None:
    monde.modifier(conditions_accueil="Chambres doubles.")
    monde.verbe("supprimer", fiches=[monde.uo.pk])
    monde.verbe("annuler_changement", fiche=monde.uo.pk)
    assert monde.patches() == {monde.uo.pk: {"conditions_accueil": "Chambres doubles."}}


def test_annuler_une_fermeture_rend_toute_la_branche_emportee(monde: Monde) -> None:
    monde.verbe("deplacer", fiches=[monde.uo.pk], parent=monde.uf2.pk)
    monde.verbe("supprimer", fiches=[monde.uf2.pk])
    assert {p["existe"] for p in monde.patches().values()} == {False}
    monde.verbe("annuler_changement", fiche=monde.uf2.pk)
    assert monde.patches() == {monde.uo.pk: {"parent": monde.uf2.pk}}


def test_annuler_une_fermeture_garde_celles_decidees_a_part(monde: Monde) -> None:
    monde.verbe("supprimer", fiches=[monde.uo.pk])
    monde.verbe("supprimer", fiches=[monde.uf.pk])
    monde.verbe("annuler_changement", fiche=monde.uf.pk)
    assert monde.patches() == {monde.uo.pk: {"existe": False}}


def test_une_fiche_accueillie_par_une_nouvelle_revient_a_sa_place(monde: Monde) -> None:
    autre = service(pole(monde.eg, nom="Pôle 2"), nom="Service 2")
    (nouvelle,) = monde.verbe("ajouter", parent=autre.pk)
    monde.verbe("deplacer", fiches=[monde.uo.pk], parent=nouvelle.fiche_id)
    monde.verbe("supprimer", fiches=[autre.pk])
    assert nouvelle.fiche_id not in monde.patches()
    monde.verbe("annuler_changement", fiche=autre.pk)
    assert monde.patches() == {}


def test_un_formulaire_d_avant_une_annulation_n_efface_rien(monde: Monde) -> None:
    """A change undone and made again is another save: the form that showed the first is merged with it."""
    premiere = monde.modifier(conditions_accueil="A")
    monde.verbe("annuler_changement", fiche=monde.uo.pk)
    refaite = monde.modifier(conditions_accueil="A", conditions_admission="De la collègue")
    assert refaite.revision != premiere.revision
    monde.verbe("enregistrer", fiche=monde.uo.pk, saisie={"conditions_accueil": "B"}, revision=premiere.revision)
    assert monde.patches()[monde.uo.pk] == {"conditions_accueil": "B", "conditions_admission": "De la collègue"}
    with pytest.raises(Conflit, match="autrement que vous") as refus:
        monde.verbe("enregistrer", fiche=monde.uo.pk, saisie={"conditions_accueil": "C"}, revision=premiere.revision)
    assert set(refus.value.champs) == {"conditions_accueil"}
    monde.verbe("annuler_changement", fiche=monde.uo.pk)
    with pytest.raises(Conflit, match="annulé"):
        monde.verbe("enregistrer", fiche=monde.uo.pk, saisie={"conditions_accueil": "C"}, revision=premiere.revision)


def test_retirer_ce_que_le_repertoire_vient_d_ajouter(monde: Monde) -> None:
    """Only by who saw it there: a form opened before is refused, and nothing is removed by silence."""
    saisie = {"activites": frozenset(["013", "014"])}
    revision, vu = monde.modifier(**saisie).revision, fabrique.registre(monde.uo.pk)
    direct(monde.uo, monde.referent, {"activites": {"ajoute": ["097"]}}, date_effet=timezone.localdate())
    with pytest.raises(Conflit) as refus:
        monde.verbe("enregistrer", fiche=monde.uo.pk, saisie=saisie, revision=revision, registre=vu)
    assert set(refus.value.champs) == {"activites"}
    monde.modifier(**saisie)
    assert monde.patches()[monde.uo.pk] == {"activites": {"ajoute": ["014"], "retire": ["097"]}}


def test_garder_le_repertoire_ne_touche_que_le_conflit(monde: Monde) -> None:
    def contact(valeur: str) -> dict:
        telecoms = [{"canal": "2", "valeur": valeur, "confidentialite": "2"}]
        return {"nature": "07", "nom": "", "fonction": "", "confidentialite": "2", "telecoms": telecoms}

    aujourdhui = timezone.localdate()
    direct(monde.uo, monde.referent, {"contacts": {"pose": {"k": contact("0100000000")}}}, date_effet=aujourdhui)
    monde.modifier(finaliser=False, contacts={"k": contact("0111111111"), "neuf": contact("0122222222")})
    direct(monde.uo, monde.referent, {"contacts": {"pose": {"k": contact("0133333333")}}}, date_effet=aujourdhui)
    monde.departager(contacts="repertoire")
    assert monde.patches()[monde.uo.pk] == {"contacts": {"pose": {"neuf": contact("0122222222")}}}


def test_un_conflit_regle_qui_ne_laisse_rien_ne_s_envoie_pas(monde: Monde) -> None:
    monde.modifier(conditions_accueil="A")
    direct(monde.uo, monde.referent, {"conditions_accueil": "B"}, date_effet=timezone.localdate())
    monde.departager(conditions_accueil="repertoire")
    assert monde.patches() == {}
    with pytest.raises(Invalide, match="ne change rien"):
        fabrique.envoye(monde.dossier, monde.referent)


def test_la_fusion_est_verifiee_a_l_envoi(monde: Monde) -> None:
    monde.modifier(age_min=60)
    direct(monde.uo, monde.referent, {"age_max": 20}, date_effet=timezone.localdate())
    with pytest.raises(Invalide, match="âge maximum"):
        fabrique.envoye(monde.dossier, monde.referent)


def test_une_suppression_commentee_reste_finalisee(monde: Monde) -> None:
    monde.verbe("supprimer", fiches=[monde.uf2.pk])
    fabrique.envoye(monde.dossier, monde.referent)
    decisions.renvoyer(
        tache=fabrique.tache(monde.dossier).pk, acteur=monde.direction, motif="Sûr ?",
        commentaires={monde.uf2.pk: "Vraiment ?"},
    )  # fmt: skip
    fabrique.envoye(monde.dossier, monde.referent)
    assert Dossier.objects.get(pk=monde.dossier.pk).etat == "validation"


def test_un_champ_ne_contredit_pas_le_type(monde: Monde) -> None:
    (nouvelle,) = monde.verbe("ajouter", parent=monde.uf.pk)
    monde.verbe("enregistrer", fiche=nouvelle.fiche_id, saisie={"type_uo": "149"}, revision=nouvelle.revision)
    assert monde.patches()[nouvelle.fiche_id]["champ_activite"] == "01"
    revision = FicheTravail.objects.get(pk=nouvelle.pk).revision
    with pytest.raises(Invalide, match="même champ"):
        monde.verbe("enregistrer", fiche=nouvelle.fiche_id, saisie={"champ_activite": "03"}, revision=revision)


def test_une_modification_directe_est_verifiee_jusque_dans_les_changements_prevus(monde: Monde) -> None:
    demain = timezone.localdate() + timedelta(days=1)
    direct(monde.uo, monde.referent, {"age_max": 30}, date_effet=demain)
    with pytest.raises(Invalide) as refus:
        direct(monde.uo, monde.referent, {"age_min": 40}, date_effet=timezone.localdate())
    assert set(refus.value.champs) == {"age_max"}


def test_une_fermeture_publiee_n_emporte_pas_ce_qui_etait_saisi(monde: Monde) -> None:
    monde.modifier(conditions_accueil="Jamais publié")
    monde.verbe("supprimer", fiches=[monde.uo.pk])
    fabrique.envoye(monde.dossier, monde.referent)
    decisions.valider(tache=fabrique.tache(monde.dossier).pk, acteur=monde.direction)
    decisions.approuver(tache=fabrique.tache(monde.dossier).pk, acteur=monde.sesan)
    publiee = Modification.objects.get(fiche=monde.uo, source="dossier")
    assert publiee.patch.keys() == {"existe", "type_fermeture", "date_fermeture"}
    assert ecarts() == []
