"""Covermaker: a studio for song covers with a trained singing voice."""

__version__ = "0.1.0"
