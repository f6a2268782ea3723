"""The review of a dossier: what it will do, as somebody reads it before signing.

    liste = changements(dossier, lecteur=request.user)     # constant number of statements
    synthese = resume(liste, url=reverse("dossier_changements", args=[dossier.pk]))
    {% include "workflows/_changements.html" with changements=liste resume=synthese %}

``lecture`` reads and words each change, ``lieux`` knows where the fiches are, ``attentions`` what a reviewer should not
miss, ``synthese`` counts and folds, ``conservation`` keeps a review as JSON for years, ``tableur`` and ``document``
export it.
"""

from .lecture import Lecture, changements
from .modele import Attention, Changement
from .synthese import Resume, compte_en_mots, resume

__all__ = ["Attention", "Changement", "Lecture", "Resume", "changements", "compte_en_mots", "resume"]
