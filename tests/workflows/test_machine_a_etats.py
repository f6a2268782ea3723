"""Two people work at random on one dossier while a third changes the register (hypothesis, on real PostgreSQL).

After each operation: the tree is legal but for what ``collisions`` names; a refusal changed nothing; the dossier is
what the naive model says, so that each change is there, was refused, or was taken back or settled by a verb that says
so. In the end it is published, and the register is what the model says.

    EXEMPLES=500 .venv/bin/python -m pytest tests/workflows/test_machine_a_etats.py      # longer than the daily run
"""

import os
from collections import Counter
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test

from backoffice.socle.erreurs import Conflit, Invalide
from structures.domaine.enregistrer import ecarts
from structures.requetes import etats_au
from tests.factories import dossiers as fabrique
from tests.factories.repertoire import direct, publier, uo
from tests.workflows.chantier import Chantier, Hopital, texte_de
from tests.workflows.modele_naif import DESSOUS, DESSUS, Modele, Voulu
from workflows.domaine import annulation, contenu, decisions, gestes
from workflows.domaine.apercu import apercu
from workflows.domaine.collisions import collisions
from workflows.domaine.fusion import tous_les_conflits

EXEMPLES = int(os.environ.get("EXEMPLES", "12"))
TEXTES = ("", "Un lit.", "Deux lits.")
CODES = ("014", "097")  # « 013 » stays: an UO offers something
QUI = st.sampled_from(("lea", "tom"))
RANG = st.integers(0, 40)


class DeuxPersonnes(Chantier):
    @initialize()
    def ouvrir(self) -> None:
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        h = self.hopital
        self.fiches = dict(h.fiches)
        self.dossier = fabrique.brouillon(h.eg, h.gens["lea"])
        self.modele = Modele(h.eg.pk, h.niveaux, self.registre())
        self.numeros = {}
        self.formulaires: dict[str, tuple[int, int, Voulu]] = {}

    def teardown(self) -> None:
        if not hasattr(self, "transaction"):
            return
        try:
            self.publier()
        finally:
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)

    # -- gestures ------------------------------------------------------------------------------------

    @rule(qui=QUI, rang=RANG, combien=st.integers(1, 2), nom=st.sampled_from(("", "Unité neuve")))
    def ajouter(self, qui: str, rang: int, combien: int, nom: str) -> None:
        m = self.modele
        sous = self.plutot(rang, [m.racine, *(f for f in self.vivantes() if m.niveaux[f] != "UO")])
        niveau = DESSOUS.get(m.niveaux[sous])
        prevu = sous in m.presentes() and not m.supprimee(sous) and niveau is not None
        crees = self.tenter(gestes.ajouter, qui, prevu, parent=sous, quantite=combien, nom=nom)
        if crees:
            complet = niveau != "UO" and bool(nom)
            self.compter(qui, {t.fiche_id: self.neuve(t.fiche, sous, nom, complet) for t in crees})

    @rule(qui=QUI, rang=RANG, avec=st.booleans())
    def dupliquer(self, qui: str, rang: int, avec: bool) -> None:
        m, fiche = self.modele, self.plutot(rang, self.vivantes())
        prevu = fiche in m.presentes() and fiche != m.racine and not m.supprimee(fiche)
        if not self.tenter(gestes.dupliquer, qui, prevu, fiche=fiche, avec_dessous=avec):
            return
        modeles = [f for f in m.branche(fiche) if not m.supprimee(f)] if avec else [fiche]
        crees = {t.fiche_id: t for t in self.travaux() if t.fiche_id not in self.fiches}
        racine = next(
            t for t in crees.values() if t.patch["nom"].endswith("(copie)") and t.patch["parent"] not in crees
        )
        self.compter(qui, self.copies(fiche, racine, m.parent(fiche), crees, set(modeles)))

    @rule(qui=QUI, rangs=st.lists(RANG, min_size=1, max_size=2, unique=True), vers=RANG)
    def deplacer(self, qui: str, rangs: list[int], vers: int) -> None:
        m, vivantes = self.modele, self.vivantes()
        premiere = self.plutot(rangs[0], [f for f in vivantes if m.niveaux[f] == "UO"])
        soeurs = [f for f in vivantes if m.niveaux[f] == m.niveaux[premiere]]
        choisies = list(dict.fromkeys([premiere, *(self.plutot(r, soeurs) for r in rangs[1:])]))
        sous = self.plutot(vers, [f for f in vivantes if m.niveaux[f] == DESSUS.get(m.niveaux[premiere])])
        self._deplacer(qui, choisies, sous)

    @rule(qui=QUI, rang=RANG, vers=RANG)
    def deplacer_une_unite(self, qui: str, rang: int, vers: int) -> None:
        """To a place where it can go: the moves above are mostly refused."""
        m, vivantes = self.modele, self.vivantes()
        unites = [f for f in vivantes if m.niveaux[f] == "UO"]
        if unites:
            fiche = unites[rang % len(unites)]
            places = [f for f in vivantes if m.niveaux[f] == "UF" and f != m.parent(fiche)]
            if places:
                self._deplacer(qui, [fiche], places[vers % len(places)])

    def _deplacer(self, qui: str, choisies: list[int], sous: int) -> None:
        m, ici = self.modele, self.modele.presentes()
        prevu = (
            sous in ici
            and all(
                f in ici
                and not m.supprimee(f)
                and not m.supprimee(sous)
                and DESSUS.get(m.niveaux[f]) == m.niveaux[sous]
                for f in choisies
            )
            and any(m.parent(f) != sous for f in choisies)
        )
        bouges = self.tenter(gestes.deplacer, qui, prevu, fiches=choisies, parent=sous)
        if not bouges:
            return
        assert bouges == [f for f in choisies if m.parent(f) != sous]
        apres: dict[int, Voulu | None] = {}
        for fiche in bouges:
            voulu = m.copie(fiche)
            m.poser(voulu, fiche, "parent", sous)
            voulu.finalise = voulu.valeurs.keys() == {"parent"} and not voulu.codes and not m.neuve(fiche)
            apres[fiche] = voulu
        self.compter(qui, apres)

    @rule(qui=QUI, rangs=st.lists(RANG, min_size=1, max_size=2, unique=True))
    def supprimer(self, qui: str, rangs: list[int]) -> None:
        self._supprimer(qui, list(dict.fromkeys(self.plutot(r, self.vivantes()) for r in rangs)))

    @rule(qui=QUI, rang=RANG)
    def annuler_changement(self, qui: str, rang: int) -> None:
        self._annuler(qui, self.plutot(rang, self.modele.voulu))

    # -- forms ---------------------------------------------------------------------------------------

    @rule(qui=QUI, rang=RANG)
    def ouvrir_le_formulaire(self, qui: str, rang: int) -> None:
        self._ouvrir(qui, self.plutot(rang, self.vivantes()))

    def _ouvrir(self, qui: str, fiche: int) -> None:
        travail = fabrique.travail(self.dossier, fiche)
        self.formulaires[qui] = (fiche, travail.revision if travail else 0, self.modele.copie(fiche))

    @rule(qui=QUI, texte=st.sampled_from((None, *TEXTES)), code=st.sampled_from((None, *CODES)), fini=st.booleans())
    def enregistrer(self, qui: str, texte: str | None, code: str | None, fini: bool) -> None:
        """On what the form showed, however old it is by now."""
        if qui in self.formulaires:
            self._enregistrer(qui, texte, code, fini)

    @rule(
        qui=QUI, rang=RANG, mien=st.sampled_from((None, *TEXTES)), leur=st.sampled_from(TEXTES),
        codes=st.tuples(*[st.sampled_from((None, *CODES))] * 2),
    )  # fmt: skip
    def enregistrer_apres_l_autre(
        self, qui: str, rang: int, mien: str | None, leur: str, codes: tuple[str | None, str | None]
    ) -> None:
        """Both have opened one fiche; the second save is on a form that shows neither the first nor what it merged."""
        vivantes = self.vivantes()
        if not vivantes:
            return
        fiche, autre = vivantes[rang % len(vivantes)], "tom" if qui == "lea" else "lea"
        self._ouvrir(qui, fiche)
        self._ouvrir(autre, fiche)
        self._enregistrer(autre, leur, codes[0], fini=False)
        revision = self.formulaires[qui][1]
        travail = fabrique.travail(self.dossier, fiche)
        self.bilan["formulaire", "dépassé" if (travail.revision if travail else 0) != revision else "à jour"] += 1
        self._enregistrer(qui, mien, codes[1], fini=False)

    def _enregistrer(self, qui: str, texte: str | None, code: str | None, fini: bool) -> None:
        m = self.modele
        fiche, revision, vu = self.formulaires[qui]
        montre = {"texte": m.valeur(fiche, "texte", vu) or "", "codes": m.codes(fiche, vu)}
        saisi = {"texte": montre["texte"] if texte is None else texte, "codes": set(montre["codes"])}
        if code and m.niveaux[fiche] == "UO":
            saisi["codes"] ^= {code}
        saisie: dict[str, Any] = {}
        if texte is not None:
            saisie[texte_de(m.niveaux[fiche])] = texte
        if code and m.niveaux[fiche] == "UO":
            saisie["activites"] = frozenset(saisi["codes"] | ({"013"} if vu.complet else set()))
        prevu = self.accepte(fiche, revision, montre, saisi)
        fait = self.tenter(
            contenu.enregistrer, qui, None if prevu and fini else prevu,
            fiche=fiche, saisie=saisie, revision=revision, registre=fabrique.registre(fiche), finaliser=fini,
        )  # fmt: skip
        if fait:
            self.saisir(qui, fiche, montre, saisi, fini=fini)

    @rule(qui=QUI, rang=RANG)
    def completer(self, qui: str, rang: int) -> None:
        fiche = self.plutot(rang, [f for f in self.vivantes() if self.modele.neuve(f)])
        if fiche in self.modele.presentes() and self.modele.neuve(fiche):
            self._completer(qui, fiche)

    @rule(qui=QUI, rangs=st.lists(RANG, min_size=1, max_size=4, unique=True))
    def finaliser(self, qui: str, rangs: list[int]) -> None:
        self._finaliser(qui, list(dict.fromkeys(self.plutot(r, self.modele.voulu) for r in rangs)))

    # -- settling ------------------------------------------------------------------------------------

    @rule(qui=QUI, rang=RANG, garder=st.sampled_from(("repertoire", "dossier")))
    def regler(self, qui: str, rang: int, garder: str) -> None:
        conflits = sorted(self.modele.conflits())
        if conflits:
            self._regler(qui, *conflits[rang % len(conflits)], garder)

    @rule(qui=QUI, rang=RANG)
    def confirmer_suppression(self, qui: str, rang: int) -> None:
        self._confirmer(
            qui, self.plutot(rang, [f for f, code in self.modele.collisions() if code.startswith("changee")])
        )

    @rule(qui=QUI, rang=RANG)
    def defaire(self, qui: str, rang: int) -> None:
        """Any gesture ever made, mostly the last ones."""
        m = self.modele
        numeros = sorted(m.gestes, reverse=True)
        if not numeros:
            return
        numero = numeros[rang % min(len(numeros), 6)]
        prevu = m.gestes[numero][0] == qui and m.peut_defaire(numero)
        listes = {g.pk for g in annulation.gestes_a_defaire(self.dossier, self.hopital.gens[qui], n=100)}
        assert listes == {
            self.numeros[n]
            for n, (auteur, _, apres) in m.gestes.items()
            if auteur == qui and all((m.voulu[f].jeton if f in m.voulu else None) == j for f, j in apres.items())
        }
        if self.tenter(annulation.defaire, qui, prevu, geste=self.numeros[numero]):
            m.defaire(numero)

    # -- the third -----------------------------------------------------------------------------------

    @rule(rang=RANG, texte=st.sampled_from(TEXTES), code=st.sampled_from((None, *CODES)))
    def modifier_le_repertoire(self, rang: int, texte: str, code: str | None) -> None:
        """A direct change of today: never in the way of a draft."""
        publiees = sorted(self.modele.registre)
        touchees = [f for f in publiees if f in self.modele.voulu]
        fiche = (touchees or publiees)[rang % len(touchees or publiees)] if rang % 2 else publiees[rang % len(publiees)]
        m, avant = self.modele, self.modele.registre[fiche]
        niveau = m.niveaux[fiche]
        patch: dict[str, Any] = {} if texte == avant["texte"] else {texte_de(niveau): texte}
        codes = set(avant["codes"])
        if code and niveau == "UO":
            patch["activites"] = {"retire": [code]} if code in codes else {"ajoute": [code]}
            codes ^= {code}
        if patch:
            direct(self.fiches[fiche], self.hopital.gens["tom"], patch)
            m.au_registre(fiche, texte=texte, codes=codes)

    @rule(rang=RANG, vers=st.sampled_from(("fermer", "deplacer", "ajouter")))
    def importer(self, rang: int, vers: str) -> None:
        """The places of the register change under the draft."""
        m = self.modele
        ufs = [f for f in sorted(m.registre) if m.niveaux[f] == "UF"]
        if vers == "ajouter":
            if ufs:
                neuve = uo(self.fiches[ufs[rang % len(ufs)]], nom="Unité importée", depuis=timezone.localdate())
                self.fiches[neuve.pk], m.niveaux[neuve.pk] = neuve, "UO"
                m.au_registre(neuve.pk, parent=ufs[rang % len(ufs)], texte="", codes=set())
            return
        parents = {e["parent"] for e in m.registre.values()}
        feuilles = [f for f in sorted(m.registre) if m.niveaux[f] in ("UF", "UO") and f not in parents]
        if not feuilles:
            return
        fiche = feuilles[rang % len(feuilles)]
        if vers == "fermer":
            publier(self.fiches[fiche], {"existe": False}, timezone.localdate())
            m.au_registre(fiche, existe=False)
        elif m.niveaux[fiche] == "UO" and (ailleurs := [u for u in ufs if u != m.registre[fiche]["parent"]]):
            publier(self.fiches[fiche], {"parent": ailleurs[0]}, timezone.localdate())
            m.au_registre(fiche, parent=ailleurs[0])

    # -- what always holds ---------------------------------------------------------------------------

    @invariant()
    def le_dossier_est_celui_du_modele(self) -> None:
        if not hasattr(self, "modele"):
            return
        m, travaux = self.modele, self.travaux()
        arbre, repertoire = apercu(self.dossier, travaux), etats_au(self.fiches)
        assert sorted(arbre.noeuds) == m.presentes()
        assert {t.fiche_id: t.est_finalisee for t in travaux} == {f: v.finalise for f, v in m.voulu.items()}
        for travail in travaux:
            self.verifier_travail(travail, m.voulu[travail.fiche_id], repertoire.get(travail.fiche_id, {}))
        self.verifier_arbre(arbre)
        trouves = tous_les_conflits(travaux, repertoire)
        assert {(f, h.nom) for f, liste in trouves.items() for h in liste} == {
            (f, c if c == "parent" else texte_de(m.niveaux[f])) for f, c in m.conflits()
        }
        assert {(c.fiche, c.code) for c in collisions(self.dossier, travaux, arbre)} == m.collisions()

    # -- the end -------------------------------------------------------------------------------------

    def publier(self) -> None:
        """Settle what is left, complete, send, approve: the register is what the model says, all of it."""
        m, h = self.modele, self.hopital
        for _ in range(60):
            a_regler = sorted(m.collisions())
            if not a_regler:
                break
            for fiche, code in a_regler:
                if (fiche, code) in m.collisions():
                    self.trancher(fiche, code)
        assert m.collisions() == set()
        for fiche, champ in sorted(m.conflits()):
            self._regler("lea", fiche, champ, "dossier")
        for fiche in [f for f, v in m.voulu.items() if v.existe and not v.complet]:
            self._completer("lea", fiche)
        self._finaliser("lea", sorted(m.voulu))
        self.le_dossier_est_celui_du_modele()
        if not m.voulu:
            with pytest.raises(Invalide):
                fabrique.envoye(self.dossier, h.gens["lea"])
            return
        fabrique.envoye(self.dossier, h.gens["lea"])
        decisions.valider(tache=fabrique.tache(self.dossier).pk, acteur=h.direction)
        attendu = m.publie()
        decisions.approuver(tache=fabrique.tache(self.dossier).pk, acteur=h.sesan)
        publie = self.registre()
        del publie[m.racine]["parent"], attendu[m.racine]["parent"]  # the EJ
        assert publie == attendu
        assert ecarts(h.eg) == []
        with pytest.raises(Conflit):
            gestes.ajouter(numero=self.dossier.pk, acteur=h.gens["lea"], parent=m.racine)

    def trancher(self, fiche: int, code: str) -> None:
        if code == "changee_depuis_la_suppression":
            self._confirmer("lea", fiche)
        elif code == "fiche_fermee" or not self.modele.neuve(fiche):
            if code == "parent_supprime" or not self._annuler("lea", fiche):
                self._supprimer("lea", [fiche])
        else:
            self._supprimer("lea", [fiche])


@pytest.mark.lent
@pytest.mark.timeout(0)
def test_deux_personnes_sur_un_dossier(db: None) -> None:
    hopital = Hopital()

    class Machine(DeuxPersonnes):
        pass

    Machine.hopital, Machine.bilan = hopital, Counter()
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=EXEMPLES,
            stateful_step_count=25,
            deadline=None,
            derandomize="EXEMPLES" not in os.environ,
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(sorted(Machine.bilan.items()))
    faits = {verbe for verbe, issue in Machine.bilan if issue == "fait"}
    attendus = {"ajouter", "dupliquer", "deplacer", "supprimer", "annuler_changement", "enregistrer"}
    if EXEMPLES >= 100:  # a daily run is too short to meet everything
        attendus |= {"defaire", "confirmer_suppression"}
    assert faits >= attendus
    depasses, refuses = Machine.bilan["formulaire", "dépassé"], Machine.bilan["enregistrer", "fiche_modifiee"]
    assert depasses > refuses > 0  # both ends of a late save: merged, refused
