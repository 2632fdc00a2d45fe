"""Reading the tensors of a published checkpoint, and nothing else that may be in it."""

from __future__ import annotations

import pickle
import warnings
from typing import TYPE_CHECKING, Any

from covermaker.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_TENSOR_BUILDERS = {
    ("collections", "OrderedDict"),
    ("torch._utils", "_rebuild_tensor_v2"),
    ("torch._utils", "_rebuild_parameter"),
}


class _Inert:
    """Stands for a foreign object and takes whatever the pickle wants to put into it."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass

    def __call__(self, *args: object, **kwargs: object) -> _Inert:
        """Stand for what it would return."""
        return _Inert()

    def __setitem__(self, key: object, value: object) -> None:
        pass

    def append(self, value: object) -> None:
        pass

    def extend(self, values: object) -> None:
        pass


class _TensorUnpickler(pickle.Unpickler):
    """Makes tensors and dicts; every other class or function a pickle names becomes an inert stand-in."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _TENSOR_BUILDERS:
            return super().find_class(module, name)
        return type(name, (_Inert,), {"__module__": module})


class _TensorPickle:
    """What ``torch.load`` asks of a pickle module; torch resolves the storage types itself."""

    __name__ = "tensors only"
    Unpickler = _TensorUnpickler

    @staticmethod
    def load(file: Any, **options: Any) -> Any:
        """Read one pickle."""
        return _TensorUnpickler(file, **options).load()


def read_checkpoint(path: Path, *, foreign_objects: bool = False) -> Any:
    """Read a safetensors file or what ``torch.save`` wrote.

    Parameters
    ----------
    path : Path
        The kind is read from the content, not from the name.
    foreign_objects : bool
        Checkpoints of training frameworks hold their settings as objects beside the tensors. True reads such a file
        with the objects left out; by default it is refused. Neither way runs anything the file names.

    Returns
    -------
    object
        A dict of tensors for safetensors, else whatever was saved.

    Raises
    ------
    pickle.UnpicklingError, RuntimeError, ValueError, EOFError, OSError, KeyError, TypeError
        When the file is damaged or something else.
    """
    from covermaker.weights.device import torch_ready

    torch = torch_ready()
    with path.open("rb") as file:
        head = file.read(9)
    # A safetensors file begins with the length of its JSON header, then the header's brace. torch goes by the suffix.
    if path.suffix == ".safetensors" or (len(head) == 9 and head[8:] == b"{"):
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(path)
        except SafetensorError as error:
            raise ValueError(str(error)) from error
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Detected pickle protocol")  # refused below anyway
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError:
            if not foreign_objects:
                raise
        return torch.load(path, map_location="cpu", weights_only=False, pickle_module=_TensorPickle())


def load_network(
    network: Any,
    path: Path,
    *,
    what: str,
    tensors: Callable[[Any], Any],
    device: str,
    foreign_objects: bool = False,
) -> Any:
    """Fill a network with the tensors of a published file and make it ready to answer.

    Nothing the file names is run: a pickle that asks for code is refused, or, with `foreign_objects`, read without it.

    Parameters
    ----------
    network : torch.nn.Module
        Every one of its tensors must be there, in its shape; half precision becomes float32.
    path : Path
        The file.
    what : str
        What it should hold, for the message: ``"FCPE"``.
    tensors : callable
        Turns what the file holds into the network's own names.
    device : str
        Where the network goes.
    foreign_objects : bool
        As in `read_checkpoint`.

    Raises
    ------
    WeightsError
        When the file holds something else.
    """
    try:
        network.load_state_dict(tensors(read_checkpoint(path, foreign_objects=foreign_objects)))
    except (
        pickle.UnpicklingError,
        AttributeError,
        KeyError,
        RuntimeError,
        TypeError,
        ValueError,
        EOFError,
        OSError,
    ) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise WeightsError(
            f"{path} holds no {what} weights: {reason[:120]}", hint="covermaker models verify"
        ) from error
    return network.eval().to(device)
