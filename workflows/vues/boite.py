"""The inbox: tabs, filters in the address, columns of one's own, pages by key."""

from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers

from backoffice.comptes.models import User
from backoffice.socle.mots import plafonne
from backoffice.socle.vues import VueProtegee, entier
from structures.regles import signalements_a_traiter

from .. import boite, regles, requetes
from ..forms_taches import ONGLETS, FiltreTaches
from ..models import MiseDeCote
from .colonnes import cellules, colonnes_de
from .taches import lignes
from .vues_taches import preference_de, vues_de


class Taches(VueProtegee):
    """« Tâches ». The bare address shows the list that the person chose, the tasks to take else."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        user = cast(User, request.user)
        roles, preference = regles.roles_de(user), preference_de(user)
        vues = vues_de(user, active=entier(request.GET.get("vue")))
        if not request.GET and (choisie := next((v for v in vues if v["vue"].pk == preference.vue_id), None)):
            return redirect(choisie["url"])
        filtre = FiltreTaches(request.GET, roles=roles, colonnes=preference.colonnes)
        listes = boite.onglets(user, roles)
        taches = boite.filtrer(listes[filtre.liste], **filtre.criteres)
        comptees: dict[str, Any] = {**listes, "signalements": signalements_a_traiter(user, roles)}
        if filtre.actif:
            comptees["trouvees"] = taches
        nombres = requetes.compter(comptees)
        choix = filtre.choix
        page = boite.page_taches(taches, tri=filtre.ordre, apres=choix.get("apres"), avant=choix.get("avant"))
        retours = MiseDeCote.objects.en_cours(user.pk).filter(tache__in=[t.pk for t in page.taches])
        de_cote = dict(retours.values_list("tache", "retour_le")) if filtre.liste == "mises-de-cote" else {}
        tete, colonnes = colonnes_de(filtre)
        rangs, agit = lignes(page.taches, user, filtre.requete(), de_cote), filtre.liste not in SANS_GESTE
        contexte = {
            "filtre": filtre,
            "onglet": filtre.liste,
            "titre_onglet": ONGLETS[filtre.liste],
            "onglets": [
                _onglet(libelle, f"?onglet={nom}", nombres[nom], actif=nom == filtre.liste)
                for nom, libelle in ONGLETS.items()
                if nombres[nom] or nom not in A_CACHER or nom == filtre.liste
            ]
            + [_onglet("Signalements", reverse("signalements"), nombres["signalements"], actif=False)],
            "trouvees": plafonne(nombres["trouvees"], requetes.PLAFOND) if filtre.actif else "",
            "vues": vues,
            "vue": next((v for v in vues if v["active"]), None),
            "tete": tete,
            "colonnes": colonnes,
            "agit": agit,
            "en_nombre": agit and filtre.liste != "mon-equipe" and any(ligne.a_choisir for ligne in rangs),
            "lignes": [(ligne, cellules(ligne, colonnes)) for ligne in rangs],
            "precedent": f"?{filtre.requete(avant=page.precedent)}" if page.precedent else "",
            "suivant": f"?{filtre.requete(apres=page.suivant)}" if page.suivant else "",
            "ici": filtre.requete(apres=choix.get("apres"), avant=choix.get("avant")),
        }
        fragment = request.htmx and not request.htmx.boosted  # type: ignore[attr-defined]
        reponse = render(
            request, "workflows/taches/_file.html" if fragment else "workflows/taches/liste.html", contexte
        )
        patch_vary_headers(reponse, ["HX-Request"])
        return reponse


# Tabs that are left out while they are empty, and tabs whose tasks are not hers to do.
A_CACHER = {"mises-de-cote"}
SANS_GESTE = {"en-attente", "terminees"}


def _onglet(libelle: str, url: str, nombre: int, *, actif: bool) -> dict[str, Any]:
    return {"libelle": libelle, "url": url, "nombre": plafonne(nombre, requetes.PLAFOND), "actif": actif}
