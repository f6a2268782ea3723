"""« Supervision », for gestionnaires: where the dossiers are, the backlog, what was done, the incidents; the list
behind each figure."""

from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from backoffice.comptes.models import User
from backoffice.socle.mots import plafonne, pluriel
from backoffice.socle.vues import VueProtegee
from structures import suivi
from structures.models import Autorite
from workflows import boite, schema, supervision, versions
from workflows import requetes as dossiers
from workflows.chronologie import qui_en_mots
from workflows.durees import durees
from workflows.enums import ETAPES
from workflows.parcours import qui_agit
from workflows.supervision import TRANCHES
from workflows.vues.taches import lignes

from . import domaine, incidents, tableaux
from .forms import FiltreActes, FiltrePeriode, FiltreTachesOuvertes

EN_DEFAUT = 20


class VueSupervision(VueProtegee):
    """A page of the gestionnaires: 403 for the others."""

    http_method_names = ["get", "head"]

    def autoriser(self, request: HttpRequest) -> None:
        domaine.exiger_gestionnaire(cast(User, request.user))


ONGLETS = {
    "supervision": "Circuit",
    "supervision_anciennete": "Ancienneté",
    "supervision_activite": "Activité",
    "supervision_incidents": "Incidents",
}


def _onglets(ici: str, nombres: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "libelle": libelle,
            "url": reverse(nom),
            "nombre": _plafonne(sum(nombres.values())) if nom == "supervision_incidents" else None,
            "actif": nom == ici,
        }
        for nom, libelle in ONGLETS.items()
    ]


def _plafonne(combien: int) -> int | str:
    return plafonne(combien, dossiers.PLAFOND)


class Circuit(VueSupervision):
    """The flow with its figures, and what else asks for attention."""

    def get(self, request: HttpRequest) -> HttpResponse:
        nombres = incidents.compter()
        positions, mesurees = supervision.positions(), durees([(noeud, "") for noeud in ETAPES])
        etapes = tableaux.par_etape(positions, mesurees)
        en_defaut = suivi.nombre_en_defaut()
        contexte = {
            "onglets": _onglets("supervision", nombres),
            "nombres": [(incidents.GENRES[g].titre, g, _plafonne(n)) for g, n in nombres.items() if n],
            "etapes": etapes,
            "schema": _schema(positions, mesurees),
            "ouverts": sum(p.dossiers for p in positions.values()),
            "retards": sum(p.en_retard for p in positions.values()),
            "versions": versions.par_version(),
            "signalements": suivi.signalements_ouverts(),
            "nombre_en_defaut": en_defaut,
            "en_defaut": suivi.en_defaut(EN_DEFAUT) if en_defaut else [],
        }
        return render(request, "pages/supervision.html", contexte)


def _schema(positions: dict[str, supervision.Position], mesurees: dict[tuple[str, str], Any]) -> str:
    chiffres = {}
    mots = []
    for noeud, etape in ETAPES.items():
        p, d = positions.get(noeud), mesurees.get((noeud, ""))
        ici, retard = (p.dossiers, p.en_retard) if p else (0, 0)
        duree = f"médiane {tableaux.en_jours(d.mediane)}" if d and d.parle else ""
        chiffres[noeud] = schema.Chiffres(
            ici, retard, duree, tableaux.url_taches(etape=noeud), tableaux.url_taches(etape=noeud, retard="oui")
        )
        mots.append(f"{etape.titre} : {ici} dossier{pluriel(ici)}, {retard} en retard.")
    return schema.dessin_charge(chiffres, " ".join(mots))


class Anciennete(VueSupervision):
    """The backlog by age."""

    def get(self, request: HttpRequest) -> HttpResponse:
        arrieres = supervision.arrieres()
        contexte = {
            "onglets": _onglets("supervision_anciennete", incidents.compter()),
            "tableaux": [tableaux.par_age(arrieres), tableaux.arrieres_par_etape(arrieres)],
            "ouvertes": sum(sum(a.nombres) for a in arrieres),
            "retards": sum(sum(a.retards) for a in arrieres),
        }
        return render(request, "pages/supervision_anciennete.html", contexte)


class Activite(VueSupervision):
    """What was done in a period, by week, authority and person."""

    def get(self, request: HttpRequest) -> HttpResponse:
        filtre = FiltrePeriode(request.GET)
        periode = filtre.periode
        personnes = tableaux.par_personne(periode, tableaux.LIMITE_PERSONNES)
        contexte = {
            "onglets": _onglets("supervision_activite", incidents.compter()),
            "filtre": filtre if filtre.errors else FiltrePeriode(initial=periode._asdict()),
            "periode": periode,
            "raccourcis": [(mot, f"?{urlencode(p)}") for mot, p in FiltrePeriode.raccourcis()],
            "requete": urlencode({"du": periode.du.isoformat(), "au": periode.au.isoformat()}),
            "semaines": tableaux.par_semaine(periode),
            "autorites": tableaux.par_autorite(periode, durees()),
            "personnes": personnes,
            "coupe": len(personnes.lignes) == tableaux.LIMITE_PERSONNES,
        }
        return render(request, "pages/supervision_activite.html", contexte)


class Incidents(VueSupervision):
    def get(self, request: HttpRequest) -> HttpResponse:
        nombres, genre = incidents.compter(), request.GET.get("genre", "")
        lus = incidents.lire(nombres, genre)
        tous = sum(nombres.values())
        genres = [("", "Tous", tous), *((nom, g.titre, nombres[nom]) for nom, g in incidents.GENRES.items())]
        choisi = genre if genre in nombres else ""
        contexte = {
            "onglets": _onglets("supervision_incidents", nombres),
            "genres": [
                {"libelle": titre, "url": f"?genre={nom}", "nombre": _plafonne(n), "actif": nom == choisi}
                for nom, titre, n in genres
                if n or nom in ("", choisi)
            ],
            "incidents": lus,
            "reste": max(0, nombres.get(choisi, tous) - len(lus)),
            "requete": urlencode({"genre": choisi}),
        }
        return render(request, "pages/supervision_incidents.html", contexte)


class Reessayer(VueSupervision):
    """« Réessayer »: GET says what will happen."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest, genre: str, numero: int) -> HttpResponse:
        trouve = incidents.trouver(genre, numero)
        contexte = {
            "titre": f"Réessayer : {trouve.quoi} ?", "texte": trouve.reprendre, "confirmer": "Réessayer",
            "url": request.path, "retour": reverse("supervision_incidents"), "danger": False, "form": None,
        }  # fmt: skip
        return render(request, "socle/confirmation.html", contexte)

    def post(self, request: HttpRequest, genre: str, numero: int) -> HttpResponse:
        messages.success(request, incidents.reessayer(genre, numero, cast(User, request.user)))
        return redirect(f"{reverse('supervision_incidents')}?genre={genre}")


# -- the lists behind the figures ----------------------------------------------------------------------


class TachesOuvertes(VueSupervision):
    def get(self, request: HttpRequest) -> HttpResponse:
        filtre = FiltreTachesOuvertes(request.GET)
        page = boite.page_taches(filtre.taches, apres=filtre.choix.get("apres"), avant=filtre.choix.get("avant"))
        contexte = {
            "titre": _titre_des_taches(filtre),
            "lignes": [(ligne, qui_agit([ligne.tache])) for ligne in lignes(page.taches, cast(User, request.user))],
            "precedent": f"?{filtre.requete(avant=page.precedent)}" if page.precedent else "",
            "suivant": f"?{filtre.requete(apres=page.suivant)}" if page.suivant else "",
            "requete": filtre.requete(),
            "jointes": filtre.choix.get("etape") == "approbation_tutelle",
        }
        return render(request, "pages/supervision_taches.html", contexte)


def _titre_des_taches(filtre: FiltreTachesOuvertes) -> str:
    choix = filtre.choix
    autorite = Autorite.objects.filter(pk=choix["autorite"]).first() if choix.get("autorite") else None
    mots = [
        ETAPES[choix["etape"]].titre if choix.get("etape") else "",
        autorite.nom if autorite else "",
        next((t.libelle.lower() for t in TRANCHES if t.cle == choix.get("tranche")), ""),
        "en retard" if choix.get("retard") else "",
        "que personne ne peut faire" if choix.get("personne") else "",
    ]
    return "Tâches ouvertes" + "".join(f", {mot}" for mot in mots if mot)


class Actes(VueSupervision):
    """Events, or decisions when an authority or a step is asked for."""

    def get(self, request: HttpRequest) -> HttpResponse:
        filtre = FiltreActes(request.GET)
        page = supervision.page_actes(filtre.actes, apres=filtre.choix.get("apres"))
        titre, activite = _titre_des_actes(filtre), tableaux.url_activite(filtre.periode)
        contexte = {
            "titre": titre,
            "activite": activite,
            "fil": [
                ("Accueil", reverse("accueil")),
                ("Supervision", reverse("supervision")),
                ("Activité", activite),
                (titre, ""),
            ],
            "filtre": filtre,
            "lignes": [acte_en_mots(a) for a in page.lignes],
            "suivant": f"?{filtre.requete(apres=page.suivant)}" if page.suivant else "",
            "debut": not filtre.choix.get("apres"),
            "requete": filtre.requete(),
        }
        return render(request, "pages/supervision_actes.html", contexte)


def _titre_des_actes(filtre: FiltreActes) -> str:
    choix = filtre.choix
    autorite = Autorite.objects.filter(pk=choix["autorite"]).first() if choix.get("autorite") else None
    personne = User.objects.filter(pk=choix["personne"]).first() if choix.get("personne") else None
    mots = [
        tableaux.MESURES.get(choix.get("mesure", ""), ""),
        tableaux.REPONSES.get(choix.get("reponse", ""), ""),
        autorite.nom if autorite else ETAPES[choix["etape"]].titre if choix.get("etape") else "",
        f"par {personne}" if personne else "",
    ]
    return ", ".join(mot for mot in mots if mot) or "Tout ce qui a été fait"


def acte_en_mots(acte: Any) -> dict[str, Any]:
    """A line of either kind, in the same words."""
    decision = hasattr(acte, "issue")
    mot = acte.get_issue_display() if decision else acte.get_type_display()
    return {
        "quand": acte.le,
        "quoi": mot,
        "dossier": acte.dossier,
        "qui": acte.qui if decision else qui_en_mots(acte),
        "motif": getattr(acte, "motif", ""),
    }
