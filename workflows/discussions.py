"""What people say in a dossier: the threads of comments, whom one may name, what waits for somebody."""

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Coalesce

from structures.champs import libelle

from .domaine.apercu import SANS_NOM
from .domaine.commentaires import champ_en_mots, champs_a_commenter, noms_a_citer, noms_des_retirees
from .domaine.journal import noms_des
from .enums import OUVERTS
from .models import Commentaire, Dossier
from .regles import dossiers_visibles, roles_sur

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from backoffice.comptes.models import User


@dataclass
class Fil:
    """A thread: its first comment and the answers, as the page shows it."""

    premier: Commentaire
    nom: str  # of the fiche
    retiree: bool  # a new fiche that left the dossier
    reponses: list[Commentaire] = field(default_factory=list)

    @property
    def messages(self) -> list[Commentaire]:
        return [self.premier, *self.reponses]

    @property
    def resolu(self) -> bool:
        return self.premier.resolu_le is not None

    @property
    def champ(self) -> str:
        return champ_en_mots(self.premier.champ, self.premier.fiche.niveau)

    def cite(self, user: "User | AnonymousUser") -> bool:
        return any(user in m.mentions.all() for m in self.messages)


def fils_de(dossier: Dossier, fiche: int | None = None) -> list[Fil]:
    """The threads of a dossier or of one of its fiches, the oldest first. At most five statements."""
    tous = dossier.commentaires.filter(fiche=fiche) if fiche else dossier.commentaires.all()
    commentaires = list(
        tous.select_related("auteur", "resolu_par", "fiche").prefetch_related("mentions").order_by("pk")
    )
    fiches = {c.fiche_id for c in commentaires}
    noms = noms_des(dossier, fiches)
    perdus = noms_des_retirees(dossier, fiches - noms.keys())
    fils = {
        c.pk: Fil(c, noms.get(c.fiche_id) or perdus.get(c.fiche_id) or SANS_NOM, c.fiche_id not in noms)
        for c in commentaires
        if c.parent_id is None
    }
    for c in commentaires:
        if c.parent_id is not None:
            fils[c.parent_id].reponses.append(c)
    return list(fils.values())


def ouverts_par_fiche(dossier: Dossier) -> dict[int, int]:
    """How many threads wait on each fiche. One statement."""
    comptes: dict[int, int] = {}
    ouverts = dossier.commentaires.filter(parent__isnull=True, resolu_le__isnull=True)
    for fiche in ouverts.order_by("pk").values_list("fiche_id", flat=True):
        comptes[fiche] = comptes.get(fiche, 0) + 1
    return comptes


def qui_attendent(user: "User | AnonymousUser") -> QuerySet[Commentaire]:
    """Open threads that she may see where somebody named her since she last wrote; the newest first."""
    fil = Coalesce("parent", "pk")
    siens = Commentaire.objects.annotate(fil=fil).filter(
        auteur=user.pk, fil=OuterRef("fil"), pk__gt=OuterRef("pk")
    ).order_by()  # fmt: skip
    citent = Commentaire.objects.annotate(fil=fil).filter(~Exists(siens), mentions=user.pk).order_by()
    return (
        Commentaire.objects.filter(
            pk__in=citent.values("fil"),
            resolu_le__isnull=True,
            dossier__etat__in=OUVERTS,
            dossier__in=dossiers_visibles(user),
        )
        .select_related("dossier", "auteur")
        .order_by("-pk")
    )


@dataclass
class Refus:
    """What somebody wrote in the form of a thread (0: of a new one) and why it was refused; shown back in it."""

    fil: int
    texte: str
    erreurs: dict[str, list[str]]
    champ: str = ""
    cites: Collection[int] = ()


@dataclass
class Discussion:
    """The threads of one fiche, as the person who sees the dossier reads them, with what their forms need."""

    dossier: Dossier
    user: "User | AnonymousUser"
    fiche: int
    niveau: str
    refus: Refus | None = None

    @cached_property
    def fils(self) -> list[Fil]:
        return fils_de(self.dossier, self.fiche)

    @property
    def ouverts(self) -> list[Fil]:
        return [f for f in self.fils if not f.resolu]

    @property
    def resolus(self) -> list[Fil]:
        return [f for f in self.fils if f.resolu]

    @cached_property
    def par_champ(self) -> dict[str, list[Fil]]:
        par_champ: dict[str, list[Fil]] = {}
        for f in self.ouverts:
            par_champ.setdefault(f.premier.champ, []).append(f)
        return par_champ

    @property
    def nom(self) -> str:
        """Of the fiche, which may have left the dossier."""
        if self.fils:
            return self.fils[0].nom
        return noms_des(self.dossier, [self.fiche]).get(self.fiche) or SANS_NOM

    @property
    def retiree(self) -> bool:
        return bool(self.fils) and self.fils[0].retiree

    @property
    def champs(self) -> list[tuple[str, str]]:
        """What a new comment can be about."""
        return [("", "La fiche entière"), *((c.nom, libelle(c, self.niveau)) for c in champs_a_commenter(self.niveau))]

    @cached_property
    def personnes(self) -> list[tuple[int, str, str]]:
        """(number, name after « @ », « Direction » or « Tutelle, ARS ») of those who see the dossier, but herself."""
        roles = roles_sur(self.dossier)
        noms = noms_a_citer(roles)
        return [(p.pk, noms[p.pk], " et ".join(mots)) for p, mots in roles.items() if p.pk != self.user.pk]
