"""The register at national size: whole requests beside the bare SQL of the same question, in the same run.

    python -m benchmarks.registre [words of a title…]      all questions, or those whose title holds a word

Each request is different; all go through the middleware, the view and the templates, logged in. Before each one its
bare SQL runs twice, timed the second time, so that both find the same pages in memory.
"""

import statistics
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .mesure import mesurer, tableau
from .national import cluster_national, tailles

if TYPE_CHECKING:
    from django.test import Client

    from .questions import Question

PLAFOND_MS, RATIO_SQL, RATIO_JOUR = 100, 2.0, 1.3


@dataclass(slots=True)
class Releve:
    """Milliseconds of the requests, of which in Python (processor time), and of their bare SQL; statements, bytes."""

    requetes: list[float]
    python: list[float]
    sql: list[float]
    instructions: set[int]
    octets: list[int]


def p(valeurs: list[float], rang: int) -> float:
    return statistics.quantiles(valeurs, n=100, method="inclusive")[rang - 1] if len(valeurs) > 1 else valeurs[0]


def relever(question: "Question", client: "Client") -> Releve:
    from django.db import connection

    releve = Releve([], [], [], set(), [])
    for _ in range(2):
        client.get(question.demande(question.cas[0])[0])
    for cas in question.cas:
        adresse, nues = question.demande(cas)
        with connection.cursor() as curseur:
            for essai in range(2):
                debut = time.perf_counter()
                for sql, parametres in nues:
                    curseur.execute(sql, parametres)
                    curseur.fetchall()
                if essai:
                    releve.sql.append((time.perf_counter() - debut) * 1000)
        with mesurer() as mesure:
            debut, calcul = time.perf_counter(), time.process_time()
            reponse = client.get(adresse)
            releve.requetes.append((time.perf_counter() - debut) * 1000)
            releve.python.append((time.process_time() - calcul) * 1000)
        if reponse.status_code != 200:
            raise AssertionError(f"{adresse}: {reponse.status_code}")
        releve.instructions.add(mesure.instructions)
        releve.octets.append(len(reponse.content))
    return releve


def ligne(question: "Question", releve: Releve, aujourdhui: float | None) -> list[str]:
    entier, nu = p(releve.requetes, 95), p(releve.sql, 95)
    manques = [f"> {PLAFOND_MS} ms"] * (entier > PLAFOND_MS) + [f"> {RATIO_SQL:g}x SQL"] * (entier > RATIO_SQL * nu)
    manques += [f"> {RATIO_JOUR:g}x today"] * (aujourdhui is not None and entier > RATIO_JOUR * aujourdhui)
    return [
        question.titre,
        f"{statistics.median(releve.requetes):.0f}",
        f"{entier:.0f}",
        f"{statistics.median(releve.python):.0f}",
        f"{statistics.median(releve.sql):.1f}",
        f"{nu:.1f}",
        f"{entier / nu:.1f}",
        f"{entier / aujourdhui:.2f}" if aujourdhui else "",
        "-".join(str(n) for n in sorted({min(releve.instructions), max(releve.instructions)})),
        f"{statistics.median(releve.octets) / 1024:.0f}",
        "met" if not manques else "missed: " + ", ".join(manques),
    ]


def mesurer_registre(mots: list[str]) -> None:
    from django.db import connection
    from django.test import Client

    from backoffice.comptes.models import User

    from .questions import questions

    with connection.cursor() as curseur:  # a new index is read without the rows once they are known to be old
        curseur.execute("VACUUM (ANALYZE)")
    clients = {}
    for gestionnaire, nom in ((True, "auteur0"), (False, "referent0")):
        clients[gestionnaire] = Client()
        clients[gestionnaire].force_login(User.objects.get(username=nom))
    lignes, mesures = [], dict[str, float]()
    for question in questions():
        if mots and not any(mot in question.titre for mot in mots):
            continue
        releve = relever(question, clients[question.gestionnaire])
        mesures[question.titre] = p(releve.requetes, 95)
        lignes.append(ligne(question, releve, mesures.get(question.comme)))
        print("  ".join(lignes[-1]), file=sys.stderr)
    tableau("The register of national size", ["table", "rows", "size", "indexes"], tailles())
    tableau(
        f"Whole requests at national size (goal: p95 <= {PLAFOND_MS} ms and {RATIO_SQL:g}x the bare SQL, "
        f"another day <= {RATIO_JOUR:g}x today)",
        [
            "question",
            "p50 ms",
            "p95 ms",
            "Python",
            "SQL p50",
            "SQL p95",
            "p95 / SQL",
            "/ today",
            "statements",
            "KB",
            "goal",
        ],
        lignes,
    )


if __name__ == "__main__":
    with cluster_national():
        mesurer_registre(sys.argv[1:])
