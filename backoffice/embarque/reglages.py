"""What the environment says, before Django is loaded. The same ``.env`` file as the settings."""

import os
from dataclasses import dataclass
from pathlib import Path

from dotenv import load_dotenv

from .panne import Panne

RACINE = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Reglages:
    var: Path
    hote: str
    port: int
    database_url: str
    broker_url: str


def lire() -> Reglages:
    """Read the environment; a sentence for a port that is none."""
    load_dotenv(RACINE / ".env")
    dit = os.environ.get("PORT") or "8000"
    if not dit.isdecimal() or not 0 < int(dit) < 65536:
        raise Panne(f"PORT is {dit!r}: set it to a number from 1 to 65535.")
    return Reglages(
        var=Path(os.environ.get("VAR_DIR") or RACINE / "var").expanduser().resolve(),
        hote=os.environ.get("HOST") or "127.0.0.1",
        port=int(dit),
        database_url=os.environ.get("DATABASE_URL", ""),
        broker_url=os.environ.get("BROKER_URL", ""),
    )
