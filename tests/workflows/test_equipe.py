"""Working as a team on tasks: take over, assign, put aside, follow; who is told, what the journal keeps."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from backoffice.socle.erreurs import Conflit, Interdit, Introuvable, Invalide
from notifications.models import Envoi
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from workflows import chronologie
from workflows.domaine import decisions, equipe, suivi, taches
from workflows.models import Dossier, MiseDeCote, Tache

pytestmark = pytest.mark.django_db


@pytest.fixture
def valide(monde: SimpleNamespace, dossier: Dossier) -> Tache:
    """A dossier that its Direction validated: the task is at SESAN, where three people may do it."""
    monde.sesan = [repertoire.gestionnaire("sesan1"), repertoire.gestionnaire("sesan2")]
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    fabrique.envoye(dossier, monde.referent)
    decisions.valider(tache=fabrique.tache(dossier).pk, acteur=monde.direction)
    return fabrique.tache(dossier)


def courriels(*codes: str) -> set[tuple[str, str]]:
    return set(Envoi.objects.filter(type_code__in=codes).values_list("type_code", "destinataire__username"))


def journal(tache: Tache) -> list[tuple[str, str]]:
    """The last lines about hands, in words."""
    evenements = tache.dossier.evenements.select_related("acteur").order_by("pk")
    lignes = chronologie.lignes_journal(tache.dossier, list(evenements))
    return [
        (ligne["qui"], ligne["texte"])
        for ligne in lignes
        if " reprise à " in ligne["titre"] or "attribuée" in ligne["titre"]
    ]


def proprietaire(tache: Tache) -> str:
    owner = Tache.objects.select_related("tache__owner").get(pk=tache.pk).tache.owner
    return owner.username if owner else ""


def test_reprendre_a_un_collegue(monde: SimpleNamespace, valide: Tache) -> None:
    g, (un, deux) = monde.gestionnaire, monde.sesan
    taches.prendre(numero=valide.pk, acteur=g)
    with pytest.raises(Invalide) as sans_motif:
        equipe.reprendre(numero=valide.pk, acteur=un, motif=" ", vu=g.pk)
    assert set(sans_motif.value.champs) == {"motif"}
    equipe.reprendre(numero=valide.pk, acteur=un, motif="Congés", vu=g.pk)
    assert proprietaire(valide) == "sesan1"
    assert courriels("tache_reprise", "tache_attribuee") == {("tache_reprise", "gestionnaire")}
    assert "Congés" in Envoi.objects.get(type_code="tache_reprise").corps_texte
    assert journal(valide) == [(str(un), f"De {g}\nCongés")]
    # Somebody whose page still shows the first holder.
    with pytest.raises(Conflit, match=f"{un} a repris cette tâche le .*rechargez"):
        equipe.reprendre(numero=valide.pk, acteur=deux, motif="Moi aussi", vu=g.pk)
    taches.rendre(numero=valide.pk, acteur=un)
    with pytest.raises(Conflit, match=f"{un} a remis cette tâche dans la file le .*vous pouvez la prendre"):
        equipe.reprendre(numero=valide.pk, acteur=deux, motif="Moi aussi", vu=un.pk)
    with pytest.raises(Interdit):
        equipe.reprendre(numero=valide.pk, acteur=monde.direction, motif="Moi", vu=None)


def test_attribuer_a_un_collegue(monde: SimpleNamespace, valide: Tache) -> None:
    g, (un, deux) = monde.gestionnaire, monde.sesan
    suivi.mettre_de_cote(numero=valide.pk, acteur=un, retour_le=timezone.localdate() + timedelta(days=1))
    for refuse, a in ((Interdit, monde.direction), (Interdit, monde.voisin)):
        with pytest.raises(refuse):
            equipe.attribuer(numero=valide.pk, acteur=a, a=un, vu=None)
    with pytest.raises(Invalide):
        equipe.attribuer(numero=valide.pk, acteur=g, a=monde.direction, vu=None)
    with pytest.raises(Invalide):
        equipe.attribuer(numero=valide.pk, acteur=g, a=g, vu=None)
    equipe.attribuer(numero=valide.pk, acteur=g, a=un, vu=None)
    assert proprietaire(valide) == "sesan1"
    assert not MiseDeCote.objects.exists()  # in sight of the one who now has it
    assert courriels("tache_reprise", "tache_attribuee") == {("tache_attribuee", "sesan1")}
    with pytest.raises(Conflit, match=f"{g} a attribué cette tâche à {un} le"):
        equipe.attribuer(numero=valide.pk, acteur=deux, a=g, vu=None)
    with pytest.raises(Invalide, match="pourquoi"):
        equipe.attribuer(numero=valide.pk, acteur=g, a=deux, vu=un.pk)
    equipe.attribuer(numero=valide.pk, acteur=g, a=deux, vu=un.pk, motif="Absente cette semaine")
    assert courriels("tache_reprise", "tache_attribuee") == {
        ("tache_attribuee", "sesan1"), ("tache_reprise", "sesan1"), ("tache_attribuee", "sesan2")
    }  # fmt: skip
    assert journal(valide) == [(str(g), f"À {un}"), (str(g), f"De {un} à {deux}\nAbsente cette semaine")]
    suivi.mettre_de_cote(numero=valide.pk, acteur=deux, retour_le=timezone.localdate() + timedelta(days=1))
    taches.rendre(numero=valide.pk, acteur=deux)
    assert MiseDeCote.objects.exists()
    taches.prendre(numero=valide.pk, acteur=deux)
    assert not MiseDeCote.objects.exists()


def test_une_gestionnaire_attribue_la_validation_a_une_direction(monde: SimpleNamespace, dossier: Dossier) -> None:
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    with pytest.raises(Conflit, match="commune à l’équipe"):
        equipe.attribuer(numero=fabrique.tache(dossier).pk, acteur=monde.gestionnaire, a=monde.referent, vu=None)
    fabrique.envoye(dossier, monde.referent)
    tache = fabrique.tache(dossier)
    with pytest.raises(Interdit):
        equipe.attribuer(numero=tache.pk, acteur=monde.referent, a=monde.direction, vu=None)
    equipe.attribuer(numero=tache.pk, acteur=monde.gestionnaire, a=monde.direction, vu=None)
    assert proprietaire(tache) == "direction"
    decisions.valider(tache=tache.pk, acteur=monde.direction)
    with pytest.raises(Conflit, match="déjà été traitée par"):
        equipe.reprendre(numero=tache.pk, acteur=monde.direction, motif="Trop tard", vu=None)


def test_mettre_de_cote_jusqu_a_un_jour(monde: SimpleNamespace, valide: Tache, time_machine) -> None:
    g, aujourdhui = monde.gestionnaire, timezone.localdate()
    for jours in (0, -1, 91):
        with pytest.raises(Invalide):
            suivi.mettre_de_cote(numero=valide.pk, acteur=g, retour_le=aujourdhui + timedelta(days=jours))
    echeance = timezone.localdate(valide.echeance)
    suivi.mettre_de_cote(numero=valide.pk, acteur=g, retour_le=echeance)
    with pytest.raises(Invalide) as tard:
        suivi.mettre_de_cote(numero=valide.pk, acteur=g, retour_le=echeance + timedelta(days=1))
    assert tard.value.code == "apres_echeance"
    retour = echeance + timedelta(days=1)
    suivi.mettre_de_cote(numero=valide.pk, acteur=g, retour_le=retour, malgre_echeance=True)
    assert [m.tache_id for m in MiseDeCote.objects.en_cours(g.pk)] == [valide.pk]
    assert not MiseDeCote.objects.en_cours(monde.sesan[0].pk).exists()
    time_machine.move_to(timezone.now() + (retour - aujourdhui))
    assert not MiseDeCote.objects.en_cours(g.pk).exists()  # back by itself
    with pytest.raises(Conflit):
        suivi.ressortir(numero=valide.pk, acteur=g)
    suivi.mettre_de_cote(numero=valide.pk, acteur=g, retour_le=retour + timedelta(days=2), malgre_echeance=True)
    suivi.ressortir(numero=valide.pk, acteur=g)
    assert not MiseDeCote.objects.exists()
    with pytest.raises(Interdit):
        suivi.mettre_de_cote(numero=valide.pk, acteur=monde.direction, retour_le=retour + timedelta(days=2))


def test_suivre_un_dossier(monde: SimpleNamespace, dossier: Dossier) -> None:
    """A follower hears of decisions and publication; who puts a task aside or stops following does not."""
    suiveur, cesse = repertoire.gestionnaire("suiveur"), repertoire.gestionnaire("cesse")
    for personne in (suiveur, cesse, monde.referent, suiveur):
        suivi.suivre(numero=dossier.pk, acteur=personne)
    suivi.ne_plus_suivre(numero=dossier.pk, acteur=cesse)
    for etranger in (monde.voisin, monde.tutelle):
        with pytest.raises(Introuvable):
            suivi.suivre(numero=dossier.pk, acteur=etranger)
    assert dossier.evenements.filter(type="suivi").count() == 3
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    fabrique.envoye(dossier, monde.referent)
    decisions.valider(tache=fabrique.tache(dossier).pk, acteur=monde.direction)
    assert courriels("dossier_avance") == {("dossier_avance", "suiveur"), ("dossier_avance", "referent")}
    demain = timezone.localdate() + timedelta(days=1)
    suivi.mettre_de_cote(numero=fabrique.tache(dossier).pk, acteur=cesse, retour_le=demain)
    fabrique.renvoye(dossier, monde.gestionnaire)
    prevenus = {"suiveur", "referent", "direction"}
    assert courriels("dossier_renvoye") == {("dossier_renvoye", p) for p in prevenus}
    fabrique.envoye(dossier, monde.referent)
    decisions.valider(tache=fabrique.tache(dossier).pk, acteur=monde.direction)
    decisions.approuver(tache=fabrique.tache(dossier).pk, acteur=monde.gestionnaire)
    assert courriels("dossier_publie") == {("dossier_publie", p) for p in prevenus}
    assert Envoi.objects.filter(type_code="dossier_avance").count() == 4
    with pytest.raises(Conflit):
        suivi.suivre(numero=dossier.pk, acteur=cesse)
