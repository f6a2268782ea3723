"""What PostgreSQL itself refuses, whatever the code does: everything here is raw SQL."""

from collections.abc import Iterator, Sequence

import pytest
from django.db import Error, connection, transaction

from structures.domaine.enregistrer import annuler
from structures.enums import Niveau
from structures.models import Fiche, Modification, Reservation, VersionFiche

from .fabrique import ORIGINE, change, enfants, etablissement, hopital, personne, versions

pytestmark = pytest.mark.django_db


def refuse(motif: str, requete: str, *parametres: object) -> None:
    """PostgreSQL refuses the statement, or the transaction at its commit, for this reason."""
    with pytest.raises(Error, match=motif), transaction.atomic():
        _executer(requete, parametres)


def _executer(requete: str, parametres: Sequence[object]) -> None:
    with connection.cursor() as curseur:
        curseur.execute(requete, parametres)
        curseur.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.fixture
def fiches() -> Iterator[dict[str, Fiche]]:
    return hopital()


def copie_version(fiche: Fiche, **colonnes: str) -> tuple[str, int]:
    """A statement that inserts a version of a fiche like its last one, but for the SQL of these columns."""
    noms = [c.column for c in VersionFiche._meta.concrete_fields if c.column != "id"]
    sources = ", ".join(colonnes.get(nom, nom) for nom in noms)
    return (
        f"""INSERT INTO structures_versionfiche ({", ".join(noms)})
            SELECT {sources} FROM structures_versionfiche WHERE id = %s""",
        versions(fiche)[-1].pk,
    )


@pytest.mark.parametrize("validite", ["'[2021-01-01,)'", "'[2019-12-31,2020-01-02)'", "'[2020-01-01,2020-01-02)'"])
def test_deux_versions_qui_se_chevauchent(fiches, validite):
    refuse("version_sans_chevauchement", *copie_version(fiches[Niveau.UO], validite=validite))


def test_une_version_sans_aucun_jour(fiches):
    refuse("version_validite_non_vide", *copie_version(fiches[Niveau.UO], validite="'empty'"))


def test_des_versions_qui_se_touchent_sont_acceptees(fiches):
    requete, pk = copie_version(fiches[Niveau.UO], validite="'[2019-01-01,2020-01-01)'")
    _executer(requete, [pk])
    assert len(versions(fiches[Niveau.UO])) == 2


@pytest.mark.parametrize(
    ("niveau", "parent"),
    [
        (Niveau.UO, Niveau.SERVICE),
        (Niveau.UF, Niveau.POLE),
        (Niveau.SERVICE, Niveau.EG),
        (Niveau.POLE, Niveau.EJ),
        (Niveau.EG, Niveau.POLE),
        (Niveau.UF, Niveau.UO),
    ],
)
def test_un_parent_de_niveau_illegal(fiches, niveau, parent):
    refuse(
        "version_parent_legal",
        "UPDATE structures_versionfiche SET parent_id = %s, parent_niveau = %s WHERE fiche_id = %s",
        fiches[parent].pk,
        parent,
        fiches[niveau].pk,
    )


@pytest.mark.parametrize("niveau", [Niveau.EG, Niveau.POLE, Niveau.SERVICE, Niveau.UF, Niveau.UO])
def test_une_fiche_sans_parent(fiches, niveau):
    refuse(
        "version_parent_legal",
        "UPDATE structures_versionfiche SET parent_id = NULL, parent_niveau = NULL WHERE fiche_id = %s",
        fiches[niveau].pk,
    )


def test_un_parent_de_niveau_inconnu(fiches):
    refuse(
        "version_parent_legal",
        "UPDATE structures_versionfiche SET parent_niveau = NULL WHERE fiche_id = %s",
        fiches[Niveau.UO].pk,
    )


def test_une_ej_avec_un_parent(fiches):
    ej, _ = etablissement()
    refuse(
        "version_parent_legal",
        "UPDATE structures_versionfiche SET parent_id = %s, parent_niveau = 'EJ' WHERE fiche_id = %s",
        ej.pk,
        fiches[Niveau.EJ].pk,
    )


def test_un_niveau_de_parent_qui_ment(fiches):
    refuse(
        "version_niveau_parent",
        "UPDATE structures_versionfiche SET parent_id = %s WHERE fiche_id = %s",  # a Service, still said to be an UF
        fiches[Niveau.SERVICE].pk,
        fiches[Niveau.UO].pk,
    )


def test_un_parent_qui_n_existe_pas(fiches):
    refuse("version_niveau_parent", "UPDATE structures_versionfiche SET parent_id = -1 WHERE fiche_id = %s",
           fiches[Niveau.UO].pk)  # fmt: skip


def test_un_niveau_de_fiche_qui_ment(fiches):
    refuse(
        "version_identite|version_meme_eg",
        "UPDATE structures_versionfiche SET niveau = 'UO', parent_id = %s, parent_niveau = 'UF' WHERE fiche_id = %s",
        fiches[Niveau.UF].pk,
        fiches[Niveau.SERVICE].pk,
    )


def test_un_etablissement_qui_ment(fiches):
    _, ailleurs = etablissement()
    refuse("version_meme_eg", "UPDATE structures_versionfiche SET eg_id = %s WHERE fiche_id = %s",
           ailleurs.pk, fiches[Niveau.UO].pk)  # fmt: skip


def test_un_etablissement_absent(fiches):
    # MATCH SIMPLE checks no foreign key that has a null in it: the level must then forbid the null.
    refuse("version_", "UPDATE structures_versionfiche SET eg_id = NULL WHERE fiche_id = %s", fiches[Niveau.UO].pk)


@pytest.mark.parametrize(
    "affectation",
    ["patch = '{}'", "date_effet = '1999-01-01'", "source = 'import'", "origine = 'x'", "motif = 'x'",
     "saisie_le = now()", "auteur_id = NULL", "fiche_id = fiche_id + 1"],
)  # fmt: skip
def test_une_modification_ne_change_pas(fiches, affectation):
    modification = change(fiches[Niveau.UO], ORIGINE, personne(), nom="Autre")
    modification.save()
    refuse("Cannot update", f"UPDATE structures_modification SET {affectation} WHERE id = %s", modification.pk)


def test_une_modification_ne_s_efface_pas(fiches):
    VersionFiche.objects.all().delete()
    refuse("Cannot delete", "DELETE FROM structures_modification")


def test_une_modification_ne_s_annule_qu_une_fois(fiches):
    acteur = personne()
    modification = change(fiches[Niveau.UO], ORIGINE, acteur, nom="Autre")
    modification.save()
    annuler(modification, acteur)
    for affectation in ("annulee_le = now()", "annulee_le = NULL, annulee_par_id = NULL"):
        refuse("Cannot update", f"UPDATE structures_modification SET {affectation} WHERE id = %s", modification.pk)


def test_une_annulation_est_signee(fiches):
    refuse("modification_annulation_signee", "UPDATE structures_modification SET annulee_le = now()")


def test_une_modification_directe_est_signee(fiches):
    refuse(
        "modification_directe_signee",
        """INSERT INTO structures_modification (fiche_id, date_effet, patch, source, origine, motif, saisie_le)
           VALUES (%s, '2024-01-01', '{}', 'direct', '', '', now())""",
        fiches[Niveau.UO].pk,
    )


@pytest.mark.parametrize("affectation", ["niveau = 'UF'", "identifiant = '11/9999999'", "eg_id = id"])
def test_une_identite_ne_change_pas(fiches, affectation):
    refuse("Cannot update", f"UPDATE structures_fiche SET {affectation} WHERE id = %s", fiches[Niveau.UO].pk)


def test_une_fiche_publiee_ne_s_efface_pas(fiches):
    refuse("violates foreign key", "DELETE FROM structures_fiche WHERE id = %s", fiches[Niveau.UO].pk)


@pytest.mark.parametrize(("niveau", "eg"), [("EJ", "%s"), ("UO", "NULL"), ("EG", "%s")])
def test_une_identite_sans_etablissement_legal(fiches, niveau, eg):
    parametres = [fiches[Niveau.EG].pk] if eg == "%s" else []
    refuse(
        "fiche_eg_selon_niveau",
        f"""INSERT INTO structures_fiche (niveau, identifiant, eg_id, creee_le)
            VALUES ('{niveau}', '11/9999998', {eg}, now())""",
        *parametres,
    )


def test_un_identifiant_ne_sert_qu_une_fois(fiches):
    uo = fiches[Niveau.UO]
    refuse(
        "identifiant",
        "INSERT INTO structures_fiche (niveau, identifiant, eg_id, creee_le) VALUES ('UO', %s, %s, now())",
        uo.identifiant,
        uo.eg_id,
    )


def test_une_personne_ne_s_efface_pas():
    refuse("Cannot delete", "DELETE FROM comptes_user WHERE id = %s", personne().pk)


def test_une_seconde_reservation_de_l_etablissement(fiches):
    eg = fiches[Niveau.EG]
    Reservation.objects.create(eg=eg, dossier=1, nom="Premier", etape="Rédaction")
    refuse(
        "structures_reservation_pkey",
        """INSERT INTO structures_reservation (eg_id, dossier, nom, etape, ouverte_le)
           VALUES (%s, 2, 'Second', '', now())""",
        eg.pk,
    )


def test_un_dossier_ne_reserve_qu_un_etablissement(fiches):
    _, autre = etablissement()
    Reservation.objects.create(eg=fiches[Niveau.EG], dossier=1, nom="Premier", etape="Rédaction")
    refuse(
        "dossier",
        """INSERT INTO structures_reservation (eg_id, dossier, nom, etape, ouverte_le)
           VALUES (%s, 1, 'Le même', '', now())""",
        autre.pk,
    )


@pytest.mark.parametrize(
    ("role", "fiche", "autorite"),
    [("referent", False, False), ("direction", False, True), ("tutelle", True, False), ("gestionnaire", True, False),
     ("tutelle", False, False), ("referent", True, True)],
)  # fmt: skip
def test_une_habilitation_de_mauvaise_portee(fiches, role, fiche, autorite):
    with connection.cursor() as curseur:
        curseur.execute("INSERT INTO structures_autorite (code, nom, type, departement) VALUES ('X', 'X', 'ARS', '')")
    refuse(
        "habilitation_portee",
        """INSERT INTO structures_habilitation (user_id, role, fiche_id, autorite_id, debut)
           VALUES (%s, %s, %s, %s, '2024-01-01')""",
        personne().pk,
        role,
        fiches[Niveau.EG].pk if fiche else None,
        "X" if autorite else None,
    )


def test_une_habilitation_en_cours_est_unique_meme_sans_portee():
    inserer = "INSERT INTO structures_habilitation (user_id, role, debut) VALUES (%s, 'gestionnaire', '2024-01-01')"
    with connection.cursor() as curseur:
        curseur.execute(inserer, [personne().pk])
    refuse("habilitation_unique_en_cours", inserer, personne().pk)


def test_une_habilitation_ne_finit_pas_avant_de_commencer():
    refuse(
        "habilitation_fin_apres_debut",
        """INSERT INTO structures_habilitation (user_id, role, debut, fin)
           VALUES (%s, 'gestionnaire', '2024-01-02', '2024-01-01')""",
        personne().pk,
    )


def test_deux_fiches_d_un_lot_ont_deux_identifiants():
    _, eg = etablissement()
    uos = enfants(eg, Niveau.UO, eg, 3)
    assert len({f.identifiant for f in uos}) == 3
    assert Modification.objects.filter(fiche__in=uos).count() == 3
