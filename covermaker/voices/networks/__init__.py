"""The networks that sing: one file a kind, one facade for all."""
