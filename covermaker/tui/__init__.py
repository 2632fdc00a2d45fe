"""The terminal studio. The only room that imports Textual; it never loads a network: heavy work runs in children."""
