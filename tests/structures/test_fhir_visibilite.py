"""What a profile reads of contacts, and what is said on the page of a fiche that is not exposed."""

import re
from datetime import date, timedelta
from itertools import product

import fhirkit
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backoffice.socle.mots import date_longue as avec_insecables
from structures.enums import Role
from structures.fhir.confidentialite import filtrer
from structures.fhir.exposition import exposer
from structures.fhir.index import valeurs
from structures.fhir.ressources.commun import CONTACT_OFFRE
from structures.models import Fiche, Ressource
from tests.factories import repertoire as r

pytestmark = pytest.mark.django_db

# -- confidentiality -------------------------------------------------------------------------------------

LUS = {0: "1", 1: "123", 2: "12"}


def contact(niveau: str) -> dict:
    """A contact of this level with a telecom of each level that it may have."""
    telecoms = [{"canal": "2", "valeur": f"010000{niveau}{n}", "confidentialite": n} for n in "123" if n >= niveau]
    return {"nom": f"Contact {niveau}", "fonction": "01", "confidentialite": niveau, "telecoms": telecoms}


def lus(contenu: dict) -> set[str]:
    """Names and numbers that a resource tells."""
    return {
        *valeurs(contenu, "contact.name.text"),
        *valeurs(contenu, "contact.telecom.value"),
        *valeurs(contenu, f"extension[{CONTACT_OFFRE.rpartition('/')[2]}].extension[name].valueString"),
        *valeurs(contenu, "extension[ror-healthcareservice-contact].extension[ror-healthcareservice-contact-telecom]"
                 ".extension[telecomAddress].valueString"),
        *valeurs(contenu, "telecom.value"),
    }  # fmt: skip


def test_contact_confidentialite_profil():
    contacts = {"contacts": {"pose": {n: contact(n) for n in "123"}}}
    eg = r.etablissement("handicap", telephone="0100000000", **contacts)
    boite = {"boites_mssante": {"ajoute": ["unite@essai.mssante.fr"]}}
    ouverte, sensible = r.uo(eg, **contacts, **boite), r.uo(eg, unite_sensible=True, **contacts, **boite)
    exposer()
    attendus = {
        profil: {f"Contact {n}" for n in niveaux} | {f"010000{n}{t}" for n, t in product(niveaux, niveaux) if t >= n}
        for profil, niveaux in LUS.items()
    }
    for profil in LUS:
        lu = {
            (x.type, x.fiche): lus(filtrer(x.contenu, profil))
            for x in Ressource.objects.filter(fiche__in=[eg, ouverte, sensible]).select_related("fiche")
        }
        assert lu["Organization", eg] == attendus[profil] | {"0100000000"}
        assert lu["HealthcareService", ouverte] == attendus[profil] | ({"unite@essai.mssante.fr"} if profil else set())
        toute = attendus[1] | {"unite@essai.mssante.fr"}
        assert lu["HealthcareService", sensible] == (toute if profil == 1 else set())
        assert lu["Location", ouverte] == set()
    entiere = Ressource.objects.get(type="HealthcareService", fiche=ouverte).contenu
    assert filtrer(entiere, 1) == entiere
    assert fhirkit.validate(filtrer(entiere, 0)) == []
    illisible = {"resourceType": "Organization", "contact": [{"name": {"text": "Sans niveau"}}], "telecom": [{}]}
    assert filtrer(illisible, 2) == {"resourceType": "Organization"}


# -- the page of a fiche ---------------------------------------------------------------------------------


def bloc(acteur, fiche: Fiche) -> tuple[str, list[tuple[str, str]]]:
    """(text, links) of « Pourquoi cette fiche n’est pas visible »; ("", []) without it."""
    navigateur = Client()
    navigateur.force_login(acteur)
    html = navigateur.get(reverse("fiche", args=[fiche.identifiant])).content.decode()
    for section in re.findall(r'<section class="carte pourquoi".*?</section>', html, re.S):
        texte = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", section)).strip()
        return texte, re.findall(r'<a href="([^"]+)">([^<]+)</a>', section)
    return "", []


def date_longue(jour: date) -> str:
    return avec_insecables(jour).replace("\xa0", " ")


def test_pourquoi_une_fiche_n_est_pas_visible():
    hopital, jour = r.hopital(), timezone.localdate()
    uo, pole, ej = hopital["UO"], hopital["P"], hopital["EJ"]
    referent = r.compte(Role.REFERENT, hopital["EG"])
    assert bloc(referent, uo) == ("", [])
    r.publier(uo, {"age_min": None, "age_min_unite": "", "activites": {"retire": ["013"]}})
    r.publier(pole, {"date_ouverture": (jour + timedelta(days=9)).isoformat()})
    r.publier(ej, {"nom": ""})
    texte, liens = bloc(referent, uo)
    assert texte == (
        "Pourquoi cette fiche n’est pas visible Les outils qui utilisent le répertoire ne la montrent pas aujourd’hui."
        " Elle n’a pas tout ce que le modèle national exige : Activités opérationnelles, Âge minimum."
        f" Pôle Médecine (pôle), au-dessus d’elle, n’ouvre que le {date_longue(jour + timedelta(days=9))}."
        f" {ej.identifiant}, au-dessus d’elle, n’a pas tout ce que le modèle national exige : Raison sociale."
    )
    page = reverse("fiche", args=[uo.identifiant])
    assert liens == [
        (f"{page}modifier/#id_activites", "Activités opérationnelles"),
        (f"{page}modifier/#id_age_min", "Âge minimum"),
        (reverse("fiche", args=[pole.identifiant]), "Pôle Médecine"),
        (reverse("fiche", args=[ej.identifiant]), ej.identifiant),
    ]
    r.publier(ej, {"nom": "Groupe"}, jour + timedelta(days=3))
    r.publier(uo, {"age_min": 3, "age_min_unite": "an", "activites": {"ajoute": ["013"]}}, jour + timedelta(days=4))
    texte, _ = bloc(referent, uo)
    assert f"Ils la montreront le {date_longue(jour + timedelta(days=9))}" in texte
    r.publier(pole, {"date_ouverture": None, "date_fermeture": jour.isoformat(), "type_fermeture": "DEF"})
    texte, _ = bloc(referent, uo)
    assert f"Pôle Médecine (pôle), au-dessus d’elle, est fermée depuis le {date_longue(jour)}." in texte
    assert "Ils la montreront" not in texte
