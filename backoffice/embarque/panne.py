"""What stops the product from starting, in one sentence that says what to do."""

import errno


class Panne(Exception):
    """Shown to the operator as it is, without a traceback; the process then ends with status 1."""


def panne_de(erreur: OSError) -> Panne:
    """The sentence for a refusal of the operating system."""
    lieu = f" ({erreur.filename})" if erreur.filename else ""
    if erreur.errno in (errno.ENOSPC, errno.EDQUOT):
        return Panne(f"The disk is full{lieu}: free some space, or set VAR_DIR to a directory on another disk.")
    if erreur.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Panne(f"Not allowed to write{lieu}: give this account the right, or set VAR_DIR to another directory.")
    return Panne(f"The operating system refused{lieu}: {erreur.strerror}.")
