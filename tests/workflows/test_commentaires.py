"""Threads on the fiches of a dossier: who writes, who is told, what the journal and the pages say of it."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from backoffice.comptes.models import User
from backoffice.socle.erreurs import Conflit, Introuvable, Invalide
from notifications.models import Envoi
from structures.enums import Role
from structures.models import Habilitation
from tests.factories import dossiers as fabrique
from tests.factories import repertoire
from tests.navigation import HTMX, client, requetes_de, texte
from workflows import chronologie, discussions, regles
from workflows.domaine import commentaires, decisions, gestes
from workflows.enums import TypeEvenement
from workflows.models import Commentaire, Dossier, Evenement

from .ecrans import saisir, url, url_fiche

pytestmark = pytest.mark.django_db


def nommer(user: User, prenom: str, nom: str) -> User:
    User.objects.filter(pk=user.pk).update(first_name=prenom, last_name=nom)
    user.refresh_from_db()
    return user


@pytest.fixture
def gens(monde: SimpleNamespace) -> SimpleNamespace:
    nommer(monde.referent, "Camille", "Martin")
    nommer(monde.collegue, "Zoé", "Le Goff")
    nommer(monde.direction, "Jean", "Petit")
    return monde


def commenter(dossier: Dossier, acteur: User, fiche: Any, texte: str = "Pourquoi ?", **plus: Any) -> Commentaire:
    return commentaires.commenter(numero=dossier.pk, acteur=acteur, fiche=fiche.pk, texte=texte, **plus)


def repondre(fil: Commentaire, acteur: User, texte: str = "Parce que.", **plus: Any) -> Commentaire:
    return commentaires.repondre(numero=fil.dossier_id, acteur=acteur, fil=fil.pk, texte=texte, **plus)


def resoudre(fil: Commentaire, acteur: User) -> Commentaire:
    return commentaires.resoudre(numero=fil.dossier_id, acteur=acteur, fil=fil.pk)


def rouvrir(fil: Commentaire, acteur: User) -> Commentaire:
    return commentaires.rouvrir(numero=fil.dossier_id, acteur=acteur, fil=fil.pk)


def courriels() -> list[tuple[str, str]]:
    lignes = Envoi.objects.filter(type_code__startswith="commentaire_").order_by("pk")
    return list(lignes.values_list("type_code", "destinataire__username"))


def url_fil(fil: Commentaire, suite: str = "") -> str:
    return f"/dossiers/{fil.dossier_id}/commentaires/{fil.pk}/{suite}"


# -- verbs ---------------------------------------------------------------------------------------------


def test_un_fil_se_lit_dans_l_ordre(gens: SimpleNamespace, dossier: Dossier) -> None:
    fil = commenter(dossier, gens.referent, gens.uf, "Le nom est-il bon ?", champ="nom")
    repondre(fil, gens.direction, "Oui.")
    repondre(fil, gens.gestionnaire, "Le ROR l’accepte.")
    [lu] = discussions.fils_de(dossier)
    assert [(str(m.auteur), m.texte) for m in lu.messages] == [
        ("Camille Martin", "Le nom est-il bon ?"),
        ("Jean Petit", "Oui."),
        ("gestionnaire", "Le ROR l’accepte."),
    ]
    assert (lu.nom, lu.champ, lu.resolu, lu.retiree) == ("UF 2101", "Nom", False, False)


def test_le_journal_dit_tout(gens: SimpleNamespace, dossier: Dossier) -> None:
    fil = commenter(dossier, gens.referent, gens.uf, "Le nom est-il bon ?", champ="nom")
    repondre(fil, gens.direction, "a" * 300)
    resoudre(fil, gens.direction)
    rouvrir(fil, gens.referent)
    evenements = list(Evenement.objects.filter(dossier=dossier, fiche=gens.uf).select_related("acteur"))
    lignes = chronologie.lignes_journal(dossier, evenements)
    assert [(ligne["titre"], ligne["qui"], ligne["texte"]) for ligne in lignes] == [
        ("Commentaire : « UF 2101 »", "Camille Martin", "Nom : « Le nom est-il bon ? »"),
        ("Réponse à un commentaire : « UF 2101 »", "Jean Petit", f"Nom : « {'a' * 200}… »"),
        ("Commentaire résolu : « UF 2101 »", "Jean Petit", "Nom : « Le nom est-il bon ? »"),
        ("Commentaire rouvert : « UF 2101 »", "Camille Martin", "Nom : « Le nom est-il bon ? »"),
    ]
    assert {ligne["url"] for ligne in lignes} == {url_fil(fil)}


def test_chaque_evenement_a_ses_mots_et_son_icone() -> None:
    assert set(chronologie.ICONES) == set(TypeEvenement)
    assert all(evenement.label for evenement in TypeEvenement)


def test_qui_voit_le_dossier_commente(gens: SimpleNamespace, dossier: Dossier) -> None:
    for acteur in (gens.referent, gens.collegue, gens.direction, gens.gestionnaire):
        commenter(dossier, acteur, gens.uf, f"De {acteur.pk}")
    for acteur in (gens.voisin, gens.tutelle):
        with pytest.raises(Introuvable):
            commenter(dossier, acteur, gens.uf)
    assert Commentaire.objects.count() == 4


def test_les_interlocuteurs_sont_ceux_qui_voient(gens: SimpleNamespace) -> None:
    """The two sides of one rule, on a handicap dossier that came to an authority."""
    eg = repertoire.etablissement("handicap", nom="SESSAD TEST")
    referent = repertoire.compte(Role.REFERENT, eg, "referent.sessad")
    dossier = fabrique.brouillon(eg, referent)
    fabrique.nouvelle(dossier, referent, eg.pk)
    parti = repertoire.compte(Role.REFERENT, eg, "parti")
    parti.habilitations.update(debut=timezone.localdate(), fin=timezone.localdate())
    fabrique.envoye(dossier, referent)
    visibles = {u.pk for u in User.objects.all() if discussions.dossiers_visibles(u).filter(pk=dossier.pk).exists()}
    assert set(regles.interlocuteurs_de(dossier).values_list("pk", flat=True)) == visibles
    assert {u.pk for u in regles.roles_sur(dossier)} == visibles  # nobody is named without a role
    assert {gens.tutelle.pk, gens.gestionnaire.pk, referent.pk} <= visibles
    assert not {parti.pk, gens.referent.pk} & visibles


@pytest.mark.parametrize(
    ("champs", "champ", "phrase"),
    [
        ({"texte": "  \r\n "}, "texte", "Écrivez votre commentaire."),
        ({"texte": "a" * 5001}, "texte", "Un commentaire compte 5 000 caractères au plus ; le vôtre en a 5 001."),
        ({"texte": "Hum", "champ": "activites"}, "champ", "Choisissez un champ de la liste."),
        ({"texte": "Hum", "champ": "rien"}, "champ", "Choisissez un champ de la liste."),
    ],
)
def test_ce_qui_n_est_pas_un_commentaire(
    gens: SimpleNamespace, dossier: Dossier, champs: dict[str, str], champ: str, phrase: str
) -> None:
    with pytest.raises(Invalide) as refus:
        commenter(dossier, gens.referent, gens.uf, **champs)
    assert [m.replace("\u202f", " ").replace("\xa0", " ") for m in refus.value.champs[champ]] == [phrase]
    assert not Commentaire.objects.exists()


def test_les_retours_a_la_ligne_comptent_pour_un(gens: SimpleNamespace, dossier: Dossier) -> None:
    long = "a\r\n" * 2500
    assert len(commenter(dossier, gens.referent, gens.uf, long).texte) == 4999


def test_deux_clics_font_un_commentaire(gens: SimpleNamespace, dossier: Dossier) -> None:
    def vu() -> int:
        return Evenement.objects.latest("pk").pk

    page = vu()
    fil = commenter(dossier, gens.referent, gens.uf, vu=page)
    assert commenter(dossier, gens.referent, gens.uf, vu=page) == fil
    assert commenter(dossier, gens.referent, gens.uf, vu=page, champ="nom") != fil
    assert commenter(dossier, gens.collegue, gens.uf, vu=page) != fil
    assert commenter(dossier, gens.referent, gens.uf, vu=vu()) != fil
    page = vu()
    reponse = repondre(fil, gens.referent, vu=page)
    assert repondre(fil, gens.referent, vu=page) == reponse
    assert Evenement.objects.filter(dossier=dossier, type=TypeEvenement.COMMENTE).count() == 5
    resoudre(fil, gens.referent)
    assert resoudre(fil, gens.referent).resolu_par == gens.referent
    rouvrir(fil, gens.referent)
    rouvrir(fil, gens.referent)
    assert Evenement.objects.filter(dossier=dossier, type__in=chronologie.COMMENTAIRES).count() == 7


def test_un_fil_resolu_par_un_autre(gens: SimpleNamespace, dossier: Dossier) -> None:
    fil = commenter(dossier, gens.referent, gens.uf)
    resoudre(fil, gens.direction)
    with pytest.raises(Conflit, match=r"^Jean Petit a résolu ce fil le .* : rouvrez-le pour y répondre"):
        repondre(fil, gens.referent)
    with pytest.raises(Conflit, match=r"^Jean Petit a déjà résolu ce fil le "):
        resoudre(fil, gens.referent)
    rouvrir(fil, gens.referent)
    with pytest.raises(Conflit, match=r"^Camille Martin a déjà rouvert ce fil le "):
        rouvrir(fil, gens.direction)


def test_apres_la_fin_tout_se_lit_rien_ne_s_ecrit(gens: SimpleNamespace, dossier: Dossier) -> None:
    fil = commenter(dossier, gens.referent, gens.uf)
    decisions.abandonner(numero=dossier.pk, acteur=gens.referent)
    for geste in (
        lambda: commenter(dossier, gens.referent, gens.uf, "Encore"),
        lambda: repondre(fil, gens.direction),
        lambda: resoudre(fil, gens.direction),
        lambda: rouvrir(fil, gens.direction),
    ):
        with pytest.raises(Conflit, match=r"^Ce dossier s’est terminé le .* \(abandonné\)"):
            geste()
    page = texte(client(gens.direction).get(url(dossier, "commentaires/")))
    assert "Pourquoi ?" in page
    assert "Répondre" not in page


def test_une_fiche_retiree_garde_ses_fils(gens: SimpleNamespace, dossier: Dossier) -> None:
    neuve = fabrique.nouvelle(dossier, gens.referent, gens.uf.pk, "Unité de passage")
    fil = commenter(dossier, gens.direction, neuve)
    gestes.supprimer(numero=dossier.pk, acteur=gens.referent, fiches=[neuve.pk])
    with pytest.raises(Conflit, match="Camille Martin"):
        commenter(dossier, gens.direction, neuve, "Encore ?")
    [lu] = discussions.fils_de(dossier)
    assert (lu.nom, lu.retiree) == ("Unité de passage", True)
    page = client(gens.direction).get(url(dossier, "commentaires/"))
    assert "Unité de passage fiche retirée du dossier" in texte(page)
    page = client(gens.direction).get(url(dossier, f"fiches/{neuve.pk}/commentaires/"))
    assert "Commenter cette fiche" not in texte(page)
    resoudre(fil, gens.referent)
    assert "Commentaire résolu : « Unité de passage »" in texte(client(gens.direction).get(url(dossier, "journal/")))


# -- people --------------------------------------------------------------------------------------------


def test_citer_dans_le_texte_ou_par_une_case(gens: SimpleNamespace, dossier: Dossier) -> None:
    fil = commenter(
        dossier, gens.referent, gens.uf, "@zoe le goff et @DIRECTION, voyez ; écrire à x@jean.petit", cites=[]
    )
    assert set(fil.mentions.all()) == {gens.collegue, gens.direction}
    fil = commenter(dossier, gens.referent, gens.uf, "Voyez", cites=[gens.collegue.pk, gens.gestionnaire.pk])
    assert set(fil.mentions.all()) == {gens.collegue, gens.gestionnaire}


def test_le_nom_le_plus_long_l_emporte(gens: SimpleNamespace, dossier: Dossier) -> None:
    deux = nommer(repertoire.compte(Role.REFERENT, gens.eg, "deux"), "Jean", "Petit Jean")
    fil = commenter(dossier, gens.referent, gens.uf, "@Jean Petit Jean")
    assert set(fil.mentions.all()) == {deux}
    fil = commenter(dossier, gens.referent, gens.uf, "@Jean Petitjean")
    assert not fil.mentions.exists()


def test_deux_homonymes_se_distinguent(gens: SimpleNamespace, dossier: Dossier) -> None:
    autre = nommer(repertoire.compte(Role.REFERENT, gens.eg, "jpetit2"), "Jean", "Petit")
    noms = commentaires.noms_a_citer([gens.direction, autre])
    assert noms == {gens.direction.pk: "Jean Petit (direction)", autre.pk: "Jean Petit (jpetit2)"}
    fil = commenter(dossier, gens.referent, gens.uf, "@Jean Petit (jpetit2) ?")
    assert set(fil.mentions.all()) == {autre}


def test_citer_ne_revele_rien_a_qui_ne_voit_pas(gens: SimpleNamespace, dossier: Dossier) -> None:
    nommer(gens.voisin, "Ali", "Voisin")
    fil = commenter(
        dossier, gens.referent, gens.uf, "@Ali Voisin @tutelle @Camille Martin",
        cites=[gens.voisin.pk, gens.tutelle.pk, gens.referent.pk, 10**9],
    )  # fmt: skip
    assert not fil.mentions.exists()
    assert courriels() == []


def test_qui_recoit_quoi(gens: SimpleNamespace, dossier: Dossier) -> None:
    fil = commenter(dossier, gens.referent, gens.uf, "@Jean Petit ?")
    assert courriels() == [("commentaire_cite", "direction")]
    repondre(fil, gens.direction)
    repondre(fil, gens.collegue, "Je suis d’accord avec @Jean Petit.")  # within ten minutes: neither is told again
    assert courriels() == [("commentaire_cite", "direction"), ("commentaire_reponse", "referent")]
    resoudre(fil, gens.collegue)
    assert courriels()[2:] == [("commentaire_resolu", "referent")]
    [envoi] = Envoi.objects.filter(type_code="commentaire_resolu")
    assert envoi.sujet == "Commentaire résolu : UF 2101 – Ouverture de l’UHCD"
    assert "@Jean Petit ?" in envoi.corps_texte
    assert f"/dossiers/{dossier.pk}/commentaires/{fil.pk}/" in envoi.corps_texte


def test_les_courriels_se_groupent_par_dix_minutes(gens: SimpleNamespace, dossier: Dossier, time_machine: Any) -> None:
    time_machine.move_to("2027-03-01T09:00:00+01:00", tick=False)
    for i in range(20):
        commenter(dossier, gens.referent, gens.uf, f"@Jean Petit, question {i} ?")
    assert courriels() == [("commentaire_cite", "direction")]
    time_machine.shift(600)
    commenter(dossier, gens.referent, gens.uf, "@Jean Petit, toujours rien ?")
    assert courriels() == [("commentaire_cite", "direction")] * 2


def test_qui_est_parti_n_est_pas_prevenu(gens: SimpleNamespace, dossier: Dossier) -> None:
    fil = commenter(dossier, gens.collegue, gens.uf)
    repondre(fil, gens.direction)
    avant = courriels()
    Habilitation.objects.filter(user=gens.collegue).update(debut=timezone.localdate(), fin=timezone.localdate())
    User.objects.filter(pk=gens.direction.pk).update(is_active=False)
    repondre(fil, gens.referent, "@Zoé Le Goff @Jean Petit")
    resoudre(fil, gens.referent)
    assert courriels() == avant
    # Who left stays readable in the thread.
    assert "Zoé Le Goff" in texte(client(gens.referent).get(url(dossier, "commentaires/?montrer=tous")))


# -- a return, and what waits ------------------------------------------------------------------------------


def envoyer(dossier: Dossier, gens: SimpleNamespace) -> int:
    neuve = fabrique.nouvelle(dossier, gens.referent, gens.uf.pk, "Unité nouvelle")
    fabrique.envoye(dossier, gens.referent)
    return neuve.pk


def test_un_renvoi_ouvre_des_fils(gens: SimpleNamespace, dossier: Dossier) -> None:
    fiche = envoyer(dossier, gens)
    fabrique.renvoye(dossier, gens.direction, **{f"fiche_{fiche}": "Les âges ? @Zoé Le Goff"})
    [fil] = discussions.fils_de(dossier)
    assert (fil.premier.texte, fil.resolu, fil.nom) == ("Les âges ? @Zoé Le Goff", False, "Unité nouvelle")
    assert set(fil.premier.mentions.all()) == {gens.collegue}
    # The mail of the return is theirs too: one event, one mail.
    assert courriels() == []
    renvois = Envoi.objects.filter(type_code="dossier_renvoye")
    assert set(renvois.values_list("destinataire__username", flat=True)) == {"referent", "collegue"}
    commentes = Evenement.objects.filter(dossier=dossier, type=TypeEvenement.COMMENTE)
    assert [(e.fiche_id, e.details["texte"]) for e in commentes] == [(fiche, "Les âges ? @Zoé Le Goff")]
    # A save does not answer for the person who asked: the thread waits until somebody says it is dealt with.
    fabrique.modifier(dossier, gens.referent, fiche, age_min=18)
    assert discussions.ouverts_par_fiche(dossier) == {fiche: 1}
    resoudre(fil.premier, gens.referent)
    assert discussions.ouverts_par_fiche(dossier) == {}


def test_un_commentaire_de_renvoi_trop_long_ne_renvoie_pas(gens: SimpleNamespace, dossier: Dossier) -> None:
    fiche = envoyer(dossier, gens)
    with pytest.raises(Invalide, match=r"5.000 caractères au plus"):
        fabrique.renvoye(dossier, gens.direction, **{f"fiche_{fiche}": "a" * 5001})
    assert not Commentaire.objects.exists()


def test_l_envoi_previent_sans_empecher(gens: SimpleNamespace, dossier: Dossier) -> None:
    fiche = fabrique.nouvelle(dossier, gens.referent, gens.uf.pk)
    navigateur = client(gens.referent)
    assert "attend encore une réponse" not in texte(navigateur.get(url(dossier, "envoyer/")))
    commenter(dossier, gens.direction, fiche)
    page = navigateur.get(url(dossier, "envoyer/"))
    assert "Un commentaire attend encore une réponse." in texte(page)
    assert "1 commentaire à résoudre" in texte(navigateur.get(url(dossier)))
    assert navigateur.post(url(dossier, "envoyer/"), saisir(page)).status_code == 302
    assert fabrique.relu(dossier).etat == "validation"
    # Sent: those who decide on it go on talking.
    assert commenter(dossier, gens.direction, fiche, "Je regarde").pk


def test_ce_qui_attend_une_personne(gens: SimpleNamespace, dossier: Dossier) -> None:
    fil = commenter(dossier, gens.referent, gens.uf, "@Jean Petit ?")
    autre = commenter(dossier, gens.collegue, gens.uo, "@Jean Petit aussi")
    assert list(discussions.qui_attendent(gens.direction)) == [autre, fil]
    assert list(discussions.qui_attendent(gens.referent)) == []
    repondre(fil, gens.direction)
    assert list(discussions.qui_attendent(gens.direction)) == [autre]
    repondre(fil, gens.referent, "Et encore, @Jean Petit ?")
    assert list(discussions.qui_attendent(gens.direction)) == [autre, fil]
    resoudre(autre, gens.collegue)
    assert list(discussions.qui_attendent(gens.direction)) == [fil]
    page = texte(client(gens.direction).get("/"))
    assert "On vous attend dans une discussion" in page
    assert "Ouverture de l’UHCD" in page
    decisions.abandonner(numero=dossier.pk, acteur=gens.referent)
    assert list(discussions.qui_attendent(gens.direction)) == []


# -- pages ---------------------------------------------------------------------------------------------


def test_commenter_repondre_resoudre_sans_javascript(gens: SimpleNamespace, dossier: Dossier) -> None:
    navigateur = client(gens.referent)
    fiche = url_fiche(dossier, gens.uf)
    ouverte = texte(navigateur.get(fiche))
    assert "Commenter cette fiche" in ouverte
    assert "Jean Petit Direction" in ouverte  # whom one names, and in what role
    recu = {"texte": "<b>Bon</b> nom ?", "champ": "nom", "cites": [gens.direction.pk], "vu": "0"}
    reponse = navigateur.post(f"{fiche}commentaires/", recu, HTTP_REFERER=f"http://testserver{fiche}")
    [fil] = Commentaire.objects.all()
    assert reponse["Location"] == f"{fiche}#fil-{fil.pk}"
    page = navigateur.get(fiche)
    assert "&lt;b&gt;Bon&lt;/b&gt; nom ?" in page.text
    assert "Cite Jean Petit" in texte(page)
    assert page.text.count("commentaire-champ") == 1  # under the field, and nowhere else
    collegue = client(gens.direction)
    assert collegue.get(url_fil(fil))["Location"] == f"{fiche}commentaires/#fil-{fil.pk}"
    assert (
        collegue.post(url_fil(fil), {"texte": "Oui", "vu": fil.pk})["Location"] == f"{fiche}commentaires/#fil-{fil.pk}"
    )
    liste = url(dossier, "commentaires/")
    reponse = collegue.post(url_fil(fil, "resoudre/"), HTTP_REFERER=f"http://testserver{liste}")
    assert reponse["Location"] == f"{liste}#fil-{fil.pk}"
    assert "Choisissez une autre liste" in texte(collegue.get(liste))
    assert "résolu par Jean Petit" in texte(collegue.get(f"{liste}?montrer=resolus"))
    assert "Oui" in texte(collegue.get(f"{liste}?montrer=moi"))
    assert "Choisissez une autre liste" in texte(navigateur.get(f"{liste}?montrer=moi"))
    collegue.post(url_fil(fil, "rouvrir/"))
    assert discussions.ouverts_par_fiche(dossier) == {gens.uf.pk: 1}


def test_un_refus_garde_ce_qui_est_saisi(gens: SimpleNamespace, dossier: Dossier) -> None:
    navigateur = client(gens.referent)
    fiche = url_fiche(dossier, gens.uf)
    long = "a" * 5001
    reponse = navigateur.post(f"{fiche}commentaires/", {"texte": long, "champ": "nom", "cites": [gens.direction.pk]})
    assert reponse.status_code == 422
    saisi = saisir(reponse)
    assert (saisi["texte"], saisi["champ"], saisi.getlist("cites")) == (long, "nom", [str(gens.direction.pk)])
    assert "5 000 caractères au plus" in texte(reponse).replace("\u202f", " ")
    fil = commenter(dossier, gens.referent, gens.uf)
    reponse = navigateur.post(url_fil(fil), {"texte": " "})
    assert reponse.status_code == 422
    assert "Écrivez votre commentaire." in texte(reponse)
    resoudre(fil, gens.direction)
    reponse = navigateur.post(url_fil(fil), {"texte": "Une réponse qui compte"})
    assert reponse.status_code == 409
    assert "Jean Petit a résolu ce fil" in texte(reponse)
    assert "Une réponse qui compte" in texte(reponse)


def test_htmx_ne_rend_que_ce_qui_change(gens: SimpleNamespace, dossier: Dossier) -> None:
    navigateur = client(gens.referent)
    adresse = f"{url_fiche(dossier, gens.uf)}commentaires/"
    section = HTMX | {"HX-Target": "commentaires"}
    reponse = navigateur.post(adresse, {"texte": "Bon nom ?"}, headers=section)
    fil = Commentaire.objects.get()
    assert reponse.status_code == 200
    assert reponse.text.lstrip().startswith('<section class="carte commentaires" id="commentaires"')
    un_fil = HTMX | {"HX-Target": f"fil-{fil.pk}"}
    for suite, recu, dit in (
        ("", {"texte": "Oui"}, "Votre réponse est enregistrée."),
        ("resoudre/", {}, "Le commentaire est résolu."),
        ("rouvrir/", {}, "Le commentaire est rouvert."),
    ):
        reponse = navigateur.post(url_fil(fil, suite), recu, headers=un_fil)
        assert (reponse.status_code, f'data-ror-annonce="{dit}"' in reponse.text) == (200, True)
        assert reponse.text.lstrip().startswith("<article")
    assert navigateur.post(adresse, {"texte": ""}, headers=section).status_code == 422
    assert navigateur.post(url_fil(fil), {"texte": ""}, headers=un_fil).status_code == 422
    for cible in (un_fil, HTMX):  # no thread to answer with: the section
        reponse = navigateur.get(adresse, headers=cible)
        assert reponse.status_code == 200
        assert reponse.text.lstrip().startswith("<section")


def test_un_fil_ou_une_fiche_d_ailleurs(gens: SimpleNamespace, dossier: Dossier) -> None:
    fil = commenter(dossier, gens.referent, gens.uf)
    ailleurs = fabrique.brouillon(gens.ailleurs, gens.voisin)
    navigateur = client(gens.voisin)
    base = f"/dossiers/{ailleurs.pk}/commentaires/{fil.pk}/"
    for adresse in (base, f"{base}resoudre/", f"{base}rouvrir/"):
        assert navigateur.post(adresse, {"texte": "Hum"}).status_code == 404
    assert navigateur.get(base).status_code == 404
    assert navigateur.get(f"/dossiers/{ailleurs.pk}/fiches/{gens.uf.pk}/commentaires/").status_code == 404
    reponse = repondre(fil, gens.direction)  # an answer is no thread
    assert client(gens.referent).post(url_fil(reponse, "resoudre/")).status_code == 404


def test_autant_de_requetes_pour_trois_fils_que_pour_un(gens: SimpleNamespace, dossier: Dossier) -> None:
    neuve = fabrique.nouvelle(dossier, gens.referent, gens.uf.pk)
    perdue = fabrique.nouvelle(dossier, gens.referent, gens.uf.pk, "Unité de passage")

    def un_de_plus(i: int, *fiches: Any) -> None:
        for fiche in fiches:
            repondre(commenter(dossier, gens.referent, fiche, f"@Jean Petit {i}"), gens.direction)
            commenter(dossier, gens.collegue, fiche, f"@Jean Petit encore {i}")
        resoudre(commenter(dossier, gens.collegue, neuve, f"@Jean Petit {i}"), gens.referent)

    un_de_plus(1, neuve, gens.uf, perdue)
    gestes.supprimer(numero=dossier.pk, acteur=gens.referent, fiches=[perdue.pk])
    pages = ["/", url(dossier), url(dossier, "commentaires/?montrer=tous"), url_fiche(dossier, neuve),
             f"{url_fiche(dossier, neuve)}commentaires/", url(dossier, "journal/")]  # fmt: skip
    navigateur = client(gens.direction)
    avant = [requetes_de(navigateur, page) for page in pages]
    un_de_plus(2, neuve, gens.uf)
    un_de_plus(3, neuve, gens.uo)
    assert [requetes_de(navigateur, page) for page in pages] == avant
