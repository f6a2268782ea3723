"""Where the official files are that some tests try: beside the checkout, or where ROR_DONNEES says; none is in it."""

import os
from pathlib import Path

DONNEES = Path(os.environ.get("ROR_DONNEES", Path(__file__).parents[3] / "shared" / "data"))
