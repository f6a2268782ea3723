"""The strictness of the test set-up itself."""

import socket

import pytest
from django.db import connection
from django.template import Context, Engine, Template, engines


def test_le_reseau_est_ferme():
    with socket.socket() as prise, pytest.raises(BaseException, match="may not reach"):
        prise.connect(("192.0.2.1", 80))


@pytest.mark.django_db
def test_la_base_est_un_cluster_prive_sans_fsync():
    with connection.cursor() as curseur:
        curseur.execute("SHOW fsync")
        assert curseur.fetchone() == ("off",)
        curseur.execute("SHOW unix_socket_directories")
        assert "/ror-essai-" in curseur.fetchone()[0]


def test_une_variable_inconnue_fait_echouer_nos_gabarits(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.variable_inconnue.RACINE", tmp_path)
    (tmp_path / "essai.html").write_text("<p>{{ connue }} {{ inconnue.nom }}</p>")
    moteur = Engine(dirs=[str(tmp_path)], string_if_invalid=engines["django"].engine.string_if_invalid)
    with pytest.raises(BaseException, match=r"Unknown variable \{\{ inconnue.nom \}\} in essai.html"):
        moteur.get_template("essai.html").render(Context({"connue": 1}))


def test_une_variable_inconnue_est_permise_aux_bibliotheques():
    assert Template("{{ inconnue }}").render(Context({})) == ""
