"""Loudness to a target under a true-peak ceiling."""
