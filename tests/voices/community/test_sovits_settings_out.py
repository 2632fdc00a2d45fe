"""The config.json for so-vits-svc has every key that its programs read without asking whether it is there."""

from dataclasses import replace

import pytest
from community_models import SOVITS

from covermaker.voices.community.sovits import config_json, told
from covermaker.voices.networks.vits_config import VitsConfig

# Of train.py, data_utils.py, utils.py and preprocess_hubert_f0.py of so-vits-svc 4.1.
READ = {
    "train": {
        "all_in_mem", "batch_size", "betas", "c_kl", "c_mel", "epochs", "eps", "eval_interval", "fp16_run", "half_type",
        "keep_ckpts", "learning_rate", "log_interval", "lr_decay", "max_speclen", "port", "seed", "segment_size",
        "use_sr", "vol_aug", "warmup_epochs",
    },
    "data": {
        "filter_length", "hop_length", "max_wav_value", "mel_fmax", "mel_fmin", "n_mel_channels", "sampling_rate",
        "training_files", "unit_interpolate_mode", "validation_files", "win_length",
    },
    "model": {"speech_encoder", "use_spectral_norm", "vol_embedding"},
}  # fmt: skip
# What its network cannot be built without.
BUILT = {
    "inter_channels", "hidden_channels", "filter_channels", "n_heads", "n_layers", "kernel_size", "p_dropout",
    "resblock", "resblock_kernel_sizes", "resblock_dilation_sizes", "upsample_rates", "upsample_initial_channel",
    "upsample_kernel_sizes", "gin_channels", "ssl_dim", "n_speakers",
}  # fmt: skip


@pytest.mark.parametrize("config", [SOVITS, replace(SOVITS, volume=True)], ids=["plain", "volume"])
def test_its_training_finds_all_that_it_reads(config: VitsConfig) -> None:
    said = config_json(config, {"anna": 0})
    for table, names in READ.items():
        assert names <= said[table].keys(), table
    assert said["model"].keys() >= BUILT
    assert said["train"]["vol_aug"] is said["model"]["vol_embedding"] is config.volume
    assert said["train"]["half_type"] == "fp16"
    assert said["train"]["all_in_mem"] is False
    assert (said["data"]["training_files"], said["data"]["validation_files"]) == (
        "filelists/train.txt",
        "filelists/val.txt",
    )
    assert told({}, said).sample_rate == 44_100


def test_the_rate_is_that_of_the_training_or_its_own() -> None:
    assert config_json(SOVITS, {})["train"]["learning_rate"] == 1e-4
    assert config_json(SOVITS, {}, learning_rate=2e-4)["train"]["learning_rate"] == 2e-4
