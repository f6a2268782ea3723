"""The nodes that ``<c-arbre>`` draws."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.middleware.csrf import get_token
from django.template import Context
from django.template.loader import get_template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

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

    ``actions`` are the lines of its menu (see menu_actions.html). For big trees give ``menu_url`` instead: a page
    that lists the actions of this node, loaded as a fragment into the menu when it is opened.
    ``ouvert=False`` folds it at first. ``attrs`` go to the link (``{"hx-get": …}``).
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
    menu_url: str = ""
    attrs: dict[str, str] = field(default_factory=dict)


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
    """Writes the ``<li>`` one after the other: 3,000 fiches through the template engine take a second."""

    def __init__(self, request: Any) -> None:
        from .templatetags.ror import badge_etat, icone

        self.badge_etat = badge_etat
        self.chevron, self.trois_points = icone("chevron-droite"), icone("plus-actions")
        self.request = request
        self.badges: dict[str, str] = {}
        self.morceaux: list[str] = []

    def noeud(self, brut: Any) -> None:
        n = _lire(brut)
        classes = "arbre-ligne" + (" arbre-actif" if n.actif else "") + (" arbre-supprime" if n.supprime else "")
        ferme = " arbre-ferme" if n.enfants and not n.ouvert else ""
        niveau = conditional_escape(n.niveau)
        ecrire = self.morceaux.append
        ecrire(f'<li class="arbre-noeud{ferme}"><div class="{classes}" data-arbre-ligne>')
        ecrire(self.bascule(n))
        ecrire(f'<abbr class="niveau niveau-{niveau}" title="{NIVEAUX.get(n.niveau, niveau)}">{niveau}</abbr>')
        ecrire(self.nom(n))
        if n.note:
            ecrire(f'<span class="arbre-note">{conditional_escape(n.note)}</span>')
        if n.etats:
            ecrire(f'<span class="arbre-etats">{"".join(map(self.badge, n.etats))}</span>')
        ecrire(self.menu(n))
        ecrire("</div>")
        if n.enfants:
            ecrire("<ul>")
            for enfant in n.enfants:
                self.noeud(enfant)
            ecrire("</ul>")
        ecrire("</li>")

    def bascule(self, n: Noeud) -> str:
        if not n.enfants:
            return '<span class="arbre-bascule-vide"></span>'
        etat, verbe = ("true", "Replier") if n.ouvert else ("false", "Déplier")
        return (
            f'<button type="button" class="arbre-bascule" aria-expanded="{etat}"'
            f' aria-label="{verbe} {conditional_escape(n.libelle)}">{self.chevron}</button>'
        )

    def nom(self, n: Noeud) -> str:
        libelle = conditional_escape(n.libelle)
        nom = f"<s>{libelle}</s>" if n.supprime else str(libelle)
        if not n.url:
            return f'<span class="arbre-nom" tabindex="-1">{nom}</span>'
        attrs = "".join(f' {conditional_escape(k)}="{conditional_escape(v)}"' for k, v in n.attrs.items())
        courant = ' aria-current="true"' if n.actif else ""
        return f'<a class="arbre-nom" href="{conditional_escape(n.url)}"{courant}{attrs}>{nom}</a>'

    def badge(self, etat: str) -> str:
        if etat not in self.badges:
            self.badges[etat] = str(self.badge_etat(etat))
        return self.badges[etat]

    def menu(self, n: Noeud) -> str:
        libelle = f"Actions sur {n.libelle}"
        if n.menu_url:
            return format_html(
                '<details class="deroulant arbre-menu" data-ror-deroulant>'
                '<summary class="bouton bouton-discret bouton-icone" aria-label="{}" title="{}"'
                ' hx-get="{}" hx-target="next .deroulant-panneau" hx-trigger="click once">{}</summary>'
                '<div class="deroulant-panneau"><a class="deroulant-ligne" href="{}">{}</a></div></details>',
                *(libelle, libelle, n.menu_url, self.trois_points, n.menu_url, libelle),
            )
        if not n.actions:
            return ""
        contexte = {
            "actions": n.actions,
            "libelle": libelle,
            "texte": "",
            "icone": "plus-actions",
            "gauche": False,
            "classe": "arbre-menu",
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
    return mark_safe("".join(dessin.morceaux))  # noqa: S308 - every part above is escaped
