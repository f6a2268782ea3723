"""What the page of a fiche shows of its content: the sections of the catalogue, in the order of the screen.

sections(affichage, etat, champ_eg)     # affichage: an ``Affichage`` that was given this state
ouverture_en_mots(ouverture, maintenant)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from backoffice.socle import semaine as semaines
from backoffice.socle.mots import date_longue

from .affichage import BEAUCOUP, Affichage, Contact, lien_de, niveau_de, par_date
from .champs import SECTIONS, UNITES, Champ, Genre, champs_de, est_exige, est_vide, libelle
from .domaine.horaires import Ouverture, lire_cle, semaines_en_vigueur
from .domaine.patches import Etat, valeur
from .domaine.texte import normaliser
from .models import Departement

_ADRESSE = {"adresse_voie", "adresse_complement", "code_postal", "commune"}


@dataclass(slots=True)
class Ligne:
    """One field of a section. ``valeur``: text, safe HTML, a list (chips), or None: nobody filled it."""

    nom: str
    libelle: str
    valeur: Any = None

    @property
    def puces(self) -> bool:
        return isinstance(self.valeur, list)


@dataclass(slots=True)
class SemaineAffichee:
    titre: str
    lundi: date
    semaine: Mapping[str, Any]
    a_venir: bool = False


@dataclass(slots=True)
class Section:
    """A section of a fiche. ``vides``: the fields that nobody filled and that may stay so."""

    code: str
    titre: str
    lignes: list[Ligne] = field(default_factory=list)
    vides: list[Ligne] = field(default_factory=list)
    semaines: list[SemaineAffichee] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    masques: int = 0
    communes: list[tuple[str, list[str]]] = field(default_factory=list)
    nombre_communes: int = 0

    @property
    def remplie(self) -> bool:
        return bool(self.lignes or self.semaines or self.contacts or self.masques or self.nombre_communes)


def sections(affichage: Affichage, etat: Etat, champ_eg: str, champs: Sequence[Champ] | None = None) -> list[Section]:
    """The catalogue's sections that hold at least one field of this level, in the order of the screen.

    A field that nobody filled goes to ``vides``, unless a fiche can't be finalised without it: then it has its line,
    without a value. ``champs`` limits the fields.
    """
    par_code = {code: Section(code, titre) for code, titre in SECTIONS.items()}
    for champ in champs if champs is not None else champs_de(affichage.niveau):
        section = par_code[champ.section]
        if champ.nom in UNITES or (champ.nom in _ADRESSE and champ.nom != "adresse_voie"):
            continue
        if champ.nom == "adresse_voie":
            section.lignes.append(Ligne(champ.nom, "Adresse", adresse(affichage, etat)))
            continue
        intitule = libelle(champ, affichage.niveau)
        if est_vide(champ, valeur(etat, champ.nom)):
            (section.lignes if est_exige(champ, champ_eg) else section.vides).append(Ligne(champ.nom, intitule))
            continue
        match champ.genre:
            case Genre.HORAIRES:
                section.semaines = semaines_affichees(affichage, etat)
            case Genre.CONTACTS:
                section.contacts, section.masques = contacts(affichage, etat)
            case Genre.COMMUNES:
                section.communes = communes_par_departement(affichage, etat, champ.nom)
                section.nombre_communes = len(valeur(etat, champ.nom))
            case _:
                section.lignes.append(Ligne(champ.nom, intitule, _affiche(affichage, champ, etat)))
    return [s for s in par_code.values() if s.remplie or s.vides]


def _affiche(affichage: Affichage, champ: Champ, etat: Etat) -> Any:
    if champ.nom == "telephone":
        return format_html('<a href="{}">{}</a>', lien_de("2", etat["telephone"]), etat["telephone"])
    if champ.genre is Genre.TEXTES:
        liens = ((f"mailto:{b}", b) for b in sorted(valeur(etat, champ.nom)))
        return format_html_join("\n", '<a class="ligne-a-elle" href="{}">{}</a>', liens)
    return affichage.texte(champ.nom, etat)


def adresse(affichage: Affichage, etat: Mapping[str, Any]) -> SafeString | None:
    """The address on its lines, None when there is none."""
    ville = " ".join(x for x in (valeur(etat, "code_postal"), affichage.commune(valeur(etat, "commune"))) if x)
    lignes = [valeur(etat, "adresse_voie"), valeur(etat, "adresse_complement"), ville]
    return format_html_join(mark_safe("<br>"), "{}", ((x,) for x in lignes if x)) or None


def semaines_affichees(affichage: Affichage, etat: Mapping[str, Any]) -> list[SemaineAffichee]:
    """The typical weeks in force, by kind, each followed by those to come."""
    horaires = valeur(etat, "horaires")
    en_vigueur = semaines_en_vigueur(horaires, affichage.jour)
    affichees = []
    for genre in sorted({lire_cle(cle)[0] for cle in horaires}):
        titre = affichage.code("R252", genre)
        if genre in en_vigueur:
            affichees.append(SemaineAffichee(titre, *en_vigueur[genre]))
        for cle, semaine in par_date(horaires):
            autre, lundi = lire_cle(cle)
            if autre == genre and lundi > affichage.jour:
                affichees.append(SemaineAffichee(titre, lundi, semaine, a_venir=True))
    return affichees


def contacts(affichage: Affichage, etat: Mapping[str, Any]) -> tuple[list[Contact], int]:
    """(the contacts that this person may read, the least confidential first; how many are masked)."""
    sensible = bool(valeur(etat, "unite_sensible"))
    caches = set() if affichage.tres_restreint else affichage.caches(etat)
    visibles, masques = [], 0
    for cle, contact in sorted(
        valeur(etat, "contacts").items(), key=lambda item: (niveau_de(item[1], sensible), item[0])
    ):
        if cle in caches:
            masques += 1
        else:
            visibles.append(affichage.contact(contact, sensible))
    return visibles, masques


def communes_par_departement(affichage: Affichage, etat: Mapping[str, Any], nom: str) -> list[tuple[str, list[str]]]:
    """(« Hauts-de-Seine (92) », names) in order; one group with « Vanves (92) » when the communes are few."""
    labels = sorted((affichage.commune(c) for c in valeur(etat, nom)), key=normaliser)
    if len(labels) <= BEAUCOUP:
        return [("", labels)]
    par_departement: dict[str, list[str]] = {}
    for label in labels:
        commune, _, departement = label.rpartition(" (")
        par_departement.setdefault(departement.rstrip(")"), []).append(commune or label)
    noms = {d.pk: str(d) for d in Departement.objects.filter(pk__in=par_departement)}
    return [(noms.get(code, code), communes) for code, communes in sorted(par_departement.items())]


def ouverture_en_mots(ouverture: Ouverture, maintenant: datetime) -> str:
    """« Ouvert maintenant, ferme à 18 h », « Fermé, ouvre lundi à 9 h »."""
    if ouverture.change is None:
        return "Ouvert 24 h/24 et 7 j/7" if ouverture.ouvert else "Fermé, aucune ouverture dans les deux semaines"
    quand = ouverture.change
    jours = (quand.date() - maintenant.date()).days
    if ouverture.ouvert and jours == 1 and not (quand.hour or quand.minute):
        return "Ouvert maintenant, ferme à minuit"
    heure = f"à {semaines.heure_en_mots(quand.hour * 60 + quand.minute)}"
    if jours > 6:
        moment = f"le {date_longue(quand.date(), 'jour')} {heure}"
    else:
        moment = f"{('', 'demain ')[jours] if jours < 2 else semaines.JOURS[quand.weekday()] + ' '}{heure}"
    return f"Ouvert maintenant, ferme {moment}" if ouverture.ouvert else f"Fermé, ouvre {moment}"
