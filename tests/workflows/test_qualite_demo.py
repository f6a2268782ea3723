"""The demo data against the quality rules."""

from workflows.domaine.apercu import apercu
from workflows.domaine.qualite import Gravite, bloquantes, controler
from workflows.models import Dossier


def test_les_donnees_de_demonstration_suivent_les_regles(demo):
    """What blocks in a demo dossier would stop its tour; the register of the demo has nothing that would block."""
    ouverts = list(Dossier.objects.filter(termine_le__isnull=True).select_related("eg"))
    assert ouverts
    for dossier in ouverts:
        copies = list(dossier.fiches.select_related("fiche"))
        trouvees = controler(apercu(dossier, copies), copies, repertoire_aussi=True)
        finalisees = {t.fiche_id for t in copies if t.est_finalisee}
        assert [f.en_public for f in bloquantes(trouvees) if f.noeud.fiche_id in finalisees] == [], dossier
        assert [f.en_public for f in trouvees if not f.touchee and f.gravite is Gravite.BLOQUANT] == [], dossier
