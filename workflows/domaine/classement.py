"""What the inbox sorts and filters a task by, copied on it when it opens: a queue of 50,000 is then read in the order
of an index, without joining the register. The page itself shows the register of today."""

from typing import Any

from django.db.models import CharField, F, Func, JSONField, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from structures.domaine.cog import departement
from structures.domaine.texte import normaliser
from structures.enums import Filiere
from structures.models import RegleCategorie
from structures.requetes import versions_au

from ..models import Dossier, Instantane, Tache

_CODES = Func(
    F("contenu"),
    Value("$.changements.clair[*].attentions[*].code"),
    function="jsonb_path_query_array",
    template="%(function)s(%(expressions)s::jsonpath)",
    output_field=JSONField(),
)


def classer(tache: Tache, dossier: Dossier) -> None:
    """Set the sort keys of a task that opens; not saved. A draft has no size yet: it counts for nothing. One
    statement."""
    filiere = RegleCategorie.objects.filter(pk=OuterRef("categorie")).values("filiere")
    eg = (
        versions_au()
        .filter(fiche=dossier.eg_id)
        .values_list("nom", "commune", Coalesce(Subquery(filiere), Value(Filiere.AUTRE), output_field=CharField()))
        .first()
    )
    nom, commune, du_jour = eg or (dossier.eg.identifiant, "", "")
    tache.lieu = normaliser(nom)[:150]
    tache.departement = departement(commune)
    tache.filiere = dossier.filiere or du_jour
    if dossier.est_brouillon:
        tache.expediteur = _nom_de(dossier.auteur)
    else:
        tache.expediteur = _nom_de(dossier.envoye_par)
        tache.changements, tache.attentions = dossier.changements, dossier.attentions


def _nom_de(personne: Any) -> str:
    """« renard sophie »: the family name first."""
    return normaliser(f"{personne.last_name} {personne.first_name}".strip() or personne.username)[:150]


def attentions_gardees(dossier: Dossier) -> list[str]:
    """The marks of the review that was kept of the content sent, each once. One statement."""
    garde = Instantane.objects.filter(dossier=dossier, empreinte=dossier.empreinte)
    codes: list[str] = garde.values_list(_CODES, flat=True).get()
    return sorted(set(codes))
