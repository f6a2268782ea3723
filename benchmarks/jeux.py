"""Synthetic data at size, made through the domain where that stays fast, in bulk where it would not."""

from datetime import date

from django.db import transaction

from backoffice.comptes.models import User
from structures.domaine.creer import creer_etablissements, creer_fiches
from structures.domaine.enregistrer import enregistrer
from structures.enums import Niveau, Role, Source
from structures.models import Fiche, Habilitation, Modification
from workflows.domaine import decisions, instantane
from workflows.domaine.creer import creer
from workflows.enums import EtatFiche
from workflows.models import Dossier, FicheTravail, Tache

DEPUIS = date(2020, 1, 6)


def compte(nom: str, role: str, fiche: Fiche | None = None, autorite: str | None = None) -> User:
    user, _ = User.objects.get_or_create(username=nom, defaults={"email": f"{nom}@essai.example"})
    Habilitation.objects.get_or_create(user=user, role=role, fiche=fiche, autorite_id=autorite)
    return user


def offre(parent: int, rang: int) -> dict[str, object]:
    """The patch of a complete UO of an EHPAD."""
    return {
        "existe": True, "parent": parent, "nom": f"Unité {rang:05d}", "type_uo": "38", "champ_activite": "04",
        "mode_prise_en_charge": "46", "activites": {"ajoute": ["293", "511"]}, "publics": {"ajoute": ["01"]},
        "familles_serafin": {"ajoute": ["011"]}, "age_min": 60, "age_min_unite": "an", "age_max": 120,
        "age_max_unite": "an", "conditions_admission": "Sur dossier.",
    }  # fmt: skip


def etablissement(numero: str, ej: Fiche) -> dict[str, object]:
    """The patch of an EHPAD that has what consumers need."""
    return {
        "existe": True, "nom": f"EHPAD {numero}", "parent": ej.pk, "finess": numero, "categorie": "500",
        "commune": "92040",
    }  # fmt: skip


@transaction.atomic
def ehpad(numero: str, nombre: int) -> Fiche:
    """An EHPAD with ``nombre`` published UO; ``numero`` is any nine characters."""
    crees = creer_etablissements([(Niveau.EJ, f"E{numero[1:]}"), (Niveau.EG, numero)])
    ej, eg = crees[f"E{numero[1:]}"], crees[numero]
    uos = creer_fiches(eg=eg, niveaux=[Niveau.UO] * nombre)
    for fiche, patch in (
        (ej, {"existe": True, "nom": "Association", "finess": f"E{numero[1:]}"}),
        (eg, etablissement(numero, ej)),
    ):
        enregistrer([Modification(fiche=fiche, date_effet=DEPUIS, patch=patch, source=Source.IMPORT, origine="essai")])
    enregistrer(
        [
            Modification(fiche=uo, date_effet=DEPUIS, patch=offre(eg.pk, i), source=Source.IMPORT, origine="essai")
            for i, uo in enumerate(uos)
        ]
    )
    return eg


@transaction.atomic
def hopital(numero: str, services: int, unites: int) -> tuple[Fiche, Fiche, list[Fiche]]:
    """A hospital of two Pôles: the Services hang under the first, each with one UF that holds ``unites`` UO.

    Returns (EG, the other Pôle, Services)."""
    crees = creer_etablissements([(Niveau.EJ, f"H{numero[1:]}"), (Niveau.EG, numero)])
    ej, eg = crees[f"H{numero[1:]}"], crees[numero]
    poles = creer_fiches(eg=eg, niveaux=[Niveau.POLE] * 2)
    dessous = creer_fiches(eg=eg, niveaux=[Niveau.SERVICE] * services + [Niveau.UF] * services)
    uos = creer_fiches(eg=eg, niveaux=[Niveau.UO] * services * unites)
    lieux, ufs = dessous[:services], dessous[services:]

    def publier(contenus: list[tuple[Fiche, dict[str, object]]]) -> None:
        enregistrer(
            [
                Modification(
                    fiche=fiche,
                    date_effet=DEPUIS,
                    patch={"existe": True} | patch,
                    source=Source.IMPORT,
                    origine="essai",
                )
                for fiche, patch in contenus
            ]
        )

    publier([(ej, {"nom": "Groupe hospitalier"})])
    publier([(eg, {"nom": f"Hôpital {numero}", "parent": ej.pk, "categorie": "355", "commune": "92040"})])
    publier([(p, {"nom": f"Pôle {i}", "parent": eg.pk}) for i, p in enumerate(poles)])
    publier([(s, {"nom": f"Service {i}", "parent": poles[0].pk}) for i, s in enumerate(lieux)])
    publier([(u, {"nom": f"UF {i}", "parent": lieux[i].pk}) for i, u in enumerate(ufs)])
    publier(
        [
            (
                u,
                offre(ufs[i // unites].pk, i)
                | {"type_uo": "149", "champ_activite": "01", "mode_prise_en_charge": "28"},
            )
            for i, u in enumerate(uos)
        ]
    )
    return eg, poles[1], lieux


@transaction.atomic
def dossier_envoye(eg: Fiche, nombre: int, referent: User) -> tuple[Dossier, Tache]:
    """A dossier that touches ``nombre`` fiches, half new and half changed, sent and waiting for SESAN."""
    dossier = creer(eg=eg, nom=f"{nombre} fiches", acteur=referent)
    nouvelles = creer_fiches(eg=eg, niveaux=[Niveau.UO] * (nombre - nombre // 2))
    anciennes = list(eg.fiches.filter(niveau=Niveau.UO, versions__isnull=False).order_by("pk")[: nombre // 2])
    FicheTravail.objects.bulk_create(
        [
            FicheTravail(
                dossier=dossier, fiche=fiche, patch=patch, base=base, etat=EtatFiche.FINALISEE, revision=1,
                modifiee_par=referent,
            )
            for fiche, patch, base in (
                *((f, offre(eg.pk, i), {}) for i, f in enumerate(nouvelles)),
                *((f, {"conditions_admission": "Libre."}, {"conditions_admission": "Sur dossier."}) for f in anciennes),
            )
        ]
    )  # fmt: skip
    decisions.envoyer(numero=dossier.pk, acteur=referent, vu=instantane.empreinte_de(dossier))
    dossier.refresh_from_db()
    return dossier, Tache.objects.get(dossier=dossier, close_le__isnull=True)


def acteurs(eg: Fiche) -> tuple[User, User]:
    """(référent of the EG, gestionnaire)."""
    return compte(f"referent{eg.pk}", Role.REFERENT, eg), compte("gestionnaire", Role.GESTIONNAIRE)
