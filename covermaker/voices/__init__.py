"""The singers: a voice is a folder with a card (`card.toml`) and weights (safetensors, never a pickle).

``find_voice("demo")`` gives a `Voice`; its `fingerprint` enters step keys, its `synthesizer` sings.
"""
