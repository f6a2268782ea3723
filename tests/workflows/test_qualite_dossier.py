"""The quality rules at work: finalising, sending, publication, and the page « Contrôles »."""

import re
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice.socle.erreurs import Conflit, Invalide
from backoffice.socle.mots import date_longue
from structures.models import Commune, Concept, Fiche
from structures.requetes import etats_au
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from tests.navigation import client, texte
from workflows.domaine import contenu, decisions, gestes
from workflows.domaine.apercu import apercu
from workflows.domaine.empechements import empechements, empechements_de_publier
from workflows.domaine.qualite import CATALOGUE, bloquantes, controler
from workflows.models import Dossier, FicheTravail

from .ecrans import ouvrir, poster, url, url_fiche

pytestmark = pytest.mark.django_db

STANDARD = {
    "nature": "06",
    "nom": "",
    "fonction": "",
    "confidentialite": "2",
    "telecoms": [{"canal": "2", "valeur": "01 99 00 12 34", "confidentialite": "2"}],
}


def travaux(dossier: Dossier) -> list[FicheTravail]:
    return list(dossier.fiches.select_related("fiche", "modifiee_par"))


def fautes(dossier: Dossier, *, repertoire_aussi: bool = False) -> list[tuple[int, str, bool]]:
    """(fiche, code, whether it blocks), sorted."""
    copies = travaux(dossier)
    trouvees = controler(apercu(dossier, copies), copies, repertoire_aussi=repertoire_aussi)
    return sorted((f.noeud.fiche_id, f.regle.code, f.bloque) for f in trouvees)


def complete(dossier: Dossier, acteur: Any, parent: int, nom: str = "Unité nouvelle", **saisie: Any) -> Fiche:
    """A new fiche that no rule finds fault with."""
    return fabrique.nouvelle(dossier, acteur, parent, nom, **({"contacts": {"c": STANDARD}} | saisie))


# -- finalising --------------------------------------------------------------------------------------


def test_finaliser_est_refuse_sur_chaque_champ_en_faute(monde, dossier):
    """What is missing and what breaks a rule, at once, each on its field."""
    [fiche] = fabrique.nouvelles(dossier, monde.referent, monde.uf.pk)
    saisie = fabrique.COMPLETE | {
        "nom": "Unité d’accueil",
        "age_max": None,
        "mode_prise_en_charge": "33",
        "activites": frozenset({"157"}),
        "type_fermeture": "PRO",
    }
    with pytest.raises(Invalide) as refus:
        fabrique.enregistrer(dossier, monde.referent, fiche.pk, saisie)
    assert refus.value.champs == {
        "age_max": ["« Âge maximum » est obligatoire pour finaliser la fiche."],
        "nom": ["Cette unité accueille les urgences : son nom contient le mot « urgences »."],
        "date_fermeture": ["Indiquez la date de la fermeture, ou retirez son type."],
    }
    fabrique.enregistrer(dossier, monde.referent, fiche.pk, saisie, finaliser=False)  # en attente takes it
    faits, restent = contenu.finaliser(numero=dossier.pk, acteur=monde.referent, fiches=[fiche.pk])
    assert (faits, restent) == ([], {fiche.pk: refus.value.champs})


def test_un_avertissement_ne_refuse_rien(monde, dossier):
    fiche = fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Accueil")  # no contact, unusual name
    assert fautes(dossier) == [(fiche.pk, "BO-NOM-UNITE", False), (fiche.pk, "CP4", False)]
    fabrique.envoye(dossier, monde.referent)
    assert fabrique.relu(dossier).etat == "validation"


def test_ce_que_le_repertoire_avait_deja_n_arrete_pas_le_dossier(monde, dossier):
    """A contact without confidentiality that an import left there: a warning while the dossier does not touch it."""
    repertoire.publier(monde.uo, {"contacts": {"pose": {"c": STANDARD | {"confidentialite": ""}}}})
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, conditions_accueil="Chambres doubles.")
    assert fautes(dossier) == [(monde.uo.pk, "BO-CONTACT-NIVEAU", False)]
    mauvais = {"c": STANDARD | {"confidentialite": "", "nature": "07"}}
    with pytest.raises(Invalide, match="à corriger"):
        fabrique.modifier(dossier, monde.referent, monde.uo.pk, contacts=mauvais)


def test_un_deplacement_seul_se_finalise_sans_qu_on_y_touche(monde, dossier):
    """Unless the fiche lacks a mandatory element, which has to be filled (acceptance 75)."""
    ailleurs = fabrique.nouvelle(dossier, monde.referent, monde.s.pk)
    sans_age = repertoire.uo(monde.uf, "Unité sans âge", age_max=None)
    gestes.deplacer(
        numero=dossier.pk, acteur=monde.referent, fiches=[monde.uo.pk, sans_age.pk], parent=ailleurs.pk
    )  # fmt: skip
    etats = dict(dossier.fiches.values_list("fiche", "etat"))
    assert (etats[monde.uo.pk], etats[sans_age.pk]) == ("finalisee", "en_attente")


# -- sending and publication -------------------------------------------------------------------------


def test_l_envoi_dit_tout_ce_qui_l_empeche(monde, dossier):
    """Seven units that a rule refuses since they were finalised: seven sentences, not five."""
    unites = [complete(dossier, monde.referent, monde.uf.pk, f"Unité numéro {i}") for i in range(7)]
    for unite in unites:  # the nomenclature moved on
        travail = dossier.fiches.get(fiche=unite)
        travail.patch["activites"] = {"ajoute": ["ZZZ"]}
        travail.save()
    with pytest.raises(Invalide) as refus:
        fabrique.envoye(dossier, monde.referent)
    assert refus.value.code == "contenu"
    assert re.findall(r"« (Unité numéro \d) » : Le code « ZZZ »", refus.value.message) == [
        f"Unité numéro {i}" for i in range(7)
    ]
    page = client(monde.referent).get(url(dossier, "envoyer/"))
    assert f'href="{url_fiche(dossier, unites[3])}#id_activites"' in page.content.decode()
    assert "Le dossier ne peut pas encore être envoyé" in texte(page)


def test_la_publication_refuse_ce_que_le_repertoire_a_rendu_fautif(monde, dossier):
    """A code closed between the sending and the approval can't be newly chosen: back to the authors."""
    complete(dossier, monde.referent, monde.uf.pk)
    fabrique.envoye(dossier, monde.referent)
    decisions.valider(tache=fabrique.tache(dossier).pk, acteur=monde.direction)
    Concept.objects.filter(nomenclature="R211", code="013").update(date_fin="2020-01-01")
    with pytest.raises(Conflit, match="n’est plus en vigueur"):
        decisions.approuver(tache=fabrique.tache(dossier).pk, acteur=monde.gestionnaire)
    assert fabrique.relu(dossier).etat == "approbation"


def test_une_commune_qui_a_fusionne_depuis_est_dite_avec_la_nouvelle(monde, dossier):
    """Twice since: the last one is named. What the register holds is a warning; its own import makes it follow."""
    jour = date(2026, 1, 1)
    Commune.objects.filter(pk="92009").update(date_fin=jour, devenue="92020")
    Commune.objects.filter(pk="92020").update(date_fin=jour, devenue="92040")
    Commune.objects.filter(pk="92046").update(date_fin=jour, devenue="")
    unite = complete(dossier, monde.referent, monde.uf.pk, territoire=frozenset({"75113"}))
    travail = dossier.fiches.get(fiche=unite)
    travail.patch["territoire"] = {"ajoute": ["75113", "92009", "92046"]}
    travail.save()
    copies = travaux(dossier)
    dites = {f.phrase for f in controler(apercu(dossier, copies), copies) if f.regle.code == "BO-COMMUNE-CHOISIE"}
    depuis = f"n’est plus une commune depuis le {date_longue(jour)}"
    assert dites == {
        f"« Bois-Colombes (92) » (code 92009) {depuis} : remplacez-la par Issy-les-Moulineaux (92).",
        f"« Malakoff (92) » (code 92046) {depuis} : son territoire a été partagé, choisissez celle qui convient.",
    }
    with pytest.raises(Invalide, match="remplacez-la par Issy-les-Moulineaux"):
        fabrique.envoye(dossier, monde.referent)


def test_les_phrases_pour_tous_ne_disent_rien_d_un_contact(monde, dossier):
    """A decider who may not read the contacts gets the rule, not the number."""
    contact = {"nature": "", "nom": "Camille Secrète", "fonction": "03", "confidentialite": "3", "telecoms": []}
    mauvais = contact | {"telecoms": [{"canal": "3", "valeur": "pas-une-adresse", "confidentialite": "3"}]}
    fiche = complete(dossier, monde.referent, monde.uf.pk, contacts={"c": contact})
    travail = dossier.fiches.get(fiche=fiche)
    travail.patch["contacts"] = {"pose": {"c": mauvais}}
    travail.save()
    [empechement] = empechements(dossier, travaux(dossier))
    assert empechement.phrase == "« Unité nouvelle » : Une adresse électronique ou web se laisse joindre."
    page = client(monde.referent).get(url(dossier, "controles/"))
    assert "pas-une-adresse" in texte(page)  # the author reads it


# -- a constant number of statements -----------------------------------------------------------------


@pytest.mark.parametrize("repertoire_aussi", [False, True])
def test_le_nombre_d_instructions_ne_depend_pas_du_nombre_de_fiches(monde, dossier, repertoire_aussi):
    comptes = []
    for taille in (1, 3):
        for i in range(taille):
            complete(dossier, monde.referent, monde.uf.pk, f"Unité {taille} {i}", territoire=frozenset({"75113"}))
        copies = travaux(dossier)
        arbre = apercu(dossier, copies)
        with CaptureQueriesContext(connection) as vues:
            assert bloquantes(controler(arbre, copies, repertoire_aussi=repertoire_aussi)) == []
        comptes.append(len(vues))
    assert comptes == [5, 5]


@pytest.mark.parametrize("suite", ["controles/", "controles/?par=fiche", "envoyer/"])
def test_les_pages_ont_un_nombre_constant_d_instructions(monde, dossier, suite):
    navigateur = client(monde.referent)
    comptes = []
    for taille in (1, 3):
        for i in range(taille):
            fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, f"Accueil {taille} {i}")
        navigateur.get(url(dossier))
        with CaptureQueriesContext(connection) as vues:
            assert navigateur.get(url(dossier, suite)).status_code == 200
        comptes.append(len(vues))
    assert comptes[0] == comptes[1]


# -- the page ----------------------------------------------------------------------------------------


def test_la_page_des_controles(monde, dossier):
    """Grouped by severity then by rule, each fault leads to its field; what the register had already is apart."""
    repertoire.publier(monde.uo, {"nom": "Cardiologie"})
    navigateur = client(monde.referent)
    assert "Toutes les fiches de ce dossier" not in texte(navigateur.get(url(dossier, "controles/")))
    assert "ne change encore aucune fiche" in texte(navigateur.get(url(dossier, "controles/")))
    neuve = fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Accueil")
    [vide] = fabrique.nouvelles(dossier, monde.referent, monde.uf.pk)
    page = navigateur.get(url(dossier, "controles/"))
    controles = page.context["controles"]
    assert controles.resume == "7 bloquants, 3 avertissements"
    titres = [(g.signe, g.regle.code) for g in page.context["groupes"]]
    assert titres[0] == ("bloquant", "BO-ELEMENTS-UO")
    assert {signe for signe, _ in titres} == {"bloquant", "avertissement"}
    corps = page.content.decode()
    assert f'href="{url_fiche(dossier, neuve)}#id_nom"' in corps
    assert f'href="{url_fiche(dossier, vide)}#id_type_uo"' in corps
    assert f'href="{url_fiche(dossier, monde.uo)}' not in corps  # not touched
    apart = navigateur.get(url(dossier, "controles/?quoi=repertoire"))
    assert f'href="{url_fiche(dossier, monde.uo)}#id_nom"' in apart.content.decode()
    assert "Ces fautes étaient au répertoire" in texte(apart)


def test_la_page_par_fiche_et_une_regle_a_la_fois(monde, dossier):
    for i in range(12):
        fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, f"Accueil {i:02d}")
    navigateur = client(monde.referent)
    page = navigateur.get(url(dossier, "controles/"))
    par_code = {g.regle.code: g for g in page.context["groupes"]}
    assert (len(par_code["CP4"].lignes), par_code["CP4"].suite) == (10, 2)
    assert "Voir les 12 fiches" in texte(page)
    seule = navigateur.get(url(dossier, "controles/?quoi=avertissements&regle=CP4"))
    assert [(g.regle.code, len(g.lignes)) for g in seule.context["groupes"]] == [("CP4", 12)]
    [fiches] = navigateur.get(url(dossier, "controles/?par=fiche")).context["groupes"]
    assert [(x.nom, len(x.constats)) for x in fiches.lignes] == [(f"Accueil {i:02d}", 2) for i in range(12)]
    for bizarre in ("?quoi=rien&regle=XX&page=9", "?page=-1&par=regle", "?page=99999999999999999999&par=fiche"):
        assert navigateur.get(url(dossier, f"controles/{bizarre}")).status_code == 200, bizarre


def test_la_page_pour_qui_decide_et_apres_la_fin(monde, dossier):
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Accueil")
    fabrique.envoye(dossier, monde.referent)
    tache = client(monde.direction).get(f"/taches/{fabrique.tache(dossier).pk}/")
    assert "2 avertissements : à vérifier, sans empêcher la suite." in texte(tache)
    assert "Une unité a un contact que l’on peut joindre" in texte(tache)
    decisions.valider(tache=fabrique.tache(dossier).pk, acteur=monde.direction)
    decisions.approuver(tache=fabrique.tache(dossier).pk, acteur=monde.gestionnaire)
    assert "Ce dossier est terminé" in texte(client(monde.referent).get(url(dossier, "controles/")))
    assert client(monde.voisin).get(url(dossier, "controles/")).status_code == 404


@pytest.mark.parametrize("niveau", ["EG", "P", "S", "UF", "UO"])
def test_chaque_lien_mene_a_un_champ_du_formulaire(monde, dossier, niveau):
    """Every field where a rule of this level can be put right has its anchor in the form of the fiche."""
    fiche = monde.eg if niveau == "EG" else getattr(monde, niveau.lower())
    if niveau == "UO":
        [fiche] = fabrique.nouvelles(dossier, monde.referent, monde.uf.pk)
    page = ouvrir(monde.referent, dossier, fiche)
    offerts = {c.nom for c in page.context["form"].champs}
    champs = {n for r in CATALOGUE.values() if niveau in r.niveaux for n in r.champs} & offerts
    assert champs
    assert [n for n in sorted(champs) if f'id="id_{n}"' not in page.content.decode()] == []


def test_le_formulaire_refuse_de_finaliser_et_mene_au_champ(monde, dossier):
    """422: the sentence beside the field, a link to it, what was typed stays."""
    fiche = complete(dossier, monde.referent, monde.uf.pk, "Unité d’urgences", finaliser=False)
    page = ouvrir(monde.referent, dossier, fiche)
    refus = poster(
        monde.referent, dossier, fiche, page, "finaliser", nom="Unité d’accueil", mode_prise_en_charge="33",
        activites=["157"],
    )  # fmt: skip
    assert refus.status_code == 422
    assert "Cette unité accueille les urgences : son nom contient le mot « urgences »." in texte(refus)
    assert 'href="#id_nom"' in refus.content.decode()
    assert 'value="Unité d’accueil"' in refus.content.decode()


# -- a dossier without blocking fault publishes ------------------------------------------------------

codes = st.sampled_from
CONTENUS = st.fixed_dictionaries(
    {},
    optional={
        "nom": codes(["Unité A", "", "Urgences", "Unité d’urgences", "Unité UHSI", "x" * 255]),
        "type_uo": codes(["149", "20", "08", ""]),
        "mode_prise_en_charge": codes(["28", "33", "46", "49", ""]),
        "activites": st.frozensets(codes(["013", "083", "100", "157", "002", "ZZZ"]), max_size=3),
        "age_min": st.one_of(st.none(), st.integers(0, 200)),
        "age_max": st.one_of(st.none(), st.integers(0, 200)),
        "age_max_unite": codes(["an", "mois", ""]),
        "unite_sensible": st.booleans(),
        "territoire": st.frozensets(codes(["75113", "92009"]), max_size=2),
        "type_fermeture": codes(["", "PRO", "DEF"]),
        "date_fermeture": codes([None, "2027-01-01"]),
        "date_reouverture": codes([None, "2026-01-01", "2027-06-01"]),
        "contacts": codes([{}, {"c": STANDARD}, {"c": STANDARD | {"confidentialite": "3"}}]),
        "capacites": codes([{}, {"p": {"nature": "01", "statut": "01", "nombre": 5}}]),
    },
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(neuve=CONTENUS, publiee=CONTENUS)
def test_un_dossier_sans_faute_bloquante_se_publie(monde: SimpleNamespace, dossier: Dossier, neuve, publiee) -> None:
    """Whatever is typed: a fiche that the rules let through is finalised, sent, approved and published as it is; one
    that they stop is refused at « finaliser », with a sentence for each field."""
    with transaction.atomic():
        [fiche] = fabrique.nouvelles(dossier, monde.referent, monde.uf.pk)
        figes = {"mode_prise_en_charge"}
        for cle, saisie in (
            (fiche.pk, fabrique.COMPLETE | {"nom": "Unité nouvelle"} | neuve),
            (monde.uo.pk, {n: v for n, v in publiee.items() if n not in figes}),
        ):
            try:
                fabrique.enregistrer(dossier, monde.referent, cle, saisie, finaliser=False)
            except Invalide:
                fabrique.enregistrer(dossier, monde.referent, cle, {"nom": "Unité nouvelle"}, finaliser=False)
        touchees = [t.fiche_id for t in dossier.fiches.all()]
        faits, refus = contenu.finaliser(numero=dossier.pk, acteur=monde.referent, fiches=touchees)
        assert sorted([*faits, *refus]) == sorted(touchees)
        attendus = empechements_de_publier(dossier, travaux(dossier))
        assert {e.fiche for e in attendus} == set(refus)
        assert all(phrases for champs in refus.values() for phrases in champs.values())
        if not refus:
            assert empechements(dossier, travaux(dossier)) == []
            voulu = {t.fiche_id: t.patch for t in dossier.fiches.all()}
            fabrique.envoye(dossier, monde.referent)
            decisions.valider(tache=fabrique.tache(dossier).pk, acteur=monde.direction)
            decisions.approuver(tache=fabrique.tache(dossier).pk, acteur=monde.gestionnaire)
            assert fabrique.relu(dossier).etat == "publie"
            publies = etats_au(voulu)
            for cle, patch in voulu.items():
                for nom in patch.keys() & {"nom", "type_uo", "age_max", "date_fermeture", "unite_sensible"}:
                    assert publies[cle][nom] == patch[nom]
        else:
            with pytest.raises(Invalide):
                fabrique.envoye(dossier, monde.referent)
        transaction.set_rollback(True)
