"""The bulk export of 120,000 resources (those of fhir.py): what a worker makes in a second, and what the files weigh.

By profile: 1 reads every contact, and gets what is stored; the others get each resource filtered.
"""

import time

from django.db import connection
from django.db.models import Sum
from django.db.models.functions import Length

from structures.enums import ProfilAcces
from structures.fhir import export
from structures.models import FichierExport, Ressource
from tests.factories.consommateurs import consommateur

from .fhir import peupler
from .mesure import tableau

TYPES = ["Organization", "HealthcareService", "Location"]


def mesurer_export_fhir() -> None:
    if not Ressource.objects.exists():
        peupler()
    debut = time.perf_counter()
    with connection.cursor() as curseur, curseur.copy("COPY structures_ressource (contenu) TO STDOUT") as copie:
        octets = sum(len(morceau) for morceau in copie)
    lecture = time.perf_counter() - debut
    nombre = Ressource.objects.count()
    lignes = [
        ["COPY of the same JSON, not compressed", f"{lecture:.1f}", f"{nombre / lecture:,.0f}", f"{octets / 1e6:.0f}"]
    ]
    for profil in (ProfilAcces.TOUS, ProfilAcces.LIBRES):
        outil, _ = consommateur(profil=profil)
        demande = export.demander(consommateur=outil, requete="", types=TYPES, depuis=None)
        debut = time.perf_counter()
        assert export.travailler(demande.pk)
        duree = time.perf_counter() - debut
        poids = FichierExport.objects.filter(export=demande).aggregate(total=Sum(Length("contenu")))["total"]
        lignes.append(
            [f"export, profile {profil.value}", f"{duree:.1f}", f"{nombre / duree:,.0f}", f"{poids / 1e6:.0f}"]
        )
        export.annuler(demande)
    tableau(f"Bulk export of {nombre:,} resources", ["", "seconds", "resources a second", "MB"], lignes)
