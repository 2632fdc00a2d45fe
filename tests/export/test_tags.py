import mutagen
import numpy as np
import pytest
from export_signals import chirp

from covermaker.audio.files import read
from covermaker.errors import ResourceError
from covermaker.export.files import export_master
from covermaker.export.formats import FORMATS
from covermaker.export.tags import KEYS, write_mp3_tags, write_wav_tags

EVERYTHING = {key: f"{key} ♪ 港" for key in KEYS} | {
    "date": "2026-11-21",
    "bpm": "127",
    "track": "3/9",
    "isrc": "DEA123456789",
    "replaygain_track_gain": "-4.00 dB",
}


def read_back(path):
    """Read tags as a player does: mutagen guesses the container by its content."""
    tags = mutagen.File(str(path)).tags
    found = {}
    for key in EVERYTHING:
        frame, field = KEYS.get(key, (f"TXXX:{key}", key))
        values = tags.get(field) or next((v.text for k, v in tags.items() if k.startswith(frame)), None)
        found[key] = str(values[0] if isinstance(values, list) else values)
    return found


@pytest.mark.parametrize("name", FORMATS.names())
def test_every_tag_is_read_back(make_master, tmp_path, name):
    master = make_master(chirp(5000))
    (made,) = export_master(master, tmp_path / "o", formats=[name], stem_name="s", tags=EVERYTHING, seed=0)
    path = tmp_path / "o" / made.name
    assert read_back(path) == EVERYTHING
    (bare,) = export_master(master, tmp_path / "bare", formats=[name], stem_name="s", tags={}, seed=0)
    assert np.array_equal(read(path).samples, read(tmp_path / "bare" / bare.name).samples)


@pytest.mark.parametrize("name", FORMATS.names())
def test_strange_values(make_master, tmp_path, name):
    tags = {"title": "a\0b\ud800", "artist": "", "album": "  ", "comment": "two\nlines"}
    master = make_master(chirp(5000))
    (made,) = export_master(master, tmp_path / "o", formats=[name], stem_name="s", tags=tags, seed=0)
    text = repr(dict(mutagen.File(str(tmp_path / "o" / made.name)).tags))
    assert "a b?" in text
    assert not any(word in text for word in ("TPE1", "ARTIST", "artist", "TALB", "ALBUM", "album"))


def test_rf64_stays_untagged(tmp_path):
    path = tmp_path / "long.wav"
    path.write_bytes(b"RF64" + bytes(100))
    write_wav_tags(path, {"title": "x"})
    assert path.read_bytes() == b"RF64" + bytes(100)


def test_a_refused_write_is_a_resource_error(make_master, tmp_path):
    with pytest.raises(ResourceError, match="cannot write"):
        write_mp3_tags(tmp_path / "missing.mp3", {"title": "x"})
