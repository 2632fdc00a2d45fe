"""Recordings become training clips: what was agreed, what is wrong with them, where they are cut.

``document`` is ``takes.toml``; ``create`` takes recordings in; ``scan`` looks at them; ``clips`` cuts them.
"""
