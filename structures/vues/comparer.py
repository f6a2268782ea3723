"""Two days of a fiche side by side, of an establishment with its whole tree: what came, left, moved, was renamed,
changed, with who, when and why."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone

from backoffice.socle.erreurs import Introuvable
from backoffice.socle.mots import date_longue, nombre
from backoffice.socle.vues import entier

from .. import regles, requetes, temps
from ..champs import UNITES
from ..enums import Niveau
from ..forms.jours import DeuxJoursForm
from ..models import Fiche, Modification
from .communs import Jour, VueFiche, adresse_fiche, presence
from .historique import affichage_de, qui, titre_de

# What happened to a fiche between the two days, in the order of the page; a fiche stands under the first that applies.
NATURES = {
    "ajout": ("Fiches ajoutées", "ajoutée", "ajoutées"),
    "fermee": ("Fiches fermées", "fermée", "fermées"),
    "deplacement": ("Fiches déplacées", "déplacée", "déplacées"),
    "renommage": ("Fiches renommées", "renommée", "renommées"),
    "type": ("Types d’UO changés", "type d’UO changé", "types d’UO changés"),
    "modification": ("Contenus modifiés", "contenu modifié", "contenus modifiés"),
}


@dataclass(slots=True)
class Changement:
    """One fiche that is not the same on both days. ``natures``: everything that happened to it, the first one is the
    heading it stands under. ``de`` and ``vers``: where it hung; ``lignes``: for <c-table-diff>, with their causes."""

    ecart: temps.Ecart
    natures: list[str]
    url: str
    chemin: str
    de: str = ""
    vers: str = ""
    lignes: list[dict[str, Any]] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)

    @property
    def nom(self) -> str:
        avant, apres = self.ecart.noms
        return (avant if apres is None else apres) or "(sans nom)"

    @property
    def niveau(self) -> str:
        return Niveau(self.ecart.niveau).label


class ComparerView(VueFiche):
    """``?du=&au=`` (a year ago and today when they are not given), 50 fiches a page. Constant statements."""

    TAILLE = 50

    def get(self, request: HttpRequest, identifiant: str) -> HttpResponse:
        fiche, aujourdhui = self.fiche, timezone.localdate()
        version = requetes.version_la_plus_proche(fiche)
        if version is None:
            raise Introuvable("fiche_inconnue", f"Aucune fiche du répertoire ne porte l’identifiant « {identifiant} ».")
        form, du, au = deux_jours(request.GET)
        droits = regles.droits_sur(request.user, fiche)
        changements = [] if form.errors else changements_entre(fiche, du, au, droits.champs_caches)
        comptes = Counter(nature for c in changements for nature in c.natures)
        debut = (entier(request.GET.get("debut")) or 0) // self.TAILLE * self.TAILLE
        debut = debut if debut < len(changements) else 0
        montres = changements[debut : debut + self.TAILLE]
        detailler(droits, montres, du, au)
        _, _, _, contenu_au = presence(version, aujourdhui)
        return render(
            request,
            "structures/comparer.html",
            {
                "fiche": fiche,
                "nom": version.nom or "(sans nom)",
                "niveau": Niveau(fiche.niveau).label,
                "fil": self.fil(fiche, Jour(aujourdhui), "Comparer deux dates", contenu_au),
                "form": form,
                "du": du,
                "au": au,
                "seule": fiche.niveau != Niveau.EG,
                "total": len(changements),
                "comptes": [
                    (n, f"{nombre(comptes[n])} {mots[1 + (comptes[n] > 1)]}")
                    for n, mots in NATURES.items()
                    if comptes[n]
                ],
                "groupes": _groupes(montres),
                "absences": [
                    (jour, adresse_fiche(identifiant, Jour(jour, autre=True)))
                    for jour in ([] if form.errors else [du, au])
                    if requetes.version_au(fiche, jour) is None
                ],
                "precedent": str(max(debut - self.TAILLE, 0)) if debut else "",
                "suivant": str(debut + self.TAILLE) if debut + self.TAILLE < len(changements) else "",
                "premier": debut + 1,
                "dernier": debut + len(montres),
            },
            status=422 if form.errors else 200,
        )


def deux_jours(choix: QueryDict) -> tuple[DeuxJoursForm, date, date]:
    """The two days of an address; those proposed when it names none, or none that can be read (``form.errors``)."""
    form = DeuxJoursForm(choix if "du" in choix or "au" in choix else None)
    jours = form.cleaned_data if form.is_bound and form.is_valid() else form.initial
    return form, jours["du"], jours["au"]


def changements_entre(fiche: Fiche, du: date, au: date, caches: Collection[str]) -> list[Changement]:
    """Every fiche that differs in what the reader may read, under its heading and then in the order of the tree; not
    yet detailed."""
    ecarts = temps.ecarts_entre(fiche, du, au, caches)
    avant = requetes.noeuds_au(fiche, du) if fiche.niveau == Niveau.EG else {}
    apres = requetes.noeuds_au(fiche, au) if fiche.niveau == Niveau.EG else {}
    rang: dict[int, int] = {}
    for noeuds in (apres, avant):
        racine = requetes.assembler(noeuds, fiche.pk)
        for noeud in racine.parcours() if racine else ():
            rang.setdefault(noeud.fiche_id, len(rang))
    changements = []
    for ecart in ecarts:
        jour, place, parent = (au, apres, ecart.parents[1]) if ecart.existe[1] else (du, avant, ecart.parents[0])
        url = adresse_fiche(ecart.identifiant, Jour(jour, autre=True))
        changements.append(Changement(ecart, _natures(ecart), url, _chemin(place, parent)))
    ordre = list(NATURES)
    return sorted(
        changements,
        key=lambda c: (ordre.index(c.natures[0]), rang.get(c.ecart.fiche_id, len(rang)), c.ecart.fiche_id),
    )


def _natures(ecart: temps.Ecart) -> list[str]:
    if not ecart.existe[0]:
        return ["ajout"]
    if not ecart.existe[1]:
        return ["fermee"]
    avant, apres = ecart.noms
    quoi = [ecart.deplacee, avant != apres, ecart.type_change, ecart.contenu_change]
    return [n for n, oui in zip(("deplacement", "renommage", "type", "modification"), quoi, strict=True) if oui]


def _chemin(noeuds: dict[int, requetes.Noeud], cle: int | None) -> str:
    """« Pôle A › Service B », from below the EG down to this fiche."""
    maillons: list[str] = []
    while cle in noeuds and noeuds[cle].niveau not in (Niveau.EG, Niveau.EJ):
        maillons.append(noeuds[cle].nom or "(sans nom)")
        cle = noeuds[cle].parent_id
    return " › ".join(reversed(maillons))


def detailler(droits: regles.Droits, changements: Sequence[Changement], du: date, au: date) -> None:
    """Fill ``lignes``, ``de``, ``vers``, ``causes`` of what a page shows: labels and causes are read once for all."""
    cles = [c.ecart.fiche_id for c in changements]
    avants, apres = requetes.etats_au(cles, du), requetes.etats_au(cles, au)
    causes = temps.causes_des(cles, du, au)
    affichage = affichage_de(
        cles,
        [*avants.values(), *apres.values()],
        niveau=droits.niveau,
        jour=au,
        tres_restreint=droits.modifier,
        champs_caches=droits.champs_caches,
    )
    for c in changements:
        mots = copy(affichage)
        mots.niveau = c.ecart.niveau
        etats = avants.get(c.ecart.fiche_id, {}), apres.get(c.ecart.fiche_id, {})
        modifications = causes.get(c.ecart.fiche_id, [])
        if c.natures[0] in ("ajout", "fermee"):
            c.causes = [_cause(m) for m in modifications if "existe" in m.patch]
        if c.natures[0] == "fermee":
            continue
        if "deplacement" in c.natures:
            c.de, c.vers = (str(mots.texte("parent", etat)) for etat in etats)
            c.causes = [_cause(m) for m in modifications if "parent" in m.patch]
        c.lignes = mots.differences(*etats, [nom for nom in etats[1] if nom not in ("existe", "parent")])
        for ligne in c.lignes:
            ligne["cause"] = "\n".join(_cause(m) for m in modifications if _touche(m, ligne["nom"]))


def _touche(modification: Modification, nom: str) -> bool:
    return any(UNITES.get(touche, touche) == nom for touche in modification.patch)


def _cause(m: Modification) -> str:
    """« Ada Durand, modification directe, au 3 mars 2027. Motif : … »."""
    titre = titre_de(m)
    morceaux = [qui(m)] if qui(m).lower() != titre.lower() else []
    if morceaux:
        titre = titre[:1].lower() + titre[1:]
    phrase = ", ".join([*morceaux, titre, f"au {date_longue(m.date_effet)}"])
    return f"{phrase}. Motif : {m.motif}" if m.motif else phrase


def _groupes(montres: Iterable[Changement]) -> list[dict[str, Any]]:
    """The fiches of a page under their headings."""
    groupes: dict[str, list[Changement]] = {}
    for c in montres:
        groupes.setdefault(c.natures[0], []).append(c)
    return [
        {"nature": n, "titre": NATURES[n][0], "changements": liste, "causes": n != "ajout"}
        for n, liste in groupes.items()
    ]
