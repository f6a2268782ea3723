"""Form fields of the product: Django fields whose Python values are plain lists and dicts, ready for JSON.

========================  =========================================================================
field                     cleaned value
========================  =========================================================================
``ChoixField``            code, or "" when not required and empty
``ChoixMultipleField``    list of codes, without doubles, in the order of the list
``CommunesField``         list of COG codes, in the order in which they were added
``SemaineField``          ``{1: [["08:00", "12:00"], …], …, 7: []}``: always seven days; 24:00 may end a day
``DateField``             ``datetime.date`` or None      (``LundiField``: the Monday of the chosen week)
``LignesField``           list of dicts, one a row: the columns, and ``id`` when the row came with one
``CodesNombresField``     ``{code: nombre}``, in the order of the rows
``ContactsField``         list of ``{id, nature, nom, fonction, confidentialite, telecoms}``, telecoms being a
                          list of ``{canal, valeur, confidentialite}``
========================  =========================================================================

Each takes ``initial`` in the shape of its cleaned value. Nomenclatures are given by the caller as (code, label)
pairs; ``fermes`` are the pairs of closed codes *held by this fiche*: still accepted, shown with « (code fermé) ».
When a form is refused everything that was typed comes back, right or wrong. Choices, ``fermes`` and callables can be
set in the form's ``__init__``: ``self.fields["actes"].choices = …``.
"""

from .base import OBLIGATOIRE
from .codes import ChoixField, ChoixMultipleField
from .communes import CommunesField, Lot, SaisieCommunes
from .contacts import ContactsField
from .lignes import CodesNombresField, LignesField
from .semaine import SemaineField
from .simples import DateField, EntierField, LundiField, TexteField

__all__ = [
    "OBLIGATOIRE",
    "ChoixField",
    "ChoixMultipleField",
    "CodesNombresField",
    "CommunesField",
    "ContactsField",
    "DateField",
    "EntierField",
    "LignesField",
    "Lot",
    "LundiField",
    "SaisieCommunes",
    "SemaineField",
    "TexteField",
]
