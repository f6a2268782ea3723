"""What « Exporter » gives of the dossiers: each list as it is shown, all its pages."""

from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse

from backoffice.comptes.models import User
from backoffice.exports.fichiers import Ligne, cellules, lots
from backoffice.exports.registre import Contenu
from backoffice.socle.erreurs import Introuvable
from backoffice.socle.etats import signe
from backoffice.socle.vues import entier
from notifications.rendu import absolue
from structures.enums import Filiere, Niveau

from .. import alertes, boite, chronologie, parcours, regles, requetes, traitements
from ..forms import FiltreJournal
from ..forms_taches import FiltreTaches
from ..models import Dossier, Evenement, MiseDeCote, Suppleance, Tache
from .absences import siennes
from .arbre import nom_de
from .circuits import exiger_gestionnaire
from .colonnes import noms_des_colonnes
from .commentaires import demande as fils_demandes
from .controles import SIGNES, Choix, champ_en_cause, choix_de, controles_de_l_espace, quoi_de
from .decisions_prises import contenu_en_mots, decisions_en_mots, empreinte_actuelle
from .dossiers import demande, ligne_de
from .espace import Espace
from .taches import Ligne as LigneTache
from .taches import attentions_en_mots, lignes
from .traitements import resume
from .vues_taches import preference_de, vues_de

LOT = 500


# -- tasks ---------------------------------------------------------------------------------------------


# What each column of the inbox (``colonnes``) says of a task: its titles, its cells.
def _expediteur(ligne: LigneTache) -> tuple[Any, ...]:
    dossier = ligne.tache.dossier
    if ligne.envoye:
        return dossier.envoye_par, dossier.envoye_le, False
    return dossier.auteur, dossier.cree_le, True


def _qui(ligne: LigneTache) -> tuple[Any, ...]:
    task = ligne.tache.tache
    if task.owner:
        return task.owner, task.assigned or ligne.tache.creee_le
    return parcours.qui_agit([ligne.tache]), ligne.tache.creee_le


_TEXTES: dict[str, tuple[tuple[str, ...], Callable[[LigneTache], tuple[Any, ...]]]] = {
    "etape": (("Étape", "Autorité"), lambda t: (t.etape.titre, t.tache.autorite and t.tache.autorite.nom)),
    "echeance": (
        ("Échéance", "En retard", "Suspension", "Mise de côté jusqu’au"),
        lambda t: (t.tache.echeance, t.tache.en_retard, t.tache.suspension, t.retour_le),
    ),
    "changements": (
        ("Changements", "Points d’attention"),
        lambda t: (", ".join(mots for _, mots in t.changements), attentions_en_mots(t.tache.attentions)),
    ),
    "expediteur": (("Envoyé par", "Envoyé le", "Brouillon"), _expediteur),
    "anciennete": (("Ouverte le",), lambda t: (t.tache.creee_le,)),
    "departement": (("Département",), lambda t: (t.tache.departement,)),
    "filiere": (("Filière",), lambda t: (Filiere(t.tache.filiere).label if t.tache.filiere else "",)),
    "autorite": (("Autorité compétente",), lambda t: (t.tache.autorite,)),
    "attentions": (("À regarder",), lambda t: (attentions_en_mots(t.tache.attentions),)),
    "qui": (("Qui s’en charge", "Depuis"), _qui),
    "decision": (("Décision",), lambda t: (t.tache.get_issue_display(),)),
    "fin": (("Terminée le",), lambda t: (t.tache.close_le,)),
}


def taches(user: User, choix: QueryDict) -> Contenu:
    roles = regles.roles_de(user)
    filtre = FiltreTaches(choix, roles=roles, colonnes=preference_de(user).colonnes)
    retenues = boite.filtrer(boite.onglets(user, roles)[filtre.liste], **filtre.criteres)
    return Contenu(_lignes_des_taches(user, retenues, filtre), retenues.count, filtre.liste)


def _lignes_des_taches(user: User, retenues: QuerySet[Tache], filtre: FiltreTaches) -> Iterator[Ligne]:
    noms = noms_des_colonnes(filtre)
    yield ("Dossier", "Numéro", "Établissement", "Commune", "Pour", *(t for nom in noms for t in _TEXTES[nom][0]))
    ordonnees = boite.en_entier(retenues, filtre.ordre)
    for lot in lots(ordonnees.iterator(chunk_size=LOT), LOT):
        de_cote = MiseDeCote.objects.en_cours(user.pk).filter(tache__in=[t.pk for t in lot])
        retours = dict(de_cote.values_list("tache", "retour_le")) if filtre.liste == "mises-de-cote" else {}
        for t in lignes(lot, user, retours=retours):
            yield cellules(
                t.tache.dossier.nom, t.tache.dossier_id, t.etablissement, t.commune, t.pour,
                *(valeur for nom in noms for valeur in _TEXTES[nom][1](t)),
            )  # fmt: skip


def vues_taches(user: User, choix: QueryDict) -> Contenu:
    return Contenu(_lignes_des_vues(user))


def _lignes_des_vues(user: User) -> Iterator[Ligne]:
    yield ("Vue", "De", "Partagée", "Ouverte par défaut", "Adresse")
    par_defaut = preference_de(user).vue_id
    for v in vues_de(user):
        vue = v["vue"]
        yield cellules(vue.nom, v["de"] or user, vue.partagee, vue.pk == par_defaut, absolue(v["url"]))


def lot(user: User, choix: QueryDict) -> Contenu:
    """``lot``: its number."""
    trouve = traitements.lots_de(user).filter(pk=entier(choix.get("lot")) or 0).first()
    if trouve is None:
        raise Introuvable("lot_inconnu", "Ce traitement n’existe pas, ou ce n’est pas le vôtre.")
    return Contenu(_lignes_du_lot(trouve), lambda: trouve.total, str(trouve.pk))


def _lignes_du_lot(trouve: Any) -> Iterator[Ligne]:
    yield ("Dossier", "Établissement", "Étape", "Résultat", "Précision", "Traitée le", "Adresse")
    for ligne in traitements.lignes_de(trouve):
        yield cellules(
            ligne.tache.dossier.nom, ligne.tache.nom_eg or ligne.tache.eg.identifiant, ligne.tache.etape.titre,
            ligne.get_resultat_display(), ligne.message, ligne.traitee_le,
            absolue(reverse("tache", args=[ligne.tache_id])),
        )  # fmt: skip


def lots_demandes(user: User, choix: QueryDict) -> Contenu:
    siens = traitements.lots_de(user)
    return Contenu(_lignes_des_lots(siens), siens.count)


def _lignes_des_lots(siens: QuerySet[Any]) -> Iterator[Ligne]:
    yield ("Traitement", "Numéro", "Demandé le", "Terminé le", "Tâches", "Faites", "Refusées", "Erreurs")
    for demande_ in siens.iterator(chunk_size=LOT):
        yield cellules(
            resume(demande_)["titre"], demande_.pk, demande_.cree_le, demande_.termine_le, demande_.total,
            demande_.faits, demande_.refuses, demande_.erreurs,
        )  # fmt: skip


def absences(user: User, choix: QueryDict) -> Contenu:
    """``compte``: whose, one's own by default."""
    compte = user
    voulu = entier(choix.get("compte"))
    if voulu is not None and voulu != user.pk:
        exiger_gestionnaire(user)
        trouve = User.objects.filter(pk=voulu).first()
        if trouve is None:
            raise Introuvable("compte_inconnu", "Ce compte n’existe pas.")
        compte = trouve
    toutes = siennes(compte)
    return Contenu(_lignes_des_absences(toutes), toutes.count)


def _lignes_des_absences(toutes: QuerySet[Suppleance]) -> Iterator[Ligne]:
    yield (
        "Personne absente", "Qui supplée", "Du", "Au", "État", "Motif", "Décidé par", "Décidé le", "Fin décidée par",
        "Fin décidée le",
    )  # fmt: skip
    for s in toutes.iterator(chunk_size=LOT):
        etat = (
            "interrompue" if s.finie_le else "terminée" if not s.vivante else "en cours" if s.commencee else "à venir"
        )
        yield cellules(
            s.absente, s.suppleante, s.du, s.au, etat, s.motif, s.ecrite_par, s.ecrite_le, s.finie_par, s.finie_le
        )


# -- dossiers ------------------------------------------------------------------------------------------


def dossiers(user: User, choix: QueryDict) -> Contenu:
    _, onglet, retenus = demande(user, choix)
    return Contenu(_lignes_des_dossiers(retenus), retenus.count, onglet)


def _lignes_des_dossiers(retenus: QuerySet[Dossier]) -> Iterator[Ligne]:
    yield (
        "Dossier", "Numéro", "Établissement", "État", "Fiches", "Finalisées", "Étape", "Qui agit", "Échéance",
        "En retard", "Terminé le", "Dernier changement", "Le", "Par",
    )  # fmt: skip
    for lot_ in lots(retenus.select_related("eg").order_by("-pk").iterator(chunk_size=LOT), LOT):
        avancees = requetes.avancements(lot_)
        for d in lot_:
            ligne, a = ligne_de(d, avancees[d.pk]), avancees[d.pk]
            fait = a.dernier
            yield cellules(
                d.nom, d.pk, a.etablissement, ligne["mot"] or d.get_etat_display(), a.fiches, a.finalisees,
                ligne["etape"], ligne["qui"] if ligne["etape"] else "", ligne["echeance"], ligne["retard"],
                d.termine_le, fait and fait.get_type_display(), fait and fait.le, fait and fait.acteur,
            )  # fmt: skip


def circuits(user: User, choix: QueryDict) -> Contenu:
    exiger_gestionnaire(user)
    return Contenu(_lignes_des_circuits())


def _lignes_des_circuits() -> Iterator[Ligne]:
    yield ("Dossier", "Numéro", "Établissement", "FINESS", "Ce qui manque", "Bloquant", "Corriger", "Adresse")
    for ligne in alertes.circuits_a_verifier():
        for a in ligne.alertes:
            yield cellules(
                ligne.dossier, ligne.numero, ligne.eg.nom, ligne.eg.fiche.identifiant[1:], a.constat, a.grave,
                a.remede, absolue(a.url),
            )  # fmt: skip


def _dossier(user: User, choix: QueryDict) -> Dossier:
    """``dossier``: the number of one that she may see."""
    visibles = regles.dossiers_visibles(user).select_related("eg", "auteur", "envoye_par", "processus")
    trouve = visibles.filter(pk=entier(choix.get("dossier")) or 0).first()
    if trouve is None:
        raise Introuvable("dossier_inconnu", "Ce dossier n’existe pas, ou il n’est pas visible avec votre compte.")
    return trouve


def journal(user: User, choix: QueryDict) -> Contenu:
    dossier = _dossier(user, choix)
    filtre = FiltreJournal(choix, auteurs=User.objects.filter(pk__in=dossier.evenements.order_by().values("acteur")))
    retenus = filtre.retenir(dossier.evenements.select_related("acteur").order_by("rang"))
    return Contenu(_lignes_du_journal(dossier, retenus), retenus.count, f"dossier-{dossier.pk}")


def _lignes_du_journal(dossier: Dossier, retenus: QuerySet[Evenement]) -> Iterator[Ligne]:
    yield ("Rang", "Date", "Événement", "Par", "Précisions", "Empreinte")
    for lot_ in lots(retenus.iterator(chunk_size=LOT), LOT):
        for e, mots in zip(lot_, chronologie.lignes_journal(dossier, lot_), strict=True):
            yield cellules(e.rang, e.le, mots["titre"], mots["qui"], mots["texte"], e.empreinte)


def decisions(user: User, choix: QueryDict) -> Contenu:
    dossier = _dossier(user, choix)
    prises = dossier.decisions.select_related("acteur", "pour", "autorite").order_by("-pk")
    return Contenu(_lignes_des_decisions(dossier, prises), prises.count, f"dossier-{dossier.pk}")


def _lignes_des_decisions(dossier: Dossier, prises: QuerySet[Any]) -> Iterator[Ligne]:
    yield ("Décision", "Par", "Le", "Motif", "Sur quel contenu", "Empreinte")
    actuel, toutes = empreinte_actuelle(dossier), list(prises)
    for d, mots in zip(toutes, decisions_en_mots(toutes), strict=True):
        yield cellules(mots["titre"], mots["qui"], d.le, d.motif, contenu_en_mots(dossier, d, actuel)[1], d.empreinte)


def controles(user: User, choix: QueryDict) -> Contenu:
    """``quoi``, ``regle``, ``par`` as on the page; nothing of a dossier that has ended."""
    dossier = _dossier(user, choix)
    return Contenu(_lignes_des_controles(user, dossier, choix_de(choix)), nom=f"dossier-{dossier.pk}")


def _lignes_des_controles(user: User, dossier: Dossier, choix: Choix) -> Iterator[Ligne]:
    yield (
        "Gravité", "Fiche", "Niveau", "Identifiant", "Champ", "Constat", "Règle", "Code", "Source", "Adresse",
    )  # fmt: skip
    if not dossier.est_ouvert:
        return
    lus = controles_de_l_espace(Espace(dossier, user, regles.peut_editer(user, dossier)))
    for f in lus.toutes(choix.listes, choix.regle, par_fiche=bool(choix.par)):
        noeud, regle = f.noeud, f.regle
        yield cellules(
            signe(SIGNES[quoi_de(f)]).mot, nom_de(noeud), Niveau(noeud.niveau).label, noeud.identifiant,
            champ_en_cause(f), lus.phrase(f), regle.titre, regle.code, regle.source, absolue(lus.adresse(f)),
        )  # fmt: skip


def commentaires(user: User, choix: QueryDict) -> Contenu:
    """``montrer`` as on the page. A row a message, thread after thread."""
    dossier = _dossier(user, choix)
    return Contenu(_lignes_des_commentaires(user, dossier, choix), nom=f"dossier-{dossier.pk}")


def _lignes_des_commentaires(user: User, dossier: Dossier, choix: QueryDict) -> Iterator[Ligne]:
    yield (
        "Fil", "Fiche", "Identifiant", "Fiche retirée", "Champ", "Par", "Le", "Commentaire", "Cite", "État",
        "Résolu par", "Résolu le",
    )  # fmt: skip
    listes, montrer = fils_demandes(dossier, user, choix)
    for fil in listes[montrer]:
        un = fil.premier
        for m in fil.messages:
            cites = ", ".join(str(p) for p in m.mentions.all())
            yield cellules(
                un.pk, fil.nom, un.fiche.identifiant, fil.retiree, fil.champ, m.auteur, m.le, m.texte, cites,
                "Résolu" if fil.resolu else "À résoudre", un.resolu_par, un.resolu_le,
            )  # fmt: skip
