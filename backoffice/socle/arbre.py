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


_CHAMPS = {c: None for c in Noeud.__slots__}


def _lire(noeud: Any) -> Noeud:
    """Accept a dict or any object with some of the names of ``Noeud``."""
    if isinstance(noeud, Noeud):
        return noeud
    if isinstance(noeud, Mapping):
        valeurs = {c: noeud[c] for c in _CHAMPS if c in noeud}
    else:
        valeurs = {c: getattr(noeud, c) for c in _CHAMPS if hasattr(noeud, c)}
    return Noeud(**valeurs)


def rendre(noeuds: Iterable[Any], request: Any = None) -> SafeString:
    """The ``<li>`` of the nodes and of what hangs under them.

    Written in Python because 3,000 fiches through the template engine take a second.
    """
    from .templatetags.ror import badge_etat, icone

    chevron, trois_points = icone("chevron-droite"), icone("plus-actions")
    badges: dict[str, str] = {}
    morceaux: list[str] = []
    jeton = get_token(request) if request is not None else ""

    def menu(n: Noeud) -> str:
        nom = f"Actions sur {n.libelle}"
        if n.menu_url:
            return format_html(
                '<details class="deroulant arbre-menu" data-ror-deroulant><summary class="bouton bouton-discret bouton-icone"'
                ' aria-label="{}" title="{}" hx-get="{}" hx-target="next .deroulant-panneau" hx-trigger="click once">{}</summary>'
                '<div class="deroulant-panneau"><a class="deroulant-ligne" href="{}">{}</a></div></details>',
                nom, nom, n.menu_url, trois_points, n.menu_url, nom,
            )
        gabarit = get_template("socle/_menu_actions.html").template  # type: ignore[attr-defined]
        return gabarit.render(
            Context(
                {
                    "actions": n.actions, "libelle": nom, "texte": "", "icone": "plus-actions",
                    "gauche": False, "classe": "arbre-menu", "csrf_token": jeton,
                }
            )
        )

    def ecrire(brut: Any, profondeur: int) -> None:
        n = _lire(brut)
        libelle = conditional_escape(n.libelle)
        classes = "arbre-ligne" + (" arbre-actif" if n.actif else "") + (" arbre-supprime" if n.supprime else "")
        morceaux.append(f'<li class="arbre-noeud{"" if n.ouvert or not n.enfants else " arbre-ferme"}">')
        morceaux.append(f'<div class="{classes}" data-arbre-ligne>')
        if n.enfants:
            morceaux.append(
                f'<button type="button" class="arbre-bascule" aria-expanded="{"true" if n.ouvert else "false"}"'
                f' aria-label="Déplier {libelle}">{chevron}</button>'
            )
        else:
            morceaux.append('<span class="arbre-bascule-vide"></span>')
        niveau = conditional_escape(n.niveau)
        morceaux.append(f'<abbr class="niveau niveau-{niveau}" title="{NIVEAUX.get(n.niveau, niveau)}">{niveau}</abbr>')
        nom = f"<s>{libelle}</s>" if n.supprime else str(libelle)
        if n.url:
            attrs = "".join(f' {conditional_escape(k)}="{conditional_escape(v)}"' for k, v in n.attrs.items())
            courant = ' aria-current="true"' if n.actif else ""
            nom = f'<a class="arbre-nom" href="{conditional_escape(n.url)}"{courant}{attrs}>{nom}</a>'
        else:
            nom = f'<span class="arbre-nom" tabindex="-1">{nom}</span>'
        morceaux.append(nom)
        if n.note:
            morceaux.append(f'<span class="arbre-note">{conditional_escape(n.note)}</span>')
        if n.etats:
            morceaux.append('<span class="arbre-etats">')
            for etat in n.etats:
                if etat not in badges:
                    badges[etat] = str(badge_etat(etat))
                morceaux.append(badges[etat])
            morceaux.append("</span>")
        if n.actions or n.menu_url:
            morceaux.append(menu(n))
        morceaux.append("</div>")
        if n.enfants:
            morceaux.append("<ul>")
            for enfant in n.enfants:
                ecrire(enfant, profondeur + 1)
            morceaux.append("</ul>")
        morceaux.append("</li>")

    for noeud in noeuds:
        ecrire(noeud, 1)
    return mark_safe("".join(morceaux))  # noqa: S308 - every part above is escaped
