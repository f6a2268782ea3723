"""The journal of a dossier: to read, with its proof, and to keep as a file."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Introuvable
from structures import exports

from .. import chronologie, journaux
from ..forms import FiltreJournal
from ..models import Evenement
from .espace import VueDossier, entier


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
    """« Exporter »: JSON lines, which ``manage.py verifier_journal`` verifies, or a table to read."""

    def get(self, request: HttpRequest, numero: int, forme: str) -> HttpResponseBase:
        nom = f"journal-dossier-{numero}"
        if forme == "csv":
            return exports.fichier("csv", self._table(), nom, "Journal")
        if forme != "jsonl":
            raise Introuvable("export_inconnu", "Cet export n’existe pas : exportez en JSON ou en CSV.")
        reponse = StreamingHttpResponse(
            journaux.lignes_du_fichier(self.dossier), content_type="application/x-ndjson; charset=utf-8"
        )
        reponse["Content-Disposition"] = f'attachment; filename="{nom}.jsonl"'
        return reponse

    def _table(self) -> Iterator[exports.Ligne]:
        yield ("Rang", "Date", "Événement", "Par", "Précisions", "Empreinte")
        evenements: list[Evenement] = list(self.dossier.evenements.select_related("acteur").order_by("rang"))
        lignes: list[dict[str, Any]] = chronologie.lignes_journal(self.dossier, evenements)
        for e, mots in zip(evenements, lignes, strict=True):
            le = timezone.localtime(e.le).strftime("%Y-%m-%d %H:%M:%S")
            yield (e.rang, le, mots["titre"], mots["qui"], mots["texte"], e.empreinte)
