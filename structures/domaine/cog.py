"""The codes of the COG (communes and départements)."""


def departement(commune: str) -> str:
    """The département of the COG code of a commune, "" for none: three characters overseas (97x, 98x), else two."""
    return commune[: 3 if commune.startswith(("97", "98")) else 2]


def departement_sql(colonne: str) -> str:
    """``departement``, in SQL."""
    return f"left({colonne}, CASE WHEN left({colonne}, 2) IN ('97', '98') THEN 3 ELSE 2 END)"
