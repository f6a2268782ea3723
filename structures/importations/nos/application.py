"""The import of nomenclatures from end to end, in the transaction of the caller."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.db import connection

from backoffice.socle.erreurs import Invalide
from backoffice.socle.mots import nombre, pluriel

from ...champs import CHAMPS
from ...champs import libelle as libelle_du_champ
from ...domaine import usages
from ...enums import SortDetail
from ...models import Concept, Importation, Nomenclature, VersionFiche
from ..bilan import Bilan, Detail
from ..genres import Genre, Option
from ..lecture import FichierRefuse
from ..suivi import Suivi
from .depot import EXTENSIONS, lire
from .ecarts import Liste, Tenu, rattacher
from .plat import EXIGEES

Tenues = tuple[Liste, list[usages.Usage]]  # a list, and who holds its closed codes
TENUS_MONTRES = 20_000  # lines of fiches that hold closed codes; beyond, the pages of the codes list them


def importer(chemin: Path, suivi: Suivi) -> Bilan:
    """Bring the lists up to date. Nothing is deleted; versions of fiches don't change, only what their codes mean."""
    depot = Importation.objects.filter(pk=suivi.numero).first() if suivi.numero else None
    editions, autres = lire(chemin, depot.fichier if depot else chemin.name, suivi)
    nomenclatures = {n.pk: n for n in Nomenclature.objects.order_by("pk").select_for_update()}
    if not nomenclatures:
        raise Invalide(
            "referentiels_absents",
            "Aucune nomenclature n’est connue. Chargez d’abord les référentiels : manage.py charger_referentiels.",
        )
    if not editions:
        raise FichierRefuse(
            "aucune liste de codes n’y est reconnue. Un fichier JSON est un CodeSystem ou un ValueSet FHIR ; un CSV "
            f"est séparé par des points-virgules et a les colonnes {', '.join(EXIGEES)}."
        )
    suivi.etape("Comparaison avec les listes tenues", len(editions))
    listes, ecartes = rattacher(editions, nomenclatures, anciennes=bool(suivi.options.get("anciennes")))
    _charger(listes)
    for liste in listes.values():
        liste.comparer()
    suivi.etape("Écriture", len(listes))
    # The fiches of what is closed by these files, or was already.
    tenus = [(liste, usages.usages(liste.nomenclature.pk, liste.fermes)) for liste in listes.values()]
    details = [d for liste in listes.values() for d in liste.details()]
    details += [*_tenants(tenus), *ecartes]
    details += [Detail(SortDetail.IGNORE, cle=nom, raison="ce n’est pas une nomenclature") for nom in autres]
    phrases = list(_phrases(listes, tenus, len(ecartes) + len(autres)))
    _ecrire(listes)
    return Bilan(phrases, {}, details, {"listes": _resume(tenus)})


def _charger(listes: Mapping[str, Liste]) -> None:
    concepts = Concept.objects.filter(nomenclature__in=listes).order_by("nomenclature", "code")
    for liste, code, libelle, debut, fin, du_jeu, remplace_par in concepts.values_list(
        "nomenclature_id", "code", "libelle", "date_debut", "date_fin", "du_jeu", "remplace_par"
    ):
        listes[liste].avant[code] = Tenu(libelle, debut, fin, du_jeu, remplace_par)


_COLONNES = "nomenclature_id, code, libelle, date_debut, date_fin, du_jeu, remplace_par"


def _ecrire(listes: Mapping[str, Liste]) -> None:
    """One COPY and one upsert, of the codes that change. Triggers mark what is exposed with their labels."""
    lignes = [
        (cle, code, t.libelle, t.debut, t.fin, t.du_jeu, t.remplace_par)
        for cle, liste in listes.items()
        for code, t in liste.apres.items()
        if liste.avant.get(code) != t
    ]
    if lignes:
        with connection.cursor() as curseur:
            curseur.execute(
                """DROP TABLE IF EXISTS pg_temp.nos_concept;
                   CREATE TEMP TABLE nos_concept (nomenclature_id text, code text, libelle text, date_debut date,
                       date_fin date, du_jeu boolean, remplace_par text) ON COMMIT DROP"""
            )
            with curseur.copy(f"COPY nos_concept ({_COLONNES}) FROM STDIN") as copie:
                for ligne in lignes:
                    copie.write_row(ligne)
            curseur.execute(
                f"""INSERT INTO structures_concept ({_COLONNES}) SELECT {_COLONNES} FROM nos_concept
                    ON CONFLICT (nomenclature_id, code) DO UPDATE SET libelle = excluded.libelle,
                        date_debut = excluded.date_debut, date_fin = excluded.date_fin, du_jeu = excluded.du_jeu,
                        remplace_par = excluded.remplace_par"""  # noqa: S608
            )
    for cle, liste in listes.items():
        champs = liste.nouveaux_champs()
        if champs:
            Nomenclature.objects.filter(pk=cle).update(**champs)


def _phrases(listes: Mapping[str, Liste], tenus: list[Tenues], cotes: int) -> Iterator[str]:
    changees = sum(1 for liste in listes.values() if liste.changes or liste.nouveaux_champs())
    yield f"Listes reconnues : {len(listes)}, dont {changees} qui changent. Fichiers laissés de côté : {cotes}."
    yield from _adresses(listes)
    fiches = {u.fiche for _, tenants in tenus for u in tenants}
    if fiches:
        yield (
            f"{nombre(len(fiches))} fiche{pluriel(len(fiches))} tien{pluriel(len(fiches), 't,nent')} des codes fermés "
            "à corriger, sur la fiche, ou par un dossier ou un import pour les champs qui ne s’y modifient pas : "
            "onglet « À examiner », ou la page de chaque liste."
        )


def _adresses(listes: Mapping[str, Liste]) -> Iterator[str]:
    """What a new address of a list does to those who read the published resources."""
    for cle, liste in listes.items():
        avant, apres = liste.nomenclature.url, liste.nouveaux_champs().get("url")
        if not (avant and apres):
            continue
        with connection.cursor() as curseur:
            curseur.execute(
                "SELECT count(*) FROM structures_ressource WHERE position(%s IN contenu::text) > 0", [f'"{avant}"']
            )
            n = curseur.fetchone()[0]
        yield (
            f"L’adresse (URL) de {cle} change : {nombre(n)} ressource{pluriel(n)} publiée{pluriel(n)} ser"
            f"{pluriel(n, 'a,ont')} republiée{pluriel(n)}, et les recherches des consommateurs par l’ancienne adresse, "
            f"{avant}, n’y trouveront plus rien. Prévenez-les avant d’appliquer."
        )


def _resume(tenus: list[Tenues]) -> list[dict[str, Any]]:
    """What the template structures/nomenclatures/_import.html shows of each list that changes or has work to do."""
    return [
        {
            "code": liste.nomenclature.pk,
            "libelle": liste.nomenclature.libelle,
            "avant": liste.nomenclature.version,
            "apres": liste.nouveaux_champs().get("version", ""),
            "nouveaux": len(liste.apres) - len(liste.avant),
            "relibelles": len(liste.relibelles),
            "fermes": _mouvements(liste, True),
            "rouverts": _mouvements(liste, False),
            "fiches": len({u.fiche for u in tenants}),
            "codes": len({u.code for u in tenants}),
        }
        for liste, tenants in tenus
        if liste.changes or liste.nouveaux_champs() or tenants
    ]


def _mouvements(liste: Liste, fermeture: bool) -> int:
    return sum(avant.ferme != fermeture and liste.apres[code].ferme == fermeture for code, avant in liste.avant.items())


def _tenants(tenus: list[Tenues]) -> Iterator[Detail]:
    """A line for each fiche that holds a closed code, with its field and the code that the file proposes instead."""
    tous = [(liste, u) for liste, tenants in tenus for u in tenants][:TENUS_MONTRES]
    fiches = {
        v.fiche_id: (v.nom, v.niveau, v.fiche.identifiant)
        for v in VersionFiche.objects.filter(fiche__in={u.fiche for _, u in tous})
        .order_by("fiche_id", "validite")
        .select_related("fiche")
        .only("fiche_id", "nom", "niveau", "fiche__identifiant")
    }
    for liste, u in tous:
        nom, niveau, identifiant = fiches[u.fiche]
        tenu = liste.apres[u.code]
        remplacant = liste.apres.get(tenu.remplace_par)
        yield Detail(
            SortDetail.SIGNALE,
            cle=f"{liste.nomenclature.pk}/{u.code}",
            nom=nom,
            fiche=identifiant,
            champ=libelle_du_champ(CHAMPS[u.champ], niveau),
            avant=f"{u.code} {tenu.libelle}",
            apres=f"{tenu.remplace_par} {remplacant.libelle}" if remplacant else "",
            raison=f"code fermé le {tenu.fin:%d/%m/%Y} : à remplacer sur la fiche",
        )


NOS = Genre(
    "nos",
    "Nomenclatures (NOS)",
    "Les listes de codes de l’ANS : CodeSystem et ValueSet FHIR (JSON) ou CSV à plat, un fichier ou une archive zip de "
    "plusieurs. Le libellé d’un jeu de valeurs du ROR l’emporte sur celui de la terminologie.",
    EXTENSIONS,
    importer,
    options=(
        Option(
            "anciennes",
            "Accepter une version plus ancienne que celle qui est tenue",
            "Sans cette case, une version dépassée est laissée de côté.",
        ),
    ),
    gabarit="structures/nomenclatures/_import.html",
)
