"""A person with the form of a fiche open: what she types, then its steps, posted as a browser posts them."""

import re
from typing import Any

from tests.formulaires import lire_formulaire
from tests.navigation import client, texte


class Saisie:
    def __init__(self, user: Any, url: str) -> None:
        self.navigateur, self.url = client(user), url
        self.reponse = self.navigateur.get(url)

    def envoyer(self, etape: str, **changements: Any) -> Any:
        self.reponse = self.navigateur.post(self.url, self.donnees(etape=etape, **changements))
        return self.reponse

    def donnees(self, **changements: Any) -> dict[str, list[str]]:
        [formulaire] = re.findall(r'<form method="post" class="pile.*?</form>', self.reponse.content.decode(), re.S)
        return dict(lire_formulaire(formulaire, **changements).lists())

    @property
    def mots(self) -> str:
        return texte(self.reponse)
