"""The flow drawn with the position of a dossier: an SVG for the page, the BPMN 2.0 to download.

Nodes and edges come from ``DossierFlow``; only their places on the drawing are written here. Timers are left out:
they are said in words beside the drawing. Colours are in ror/dossier.css, so that dark mode works.
"""

from collections.abc import Collection, Mapping
from functools import cache
from typing import NamedTuple

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from viewflow.workflow import Node, chart, flow

from backoffice.socle.mots import nombre as en_chiffres
from backoffice.socle.mots import pluriel
from structures.enums import Filiere

from .flows import DossierFlow
from .parcours import Parcours

LARGEUR, HAUTEUR = 1180, 312
BOITE = (120, 52)
LOSANGE = 15
ROND = 12


class Place(NamedTuple):
    x: int
    y: int


PLACES: dict[str, Place] = {
    "creation": Place(24, 146),
    "redaction": Place(108, 146),
    "suite_redaction": Place(196, 146),
    "envoi": Place(284, 146),
    "suite_envoi": Place(372, 146),
    "validation_direction": Place(482, 66),
    "suite_direction": Place(570, 66),
    "affectation_tutelle": Place(482, 226),
    "suite_affectation": Place(570, 226),
    "tutelles": Place(638, 226),
    "approbation_sesan": Place(740, 146),
    "suite_sesan": Place(868, 146),
    "approbation_tutelle": Place(740, 226),
    "accord_tutelles": Place(826, 226),
    "suite_tutelle": Place(908, 226),
    "publication": Place(1010, 146),
    "publie": Place(1130, 146),
    "refuse": Place(1130, 274),
    "abandonne": Place(284, 254),
}

# Bends of the edges that are not one straight or one broken line: (points between the two ends), ends included.
_HAUT, _BAS = 22, 298
_DETOURS: dict[tuple[str, str], list[tuple[int, int]]] = {
    ("suite_envoi", "redaction"): [(372, 131), (372, _HAUT), (108, _HAUT), (108, 120)],
    ("suite_direction", "redaction"): [(570, 51), (570, _HAUT), (108, _HAUT), (108, 120)],
    ("suite_sesan", "redaction"): [(868, 131), (868, _HAUT), (108, _HAUT), (108, 120)],
    ("suite_tutelle", "redaction"): [(908, 211), (908, _HAUT), (108, _HAUT), (108, 120)],
    ("suite_affectation", "redaction"): [(570, 241), (570, _BAS), (108, _BAS), (108, 172)],
    ("suite_redaction", "abandonne"): [(196, 161), (196, 254), (272, 254)],
    ("suite_envoi", "abandonne"): [(372, 161), (372, 254), (296, 254)],
    ("suite_envoi", "validation_direction"): [(372, 131), (372, 66), (422, 66)],
    ("suite_envoi", "affectation_tutelle"): [(372, 161), (372, 226), (422, 226)],
    ("suite_envoi", "tutelles"): [(372, 161), (372, 274), (638, 274), (638, 241)],
    ("suite_direction", "approbation_sesan"): [(585, 66), (740, 66), (740, 120)],
    ("suite_sesan", "refuse"): [(868, 161), (868, 274), (1118, 274)],
    ("suite_tutelle", "refuse"): [(908, 241), (908, 274), (1118, 274)],
    ("suite_tutelle", "publication"): [(923, 226), (1010, 226), (1010, 172)],
}

# Words on the drawing: (x, y, text).
_MOTS = (
    (375, 59, "sanitaire"),
    (392, 140, "autre filière"),
    (375, 219, "handicap"),
    (390, 288, "handicap, tutelle connue"),
    (600, 16, "renvoi pour correction, retrait ou reprise"),
    (120, 310, "retrait"),
    (884, 140, "approuvé"),
    (930, 268, "refusé"),
)


def noeuds_dessines() -> list[Node]:
    """Nodes of the flow but its timers and what they start."""
    caches = {"rappel", "escalade", "recours", "rappel_envoye"}
    return [
        n for n in DossierFlow.instance.nodes() if n.name not in caches and getattr(n, "_attached_to", None) is None
    ]


def aretes() -> list[tuple[str, str]]:
    """(source, target) between the nodes drawn, each once, in a stable order."""
    noms = {n.name for n in noeuds_dessines()}
    return sorted({(n.name, a.dst.name) for n in noeuds_dessines() for a in n._outgoing() if a.dst.name in noms})


@cache
def bpmn() -> str:
    """The BPMN 2.0 of the flow: the same as ``manage.py flowexport … --format bpmn``."""
    grille = chart.calc_layout_data(DossierFlow, edge_start_gap_size=0, edge_end_gap_size=0)
    return str(chart.grid_to_bpmn(grille))


def hors_parcours(parcours: Parcours) -> set[str]:
    """Nodes that a dossier of this route does not go through."""
    handicap = {"affectation_tutelle", "suite_affectation", "tutelles", "approbation_tutelle", "accord_tutelles"}
    hors: set[str] = set()
    if parcours.filiere != Filiere.SANITAIRE:
        hors |= {"validation_direction", "suite_direction"}
    if parcours.filiere == Filiere.HANDICAP:
        hors |= {"approbation_sesan", "suite_sesan"}
    else:
        hors |= {*handicap, "suite_tutelle"}
    if "affectation_tutelle" not in parcours.noeuds:
        hors |= {"affectation_tutelle", "suite_affectation"}
    return hors


class Chiffres(NamedTuple):
    """What is written at a step: how many dossiers and how many late, each a link, and words on how long it takes."""

    dossiers: int
    retards: int
    duree: str
    url: str
    url_retards: str


def dessin_charge(chiffres: Mapping[str, Chiffres], description: str) -> SafeString:
    """The drawing with the figures of the human steps; its links can be reached one by one."""
    traits = format_html_join(
        "", '<path class="schema-trait" d="{}"/>', ((_chemin(depart, arrivee),) for depart, arrivee in aretes())
    )
    formes = format_html_join("", "{}", ((_forme(n, "vide"),) for n in noeuds_dessines()))
    mots = format_html_join("", '<text class="schema-mot" x="{}" y="{}">{}</text>', _MOTS)
    pastilles = format_html_join("", "{}", ((_pastilles(nom, c),) for nom, c in chiffres.items()))
    return _cadre("group", "Dossiers ouverts à chaque étape", description, traits + formes + mots + pastilles)


def _pastilles(nom: str, c: Chiffres) -> SafeString:
    x, y = PLACES[nom]
    haut, bas = y - BOITE[1] // 2, y + BOITE[1] // 2
    duree = format_html('<text class="schema-duree" x="{}" y="{}">{}</text>', x, bas + 15, c.duree)
    titre = DossierFlow.instance.node(nom).task_title
    mots = [
        (nombre, url, f"{en_chiffres(nombre)} {mot}".strip(), classe)
        for nombre, url, mot, classe in (
            (c.dossiers, c.url, "", ""),
            (c.retards, c.url_retards, "en retard", " schema-pastille-retard"),
        )
        if nombre
    ]
    gauche = x - sum(_large(texte) + 4 for _, _, texte, _ in mots) // 2
    trouvees = []
    for nombre, url, texte, classe in mots:
        largeur = _large(texte)
        trouvees.append(
            format_html(
                '<a href="{}" aria-label="{}"><g class="schema-pastille{}"><rect x="{}" y="{}" width="{}" height="30"'
                ' rx="15"/><text x="{}" y="{}">{}</text></g></a>',
                url, f"{titre} : {texte} (dossier{pluriel(nombre)})", classe, gauche, haut - 24, largeur,
                gauche + largeur // 2, haut - 4, texte,
            )
        )  # fmt: skip
        gauche += largeur + 4
    return duree + format_html_join("", "{}", ((p,) for p in trouvees))


def _large(texte: str) -> int:
    return 20 + 7 * len(texte)


def dessin(parcours: Parcours, ici: str, faits: Collection[str], description: str) -> SafeString:
    """The drawing. ``ici``: the node where the dossier stands, ``faits``: those it went through."""
    hors = hors_parcours(parcours)

    def etat(nom: str) -> str:
        return "ici" if nom == ici else "fait" if nom in faits else "hors" if nom in hors else "a-venir"

    traits = format_html_join(
        "",
        '<path class="schema-trait{}" d="{}"/>',
        (
            (
                " schema-trait-hors" if {depart, arrivee} & hors or "abandonne" == arrivee != ici else "",
                _chemin(depart, arrivee),
            )
            for depart, arrivee in sorted(aretes(), key=lambda a: not ({*a} & hors))
        ),
    )
    formes = format_html_join("", "{}", ((_forme(n, etat(n.name)),) for n in noeuds_dessines()))
    mots = format_html_join("", '<text class="schema-mot" x="{}" y="{}">{}</text>', _MOTS)
    return _cadre("img", "Circuit du dossier", description, traits + formes + mots)


def _cadre(role: str, titre: str, description: str, contenu: SafeString) -> SafeString:
    return format_html(
        '<svg class="schema" viewBox="0 0 {} {}" role="{}" aria-labelledby="schema-titre schema-texte">'
        '<title id="schema-titre">{}</title><desc id="schema-texte">{}</desc>'
        '<defs><marker id="schema-pointe" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
        ' orient="auto-start-reverse"><path class="schema-pointe" d="M0 0 8 4 0 8z"/></marker></defs>{}</svg>',
        LARGEUR, HAUTEUR, role, titre, description, contenu,
    )  # fmt: skip


def _genre(noeud: Node) -> str:
    if isinstance(noeud, flow.End):
        return "fin"
    if isinstance(noeud, flow.StartHandle):
        return "debut"
    if isinstance(noeud, flow.Function):
        return "automatique"
    return "humaine" if isinstance(noeud, flow.View) else "aiguillage"


def _bord(nom: str, vers_la_droite: bool) -> tuple[int, int]:
    x, y = PLACES[nom]
    genre = _genre(DossierFlow.instance.node(nom))
    ecart = {"fin": ROND, "debut": ROND, "aiguillage": LOSANGE}.get(genre, BOITE[0] // 2)
    return (x + ecart, y) if vers_la_droite else (x - ecart, y)


def _chemin(depart: str, arrivee: str) -> str:
    points = _DETOURS.get((depart, arrivee)) or [_bord(depart, True), _bord(arrivee, False)]
    return "M" + " L".join(f"{x} {y}" for x, y in points)


def _forme(noeud: Node, etat: str) -> SafeString:
    x, y = PLACES[noeud.name]
    genre = _genre(noeud)
    classe = f"schema-{genre} schema-{etat}"
    match genre:
        case "debut" | "fin":
            forme = format_html('<circle cx="{}" cy="{}" r="{}"/>', x, y, ROND)
            if etat == "fait":
                classe, etat = f"schema-{genre} schema-fait", ""
            sous = format_html(
                '<text x="{}" y="{}">{}</text>', x, y + ROND + 14, "Début" if genre == "debut" else noeud.task_title
            )
            return format_html('<g class="{}">{}{}{}</g>', classe, forme, sous, _repere(x, y - ROND - 12, etat))
        case "aiguillage":
            d = LOSANGE
            signe = {"tutelles": "+", "accord_tutelles": "∗"}.get(noeud.name, "×")
            return format_html(
                '<g class="{}"><path d="M{} {}l{} {} {} {} {} {}z"/><text x="{}" y="{}">{}</text></g>',
                classe, x - d, y, d, -d, d, d, -d, d, x, y + 5, signe,
            )  # fmt: skip
    largeur, hauteur = BOITE
    boite = format_html(
        '<rect x="{}" y="{}" width="{}" height="{}" rx="8"/>', x - largeur // 2, y - hauteur // 2, largeur, hauteur
    )
    lignes = _couper(str(noeud.task_title))
    haut = y + 4 - 8 * (len(lignes) - 1)
    texte = format_html_join(
        "", '<text x="{}" y="{}">{}</text>', ((x, haut + 16 * i, ligne) for i, ligne in enumerate(lignes))
    )
    return format_html('<g class="{}">{}{}{}</g>', classe, boite, texte, _repere(x, y - hauteur // 2, etat))


def _repere(x: int, y: int, etat: str) -> SafeString:
    """« ici » over the current step, a check over those done: never the colour alone."""
    if etat == "ici":
        return format_html(
            '<g class="schema-repere"><rect x="{}" y="{}" width="38" height="19" rx="9.5"/>'
            '<text x="{}" y="{}">ici</text></g>',
            x - 19, y - 10, x, y + 4,
        )  # fmt: skip
    if etat == "fait":
        return format_html(
            '<g class="schema-coche"><circle cx="{}" cy="{}" r="9"/><path d="M{} {}l3 3 6-6"/></g>',
            x + 52, y, x + 48, y,
        )  # fmt: skip
    return mark_safe("")


def _couper(titre: str, longueur: int = 16) -> list[str]:
    lignes = [""]
    for mot in titre.split():
        if lignes[-1] and len(lignes[-1]) + 1 + len(mot) > longueur:
            lignes.append(mot)
        else:
            lignes[-1] = f"{lignes[-1]} {mot}".strip()
    return lignes
