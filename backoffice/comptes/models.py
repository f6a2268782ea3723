"""Accounts. A person is never deleted: an account is deactivated (docs/architecture.md)."""

import pghistory
import pgtrigger
from django.contrib.auth.models import AbstractUser
from django.db import models


@pghistory.track(exclude=["password", "last_login"])
class User(AbstractUser):
    """A person who signs in with an identifier such as ``referent.hopital``.

    ``doit_changer_mot_de_passe`` is true after the opening of the account: the provisional password
    opens one page only, the one that replaces it (acceptance 9 and 11).
    """

    email = models.EmailField("adresse électronique")
    doit_changer_mot_de_passe = models.BooleanField("mot de passe provisoire", default=False)

    class Meta(AbstractUser.Meta):
        triggers = [pgtrigger.Protect(name="jamais_supprime", operation=pgtrigger.Delete)]
