"""Where a dossier is, in sentences: which way and why, who acts, what comes next, when it may be published."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from backoffice.comptes.models import User
from structures.competence import circuit_de, fixee_par
from structures.domaine.lecture import lire
from structures.domaine.tutelles import fixer_tutelles
from structures.enums import Role
from structures.models import Fiche, Habilitation, RegleCategorie
from structures.requetes import version_au
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from tests.navigation import client, requetes_de, texte
from tests.workflows.ecrans import url
from tests.workflows.test_durees import closes
from workflows.alertes import alertes_de, circuits_a_verifier
from workflows.attente import Attente, en_bref
from workflows.domaine import decisions
from workflows.domaine.taches import prendre
from workflows.enums import Issue
from workflows.models import Dossier
from workflows.parcours import parcours_de
from workflows.regles import acteurs_a

pytestmark = pytest.mark.django_db

ARS, CD_75 = "l’Agence régionale de santé Île-de-France", "la Ville de Paris"


def sessad(**champs: Any) -> Fiche:
    return repertoire.etablissement("handicap", nom="SESSAD TEST", **champs)


def pret(eg: Fiche, acteur: User) -> Dossier:
    """A draft that can be sent."""
    dossier = fabrique.brouillon(eg, acteur)
    fabrique.nouvelle(dossier, acteur, eg.pk)
    return dossier


def fixer(eg: Fiche, gestionnaire: User, *codes: str, motif: str = "Convention.") -> None:
    lecture = lire(eg)
    assert lecture
    fixer_tutelles(eg=eg, acteur=gestionnaire, autorites=codes, jeton=lecture.jeton, motif=motif)


def attente(dossier: Dossier, user: User) -> Attente:
    relu = fabrique.relu(dossier)
    taches = list(relu.taches.filter(close_le__isnull=True).select_related("tache__owner", "autorite").order_by("pk"))
    return Attente(relu, parcours_de(relu, sien=True), taches, user)


# -- the way and why ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("champ", "attendue"),
    [
        (
            "sanitaire",
            "Votre établissement relève du sanitaire (catégorie 355, « Centre Hospitalier (C.H.) ») : la Direction de "
            "l’établissement valide le dossier, puis SESAN donne l’approbation finale.",
        ),
        (
            "medico-social",
            "Votre établissement relève du médico-social ou du social, hors handicap (catégorie 500, « … ») : "
            "l’approbation revient à SESAN, sans validation préalable de la Direction.",
        ),
        (
            "handicap",
            "Votre établissement relève du handicap (catégorie 182, « … ») : l’approbation revient à l’Agence "
            "régionale de santé Île-de-France.",
        ),
    ],
)
def test_each_filiere_says_its_way(champ: str, attendue: str) -> None:
    eg = repertoire.etablissement(champ)
    dossier = fabrique.brouillon(eg, repertoire.compte(Role.REFERENT, eg))

    def sans_libelle(phrase: str) -> str:
        return re.sub(r"« .* »", "« … »", phrase)

    assert sans_libelle(parcours_de(dossier, sien=True).phrase) == sans_libelle(attendue)
    assert parcours_de(dossier).phrase.startswith("L’établissement relève")


def test_each_way_an_authority_is_found() -> None:
    """In the order of domain.md §6, each one over the next; what was sent keeps what made it so."""
    eg = sessad(mode_tarification="", autorite_regulation="")
    acteur, gestionnaire = repertoire.compte(Role.REFERENT, eg), repertoire.gestionnaire("camille")
    dossier = pret(eg, acteur)
    regle = RegleCategorie.objects.get(pk="182")
    regle.autorites = []
    regle.save()

    def dit() -> tuple[str, str]:
        trajet = parcours_de(fabrique.relu(dossier))
        return trajet.phrase.partition(" : ")[2], trajet.pourquoi

    assert dit() == (
        "l’approbation revient à une tutelle que SESAN doit d’abord désigner.",
        "Ni SESAN, ni le FINESS, ni le mode de tarification, ni la catégorie ne désignent de tutelle.",
    )
    regle.autorites = ["CD"]
    regle.save()
    assert dit() == (
        f"l’approbation revient à {CD_75}.",
        "C’est la tutelle que cette catégorie d’établissement a par défaut dans ce département.",
    )
    repertoire.publier(eg, {"mode_tarification": "09"}, timezone.localdate())  # ARS+CD
    assert dit() == (
        f"l’approbation revient conjointement à {ARS} et à {CD_75}.",
        "Le mode de tarification de l’établissement les désigne.",
    )
    repertoire.publier(eg, {"autorite_regulation": "ARS-11"}, timezone.localdate())
    assert dit() == (
        f"l’approbation revient à {ARS}.",
        "C’est l’autorité de régulation que le FINESS donne à cet établissement.",
    )
    fixer(eg, gestionnaire, "CD-78")
    aujourdhui = f"{timezone.localdate():%Y}"
    phrase, pourquoi = dit()
    assert phrase == "l’approbation revient au Conseil départemental des Yvelines."
    assert re.fullmatch(rf"Cette tutelle a été fixée à la main par camille le .*{aujourdhui}\.", pourquoi)

    fabrique.envoye(dossier, acteur)
    fixer(eg, gestionnaire)  # back to the rules, for the next sending only
    assert fixee_par(eg.pk, timezone.now()).patch == {"autorites": {"retire": ["CD-78"]}}
    assert circuit_de(version_au(eg)) == ("handicap", ["ARS-11"], "regulation")
    assert dit() == (phrase, pourquoi)


def test_an_authority_chosen_on_the_way() -> None:
    eg = sessad()
    RegleCategorie.objects.filter(pk="182").update(autorites=[])
    acteur, gestionnaire = repertoire.compte(Role.REFERENT, eg), repertoire.gestionnaire("camille")
    dossier = fabrique.envoye(pret(eg, acteur), acteur)
    ici = attente(dossier, acteur)
    assert ici.maintenant[0].startswith("C’est à SESAN d’agir (camille), depuis le ")
    assert (
        ici.ensuite == "Ensuite, la tutelle se prononce, puis le dossier paraît au répertoire, aussitôt et tout entier."
    )
    decisions.affecter(tache=fabrique.tache(dossier).pk, acteur=gestionnaire, autorites=["ARS-11", "CD-75"])
    trajet = parcours_de(fabrique.relu(dossier))
    assert trajet.noeuds == ("redaction", "envoi", "approbation_tutelle", "publie")
    assert re.fullmatch(r"Ces tutelles ont été choisies à la main par camille le .*\.", trajet.pourquoi)
    assert [s.split(", depuis")[0] for s in attente(dossier, acteur).maintenant] == [
        f"C’est à {ARS} d’agir", f"C’est à {CD_75} d’agir",
    ]  # fmt: skip
    assert (
        "mais aucun compte ne le permet aujourd’hui : SESAN en est averti, et" in attente(dossier, acteur).maintenant[0]
    )
    assert attente(dossier, acteur).prevision.phrase == ""


# -- who, since when, until when ---------------------------------------------------------------------


def test_who_acts_now(monde: Any, dossier: Dossier, time_machine: Any) -> None:
    time_machine.move_to("2027-03-01T10:00:00+01:00", tick=False)  # a Monday
    assert (
        attente(dossier, monde.referent)
        .maintenant[0]
        .startswith(
            "C’est aux Référents et Directions de l’établissement d’agir (vous, collegue et direction), depuis le"
        )
    )
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    assert attente(dossier, monde.referent).ensuite == (
        "Ensuite, la Direction de l’établissement se prononce, puis SESAN se prononce, puis le dossier paraît au "
        "répertoire, aussitôt et tout entier."
    )
    fabrique.envoye(dossier, monde.referent)
    fin = ", depuis le 1er mars 2027. Échéance : jeudi 4 mars 2027."
    assert _simples(attente(dossier, monde.referent).maintenant) == [
        f"C’est à la Direction de l’établissement d’agir (direction){fin}"
    ]
    assert _simples(attente(dossier, monde.direction).maintenant) == [
        f"C’est à la Direction de l’établissement d’agir (vous){fin}"
    ]
    for i in range(3):
        repertoire.compte(Role.DIRECTION, monde.eg, f"autre{i}")
    assert _simples(attente(dossier, monde.referent).maintenant) == [
        f"C’est à la Direction de l’établissement d’agir{fin}"
    ]
    time_machine.move_to("2027-03-08T10:00:00+01:00", tick=False)
    prendre(numero=fabrique.tache(dossier).pk, acteur=monde.direction)
    retard = "L’échéance du 4 mars 2027 est passée : le retard a été signalé."
    assert _simples(attente(dossier, monde.referent).maintenant) == [
        f"direction (Direction de l’établissement) s’en charge depuis le 8 mars 2027. {retard}"
    ]
    assert attente(dossier, monde.direction).maintenant[0].startswith("C’est à vous d’agir : vous avez pris cette")
    assert attente(dossier, monde.referent).prevision.phrase.startswith("Cette étape dure déjà plus longtemps")


def _simples(phrases: list[str]) -> list[str]:
    return [phrase.replace("\u00a0", " ") for phrase in phrases]


# -- when it may be published ------------------------------------------------------------------------


def passees(dossier: Dossier, noeud: str, autorite: str | None, jours: list[int]) -> None:
    """Decisions of a step that took so many working days: from a Monday on, without a holiday on the way."""
    lundi = datetime(2026, 9, 7, 8, tzinfo=UTC)
    fins = [lundi + timedelta(days=j + 2 * (j // 5)) for j in jours]
    closes(dossier, [(noeud, autorite, lundi, fin, str(Issue.APPROUVE)) for fin in fins])


def test_expected_publication(monde: Any, dossier: Dossier, time_machine: Any, django_assert_num_queries: Any) -> None:
    time_machine.move_to("2027-03-01T10:00:00+01:00", tick=False)
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    prevue = attente(dossier, monde.referent).prevision
    # No history: 3 working days for the Direction, 10 for SESAN.
    assert prevue.publication == date(2027, 3, 18)
    assert prevue.phrase.replace("\u00a0", " ") == (
        "Envoyé aujourd’hui, il serait publié vers le jeudi 18 mars 2027, si personne ne demande de correction."
    )
    assert prevue.phrases[0] == (
        "Il n’y a encore aucune décision d’une Direction : la date tient compte du délai prévu, 3 jours ouvrés."
    )
    passees(dossier, "approbation_sesan", None, [1, 2, 2, 2])
    assert attente(dossier, monde.referent).prevision.publication == date(2027, 3, 18)
    assert "que 4 décisions de SESAN" in attente(dossier, monde.referent).prevision.phrases[1]
    passees(dossier, "approbation_sesan", None, [9])
    passees(dossier, "validation_direction", None, [0] * 9 + [4])
    ici = attente(dossier, monde.referent)
    with django_assert_num_queries(1):
        prevue = ici.prevision
    assert prevue.phrases == [
        "Les 10 dernières décisions d’une Direction ont été prises le jour même (médiane), 1 jour ouvré au plus dans "
        "9 cas sur 10.",
        "Les 5 dernières décisions de SESAN ont pris 2 jours ouvrés (médiane), 7 jours ouvrés au plus dans 9 cas sur "
        "10.",
    ]
    assert prevue.dates == {
        "validation_direction": date(2027, 3, 1), "approbation_sesan": date(2027, 3, 3), "publie": date(2027, 3, 3),
    }  # fmt: skip
    assert prevue.etapes[-1].tard == date(2027, 3, 11)
    assert "Mercredi 3 mars 2027, le 11 mars 2027 au plus tard dans 9 cas sur 10".lower() in (
        prevue.phrase.replace("\u00a0", " ").lower()
    )

    fabrique.envoye(dossier, monde.referent)
    decisions.valider(tache=fabrique.tache(dossier).pk, acteur=monde.direction)
    for jour, publication in ((3, date(2027, 3, 3)), (4, date(2027, 3, 10)), (10, date(2027, 3, 10)), (11, None)):
        time_machine.move_to(f"2027-03-{jour:02}T10:00:00+01:00", tick=False)
        assert attente(dossier, monde.referent).prevision.publication == publication, jour
    bref = en_bref([dossier.pk])[dossier.pk]
    assert (bref.qui, bref.publication) == ("SESAN", None)


def test_a_joint_approval_ends_with_the_last(time_machine: Any, django_assert_num_queries: Any) -> None:
    time_machine.move_to("2027-03-01T10:00:00+01:00", tick=False)
    eg = sessad(mode_tarification="09")
    acteur = repertoire.compte(Role.REFERENT, eg)
    dossier = pret(eg, acteur)
    repertoire.compte(Role.TUTELLE, "ARS-11")  # somebody can end it
    passees(dossier, "approbation_tutelle", "ARS-11", [1] * 5)
    passees(dossier, "approbation_tutelle", "CD-75", [3] * 5)
    assert attente(dossier, acteur).prevision.publication == date(2027, 3, 4)
    fabrique.envoye(dossier, acteur)
    decisions.approuver(tache=fabrique.tache(dossier, "CD-75").pk, acteur=repertoire.compte(Role.TUTELLE, "CD-75"))
    assert attente(dossier, acteur).prevision.publication == date(2027, 3, 2)
    autre = sessad()
    tiers = repertoire.compte(Role.REFERENT, autre)
    second = fabrique.envoye(pret(autre, tiers), tiers)
    for numeros in ([dossier.pk], [dossier.pk, second.pk, 0]):
        with django_assert_num_queries(2):
            assert set(en_bref(numeros)) == {n for n in numeros if n}


# -- what would stop it, before it is sent ------------------------------------------------------------


def test_circuits_to_check(django_assert_num_queries: Any) -> None:
    """Told to the author and to the gestionnaires, with the means to correct it; gone once corrected."""
    gestionnaire = repertoire.gestionnaire()
    deux = sessad(mode_tarification="09")
    acteur = repertoire.compte(Role.REFERENT, deux)
    un = pret(deux, acteur)

    def trouves() -> dict[int, list[str]]:
        with django_assert_num_queries(6):
            return {ligne.numero: [a.code for a in ligne.alertes] for ligne in circuits_a_verifier()}

    sans_membre = ["tutelle_sans_membre"] * 2
    assert trouves() == {un.pk: ["deux_tutelles", *sans_membre]}
    sans_regle, clinique = sessad(), repertoire.etablissement("sanitaire")
    RegleCategorie.objects.filter(pk="182").update(autorites=[])
    repertoire.publier(sans_regle, {"mode_tarification": ""}, timezone.localdate())
    autres = [fabrique.brouillon(eg, repertoire.compte(Role.REFERENT, eg)) for eg in (sans_regle, clinique)]
    assert trouves() == {
        un.pk: ["deux_tutelles", *sans_membre], autres[0].pk: ["sans_tutelle"], autres[1].pk: ["sans_direction"],
    }  # fmt: skip
    page = texte(client(acteur).get(url(un, "envoyer/")))
    for mots in (
        f"Ce dossier demande l’accord de 2 tutelles, {ARS} et {CD_75}",
        "L’Agence régionale de santé Île-de-France n’a pas de compte qui puisse approuver",
        "Envoyé aujourd’hui, il serait publié vers le",
    ):
        assert mots in page.replace("\u202f", " ").replace("\u00a0", " "), mots

    navigateur = client(gestionnaire)
    liste = navigateur.get("/dossiers/circuits/")
    liens = re.findall(r'data-titre="Corriger"><a href="([^"]+)"', liste.content.decode())
    assert sorted({lien.partition("?")[0] for lien in liens}) == sorted(
        ["/comptes/creer/", *(f"/repertoire/{eg.identifiant}/tutelles/" for eg in (deux, sans_regle))]
    )
    assert "3" in re.search(r"(\S+) circuits à vérifier avant l’envoi", texte(navigateur.get("/"))).group(1)
    fixer(sans_regle, gestionnaire, "ARS-11")
    fixer(deux, gestionnaire, "ARS-11", "CD-75")  # wanted: no longer to check
    for code in ("ARS-11", "CD-75"):
        repertoire.compte(Role.TUTELLE, code)
    repertoire.compte(Role.DIRECTION, clinique)
    assert trouves() == {}
    assert "Aucun circuit à vérifier" in texte(navigateur.get("/dossiers/circuits/"))
    assert client(acteur).get("/dossiers/circuits/").status_code == 403


def test_nobody_is_the_same_for_the_author_and_the_gestionnaires() -> None:
    """« Circuits à vérifier », asked for all at once, says what the rule says of each sending."""
    un, clinique, autre = sessad(), repertoire.etablissement("sanitaire"), repertoire.etablissement("medico-social")
    auteurs = [repertoire.compte(Role.REFERENT, eg) for eg in (un, clinique, autre)]
    brouillons = [pret(eg, auteur) for eg, auteur in zip((un, clinique, autre), auteurs, strict=True)]
    [code] = circuit_de(version_au(un)).autorites

    def trouves() -> list[list[str]]:
        vus = {ligne.numero: [a.code for a in ligne.alertes] for ligne in circuits_a_verifier()}
        for d in brouillons:
            eg = version_au(d.eg)

            def personne(noeud: str, autorite: str, d: Dossier = d) -> bool:
                return not acteurs_a(noeud, d.eg_id, autorite or None, d.auteur_id).exists()

            seules = [a.code for a in alertes_de(circuit_de(eg), {}, eg, personne)]
            assert vus.get(d.pk, []) == seules
        return [vus.get(d.pk, []) for d in brouillons]

    sans_gestionnaire = ["sans_gestionnaire"]
    assert trouves() == [["tutelle_sans_membre"], ["sans_direction", *sans_gestionnaire], sans_gestionnaire]
    # They alone may approve what they send: nobody.
    membre = Habilitation.objects.create(user=auteurs[0], role=Role.TUTELLE, autorite_id=code, debut=date(2020, 1, 1))
    gestion = Habilitation.objects.create(user=auteurs[2], role=Role.GESTIONNAIRE, debut=date(2020, 1, 1))
    assert trouves() == [["tutelle_sans_membre"], ["sans_direction"], sans_gestionnaire]
    assert "n’a pas de compte qui puisse approuver" in texte(client(auteurs[0]).get(url(brouillons[0], "envoyer/")))
    assert "n’a aucun membre qui puisse approuver" in texte(client(auteurs[2]).get("/dossiers/circuits/"))
    repertoire.compte(Role.TUTELLE, code)
    repertoire.compte(Role.DIRECTION, clinique)
    gestionnaire = repertoire.gestionnaire()
    assert trouves() == [[], [], []]
    User.objects.filter(pk=gestionnaire.pk).update(is_active=False)
    Habilitation.objects.filter(role=Role.TUTELLE).exclude(pk=membre.pk).update(fin=timezone.localdate())
    Habilitation.objects.filter(pk=gestion.pk).update(fin=timezone.localdate())
    assert trouves() == [["tutelle_sans_membre"], sans_gestionnaire, sans_gestionnaire]


def test_set_and_unset_the_authorities_of_an_establishment() -> None:
    eg, gestionnaire = sessad(), repertoire.gestionnaire()
    page, navigateur = f"/repertoire/{eg.identifiant}/tutelles/", client(gestionnaire)
    assert client(repertoire.compte(Role.DIRECTION, eg)).get(page).status_code == 403
    lue = navigateur.get(page)
    assert "règle de la catégorie" in texte(lue)
    jeton = re.search(r'name="jeton" value="([^"]*)"', lue.content.decode()).group(1)
    saisie = {"autorites": ["CD-75", "CD-78"], "motif": "  ", "jeton": jeton}
    refus = navigateur.post(page, saisie)
    assert (refus.status_code, circuit_de(version_au(eg)).autorites) == (422, ["ARS-11"])
    assert navigateur.post(page, saisie | {"motif": "x", "autorites": ["CD-2A"]}).status_code == 422
    assert navigateur.post(page, saisie | {"motif": "x", "jeton": ""}).status_code == 422
    assert navigateur.post(page, saisie | {"motif": "Convention du 3 mars"}).status_code == 302
    assert circuit_de(version_au(eg)) == ("handicap", ["CD-75", "CD-78"], "manuelle")
    derniere = fixee_par(eg.pk, timezone.now())
    assert (derniere.auteur, derniere.motif) == (gestionnaire, "Convention du 3 mars")
    # Somebody who still had the first page is told what came since.
    tard = navigateur.post(page, {"autorites": ["ARS-11"], "motif": "Autre avis", "jeton": jeton})
    assert (tard.status_code, circuit_de(version_au(eg)).autorites) == (409, ["CD-75", "CD-78"])
    assert "a modifié « Tutelles fixées par SESAN »" in texte(tard).replace("\u202f", " ").replace("\u00a0", " ")
    jeton = re.search(r'name="jeton" value="([^"]*)"', navigateur.get(page).content.decode()).group(1)
    assert navigateur.post(page, {"regle": "1", "motif": "Fin", "jeton": jeton}).status_code == 302
    assert circuit_de(version_au(eg)).origine == "categorie"
    hopital = repertoire.etablissement("sanitaire")
    ailleurs = f"/repertoire/{hopital.identifiant}/tutelles/"
    assert "ne revient pas à une tutelle" in texte(navigateur.get(ailleurs))
    assert navigateur.post(ailleurs, saisie | {"motif": "x"}).status_code == 422


def test_the_page_of_the_dossier_says_it_all(monde: Any, dossier: Dossier) -> None:
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk)
    avant = requetes_de(client(monde.referent), url(dossier))
    fabrique.envoye(dossier, monde.referent)
    reponse = client(monde.referent).get(url(dossier))
    page = texte(reponse).replace("\u00a0", " ")
    for mots in (
        "C’est à la Direction de l’établissement d’agir (direction)", "Ensuite, SESAN se prononce, puis le dossier",
        "Votre établissement relève du sanitaire", "Publication attendue vers le", "01 83 76 30 31",
        "Le circuit, étape par étape", "Direction : en cours, Direction de l’établissement, au plus tard le",
    ):  # fmt: skip
        assert mots in page, mots
    assert 'id="ou-en-est-il"' in reponse.content.decode()
    assert requetes_de(client(monde.referent), url(dossier)) <= avant
    lien = f'href="{url(dossier)}#ou-en-est-il"'
    assert lien in client(monde.referent).get(f"/repertoire/{monde.uo.identifiant}/").content.decode()
    assert lien not in client(monde.voisin).get(f"/repertoire/{monde.uo.identifiant}/").content.decode()
    accueil = texte(client(monde.referent).get("/")).replace("\u00a0", " ")
    assert "Direction de l’établissement, depuis le" in accueil
    assert "Publication attendue vers le" in accueil
