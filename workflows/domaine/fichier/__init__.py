"""« Remplir depuis un fichier »: one row a fiche. What a file says becomes proposed changes, never a direct write.

tableau: bytes → rows of texts, or the reason why they can't be trusted · lexique: codes, labels, communes · colonnes
and composes: a value ↔ the text of its cell · gabarit: the rows of the tree as it is · analyse: rows → what they would
change, errors, collisions · appliquer: the verbs. A list is separated by « | »; a coded value is « Label [code] », its
code or its label.
"""
