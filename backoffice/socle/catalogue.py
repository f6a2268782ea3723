"""« /aide/composants/ »: every component, typical, empty and crowded; for developers, tests and staff."""

import datetime
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone

from .arbre import Noeud
from .champs_formulaire import (
    ChoixField,
    ChoixMultipleField,
    CodesNombresField,
    CommunesField,
    ContactsField,
    DateField,
    EntierField,
    LignesField,
    Lot,
    SemaineField,
    TexteField,
)
from .etats import SIGNES

COMMUNES = {
    "75115": "Paris 15e (75)",
    "92040": "Issy-les-Moulineaux (92)",
    "92075": "Vanves (92)",
    "93066": "Saint-Denis (93)",
    "97411": "Saint-Denis (974)",
    "94068": "Saint-Maur-des-Fossés (94)",
    "77288": "Melun (77)",
    "78646": "Versailles (78)",
}
NOMS = (
    "Accueil et traitement des urgences adultes",
    "Traumatologie",
    "Réanimation médicale polyvalente",
    "Surveillance continue",
    "Hospitalisation de courte durée",
    "Chirurgie orthopédique et traumatologique de la main et du membre supérieur",
    "Consultation avancée de cardiologie",
    "Soins palliatifs",
    "Pédiatrie générale",
    "Néonatologie",
    "Obstétrique",
    "Gériatrie aiguë",
    "Médecine physique et de réadaptation",
    "Imagerie par résonance magnétique",
    "Scanographie",
    "Dialyse en centre",
)
ACTIVITES = [(f"{n:03d}", nom) for n, nom in enumerate(NOMS, start=1)]
LONG = (
    "Unité d’hospitalisation de courte durée et de surveillance post-interventionnelle polyvalente "
    "du pôle Urgences-Réanimation-SMUR"
)


def libelles(codes: Any) -> dict[str, str]:
    return {c: COMMUNES[c] for c in codes if c in COMMUNES}


def resoudre(texte: str) -> list[Lot]:
    return [Lot(c, lib, (c,)) for c, lib in COMMUNES.items() if texte.lower() in lib.lower() or texte == c]


ACTES = [(f"A{n}", f"Acte spécifique n° {n} du groupe {n % 37}") for n in range(1500)]


class ExempleForm(forms.Form):
    nom = TexteField(label="Nom", help_text="« Unité » suivi du nom du type d’unité opérationnelle.", max_length=200)
    type_uo = ChoixField(
        label="Type d’UO", choices=[("1", "Unité de soins continus"), ("2", "Structure d’accueil des urgences")]
    )
    activites = ChoixMultipleField(
        label="Activités opérationnelles", choices=ACTIVITES, fermes=[("900", "Hospitalisation à temps partiel")]
    )
    actes = ChoixMultipleField(
        label="Actes spécifiques",
        required=False,
        choices=ACTES,
    )
    territoire = CommunesField(
        label="Territoire d’intervention",
        url="/aide/composants/?communes=1",
        libelles=libelles,
        resoudre=resoudre,
        required=False,
    )
    horaires = SemaineField(label="Horaires", required=False)
    effet = DateField(label="Date d’effet", help_text="Le jour à partir duquel les modifications sont vraies.")
    sensible = forms.BooleanField(
        label="Unité sensible", required=False, help_text="Ses contacts deviennent très restreints."
    )
    capacites = LignesField(
        label="Capacités",
        mot="capacité",
        ajouter="Ajouter une capacité",
        required=False,
        uniques=("nature", "statut"),
        colonnes={
            "nature": ChoixField(label="Nature", choices=[("1", "Lits"), ("2", "Places")]),
            "statut": ChoixField(label="Statut", choices=[("1", "Installés"), ("2", "Autorisés")]),
            "nombre": EntierField(label="Nombre", min_value=0, max_value=9999),
        },
    )
    equipements = CodesNombresField(label="Équipements", choices=[("1", "Scanner"), ("2", "IRM 1,5 T")], required=False)
    contacts = ContactsField(
        label="Contacts",
        required=False,
        natures=[("1", "Accueil"), ("2", "Secrétariat"), ("3", "Régulation")],
        fonctions=[("1", "Cadre de santé"), ("2", "Chef de service")],
        canaux=[("1", "Téléphone"), ("2", "Messagerie électronique")],
        confidentialites=[("1", "Libre"), ("2", "Restreint"), ("3", "Très restreint")],
    )
    conditions = TexteField(label="Conditions d’admission", lignes=3, required=False)


SEMAINE = {
    **{j: [["08:00", "12:00"], ["14:00", "18:30"]] for j in range(1, 5)},
    5: [["08:00", "12:00"]],
    6: [["20:00", "24:00"]],
    7: [],
}
INITIAL = {
    "nom": "Unité de soins continus",
    "type_uo": "1",
    "activites": ["001", "003", "900"],
    "actes": ["A3", "A14"],
    "territoire": ["75115", "92040", "92075"],
    "horaires": SEMAINE,
    "effet": datetime.date(2027, 3, 1),
    "capacites": [{"nature": "1", "statut": "1", "nombre": 12}, {"nature": "2", "statut": "1", "nombre": 4}],
    "equipements": {"1": 2},
    "contacts": [
        {
            "id": "c1",
            "nature": "1",
            "nom": "",
            "fonction": "",
            "confidentialite": "2",
            "telecoms": [{"canal": "1", "valeur": "01 40 00 00 01", "confidentialite": "2"}],
        },
    ],
    "conditions": "Sur avis du médecin de garde.",
}
REFUSE = {
    "nom": "",
    "activites": ["001", "ZZ9"],
    "territoire": ["75115"],
    "territoire-ajout": "saint-denis",
    "horaires-1": "08:00-12:00, 11:00-14:00",
    "horaires-2": "18:00-8:00",
    "horaires-3": "demain",
    "effet": "31/02/2027",
    "capacites-present": "1",
    "capacites-0-nature": "1",
    "capacites-0-statut": "1",
    "capacites-0-nombre": "douze",
    "equipements-present": "1",
    "equipements-0-code": "1",
    "equipements-0-nombre": "0",
    "contacts-present": "1",
    "contacts-0-nature": "1",
    "contacts-0-confidentialite": "3",
    "contacts-0-telecoms-present": "1",
    "contacts-0-telecoms-0-canal": "1",
    "contacts-0-telecoms-0-valeur": "01 40 00 00 01",
    "contacts-0-telecoms-0-confidentialite": "1",
}


def _actions() -> list[dict[str, Any]]:
    return [
        {"libelle": "Dupliquer", "url": "#", "icone": "dupliquer"},
        {"libelle": "Déplacer…", "url": "#", "icone": "deplacement"},
        {
            "libelle": "Créer des unités opérationnelles",
            "url": "#",
            "icone": "ajout",
            "aide": "Finalisez d’abord l’UF.",
        },
        {"libelle": "Supprimer…", "url": "#", "icone": "corbeille", "danger": True},
    ]


def _arbre() -> list[Noeud]:
    def uo(n: int, nom: str, **k: Any) -> Noeud:
        return Noeud(f"11/000032{n}", "UO", nom, url="#", actions=_actions(), **k)

    return [
        Noeud(
            "1750000001",
            "EG",
            "Hôpital TEST",
            url="#",
            note="sanitaire",
            actions=_actions(),
            enfants=[
                Noeud(
                    "11/1",
                    "P",
                    "Pôle Urgences",
                    url="#",
                    enfants=[
                        Noeud(
                            "11/2",
                            "S",
                            "Service d’accueil des urgences",
                            url="#",
                            enfants=[
                                Noeud(
                                    "11/3",
                                    "UF",
                                    "UF 1201 Urgences adultes",
                                    url="#",
                                    actions=_actions(),
                                    enfants=[
                                        uo(1, "Unité d’accueil des urgences"),
                                        uo(
                                            2,
                                            "Unité d’hospitalisation de courte durée",
                                            etats=["ajout", "en-attente"],
                                            actif=True,
                                        ),
                                        uo(3, "Unité de soins continus", etats=["modification", "finalisee"]),
                                        uo(6, LONG, etats=["deplacement", "finalisee"]),
                                    ],
                                ),
                            ],
                        ),
                    ],
                ),
                Noeud(
                    "11/4",
                    "P",
                    "Pôle Mère-Enfant",
                    url="#",
                    ouvert=False,
                    enfants=[
                        Noeud(
                            "11/5",
                            "S",
                            "Pédiatrie",
                            url="#",
                            enfants=[
                                Noeud(
                                    "11/6",
                                    "UF",
                                    "UF 2301",
                                    url="#",
                                    enfants=[
                                        uo(
                                            7,
                                            "Unité d’hôpital de jour pédiatrique",
                                            etats=["suppression", "finalisee"],
                                            supprime=True,
                                        )
                                    ],
                                )
                            ],
                        )
                    ],
                ),
            ],
        ),
    ]


def composants(request: HttpRequest) -> HttpResponse:
    if not (settings.DEBUG or settings.TESTS or getattr(getattr(request, "user", None), "is_staff", False)):
        raise Http404
    if "communes" in request.GET:
        mots = request.GET.get("q", "").lower()
        return JsonResponse(
            {
                "resultats": [{"code": c, "libelle": lib} for c, lib in COMMUNES.items() if mots in lib.lower()],
                "reste": 0,
            }
        )
    if request.method == "GET" and "message" in request.GET:
        messages.success(request, "Vos modifications prendront effet le 1er mars 2027.")
        messages.warning(request, "Le nom ne commence pas par « Unité ».")
    formulaire = ExempleForm(request.POST) if request.method == "POST" else ExempleForm(initial=INITIAL)
    refuse = ExempleForm(data=REFUSE, auto_id="refuse_%s", prefix=None)
    sans_rien = ExempleForm(auto_id="vide_%s")
    for autre in (refuse, sans_rien):  # 1,500 choices once are enough
        cast(ChoixMultipleField, autre.fields["actes"]).choices = ACTES[:20]
    maintenant = timezone.now()
    contexte = {
        "fil": [("Aide", "/aide/composants/"), ("Composants", "")],
        "signes": list(SIGNES),
        "tons": ["jaune", "info", "erreur", "ok"],
        "actions": _actions(),
        "arbre": _arbre(),
        "semaine": SEMAINE,
        "semaine_pleine": {j: [["00:00", "24:00"]] for j in range(1, 8)},
        "form": formulaire,
        "refuse": refuse,
        "vide": sans_rien,
        "long": LONG,
        "puces": [
            *({"libelle": lib} for _, lib in ACTIVITES[:5]),
            {"libelle": "Hospitalisation à temps partiel", "ferme": True},
        ],
        "puces_nombreuses": [lib for _, lib in ACTIVITES] * 3,
        "diff": [
            {
                "champ": "Type d’UO",
                "avant": "Surveillance continue",
                "apres": "Soins intensifs polyvalents",
                "attention": "à regarder",
            },
            {
                "champ": "Conditions d’admission",
                "avant": "Sur avis du réanimateur",
                "apres": "Sur avis du médecin de garde",
            },
            {
                "champ": "Activités",
                "avant": ["Traumatologie", "Scanographie"],
                "apres": ["Traumatologie", "Dialyse en centre"],
            },
            {"champ": "Informations complémentaires", "avant": None, "apres": f"{LONG}. {LONG}."},
        ],
        "journal": [
            {
                "quand": maintenant - datetime.timedelta(hours=2),
                "titre": "Renvoyé pour correction",
                "qui": "agent.sesan",
                "etat": "renvoye",
                "texte": "La capacité de l’UHCD est à vérifier.\nLe reste est bon.",
                "icone": "renvoi",
            },
            {
                "quand": maintenant - datetime.timedelta(days=3),
                "titre": "Validé par la Direction",
                "qui": "direction.hopital",
                "icone": "coche",
            },
            {
                "quand": maintenant - datetime.timedelta(days=40),
                "titre": "Dossier créé",
                "qui": "referent.hopital",
                "icone": "brouillon",
                "url": "#",
            },
        ],
        "etapes": [
            {"libelle": "Rédaction", "etat": "fait", "detail": "le 24 novembre"},
            {"libelle": "Envoi", "etat": "fait", "detail": "par referent.hopital"},
            {"libelle": "Direction", "etat": "en-cours", "detail": "avant le 2 décembre"},
            {"libelle": "SESAN", "etat": "a-venir"},
            {"libelle": "Publication", "etat": "a-venir"},
        ],
        "onglets": [
            {"libelle": "À valider", "url": "#", "nombre": 12, "actif": True, "retard": 3},
            {"libelle": "À approuver", "url": "#", "nombre": 0},
            {"libelle": "En rédaction", "url": "#", "nombre": 1204},
            {"libelle": "Toutes", "url": "#"},
        ],
        "definitions": [
            ("Type d’UO", "Structure d’accueil des urgences"),
            ("Mode de prise en charge", "Urgences"),
            ("Actes spécifiques", [lib for _, lib in ACTIVITES[:3]]),
            ("Conditions d’admission", ""),
            ("Unité sensible", False),
            ("Places", 1204),
            ("Ouverture", datetime.date(2027, 3, 1)),
        ],
        "ligne_table": range(6),
        "quand": maintenant - datetime.timedelta(days=2),
    }
    return render(request, "socle/catalogue.html", contexte)
