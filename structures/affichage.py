"""Values of a fiche in words: a field, a contact, a week, the lines of a comparison.

    affichage = Affichage([etat], niveau="UO", jour=jour, tres_restreint=False)
    affichage.texte("activites", etat)      # one field (structures/sections.py: the whole page)
    affichage.differences(avant, apres)     # lines of <c-table-diff>

Labels of every state given are read at once, in at most four statements (codes, communes, fiches, authorities).
Contacts *très restreint* are masked unless ``tres_restreint`` (``regles.peut_lire_contacts_tres_restreints``).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from django.utils import timezone

from backoffice.socle import semaine as semaines
from backoffice.socle.mots import date_longue, nombre

from .champs import CHAMPS, UNITES, UNITES_AGE, Champ, Forme, Genre, est_vide, libelle
from .domaine.horaires import lire_cle
from .domaine.patches import valeur
from .domaine.texte import normaliser
from .domaine.valider import LISTES_SOEURS, TRES_RESTREINT
from .enums import ChampEG, Niveau
from .models import Autorite, VersionFiche
from .requetes import Option, libelles_communes, options_de

CONFIDENTIALITES = {"1": "libre", "2": "restreint", "3": "tres-restreint"}  # R283 → a sign of socle.etats
TELEPHONES = {"1", "2", "6", "8"}  # R200: channels that a phone can dial
COURRIEL, WEB = "3", "4"
BEAUCOUP = 12
SECRETS = "secrets"  # in a state that shows nothing: names and telecoms to mask (``temps.contacts_caches``)
_UNITES = {"an": ("an", "ans"), "mois": ("mois", "mois"), "semaine": ("semaine", "semaines"), "jour": ("jour", "jours")}

# -- who may see the dossier behind a banner ---------------------------------------------------------

_visibles: Callable[[Any, Collection[int]], set[int]] = lambda user, numeros: set()  # noqa: E731


def enregistrer_regle_dossiers(regle: Callable[[Any, Collection[int]], set[int]]) -> None:
    """The dossiers tell the register, which does not know them, which of some dossiers a person may open."""
    global _visibles
    _visibles = regle


def dossiers_vus(user: Any, numeros: Collection[int]) -> set[int]:
    """Those of these dossiers that the person may open."""
    return _visibles(user, numeros)


def peut_voir_dossier(user: Any, numero: int) -> bool:
    return numero in dossiers_vus(user, [numero])


# -- a contact in words -----------------------------------------------------------------------------


@dataclass(slots=True)
class Telecom:
    canal: str
    valeur: str
    url: str
    etat: str  # sign of its confidentiality when it differs from its contact's, else ""


@dataclass(slots=True)
class Contact:
    titre: str
    detail: str
    etat: str
    telecoms: list[Telecom]


def age_en_mots(nombre_: int | None, unite: str) -> str:
    """« 15 ans », « 1 an », « 3 mois ». A number without its unit is shown as it is."""
    if nombre_ is None:
        return ""
    singulier, pluriel = _UNITES.get(unite, ("", ""))
    return f"{nombre(nombre_)} {pluriel if nombre_ > 1 else singulier}".strip()


def semaine_en_mots(semaine: Mapping[str, Any]) -> str:
    """« lundi à vendredi 8 h – 12 h, 14 h – 18 h ; samedi 9 h – 12 h », closed days left out."""
    jours = semaines.normaliser(semaine)
    morceaux = []
    for plages, groupe in groupby(jours.items(), key=lambda item: item[1]):
        numeros = [j for j, _ in groupe]
        if not plages:
            continue
        debut, fin = semaines.JOURS[numeros[0] - 1], semaines.JOURS[numeros[-1] - 1]
        mots = {1: debut, 2: f"{debut} et {fin}"}.get(len(numeros), f"{debut} à {fin}")
        morceaux.append(f"{mots} {semaines.plages_en_mots(plages)}")
    return " ; ".join(morceaux) or "fermé toute la semaine"


def niveau_de(contact: Mapping[str, Any], sensible: bool) -> str:
    """The confidentiality that counts: a sensitive unit makes all its contacts très restreint (domain.md §3)."""
    return TRES_RESTREINT if sensible else contact.get("confidentialite") or "2"


def empreinte(valeur_: str) -> str:
    """A name or a telecom whatever way it is written: « 01 99 00 12 34 », « +33199001234 »."""
    return "".join(c for c in valeur_.lower().replace("+33", "0") if c.isalnum())


def niveau_du_telecom(telecom: Mapping[str, Any], niveau: str) -> str:
    """Never less than its contact's."""
    return max(telecom.get("confidentialite") or niveau, niveau)


def empreintes(contacts: Mapping[str, Any], sensible: bool) -> Iterator[tuple[str, str, bool]]:
    """(key of the contact, ``empreinte``, whether it is très restreint) of the names and telecoms of contacts."""
    for cle, contact in contacts.items():
        niveau = niveau_de(contact, sensible)
        lus = [(empreinte(contact.get("nom", "")), niveau)]
        lus += [(empreinte(t.get("valeur", "")), niveau_du_telecom(t, niveau)) for t in contact.get("telecoms", ())]
        yield from ((cle, lu, propre == TRES_RESTREINT) for lu, propre in lus if lu)


def tres_restreints(etat: Mapping[str, Any]) -> set[str]:
    """Keys of the contacts of a state that only those who answer for the establishment may read."""
    sensible = bool(etat.get("unite_sensible"))
    return {c for c, contact in valeur(etat, "contacts").items() if niveau_de(contact, sensible) == TRES_RESTREINT}


class Affichage:
    def __init__(
        self,
        etats: Iterable[Mapping[str, Any]],
        *,
        niveau: str,
        jour: date | None = None,
        tres_restreint: bool = False,
        une_fiche: bool = False,
        champs_caches: Collection[str] = (),
    ) -> None:
        """``etats``: every state that will be shown, so that labels are read once. ``niveau``: level of the fiche.

        ``une_fiche``: all states are of one fiche; a contact that is très restreint in one of them is masked in all.
        ``champs_caches``: fields that no comparison tells (``regles.Droits``).
        """
        self.niveau = niveau
        self.jour = jour or timezone.localdate()
        self.tres_restreint = tres_restreint
        self.champs_caches = champs_caches
        lus = list(etats)
        paires: set[tuple[str, str]] = set()
        communes: set[str] = set()
        fiches: set[int] = set()
        autorites: set[str] = set()
        for etat in lus:
            for nom, contenu in etat.items():
                champ = CHAMPS.get(nom)
                if champ is None or not contenu:
                    continue
                match champ.genre:
                    case Genre.COMMUNE:
                        communes.add(contenu)
                    case Genre.COMMUNES:
                        communes |= contenu
                    case Genre.FICHE:
                        fiches.add(contenu)
                    case Genre.AUTORITES:
                        autorites |= contenu
                    case _:
                        paires |= set(codes_tenus(champ, contenu))
        paires |= {(soeur, code) for liste, code in paires for soeur in LISTES_SOEURS.get(liste, ())}
        self._masques = set().union(*map(tres_restreints, lus)) if une_fiche else set[str]()
        self._secrets = set[str]().union(*(etat.get(SECRETS, ()) for etat in lus))
        self.options = options_de(paires)
        self.communes = libelles_communes(communes)
        self.fiches = _noms_des_fiches(fiches)
        self.autorites = dict(Autorite.objects.filter(pk__in=autorites).values_list("pk", "nom")) if autorites else {}

    # -- labels ------------------------------------------------------------------------------------

    def option(self, liste: str, code: str) -> Option | None:
        for candidate in LISTES_SOEURS.get(liste, (liste,)):
            if (candidate, code) in self.options:
                return self.options[candidate, code]
        return None

    def code(self, liste: str, code: str) -> str:
        """The label of a code, « (code fermé) » after it when it can't be chosen any more."""
        if not code:
            return ""
        option = self.option(liste, code)
        if option is None:
            return f"code {code} (inconnu)" if liste else code
        return option.libelle + (" (code fermé)" if option.ferme_au(self.jour) else "")

    def commune(self, code: str) -> str:
        return self.communes.get(code) or (f"code {code} (inconnu)" if code else "")

    # -- one value in words ------------------------------------------------------------------------

    def texte(self, nom: str, etat: Mapping[str, Any], masques: Collection[str] = ()) -> str | list[str]:
        """The value of a field of the state: a text, or a list of texts for what holds several. "" when empty.

        ``masques``: keys of contacts to mask besides those that are très restreint in this state.
        """
        champ, contenu = CHAMPS[nom], valeur(etat, nom)
        if champ.genre is not Genre.BOOLEEN and est_vide(champ, contenu):
            return [] if champ.forme is not Forme.VALEUR else ""
        if champ.genre is Genre.CONTACTS:
            return self._lignes_des_contacts(contenu, etat, masques)
        ecrire = getattr(self, f"_{champ.genre.code}", None)
        return ecrire(champ, contenu, etat) if ecrire else str(contenu)

    # One method a kind of value, named after Genre.code; the others are their own text.

    def _booleen(self, champ: Champ, contenu: Any, etat: Mapping[str, Any]) -> str:
        return "Oui" if contenu else "Non"

    def _code(self, champ: Champ, contenu: Any, etat: Mapping[str, Any]) -> str:
        return self.code(champ.nomenclature, contenu)

    def _commune(self, champ: Champ, contenu: Any, etat: Mapping[str, Any]) -> str:
        return self.commune(contenu)

    def _fiche(self, champ: Champ, contenu: Any, etat: Mapping[str, Any]) -> str:
        return self.fiches.get(contenu, f"fiche {contenu}")

    def _date(self, champ: Champ, contenu: Any, etat: Mapping[str, Any]) -> str:
        return date_longue(contenu)

    def _unite_age(self, champ: Champ, contenu: Any, etat: Mapping[str, Any]) -> str:
        return dict(UNITES_AGE).get(contenu, contenu)

    def _entier(self, champ: Champ, contenu: Any, etat: Mapping[str, Any]) -> str:
        unite = f"{champ.nom}_unite"
        return age_en_mots(contenu, valeur(etat, unite)) if unite in CHAMPS else nombre(contenu)

    def _decimal(self, champ: Champ, contenu: Any, etat: Mapping[str, Any]) -> str:
        return str(contenu).replace(".", ",")

    def _codes(self, champ: Champ, contenu: Any, etat: Mapping[str, Any]) -> list[str]:
        return sorted((self.code(champ.nomenclature, c) for c in contenu), key=normaliser)

    def _communes(self, champ: Champ, contenu: Any, etat: Mapping[str, Any]) -> list[str]:
        return sorted((self.commune(c) for c in contenu), key=normaliser)

    def _autorites(self, champ: Champ, contenu: Any, etat: Mapping[str, Any]) -> list[str]:
        return sorted(self.autorites.get(c, c) for c in contenu)

    def _textes(self, champ: Champ, contenu: Any, etat: Mapping[str, Any]) -> list[str]:
        return sorted(contenu)

    def _equipements(self, champ: Champ, contenu: Any, etat: Mapping[str, Any]) -> list[str]:
        return sorted((f"{self.code(champ.nomenclature, c)} : {nombre(n)}" for c, n in contenu.items()), key=normaliser)

    def _capacites(self, champ: Champ, contenu: Any, etat: Mapping[str, Any]) -> list[str]:
        return sorted((self._capacite(c) for c in contenu.values()), key=normaliser)

    def _horaires(self, champ: Champ, contenu: Any, etat: Mapping[str, Any]) -> list[str]:
        return [self._horaire(cle, semaine) for cle, semaine in par_date(contenu)]

    def _lignes_des_contacts(
        self, contenu: Mapping[str, Any], etat: Mapping[str, Any], masques: Collection[str]
    ) -> list[str]:
        sensible = bool(valeur(etat, "unite_sensible"))
        caches = self.caches(etat) | set(masques)
        return [
            "Contact très restreint (masqué)"
            if cle in caches and not self.tres_restreint
            else self._contact_en_ligne(contact, sensible)
            for cle, contact in sorted(contenu.items())
        ]

    def caches(self, etat: Mapping[str, Any]) -> set[str]:
        """Keys of the contacts of a state that are masked whole."""
        noms = {
            c for c, contact in valeur(etat, "contacts").items() if empreinte(contact.get("nom", "")) in self._secrets
        }
        return self._masques | tres_restreints(etat) | noms

    def _capacite(self, capacite: Mapping[str, Any]) -> str:
        nature, statut = self.code("R329", capacite.get("nature", "")), self.code("R330", capacite.get("statut", ""))
        return f"{nature}, {statut.lower()} : {nombre(capacite.get('nombre'))}"

    def _horaire(self, cle: str, semaine: Mapping[str, Any]) -> str:
        genre, lundi = lire_cle(cle)
        return f"{self.code('R252', genre)}, à partir du {date_longue(lundi)} : {semaine_en_mots(semaine)}"

    def _contact_en_ligne(self, contact: Mapping[str, Any], sensible: bool) -> str:
        fiche = self.contact(contact, sensible)
        telecoms = [f"{t.canal} {t.valeur}" + (f" ({_mot(t.etat)})" if t.etat else "") for t in fiche.telecoms]
        titre = f"{fiche.titre}, {fiche.detail}" if fiche.detail else fiche.titre
        return f"{titre} ({_mot(fiche.etat)})" + (f" : {' ; '.join(telecoms)}" if telecoms else "")

    def contact(self, contact: Mapping[str, Any], sensible: bool) -> Contact:
        niveau = niveau_de(contact, sensible)
        telecoms = []
        for t in contact.get("telecoms", ()):
            propre = niveau_du_telecom(t, niveau)
            secret = propre == TRES_RESTREINT or empreinte(t.get("valeur", "")) in self._secrets
            if secret and not self.tres_restreint:
                continue
            telecoms.append(
                Telecom(
                    self.code("R200", t.get("canal", "")),
                    t.get("valeur", ""),
                    lien_de(t.get("canal", ""), t.get("valeur", "")),
                    CONFIDENTIALITES.get(propre, "") if propre != niveau else "",
                )
            )
        nature, fonction = self.code("R287", contact.get("nature", "")), self.code("R251", contact.get("fonction", ""))
        titre = nature or contact.get("nom") or fonction or "Contact"
        return Contact(
            titre, fonction if fonction != titre else "", CONFIDENTIALITES.get(niveau, "restreint"), telecoms
        )

    # -- comparisons -------------------------------------------------------------------------------

    def differences(
        self,
        avant: Mapping[str, Any],
        apres: Mapping[str, Any],
        noms: Iterable[str] | None = None,
        *,
        concis: bool = False,
    ) -> list[dict[str, Any]]:
        """Lines of <c-table-diff> for the fields that differ between two states, in the order of the screen.

        ``noms`` limits the fields. In long lists what did not change is counted, not told; ``concis`` leaves it out.
        """
        retenus = set(CHAMPS) if noms is None else set(noms)
        retenus |= {UNITES[n] for n in retenus & UNITES.keys()}
        lignes = []
        for champ in CHAMPS.values():
            if champ.nom not in retenus or champ.nom in UNITES or champ.nom in self.champs_caches:
                continue
            liees = [champ.nom, *(u for u, base in UNITES.items() if base == champ.nom)]
            if all(valeur(avant, n) == valeur(apres, n) for n in liees):
                continue
            caches = tres_restreints(avant) | tres_restreints(apres) if champ.genre is Genre.CONTACTS else set[str]()
            gauche, droite = self.texte(champ.nom, avant, caches), self.texte(champ.nom, apres, caches)
            if isinstance(gauche, list) and isinstance(droite, list):
                gauche, droite = _resserrer(gauche, droite, concis=concis)
            ligne: dict[str, Any] = {"nom": champ.nom, "champ": libelle(champ, self.niveau)}
            ligne |= {"avant": gauche, "apres": droite}
            if gauche == droite:  # what changed is masked
                ligne["attention"] = "changement masqué"
            lignes.append(ligne)
        return lignes


def _resserrer(gauche: list[str], droite: list[str], *, concis: bool) -> tuple[list[str], list[str]]:
    communs = set(gauche) & set(droite)
    if gauche == droite or (not concis and len(communs) <= BEAUCOUP):
        return gauche, droite
    reste = [] if concis else [f"… et {nombre(len(communs))} inchangés"]
    return [*(x for x in gauche if x not in communs), *reste], [*(x for x in droite if x not in communs), *reste]


def codes_tenus(champ: Champ, contenu: Any) -> Iterable[tuple[str, str]]:
    """(nomenclature, code) of every coded value that a field holds."""
    match champ.genre:
        case Genre.CODE:
            yield champ.nomenclature, contenu
        case Genre.CODES | Genre.EQUIPEMENTS:
            yield from ((champ.nomenclature, code) for code in contenu)
        case Genre.HORAIRES:
            yield from (("R252", lire_cle(cle)[0]) for cle in contenu)
        case Genre.CAPACITES:
            for capacite in contenu.values():
                yield "R329", capacite.get("nature", "")
                yield "R330", capacite.get("statut", "")
        case Genre.CONTACTS:
            for contact in contenu.values():
                yield "R287", contact.get("nature", "")
                yield "R251", contact.get("fonction", "")
                yield from (("R200", t.get("canal", "")) for t in contact.get("telecoms", ()))


def _noms_des_fiches(fiches: set[int]) -> dict[int, str]:
    """The last known name of each fiche, with its level."""
    if not fiches:
        return {}
    versions = (
        VersionFiche.objects.filter(fiche__in=fiches)
        .order_by("fiche_id", "validite")
        .values_list("fiche_id", "niveau", "nom")
    )
    return {cle: f"{Niveau(niveau).label} « {nom} »" for cle, niveau, nom in versions}


def par_date(horaires: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return sorted(horaires.items(), key=lambda item: (lire_cle(item[0])[0], lire_cle(item[0])[1]))


def _mot(etat: str) -> str:
    return {"libre": "libre", "restreint": "restreint", "tres-restreint": "très restreint"}.get(etat, etat)


def lien_de(canal: str, valeur_: str) -> str:
    if canal in TELEPHONES:
        return "tel:" + "".join(c for c in valeur_ if c.isdigit() or c == "+")
    if canal == COURRIEL:
        return f"mailto:{valeur_}"
    return valeur_ if canal == WEB and valeur_.startswith(("https://", "http://")) else ""


def champ_en_mots(champ_eg: str) -> str:
    return ChampEG(champ_eg).label if champ_eg in ChampEG.values else ""
