"""What files of so-vits-svc and its fork say: a checkpoint, and the ``config.json`` that belongs to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from covermaker.errors import WeightsError
from covermaker.voices.community.facts import READINGS, Facts
from covermaker.voices.community.settings import plain_text, singer_name, told_by_config
from covermaker.voices.community.shapes import Told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from covermaker.voices.networks.vits_config import UnitMode, VitsConfig

# The names that its readings of ContentVec have there, with the width of a row.
_ENCODERS: Final = {"vec256l9": 256, "vec256l9-onnx": 256, "vec768l12": 768, "vec768l12-onnx": 768}
_NAMES: Final = {256: "vec256l9", 768: "vec768l12"}
_UNITS: Final[dict[str, UnitMode]] = {"nearest": "nearest", "left": "left"}
_VOCODERS: Final = ("", "nsf-hifigan", "hifi-gan")
_HOME: Final = "sing with it at home, or look for one with the standard network"
# Switches of so-vits-svc 4.1 that make another network.
_SWITCHES: Final = {
    "use_depthwise_conv": "depthwise convolutions",
    "flow_share_parameter": "a flow that shares its parameters",
    "use_transformer_flow": "a transformer flow",
}
_FORK: Final = (("data", "contentvec_final_proj"), ("model", "type_"), ("model", "pretrained"))
_OF_41: Final = ("vocoder_name", "vol_embedding", "use_automatic_f0_prediction")
_MOST_SINGERS: Final = 1000
LEARNING_RATE: Final = 1e-4

# What the programs want to read of a training, also where they only sing: their own defaults.
_TRAINING: Final = {
    "log_interval": 200, "eval_interval": 800, "seed": 1234, "epochs": 10000, "betas": [0.8, 0.99], "eps": 1e-9,
    "batch_size": 6, "fp16_run": False, "half_type": "fp16", "lr_decay": 0.999875, "segment_size": 10240,
    "init_lr_ratio": 1, "warmup_epochs": 0, "c_mel": 45, "c_kl": 1.0, "use_sr": True, "max_speclen": 512,
    "port": "8001", "keep_ckpts": 3, "all_in_mem": False,
}  # fmt: skip
_LISTS: Final = {"training_files": "filelists/train.txt", "validation_files": "filelists/val.txt"}


def told(content: Mapping[str, Any], config: Mapping[str, Any] | None) -> Told:
    """Return what is said of the network.

    Raises
    ------
    WeightsError
        When it needs a network or a content encoder that is not here.
    """
    if config is None:
        return Told()
    model, data = config["model"], config["data"]
    for name, what in _SWITCHES.items():
        if model.get(name) is True:
            raise WeightsError(f"it is a so-vits-svc model with {what}, which cannot be taken in", hint=_HOME)
    for name in ("vocoder_name", "type_"):
        vocoder = plain_text(model.get(name), 40)
        if vocoder not in _VOCODERS:
            raise WeightsError(
                f"it is a so-vits-svc model with the decoder '{vocoder}', which cannot be taken in",
                hint=_HOME,
            )
    encoder = plain_text(model.get("speech_encoder"), 40)
    if encoder and encoder not in _ENCODERS:
        raise WeightsError(
            f"it was trained on the content encoder '{encoder}', which is not here: with another one it sings noise",
            hint="take in models of vec256l9 or vec768l12",
        )
    units = _units(config, plain_text(data.get("unit_interpolate_mode"), 40))
    is_older = _is_of_fork(config) or not any(name in model for name in _OF_41)
    return replace(told_by_config(config), units=units, fork=is_older)


def facts(content: Mapping[str, Any], config: Mapping[str, Any] | None, network: VitsConfig) -> Facts:
    """Return what else is said.

    Raises
    ------
    WeightsError
        When its content is of no known width, or the config is of another model.
    """
    width = network.content_dim
    if width not in READINGS:
        raise WeightsError(
            f"it reads content of width {width}, of which nothing says who made it",
            hint="models of vec256l9 and vec768l12 have 256 or 768",
        )
    notes = []
    if config is None:
        notes.append("there is no config.json: its singers have no names here, and number 0 sings")
    else:
        said = plain_text(config["model"].get("speech_encoder"), 40)
        if said and _ENCODERS[said] != width:
            notes.append(f"config.json says {said}, its tensors read rows of width {width}")
    training: dict[str, Any] = {}
    epoch = content.get("iteration")
    if type(epoch) is int and 0 < epoch < 2**53:
        training["epochs"] = epoch
    return Facts(
        origin=f"so-vits-svc {_version(config, network)}, {network.sample_rate / 1000:g} kHz",
        encoder=READINGS[width],
        singers=() if config is None else _singers(config.get("spk"), network.speakers),
        training=training,
        notes=tuple(notes),
    )


def _is_of_fork(config: Mapping[str, Any]) -> bool:
    return any(name in config[table] for table, name in _FORK)


def _units(config: Mapping[str, Any], said: str) -> UnitMode:
    if not said:
        # Before there was a choice the one program held each row until the next, the other took the nearest.
        return "nearest" if _is_of_fork(config) else "left"
    if said not in _UNITS:
        raise WeightsError(
            f"its content is brought to its clock in the way '{said}', which is not known here", hint=_HOME
        )
    return _UNITS[said]


def _version(config: Mapping[str, Any] | None, network: VitsConfig) -> str:
    if config is not None and _is_of_fork(config):
        return "4.0v1 (fork)"
    return "4.0" if network.fork else "4.1"


def _singers(table: Any, rows: int) -> tuple[str, ...]:
    """Return the names of a ``spk`` table by their rows; a row between that it does not name is called by its number.

    Raises
    ------
    WeightsError
        When it names a row that the model has not: it is the config of another model.
    """
    if not isinstance(table, dict) or len(table) > _MOST_SINGERS:
        return ()
    names = {number: singer_name(name) for name, number in reversed(table.items()) if type(number) is int}
    if not names:
        return ()
    if min(names) < 0 or max(names) >= rows:
        raise WeightsError(
            f"config.json has a singer number {max(names)}, and the model {rows} rows of singers",
            hint="it is the config of another model: give its own with --config",
        )
    found: list[str] = []
    for number in range(max(names) + 1):
        name = names.get(number, "")
        found.append(name if name and name not in found else f"speaker {number}")
    return tuple(found)


def config_json(
    config: VitsConfig, singers: Mapping[str, int], *, learning_rate: float = LEARNING_RATE
) -> dict[str, Any]:
    """Return the ``config.json`` of a network, with all that the program reads of it to sing and to train on.

    Parameters
    ----------
    config : VitsConfig
    singers : mapping of str to int
        The rows of its speaker table by their names.
    learning_rate : float
        That a training begins with.
    """
    model: dict[str, Any] = {
        "inter_channels": config.latent, "hidden_channels": config.hidden, "filter_channels": config.filter,
        "n_heads": config.heads, "n_layers": config.layers, "kernel_size": config.kernel, "p_dropout": 0.1,
        "resblock": "1", "resblock_kernel_sizes": list(config.resblock_kernels),
        "resblock_dilation_sizes": [list(row) for row in config.resblock_dilations],
        "upsample_rates": list(config.upsample_rates), "upsample_initial_channel": config.upsample_channels,
        "upsample_kernel_sizes": list(config.upsample_kernels), "n_layers_q": 3, "use_spectral_norm": False,
        "gin_channels": config.speaker_dim, "ssl_dim": config.content_dim, "n_speakers": config.speakers,
        "speech_encoder": _NAMES[config.content_dim],
    }  # fmt: skip
    data: dict[str, Any] = {
        "sampling_rate": config.sample_rate, "filter_length": 2 * (config.spectrum - 1),
        "hop_length": config.hop_samples, "win_length": 2 * (config.spectrum - 1), "n_mel_channels": 80,
        "mel_fmin": 0.0, "mel_fmax": config.sample_rate / 2, "max_wav_value": 32768.0,
        "unit_interpolate_mode": config.units, **_LISTS,
    }  # fmt: skip
    if not config.fork:
        model |= {
            "n_layers_trans_flow": 3, "n_flow_layer": config.flows, "vocoder_name": "nsf-hifigan",
            "speaker_embedding": False, "vol_embedding": config.volume,
            "use_automatic_f0_prediction": config.pitch_decoder, "use_depthwise_conv": False,
            "flow_share_parameter": False, "use_transformer_flow": False,
        }  # fmt: skip
    elif config.units == "nearest":
        model["type_"] = "hifi-gan"
        data["contentvec_final_proj"] = config.content_dim == 256
    # A network that is told a level learns it from takes that are made louder and softer.
    train = {**_TRAINING, "learning_rate": learning_rate, "vol_aug": config.volume}
    return {"train": train, "data": data, "model": model, "spk": dict(singers)}
