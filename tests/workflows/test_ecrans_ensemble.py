"""Several fiches at once, taking back, and what the page learns of a gesture without a reload."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from tests.formulaires import lire_formulaire
from tests.navigation import HTMX, client, mots, texte
from tests.workflows.ecrans import touchees, url, url_fiche
from workflows.domaine import gestes
from workflows.models import Dossier, Geste

pytestmark = pytest.mark.django_db


def dernier(dossier: Dossier) -> int:
    return dossier.evenements.latest("pk").pk


def poster(navigateur: Client, dossier: Dossier, suite: str, vu: int | None = None, **donnees: Any) -> Any:
    """As the script of the workspace posts: it says what the page knows of the journal."""
    entetes = HTMX | {"X-Dossier-Vu": str(dernier(dossier) if vu is None else vu), "HX-Current-URL": url(dossier)}
    return navigateur.post(url(dossier, suite), donnees, headers=entetes)


def nouvelles(reponse: Any) -> dict[str, list[str]]:
    """The lines that came (« fiche < above < sister »), those that went, and the focus."""
    corps = reponse.content.decode()
    lignes = re.findall(r'data-sous="(\d+)" data-apres="(\d+)">.*?id="fiche-(\d+)"', corps)
    return {
        "lignes": [f"{cle} < {sous} < {apres}" for sous, apres, cle in lignes],
        "retirees": re.search(r'data-retirees="([^"]*)"', corps)[1].split(),  # type: ignore[index]
        "ici": re.findall(r'data-ici="(\d+)"', corps),
    }


# -- several at once ---------------------------------------------------------------------------------


def test_deplacer_plusieurs_fiches(monde, dossier):
    """The places that take them all; those of several levels don't move together."""
    pneumo = repertoire.uf(repertoire.service(monde.p, "Pneumologie"), "UF 2120")
    deux = repertoire.uo(monde.uf, "Unité de rythmologie")
    navigateur = client(monde.referent)
    ensemble = f"{monde.uo.pk},{deux.pk}"
    page = navigateur.post(url(dossier, "deplacer/"), {"fiche": ensemble, "etape": "choisir"})
    assert page.status_code == 200
    assert "Déplacer 2 fiches" in texte(page)
    assert not dossier.fiches.exists()
    assert re.findall(r'type="radio" name="parent" value="(\d+)"', page.content.decode()) == [str(pneumo.pk)]
    reponse = navigateur.post(url(dossier, "deplacer/"), lire_formulaire(page.content.decode(), parent=str(pneumo.pk)))
    assert reponse.status_code == 302
    assert touchees(dossier) == dict.fromkeys([monde.uo.pk, deux.pk], "deplacement")
    reponse = navigateur.post(url(dossier, "deplacer/"), {"fiche": [monde.uo.pk, monde.uf.pk], "etape": "choisir"})
    assert reponse.status_code == 422
    assert "de même niveau" in texte(reponse)


def test_supprimer_plusieurs_fiches(monde, dossier):
    """A fiche and the one above it count once; what is already deleted is said."""
    deux = repertoire.uo(monde.uf, "Unité de rythmologie")
    gestes.supprimer(numero=dossier.pk, acteur=monde.referent, fiches=[deux.pk])
    navigateur = client(monde.referent)
    fiches = {"fiche": [monde.uo.pk, monde.uf.pk, deux.pk]}
    page = navigateur.post(url(dossier, "supprimer/"), fiches | {"etape": "choisir"})
    vus = texte(page)
    assert "Supprimer 2 fiches ?" in vus
    assert "Déjà supprimées dans ce dossier, elles le restent : UO Unité de rythmologie" in vus
    assert navigateur.post(url(dossier, "supprimer/"), lire_formulaire(page.content.decode())).status_code == 302
    assert touchees(dossier) == dict.fromkeys([monde.uo.pk, monde.uf.pk, deux.pk], "suppression")
    tout = {"fiche": [monde.eg.pk, monde.uo.pk], "etape": "choisir"}
    assert navigateur.post(url(dossier, "supprimer/"), tout).status_code == 422


def test_finaliser_plusieurs_fiches(monde, dossier):
    """Those that are complete are finalised; for the others the page says why and leads there."""
    complete = fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Unité complète", finaliser=False)
    [vide] = fabrique.nouvelles(dossier, monde.referent, monde.uf.pk)
    navigateur = client(monde.referent)
    page = navigateur.post(url(dossier, "finaliser/"), {"fiche": [complete.pk, vide.pk, monde.uo.pk]})
    assert page.status_code == 200
    vus = texte(page)
    assert "2 fiches à compléter" in vus
    assert "1 fiche est finalisée." in vus
    assert "À compléter : Nom, Type d’UO," in vus
    assert "Unité de cardiologie Ce dossier ne change plus cette fiche" in vus
    assert f'href="{url_fiche(dossier, vide)}"' in page.content.decode()
    assert dossier.fiches.get(fiche=complete).etat == "finalisee"
    assert dossier.fiches.get(fiche=vide).etat == "en_attente"
    assert navigateur.post(url(dossier, "finaliser/"), {"fiche": complete.pk}).status_code == 302


@pytest.mark.parametrize("suite", ["deplacer/", "supprimer/", "finaliser/"])
def test_une_selection_forgee(monde, dossier, suite):
    navigateur = client(monde.referent)
    for fiches in ("", "x", f"{monde.uo.pk},x", f"{monde.uo.pk},{monde.ailleurs.pk}", ","):
        reponse = navigateur.post(url(dossier, suite), {"fiche": fiches, "parent": monde.uf.pk})
        assert reponse.status_code == 404, fiches
    assert navigateur.post(url(dossier, suite), {}).status_code == 404
    assert not dossier.fiches.exists()


def test_choisir_sans_javascript(monde, dossier):
    """A page of boxes for those who have no script; the establishment has none."""
    corps = client(monde.referent).get(url(dossier, "?choisir=1")).content.decode()
    cases = re.findall(r'class="arbre-case" form="selection" name="fiche" value="(\d+)"', corps)
    assert cases == [str(f.pk) for f in (monde.p, monde.s, monde.uf, monde.uo)]
    assert '<form id="selection" method="post"' in corps
    assert "arbre-case" not in client(monde.gestionnaire).get(url(dossier, "?choisir=1")).content.decode()


def test_dupliquer_avec_ce_qui_est_dessous(monde, dossier):
    """Asked only when something is below."""
    navigateur = client(monde.referent)
    menu = navigateur.get(url(dossier, f"fiches/{monde.s.pk}/menu/"), headers=HTMX).content.decode()
    assert f'href="{url(dossier)}dupliquer/?fiche={monde.s.pk}"' in menu
    menu = navigateur.get(url(dossier, f"fiches/{monde.uo.pk}/menu/"), headers=HTMX).content.decode()
    assert f'action="{url(dossier)}dupliquer/"' in menu
    page = navigateur.get(url(dossier, f"dupliquer/?fiche={monde.s.pk}"))
    assert "La fiche et ses fiches rattachées (2)" in texte(page)
    reponse = navigateur.post(url(dossier, "dupliquer/"), lire_formulaire(page.content.decode(), avec="dessous"))
    assert reponse.status_code == 302
    noms = sorted(t.patch["nom"] for t in dossier.fiches.all())
    assert noms == ["Cardiologie (copie)", "UF 2101", "Unité de cardiologie"]


# -- taking back -------------------------------------------------------------------------------------


def test_annuler_la_derniere_operation(monde, dossier):
    """It is named; somebody else's is not offered; twice is a conflict."""
    fabrique.nouvelle(dossier, monde.collegue, monde.uf.pk, "Unité de la collègue")
    gestes.supprimer(numero=dossier.pk, acteur=monde.referent, fiches=[monde.uo.pk])
    navigateur = client(monde.referent)
    page = navigateur.get(url(dossier))
    assert "Annuler la dernière opération Fiche supprimée : « Unité de cardiologie »" in texte(page)
    assert texte(page).count("Fiche supprimée : « Unité de cardiologie », à ") == 1
    assert "Annuler la dernière opération" in texte(client(monde.collegue).get(url(dossier)))
    geste = Geste.objects.get(auteur=monde.referent).pk
    assert client(monde.collegue).post(url(dossier, "defaire/"), {"geste": geste}).status_code == 403
    reponse = navigateur.post(url(dossier, "defaire/"), {"geste": geste}, follow=True)
    assert "Opération annulée. Fiche supprimée : « Unité de cardiologie »." in texte(reponse)
    assert monde.uo.pk not in touchees(dossier)
    assert "Annuler la dernière opération" not in texte(navigateur.get(url(dossier)))
    assert navigateur.post(url(dossier, "defaire/"), {"geste": geste}).status_code == 409
    for forge in ("", "x", "999999"):
        assert navigateur.post(url(dossier, "defaire/"), {"geste": forge}).status_code == 404


def test_la_derniere_operation_ne_s_annule_plus(monde, dossier):
    """No button takes an older one for it: who changed the fiche is said, and the older ones are in the menu."""
    neuve = fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Unité neuve")
    gestes.supprimer(numero=dossier.pk, acteur=monde.referent, fiches=[monde.uo.pk])
    fabrique.modifier(dossier, monde.referent, neuve.pk, age_min=18)
    fabrique.modifier(dossier, monde.collegue, neuve.pk, age_min=20)
    page = client(monde.referent).get(url(dossier))
    dits = texte(page)
    assert "Annuler la dernière opération" not in dits
    assert "Votre dernière opération ne peut plus être annulée. Fiche enregistrée et finalisée : « Unité" in dits
    assert f"{monde.collegue} a changé depuis une des fiches de cette opération, le " in dits
    assert "Mes dernières opérations" in page.content.decode()
    assert "Fiche supprimée : « Unité de cardiologie », à " in dits
    assert "data-defaire" not in page.content.decode()
    assert "Annuler la dernière opération" in texte(client(monde.collegue).get(url(dossier)))


def test_deplacer_dit_ce_qui_n_est_plus_finalise(monde, dossier):
    cible = repertoire.uf(monde.s, "UF 2102")
    neuve = fabrique.nouvelle(dossier, monde.referent, monde.uf.pk, "Unité neuve")
    navigateur = client(monde.referent)
    pleine = navigateur.post(url(dossier, "deplacer/"), {"fiche": neuve.pk, "parent": cible.pk}, follow=True)
    assert "« Unité neuve » est déplacée sous « UF 2102 »." in texte(pleine)
    assert "en attente : il y manque" not in texte(pleine)
    [vide] = fabrique.nouvelles(dossier, monde.referent, monde.uf.pk)
    dossier.fiches.filter(fiche=vide).update(etat="finalisee")
    choix = {"fiche": f"{neuve.pk},{vide.pk}", "parent": monde.uf.pk}
    navigateur.post(url(dossier, "deplacer/"), choix | {"parent": cible.pk})
    dossier.fiches.filter(fiche=vide).update(etat="finalisee")
    reponse = navigateur.post(url(dossier, "deplacer/"), choix, follow=True)
    assert "1 fiche finalisée est revenue en attente : il y manque une information." in texte(reponse)


# -- without a reload --------------------------------------------------------------------------------


def test_un_geste_ne_renvoie_que_ce_qui_change(monde, dossier):
    autre = repertoire.uf(monde.s, "UF 2102")
    navigateur = client(monde.referent)
    reponse = poster(navigateur, dossier, "deplacer/", fiche=monde.uo.pk, parent=autre.pk)
    assert (reponse.status_code, reponse["HX-Retarget"]) == (200, "#nouvelles")
    assert nouvelles(reponse) == {
        "lignes": [f"{monde.uo.pk} < {autre.pk} < 0"],
        "retirees": [],
        "ici": [str(monde.uo.pk)],
    }
    corps = reponse.content.decode()
    assert "« Unité de cardiologie » est déplacée sous « UF 2102 »." in mots(corps)
    geste = Geste.objects.get()
    assert f'data-vu="{dernier(dossier)}"' in corps
    assert f'name="geste" value="{geste.pk}"' in corps
    assert "1 fiche finalisée sur 1" in mots(corps)


def test_un_geste_apprend_aussi_ce_que_les_autres_ont_fait(monde, dossier):
    """The page knew the journal up to an event: everything since comes with the next answer."""
    vu = dernier(dossier)
    neuve = fabrique.nouvelle(dossier, monde.collegue, monde.uf.pk, "Unité de la collègue")
    reponse = poster(client(monde.referent), dossier, "dupliquer/", vu=vu, fiche=monde.uo.pk)
    copie = dossier.fiches.exclude(fiche=neuve).get().fiche_id
    assert nouvelles(reponse)["lignes"] == [
        f"{neuve.pk} < {monde.uf.pk} < {monde.uo.pk}",
        f"{copie} < {monde.uf.pk} < {neuve.pk}",
    ]


def test_ce_qui_disparait_puis_revient(monde, dossier):
    [neuve] = fabrique.nouvelles(dossier, monde.referent, monde.uf.pk)
    navigateur = client(monde.referent)
    reponse = poster(navigateur, dossier, "supprimer/", fiche=neuve.pk)
    assert nouvelles(reponse) == {"lignes": [], "retirees": [str(neuve.pk)], "ici": [str(monde.uf.pk)]}
    reponse = poster(navigateur, dossier, "defaire/", geste=Geste.objects.latest("pk").pk)
    assert nouvelles(reponse)["lignes"] == [f"{neuve.pk} < {monde.uf.pk} < {monde.uo.pk}"]
    assert nouvelles(reponse)["retirees"] == []


def test_creer_une_fiche_l_ouvre(monde, dossier):
    reponse = poster(client(monde.referent), dossier, "ajouter/", sous=monde.uf.pk, quantite=1)
    assert f'data-ouvrir="{url_fiche(dossier, dossier.fiches.get().fiche)}"' in reponse.content.decode()


def test_un_refus_reste_dans_la_question(monde, dossier):
    reponse = poster(client(monde.referent), dossier, "ajouter/", sous=monde.uf.pk, quantite=0)
    assert reponse.status_code == 422
    assert "HX-Retarget" not in reponse
    assert 'href="#id_quantite"' in reponse.content.decode()


def test_une_fiche_enregistree_sans_rechargement(monde, dossier):
    """The redirect is followed by the browser with the same headers: beside the tree comes what is to be done next."""
    vu = dernier(dossier)
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, nom="Unité renommée")
    reponse = client(monde.referent).get(url(dossier), headers=HTMX | {"X-Dossier-Vu": str(vu)})
    assert nouvelles(reponse)["lignes"] == [f"{monde.uo.pk} < {monde.uf.pk} < 0"]
    assert reponse["HX-Push-Url"] == url(dossier)
    assert "<html" not in reponse.content.decode()


def test_un_filtre_ne_renvoie_que_l_arbre(monde, dossier):
    fabrique.modifier(dossier, monde.referent, monde.uo.pk, nom="Unité renommée")
    entetes = HTMX | {"HX-Target": "arbre-dossier", "HX-Boosted": "true"}
    corps = client(monde.referent).get(url(dossier, "?montrer=modification"), headers=entetes).content.decode()
    assert corps.lstrip().startswith("<section")
    assert "Modifications 1" in mots(corps)
    assert len(re.findall('class="arbre-nom"', corps)) == 5


def test_les_nouvelles_en_requetes_constantes(monde, dossier):
    navigateur = client(monde.referent)
    ailleurs = repertoire.uf(monde.s, "UF 2102")
    unites = [repertoire.uo(monde.uf, f"Unité {i}") for i in range(4)]

    def compter(fiches: list[int]) -> int:
        with CaptureQueriesContext(connection) as vues:
            reponse = poster(navigateur, dossier, "deplacer/", fiche=",".join(map(str, fiches)), parent=ailleurs.pk)
        assert len(nouvelles(reponse)["lignes"]) == len(fiches)
        return len(vues)

    compter([monde.uo.pk])  # the first visit writes the session
    une = compter([unites[0].pk])
    assert compter([u.pk for u in unites[1:]]) == une
