"""The outbox: one row a mail, written in the transaction of the event, with exactly the text that leaves."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from . import registre


class EtatEnvoi(models.TextChoices):
    A_ENVOYER = "a_envoyer", "à envoyer"
    EN_COURS = "en_cours", "en cours d’envoi"
    ENVOYE = "envoye", "envoyé"
    ECHEC = "echec", "en échec"
    NON_EXPEDIE = "non_expedie", "conservé (aucun serveur de courriel configuré)"
    ANNULE = "annule", "annulé"


OUVERTS = (EtatEnvoi.A_ENVOYER, EtatEnvoi.EN_COURS)
REEXPEDIABLES = (EtatEnvoi.ECHEC, EtatEnvoi.NON_EXPEDIE)

# Stands in the stored text for a provisional password (see Envoi.secret).
MARQUE_SECRET = "•" * 12


class Envoi(models.Model):
    """A mail to one person.

    ``cle`` names the event and the person: a second insert of the same is ignored by the database.

    ``prochaine_tentative`` is when a worker may take the row: the next try of a waiting row, the end of the lease of
    a claimed one (its worker was killed). ``jeton`` names the claim: only its holder may send or mark.

    ``secret`` is a provisional password that the text shows as MARQUE_SECRET. It is put in at the moment of sending
    and erased in the statement that marks the mail sent, so « Envois » and the database keep none of a sent mail.
    A mail kept for want of a server keeps it, for the supervisor to hand over: see ``regles.peut_voir_secret``.
    """

    type_code = models.CharField("type", max_length=60)
    cle = models.CharField("clé", max_length=255, unique=True)
    destinataire = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="envois", verbose_name="destinataire"
    )
    adresse = models.EmailField("adresse")
    sujet = models.CharField("sujet", max_length=250)
    corps_texte = models.TextField("texte")
    corps_html = models.TextField("texte mis en forme")
    secret = models.CharField(max_length=60, blank=True, editable=False)
    etat = models.CharField("état", max_length=12, choices=EtatEnvoi.choices, default=EtatEnvoi.A_ENVOYER)
    cree_le = models.DateTimeField("créé le")
    tentatives = models.PositiveSmallIntegerField("tentatives", default=0)
    prochaine_tentative = models.DateTimeField("prochaine tentative", null=True, blank=True)
    reclame_le = models.DateTimeField("pris le", null=True, blank=True)
    jeton = models.UUIDField(null=True, blank=True, editable=False)
    envoye_le = models.DateTimeField("envoyé le", null=True, blank=True)
    erreur = models.TextField("dernière erreur", blank=True)
    reexpedie_par = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name="réexpédié par",
    )

    class Meta:
        verbose_name = "envoi"
        verbose_name_plural = "envois"
        indexes = [
            models.Index(fields=["prochaine_tentative", "id"], name="envoi_a_prendre", condition=Q(etat__in=OUVERTS)),
            models.Index(fields=["id"], name="envoi_en_echec", condition=Q(etat="echec")),
            models.Index(fields=["destinataire", "-id"], name="envoi_destinataire"),
        ]
        constraints = [
            models.CheckConstraint(name="envoi_etat_connu", condition=Q(etat__in=EtatEnvoi.values)),
            models.CheckConstraint(
                name="envoi_envoye_ssi_date",
                condition=Q(etat="envoye", envoye_le__isnull=False) | (~Q(etat="envoye") & Q(envoye_le__isnull=True)),
            ),
            models.CheckConstraint(
                name="envoi_pris_ssi_en_cours",
                condition=Q(etat="en_cours", reclame_le__isnull=False, jeton__isnull=False)
                | (~Q(etat="en_cours") & Q(reclame_le__isnull=True, jeton__isnull=True)),
            ),
            models.CheckConstraint(
                name="envoi_echeance_ssi_ouvert",
                condition=Q(etat__in=OUVERTS, prochaine_tentative__isnull=False)
                | (~Q(etat__in=OUVERTS) & Q(prochaine_tentative__isnull=True)),
            ),
            models.CheckConstraint(name="envoi_echec_explique", condition=~Q(etat="echec") | ~Q(erreur="")),
            models.CheckConstraint(
                name="envoi_secret_efface", condition=~Q(etat__in=["envoye", "annule"]) | Q(secret="")
            ),
        ]
        triggers = [
            # What « Envois » shows is what left. The address alone may be corrected before a new try.
            pgtrigger.ReadOnly(
                name="contenu_fige",
                fields=["type_code", "cle", "destinataire", "sujet", "corps_texte", "corps_html", "cree_le"],
            )
        ]

    def __str__(self) -> str:
        return f"{self.sujet} → {self.adresse}"

    @property
    def type_libelle(self) -> str:
        return registre.libelle_de(self.type_code)
