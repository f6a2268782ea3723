"""A deposited file or zip: its members by name, and a sentence for what is damaged, ciphered or too big."""

import io
import zipfile
from pathlib import Path

import pytest

from structures.importations.archive import Bornes, fichiers
from structures.importations.lecture import FichierRefuse

BORNES = Bornes(extensions=(".csv", ".json"), fichiers=3, taille=1_000, total=2_000)


def zip_de(membres: dict[str, str]) -> bytes:
    flux = io.BytesIO()
    with zipfile.ZipFile(flux, "w", zipfile.ZIP_DEFLATED) as archive:
        for nom, contenu in membres.items():
            archive.writestr(nom, contenu)
    return flux.getvalue()


@pytest.fixture
def depose(tmp_path):
    def lire(contenu: bytes, nom: str = "depot.zip") -> list[tuple[str, bytes]]:
        chemin: Path = tmp_path / "contenu"
        chemin.write_bytes(contenu)
        return list(fichiers(chemin, nom, BORNES))

    return lire


def test_un_fichier_seul_garde_le_nom_de_son_depot(depose):
    assert depose(b"a;b", "Liste.CSV") == [("Liste.CSV", b"a;b")]


def test_les_membres_d_un_zip_par_leur_nom_sans_les_autres(depose):
    archive = zip_de({"b.json": "2", "a.CSV": "1", "lisezmoi.txt": "…", "__MACOSX/a.csv": "x"})
    assert depose(archive, "DEPOT.ZIP") == [("a.CSV", b"1"), ("b.json", b"2")]


def chiffre(archive: bytes) -> bytes:
    """The flag « ciphered » of the member, in its own header and in the directory."""
    octets = bytearray(archive)
    octets[6] |= 1
    octets[octets.index(b"PK\x01\x02") + 8] |= 1
    return bytes(octets)


def tasse_autrement(archive: bytes) -> bytes:
    octets = bytearray(archive)
    octets[8] = 99
    octets[octets.index(b"PK\x01\x02") + 10] = 99
    return bytes(octets)


def gate(archive: bytes) -> bytes:
    octets = bytearray(archive)
    octets[40:44] = b"\xff\xff\xff\xff"
    return bytes(octets)


@pytest.mark.parametrize(
    ("contenu", "mots"),
    [
        (b"rien d'une archive", "abîmée"),
        (zip_de({"a.csv": "1" * 500})[:-30], "abîmée"),
        (gate(zip_de({"a.csv": "1;2;3" * 50})), "abîmée"),
        (chiffre(zip_de({"a.csv": "1"})), "mot de passe"),
        (tasse_autrement(zip_de({"a.csv": "1"})), "abîmée"),
        (zip_de({"a.csv": "1" * 1_001}), "a.csv dépasse"),
        (zip_de({"a.csv": "1" * 900, "b.csv": "1" * 900, "c.csv": "1" * 900}), "une fois ouvert"),
        (zip_de({"a.csv": "1", "b.csv": "1", "c.csv": "1", "d.csv": "1"}), "plus de 3 fichiers"),
    ],
    ids=["autre chose", "coupée", "gâtée", "chiffrée", "tassée autrement", "un gros", "gros ensemble", "trop"],
)
def test_ce_qui_ne_s_ouvre_pas_est_refuse_en_une_phrase(depose, contenu, mots):
    with pytest.raises(FichierRefuse) as refus:
        depose(contenu)
    assert mots in refus.value.message


def test_un_gros_fichier_seul_et_un_fichier_absent(depose, tmp_path):
    with pytest.raises(FichierRefuse, match=r"gros\.csv dépasse"):
        depose(b"1" * 1_001, "gros.csv")
    with pytest.raises(FichierRefuse, match="ne peut pas être lu"):
        list(fichiers(tmp_path / "absent", "absent.zip", BORNES))
