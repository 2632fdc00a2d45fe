"""Which store a person means: a folder, or a URL."""

from __future__ import annotations

from pathlib import Path

from covermaker.graph.store import Store, default_root


def is_url(place: str) -> bool:
    """Tell whether a store is named by a URL, as ``s3://bucket/store`` is."""
    return "://" in place


def open_store(place: str | None, *, attended: bool = False) -> Store:
    """Return the store at a place; None or "" is the user's.

    Parameters
    ----------
    attended : bool
        As of `Store`.

    Raises
    ------
    UsageError
        When nothing here can read such a URL.
    """
    if place and is_url(place):
        from covermaker.graph.remote import RemoteStore

        return RemoteStore(place)
    return Store(Path(place) if place else default_root(), attended=attended)
