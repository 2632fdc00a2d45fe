"""Cached steps: knows keys, files and locks, and nothing of music."""
