"""Directories for copies of the product."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import banc


@pytest.fixture
def var() -> Iterator[Path]:
    """A VAR_DIR that every account can walk into, as on a machine where it was well chosen."""
    racine = Path(tempfile.mkdtemp(prefix="ror-var-", dir="/tmp"))
    racine.chmod(0o755)
    yield from _rendre(racine / "var")
    shutil.rmtree(racine)


@pytest.fixture
def var_fermee(tmp_path: Path) -> Iterator[Path]:
    """A VAR_DIR below a directory closed to others: /root, for one."""
    tmp_path.chmod(0o700)
    yield from _rendre(tmp_path / "var")


def _rendre(var: Path) -> Iterator[Path]:
    yield var
    banc.jusqu_a(lambda: not banc.serveurs(var))
    for reste in banc.serveurs(var):  # a test failed half-way
        os.kill(reste, signal.SIGKILL)
    ailleurs = (var / "serveurs").resolve()
    if (var / "serveurs").is_symlink():
        shutil.rmtree(ailleurs)
