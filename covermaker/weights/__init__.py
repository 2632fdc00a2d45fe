"""Pretrained weights: where they are, whether they are what they should be, and on which device they run.

``locate("fcpe")`` gives a path, ``fingerprint("fcpe")`` the sha256 that enters step keys.
"""
