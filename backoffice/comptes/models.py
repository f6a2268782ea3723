"""Accounts. A person is never deleted: an account is deactivated (docs/architecture.md)."""

import pghistory
import pgtrigger
from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import models
from django.db.models.functions import Lower
from django.db.models.lookups import Exact


class GestionnaireUser(UserManager["User"]):
    """The login looks an identifier up without its case: a telephone capitalises the first letter by itself."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(Exact(Lower("username"), (username or "").strip().lower()))


@pghistory.track(exclude=["password", "last_login"])
class User(AbstractUser):
    """A person who signs in with an identifier such as ``referent.hopital``.

    ``doit_changer_mot_de_passe`` is true after the opening of the account: the provisional password
    opens one page only, the one that replaces it (acceptance 9 and 11).
    """

    username = models.CharField(
        "identifiant",
        max_length=150,
        unique=True,
        validators=[UnicodeUsernameValidator()],
        error_messages={"unique": "Un compte porte déjà cet identifiant."},
        help_text="Lettres, chiffres et @ . + - _ uniquement.",
    )
    email = models.EmailField("adresse électronique")
    doit_changer_mot_de_passe = models.BooleanField("mot de passe provisoire", default=False)

    objects = GestionnaireUser()

    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(
                Lower("username"),
                name="identifiant_unique_sans_casse",
                violation_error_message="Un compte porte déjà cet identifiant.",
            )
        ]
        triggers = [pgtrigger.Protect(name="jamais_supprime", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.get_full_name() or self.username
