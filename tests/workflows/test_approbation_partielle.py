"""« Approuver sauf certaines fiches »: what goes along, what is published, what comes back, nothing lost or twice."""

from collections import Counter
from datetime import timedelta
from itertools import combinations
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Interdit, Invalide
from notifications.models import Envoi
from structures.domaine.enregistrer import ecarts as ecarts_du_registre
from structures.enums import Role
from structures.models import Fiche, Modification, Reservation
from structures.requetes import etats_au
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from workflows.domaine import approbation_partielle as partielle
from workflows.domaine import decisions, gestes, publication
from workflows.domaine.apercu import apercu
from workflows.domaine.contenu import finaliser
from workflows.domaine.inverse import annuler_publication, inverse_de
from workflows.domaine.simulation import simuler
from workflows.domaine.suite import nom_de_la_suite
from workflows.enums import EtatDossier, EtatFiche, Nature, TypeEvenement
from workflows.models import Decision, Dossier, FicheTravail, Instantane

pytestmark = pytest.mark.django_db

MOTIF = "Pas cette année."


@pytest.fixture
def chantier(monde, dossier) -> SimpleNamespace:
    """A dossier with everything that ties fiches to one another: a unit in a new UF, a move under it, a UF emptied then
    closed, a branch closed, and a change that stands alone. Sent, validated: SESAN decides."""
    acteur = monde.referent
    b = repertoire.uo(monde.uf, "Unité B")
    videe, fermee = (repertoire.uf(monde.s, nom) for nom in ("UF vidée", "UF fermée"))
    c, d = repertoire.uo(videe, "Unité C"), repertoire.uo(fermee, "Unité D")
    n = fabrique.nouvelle(dossier, acteur, monde.s.pk, "UF neuve")
    x = fabrique.nouvelle(dossier, acteur, n.pk, "Unité X")
    gestes.deplacer(numero=dossier.pk, acteur=acteur, fiches=[b.pk], parent=n.pk)
    fabrique.modifier(dossier, acteur, b.pk, conditions_accueil="Sur rendez-vous.")
    gestes.deplacer(numero=dossier.pk, acteur=acteur, fiches=[c.pk], parent=monde.uf.pk)
    gestes.supprimer(numero=dossier.pk, acteur=acteur, fiches=[videe.pk])
    gestes.supprimer(numero=dossier.pk, acteur=acteur, fiches=[fermee.pk])
    fabrique.modifier(dossier, acteur, monde.uo.pk, nom="Unité renommée", activites=frozenset(["013", "014"]))
    fabrique.envoye(dossier, acteur)
    decisions.valider(tache=fabrique.tache(dossier).pk, acteur=monde.direction)
    fiches = {"A": monde.uo, "B": b, "C": c, "D": d, "N": n, "X": x, "videe": videe, "fermee": fermee}
    return SimpleNamespace(dossier=fabrique.relu(dossier), fiches=fiches, noms={f.pk: k for k, f in fiches.items()})


def cles(chantier: SimpleNamespace, noms: str) -> set[int]:
    return {chantier.fiches[nom].pk for nom in noms.split()}


def partager(dossier: Dossier, choisies: set[int], par: User) -> partielle.Partage:
    return partielle.partager(dossier, [partielle.Ecart(f, MOTIF, par) for f in choisies])


def approuver_sauf(dossier: Dossier, acteur: User, choisies: set[int], autorite: str = "") -> Dossier:
    tache = fabrique.tache(dossier, autorite).pk
    ecartees = dict.fromkeys(choisies, MOTIF)
    partage = decisions.essayer_sauf(tache=tache, acteur=acteur, ecartees=ecartees)
    decisions.approuver_sauf(tache=tache, acteur=acteur, ecartees=ecartees, jeton=partage.jeton)
    return fabrique.relu(dossier)


def photo(dossier: Dossier) -> dict[int, tuple[Any, ...]]:
    """What a dossier does, by fiche, whoever holds it."""
    return {t.fiche_id: (t.patch, t.base, t.revision, t.modifiee_par_id, t.modifiee_le) for t in dossier.fiches.all()}


def publiees(dossier: Dossier) -> Counter[int]:
    return Counter(
        Modification.objects.filter(origine=f"dossier {dossier.pk}").values_list("fiche_id", flat=True).order_by("pk")
    )


def registre(eg: Fiche) -> dict[int, dict]:
    return etats_au(Fiche.objects.filter(eg=eg).values_list("pk", flat=True))


# -- what goes along -------------------------------------------------------------------------------------


AVEC: dict[str, dict[str, tuple[str, str]]] = {
    "A": {},
    "X": {},
    "B": {},
    "videe": {},
    "N": {"X": ("N", "place"), "B": ("N", "place")},
    "C": {"videe": ("C", "reste")},
    "fermee": {"D": ("fermee", "dessous")},
    "D": {"fermee": ("D", "reste")},
    "N C": {"X": ("N", "place"), "B": ("N", "place"), "videe": ("C", "reste")},
}


def test_ce_qui_va_avec(monde, chantier):
    for choisies, avec in AVEC.items():
        partage = partager(chantier.dossier, cles(chantier, choisies), monde.gestionnaire)
        liens = {chantier.noms[e.fiche]: (chantier.noms[e.avec], e.lien.value) for e in partage.entrainees.values()}
        assert (choisies, liens) == (choisies, avec)
        assert all(f"« {partage.nom(e.avec)} »" in partage.raison(e) for e in partage.entrainees.values())


def test_tout_choix_coupe_le_dossier_en_deux_dont_un_arbre(monde, chantier):
    """Each of the 254 choices: nothing lost, nothing twice, and what remains stands."""
    travaux = list(chantier.dossier.fiches.select_related("fiche"))
    arbre = apercu(chantier.dossier, travaux)
    toutes = {t.fiche_id for t in travaux}
    illegaux = []
    for combien in range(1, len(toutes)):
        for choisies in map(set, combinations(sorted(toutes), combien)):
            avec = partielle.entrainees(arbre, travaux, choisies)
            assert not avec.keys() & choisies
            restent = [t for t in travaux if t.fiche_id not in choisies | avec.keys()]
            # As ``apercu`` lays patches, without reading the register again.
            parents = {n.fiche_id: n.parent_publie_id for n in arbre.noeuds.values() if n.publie}
            for t in restent:
                if "parent" in t.patch and t.nature != Nature.SUPPRESSION:
                    parents[t.fiche_id] = t.patch["parent"]
            for t in restent:
                if t.nature == Nature.SUPPRESSION:
                    del parents[t.fiche_id]
            illegaux += [f for f, p in parents.items() if f != monde.eg.pk and p not in parents]
    assert illegaux == []


# -- what is done ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("choisies", ["A", "C D", "N videe"])
def test_publie_et_suite_font_le_dossier(monde, chantier, choisies):
    dossier, avant = chantier.dossier, photo(chantier.dossier)
    choix = cles(chantier, choisies)
    partage = partager(dossier, choix, monde.gestionnaire)
    dossier = approuver_sauf(dossier, monde.gestionnaire, choix)
    suite = dossier.suite
    assert (dossier.etat, dossier.ecartees) == (EtatDossier.PUBLIE, len(partage.ecartes))
    assert photo(dossier) | photo(suite) == avant
    assert not photo(dossier).keys() & photo(suite).keys()
    assert publiees(dossier) == Counter(photo(dossier).keys())
    assert choix | partage.entrainees.keys() == photo(suite).keys()
    assert ecarts_du_registre(monde.eg) == []
    # the follow-up is an ordinary draft, and goes through the whole flow again
    assert (suite.etat, suite.auteur, suite.suite_de) == (EtatDossier.REDACTION, monde.referent, dossier)
    assert {t.etat for t in suite.fiches.all()} == {EtatFiche.EN_ATTENTE}
    assert suite.processus_id != dossier.processus_id
    assert fabrique.tache(suite).noeud == "redaction"
    assert Reservation.objects.get(eg=monde.eg).dossier == suite.pk
    fils = {c.fiche_id: c for c in suite.commentaires.all()}
    assert fils.keys() == photo(suite).keys()
    assert {fils[f].texte for f in choix} == {MOTIF}
    assert all("avec une autre fiche" in fils[f].texte for f in partage.entrainees)
    decisions_finales(monde, suite)
    assert publiees(suite) == Counter(photo(suite).keys())
    assert ecarts_du_registre(monde.eg) == []


def decisions_finales(monde: SimpleNamespace, suite: Dossier) -> None:
    toutes = list(suite.fiches.values_list("fiche_id", flat=True))
    faites, refus = finaliser(numero=suite.pk, acteur=monde.collegue, fiches=toutes)
    assert (set(faites), refus) == (set(toutes), {})
    fabrique.envoye(suite, monde.collegue)
    decisions.valider(tache=fabrique.tache(suite).pk, acteur=monde.direction)
    decisions.approuver(tache=fabrique.tache(suite).pk, acteur=monde.gestionnaire)


def test_le_tout_est_celui_qu_aurait_publie_le_dossier_entier(monde, chantier):
    """What the register ends with does not depend on the cut."""
    voulu = {f: (t.patch.get("existe"), t.patch.get("parent")) for f, t in travaux_de(chantier.dossier).items()}
    dossier = approuver_sauf(chantier.dossier, monde.gestionnaire, cles(chantier, "N C"))
    decisions_finales(monde, dossier.suite)
    etats = registre(monde.eg)
    for fiche, (existe, parent) in voulu.items():
        assert (fiche in etats) == (existe is not False)
        assert parent is None or existe is False or etats[fiche]["parent"] == parent
    assert etats[monde.uo.pk]["nom"] == "Unité renommée"
    assert etats[chantier.fiches["B"].pk]["conditions_accueil"] == "Sur rendez-vous."


def travaux_de(dossier: Dossier) -> dict[int, FicheTravail]:
    return {t.fiche_id: t for t in dossier.fiches.all()}


def test_ce_qui_en_est_garde_et_dit(monde, chantier):
    dossier, choix = chantier.dossier, cles(chantier, "N")
    Envoi.objects.all().delete()
    dossier = approuver_sauf(dossier, monde.gestionnaire, choix)
    assert dossier.get_etat_display() == "Publié sauf 3 fiches"
    decision = Decision.objects.filter(dossier=dossier).latest("pk")
    assert (decision.partielle, decision.get_issue_display()) == (True, "Approuvé sauf certaines fiches")
    assert [(e.fiche_id, e.motif) for e in decision.ecartees.all()] == [(chantier.fiches["N"].pk, MOTIF)]
    # both digests, both reviews
    assert decision.empreinte == dossier.empreinte != dossier.empreinte_publiee
    gardes = {i.empreinte: {c["fiche"] for c in i.contenu["changements"]["clair"]} for i in dossier.instantanes.all()}
    assert gardes == {
        dossier.empreinte: {f.pk for f in chantier.fiches.values()},
        dossier.empreinte_publiee: set(photo(dossier)),
    }
    publie = dossier.evenements.get(type=TypeEvenement.PUBLIE).details
    assert (publie["fiches"], publie["suite"], publie["publiee"]) == (5, dossier.suite.pk, dossier.empreinte_publiee)
    assert {chantier.noms[e["fiche"]]: e["choisie"] for e in publie["ecartees"]} == {"N": True, "X": False, "B": False}
    cree = dossier.suite.evenements.get(type=TypeEvenement.CREE)
    assert (cree.acteur, cree.details["suite_de"]) == (monde.gestionnaire, dossier.pk)
    # who is told, once: those who took part, and of the new task those who may do it
    mails = Counter(Envoi.objects.values_list("type_code", "destinataire__username"))
    assert mails == Counter(
        [("dossier_publie", "referent"), ("dossier_publie", "direction")]
        + [("tache_creee", nom) for nom in ("referent", "collegue", "direction")]
    )
    corps = Envoi.objects.filter(type_code="dossier_publie").first()
    assert corps.sujet == "Publié sauf 3 fiches : Ouverture de l’UHCD (Hôpital TEST)"
    for mot in ("UF neuve", MOTIF, "Unité X", "Unité renommée", "Ouverture de l’UHCD (suite)"):
        assert mot in corps.corps_texte


def test_la_publication_s_annule_et_seule_elle(monde, chantier):
    avant = registre(monde.eg)
    dossier = approuver_sauf(chantier.dossier, monde.gestionnaire, cles(chantier, "N D"))
    decisions.abandonner(numero=dossier.suite.pk, acteur=monde.referent)
    inverse = inverse_de(dossier)
    assert {chantier.noms[r.fiche.pk] for r in inverse.agissants} == {"A", "C", "videe"}
    retour = annuler_publication(numero=dossier.pk, acteur=monde.referent, nom="Retour", jeton=inverse.jeton)
    fabrique.envoye(retour, monde.referent)
    decisions.valider(tache=fabrique.tache(retour).pk, acteur=monde.direction)
    decisions.approuver(tache=fabrique.tache(retour).pk, acteur=monde.gestionnaire)
    assert registre(monde.eg) == avant


def test_essayer_n_ecrit_rien(monde, chantier):
    avant = (photo(chantier.dossier), Decision.objects.count(), Envoi.objects.count(), Modification.objects.count())
    tache = fabrique.tache(chantier.dossier).pk
    ecartees = {chantier.fiches["N"].pk: ""}
    partage = decisions.essayer_sauf(tache=tache, acteur=monde.gestionnaire, ecartees=ecartees)
    assert {t.fiche_id for t in partage.ecartes} == cles(chantier, "N X B")
    assert (
        photo(chantier.dossier), Decision.objects.count(), Envoi.objects.count(), Modification.objects.count()
    ) == avant  # fmt: skip
    assert fabrique.relu(chantier.dossier).etat == EtatDossier.APPROBATION


def test_le_nombre_de_requetes_ne_depend_pas_des_fiches(monde, dossier):
    def un(combien: int) -> int:
        unites = [repertoire.uo(monde.uf, f"Unité {combien}-{i}") for i in range(2 * combien)]
        ouvert = fabrique.brouillon(monde.eg, monde.referent)
        for unite in unites:
            fabrique.modifier(ouvert, monde.referent, unite.pk, conditions_accueil="Sur rendez-vous.")
        fabrique.envoye(ouvert, monde.referent)
        decisions.valider(tache=fabrique.tache(ouvert).pk, acteur=monde.direction)
        tache, choix = fabrique.tache(ouvert).pk, dict.fromkeys([u.pk for u in unites[:combien]], MOTIF)
        jeton = partager(fabrique.relu(ouvert), set(choix), monde.gestionnaire).jeton
        with CaptureQueriesContext(
            connection,
        ) as requetes:
            decisions.approuver_sauf(tache=tache, acteur=monde.gestionnaire, ecartees=choix, jeton=jeton)
        decisions.abandonner(numero=fabrique.relu(ouvert).suite.pk, acteur=monde.referent)
        return len(requetes)

    decisions.abandonner(numero=dossier.pk, acteur=monde.referent)
    assert un(1) == un(3)


# -- refusals --------------------------------------------------------------------------------------------


def refuser(chantier: SimpleNamespace, acteur: User, ecartees: dict[int, str], jeton: str = "") -> Any:
    tache = fabrique.tache(chantier.dossier).pk
    avant = photo(chantier.dossier)
    with pytest.raises((Conflit, Interdit, Invalide)) as refus:
        decisions.approuver_sauf(tache=tache, acteur=acteur, ecartees=ecartees, jeton=jeton)
    assert photo(chantier.dossier) == avant
    assert not Dossier.objects.filter(suite_de=chantier.dossier).exists()
    return refus.value


def jeton_de(chantier: SimpleNamespace, acteur: User, noms: str) -> str:
    return partager(chantier.dossier, cles(chantier, noms), acteur).jeton


def test_refus(monde, chantier):
    sesan, toutes = monde.gestionnaire, " ".join(chantier.fiches)
    rien = refuser(chantier, sesan, {})
    assert rien.code == "rien_d_ecarte"
    sans_motif = refuser(chantier, sesan, {monde.uo.pk: "  "})
    assert (sans_motif.code, set(sans_motif.champs)) == ("motif", {f"motif-{monde.uo.pk}"})
    assert refuser(chantier, sesan, {monde.p.pk: MOTIF}).code == "fiche_inconnue"
    tout = refuser(chantier, sesan, dict.fromkeys(cles(chantier, toutes), MOTIF), jeton_de(chantier, sesan, toutes))
    assert (tout.code, "Renvoyez plutôt" in tout.message) == ("rien_a_publier", True)
    # what was shown is not what would be left out
    assert refuser(chantier, sesan, {monde.uo.pk: MOTIF}, jeton_de(chantier, sesan, "N")).code == "partage_change"
    assert refuser(chantier, monde.collegue, {monde.uo.pk: MOTIF}).code == "sans_droit"


def test_un_reste_que_le_repertoire_refuse_dit_quelle_fiche(monde, chantier):
    """An import plans a unit under the UF that the dossier closes: excepting that closing is a way out, anything else
    is refused by name."""
    demain = timezone.localdate() + timedelta(days=1)
    repertoire.uo(chantier.fiches["videe"], "Unité annoncée", depuis=demain)
    refus = refuser(chantier, monde.gestionnaire, {monde.uo.pk: MOTIF}, jeton_de(chantier, monde.gestionnaire, "A"))
    assert refus.code == "reste_illegal"
    assert "« Unité annoncée »" in refus.message
    dossier = approuver_sauf(chantier.dossier, monde.gestionnaire, cles(chantier, "videe"))
    assert photo(dossier.suite).keys() == cles(chantier, "videe")


def test_un_contenu_qui_a_change_ne_s_approuve_pas_meme_en_partie(monde, chantier):
    repertoire.publier(monde.uo, {"nom": "Unité importée"}, timezone.localdate())
    assert refuser(chantier, monde.gestionnaire, {monde.uo.pk: MOTIF}).code == "decisions_caduques"


def test_la_direction_n_ecarte_rien(monde, dossier):
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, nom="Unité renommée")
    fabrique.envoye(dossier, monde.referent)
    with pytest.raises(Interdit, match="n’existe pas à l’étape"):
        decisions.approuver_sauf(
            tache=fabrique.tache(dossier).pk, acteur=monde.direction, ecartees={monde.uo.pk: MOTIF}, jeton=""
        )


# -- two authorities -------------------------------------------------------------------------------------


@pytest.fixture
def conjoint(monde) -> SimpleNamespace:
    """An establishment of the ARS and the Conseil départemental; three new units, sent."""
    eg = repertoire.etablissement("handicap", nom="Foyer TEST", categorie="437")
    referent = repertoire.compte(Role.REFERENT, eg, "referent.foyer")
    dossier = fabrique.brouillon(eg, referent, "Trois unités")
    unites = [fabrique.nouvelle(dossier, referent, eg.pk, f"Unité {i}") for i in (1, 2, 3)]
    dossier = fabrique.envoye(dossier, referent)
    ars, cd = sorted(dossier.autorites)
    gens = {ars: monde.tutelle, cd: repertoire.compte(Role.TUTELLE, cd, "tutelle.cd")}
    return SimpleNamespace(eg=eg, referent=referent, dossier=dossier, unites=unites, ars=ars, cd=cd, gens=gens)


def sauf(conjoint: SimpleNamespace, code: str, *unites: int) -> Dossier:
    choix = {conjoint.unites[i].pk for i in unites}
    return approuver_sauf(conjoint.dossier, conjoint.gens[code], choix, code)


def test_l_union_des_ecarts_compte_a_la_derniere_approbation(conjoint):
    dossier = sauf(conjoint, conjoint.ars, 0)
    assert (dossier.etat, Dossier.objects.count()) == (EtatDossier.APPROBATION, 1)
    assert photo(dossier).keys() == {u.pk for u in conjoint.unites}
    # the other one does not approve what she has not seen
    tache, acteur = fabrique.tache(dossier, conjoint.cd).pk, conjoint.gens[conjoint.cd]
    with pytest.raises(Conflit, match="sauf certaines fiches"):
        decisions.approuver(tache=tache, acteur=acteur)
    seule = partager(dossier, {conjoint.unites[1].pk}, acteur).jeton
    with pytest.raises(Conflit, match="fiches écartées à relire"):
        decisions.approuver_sauf(tache=tache, acteur=acteur, ecartees={conjoint.unites[1].pk: MOTIF}, jeton=seule)
    avertis = simuler(numero=dossier.pk, acteur=acteur)
    assert avertis.apres["UO"] == 2
    dossier = sauf(conjoint, conjoint.cd, 1)
    assert photo(dossier).keys() == {conjoint.unites[2].pk}
    assert photo(dossier.suite).keys() == {conjoint.unites[0].pk, conjoint.unites[1].pk}
    auteurs = {c.fiche_id: c.auteur.username for c in dossier.suite.commentaires.select_related("auteur")}
    assert auteurs == {conjoint.unites[0].pk: "tutelle", conjoint.unites[1].pk: "tutelle.cd"}


def test_la_seconde_peut_n_ecarter_rien_de_plus_et_pas_tout(conjoint, monkeypatch):
    sauf(conjoint, conjoint.ars, 0)
    tache, acteur = fabrique.tache(conjoint.dossier, conjoint.cd).pk, conjoint.gens[conjoint.cd]
    ecartees = {u.pk: MOTIF for u in conjoint.unites[1:]}
    with pytest.raises(Invalide, match="Plus rien"):
        decisions.essayer_sauf(tache=tache, acteur=acteur, ecartees=ecartees)
    with monkeypatch.context() as panne:
        panne.setattr(publication, "enregistrer", lambda *_, **__: 1 / 0)
        with pytest.raises(Conflit, match="personne n’en est encore informé"):
            decisions.essayer_sauf(tache=tache, acteur=acteur, ecartees={})
    dossier = sauf(conjoint, conjoint.cd)
    assert photo(dossier.suite).keys() == {conjoint.unites[0].pk}
    assert list(dossier.decisions.values_list("partielle", flat=True)) == [True, True]


def test_un_renvoi_efface_les_ecarts(conjoint):
    """What was excepted from one sending says nothing about the next."""
    sauf(conjoint, conjoint.ars, 0)
    decisions.renvoyer(
        tache=fabrique.tache(conjoint.dossier, conjoint.cd).pk, acteur=conjoint.gens[conjoint.cd], motif="À revoir."
    )
    fabrique.envoye(conjoint.dossier, conjoint.referent)
    for code in (conjoint.ars, conjoint.cd):
        decisions.approuver(tache=fabrique.tache(conjoint.dossier, code).pk, acteur=conjoint.gens[code])
    dossier = fabrique.relu(conjoint.dossier)
    assert (dossier.etat, dossier.ecartees, photo(dossier).keys()) == (
        EtatDossier.PUBLIE, 0, {u.pk for u in conjoint.unites},
    )  # fmt: skip
    assert not Instantane.objects.filter(dossier=dossier).exclude(empreinte=dossier.empreinte).exists()


@pytest.mark.parametrize(
    ("nom", "suite"),
    [
        ("Extension", "Extension (suite)"),
        ("Extension (suite)", "Extension (suite 2)"),
        ("Extension (suite 9)", "Extension (suite 10)"),
        ("a" * 150, "a" * 142 + " (suite)"),
    ],
)
def test_nom_de_la_suite(nom, suite):
    assert nom_de_la_suite(nom) == suite
