"""What an edition changes in a list that is held: nothing is written here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from django.utils import timezone

from backoffice.socle.mots import edition as edition_en_mots

from ...enums import SortDetail
from ...models import Nomenclature
from ..bilan import Detail
from .edition import ConceptLu, Edition, Etat, jour_de_version, numero_de


@dataclass(frozen=True, slots=True)
class Tenu:
    """A code as the register holds it, or would."""

    libelle: str
    debut: date | None = None
    fin: date | None = None
    du_jeu: bool = False
    remplace_par: str = ""

    @property
    def ferme(self) -> bool:
        """Closed today: a code may also have its last day ahead."""
        return self.fin is not None and self.fin <= timezone.localdate()


@dataclass
class Liste:
    """A list and what feeds it: ``base`` makes its codes, ``complement`` labels or dates them (models.Nomenclature)."""

    nomenclature: Nomenclature
    base: Edition | None = None
    complement: Edition | None = None
    avant: dict[str, Tenu] = field(default_factory=dict)
    apres: dict[str, Tenu] = field(default_factory=dict)
    absents: list[str] = field(default_factory=list)  # held, and not in the file
    hors_liste: list[ConceptLu] = field(default_factory=list)  # of the value set, and in no terminology

    @property
    def est_jeu(self) -> bool:
        return self.nomenclature.nom.startswith("JDV_")

    @property
    def changes(self) -> list[str]:
        return [code for code, tenu in self.apres.items() if self.avant.get(code) != tenu]

    @property
    def relibelles(self) -> list[str]:
        return [c for c, avant in self.avant.items() if self.apres[c].libelle != avant.libelle]

    @property
    def fermes(self) -> list[str]:
        """Codes that the file closes, or finds closed."""
        return [code for code, tenu in self.apres.items() if tenu.ferme]

    def comparer(self) -> None:
        self.apres = dict(self.avant)
        if self.base:
            for concept in self.base.concepts.values():
                self.apres[concept.code] = self._selon_la_base(concept, self.base)
            self.absents = sorted(self.avant.keys() - self.base.concepts.keys())
        if self.complement and self.est_jeu:
            for concept in self.complement.concepts.values():
                if concept.code in self.apres:
                    self.apres[concept.code] = _datee(self.apres[concept.code], concept, self.complement)
        elif self.complement:
            self._labelliser(self.complement)

    def _selon_la_base(self, concept: ConceptLu, edition: Edition) -> Tenu:
        tenu = self.avant.get(concept.code, Tenu(concept.libelle))
        return _datee(tenu if tenu.du_jeu else replace(tenu, libelle=concept.libelle), concept, edition)

    def _labelliser(self, jeu: Edition) -> None:
        for concept in jeu.concepts.values():
            if concept.code in self.apres:
                self.apres[concept.code] = replace(self.apres[concept.code], libelle=concept.libelle, du_jeu=True)
            else:
                self.hors_liste.append(concept)
        for code, tenu in self.apres.items():
            if tenu.du_jeu and code not in jeu.concepts:  # the set let it go: its terminology names it again
                de_base = self.base.concepts.get(code) if self.base else None
                self.apres[code] = replace(tenu, du_jeu=False, libelle=de_base.libelle if de_base else tenu.libelle)

    def nouveaux_champs(self) -> dict[str, str]:
        """Fields of the list that the files change."""
        champs: dict[str, str] = {}
        if self.base:
            champs |= {"version": self.base.version, "nom": self.base.nom}
            if not self.est_jeu:
                champs["oid"] = self.base.oid
            champs["url"] = self.base.systeme
        if self.complement:
            champs |= {"complement": self.complement.nom, "version_complement": self.complement.version}
        return {nom: valeur for nom, valeur in champs.items() if valeur and valeur != getattr(self.nomenclature, nom)}

    def details(self) -> Iterator[Detail]:
        for champ, valeur in sorted(self.nouveaux_champs().items()):
            mot = str(Nomenclature._meta.get_field(champ).verbose_name).capitalize()  # type: ignore[union-attr]
            yield self._detail(SortDetail.CHANGE, "", mot, getattr(self.nomenclature, champ), valeur)
        for code in sorted(self.changes):
            yield from self._details_du_code(code, self.avant.get(code), self.apres[code])
        for code in self.absents:
            raison = "absent du fichier : laissé tel qu’il est"
            yield self._detail(SortDetail.CONSERVE, code, "", self.avant[code].libelle, "", raison)
        for concept in self.hors_liste:
            raison = f"le jeu de valeurs le cite, la terminologie {self.nomenclature.pk} ne l’a pas ({concept.lieu})"
            yield self._detail(SortDetail.REFUSE, concept.code, "", "", concept.libelle, raison)
        for edition in (self.base, self.complement):
            for code in edition.repetes if edition else ():
                yield self._detail(SortDetail.IGNORE, code, "", "", "", f"répété à l’identique dans {edition.fichier}")  # type: ignore[union-attr]

    def _details_du_code(self, code: str, avant: Tenu | None, apres: Tenu) -> Iterator[Detail]:
        if avant is None:
            raison = f"{'déjà fermé' if apres.ferme else 'fermera'} le {_mot(apres.fin)}" if apres.fin else ""
            yield self._detail(SortDetail.CREE, code, "", "", apres.libelle, raison)
            return
        if avant.libelle != apres.libelle:
            yield self._detail(SortDetail.CHANGE, code, "Libellé", avant.libelle, apres.libelle)
        if avant.fin != apres.fin:
            if avant.ferme == apres.ferme:
                yield self._detail(SortDetail.CHANGE, code, "Fin de validité", _mot(avant.fin), _mot(apres.fin))
            else:
                sort = SortDetail.FERME if apres.ferme else SortDetail.ROUVERT
                yield self._detail(sort, code, "Fin de validité", _mot(avant.fin), _mot(apres.fin), apres.libelle)
        if avant.debut != apres.debut:
            yield self._detail(SortDetail.CHANGE, code, "Début de validité", _mot(avant.debut), _mot(apres.debut))
        if avant.remplace_par != apres.remplace_par:
            yield self._detail(SortDetail.CHANGE, code, "Remplacé par", avant.remplace_par, apres.remplace_par)

    def _detail(self, sort: SortDetail, code: str, champ: str, avant: str, apres: str, raison: str = "") -> Detail:
        cle = f"{self.nomenclature.pk}/{code}" if code else self.nomenclature.pk
        return Detail(
            sort, cle=cle, nom=self.nomenclature.libelle, champ=champ, avant=avant, apres=apres, raison=raison
        )


def _datee(tenu: Tenu, concept: ConceptLu, edition: Edition) -> Tenu:
    """With the dates of the file, where it gives some. A code that it closes without a day keeps the day that is held,
    or takes that of the version, today at the latest: the file says that it is closed."""
    fin = tenu.fin
    if concept.etat is Etat.OUVERT:
        fin = None
    elif concept.etat is Etat.FERME:
        aujourdhui = timezone.localdate()
        fin = concept.fin or tenu.fin or min(jour_de_version(edition.version) or aujourdhui, aujourdhui)
    debut = concept.debut or tenu.debut
    if debut and fin and fin < debut:  # TRE_G00 has such codes: the closing is what matters
        debut = None
    remplace_par = (concept.remplace_par or tenu.remplace_par) if fin else ""
    return replace(tenu, debut=debut, fin=fin, remplace_par=remplace_par)


def _mot(jour: date | None) -> str:
    return f"{jour:%d/%m/%Y}" if jour else ""


def rattacher(
    editions: list[Edition], nomenclatures: Mapping[str, Nomenclature], *, anciennes: bool
) -> tuple[dict[str, Liste], list[Detail]]:
    """(lists that the editions feed, what is left aside and why). An edition finds its list by number or OID, in its
    name or in the address of its codes: addresses change from one issue to the next."""
    par_numero = {numero_de(texte): n.pk for n in nomenclatures.values() for texte in (n.url, n.nom)}
    par_oid = {n.oid: n.pk for n in nomenclatures.values() if n.oid}
    listes: dict[str, Liste] = {}
    ecartees: list[Detail] = []

    def ecarter(edition: Edition, raison: str) -> None:
        ecartees.append(
            Detail(SortDetail.IGNORE, cle=edition.nom or edition.fichier, nom=edition.fichier, raison=raison)
        )

    # The latest first: an older one of the same deposit then finds its place taken.
    for edition in sorted(editions, key=lambda e: (e.version, e.fichier), reverse=True):
        code = par_numero.get(numero_de(edition.nom)) or par_oid.get(edition.oid) or par_numero.get(
            numero_de(edition.systeme)
        )  # fmt: skip
        if code is None:
            quoi = f"la terminologie de ces codes, {edition.systeme}" if edition.jeu else "cette nomenclature"
            ecarter(edition, f"le répertoire n’emploie pas {quoi}")
            continue
        liste = listes.get(code, Liste(nomenclatures[code]))
        est_base = edition.jeu == liste.est_jeu
        if (edition.jeu and not edition.ror) or (est_base and liste.est_jeu and numero_de(edition.nom) != code):
            ecarter(edition, "ce jeu de valeurs n’est pas celui que le ROR emploie")
            continue
        tenue = liste.nomenclature.version if est_base else liste.nomenclature.version_complement
        place = "base" if est_base else "complement"
        if edition.trop_long:
            raise edition.trop_long
        if getattr(liste, place) is not None:
            ecarter(
                edition,
                f"le même envoi contient une édition plus récente, {edition_en_mots(getattr(liste, place).version)}",
            )
        elif not edition.concepts:
            ecarter(edition, "elle prend toute la terminologie, sans nommer ses codes")
        elif edition.version < tenue and not anciennes:
            mots = f"la version {edition_en_mots(tenue)}, plus récente que {edition_en_mots(edition.version)}"
            ecarter(edition, f"{mots}, est déjà tenue")
        else:
            setattr(liste, place, edition)
            listes[code] = liste
    return dict(sorted(listes.items())), ecartees
