"""« Modifier dans un tableur »: an establishment as a file, brought back into a dossier; and on paper, to sign."""

import io
from types import SimpleNamespace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import load_workbook

from backoffice.exports import document
from structures.enums import Niveau
from tests.factories import repertoire
from tests.navigation import client, requetes_de, texte
from workflows.models import Dossier

pytestmark = pytest.mark.django_db


def octets(reponse) -> bytes:
    assert reponse.status_code == 200
    return b"".join(reponse.streaming_content)


def test_aller_et_retour(monde: SimpleNamespace) -> None:
    navigateur, url = client(monde.referent), f"/repertoire/{monde.eg.identifiant}/tableur/"
    page = navigateur.get(f"/repertoire/{monde.eg.identifiant}/")
    assert url in page.content.decode()
    assert "Créer le dossier" in texte(navigateur.get(url))
    fichier = octets(navigateur.get(f"{url}gabarit/?format=xlsx"))  # before there is any dossier
    cree = navigateur.post(url, {"nom": "Relecture annuelle"})
    dossier = Dossier.objects.get()
    assert (cree.status_code, cree["Location"]) == (302, f"/dossiers/{dossier.pk}/fichier/")

    def deposer(contenu: bytes):
        return navigateur.post(cree["Location"], {"fichier": SimpleUploadedFile("e.xlsx", contenu)})

    assert "Ce fichier ne change rien" in texte(deposer(fichier))
    for forme in ("csv", "ods"):
        autre = octets(navigateur.get(f"{url}gabarit/?format={forme}"))
        refus = navigateur.post(cree["Location"], {"fichier": SimpleUploadedFile(f"e.{forme}", autre)})
        assert "Ce fichier ne change rien" in texte(refus), forme
    classeur = load_workbook(io.BytesIO(fichier))
    feuille = classeur.worksheets[0]
    titres = [c.value for c in feuille[1]]
    [uo] = [ligne for ligne in feuille.iter_rows(min_row=2) if ligne[titres.index("Niveau")].value == Niveau.UO]
    uo[titres.index("Nom")].value = "Unité de rythmologie"
    tampon = io.BytesIO()
    classeur.save(tampon)
    apercu = navigateur.get(deposer(tampon.getvalue())["Location"])
    [ligne] = apercu.context["lignes"]
    assert [(x["champ"], x["apres"]) for x in ligne["lignes"]] == [("Nom", "Unité de rythmologie")]

    page = texte(navigateur.get(url))
    assert "C’est dans « Relecture annuelle » que le fichier se dépose" in page
    assert "Créer le dossier" not in page
    assert navigateur.post(url, {"nom": "Autre"}).status_code == 409
    for qui in (monde.voisin, monde.gestionnaire):
        assert client(qui).get(url).status_code == 403
    assert client(monde.voisin).get("/repertoire/1000000000/tableur/").status_code == 404


def test_le_document_a_signer(monde: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = {"nom": "Nom Secret", "confidentialite": "3"}
    repertoire.publier(monde.uo, {"contacts": {"pose": {"a": secret}}, "nom": "Unité <1> & fils"})
    base = f"/repertoire/{monde.eg.identifiant}"
    navigateur = client(repertoire.lecteur())
    page = texte(navigateur.get(f"{base}/imprimer/"))
    for mot in ("Hôpital TEST au", "Pôle Médecine", "Unité <1> & fils", "Fonction", "Signature"):
        assert mot in page, mot
    assert "Secret" not in page
    assert "Nom Secret" in texte(client(monde.referent).get(f"{base}/imprimer/"))
    assert "Cardiologie générale" in page
    assert navigateur.get(f"{base}/imprimer/?au=1999-01-01").status_code == 404
    assert navigateur.get(f"/repertoire/{monde.uo.identifiant}/imprimer/").status_code == 404
    autant = requetes_de(navigateur, f"{base}/imprimer/")
    repertoire.uo(monde.uf, "Unité 2")
    repertoire.uo(monde.uf, "Unité 3")
    assert requetes_de(navigateur, f"{base}/imprimer/") == autant
    if document.moteur() is not None:
        fichier = navigateur.get(f"{base}/document.pdf")
        assert (fichier["Content-Type"], fichier.content[:5]) == ("application/pdf", b"%PDF-")
    monkeypatch.setattr(document, "moteur", lambda: None)
    assert "ne sait pas produire de PDF" in texte(navigateur.get(f"{base}/document.pdf"))
