"""Tracks, sends and buses: many stems to one stereo mix."""
