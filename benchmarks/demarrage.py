"""Warm start of ``make run``: seconds from the command to the first page, on a VAR_DIR that has its data."""

import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from .mesure import tableau


def _demarrer(var: str) -> float:
    with socket.create_server(("127.0.0.1", 0)) as libre:
        port = libre.getsockname()[1]
    environ = {
        c: v for c, v in os.environ.items() if c not in ("DATABASE_URL", "BROKER_URL", "ROR_TESTS", "SECRET_KEY")
    }
    debut = time.perf_counter()
    with subprocess.Popen(
        ["make", "run"], env={**environ, "VAR_DIR": var, "PORT": str(port)}, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    ) as copie:  # fmt: skip
        try:
            while time.perf_counter() - debut < 180:
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/connexion/", timeout=5):
                        return time.perf_counter() - debut
                except (urllib.error.URLError, OSError):
                    time.sleep(0.05)
            raise RuntimeError("make run did not answer within three minutes.")
        finally:
            os.killpg(copie.pid, signal.SIGINT)
            copie.wait(60)


def mesurer_demarrage() -> None:
    with tempfile.TemporaryDirectory(prefix="ror-bench-") as var:
        os.chmod(var, 0o755)
        froid = _demarrer(f"{var}/var")
        chauds = sorted(_demarrer(f"{var}/var") for _ in range(3))
    tableau(
        "Start of make run, to the first page",
        ["first (initdb, migrations, demo data)", "warm, median of 3"],
        [[f"{froid:.1f} s", f"{chauds[1]:.1f} s"]],
    )
