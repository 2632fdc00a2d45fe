"""What all nodes must have under the same path: the store and the batch's folder, and how each proves that it does."""

from __future__ import annotations

import uuid
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from covermaker import __version__
from covermaker.disk import disk_errors, write_text
from covermaker.errors import ResourceError
from covermaker.graph.opening import is_url, open_store
from covermaker.graph.store import default_root
from covermaker.locks import held

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from covermaker.batch.engines.base import Setting

_STORE: Final = "the store"
_BATCH: Final = "the batch's folder"

# Folders of a network show what is new some seconds later.
_PATIENCE_SECONDS: Final = 20.0

_HINTS: Final[Mapping[str, str]] = {
    _STORE: "use --store with a folder that every node has under this path (NFS, say), or with s3://…; docs/cluster.md",
    _BATCH: "use --out with a folder that every node has under this path (NFS, say); see docs/cluster.md",
}


class Sharing:
    """Tokens in the folders that are to be shared; they go when it is closed.

    Attributes
    ----------
    store : str
        Where finished steps are: an absolute path, or a URL.
    token : str
        What a node must read.
    """

    def __init__(self, setting: Setting) -> None:
        self.store = (
            setting.store if is_url(setting.store) else str(Path(setting.store or default_root()).absolute())
        )
        self.token = uuid.uuid4().hex
        self._named = {_STORE: self.store, _BATCH: str(setting.folder.absolute())}
        self._places = {name: f"{place}/.shared-{self.token}" for name, place in self._named.items()}
        self._lock = "" if is_url(self.store) else f"{self._places[_STORE]}.lock"
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Leave the tokens, and hold a session of the store for all who work in this batch."""
        with ExitStack() as stack:
            for name, place in self._places.items():
                stack.callback(self._take_away, place)
                self._leave(name, place)
            stack.enter_context(open_store(self.store).session())
            if self._lock:
                stack.callback(self._take_away, self._lock)
                stack.enter_context(held(Path(self._lock), 0.0, lambda: None))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    @property
    def asked(self) -> tuple[dict[str, str], str, str, float]:
        """What `ray_look.look` is asked with."""
        return self._places, self.token, self._lock, _PATIENCE_SECONDS

    @property
    def folders(self) -> dict[str, str]:
        """Files that hold the token, by what people call the place; a piece of work looks at them before it begins."""
        return {name: place for name, place in self._places.items() if not is_url(place)}

    def complaint(self, answers: Mapping[str, dict[str, Any] | None]) -> ResourceError | None:
        """Say why some nodes cannot work; None when all can.

        Parameters
        ----------
        answers : dict of str to dict
            What `ray_look.look` returned, by node; None of one that gave no answer.
        """
        silent = [node for node, answer in answers.items() if answer is None]
        if silent:
            return ResourceError(f"{_listed(silent)} did not answer", hint="look at them: ray status")
        heard = {node: answer for node, answer in answers.items() if answer is not None}
        for name, place in self._named.items():
            blind = [node for node, answer in heard.items() if name in answer["unseen"]]
            if blind:
                return ResourceError(f"{name} {place} is not shared with {_listed(blind)}", hint=_HINTS[name])
        loose = [node for node, answer in heard.items() if answer["unlocked"]]
        if loose:
            return ResourceError(
                f"locks in the store {self.store} do not hold on {_listed(loose)}",
                hint="mount it with locks (NFS 4; not nolock), or use --store s3://…; see docs/cluster.md",
            )
        return _of_versions({node: answer["covermaker"] for node, answer in heard.items()})

    def _leave(self, name: str, place: str) -> None:
        if not is_url(place):
            with disk_errors(Path(place).parent):
                Path(place).parent.mkdir(parents=True, exist_ok=True)
            write_text(Path(place), self.token)
            return
        from covermaker.graph.remote import far_place, make_folder

        system, path = far_place(place)
        try:
            make_folder(place, system, path.rpartition("/")[0])
            system.pipe_file(path, self.token.encode())
        except Exception as error:  # the packages of file systems raise what they like
            raise ResourceError(
                f"{name} {self.store} cannot be written: {error or type(error).__name__}",
                hint="look at its credentials and its name",
            ) from error

    def _take_away(self, place: str) -> None:
        if not is_url(place):
            with suppress(OSError):
                Path(place).unlink(missing_ok=True)
            return
        from covermaker.graph.remote import far_place

        with suppress(Exception):
            system, path = far_place(place)
            system.rm_file(path)


def _of_versions(versions: Mapping[str, str]) -> ResourceError | None:
    without = [node for node, version in versions.items() if not version]
    if without:
        return ResourceError(
            f"{_listed(without)} cannot import covermaker",
            hint="install it there as it is here, for the Python that runs Ray",
        )
    other = {node: version for node, version in versions.items() if version != __version__}
    if other:
        said = ", ".join(f"{node} has {version}" for node, version in other.items())
        return ResourceError(f"covermaker is {__version__} here; {said}", hint="install the same everywhere")
    return None


def _listed(nodes: list[str]) -> str:
    some = ", ".join(sorted(nodes)[:5])
    return some if len(nodes) <= 5 else f"{some} and {len(nodes) - 5} more nodes"
