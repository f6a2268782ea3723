"""The tools of test_machine_a_etats.py: each operation on the real dossier and on the naive model, held together."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine

from backoffice.socle.erreurs import ErreurMetier
from structures.enums import Role
from structures.models import Modification
from structures.requetes import etats_au, noeuds_au
from tests.factories import dossiers as fabrique
from tests.factories.repertoire import compte, etablissement, gestionnaire, pole, service, uf, uo
from tests.workflows.modele_naif import CHAMPS, Modele, Voulu
from workflows.domaine import contenu, gestes
from workflows.domaine.apercu import Apercu
from workflows.domaine.fusion import etat_de_travail
from workflows.models import Dossier, FicheTravail, Geste

CHAMP_TEXTE = {"EG": "commentaire", "UO": "conditions_accueil"}  # « code_interne » between


def texte_de(niveau: str) -> str:
    return CHAMP_TEXTE.get(niveau, "code_interne")


class Hopital:
    """The establishment that every example starts from."""

    def __init__(self) -> None:
        self.eg = etablissement("sanitaire", nom="Hôpital TEST")
        p = pole(self.eg)
        s = service(p)
        unites = [uf(s, nom=f"UF {i}") for i in (1, 2)]
        uos = [uo(unites[0], nom="Unité A"), uo(unites[0], nom="Unité B"), uo(unites[1], nom="Unité C")]
        self.niveaux = {f.pk: f.niveau for f in (self.eg, p, s, *unites, *uos)}
        self.fiches = {f.pk: f for f in (self.eg, p, s, *unites, *uos)}
        self.gens = {nom: compte(Role.REFERENT, self.eg, nom) for nom in ("lea", "tom")}
        self.direction, self.sesan = compte(Role.DIRECTION, self.eg, "dir"), gestionnaire("sesan")


class Chantier(RuleBasedStateMachine):
    """One dossier on the hospital, and its model."""

    hopital: Hopital
    bilan: Counter[tuple[str, str]]  # (verb, code of its refusal or « fait »)
    dossier: Dossier
    modele: Modele
    fiches: dict[int, Any]  # all that were ever there
    numeros: dict[int, int]  # of the model's gestures, those of the dossier

    # -- what is there -----------------------------------------------------------------------------------

    def registre(self) -> dict[int, dict[str, Any]]:
        noeuds = noeuds_au(self.hopital.eg)
        return {
            cle: {
                "parent": etat["parent"],
                "texte": etat[texte_de(noeuds[cle].niveau)] or "",
                "codes": set(etat.get("activites", ())) - {"013"},
            }
            for cle, etat in etats_au(noeuds).items()
        }

    def travaux(self) -> list[FicheTravail]:
        return list(self.dossier.fiches.select_related("fiche", "modifiee_par"))

    def photo(self) -> tuple[Any, ...]:
        return (
            list(FicheTravail.objects.filter(dossier=self.dossier).order_by("pk").values_list()),
            list(Geste.objects.filter(dossier=self.dossier).order_by("pk").values_list("pk", "annule_le")),
            self.dossier.evenements.count(),
            Modification.objects.count(),
            Dossier.objects.values_list("etat").get(pk=self.dossier.pk),
        )

    def une(self, rang: int) -> int:
        """Any fiche that was ever there: removed ones too."""
        return sorted(self.fiches)[rang % len(self.fiches)]

    def plutot(self, rang: int, candidats: Iterable[int]) -> int:
        """Mostly one of these, for which the operation is likely to be accepted; any fiche one time in four."""
        choix = sorted(candidats)
        return choix[rang % len(choix)] if choix and rang % 4 else self.une(rang)

    def vivantes(self) -> list[int]:
        return [f for f in self.modele.presentes() if f != self.modele.racine and not self.modele.supprimee(f)]

    # -- doing it ----------------------------------------------------------------------------------------

    def tenter(self, verbe: Any, qui: str, prevu: bool | None, **arguments: Any) -> Any:
        """Do it; None when it is refused, which must change nothing. ``prevu``: what the model says (None: either)."""
        avant, refus, resultat = self.photo(), None, None
        try:
            resultat = verbe(numero=self.dossier.pk, acteur=self.hopital.gens[qui], **arguments)
        except ErreurMetier as erreur:
            refus = erreur
        self.bilan[verbe.__name__, refus.code if refus else "fait"] += 1
        assert prevu is None or prevu == (refus is None), refus
        if refus is not None:
            assert self.photo() == avant
            return None
        return True if resultat is None else resultat

    def compter(self, qui: str, apres: dict[int, Voulu | None], *, force: bool = False) -> None:
        numero = self.modele.geste(qui, apres, force=force)
        dernier = Geste.objects.filter(dossier=self.dossier).latest("pk").pk if numero else None
        assert (dernier in self.numeros.values()) is False
        if numero and dernier:
            self.numeros[numero] = dernier

    # -- gestures ----------------------------------------------------------------------------------------

    def neuve(self, fiche: Any, parent: int, nom: str, complet: bool) -> Voulu:
        self.fiches[fiche.pk], self.modele.niveaux[fiche.pk] = fiche, fiche.niveau
        return Voulu(valeurs={"parent": parent}, existe=True, nom=nom, complet=complet)

    def copies(
        self, modele: int, copie: FicheTravail, parent: int, crees: dict[int, FicheTravail], modeles: set[int]
    ) -> dict[int, Voulu | None]:
        """What the copies must be: paired with their models by name, below each pair in turn."""
        m, source = self.modele, self.modele.copie(modele)
        voulu = self.neuve(
            copie.fiche, parent, copie.patch.get("nom", ""), source.complet or copie.fiche.niveau != "UO"
        )
        if m.valeur(modele, "texte"):
            voulu.valeurs["texte"] = m.valeur(modele, "texte")
        voulu.codes = dict.fromkeys(m.codes(modele), True)
        trouvees: dict[int, Voulu | None] = {copie.fiche_id: voulu}
        dessous = [f for f in m.presentes() if f in modeles and f != modele and m.place(f) == modele]
        enfants = [t for t in crees.values() if t.patch["parent"] == copie.fiche_id]
        assert len(dessous) == len(enfants)
        for fiche, travail in zip(sorted(dessous, key=self.cle), sorted(enfants, key=self.cle_de_copie), strict=True):
            trouvees |= self.copies(fiche, travail, copie.fiche_id, crees, modeles)
        return trouvees

    def cle(self, fiche: int) -> tuple[Any, ...]:
        m = self.modele
        dessous = sorted(
            self.cle(f) for f in m.presentes() if f != m.racine and m.place(f) == fiche and not m.supprimee(f)
        )
        return (m.valeur(fiche, "texte") or "", sorted(m.codes(fiche)), m.copie(fiche).complet, dessous)

    def cle_de_copie(self, travail: FicheTravail) -> tuple[Any, ...]:
        dessous = sorted(self.cle_de_copie(t) for t in self.travaux() if t.patch.get("parent") == travail.fiche_id)
        codes = set(travail.patch.get("activites", {}).get("ajoute", ())) - {"013"}
        patch, niveau = travail.patch, travail.fiche.niveau
        return (
            patch.get(texte_de(niveau), ""),
            sorted(codes),
            ("type_uo" if niveau == "UO" else "nom") in patch,
            dessous,
        )

    def _supprimer(self, qui: str, choisies: list[int]) -> None:
        m, ici = self.modele, self.modele.presentes()
        prevu = all(f in ici and f != m.racine and not m.supprimee(f) for f in choisies)
        if prevu:
            fermees = {f for c in choisies if not m.neuve(c) for f in m.branche(c)}
            perdues = {f for c in choisies for f in m.branche(c) if not m.neuve(f) and not m.supprimee(f)}
            prevu = perdues <= fermees
        if self.tenter(gestes.supprimer, qui, prevu, fiches=choisies):
            branche = {f for c in choisies for f in m.branche(c) if not m.supprimee(f)}
            self.compter(qui, {f: None if m.neuve(f) else self.fermee(f) for f in branche})

    def fermee(self, fiche: int) -> Voulu:
        voulu = self.modele.copie(fiche)
        voulu.existe, voulu.finalise = False, True
        return voulu

    def _annuler(self, qui: str, fiche: int) -> Any:
        m, ici = self.modele, self.modele.presentes()
        voulu = m.voulu.get(fiche)
        lot = [fiche]
        if voulu and m.supprimee(fiche):
            lot = [f for f in ici if m.supprimee(f) and m.voulu[f].jeton == voulu.jeton]
        rendus = {f: self.rouverte(f) if fiche in ici and m.supprimee(fiche) else None for f in lot}
        prevu = voulu is not None
        if fiche in ici:
            dessous = any(f != m.racine and m.place(f) == fiche for f in ici)
            places = [
                m.parent(f) if m.supprimee(f) and m.parent(f) in ici else m.registre.get(f, {}).get("parent")
                for f in lot
            ]
            prevu = prevu and not (m.neuve(fiche) and dessous)
            prevu = prevu and not any(p in ici and m.supprimee(p) and p not in lot for p in places)
        fait = self.tenter(gestes.annuler_changement, qui, prevu, fiche=fiche)
        if fait:
            self.compter(qui, rendus)
        return fait

    def rouverte(self, fiche: int) -> Voulu | None:
        voulu = self.modele.copie(fiche)
        voulu.existe, voulu.finalise = None, False
        if self.modele.parent(fiche) not in self.modele.presentes():
            voulu.valeurs.pop("parent", None)
            voulu.base.pop("parent", None)
        return voulu

    # -- forms -------------------------------------------------------------------------------------------

    def accepte(self, fiche: int, revision: int, montre: dict[str, Any], saisi: dict[str, Any]) -> bool:
        m = self.modele
        if fiche not in m.presentes() or m.supprimee(fiche):
            return False
        travail = fabrique.travail(self.dossier, fiche)
        if revision == (travail.revision if travail else 0):
            return True
        if travail is None or (revision and not travail.revisions.filter(numero=revision).exists()):
            return False
        ici = m.valeur(fiche, "texte") or ""
        return montre["texte"] == saisi["texte"] or ici in (montre["texte"], saisi["texte"])

    def saisir(self, qui: str, fiche: int, montre: dict[str, Any], saisi: dict[str, Any], *, fini: bool) -> None:
        """The change made in the form, laid over what is there now."""
        m, voulu = self.modele, self.modele.copie(fiche)
        if saisi["texte"] != montre["texte"]:
            m.poser(voulu, fiche, "texte", saisi["texte"])
        if saisi["codes"] != montre["codes"]:
            codes = (m.codes(fiche) | (saisi["codes"] - montre["codes"])) - (montre["codes"] - saisi["codes"])
            m.poser_codes(voulu, fiche, codes)
        voulu.finalise = fini
        self.compter(qui, {fiche: voulu})

    def _completer(self, qui: str, fiche: int) -> None:
        m, voulu = self.modele, self.modele.copie(fiche)
        nom = voulu.nom or f"Unité {fiche}"
        saisie: dict[str, Any] = {"nom": nom}
        if m.niveaux[fiche] == "UO":
            saisie |= fabrique.COMPLETE | {"activites": frozenset(m.codes(fiche) | {"013"})}
        travail = fabrique.travail(self.dossier, fiche)
        assert travail is not None
        assert self.tenter(
            contenu.enregistrer,
            qui,
            True,
            fiche=fiche,
            saisie=saisie,
            revision=travail.revision,
            registre=fabrique.registre(fiche),
        )
        voulu.complet, voulu.nom, voulu.finalise = True, nom, False
        self.compter(qui, {fiche: voulu})

    def _finaliser(self, qui: str, fiches: list[int]) -> None:
        m, bloquees = self.modele, {f for f, _ in self.modele.conflits()}
        avant = self.photo()
        faits, refus = contenu.finaliser(numero=self.dossier.pk, acteur=self.hopital.gens[qui], fiches=fiches)
        ici = m.presentes()
        attendus = {
            f
            for f in fiches
            if f in ici and f in m.voulu and not m.voulu[f].finalise and m.voulu[f].complet and f not in bloquees
        }
        assert set(faits) == attendus
        assert not attendus & set(refus)
        if not faits:
            assert self.photo() == avant
            return
        apres: dict[int, Voulu | None] = {}
        for fiche in faits:
            apres[fiche] = m.copie(fiche)
            apres[fiche].finalise = True
        self.compter(qui, apres)

    # -- settling ----------------------------------------------------------------------------------------

    def _regler(self, qui: str, fiche: int, champ: str, garder: str) -> None:
        m, voulu = self.modele, self.modele.copie(fiche)
        travail = fabrique.travail(self.dossier, fiche)
        assert travail is not None
        nom = texte_de(m.niveaux[fiche]) if champ == "texte" else champ
        assert self.tenter(
            contenu.enregistrer,
            qui,
            None,
            fiche=fiche,
            saisie={},
            revision=travail.revision,
            departages={nom: garder},
            registre=fabrique.registre(fiche),
        )
        m.poser(voulu, fiche, champ, voulu.valeurs[champ] if garder == "dossier" else m.registre[fiche][champ])
        voulu.finalise = False
        self.compter(qui, {fiche: voulu})

    def _confirmer(self, qui: str, fiche: int) -> None:
        prevu = (fiche, "changee_depuis_la_suppression") in self.modele.collisions()
        if self.tenter(gestes.confirmer_suppression, qui, prevu, fiche=fiche):
            self.compter(qui, {fiche: self.modele.copie(fiche)}, force=True)

    # -- what always holds -------------------------------------------------------------------------------

    def verifier_travail(self, travail: FicheTravail, voulu: Voulu, repertoire: dict[str, Any]) -> None:
        m, fiche = self.modele, travail.fiche_id
        texte = texte_de(m.niveaux[fiche])
        assert travail.patch.get("existe") == voulu.existe
        assert {c: travail.patch.get(texte if c == "texte" else c) for c in CHAMPS} == {
            c: voulu.valeurs.get(c) for c in CHAMPS
        }
        bases = {c: travail.base[n] for c, n in (("parent", "parent"), ("texte", texte)) if n in travail.base}
        assert bases == voulu.base
        codes = etat_de_travail(travail, repertoire).get("activites", frozenset())
        assert set(codes) - {"013"} == (m.codes(fiche) if fiche in m.presentes() else {*codes} - {"013"})

    def verifier_arbre(self, arbre: Apercu) -> None:
        """Legal everywhere but where ``collisions`` asks; each fiche is shown once."""
        vus = [n.fiche_id for n in arbre.racine.parcours()]
        assert sorted(vus) == sorted(arbre.noeuds)
        assert {n.fiche_id for n in arbre.sans_rattachement()} == self.modele.sans_place()
