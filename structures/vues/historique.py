"""What happened to a fiche: its modifications in words, on its page and on the page of its history."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from backoffice.socle.erreurs import Introuvable
from backoffice.socle.mots import date_longue
from backoffice.socle.vues import entier

from .. import regles, requetes, suivi, temps
from ..affichage import Affichage, dossiers_vus
from ..champs import SECTIONS, champs_de, libelle
from ..domaine.patches import valeur
from ..domaine.suites import RESERVEE
from ..enums import Niveau, Source
from ..models import Fiche, Modification
from .communs import Jour, VueFiche, adresse_fiche, jour_demande, presence

_ICONES = {Source.DIRECT: "crayon", Source.DOSSIER: "dossier", Source.IMPORT: "importer"}
STRUCTURELS = {"existe", "parent", "type_uo"}


def noms_changes(modification: Modification, niveau: str, caches: Collection[str]) -> list[str]:
    """Labels of the fields of a patch, in the order of the screen; « Suivi par SESAN » for those that the reader may
    not read (``caches``)."""
    noms = {"existe": "Création de la fiche" if modification.patch.get("existe") else "Fermeture de la fiche"}
    noms["parent"] = "Rattachement"
    noms |= {c.nom: libelle(c, niveau) for c in champs_de(niveau) if not c.nom.endswith("_unite")}
    noms |= dict.fromkeys(caches, SECTIONS["gestion"])
    touches = {nom.removesuffix("_unite") for nom in modification.patch}
    return list(dict.fromkeys(intitule for nom, intitule in noms.items() if nom in touches))


def qui(modification: Modification) -> str:
    return str(modification.auteur or modification.origine or "Import")


def titre_de(modification: Modification) -> str:
    """« Modification directe », « Dossier 12 », « FINESS 2021-01-08 »."""
    if modification.source == Source.DIRECT:
        return "Annulation d’une modification" if modification.inverse_id else "Modification directe"
    return modification.origine[:1].upper() + modification.origine[1:] or Source(modification.source).label


def numero_de_dossier(modification: Modification) -> int | None:
    """The dossier that a modification was published by."""
    mot, _, numero = modification.origine.partition(" ")
    return int(numero) if modification.source == Source.DOSSIER and mot == "dossier" and numero.isdecimal() else None


def evenements_de(
    modifications: Iterable[Modification],
    niveau: str,
    caches: Collection[str],
    suites: Mapping[int, Modification] | None = None,
    dossiers: Collection[int] = (),
) -> list[dict[str, Any]]:
    """Lines of <c-chronologie>: who changed what, when, true from when, and what became of it (``suites``: of each, the
    one that undoes or replaces it). ``dossiers``: those that the reader may open. ``caches``: fields that she may not
    read."""
    evenements = []
    for m in modifications:
        champs = noms_changes(m, niveau, caches)
        # Never « et 1 autres champs »: seven names are told whole.
        montres = champs if len(champs) <= 7 else champs[:6]
        reste = f" et {len(champs) - 6} autres champs" if len(champs) > 7 else ""
        phrases = [", ".join(montres) + reste]
        if m.date_effet != timezone.localdate(m.saisie_le):
            phrases.append(f"Date d’effet : {date_longue(m.date_effet)}.")
        if m.motif:
            phrases.append(f"Motif : {m.motif}")
        if m.inverse is not None:
            phrases.append(f"Défait la modification de {qui(m.inverse)} du {date_longue(m.inverse.saisie_le)}.")
        if m.remplace is not None:
            phrases.append(f"Remplace le changement prévu le {date_longue(m.remplace.date_effet)}.")
        suite, etat = (suites or {}).get(m.pk), ""
        if m.annulee_le is not None and suite is not None:
            etat = "remplacee"
            phrases.append(
                f"Modifié avant d’avoir eu lieu par {m.annulee_par} le {date_longue(m.annulee_le)} : prévu le "
                f"{date_longue(suite.date_effet)}."
            )
        elif m.annulee_le is not None:
            etat = "annulee"
            phrases.append(f"Annulé par {m.annulee_par} le {date_longue(m.annulee_le)}.")
        elif suite is not None:
            etat = "defaite"
            phrases.append(
                f"Défaite par {qui(suite)} le {date_longue(suite.saisie_le)}, avec effet au "
                f"{date_longue(suite.date_effet)}."
            )
        elif m.date_effet > timezone.localdate():
            etat = "prevu"
        numero = numero_de_dossier(m)
        evenements.append(
            {
                "quand": m.saisie_le,
                "titre": titre_de(m),
                "qui": str(m.auteur or ""),
                "texte": "\n".join(phrases),
                "icone": "abandon" if m.annulee_le else _ICONES[Source(m.source)],
                "etat": etat,
                "url": reverse("dossier", args=[numero]) if numero in dossiers else "",
            }
        )
    return evenements


class HistoriqueView(VueFiche):
    """Every modification of a fiche, the last entered first, with what each one changed; 50 a page. On another day
    (``?au=``): those that are true by then. Constant statements, however long the history."""

    TAILLE = 50

    def get(self, request: HttpRequest, identifiant: str) -> HttpResponse:
        fiche, jour = self.fiche, jour_demande(request, self.fiche)
        version = requetes.version_la_plus_proche(fiche, jour.jour)
        if version is None:
            raise Introuvable("fiche_inconnue", f"Aucune fiche du répertoire ne porte l’identifiant « {identifiant} ».")
        toutes = temps.modifications_de(fiche)
        if jour.autre:
            toutes = toutes.filter(date_effet__lte=jour.jour)
        avant = entier(request.GET.get("avant"))
        suite = list((toutes if avant is None else toutes.filter(pk__lt=avant))[: self.TAILLE + 1])
        _, _, _, contenu_au = presence(version, jour.jour)
        lignes = lignes_de(request.user, fiche, suite[: self.TAILLE])
        return render(
            request,
            "structures/historique.html",
            {
                "fiche": fiche,
                "jour": jour,
                "nom": version.nom or "(sans nom)",
                "niveau": Niveau(fiche.niveau).label,
                "fil": self.fil(fiche, jour, "Historique", contenu_au),
                "lignes": lignes,
                "comparable": len({e["date_effet"] for e in lignes if e["vivante"]}) > 1,
                "confirmations": [] if jour.autre or avant else list(suivi.confirmations_de(fiche)[:5]),
                "total": toutes.count(),
                "suivant": suite[self.TAILLE - 1].pk if len(suite) > self.TAILLE else None,
            },
        )


def lignes_de(user: Any, fiche: Fiche, modifications: Sequence[Modification]) -> list[dict[str, Any]]:
    """The modifications of a page, each with what it changed and what the reader may do about it."""
    droits = regles.droits_sur(user, fiche)
    modifiables, caches = {c.nom for c in droits.champs_modifiables}, droits.champs_caches
    etapes = temps.etapes_des(modifications)
    affichage = affichage_de(
        [fiche.pk], etats_des(etapes), niveau=fiche.niveau, tres_restreint=droits.modifier, champs_caches=caches
    )
    suites = temps.suites_des(modifications)
    numeros = {n for m in modifications if (n := numero_de_dossier(m)) is not None}
    evenements = evenements_de(modifications, fiche.niveau, caches, suites, dossiers_vus(user, numeros))
    # suites.refuser_si_indefaisable answers again when one is undone
    passees = {
        m.pk: m.patch.keys() <= modifiables
        for m, evenement in zip(modifications, evenements, strict=True)
        if droits.modifier and not evenement["etat"] and m.source == Source.DIRECT
    }
    aujourdhui = timezone.localdate()
    jours = sorted({m.date_effet for m in modifications if m.annulee_le is None}, reverse=True)
    cotes = dict(zip(jours, ("au", "du"), strict=False))  # a comparison proposed: of the last change and the one before
    return [
        {
            **evenement,
            "pk": m.pk,
            "date_effet": m.date_effet,
            "vivante": m.annulee_le is None,
            "choisie": cotes.get(m.date_effet, "") if m.annulee_le is None else "",
            "differences": affichage.differences(avant, apres, m.patch),
            "url_jour": adresse_fiche(fiche.identifiant, Jour(m.date_effet, autre=m.date_effet != aujourdhui)),
            "url_comparer": adresse_comparer(fiche, m.date_effet - timedelta(days=1), m.date_effet),
            "prevue": evenement["etat"] == "prevu" and droits.annuler(m),
            "defaisable": passees.get(m.pk, False),
            "reservee": "" if passees.get(m.pk, True) else RESERVEE,
            "structurelle": droits.modifier and m.annulee_le is None and bool(STRUCTURELS & m.patch.keys()),
        }
        for (m, avant, apres), evenement in zip(etapes, evenements, strict=True)
    ]


def etats_des(etapes: Iterable[temps.Etape]) -> Iterable[Mapping[str, Any]]:
    """The values that a list of modifications shows: the fields each one changed, before and after."""
    for _, avant, apres in etapes:
        yield avant
        yield apres


def affichage_de(
    fiches: Collection[int],
    etats: Iterable[Mapping[str, Any]],
    *,
    niveau: str,
    tres_restreint: bool,
    jour: date | None = None,
    champs_caches: Collection[str],
) -> Affichage:
    """The words of some fiches on several days: a contact that is très restreint on any day is masked on all."""
    lus = list(etats)
    if not tres_restreint and any(valeur(etat, "contacts") for etat in lus):
        lus.append(temps.contacts_caches(fiches))
    return Affichage(
        lus, niveau=niveau, jour=jour, tres_restreint=tres_restreint, une_fiche=True, champs_caches=champs_caches
    )


def adresse_comparer(fiche: Fiche, du: date, au: date) -> str:
    jours = urlencode({"du": du.isoformat(), "au": au.isoformat()})
    return f"{reverse('fiche_comparer', args=[fiche.identifiant])}?{jours}"
