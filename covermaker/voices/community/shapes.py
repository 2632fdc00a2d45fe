"""What network a file is of, told by the shapes of its tensors; what shapes do not tell, by what its config says."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from covermaker.errors import ProjectError, WeightsError
from covermaker.voices.community.saying import LISTED
from covermaker.voices.networks.vits_config import VitsConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from covermaker.voices.community.layout import Shape
    from covermaker.voices.networks.vits_config import Family, UnitMode


@dataclass(frozen=True)
class Told:
    """What the file, or a config beside it, says and shapes cannot; None where it says nothing.

    `dilations` are of the decoder's blocks, `spectrum` the bins of the posterior encoder's spectrogram; `units` and
    `fork` as in `VitsConfig`.
    """

    sample_rate: int | None = None
    hop_samples: int | None = None
    rates: tuple[int, ...] | None = None
    dilations: tuple[tuple[int, ...], ...] | None = None
    spectrum: int | None = None
    units: UnitMode | None = None
    fork: bool | None = None


@dataclass(frozen=True)
class _Stack:
    """A decoder that programs have as a standard: its kernels and rates, and the sample rate it is for."""

    kernels: tuple[int, ...]
    rates: tuple[int, ...]
    sample_rate: int


_STACKS: Final[dict[Family, tuple[_Stack, ...]]] = {
    "rvc": (
        _Stack((16, 16, 4, 4), (10, 10, 2, 2), 40_000),
        _Stack((20, 16, 4, 4), (10, 8, 2, 2), 32_000),
        _Stack((24, 20, 4, 4), (12, 10, 2, 2), 48_000),
        _Stack((16, 16, 4, 4, 4), (10, 4, 2, 2, 2), 32_000),
        _Stack((16, 16, 4, 4, 4), (10, 6, 2, 2, 2), 48_000),
        _Stack((20, 12, 4, 4), (10, 6, 2, 2), 24_000),
    ),
    "sovits": (_Stack((16, 16, 4, 4, 4), (8, 8, 2, 2, 2), 44_100),),
}
_HOPS: Final = {"rvc": None, "sovits": 512}  # RVC has 100 frames a second at every rate
_DILATIONS: Final = (1, 3, 5)
_WIDE: Final = 768  # a speaker's row of so-vits-svc 4.1; it was 256 before
_ENCODERS: Final[dict[Family, str]] = {"rvc": "enc_p.encoder", "sovits": "enc_p.enc_"}
_CONTENT: Final[dict[Family, str]] = {"rvc": "enc_p.emb_phone.weight", "sovits": "pre.weight"}


def family_of(shapes: Mapping[str, Shape]) -> Family | None:
    """Tell whose network it is; None of another."""
    families: tuple[Family, ...] = ("rvc", "sovits")
    needs = {name: (_CONTENT[name], f"{_ENCODERS[name]}.attn_layers.0.emb_rel_k") for name in families}
    return next((name for name in families if all(one in shapes for one in needs[name])), None)


def config_of(family: Family, shapes: Mapping[str, Shape], told: Told) -> VitsConfig:
    """Return what a network is built from.

    Parameters
    ----------
    family : str
    shapes : mapping
        By the names that tensors have here (`weight_norm.fused_names`).
    told : Told

    Raises
    ------
    WeightsError
        When the shapes are of no such network, or leave open what nothing else says.
    """
    try:
        found = _config(family, shapes, told)
        return VitsConfig.from_mapping(found.to_mapping())
    except KeyError as error:
        raise WeightsError(f"it has no tensor {error}", hint=LISTED) from error
    except (IndexError, ValueError, ZeroDivisionError) as error:
        raise WeightsError("its tensors have shapes that fit no such model", hint=LISTED) from error
    except ProjectError as error:
        raise WeightsError(f"its sizes fit no such model: {error.message}", hint=LISTED) from error


def _config(family: Family, shapes: Mapping[str, Shape], told: Told) -> VitsConfig:
    at = _ENCODERS[family]
    content, hidden = shapes[_CONTENT[family]][1], shapes[_CONTENT[family]][0]
    _, offsets, head = shapes[f"{at}.attn_layers.0.emb_rel_k"]
    inner = shapes[f"{at}.ffn_layers.0.conv_1.weight"]
    is_pitched = "dec.noise_convs.0.weight" in shapes
    rate, hop, rates = _clock(family, shapes, told)
    kernels, dilations = _blocks(shapes, told, len(rates))
    speakers, speaker_dim = shapes["emb_g.weight"]
    spectrum = shapes.get("enc_q.pre.weight", (0, 0))[1] or told.spectrum
    return VitsConfig(
        family=family,
        sample_rate=rate,
        hop_samples=hop,
        content_dim=content,
        latent=shapes["enc_p.proj.weight"][0] // 2,
        hidden=hidden,
        filter=inner[0],
        heads=hidden // head,
        layers=_count(shapes, rf"{re.escape(at)}\.attn_layers\.(\d+)\."),
        kernel=inner[2],
        window=(offsets - 1) // 2,
        flows=_count(shapes, r"flow\.flows\.(\d+)\.", step=2),  # between two is a flip
        flow_layers=_count(shapes, r"flow\.flows\.0\.enc\.in_layers\.(\d+)\."),
        flow_kernel=shapes["flow.flows.0.enc.in_layers.0.weight"][2],
        resblock_kernels=kernels,
        resblock_dilations=dilations,
        upsample_rates=rates,
        upsample_kernels=_kernels(shapes),
        upsample_channels=shapes["dec.conv_pre.weight"][0],
        speakers=speakers,
        speaker_dim=speaker_dim,
        pitched=is_pitched,
        harmonics=shapes["dec.m_source.l_linear.weight"][1] if is_pitched else 1,
        volume="emb_vol.weight" in shapes,
        pitch_decoder="f0_decoder.proj.weight" in shapes,
        units="repeat" if family == "rvc" else told.units or "left",
        fork=family == "sovits" and (speaker_dim < _WIDE if told.fork is None else told.fork),
        spectrum=spectrum or (1025 if rate >= 40_000 else 513),
    )


def _clock(family: Family, shapes: Mapping[str, Shape], told: Told) -> tuple[int, int, tuple[int, ...]]:
    """Return sample rate, samples a frame and the rates of the decoder's stages.

    The convolutions of the source are twice as long as what their stage is behind: so all rates but the first are
    in the shapes, and the first is what is left of a frame.
    """
    kernels = _kernels(shapes)
    behind = _behind(shapes, len(kernels))
    rates, rate = told.rates, told.sample_rate
    hop = told.hop_samples or _HOPS[family] or (rate // 100 if rate else None)

    def fits(some: tuple[int, ...]) -> bool:
        rest = tuple(math.prod(some[stage + 1 :]) for stage in range(len(some)))
        return len(some) == len(kernels) and behind in (None, rest) and hop in (None, math.prod(some))

    known = [one for one in _STACKS[family] if one.kernels == kernels and fits(one.rates)]
    stock = known[0] if len(known) == 1 else None
    if rates is None or not fits(rates):
        if stock is not None:
            rates = stock.rates
        elif behind is None or hop is None:
            raise WeightsError(
                "neither its shapes nor its config say how fast its decoder is",
                hint="give the config.json that it was trained with: --config",
            )
        else:
            later = [before // after for before, after in pairwise(behind)]
            rates = (hop // behind[0], *later)
    if rate is None and stock is None and family == "sovits":
        raise WeightsError(
            "neither its shapes nor its config say what sample rate it sings at",
            hint="give the config.json that it was trained with: --config",
        )
    if rate is None:
        rate = stock.sample_rate if stock is not None and family == "sovits" else 100 * math.prod(rates)
    if any((kernel - step) % 2 for kernel, step in zip(kernels, rates, strict=True)):
        raise WeightsError(
            f"its decoder has kernels {kernels} at rates {rates}, which is not known here", hint=LISTED
        )
    return rate, math.prod(rates), rates


def _behind(shapes: Mapping[str, Shape], stages: int) -> tuple[int, ...] | None:
    """Return what each stage of the decoder is still multiplied by; None where nothing says so."""
    if "dec.noise_convs.0.weight" not in shapes:
        return None
    kernels = [shapes[f"dec.noise_convs.{stage}.weight"][2] for stage in range(stages)]
    return tuple(kernel // 2 if kernel > 1 else 1 for kernel in kernels)


def _kernels(shapes: Mapping[str, Shape]) -> tuple[int, ...]:
    stages = _count(shapes, r"dec\.ups\.(\d+)\.")
    return tuple(shapes[f"dec.ups.{stage}.weight"][2] for stage in range(stages))


def _blocks(
    shapes: Mapping[str, Shape], told: Told, stages: int
) -> tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]:
    """Return the kernels of a stage's blocks, and the dilations of each."""
    blocks = _count(shapes, r"dec\.resblocks\.(\d+)\.") // stages
    kernels = tuple(shapes[f"dec.resblocks.{block}.convs1.0.weight"][2] for block in range(blocks))
    convs = _count(shapes, r"dec\.resblocks\.0\.convs1\.(\d+)\.")
    if told.dilations is not None and [len(row) for row in told.dilations] == [convs] * blocks:
        return kernels, told.dilations
    if convs != len(_DILATIONS):
        raise WeightsError(
            f"its decoder has blocks of {convs} convolutions, and nothing says how they are spread",
            hint="give the config.json that it was trained with: --config",
        )
    return kernels, (_DILATIONS,) * blocks


def _count(shapes: Mapping[str, Shape], pattern: str, *, step: int = 1) -> int:
    """Return how many parts of a kind there are: numbers in their names, 0 and on in steps without a gap.

    What a name claims costs nothing to write: every part that is counted has a tensor of its own.
    """
    numbers = {int(match[1]) for name in shapes if (match := re.match(pattern, name))}
    return next(count for count in range(len(numbers) + 1) if count * step not in numbers)
