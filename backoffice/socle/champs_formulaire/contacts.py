"""Contacts of a fiche, each with its telecoms."""

from collections.abc import Callable, Mapping
from typing import Any

from .base import paires_de
from .codes import ChoixField
from .lignes import LignesField
from .simples import TexteField

TELECOMS_MAX = 20


class ContactsField(LignesField):
    """Contacts of a fiche, each with its telecoms.

    ``natures`` (R287), ``fonctions`` (R251), ``canaux`` (R200), ``confidentialites`` (R283) are (code, label) pairs;
    confidentialities go from the least to the most confidential. A contact has a nature, or a name with a function.
    A telecom is never less confidential than its contact: refused, saying so. New contacts start at
    ``confidentialite_defaut``. ``fermes``: ``{"natures": …, "fonctions": …, "canaux": …}``. ``verifier_telecom(canal,
    valeur) -> message`` refuses a number or an address ("": it is right).
    """

    def __init__(
        self,
        *,
        natures: Any = (),
        fonctions: Any = (),
        canaux: Any = (),
        confidentialites: Any = (),
        confidentialite_defaut: str = "",
        fermes: Mapping[str, Any] | None = None,
        verifier_telecom: Callable[[str, str], str] | None = None,
        **kwargs: Any,
    ) -> None:
        fermes = fermes or {}
        niveaux = paires_de(confidentialites)
        defaut = confidentialite_defaut or (niveaux[min(1, len(niveaux) - 1)][0] if niveaux else "")
        self._rang = {code: rang for rang, (code, _) in enumerate(niveaux)}
        self._noms = dict(niveaux)

        def verifier_valeur(telecom: dict[str, Any]) -> dict[str, str]:
            message = verifier_telecom(telecom["canal"], telecom["valeur"]) if verifier_telecom else ""
            return {"valeur": message} if message else {}

        super().__init__(
            colonnes={
                "nature": ChoixField(
                    label="Nature du contact", choices=natures, fermes=fermes.get("natures"), required=False
                ),
                "nom": TexteField(label="Nom", required=False, max_length=200),
                "fonction": ChoixField(
                    label="Fonction", choices=fonctions, fermes=fermes.get("fonctions"), required=False
                ),
                "confidentialite": ChoixField(label="Confidentialité", choices=niveaux, initial=defaut),
                "telecoms": LignesField(
                    label="Moyens de contact",
                    mot="moyen de contact",
                    retirer="Retirer ce moyen de contact",
                    profondeur=1,
                    maximum=TELECOMS_MAX,
                    required=False,
                    verifier=verifier_valeur,
                    colonnes={
                        "canal": ChoixField(label="Canal", choices=canaux, fermes=fermes.get("canaux")),
                        "valeur": TexteField(label="Numéro ou adresse", max_length=250),
                        "confidentialite": ChoixField(label="Confidentialité", choices=niveaux, initial=defaut),
                    },
                ),
            },
            mot="contact",
            retirer="Retirer ce contact",
            disposition="fiche",
            avec_id=True,
            verifier=self._verifier,
            **kwargs,
        )

    def _verifier(self, contact: dict[str, Any]) -> dict[str, str]:
        refus: dict[str, str] = {}
        if not contact["nature"] and not contact["nom"]:
            refus["nature"] = "Choisir une nature de contact, ou donner un nom et une fonction."
        elif contact["nature"] and contact["nom"]:
            refus["nature"] = "Choisir une nature de contact, ou donner un nom et une fonction, mais pas les deux."
        elif contact["nom"] and not contact["fonction"]:
            refus["fonction"] = f"Indiquer la fonction de {contact['nom']}."
        rang = self._rang.get(contact["confidentialite"], 0)
        for j, telecom in enumerate(contact["telecoms"]):
            if self._rang.get(telecom["confidentialite"], 0) < rang:
                refus[f"telecoms-{j}-confidentialite"] = (
                    f"Un moyen de contact ne peut pas être moins confidentiel que son contact "
                    f"({self._noms[contact['confidentialite']].lower()})."
                )
        return refus
