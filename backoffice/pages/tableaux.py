"""The tables of the supervision: what the page shows, what its figures lead to and what its export holds are one."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from backoffice.exports.fichiers import Ligne
from backoffice.socle.mots import nombre
from workflows import supervision
from workflows.durees import Duree
from workflows.enums import ETAPES, TypeEvenement
from workflows.supervision import TRANCHES, Periode, Position

LIMITE_PERSONNES = 20


@dataclass(frozen=True, slots=True)
class Case:
    """A figure, or words; ``url``: the list behind it. ``alerte``: it asks for attention."""

    valeur: str | int | float
    url: str = ""
    alerte: bool = False


@dataclass(frozen=True, slots=True)
class Barre:
    """Two lengths of one bar, in hundredths of the longest: the late part stands after the other."""

    premier: int
    second: int


@dataclass(frozen=True, slots=True)
class Tableau:
    """``nom`` is that of its export. The first column names the line; ``barres``: a bar for each line, or none."""

    nom: str
    titre: str
    colonnes: tuple[str, ...]
    lignes: list[tuple[Case, ...]] = field(default_factory=list)
    barres: list[Barre] = field(default_factory=list)

    @property
    def avec_barres(self) -> Iterator[tuple[tuple[Case, ...], Barre | None]]:
        for rang, ligne in enumerate(self.lignes):
            yield ligne, self.barres[rang] if self.barres else None

    def cellules(self) -> Iterator[Ligne]:
        yield self.colonnes
        for ligne in self.lignes:
            yield [case.valeur for case in ligne]


def _adresse(nom: str, **parametres: object) -> str:
    donnes = {cle: str(valeur) for cle, valeur in parametres.items() if valeur not in ("", None)}
    return f"{reverse(nom)}?{urlencode(donnes)}" if donnes else reverse(nom)


def url_taches(**parametres: object) -> str:
    return _adresse("supervision_taches", **parametres)


def _compte(valeur: int, url: str, *, alerte: bool = False) -> Case:
    """A zero leads nowhere."""
    return Case(valeur, url, alerte) if valeur else Case(0)


def _barres(couples: list[tuple[int, int]]) -> list[Barre]:
    """A line that holds something shows something."""
    plus_longue = max((a + b for a, b in couples), default=0) or 1

    def part(n: int) -> int:
        return max(1, round(100 * n / plus_longue)) if n else 0

    return [Barre(part(a), part(b)) for a, b in couples]


# -- where the dossiers are ----------------------------------------------------------------------------


def _durees(duree: Duree | None) -> tuple[Case, Case]:
    """Median and nine in ten, in words; neither when too few decisions say it."""
    if duree is None or not duree.parle:
        return Case("trop peu de cas"), Case("")
    return Case(en_jours(duree.mediane)), Case(en_jours(duree.p90))


def en_jours(jours: float) -> str:
    """« 4 j », « 2,5 j », « moins d’un jour »."""
    return "moins d’un jour" if jours < 1 else f"{nombre(round(jours, 1)).removesuffix(',0')} j"


def par_etape(positions: dict[str, Position], durees: dict[tuple[str, str], Duree]) -> Tableau:
    tableau = Tableau(
        "etapes",
        "Dossiers ouverts, par étape",
        ("Étape", "Dossiers", "En retard", "Le plus ancien (jours)", "Tâches prises", "Durée médiane", "9 fois sur 10"),
    )
    aujourdhui = timezone.localdate()
    for noeud, etape in ETAPES.items():
        p = positions.get(noeud)
        tableau.lignes.append(
            (
                Case(etape.titre),
                _compte(p.dossiers if p else 0, url_taches(etape=noeud)),
                _compte(p.en_retard if p else 0, url_taches(etape=noeud, retard="oui"), alerte=True),
                Case((aujourdhui - timezone.localtime(p.plus_ancienne).date()).days if p else ""),
                Case(p.prises if p and etape.reservable else 0 if p is None else "en équipe"),
                *_durees(durees.get((noeud, ""))),
            )
        )
    return tableau


# -- the backlog ---------------------------------------------------------------------------------------


def par_age(arrieres: list[supervision.Arriere]) -> Tableau:
    """All steps together, with bars: on time, then late."""
    tableau = Tableau("ages", "Tâches ouvertes, par âge", ("Âge", "Tâches", "En retard"))
    couples = []
    for rang, tranche in enumerate(TRANCHES):
        total = sum(a.nombres[rang] for a in arrieres)
        retard = sum(a.retards[rang] for a in arrieres)
        couples.append((total - retard, retard))
        tableau.lignes.append(
            (
                Case(tranche.libelle),
                _compte(total, url_taches(tranche=tranche.cle)),
                _compte(retard, url_taches(tranche=tranche.cle, retard="oui"), alerte=True),
            )
        )
    tableau.barres.extend(_barres(couples))
    return tableau


def arrieres_par_etape(arrieres: list[supervision.Arriere]) -> Tableau:
    tableau = Tableau(
        "anciennete",
        "Tâches ouvertes, par étape et autorité",
        ("Étape", *(t.libelle for t in TRANCHES), "Total", "En retard"),
    )
    for a in arrieres:
        ici = {"etape": a.noeud, "autorite": a.autorite}
        titre = ETAPES[a.noeud].titre
        tableau.lignes.append(
            (
                Case(f"{titre} – {a.nom_autorite}" if a.nom_autorite else titre),
                *(
                    _compte(n, url_taches(**ici, tranche=t.cle), alerte=bool(r))
                    for t, n, r in zip(TRANCHES, a.nombres, a.retards, strict=True)
                ),
                _compte(sum(a.nombres), url_taches(**ici)),
                _compte(sum(a.retards), url_taches(**ici, retard="oui"), alerte=True),
            )
        )
    return tableau


# -- what was done -------------------------------------------------------------------------------------

MESURES: dict[str, str] = {
    TypeEvenement.CREE: "Créés",
    TypeEvenement.ENVOYE: "Envoyés",
    TypeEvenement.VALIDE: "Validés par la Direction",
    TypeEvenement.RENVOYE: "Renvoyés",
    TypeEvenement.APPROUVE: "Approuvés",
    TypeEvenement.REFUSE: "Refusés",
    TypeEvenement.PUBLIE: "Publiés",
}
REPONSES: dict[str, str] = {reponse: reponse.label for reponse in supervision.REPONSES}


def url_actes(periode: Periode, **parametres: object) -> str:
    return _adresse("supervision_actes", du=periode.du.isoformat(), au=periode.au.isoformat(), **parametres)


def url_activite(periode: Periode) -> str:
    return _adresse("supervision_activite", du=periode.du.isoformat(), au=periode.au.isoformat())


def semaine_en_mots(semaine: Periode) -> str:
    """« 2026-S53, du 28/12 au 03/01 »: the ISO year is that of its Thursday."""
    annee, rang, _ = semaine.du.isocalendar()
    return f"{annee}-S{rang:02d}, du {semaine.du:%d/%m} au {semaine.au:%d/%m}"


def par_semaine(periode: Periode) -> Tableau:
    """With bars: what was published, then what was refused."""
    tableau = Tableau("semaines", "Par semaine", ("Semaine", *MESURES.values()))
    couples = []
    for semaine, nombres in supervision.par_semaine(periode):
        couples.append((nombres.get(TypeEvenement.PUBLIE, 0), nombres.get(TypeEvenement.REFUSE, 0)))
        tableau.lignes.append(
            (
                Case(semaine_en_mots(semaine)),
                *(_compte(nombres.get(m, 0), url_actes(semaine, mesure=m)) for m in MESURES),
            )
        )
    tableau.barres.extend(_barres(couples))
    return tableau


def par_autorite(periode: Periode, durees: dict[tuple[str, str], Duree]) -> Tableau:
    tableau = Tableau(
        "autorites", "Par autorité", ("Qui se prononce", *REPONSES.values(), "Total", "Durée médiane", "9 fois sur 10")
    )
    for ligne in supervision.par_autorite(periode):
        ici = {"etape": ligne.noeud, "autorite": ligne.autorite}
        nombres = [ligne.nombres.get(r, 0) for r in REPONSES]
        if not any(nombres):
            continue
        tableau.lignes.append(
            (
                Case(ligne.nom or ETAPES[ligne.noeud].titre),
                *(_compte(n, url_actes(periode, **ici, reponse=r)) for r, n in zip(REPONSES, nombres, strict=True)),
                Case(sum(nombres)),
                *_durees(durees.get((ligne.noeud, ligne.autorite))),
            )
        )
    return tableau


def par_personne(periode: Periode, limite: int | None) -> Tableau:
    tableau = Tableau("personnes", "Par personne", ("Personne", *MESURES.values(), "Total"))
    for ligne in supervision.par_personne(periode, limite):
        tableau.lignes.append(
            (
                Case(ligne.nom),
                *(_compte(ligne.nombres[m], url_actes(periode, personne=ligne.personne, mesure=m)) for m in MESURES),
                _compte(sum(ligne.nombres.values()), url_actes(periode, personne=ligne.personne)),
            )
        )
    return tableau
