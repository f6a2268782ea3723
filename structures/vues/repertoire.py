"""The list of the répertoire (acceptance B)."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any, cast
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django_htmx.http import push_url, trigger_client_event

from backoffice.comptes.models import User
from backoffice.socle.mots import nombre, pluriel
from backoffice.socle.vues import VueProtegee, entier, veut_fragment

from .. import recherche, requetes
from ..enums import Niveau
from ..liste import PLAFOND, Liste, chercher, compter_chacune
from ..models import RechercheEnregistree, VersionFiche
from ..recherche import Criteres
from ..recherche.requete import Offre
from .communs import Jour, adresse_fiche, fiche_ou_404, jour_demande, noeuds_affiches
from .criteres import Puce, demande, panneau, puces
from .export import CONTENUS
from .personnel import RechercheForm, adresse_recherche, etoile, favoris_parmi, recherches_de, vus_recemment

LIMITE_DEROULEE = 5_000  # fiches unrolled at once on a list page
LIMITE_MIENNES = 50  # of one's own establishments, shown before « Afficher tous mes établissements »
OFFRES_MONTREES = 5
CRITERES_A_RETIRER = 5


class RepertoireView(VueProtegee):
    """Establishments under the name of their EJ; everything that is asked lives in the address.

    Without any parameter the person's default search applies. An htmx request gets the results alone.
    """

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        user = cast(User, request.user)
        if not request.GET:
            defaut = RechercheEnregistree.objects.filter(user=user, par_defaut=True).first()
            if defaut is not None:
                return HttpResponseRedirect(adresse_recherche(defaut.criteres))
        jour, criteres, erreurs = demande(request)
        contexte = resultats(request, jour, criteres)
        if veut_fragment(request):
            reponse = render(request, "structures/_resultats.html", contexte)
            push_url(reponse, adresse_recherche(criteres.requete()))
            return trigger_client_event(reponse, "ror-resultats", after="settle")
        contexte |= panneau(request, criteres, erreurs)
        contexte["vus"] = [] if criteres.q else vus_recemment(request)
        return render(request, "structures/repertoire.html", contexte)


def resultats(request: HttpRequest, jour: Jour, criteres: Criteres) -> dict[str, Any]:
    """What ``structures/_resultats.html`` shows, with a number of statements that does not depend on the answer."""
    user = cast(User, request.user)
    liste = chercher(criteres, user)
    criteres = liste.criteres
    apres, avant = entier(request.GET.get("apres")), entier(request.GET.get("avant"))
    page = recherche.page(criteres, user, apres=apres, avant=avant, sauf=liste.cles)
    montrees = liste.miennes if request.GET.get("miens") == "tous" else liste.miennes[:LIMITE_MIENNES]
    if page.precedent is not None:
        montrees = []
    blocs = _blocs(request, [*montrees, *page.lignes], jour, criteres)
    actives = puces(criteres)
    base = criteres.requete()
    recherches = recherches_de(user)
    return {
        "jour": jour,
        "liste": liste,
        "nombre_en_mots": _en_mots(liste),
        "page": page,
        "puces": actives,
        "miennes": _par_ej(blocs[: len(montrees)]),
        "encore_miennes": bool(montrees) and len(montrees) < len(liste.miennes),
        "autres": _par_ej(blocs[len(montrees) :]),
        "base": base or "q=",
        "position": f"&apres={apres}" if apres else f"&avant={avant}" if avant else "",
        "deroulees": "page" in request.GET.getlist("derouler"),
        "effacer": f"?{Criteres(jour=criteres.jour).requete() or 'q='}",
        "issues": [] if liste.total else _issues(criteres, actives, user),
        "recherches": [(r, adresse_recherche(r.criteres, jour)) for r in recherches],
        "defaut": next((r for r in recherches if r.par_defaut and r.criteres == _sans_jour(criteres)), None),
        "form_recherche": RechercheForm(nouvelle=True),
        "a_enregistrer": _sans_jour(criteres),
        "contenus": CONTENUS,
    }


def _en_mots(liste: Liste) -> str:
    if not liste.comptee:
        return f"Plus de {nombre(liste.total - 1)} établissements"
    return f"{nombre(liste.total)} établissement{pluriel(liste.total)}"


def _sans_jour(criteres: Criteres) -> str:
    """The criteria as a saved search holds them."""
    return Criteres.requete(criteres, jour=Criteres().jour)


def _issues(criteres: Criteres, actives: list[Puce], user: User) -> list[tuple[str, str, str]]:
    """Where to look when nothing is found: (what to do, address, number of establishments there in words)."""
    essais = []
    if not criteres.mss and not criteres.champs:
        essais.append(("Ajouter le médico-social et le social", replace(criteres, mss=True)))
    if len(actives) > 1:
        essais += [(f"Retirer {p.libelle}", p.sans) for p in actives[:CRITERES_A_RETIRER]]
    comptes = compter_chacune([essai for _, essai in essais], user)
    return [
        (mots, f"?{essai.requete() or 'q='}", nombre(n) if n <= PLAFOND else f"plus de {nombre(PLAFOND)}")
        for (mots, essai), n in zip(essais, comptes, strict=True)
        if n
    ]


def _blocs(request: HttpRequest, egs: list[VersionFiche], jour: Jour, criteres: Criteres) -> list[dict[str, Any]]:
    """What the list says of each establishment, with a constant number of statements."""
    cles = [v.fiche_id for v in egs]
    nombres = requetes.nombres_de_fiches(cles, jour.jour)
    noms_ej = requetes.noms_au({v.parent_id for v in egs if v.parent_id}, jour.jour)
    categories = requetes.options_de(("R66", v.categorie) for v in egs if v.categorie)
    communes = requetes.libelles_communes(v.commune for v in egs if v.commune)
    reservations = requetes.reservations_des(cles)
    favorites = favoris_parmi(request, cles)
    offres = {cle: list[Offre]() for cle in cles} | recherche.offres(criteres, cles)
    arbres = _arbres(request.GET.getlist("derouler"), egs, nombres, jour)
    return [
        {
            "eg": v,
            "identifiant": v.fiche.identifiant,
            "url": adresse_fiche(v.fiche.identifiant, jour),
            "url_structures": reverse("fiche_structures", args=[v.fiche.identifiant]) + jour.suffixe,
            "ej": noms_ej.get(v.parent_id, ("", "Entité juridique inconnue")) if v.parent_id else ("", ""),
            "commune": communes.get(v.commune, ""),
            "categorie": categories["R66", v.categorie].libelle if ("R66", v.categorie) in categories else v.categorie,
            "nombres": nombres[v.fiche_id],
            "incompletes": _incompletes(nombres[v.fiche_id].incompletes),
            "reservation": reservations.get(v.fiche_id),
            "favori": etoile(v.fiche_id, v.fiche.identifiant, v.nom, favorite=v.fiche_id in favorites),
            "offres": [(o.nom, adresse_fiche(o.identifiant, jour)) for o in offres[v.fiche_id][:OFFRES_MONTREES]],
            "autres_offres": max(len(offres[v.fiche_id]) - OFFRES_MONTREES, 0),
            "noeuds": noeuds_affiches(arbres[v.fiche_id], jour)[0].enfants if v.fiche_id in arbres else None,
        }
        for v in egs
    ]


def _incompletes(combien: int) -> str:
    s = pluriel(combien)
    return f"{nombre(combien)} fiche{s} incomplète{s}" if combien else ""


def _arbres(
    derouler: Collection[str], egs: list[VersionFiche], nombres: dict[int, requetes.Nombres], jour: Jour
) -> dict[int, requetes.Noeud]:
    """The trees that the address asks to unroll, as many as a page can bear."""
    retenues, place = [], LIMITE_DEROULEE
    for v in egs:
        if "page" in derouler or v.fiche.identifiant in derouler:
            place -= nombres[v.fiche_id].fiches
            if place >= 0:
                retenues.append(v.fiche_id)
    return requetes.arbres_des(retenues, jour.jour) if retenues else {}


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
        if veut_fragment(request):
            return render(request, "structures/_structures.html", contexte)
        seule = Criteres(q=identifiant[1:], mss=True, jour=jour.jour).requete()
        return HttpResponseRedirect(f"{reverse('repertoire')}?{seule}&{urlencode({'derouler': identifiant})}")
