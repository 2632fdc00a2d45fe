from pathlib import Path

import pytest

from covermaker.audio.files import wav_writer


@pytest.fixture
def make_master(tmp_path):
    def make(samples, sample_rate=44_100, name="master.wav") -> Path:
        path = tmp_path / name
        with wav_writer(path, sample_rate=sample_rate, channels=samples.shape[0]) as writer:
            writer.write(samples.astype("float32"))
        return path

    return make
