"""What « Exporter » gives of the gestionnaires' lists: imports and their reports, the tools that read the register."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import QueryDict

from backoffice.comptes.models import User
from backoffice.exports.fichiers import Ligne, cellules, lots
from backoffice.exports.registre import Contenu
from backoffice.socle.erreurs import Interdit, Introuvable
from backoffice.socle.vues import entier

from .. import consommation, regles, suivi
from ..enums import SortDetail
from ..importations import depot
from ..models import (
    Abonnement,
    Consommateur,
    DetailImportation,
    Importation,
    JournalConsommateur,
    Livraison,
    RefusConsommateur,
    TentativeLivraison,
)
from .abonnements import etat_de
from .consommateurs import changements_en_mots
from .importations import Vue, details_filtres, importations_de

LOT = 500


def _exiger_gestionnaire(user: User) -> None:
    if not regles.est_gestionnaire(user):
        raise Interdit("sans_droit", "Cette liste est réservée aux gestionnaires SESAN.")


def _trouver(lignes: QuerySet[Any], choix: QueryDict, nom: str) -> Any:
    """The row whose number the address gives."""
    trouvee = lignes.filter(pk=entier(choix.get(nom)) or 0).first()
    if trouvee is None:
        raise Introuvable("inconnu", "Ce que vous voulez exporter n’existe pas.")
    return trouvee


# -- imports ---------------------------------------------------------------------------------------------


def importations(user: User, choix: QueryDict) -> Contenu:
    _exiger_gestionnaire(user)
    liste = importations_de(choix.get("genre", ""))
    return Contenu(_lignes_des_imports(liste), liste.count)


def _lignes_des_imports(liste: QuerySet[Importation]) -> Iterator[Ligne]:
    yield ("Numéro", "Fichier", "Genre", "Déposé le", "Par", "État", "Terminé le", "Message")
    vivantes = depot.vivantes()
    for i in liste.iterator(chunk_size=LOT):
        vue = Vue(i, vivantes)
        qui = i.auteur or "en ligne de commande"
        yield cellules(i.pk, i.fichier, vue.genre, i.depose_le, qui, vue.etat.label, i.fini_le, vue.message)


def bilan(user: User, choix: QueryDict) -> Contenu:
    """``import``: its number; ``sort``, ``champ``, ``q`` as on its page, the whole report without them."""
    _exiger_gestionnaire(user)
    importation = _trouver(Importation.objects.all(), choix, "import")
    sort = choix.get("sort", "") if choix.get("sort", "") in SortDetail.values else ""
    details = details_filtres(importation, sort, choix.get("champ", ""), choix.get("q", "").strip())
    return Contenu(_lignes_du_bilan(details), details.count, "-".join(filter(None, [str(importation.pk), sort])))


def _lignes_du_bilan(details: QuerySet[DetailImportation]) -> Iterator[Ligne]:
    yield (
        "Sort", "Ligne", "Colonne", "Numéro ou code", "Nom", "Fiche", "Champ", "Avant", "Après", "Raison",
    )  # fmt: skip
    mots = {sort: SortDetail(sort).label for sort in SortDetail.values}
    for d in details.iterator(chunk_size=2000):
        yield (mots[d.sort], d.ligne or "", d.colonne, d.cle, d.nom, d.fiche, d.champ, d.avant, d.apres, d.raison)


# -- consumers -------------------------------------------------------------------------------------------


def consommateurs(user: User, choix: QueryDict) -> Contenu:
    _exiger_gestionnaire(user)
    tous = consommation.avec_usage().order_by("cle")
    return Contenu(_lignes_des_consommateurs(tous), tous.count)


def _lignes_des_consommateurs(tous: QuerySet[Any]) -> Iterator[Ligne]:
    yield (
        "Outil", "Organisme", "Identifiant", "État", "Profil", "Dernier usage", "Requêtes en 30 jours",
        "Refus en 30 jours",
    )  # fmt: skip
    for c in tous.iterator(chunk_size=LOT):
        yield cellules(
            c, c.organisme, c.client_id, "suspendu" if c.suspendu else "actif", c.profil, c.dernier_jour,
            c.requetes_30 or 0, c.refus_30 or 0,
        )  # fmt: skip


def usage(user: User, choix: QueryDict) -> Contenu:
    """``consommateur``: its number, ``jours``: the period. Day by day."""
    _exiger_gestionnaire(user)
    c = _trouver(Consommateur.objects.all(), choix, "consommateur")
    periode = next((p for p in consommation.PERIODES if str(p) == choix.get("jours")), consommation.PERIODES[0])
    return Contenu(_lignes_d_usage(consommation.usage_de(c, periode).jours), lambda: periode, str(c.pk))


def _lignes_d_usage(jours: Iterable[consommation.Total]) -> Iterator[Ligne]:
    yield (
        "Jour", "Requêtes", "Ressources", "Octets", "Refus", "Refus de quota", "Erreurs de l’outil", "Erreurs du ROR",
        "Durée moyenne (ms)",
    )  # fmt: skip
    for j in jours:
        yield cellules(
            j.quoi, j.requetes, j.ressources, j.octets, j.refus, j.quota, j.erreurs_client, j.erreurs_serveur,
            j.moyenne_ms,
        )  # fmt: skip


def refus(user: User, choix: QueryDict) -> Contenu:
    """``consommateur``: its number. All that are kept, of which its page shows the last ones."""
    _exiger_gestionnaire(user)
    c = _trouver(Consommateur.objects.all(), choix, "consommateur")
    siens = consommation.refus_de(c)
    return Contenu(_lignes_des_refus(siens), siens.count, str(c.pk))


def _lignes_des_refus(siens: QuerySet[RefusConsommateur]) -> Iterator[Ligne]:
    yield ("Minute", "Statut", "Interaction", "Dernier motif", "Dernière adresse demandée", "Fois")
    for r in siens.iterator(chunk_size=LOT):
        yield cellules(r.minute, r.statut, r.interaction, r.motif, r.chemin, r.nombre)


def journal_acces(user: User, choix: QueryDict) -> Contenu:
    """``consommateur``: its number. All of it, of which its page shows the last ones."""
    _exiger_gestionnaire(user)
    c = _trouver(Consommateur.objects.all(), choix, "consommateur")
    sien = c.journal.select_related("acteur")
    return Contenu(_lignes_du_journal(sien), sien.count, str(c.pk))


def _lignes_du_journal(sien: QuerySet[JournalConsommateur]) -> Iterator[Ligne]:
    yield ("Le", "Acte", "Par", "Ce qui change", "Motif")
    for ligne in sien.iterator(chunk_size=LOT):
        changements = "\n".join(changements_en_mots(ligne))
        yield cellules(ligne.le, ligne.get_acte_display(), ligne.acteur or "Commande", changements, ligne.motif)


def livraisons(user: User, choix: QueryDict) -> Contenu:
    """``abonnement``: its number."""
    _exiger_gestionnaire(user)
    abonnement = _trouver(Abonnement.objects.all(), choix, "abonnement")
    siennes = Livraison.objects.filter(abonnement=abonnement).defer("corps").order_by("-pk")
    return Contenu(_lignes_des_livraisons(siennes), siennes.count, str(abonnement.pk))


def _lignes_des_livraisons(siennes: QuerySet[Livraison]) -> Iterator[Ligne]:
    yield (
        "Livraison", "Créée le", "État", "Acceptée le", "Changements", "Du rang", "Au rang", "Rejouée", "Essais",
        "Dernier statut", "Dernière erreur",
    )  # fmt: skip
    derniere = TentativeLivraison.objects.filter(livraison=OuterRef("pk")).order_by("-pk")
    avec = siennes.annotate(
        essais=Count("tentatives"),
        statut=Subquery(derniere.values("statut")[:1]),
        erreur=Subquery(derniere.values("erreur")[:1]),
    )
    un: Any
    for un in avec.iterator(chunk_size=LOT):
        yield cellules(
            un.pk, un.cree_le, etat_de(un)["mot"] or "en attente", un.livree_le, un.nombre, un.premier, un.dernier,
            un.rejoue_id is not None, un.essais, un.statut, un.erreur,
        )  # fmt: skip


# -- freshness -------------------------------------------------------------------------------------------


def a_relire(user: User, choix: QueryDict) -> Contenu:
    """Every establishment that breaks rule RE1.2, of which the supervision shows the first ones."""
    _exiger_gestionnaire(user)
    return Contenu(_lignes_a_relire(), suivi.nombre_en_defaut)


def _lignes_a_relire() -> Iterator[Ligne]:
    yield ("Établissement", "FINESS", "Unités", "À jour", "À jour demandées", "Ce que dit la règle")
    for lot in lots(suivi.en_defaut(None), LOT):
        for e in lot:
            f = e.fraicheur
            yield cellules(e.nom, e.identifiant[1:], f.offres, f.a_jour, f.requises, f.phrase)
