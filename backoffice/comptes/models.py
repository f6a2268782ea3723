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
    email = models.EmailField("adresse électronique")  # type: ignore[misc]
    doit_changer_mot_de_passe = models.BooleanField("mot de passe provisoire", default=False)

    objects = GestionnaireUser()  # type: ignore[misc]

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


class TentativeConnexion(models.Model):
    """One failed (or running) login, kept only to count: see ``limites``.

    The identifier is a keyed hash: people type their password in the wrong field, and it must not be readable here.
    """

    empreinte = models.CharField("empreinte de l’identifiant", max_length=64)
    adresse = models.GenericIPAddressField("adresse", null=True)
    le = models.DateTimeField("le")

    class Meta:
        verbose_name = "tentative de connexion"
        verbose_name_plural = "tentatives de connexion"
        indexes = [
            models.Index(fields=["empreinte", "le"], name="tentative_empreinte_le"),
            models.Index(fields=["adresse", "le"], name="tentative_adresse_le"),
            models.Index(fields=["le"], name="tentative_le"),
        ]

    def __str__(self) -> str:
        return f"{self.adresse} {self.le:%Y-%m-%d %H:%M:%S}"
