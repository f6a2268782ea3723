"""The journal of a dossier, in words."""

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from structures.champs import CHAMPS
from structures.enums import Niveau
from structures.models import Autorite, VersionFiche

from .domaine.apercu import SANS_NOM
from .enums import ETAPES, TypeEvenement
from .models import Dossier, Evenement

if TYPE_CHECKING:
    pass

_ICONES = {
    TypeEvenement.CREE: "dossier", TypeEvenement.FICHE_AJOUTEE: "ajout", TypeEvenement.FICHE_ENREGISTREE: "crayon",
    TypeEvenement.FICHE_FINALISEE: "coche", TypeEvenement.FICHE_DUPLIQUEE: "dupliquer",
    TypeEvenement.FICHE_DEPLACEE: "deplacement", TypeEvenement.FICHE_SUPPRIMEE: "corbeille",
    TypeEvenement.CHANGEMENT_ANNULE: "demi-tour", TypeEvenement.CONFLIT_REGLE: "ok",
    TypeEvenement.FICHES_FINALISEES: "ok", TypeEvenement.ROUVERT: "crayon", TypeEvenement.ENVOYE: "envoi",
    TypeEvenement.TACHE_CREEE: "taches", TypeEvenement.TACHE_PRISE: "personne", TypeEvenement.TACHE_RENDUE: "inbox",
    TypeEvenement.SANS_ACTEUR: "alerte", TypeEvenement.RAPPEL: "cloche", TypeEvenement.ESCALADE: "retard",
    TypeEvenement.VALIDE: "approbation", TypeEvenement.AFFECTE: "tableau", TypeEvenement.APPROUVE: "approbation",
    TypeEvenement.RENVOYE: "renvoi", TypeEvenement.REFUSE: "refus", TypeEvenement.RETIRE: "demi-tour",
    TypeEvenement.GESTE_ANNULE: "demi-tour", TypeEvenement.ABANDONNE: "abandon",
    TypeEvenement.COMMENTE: "commentaire", TypeEvenement.PUBLIE: "publication",
}  # fmt: skip


def lignes_journal(dossier: Dossier, evenements: Collection[Evenement]) -> list[dict[str, Any]]:
    """Lines of <c-chronologie>; at most four statements whatever their number. Give events with ``acteur``."""
    cites = {e.fiche_id for e in evenements if e.fiche_id}
    noms = _noms_des(dossier, cites)
    autorites = _noms_des_autorites(evenements)
    ouvertes = set(dossier.fiches.values_list("fiche_id", flat=True)) if dossier.est_ouvert and cites else set()
    lignes = []
    for e in evenements:
        nom = noms.get(e.fiche_id or 0, "")
        lignes.append(
            {
                "quand": e.le,
                "titre": _titre_evenement(e, nom),
                "qui": str(e.acteur) if e.acteur_id else "Automatique",
                "texte": _texte_evenement(e, autorites),
                "etat": "",
                "icone": _ICONES.get(TypeEvenement(e.type), "etape"),
                "url": reverse("dossier_fiche", args=[dossier.pk, e.fiche_id]) if e.fiche_id in ouvertes else "",
            }
        )
    return lignes


def _noms_des(dossier: Dossier, fiches: Collection[int]) -> dict[int, str]:
    """Names as the dossier has them, else the last known ones."""
    if not fiches:
        return {}
    versions = VersionFiche.objects.filter(fiche__in=fiches).order_by("fiche_id", "validite")
    noms = dict(versions.values_list("fiche_id", "nom"))
    touchees = dossier.fiches.filter(fiche__in=fiches).values_list("fiche_id", "patch__nom")
    return noms | {fiche: nom for fiche, nom in touchees if nom}


def _noms_des_autorites(evenements: Iterable[Evenement]) -> dict[str, str]:
    codes = {c for e in evenements for c in [e.details.get("autorite"), *(e.details.get("autorites") or [])] if c}
    return dict(Autorite.objects.filter(pk__in=codes).values_list("pk", "nom")) if codes else {}


def _titre_evenement(e: Evenement, nom: str) -> str:
    titre = e.get_type_display()
    noeud = e.details.get("noeud")
    if noeud in ETAPES:
        return f"{titre} : {ETAPES[noeud].titre}" if e.type != TypeEvenement.SANS_ACTEUR else titre
    if e.type == TypeEvenement.FICHE_AJOUTEE and len(e.details.get("fiches", ())) > 1:
        niveau = Niveau(e.details["niveau"]).label.lower()
        return f"{len(e.details['fiches'])} fiches ajoutées ({niveau})"
    autres = len(e.details.get("fiches", ())) - 1
    suite = f" et {autres} autre{'s' if autres > 1 else ''}" if autres > 0 else ""
    return f"{titre} : « {nom} »{suite}" if nom else titre


def _texte_evenement(e: Evenement, autorites: Mapping[str, str]) -> str:
    d = e.details
    match e.type:
        case TypeEvenement.FICHE_SUPPRIMEE if len(d.get("noms", ())) > 1:
            cites = ", ".join(nom or SANS_NOM for nom in d["noms"][1:6]) + ("…" if len(d["noms"]) > 6 else "")
            return f"Avec {len(d['noms']) - 1} fiche(s) rattachée(s) : {cites}"
        case TypeEvenement.FICHE_DEPLACEE:
            return f"De « {d.get('de') or SANS_NOM} » vers « {d.get('vers') or SANS_NOM} »."
        case TypeEvenement.FICHE_ENREGISTREE | TypeEvenement.FICHE_FINALISEE if d.get("champs"):
            noms = [CHAMPS[c].libelle for c in d["champs"] if c in CHAMPS and not c.endswith("_unite")]
            return ", ".join(noms[:6]) + (f" et {len(noms) - 6} autres champs" if len(noms) > 6 else "")
        case TypeEvenement.CONFLIT_REGLE:
            garde = "répertoire" if d.get("garder") == "repertoire" else "dossier"
            return f"{CHAMPS[d['champ']].libelle} : valeur du {garde} gardée." if d.get("champ") in CHAMPS else ""
        case TypeEvenement.SANS_ACTEUR if d.get("noeud") in ETAPES:
            return f"Étape « {ETAPES[d['noeud']].titre} ». Les gestionnaires SESAN en sont informés."
        case TypeEvenement.GESTE_ANNULE:
            return TypeEvenement(d["type"]).label
        case TypeEvenement.AFFECTE:
            return ", ".join(autorites.get(c, c) for c in d.get("autorites") or [])
    motif = d.get("motif") or ""
    autorite = autorites.get(d.get("autorite") or "", "")
    return "\n".join(x for x in (autorite, motif) if x)
