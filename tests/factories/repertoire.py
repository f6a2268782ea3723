"""A register for the tests, written by the domain verbs only.

    eg = etablissement("sanitaire", nom="Hôpital TEST")
    unite = uo(uf(service(pole(eg))), activites={"ajoute": ["013"]})
    referent = compte(Role.REFERENT, eg)
    direct(unite, referent, {"conditions_accueil": "…"}, date_effet=demain)

Fiches exist from ``DEBUT`` on. More keyword arguments are changes of fields, as in a patch.
"""

from datetime import date
from itertools import count
from typing import Any

from django.utils import timezone

from backoffice.comptes.models import User
from structures.domaine.creer import creer_etablissements, creer_fiches
from structures.domaine.enregistrer import annuler, enregistrer
from structures.domaine.lecture import lire
from structures.domaine.modifier import modifier
from structures.domaine.patches import Patch
from structures.domaine.referentiels import charger_referentiels
from structures.enums import ChampEG, Niveau, Role, Source
from structures.models import Autorite, Concept, Fiche, Habilitation, Modification, VersionFiche

DEBUT = date(2020, 1, 6)  # a Monday
# FINESS categories (R66) that decide the champ: hospital, EHPAD, CHRS; SESSAD is médico-social and handicap.
CATEGORIES = {ChampEG.SANITAIRE: "355", ChampEG.MEDICO_SOCIAL: "500", ChampEG.SOCIAL: "214", "handicap": "182"}
TYPE_UO = {"sanitaire": ("149", "01", "28"), "autre": ("08", "04", "28")}  # type J238, champ R227, mode R213
_numeros = count(1)


def referentiels() -> None:
    """Nomenclatures, rules of categories, authorities and communes, when the database does not hold them yet."""
    if not Concept.objects.exists():
        charger_referentiels()


def finess(prefixe: str = "7599") -> str:
    """A new FINESS number with its Luhn key."""
    corps = f"{prefixe}{next(_numeros):0{8 - len(prefixe)}d}"
    somme = 0
    for rang, chiffre in enumerate(reversed(corps)):
        n = int(chiffre) * (2 - rang % 2)
        somme += n // 10 + n % 10
    return f"{corps}{-somme % 10}"


def publier(fiche: Fiche, patch: Patch, depuis: date = DEBUT, source: Source = Source.IMPORT) -> Modification:
    """Write a change the way an import does: no rule of the direct change applies."""
    modification = Modification(fiche=fiche, date_effet=depuis, patch=patch, source=source, origine="essai")
    enregistrer([modification])
    return modification


def entite_juridique(nom: str = "Groupe hospitalier TEST", depuis: date = DEBUT, **champs: Any) -> Fiche:
    numero = finess()
    fiche = creer_etablissements([(Niveau.EJ, numero)])[numero]
    adresse = {"adresse_voie": "1 rue de l’Essai", "code_postal": "75013", "commune": "75113"}
    publier(fiche, {"existe": True, "nom": nom, "finess": numero, **adresse, **champs}, depuis)
    return fiche


def etablissement(
    champ: str = "sanitaire", *, nom: str = "Hôpital TEST", ej: Fiche | None = None, depuis: date = DEBUT, **champs: Any
) -> Fiche:
    """An EG of this ``champ`` (« handicap » too), under a new EJ unless one is given. Complete."""
    referentiels()
    ej = ej or entite_juridique(depuis=depuis)
    numero = champs.pop("finess", None) or finess()
    fiche = creer_etablissements([(Niveau.EG, numero)])[numero]
    contenu = {
        "categorie": CATEGORIES[champ],
        "commune": "75113",
        "code_postal": "75013",
        "adresse_voie": "2 rue de l’Essai",
    }
    publier(fiche, {"existe": True, "parent": ej.pk, "nom": nom, "finess": numero, **contenu, **champs}, depuis)
    return fiche


def _sous(parent: Fiche, niveau: str, champs: dict[str, Any], depuis: date) -> Fiche:
    eg = parent if parent.niveau == Niveau.EG else parent.eg
    [fiche] = creer_fiches(eg=eg, niveaux=[niveau])
    publier(fiche, {"existe": True, "parent": parent.pk, **champs}, depuis)
    return fiche


def pole(eg: Fiche, nom: str = "Pôle Médecine", depuis: date = DEBUT, **champs: Any) -> Fiche:
    return _sous(eg, Niveau.POLE, {"nom": nom, **champs}, depuis)


def service(pole_: Fiche, nom: str = "Cardiologie", depuis: date = DEBUT, **champs: Any) -> Fiche:
    return _sous(pole_, Niveau.SERVICE, {"nom": nom, **champs}, depuis)


def uf(service_: Fiche, nom: str = "UF 2101", depuis: date = DEBUT, **champs: Any) -> Fiche:
    return _sous(service_, Niveau.UF, {"nom": nom, **champs}, depuis)


def uo(parent: Fiche, nom: str = "Unité de cardiologie", depuis: date = DEBUT, **champs: Any) -> Fiche:
    """An UO under an UF, or under the EG outside sanitaire. Complete; ``activites`` etc. as in a patch."""
    type_uo, champ, mode = TYPE_UO["sanitaire" if parent.niveau == Niveau.UF else "autre"]
    contenu = {
        "nom": nom, "type_uo": type_uo, "champ_activite": champ, "mode_prise_en_charge": mode,
        "activites": {"ajoute": ["013"]},
        "age_min": 16, "age_min_unite": "an", "age_max": 120, "age_max_unite": "an",
    }  # fmt: skip
    if champ == "04":
        contenu |= {"familles_serafin": {"ajoute": ["001"]}, "publics": {"ajoute": ["01"]}}
    return _sous(parent, Niveau.UO, contenu | champs, depuis)


def hopital(nom: str = "Hôpital TEST", **champs: Any) -> dict[str, Fiche]:
    """One fiche of each level of a hospital, by level."""
    eg = etablissement("sanitaire", nom=nom, **champs)
    fiches = {Niveau.EG: eg, Niveau.POLE: pole(eg)}
    fiches[Niveau.SERVICE] = service(fiches[Niveau.POLE])
    fiches[Niveau.UF] = uf(fiches[Niveau.SERVICE])
    fiches[Niveau.UO] = uo(fiches[Niveau.UF])
    fiches[Niveau.EJ] = Fiche.objects.get(versions_enfants__fiche=eg)
    return {niveau.value: fiche for niveau, fiche in fiches.items()}


def compte(role: str, sur: Fiche | str | None = None, identifiant: str = "") -> User:
    """An account with one habilitation: on an EJ or EG, on an authority (its code), or on the region."""
    identifiant = identifiant or f"{role}.{next(_numeros)}"
    user = User.objects.create_user(
        username=identifiant, email=f"{identifiant}@example.org", password=None, doit_changer_mot_de_passe=False
    )
    portee = {"fiche": sur} if isinstance(sur, Fiche) else {"autorite": Autorite.objects.get(pk=sur)} if sur else {}
    Habilitation.objects.create(user=user, role=role, **portee)
    return user


def lecteur(identifiant: str = "lecteur") -> User:
    """An account without any habilitation."""
    return User.objects.create_user(
        username=identifiant, email=f"{identifiant}@example.org", password=None, doit_changer_mot_de_passe=False
    )


def gestionnaire(identifiant: str = "") -> User:
    return compte(Role.GESTIONNAIRE, None, identifiant)


def direct(fiche: Fiche, acteur: User, patch: Patch, date_effet: date | None = None, motif: str = "") -> Modification:
    """A direct change by somebody, from today unless said."""
    lecture = lire(fiche)
    assert lecture is not None, "the fiche does not exist today"
    return modifier(
        fiche=fiche,
        acteur=acteur,
        patch=patch,
        date_effet=date_effet or timezone.localdate(),
        jeton=lecture.jeton,
        motif=motif,
    )


def contenu(fiche: Fiche, jour: date | None = None) -> VersionFiche:
    """What the register says of a fiche on a day."""
    return VersionFiche.objects.get(fiche=fiche, validite__contains=jour or timezone.localdate())


__all__ = [
    "DEBUT", "annuler", "compte", "contenu", "direct", "entite_juridique", "etablissement", "finess", "gestionnaire",
    "hopital", "lecteur", "pole", "publier", "referentiels", "service", "uf", "uo",
]  # fmt: skip
