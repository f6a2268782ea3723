"""What a reviewer should not miss: marks of attention, folded lines, counts."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from structures.models import Fiche
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from workflows.domaine import gestes
from workflows.models import Dossier
from workflows.revue import Changement, changements, resume

pytestmark = pytest.mark.django_db

PLACES = {"nature": "01", "statut": "01"}


def places(nombre: int) -> dict[str, object]:
    """A capacity, as a patch poses it."""
    return {"pose": {"p": PLACES | {"nombre": nombre}}}


def supprimer(monde, dossier: Dossier, *fiches: Fiche) -> None:
    gestes.supprimer(numero=dossier.pk, acteur=monde.referent, fiches=[f.pk for f in fiches])


def marques(dossier: Dossier, fiche: Fiche) -> list[tuple[str, str]]:
    [c] = [c for c in changements(dossier) if c.fiche == fiche.pk]
    return [(a.code, a.texte) for a in c.attentions]


def derniere(monde, dossier: Dossier, fiche: Fiche) -> bool:
    return any(code == "derniere-offre" for code, _ in marques(dossier, fiche))


def test_derniere_offre_du_departement(monde, dossier):
    supprimer(monde, dossier, monde.uo)
    [(code, texte)] = marques(dossier, monde.uo)
    assert code == "derniere-offre"
    assert texte.startswith("dernière offre du département : ")


def test_une_autre_unite_du_departement_l_offre(monde, dossier):
    uf = repertoire.uf(repertoire.service(repertoire.pole(monde.ailleurs)))
    repertoire.uo(uf, "Unité voisine")
    supprimer(monde, dossier, monde.uo)
    assert marques(dossier, monde.uo) == []


def test_une_unite_d_un_autre_departement_ne_compte_pas(monde, dossier):
    loin = repertoire.etablissement(nom="Clinique de Neuilly", commune="92051", code_postal="92200")
    repertoire.uo(repertoire.uf(repertoire.service(repertoire.pole(loin))))
    supprimer(monde, dossier, monde.uo)
    assert derniere(monde, dossier, monde.uo)


def test_une_unite_fermee_pour_un_temps_ne_compte_pas(monde, dossier):
    hier = (timezone.localdate() - timedelta(days=1)).isoformat()
    demain = (timezone.localdate() + timedelta(days=1)).isoformat()
    uf = repertoire.uf(repertoire.service(repertoire.pole(monde.ailleurs)))
    repertoire.uo(uf, "Unité en travaux", date_fermeture=hier, type_fermeture="PRO", date_reouverture=demain)
    supprimer(monde, dossier, monde.uo)
    assert derniere(monde, dossier, monde.uo)


def test_deux_fermetures_du_dossier_ne_se_remplacent_pas(monde, dossier):
    jumelle = repertoire.uo(monde.uf, "Unité jumelle")
    supprimer(monde, dossier, monde.uo)
    assert not derniere(monde, dossier, monde.uo)
    supprimer(monde, dossier, jumelle)
    assert derniere(monde, dossier, monde.uo)
    assert derniere(monde, dossier, jumelle)


def test_une_unite_que_le_dossier_cree_prend_la_suite(monde, dossier):
    supprimer(monde, dossier, monde.uo)
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Unité qui remplace")
    assert not derniere(monde, dossier, monde.uo)


def test_une_activite_retiree_d_une_fiche_est_une_offre_perdue(monde, dossier):
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, activites=frozenset(["014"]))
    assert derniere(monde, dossier, monde.uo)
    repertoire.uo(monde.uf, "Unité jumelle")
    assert not derniere(monde, dossier, monde.uo)


def test_capacite_d_une_fiche_et_de_l_etablissement(monde, dossier):
    grande = repertoire.uo(monde.uf, "Grande unité", capacites=places(100))
    petite = repertoire.uo(monde.uf, "Petite unité", capacites=places(10))
    fabrique.modifier(dossier, monde.referent, petite.pk, capacites={"p": PLACES | {"nombre": 8}})
    assert marques(dossier, petite) == []  # 20 %, not more
    fabrique.modifier(dossier, monde.referent, petite.pk, capacites={"p": PLACES | {"nombre": 7}})
    assert marques(dossier, petite) == [("capacite", "capacité réduite de 10 à 7 places")]
    fabrique.modifier(dossier, monde.referent, grande.pk, capacites={"p": PLACES | {"nombre": 80}})
    assert marques(dossier, grande) == [("capacite", "capacité de l’établissement réduite de 110 à 87 places")]


def test_une_fermeture_reduit_l_etablissement(monde, dossier):
    repertoire.uo(monde.uf, "Unité qui reste", capacites=places(10))
    fermee = repertoire.uo(monde.uf, "Unité fermée", capacites=places(4))
    supprimer(monde, dossier, fermee)
    assert marques(dossier, fermee) == [("capacite", "capacité de l’établissement réduite de 14 à 10 places")]
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Unité neuve", capacites={"c": PLACES | {"nombre": 4}})
    assert marques(dossier, fermee) == []


def test_unite_sensible(monde, dossier):
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, unite_sensible=True)
    assert marques(dossier, monde.uo) == [("sensible", "devient une unité sensible")]
    sensible = repertoire.uo(monde.uf, "Unité discrète", unite_sensible=True)
    fabrique.modifier(dossier, monde.referent, sensible.pk, nom="Unité très discrète")
    assert marques(dossier, sensible) == [("sensible", "unité sensible")]
    fabrique.modifier(dossier, monde.referent, sensible.pk, unite_sensible=False)
    assert marques(dossier, sensible) == [("sensible", "n’est plus une unité sensible")]


def test_ce_qu_une_fermeture_emporte_garde_ses_marques(monde, dossier):
    supprimer(monde, dossier, monde.p)
    liste = changements(dossier)
    [pole] = [c for c in liste if not c.entraine]
    assert pole.fiche == monde.p.pk
    assert [c.fiche for c in pole.dessous] == [monde.s.pk, monde.uf.pk, monde.uo.pk]
    assert [a.texte for a in pole.attentions] == ["sa suppression ferme aussi 3 fiches rattachées"]
    assert [a.code for a in pole.dessous[-1].attentions] == ["derniere-offre"]
    synthese = resume(liste)
    assert [(m.code, [lien for r in m.raisons for _, lien in r.fiches]) for m in synthese.marques] == [
        ("fermeture", [f"#changement-{monde.p.pk}"]),
        ("derniere-offre", [f"#changement-{monde.uo.pk}"]),
    ]


def test_une_modification_au_repertoire_est_un_conflit(monde, dossier):
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, conditions_accueil="Sur rendez-vous.")
    repertoire.direct(monde.uo, monde.gestionnaire, {"conditions_accueil": "Sans rendez-vous."})
    [(code, texte)] = marques(dossier, monde.uo)
    assert (code, texte) == ("conflit", "modifiée aussi au répertoire depuis : conflit à régler")


def test_renommer_se_dit_avec_l_ancien_nom(monde, dossier):
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, nom="Unité de cardiologie intensive")
    [c] = changements(dossier)
    assert (c.nom, c.ancien_nom) == ("Unité de cardiologie intensive", "Unité de cardiologie")
    assert c.natures == ["modification", "renommage"]
    assert resume([c]).comptes == [("modification", "1 modification"), ("renommage", "1 nom changé")]


def _sommaires(liste: list[Changement]) -> list[tuple[str, str, int]]:
    return [(b.titre, b.sommaire, len(b.changements)) for g in resume(liste).groupes for b in g.blocs]


def test_quarante_ajouts_semblables_sont_une_ligne(monde, dossier):
    gestes.ajouter(numero=dossier.pk, acteur=monde.referent, parent=monde.uf.pk, quantite=40, nom="Unité de soins")
    fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Unité à part")
    chemin = "Pôle Médecine › Cardiologie › UF 2101"
    assert _sommaires(changements(dossier)) == [(chemin, "", 1), (chemin, "40 unités opérationnelles", 40)]


def test_le_meme_changement_sur_cinq_fiches_est_dit_une_fois(monde, dossier):
    for i in range(5):
        unite = repertoire.uo(monde.uf, f"Unité {i}")
        fabrique.modifier(dossier, monde.referent, unite.pk, conditions_accueil="Sur rendez-vous.")
    [bloc] = resume(changements(dossier)).groupes[0].blocs
    assert bloc.sommaire == "5 unités opérationnelles, le même changement : Conditions d’accueil"
    assert [ligne["apres"] for ligne in bloc.lignes] == ["Sur rendez-vous."]


def test_autant_de_requetes_pour_un_changement_que_pour_six(monde, dossier):
    def compter() -> int:
        with CaptureQueriesContext(connection) as vues:
            resume(changements(dossier, monde.gestionnaire))
        return len(vues)

    autre = repertoire.uf(monde.s, "UF 2102")
    unites = [repertoire.uo(monde.uf, f"Unité {i}", capacites=places(10)) for i in range(1, 7)]

    def tout_changer(fermee: Fiche, changee: Fiche) -> None:
        supprimer(monde, dossier, fermee)
        fabrique.modifier(dossier, monde.referent, changee.pk, capacites={"p": PLACES | {"nombre": 1}})
        gestes.deplacer(numero=dossier.pk, acteur=monde.referent, fiches=[changee.pk], parent=autre.pk)
        fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, f"Unité neuve {fermee.pk}")

    tout_changer(unites[0], unites[1])
    un = compter()
    tout_changer(unites[2], unites[3])
    tout_changer(unites[4], unites[5])
    assert compter() == un
