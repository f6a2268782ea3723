"""What « Exporter » gives of the accounts, the mails and the supervision: each list as it is shown, all its pages."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict

from backoffice.comptes.models import User
from backoffice.exports.fichiers import Ligne, cellules, lots
from backoffice.exports.registre import Contenu, Ouvrir
from notifications import requetes as courriels
from notifications.forms import FiltreEnvois
from notifications.models import Envoi
from workflows import boite, supervision
from workflows.durees import durees
from workflows.enums import ETAPES
from workflows.parcours import qui_agit

from . import domaine, incidents, requetes, tableaux
from .forms import FiltreActes, FiltreComptes, FiltrePeriode, FiltreTachesOuvertes
from .importation_comptes import COLONNES
from .supervision import acte_en_mots

LOT = 500


def _choix(filtre: Any) -> dict[str, Any]:
    """What is readable of an address: the lists ignore the rest."""
    filtre.is_valid()
    lus: dict[str, Any] = filtre.cleaned_data
    return lus


def comptes(user: User, choix: QueryDict) -> Contenu:
    domaine.exiger_gestionnaire(user)
    lus = _choix(FiltreComptes(choix))
    trouves = requetes.chercher_comptes(q=lus.get("q", ""), role=lus.get("role", ""), etat=lus.get("etat", ""))
    return Contenu(_lignes_des_comptes(trouves), trouves.count)


def _lignes_des_comptes(trouves: QuerySet[User]) -> Iterator[Ligne]:
    yield (
        "Personne", "Nom", "Prénom", "E-mail", "Identifiant", "Droits", "État", "Mot de passe provisoire",
        "Dernière connexion",
    )  # fmt: skip
    for lot in lots(requetes.avec_droits(trouves).order_by("username").iterator(chunk_size=LOT), LOT):
        noms = requetes.noms_des_structures(lot)
        for u in lot:
            droits = [(d.get_role_display(), requetes.ou_en_mots(d, noms)) for d in u.droits]
            yield cellules(
                u, u.last_name, u.first_name, u.email, u.username,
                "\n".join(" · ".join(filter(None, droit)) for droit in droits), "actif" if u.is_active else "désactivé",
                u.doit_changer_mot_de_passe, u.last_login,
            )  # fmt: skip


def droits(user: User, choix: QueryDict) -> Contenu:
    """The accounts of the list in the columns of the import, a row a right: they come back without a change."""
    domaine.exiger_gestionnaire(user)
    lus = _choix(FiltreComptes(choix))
    trouves = requetes.chercher_comptes(q=lus.get("q", ""), role=lus.get("role", ""), etat=lus.get("etat", ""))
    return Contenu(_lignes_des_droits(trouves))


def _lignes_des_droits(trouves: QuerySet[User]) -> Iterator[Ligne]:
    yield COLONNES
    for u in requetes.avec_droits(trouves).order_by("username").iterator(chunk_size=LOT):
        qui = (u.username, u.last_name, u.first_name, u.email)
        for d in u.droits:
            ou = d.autorite_id or (d.fiche.identifiant[1:] if d.fiche else "")
            yield cellules(*qui, d.get_role_display(), ou, d.debut, d.fin)
        if not u.droits:
            yield cellules(*qui, "", "", "", "")


def envois(user: User, choix: QueryDict) -> Contenu:
    lus = _choix(FiltreEnvois(choix))
    trouves = courriels.chercher(user, etat=lus.get("etat", ""), type_code=lus.get("type", ""), q=lus.get("q", ""))
    return Contenu(_lignes_des_envois(trouves), trouves.count)


def _lignes_des_envois(trouves: QuerySet[Envoi]) -> Iterator[Ligne]:
    yield ("Sujet", "Destinataire", "Adresse", "Type", "État", "Créé le", "Envoyé le", "Erreur")
    for envoi in trouves.order_by("-pk").iterator(chunk_size=LOT):
        yield cellules(
            envoi.sujet, envoi.destinataire, envoi.adresse, envoi.type_libelle, envoi.get_etat_display(), envoi.cree_le,
            envoi.envoye_le, envoi.erreur,
        )  # fmt: skip


# -- supervision ---------------------------------------------------------------------------------------


def _lignes_des_taches(choix: QueryDict) -> Iterator[Ligne]:
    yield (
        "Dossier", "Établissement", "Étape", "Autorité", "Ouverte le", "Échéance", "En retard", "Prise par",
        "Revient à",
    )  # fmt: skip
    for t in boite.en_entier(FiltreTachesOuvertes(choix).taches, "echeance").iterator(chunk_size=LOT):
        yield cellules(
            t.dossier.nom, t.nom_eg or t.eg.identifiant, t.etape.titre, t.autorite and t.autorite.nom, t.creee_le,
            t.echeance, t.en_retard, t.tache.owner, qui_agit([t]),
        )  # fmt: skip


def _lignes_des_actes(choix: QueryDict) -> Iterator[Ligne]:
    yield ("Quand", "Quoi", "Dossier", "Numéro", "Qui", "Motif")
    lus = FiltreActes(choix).actes.select_related("dossier", "acteur").order_by("le", "pk")
    for a in map(acte_en_mots, lus.iterator(chunk_size=LOT)):
        yield cellules(a["quand"], a["quoi"], a["dossier"].nom, a["dossier"].pk, a["qui"], a["motif"])


def _periode(choix: QueryDict) -> supervision.Periode:
    return FiltrePeriode(choix).periode


def _tableau(lire: Callable[[QueryDict], Iterable[Ligne]]) -> Ouvrir:
    """A table of the supervision: nothing is counted before the rows are asked for."""

    def differees(choix: QueryDict) -> Iterator[Ligne]:
        yield from lire(choix)

    def ouvrir(user: User, choix: QueryDict) -> Contenu:
        domaine.exiger_gestionnaire(user)
        return Contenu(differees(choix))

    return ouvrir


etapes = _tableau(lambda c: tableaux.par_etape(supervision.positions(), durees([(n, "") for n in ETAPES])).cellules())
ages = _tableau(lambda c: tableaux.par_age(supervision.arrieres()).cellules())
anciennete = _tableau(lambda c: tableaux.arrieres_par_etape(supervision.arrieres()).cellules())
semaines = _tableau(lambda c: tableaux.par_semaine(_periode(c)).cellules())
autorites = _tableau(lambda c: tableaux.par_autorite(_periode(c), durees()).cellules())
personnes = _tableau(lambda c: tableaux.par_personne(_periode(c), None).cellules())
en_incident = _tableau(lambda c: incidents.cellules(incidents.lire(incidents.compter(), c.get("genre", ""), None)))
taches = _tableau(_lignes_des_taches)
actes = _tableau(_lignes_des_actes)
