"""Wake a worker after a commit, without the request ever waiting for the broker.

The message only saves a few seconds: Celery beat sweeps the outbox anyway. So it is sent from a thread of its own
(a broker that is down costs 0.6 s to find out, one that does not answer much more), wake-ups that come meanwhile are
merged, and a failure is one line in the log.
"""

import logging
import os
import threading

from celery import current_app

logger = logging.getLogger(__name__)

TACHE = "notifications.expedier"
_demande = threading.Event()
_verrou = threading.Lock()
_fil: tuple[int, threading.Thread] | None = None


def _publier() -> None:
    # ``expires``: a backlog of wake-ups serves nobody when workers come back.
    current_app.tasks[TACHE].apply_async(retry=False, expires=60)


def _veiller() -> None:
    while True:
        _demande.wait()
        _demande.clear()
        try:
            _publier()
        except Exception as erreur:  # whatever the broker's library raises: the mail is in the database
            logger.warning("mail worker not woken, the sweep will do it: %s", erreur)


def reveiller() -> None:
    """Ask for a delivery run soon. Returns at once, never raises."""
    global _fil
    if current_app.conf.task_always_eager:
        try:
            _publier()
        except Exception as erreur:
            logger.warning("delivery failed: %s", erreur)
        return
    with _verrou:
        # After a fork the thread exists in the parent only.
        if _fil is None or _fil[0] != os.getpid() or not _fil[1].is_alive():
            fil = threading.Thread(target=_veiller, name="reveil-envois", daemon=True)
            fil.start()
            _fil = (os.getpid(), fil)
    _demande.set()
