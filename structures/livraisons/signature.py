"""How a receiver knows that a delivery is ours, and of now (docs/webhooks.md).

``Ror-Signature: v1=<hex>``: HMAC-SHA256, by the secret of the subscription, of « timestamp.body ». While a former
secret is still accepted, one signature by each: the receiver changes his when he likes.

The secret is HMAC-SHA256 of the subscription's ``sel`` by SECRET_KEY: a copy of the database holds no secret. A new
SECRET_KEY changes every secret.
"""

import hashlib
import hmac
import secrets
from datetime import datetime

from django.utils.crypto import salted_hmac

from ..models import Abonnement


def nouveau_sel() -> str:
    return secrets.token_hex(16)


def secret_de(sel: str) -> str:
    """The 64 hexadecimal characters that the receiver keeps."""
    return salted_hmac("structures.livraisons", sel, algorithm="sha256").hexdigest()


def signer(secret: str, horodatage: int, corps: bytes) -> str:
    return hmac.new(secret.encode(), b"%d." % horodatage + corps, hashlib.sha256).hexdigest()


def signatures(abonnement: Abonnement, maintenant: datetime, corps: bytes) -> str:
    """The value of ``Ror-Signature``."""
    sels = [abonnement.sel]
    if abonnement.ancien_jusqu_a and maintenant < abonnement.ancien_jusqu_a:
        sels.append(abonnement.ancien_sel)
    horodatage = int(maintenant.timestamp())
    return ", ".join(f"v1={signer(secret_de(sel), horodatage, corps)}" for sel in sels)
