"""Who signs in to the demo, and with which rights."""

from django.contrib.auth.hashers import make_password

from backoffice.comptes.domaine import creer_compte
from backoffice.comptes.models import User
from backoffice.embarque.comptes_demo import COMPTES, MOT_DE_PASSE
from structures.enums import Role
from structures.models import Fiche, Habilitation

NOMS = {
    "referent.ehpad": ("Nadia", "Benali"), "direction.ehpad": ("Philippe", "Garnier"),
    "referent.hopital": ("Claire", "Moreau"), "direction.hopital": ("Hélène", "Vasseur"),
    "referent.sessad": ("Thomas", "Leroy"), "direction.sessad": ("Awa", "Diallo"),
    "referent.camsp": ("Julie", "Fontaine"), "direction.camsp": ("Marc", "Lambert"),
    "gestionnaire": ("Sophie", "Renard"), "gestionnaire2": ("Karim", "Haddad"),
    "tutelle.ars": ("Isabelle", "Perrin"), "tutelle.ars2": ("Olivier", "Blanc"),
    "tutelle.cd": ("Mathilde", "Roche"),
}  # fmt: skip

HABILITATIONS: dict[str, list[tuple[str, str]]] = {
    "referent.ehpad": [(Role.REFERENT, "ehpad"), (Role.REFERENT, "ehpad_parc")],
    "direction.ehpad": [(Role.DIRECTION, "ehpad"), (Role.DIRECTION, "ehpad_parc")],
    "referent.hopital": [(Role.REFERENT, "ch")],
    "direction.hopital": [(Role.DIRECTION, "ch")],
    "referent.sessad": [(Role.REFERENT, "sessad"), (Role.REFERENT, "ime"), (Role.REFERENT, "experimental")],
    "direction.sessad": [(Role.DIRECTION, "sessad"), (Role.DIRECTION, "ime")],
    "referent.camsp": [(Role.REFERENT, "camsp")],
    "direction.camsp": [(Role.DIRECTION, "camsp")],
    "gestionnaire": [(Role.GESTIONNAIRE, "")],
    "gestionnaire2": [(Role.GESTIONNAIRE, "")],
    "tutelle.ars": [(Role.TUTELLE, "ARS-11")],
    "tutelle.ars2": [(Role.TUTELLE, "ARS-11")],
    "tutelle.cd": [(Role.TUTELLE, "CD-78")],
}


def ouvrir_comptes(structures: dict[str, Fiche]) -> dict[str, User]:
    comptes = {}
    empreinte = make_password(MOT_DE_PASSE)  # hashed once: thirteen times would take seconds
    for identifiant, *_ in COMPTES:
        prenom, nom = NOMS[identifiant]
        user, _ = creer_compte(
            identifiant=identifiant, email=f"{identifiant}@demo.example", prenom=prenom,
            nom=nom, acteur=None, annoncer=False,
        )  # fmt: skip
        user.password = empreinte
        user.doit_changer_mot_de_passe = False
        user.is_staff = any(role == Role.GESTIONNAIRE for role, _ in HABILITATIONS[identifiant])
        user.save()
        comptes[identifiant] = user
        for role, cible in HABILITATIONS[identifiant]:
            Habilitation.objects.create(
                user=user, role=role, fiche=structures.get(cible), autorite_id=cible if role == Role.TUTELLE else None
            )
    return comptes
