"""Two consumers of the exposition with a month of use, for the demo alone: the first one's secret is in README."""

import math
import random
from datetime import timedelta

from django.utils import timezone

from backoffice.comptes.models import User
from structures.domaine.consommateurs import Reglages, condense, creer
from structures.enums import Portee, ProfilAcces
from structures.models import Consommateur, RefusConsommateur, UsageConsommateur

IDENTIFIANT, SECRET = "demo", "Demo-ROR-2026-consommateur"
REGULATION = Reglages(
    nom="Régulation des urgences",
    courriel="exploitation@regulation.example",
    organisme="SAMU de démonstration",
    profil=ProfilAcces.RESTREINTS,
    portees=[Portee.TOUT, Portee.EXPORT],
    quota_minute=600,
    quota_jour=100_000,
)
ANNUAIRE = Reglages(
    nom="Annuaire grand public",
    courriel="contact@annuaire.example",
    organisme="Éditeur de démonstration",
    profil=ProfilAcces.LIBRES,
    portees=[Portee.ORGANISATIONS, Portee.OFFRES],
    quota_minute=60,
    quota_jour=2_000,
)
# Requests of an ordinary day, resources and octets of one, milliseconds.
_HABITUDES = {
    REGULATION.nom: {"search-type HealthcareService": (4_200, 12, 38_000, 41), "read Organization": (900, 1, 3_100, 6)},
    ANNUAIRE.nom: {"search-type Organization": (700, 20, 52_000, 37), "read HealthcareService": (420, 1, 3_900, 7)},
}
REFUSEE, REFUS = "search-type Organization", 180  # of the directory, one day: over its quota


def consommateurs_demo(gestionnaire: User) -> None:
    hasard = random.Random(2026)  # noqa: S311  the same month each time
    aujourdhui = timezone.localdate()
    for reglages in (REGULATION, ANNUAIRE):
        consommateur, _ = creer(acteur=gestionnaire, reglages=reglages)
        usages = []
        for recul in range(30):
            jour = aujourdhui - timedelta(days=recul)
            affluence = (0.35 if jour.weekday() > 4 else 1) * hasard.uniform(0.8, 1.2)
            for interaction, (requetes, ressources, octets, duree) in _HABITUDES[reglages.nom].items():
                n = math.ceil(requetes * affluence)
                refus = REFUS if (recul, interaction) == (9, REFUSEE) else 0
                usages.append(
                    UsageConsommateur(
                        consommateur=consommateur,
                        jour=jour,
                        interaction=interaction,
                        requetes=n + refus,
                        ressources=n * ressources,
                        octets=n * octets,
                        refus=refus,
                        quota=refus,
                        erreurs_client=n // 200,
                        erreurs_serveur=0,
                        duree_ms=n * duree,
                    )
                )
        UsageConsommateur.objects.bulk_create(usages)
    RefusConsommateur.objects.create(
        consommateur=consommateur,
        minute=(timezone.now() - timedelta(days=9)).replace(second=0, microsecond=0),
        statut=429,
        interaction=REFUSEE,
        motif="Quota atteint (60 requêtes par minute) : réessayez dans 21 secondes.",
        chemin="/fhir/Organization?address-postalcode=75013",
        nombre=REFUS,
    )
    Consommateur.objects.filter(name=REGULATION.nom).update(client_id=IDENTIFIANT, client_secret=condense(SECRET))
