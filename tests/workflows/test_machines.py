"""The two machines of a dossier hold together: the tasks of each state, the sources of each transition."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import ProgrammingError
from django_fsm import TransitionNotAllowed

from notifications.models import Envoi
from workflows.enums import ETAPES, OUVERTS, TERMINES, EtatDossier
from workflows.flows import DossierFlow
from workflows.models import Commentaire, Decision, Dossier, Evenement, Revision, Tache
from workflows.noeuds import Tache as NoeudTache
from workflows.regles import acteurs_de, peut_faire, taches_de

TACHES_PAR_ETAT = {
    EtatDossier.REDACTION: {"redaction"},
    EtatDossier.FINALISE: {"envoi"},
    EtatDossier.VALIDATION: {"validation_direction"},
    EtatDossier.AFFECTATION: {"affectation_tutelle"},
    EtatDossier.APPROBATION: {"approbation_sesan", "approbation_tutelle"},
    EtatDossier.PUBLIE: set(),
    EtatDossier.REFUSE: set(),
    EtatDossier.ABANDONNE: set(),
}

SOURCES = {
    "finaliser": {EtatDossier.REDACTION},
    "rouvrir": {EtatDossier.FINALISE},
    "envoyer": {EtatDossier.FINALISE},
    "valider": {EtatDossier.VALIDATION},
    "affecter": {EtatDossier.AFFECTATION},
    "renvoyer": {EtatDossier.VALIDATION, EtatDossier.APPROBATION},
    "retirer": {EtatDossier.VALIDATION, EtatDossier.AFFECTATION, EtatDossier.APPROBATION},
    "refuser": {EtatDossier.APPROBATION},
    "abandonner": {EtatDossier.REDACTION, EtatDossier.FINALISE},
    "publier": {EtatDossier.APPROBATION},
}
ARGUMENTS = {"affecter": (["ARS-11"],), "renvoyer": ("motif",), "refuser": ("motif",)}


def test_chaque_etat_a_ses_taches(demo: None) -> None:
    assert set(TACHES_PAR_ETAT) == set(EtatDossier)
    assert set(Dossier.objects.values_list("etat", flat=True)) == set(EtatDossier)
    for dossier in Dossier.objects.all():
        ouvertes = set(Tache.objects.filter(dossier=dossier, close_le__isnull=True).values_list("noeud", flat=True))
        assert ouvertes <= TACHES_PAR_ETAT[EtatDossier(dossier.etat)]
        assert bool(ouvertes) == (dossier.etat in OUVERTS)
        assert dossier.processus.status == ("DONE" if dossier.etat in TERMINES else "NEW")


@pytest.mark.parametrize("verbe", sorted(SOURCES))
@pytest.mark.parametrize("etat", list(EtatDossier))
def test_transitions(verbe: str, etat: EtatDossier) -> None:
    dossier = Dossier(etat=etat)
    arguments = ARGUMENTS.get(verbe, ())
    nommes = {"par": None, "filiere": "autre", "autorites": [], "empreinte": "x"} if verbe == "envoyer" else {}
    if etat in SOURCES[verbe]:
        getattr(dossier, verbe)(*arguments, **nommes)
        assert dossier.etat != etat
    else:
        with pytest.raises(TransitionNotAllowed):
            getattr(dossier, verbe)(*arguments, **nommes)


def test_les_etapes_humaines_sont_celles_du_flux() -> None:
    humaines = {n.name for n in DossierFlow.instance.nodes() if isinstance(n, NoeudTache)}
    assert humaines == set(ETAPES)


def test_qui_peut_et_pour_qui_disent_la_meme_chose(demo: None) -> None:
    """The predicate, the inbox and the mail's recipients agree for every person and every open task."""
    from backoffice.comptes.models import User

    ouvertes = list(Tache.objects.filter(close_le__isnull=True).select_related("dossier"))
    assert ouvertes
    for tache in ouvertes:
        acteurs = set(acteurs_de(tache))
        assert acteurs, tache
        for user in User.objects.all():
            assert peut_faire(user, tache) == (user in acteurs) == taches_de(user).filter(pk=tache.pk).exists()


def test_un_courriel_par_tache_et_par_personne(demo: None) -> None:
    """Every task that somebody can do was mailed to each of them, but to the one who caused it."""
    taches = list(Tache.objects.select_related("dossier"))
    assert taches
    for tache in taches:
        prevenus = set(
            Envoi.objects.filter(type_code="tache_creee", cle__startswith=f"tache_creee:tache:{tache.pk}:").values_list(
                "destinataire", flat=True
            )
        )
        acteurs = {u.pk for u in acteurs_de(tache)}
        assert prevenus <= acteurs
        assert len(acteurs - prevenus) <= 1


@pytest.mark.parametrize("modele", [Evenement, Decision])
def test_le_journal_ne_se_reecrit_pas(demo: None, modele: type) -> None:
    for geste in (
        lambda: modele.objects.filter(pk=modele.objects.first().pk).update(dossier=Dossier.objects.last()),
        lambda: modele.objects.filter(pk=modele.objects.first().pk).delete(),
    ):
        with pytest.raises(ProgrammingError, match="Cannot"), transaction.atomic():
            geste()


@pytest.mark.parametrize("modele", [Revision, Commentaire])
def test_rien_de_ce_qui_a_ete_ecrit_ne_se_reecrit(demo: None, modele: type) -> None:
    champ = {Revision: {"patch": {}}, Commentaire: {"texte": "Je n’ai pas dit cela."}}[modele]
    for geste in (lambda: modele.objects.update(**champ), lambda: modele.objects.all()._raw_delete("default")):
        with pytest.raises(ProgrammingError, match="Cannot"), transaction.atomic():
            geste()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE workflows_dossier SET publie_le = now() WHERE etat = 'redaction'",
        "UPDATE workflows_dossier SET etat = 'publie' WHERE etat = 'redaction'",
        "UPDATE workflows_dossier SET motif = '' WHERE etat = 'refuse'",
        "UPDATE workflows_dossier SET eg_id = (SELECT eg_id FROM workflows_dossier WHERE etat = 'finalise') "
        "WHERE etat = 'redaction'",
        "UPDATE workflows_tache SET issue = 'valide' WHERE close_le IS NULL",
        "UPDATE workflows_tache SET autorite_id = NULL WHERE noeud = 'approbation_tutelle'",
    ],
)
def test_postgresql_tient_les_etats(demo: None, sql: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as curseur:
        curseur.execute(sql)
