"""« Contrôles »: what the quality rules find on a dossier, for its authors and for those who decide."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from backoffice.socle.mots import nombre, pluriel
from structures.champs import CHAMPS, libelle
from structures.enums import Niveau
from structures.regles import peut_lire_contacts_tres_restreints

from ..domaine.apercu import apercu
from ..domaine.qualite import Faute, Gravite, Regle, controler
from ..models import Dossier
from .arbre import nom_de
from .espace import VueDossier, entier, url_champ

QUOI = {"bloquants": "Bloquants", "avertissements": "Avertissements", "repertoire": "Déjà au répertoire"}
SIGNES = {"bloquants": "bloquant", "avertissements": "avertissement", "repertoire": "deja-la"}
LIGNES = 10  # fiches of one rule, while all rules are shown
PAGE = 50  # fiches, when one rule or the list by fiche is shown


def quoi_de(faute: Faute) -> str:
    """The list that a fault belongs to."""
    if not faute.touchee:
        return "repertoire"
    return "bloquants" if faute.gravite is Gravite.BLOQUANT else "avertissements"


@dataclass(frozen=True, slots=True)
class Constat:
    """A fault in words, with the way to where it is put right."""

    url: str
    phrase: str
    signe: str


@dataclass(frozen=True, slots=True)
class Ligne:
    """A fiche and what is wrong with it. ``manques``: the mandatory fields that it lacks, by their labels."""

    nom: str
    sur: str
    url: str
    manques: list[Constat]
    constats: list[Constat]


@dataclass(frozen=True, slots=True)
class Groupe:
    """Fiches read together: those that break ``regle``, or all of them. ``suite``: how many more, at ``url``."""

    titre: str
    lignes: list[Ligne]
    nombre: int
    signe: str = ""
    regle: Regle | None = None
    url: str = ""

    @property
    def suite(self) -> int:
        return self.nombre - len(self.lignes)


class Controles:
    """The faults of a dossier as one person may read them.

    ``en_edition``: her links lead to the fields. What a contact keeps to the establishment is masked for the others.
    """

    def __init__(self, dossier: Dossier, lecteur: Any, fautes: Iterable[Faute], *, en_edition: bool) -> None:
        self.dossier = dossier
        self.en_edition = en_edition
        self.tout_lire = peut_lire_contacts_tres_restreints(lecteur, dossier.eg)
        self.url = reverse("dossier_controles", args=[dossier.pk])
        self.par_quoi: dict[str, list[Faute]] = {quoi: [] for quoi in QUOI}
        for faute in fautes:
            self.par_quoi[quoi_de(faute)].append(faute)

    @cached_property
    def nombres(self) -> dict[str, int]:
        return {quoi: len(fautes) for quoi, fautes in self.par_quoi.items()}

    @property
    def resume(self) -> str:
        """« 3 bloquants, 5 avertissements »; what the dossier leaves alone is not counted."""
        mots = {"bloquants": "bloquant", "avertissements": "avertissement"}
        comptes = [f"{nombre(n)} {mot}{pluriel(n)}" for quoi, mot in mots.items() if (n := self.nombres[quoi])]
        return ", ".join(comptes) or "Rien à corriger"

    def par_regle(self, quoi: Iterable[str] = QUOI, tranche: slice = slice(LIGNES)) -> list[Groupe]:
        """By severity, then by rule, those that find most first; of each, a slice of the fiches."""
        groupes = []
        for cle in quoi:
            par_regle = _ranger((f.regle.code, f) for f in self.par_quoi[cle])
            for code, fautes in sorted(par_regle.items(), key=lambda paire: -len(paire[1])):
                regle, fiches = fautes[0].regle, _ranger((f.noeud.fiche_id, f) for f in fautes)
                lignes = [self._ligne(f) for f in list(fiches.values())[tranche]]
                adresse = f"{self.url}?{urlencode({'quoi': cle, 'regle': code})}"
                groupes.append(Groupe(regle.titre, lignes, len(fiches), SIGNES[cle], regle, adresse))
        return groupes

    @property
    def a_voir(self) -> list[Groupe]:
        """The rules that the dossier has to do with, without their fiches."""
        return self.par_regle(("bloquants", "avertissements"), slice(0))

    def par_fiche(self, quoi: Iterable[str], tranche: slice) -> Groupe:
        """A slice of the fiches, in the order of the tree, each with all that is wrong with it."""
        fiches = _ranger((f.noeud.fiche_id, f) for cle in quoi for f in self.par_quoi[cle])
        ordre = sorted(fiches.values(), key=lambda fautes: fautes[0].rang)
        return Groupe("Fiches à revoir", [self._ligne(f) for f in ordre[tranche]], len(fiches))

    def _ligne(self, fautes: list[Faute]) -> Ligne:
        noeud = fautes[0].noeud
        fiche = reverse("dossier_fiche", args=[self.dossier.pk, noeud.fiche_id])
        manques, constats = [], []
        for faute in fautes:
            url = url_champ(fiche, faute.champ) if self.en_edition else fiche
            if faute.regle.obligatoire:
                manques.append(Constat(url, libelle(CHAMPS[faute.champ], noeud.niveau), SIGNES[quoi_de(faute)]))
            else:
                phrase = faute.phrase if self.tout_lire else faute.phrase_publique
                constats.append(Constat(url, phrase, SIGNES[quoi_de(faute)]))
        sur = f"{Niveau(noeud.niveau).label} · {noeud.identifiant}"
        return Ligne(nom_de(noeud), sur, fiche, manques, constats)


def _ranger(paires: Iterable[tuple[Any, Faute]]) -> dict[Any, list[Faute]]:
    rangees: dict[Any, list[Faute]] = defaultdict(list)
    for cle, faute in paires:
        rangees[cle].append(faute)
    return dict(rangees)


def controles_de(dossier: Dossier, lecteur: Any) -> Controles:
    """What the rules find on the fiches that the dossier touches, beside its sending and its decisions."""
    travaux = list(dossier.fiches.select_related("fiche"))
    return Controles(dossier, lecteur, controler(apercu(dossier, travaux), travaux), en_edition=False)


class ControlesView(VueDossier):
    """The page: counts, by rule or by fiche, one list or one rule at a time; the address tells which."""

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        espace = self.espace
        contexte: dict[str, Any] = {"espace": espace, "dossier": self.dossier, "fil": self.fil(("Contrôles", ""))}
        if self.dossier.est_ouvert:
            fautes = controler(espace.arbre, espace.travaux, repertoire_aussi=True)
            controles = Controles(self.dossier, request.user, fautes, en_edition=espace.modifiable)
            contexte |= {"controles": controles} | _choix(request, controles)
        return render(request, "workflows/controles.html", contexte)


def _choix(request: HttpRequest, controles: Controles) -> dict[str, Any]:
    quoi, par = request.GET.get("quoi", ""), request.GET.get("par", "")
    quoi, par = quoi if quoi in QUOI else "", "fiche" if par == "fiche" else ""
    listes = [quoi] if quoi else [cle for cle in QUOI if cle != "repertoire"]
    regle = request.GET.get("regle", "")
    page = max(1, entier(request.GET.get("page")) or 1)
    tranche = slice((page - 1) * PAGE, page * PAGE)
    if par:
        groupes = [controles.par_fiche(listes, tranche)]
    elif regle:
        groupes = [g for g in controles.par_regle(listes, tranche) if g.regle and g.regle.code == regle]
    else:
        groupes = controles.par_regle(listes)
    total = max((g.nombre for g in groupes), default=0) if par or regle else 0
    gardes = {"par": par} if par else {}
    tous = {"": ("Dans ce dossier", controles.nombres["bloquants"] + controles.nombres["avertissements"])}
    tous |= {cle: (mot, controles.nombres[cle]) for cle, mot in QUOI.items()}
    return {
        "groupes": [g for g in groupes if g.lignes],
        "par": par,
        "regle": regle,
        "quoi": quoi,
        "page": page,
        "precedente": page - 1 if total and page > 1 else None,
        "suivante": page + 1 if total > page * PAGE else None,
        "onglets": [
            {"libelle": mot, "nombre": n, "actif": cle == quoi, "url": "?" + urlencode({"quoi": cle} | gardes)}
            for cle, (mot, n) in tous.items()
        ],
    }
