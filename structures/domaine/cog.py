"""The codes of the COG (communes and départements)."""

from .texte import normaliser


def departement(commune: str) -> str:
    """The département of the COG code of a commune, "" for none: three characters overseas (97x, 98x), else two."""
    return commune[: 3 if commune.startswith(("97", "98")) else 2]


def departement_sql(colonne: str) -> str:
    """``departement``, in SQL."""
    return f"left({colonne}, CASE WHEN left({colonne}, 2) IN ('97', '98') THEN 3 ELSE 2 END)"


def texte_de_recherche(nom: str, departement_: str, codes_postaux: list[str]) -> str:
    """What a commune is found by."""
    return normaliser(f"{nom} {departement_} {' '.join(codes_postaux)}")[:200]
