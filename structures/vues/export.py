"""« Exporter »: the whole filtered list as a file, or the units that meet its criteria. Contacts are never in it."""

from collections.abc import Iterable, Iterator
from typing import Any, cast

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Invalide
from backoffice.socle.vues import VueProtegee

from .. import liste, recherche, requetes
from ..domaine.texte import normaliser
from ..enums import ChampEG, Niveau
from ..exports import FORMATS, Ligne, fichier
from ..models import RegleCategorie, VersionFiche
from ..recherche import Criteres
from ..recherche.requete import fiches
from .criteres import demande, en_mots

LOT = 500  # establishments read at once

CONTENUS = {"etablissements": "Établissements", "unites": "Unités qui correspondent"}
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


class ExporterView(VueProtegee):
    """The criteria of the list, ``contenu`` and ``format``: a file."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest) -> HttpResponseBase:
        contenu, format_ = request.GET.get("contenu", "etablissements"), request.GET.get("format", "csv")
        if contenu not in CONTENUS or format_ not in FORMATS:
            raise Invalide(
                "export_inconnu",
                "Cet export n’existe pas : exportez les établissements ou les unités, en CSV, XLSX ou ODS.",
            )
        jour, criteres, _ = demande(request)
        nom = f"ror-{contenu}-{jour.jour.isoformat()}{_suffixe(criteres)}"
        lignes = _lignes_eg if contenu == "etablissements" else _lignes_uo
        return fichier(format_, lignes(criteres, cast(User, request.user)), nom, CONTENUS[contenu])


def _suffixe(criteres: Criteres) -> str:
    """« -paris-75-cardiologie »: the criteria, for the name of the file."""
    mots = normaliser(en_mots([criteres.requete()])[0]).replace(" ", "-")[:60].strip("-")
    return f"-{mots}" if mots else ""


def _lots(criteres: Criteres, user: User) -> Iterator[list[VersionFiche]]:
    lot: list[VersionFiche] = []
    for version in liste.en_entier(criteres, user, _LUES, LOT):
        lot.append(version)
        if len(lot) == LOT:
            yield lot
            lot = []
    if lot:
        yield lot


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
