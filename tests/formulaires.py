"""What a browser would post of a page, read from its HTML: forms are tested as people fill them."""

from html.parser import HTMLParser

from django.http import QueryDict


class _Lecteur(HTMLParser):
    """Values of the controls of a form, as they are shown; templates and what needs no JavaScript left out."""

    def __init__(self) -> None:
        super().__init__()
        self.donnees = QueryDict(mutable=True)
        self._hors = 0
        self._liste: str | None = None
        self._zone: str | None = None
        self._premier: str | None = None
        self._choisi = False

    def handle_starttag(self, balise, attributs) -> None:
        a = dict(attributs)
        if balise in ("template", "noscript"):
            self._hors += 1
        if self._hors:
            return
        nom = a.get("name")
        if balise == "input" and nom:
            genre = a.get("type", "text")
            if genre in ("submit", "button", "image") or (genre in ("checkbox", "radio") and "checked" not in a):
                return
            self.donnees.appendlist(nom, a.get("value") or ("on" if genre == "checkbox" else ""))
        elif balise == "select" and nom:
            self._liste, self._premier, self._choisi = nom, None, False
        elif balise == "option" and self._liste:
            if self._premier is None:
                self._premier = a.get("value") or ""
            if "selected" in a:
                self.donnees.appendlist(self._liste, a.get("value") or "")
                self._choisi = True
        elif balise == "textarea" and nom:
            self._zone = nom
            self.donnees[nom] = ""

    def handle_endtag(self, balise) -> None:
        if balise in ("template", "noscript"):
            self._hors -= 1
        elif balise == "select" and self._liste:
            if not self._choisi and self._premier is not None:
                self.donnees.appendlist(self._liste, self._premier)
            self._liste = None
        elif balise == "textarea":
            self._zone = None

    def handle_data(self, texte) -> None:
        if self._zone and not self._hors:
            self.donnees[self._zone] += texte


def lire_formulaire(html: str, **changements: str | list[str] | None) -> QueryDict:
    """What is posted when the form of ``html`` is sent, but for ``changements`` (None: not sent)."""
    lecteur = _Lecteur()
    lecteur.feed(html)
    donnees = lecteur.donnees
    for nom in donnees:
        donnees.setlist(nom, [v.removeprefix("\n").replace("\n", "\r\n") for v in donnees.getlist(nom)])
    for nom, valeur in changements.items():
        if valeur is None:
            donnees.pop(nom, None)
        elif isinstance(valeur, list):
            donnees.setlist(nom, valeur)
        else:
            donnees[nom] = valeur
    return donnees
