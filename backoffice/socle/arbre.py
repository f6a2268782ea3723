"""The nodes that ``<c-arbre>`` draws."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

from django.middleware.csrf import get_token
from django.template import Context
from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe

from .etats import signe

NIVEAUX = {
    "EJ": "Entité juridique",
    "EG": "Entité géographique",
    "P": "Pôle",
    "S": "Service",
    "UF": "Unité fonctionnelle",
    "UO": "Unité opérationnelle",
}


@dataclass(slots=True)
class Noeud:
    """One line of the tree. ``niveau`` is the badge (EJ, EG, P, S, UF, UO); ``etats`` are keys of ``socle.etats``.

    ``actions`` are the lines of its menu (see menu_actions.html); a big tree has ``data-menu`` instead (arbre.html).
    ``ouvert=False`` folds it at first. ``attrs`` go to the link (``{"id": …}``). ``hors``: there only to show where the
    nodes that a filter keeps are. ``case``: a box to tick, of this value, for the form ``selection``.
    """

    id: str
    niveau: str
    libelle: str
    url: str = ""
    enfants: list["Noeud"] = field(default_factory=list)
    etats: list[str] = field(default_factory=list)
    actif: bool = False
    ouvert: bool = True
    supprime: bool = False
    note: str = ""
    actions: list[dict[str, Any]] = field(default_factory=list)
    attrs: dict[str, str] = field(default_factory=dict)
    hors: bool = False
    case: int = 0


_CHAMPS = dict.fromkeys(Noeud.__slots__)


def _lire(noeud: Any) -> Noeud:
    """Accept a dict or any object with some of the names of ``Noeud``."""
    if isinstance(noeud, Noeud):
        return noeud
    if isinstance(noeud, Mapping):
        valeurs = {c: noeud[c] for c in _CHAMPS if c in noeud}
    else:
        valeurs = {c: getattr(noeud, c) for c in _CHAMPS if hasattr(noeud, c)}
    return Noeud(**valeurs)


class _Dessin:
    """Writes the ``<li>`` one after the other: 3,000 fiches through the template engine take a second.

    Every byte counts 3,000 times: what a browser can add (buttons, roles, words of the levels) is added by js/arbre.js,
    the icon of a sign by arbre.css.
    """

    def __init__(self, request: Any) -> None:
        self.request = request
        self.signes: dict[str, str] = {}
        self.morceaux: list[str] = []

    def noeud(self, brut: Any, attrs: str = "") -> None:
        n = _lire(brut)
        ecrire = self.morceaux.append
        ferme = ' class="arbre-ferme"' if n.enfants and not n.ouvert else ""
        classes = "arbre-ligne" + (" arbre-actif" if n.actif else "") + (" arbre-supprime" if n.supprime else "")
        classes += " arbre-hors" if n.hors else ""
        niveau = escape(n.niveau)
        case = self.case(n) if n.case else ""
        ecrire(
            f'<li{ferme}{attrs}><div class="{classes}"><span>{case}<abbr class="niveau-{niveau}">{niveau}</abbr>'
            f"{self.nom(n)}</span>"
        )
        if n.note:
            ecrire(f"<small>{escape(n.note)}</small>")
        if n.etats:
            ecrire(f'<span class="arbre-etats">{"".join(map(self.signe, n.etats))}</span>')
        if n.actions:
            ecrire(f'<div class="arbre-menu">{self.menu(n)}</div>')
        ecrire("</div>")
        if n.enfants:
            ecrire("<ul>")
            for enfant in n.enfants:
                self.noeud(enfant)
            ecrire("</ul>")
        ecrire("</li>")

    def fini(self) -> SafeString:
        return mark_safe("".join(self.morceaux))  # noqa: S308 - every part is escaped

    def nom(self, n: Noeud) -> str:
        libelle = escape(n.libelle)
        nom = f"<s>{libelle}</s>" if n.supprime else libelle
        if not n.url:
            return f'<span class="arbre-nom">{nom}</span>'
        attrs = "".join(f' {escape(k)}="{escape(v)}"' for k, v in n.attrs.items())
        courant = ' aria-current="true"' if n.actif else ""
        return f'<a class="arbre-nom" href="{escape(n.url)}"{courant}{attrs}>{nom}</a>'

    def case(self, n: Noeud) -> str:
        return (
            f'<input type="checkbox" class="arbre-case" form="selection" name="fiche" value="{n.case}"'
            f' aria-label="Sélectionner {escape(n.libelle)}">'
        )

    def signe(self, etat: str) -> str:
        if etat not in self.signes:
            s = signe(etat)
            self.signes[etat] = f'<b class="signe badge-{s.ton} i-{s.icone}">{escape(s.mot)}</b>'
        return self.signes[etat]

    def menu(self, n: Noeud) -> str:
        contexte = {
            "actions": n.actions,
            "libelle": f"Actions sur {n.libelle}",
            "texte": "",
            "icone": "plus-actions",
            "gauche": False,
            "classe": "",
        }
        if self.request is not None:
            contexte["csrf_token"] = get_token(self.request)
        gabarit = get_template("socle/_menu_actions.html").template  # type: ignore[attr-defined]
        return str(gabarit.render(Context(contexte)))


def rendre(noeuds: Iterable[Any], request: Any = None) -> SafeString:
    """The ``<li>`` of the nodes and of what hangs under them."""
    dessin = _Dessin(request)
    for noeud in noeuds:
        dessin.noeud(noeud)
    return dessin.fini()


def rendre_places(places: Iterable[tuple[Noeud, int, int]], request: Any = None) -> SafeString:
    """Lines that changed, each with the number of the fiche above it and of its sister before it (0: none), for
    ``poser`` of js/arbre.js. What hangs below them is not drawn."""
    dessin = _Dessin(request)
    for noeud, sous, apres in places:
        dessin.noeud(noeud, f' data-sous="{sous}" data-apres="{apres}"')
    return dessin.fini()
