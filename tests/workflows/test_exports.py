"""What the lists of a dossier and of an inbox give as files: the list of the page, for who reads it."""

import csv
import io
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backoffice.comptes.models import User
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from tests.navigation import client, texte
from workflows.domaine import commentaires, decisions, gestes
from workflows.domaine.vues_taches import enregistrer_vue
from workflows.models import Dossier

from .ecrans import url, url_fiche

pytestmark = pytest.mark.django_db


def exporter(navigateur: Client, adresse: str) -> tuple[list[dict[str, str]], int]:
    """(rows by the names of the columns, statements that they took)"""
    with CaptureQueriesContext(connection) as ordres:
        recu = navigateur.get(f"/exports/{adresse}")
        assert recu.status_code == 200
        brut = b"".join(recu.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(brut), delimiter=";")), len(ordres)


def test_les_controles_comme_la_page_les_montre(monde: SimpleNamespace, dossier: Dossier) -> None:
    repertoire.publier(monde.uo, {"nom": "Cardiologie"})
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Accueil")
    [vide] = fabrique.nouvelles(dossier, monde.referent, monde.uf.pk)
    auteur = client(monde.referent)

    def lus(filtres: str = "") -> list[dict[str, str]]:
        return exporter(auteur, f"controles.csv?dossier={dossier.pk}&{filtres}")[0]

    tous = lus()
    page = auteur.get(url(dossier, "controles/"), {"quoi": "", "par": "regle"})
    ordre = list(dict.fromkeys(ligne["Code"] for ligne in tous))
    assert ordre == list(dict.fromkeys(g.regle.code for g in page.context["groupes"]))
    gravites = [ligne["Gravité"] for ligne in tous]
    assert gravites == ["bloquant"] * 7 + ["avertissement"] * 3
    filtree = auteur.get(url(dossier, "controles/?quoi=avertissements&regle=CP4")).content.decode()
    assert f'"/exports/controles.csv?dossier={dossier.pk}&amp;quoi=avertissements&amp;regle=CP4"' in filtree
    manque = next(ligne for ligne in tous if ligne["Champ"] == "Type d’UO")
    assert manque["Constat"] == "« Type d’UO » est obligatoire pour finaliser la fiche."
    assert manque["Adresse"].endswith(f"{url_fiche(dossier, vide)}#id_type_uo")
    assert {ligne["Code"] for ligne in lus("quoi=avertissements&regle=CP4")} == {"CP4"}
    assert [ligne["Identifiant"] for ligne in lus("quoi=repertoire") if ligne["Champ"] == "Nom"] == [
        monde.uo.identifiant
    ]
    fiches = [ligne["Identifiant"] for ligne in lus("par=fiche")]
    assert (len(fiches), len(list(dict.fromkeys(fiches)))) == (10, 2)
    assert fiches == sorted(fiches, key=fiches.index)  # each fiche once, with all that is wrong with it


def test_les_controles_ne_disent_un_contact_qu_a_qui_le_lit(monde: SimpleNamespace, dossier: Dossier) -> None:
    contact = {"nature": "", "nom": "Camille Secrète", "fonction": "03", "confidentialite": "3", "telecoms": []}
    fiche = fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, contacts={"c": contact})
    travail = dossier.fiches.get(fiche=fiche)
    mauvais = [{"canal": "3", "valeur": "pas-une-adresse", "confidentialite": "3"}]
    travail.patch["contacts"] = {"pose": {"c": contact | {"telecoms": mauvais}}}
    travail.save()
    adresse = f"controles.csv?dossier={dossier.pk}"
    vus = [str(exporter(client(qui), adresse)[0]) for qui in (monde.referent, monde.gestionnaire)]
    assert ["pas-une-adresse" in lignes for lignes in vus] == [
        "pas-une-adresse" in texte(client(qui).get(url(dossier, "controles/")))
        for qui in (monde.referent, monde.gestionnaire)
    ]


def test_un_dossier_termine_n_a_plus_de_controles(monde: SimpleNamespace, dossier: Dossier) -> None:
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Accueil")
    fabrique.envoye(dossier, monde.referent)
    decisions.valider(tache=fabrique.tache(dossier).pk, acteur=monde.direction)
    decisions.approuver(tache=fabrique.tache(dossier).pk, acteur=monde.gestionnaire)
    assert exporter(client(monde.referent), f"controles.csv?dossier={dossier.pk}")[0] == []
    assert "/exports/controles" not in client(monde.referent).get(url(dossier, "controles/")).content.decode()


def test_les_commentaires_fil_par_fil(monde: SimpleNamespace, dossier: Dossier) -> None:
    User.objects.filter(pk=monde.direction.pk).update(first_name="Jean", last_name="Petit")
    perdue = fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Unité de passage")

    def commenter(fiche: int, mots: str, champ: str = "") -> int:
        return commentaires.commenter(
            numero=dossier.pk, acteur=monde.referent, fiche=fiche, texte=mots, champ=champ
        ).pk  # fmt: skip

    premier = commenter(monde.uf.pk, "=2+2, @Jean Petit ?", "nom")
    clos = commenter(perdue.pk, "À revoir")
    commentaires.repondre(numero=dossier.pk, acteur=monde.direction, fil=premier, texte="Oui.")
    commentaires.resoudre(numero=dossier.pk, acteur=monde.referent, fil=clos)
    gestes.supprimer(numero=dossier.pk, acteur=monde.referent, fiches=[perdue.pk])
    lecteur = client(monde.direction)

    def lus(filtre: str = "") -> list[tuple[str, ...]]:
        lignes, _ = exporter(lecteur, f"commentaires.csv?dossier={dossier.pk}&montrer={filtre}")
        return [
            tuple(ligne[c] for c in ("Fil", "Fiche", "Champ", "Commentaire", "Cite", "État", "Résolu par"))
            for ligne in lignes
        ]

    ouvert = [
        (str(premier), "UF 2101", "Nom", "'=2+2, @Jean Petit ?", "Jean Petit", "À résoudre", ""),
        (str(premier), "UF 2101", "Nom", "Oui.", "", "À résoudre", ""),
    ]
    resolu = [(str(clos), "Unité de passage", "", "À revoir", "", "Résolu", "referent")]
    assert (lus(), lus("moi"), lus("resolus"), lus("tous")) == (ouvert, ouvert, resolu, ouvert + resolu)
    page = lecteur.get(url(dossier, "commentaires/?montrer=resolus")).content.decode()
    assert f"/exports/commentaires.csv?dossier={dossier.pk}&montrer=resolus" in page


def test_les_vues_siennes_et_partagees(monde: SimpleNamespace) -> None:
    enregistrer_vue(user=monde.collegue, nom="Secrète", requete="onglet=a-prendre")
    enregistrer_vue(user=monde.collegue, nom="Commune", requete="onglet=en-retard", partagee=True)
    enregistrer_vue(user=monde.referent, nom="À moi", requete="onglet=a-prendre&departement=75", par_defaut=True)
    lignes, _ = exporter(client(monde.referent), "vues-taches.csv")
    assert [tuple(ligne.values())[:-1] for ligne in lignes] == [
        ("À moi", "referent", "non", "oui"),
        ("Commune", "collegue", "oui", "non"),
    ]
    assert "/taches/?onglet=a-prendre&departement=75&vue=" in lignes[0]["Adresse"]
    assert "/exports/vues-taches.csv" in client(monde.referent).get("/taches/vues/").content.decode()


def test_autant_de_requetes_pour_une_ligne_que_pour_trois(monde: SimpleNamespace, dossier: Dossier) -> None:
    lecteur, rang = client(monde.referent), 0
    adresses = [f"controles.csv?dossier={dossier.pk}", f"commentaires.csv?dossier={dossier.pk}", "vues-taches.csv"]

    def une_de_plus() -> list[tuple[int, int]]:
        nonlocal rang
        rang += 1
        fiche = fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, f"Accueil {rang}")
        fil = commentaires.commenter(numero=dossier.pk, acteur=monde.collegue, fiche=fiche.pk, texte="@referent ?").pk
        commentaires.repondre(numero=dossier.pk, acteur=monde.referent, fil=fil, texte="Oui.")
        enregistrer_vue(user=monde.collegue, nom=f"Vue {rang}", requete="onglet=a-prendre", partagee=True)
        return [(len(lignes), ordres) for lignes, ordres in (exporter(lecteur, a) for a in adresses)]

    une_de_plus()  # the first one writes the session
    une = une_de_plus()
    une_de_plus()
    trois = une_de_plus()
    assert all(apres > avant for (avant, _), (apres, _) in zip(une, trois, strict=True))
    assert [ordres for _, ordres in trois] == [ordres for _, ordres in une]
