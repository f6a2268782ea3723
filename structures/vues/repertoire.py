"""The list of the répertoire (acceptance B)."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse

from backoffice.socle.vues import VueProtegee

from .. import regles, requetes
from ..enums import Niveau
from ..models import VersionFiche
from .communs import Jour, adresse_fiche, entier, fiche_ou_404, jour_demande, noeuds_affiches

LIMITE_DEROULEE = 5_000  # fiches unrolled at once on a list page


class RepertoireView(VueProtegee):
    """Establishments by name, FINESS or commune, under the name of their EJ; criteria live in the address."""

    def get(self, request: HttpRequest) -> HttpResponse:
        jour = jour_demande(request)
        q = request.GET.get("q", "").strip()[:200]
        mss = request.GET.get("mss") == "1"
        miennes_toutes = requetes.rechercher_egs(q, mss=True, jour=jour.jour).filter(
            fiche__in=regles.egs_de(request.user)
        )
        miennes = list(miennes_toutes.select_related("fiche")[:51])
        trop = len(miennes) > 50  # a whole EJ of establishments: they are found like the others
        if trop:
            miennes = []
        autres = requetes.rechercher_egs(q, mss=mss, jour=jour.jour).exclude(fiche__in=[v.fiche_id for v in miennes])
        page = requetes.page_egs(autres, apres=entier(request, "apres"), avant=entier(request, "avant"))
        total = autres.count()
        premiere = page.precedent is None
        blocs = _blocs([*(miennes if premiere else []), *page.lignes], jour, request.GET.getlist("derouler"))
        miens = {v.fiche_id for v in miennes}
        return render(
            request,
            "structures/repertoire.html",
            {
                "q": q,
                "mss": mss,
                "jour": jour,
                "total": total,
                "page": page,
                "miennes": _par_ej([b for b in blocs if b["eg"].fiche_id in miens]) if premiere else [],
                "nombre_miennes": len(miennes),
                "autres": _par_ej([b for b in blocs if b["eg"].fiche_id not in miens]),
                "ailleurs": _ailleurs(q, mss=mss, vide=not total, jour=jour),
                "deroulees": "page" in request.GET.getlist("derouler"),
                "criteres": bool(q or mss),
            },
        )


def _ailleurs(q: str, *, mss: bool, vide: bool, jour: Jour) -> int:
    """How many establishments the MSS box would add to an empty answer."""
    return requetes.rechercher_egs(q, mss=True, jour=jour.jour).count() if vide and not mss else 0


def _blocs(egs: list[VersionFiche], jour: Jour, derouler: list[str]) -> list[dict[str, Any]]:
    """What the list says of each establishment, with a constant number of statements."""
    cles = [v.fiche_id for v in egs]
    nombres = requetes.nombres_de_fiches(cles, jour.jour)
    noms_ej = requetes.noms_au({v.parent_id for v in egs if v.parent_id}, jour.jour)
    categories = requetes.options_de(("R66", v.categorie) for v in egs if v.categorie)
    communes = requetes.libelles_communes(v.commune for v in egs if v.commune)
    reservations = requetes.reservations_des(cles)
    demandees = [v.fiche_id for v in egs if "page" in derouler or v.fiche.identifiant in derouler]
    retenues, place = [], LIMITE_DEROULEE
    for cle in demandees:
        place -= nombres.get(cle, (0, 0))[1]
        if place >= 0:
            retenues.append(cle)
    arbres = requetes.arbres_des(retenues, jour.jour) if retenues else {}
    return [
        {
            "eg": v,
            "identifiant": v.fiche.identifiant,
            "url": adresse_fiche(v.fiche.identifiant, jour),
            "url_structures": reverse("fiche_structures", args=[v.fiche.identifiant]) + jour.suffixe,
            "ej": noms_ej.get(v.parent_id, ("", "Entité juridique inconnue")) if v.parent_id else ("", ""),
            "commune": communes.get(v.commune, ""),
            "categorie": categories["R66", v.categorie].libelle if ("R66", v.categorie) in categories else v.categorie,
            "uo": nombres.get(v.fiche_id, (0, 0))[0],
            "fiches": nombres.get(v.fiche_id, (0, 0))[1],
            "reservation": reservations.get(v.fiche_id),
            "noeuds": noeuds_affiches(arbres[v.fiche_id], jour)[0].enfants if v.fiche_id in arbres else None,
        }
        for v in egs
    ]


def _par_ej(blocs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Establishments under their EJ, in the order in which they come."""
    groupes: dict[Any, dict[str, Any]] = {}
    for bloc in blocs:
        identifiant, nom = bloc["ej"]
        groupe = groupes.setdefault(bloc["eg"].parent_id, {"nom": nom, "identifiant": identifiant, "egs": []})
        groupe["egs"].append(bloc)
    return list(groupes.values())


class StructuresView(VueProtegee):
    """The fiches of one establishment, unrolled in the list; a page of its own without JavaScript."""

    def get(self, request: HttpRequest, identifiant: str) -> HttpResponse:
        jour = jour_demande(request)
        fiche = fiche_ou_404(identifiant)
        racine = requetes.arbre(fiche, jour.jour) if fiche.niveau == Niveau.EG else None
        if racine is None:
            return HttpResponseRedirect(adresse_fiche(identifiant, jour))
        contexte = {"noeuds": noeuds_affiches(racine, jour)[0].enfants, "nom": racine.nom, "identifiant": identifiant}
        if getattr(request, "htmx", False):
            return render(request, "structures/_structures.html", contexte)
        return HttpResponseRedirect(
            f"{reverse('repertoire')}?{urlencode({'q': identifiant[1:], 'mss': 1, 'derouler': identifiant})}"
        )


class CommunesView(VueProtegee):
    """The choices of the commune picker: ``{"resultats": [{"code", "libelle"}]}``, from two letters on."""

    def get(self, request: HttpRequest) -> HttpResponse:
        q = request.GET.get("q", "").strip()[:100]
        trouvees = requetes.rechercher_communes(q) if len(q) >= 2 else []
        return JsonResponse({"resultats": [{"code": code, "libelle": nom} for code, nom in trouvees]})
