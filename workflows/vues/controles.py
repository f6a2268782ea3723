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

from backoffice.socle.templatetags.ror import nombre, pluriel
from structures.enums import Niveau
from structures.regles import peut_lire_contacts_tres_restreints

from ..domaine.apercu import apercu
from ..domaine.qualite import Faute, Gravite, Regle, controler
from ..models import Dossier
from .arbre import nom_de
from .espace import VueDossier, entier, url_champ

QUOI = {"bloquants": "Bloquants", "avertissements": "Avertissements", "repertoire": "Déjà au répertoire"}
SIGNES = {"bloquants": "bloquant", "avertissements": "avertissement", "repertoire": "deja-la"}
LIGNES = 10  # of one rule, while all of them are shown
PAGE = 100  # fiches, or lines of the one rule that is shown


def quoi_de(faute: Faute) -> str:
    """The list that a fault belongs to."""
    if not faute.touchee:
        return "repertoire"
    return "bloquants" if faute.gravite is Gravite.BLOQUANT else "avertissements"


@dataclass(frozen=True, slots=True)
class Ligne:
    """One fault in words, with the way to where it is put right."""

    faute: Faute
    nom: str
    niveau: str
    url: str
    phrase: str

    @property
    def signe(self) -> str:
        return SIGNES[quoi_de(self.faute)]


@dataclass(frozen=True, slots=True)
class Groupe:
    """Lines read together: those of a rule (``regle``), or of a fiche. ``suite``: how many more, at ``url``."""

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

    def ligne(self, faute: Faute) -> Ligne:
        n = faute.noeud
        fiche = reverse("dossier_fiche", args=[self.dossier.pk, n.fiche_id])
        return Ligne(
            faute,
            nom_de(n),
            Niveau(n.niveau).label,
            url_champ(fiche, faute.champ) if self.en_edition else fiche,
            faute.phrase if self.tout_lire else faute.phrase_publique,
        )

    def par_regle(self, quoi: Iterable[str] = QUOI, lignes: int = LIGNES) -> list[Groupe]:
        """By severity, then by rule, those that find most first."""
        groupes = []
        for cle in quoi:
            par_regle = _ranger((f.regle.code, f) for f in self.par_quoi[cle])
            for code, fautes in sorted(par_regle.items(), key=lambda paire: -len(paire[1])):
                regle = fautes[0].regle
                adresse = f"{self.url}?{urlencode({'quoi': cle, 'regle': code})}"
                premieres = [self.ligne(f) for f in fautes[:lignes]]
                groupes.append(Groupe(regle.titre, premieres, len(fautes), SIGNES[cle], regle, adresse))
        return groupes

    @property
    def a_voir(self) -> list[Groupe]:
        """The rules that the dossier has to do with, without their lines."""
        return self.par_regle(("bloquants", "avertissements"), lignes=0)

    def par_fiche(self, quoi: Iterable[str] = QUOI) -> list[Groupe]:
        """By fiche, in the order of the tree."""
        fautes = [f for cle in quoi for f in self.par_quoi[cle]]
        par_fiche = _ranger((f.noeud.fiche_id, f) for f in fautes)
        return [
            Groupe(nom_de(f[0].noeud), [self.ligne(x) for x in f], len(f), url=self.ligne(f[0]).url)
            for f in par_fiche.values()
        ]


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
    if par:
        groupes = controles.par_fiche(listes)
        total, montres = len(groupes), groupes[(page - 1) * PAGE : page * PAGE]
    elif regle:
        choisies = [g for g in controles.par_regle(listes, lignes=page * PAGE) if g.regle and g.regle.code == regle]
        total = sum(g.nombre for g in choisies)
        montres = [
            Groupe(g.titre, g.lignes[(page - 1) * PAGE :], len(g.lignes[(page - 1) * PAGE :]), g.signe, g.regle)
            for g in choisies
        ]
    else:
        montres, total = controles.par_regle(listes), 0
    gardes = {"par": par} if par else {}
    tous = {"": ("Dans ce dossier", controles.nombres["bloquants"] + controles.nombres["avertissements"])}
    tous |= {cle: (mot, controles.nombres[cle]) for cle, mot in QUOI.items()}
    return {
        "groupes": montres,
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
