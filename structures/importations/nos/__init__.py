"""Import of the national nomenclatures (NOS): reading, comparison with the lists held, application."""
