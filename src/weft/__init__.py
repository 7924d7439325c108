"""Weft runs workflows over batches of entities and shows, live and exactly, how far they are."""
