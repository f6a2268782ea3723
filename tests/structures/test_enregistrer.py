"""The writer of the register: constant statements, the tree on every day, two writers of one fiche."""

import threading
from datetime import date, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from backoffice.socle.erreurs import Conflit, Invalide
from structures.domaine.creer import creer_fiches
from structures.domaine.enregistrer import annuler, ecarts, enregistrer
from structures.enums import Niveau
from structures.models import Modification, VersionFiche
from structures.requetes import arbre

from .fabrique import EHPAD, HOPITAL, aujourdhui, change, enfants, etablissement, hopital, personne, versions

JOUR = date(2024, 5, 6)
DEMAIN = JOUR + timedelta(days=1)


# -- statements -------------------------------------------------------------------------------------------------------


def ordres(modifications: list[Modification]) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as vus:
        enregistrer(modifications)
    return [requete["sql"].split()[0] for requete in vus.captured_queries]


@pytest.mark.django_db
def test_autant_d_ordres_pour_1_10_ou_200_changements():
    _, eg = etablissement()
    uos = enfants(eg, Niveau.UO, eg, 200)
    releves = {n: ordres([change(f, JOUR, nom=f"Lot de {n}") for f in uos[:n]]) for n in (1, 10, 200)}
    assert releves[1] == releves[10] == releves[200]
    assert len(releves[1]) <= 12
    assert VersionFiche.objects.filter(nom="Lot de 200").count() == 200
    assert ecarts() == []


@pytest.mark.django_db
def test_autant_d_ordres_pour_1_10_ou_200_creations():
    _, eg = etablissement()
    releves = {}
    for n in (1, 10, 200):
        nouvelles = creer_fiches(eg=eg, niveaux=[Niveau.UO] * n)
        releves[n] = ordres([change(f, JOUR, existe=True, parent=eg.pk, nom="Neuve") for f in nouvelles])
    assert releves[1] == releves[10] == releves[200]
    assert ecarts() == []


@pytest.mark.django_db
def test_autant_d_ordres_pour_creer_1_ou_200_identites():
    _, eg = etablissement()
    releves = {}
    for n in (1, 200):
        with CaptureQueriesContext(connection) as vus:
            creer_fiches(eg=eg, niveaux=[Niveau.UO] * n)
        releves[n] = len(vus)
    assert releves[1] == releves[200]


@pytest.mark.django_db
def test_rien_a_ecrire_ne_fait_aucun_ordre():
    assert ordres([]) == ["SAVEPOINT", "RELEASE"]


@pytest.mark.django_db
def test_les_jours_d_avant_ne_sont_pas_reecrits():
    _, eg = etablissement()
    [uo] = enfants(eg, Niveau.UO, eg)
    enregistrer([change(uo, JOUR, nom="Un")])
    anciennes = {v.pk: v.validite.lower for v in versions(uo)}
    enregistrer([change(uo, JOUR + timedelta(days=10), nom="Deux")])
    assert {v.pk: v.validite.lower for v in versions(uo)[:2]} == anciennes
    assert [v.nom for v in versions(uo)][1:] == ["Un", "Deux"]


# -- cancelling -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_annuler_un_changement_prevu_rend_les_jours_suivants_a_celui_d_avant():
    acteur = personne()
    _, eg = etablissement()
    [uo] = enfants(eg, Niveau.UO, eg)
    prevu = change(uo, JOUR, acteur, nom="Prévu", age_min=3)
    enregistrer([prevu])
    enregistrer([change(uo, DEMAIN, acteur, nom="Suivant")])
    annuler(prevu, acteur)
    assert [(v.nom, v.age_min) for v in versions(uo)] == [(f"UO {uo.identifiant}", None), ("Suivant", None)]
    with pytest.raises(Conflit) as refus:
        annuler(prevu, acteur)
    assert refus.value.code == "deja_annulee"
    assert ecarts() == []


@pytest.mark.django_db
def test_annuler_la_creation_d_un_parent_est_refuse_tant_qu_il_a_des_enfants():
    acteur = personne()
    _, eg = etablissement(HOPITAL)
    [pole] = creer_fiches(eg=eg, niveaux=[Niveau.POLE])
    creation = change(pole, JOUR, acteur, existe=True, parent=eg.pk, nom="Pôle")
    enregistrer([creation])
    [service] = enfants(eg, Niveau.SERVICE, pole, jour=DEMAIN)
    with pytest.raises(Invalide), transaction.atomic():
        annuler(creation, acteur)
    assert versions(pole)
    enregistrer([change(service, DEMAIN, existe=False)])
    annuler(creation, acteur)
    assert versions(pole) == []


# -- the tree on every day --------------------------------------------------------------------------------------------


def refuse(*modifications: Modification) -> str:
    """The message of the refusal; nothing may stay written."""
    avant = list(VersionFiche.objects.order_by("pk").values_list("pk", "validite"))
    with pytest.raises(Invalide) as refus, transaction.atomic():
        enregistrer(modifications)
    assert refus.value.code == "arbre_illegal"
    assert list(VersionFiche.objects.order_by("pk").values_list("pk", "validite")) == avant
    return refus.value.message


@pytest.mark.django_db
def test_fermer_un_parent_qui_a_des_enfants_est_refuse():
    arbre_ = hopital()
    message = refuse(change(arbre_[Niveau.UF], JOUR, existe=False))
    assert f"UO {arbre_[Niveau.UO].identifiant}" in message


@pytest.mark.django_db
def test_fermer_avec_tous_les_enfants_est_accepte():
    fiches = hopital()
    enregistrer([change(fiches[n], JOUR, existe=False) for n in (Niveau.UF, Niveau.UO)])
    assert [v.validite.upper for n in (Niveau.UF, Niveau.UO) for v in versions(fiches[n])] == [JOUR, JOUR]
    assert arbre(fiches[Niveau.EG], DEMAIN).enfants[0].enfants[0].enfants == []


@pytest.mark.django_db
def test_fermer_un_parent_avant_la_fermeture_prevue_d_un_enfant_est_refuse():
    fiches = hopital()
    enregistrer([change(fiches[Niveau.UO], DEMAIN, existe=False)])
    refuse(change(fiches[Niveau.UF], JOUR, existe=False))
    enregistrer([change(fiches[Niveau.UF], DEMAIN, existe=False)])
    assert ecarts() == []


@pytest.mark.django_db
def test_creer_sous_un_parent_dont_la_fermeture_est_prevue_est_refuse():
    fiches = hopital()
    eg = fiches[Niveau.EG]
    [uf] = enfants(eg, Niveau.UF, fiches[Niveau.SERVICE])
    enregistrer([change(uf, DEMAIN, existe=False)])
    [uo] = creer_fiches(eg=eg, niveaux=[Niveau.UO])
    refuse(change(uo, JOUR, existe=True, parent=uf.pk, nom="Trop longue"))
    enregistrer([
        change(uo, JOUR, existe=True, parent=uf.pk, nom="Un jour"),
        change(uo, DEMAIN, existe=False),
    ])  # fmt: skip
    assert [v.validite.upper for v in versions(uo)] == [DEMAIN]


@pytest.mark.django_db
def test_deplacer_sous_une_fiche_fermee_est_refuse():
    fiches = hopital()
    [uf] = enfants(fiches[Niveau.EG], Niveau.UF, fiches[Niveau.SERVICE])
    enregistrer([change(uf, JOUR, existe=False)])
    refuse(change(fiches[Niveau.UO], DEMAIN, parent=uf.pk))


@pytest.mark.django_db
def test_deplacer_vers_un_autre_etablissement_est_refuse():
    fiches, ailleurs = hopital(), hopital()
    message = refuse(change(fiches[Niveau.UO], JOUR, parent=ailleurs[Niveau.UF].pk))
    assert "ne seraient rattachées à aucune fiche ouverte" in message


@pytest.mark.django_db
def test_deplacer_dans_l_etablissement_garde_l_histoire():
    fiches = hopital()
    [uf] = enfants(fiches[Niveau.EG], Niveau.UF, fiches[Niveau.SERVICE])
    enregistrer([change(fiches[Niveau.UO], JOUR, parent=uf.pk)])
    assert [v.parent_id for v in versions(fiches[Niveau.UO])] == [fiches[Niveau.UF].pk, uf.pk]


@pytest.mark.django_db
def test_une_uo_sous_l_eg_est_refusee_en_sanitaire_et_voulue_ailleurs():
    for categorie, legal in ((HOPITAL, False), (EHPAD, True)):
        _, eg = etablissement(categorie)
        [uo] = creer_fiches(eg=eg, niveaux=[Niveau.UO])
        creation = change(uo, JOUR, existe=True, parent=eg.pk, nom="Directe")
        if legal:
            enregistrer([creation])
        else:
            assert "un niveau que cet établissement n’admet pas" in refuse(creation)


@pytest.mark.django_db
def test_un_pole_est_refuse_hors_sanitaire():
    _, eg = etablissement(EHPAD)
    [pole] = creer_fiches(eg=eg, niveaux=[Niveau.POLE])
    refuse(change(pole, JOUR, existe=True, parent=eg.pk, nom="Pôle"))


@pytest.mark.django_db
def test_fermer_une_ej_qui_porte_un_etablissement_est_refuse():
    ej, eg = etablissement()
    message = refuse(change(ej, JOUR, existe=False))
    assert "EG" in message
    enregistrer([change(eg, JOUR, existe=False)])
    enregistrer([change(ej, JOUR, existe=False)])
    assert versions(ej)[-1].validite.upper == JOUR


# -- two writers ------------------------------------------------------------------------------------------------------


@pytest.mark.course
@pytest.mark.django_db(transaction=True)
def test_deux_ecritures_simultanees_d_une_fiche_gardent_les_deux_changements():
    acteur = personne()
    _, eg = etablissement()
    [uo] = enfants(eg, Niveau.UO, eg)
    patches = [
        {"nom": "Par l’un", "activites": {"ajoute": ["001"]}},
        {"conditions_accueil": "par l’autre", "activites": {"ajoute": ["002"]}},
    ]
    depart = threading.Barrier(2)
    pannes: list[BaseException] = []

    def ecrire(patch: dict, jour: date) -> None:
        try:
            depart.wait(10)
            enregistrer([change(uo, jour, acteur, **patch)])
        except BaseException as panne:  # the thread must not swallow it
            pannes.append(panne)
        finally:
            connection.close()

    # The later date is entered first or second, as the race decides: the result may not depend on it.
    fils = [threading.Thread(target=ecrire, args=(p, aujourdhui() + timedelta(days=n))) for n, p in enumerate(patches)]
    for fil in fils:
        fil.start()
    for fil in fils:
        fil.join(30)
    assert pannes == []
    lue = versions(uo)[-1]
    assert (lue.nom, lue.conditions_accueil, lue.activites) == ("Par l’un", "par l’autre", ["001", "002"])
    assert [v.activites for v in versions(uo)] == [[], ["001"], ["001", "002"]]
    assert ecarts() == []
