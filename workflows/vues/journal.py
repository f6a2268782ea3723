"""The journal of a dossier: to read, with its proof, and to keep as a file."""

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.vues import entier

from .. import chronologie, journaux
from ..forms import FiltreJournal
from .espace import VueDossier


class JournalView(VueDossier):
    """Everything that happened, the last first; 50 a page. The first page says whether the chain holds."""

    TAILLE = 50

    def get(self, request: HttpRequest, numero: int) -> HttpResponseBase:
        auteurs = User.objects.filter(pk__in=self.dossier.evenements.order_by().values("acteur"))
        filtre = FiltreJournal(request.GET, auteurs=auteurs.order_by("last_name", "first_name", "pk"))
        evenements = filtre.retenir(self.dossier.evenements.select_related("acteur").order_by("-pk"))
        avant = entier(request.GET.get("avant"))
        lus = list((evenements.filter(pk__lt=avant) if avant else evenements)[: self.TAILLE + 1])
        montres = lus[: self.TAILLE]
        contexte = {
            "espace": self.espace,
            "dossier": self.dossier,
            "fil": self.fil(("Journal", "")),
            "filtre": filtre,
            "evenements": chronologie.lignes_journal(self.dossier, montres),
            "suite": montres[-1].pk if len(lus) > self.TAILLE else None,
            "debut": not avant,
            "verification": None if avant else journaux.verifier(self.dossier),
            "maintenant": timezone.now(),
        }
        return render(request, "workflows/journal.html", contexte)


class ExporterJournalView(VueDossier):
    """The whole journal as JSON lines, which ``manage.py verifier_journal`` verifies."""

    def get(self, request: HttpRequest, numero: int) -> HttpResponseBase:
        reponse = StreamingHttpResponse(
            journaux.lignes_du_fichier(self.dossier), content_type="application/x-ndjson; charset=utf-8"
        )
        reponse["Content-Disposition"] = f'attachment; filename="journal-dossier-{numero}.jsonl"'
        return reponse
