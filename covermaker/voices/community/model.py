"""A model's file becomes a `Model`: what network it is, whose, which tensors make it, and what else it says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from covermaker.errors import WeightsError
from covermaker.texts import one_line
from covermaker.voices.community import rvc, sovits
from covermaker.voices.community.clusters import is_clusters
from covermaker.voices.community.layout import POSTERIOR, tensors
from covermaker.voices.community.saying import CLUSTERS_ALONE, LISTED, MODEL_TOO
from covermaker.voices.community.shapes import config_of, family_of
from covermaker.voices.community.variants import refuse_known
from covermaker.voices.community.weight_norm import DIRECTION, LENGTH, PRODUCT, fuse, fused_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from covermaker.voices.community.facts import Facts
    from covermaker.voices.community.layout import Shape
    from covermaker.voices.networks.vits_config import Family, VitsConfig
    from covermaker.weights.torch_file import Claim, TorchFile

Claims: TypeAlias = "dict[str, Claim]"

# A convolution with weight norm as newer torch names its parts.
_PARTS: Final = {
    ".parametrizations.weight.original0": LENGTH,
    ".parametrizations.weight.original1": DIRECTION,
}


@dataclass(frozen=True)
class Model:
    """A model that can be taken in; its numbers are still in the file.

    Attributes
    ----------
    claims : dict
        Tensors by the names of `layout`, without those that only training needs.
    """

    config: VitsConfig
    facts: Facts
    claims: Claims


def weights_in(content: Any) -> dict[str, Any]:
    """Return the part of a file that holds a network's tensors; empty where it is no model."""
    if not isinstance(content, dict):
        return {}
    for name in ("weight", "model", "state_dict"):
        if isinstance(content.get(name), dict):
            return dict(content[name])
    return content


def read_model(file: TorchFile, config: Mapping[str, Any] | None) -> Model:
    """Recognise a model.

    Parameters
    ----------
    file : TorchFile
    config : mapping, optional
        A ``config.json`` that lies beside it.

    Raises
    ------
    WeightsError
        When it is something else, or a model that cannot be sung with here; says what.
    """
    claims = claims_of(file)
    if is_clusters(file.content):
        raise WeightsError(f"it is {CLUSTERS_ALONE}", hint=MODEL_TOO)
    if not claims:
        raise WeightsError("it holds no tensors of a model", hint=LISTED)
    refuse_known(claims)
    shapes = _shapes(claims)
    family = family_of(shapes)
    if family is None:
        raise WeightsError(
            f"it is no model of RVC or so-vits-svc: it holds '{one_line(next(iter(claims))[:80])}'",
            hint=LISTED,
        )
    says = rvc if family == "rvc" else sovits
    network = config_of(family, shapes, says.told(file.content, config))
    kept = {name: claim for name, claim in claims.items() if not name.startswith(POSTERIOR)}
    _refuse_others(network, kept)
    return Model(network, says.facts(file.content, config, network), kept)


def family_in(file: TorchFile) -> Family | None:
    """Tell whose model a file holds; None of something else."""
    return family_of(_shapes(claims_of(file)))


def _shapes(claims: Claims) -> dict[str, Shape]:
    return {
        name.replace(DIRECTION, PRODUCT): claim.shape for name, claim in claims.items() if LENGTH not in name
    }


def arrays(file: TorchFile, model: Model) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Read the tensors of a model under the names that they have here: weight norm fused, all in float32."""
    waiting: dict[str, NDArray[np.float32]] = {}
    for name, array in file.read(model.claims):
        if not name.endswith((LENGTH, DIRECTION)):
            yield name, array
            continue
        weight = name.removesuffix(LENGTH).removesuffix(DIRECTION) + PRODUCT
        if weight not in waiting:
            waiting[weight] = array
            continue
        other = waiting.pop(weight)
        yield weight, fuse(array, other) if name.endswith(LENGTH) else fuse(other, array)


def claims_of(file: TorchFile) -> Claims:
    """Return the tensors of a file under the names of `layout`."""
    found: Claims = {}
    for name, value in weights_in(file.content).items():
        claim = file.claim(value)
        if claim is not None and isinstance(name, str):
            found[_plain(name)] = claim
    return found


def _plain(name: str) -> str:
    name = re.sub(r"^(module\.)+", "", name)
    for part, plain in _PARTS.items():
        name = name.replace(part, plain)
    return name


def _refuse_others(config: VitsConfig, claims: Claims) -> None:
    """Compare name by name and shape by shape with what such a network has."""
    wanted = tensors(config)
    plain = {name.replace(DIRECTION, PRODUCT): shape for name, shape in wanted.items() if LENGTH not in name}
    unknown = [name for name in claims if name not in wanted and name not in plain]
    if unknown:
        raise WeightsError(
            f"it has {len(unknown)} tensors that no such model has, as '{one_line(unknown[0][:80])}'",
            hint=LISTED,
        )
    for name in fused_names(wanted):
        at = name.removesuffix(PRODUCT)
        whole, length, direction = claims.get(name), claims.get(at + LENGTH), claims.get(at + DIRECTION)
        given = whole or direction
        if (
            given is None
            or (whole is None) != (length is not None)
            or (whole is None) != (direction is not None)
        ):
            raise WeightsError(f"it lacks the tensor '{name}'", hint="it is not whole: get it again")
        is_length = length is None or length.shape == wanted[at + LENGTH]
        if given.shape != plain[name] or not is_length:
            raise WeightsError(
                f"its tensor '{name}' has the shape {given.shape} and not {plain[name]}", hint=LISTED
            )
        if not given.is_real:
            raise WeightsError(f"its tensor '{name}' holds whole numbers", hint=LISTED)
