"""« Ce que le dossier change », through the HTTP client."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from tests.navigation import client, texte
from tests.workflows.ecrans import url
from workflows.domaine import gestes
from workflows.revue import changements, resume

pytestmark = pytest.mark.django_db


def test_changements(monde, dossier):
    """One list for authors and deciders: counts, marks, before and after with labels."""
    autre = repertoire.uf(monde.s, "UF 2102")
    places = repertoire.uo(
        autre, "Unité réduite", capacites={"pose": {"p": {"nature": "01", "statut": "01", "nombre": 10}}}
    )
    service = repertoire.service(monde.p, "Pneumologie")
    fermee = repertoire.uf(service, "UF 2120")
    fabrique.nouvelle(
        dossier,
        monde.referent,
        autre.pk,
        "Unité nouvelle",
        capacites={"c": {"nature": "01", "statut": "01", "nombre": 4}},
    )
    gestes.deplacer(numero=dossier.pk, acteur=monde.referent, fiches=[monde.uo.pk], parent=autre.pk)
    fabrique.modifier(
        dossier, monde.referent, monde.uo.pk, type_uo="121", activites=frozenset(["013", "014"]), unite_sensible=True
    )
    fabrique.modifier(
        dossier, monde.referent, places.pk, capacites={"p": {"nature": "01", "statut": "01", "nombre": 7}}
    )
    gestes.supprimer(numero=dossier.pk, acteur=monde.referent, fiches=[service.pk])
    liste = changements(dossier)
    synthese = resume(liste)
    assert synthese.comptes == [
        ("ajout", "1 ajout"), ("deplacement", "1 déplacement"), ("modification", "1 modification"),
        ("suppression", "2 suppressions"),
    ]  # fmt: skip
    assert [(m.code, nom, r.texte) for m in synthese.marques for r in m.raisons for nom, _ in r.fiches] == [
        ("fermeture", "Pneumologie", "sa suppression ferme aussi 1 fiche rattachée"),
        ("capacite", "Unité réduite", "capacité réduite de 10 à 7 places"),
        ("type", "Unité de cardiologie", "Type d’UO modifié"),
        ("sensible", "Unité de cardiologie", "devient une unité sensible"),
    ]
    par_nom = {c.nom: c for c in liste}
    deplacee = par_nom["Unité de cardiologie"]
    assert (deplacee.de, deplacee.vers) == ("UF 2101", "UF 2102")
    assert deplacee.natures == ["deplacement", "modification"]
    avant_apres = {ligne["champ"]: (ligne["avant"], ligne["apres"]) for ligne in deplacee.lignes}
    assert set(avant_apres) == {"Type d’UO", "Activités opérationnelles", "Unité sensible"}
    assert avant_apres["Unité sensible"] == ("Non", "Oui")
    assert len(avant_apres["Activités opérationnelles"][1]) == 2
    assert par_nom["Unité nouvelle"].extrait.endswith("1 activité opérationnelle · 4 places")
    assert [c.nom for c in par_nom["Pneumologie"].dessous] == ["UF 2120"]
    assert par_nom["UF 2120"].entraine
    assert fermee.pk == par_nom["UF 2120"].fiche
    page = texte(client(monde.gestionnaire).get(url(dossier, "changements/")))
    assert "1 ajout 1 déplacement 1 modification 2 suppressions" in page
    assert "À regarder de près" in page
    assert "de UF 2101 vers UF 2102" in page
    assert "Avec 1 fiche rattachée" in page


def test_changements_requetes_constantes(monde, dossier):
    def compter() -> int:
        with CaptureQueriesContext(connection) as vues:
            resume(changements(dossier, monde.gestionnaire))
        return len(vues)

    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, territoire=frozenset(["92040"]))
    un = compter()
    for i in range(3):
        fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, f"Unité {i}", territoire=frozenset(["75113"]))
        fabrique.modifier(dossier, monde.referent, repertoire.uo(monde.uf, f"Ancienne {i}").pk, nom=f"Unité neuve {i}")
    assert compter() == un
