"""The journal as a chain: written by everybody, rewritten by nobody; read, exported and verified (ADR 11)."""

import hashlib
import json
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.factories import dossiers as fabrique
from tests.navigation import client, texte
from tests.workflows.ecrans import url
from workflows.chronologie import ICONES
from workflows.domaine import chaine, commentaires, decisions
from workflows.domaine.journal import consigner, consigner_tous
from workflows.enums import GENRES, TypeEvenement
from workflows.journaux import Faute, Verification, lignes_du_fichier, verifier, verifier_fichier
from workflows.models import Dossier, Evenement, TeteJournal

pytestmark = pytest.mark.django_db


@pytest.fixture
def instruit(monde: SimpleNamespace, dossier: Dossier) -> Dossier:
    """Sent, validated, returned with a comment, commented again: each kind of line."""
    unite = fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    fabrique.envoye(dossier, monde.referent)
    decisions.valider(tache=fabrique.tache(dossier).pk, acteur=monde.direction)
    fabrique.renvoye(dossier, monde.gestionnaire, "À préciser.", **{f"fiche_{unite.pk}": "Quels horaires ?"})
    commentaires.commenter(numero=dossier.pk, acteur=monde.referent, fiche=unite.pk, texte="É" * 900)
    return fabrique.relu(dossier)


def executer(*instructions: str) -> None:
    with connection.cursor() as curseur:
        for sql in instructions:
            curseur.execute(sql)


def sans_declencheurs(sql: str) -> None:
    """What only somebody with the password of the owner of the database can do."""
    role = "SET LOCAL session_replication_role"
    executer(f"{role} = replica", sql, f"{role} = origin")


def fichier(dossier: Dossier) -> list[str]:
    return "".join(lignes_du_fichier(dossier)).splitlines()


def ou(lignes: list[str], fin: str = "\n") -> list[int]:
    """The lines at which the file is found at fault, in their order."""
    return [faute.ou for faute in verifier_fichier(("\n".join(lignes) + fin).encode()).fautes]


# -- the chain ---------------------------------------------------------------------------------------------


def test_chaque_evenement_porte_le_precedent(instruit: Dossier) -> None:
    evenements = list(instruit.evenements.order_by("pk"))
    assert [e.rang for e in evenements] == list(range(1, len(evenements) + 1))
    precedente = chaine.ORIGINE
    for e in evenements:
        assert e.precedente == precedente
        assert e.condense == chaine.condense(chaine.contenu(e))
        assert e.empreinte == chaine.maillon(e.rang, precedente, e.condense)
        precedente = e.empreinte
    tete = TeteJournal.objects.get(dossier=instruit)
    assert (tete.rang, tete.empreinte) == (len(evenements), precedente)
    assert verifier(instruit) == Verification(instruit.pk, len(evenements), precedente, [])


def test_la_forme_canonique_est_celle_qui_est_documentee() -> None:
    assert chaine.canonique({"é": [1, None, "a\n"], "a": {"2": True}}) == '{"a":{"2":true},"é":[1,null,"a\\n"]}'
    attendu = hashlib.sha256(b"1 " + b"0" * 64 + b" ab").hexdigest()
    assert chaine.maillon(1, chaine.ORIGINE, "ab") == attendu
    with pytest.raises(ValueError, match="forme canonique"):
        chaine.canonique({"nombre": 1.5})


def test_ecrire_coute_une_instruction(dossier: Dossier, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        consigner(dossier, TypeEvenement.ROUVERT, None)
    with django_assert_num_queries(1):
        consigner_tous(Evenement(dossier=dossier, type=TypeEvenement.ROUVERT, details={"n": n}) for n in range(20))
    assert verifier(dossier).intacte


@pytest.mark.parametrize("table", ["evenement", "decision", "commentaire", "tetejournal", "ficheecartee"])
def test_postgresql_refuse_de_reecrire(dossier: Dossier, table: str) -> None:
    connection.check_constraints()  # else TRUNCATE would only meet the checks that still wait
    for sql in ("UPDATE {} SET dossier_id = 0", "DELETE FROM {}", "TRUNCATE {} CASCADE"):
        if table in ("decision", "commentaire", "ficheecartee") and not sql.startswith("TRUNCATE"):
            continue  # no row here; tests/workflows/test_machines.py
        with pytest.raises(ProgrammingError, match="Cannot"), transaction.atomic():
            executer(sql.format(f"workflows_{table}"))


def test_postgresql_refuse_ce_qui_ne_suit_pas(dossier: Dossier) -> None:
    for faux in ({"rang": 2}, {"precedente": "a" * 64}, {"empreinte": "b" * 64}, {"condense": "non"}):
        e = Evenement(dossier=dossier, type=TypeEvenement.ROUVERT)
        e.condense = chaine.condense(chaine.contenu(e))
        for champ, valeur in faux.items():
            setattr(e, champ, valeur)
        with pytest.raises(IntegrityError), transaction.atomic():
            e.save()
    assert verifier(dossier).intacte


# -- the database, altered behind its triggers -------------------------------------------------------------


def test_ce_qui_est_change_en_base_se_trouve(monde: SimpleNamespace, instruit: Dossier) -> None:
    fin = instruit.tete_journal.rang
    cas = {
        "UPDATE workflows_evenement SET details = '{}' WHERE rang = 2": (2, "l’événement 2 n’est plus celui"),
        "UPDATE workflows_evenement SET details = '{\"x\": 1.5}' WHERE rang = 2": (2, "l’événement 2 n’est plus celui"),
        "UPDATE workflows_evenement SET details = '1.5' WHERE rang = 2": (2, "l’événement 2 n’est plus celui"),
        "DELETE FROM workflows_evenement; DELETE FROM workflows_tetejournal": (0, "le journal manque"),
        "UPDATE workflows_evenement SET acteur_id = NULL WHERE rang = 1": (1, "l’événement 1 n’est plus celui"),
        "DELETE FROM workflows_evenement WHERE rang = 3": (4, "l’événement 3 est attendu, c’est le 4"),
        f"DELETE FROM workflows_evenement WHERE rang = {fin}": (
            fin - 1,
            f"le journal s’arrête à l’événement {fin - 1}",
        ),
        "UPDATE workflows_decision SET motif = 'Autre.' WHERE issue = 'renvoye'": (None, "La décision"),
        "DELETE FROM workflows_decision WHERE issue = 'valide'": (None, "La décision"),
        "UPDATE workflows_commentaire SET texte = left(texte, 800) WHERE length(texte) = 900": (fin, "Le commentaire"),
        f"UPDATE workflows_commentaire SET auteur_id = {monde.direction.pk}": (None, "Le commentaire"),
    }
    for sql, (rang, phrase) in cas.items():
        with transaction.atomic():
            sans_declencheurs(sql)
            faute = verifier(instruit).fautes[0]
            assert faute.phrase.startswith(phrase), sql
            assert rang in (None, faute.ou), sql
            assert bool(ou(fichier(instruit))) == ("workflows_evenement" in sql and rang not in (0, fin - 1)), sql
            sortie = StringIO()
            with pytest.raises(CommandError, match="faute"):
                call_command("verifier_journal", base=True, dossier=instruit.pk, stdout=sortie)
            assert sortie.getvalue().startswith(f"Dossier {instruit.pk} : {phrase}")
            transaction.set_rollback(True)
    assert verifier(instruit).intacte
    with pytest.raises(CommandError, match="n’existe pas"):
        call_command("verifier_journal", base=True, dossier=instruit.pk + 1000)


def test_les_fiches_ecartees_sont_scellees_avec_la_decision(monde: SimpleNamespace, dossier: Dossier) -> None:
    unites = [fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, f"Unité {n}") for n in range(2)]
    fabrique.envoye(dossier, monde.referent)
    decisions.valider(tache=fabrique.tache(dossier).pk, acteur=monde.direction)
    choix: dict[str, Any] = {
        "tache": fabrique.tache(dossier).pk, "acteur": monde.gestionnaire, "ecartees": {unites[0].pk: "Trop tôt."},
    }  # fmt: skip
    decisions.approuver_sauf(**choix, jeton=decisions.essayer_sauf(**choix).jeton)
    suite = fabrique.relu(dossier).suite
    assert verifier(dossier).intacte
    assert verifier(suite).intacte
    sans_declencheurs("UPDATE workflows_ficheecartee SET motif = 'Autre.'")
    [faute] = verifier(dossier).fautes
    assert faute.phrase.startswith("La décision")


def test_autant_de_requetes_pour_trois_dossiers_que_pour_un(monde: SimpleNamespace, instruit: Dossier) -> None:
    def requetes() -> int:
        with CaptureQueriesContext(connection) as lues:
            call_command("verifier_journal", base=True, stdout=StringIO())
        return len(lues)

    un = requetes()
    fabrique.brouillon(monde.ailleurs, monde.voisin)
    assert requetes() == un


# -- the file ----------------------------------------------------------------------------------------------


def test_un_fichier_exporte_se_verifie_sans_base(
    instruit: Dossier, tmp_path: Path, django_assert_num_queries: Any
) -> None:
    lignes = fichier(instruit)
    entete, fin = json.loads(lignes[0]), json.loads(lignes[-1])
    assert (entete["format"], entete["version"], entete["dossier"]) == ("ror-journal", 1, instruit.pk)
    assert fin["evenements"] == len(lignes) - 2 == instruit.evenements.count()
    assert {int(p) for p in entete["personnes"]} == set(
        instruit.evenements.exclude(acteur=None).values_list("acteur", flat=True)
    )
    chemin = tmp_path / "journal.jsonl"
    chemin.write_text("\n".join(lignes) + "\n")
    sortie = StringIO()
    with django_assert_num_queries(0):
        call_command("verifier_journal", str(chemin), stdout=sortie)
    assert fin["empreinte"] in sortie.getvalue()
    chemin.write_text("\n".join(lignes[:3]) + "\n")
    with django_assert_num_queries(0), pytest.raises(CommandError, match="n’est pas intact"):
        call_command("verifier_journal", str(chemin), stdout=sortie)
    assert "Ligne 4 : la fin du fichier manque" in sortie.getvalue()


def change(numero: int, **champs: Any) -> Callable[[list[str]], list[str]]:
    """The line, its content changed and its own digest made right again."""

    def geste(lignes: list[str]) -> list[str]:
        ligne = json.loads(lignes[numero - 1])
        ligne["contenu"] |= champs
        ligne["empreinte"] = chaine.maillon(ligne["rang"], ligne["precedente"], chaine.condense(ligne["contenu"]))
        return [*lignes[: numero - 1], chaine.canonique(ligne), *lignes[numero:]]

    return geste


GESTES: list[tuple[Callable[[list[str]], list[str]], list[int]]] = [
    (lambda x: [*x[:4], x[4].replace('"type":"', '"type":"x'), *x[5:]], [5]),
    (lambda x: [*x[:4], x[4] + " ", *x[5:]], [5]),
    (lambda x: [*x[:4], *x[5:]], [5]),  # dropped
    (lambda x: [*x[:4], x[5], x[4], *x[6:]], [5, 6, 7]),  # reordered
    (lambda x: [*x[:4], x[3], *x[4:]], [5]),  # inserted
    (lambda x: [*x[:4], "{}", *x[4:]], [5]),
    (lambda x: x[:5], [6]),  # cut
    (lambda x: [*x[:5], x[-1]], [6]),  # cut, and closed again
    (change(5, acteur=1), [6]),  # the next one tells: this one is right with itself
    (lambda x: [x[0].replace("Ouverture", "Fermeture"), *x[1:]], [1]),
    (lambda x: [*x[:-1], x[-1].replace('"evenements":', '"evenements":1')], [-1]),
    (lambda x: [*x[:4], re.sub(r'"rang":\d+}$', f'"rang":{"9" * 4300}}}', x[4]), *x[5:]], [5, 6]),
    (lambda x: [x[0].replace('"version":1', f'"version":{"9" * 4300}'), *x[1:]], [1]),
    (lambda x: x[1:], [1]),
    (lambda x: ["pas du JSON", *x[1:]], [1, 1]),
]


def test_ce_qui_est_change_dans_un_fichier_se_trouve_a_sa_ligne(instruit: Dossier) -> None:
    lignes = fichier(instruit)
    assert ou(lignes) == []
    for cas, (geste, attendu) in enumerate(GESTES):
        alteree = geste(lignes)
        assert ou(alteree) == [n if n > 0 else len(alteree) + n + 1 for n in attendu], cas


def test_un_octet_change_n_importe_ou_se_trouve(instruit: Dossier) -> None:
    octets = "".join(lignes_du_fichier(instruit)).encode()
    for position in range(0, len(octets), 7):
        faux = octets[:position] + bytes([octets[position] ^ 1]) + octets[position + 1 :]
        ligne = octets.count(b"\n", 0, position) + 1
        trouvees = [f.ou for f in verifier_fichier(faux).fautes]
        assert trouvees, position
        assert trouvees[0] in (ligne, ligne + 1), (position, trouvees)
    assert verifier_fichier(octets[:-1]).fautes[-1] == Faute(
        octets.count(b"\n"), "le fichier s’arrête au milieu de cette ligne."
    )
    assert verifier_fichier(b"").fautes
    assert verifier_fichier(octets.replace(b"\n", b"\r\n")).fautes[0].ou == 1


# -- the page ----------------------------------------------------------------------------------------------


def test_la_page_dit_que_la_chaine_est_intacte(monde: SimpleNamespace, instruit: Dossier) -> None:
    page = client(monde.direction).get(url(instruit, "journal/"))
    nombre = instruit.evenements.count()
    assert f"Journal vérifié : {nombre} événements, chaîne intacte" in texte(page)
    assert instruit.tete_journal.empreinte in page.content.decode()
    sans_declencheurs("UPDATE workflows_decision SET motif = 'Autre.' WHERE issue = 'renvoye'")
    assert "Ce journal n’est pas intact" in texte(client(monde.direction).get(url(instruit, "journal/")))


def test_les_filtres_retiennent_un_genre_et_une_personne(monde: SimpleNamespace, instruit: Dossier) -> None:
    assert sorted(t for types in GENRES.values() for t in types) == sorted(TypeEvenement) == sorted(ICONES)

    def vus(**filtre: Any) -> list[Evenement]:
        page = client(monde.referent).get(url(instruit, "journal/"), filtre)
        return [e["titre"] for e in page.context["evenements"]]

    assert vus(genre="commentaires") == ["Commentaire : « Unité nouvelle »"] * 2
    assert vus(par=monde.direction.pk) == ["Validé par la Direction"]
    assert len(vus(par="systeme")) == instruit.evenements.filter(acteur=None).count()
    assert vus(genre="decisions", par=monde.gestionnaire.pk) == ["Renvoyé pour correction"]
    assert len(vus(genre="inconnu", par=monde.voisin.pk)) == instruit.evenements.count()
    assert vus(genre="decisions", par=monde.collegue.pk, avant="x") != []


def test_la_page_s_exporte(monde: SimpleNamespace, instruit: Dossier) -> None:
    navigateur = client(monde.gestionnaire)
    json_ = b"".join(navigateur.get(url(instruit, "journal.jsonl")).streaming_content)
    assert verifier_fichier(json_).intacte
    csv = b"".join(navigateur.get(f"/exports/journal.csv?dossier={instruit.pk}").streaming_content).decode()
    assert csv.startswith("\ufeffRang;Date;Événement;Par;Précisions;Empreinte")
    assert csv.count(instruit.tete_journal.empreinte) == 1
    decisions = b"".join(
        navigateur.get(f"/exports/journal.csv?dossier={instruit.pk}&genre=decisions").streaming_content
    )
    assert 1 < decisions.decode().count("\r\n") < csv.count("\r\n")  # with the filters of the page
