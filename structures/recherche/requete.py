"""From criteria to establishments, to their list and to the units that explain it."""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Collection
from datetime import date
from typing import Any, NamedTuple

from django.db.models import Avg, BooleanField, F, FloatField, Func, Q, QuerySet, Value
from django.db.models.functions import ACos, Cos, Greatest, Least, Radians, Sin

from backoffice.comptes.models import User
from backoffice.socle.semaine import en_heure

from ..completude import fiches_incompletes
from ..enums import ChampEG, Niveau
from ..models import (
    Favori,
    Fraicheur,
    RegleCategorie,
    Reservation,
    Signalement,
    VersionFiche,
)
from ..requetes import versions_au
from .criteres import ARRONDISSEMENTS, Criteres, en_commune
from .mots import avec_les_mots, codes_du_mot, contient, dans_l_unite, dans_les_departements, libelles_cherches

RAYON_TERRE_KM = 6371.0
KM_PAR_DEGRE = 111.2
OUVERTURE = "01"  # kind of hours, R252

# Criteria on the content of an UO, by column.
_COLONNES_CODE = {"types": "type_uo", "modes": "mode_prise_en_charge", "temporalites": "temporalite_accueil"}
_COLONNES_CODES = {"activites": "activites", "actes": "actes", "publics": "publics"}
COLONNES_UO = _COLONNES_CODE | _COLONNES_CODES


# -- criteria on a fiche -----------------------------------------------------------------------------------


class Ouvert(Func):
    """The hours of opening in force on a day hold that weekday and minute: the last typical week begun by then."""

    output_field = BooleanField()

    def __init__(self, jour: date, ouvert: tuple[int, int]) -> None:
        super().__init__(F("horaires"))
        self.jour, self.ouvert = jour, ouvert

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **kwargs: Any) -> tuple[str, tuple[Any, ...]]:
        horaires, parametres = compiler.compile(self.source_expressions[0])
        prefixe, heure = f"{OUVERTURE}/", en_heure(self.ouvert[1])
        sql = f"""EXISTS (
            SELECT FROM (SELECT value FROM jsonb_each({horaires})
                         WHERE starts_with(key, %s) AND substr(key, %s) <= %s ORDER BY key DESC LIMIT 1) AS semaine,
                 jsonb_array_elements(semaine.value -> %s) AS plage
            WHERE plage ->> 0 <= %s AND plage ->> 1 > %s)"""  # noqa: S608 (a column of ours)
        return sql, (
            *parametres, prefixe, len(prefixe) + 1, self.jour.isoformat(), str(self.ouvert[0]), heure, heure,
        )  # fmt: skip


def _fermees_un_temps(jour: date) -> Q:
    """Whose hours say nothing on that day: the fiche of such a unit says neither « ouvert » nor « fermé »."""
    return Q(date_fermeture__lte=jour) & (Q(date_reouverture__isnull=True) | Q(date_reouverture__gt=jour))


def fiches(criteres: Criteres) -> QuerySet[VersionFiche] | None:
    """The versions on the day that meet the criteria on the content of a fiche; None when there are none.

    All those criteria speak of units, but ``incomplet`` alone, which any fiche below or at the EG can be.
    """
    trouvees = versions_au(criteres.jour).order_by()
    conditions = [Q((f"{col}__in", codes)) for nom, col in _COLONNES_CODE.items() if (codes := getattr(criteres, nom))]
    conditions += [
        Q((f"{col}__overlap", list(codes))) for nom, col in _COLONNES_CODES.items() if (codes := getattr(criteres, nom))
    ]
    if criteres.sensible:
        conditions.append(Q(unite_sensible=True))
    if criteres.ouvert:
        conditions.append(Q(Ouvert(criteres.jour, criteres.ouvert)) & ~_fermees_un_temps(criteres.jour))
    if conditions:
        conditions.append(Q(niveau=Niveau.UO))
    if criteres.incomplet:
        medico_sociaux = versions_au(criteres.jour).order_by().filter(_du_champ([ChampEG.MEDICO_SOCIAL]))
        conditions.append(~Q(niveau=Niveau.EJ) & fiches_incompletes(medico_sociaux.values("fiche")))
    return trouvees.filter(*conditions) if conditions else None


# -- criteria on an establishment --------------------------------------------------------------------------


def _du_champ(champs: Collection[str]) -> Q:
    """Establishments of these champs; a category without a rule is médico-social (``requetes.champ_et_filiere``)."""
    regles = RegleCategorie.objects.order_by()
    if ChampEG.MEDICO_SOCIAL in champs:
        dehors = Q(categorie__in=regles.exclude(champ__in=champs).values("pk"))
        return Q(niveau=Niveau.EG) & ~dehors
    return Q(niveau=Niveau.EG, categorie__in=regles.filter(champ__in=champs).values("pk"))


def _dans_les_communes(communes: Collection[str]) -> Q:
    condition = Q(commune__in=communes)
    for code in communes:
        if code in ARRONDISSEMENTS:
            condition |= Q(commune__startswith=ARRONDISSEMENTS[code])
    return condition


def _autour(autour: tuple[str, int], jour: date) -> Q:
    """Within so many km of the middle of the establishments of a commune; a box of degrees goes before the sphere."""
    commune, km = autour
    centre = en_commune(commune, jour).aggregate(latitude=Avg("latitude"), longitude=Avg("longitude"))
    latitude, longitude = centre["latitude"], centre["longitude"]
    if latitude is None or longitude is None:
        return Q(pk=0)  # nothing is around a place that the register can't locate
    marge = km / KM_PAR_DEGRE
    cosinus = (
        Sin(Radians(F("latitude"))) * Sin(Radians(Value(latitude)))
        + Cos(Radians(F("latitude")))
        * Cos(Radians(Value(latitude)))
        * Cos(Radians(F("longitude") - Value(longitude)))
    )  # fmt: skip
    distance = ACos(Least(1.0, Greatest(-1.0, cosinus)), output_field=FloatField()) * RAYON_TERRE_KM
    return Q(latitude__range=(latitude - marge, latitude + marge)) & Q(LessOrEqual(distance, Value(float(km))))


class LessOrEqual(Func):
    arg_joiner = " <= "
    template = "(%(expressions)s)"
    output_field = BooleanField()


def mois_avant(jour: date, mois: int) -> date:
    """The same day so many months before, the last of the month when there is none such."""
    annee, rang = divmod(jour.year * 12 + jour.month - 1 - mois, 12)
    return date(annee, rang + 1, min(jour.day, monthrange(annee, rang + 1)[1]))


def _favoris(user: User, jour: date) -> QuerySet[Any]:
    """The favourite establishments, those of a favourite fiche and those of a favourite EJ."""
    siens = Favori.objects.filter(user=user).order_by()
    des_ej = versions_au(jour).order_by().filter(niveau=Niveau.EG, parent__in=siens.values("fiche"))
    return siens.filter(fiche__eg__isnull=False).values("fiche__eg").union(des_ej.values("fiche"))


def etablissements(criteres: Criteres, user: User, siens: Collection[int] = ()) -> QuerySet[VersionFiche]:
    """The establishments (EG versions of the day) that meet the criteria, in the order of their names; ``siens`` do
    whatever the MSS box."""
    candidats, verification = _candidats(criteres, user, siens)
    return candidats.filter(verification)


def _candidats(c: Criteres, user: User, siens: Collection[int] = ()) -> tuple[QuerySet[VersionFiche], Q]:
    """(establishments that meet the criteria, but for what is left to verify of the words of each of them)."""
    egs = versions_au(c.jour).filter(niveau=Niveau.EG).order_by("recherche", "fiche_id")
    if c.champs:
        egs = egs.filter(_du_champ(c.champs))
    elif not c.mss:
        sanitaires = _du_champ([ChampEG.SANITAIRE])
        egs = egs.filter(sanitaires | Q(fiche__in=siens) if siens else sanitaires)
    if c.departements:
        egs = egs.filter(dans_les_departements(c.departements))
    if c.communes:
        egs = egs.filter(_dans_les_communes(c.communes))
    if c.autour:
        egs = egs.filter(_autour(c.autour, c.jour))
    if c.categories:
        egs = egs.filter(categorie__in=c.categories)
    egs = _suivis(egs, c, user)
    trouvees = fiches(c)
    if trouvees is not None:
        egs = egs.filter(fiche__in=trouvees.values("eg"))
    return avec_les_mots(egs, c.mots, c.jour)


def _suivis(egs: QuerySet[VersionFiche], c: Criteres, user: User) -> QuerySet[VersionFiche]:
    """Those that the people around them follow so: news, dossier, favourites, errors reported."""
    if c.sans_nouvelles:
        recentes = Fraicheur.objects.filter(a_jour_le__date__gte=mois_avant(c.jour, c.sans_nouvelles), eg__isnull=False)
        egs = egs.exclude(fiche__in=recentes.order_by().values("eg"))
    if c.en_dossier:
        egs = egs.filter(fiche__in=Reservation.objects.order_by().values("eg"))
    if c.favoris:
        egs = egs.filter(fiche__in=_favoris(user, c.jour))
    if c.signale:
        ouverts = Signalement.objects.filter(clos_le__isnull=True, fiche__eg__isnull=False).order_by()
        egs = egs.filter(fiche__in=ouverts.values("fiche__eg"))
    return egs


def compter(
    criteres: Criteres,
    user: User,
    *,
    siens: Collection[int] = (),
    sauf: Collection[int] = (),
    plafond: int | None = None,
) -> int:
    """How many ``etablissements``, those of ``sauf`` left out; counting stops at ``plafond``."""
    egs = etablissements(criteres, user, siens).order_by().exclude(fiche__in=sauf)
    return egs[:plafond].count() if plafond else egs.count()


# -- the list ----------------------------------------------------------------------------------------------


class Page(NamedTuple):
    """A page of establishments, with the ids to ask for its neighbours (None: there is none)."""

    lignes: list[VersionFiche]
    precedent: int | None
    suivant: int | None


def page(
    criteres: Criteres,
    user: User,
    *,
    apres: int | None = None,
    avant: int | None = None,
    taille: int = 50,
    sauf: Collection[int] = (),
) -> Page:
    """Keyset page over (recherche, fiche): what follows the EG ``apres`` or precedes ``avant``, without ``sauf``.

    An unknown EG gives the first page. Two statements, one more to find the EG named and one by round that verifies
    words (``_premieres``: the index proposes what has the words on other days too, in rounds four times as large).
    """
    egs, verification = _candidats(criteres, user)
    egs = egs.exclude(fiche__in=sauf)
    repere = avant if apres is None else apres
    borne = (
        versions_au(criteres.jour)
        .filter(fiche=repere, niveau=Niveau.EG)
        .values_list("recherche", "fiche_id")
        .first()
        if repere
        else None
    )  # fmt: skip
    arriere = borne is not None and apres is None
    if borne is not None:
        texte, cle = borne
        sens = "lt" if arriere else "gt"
        # The first condition says nothing more, but it is the one that the index can start from.
        egs = egs.filter(Q((f"recherche__{sens}e", texte))).filter(
            Q((f"recherche__{sens}", texte)) | Q((f"fiche_id__{sens}", cle))
        )
    ordre = ("-recherche", "-fiche_id") if arriere else ("recherche", "fiche_id")
    cles = _premieres(egs.order_by(*ordre), verification, taille + 1)
    encore, cles = len(cles) > taille, cles[:taille]
    if arriere:
        cles.reverse()
    lues = {v.fiche_id: v for v in versions_au(criteres.jour).filter(fiche__in=cles).select_related("fiche")}
    lignes = [lues[cle] for cle in cles if cle in lues]  # one may have closed in between
    avant_elle = encore if arriere else borne is not None
    apres_elle = True if arriere else encore
    return Page(
        lignes,
        lignes[0].fiche_id if lignes and avant_elle else None,
        lignes[-1].fiche_id if lignes and apres_elle else None,
    )


def _premieres(egs: QuerySet[VersionFiche], verification: Q, nombre: int) -> list[int]:
    """The ids of the first ``nombre`` establishments that stand the verification, which is only made in the order of
    the list: a frequent word is verified some fifty times, not for the whole register."""
    trouvees: list[int] = []
    # The ids only: the index of the list holds all that this asks, and the rows are wide.
    candidats = egs.values_list("fiche_id", flat=True)
    debut, lot = 0, nombre
    while True:
        cles = list(candidats[debut : debut + lot])
        bonnes = (
            set(egs.order_by().filter(verification, fiche__in=cles).values_list("fiche_id", flat=True))
            if verification
            else cles
        )
        trouvees += [cle for cle in cles if cle in bonnes]
        if len(trouvees) >= nombre or len(cles) < lot:
            return trouvees[:nombre]
        debut, lot = debut + lot, 4 * lot  # the index also knows the words of other days


# -- why an establishment is there -------------------------------------------------------------------------


class Offre(NamedTuple):
    """A unit that explains an answer."""

    fiche_id: int
    identifiant: str
    nom: str
    type_uo: str


def offres(criteres: Criteres, egs: Collection[int]) -> dict[int, list[Offre]]:
    """By establishment, its fiches that meet the criteria on fiches; without such criteria, the units that hold the
    words which the establishment itself does not. By name; establishments without any are left out."""
    trouvees = fiches(criteres)
    if trouvees is None and not criteres.mots:
        return {}
    if trouvees is not None:
        return _par_eg(trouvees.filter(eg__in=egs))
    jour = criteres.jour
    libelles = libelles_cherches()
    propres = dict(versions_au(jour).filter(niveau=Niveau.EG, fiche__in=egs).values_list("fiche_id", "recherche"))
    restants: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for eg, texte in propres.items():
        restants[tuple(mot for mot in criteres.mots if not contient(texte, mot))].append(eg)
    des_mots = Q(pk__in=[])
    for mots, concernes in restants.items():
        if mots:
            des_mots |= Q(*[dans_l_unite(mot, codes_du_mot(libelles, mot)) for mot in mots], eg__in=concernes)
    return _par_eg(versions_au(jour).filter(des_mots, niveau=Niveau.UO))


def _par_eg(versions: QuerySet[VersionFiche]) -> dict[int, list[Offre]]:
    resultat: dict[int, list[Offre]] = defaultdict(list)
    for eg, *ligne in versions.order_by("recherche", "fiche_id").values_list(
        "eg_id", "fiche_id", "fiche__identifiant", "nom", "type_uo"
    ):
        resultat[eg].append(Offre(*ligne))
    return dict(resultat)
