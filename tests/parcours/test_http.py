"""Journeys of a dossier through the addresses of the product: which steps, in which order, and what they leave.

Each journey ends with the whole list of its steps and of its journal: a step too many fails like one that is missing.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from backoffice.comptes.models import User
from backoffice.pages.demo.offres import ANTENNE, DERMATOLOGIE, REPIT, Offre
from notifications.models import Envoi
from structures.domaine.enregistrer import ecarts
from structures.fhir.exposition import ecarts_d_exposition, exposer
from structures.models import Fiche, FicheReservee, Reservation, VersionFiche
from tests.formulaires import lire_formulaire
from workflows.models import Commentaire, Dossier, Evenement, Tache
from workflows.tasks import declencher_minuteries

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo")]

LUNDI = datetime(2027, 3, 1, 9, tzinfo=UTC)  # no public holiday in the four weeks after it


def client(qui: str) -> Client:
    navigateur = Client()
    navigateur.force_login(User.objects.get(username=qui))
    return navigateur


def eg(nom: str) -> Fiche:
    return Fiche.objects.get(pk=VersionFiche.objects.filter(nom=nom, niveau="EG").values_list("fiche")[0][0])


def poster(qui: str, adresse: str, suite: int = 302, **donnees: Any) -> Any:
    reponse = client(qui).post(adresse, donnees)
    assert reponse.status_code == suite, (adresse, reponse.status_code, reponse.content.decode()[:3000])
    return reponse


def dossier_pret(qui: str, nom_eg: str, offre: Offre) -> Dossier:
    """A dossier that adds one UO, every step by its form; all its fiches finalised."""
    etablissement = eg(nom_eg)
    reponse = poster(qui, "/dossiers/creer/", eg=etablissement.identifiant, nom=f"Ouverture à {nom_eg}")
    dossier = Dossier.objects.get(pk=reponse["Location"].strip("/").split("/")[-1])
    uf = etablissement.fiches.filter(niveau="UF").order_by("pk").first()
    ajout = poster(qui, f"/dossiers/{dossier.pk}/ajouter/", sous=(uf or etablissement).pk, quantite=1)
    remplir(qui, ajout["Location"], offre)
    assert etat(dossier) == "finalise"
    return dossier


def remplir(qui: str, adresse: str, offre: Offre, **autres: Any) -> None:
    """Fill the form of a fiche as it is shown and finalise it."""
    navigateur = client(qui)
    champs: dict[str, Any] = {
        "nom": offre.nom, "type_uo": offre.type_uo, "champ_activite": offre.champ,
        "mode_prise_en_charge": offre.mode, "activites": list(offre.activites), "publics": list(offre.publics),
        "familles_serafin": list(offre.serafin), "age_min": str(offre.ages[0]), "age_min_unite": "an",
        "age_max": str(offre.ages[1]), "age_max_unite": "an", "action": "finaliser",
    }  # fmt: skip
    saisie = lire_formulaire(navigateur.get(adresse).content.decode(), **(champs | autres))
    reponse = navigateur.post(adresse, saisie)
    assert reponse.status_code == 302, reponse.content.decode()[:6000]


def envoyer(qui: str, dossier: Dossier) -> None:
    adresse = f"/dossiers/{dossier.pk}/envoyer/"
    page = client(qui).get(adresse).content.decode()
    poster(qui, adresse, **lire_formulaire(page).dict())


def decider(qui: str, verbe: str, tache: Tache, suite: int = 302, **donnees: Any) -> None:
    poster(qui, f"/taches/{tache.pk}/{verbe}/", suite, **donnees)


def ouverte(dossier: Dossier, autorite: str = "") -> Tache:
    ouvertes = Tache.objects.filter(dossier=dossier, close_le__isnull=True)
    return ouvertes.get(autorite=autorite) if autorite else ouvertes.get()


def etat(dossier: Dossier) -> str:
    return str(Dossier.objects.values_list("etat", flat=True).get(pk=dossier.pk))


def etapes(dossier: Dossier) -> list[tuple[str, str]]:
    return list(Tache.objects.filter(dossier=dossier).order_by("pk").values_list("noeud", "issue"))


def journal(dossier: Dossier) -> list[str]:
    return list(Evenement.objects.filter(dossier=dossier).order_by("pk").values_list("type", flat=True))


def au_repertoire(nom: str) -> bool:
    return VersionFiche.objects.filter(nom=nom).exists()


def mails(dossier: Dossier, *types: str) -> list[tuple[str, str]]:
    """(type, recipient) of the mails of these types written for the dossier."""
    trouves = Envoi.objects.filter(sujet__contains=dossier.nom, type_code__in=types)
    return sorted(trouves.values_list("type_code", "destinataire__username"))


def reservations(dossier: Dossier) -> tuple[int, int]:
    """(the banner on the EG, the fiches that refuse direct changes)."""
    return (
        Reservation.objects.filter(eg=dossier.eg_id).count(),
        FicheReservee.objects.filter(fiche__eg=dossier.eg_id).count(),
    )


PREPARE = ["cree", "tache_creee", "fiche_ajoutee", "fiche_finalisee", "fiches_finalisees", "tache_creee"]


def test_renvoi_commente_puis_renvoye_et_publie():
    dossier = dossier_pret("referent.hopital", "Hôpital TEST", DERMATOLOGIE)
    fiche = dossier.fiches.get().fiche_id
    assert reservations(dossier) == (1, 0)
    envoyer("referent.hopital", dossier)
    assert (etat(dossier), reservations(dossier)) == ("validation", (1, 1))
    decider("direction.hopital", "renvoyer", ouverte(dossier), 422, motif_renvoi=" ")
    decider(
        "direction.hopital", "renvoyer", ouverte(dossier),
        motif_renvoi="Les âges sont à revoir.", **{f"commentaire-{fiche}": "À partir de 18 ans."},
    )  # fmt: skip
    assert (etat(dossier), reservations(dossier)) == ("redaction", (1, 0))
    commentaire = Commentaire.objects.get(dossier=dossier)
    assert (commentaire.fiche_id, commentaire.texte) == (fiche, "À partir de 18 ans.")
    assert dossier.fiches.get().etat == "en_attente"
    poster("referent.hopital", f"/dossiers/{dossier.pk}/envoyer/", 422)
    remplir("referent.hopital", f"/dossiers/{dossier.pk}/fiches/{fiche}/", DERMATOLOGIE, age_min="18")
    envoyer("referent.hopital", dossier)
    decider("referent.hopital", "valider", ouverte(dossier), 403)
    decider("direction.hopital", "valider", ouverte(dossier))
    decider("direction.hopital", "approuver", ouverte(dossier), 403)
    assert not au_repertoire(DERMATOLOGIE.nom) or not VersionFiche.objects.filter(fiche=fiche).exists()
    decider("gestionnaire", "prendre", ouverte(dossier))
    decider("gestionnaire", "approuver", ouverte(dossier))
    assert (etat(dossier), reservations(dossier)) == ("publie", (0, 0))
    assert VersionFiche.objects.get(fiche=fiche).age_min == 18
    assert etapes(dossier) == [
        ("redaction", "finalise"),
        ("envoi", "envoye"),
        ("validation_direction", "renvoye"),
        ("redaction", "finalise"),
        ("envoi", "envoye"),
        ("validation_direction", "valide"),
        ("approbation_sesan", "approuve"),
    ]
    assert journal(dossier) == [
        *PREPARE,
        *("envoye", "tache_creee"),
        *("commente", "renvoye", "tache_creee"),
        *("fiche_finalisee", "fiches_finalisees", "tache_creee"),
        *("envoye", "tache_creee"),
        *("valide", "tache_creee"),
        *("tache_prise", "approuve", "publie"),
    ]
    assert ecarts() == []
    exposer()
    assert ecarts_d_exposition() == []


def test_refus():
    dossier = dossier_pret("referent.ehpad", "EHPAD TEST", REPIT)
    fiche = dossier.fiches.get().fiche_id
    envoyer("referent.ehpad", dossier)
    decider("gestionnaire", "refuser", ouverte(dossier), 422, motif_refus="")
    decider("gestionnaire", "refuser", ouverte(dossier), motif_refus="L’autorisation manque.")
    assert (etat(dossier), reservations(dossier)) == ("refuse", (0, 0))
    assert Dossier.objects.get(pk=dossier.pk).motif == "L’autorisation manque."
    assert not VersionFiche.objects.filter(fiche=fiche).exists()
    assert etapes(dossier) == [("redaction", "finalise"), ("envoi", "envoye"), ("approbation_sesan", "refuse")]
    assert journal(dossier) == [*PREPARE, "envoye", "tache_creee", "refuse"]
    assert mails(dossier, "dossier_refuse") == [("dossier_refuse", "referent.ehpad")]
    poster("referent.ehpad", f"/dossiers/{dossier.pk}/envoyer/", 409)


def test_retrait_puis_renvoi():
    dossier = dossier_pret("referent.sessad", "SESSAD TEST", REPIT)
    envoyer("referent.sessad", dossier)
    poster("direction.sessad", f"/dossiers/{dossier.pk}/retirer/", 403)  # only the sender
    poster("referent.sessad", f"/dossiers/{dossier.pk}/retirer/")
    assert reservations(dossier) == (1, 0)
    assert etat(dossier) in ("redaction", "finalise")
    envoyer("referent.sessad", dossier)
    decider("tutelle.ars", "approuver", ouverte(dossier))
    poster("referent.sessad", f"/dossiers/{dossier.pk}/retirer/", 409)
    assert (etat(dossier), reservations(dossier)) == ("publie", (0, 0))
    assert etapes(dossier) == [
        ("redaction", "finalise"),
        ("envoi", "envoye"),
        ("approbation_tutelle", "retire"),
        ("redaction", "finalise"),
        ("envoi", "envoye"),
        ("approbation_tutelle", "approuve"),
    ]
    assert journal(dossier) == [
        *PREPARE,
        *("envoye", "tache_creee"),
        *("retire", "tache_creee", "fiches_finalisees", "tache_creee"),
        *("envoye", "tache_creee"),
        *("approuve", "publie"),
    ]
    assert ecarts() == []


def test_abandon():
    dossier = dossier_pret("referent.ehpad", "EHPAD TEST", REPIT)
    poster("gestionnaire", f"/dossiers/{dossier.pk}/abandonner/", 403)
    poster("direction.ehpad", f"/dossiers/{dossier.pk}/abandonner/")
    assert (etat(dossier), reservations(dossier)) == ("abandonne", (0, 0))
    assert etapes(dossier) == [("redaction", "finalise"), ("envoi", "abandonne")]
    assert journal(dossier) == [*PREPARE, "abandonne"]
    suivant = dossier_pret("referent.ehpad", "EHPAD TEST", REPIT)  # the establishment is free again
    assert suivant.pk != dossier.pk


def test_affectation_d_une_tutelle_puis_approbation():
    dossier = Dossier.objects.get(nom="Équipe mobile autisme")
    assert (etat(dossier), reservations(dossier)) == ("affectation", (1, 1))
    decider("tutelle.ars", "affecter", ouverte(dossier), 404, autorites=["ARS-11"])  # not theirs yet: not seen
    decider("gestionnaire", "affecter", ouverte(dossier), 422)
    decider("gestionnaire", "affecter", ouverte(dossier), autorites=["ARS-11"])
    assert etat(dossier) == "approbation"
    decider("gestionnaire", "approuver", ouverte(dossier), 403)
    decider("tutelle.cd", "approuver", ouverte(dossier), 404)
    decider("tutelle.ars2", "approuver", ouverte(dossier))
    assert (etat(dossier), reservations(dossier)) == ("publie", (0, 0))
    assert etapes(dossier) == [
        ("redaction", "finalise"),
        ("envoi", "envoye"),
        ("affectation_tutelle", "affecte"),
        ("approbation_tutelle", "approuve"),
    ]
    assert journal(dossier) == [
        *PREPARE,
        *("envoye", "tache_creee"),
        *("affecte", "tache_creee"),
        *("approuve", "publie"),
    ]
    assert ecarts() == []


def test_un_renvoi_conjoint_clot_la_tache_de_l_autre():
    dossier = dossier_pret("referent.camsp", "CAMSP TEST", ANTENNE)
    envoyer("referent.camsp", dossier)
    ars, cd = ouverte(dossier, "ARS-11"), ouverte(dossier, "CD-78")
    decider("tutelle.cd", "renvoyer", cd, motif_renvoi="Précisez le territoire.")
    decider("tutelle.ars", "approuver", ars, 409)
    assert (reservations(dossier), dossier.fiches.get().etat) == ((1, 0), "finalisee")
    envoyer("referent.camsp", dossier)
    decider("tutelle.ars", "approuver", ouverte(dossier, "ARS-11"))
    assert (etat(dossier), reservations(dossier)) == ("approbation", (1, 1))
    poster("referent.camsp", f"/dossiers/{dossier.pk}/retirer/", 409)  # one has approved
    decider("tutelle.cd", "approuver", ouverte(dossier))
    assert (etat(dossier), reservations(dossier)) == ("publie", (0, 0))
    tutelles = list(
        Tache.objects.filter(dossier=dossier, noeud="approbation_tutelle")
        .order_by("pk")
        .values_list("autorite", "issue")
    )
    assert sorted(tutelles[:2]) == [("ARS-11", "annule"), ("CD-78", "renvoye")]
    assert sorted(tutelles[2:]) == [("ARS-11", "approuve"), ("CD-78", "approuve")]
    assert [noeud for noeud, _ in etapes(dossier)] == [
        *("redaction", "envoi", "approbation_tutelle", "approbation_tutelle"),
        *("redaction", "envoi", "approbation_tutelle", "approbation_tutelle"),
    ]
    assert journal(dossier) == [
        *PREPARE,
        *("envoye", "tache_creee", "tache_creee"),
        *("renvoye", "tache_creee", "fiches_finalisees", "tache_creee"),
        *("envoye", "tache_creee", "tache_creee"),
        *("approuve", "approuve", "publie"),
    ]
    assert ecarts() == []


def test_rappels_et_escalades():
    """Three working days for the Direction, ten for SESAN: a reminder before, two escalations after, once each."""
    with time_machine.travel(LUNDI, tick=False) as horloge:
        dossier = dossier_pret("referent.hopital", "Hôpital TEST", DERMATOLOGIE)
        envoyer("referent.hopital", dossier)
        tache = ouverte(dossier)
        declencher_minuteries()
        assert "rappel" not in journal(dossier)
        horloge.move_to(tache.echeance.replace(hour=12))
        for _ in range(2):
            declencher_minuteries()
        for suite in (timedelta(minutes=1), timedelta(days=7)):
            horloge.move_to(tache.echeance + suite)
            for _ in range(2):
                declencher_minuteries()
        assert (etat(dossier), reservations(dossier)) == ("validation", (1, 1))
        assert mails(dossier, "tache_rappel", "tache_retard", "tache_recours") == [
            ("tache_rappel", "direction.hopital"),
            ("tache_recours", "gestionnaire"),
            ("tache_recours", "gestionnaire2"),
            ("tache_retard", "direction.hopital"),
        ]
        decider("direction.hopital", "valider", ouverte(dossier))
        decider("gestionnaire2", "approuver", ouverte(dossier))
        horloge.move_to(datetime(2027, 4, 30, 9, tzinfo=UTC))
        declencher_minuteries()  # those of the tasks that are done say nothing
    assert (etat(dossier), reservations(dossier)) == ("publie", (0, 0))
    assert etapes(dossier) == [
        ("redaction", "finalise"),
        ("envoi", "envoye"),
        ("validation_direction", "valide"),
        ("approbation_sesan", "approuve"),
    ]
    assert journal(dossier) == [
        *PREPARE,
        *("envoye", "tache_creee"),
        *("rappel", "escalade", "recours"),
        *("valide", "tache_creee"),
        *("approuve", "publie"),
    ]
    assert ecarts() == []
