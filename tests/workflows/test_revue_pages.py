"""The review on screen and on paper: parts of it, filters, the tree obtained, exports."""

from io import BytesIO

import pytest
from openpyxl import load_workbook

from backoffice.exports import document
from structures.enums import Role
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from tests.navigation import HTMX, client, texte
from tests.workflows.ecrans import url
from workflows.domaine import gestes
from workflows.revue import synthese

pytestmark = pytest.mark.django_db

SECRET = {
    "nature": "07", "nom": "", "fonction": "", "confidentialite": "3",
    "telecoms": [{"canal": "2", "valeur": "06 11 22 33 44", "confidentialite": "3"}],
}  # fmt: skip


@pytest.fixture
def rempli(monde, dossier):
    """An addition, a move with a change of type, a closing with two fiches below."""
    autre = repertoire.uf(monde.s, "UF 2102")
    pneumologie = repertoire.service(monde.p, "Pneumologie")
    repertoire.uo(repertoire.uf(pneumologie, "UF 2120"), "Unité de pneumologie")
    fabrique.nouvelle(dossier, monde.referent, autre.pk, "=Unité nouvelle")
    gestes.deplacer(numero=dossier.pk, acteur=monde.referent, fiches=[monde.uo.pk], parent=autre.pk)
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, type_uo="121")
    gestes.supprimer(numero=dossier.pk, acteur=monde.referent, fiches=[pneumologie.pk])
    return dossier


def test_une_grande_revue_se_deplie_a_la_demande(monde, dossier, monkeypatch):
    monkeypatch.setattr(synthese, "BEAUCOUP", 5)
    monkeypatch.setattr(synthese, "TRANCHE", 4)
    crees = gestes.ajouter(
        numero=dossier.pk, acteur=monde.referent, parent=monde.uf.pk, quantite=6, nom="Unité de soins"
    )
    navigateur, adresse = client(monde.referent), url(dossier, "changements/")
    page = navigateur.get(adresse)
    assert "6 unités opérationnelles" in texte(page)
    assert "Unité de soins" not in texte(page)
    bloc = f"{adresse}?bloc=ajout-{crees[0].fiche_id}"
    assert f'hx-get="{bloc}"' in page.text

    fragment = navigateur.get(bloc, headers=HTMX)
    assert fragment.text.count('id="changement-') == 4
    assert "<html" not in fragment.text
    assert f'hx-get="{bloc}&amp;depuis=4"' in fragment.text
    suite = navigateur.get(f"{bloc}&depuis=4", headers=HTMX)
    assert suite.text.count('id="changement-') == 2
    assert "Voir les suivantes" not in suite.text

    seule = navigateur.get(bloc)  # without JavaScript: the same lines on a page
    assert "<html" in seule.text
    assert seule.text.count('id="changement-') == 4
    assert navigateur.get(f"{adresse}?fiche={crees[5].fiche_id}").text.count('id="changement-') == 1
    assert navigateur.get(f"{adresse}?bloc=ajout-1").status_code == 404
    assert navigateur.get(f"{adresse}?fiche=x").status_code == 404


def test_un_commentaire_en_cours_reste_en_vue_dans_une_grande_revue(monde, dossier, monkeypatch):
    monkeypatch.setattr(synthese, "BEAUCOUP", 3)
    for i in range(5):
        fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, f"Unité {i}")
    fabrique.envoye(dossier, monde.referent)
    tache = fabrique.tache(dossier)
    fiche = dossier.fiches.first().fiche_id
    navigateur = client(monde.direction)
    assert f'name="commentaire-{fiche}"' not in navigateur.get(f"/taches/{tache.pk}/").text
    partie = navigateur.get(f"{url(dossier, 'changements/')}?bloc=ajout-{fiche}&commenter", headers=HTMX)
    assert f'name="commentaire-{fiche}"' in partie.text
    refus = navigateur.post(f"/taches/{tache.pk}/valider/", {f"commentaire-{fiche}": "À revoir."})
    assert refus.status_code == 422
    assert ">À revoir.</textarea>" in refus.text


def test_filtrer_par_attention(monde, rempli):
    navigateur, adresse = client(monde.gestionnaire), url(rempli, "changements/")
    page = texte(navigateur.get(adresse))
    assert "Tous les changements Fermeture avec des fiches rattachées 1 " in page
    assert "Type d’UO modifié 1" in page
    filtree = navigateur.get(f"{adresse}?attention=type").text
    assert f'id="changement-{monde.uo.pk}"' in filtree
    assert filtree.count('id="changement-') == 1
    assert navigateur.get(f"{adresse}?attention=inconnue").text.count('id="changement-') == 5


def test_l_arbre_obtenu(monde, rempli):
    page = client(monde.referent).get(url(rempli, "changements/arbre/"))
    mots = texte(page)
    assert "Pneumologie" not in mots
    assert "=Unité nouvelle" in mots
    assert "Unité de cardiologie depuis UF 2101" in mots
    assert "7 fiches" in mots  # EG, pôle, service, two UF, two UO


def test_classeur(monde, rempli):
    reponse = client(monde.referent).get(url(rempli, "changements.xlsx"))
    assert reponse["Content-Disposition"] == f'attachment; filename="dossier-{rempli.pk}-changements.xlsx"'
    classeur = load_workbook(BytesIO(reponse.content))
    assert classeur.sheetnames == ["Synthèse", "Changements", "Attentions"]
    lignes = list(classeur["Changements"].iter_rows(values_only=True))
    assert lignes[0][:5] == ("Changement", "Identifiant", "Niveau", "Fiche", "Emplacement")
    par_champ = {(ligne[3], ligne[5]): ligne[6:8] for ligne in lignes[1:]}
    assert par_champ["Unité de cardiologie", "Rattachement"] == ("UF 2101", "UF 2102")
    assert par_champ["Pneumologie", "Présence au répertoire"] == ("Oui", "Fermée à la publication")
    assert par_champ["=Unité nouvelle", "Nom"] == (None, "=Unité nouvelle")
    [nom] = [c for c in classeur["Changements"]["D"] if c.value == "=Unité nouvelle"][:1]
    assert nom.data_type == "s"  # a text, not a formula
    attentions = [ligne[:2] for ligne in classeur["Attentions"].iter_rows(min_row=2, values_only=True)]
    assert ("Type d’UO modifié", "Type d’UO modifié") in attentions
    assert ("Fermeture avec des fiches rattachées", "sa suppression ferme aussi 2 fiches rattachées") in attentions


def lignes_de(classeur) -> str:
    return "\n".join(str(v) for feuille in classeur for ligne in feuille.iter_rows(values_only=True) for v in ligne)


def test_les_contacts_sont_masques_dans_tous_les_formats():
    eg = repertoire.etablissement("handicap", nom="SESSAD TEST")
    referent, ars = repertoire.compte(Role.REFERENT, eg), repertoire.compte(Role.TUTELLE, "ARS-11")
    dossier = fabrique.brouillon(eg, referent)
    fabrique.nouvelle(dossier, referent, eg.pk, "Unité mobile", contacts={"c1": SECRET})
    fabrique.envoye(dossier, referent)
    for qui, vu in ((referent, True), (ars, False)):
        navigateur = client(qui)
        classeur = load_workbook(BytesIO(navigateur.get(url(dossier, "changements.xlsx")).content))
        assert ("06 11 22 33 44" in lignes_de(classeur)) is vu
        for suite in ("changements/", "changements/imprimer/"):
            assert ("06 11 22 33 44" in navigateur.get(url(dossier, suite)).text) is vu


def test_la_page_a_imprimer_dit_tout(monde, rempli):
    page = texte(client(monde.gestionnaire).get(url(rempli, "changements/imprimer/")))
    for mots in (
        "5 fiches changées : 1 ajout, 1 déplacement, 3 suppressions.", "de UF 2101 vers UF 2102",
        "À regarder : Type d’UO modifié", "Avec 2 fiches rattachées", "UO Unité de pneumologie",
    ):  # fmt: skip
        assert mots in page


@pytest.mark.skipif(
    document.moteur() is None,
    reason="needs Pango: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core",
)
def test_pdf(monde, rempli):
    reponse = client(monde.gestionnaire).get(url(rempli, "changements.pdf"))
    assert reponse["Content-Type"] == "application/pdf"
    assert reponse.content.startswith(b"%PDF-")


def test_sans_pango_la_page_a_imprimer(monde, rempli, monkeypatch):
    monkeypatch.setattr(document, "moteur", lambda: None)
    reponse = client(monde.gestionnaire).get(url(rempli, "changements.pdf"))
    assert reponse["Content-Type"].startswith("text/html")
    assert "Ce serveur ne sait pas produire de PDF" in texte(reponse)
    assert "de UF 2101 vers UF 2102" in texte(reponse)


def test_un_format_inconnu(monde, rempli):
    assert client(monde.gestionnaire).get(url(rempli, "changements.docx")).status_code == 404
