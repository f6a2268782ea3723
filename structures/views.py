"""The répertoire: find, read and change a fiche (docs: acceptance B, C, D)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.arbre import Noeud as NoeudAffiche
from backoffice.socle.erreurs import Conflit, ErreurMetier, Interdit, Introuvable, Invalide
from backoffice.socle.templatetags.ror import date_longue, nombre
from backoffice.socle.vues import VueProtegee

from . import regles, requetes
from .affichage import Affichage, Section, champ_en_mots, decompte, peut_voir_dossier
from .champs import Champ, Qui, champs_de, est_exige, est_vide, libelle, manquants
from .domaine import modifier as modification_directe
from .domaine.patches import Etat, Patch, appliquer, difference, valeur
from .enums import Niveau, Source
from .forms import DateEffetForm, FicheForm
from .models import Fiche, FicheReservee, Modification, Reservation, VersionFiche

DERNIERES = 20  # modifications shown on the page of a fiche
LIMITE_DEROULEE = 5_000  # fiches unrolled at once on a list page
GRAND_ARBRE = 150  # from that many fiches on, a tree is folded below the Services


# -- what the pages share ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Jour:
    """The day that a page shows. ``autre``: another one than today was asked for (``?au=``)."""

    jour: date
    autre: bool = False
    erreur: str = ""

    @property
    def suffixe(self) -> str:
        return f"?{urlencode({'au': self.jour.isoformat()})}" if self.autre else ""


def jour_demande(request: HttpRequest) -> Jour:
    """The day of ``?au=YYYY-MM-DD``, today otherwise; ``erreur`` says what is wrong with a date that is none."""
    demande, aujourdhui = request.GET.get("au", "").strip(), timezone.localdate()
    if not demande:
        return Jour(aujourdhui)
    try:
        jour = date.fromisoformat(demande)
    except ValueError:
        jour = None
    if jour is None or not 1900 <= jour.year <= 2199:
        return Jour(
            aujourdhui,
            erreur=f"« {demande[:40]} » n’est pas une date que le répertoire peut montrer : vous le consultez à la "
            "date d’aujourd’hui. Écrivez une date comme 2027-03-01.",
        )
    return Jour(jour, autre=jour != aujourdhui)


def adresse(nom: str, *args: Any) -> str:
    """The address of a name, "" when no app declares it (yet)."""
    try:
        return reverse(nom, args=args)
    except NoReverseMatch:
        return ""


def adresse_fiche(identifiant: str, jour: Jour | None = None) -> str:
    return reverse("fiche", args=[identifiant]) + (jour.suffixe if jour else "")


def fiche_ou_404(identifiant: str) -> Fiche:
    fiche = Fiche.objects.filter(identifiant=identifiant).select_related("eg").first()
    if fiche is None:
        raise Introuvable(
            "fiche_inconnue", f"Aucune fiche du répertoire ne porte l’identifiant « {identifiant[:20]} »."
        )
    return fiche


def noeuds_affiches(racine: requetes.Noeud, jour: Jour, actif: int | None = None) -> list[NoeudAffiche]:
    """A tree of the register as <c-arbre> draws it, each branch with the number of its UO."""
    taille = sum(1 for _ in racine.parcours())

    def un(noeud: requetes.Noeud) -> tuple[NoeudAffiche, int]:
        dessous = [un(enfant) for enfant in noeud.enfants]
        uo = sum(n for _, n in dessous) + (noeud.niveau == Niveau.UO)
        affiche = NoeudAffiche(
            id=noeud.identifiant,
            niveau=noeud.niveau,
            libelle=noeud.nom or "(sans nom)",
            url=adresse_fiche(noeud.identifiant, jour),
            enfants=[n for n, _ in dessous],
            etats=["sensible"] if noeud.sensible else [],
            actif=noeud.fiche_id == actif,
            ouvert=taille < GRAND_ARBRE or noeud.niveau in (Niveau.EG, Niveau.POLE),
            note=f"{nombre(uo)} UO" if noeud.enfants else "",
        )
        return affiche, uo

    return [un(racine)[0]]


def bandeau_dossier(user: Any, reservation: Reservation | None) -> dict[str, Any] | None:
    """What the yellow banner says; the link only for those who may open the dossier."""
    if reservation is None:
        return None
    lien = adresse("dossier", reservation.dossier) if peut_voir_dossier(user, reservation.dossier) else ""
    return {
        "nom": reservation.nom,
        "etape": reservation.etape,
        "envoye_le": reservation.envoye_le,
        "url": lien,
    }


# -- the list ----------------------------------------------------------------------------------------


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
        page = requetes.page_egs(autres, apres=_entier(request, "apres"), avant=_entier(request, "avant"))
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


def _entier(request: HttpRequest, nom: str) -> int | None:
    brut = request.GET.get(nom, "")
    return int(brut) if brut.isdecimal() and len(brut) < 19 else None


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


# -- one fiche ---------------------------------------------------------------------------------------


class VueFiche(VueProtegee):
    """A page about one fiche; ``self.fiche``, 404 when nobody was given this identifier."""

    fiche: Fiche

    def autoriser(self, request: HttpRequest) -> None:
        self.fiche = fiche_ou_404(self.kwargs["identifiant"])

    def fil(self, fiche: Fiche, jour: Jour, dernier: str = "", contenu_au: date | None = None) -> list[tuple[str, str]]:
        """Breadcrumb from the répertoire down to this fiche, then ``dernier``."""
        chaine = requetes.fil_de(fiche.pk, contenu_au or jour.jour)
        fil = [("Répertoire", reverse("repertoire") + jour.suffixe)]
        fil += [(m.nom or m.identifiant, adresse_fiche(m.identifiant, jour)) for m in chaine]
        if dernier:
            fil.append((dernier, ""))
        elif chaine:
            fil[-1] = (fil[-1][0], "")
        return fil


def champ_de_l_eg(fiche: Fiche, version: VersionFiche, jour: date) -> str:
    """Field of activity (sanitaire…) of the establishment of a fiche; "" for an EJ."""
    if fiche.eg_id is None:
        return ""
    eg = version if fiche.niveau == Niveau.EG else requetes.versions_au(jour).filter(fiche=fiche.eg_id).first()
    return requetes.champ_et_filiere(eg.categorie if eg else "")[0]


class FicheView(VueFiche):
    """What the register says of a fiche on a day: content by sections, weeks, contacts, changes planned and past."""

    def get(self, request: HttpRequest, identifiant: str) -> HttpResponse:
        jour, fiche = jour_demande(request), self.fiche
        version = requetes.version_la_plus_proche(fiche, jour.jour)
        if version is None:  # known to a dossier only: nothing shows before publication (acceptance 77)
            raise Introuvable("fiche_inconnue", f"Aucune fiche du répertoire ne porte l’identifiant « {identifiant} ».")
        ouverte, fermee_le, ouvrira_le, contenu_au = _presence(version, jour.jour)
        etat = requetes.etat_de(version)
        champ_eg = champ_de_l_eg(fiche, version, contenu_au)
        modifiable = regles.peut_modifier(request.user, fiche)
        etapes = requetes.etapes_de(fiche)
        tres_restreint = regles.peut_lire_contacts_tres_restreints(request.user, fiche)
        affichage = Affichage(
            [etat, *_etats_des(etapes)],
            niveau=fiche.niveau,
            jour=contenu_au,
            tres_restreint=tres_restreint,
            une_fiche=True,
        )
        gestionnaire = regles.est_gestionnaire(request.user)
        visibles = [c for c in champs_de(fiche.niveau) if gestionnaire or c.section != "gestion"]
        sections = affichage.sections(etat, champ_eg, visibles)
        reservation = requetes.reservation_de(fiche.eg_id)
        verrouillee = reservation is not None and FicheReservee.objects.filter(fiche=fiche).exists()
        prevus = _prevus(etapes, affichage, request.user, gestionnaire=gestionnaire, modifiable=modifiable)
        return render(
            request,
            "structures/fiche.html",
            {
                "fiche": fiche,
                "version": version,
                "nom": version.nom or "(sans nom)",
                "niveau": Niveau(fiche.niveau).label,
                "champ_eg": champ_en_mots(champ_eg),
                "jour": jour,
                "fil": self.fil(fiche, jour, contenu_au=contenu_au),
                "ouverte": ouverte,
                "fermee_le": fermee_le,
                "ouvrira_le": ouvrira_le,
                "bandeau": bandeau_dossier(request.user, reservation),
                "manquants": [libelle(c, fiche.niveau) for c in manquants(fiche.niveau, champ_eg, etat)],
                "sensible": bool(valeur(etat, "unite_sensible")),
                "principales": _colonne(sections, _PRINCIPALES),
                "laterales": _colonne(sections, _LATERALES),
                "vides": [s for s in sections if not s.remplie],
                "prevus": prevus,
                "prochain": f"le {date_longue(prevus[0]['date_effet'])}" if prevus else "",
                "historique": _evenements(sorted(etapes, key=_entree, reverse=True)[:DERNIERES], fiche.niveau),
                "nombre_modifications": len(etapes),
                "modifiable": modifiable and ouverte and not jour.autre,
                "verrouillee": verrouillee,
                "actions_structure": _actions_structure(request, fiche, reservation)
                if ouverte and not jour.autre
                else [],
                **_dessous(fiche, jour, contenu_au),
            },
        )


def _actions_structure(request: HttpRequest, fiche: Fiche, reservation: Reservation | None) -> list[dict[str, Any]]:
    """Menu of an EG, and of no other level: create the dossier that changes its structure, or open the one there is
    (acceptance 54 and 55). Empty for those who may not."""
    if fiche.niveau != Niveau.EG or not regles.a_role_sur(request.user, fiche.pk):
        return []
    if reservation is not None:
        ouvert = adresse("dossier", reservation.dossier)
        return [{"libelle": "Ouvrir le dossier collaboratif", "url": ouvert, "icone": "dossier"}] if ouvert else []
    creer = adresse("dossier_creer")
    return (
        [{"libelle": "Créer un dossier collaboratif", "url": f"{creer}?eg={fiche.identifiant}", "icone": "dossier"}]
        if creer
        else []
    )


_PRINCIPALES = ("offre", "identite", "public", "acces", "moyens", "territoire", "gestion")
_LATERALES = ("horaires", "contacts", "vie")


def _presence(version: VersionFiche, jour: date) -> tuple[bool, date | None, date | None, date]:
    """(exists on that day, closed since, will open on, the day whose content is shown)."""
    du, au = version.validite.lower, version.validite.upper
    if du > jour:
        return False, None, du, du
    if au is not None and au <= jour:
        return False, au, None, date.fromordinal(au.toordinal() - 1)
    return True, None, None, jour


def _colonne(sections: Iterable[Section], codes: tuple[str, ...]) -> list[Section]:
    par_code = {s.code: s for s in sections}
    return [par_code[code] for code in codes if code in par_code and par_code[code].remplie]


def _dessous(fiche: Fiche, jour: Jour, contenu_au: date) -> dict[str, Any]:
    """What hangs under the fiche: the tree of an EG, the establishments of an EJ, the branch of the others."""
    if fiche.niveau == Niveau.EJ:
        egs = list(requetes.egs_de_ej(fiche.pk, contenu_au))
        noeuds = [
            NoeudAffiche(
                id=v.fiche.identifiant, niveau="EG", libelle=v.nom, url=adresse_fiche(v.fiche.identifiant, jour)
            )
            for v in egs
        ]
        return {"noeuds": noeuds, "decompte": [("EG", len(egs))] if egs else [], "titre_arbre": "Établissements"}
    if fiche.niveau == Niveau.UO or fiche.eg is None:
        return {"noeuds": None, "decompte": [], "titre_arbre": ""}
    noeuds_lus = requetes.noeuds_au(fiche.eg, contenu_au)
    racine = requetes.assembler(noeuds_lus, fiche.eg.pk) and noeuds_lus.get(fiche.pk)
    if racine is None:
        return {"noeuds": None, "decompte": [], "titre_arbre": ""}
    comptes = decompte(n for n in racine.parcours() if n is not racine)
    return {"noeuds": noeuds_affiches(racine, jour, actif=fiche.pk), "decompte": comptes, "titre_arbre": "Structures"}


# -- changes, planned and past -----------------------------------------------------------------------


def _entree(etape: requetes.Etape) -> int:
    return etape.modification.pk


def _etats_des(etapes: Iterable[requetes.Etape]) -> Iterable[Mapping[str, Any]]:
    """The values that a list of modifications shows: the fields each one changed, before and after."""
    for _, avant, apres in etapes:
        yield avant
        yield apres


def _noms_changes(modification: Modification, niveau: str) -> list[str]:
    """Labels of the fields of a patch, in the order of the screen."""
    noms = {"existe": "Création de la fiche" if modification.patch.get("existe") else "Fermeture de la fiche"}
    noms["parent"] = "Rattachement"
    noms |= {c.nom: libelle(c, niveau) for c in champs_de(niveau) if not c.nom.endswith("_unite")}
    touches = {nom.removesuffix("_unite") for nom in modification.patch}
    return [intitule for nom, intitule in noms.items() if nom in touches]


def _qui(modification: Modification) -> str:
    return str(modification.auteur or modification.origine or "Import")


def _titre(modification: Modification) -> str:
    """« Modification directe », « Dossier collaboratif 12 », « Import FINESS 2021-01-08 »."""
    if modification.source == Source.DIRECT:
        return "Modification directe"
    return modification.origine[:1].upper() + modification.origine[1:] or Source(modification.source).label


def _prevus(
    etapes: Iterable[requetes.Etape], affichage: Affichage, user: Any, *, gestionnaire: bool, modifiable: bool
) -> list[dict[str, Any]]:
    """Live changes that are not true yet, the nearest first, each with what it changes (``regles.peut_annuler``
    answers again when one is cancelled)."""
    aujourdhui = timezone.localdate()
    return [
        {
            "pk": m.pk,
            "date_effet": m.date_effet,
            "qui": _qui(m),
            "titre": _titre(m),
            "saisie_le": m.saisie_le,
            "motif": m.motif,
            "lignes": affichage.differences(avant, apres, m.patch, concis=True),
            "annulable": m.source == Source.DIRECT and modifiable and (gestionnaire or m.auteur_id == user.pk),
        }
        for m, avant, apres in etapes
        if m.annulee_le is None and m.date_effet > aujourdhui
    ]


def _evenements(etapes: Iterable[requetes.Etape], niveau: str) -> list[dict[str, Any]]:
    """Lines of <c-chronologie>: who changed what, when, true from when."""
    evenements = []
    for m, _, _ in etapes:
        champs = _noms_changes(m, niveau)
        # Never « et 1 autres champs »: seven names are told whole.
        montres = champs if len(champs) <= 7 else champs[:6]
        reste = f" et {len(champs) - 6} autres champs" if len(champs) > 7 else ""
        phrases = [", ".join(montres) + reste]
        if m.date_effet != timezone.localdate(m.saisie_le):
            phrases.append(f"Date d’effet : {date_longue(m.date_effet)}.")
        if m.motif:
            phrases.append(f"Motif : {m.motif}")
        if m.annulee_le is not None:
            phrases.append(f"Annulé par {m.annulee_par} le {date_longue(m.annulee_le)}.")
        evenements.append(
            {
                "quand": m.saisie_le,
                "titre": _titre(m),
                "qui": str(m.auteur or ""),
                "texte": "\n".join(phrases),
                "icone": "abandon"
                if m.annulee_le
                else {"direct": "crayon", "dossier": "dossier"}.get(m.source, "importer"),
                "etat": "",
                "url": "",
            }
        )
    return evenements


class HistoriqueView(VueFiche):
    """Every modification of a fiche, the last entered first, with what each one changed; 50 a page."""

    TAILLE = 50

    def get(self, request: HttpRequest, identifiant: str) -> HttpResponse:
        fiche, aujourdhui = self.fiche, Jour(timezone.localdate())
        version = requetes.version_la_plus_proche(fiche)
        if version is None:
            raise Introuvable("fiche_inconnue", f"Aucune fiche du répertoire ne porte l’identifiant « {identifiant} ».")
        etapes = sorted(requetes.etapes_de(fiche), key=_entree, reverse=True)
        avant = _entier(request, "avant")
        suite = [e for e in etapes if avant is None or e.modification.pk < avant]
        montrees = suite[: self.TAILLE]
        affichage = Affichage(
            _etats_des(etapes),
            niveau=fiche.niveau,
            tres_restreint=regles.peut_lire_contacts_tres_restreints(request.user, fiche),
            une_fiche=True,
        )
        evenements = _evenements(montrees, fiche.niveau)
        for evenement, (m, avant_, apres) in zip(evenements, montrees, strict=True):
            evenement["lignes"] = affichage.differences(avant_, apres, m.patch)
        _, _, _, contenu_au = _presence(version, aujourdhui.jour)
        return render(
            request,
            "structures/historique.html",
            {
                "fiche": fiche,
                "nom": version.nom or "(sans nom)",
                "niveau": Niveau(fiche.niveau).label,
                "fil": self.fil(fiche, aujourdhui, "Historique", contenu_au),
                "evenements": evenements,
                "total": len(etapes),
                "suivant": montrees[-1].modification.pk if len(suite) > self.TAILLE else None,
            },
        )


class AnnulerChangementView(VueFiche):
    """Cancel a planned change: asks first (GET), then does it (POST)."""

    def autoriser(self, request: HttpRequest) -> None:
        super().autoriser(request)
        trouvee = self.fiche.modifications.filter(pk=self.kwargs["pk"]).select_related("auteur").first()
        if trouvee is None:
            raise Introuvable("changement_inconnu", "Ce changement n’existe pas sur cette fiche.")
        self.modification: Modification = trouvee
        if trouvee.source != Source.DIRECT or not regles.peut_annuler(request.user, trouvee):
            raise Interdit("sans_droit", "Seuls l’auteur du changement et les gestionnaires peuvent l’annuler.")

    def get(self, request: HttpRequest, identifiant: str, pk: int) -> HttpResponse:
        m = self.modification
        champs = ", ".join(_noms_changes(m, self.fiche.niveau))
        return render(
            request,
            "socle/confirmation.html",
            {
                "titre": "Annuler ce changement prévu ?",
                "texte": f"Le changement prévu le {date_longue(m.date_effet)} par {_qui(m)} n’aura pas lieu.\n"
                f"Il porte sur : {champs}.",
                "confirmer": "Annuler ce changement",
                "url": request.path,
                "retour": adresse_fiche(identifiant),
                "danger": True,
                "form": None,
            },
        )

    def post(self, request: HttpRequest, identifiant: str, pk: int) -> HttpResponse:
        modification_directe.annuler_prevue(modification=self.modification, acteur=cast(User, request.user))
        messages.success(
            request,
            f"Le changement prévu le {date_longue(self.modification.date_effet)} est annulé : il n’aura pas lieu.",
        )
        return HttpResponseRedirect(adresse_fiche(identifiant))


# -- modification directe ----------------------------------------------------------------------------


class ModifierView(VueFiche):
    """Direct change in two steps on one address: the form, then what changes and from when.

    Everything travels in the form: the values typed, and the ``jeton`` that names what it was filled from.
    """

    def autoriser(self, request: HttpRequest) -> None:
        super().autoriser(request)
        if not regles.peut_modifier(request.user, self.fiche):
            raise Interdit(
                "sans_droit", "Vous n’avez pas le droit de modifier cette fiche : vous pouvez seulement la lire."
            )
        self.gestionnaire = regles.est_gestionnaire(request.user)
        qui = {Qui.PARTOUT, Qui.GESTIONNAIRE} if self.gestionnaire else {Qui.PARTOUT}
        self.champs: list[Champ] = champs_de(self.fiche.niveau, qui)
        request.libelles_saisie = {c.nom: libelle(c, self.fiche.niveau) for c in self.champs}  # type: ignore[attr-defined]

    def _formulaire(self, etat: Etat, jour: date, data: Any = None, montre: Etat | None = None) -> FicheForm:
        return FicheForm(
            niveau=self.fiche.niveau,
            champs=self.champs,
            etat=etat,
            champ_eg=self.champ_eg,
            data=data,
            jour=jour,
            montre=montre,
        )

    def _lire(self) -> modification_directe.Lecture:
        """The fiche as it is today; refuses one that is closed, or that a sent dossier changes."""
        lecture = modification_directe.lire(self.fiche)
        version = requetes.version_au(self.fiche)
        if lecture is None or version is None:
            raise Conflit("fiche_fermee", "Cette fiche n’est pas ouverte aujourd’hui : elle ne peut pas être modifiée.")
        self.champ_eg = champ_de_l_eg(self.fiche, version, lecture.jour)
        return lecture

    def _page(
        self, request: HttpRequest, form: FicheForm, jeton: str, *, statut: int = 200, **plus: Any
    ) -> HttpResponse:
        affichage = Affichage([form.etat], niveau=self.fiche.niveau, jour=form.jour, tres_restreint=True)
        contexte = {
            "fiche": self.fiche,
            "nom": valeur(form.etat, "nom") or "(sans nom)",
            "niveau": Niveau(self.fiche.niveau).label,
            "fil": self.fil(self.fiche, Jour(timezone.localdate()), "Modifier"),
            "form": form,
            "sections": form.sections(),
            "figes": self._figes(form.etat, affichage),
            "jeton": jeton,
            "jour_lecture": form.jour.isoformat(),
            "bandeau": bandeau_dossier(request.user, requetes.reservation_de(self.fiche.eg_id)),
            "url_fiche": adresse_fiche(self.fiche.identifiant),
            "url_ou_modifier": adresse("ou_modifier"),
            "conflit": None,
            "rouverte": False,
            "ecarts": [],
            "non_repris": [],
        }
        return render(request, "structures/fiche_modifier.html", contexte | plus, status=statut)

    def _figes(self, etat: Etat, affichage: Affichage) -> list[tuple[str, Any]]:
        """What this screen shows and does not change: the official identity, and what belongs to the dossier."""
        modifiables = {c.nom for c in self.champs}
        figes = [
            c
            for c in champs_de(self.fiche.niveau)
            if c.nom not in modifiables and c.section != "gestion" and not est_vide(c, valeur(etat, c.nom))
        ]
        return [(libelle(c, self.fiche.niveau), affichage.texte(c.nom, etat)) for c in figes]

    def get(self, request: HttpRequest, identifiant: str) -> HttpResponse:
        lecture = self._lire()
        reservee = FicheReservee.objects.filter(fiche=self.fiche).select_related("reservation").first()
        if reservee is not None:
            nom = reservee.reservation.nom
            raise Conflit(
                "fiche_reservee",
                f"Le dossier collaboratif « {nom} » change cette fiche et est en cours de validation. Elle pourra être "
                "modifiée quand il sera publié ou rendu à ses auteurs.",
            )
        return self._page(request, self._formulaire(lecture.etat, lecture.jour), lecture.jeton)

    def post(self, request: HttpRequest, identifiant: str) -> HttpResponse:
        lecture = self._lire()
        jeton = request.POST.get("jeton", "")
        jour = _jour_poste(request.POST.get("jour", ""))
        base = requetes.etat_lu(self.fiche, jeton, jour)
        if base is None:
            raise Invalide("jeton", "Le formulaire est illisible. Rouvrez la fiche et recommencez.")
        form = self._formulaire(base, jour, request.POST)
        etape = request.POST.get("etape", "")
        if etape == "saisie":  # back from the summary
            return self._page(request, form, jeton)
        if etape == "rouvrir" and form.is_valid():
            return self._rouvrir(request, lecture, base, form.patch(base))
        patch = form.verifier(base)
        self._refuser_oublis(form, base)
        if not patch and form.is_valid():
            form.add_error(None, "Rien n’a changé : modifiez au moins un champ, ou revenez à la fiche.")
        if not form.is_valid():
            return self._page(request, form, jeton, statut=422)
        if etape != "enregistrer":
            return self._resume(request, form, base, jeton, DateEffetForm(gestionnaire=self.gestionnaire))
        return self._enregistrer(request, form, base, jeton, patch, lecture)

    def _refuser_oublis(self, form: FicheForm, base: Etat) -> None:
        """A published fiche does not lose what it can't be published without."""
        saisi = form.etat_saisi()
        form.ajouter_erreurs(
            {
                c.nom: [
                    f"« {libelle(c, self.fiche.niveau)} » est obligatoire : cette information ne peut pas être vidée."
                ]
                for c in self.champs
                if c.nom in saisi
                and est_exige(c, self.champ_eg)
                and est_vide(c, saisi[c.nom])
                and not est_vide(c, valeur(base, c.nom))
            }
        )

    def _resume(
        self, request: HttpRequest, form: FicheForm, base: Etat, jeton: str, effet: DateEffetForm, statut: int = 200
    ) -> HttpResponse:
        saisi = {**base, **form.etat_saisi()}
        affichage = Affichage([base, saisi], niveau=self.fiche.niveau, jour=form.jour, tres_restreint=True)
        return render(
            request,
            "structures/fiche_resume.html",
            {
                "fiche": self.fiche,
                "nom": valeur(base, "nom") or "(sans nom)",
                "niveau": Niveau(self.fiche.niveau).label,
                "fil": self.fil(self.fiche, Jour(timezone.localdate()), "Modifier"),
                "lignes": affichage.differences(base, saisi),
                "effet": effet,
                "form": form,
                "caches": [
                    (nom, contenu)
                    for nom, contenus in request.POST.lists()
                    if nom not in ("csrfmiddlewaretoken", "etape", "date_effet", "motif")
                    for contenu in contenus
                ],
                "url_fiche": adresse_fiche(self.fiche.identifiant),
            },
            status=statut,
        )

    def _enregistrer(
        self,
        request: HttpRequest,
        form: FicheForm,
        base: Etat,
        jeton: str,
        patch: Patch,
        lecture: modification_directe.Lecture,
    ) -> HttpResponse:
        effet = DateEffetForm(gestionnaire=self.gestionnaire, data=request.POST)
        if not effet.is_valid():
            return self._resume(request, form, base, jeton, effet, statut=422)
        date_effet = effet.cleaned_data["date_effet"]
        try:
            modification_directe.modifier(
                fiche=self.fiche,
                acteur=cast(User, request.user),
                patch=patch,
                date_effet=date_effet,
                jeton=jeton,
                motif=effet.cleaned_data.get("motif", ""),
            )
        except Conflit as refus:
            return self._conflit(request, form, base, jeton, refus, lecture)
        except Invalide as refus:
            if refus.champs.keys() & {"date_effet", "motif"}:
                _reporter(effet, refus)
                return self._resume(request, form, base, jeton, effet, statut=422)
            form.ajouter_erreurs(refus.champs or {"": [refus.message]})
            return self._page(request, form, jeton, statut=422)
        messages.success(request, _quand_visible(date_effet))
        return HttpResponseRedirect(adresse_fiche(self.fiche.identifiant))

    def _conflit(
        self,
        request: HttpRequest,
        form: FicheForm,
        base: Etat,
        jeton: str,
        refus: Conflit,
        lecture: modification_directe.Lecture,
    ) -> HttpResponse:
        """The form again, with all that was typed, and what the fiche holds now where somebody changed it."""
        saisi = form.etat_saisi()
        affichage = Affichage([base, lecture.etat, saisi], niveau=self.fiche.niveau, tres_restreint=True)
        autres = {nom: lecture.etat[nom] for nom in saisi if nom in lecture.etat}
        changes = difference(base, autres)
        ecarts = [
            {
                "champ": ligne["champ"],
                "alors": ligne["avant"],
                "maintenant": ligne["apres"],
                "saisi": affichage.texte(nom, saisi),
            }
            for nom in saisi
            if nom in changes
            for ligne in affichage.differences(base, lecture.etat, [nom])
        ]
        return self._page(
            request,
            form,
            jeton,
            statut=409,
            conflit={"message": refus.message, "rouvrir": refus.code == "modifiee_entre_temps"},
            ecarts=ecarts,
        )

    def _rouvrir(
        self, request: HttpRequest, lecture: modification_directe.Lecture, base: Etat, patch: Patch
    ) -> HttpResponse:
        """The form on the values of now, with what was typed where nobody else changed anything.

        What collides is not taken over: it is listed, to be typed again knowingly.
        """
        autres = difference(base, {nom: valeur(lecture.etat, nom) for nom in patch})
        repris = {
            nom: changement
            for nom, changement in patch.items()
            if nom not in autres or not modification_directe.se_heurtent(nom, changement, autres[nom])
        }
        laisses = {nom: changement for nom, changement in patch.items() if nom not in repris}
        voulu = appliquer(lecture.etat, laisses)
        affichage = Affichage([lecture.etat, voulu], niveau=self.fiche.niveau, tres_restreint=True)
        return self._page(
            request,
            self._formulaire(lecture.etat, lecture.jour, montre=appliquer(lecture.etat, repris)),
            lecture.jeton,
            rouverte=True,
            non_repris=affichage.differences(lecture.etat, voulu, laisses),
        )


def _jour_poste(brut: str) -> date:
    try:
        return date.fromisoformat(brut)
    except ValueError:
        return timezone.localdate()


def _reporter(form: Any, refus: ErreurMetier) -> None:
    for nom, phrases in refus.champs.items():
        form.add_error(nom if nom in form.fields else None, list(phrases))


def _quand_visible(date_effet: date) -> str:
    aujourdhui = timezone.localdate()
    if date_effet == aujourdhui:
        return "Les changements sont enregistrés et visibles dès maintenant dans le répertoire."
    if date_effet < aujourdhui:
        return f"Les changements sont enregistrés : ils prennent effet au {date_longue(date_effet)}."
    return (
        f"Les changements sont enregistrés. Ils seront visibles dans le répertoire le {date_longue(date_effet)} ; "
        "d’ici là, ils peuvent être annulés sur cette page."
    )
