"""What the commune picker proposes."""

from django.http import HttpRequest, HttpResponse, JsonResponse

from backoffice.socle.vues import VueProtegee

from .. import communes, requetes


class CommunesView(VueProtegee):
    """``{"resultats": [{"code", "libelle"}]}`` from two letters on; with ``lots=1`` also the départements and EPCI
    that answer, with their communes: ``"lots": [{"libelle", "codes"}]``."""

    def get(self, request: HttpRequest) -> HttpResponse:
        q = request.GET.get("q", "").strip()[:100]
        trouvees = requetes.rechercher_communes(q) if len(q) >= 2 else []
        reponse: dict[str, object] = {"resultats": [{"code": code, "libelle": nom} for code, nom in trouvees]}
        if request.GET.get("lots") == "1":
            lots = communes.rechercher_lots(q) if len(q) >= 2 else []
            reponse["lots"] = [{"libelle": lot.libelle, "codes": lot.codes} for lot in lots]
        return JsonResponse(reponse)
