"""A small varied register, and its search by loops over every fiche of the day: slow, plain."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from math import acos, cos, radians, sin
from typing import Any

from django.utils import timezone

from backoffice.comptes.models import User
from structures.champs import manquants
from structures.domaine.enregistrer import enregistrer
from structures.domaine.fraicheur import Reponse, noter
from structures.domaine.horaires import semaines_en_vigueur
from structures.domaine.texte import normaliser
from structures.enums import ThemeSignalement
from structures.models import (
    Concept,
    Departement,
    Favori,
    Fiche,
    Fraicheur,
    Modification,
    RegleCategorie,
    Reservation,
    Signalement,
    VersionFiche,
)
from structures.recherche import Criteres
from structures.recherche.facettes import TITRES
from structures.requetes import etat_de
from tests.factories import repertoire as fabrique

MOTS = [
    "hôpital", "clinique", "louis", "13", "75", "7", "un", "cardio", "cardiologie", "neurologie", "seine", "paris",
    "réunion", "fondation", "gamma", "4510", "750590019", "987654324", "unité", "ancien", "du", "aide", "zzz",
]  # fmt: skip
ANCIEN, BIENTOT = date(2022, 1, 3), timezone.localdate() + timedelta(days=60)
SEMAINE = {**{str(j): [["08:30", "12:00"], ["14:00", "18:00"]] for j in range(1, 6)}, "6": [["09:00", "12:00"]]}
CONTINU = {str(j): [["00:00", "24:00"]] for j in range(1, 8)}


@dataclass
class Registre:
    user: User

    @classmethod
    def peupler(cls) -> "Registre":
        fabrique.referentiels()
        groupe = fabrique.entite_juridique("Groupe Gamma", siren="987654324")
        fondation = fabrique.entite_juridique("Fondation Réunion")
        eg: dict[str, Fiche] = {}
        for nom, champ, ej, commune, lieu in (
            ("Hôpital Saint-Louis", "sanitaire", groupe, "75113", (48.83, 2.36)),
            ("Clinique de la Seine", "sanitaire", groupe, "92050", (48.89, 2.20)),
            ("Clinique ancienne", "sanitaire", fondation, "97411", (-20.88, 55.45)),
            ("EHPAD Un", "medico-social", fondation, "75113", (48.82, 2.35)),
            ("SESSAD Cardio", "handicap", groupe, "92050", (None, None)),
            ("CHRS 13", "social", fondation, "75110", (48.87, 2.36)),
            ("Centre sans règle", "sanitaire", groupe, "75113", (48.85, 2.36)),
        ):
            coordonnees = dict(zip(("latitude", "longitude"), lieu, strict=True)) if lieu[0] else {}
            eg[nom] = fabrique.etablissement(champ, nom=nom, ej=ej, commune=commune, **coordonnees)
        for nom in ("Hôpital Saint-Louis", "Clinique de la Seine", "Clinique ancienne"):
            uf = fabrique.uf(fabrique.service(fabrique.pole(eg[nom], f"Pôle {nom[:4]}"), "Neurologie"), "UF 4510")
            fabrique.uo(
                uf,
                "Unité de cardiologie",
                actes={"ajoute": ["0172"]},
                horaires={
                    "pose": {
                        "01/2020-01-06": SEMAINE,
                        "01/2024-01-01": CONTINU,
                        "01/2030-01-07": {},
                        "02/2020-01-06": CONTINU,
                    }
                },
            )
            fabrique.uo(
                uf,
                "Consultation",
                type_uo="69",
                mode_prise_en_charge="32",
                temporalite_accueil="01",
                activites={"ajoute": ["097", "013"]},
                actes={"ajoute": ["0199", "0172"]},
            )
            fabrique.uo(
                uf,
                "Unité sensible",
                unite_sensible=True,
                publics={"ajoute": ["01", "02"]},
                age_min=None,
                horaires={"pose": {"01/2020-01-06": SEMAINE}},
                activites={"ajoute": ["097"]},
                date_fermeture="2021-06-01",
                **({"date_reouverture": "2022-01-01"} if "ancienne" in nom else {}),
            )
        fabrique.uo(eg["EHPAD Un"], "Unité d’hébergement", activites={"ajoute": ["293"]}, temporalite_accueil="02")
        fabrique.uo(eg["EHPAD Un"], "Sans public", publics={})
        fabrique.uo(eg["SESSAD Cardio"], "Unité du domicile", familles_serafin={})
        fabrique.uo(eg["CHRS 13"], "Accueil de nuit", publics={}, familles_serafin={})
        # Things change: names, places, categories, parents, units that close and open, planned changes.
        etapes: list[tuple[Fiche, dict[str, Any], date]] = [
            (eg["Clinique ancienne"], {"nom": "Clinique du Louis d’or"}, ANCIEN),
            (eg["EHPAD Un"], {"commune": "92050"}, ANCIEN),
            (eg["EHPAD Un"], {"parent": groupe.pk}, BIENTOT),
            (eg["Centre sans règle"], {"categorie": "ZZZ", "adresse_voie": ""}, ANCIEN),
            (eg["Hôpital Saint-Louis"], {"nom_operationnel": "Nouvel Ancien"}, BIENTOT),
        ]
        consultation = VersionFiche.objects.filter(nom="Consultation").order_by("pk").first()
        assert consultation is not None
        etapes += [
            (consultation.fiche, {"activites": {"retire": ["097"]}}, ANCIEN),
            (consultation.fiche, {"existe": False}, BIENTOT),
        ]
        enregistrer(
            [
                Modification(fiche=f, date_effet=jour, patch=patch, source="import", origine="essai")
                for f, patch, jour in etapes
            ]
        )
        user = fabrique.lecteur("chercheuse")
        uo = VersionFiche.objects.filter(nom="Unité d’hébergement").order_by("pk")[0].fiche
        Favori.objects.bulk_create([Favori(user=user, fiche=f) for f in (uo, groupe, eg["CHRS 13"])])
        Favori.objects.create(user=fabrique.lecteur("autre"), fiche=eg["Centre sans règle"])
        Reservation.objects.create(eg=eg["EHPAD Un"], dossier=1, nom="Dossier", etape="Rédaction")
        for fiche, clos in ((uo, None), (eg["CHRS 13"], timezone.now())):
            Signalement.objects.create(
                fiche=fiche,
                theme=ThemeSignalement.AUTRE,
                message="?",
                auteur=user,
                clos_le=clos,
                clos_par=user if clos else None,
                issue="corrige" if clos else "",
            )
        for fiche, jours in ((uo, 30), (eg["Hôpital Saint-Louis"], 300), (eg["Clinique de la Seine"], 3000)):
            quand = timezone.make_aware(datetime.combine(timezone.localdate() - timedelta(days=jours), time(0, 30)))
            noter([Reponse(fiche.pk, fiche.eg_id, quand, user.pk)])
        return cls(user)


# -- the day, read whole -----------------------------------------------------------------------------------


class Jour:
    """Every version of a day, by fiche and by establishment."""

    def __init__(self, jour: date) -> None:
        self.jour = jour
        self.versions = {v.fiche_id: v for v in VersionFiche.objects.filter(validite__contains=jour).order_by("pk")}
        self.egs = sorted(
            (v for v in self.versions.values() if v.niveau == "EG"), key=lambda v: (v.recherche, v.fiche_id)
        )
        self.champs = dict(RegleCategorie.objects.order_by().values_list("pk", "champ"))
        concepts = Concept.objects.order_by().values_list("nomenclature_id", "code", "libelle")
        self.libelles = {(liste, code): normaliser(libelle) for liste, code, libelle in concepts}
        self.departements = {d.pk: normaliser(d.nom) for d in Departement.objects.all()}

    def champ(self, eg: VersionFiche) -> str:
        return self.champs.get(eg.categorie, "medico-social")

    def fiches(self, eg: VersionFiche) -> list[VersionFiche]:
        return [v for v in self.versions.values() if v.eg_id == eg.fiche_id]


def _dit(texte: str, mot: str) -> bool:
    mots = texte.split()
    if mot.isdigit() and len(mot) < 6:
        return any(m.startswith(mot) and not (m.isdigit() and len(m) == 7) for m in mots)
    if mot.isdigit() or len(mot) < 3:
        return any(m.startswith(mot) for m in mots)
    return any(mot in m for m in mots)


def _uo_dit(jour: Jour, v: VersionFiche, mot: str) -> bool:
    etiquettes = [jour.libelles.get(("R211", a), "") for a in v.activites] + [
        jour.libelles.get(("J238", v.type_uo), "")
    ]
    numero = mot.isdigit() and len(mot) >= 6
    return _dit(v.recherche, mot) or (not numero and any(_dit(e, mot) for e in etiquettes))


def _eg_dit(jour: Jour, eg: VersionFiche, mot: str) -> bool:
    departement = jour.departements.get(eg.commune[: 3 if eg.commune[:2] in ("97", "98") else 2], "")
    ej = jour.versions.get(eg.parent_id or 0)
    return (
        _dit(departement, mot)
        or (ej is not None and _dit(ej.recherche, mot))
        or any(_uo_dit(jour, v, mot) for v in jour.fiches(eg))
    )


def _ouvert(v: VersionFiche, jour: date, quand: tuple[int, int]) -> bool:
    if v.date_fermeture and v.date_fermeture <= jour and not (v.date_reouverture and v.date_reouverture <= jour):
        return False
    _, semaine = semaines_en_vigueur(v.horaires, jour).get("01", (None, {}))
    heure = f"{quand[1] // 60:02d}:{quand[1] % 60:02d}"
    return any(debut <= heure < fin for debut, fin in semaine.get(str(quand[0]), ()))


def _a_un_critere_de_fiche(c: Criteres) -> bool:
    return any((c.types, c.activites, c.actes, c.publics, c.modes, c.temporalites, c.ouvert, c.sensible, c.incomplet))


def _fiche_repond(jour: Jour, c: Criteres, eg: VersionFiche, v: VersionFiche) -> bool:
    return (
        (not c.types or v.type_uo in c.types)
        and (not c.activites or bool(set(v.activites) & set(c.activites)))
        and (not c.actes or bool(set(v.actes) & set(c.actes)))
        and (not c.publics or bool(set(v.publics) & set(c.publics)))
        and (not c.modes or v.mode_prise_en_charge in c.modes)
        and (not c.temporalites or v.temporalite_accueil in c.temporalites)
        and (not c.sensible or v.unite_sensible)
        and (not c.ouvert or _ouvert(v, c.jour, c.ouvert))
        and (not c.incomplet or bool(manquants(v.niveau, jour.champ(eg), etat_de(v))))
    )


def _dans_la_commune(commune: str, demandees: tuple[str, ...]) -> bool:
    return commune in demandees or ("75056" in demandees and commune.startswith("751"))


def _proche(jour: Jour, eg: VersionFiche, autour: tuple[str, int]) -> bool:
    ici = [v for v in jour.egs if v.commune == autour[0] and v.latitude is not None]
    if not ici or eg.latitude is None or eg.longitude is None:
        return False
    latitude = radians(sum(v.latitude or 0 for v in ici) / len(ici))
    longitude = radians(sum(v.longitude or 0 for v in ici) / len(ici))
    x, y = radians(eg.latitude), radians(eg.longitude)
    cosinus = sin(x) * sin(latitude) + cos(x) * cos(latitude) * cos(y - longitude)
    return 6371.0 * acos(max(-1.0, min(1.0, cosinus))) <= autour[1]


def _eg_repond(registre: Registre, jour: Jour, c: Criteres, eg: VersionFiche) -> bool:
    champ = jour.champ(eg)
    if champ not in c.champs if c.champs else not c.mss and champ != "sanitaire":
        return False
    if c.departements and not any(eg.commune.startswith(d) for d in c.departements):
        return False
    if c.communes and not _dans_la_commune(eg.commune, c.communes):
        return False
    if (c.autour and not _proche(jour, eg, c.autour)) or (c.categories and eg.categorie not in c.categories):
        return False
    return _suivi_repond(registre, c, eg)


def _suivi_repond(registre: Registre, c: Criteres, eg: VersionFiche) -> bool:
    if c.sans_nouvelles:
        mois = c.jour.year * 12 + c.jour.month - 1 - c.sans_nouvelles
        depuis = date(mois // 12, mois % 12 + 1, min(c.jour.day, 28))
        if any(timezone.localtime(f.a_jour_le).date() >= depuis for f in Fraicheur.objects.filter(eg=eg.fiche_id)):
            return False
    if c.en_dossier and not Reservation.objects.filter(eg=eg.fiche_id).exists():
        return False
    if c.favoris:
        siens = [f.fiche for f in Favori.objects.filter(user=registre.user).select_related("fiche")]
        if not any(f.eg_id == eg.fiche_id or f.pk == eg.parent_id for f in siens):
            return False
    ouverts = Signalement.objects.filter(clos_le__isnull=True, fiche__eg=eg.fiche_id)
    return not c.signale or ouverts.exists()


def attendues(registre: Registre, c: Criteres, jour: Jour | None = None) -> list[int]:
    """The ids of the establishments, in the order of the list."""
    jour = jour or Jour(c.jour)
    return [
        eg.fiche_id
        for eg in jour.egs
        if _eg_repond(registre, jour, c, eg)
        and (not _a_un_critere_de_fiche(c) or any(_fiche_repond(jour, c, eg, v) for v in jour.fiches(eg)))
        and all(_eg_dit(jour, eg, mot) for mot in c.mots)
    ]


def offres_attendues(registre: Registre, c: Criteres, egs: list[int]) -> dict[int, set[int]]:
    jour = Jour(c.jour)
    resultat = {}
    for eg in (jour.versions[cle] for cle in egs):
        restants = [mot for mot in c.mots if not _dit(eg.recherche, mot)]
        if _a_un_critere_de_fiche(c):
            fiches = {v.fiche_id for v in jour.fiches(eg) if _fiche_repond(jour, c, eg, v)}
        else:
            fiches = {
                v.fiche_id for v in jour.fiches(eg)
                if v.niveau == "UO" and restants and all(_uo_dit(jour, v, mot) for mot in restants)
            }  # fmt: skip
        if fiches:
            resultat[eg.fiche_id] = fiches
    return resultat


def comptes_attendus(registre: Registre, c: Criteres) -> dict[str, dict[str, int]]:
    """By facet, the number of establishments that each value held by the register would give alone in its facet."""
    jour = Jour(c.jour)
    uos = [v for v in jour.versions.values() if v.niveau == "UO"]
    valeurs: dict[str, set[str]] = {
        "departements": {v.commune[: 3 if v.commune[:2] in ("97", "98") else 2] for v in jour.egs},
        "communes": {v.commune for v in jour.egs},
        "champs": {jour.champ(v) for v in jour.egs},
        "categories": {v.categorie for v in jour.egs},
        "types": {v.type_uo for v in uos},
        "activites": {a for v in uos for a in v.activites},
        "actes": {a for v in uos for a in v.actes},
        "publics": {a for v in uos for a in v.publics},
        "modes": {v.mode_prise_en_charge for v in uos},
        "temporalites": {v.temporalite_accueil for v in uos} - {""},
    }
    comptes: dict[str, dict[str, int]] = {}
    for nom in TITRES:
        if nom in valeurs:
            essais: dict[str, Any] = {code: {nom: (code,)} for code in valeurs[nom]}
        else:
            essais = {"1": {nom: True}}
        nombres = {
            code: len(attendues(registre, replace(c, **changement), jour)) for code, changement in essais.items()
        }
        comptes[nom] = {code: n for code, n in nombres.items() if n}
    return comptes
