"""One winner each; the others get a sentence that says who did what; nothing twice, no mail twice."""

from collections import Counter
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone
from viewflow.workflow.models import Task

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit
from notifications.models import Envoi
from structures.domaine.lecture import lire
from structures.domaine.modifier import modifier
from structures.models import Modification, Reservation
from workflows.domaine import contenu, decisions, gestes, incidents, instantane, taches
from workflows.domaine.creer import creer
from workflows.domaine.journal import consigner
from workflows.domaine.versions import migrer
from workflows.enums import EtatDossier
from workflows.models import Decision, Dossier, Evenement, Tache
from workflows.tasks import declencher_minuteries

from .conftest import eg, ensemble, personne, refus

pytestmark = [pytest.mark.course, pytest.mark.usefixtures("demo")]


def ouverte(nom: str, **filtre: object) -> Tache:
    return Tache.objects.select_related("dossier").get(dossier__nom=nom, close_le__isnull=True, **filtre)


def en_approbation_sesan() -> Tache:
    """The clinic's dossier, validated by its Direction: the task is at SESAN."""
    decisions.valider(
        tache=ouverte("Consultation de dermatologie à la clinique").pk,
        acteur=User.objects.get(username="direction.hopital"),
    )
    return ouverte("Consultation de dermatologie à la clinique")


def annonces(dossier: Dossier) -> set[str]:
    """What people were told of the dossier, by type of mail; fails when somebody was told the same thing twice."""
    envois = Envoi.objects.filter(type_code__startswith="dossier_", cle__contains=f":dossier:{dossier.pk}:")
    lignes = list(envois.values_list("type_code", "destinataire"))
    assert lignes
    assert max(Counter(lignes).values()) == 1
    return {type_code for type_code, _ in lignes}


def test_huit_personnes_prennent_une_tache() -> None:
    tache = en_approbation_sesan()
    gens = [personne("gestionnaire", f"g{i}") for i in range(8)]
    resultats = ensemble([partial(taches.prendre, numero=tache.pk, acteur=g) for g in gens])
    perdants = refus(resultats)
    assert len(perdants) == 7
    assert {p.code for p in perdants} == {"tache_prise"}
    tache.tache.refresh_from_db()
    gagnant = tache.tache.owner
    assert gagnant in gens
    assert all(gagnant.username in p.message for p in perdants)
    assert Evenement.objects.filter(dossier=tache.dossier, type="tache_prise").count() == 1


def test_huit_personnes_approuvent_en_meme_temps() -> None:
    tache = en_approbation_sesan()
    avant = Modification.objects.count()
    gens = [personne("gestionnaire", f"g{i}") for i in range(8)]
    resultats = ensemble([partial(decisions.approuver, tache=tache.pk, acteur=g) for g in gens])
    perdants = refus(resultats)
    assert len(perdants) == 7
    assert all(isinstance(p, Conflit) and "a déjà été traitée par g" in p.message for p in perdants)
    dossier = Dossier.objects.get(pk=tache.dossier_id)
    assert dossier.etat == EtatDossier.PUBLIE
    assert Modification.objects.count() - avant == dossier.fiches.count() == 1
    assert Decision.objects.filter(dossier=dossier, issue="approuve").count() == 1
    assert Evenement.objects.filter(dossier=dossier, type="publie").count() == 1
    assert Task.objects.filter(process=dossier.processus, finished__isnull=True).count() == 0
    assert annonces(dossier) == {"dossier_publie"}


def test_approuver_contre_refuser() -> None:
    tache = en_approbation_sesan()
    a, b = personne("gestionnaire", "ga"), personne("gestionnaire", "gb")
    resultats = ensemble(
        [
            partial(decisions.approuver, tache=tache.pk, acteur=a),
            partial(decisions.refuser, tache=tache.pk, acteur=b, motif="Non conforme"),
        ]
    )
    assert len(refus(resultats)) == 1
    dossier = Dossier.objects.get(pk=tache.dossier_id)
    publie = not isinstance(resultats[0], Conflit)
    assert dossier.etat == (EtatDossier.PUBLIE if publie else EtatDossier.REFUSE)
    assert Modification.objects.filter(origine=f"dossier {dossier.pk}").count() == (1 if publie else 0)
    assert not Reservation.objects.filter(dossier=dossier.pk).exists()
    assert annonces(dossier) == {"dossier_publie" if publie else "dossier_refuse"}


def test_renvoyer_contre_retirer() -> None:
    tache = ouverte("Consultation de dermatologie à la clinique")
    direction, referent = (User.objects.get(username=u) for u in ("direction.hopital", "referent.hopital"))
    resultats = ensemble(
        [
            partial(decisions.renvoyer, tache=tache.pk, acteur=direction, motif="À revoir"),
            partial(decisions.retirer, numero=tache.dossier_id, acteur=referent),
        ]
    )
    (perdant,) = refus(resultats)
    assert isinstance(perdant, Conflit)
    dossier = Dossier.objects.get(pk=tache.dossier_id)
    assert dossier.etat == EtatDossier.REDACTION
    issues = set(Tache.objects.filter(dossier=dossier).values_list("issue", flat=True))
    assert len(issues & {"renvoye", "retire"}) == 1
    assert Tache.objects.filter(dossier=dossier, close_le__isnull=True).count() == 1
    assert annonces(dossier) == {f"dossier_{(issues & {'renvoye', 'retire'}).pop()}"}


def test_deux_tutelles_approuvent_en_meme_temps() -> None:
    camsp = eg("CAMSP TEST")
    referent = User.objects.get(username="referent.camsp")
    dossier = creer(eg=camsp, nom="Fermeture", acteur=referent)
    gestes.supprimer(
        numero=dossier.pk, acteur=referent, fiches=[camsp.fiches.get(niveau="UO", versions__isnull=False).pk]
    )
    decisions.envoyer(numero=dossier.pk, acteur=referent, vu=instantane.empreinte_de(dossier))
    par_autorite = {t.autorite_id: t.pk for t in Tache.objects.filter(dossier=dossier, close_le__isnull=True)}
    assert set(par_autorite) == {"ARS-11", "CD-78"}
    ensemble(
        [
            partial(decisions.approuver, tache=par_autorite[a], acteur=User.objects.get(username=u))
            for a, u in (("ARS-11", "tutelle.ars"), ("CD-78", "tutelle.cd"))
        ]
    )
    dossier = Dossier.objects.get(pk=dossier.pk)
    assert dossier.etat == EtatDossier.PUBLIE
    assert Modification.objects.filter(origine=f"dossier {dossier.pk}").count() == 1


def test_deux_enregistrements_d_une_fiche() -> None:
    dossier = Dossier.objects.get(nom="Unité d’accueil temporaire")
    travail = dossier.fiches.get()
    autre = personne("referent", "autre", fiche=dossier.eg)
    gestes = [
        partial(
            contenu.enregistrer, numero=dossier.pk, acteur=acteur, fiche=travail.fiche_id, revision=travail.revision,
            saisie={"nom": nom}, registre={},
        )
        for acteur, nom in ((dossier.auteur, "Unité A"), (autre, "Unité B"))
    ]  # fmt: skip
    resultats = ensemble(gestes)
    (perdant,) = refus(resultats)
    assert perdant.code == "fiche_modifiee"
    assert set(perdant.champs) == {"nom"}
    travail = dossier.fiches.get()
    gagnant = next(r for r in resultats if r is not perdant)
    assert travail.patch["nom"] == gagnant.patch["nom"]
    assert str(travail.modifiee_par) in perdant.message


def test_deux_enregistrements_qui_ne_se_touchent_pas_gardent_les_deux() -> None:
    dossier = Dossier.objects.get(nom="Unité d’accueil temporaire")
    travail = dossier.fiches.get()
    autre = personne("referent", "autre", fiche=dossier.eg)
    communs = {"numero": dossier.pk, "fiche": travail.fiche_id, "revision": travail.revision, "registre": {}}
    activites = frozenset(travail.patch["activites"]["ajoute"])
    resultats = ensemble(
        [
            partial(contenu.enregistrer, acteur=acteur, saisie=saisie, **communs)
            for acteur, saisie in (
                (dossier.auteur, {"nom": "Unité A", "activites": activites | {"325"}}),
                (autre, {"age_max": 99, "activites": activites | {"293"}}),
            )
        ]
    )  # fmt: skip
    assert refus(resultats) == []
    patch = dossier.fiches.get().patch
    assert (patch["nom"], patch["age_max"]) == ("Unité A", 99)
    assert set(patch["activites"]["ajoute"]) == activites | {"325", "293"}


def test_deux_dossiers_sur_un_etablissement() -> None:
    hopital = eg("Hôpital TEST")
    gens = [personne("referent", f"r{i}", fiche=hopital) for i in range(4)]
    resultats = ensemble([partial(creer, eg=hopital, nom=f"Dossier {i}", acteur=g) for i, g in enumerate(gens)])
    perdants = refus(resultats)
    assert [p.code for p in perdants] == ["dossier_deja_ouvert"] * 3
    (gagnant,) = [r for r in resultats if isinstance(r, Dossier)]
    assert all(f"« {gagnant.nom} »" in p.message for p in perdants)
    assert Reservation.objects.get(eg=hopital).dossier == gagnant.pk


def test_modification_directe_contre_envoi() -> None:
    """Either the dossier is sent and its lock refuses the change, or the change is in and the sending asks about it."""
    ehpad = eg("EHPAD TEST")
    referent = User.objects.get(username="referent.ehpad")
    uo = ehpad.fiches.filter(niveau="UO", versions__isnull=False).first()
    dossier = creer(eg=ehpad, nom="Fermeture", acteur=referent)
    gestes.supprimer(numero=dossier.pk, acteur=referent, fiches=[uo.pk])
    lecture = lire(uo)
    resultats = ensemble(
        [
            partial(decisions.envoyer, numero=dossier.pk, acteur=referent, vu=instantane.empreinte_de(dossier)),
            partial(
                modifier, fiche=uo, acteur=referent, patch={"conditions_accueil": "Chambres doubles."},
                date_effet=timezone.localdate(), jeton=lecture.jeton,
            ),
        ]
    )  # fmt: skip
    (perdant,) = refus(resultats)
    if isinstance(resultats[0], Dossier):
        assert perdant.code == "fiche_reservee"
    else:
        assert "a modifié" in perdant.message


def test_deux_distributeurs_de_minuteries() -> None:
    minuteries = Task.objects.filter(status="SCHEDULED")
    attendues = minuteries.count()
    assert attendues >= 10
    minuteries.update(scheduled=timezone.now())
    tirees = ensemble([declencher_minuteries, declencher_minuteries])
    assert sum(tirees) == attendues
    assert Evenement.objects.filter(type__in=["rappel", "escalade", "recours"]).count() == attendues
    assert not Task.objects.filter(status="ERROR").exists()


def test_une_minuterie_en_retard_reprise_par_deux_gestionnaires_et_par_beat() -> None:
    minuterie = Task.objects.filter(status="SCHEDULED").order_by("pk")[0]
    Task.objects.filter(pk=minuterie.pk).update(scheduled=timezone.now() - timedelta(hours=1))
    gens = User.objects.filter(username__in=["gestionnaire", "gestionnaire2"]).order_by("pk")
    resultats = ensemble(
        [*(partial(incidents.declencher, numero=minuterie.pk, acteur=qui) for qui in gens), declencher_minuteries]
    )
    perdants = refus(resultats)
    assert {perdant.code for perdant in perdants} <= {"incident_repris", "incident_clos"}
    assert 2 - len(perdants) + resultats[2] == 1
    assert Evenement.objects.filter(type__in=["rappel", "escalade", "recours"]).count() == 1


def test_decisions_contre_minuteries() -> None:
    """A task decided while its reminder fires: the decision holds, nothing blocks, nothing errs."""
    tache = ouverte("Consultation de dermatologie à la clinique")
    Task.objects.filter(process=tache.dossier.processus, status="SCHEDULED").update(scheduled=timezone.now())
    resultats = ensemble(
        [
            partial(decisions.valider, tache=tache.pk, acteur=User.objects.get(username="direction.hopital")),
            declencher_minuteries,
        ]
    )
    assert refus(resultats) == []
    assert Dossier.objects.get(pk=tache.dossier_id).etat == EtatDossier.APPROBATION
    assert not Task.objects.filter(status="ERROR").exists()


def test_huit_ecritures_sans_verrou_font_une_chaine() -> None:
    """Even writers that did not lock the dossier: one rank each (the fixture verifies the chain)."""
    dossier = ouverte("Unité d’accueil temporaire").dossier
    avant = dossier.tete_journal.rang
    ensemble([partial(consigner, dossier, "rouvert", None, n=n) for n in range(8)])
    rangs = dossier.evenements.filter(rang__gt=avant).order_by("rang").values_list("rang", flat=True)
    assert list(rangs) == list(range(avant + 1, avant + 9))


def test_quatre_migrations_d_un_dossier_n_en_font_qu_une() -> None:
    tache = ouverte("Consultation de dermatologie à la clinique")
    Dossier.objects.filter(pk=tache.dossier_id).update(version_flux=1)
    Task.objects.filter(previous=tache.tache, flow_task__endswith="__timeout_3").delete()
    passages = ensemble([partial(migrer, numero=tache.dossier_id)] * 4)
    assert sorted(len(p.faits) for p in passages) == [0, 0, 0, 1]
    assert Task.objects.filter(previous=tache.tache, flow_task__endswith="__timeout_3").count() == 1
    assert tache.dossier.evenements.filter(type="flux_mis_a_jour").count() == 1
