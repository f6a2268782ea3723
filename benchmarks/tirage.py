"""What the fiches of a made-up country look like: names, trees, patches, the changes of a life. Drawn by chance.

Codes, communes and categories are those of the shipped referentials. Names, numbers and texts are made up.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from random import Random
from typing import Any

from backoffice.pages.demo.offres import SEMAINES
from structures.domaine.patches import Patch
from structures.enums import ChampEG, Niveau, Source
from structures.importations.controles import finess_valide
from structures.models import Association, Commune, Concept, RegleCategorie

PREMIER_JOUR = date(2016, 1, 4)
_PROPRES = (
    "Saint-Joseph", "Sainte-Thérèse", "Saint-Étienne", "St-Vincent", "Ste-Anne", "Notre-Dame", "Hôtel-Dieu",
    "Simone Veil", "François Rabelais", "Ambroise Paré", "Françoise Dolto", "Léon Bérard", "Émile Zola",
    "Cœur de Lys", "La Pitié", "Les Tilleuls", "Les Œillets", "Les Érables", "Le Clos Fleuri", "Le Château",
    "La Forêt", "Les Aubépines", "L’Espérance", "Les Mimosas", "Val de Seine", "Les Glycines", "Beauséjour",
    "Bellevue", "La Source", "Les Hêtres", "L’Orée du bois", "Jean Moulin", "Pasteur", "Gérard de Nerval",
    "Les Pyrénées", "La Roseraie", "Les Capucines", "Le Chêne vert", "Aurore", "Les Quatre Vents", "Le Moulin",
    "Les Bruyères", "Louise Michel", "Marie Curie", "Jules Verne", "Les Cèdres", "Océane",
)  # fmt: skip
_VOIES = (
    "rue de la République", "avenue du Général-de-Gaulle", "boulevard Victor-Hugo", "chemin des Écoliers",
    "place de l’Église",
)  # fmt: skip
_COURTS = {
    "500": "EHPAD",
    "355": "Centre hospitalier",
    "101": "CHU",
    "354": "SSIAD",
    "183": "IME",
    "182": "SESSAD",
    "186": "ITEP",
}
_FREQUENTES = {"500": 12, "355": 6, "124": 6, "156": 6, "354": 5, "460": 5, "246": 3, "183": 3, "202": 3, "141": 3}
_MEDICAL = (
    "cardiologie", "neurologie", "gériatrie", "pédiatrie", "obstétrique", "néphrologie", "urgences", "réanimation",
    "chirurgie viscérale", "oncologie", "psychiatrie adulte", "addictologie", "pneumologie", "ophtalmologie",
    "soins de suite",
)  # fmt: skip
_PHRASES = (
    "Sur rendez-vous, avec une lettre du médecin traitant.", "Dossier à déposer sur ViaTrajectoire.",
    "Notification de la MDPH demandée.", "Accueil sans rendez-vous du lundi au vendredi.",
    "Sur avis du médecin coordonnateur.", "Évaluation gériatrique préalable.",
    "Les aidants sont reçus avec la personne.", "Liste d’attente de deux à six mois.",
)  # fmt: skip


@dataclass(slots=True)
class Acte:
    """One modification to be: ``fait_le`` is its day of entry; ``annulee_le`` the day its author took it back."""

    effet: date
    patch: Patch
    source: str
    fait_le: date
    auteur: int | None = None
    origine: str = ""
    annulee_le: date | None = None


@dataclass(frozen=True, slots=True)
class Lieu:
    commune: str
    nom: str
    departement: str
    code_postal: str
    latitude: float
    longitude: float


class Reperes:
    """What fiches are drawn from, read once."""

    def __init__(self, auteurs: list[int], jour: date) -> None:
        self.auteurs, self.jour = auteurs, jour
        self.codes: dict[str, list[str]] = {}
        self.libelles: dict[tuple[str, str], str] = {}
        for liste, code, libelle in Concept.objects.ouverts(jour).values_list("nomenclature_id", "code", "libelle"):
            self.codes.setdefault(liste, []).append(code)
            self.libelles[liste, code] = libelle
        champs = dict(RegleCategorie.objects.values_list("categorie", "champ"))
        self.champs = champs
        self.categories = {
            sanitaire: [c for c in self.codes["R66"] if (champs.get(c) == ChampEG.SANITAIRE) == sanitaire]
            for sanitaire in (True, False)
        }
        self.types: dict[str, list[str]] = {}
        for type_, champ in Association.objects.filter(cible__nomenclature="R227").values_list(
            "source__code", "cible__code"
        ):
            self.types.setdefault(champ, []).append(type_)

    @cached_property
    def lieux(self) -> tuple[list[Lieu], list[int]]:
        """Communes, and running totals of their population to draw by. Coordinates: a grid, a département a square."""
        lieux, totaux, total = [], [], 0
        departements: dict[str, int] = {}
        for code, nom, departement, postaux, population in Commune.objects.values_list(
            "code", "nom", "departement", "codes_postaux", "population"
        ):
            rang = departements.setdefault(departement, len(departements))
            place = Random(code)
            latitude, longitude = (
                42.6 + rang // 11 * 0.8 + place.random() * 0.7,
                -4.5 + rang % 11 * 1.1 + place.random(),
            )
            lieux.append(Lieu(code, nom, departement, (postaux or [""])[0], latitude, longitude))
            total += (population or 300) + 200
            totaux.append(total)
        return lieux, totaux


def finess(departement: str, rang: int) -> str:
    """A FINESS number of nine characters, Luhn key included; ``rang`` below 1,000,000 makes it unique."""
    racine = f"{departement[:2]}{rang:06d}"
    return next(racine + cle for cle in "0123456789" if finess_valide(racine + cle))


def forme(alea: Random, *, sanitaire: bool, uos: int) -> list[tuple[str, int]]:
    """(level, rank of the parent) of each fiche below an EG, parents first; rank 0 is the EG itself."""
    if not sanitaire:
        return [(Niveau.UO, 0)] * uos
    fiches: list[tuple[str, int]] = []
    dessus, nombre = [0], [max(1, round(uos / 8)), max(1, round(uos / 3.6)), max(1, round(uos / 1.8)), uos]
    for niveau, combien in zip((Niveau.POLE, Niveau.SERVICE, Niveau.UF, Niveau.UO), nombre, strict=True):
        debut = len(fiches) + 1
        fiches += [
            (niveau, dessus[i % len(dessus)] if alea.random() < 0.5 else alea.choice(dessus)) for i in range(combien)
        ]
        dessus = list(range(debut, len(fiches) + 1))
    return fiches


class Tirage:
    """The fiches of one establishment (or one EJ), always the same for the same seed."""

    def __init__(self, reperes: Reperes, graine: str, *, ej: bool = False) -> None:
        self.r, self.alea = reperes, Random(graine)
        lieux, totaux = reperes.lieux
        self.lieu = self.alea.choices(lieux, cum_weights=totaux)[0]
        self.debut = PREMIER_JOUR if ej else self._jour(PREMIER_JOUR, date(2021, 1, 4))
        self.sanitaire = self.alea.random() < 0.2
        choix = reperes.categories[self.sanitaire]
        self.categorie = self.alea.choices(choix, [_FREQUENTES.get(c, 1) for c in choix])[0]
        self.medico_social = reperes.champs.get(self.categorie) == ChampEG.MEDICO_SOCIAL
        self.ferme_le = self._jour(date(2023, 1, 2), reperes.jour) if not ej and self.alea.random() < 0.01 else None

    def nombre_uo(self) -> int:
        return 1 + min(400, int(self.alea.expovariate(1 / (4.6 if self.sanitaire else 2.4))))

    def _jour(self, du: date, au: date) -> date:
        return du + timedelta(days=self.alea.randrange(max(1, (au - du).days)))

    def _codes(self, liste: str, combien: int) -> Patch:
        codes = self.r.codes[liste]
        return {"ajoute": sorted(set(self.alea.choices(codes, k=combien)))}

    # -- contents ----------------------------------------------------------------------------------

    def _adresse(self) -> Patch:
        return {"adresse_voie": f"{self.alea.randint(1, 220)} {self.alea.choice(_VOIES)}",
                "code_postal": self.lieu.code_postal, "commune": self.lieu.commune}  # fmt: skip

    def ej(self, numero: str) -> Patch:
        nom = self.alea.choice((f"Association {self.alea.choice(_PROPRES)}", f"CH de {self.lieu.nom}",
                                f"CCAS de {self.lieu.nom}", f"SAS {self.alea.choice(_PROPRES)}"))  # fmt: skip
        return {"existe": True, "nom": nom, "finess": numero, "siren": f"{self.alea.randrange(10**9):09d}",
                "statut_juridique": self.alea.choice(self.r.codes["R72"]), **self._adresse()}  # fmt: skip

    def eg(self, numero: str, ej: int) -> Patch:
        genre = _COURTS.get(self.categorie) or self.r.libelles["R66", self.categorie].split(" (")[0][:60]
        nom = f"{genre} {self.alea.choice(_PROPRES)}" + (f" de {self.lieu.nom}" if self.alea.random() < 0.3 else "")
        return {
            "existe": True, "parent": ej, "nom": nom, "finess": numero, "siret": f"{self.alea.randrange(10**14):014d}",
            "categorie": self.categorie, "telephone": self._telephone(), "contacts": {"pose": {"c1": self._contact()}},
            "latitude": self.lieu.latitude + self.alea.uniform(-0.02, 0.02), "accessibilite": self._codes("R202", 2),
            "longitude": self.lieu.longitude + self.alea.uniform(-0.02, 0.02), **self._adresse(),
        }  # fmt: skip

    def interne(self, niveau: str, parent: int) -> Patch:
        mot = {Niveau.POLE: "Pôle", Niveau.SERVICE: "Service de", Niveau.UF: f"UF {self.alea.randint(1000, 9999)}"}
        return {"existe": True, "parent": parent, "nom": f"{mot[Niveau(niveau)]} {self.alea.choice(_MEDICAL)}"}

    def uo(self, parent: int) -> Patch:
        champ = self.alea.choice(("01", "01", "01", "02", "03")) if self.sanitaire else "04"
        type_ = self.alea.choice(self.r.types[champ])
        age = self.alea.choice((0, 0, 15, 18, 60))
        patch: Patch = {
            "existe": True, "parent": parent, "nom": f"Unité {self.r.libelles['J238', type_]}"[:255], "type_uo": type_,
            "champ_activite": champ, "mode_prise_en_charge": self.alea.choice(self.r.codes["R213"]),
            "activites": self._codes("R211", 1 + int(self.alea.expovariate(1))), "age_min": age, "age_min_unite": "an",
            "age_max": 120 if age else 17, "age_max_unite": "an", "conditions_admission": self._phrases(3),
            "horaires": {"pose": {"01/2020-01-06": self._semaine()}},
            "contacts": {"pose": {"c1": self._contact(), "c2": self._contact()}},
        }  # fmt: skip
        if self.alea.random() < 0.03:
            patch["unite_sensible"] = True
        if self.medico_social:
            patch |= {"familles_serafin": self._codes("R265", 3), "publics": self._codes("R239", 2)}
        if self.alea.random() < 0.5:
            patch |= {"actes": self._codes("R210", 3), "capacites": {"pose": {"p1": self._capacite()}}}
        if self.alea.random() < 0.1:
            lieux, totaux = self.r.lieux
            patch["territoire"] = {
                "ajoute": sorted({x.commune for x in self.alea.choices(lieux, cum_weights=totaux, k=25)})
            }
        if self.alea.random() < 0.08:  # still to be completed
            patch.pop(self.alea.choice(("activites", "age_max", "mode_prise_en_charge")))
        return patch

    def _phrases(self, combien: int) -> str:
        return " ".join(self.alea.sample(_PHRASES, combien))

    def _telephone(self) -> str:
        return f"01 99 {self.alea.randrange(100):02d} {self.alea.randrange(100):02d} {self.alea.randrange(100):02d}"

    def _contact(self) -> dict[str, Any]:
        niveau = self.alea.choice(("1", "2", "2", "2", "3"))
        return {"nature": self.alea.choice(self.r.codes["R287"]), "nom": "", "fonction": "", "confidentialite": niveau,
                "telecoms": [{"canal": "2", "valeur": self._telephone(), "confidentialite": niveau}]}  # fmt: skip

    def _capacite(self) -> dict[str, Any]:
        return {"nature": self.alea.choice(("01", "02")), "statut": "01", "nombre": self.alea.randint(1, 60)}

    def _semaine(self) -> dict[str, list[list[str]]]:
        return SEMAINES[self.alea.choice(("semaine", "semaine", "samedi", "continu"))]

    # -- a life --------------------------------------------------------------------------------------

    def vie(self, niveau: str, creation: Patch, peut_fermer: bool = True) -> list[Acte]:
        """The modifications of a fiche in the order of their entry: creation, changes, planned ones, a closing."""
        alea, jour = self.alea, self.r.jour
        fin = self.ferme_le
        if fin is None and peut_fermer and niveau == Niveau.UO and alea.random() < 0.02:
            fin = self._jour(date(2023, 1, 2), jour + timedelta(days=200))
        actes = [Acte(self.debut, creation, Source.IMPORT, self.debut, origine="reprise")]
        for fait_le in sorted(
            self._jour(self.debut + timedelta(days=1), jour)
            for _ in range(alea.choices(range(5), (15, 25, 30, 20, 10))[0])
        ):
            acte = Acte(fait_le, self._changement(niveau), Source.DIRECT, fait_le, alea.choice(self.r.auteurs))
            if alea.random() < 0.2:
                acte.source, acte.origine = Source.DOSSIER, f"dossier {alea.randrange(1, 50_000)}"
            elif alea.random() < 0.08:
                acte.effet = fait_le + timedelta(days=alea.randint(10, 200))
                acte.annulee_le = (
                    fait_le + timedelta(days=3) if alea.random() < 0.2 and fait_le < jour - timedelta(days=4) else None
                )
            actes.append(acte)
        if alea.random() < 0.04:
            actes.append(
                Acte(
                    jour + timedelta(days=alea.randint(5, 300)),
                    self._changement(niveau),
                    Source.DIRECT,
                    jour,
                    alea.choice(self.r.auteurs),
                )
            )
        if fin is not None:
            actes = [a for a in actes if a.effet < fin]
            fermeture: Patch = {"existe": False, "date_fermeture": fin.isoformat(), "type_fermeture": "DEF"}
            actes.append(
                Acte(fin, fermeture, Source.DOSSIER, min(fin, jour), alea.choice(self.r.auteurs), "dossier 50000")
            )
        return actes

    def _changement(self, niveau: str) -> Patch:
        if niveau == Niveau.EG:
            return self.alea.choice(({"telephone": self._telephone()}, {"contacts": {"pose": {"c1": self._contact()}}},
                                     {"commentaire": self._phrases(1)}))  # fmt: skip
        if niveau != Niveau.UO:
            return {"contacts": {"pose": {"c1": self._contact()}}}
        choisi = self._jour(date(2022, 1, 3), self.r.jour)
        lundi = choisi - timedelta(days=choisi.weekday())
        return self.alea.choice((
            {"activites": self._codes("R211", 1)},
            {"conditions_admission": self._phrases(2)},
            {"horaires": {"pose": {f"01/{lundi.isoformat()}": self._semaine()}}},
            {"contacts": {"pose": {"c2": self._contact()}}},
            {"actes": self._codes("R210", 2), "conditions_accueil": self._phrases(1)},
            {"capacites": {"pose": {"p1": self._capacite()}}},
        ))  # fmt: skip


def instant(jour: date) -> datetime:
    return datetime.combine(jour, time(9, 30), tzinfo=UTC)
