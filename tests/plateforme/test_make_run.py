"""``make run`` whole: from nothing to a page, through three violent deaths, to nothing."""

import os
import signal
import subprocess
import urllib.error
import urllib.request

import psutil
import pytest

from . import banc


def repond(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/connexion/", timeout=5) as page:
            return page.status == 200
    except urllib.error.HTTPError as erreur:
        erreur.close()
        return False
    except OSError:
        return False


def _comme_a_un_terminal() -> None:
    """Ctrl-C is heard, even when the tests themselves were started in the background of a shell, which ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Copie:
    """One running copy, started the way the README says."""

    def __init__(self, var, port: int) -> None:
        self.port = port
        self.var = var
        with (var.parent / "journal.txt").open("ab") as journal:
            self.make = subprocess.Popen(
                ["make", "run"],
                cwd=banc.RACINE,
                env=banc.environnement(var, PORT=str(port)),
                stdout=journal,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_comme_a_un_terminal,
            )
        assert banc.jusqu_a(lambda: repond(port) or self.make.poll() is not None, 90), self.dit()
        assert banc.jusqu_a(lambda: len(self.programmes("celery")) >= 4), self.dit()

    @property
    def superviseur(self) -> psutil.Process:
        (enfant,) = psutil.Process(self.make.pid).children()
        return enfant

    def tous(self) -> list[psutil.Process]:
        return [psutil.Process(self.make.pid), *psutil.Process(self.make.pid).children(recursive=True)]

    def programmes(self, mot: str) -> list[psutil.Process]:
        trouves = []
        for processus in self.tous():
            try:
                if mot in " ".join(processus.cmdline()):
                    trouves.append(processus)
            except psutil.Error:
                continue
        return trouves

    def dit(self) -> str:
        return (self.var.parent / "journal.txt").read_text(errors="replace")[-4000:]


def disparus(processus: list[psutil.Process]) -> bool:
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processus)


@pytest.mark.lent
@pytest.mark.timeout(300)
def test_make_run_demarre_se_releve_et_ne_laisse_rien(var):
    port = banc.port_libre()
    copie = Copie(var, port)

    # A command attaches to the running servers instead of starting its own.
    attachee = banc.commande(var)
    banc.dire(attachee)
    assert banc.finir(attachee) == 0
    assert (var / "verrou").read_text().startswith("make run ")

    # PostgreSQL, then web, then the worker are killed: each comes back.
    for mot in (f"{var}/serveurs/postgres-", "gunicorn", "celery"):
        victime = copie.programmes(mot)[0]
        victime.kill()
        assert banc.jusqu_a(lambda: copie.programmes(mot) and repond(port), 30), copie.dit()  # noqa: B023
        assert victime not in copie.programmes(mot)

    # The supervisor is killed: it takes everything with it, and the next start finds its data again.
    tous = copie.tous()
    copie.superviseur.kill()
    assert banc.jusqu_a(lambda: disparus(tous)), [p for p in tous if p.is_running()]
    copie.make.wait(10)

    copie = Copie(var, port)
    assert repond(port)
    tous = copie.tous()
    os.killpg(copie.make.pid, signal.SIGINT)  # what Ctrl-C does
    copie.make.wait(40)
    assert banc.jusqu_a(lambda: disparus(tous)), [p for p in tous if p.is_running()]
    assert banc.serveurs(var) == []
    assert "Ready in" in copie.dit()
