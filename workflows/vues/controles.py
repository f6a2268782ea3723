"""« Contrôles »: what the quality rules find on a dossier, for its authors and for those who decide."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse

from backoffice.socle.mots import nombre, pluriel
from backoffice.socle.vues import entier
from structures.champs import CHAMPS, libelle
from structures.enums import Niveau
from structures.regles import peut_lire_contacts_tres_restreints

from ..domaine.apercu import apercu
from ..domaine.qualite import Faute, Gravite, Regle, controler
from ..models import Dossier
from .arbre import nom_de
from .espace import Espace, VueDossier, url_champ

QUOI = {"bloquants": "Bloquants", "avertissements": "Avertissements", "repertoire": "Déjà au répertoire"}
SIGNES = {"bloquants": "bloquant", "avertissements": "avertissement", "repertoire": "deja-la"}
LIGNES = 10  # fiches of one rule, while all rules are shown
PAGE = 50  # fiches, when one rule or the list by fiche is shown


def quoi_de(faute: Faute) -> str:
    """The list that a fault belongs to."""
    if not faute.touchee:
        return "repertoire"
    return "bloquants" if faute.gravite is Gravite.BLOQUANT else "avertissements"


def champ_en_cause(faute: Faute) -> str:
    """The label of its field, "" when it is about the place of the fiche."""
    return libelle(CHAMPS[faute.champ], faute.noeud.niveau) if faute.champ in CHAMPS else ""


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
            for fautes in self._regles(cle):
                regle, fiches = fautes[0].regle, _ranger((f.noeud.fiche_id, f) for f in fautes)
                lignes = [self._ligne(f) for f in list(fiches.values())[tranche]]
                adresse = f"{self.url}?{urlencode({'quoi': cle, 'regle': regle.code})}"
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

    def toutes(self, quoi: Iterable[str], regle: str = "", *, par_fiche: bool = False) -> list[Faute]:
        """The faults of these lists, of one rule or of all, in the order of the page."""
        fautes = [f for cle in quoi for de_la_regle in self._regles(cle) for f in de_la_regle]
        if par_fiche:
            return sorted(fautes, key=lambda f: f.rang)
        return [f for f in fautes if regle in ("", f.regle.code)]

    def _regles(self, quoi: str) -> list[list[Faute]]:
        """The faults of a list, rule by rule, those that find most first."""
        par_regle = _ranger((f.regle.code, f) for f in self.par_quoi[quoi])
        return sorted(par_regle.values(), key=lambda fautes: -len(fautes))

    def phrase(self, faute: Faute) -> str:
        return faute.phrase if self.tout_lire else faute.phrase_publique

    def adresse(self, faute: Faute) -> str:
        """Where it is put right, or read."""
        fiche = reverse("dossier_fiche", args=[self.dossier.pk, faute.noeud.fiche_id])
        return url_champ(fiche, faute.champ) if self.en_edition else fiche

    def _ligne(self, fautes: list[Faute]) -> Ligne:
        noeud = fautes[0].noeud
        fiche = reverse("dossier_fiche", args=[self.dossier.pk, noeud.fiche_id])
        manques, constats = [], []
        for faute in fautes:
            url = self.adresse(faute)
            if faute.regle.obligatoire:
                manques.append(Constat(url, champ_en_cause(faute), SIGNES[quoi_de(faute)]))
            else:
                constats.append(Constat(url, self.phrase(faute), SIGNES[quoi_de(faute)]))
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


def controles_de_l_espace(espace: Espace) -> Controles:
    """Of an open dossier, with what the register had on the fiches that it leaves alone."""
    fautes = controler(espace.arbre, espace.travaux, repertoire_aussi=True)
    return Controles(espace.dossier, espace.user, fautes, en_edition=espace.modifiable)


class Choix(NamedTuple):
    """What the address asks for: a list, « fiche » to go by fiche, a rule; "" for none, or one that does not exist."""

    quoi: str
    par: str
    regle: str

    @property
    def listes(self) -> list[str]:
        return [self.quoi] if self.quoi else [cle for cle in QUOI if cle != "repertoire"]


def choix_de(demande: QueryDict) -> Choix:
    quoi = demande.get("quoi", "")
    par = "fiche" if demande.get("par") == "fiche" else ""
    return Choix(quoi if quoi in QUOI else "", par, demande.get("regle", ""))


class ControlesView(VueDossier):
    """The page: counts, by rule or by fiche, one list or one rule at a time; the address tells which."""

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        espace = self.espace
        contexte: dict[str, Any] = {"espace": espace, "dossier": self.dossier, "fil": self.fil(("Contrôles", ""))}
        if self.dossier.est_ouvert:
            controles = controles_de_l_espace(espace)
            contexte |= {"controles": controles} | _montrer(request, controles)
        return render(request, "workflows/controles.html", contexte)


def _montrer(request: HttpRequest, controles: Controles) -> dict[str, Any]:
    choix = choix_de(request.GET)
    (quoi, par, regle), listes = choix, choix.listes
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
        "requete": urlencode({"dossier": controles.dossier.pk} | {k: v for k, v in choix._asdict().items() if v}),
        "page": page,
        "precedente": page - 1 if total and page > 1 else None,
        "suivante": page + 1 if total > page * PAGE else None,
        "onglets": [
            {"libelle": mot, "nombre": n, "actif": cle == quoi, "url": "?" + urlencode({"quoi": cle} | gardes)}
            for cle, (mot, n) in tous.items()
        ],
    }
