"""Find and build the networks behind a demucs model name.

A name stands for a *bag*: a small YAML file that lists networks by signature, with a weight per network and stem.
The bag lies in a folder, either the catalog's (as the hub has it, safetensors) or one given as ``repo`` (also the
package's own ``.th`` files, whose name may end in the start of their sha256; a single network needs no YAML there).

The package itself would unpickle a ``.th`` file and import any class a safetensors file names. Here only the three
network classes of the package are ever built, and pickles are read by torch's restricted reader.
"""

from __future__ import annotations

import inspect
import json
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from covermaker.errors import WeightsError, nearest
from covermaker.weights.catalog import entries, locate
from covermaker.weights.device import torch_ready
from covermaker.weights.hashes import known_hash
from covermaker.weights.unpickle import read_outline
from covermaker.weights.warm import loaded

if TYPE_CHECKING:
    from torch import nn

# What a file may call its network: name to the module that has it.
_CLASSES = {"HTDemucs": "demucs.htdemucs", "HDemucs": "demucs.hdemucs", "Demucs": "demucs.demucs"}


@dataclass(frozen=True, slots=True)
class Bag:
    """The files of one model.

    Parameters
    ----------
    name : str
        What the user called it.
    networks : tuple of Path
        One file a network, as often as the bag lists it.
    weights : tuple of tuple of float or None
        For each network one weight a stem; None means all alike.
    segment : float or None
        Longest window in seconds the bag asks for.
    definition : Path or None
        The YAML file.
    """

    name: str
    networks: tuple[Path, ...]
    weights: tuple[tuple[float, ...], ...] | None = None
    segment: float | None = None
    definition: Path | None = None

    def hashes(self) -> tuple[str, ...]:
        """Return the sha256 of every file, definition first."""
        return tuple(known_hash(path) for path in (self.definition, *self.networks) if path is not None)

    def sources(self) -> tuple[str, ...]:
        """Return the names of the stems in the network's order, without loading torch."""
        package = _outline(self.networks[0])
        args, kwargs = package["args"], package["kwargs"]
        return tuple(kwargs["sources"] if "sources" in kwargs else args[0])


def find_bag(name: str, repo: Path | None = None) -> Bag:
    """Look a model up, without network.

    Raises
    ------
    WeightsError
        When it is not there, with the next step, or when a file does not have the sha256 of its name.
    """
    if repo is None:
        if name not in entries():
            known = [known for known, entry in entries().items() if "emucs" in entry.origin]
            raise WeightsError(f"no demucs model is called '{name}'", hint=nearest(name, known))
        folder = locate(name)
    else:
        folder = repo
    if not folder.is_dir():
        raise WeightsError(f"{folder} is no folder with demucs models", hint="repo names a folder")
    definition = folder / f"{name}.yaml"
    if not definition.is_file():
        return Bag(name, (_network_file(folder, name),))
    content = _read_yaml(definition)
    weights = content.get("weights")
    return Bag(
        name,
        tuple(_network_file(folder, str(signature)) for signature in content["models"]),
        None if weights is None else tuple(tuple(float(weight) for weight in row) for row in weights),
        content.get("segment"),
        definition,
    )


def load_networks(bag: Bag, device: str) -> list[nn.Module]:
    """Return every network of a bag in float32, ready for inference.

    Raises
    ------
    WeightsError
        When a file holds something else than a network of the demucs package.
    """
    size = sum(path.stat().st_size for path in set(bag.networks))
    return loaded(
        ("demucs", device), "\n".join(bag.hashes()), lambda: _load(bag, device), size_bytes=2 * size
    )


def _load(bag: Bag, device: str) -> list[nn.Module]:
    built: dict[Path, nn.Module] = {}
    for path in bag.networks:
        if path not in built:
            built[path] = _build(path).float().eval().to(device)
    networks = [built[path] for path in bag.networks]
    first = cast("Any", networks[0])
    for network in cast("list[Any]", networks):
        if (network.sources, network.samplerate) != (first.sources, first.samplerate):
            raise WeightsError(f"the networks of '{bag.name}' have different stems or sample rates")
        if network.audio_channels != 2:
            raise WeightsError(f"a network of '{bag.name}' has {network.audio_channels} channels, not 2")
        # As the package does: a bag may shorten a transformer's window, any other network takes the bag's.
        if bag.segment is not None and (
            type(network).__name__ != "HTDemucs" or bag.segment <= network.segment
        ):
            network.segment = bag.segment
    return networks


def _network_file(folder: Path, signature: str) -> Path:
    plain = [path for suffix in ("safetensors", "th") if (path := folder / f"{signature}.{suffix}").is_file()]
    if plain:
        return plain[0]
    for path in sorted(folder.glob("*.th")):
        start, dash, checksum = path.stem.rpartition("-")
        if dash and start == signature:
            if not known_hash(path).startswith(checksum):
                raise WeightsError(f"{path} is damaged: its sha256 does not begin with {checksum}")
            return path
    there = {path.stem.rpartition("-")[0] or path.stem for path in folder.glob("*.th")}
    there |= {path.stem for pattern in ("*.yaml", "*.safetensors") for path in folder.glob(pattern)}
    raise WeightsError(f"{folder} has no demucs model '{signature}'", hint=nearest(signature, there))


def _read_yaml(path: Path) -> dict[str, Any]:
    import yaml  # type: ignore[import-untyped]

    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise WeightsError(f"{path} is no model definition: {error}") from error
    if not isinstance(content, dict) or not content.get("models"):
        raise WeightsError(f"{path} is no model definition: it lists no models")
    return content


def _outline(path: Path) -> dict[str, Any]:
    """Return class name, args and kwargs of a network file; torch stays unloaded."""
    if path.suffix == ".safetensors":
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(str(path), framework="np") as file:
                metadata = file.metadata() or {}
            package = {
                "klass": metadata["klass"].rpartition(".")[2],
                "args": _plain(json.loads(metadata["args"])),
                "kwargs": _plain(json.loads(metadata["kwargs"])),
            }
        except (SafetensorError, KeyError, ValueError) as error:
            raise WeightsError(f"{path} describes no demucs network: {error}") from error
    else:
        package = read_outline(path)
        if not isinstance(package, dict) or not {"klass", "args", "kwargs", "state"} <= package.keys():
            raise WeightsError(f"{path} describes no demucs network")
        package = {**package, "klass": getattr(package["klass"], "name", "nothing")}
    if package["klass"] not in _CLASSES:
        raise WeightsError(f"{path} holds a {package['klass']}", hint=f"known: {', '.join(_CLASSES)}")
    return package


def _plain(value: Any) -> Any:
    """Decode the JSON of constructor arguments, in which fractions are marked."""
    if isinstance(value, dict):
        if value.get("_type") == "fraction":
            return Fraction(value["numerator"], value["denominator"])
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _build(path: Path) -> nn.Module:
    torch_ready()
    package = _outline(path)
    kind = getattr(import_module(_CLASSES[package["klass"]]), package["klass"])
    known = inspect.signature(kind).parameters
    try:
        # Older files name training options that the class no longer has.
        kwargs = {key: value for key, value in package["kwargs"].items() if key in known}
        network = kind(*package["args"], **kwargs)
        _set_state(network, _state(path), path)
    except (TypeError, RuntimeError, KeyError) as error:
        first = str(error).partition("\n")[0]
        raise WeightsError(f"{path} does not fit the network it names: {first}") from error
    return cast("nn.Module", network)


def _state(path: Path) -> Any:
    import pickle

    torch = torch_ready()
    if path.suffix == ".safetensors":
        from safetensors import safe_open

        with safe_open(str(path), framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
            structure = (file.metadata() or {}).get("structure")
        return tensors if structure is None else _nested(tensors, json.loads(structure))
    classes = [getattr(import_module(module), name) for name, module in _CLASSES.items()]
    try:
        with torch.serialization.safe_globals([*classes, Fraction]):
            return torch.load(path, map_location="cpu", weights_only=True)["state"]
    except pickle.UnpicklingError as error:
        first = str(error).partition("\n")[0]
        raise WeightsError(f"{path} holds more than tensors and a network: {first}") from error


def _nested(tensors: dict[str, Any], node: Any) -> Any:
    """Rebuild the packed state of a quantised network from its flat tensors."""
    if not isinstance(node, dict):
        return node
    if "_tensor" in node:
        return tensors[node["_tensor"]]
    if "_dict" in node:
        return {key: _nested(tensors, item) for key, item in node["_dict"]}
    if "_list" in node or "_tuple" in node:
        items = [_nested(tensors, item) for item in node["_list" if "_list" in node else "_tuple"]]
        return items if "_list" in node else tuple(items)
    module, _, name = str(node.get("_class", "")).rpartition(".")
    if module.partition(".")[0] == "diffq" and find_spec("diffq") is not None:
        return getattr(import_module(module), name)
    return None


def _set_state(network: Any, state: Any, path: Path) -> None:
    if not state.get("__quantized"):
        network.load_state_dict(state)
        return
    restore = None
    with suppress(ImportError):
        restore = import_module("diffq").restore_quantized_state
    if restore is None:
        raise WeightsError(f"{path} is quantised", hint="pip install diffq, or take the model without _q")
    restore(network, state)
