"""What the establishments of the demo offer, now and in their dossiers."""

from dataclasses import dataclass
from datetime import date
from typing import Any

DEPUIS = date(2024, 1, 8)  # a Monday: the demo weeks start there


@dataclass(frozen=True)
class Offre:
    """One UO of the demo in short: type J238, mode R213, activities R211, ages in years."""

    nom: str
    type_uo: str
    champ: str
    mode: str
    activites: tuple[str, ...]
    ages: tuple[int, int] = (16, 120)
    actes: tuple[str, ...] = ()
    ouverture: str = "semaine"
    places: int = 0
    sensible: bool = False
    publics: tuple[str, ...] = ()
    serafin: tuple[str, ...] = ()
    communes: tuple[str, ...] = ()

    def patch(self, parent: int) -> dict[str, Any]:
        confidentialite = "3" if self.sensible else "2"
        contact = {
            "nature": "07", "nom": "", "fonction": "", "confidentialite": confidentialite,
            "telecoms": [{"canal": "2", "valeur": "01 99 00 12 34", "confidentialite": confidentialite}],
        }  # fmt: skip
        cadre = {
            "nature": "", "nom": "Camille Martin", "fonction": "03", "confidentialite": "3",
            "telecoms": [{"canal": "3", "valeur": "cadre@etablissement.example", "confidentialite": "3"}],
        }  # fmt: skip
        patch: dict[str, Any] = {
            "existe": True, "parent": parent, "nom": self.nom, "type_uo": self.type_uo,
            "champ_activite": self.champ, "mode_prise_en_charge": self.mode,
            "activites": {"ajoute": sorted(self.activites)},
            "age_min": self.ages[0], "age_min_unite": "an", "age_max": self.ages[1], "age_max_unite": "an",
            "horaires": {"pose": {f"01/{DEPUIS.isoformat()}": SEMAINES[self.ouverture]}},
            "contacts": {"pose": {"c1": contact, "c2": cadre}},
            "conditions_admission": "Sur rendez-vous, avec une lettre du médecin traitant.",
            "unite_sensible": self.sensible,
        }  # fmt: skip
        for nom, codes in (
            ("actes", self.actes), ("publics", self.publics),
            ("familles_serafin", self.serafin), ("territoire", self.communes),
        ):  # fmt: skip
            if codes:
                patch[nom] = {"ajoute": sorted(codes)}
        if self.places:
            patch["capacites"] = {"pose": {"p1": {"nature": "01", "statut": "01", "nombre": self.places}}}
        return patch


_JOUR = [["08:30", "12:30"], ["13:30", "18:00"]]
SEMAINES: dict[str, dict[str, list[list[str]]]] = {
    "semaine": {str(j): _JOUR for j in range(1, 6)},
    "continu": {str(j): [["00:00", "24:00"]] for j in range(1, 8)},
    "samedi": {**{str(j): _JOUR for j in range(1, 6)}, "6": [["09:00", "12:00"]]},
}

# Hospital: pôle → service → UF → offers. Types, modes and activities are real NOS codes.
HOPITAL: dict[str, dict[str, dict[str, list[Offre]]]] = {
    "Pôle Urgences et soins critiques": {
        "Service d’accueil des urgences": {
            "UF 1201 Urgences adultes": [
                Offre("Unité d’urgences adultes", "20", "01", "33", ("157", "160"), ouverture="continu"),
                Offre("Unité de soins non programmés", "138", "01", "56", ("157",), ouverture="continu"),
                Offre("Unité de médecine polyvalente post-urgences", "238", "01", "28", ("083",), places=18, ouverture="continu"),
            ],
            "UF 1202 Urgences pédiatriques": [
                Offre("Unité d’urgences pédiatriques", "20", "01", "33", ("249",), (0, 15), ouverture="continu"),
            ],
        },
        "SAMU et SMUR": {
            "UF 1210 SMUR": [
                Offre("Unité SMUR", "247", "01", "11", ("136",), (0, 120), ouverture="continu"),
                Offre("Unité SMUR pédiatrique", "247", "01", "11", ("270",), (0, 17), ouverture="continu"),
            ],
            "UF 1211 SAMU": [
                Offre("Unité SAMU, centre de régulation", "246", "01", "27", ("273",), (0, 120), ouverture="continu", sensible=True),
            ],
        },
        "Réanimation et soins intensifs": {
            "UF 1220 Réanimation": [
                Offre("Unité de réanimation polyvalente", "121", "01", "28", ("127",), places=14, actes=("0236",), ouverture="continu"),
                Offre("Unité de soins intensifs polyvalents", "122", "01", "28", ("127",), places=8, ouverture="continu"),
            ],
        },
    },
    "Pôle Médecine": {
        "Cardiologie": {
            "UF 2101 Cardiologie": [
                Offre("Unité hospitalière de cardiologie", "149", "01", "28", ("013",), places=24, actes=("0172", "0630")),
                Offre("Unité de cardiologie interventionnelle", "149", "01", "29", ("014",), actes=("0145", "0597")),
                Offre("Unité de soins intensifs de cardiologie", "262", "01", "28", ("354",), places=8, ouverture="continu"),
                Offre("Unité de consultation de cardiologie", "69", "01", "32", ("013",), actes=("0172", "0199")),
            ],
        },
        "Neurologie": {
            "UF 2110 Neurologie": [
                Offre("Unité hospitalière de neurologie", "161", "01", "28", ("097",), places=20, actes=("0681",)),
                Offre("Unité de soins intensifs neurovasculaires", "263", "01", "28", ("356", "098"), places=6, actes=("0460",), ouverture="continu"),
                Offre("Unité de consultation mémoire", "69", "01", "32", ("097",), (50, 120), actes=("0033", "0626")),
            ],
        },
        "Pneumologie et infectiologie": {
            "UF 2120 Pneumologie": [
                Offre("Unité hospitalière de pneumologie", "163", "01", "28", ("114",), places=22, actes=("0758",)),
                Offre("Unité d’exploration du sommeil", "163", "01", "30", ("114",), actes=("0483",)),
                Offre("Unité hospitalière de maladies infectieuses", "168", "01", "28", ("077",), places=16),
            ],
        },
        "Oncologie": {
            "UF 2130 Oncologie": [
                Offre("Unité hospitalière d’oncologie", "171", "01", "28", ("102",), places=18),
                Offre("Unité d’oncologie de jour", "171", "01", "29", ("164",), actes=("0652",), places=12),
                Offre("Unité de radiothérapie", "117", "01", "55", ("168",)),
                Offre("Unité de soins palliatifs", "175", "01", "28", ("170",), places=10, ouverture="continu"),
            ],
        },
        "Néphrologie": {
            "UF 2140 Dialyse": [
                Offre("Unité de dialyse en centre lourd", "274", "01", "32", ("059",), actes=("0657",), ouverture="samedi", places=16),
            ],
        },
    },
    "Pôle Gériatrie et réadaptation": {
        "Gériatrie": {
            "UF 3101 Court séjour gériatrique": [
                Offre("Unité hospitalière de gériatrie", "156", "01", "28", ("050",), (70, 120), places=26, actes=("0204",)),
                Offre("Unité mobile de gériatrie", "71", "01", "52", ("050",), (70, 120), actes=("0204",)),
                Offre("Unité de soins de longue durée", "249", "01", "46", ("333",), (60, 120), places=40, ouverture="continu"),
            ],
        },
        "Réadaptation": {
            "UF 3110 SMR": [
                Offre("Unité de SMR polyvalent", "100", "02", "28", ("172",), places=30),
                Offre("Unité de SMR gériatrique", "101", "02", "28", ("241",), (70, 120), places=28),
                Offre("Unité de SMR locomoteur", "102", "02", "29", ("233",), places=15),
                Offre("Unité de SMR cardio-vasculaire", "104", "02", "29", ("235",), places=10, actes=("0199",)),
            ],
        },
    },
    "Pôle Mère-Enfant": {
        "Pédiatrie": {
            "UF 4101 Pédiatrie": [
                Offre("Unité hospitalière de pédiatrie", "162", "01", "28", ("088",), (0, 17), places=20, ouverture="continu"),
                Offre("Unité de pédiatrie de jour", "162", "01", "29", ("088",), (0, 17), places=6),
                Offre("Unité de consultation de pédiatrie", "69", "01", "32", ("088",), (0, 17)),
            ],
        },
        "Gynécologie-obstétrique": {
            "UF 4110 Maternité": [
                Offre("Unité d’obstétrique", "157", "01", "28", ("100",), (12, 60), places=24, ouverture="continu"),
                Offre("Unité de gynécologie", "157", "01", "28", ("053", "022"), (12, 120), places=12),
                Offre("Unité d’orthogénie", "157", "01", "32", ("105",), (12, 60), actes=("0268",), sensible=True),
            ],
        },
    },
    "Pôle Chirurgie": {
        "Chirurgie viscérale": {
            "UF 5101 Chirurgie viscérale": [
                Offre("Unité de chirurgie viscérale et digestive", "153", "01", "28", ("033",), places=22),
                Offre("Unité de chirurgie de l’obésité", "153", "01", "28", ("017",), (18, 70), actes=("0530",), places=6),
            ],
        },
    },
}  # fmt: skip
EHPAD = [
    Offre("Unité d’hébergement permanent", "38", "04", "46", ("293", "511"), (60, 120), places=72, ouverture="continu", publics=("01",), serafin=("011",)),
    Offre("Unité d’accueil de jour Alzheimer", "29", "04", "47", ("306",), (60, 120), actes=("0774",), places=10, publics=("01",), serafin=("011",)),
    Offre("Unité de répit pour les aidants", "38", "04", "42", ("325",), (60, 120), actes=("0627",), publics=("01",), serafin=("01",)),
]  # fmt: skip
SESSAD = [
    Offre("Unité SESSAD", "57", "04", "49", ("300", "289"), (3, 20), actes=("0625", "0726"), places=45, publics=("02",), serafin=("022",), communes=("92040", "92049", "75115")),
    Offre("Unité mobile d’appui à la scolarisation", "140", "04", "59", ("449",), (3, 20), publics=("02",), serafin=("022",), communes=("92040", "92049")),
]  # fmt: skip
CAMSP = [
    Offre("Unité CAMSP", "61", "04", "32", ("448", "493"), (0, 6), actes=("0624",), places=60, publics=("02",), serafin=("009",), communes=("78646", "78158")),
]  # fmt: skip
SITE_NORD = {"Pôle Ambulatoire": {"Consultations": {"UF 6101 Consultations": [
    Offre("Unité de consultation de rhumatologie", "69", "01", "32", ("131",)),
    Offre("Unité de consultation d’ophtalmologie", "69", "01", "32", ("103",), (0, 120)),
]}}}  # fmt: skip

# What the dossiers add.
HOPITAL_DE_JOUR = Offre(
    "Unité de gériatrie de jour", "156", "01", "29", ("050",), (70, 120), actes=("0204", "0032"), places=8
)
DERMATOLOGIE = Offre("Unité de consultation de dermatologie", "69", "01", "32", ("037",), (0, 120))
ACCUEIL_DE_NUIT = Offre(
    "Unité d’accueil de nuit", "38", "04", "48", ("511",), (60, 120), places=4, publics=("01",), serafin=("011",)
)
REPIT = Offre("Unité de répit", "38", "04", "47", ("325",), (3, 20), publics=("02",), serafin=("022",))
ANTENNE = Offre(
    "Unité CAMSP, antenne de Chatou",
    "61",
    "04",
    "32",
    ("448",),
    (0, 6),
    publics=("02",),
    serafin=("009",),
    communes=("78146",),
)
