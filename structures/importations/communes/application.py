"""The import of the communes of a year from end to end, in the transaction of the caller."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from django.utils import timezone

from backoffice.socle.mots import nombre, pluriel

from ...champs import CHAMPS
from ...champs import libelle as libelle_du_champ
from ...domaine.cog import departement
from ...domaine.enregistrer import refaire_les_textes
from ...enums import SortDetail
from ...models import Commune, Departement, Importation, VersionFiche
from ..bilan import Bilan, Detail
from ..genres import Genre
from ..lecture import FichierRefuse
from ..suivi import Suivi
from . import table
from .fiches import Suite, faire_suivre, tenants
from .lecture import COMMUNE, Annee, CommuneLue, lire
from .mouvements import Devenir, devenir


def importer(chemin: Path, suivi: Suivi) -> Bilan:
    """Bring the list up to date, close the communes that are no more, and make the fiches follow them."""
    depot = Importation.objects.filter(pk=suivi.numero).first() if suivi.numero else None
    annee = lire(chemin, depot.fichier if depot else chemin.name, suivi)
    tenues = dict(Commune.objects.actuelles().values_list("code", "nom"))
    _exiger_recente(annee)
    suite = devenir(annee.mouvements, tenues, annee.communes if annee.complete else None, timezone.localdate())
    if not annee.complete:
        _deduire(annee, suite, tenues)
    _sans_repreneur(annee, suite, tenues)
    suivi.etape("Comparaison avec les communes tenues", len(annee.communes))
    ecarts = table.poser(annee.communes.values())
    absentes = _absentes(annee, suite, tenues)
    table.fermer(
        {code: (jour, apres) for code, (jour, apres) in suite.successeurs.items()}
        | {code: (jour, "") for code, (jour, apres) in suite.partages.items() if code not in apres}
    )
    faites, attendent = faire_suivre(suivi)
    if ecarts.visibles:
        suivi.etape("Fiches des communes qui changent de nom")
        refaire_les_textes(ecarts.visibles)
    details = [*ecarts.details, *_fermetures(suite, tenues), *_fiches(suite, faites, attendent, absentes, tenues)]
    details += [
        Detail(SortDetail.IGNORE, cle=nom, raison="ni liste de communes, ni mouvements") for nom in annee.autres
    ]
    details += [Detail(SortDetail.IGNORE, cle=code, raison="répétée à l’identique") for code in annee.repetes]
    phrases = list(_phrases(annee, suite, ecarts, faites, attendent, absentes))
    return Bilan(phrases, {}, details, complet=not ecarts.changements)


def _exiger_recente(annee: Annee) -> None:
    """A list that still has a commune that is no more is of an older year, unless a movement since gives it back."""
    if not annee.complete:
        return
    aujourdhui = timezone.localdate()
    rendues: dict[str, date] = {}
    for m in annee.mouvements:
        if m.avant != m.apres and m.jour <= aujourdhui:
            rendues[m.apres] = max(m.jour, rendues.get(m.apres, m.jour))
    finies = Commune.objects.filter(code__in=annee.communes, date_fin__isnull=False).order_by("code")
    for code, nom, fin in finies.values_list("code", "nom", "date_fin"):
        if fin and rendues.get(code, date.min) <= fin:
            raise FichierRefuse(
                f"{nom} ({code}) y figure, alors qu’elle n’est plus une commune depuis le {fin:%d/%m/%Y} : cette liste "
                "est d’une année plus ancienne. Si cette commune a été rétablie depuis, déposez la liste avec les "
                "mouvements, dans une archive zip.",
                ligne=annee.communes[code].ligne or None,
            )


def _deduire(annee: Annee, suite: Devenir, tenues: dict[str, str]) -> None:
    """The communes that the movements make or rename, when they come without the list of the year."""
    origines: dict[str, list[str]] = {}
    for avant, (_, apres) in suite.successeurs.items():
        origines.setdefault(apres, []).append(avant)
    for avant, (_, tous) in suite.partages.items():
        for apres in tous:
            origines.setdefault(apres, []).append(avant)
    nouvelles = origines.keys() - tenues.keys()
    citees = {avant for apres in nouvelles for avant in origines[apres]} | {code for code, *_ in suite.renommees}
    connues = Commune.objects.in_bulk(citees)
    regions = dict(Departement.objects.values_list("code", "region"))
    for code in sorted(nouvelles & suite.noms.keys()):
        de = [connues[avant] for avant in origines[code]]
        codes_postaux = sorted({cp for c in de for cp in c.codes_postaux})
        epci = {(c.epci, c.epci_nom) for c in de}
        cle, nom = epci.pop() if len(epci) == 1 else ("", "")
        annee.communes[code] = CommuneLue(
            0, code, suite.noms[code][:100], COMMUNE, departement(code), regions.get(departement(code), ""),
            codes_postaux, cle, nom, None,
        )  # fmt: skip
    noms = {code: tenues[code] for code, *_ in suite.renommees if code in tenues}
    for code, avant, apres in suite.renommees:
        if noms.get(code) == avant:
            noms[code] = apres
    for code, nom in noms.items():
        c = connues[code]
        if nom != tenues[code] and code not in suite.successeurs:
            annee.communes[code] = CommuneLue(0, code, nom[:100], c.type, c.departement, None, None, None, None, None)


def _sans_repreneur(annee: Annee, suite: Devenir, tenues: dict[str, str]) -> None:
    """A commune that would become one that nobody knows is for a person to look at."""
    for code, (jour, apres) in list(suite.successeurs.items()):
        if apres not in tenues and apres not in annee.communes:
            del suite.successeurs[code]
            suite.partages[code] = (jour, [apres])


def _absentes(annee: Annee, suite: Devenir, tenues: dict[str, str]) -> list[str]:
    if not annee.complete:
        return []
    return sorted(tenues.keys() - annee.communes.keys() - suite.successeurs.keys() - suite.partages.keys())


def _fermetures(suite: Devenir, tenues: dict[str, str]) -> Iterator[Detail]:
    for code, (jour, apres) in sorted(suite.successeurs.items()):
        yield Detail(SortDetail.FERME, cle=code, nom=tenues[code], champ="Devenue", apres=apres,
                     raison=f"n’est plus une commune depuis le {jour:%d/%m/%Y}")  # fmt: skip
    for code, (jour, tous) in sorted(suite.partages.items()):
        if code not in tous:
            yield Detail(SortDetail.FERME, cle=code, nom=tenues[code], champ="Partagée", apres=", ".join(tous),
                         raison=f"n’est plus une commune depuis le {jour:%d/%m/%Y}")  # fmt: skip


def _fiches(
    suite: Devenir, faites: list[Suite], attendent: list[Suite], absentes: list[str], tenues: dict[str, str]
) -> Iterator[Detail]:
    # Those that an earlier import closed and that some fiche still holds are shown again, until somebody corrects it.
    anciennes = {
        code: (nom, fin)
        for code, nom, fin in Commune.objects.filter(date_fin__isnull=False, devenue="")
        .exclude(code__in=suite.partages)
        .values_list("code", "nom", "date_fin")
    }
    a_la_main = tenants([*suite.partages, *absentes, *anciennes])
    cles = {s.fiche for s in (*faites, *attendent)} | {fiche for fiche, *_ in a_la_main}
    noms = {
        v.fiche_id: (v.nom, v.niveau, v.fiche.identifiant)
        for v in VersionFiche.objects.filter(fiche__in=cles).order_by("fiche_id", "validite").select_related("fiche")
    }

    def detail(sort: SortDetail, fiche: int, champ: str, avant: str, apres: str, raison: str) -> Detail:
        nom, niveau, identifiant = noms[fiche]
        mot = libelle_du_champ(CHAMPS[champ], niveau)
        return Detail(sort, cle=avant, nom=nom, fiche=identifiant, champ=mot, avant=avant, apres=apres, raison=raison)

    for s in faites:
        raison = f"à partir du {s.effet:%d/%m/%Y}"
        yield detail(SortDetail.CHANGE, s.fiche, s.champ, s.ancien, s.nouveau, raison)
    for s in attendent:
        raison = "un dossier envoyé en validation change cette fiche : refaites cet import quand il sera terminé"
        yield detail(SortDetail.CONSERVE, s.fiche, s.champ, s.ancien, s.nouveau, raison)
    for fiche, champ, code in a_la_main:
        if code in suite.partages:
            jour, tous = suite.partages[code]
            raison = f"le territoire de {tenues[code]} a été partagé le {jour:%d/%m/%Y} : à corriger à la main"
            yield detail(SortDetail.SIGNALE, fiche, champ, code, " ou ".join(tous), raison)
        elif code in anciennes:
            nom, fin = anciennes[code]
            raison = f"{nom} n’est plus une commune depuis le {fin:%d/%m/%Y}, son territoire a été partagé : à corriger"
            yield detail(SortDetail.SIGNALE, fiche, champ, code, "", f"{raison} à la main")
        else:
            raison = f"{tenues[code]} n’est pas dans la liste, et aucun mouvement ne dit ce qu’elle est devenue"
            yield detail(SortDetail.SIGNALE, fiche, champ, code, "", raison)


def _phrases(
    annee: Annee,
    suite: Devenir,
    ecarts: table.Ecarts,
    faites: list[Suite],
    attendent: list[Suite],
    absentes: list[str],
) -> Iterator[str]:
    for fichier, encodage in annee.encodages.items():
        yield f"{fichier} : lu en {encodage}."
    if annee.complete:
        yield f"Communes de la liste : {nombre(len(annee.communes))}."
    if annee.mouvements:
        yield f"Mouvements lus : {nombre(len(annee.mouvements))}."
    yield f"Communes nouvelles : {ecarts.nouvelles}. Communes qui n’existent plus : {len(suite.successeurs)}."
    for champ, combien in sorted(ecarts.changements.items()):
        yield f"{champ} : {nombre(combien)} commune{pluriel(combien)} changée{pluriel(combien)}."
    fiches = len({s.fiche for s in faites})
    if fiches:
        yield f"Fiches qui suivent leur commune : {nombre(fiches)}."
    if attendent:
        yield f"Fiches qu’un dossier envoyé retient : {nombre(len({s.fiche for s in attendent}))}."
    if suite.partages:
        yield f"Communes partagées, dont les fiches sont à examiner : {len(suite.partages)}."
    if absentes:
        yield (
            f"Communes absentes de la liste sans qu’un mouvement le dise, laissées telles : {nombre(len(absentes))}. "
            "Déposez la liste et les mouvements ensemble, dans une archive zip."
        )
    if suite.a_venir:
        yield f"Mouvements à venir, laissés de côté jusqu’à leur jour : {nombre(suite.a_venir)}."


COMMUNES = Genre(
    "communes",
    "Communes (COG)",
    "La liste des communes d’une année et les mouvements (v_commune et v_mvt_commune de l’Insee, ou la liste du paquet "
    "decoupage-administratif) : un CSV, ou une archive zip des deux. Les fiches suivent les communes qui ont fusionné.",
    (".csv", ".zip"),
    importer,
)
