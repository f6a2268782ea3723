"""Import of the communes of a new year (COG), with the mergers that the fiches follow."""
