"""Embedded PostgreSQL and Valkey, and the supervisor behind ``make run`` (docs/adr/0001). Knows nothing of Django."""

from .assurance import assurer
from .panne import Panne

__all__ = ["Panne", "assurer"]
