"""« Approuver sauf certaines fiches »: choose, read what would be published and what would come back, confirm."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import cast

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Invalide
from backoffice.socle.mots import nombre, pluriel
from backoffice.socle.vues import entier

from .. import requetes
from ..domaine import approbation_partielle as partielle
from ..domaine import decisions
from ..domaine.apercu import NoeudTravail
from ..domaine.suite import nom_de_la_suite
from ..enums import EtatDossier
from ..forms_taches import PREFIXE_COMMENTAIRE, DecisionForm
from ..models import Dossier
from .arbre import natures
from .decisions import Decider
from .situation import situation
from .suite import adresse_de_la_tache, suite_de
from .tache import ECARTABLES, autres_tutelles

PREFIXE_MOTIF = "motif-"
MOTIFS_PROPRES = 50  # above that many chosen fiches, one reason is for all


class MotifForm(forms.Form):
    use_required_attribute = False
    motif = forms.CharField(
        label="Motif",
        required=False,
        max_length=partielle.MOTIF_MAXIMAL,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Obligatoire, sauf si chaque fiche a le sien. Les auteurs le lisent sur les fiches et par courriel.",
    )


@dataclass(frozen=True, slots=True)
class Saisie:
    """What was ticked and typed: here, or on the page of the task, where a comment on a fiche is its reason."""

    cochees: list[int]
    motifs: dict[int, str]
    motif: str

    @property
    def motifs_propres(self) -> bool:
        """A reason for each fiche beside the common one: of use for several, or when one was typed."""
        return bool(self.motifs.keys() & set(self.cochees)) or 1 < len(self.cochees) <= MOTIFS_PROPRES

    @property
    def ecartees(self) -> dict[int, str]:
        return {fiche: self.motifs.get(fiche) or self.motif for fiche in self.cochees}


def lire(donnees: QueryDict) -> Saisie:
    cochees = [cle for brut in donnees.getlist("ecarter") if (cle := entier(brut)) is not None]
    motifs = {}
    for nom in donnees:
        for prefixe in (PREFIXE_MOTIF, PREFIXE_COMMENTAIRE):
            cle = entier(nom.removeprefix(prefixe)) if nom.startswith(prefixe) else None
            if cle is not None and (texte := str(donnees[nom]).strip()):
                motifs[cle] = texte
    return Saisie(list(dict.fromkeys(cochees)), motifs, donnees.get("motif", "").strip())


@dataclass(frozen=True, slots=True)
class Ligne:
    """A fiche in one of the lists. ``raison``: why it goes along. ``dits``: (who, reason) of other authorities."""

    noeud: NoeudTravail
    cochee: bool = False
    motif: str = ""
    raison: str = ""
    dits: list[tuple[str, str]] = field(default_factory=list)

    @property
    def natures(self) -> list[str]:
        return natures(self.noeud)


class ApprouverSauf(Decider):
    """A GET chooses, a POST shows what it would do, a POST with ``confirmer`` decides."""

    def get(self, request: HttpRequest, numero: int) -> HttpResponse:
        user = cast(User, request.user)
        seule = self.tache.dossier.fiches.count() == 1  # nothing would be left to publish
        if seule or self.tache.noeud not in ECARTABLES or not situation(user, self.tache).peut_decider:
            return redirect("tache", numero=numero)
        return self._page(request, Saisie([], {}, ""))

    def post(self, request: HttpRequest, numero: int) -> HttpResponse:
        saisie, acteur = lire(request.POST), cast(User, request.user)
        erreurs: list[tuple[str, str]] = []
        try:
            if "confirmer" in request.POST:
                return self._ensuite(request, self.decider(DecisionForm(request.POST), acteur))
            decisions.essayer_sauf(tache=numero, acteur=acteur, ecartees=saisie.ecartees)
        except Invalide as refus:
            if refus.code != "rien_d_ecarte" or "confirmer" in request.POST:
                erreurs = _erreurs(refus, saisie)
        except Conflit as refus:
            if refus.code != "partage_change":
                raise
            return self._page(request, saisie, [("", refus.message)], statut=409)
        return self._page(request, saisie, erreurs)

    def decider(self, form: DecisionForm, acteur: User) -> Dossier:
        ecartees, jeton = lire(self.request.POST).ecartees, self.request.POST.get("jeton", "")
        return decisions.approuver_sauf(tache=self.tache.pk, acteur=acteur, ecartees=ecartees, jeton=jeton)

    def fait(self, dossier: Dossier) -> str:
        if dossier.etat != EtatDossier.PUBLIE:
            return (
                f"Le dossier « {dossier.nom} » est approuvé sauf certaines fiches. Il sera publié quand l’autre "
                "tutelle l’aura approuvé aussi."
            )
        n = dossier.ecartees
        return (
            f"Le dossier « {dossier.nom} » est publié sauf {nombre(n)} fiche{pluriel(n)}, "
            f"{pluriel(n, 'revenue,revenues')} à ses auteurs dans un dossier de suite."
        )

    def _page(
        self, request: HttpRequest, saisie: Saisie, erreurs: list[tuple[str, str]] | None = None, statut: int = 200
    ) -> HttpResponse:
        dossier, user = self.tache.dossier, cast(User, request.user)
        deja = partielle.ecarts_de(dossier)
        touchees = set(dossier.fiches.values_list("fiche_id", flat=True))
        siens = [partielle.Ecart(f, m, user) for f, m in saisie.ecartees.items() if f in touchees]
        partage = partielle.partager(dossier, [*deja, *siens])
        soeurs = requetes.tutelles_soeurs([self.tache]).get(self.tache.pk, [])
        suite = suite_de(request)
        lignes = _lignes(partage, saisie, deja)
        contexte = {
            "tache": self.tache,
            "dossier": dossier,
            "form": MotifForm(initial={"motif": saisie.motif}),
            "erreurs": erreurs or [],
            "choisies": [ligne for ligne in lignes if ligne.cochee or ligne.dits],
            "entrainees": [ligne for ligne in lignes if ligne.raison and not ligne.cochee and not ligne.dits],
            "publiees": [ligne for ligne in lignes if not (ligne.cochee or ligne.dits or ligne.raison)],
            "commentees": [ligne for ligne in lignes if ligne.motif and not ligne.cochee],
            "motifs_propres": saisie.motifs_propres,
            "possible": bool(partage.ecarts) and not erreurs,
            "jeton": partage.jeton,
            "attendues": [a.nom for a in autres_tutelles(soeurs) if a.attendue],
            "nom_suite": nom_de_la_suite(dossier.nom),
            "suite": suite,
            "retour": adresse_de_la_tache(self.tache.pk, suite),
        }
        statut = 422 if erreurs and statut == 200 else statut
        return render(request, "workflows/taches/approuver_sauf.html", contexte, status=statut)


def _erreurs(refus: Invalide, saisie: Saisie) -> list[tuple[str, str]]:
    """A missing reason points at the common one when none was typed for all."""
    sans_motif = [cle for cle in refus.champs if cle.startswith(PREFIXE_MOTIF)]
    if sans_motif and not (saisie.motif and saisie.motifs_propres):
        return [("id_motif", refus.message)]
    return [(f"id_{cle}", refus.message) for cle in sans_motif] or [("", refus.message)]


def _lignes(partage: partielle.Partage, saisie: Saisie, deja: Collection[partielle.Ecart]) -> list[Ligne]:
    """Every fiche of the dossier, in the order of the tree."""
    dits: dict[int, list[tuple[str, str]]] = {}
    for e in deja:
        qui = f"{e.qui} ({e.autorite.nom})" if e.autorite else e.qui
        dits.setdefault(e.fiche, []).append((qui, e.motif))
    lignes = []
    for travail in sorted([*partage.ecartes, *partage.retenus], key=lambda t: partage.rang(t.fiche_id)):
        cle = travail.fiche_id
        noeud, avec = partage.arbre.noeuds.get(cle), partage.entrainees.get(cle)
        if noeud is not None:
            raison = partage.raison(avec) if avec else ""
            lignes.append(Ligne(noeud, cle in saisie.cochees, saisie.motifs.get(cle, ""), raison, dits.get(cle, [])))
    return lignes
