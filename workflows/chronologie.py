"""The journal of a dossier, in words."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.urls import reverse

from backoffice.socle.mots import date_longue, nombre, pluriel
from structures.champs import CHAMPS
from structures.enums import Niveau
from structures.models import Autorite

from .domaine.apercu import SANS_NOM
from .domaine.journal import noms_des
from .enums import ETAPES, TypeEvenement
from .models import Dossier, Evenement

ICONES = {
    TypeEvenement.CREE: "dossier", TypeEvenement.FICHE_AJOUTEE: "ajout", TypeEvenement.FICHE_ENREGISTREE: "crayon",
    TypeEvenement.FICHE_FINALISEE: "coche", TypeEvenement.FICHE_DUPLIQUEE: "dupliquer",
    TypeEvenement.FICHE_DEPLACEE: "deplacement", TypeEvenement.FICHE_SUPPRIMEE: "corbeille",
    TypeEvenement.CHANGEMENT_ANNULE: "demi-tour", TypeEvenement.CONFLIT_REGLE: "ok",
    TypeEvenement.FICHES_FINALISEES: "ok", TypeEvenement.ROUVERT: "crayon", TypeEvenement.ENVOYE: "envoi",
    TypeEvenement.TACHE_CREEE: "taches", TypeEvenement.TACHE_PRISE: "personne", TypeEvenement.TACHE_RENDUE: "inbox",
    TypeEvenement.TACHE_REPRISE: "personne", TypeEvenement.TACHE_ATTRIBUEE: "personne",
    TypeEvenement.MISE_DE_COTE: "horloge", TypeEvenement.RESSORTIE: "inbox",
    TypeEvenement.SUIVI: "oeil", TypeEvenement.SUIVI_FINI: "oeil",
    TypeEvenement.SANS_ACTEUR: "alerte", TypeEvenement.RAPPEL: "horloge", TypeEvenement.ESCALADE: "retard",
    TypeEvenement.RECOURS: "retard",
    TypeEvenement.VALIDE: "approbation", TypeEvenement.AFFECTE: "tableau", TypeEvenement.APPROUVE: "approbation",
    TypeEvenement.RENVOYE: "renvoi", TypeEvenement.REFUSE: "refus", TypeEvenement.RETIRE: "demi-tour",
    TypeEvenement.ABANDONNE: "abandon", TypeEvenement.COMMENTE: "commentaire", TypeEvenement.COMMENTAIRE_RESOLU: "ok",
    TypeEvenement.COMMENTAIRE_ROUVERT: "bulle", TypeEvenement.GESTE_ANNULE: "demi-tour",
    TypeEvenement.FICHIER_APPLIQUE: "importer", TypeEvenement.DECISIONS_CADUQUES: "alerte",
    TypeEvenement.PUBLICATION_ECHOUEE: "alerte", TypeEvenement.INCIDENT_REPRIS: "demi-tour",
    TypeEvenement.PUBLIE: "publication",
    TypeEvenement.FLUX_MIS_A_JOUR: "reglages",
}  # fmt: skip

COMMENTAIRES = (TypeEvenement.COMMENTE, TypeEvenement.COMMENTAIRE_RESOLU, TypeEvenement.COMMENTAIRE_ROUVERT)

MAINS = (TypeEvenement.TACHE_REPRISE, TypeEvenement.TACHE_ATTRIBUEE, TypeEvenement.MISE_DE_COTE)


def lignes_journal(dossier: Dossier, evenements: Collection[Evenement]) -> list[dict[str, Any]]:
    """Lines of <c-chronologie>; at most four statements whatever their number. Give events with ``acteur``."""
    cites = {e.fiche_id for e in evenements if e.fiche_id}
    noms = noms_des(dossier, cites)
    autorites = _noms_des_autorites(evenements)
    ouvertes = set(dossier.fiches.values_list("fiche_id", flat=True)) if dossier.est_ouvert and cites else set()
    lignes = []
    for e in evenements:
        nom = (noms.get(e.fiche_id) or e.details.get("nom", "")) if e.fiche_id else ""
        lignes.append(
            {
                "quand": e.le,
                "titre": _titre_evenement(e, nom),
                "qui": qui_en_mots(e),
                "texte": _texte_tache(e.details)
                if e.type in MAINS
                else _texte_partage(e.details, autorites) or _texte_evenement(e, autorites),
                "etat": "",
                "icone": ICONES[TypeEvenement(e.type)],
                "url": _adresse(e, ouvertes),
            }
        )
    return lignes


def qui_en_mots(e: Evenement) -> str:
    """« Y », « Y, pour X » when Y stood in for X, « Automatique »."""
    if not e.acteur_id:
        return "Automatique"
    return f"{e.acteur}, pour {e.details['pour']}" if "pour" in e.details else str(e.acteur)


def _adresse(e: Evenement, ouvertes: Collection[int]) -> str:
    """Where one sees what it is about: the thread of a comment, the fiche while the dossier shows it."""
    if e.type in COMMENTAIRES:
        return reverse("dossier_fil", args=[e.dossier_id, e.details["fil"]])
    return reverse("dossier_fiche", args=[e.dossier_id, e.fiche_id]) if e.fiche_id in ouvertes else ""


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
    if e.type == TypeEvenement.COMMENTE and e.details["commentaire"] != e.details["fil"]:
        titre = "Réponse à un commentaire"
    if e.type == TypeEvenement.APPROUVE and "ecartees" in e.details:
        return f"{titre} sauf certaines fiches"
    if e.type == TypeEvenement.PUBLIE and "ecartees" in e.details:
        n = len(e.details["ecartees"])
        return f"{titre} sauf {nombre(n)} fiche{pluriel(n)}"
    if not nom:
        return titre
    autres = len(e.details.get("fiches", ())) - 1
    suite = f" et {autres} autre{'s' if autres > 1 else ''}" if autres > 0 else ""
    return f"{titre} : « {nom} »{suite}"


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
            gardes = {"repertoire": "valeur du répertoire gardée", "deux": "les deux valeurs gardées"}
            garde = gardes.get(d.get("garder", ""), "valeur du dossier gardée")
            return f"{CHAMPS[d['champ']].libelle} : {garde}." if d.get("champ") in CHAMPS else ""
        case TypeEvenement.SANS_ACTEUR if d.get("noeud") in ETAPES:
            return f"Étape « {ETAPES[d['noeud']].titre} ». Les gestionnaires SESAN en sont informés."
        case TypeEvenement.GESTE_ANNULE:
            return TypeEvenement(d["type"]).label
        case TypeEvenement.COMMENTE | TypeEvenement.COMMENTAIRE_RESOLU | TypeEvenement.COMMENTAIRE_ROUVERT:
            champ = f"{CHAMPS[d['champ']].libelle} : " if d.get("champ") in CHAMPS else ""
            return f"{champ}« {d['texte']} »"
        case TypeEvenement.FICHIER_APPLIQUE:
            return f"« {d['fichier']} » : {d['nombre']} fiche(s), dont {d['creees']} créée(s)."
        case TypeEvenement.CHANGEMENT_ANNULE if "publication" in d:
            return f"Publication du dossier n° {d['publication']} : {d['nombre']} fiche(s) remise(s) comme avant."
        case TypeEvenement.DECISIONS_CADUQUES | TypeEvenement.FLUX_MIS_A_JOUR:
            return "\n".join(d.get("ecarts") or d["faits"])
        case TypeEvenement.AFFECTE:
            return ", ".join(autorites.get(c, c) for c in d.get("autorites") or [])
    motif = d.get("motif") or d.get("texte") or ""
    autorite = autorites.get(d.get("autorite") or "", "")
    return "\n".join(x for x in (autorite, motif) if x)


def _texte_tache(d: Mapping[str, Any]) -> str:
    """Whose the task was, whose it is, and why; or until when it is put aside."""
    if "retour" in d:
        return f"Revient le {date_longue(d['retour'])}."
    mains = " ".join(mot for mot in (f"De {d['de']}" if d["de"] else "", f"à {d['a']}" if "a" in d else "") if mot)
    return "\n".join(x for x in (mains[:1].upper() + mains[1:], d["motif"]) if x)


def _texte_partage(d: Mapping[str, Any], autorites: Mapping[str, str]) -> str:
    """Of a partial approval or publication, and of the opening of its follow-up; empty for any other event."""
    if "suite_de" in d:
        return f"Reprend les fiches écartées de la publication du dossier n° {d['suite_de']}."
    if not d.get("ecartees"):
        return ""
    autorite = autorites.get(d.get("autorite") or "", "")
    cites = [f"« {f['nom'] or SANS_NOM} » : {f['motif']}" for f in d["ecartees"]]
    reste = f"… et {len(cites) - 20} autres" if len(cites) > 20 else ""
    suite = f"À reprendre dans le dossier n° {d['suite']}." if "suite" in d else ""
    return "\n".join(x for x in (autorite, "Fiches écartées :", *cites[:20], reste, suite) if x)
