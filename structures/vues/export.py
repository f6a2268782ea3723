"""What « Exporter » gives of the register: the filtered list of establishments, or the units that meet its criteria,
never with their contacts; reported errors; what happened to a fiche, what changed in it between two days."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, cast

from django.db.models import QuerySet
from django.http import QueryDict

from backoffice.comptes.models import User
from backoffice.exports.fichiers import Ligne, cellules, lots
from backoffice.exports.registre import Contenu
from backoffice.socle.erreurs import Invalide
from notifications.rendu import absolue

from .. import liste, recherche, regles, requetes, suivi, temps
from ..domaine.texte import normaliser
from ..enums import ChampEG, Niveau
from ..models import Fiche, Modification, RechercheEnregistree, RegleCategorie, Signalement, VersionFiche
from ..recherche import Criteres
from ..recherche.requete import fiches
from .communs import Jour, fiche_ou_404, jour_de
from .comparer import NATURES, Changement, changements_entre, detailler, deux_jours
from .criteres import demande_de, en_mots
from .historique import lignes_de
from .personnel import adresse_recherche, recherches_de
from .signalements import demande, lignes

LOT = 500  # establishments read at once

CONTENUS = [("etablissements", "Établissements"), ("unites", "Unités qui correspondent")]
_LISTES_UO = ("J238", "R227", "R213", "R211", "R210", "R239", "R240")
_COLONNES_EG = (
    "Dénomination", "Nom opérationnel", "FINESS", "SIRET", "Catégorie", "Champ", "Entité juridique", "FINESS de l’EJ",
    "Voie", "Complément d’adresse", "Code postal", "Commune", "Code INSEE", "Territoire de santé", "Latitude",
    "Longitude", "Unités opérationnelles", "Fiches incomplètes", "Identifiant",
)  # fmt: skip
_COLONNES_UO = (
    "Unité", "Identifiant", "Type d’UO", "Champ d’activité", "Mode de prise en charge", "Activités opérationnelles",
    "Actes spécifiques", "Public pris en charge", "Âge minimum", "Âge maximum", "Temporalité d’accueil",
    "Unité sensible", "Établissement", "FINESS", "Catégorie", "Entité juridique", "Code postal", "Commune",
    "Code INSEE",
)  # fmt: skip
_LUES = (
    "fiche_id", "parent_id", "nom", "nom_operationnel", "finess", "siret", "categorie", "adresse_voie",
    "adresse_complement", "code_postal", "commune", "territoire_sante", "latitude", "longitude", "fiche__identifiant",
)  # fmt: skip


def etablissements(user: User, choix: QueryDict) -> Contenu:
    jour, criteres, _ = demande_de(choix)
    return Contenu(_lignes_eg(criteres, user), lambda: liste.compter(criteres, user), _suffixe(criteres, jour))


def unites(user: User, choix: QueryDict) -> Contenu:
    jour, criteres, _ = demande_de(choix)
    return Contenu(_lignes_uo(criteres, user), nom=_suffixe(criteres, jour))


def _suffixe(criteres: Criteres, jour: Jour) -> str:
    """« au-2027-03-01-paris-75-cardiologie »: another day and the criteria, for the name of the file."""
    mots = normaliser(en_mots([criteres.requete(jour=Criteres().jour)])[0]).replace(" ", "-")[:60].strip("-")
    return "-".join(filter(None, [f"au-{jour.jour.isoformat()}" if jour.autre else "", mots]))


def _lots(criteres: Criteres, user: User) -> Iterator[list[VersionFiche]]:
    return lots(liste.en_entier(criteres, user, _LUES, LOT), LOT)


class _Lot:
    """What the rows of a lot say beside the versions, read by a constant number of statements."""

    def __init__(self, egs: list[VersionFiche], criteres: Criteres) -> None:
        self.communes = requetes.libelles_communes(v.commune for v in egs if v.commune)
        self.ejs = requetes.noms_au({v.parent_id for v in egs if v.parent_id}, criteres.jour)

    def ej(self, eg: VersionFiche) -> tuple[str, str]:
        """(name, FINESS number) of the EJ."""
        identifiant, nom = self.ejs.get(eg.parent_id or 0, ("", ""))
        return nom, identifiant[1:]


def _libelles(listes: Iterable[str]) -> dict[tuple[str, str], str]:
    return {(o.nomenclature, o.code): o.libelle for o in requetes.options(list(listes))}


def _lignes_eg(criteres: Criteres, user: User) -> Iterator[Ligne]:
    yield _COLONNES_EG
    categories = _libelles(["R66"])
    champs = dict(RegleCategorie.objects.values_list("categorie", "champ"))
    for egs in _lots(criteres, user):
        lot = _Lot(egs, criteres)
        nombres = requetes.nombres_de_fiches([v.fiche_id for v in egs], criteres.jour)
        for v in egs:
            champ = champs.get(v.categorie, ChampEG.MEDICO_SOCIAL)
            yield (
                v.nom, v.nom_operationnel, v.finess, v.siret, categories.get(("R66", v.categorie), v.categorie),
                ChampEG(champ).label, *lot.ej(v), v.adresse_voie, v.adresse_complement, v.code_postal,
                lot.communes.get(v.commune, ""), v.commune, v.territoire_sante, _nombre(v.latitude),
                _nombre(v.longitude), nombres[v.fiche_id].uo, nombres[v.fiche_id].incompletes, v.fiche.identifiant,
            )  # fmt: skip


def _lignes_uo(criteres: Criteres, user: User) -> Iterator[Ligne]:
    yield _COLONNES_UO
    mots, categories = _libelles(_LISTES_UO), _libelles(["R66"])

    def codes(liste: str, valeurs: Iterable[str]) -> str:
        return " ; ".join(sorted(mots.get((liste, code), code) for code in valeurs))

    for egs in _lots(criteres, user):
        lot, par_eg = _Lot(egs, criteres), {v.fiche_id: v for v in egs}
        for uo in _unites(criteres, par_eg):
            eg = par_eg[cast(int, uo.eg_id)]
            yield (
                uo.nom, uo.fiche.identifiant, codes("J238", [uo.type_uo]), codes("R227", [uo.champ_activite]),
                codes("R213", [uo.mode_prise_en_charge]), codes("R211", uo.activites), codes("R210", uo.actes),
                codes("R239", uo.publics), _age(uo.age_min, uo.age_min_unite), _age(uo.age_max, uo.age_max_unite),
                codes("R240", [uo.temporalite_accueil]), "oui" if uo.unite_sensible else "non", eg.nom, eg.finess,
                categories.get(("R66", eg.categorie), eg.categorie), lot.ej(eg)[0], eg.code_postal,
                lot.communes.get(eg.commune, ""), eg.commune,
            )  # fmt: skip


def _unites(criteres: Criteres, egs: dict[int, Any]) -> list[VersionFiche]:
    """The units that meet the criteria on units; all those of an establishment that was found without any."""
    trouvees = recherche.offres(criteres, list(egs))
    uos = requetes.versions_au(criteres.jour).filter(niveau=Niveau.UO).select_related("fiche").defer("contacts")
    lues = list(uos.filter(fiche__in=[o.fiche_id for offres in trouvees.values() for o in offres]))
    if fiches(criteres) is None:
        lues += uos.filter(eg__in=egs.keys() - trouvees.keys())
    rangs = {eg: rang for rang, eg in enumerate(egs)}
    return sorted(lues, key=lambda v: (rangs[cast(int, v.eg_id)], v.recherche, v.fiche_id))


def _nombre(valeur: float | None) -> str | float:
    return "" if valeur is None else valeur


def _age(age: int | None, unite: str) -> str:
    return "" if age is None else f"{age} {unite}"


def recherches(user: User, choix: QueryDict) -> Contenu:
    siennes = recherches_de(user)
    return Contenu(_lignes_des_recherches(siennes), lambda: len(siennes))


def _lignes_des_recherches(siennes: list[RechercheEnregistree]) -> Iterator[Ligne]:
    yield ("Recherche", "Critères", "Par défaut", "Adresse")
    for r, mots in zip(siennes, en_mots([r.criteres for r in siennes]), strict=True):
        yield cellules(r.nom, mots, r.par_defaut, absolue(adresse_recherche(r.criteres)))


# -- reported errors -------------------------------------------------------------------------------------


def signalements(user: User, choix: QueryDict) -> Contenu:
    listes, nombres, filtre = demande(user, choix)
    onglet = filtre.onglet_choisi
    retenus = suivi.filtrer(listes[onglet], **filtre.criteres).select_related("fiche", "auteur", "clos_par")
    return Contenu(_lignes_signalees(retenus.order_by("pk" if onglet in nombres else "-pk")), retenus.count, onglet)


def _lignes_signalees(retenus: QuerySet[Signalement]) -> Iterator[Ligne]:
    yield (
        "Fiche", "Identifiant", "Établissement", "Champ", "Ce qui ne va pas", "Message", "Signalé le", "Par", "Suite",
        "Clos le", "Clos par",
    )  # fmt: skip
    for lot in lots(retenus.iterator(chunk_size=LOT), LOT):
        for ligne in lignes(lot):
            s = ligne.signalement
            yield cellules(
                ligne.fiche, s.fiche.identifiant, ligne.etablissement, ligne.champ, s.get_theme_display(), s.message,
                s.cree_le, s.auteur, s.get_issue_display() if s.issue else "En attente", s.clos_le, s.clos_par,
            )  # fmt: skip


# -- one fiche -------------------------------------------------------------------------------------------


def historique(user: User, choix: QueryDict) -> Contenu:
    """``fiche``: its identifier. A row a field that changed."""
    fiche = fiche_ou_404(choix.get("fiche", ""))
    jour = jour_de(choix)
    toutes = temps.modifications_de(fiche)
    if jour.autre:
        toutes = toutes.filter(date_effet__lte=jour.jour)
    return Contenu(_lignes_passees(user, fiche, toutes), nom=_en_nom(fiche))


_ETATS = {
    "remplacee": "remplacée", "annulee": "annulée", "defaite": "défaite", "prevu": "prévue",
}  # fmt: skip


def _lignes_passees(user: User, fiche: Fiche, toutes: QuerySet[Modification]) -> Iterator[Ligne]:
    yield ("Saisie le", "Date d’effet", "Origine", "Par", "État", "Ce qui s’est passé", "Champ", "Avant", "Après")
    for lot in lots(toutes.iterator(chunk_size=LOT), LOT):
        for e in lignes_de(user, fiche, lot):
            debut = (e["quand"], e["date_effet"], e["titre"], e["qui"], _ETATS.get(e["etat"], ""), e["texte"])
            for d in e["differences"] or [{"champ": "", "avant": "", "apres": ""}]:
                yield cellules(*debut, d["champ"], _en_texte(d["avant"]), _en_texte(d["apres"]))


def comparaison(user: User, choix: QueryDict) -> Contenu:
    """``fiche``: its identifier; ``du``, ``au``. A row a field that changed, or a fiche that came, left or moved."""
    fiche = fiche_ou_404(choix.get("fiche", ""))
    form, du, au = deux_jours(choix)
    if form.errors:
        raise Invalide("jours", "Ces deux dates ne peuvent pas être comparées : revenez à la page et corrigez-les.")
    droits = regles.droits_sur(user, fiche)
    changements = changements_entre(fiche, du, au, droits.champs_caches)
    return Contenu(_lignes_comparees(droits, changements, du, au), nom=f"{_en_nom(fiche)}-{du}-{au}")


def _lignes_comparees(droits: regles.Droits, changements: list[Changement], du: date, au: date) -> Iterator[Ligne]:
    yield (
        "Ce qui a changé", "Niveau", "Fiche", "Identifiant", "Place", "Champ", "Avant", "Après", "Pourquoi",
    )  # fmt: skip
    for lot in lots(changements, LOT):
        detailler(droits, lot, du, au)
        for c in lot:
            quoi = ", ".join(NATURES[n][1] for n in c.natures)
            debut = (quoi, c.niveau, c.nom, c.ecart.identifiant, c.chemin)
            causes = "\n".join(c.causes)
            if c.de or c.vers or not c.lignes:
                yield cellules(*debut, "Rattachement" if c.de or c.vers else "", c.de, c.vers, causes)
            for d in c.lignes:
                yield cellules(*debut, d["champ"], _en_texte(d["avant"]), _en_texte(d["apres"]), d["cause"] or causes)


def _en_nom(fiche: Fiche) -> str:
    return fiche.identifiant.replace("/", "-")


def _en_texte(valeur: Any) -> str:
    return "\n".join(map(_en_texte, valeur)) if isinstance(valeur, list | tuple) else str(valeur or "")
