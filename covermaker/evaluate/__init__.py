"""How good a cover is, in figures: the vocal before the conversion against the vocal after it.

``report.score_cover`` gathers them: lag of the envelope, likeness to the voice, pitch, words that are read again, new
clicks.
"""
