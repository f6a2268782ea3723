"""HealthcareService: the offer itself, an UO. Profile « ror-healthcareservice »."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from ...domaine.horaires import lire_cle
from ...models import VersionFiche
from .commun import (
    CANAL_TELECOM,
    CONFIDENTIALITE,
    CONFIDENTIALITE_TELECOM,
    CONTACT_OFFRE,
    COURRIEL,
    DIVISION,
    RESTREINT,
    TELECOM_OFFRE,
    TRES_RESTREINT,
    Referentiel,
    Ressource,
    contact_point,
    contacts,
    creation,
    entete,
    extension,
    id_fhir,
    partie,
    periode,
    reference,
)

UNITES = {"an": "a", "mois": "mo", "semaine": "wk", "jour": "d"}  # R247 (UCUM)
COMMUNE = "3"  # R201
JOURS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUIT = "23:59:00"  # « 24:00 » is no time of FHIR: the guide's example ends the day so

# What goes into ``characteristic``, in the order of the guide's profile.
CARACTERISTIQUES = (
    ("temporalite_accueil", "R240"), ("mode_prise_en_charge", "R213"), ("modalites_accueil", "R338"),
    ("mode_gestion", "R236"), ("actes", "R210"), ("actes_hors_cabinet", "R210"), ("specialisations", "R245"),
    ("ouverture_annuelle", "R238"), ("professions", "R356"), ("competences", "R243"), ("type_fermeture", "R286"),
)  # fmt: skip


def offre(version: VersionFiche, referentiel: Referentiel, jour: date) -> Ressource:
    """The HealthcareService of an UO. ``jour``: typical weeks that another one has replaced by then are left out."""
    lue = entete("HealthcareService", "ror-healthcareservice", version.fiche.identifiant, referentiel)
    lue["extension"] = [
        creation(version.fiche),
        extension("ror-healthcareservice-sensitive-unit", valueBoolean=version.unite_sensible),
        _patientele(version, referentiel),
        *(_commune(code, referentiel) for code in version.territoire),
        *_contacts(version, referentiel),
    ]
    lue["active"] = True  # what is closed for good is no longer exposed
    lue["identifier"] = [{"type": referentiel.concept("R355", "35"), "value": version.fiche.identifiant}]
    assert version.parent is not None  # an UO hangs somewhere (check constraint)
    lue["providedBy"] = reference("Organization", version.parent)
    lue["category"] = [referentiel.concept("J238", version.type_uo)]
    lue["type"] = [referentiel.concept("R227", version.champ_activite)]
    lue["specialty"] = [referentiel.concept("R211", code) for code in version.activites]
    # Families outside SERAFIN (R266) share the field of those inside (R265).
    familles = (
        ("R265" if ("R265", code) in referentiel.libelles else "R266", code) for code in version.familles_serafin
    )
    lue["specialty"] += [referentiel.concept(liste, code) for liste, code in familles]
    lue["location"] = [{"reference": f"Location/{id_fhir(version.fiche.identifiant)}"}]
    lue["name"] = version.nom
    lue |= _textes(version)
    if version.boites_mssante:
        niveau = TRES_RESTREINT if version.unite_sensible else RESTREINT
        lue["telecom"] = [contact_point(referentiel, COURRIEL, boite, niveau) for boite in version.boites_mssante]
    lue["characteristic"] = [referentiel.concept(liste, code) for liste, code in _caracteristiques(version)]
    if heures := list(_heures(version, referentiel, jour)):
        lue["availableTime"] = heures
    if version.date_fermeture:
        ferme = periode(version.date_fermeture, version.date_reouverture)
        lue["notAvailable"] = [{"description": "Fermeture", "during": ferme}]
    return lue


def _caracteristiques(version: VersionFiche) -> Iterable[tuple[str, str]]:
    for champ, liste in CARACTERISTIQUES:
        contenu = getattr(version, champ)
        for code in [contenu] if isinstance(contenu, str) else contenu:
            if code:
                yield liste, code


def _textes(version: VersionFiche) -> dict[str, Any]:
    """Long texts, in the elements that base R4 has for them: the guide names none."""
    textes: dict[str, Any] = {}
    if version.informations_complementaires:
        textes["comment"] = version.informations_complementaires
    if version.conditions_accueil:
        textes["extraDetails"] = version.conditions_accueil
    if version.conditions_admission:
        textes["eligibility"] = [{"comment": version.conditions_admission}]
    return textes


def _patientele(version: VersionFiche, referentiel: Referentiel) -> dict[str, Any]:
    parties = [
        partie(
            "ageRange",
            valueRange={
                "low": _age(version.age_min, version.age_min_unite, referentiel),
                "high": _age(version.age_max, version.age_max_unite, referentiel),
            },
        ),
        *(partie("supportedPatientInfo", valueCodeableConcept=referentiel.concept("R239", c)) for c in version.publics),
    ]
    return extension("ror-healthcareservice-patient-type", extension=parties)


def _age(nombre: int | None, unite: str, referentiel: Referentiel) -> dict[str, Any]:
    lu = {"value": nombre, "system": referentiel.urls.get("R247", ""), "code": UNITES.get(unite, "")}
    return {cle: contenu for cle, contenu in lu.items() if contenu not in ("", None)}


def _commune(code: str, referentiel: Referentiel) -> dict[str, Any]:
    parties = [
        partie("codeTerritorialDivision", valueCodeableConcept=referentiel.commune(code)),
        partie("typeTerritorialDivision", valueCodeableConcept=referentiel.concept("R201", COMMUNE)),
    ]
    return extension(DIVISION, extension=parties)


def _contacts(version: VersionFiche, referentiel: Referentiel) -> Iterable[dict[str, Any]]:
    for contact in contacts(version):
        parties = []
        if contact.nature:
            parties.append(partie("purposeContact", valueCodeableConcept=referentiel.concept("R287", contact.nature)))
        if contact.nom:
            parties.append(partie("name", valueString=contact.nom))
        if contact.fonction:
            fonction = referentiel.concept("R251", contact.fonction)
            parties.append(extension("ror-contact-function-contact", valueCodeableConcept=fonction))
        niveau = referentiel.concept("R283", contact.niveau)
        parties.append(extension(CONFIDENTIALITE, valueCodeableConcept=niveau))
        for canal, valeur, niveau_telecom in contact.telecoms:
            telecom = [
                extension(CANAL_TELECOM, valueCodeableConcept=referentiel.concept("R200", canal)),
                extension(CONFIDENTIALITE_TELECOM, valueCodeableConcept=referentiel.concept("R283", niveau_telecom)),
                partie("telecomAddress", valueString=valeur),
            ]
            parties.append(extension(TELECOM_OFFRE, extension=telecom))
        yield extension(CONTACT_OFFRE, extension=parties)


def _heures(version: VersionFiche, referentiel: Referentiel, jour: date) -> Iterable[dict[str, Any]]:
    """One availableTime an interval, with the days between which its typical week holds."""
    semaines = sorted((*lire_cle(cle), semaine) for cle, semaine in version.horaires.items())
    for rang, (genre, lundi, semaine) in enumerate(semaines):
        suite = semaines[rang + 1] if rang + 1 < len(semaines) else None
        fin = suite[1] - timedelta(days=1) if suite and suite[0] == genre else None
        if fin and fin < jour:
            continue
        for numero in sorted(semaine):
            for debut, jusqu_a in semaine[numero]:
                yield {
                    "extension": [
                        extension("ror-available-time-number-days-of-week", valueInteger=int(numero)),
                        extension("ror-available-time-effective-opening-closing-date", valuePeriod=periode(lundi, fin)),
                        extension(
                            "ror-available-time-type-of-time", valueCodeableConcept=referentiel.concept("R252", genre)
                        ),
                    ],
                    "daysOfWeek": [JOURS[int(numero) - 1]],
                    "availableStartTime": f"{debut}:00",
                    "availableEndTime": MINUIT if jusqu_a == "24:00" else f"{jusqu_a}:00",
                }
