"""The words of the register, and the nearest of them to one that nobody wrote."""

from collections.abc import Collection
from dataclasses import replace
from itertools import islice, product
from string import ascii_lowercase

from django.db import connection, transaction

from backoffice.comptes.models import User

from ..models import Mot
from .criteres import Criteres
from .mots import libelles_cherches
from .requete import etablissements

LONGUEUR_MIN, LONGUEUR_MAX = 3, 40
PROCHES = 3  # spellings tried for one word
ESSAIS = 9  # combinations tried in all


@transaction.atomic
def rafraichir_vocabulaire() -> int:
    """Write again the table of words from the names of the register, its communes, départements and labels.

    Returns the number of words. Derived and tolerant: a word missing until the next run only goes uncorrected.
    """
    libelles = libelles_cherches(relire=True)
    textes = [texte for paires in libelles for _, texte in paires]
    with connection.cursor() as curseur:
        # One writer at a time; readers go on with the former words until the end.
        curseur.execute("LOCK TABLE structures_mot IN SHARE ROW EXCLUSIVE MODE")
        curseur.execute("DELETE FROM structures_mot")
        curseur.execute(
            """INSERT INTO structures_mot (mot, nombre)
               SELECT mot, count(*) FROM (
                   SELECT string_to_table(recherche, ' ') AS mot FROM structures_versionfiche
                   UNION ALL SELECT string_to_table(unnest(%s::text[]), ' ')
               ) AS mots
               WHERE mot ~ '^[a-z]+$' AND length(mot) BETWEEN %s AND %s GROUP BY mot""",
            [textes, LONGUEUR_MIN, LONGUEUR_MAX],
        )
        return int(curseur.rowcount)


def correction(criteres: Criteres, user: User) -> Criteres | None:
    """The same criteria with the nearest spelling of the words that nobody wrote, when it finds something.

    Meant for an empty answer. None when every word is known or nothing near finds an establishment. Three statements
    for any number of words, and one for each of the ``ESSAIS`` at most.
    """
    mots = criteres.mots
    connus = _connus(mots)
    if len(connus) == len(mots):
        return None
    proches = _proches([mot for mot in mots if mot not in connus])
    choix = [[mot] if mot in connus else proches[mot] for mot in mots]
    for essai in islice(product(*choix), ESSAIS):
        corriges = replace(criteres, q=" ".join(essai))
        if etablissements(corriges, user).order_by().exists():
            return corriges
    return None


def _connus(mots: tuple[str, ...]) -> set[str]:
    """The words that are somewhere in the register, or that no vocabulary can correct (numbers, initials)."""
    connus = {mot for mot in mots if not mot.isalpha() or len(mot) < LONGUEUR_MIN}
    with connection.cursor() as curseur:
        curseur.execute(
            """SELECT demande FROM unnest(%s::text[]) AS demande
               CROSS JOIN LATERAL (SELECT FROM structures_mot WHERE mot LIKE '%%' || demande || '%%' LIMIT 1) AS m""",
            [[mot for mot in mots if mot not in connus]],
        )
        return connus | {mot for (mot,) in curseur.fetchall()}


def _proches(mots: Collection[str]) -> dict[str, list[str]]:
    """By word, the most used ones at one letter's distance; failing those, the most alike by their trigrams."""
    voisins = {mot: _a_une_lettre(mot) for mot in mots}
    ecrits = Mot.objects.filter(mot__in=set().union(*voisins.values())).order_by("-nombre", "mot")
    connus = list(ecrits.values_list("mot", flat=True))
    proches = {mot: [connu for connu in connus if connu in voisins[mot]][:PROCHES] for mot in mots}
    with connection.cursor() as curseur:
        curseur.execute(
            """SELECT demande, m.mot FROM unnest(%s::text[]) AS demande
               CROSS JOIN LATERAL (SELECT mot, nombre FROM structures_mot WHERE mot %% demande
                                   ORDER BY similarity(mot, demande) DESC, nombre DESC, mot LIMIT %s) AS m
               ORDER BY demande, similarity(m.mot, demande) DESC, m.nombre DESC, m.mot""",
            [[mot for mot in mots if not proches[mot]], PROCHES],
        )
        for mot, semblable in curseur.fetchall():
            proches[mot].append(semblable)
    return proches


def _a_une_lettre(mot: str) -> set[str]:
    """Every spelling with one letter more, less, other, or two neighbours swapped."""
    coupes = [(mot[:i], mot[i:]) for i in range(len(mot) + 1)]
    return (
        {g + d[1:] for g, d in coupes if d}
        | {g + d[1] + d[0] + d[2:] for g, d in coupes if len(d) > 1}
        | {g + lettre + d[1:] for g, d in coupes if d for lettre in ascii_lowercase}
        | {g + lettre + d for g, d in coupes for lettre in ascii_lowercase}
    )
