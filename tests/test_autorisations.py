"""Every URL of the resolver × every role × own and other establishment × GET and POST.

Nobody sees or does what their habilitation does not give: for each address and object the table names who may see it
and who may act on it. Everybody else must get a redirection to the login (anonymous), a 404 (someone else's thing) or a
403 (visible, wrong role). An address without an entry fails the test.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from django.core.signals import request_finished
from django.db import close_old_connections, transaction
from django.http import QueryDict
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.converters import UUIDConverter
from django.utils import timezone

import structures.fhir.urls
from backoffice.comptes.models import User
from backoffice.exports import registre
from backoffice.exports.domaine import demander, preparer
from backoffice.socle import menu
from backoffice.socle.erreurs import Interdit, Introuvable
from notifications.models import Envoi
from structures.importations.depot import deposer
from structures.livraisons import abonnements
from structures.models import Consommateur, Fiche, Modification, RechercheEnregistree, Signalement, VersionFiche
from tests.factories.consommateurs import consommateur
from workflows.domaine import suppleances
from workflows.domaine.commentaires import commenter
from workflows.domaine.lots import lancer
from workflows.enums import ActionLot
from workflows.models import Decision, Dossier, Tache, VueTaches

EHPAD = {"referent.ehpad", "direction.ehpad"}
HOPITAL = {"referent.hopital", "direction.hopital"}
SESSAD = {"referent.sessad", "direction.sessad"}
SESAN = {"gestionnaire", "gestionnaire2"}
PERSONNES = (*sorted(EHPAD | HOPITAL | SESSAD | SESAN), "tutelle.ars", "tutelle.cd", "sans.habilitation")
TOUS = set(PERSONNES)
# Of the same role as another person: asked only where the table does not expect the same of both.
JUMEAUX = {"gestionnaire2": "gestionnaire", "direction.sessad": "referent.sessad"}
PERSONNE: set[str] = set()

FAIT = {200, 302, 400, 409, 422}  # let in: shown, done, or refused in words


@dataclass
class Adresse:
    """``voient``: GET lets them in. ``agissent``: POST lets them in. ``caches``: the others get a 404, else a 403.

    ``donnees`` is sent with both methods.
    """

    kwargs: dict[str, object] = field(default_factory=dict)
    voient: set[str] | None = None  # None: no GET
    agissent: set[str] | None = None  # None: no POST
    caches: set[str] = field(default_factory=set)
    anonyme: bool = False
    donnees: dict[str, object] = field(default_factory=dict)

    def distingue(self, nom: str) -> bool:
        jumeau = JUMEAUX.get(nom, "")
        ensembles = (self.voient or PERSONNE, self.agissent or PERSONNE, self.caches)
        return not jumeau or any((nom in e) != (jumeau in e) for e in ensembles)


def uo_de(eg: str) -> Fiche:
    return VersionFiche.objects.filter(eg=eg_nomme(eg), niveau="UO").order_by("fiche_id").first().fiche


def personne(identifiant: str) -> User:
    return User.objects.get(username=identifiant)


def eg_nomme(nom: str) -> Fiche:
    return VersionFiche.objects.get(nom=nom, niveau="EG").fiche


def table() -> dict[str, list[Adresse]]:
    """Built from the demo data: names of addresses, objects, and who may."""
    eg, uo = eg_nomme("EHPAD TEST"), uo_de("EHPAD TEST")
    parc = Dossier.objects.get(nom="Unité d’accueil temporaire")  # brouillon
    ime = Dossier.objects.get(nom="Plateforme de répit")  # at the ARS
    clinique = Dossier.objects.get(nom="Consultation de dermatologie à la clinique")  # at the Direction
    experimental = Dossier.objects.get(nom="Équipe mobile autisme")  # waits for a gestionnaire
    publie = Dossier.objects.get(nom="Ouverture de l’hôpital de jour de gériatrie")
    geste = parc.gestes.select_related("auteur").latest("pk")
    proposition = parc.propositions.create(auteur=parc.auteur, fichier="essai.csv", lignes=[]).pk
    courriel = Envoi.objects.filter(destinataire__username="referent.ehpad").order_by("pk").first()
    echoue = Envoi.objects.filter(destinataire__username="tutelle.ars").order_by("pk").first()
    Envoi.objects.filter(pk=echoue.pk).update(etat="echec", erreur="550 Boîte inconnue", prochaine_tentative=None)
    compte = User.objects.get(username="referent.camsp")
    habilitation = compte.habilitations.get()
    recherche = RechercheEnregistree.objects.get(user__username="referent.ehpad")
    gestionnaire = User.objects.get(username="gestionnaire")
    vue = VueTaches.objects.create(user=gestionnaire, nom="Urgentes", requete="onglet=en-retard", partagee=True)
    prevu = Modification.objects.get(date_effet__gt=timezone.localdate())
    direct = Modification.objects.filter(source="direct", date_effet__lte=timezone.localdate()).latest("pk")
    auteur = {"referent.hopital"} | SESAN
    signale = {"numero": Signalement.objects.get(auteur__username="tutelle.ars").pk}  # on the EHPAD
    voient_signale = EHPAD | SESAN | {"tutelle.ars"}
    voient_parc, voient_ime = EHPAD | SESAN, SESSAD | SESAN | {"tutelle.ars"}
    voient_clinique, voient_exp = HOPITAL | SESAN, {"referent.sessad"} | SESAN
    decidee, voient_decidee = Decision.objects.filter(dossier__etat="publie").earliest("pk"), HOPITAL | SESAN

    def tache(dossier: Dossier) -> dict[str, object]:
        return {"numero": Tache.objects.get(dossier=dossier, close_le__isnull=True).pk}

    def sur(dossier: Dossier, visible: set[str], voient: set[str] | None, agissent: set[str] | None, **plus: object):
        donnees = plus.pop("donnees", {})
        return Adresse({"numero": dossier.pk, **plus}, voient, agissent, caches=TOUS - visible, donnees=donnees)

    def lecture(dossier: Dossier, voient: set[str]) -> Adresse:
        return sur(dossier, voient, voient, None)

    def decision(agissent: dict[str, set[str]]) -> list[Adresse]:
        parmi = {"parc": (parc, voient_parc), "ime": (ime, voient_ime), "clinique": (clinique, voient_clinique),
                 "exp": (experimental, voient_exp)}  # fmt: skip
        return [
            # GET leads to the page of the task, for whoever may see it.
            Adresse(tache(d), voient, agissent.get(nom, PERSONNE), caches=TOUS - voient)
            for nom, (d, voient) in parmi.items()
        ]

    def question(agissent: dict[str, set[str]]) -> list[Adresse]:
        """Asks something first: for those only who may do it."""
        parmi = {"parc": voient_parc, "ime": voient_ime, "clinique": voient_clinique, "exp": voient_exp}
        dossiers = {"parc": parc, "ime": ime, "clinique": clinique, "exp": experimental}
        return [
            Adresse(tache(dossiers[nom]), agissent[nom], agissent[nom], caches=TOUS - voient)
            for nom, voient in parmi.items()
        ]

    direction, ars, sesan = {"direction.hopital"}, {"tutelle.ars"}, SESAN
    faisables = {"parc": EHPAD, "ime": ars, "clinique": direction, "exp": sesan}
    choisies = [(Tache.objects.get(dossier=experimental, close_le__isnull=True).pk, "")]
    gestionnaire = User.objects.get(username="gestionnaire")
    lot = lancer(acteur=gestionnaire, action=ActionLot.PRENDRE, jeton=uuid4(), choisies=choisies)
    sien = Adresse({"numero": lot.pk}, {"gestionnaire"}, None, caches=TOUS - {"gestionnaire"})
    demande = demander(acteur=gestionnaire, nom="comptes", requete="", forme="csv")
    preparer(demande.pk)
    prepare = {"numero": demande.pk}
    fiche_parc = parc.fiches.get().fiche_id
    fil_parc = commenter(numero=parc.pk, acteur=parc.auteur, fiche=fiche_parc, texte="Pourquoi ?").pk
    depose = deposer(genre="finess", nom="finess.csv", morceaux=[b"finess;etalab"], acteur=gestionnaire)
    importation = {"numero": depose.pk}
    absence = suppleances.ecrire(
        absente=personne("tutelle.ars"), suppleante=personne("tutelle.ars2"), acteur=personne("tutelle.ars"),
        du=timezone.localdate(), au=timezone.localdate(),
    ).pk  # fmt: skip
    outil, _ = consommateur()
    abonnement = abonnements.abonner(
        consommateur=outil.pk, acteur=gestionnaire, adresse="https://outil.example/ror", types=["Location"],
        departements=["75"],
    )  # fmt: skip
    essai = abonnements.essayer(numero=abonnement.pk, acteur=gestionnaire)
    sien_abonnement = {"pk": outil.pk, "numero": abonnement.pk}
    sa_livraison = {**sien_abonnement, "livraison": essai.pk}
    return {
        # -- open to everybody
        "connexion": [Adresse({}, TOUS, TOUS, anonyme=True)],
        "sante-vive": [Adresse({}, TOUS, TOUS, anonyme=True)],
        "sante-prete": [Adresse({}, TOUS, TOUS, anonyme=True)],
        "deconnexion": [Adresse({}, None, TOUS, anonyme=True)],
        "mot_de_passe": [Adresse({}, TOUS, TOUS)],
        # -- consumers have tokens of their own (tests/structures/test_consommateurs.py)
        "fhir_jeton": [Adresse({}, None, TOUS, anonyme=True)],
        "fhir_smart": [Adresse({}, TOUS, None, anonyme=True)],
        "fhir_metadata": [Adresse({}, TOUS, None, anonyme=True)],
        # -- open to whoever is signed in
        "accueil": [Adresse({}, TOUS, None)],
        "compte_taches_rendues": [Adresse({"pk": compte.pk}, SESAN, None)],
        "absences": [Adresse({}, TOUS, TOUS)],
        "absences_de": [Adresse({"compte": compte.pk}, SESAN, SESAN)],
        "absence_terminer": [Adresse({"numero": absence}, ars | SESAN, ars | SESAN, caches=TOUS - ars - SESAN)],
        "ou_modifier": [Adresse({}, TOUS, None)],
        "accessibilite": [Adresse({}, TOUS, None, anonyme=True)],
        "aide-composants": [Adresse({}, TOUS, TOUS, anonyme=True)],
        "repertoire": [Adresse({}, TOUS, None)],
        "criteres": [Adresse({}, TOUS, None)],
        "favori": [Adresse({"identifiant": eg.identifiant}, None, TOUS)],
        "recherches": [Adresse({}, TOUS, TOUS)],
        **{
            g: [Adresse({"pk": recherche.pk}, {"referent.ehpad"}, {"referent.ehpad"}, caches=TOUS - {"referent.ehpad"})]
            for g in ("recherche", "recherche_supprimer")
        },
        "communes": [Adresse({}, TOUS, None)],
        "carte": [Adresse({}, TOUS, None)],
        "fiche": [Adresse({"identifiant": f.identifiant}, TOUS, None) for f in (eg, uo)],
        "fiche_structures": [Adresse({"identifiant": eg.identifiant}, TOUS, None)],
        "fiche_historique": [Adresse({"identifiant": uo.identifiant}, TOUS, None)],
        "fiche_modifier": [
            Adresse({"identifiant": f.identifiant}, EHPAD | SESAN, EHPAD | SESAN) for f in (eg, uo)
        ],
        "fiche_tutelles": [Adresse({"identifiant": parc.eg.identifiant}, SESAN, SESAN)],
        "changement_annuler": [
            Adresse({"identifiant": prevu.fiche.identifiant, "pk": prevu.pk}, auteur, auteur)
        ],
        "changement_modifier": [
            Adresse({"identifiant": prevu.fiche.identifiant, "pk": prevu.pk}, auteur, auteur)
        ],
        "changement_defaire": [
            Adresse({"identifiant": direct.fiche.identifiant, "pk": direct.pk}, HOPITAL | SESAN, HOPITAL | SESAN)
        ],
        **{nom: [Adresse({"identifiant": eg.identifiant}, TOUS, None)] for nom in ("fiche_imprimer", "fiche_pdf")},
        "etablissement_tableur": [Adresse({"identifiant": eg.identifiant}, EHPAD, EHPAD)],
        "etablissement_gabarit": [Adresse({"identifiant": eg.identifiant}, EHPAD, None, donnees={"format": "csv"})],
        "fiche_comparer": [Adresse({"identifiant": f.identifiant}, TOUS, None) for f in (eg, uo)],
        "fiche_signaler": [Adresse({"identifiant": f.identifiant}, TOUS, TOUS) for f in (eg, uo)],
        "fiche_confirmer": [Adresse({"identifiant": f.identifiant}, EHPAD, EHPAD) for f in (eg, uo)],
        # -- reported errors
        "signalements": [Adresse({}, TOUS, None)],
        "signalement": [Adresse(signale, voient_signale, None, caches=TOUS - voient_signale)],
        "signalement_clore": [Adresse(signale, None, EHPAD | SESAN, caches=TOUS - voient_signale)],
        "signalement_retirer": [Adresse(signale, {"tutelle.ars"}, {"tutelle.ars"}, caches=TOUS - voient_signale)],
        # -- imports: SESAN only
        "importations": [Adresse({}, SESAN, None)],
        "importation_deposer": [Adresse({"genre": "finess"}, SESAN, SESAN)],
        "importation": [Adresse(importation, SESAN, None)],
        "importation_confirmer": [Adresse(importation, None, SESAN)],
        "importation_relancer": [Adresse(importation, None, SESAN)],
        "importation_annuler": [Adresse(importation, SESAN, SESAN)],
        "importation_fichier": [Adresse(importation, SESAN, None)],
        # -- dossiers
        "dossiers": [Adresse({}, TOUS, None)],
        "dossier_circuit": [Adresse({}, TOUS, None)],
        "circuits": [Adresse({}, SESAN, None)],
        "dossier_creer": [Adresse({}, EHPAD | HOPITAL | SESSAD, EHPAD | HOPITAL | SESSAD)],
        "dossier": [lecture(parc, voient_parc), lecture(ime, voient_ime), lecture(clinique, voient_clinique)],
        "dossier_changements": [lecture(parc, voient_parc), lecture(ime, voient_ime)],
        "dossier_arbre_obtenu": [lecture(parc, voient_parc), lecture(ime, voient_ime)],
        "dossier_imprimer": [lecture(parc, voient_parc), lecture(ime, voient_ime)],
        "dossier_exporter": [sur(ime, voient_ime, voient_ime, None, forme="xlsx")],
        "dossier_decisions": [lecture(parc, voient_parc), lecture(ime, voient_ime)],
        "dossier_decision": [sur(decidee.dossier, voient_decidee, voient_decidee, None, decision=decidee.pk)],
        "dossier_decision_exporter": [
            sur(decidee.dossier, voient_decidee, voient_decidee, None, decision=decidee.pk, forme="xlsx")
        ],
        "dossier_controles": [lecture(parc, voient_parc), lecture(ime, voient_ime)],
        "dossier_journal": [lecture(parc, voient_parc), lecture(ime, voient_ime)],
        "dossier_journal_exporter": [lecture(parc, voient_parc), lecture(ime, voient_ime)],
        "dossier_apercu": [sur(d, v, v, v) for d, v in ((parc, voient_parc), (ime, voient_ime))],
        "dossier_annuler_publication": [sur(publie, HOPITAL | SESAN, HOPITAL, HOPITAL)],
        "dossier_fichier": [sur(parc, voient_parc, EHPAD, EHPAD)],
        "dossier_gabarit": [sur(parc, voient_parc, EHPAD, None, donnees={"format": "csv"})],
        "dossier_proposition": [sur(parc, voient_parc, EHPAD, {"referent.ehpad"}, proposition=proposition)],
        "dossier_envoyer": [sur(parc, voient_parc, EHPAD, EHPAD)],
        "dossier_retirer": [sur(ime, voient_ime, SESSAD, {"referent.sessad"})],
        "dossier_abandonner": [sur(parc, voient_parc, EHPAD, EHPAD)],
        "dossier_fiche": [sur(parc, voient_parc, voient_parc, EHPAD, fiche=fiche_parc)],
        "dossier_menu": [sur(parc, voient_parc, voient_parc, None, fiche=fiche_parc)],
        **{
            f"dossier_{g}": [sur(parc, voient_parc, EHPAD, EHPAD, donnees={"fiche": fiche_parc, "sous": parc.eg_id})]
            for g in ("ajouter", "dupliquer", "annuler", "deplacer", "supprimer", "finaliser", "collision")
        },
        "dossier_defaire": [sur(parc, voient_parc, EHPAD, {geste.auteur.username}, donnees={"geste": geste.pk})],
        # Whoever sees an open dossier talks about it.
        "dossier_commentaires": [lecture(parc, voient_parc), lecture(ime, voient_ime)],
        "dossier_fiche_commentaires": [sur(parc, voient_parc, voient_parc, voient_parc, fiche=fiche_parc)],
        "dossier_fil": [sur(parc, voient_parc, voient_parc, voient_parc, fil=fil_parc)],
        "dossier_fil_resoudre": [sur(parc, voient_parc, None, voient_parc, fil=fil_parc)],
        "dossier_fil_rouvrir": [sur(parc, voient_parc, None, voient_parc, fil=fil_parc)],
        "dossier_presence": [sur(parc, voient_parc, None, voient_parc), sur(ime, voient_ime, None, voient_ime)],
        # -- tasks
        "taches": [Adresse({}, TOUS, None)],
        "vues_taches": [Adresse({}, TOUS, TOUS)],
        **{
            g: [Adresse({"pk": vue.pk}, {"gestionnaire"}, {"gestionnaire"}, caches=TOUS - {"gestionnaire"})]
            for g in ("vue_taches", "vue_taches_supprimer")
        },
        "vue_taches_ouvrir": [Adresse({"pk": vue.pk}, None, SESAN, caches=TOUS - SESAN)],  # shared
        "colonnes_taches": [Adresse({}, TOUS, TOUS)],
        "tache": [
            Adresse(tache(d), voient, None, caches=TOUS - voient)
            for d, voient in (
                (parc, voient_parc), (ime, voient_ime), (clinique, voient_clinique), (experimental, voient_exp)
            )
        ],
        "tache_prendre": decision({"parc": EHPAD, "ime": ars, "clinique": direction, "exp": sesan}),
        # Not hers: whoever may do the task is told that there is nothing to give back (409).
        "tache_rendre": decision({"parc": EHPAD, "ime": ars, "clinique": direction, "exp": sesan}),
        "tache_valider": decision({"clinique": direction}),
        "tache_approuver": decision({"ime": ars}),
        "tache_approuver_sauf": decision({"ime": ars}),
        "tache_renvoyer": decision({"ime": ars, "clinique": direction}),
        "tache_refuser": decision({"ime": ars}),
        "tache_affecter": decision({"exp": sesan}),
        "tache_reprendre": question(faisables),
        "tache_attribuer": question({nom: gens | SESAN for nom, gens in faisables.items()}),
        "tache_mettre_de_cote": question(faisables),
        "tache_ressortir": decision(faisables),
        "dossier_suivre": [sur(parc, voient_parc, None, voient_parc), sur(ime, voient_ime, None, voient_ime)],
        # -- many tasks at once: one's own
        "traitements": [Adresse({}, TOUS, TOUS)],
        "traitement_apercu": [Adresse({}, TOUS, TOUS)],
        "traitement": [sien],
        # -- exports: each list for those who see it
        "exporter": [
            Adresse({"nom": nom, "forme": "csv"}, voient, None, caches=TOUS - voient if choix else set(), donnees=choix)
            for nom, voient, choix in (("comptes", SESAN, {}), ("journal", voient_parc, {"dossier": parc.pk}))
        ],
        "export_preparer": [Adresse({"nom": "comptes"}, SESAN, SESAN, donnees={"forme": "xlsx"})],
        "mes_exports": [Adresse({}, TOUS, None)],
        "export_fichier": [Adresse(prepare, {"gestionnaire"}, None, caches=TOUS - {"gestionnaire"})],
        "export_annuler": [Adresse(prepare, None, {"gestionnaire"}, caches=TOUS - {"gestionnaire"})],
        # -- mails
        "envois": [Adresse({}, TOUS, None)],
        "envoi": [Adresse({"pk": courriel.pk}, {"referent.ehpad"} | SESAN, None, caches=TOUS)],
        "envoi_html": [Adresse({"pk": courriel.pk}, {"referent.ehpad"} | SESAN, None, caches=TOUS)],
        "envoi_reexpedier": [Adresse({"pk": courriel.pk}, None, SESAN, caches=TOUS - {"referent.ehpad"})],
        # -- SESAN only
        "associations": [Adresse({}, SESAN, None), Adresse({"nature": "familles"}, SESAN, None)],
        "association": [Adresse({"nature": "types", "cle": "J238/08"}, SESAN, SESAN)],
        "nomenclatures": [Adresse({}, SESAN, None)],
        "nomenclature": [Adresse({"code": "R211"}, SESAN, None)],
        "nomenclature_fiches": [Adresse({"code": "R211"}, SESAN, None)],
        "supervision": [Adresse({}, SESAN, None)],
        **{
            f"supervision_{page}": [Adresse({}, SESAN, None)]
            for page in ("anciennete", "activite", "incidents", "taches", "actes")
        },
        "supervision_reessayer": [Adresse({"genre": "courriel", "numero": echoue.pk}, SESAN, SESAN)],
        "consommateurs": [Adresse({}, SESAN, None)],
        "consommateur_creer": [Adresse({}, SESAN, SESAN)],
        "consommateur": [Adresse({"pk": outil.pk}, SESAN, None)],
        **{
            f"consommateur_{g}": [Adresse({"pk": outil.pk}, SESAN, SESAN)] for g in ("modifier", "secret", "suspendre")
        },
        "consommateur_reactiver": [Adresse({"pk": outil.pk}, None, SESAN)],
        "comptes": [Adresse({}, SESAN, None)],
        "comptes_modele": [Adresse({}, SESAN, None)],
        "compte_creer": [Adresse({}, SESAN, SESAN)],
        "compte": [Adresse({"pk": compte.pk}, SESAN, None)],
        **{
            f"compte_{g}": [Adresse({"pk": compte.pk}, SESAN, SESAN)]
            for g in ("donner_droit", "desactiver", "reactiver", "mot_de_passe")
        },
        "compte_terminer_droit": [Adresse({"pk": compte.pk, "habilitation": habilitation.pk}, SESAN, SESAN)],
        # -- webhooks
        "abonnements": [Adresse({"pk": outil.pk}, SESAN, None)],
        "abonnement_creer": [Adresse({"pk": outil.pk}, SESAN, SESAN)],
        "abonnement": [Adresse(sien_abonnement, SESAN, None)],
        **{f"abonnement_{g}": [Adresse(sien_abonnement, None, SESAN)] for g in ("secret", "reprendre", "essayer")},
        **{
            f"abonnement_{g}": [Adresse(sien_abonnement, SESAN, SESAN)]
            for g in ("modifier", "renouveler", "suspendre", "rejouer")
        },
        "livraison": [Adresse(sa_livraison, SESAN, None)],
        "livraison_rejouer": [Adresse(sa_livraison, None, SESAN)],
    }  # fmt: skip


def noms_du_resolveur(resolveur: URLResolver | None = None) -> Iterator[str]:
    """Names of our addresses; Django's admin asks for its own rights and has its own test below."""
    for motif in (resolveur or get_resolver()).url_patterns:
        if isinstance(motif, URLResolver):
            if motif.namespace != "admin":
                yield from noms_du_resolveur(motif)
        elif isinstance(motif, URLPattern):
            yield motif.name or f"<sans nom> {motif.pattern}"


@pytest.fixture
def monde(demo: None) -> dict[str, list[Adresse]]:
    User.objects.create(username="sans.habilitation", email="sans@essai.example")
    return table()


def test_chaque_adresse_est_dans_la_table(monde: dict[str, list[Adresse]]) -> None:
    assert set(noms_du_resolveur()) == set(monde) | {nom for nom, _ in adresses_des_consommateurs()}


def adresses_des_consommateurs() -> Iterator[tuple[str, str]]:
    """(name, address) of what /fhir/ keeps for consumers, who have tokens instead of accounts."""
    for motif in structures.fhir.urls.urlpatterns:
        if motif.name not in ("fhir_jeton", "fhir_smart", "fhir_metadata"):
            convertis, nommes = motif.pattern.converters, motif.pattern.regex.groupindex
            valeurs = {nom: uuid4() if isinstance(convertis.get(nom), UUIDConverter) else "1" for nom in nommes}
            valeurs |= {"type_": "Organization"} if "type_" in nommes else {}
            yield motif.name, reverse(motif.name, kwargs=valeurs)


@pytest.mark.parametrize("methode", ["get", "post", "put", "delete"])
def test_une_session_ne_donne_rien_des_consommateurs(monde: dict[str, list[Adresse]], methode: str) -> None:
    """Nor does a token that nobody was given."""
    client = Client()
    client.force_login(personne("gestionnaire"))
    for _, adresse in adresses_des_consommateurs():
        for entetes in ({}, {"Authorization": "Bearer inconnu"}, {"Authorization": "Basic eDp5"}):
            reponse = getattr(client, methode)(adresse, headers=entetes)
            assert (reponse.status_code, reponse.json()["resourceType"]) == (401, "OperationOutcome"), adresse


def _code(client: Client, methode: str, url: str, donnees: dict[str, object], refus: bool) -> int:
    """Status of one request by a person who signed in, whatever it did undone, to her cookies too.

    A refusal is asked as htmx asks: it draws its sentence without the page around it.
    """
    session = deepcopy(client.cookies)
    with transaction.atomic():
        reponse = getattr(client, methode)(url, donnees, headers={"HX-Request": "true"} if refus else {})
        statut: int = reponse.status_code
        request_finished.disconnect(close_old_connections)  # of this transaction
        reponse.close()  # a file that nobody read
        request_finished.connect(close_old_connections)
        transaction.set_rollback(True)
    client.cookies = session
    return statut


@pytest.mark.parametrize("nom", PERSONNES)
def test_qui_voit_et_qui_agit(monde: dict[str, list[Adresse]], nom: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(menu, "entrees_pour", lambda request: [])  # its counters cost more than most pages
    ecarts, client = [], Client()
    client.force_login(User.objects.get(username=nom))
    for adresse, cas in monde.items():
        for un in cas:
            if not un.distingue(nom):
                continue
            url = reverse(adresse, kwargs=un.kwargs)
            for methode, permis in (("get", un.voient), ("post", un.agissent)):
                refus = 404 if nom in un.caches else 403
                # A method that does not exist there is said before or after the right is asked.
                attendu = {405, refus} if permis is None else FAIT if nom in permis else {refus}
                statut = _code(client, methode, url, un.donnees, refus=attendu is not FAIT)
                if statut not in attendu:
                    ecarts.append(f"{nom} {methode.upper()} {url} ({adresse}): {statut}, expected {sorted(attendu)}")
    assert not ecarts, "\n".join(ecarts)


def test_chaque_export_pour_qui_voit_sa_liste(demo: None) -> None:
    """The rights that the registered functions ask for, which the addresses and the workers both call."""
    User.objects.create(username="sans.habilitation", email="sans@essai.example")
    parc, uo = Dossier.objects.get(nom="Unité d’accueil temporaire"), uo_de("EHPAD TEST").identifiant
    gestionnaire, compte = personne("gestionnaire"), personne("referent.camsp").pk
    choisies = [(Tache.objects.filter(dossier__nom="Équipe mobile autisme").get(close_le__isnull=True).pk, "")]
    lot = lancer(acteur=gestionnaire, action=ActionLot.PRENDRE, jeton=uuid4(), choisies=choisies).pk
    depose = deposer(genre="finess", nom="finess.csv", morceaux=[b"finess;etalab"], acteur=gestionnaire)
    outil = Consommateur.objects.earliest("pk").pk
    abonnement = abonnements.abonner(
        consommateur=outil,
        acteur=gestionnaire,
        adresse="https://outil.example/ror",
        types=["Location"],
        departements=[],
    )
    abonnements.essayer(numero=abonnement.pk, acteur=gestionnaire)
    a_tous = "etablissements unites recherches signalements taches traitements dossiers envois absences".split()
    du_dossier = ("journal", "decisions", "controles", "commentaires")
    reserves = ["comptes", "droits", "circuits", "a-relire", "imports", "consommateurs"]
    tables = "etapes ages anciennete semaines autorites personnes incidents taches actes".split()
    attendus = [
        *((nom, "", TOUS, None) for nom in (*a_tous, "vues-taches")),
        *((nom, f"fiche={uo}", TOUS, None) for nom in ("historique", "comparaison")),
        *((nom, f"dossier={parc.pk}", EHPAD | SESAN, Introuvable) for nom in du_dossier),
        *((nom, "", SESAN, Interdit) for nom in (*reserves, *(f"supervision-{t}" for t in tables))),
        ("absences", f"compte={compte}", SESAN, Interdit),
        *((nom, "", SESAN, Interdit) for nom in ("nomenclatures", "associations")),
        *((nom, "liste=R211", SESAN, Interdit) for nom in ("codes", "codes-tenus")),
        ("traitement", f"lot={lot}", {"gestionnaire"}, Introuvable),
        ("import", f"import={depose.pk}", SESAN, Interdit),
        *((nom, f"consommateur={outil}", SESAN, Interdit) for nom in ("usage", "refus", "journal-acces")),
        ("livraisons", f"abonnement={abonnement.pk}", SESAN, Interdit),
    ]
    assert {nom for nom, *_ in attendus} == {export.nom for export in registre.tous()}
    for nom, choix, voient, refus in attendus:
        for qui in PERSONNES:
            if qui == "gestionnaire":  # sees them all: every row is read
                titres, *lignes = registre.trouver(nom).ouvrir(gestionnaire, QueryDict(choix)).lignes
                assert {len(ligne) for ligne in lignes} <= {len(titres)}, nom
            elif qui in voient:
                assert registre.trouver(nom).ouvrir(personne(qui), QueryDict(choix)).lignes is not None
            else:
                with pytest.raises(refus):
                    registre.trouver(nom).ouvrir(personne(qui), QueryDict(choix))


def test_sans_se_connecter(monde: dict[str, list[Adresse]]) -> None:
    ecarts = []
    for adresse, cas in monde.items():
        for un in cas:
            url = reverse(adresse, kwargs=un.kwargs)
            for methode in ("get", "post"):
                reponse = getattr(Client(), methode)(url)
                au_login = reponse.status_code == 302 and reponse["Location"].startswith("/connexion/")
                # A POST without a session shows « session terminée » and what was typed, as a 403.
                finie = methode == "post" and reponse.status_code == 403 and "session est terminée" in reponse.text
                if not (un.anonyme or au_login or finie):
                    ecarts.append(f"anonymous {methode.upper()} {url} ({adresse}): {reponse.status_code}")
    assert not ecarts, "\n".join(ecarts)
