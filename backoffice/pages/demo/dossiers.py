"""The dossiers of the demo."""

from backoffice.comptes.models import User
from structures.enums import Niveau
from structures.models import Fiche
from workflows.domaine import contenu, decisions, gestes, instantane
from workflows.domaine.creer import creer
from workflows.models import Dossier, FicheTravail, Tache

from .offres import ACCUEIL_DE_NUIT, ANTENNE, DERMATOLOGIE, HOPITAL_DE_JOUR, REPIT, Offre


def mener_dossiers(structures: dict[str, Fiche], comptes: dict[str, User]) -> None:
    """A dossier in every state. The four main establishments keep no open one: they are free for the visitor."""
    hopital, direction = comptes["referent.hopital"], comptes["direction.hopital"]
    gestionnaire, ehpad, sessad = comptes["gestionnaire"], comptes["referent.ehpad"], comptes["referent.sessad"]

    publie = _avec_une_uo(
        structures["hopital"], "Ouverture de l’hôpital de jour de gériatrie", hopital, HOPITAL_DE_JOUR
    )
    _envoyer(publie, hopital)
    decisions.valider(tache=_tache(publie), acteur=direction)
    decisions.approuver(tache=_tache(publie), acteur=gestionnaire)

    refuse = _avec_une_uo(structures["ehpad"], "Accueil de nuit", ehpad, ACCUEIL_DE_NUIT)
    _envoyer(refuse, ehpad)
    decisions.refuser(
        tache=_tache(refuse), acteur=gestionnaire,
        motif="L’accueil de nuit n’est pas encore autorisé : renvoyez un dossier quand l’arrêté sera signé.",
    )  # fmt: skip

    abandonne = _avec_une_uo(structures["sessad"], "Essai", sessad, REPIT, finaliser=False)
    decisions.abandonner(numero=abandonne.pk, acteur=sessad)

    redaction = _avec_une_uo(
        structures["ehpad_parc"], "Unité d’accueil temporaire", ehpad, ACCUEIL_DE_NUIT, finaliser=False
    )
    assert redaction.est_ouvert

    finalise = _avec_une_uo(structures["site_nord"], "Consultation de dermatologie", hopital, DERMATOLOGIE)
    assert finalise.est_ouvert

    validation = _avec_une_uo(
        structures["clinique"], "Consultation de dermatologie à la clinique", hopital, DERMATOLOGIE
    )
    _envoyer(validation, hopital)

    approbation = _avec_une_uo(structures["ime"], "Plateforme de répit", sessad, REPIT)
    _envoyer(approbation, sessad)

    affectation = _avec_une_uo(structures["experimental"], "Équipe mobile autisme", sessad, REPIT)
    _envoyer(affectation, sessad)

    camsp = comptes["referent.camsp"]
    renvoye = _avec_une_uo(structures["camsp"], "Antenne de Chatou", camsp, ANTENNE)
    _envoyer(renvoye, camsp)
    travail = renvoye.fiches.get()
    decisions.renvoyer(
        tache=_tache(renvoye, "CD-78"), acteur=comptes["tutelle.cd"], motif="Précisez le territoire de l’antenne.",
        commentaires={travail.fiche_id: "Quelles communes l’antenne dessert-elle ?"},
    )  # fmt: skip
    decisions.abandonner(numero=renvoye.pk, acteur=camsp)


def _avec_une_uo(eg: Fiche, nom: str, acteur: User, offre: Offre, *, finaliser: bool = True) -> Dossier:
    """A dossier that adds one UO, under the first UF where there are some, else under the EG."""
    dossier = creer(eg=eg, nom=nom, acteur=acteur)
    uf = eg.fiches.filter(niveau=Niveau.UF).order_by("pk").first()
    (travail,) = gestes.ajouter(numero=dossier.pk, acteur=acteur, parent=(uf or eg).pk)
    remplir(dossier, acteur, travail, offre, finaliser=finaliser)
    dossier.refresh_from_db()
    return dossier


def remplir(dossier: Dossier, acteur: User, travail: FicheTravail, offre: Offre, *, finaliser: bool) -> None:
    saisie = {
        nom: frozenset(v["ajoute"])
        if isinstance(v, dict) and "ajoute" in v
        else v["pose"]
        if isinstance(v, dict)
        else v
        for nom, v in offre.patch(0).items()
        if nom not in ("existe", "parent")
    }
    contenu.enregistrer(
        numero=dossier.pk, acteur=acteur, fiche=travail.fiche_id, saisie=saisie,
        revision=travail.revision, registre={}, finaliser=finaliser,
    )  # fmt: skip


def _envoyer(dossier: Dossier, acteur: User) -> None:
    decisions.envoyer(numero=dossier.pk, acteur=acteur, vu=instantane.empreinte_de(dossier))


def _tache(dossier: Dossier, autorite: str | None = None) -> int:
    taches = Tache.objects.filter(dossier=dossier, close_le__isnull=True)
    return (taches.get(autorite=autorite) if autorite else taches.get()).pk
