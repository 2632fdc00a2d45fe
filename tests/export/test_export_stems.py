import mutagen
import numpy as np
import pytest
import soundfile
from export_signals import chirp

from covermaker.audio.files import read
from covermaker.errors import AudioInputError
from covermaker.export.stems import export_stems


def test_stems_still_sum_to_the_song(make_master, tmp_path):
    song = chirp(30_000)
    vocals = song * np.float32(0.3)
    stems = {"vocals": make_master(vocals, name="v.wav"), "rest": make_master(song - vocals, name="r.wav")}
    made = export_stems(stems, tmp_path / "stems", tags={"title": "Harbour", "artist": "N"})
    assert [(m.name, m.format) for m in made] == [("vocals.wav", "wav24"), ("rest.wav", "wav24")]
    total = sum(read(tmp_path / "stems" / m.name).samples for m in made)
    assert np.abs(total - song).max() <= 2**-22
    assert str(mutagen.File(str(tmp_path / "stems" / "vocals.wav")).tags["TIT2"]) == "Harbour (vocals)"


def test_a_stem_beyond_full_scale_makes_all_of_them_float(make_master, tmp_path):
    song = chirp(5000)
    stems = {"a": make_master(song * 4, name="v.wav"), "b": make_master(song * -3, name="r.wav")}
    made = export_stems(stems, tmp_path / "stems", tags={})
    assert {m.format for m in made} == {"wav32f"}
    assert soundfile.info(str(tmp_path / "stems" / "a.wav")).subtype == "FLOAT"
    assert sum(m.clipped_samples for m in made) == 0
    assert np.allclose(sum(read(tmp_path / "stems" / m.name).samples for m in made), song, atol=1e-6)


def test_progress_and_missing_stem(make_master, tmp_path):
    seen = []
    stems = {"a": make_master(chirp(100_000), name="a.wav"), "b": make_master(chirp(100_000), name="b.wav")}
    export_stems(stems, tmp_path / "stems", tags={}, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    with pytest.raises(AudioInputError, match="does not exist"):
        export_stems({"a": tmp_path / "no.wav"}, tmp_path / "stems", tags={})
    assert export_stems({}, tmp_path / "stems", tags={}) == []
