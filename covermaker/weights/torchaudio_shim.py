"""Let `import torchaudio` work beside a CPU torch.

torchaudio's wheel carries an extension linked against CUDA. Beside a CPU torch it cannot be loaded and the
whole package refuses to import, though its Python part (resampling, mel filters, `lfilter`), all that pitch
methods use, needs none of it. This finder stands before the normal ones: it loads the real
`torchaudio._extension` and only when that fails hands out an empty one that says "not available", the state
torchaudio itself knows from source builds.
"""

from __future__ import annotations

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

_TARGET = "torchaudio._extension"


def install() -> None:
    """Put the finder in place, once; torchaudio itself is not imported."""
    if _TARGET not in sys.modules and not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _TARGET:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(Loader):
    def __init__(self, real: Loader) -> None:
        self._real = real

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        try:
            self._real.exec_module(module)
        except (OSError, ImportError, RuntimeError):
            # Missing libraries, a missing symbol, or built for another CUDA version.
            module.__dict__.update(
                _IS_TORCHAUDIO_EXT_AVAILABLE=False,
                _IS_ALIGN_AVAILABLE=False,
                _check_cuda_version=lambda: None,
                fail_if_no_align=_without_extension,
            )


def _without_extension(function: Any) -> Any:
    def refuse(*args: object, **kwargs: object) -> None:
        raise RuntimeError(
            f"torchaudio's {function.__name__} needs its compiled extension, which cannot be loaded"
        )

    return refuse
