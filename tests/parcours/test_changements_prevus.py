"""Planned changes entered in any order, entered again, cancelled, undone, by several people on several days, through
the forms of the product: on every day the page of the fiche says what tests/structures/reference.py says.

The reference knows neither patch nor fold: each gesture is told to it as what the person saw and what she typed.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from backoffice.comptes.models import User
from structures.domaine.enregistrer import ecarts
from structures.enums import Role
from structures.models import Concept, Fiche
from tests.factories import repertoire as fabrique
from tests.navigation import client, texte
from tests.saisie import Saisie
from tests.structures import reference

pytestmark = [pytest.mark.django_db, pytest.mark.lent, pytest.mark.timeout(600)]

PREMIER = date(2027, 3, 1)
JOURS = [PREMIER + timedelta(days=n) for n in range(8)]
TOUJOURS = "013"  # an activity that nobody touches: a fiche keeps one
DEPART = {"existe": True, "nom": "Unité", "age_min": 16}


def _choix(valeurs: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(valeurs)


SAISIES = st.fixed_dictionaries(
    {"conditions_accueil": _choix(["", "Gamma", "Delta"])},
    optional={
        "nom": _choix(["Unité", "Alpha", "Beta"]),
        "age_min": _choix([16, 3, 18]),
        "activites": st.frozensets(_choix(reference.ENSEMBLES["activites"])),
        "publics": st.frozensets(_choix(reference.ENSEMBLES["publics"])),
        "equipements": st.dictionaries(_choix(reference.INDEXES["equipements"]), st.integers(1, 3)),
    },
)


def _gestes(quoi: list[str], delais: list[int]) -> st.SearchStrategy[Any]:
    """(gesture, who, which change, from how many days on or how many days pass, what is typed)."""
    return st.tuples(_choix(quoi), st.integers(0, 2), st.integers(0, 9), _choix(delais), SAISIES)


# A change in force and a planned one to begin with, so that there is something to undo and to enter again.
SUITES = st.tuples(
    _gestes(["saisir"], [0]),
    _gestes(["saisir"], [1, 2, 3]),
    st.lists(
        _gestes(["saisir", "modifier", "modifier", "annuler", "defaire", "defaire", "attendre"], [0, 1, 2, 3]),
        min_size=2,
        max_size=5,
    ),
).map(lambda suite: [suite[0], suite[1], *suite[2]])


@dataclass
class Entree:
    """A change as the reference knows it, with who entered it and what it undoes."""

    saisie: reference.Saisie
    pk: int
    auteur: User
    defait: int | None = None


@dataclass
class Registre:
    """What the reference says was entered on one fiche, and on which day we are."""

    entrees: list[Entree] = field(default_factory=list)
    jour: date = PREMIER

    def etat(self, jour: date, sauf: int | None = None, jusqu_a: tuple[date, int] | None = None) -> dict[str, Any]:
        vues = [
            e.saisie
            for e in self.entrees
            if e.pk != sauf and (jusqu_a is None or (e.saisie.jour, e.saisie.ordre) <= jusqu_a)
        ]
        lu = reference.etat_le([reference.Saisie(date(2020, 1, 6), -1, DEPART), *vues], jour)
        assert lu is not None
        return lu

    def prevues(self) -> list[Entree]:
        return [e for e in self.entrees if not e.saisie.annulee and e.saisie.jour > self.jour]

    def passees(self) -> list[Entree]:
        return [e for e in self.entrees if not e.saisie.annulee and e.saisie.jour <= self.jour]

    def annuler(self, entree: Entree) -> None:
        entree.saisie = entree.saisie._replace(annulee=True)

    def ajouter(self, fiche: Fiche, jour: date, patch: dict[str, Any], auteur: User, defait: int | None = None) -> None:
        pk = fiche.modifications.latest("pk").pk
        assert all(e.pk != pk for e in self.entrees), "the register wrote nothing"
        self.entrees.append(Entree(reference.Saisie(jour, len(self.entrees), patch), pk, auteur, defait))


def ecart(avant: dict[str, Any], apres: dict[str, Any]) -> dict[str, Any]:
    """What somebody changed who saw ``avant`` and left ``apres``, field by field, element by element."""
    patch: dict[str, Any] = {}
    for nom, voulu in apres.items():
        vu = avant[nom]
        if vu == voulu:
            continue
        if nom in reference.ENSEMBLES:
            patch[nom] = {"ajoute": sorted(voulu - vu), "retire": sorted(vu - voulu)}
        elif nom in reference.INDEXES:
            pose = {cle: n for cle, n in voulu.items() if vu.get(cle) != n}
            patch[nom] = {"pose": pose, "retire": sorted(vu.keys() - voulu.keys())}
        else:
            patch[nom] = voulu
    return patch


def applique(etat: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    voulu = dict(etat)
    for nom, changement in patch.items():
        if nom in reference.ENSEMBLES:
            voulu[nom] = (etat[nom] | set(changement["ajoute"])) - set(changement["retire"])
        elif nom in reference.INDEXES:
            garde = {cle: n for cle, n in etat[nom].items() if cle not in changement["retire"]}
            voulu[nom] = garde | changement["pose"]
        else:
            voulu[nom] = changement
    return voulu


def porte(etat: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """The part of a change that changes something in ``etat``."""
    return ecart(etat, applique(etat, patch))


def retour(registre: Registre, entree: Entree, jour: date) -> dict[str, Any]:
    """What undoing leads to on ``jour``: each value that is still as the change left it goes back; the others stay."""
    repere = (entree.saisie.jour, entree.saisie.ordre)
    avant = registre.etat(entree.saisie.jour, sauf=entree.pk, jusqu_a=repere)
    pose, maintenant = registre.etat(entree.saisie.jour, jusqu_a=repere), registre.etat(jour)
    voulu: dict[str, Any] = {}
    for nom in entree.saisie.patch:
        if nom in reference.ENSEMBLES:
            rendus, repris = pose[nom] - avant[nom], avant[nom] - pose[nom]
            voulu[nom] = (maintenant[nom] - rendus) | repris
        elif nom in reference.INDEXES:
            touchees = {c for c in avant[nom].keys() | pose[nom].keys() if avant[nom].get(c) != pose[nom].get(c)}
            intactes = {c for c in touchees if maintenant[nom].get(c) == pose[nom].get(c)}
            voulu[nom] = {c: n for c, n in maintenant[nom].items() if c not in intactes}
            voulu[nom] |= {c: avant[nom][c] for c in intactes & avant[nom].keys()}
        else:
            voulu[nom] = avant[nom] if maintenant[nom] == pose[nom] else maintenant[nom]
    return ecart(maintenant, voulu)


# -- the gestures, by the forms ---------------------------------------------------------------------------


def taper(saisie: Saisie, voulu: dict[str, Any], jour: date) -> int:
    """Fill the form as a browser shows it, go through the summary, choose the date; the last status."""
    champs = {nom: str(voulu[nom]) for nom in ("nom", "conditions_accueil", "age_min") if nom in voulu}
    champs |= {nom: sorted(voulu[nom] | ({TOUJOURS} if nom == "activites" else set())) for nom in reference.ENSEMBLES
               if nom in voulu}  # fmt: skip
    if "equipements" in voulu:
        champs |= {n: None for n in saisie.donnees() if re.match(r"equipements-\d", n)}
        for rang, (code, nombre) in enumerate(voulu["equipements"].items()):
            champs |= {f"equipements-{rang}-code": code, f"equipements-{rang}-nombre": str(nombre)}
    if saisie.envoyer("resume", **champs).status_code != 200:
        return saisie.reponse.status_code
    return saisie.envoyer("enregistrer", date_effet=jour.isoformat()).status_code


def saisir(registre: Registre, fiche: Fiche, qui: User, jour: date, voulu: dict[str, Any]) -> None:
    patch = porte(registre.etat(jour), ecart(registre.etat(registre.jour), voulu))
    statut = taper(Saisie(qui, f"/repertoire/{fiche.identifiant}/modifier/"), voulu, jour)
    assert statut == (302 if patch else 422)
    if patch:
        registre.ajouter(fiche, jour, patch, qui)


def modifier(registre: Registre, fiche: Fiche, qui: User, prevue: Entree, jour: date, voulu: dict[str, Any]) -> None:
    saisie = Saisie(qui, f"/repertoire/{fiche.identifiant}/changements/{prevue.pk}/modifier/")
    if not peut(qui, prevue):
        assert saisie.reponse.status_code == 403
        return
    sans = registre.etat(prevue.saisie.jour, sauf=prevue.pk)
    montre = applique(sans, prevue.saisie.patch)
    patch = ecart(sans, montre | voulu)
    nouveau = porte(registre.etat(jour, sauf=prevue.pk), patch)
    meme = (patch, jour) == (prevue.saisie.patch, prevue.saisie.jour)
    statut = taper(saisie, voulu, jour)
    assert statut == (302 if nouveau and not meme else 422)
    if nouveau and not meme:
        registre.annuler(prevue)
        registre.ajouter(fiche, jour, nouveau, qui, prevue.defait)


def annuler(registre: Registre, fiche: Fiche, qui: User, prevue: Entree) -> None:
    statut = client(qui).post(f"/repertoire/{fiche.identifiant}/changements/{prevue.pk}/annuler/").status_code
    assert statut == (302 if peut(qui, prevue) else 403)
    if statut == 302:
        registre.annuler(prevue)


def defaire(registre: Registre, fiche: Fiche, qui: User, passee: Entree, jour: date) -> None:
    adresse = f"/repertoire/{fiche.identifiant}/changements/{passee.pk}/defaire/"
    saisie = Saisie(qui, adresse)
    if any(e.defait == passee.pk and not e.saisie.annulee for e in registre.entrees):
        assert saisie.reponse.status_code == 409
        return
    patch, apercu = retour(registre, passee, jour), retour(registre, passee, registre.jour)
    statut = saisie.navigateur.post(adresse, {**saisie.donnees(), "date_effet": jour.isoformat()}).status_code
    if patch.keys() != apercu.keys() or not patch:
        assert statut == 409  # not what the page showed, or nothing goes back
        return
    assert statut == 302
    registre.ajouter(fiche, jour, patch, qui, passee.pk)


def peut(qui: User, entree: Entree) -> bool:
    return qui == entree.auteur or qui.username.startswith("gestionnaire")


# -- what the pages say -------------------------------------------------------------------------------------


def lire_page(html: str, libelles: dict[tuple[str, str], str]) -> dict[str, Any]:
    """The state of the fiche, read from the words of its page."""

    def contenu(nom: str) -> str:
        trouve = re.search(rf'<div id="champ-{nom}">.*?<dd>(.*?)</dd>', html, re.S)
        return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", trouve[1]))) if trouve else ""

    titre = re.search(r"<h1>(.*?)</h1>", html, re.S)
    assert titre
    accueil, age = contenu("conditions_accueil"), re.search(r"\d+", contenu("age_min"))
    assert age
    lu: dict[str, Any] = {"nom": unescape(titre[1]), "age_min": int(age[0])}
    lu["conditions_accueil"] = next((mot for mot in ("Gamma", "Delta") if mot in accueil), "")
    for nom, codes in reference.ENSEMBLES.items():
        lu[nom] = frozenset(c for c in codes if libelles[nom, c] in contenu(nom))
    comptes = {c: re.search(rf"{re.escape(libelles['equipements', c])} : (\d+)", contenu("equipements"))
               for c in reference.INDEXES["equipements"]}  # fmt: skip
    lu["equipements"] = {c: int(n[1]) for c, n in comptes.items() if n}
    return lu


def libelles_des_codes() -> dict[tuple[str, str], str]:
    listes = {"activites": "R211", "publics": "R239", "equipements": "R212"}
    cherches = {**reference.ENSEMBLES, **reference.INDEXES}
    return {
        (nom, code): re.sub(r"\s+", " ", Concept.objects.get(nomenclature=liste, code=code).libelle)
        for nom, liste in listes.items()
        for code in cherches[nom]
    }


@pytest.fixture
def hopital() -> dict[str, Fiche]:
    return fabrique.hopital()


@pytest.fixture
def gens(hopital: dict[str, Fiche]) -> list[User]:
    return [
        fabrique.compte(Role.REFERENT, hopital["EG"], "referent.essai"),
        fabrique.compte(Role.DIRECTION, hopital["EG"], "direction.essai"),
        fabrique.gestionnaire("gestionnaire.essai"),
    ]


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(gestes=SUITES)
def test_les_pages_egalent_la_reference_chaque_jour(hopital, gens, gestes):
    libelles = libelles_des_codes()
    fiche = fabrique.uo(hopital["UF"], DEPART["nom"])
    registre = Registre()
    for geste, rang, lequel, delai, voulu in gestes:
        with time_machine.travel(datetime(*registre.jour.timetuple()[:3], 9, tzinfo=UTC)):
            qui, jour = gens[rang], registre.jour + timedelta(days=delai)
            prevues, passees, deja = registre.prevues(), registre.passees(), len(registre.entrees)
            if geste == "saisir":
                saisir(registre, fiche, qui, jour, voulu)
            elif geste == "modifier" and prevues:
                modifier(registre, fiche, qui, prevues[lequel % len(prevues)], jour, voulu)
            elif geste == "annuler" and prevues:
                annuler(registre, fiche, qui, prevues[lequel % len(prevues)])
            elif geste == "defaire" and passees:
                defaire(registre, fiche, qui, passees[lequel % len(passees)], jour)
            elif geste == "attendre":
                registre.jour += timedelta(days=min(delai, 1))
            event(f"{geste}, {len(registre.entrees) - deja} entered")
    with time_machine.travel(datetime(*registre.jour.timetuple()[:3], 9, tzinfo=UTC)):
        lecteur = client(gens[0])
        for jour in JOURS:
            page = lecteur.get(f"/repertoire/{fiche.identifiant}/?au={jour}")
            assert page.status_code == 200, texte(page)
            assert lire_page(page.content.decode(), libelles) == registre.etat(jour), jour
    assert ecarts(hopital["EG"]) == []
