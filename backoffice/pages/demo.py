"""The demo data: four establishments to work on, five more that hold dossiers in every state.

Everything goes through the domain verbs, so that loading it is also a first proof of them. FINESS numbers are
made up (99 after the département) with a right Luhn key.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from backoffice.comptes.domaine import creer_compte
from backoffice.comptes.models import User
from backoffice.embarque.comptes_demo import COMPTES, MOT_DE_PASSE
from structures.domaine.confirmer import confirmer
from structures.domaine.creer import creer_etablissements, creer_fiches
from structures.domaine.enregistrer import enregistrer, verrouiller
from structures.domaine.lecture import lire
from structures.domaine.modifier import modifier
from structures.domaine.personnel import ajouter_favori, enregistrer_recherche
from structures.domaine.referentiels import charger_referentiels
from structures.domaine.signalements import clore, signaler
from structures.enums import IssueSignalement, Niveau, Role, Source, ThemeSignalement
from structures.models import Fiche, Habilitation, Modification, Nomenclature
from structures.recherche import rafraichir_vocabulaire
from workflows.domaine import contenu, decisions, gestes, instantane
from workflows.domaine.creer import creer
from workflows.models import Dossier, FicheTravail, Tache

from .demo_acces import consommateurs_demo

ORIGINE = "données de démonstration"
DEPUIS = date(2024, 1, 8)  # a Monday: the demo weeks start there


def finess(prefixe: str) -> str:
    """Nine digits: the eight given and their Luhn key."""
    somme = 0
    for rang, chiffre in enumerate(reversed(prefixe)):
        n = int(chiffre) * (2 if rang % 2 == 0 else 1)
        somme += n - 9 if n > 9 else n
    return prefixe + str(-somme % 10)


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


@dataclass(frozen=True)
class Etablissement:
    cle: str
    prefixe: str
    nom: str
    categorie: str
    voie: str
    code_postal: str
    commune: str
    ej: str
    contenu: Any


ENTITES = {
    "ch": ("75990001", "Centre hospitalier TEST", "75013", "75113"),
    "asso": ("92990001", "Association TEST", "92130", "92040"),
}
ETABLISSEMENTS = (
    Etablissement("hopital", "75990010", "Hôpital TEST", "355", "10 boulevard de l’Hôpital", "75013", "75113", "ch", HOPITAL),
    Etablissement("site_nord", "75990011", "Hôpital TEST site Nord", "355", "2 rue de la Chapelle", "75018", "75118", "ch", SITE_NORD),
    Etablissement("clinique", "75990012", "Clinique TEST", "365", "5 rue de Vaugirard", "75015", "75115", "ch", SITE_NORD),
    Etablissement("ehpad", "92990010", "EHPAD TEST", "500", "12 rue du Général Leclerc", "92130", "92040", "asso", EHPAD),
    Etablissement("ehpad_parc", "92990011", "EHPAD du Parc TEST", "500", "3 avenue du Parc", "92240", "92046", "asso", EHPAD),
    Etablissement("sessad", "92990012", "SESSAD TEST", "182", "8 rue Ernest Renan", "92130", "92040", "asso", SESSAD),
    Etablissement("ime", "92990013", "IME TEST", "183", "21 rue des Écoles", "92320", "92020", "asso", SESSAD),
    Etablissement("camsp", "78990010", "CAMSP TEST", "190", "4 rue de la Paroisse", "78000", "78646", "asso", CAMSP),
    Etablissement("experimental", "92990014", "Établissement expérimental TEST", "370", "1 place Jeanne d’Arc", "92130", "92040", "asso", SESSAD),
)  # fmt: skip

POSITIONS = {  # latitude, longitude: somewhere in the commune
    "hopital": (48.8405, 2.3640), "site_nord": (48.8846, 2.3600), "clinique": (48.8420, 2.3080),
    "ehpad": (48.8240, 2.2730), "ehpad_parc": (48.8180, 2.2990), "sessad": (48.8265, 2.2785),
    "ime": (48.8020, 2.2880), "camsp": (48.8050, 2.1270), "experimental": (48.8215, 2.2660),
}  # fmt: skip

NOMS = {
    "referent.ehpad": ("Nadia", "Benali"), "direction.ehpad": ("Philippe", "Garnier"),
    "referent.hopital": ("Claire", "Moreau"), "direction.hopital": ("Hélène", "Vasseur"),
    "referent.sessad": ("Thomas", "Leroy"), "direction.sessad": ("Awa", "Diallo"),
    "referent.camsp": ("Julie", "Fontaine"), "direction.camsp": ("Marc", "Lambert"),
    "gestionnaire": ("Sophie", "Renard"), "gestionnaire2": ("Karim", "Haddad"),
    "tutelle.ars": ("Isabelle", "Perrin"), "tutelle.ars2": ("Olivier", "Blanc"),
    "tutelle.cd": ("Mathilde", "Roche"),
}  # fmt: skip

HABILITATIONS: dict[str, list[tuple[str, str]]] = {
    "referent.ehpad": [(Role.REFERENT, "ehpad"), (Role.REFERENT, "ehpad_parc")],
    "direction.ehpad": [(Role.DIRECTION, "ehpad"), (Role.DIRECTION, "ehpad_parc")],
    "referent.hopital": [(Role.REFERENT, "ch")],
    "direction.hopital": [(Role.DIRECTION, "ch")],
    "referent.sessad": [(Role.REFERENT, "sessad"), (Role.REFERENT, "ime"), (Role.REFERENT, "experimental")],
    "direction.sessad": [(Role.DIRECTION, "sessad"), (Role.DIRECTION, "ime")],
    "referent.camsp": [(Role.REFERENT, "camsp")],
    "direction.camsp": [(Role.DIRECTION, "camsp")],
    "gestionnaire": [(Role.GESTIONNAIRE, "")],
    "gestionnaire2": [(Role.GESTIONNAIRE, "")],
    "tutelle.ars": [(Role.TUTELLE, "ARS-11")],
    "tutelle.ars2": [(Role.TUTELLE, "ARS-11")],
    "tutelle.cd": [(Role.TUTELLE, "CD-78")],
}


@transaction.atomic
def charger_demo() -> None:
    """Load everything into an empty database, or nothing of it."""
    if not Nomenclature.objects.exists():
        charger_referentiels()
    structures = _etablissements()
    comptes = _comptes(structures)
    _changements_directs(structures, comptes)
    _dossiers(structures, comptes)
    _suivi(structures, comptes)
    _personnel(structures, comptes)
    consommateurs_demo(comptes["gestionnaire"])
    rafraichir_vocabulaire()


def _poser(fiches_patches: Iterable[tuple[Fiche, dict[str, Any]]]) -> None:
    enregistrer(
        [
            Modification(fiche=f, date_effet=DEPUIS, patch=p, source=Source.IMPORT, origine=ORIGINE)
            for f, p in fiches_patches
        ]
    )


def _etablissements() -> dict[str, Fiche]:
    numeros = {cle: finess(prefixe) for cle, (prefixe, *_) in ENTITES.items()}
    numeros |= {e.cle: finess(e.prefixe) for e in ETABLISSEMENTS}
    niveaux = [(Niveau.EJ if cle in ENTITES else Niveau.EG, numero) for cle, numero in numeros.items()]
    crees = creer_etablissements(niveaux)
    fiches_ = {cle: crees[numero] for cle, numero in numeros.items()}
    _poser(
        (
            fiches_[cle],
            {
                "existe": True, "nom": nom, "finess": numeros[cle], "code_postal": code_postal, "commune": commune,
                "adresse_voie": "1 place de la Mairie",
            },
        )
        for cle, (_, nom, code_postal, commune) in ENTITES.items()
    )  # fmt: skip
    _poser(
        (
            fiches_[e.cle],
            {
                "existe": True, "parent": fiches_[e.ej].pk, "nom": e.nom, "finess": numeros[e.cle],
                "categorie": e.categorie, "adresse_voie": e.voie, "code_postal": e.code_postal, "commune": e.commune,
                "telephone": "01 99 00 00 00",
                **dict(zip(("latitude", "longitude"), POSITIONS[e.cle], strict=True)),
            },
        )
        for e in ETABLISSEMENTS
    )  # fmt: skip
    for e in ETABLISSEMENTS:
        verrouiller([fiches_[e.cle].pk])
        _poser(_arbre(fiches_[e.cle], e.contenu))
    return fiches_


def _arbre(eg: Fiche, contenu: Any) -> list[tuple[Fiche, dict[str, Any]]]:
    """Identities and first patches of everything below an EG."""
    if isinstance(contenu, list):
        uos = creer_fiches(eg=eg, niveaux=[Niveau.UO] * len(contenu))
        return [(uo, offre.patch(eg.pk)) for uo, offre in zip(uos, contenu, strict=True)]
    lignes: list[tuple[Fiche, dict[str, Any]]] = []

    def descendre(parent: Fiche, branche: Any, niveaux: list[str]) -> None:
        if isinstance(branche, list):
            uos = creer_fiches(eg=eg, niveaux=[Niveau.UO] * len(branche))
            lignes.extend((uo, offre.patch(parent.pk)) for uo, offre in zip(uos, branche, strict=True))
            return
        crees = creer_fiches(eg=eg, niveaux=[niveaux[0]] * len(branche))
        for fiche, (nom, dessous) in zip(crees, branche.items(), strict=True):
            lignes.append((fiche, {"existe": True, "parent": parent.pk, "nom": nom}))
            descendre(fiche, dessous, niveaux[1:])

    descendre(eg, contenu, [Niveau.POLE, Niveau.SERVICE, Niveau.UF])
    return lignes


def _comptes(structures: dict[str, Fiche]) -> dict[str, User]:
    comptes = {}
    empreinte = make_password(MOT_DE_PASSE)  # hashed once: thirteen times would take seconds
    for identifiant, *_ in COMPTES:
        prenom, nom = NOMS[identifiant]
        user, _ = creer_compte(
            identifiant=identifiant, email=f"{identifiant}@demo.example", prenom=prenom,
            nom=nom, acteur=None, annoncer=False,
        )  # fmt: skip
        user.password = empreinte
        user.doit_changer_mot_de_passe = False
        user.is_staff = any(role == Role.GESTIONNAIRE for role, _ in HABILITATIONS[identifiant])
        user.save()
        comptes[identifiant] = user
        for role, cible in HABILITATIONS[identifiant]:
            Habilitation.objects.create(
                user=user, role=role, fiche=structures.get(cible), autorite_id=cible if role == Role.TUTELLE else None
            )
    return comptes


def _changements_directs(structures: dict[str, Fiche], comptes: dict[str, User]) -> None:
    """One change already true, one planned in ten days."""
    aujourdhui = timezone.localdate()
    uo = structures["hopital"].fiches.filter(niveau=Niveau.UO).order_by("pk").first()
    assert uo is not None
    for patch, jour in (
        ({"conditions_admission": "Accès direct, sans rendez-vous, à toute heure."}, aujourdhui),
        (
            {"informations_complementaires": "Travaux dans le hall : entrée par la rue Jenner."},
            aujourdhui + timedelta(10),
        ),
    ):
        lecture = lire(uo, jour)
        assert lecture is not None
        modifier(
            fiche=uo, acteur=comptes["referent.hopital"], patch=patch, date_effet=jour, jeton=lecture.jeton
        )  # fmt: skip


def _suivi(structures: dict[str, Fiche], comptes: dict[str, User]) -> None:
    """An establishment whose offers are confirmed; errors reported: one to correct, one for a dossier, one closed."""

    def uos(cle: str) -> list[Fiche]:
        return list(structures[cle].fiches.filter(niveau=Niveau.UO).order_by("pk"))

    ehpad, hopital = uos("ehpad"), uos("hopital")
    confirmer(fiches=[structures["ehpad"].pk, ehpad[0].pk], acteur=comptes["referent.ehpad"])
    signaler(
        fiche=ehpad[1], acteur=comptes["tutelle.ars"], champ="horaires", theme=ThemeSignalement.PERIME,
        message="L’accueil de jour n’ouvre plus le mercredi après-midi, d’après la famille d’un résident.",
        valeur_proposee="Mercredi : 8 h 30 – 12 h 30",
    )  # fmt: skip
    signaler(
        fiche=hopital[0], acteur=comptes["referent.sessad"], champ="type_uo", theme=ThemeSignalement.INEXACT,
        message="Cette unité accueille aussi les enfants la nuit : le type ne convient plus.",
    )  # fmt: skip
    clos = signaler(
        fiche=ehpad[2], acteur=comptes["referent.hopital"], champ="contacts", theme=ThemeSignalement.MANQUANT,
        message="Aucun numéro pour joindre l’unité le week-end.",
    )  # fmt: skip
    clore(
        numero=clos.pk, acteur=comptes["direction.ehpad"], issue=IssueSignalement.SANS_SUITE,
        reponse="L’unité est fermée le week-end : le standard de l’EHPAD répond.",
    )  # fmt: skip


def _dossiers(structures: dict[str, Fiche], comptes: dict[str, User]) -> None:
    """A dossier in every state. The four main establishments keep no open one: they are free for the visitor."""
    hopital, direction = comptes["referent.hopital"], comptes["direction.hopital"]
    gestionnaire, ehpad, sessad = comptes["gestionnaire"], comptes["referent.ehpad"], comptes["referent.sessad"]

    publie = _avec_une_uo(
        structures["hopital"], "Ouverture de l’hôpital de jour de gériatrie", hopital, HOPITAL_DE_JOUR
    )
    _envoyer(publie, hopital)
    decisions.valider(tache=_tache(publie), acteur=direction)
    decisions.approuver(tache=_tache(publie), acteur=gestionnaire)

    refuse = _avec_une_uo(structures["ehpad"], "Accueil de nuit", ehpad, ACCUEIL_DE_NUIT)
    _envoyer(refuse, ehpad)
    decisions.refuser(
        tache=_tache(refuse), acteur=gestionnaire,
        motif="L’accueil de nuit n’est pas encore autorisé : renvoyez un dossier quand l’arrêté sera signé.",
    )  # fmt: skip

    abandonne = _avec_une_uo(structures["sessad"], "Essai", sessad, REPIT, finaliser=False)
    decisions.abandonner(numero=abandonne.pk, acteur=sessad)

    redaction = _avec_une_uo(
        structures["ehpad_parc"], "Unité d’accueil temporaire", ehpad, ACCUEIL_DE_NUIT, finaliser=False
    )
    assert redaction.est_ouvert

    finalise = _avec_une_uo(structures["site_nord"], "Consultation de dermatologie", hopital, DERMATOLOGIE)
    assert finalise.est_ouvert

    validation = _avec_une_uo(
        structures["clinique"], "Consultation de dermatologie à la clinique", hopital, DERMATOLOGIE
    )
    _envoyer(validation, hopital)

    approbation = _avec_une_uo(structures["ime"], "Plateforme de répit", sessad, REPIT)
    _envoyer(approbation, sessad)

    affectation = _avec_une_uo(structures["experimental"], "Équipe mobile autisme", sessad, REPIT)
    _envoyer(affectation, sessad)

    camsp = comptes["referent.camsp"]
    renvoye = _avec_une_uo(structures["camsp"], "Antenne de Chatou", camsp, ANTENNE)
    _envoyer(renvoye, camsp)
    travail = renvoye.fiches.get()
    decisions.renvoyer(
        tache=_tache(renvoye, "CD-78"), acteur=comptes["tutelle.cd"], motif="Précisez le territoire de l’antenne.",
        commentaires={travail.fiche_id: "Quelles communes l’antenne dessert-elle ?"},
    )  # fmt: skip
    decisions.abandonner(numero=renvoye.pk, acteur=camsp)


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


def _personnel(structures: dict[str, Fiche], comptes: dict[str, User]) -> None:
    """What the Référent of the EHPAD keeps for herself: a saved search, a neighbour among her favourites."""
    nadia = comptes["referent.ehpad"]
    enregistrer_recherche(user=nadia, nom="EHPAD des Hauts-de-Seine", criteres="categorie=500&departement=92&mss=1")
    ajouter_favori(user=nadia, fiche=structures["sessad"])
    ajouter_favori(user=comptes["referent.hopital"], fiche=structures["hopital"])


def _avec_une_uo(eg: Fiche, nom: str, acteur: User, offre: Offre, *, finaliser: bool = True) -> Dossier:
    """A dossier that adds one UO, under the first UF where there are some, else under the EG."""
    dossier = creer(eg=eg, nom=nom, acteur=acteur)
    uf = eg.fiches.filter(niveau=Niveau.UF).order_by("pk").first()
    (travail,) = gestes.ajouter(numero=dossier.pk, acteur=acteur, parent=(uf or eg).pk)
    remplir(dossier, acteur, travail, offre, finaliser=finaliser)
    dossier.refresh_from_db()
    return dossier


def remplir(dossier: Dossier, acteur: User, travail: FicheTravail, offre: Offre, *, finaliser: bool) -> None:
    saisie = {
        nom: frozenset(v["ajoute"])
        if isinstance(v, dict) and "ajoute" in v
        else v["pose"]
        if isinstance(v, dict)
        else v
        for nom, v in offre.patch(0).items()
        if nom not in ("existe", "parent")
    }
    contenu.enregistrer(
        numero=dossier.pk, acteur=acteur, fiche=travail.fiche_id, saisie=saisie,
        revision=travail.revision, registre={}, finaliser=finaliser,
    )  # fmt: skip


def _envoyer(dossier: Dossier, acteur: User) -> None:
    decisions.envoyer(numero=dossier.pk, acteur=acteur, vu=instantane.empreinte_de(dossier))


def _tache(dossier: Dossier, autorite: str | None = None) -> int:
    taches = Tache.objects.filter(dossier=dossier, close_le__isnull=True)
    return (taches.get(autorite=autorite) if autorite else taches.get()).pk
