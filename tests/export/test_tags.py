import base64
import io
import json
import shutil
import subprocess

import mutagen
import numpy as np
import pytest
from export_signals import chirp
from mutagen.flac import Picture as FlacPicture
from PIL import Image

from covermaker.audio.files import probe, read
from covermaker.errors import ProjectError, ResourceError
from covermaker.export.files import Wishes, export_file, export_master
from covermaker.export.formats import FORMATS
from covermaker.export.labels import Labels, Level, Lyrics, parse_lyrics, read_lyrics, read_picture
from covermaker.export.tags import KEYS, write_mp3_tags, write_wav_tags

EVERYTHING = {key: f"{key} ♪ 港" for key in KEYS} | {
    "date": "2026-11-21",
    "bpm": "127",
    "track": "3/9",
    "isrc": "DEA122600001",
    "mood": "calm",
}
LRC = "[ti:Blue]\n[00:01.00]first line\n[01:02.50][00:30.25]again ♪\n"


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "cover.jpg"
    Image.new("RGB", (300, 200), (10, 60, 120)).save(path, "JPEG")
    return path


def one(master, out, name, tags, **wishes):
    (made,) = export_master(
        master, out, formats=[name], stem_name="s", tags=tags, seed=0, wishes=Wishes(**wishes)
    )
    return out / made.name, made


def texts(path):
    """Read tags as a player does: mutagen guesses the container by its content."""
    tags = mutagen.File(str(path)).tags
    found = {}
    for key in [*EVERYTHING, "replaygain_track_gain", "replaygain_track_peak"]:
        frame, field, atom = KEYS.get(key, (f"TXXX:{key}", key, f"----:com.apple.iTunes:{key}"))
        values = tags.get(atom if path.suffix == ".m4a" else field)
        if values is None:
            values = next((value.text for name, value in tags.items() if name.startswith(frame)), None)
        if values is None:
            continue
        value = values[0] if isinstance(values, list) else values
        if isinstance(value, tuple):
            value = "/".join(map(str, value))
        found[key] = value.decode() if isinstance(value, bytes) else str(value)
    return found


@pytest.mark.parametrize("name", FORMATS.names())
def test_every_tag_is_read_back(make_master, tmp_path, name):
    master = make_master(chirp(5000))
    path, _ = one(master, tmp_path / "o", name, EVERYTHING)
    assert texts(path) == EVERYTHING
    bare, _ = one(master, tmp_path / "bare", name, {})
    assert texts(bare) == {}
    assert np.array_equal(read(path).samples, read(bare).samples)


@pytest.mark.parametrize("name", FORMATS.names())
def test_strange_values(make_master, tmp_path, name):
    tags = {"title": "a\0b\ud800", "artist": "", "album": "  ", "comment": "two\nlines"}
    path, _ = one(make_master(chirp(5000)), tmp_path / "o", name, tags)
    text = repr(dict(mutagen.File(str(path)).tags))
    assert "a b?" in text
    assert not any(word in text for word in ("TPE1", "ARTIST", "artist", "TALB", "ALBUM", "album"))


@pytest.mark.parametrize("name", FORMATS.names())
def test_the_picture_is_read_back_to_the_byte(make_master, tmp_path, picture, name):
    path, made = one(make_master(chirp(5000)), tmp_path / "o", name, {}, picture=read_picture(picture))
    file = mutagen.File(str(path))
    if name.startswith("flac"):
        (found,) = file.pictures
        data, size = found.data, (found.width, found.height)
    elif name in ("ogg", "opus"):
        found = FlacPicture(base64.b64decode(file["METADATA_BLOCK_PICTURE"][0]))
        data, size = found.data, (found.width, found.height)
    elif name == "m4a":
        data, size = bytes(file["covr"][0]), None
    else:
        (found,) = file.tags.getall("APIC")
        data, size = found.data, None
        assert (found.mime, found.type) == ("image/jpeg", 3)
    assert data == picture.read_bytes()
    assert size in (None, (300, 200))
    assert Image.open(io.BytesIO(data)).size == (300, 200)
    assert probe(path).frames == made.frames


@pytest.mark.parametrize("name", FORMATS.names())
def test_lyrics_with_and_without_times(make_master, tmp_path, name):
    master = make_master(chirp(5000))
    path, _ = one(master, tmp_path / "timed", name, {}, lyrics=parse_lyrics(LRC))
    assert texts(path)["lyrics"] == "first line\nagain ♪\nagain ♪"
    file = mutagen.File(str(path))
    if name in ("ogg", "opus") or name.startswith("flac"):
        assert file["SYNCEDLYRICS"] == ["[00:01.00]first line\n[00:30.25]again ♪\n[01:02.50]again ♪"]
    elif name == "m4a":
        assert bytes(file["----:com.apple.iTunes:SYNCEDLYRICS"][0]).decode().startswith("[00:01.00]first")
    else:
        (found,) = file.tags.getall("SYLT")
        assert found.text == [("first line", 1000), ("again ♪", 30_250), ("again ♪", 62_500)]
        assert (found.format, found.type) == (2, 1)
    path, _ = one(master, tmp_path / "plain", name, {}, lyrics=Lyrics("la\nla"))
    assert texts(path)["lyrics"] == "la\nla"
    assert "SYLT" not in repr(mutagen.File(str(path)).tags)
    assert "SYNCED" not in repr(mutagen.File(str(path)).tags)


@pytest.mark.parametrize("name", FORMATS.names())
def test_replaygain_refers_to_minus_18(make_master, tmp_path, name):
    path, _ = one(make_master(chirp(5000)), tmp_path / "o", name, {}, level=Level(-14.2, -1.0))
    if name == "opus":
        # RFC 7845: Q7.8 to -23 LUFS, and no ReplayGain beside it.
        assert mutagen.File(str(path))["R128_TRACK_GAIN"] == [str(round(256 * -8.8))]
        assert "replaygain_track_gain" not in texts(path)
    else:
        found = texts(path)
        assert found["replaygain_track_gain"] == "-3.80 dB"
        assert found["replaygain_track_peak"] == "0.891251"


def test_the_gain_of_a_file_that_was_turned_down_is_its_own(make_master, tmp_path):
    loud = np.tanh(2.0 * np.random.default_rng(3).standard_normal((2, 100_000))) * 0.86
    path, made = one(
        make_master(loud), tmp_path / "o", "mp3-192", {}, level=Level(-3.0, -1.0), ceiling_dbtp=-1.0
    )
    assert made.lowered_db > 0.1
    found = texts(path)
    assert found["replaygain_track_gain"] == f"{-15.0 + made.lowered_db:.2f} dB"
    assert float(found["replaygain_track_peak"]) == pytest.approx(10 ** (made.true_peak_dbtp / 20), abs=1e-5)


@pytest.mark.parametrize("lufs", [None, float("-inf")])
def test_what_has_no_loudness_has_no_gain(lufs):
    assert Labels(level=Level(lufs, -1.0)).replaygain() == {}
    assert Labels().replaygain() == {}


@pytest.mark.parametrize("name", FORMATS.names())
def test_everything_twice_gives_the_same_bytes(make_master, tmp_path, picture, name):
    master = make_master(chirp(20_000))
    wishes = {"picture": read_picture(picture), "lyrics": parse_lyrics(LRC), "level": Level(-14.0, -1.0)}
    first, second = (one(master, tmp_path / out, name, EVERYTHING, **wishes)[1] for out in ("a", "b"))
    assert first == second


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="there is no ffprobe")
@pytest.mark.parametrize("name", FORMATS.names())
def test_ffprobe_reads_them(make_master, tmp_path, picture, name):
    tags = {"title": "Blue", "artist": "Nobody", "album": "Sea", "genre": "Pop"}
    path, _ = one(make_master(chirp(88_200)), tmp_path / "o", name, tags, picture=read_picture(picture))
    said = subprocess.run(
        ["ffprobe", "-v", "error", "-print_format", "json", "-show_format", "-show_streams", str(path)],
        capture_output=True, check=True,
    )  # fmt: skip
    found = json.loads(said.stdout)
    rows = {**found["format"].get("tags", {}), **found["streams"][0].get("tags", {})}
    rows = {key.lower(): value for key, value in rows.items()}
    assert {key: rows[key] for key in tags} == tags


@pytest.mark.parametrize("name", FORMATS.names())
def test_av_reads_them(make_master, tmp_path, name):
    """A second reader, ffmpeg's: title, artist and album under their usual names."""
    import av

    tags = {"title": "Blue ♪", "artist": "Nobody", "album": "Sea"}
    path, _ = one(make_master(chirp(88_200)), tmp_path / "o", name, tags)
    with av.open(str(path)) as container:
        rows = {**container.metadata, **container.streams.audio[0].metadata}
    assert {key: {k.lower(): v for k, v in rows.items()}[key] for key in tags} == tags


def test_rf64_stays_untagged(tmp_path):
    path = tmp_path / "long.wav"
    path.write_bytes(b"RF64" + bytes(100))
    write_wav_tags(path, Labels({"title": "x"}))
    assert path.read_bytes() == b"RF64" + bytes(100)


def test_a_refused_write_is_a_resource_error(tmp_path):
    with pytest.raises(ResourceError, match="cannot write"):
        write_mp3_tags(tmp_path / "missing.mp3", Labels({"title": "x"}))


def test_tags_alone_as_other_rooms_give_them(make_master, tmp_path):
    made = export_file(
        make_master(chirp(2000)), tmp_path / "x.wav", format="wav32f", tags={"comment": "AI voice"}, seed=0
    )
    assert texts(tmp_path / made.name) == {"comment": "AI voice"}


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("just\nwords\n\n", ()),
        ("[00:05]a\n[0:07.1]b", ((5000, "a"), (7100, "b"))),
        ("[00:07.123]b\n[00:05:50]a\nno time", ((5500, "a no time"), (7123, "b"))),
        (
            "[ar:Anna]\nbefore\n[00:05]a\n\n[00:09][00:07]b\n[chorus]",
            ((0, "before"), (5000, "a"), (7000, "b [chorus]"), (9000, "b [chorus]")),
        ),
        ("[offset:+500]\n[00:00.2]a\n[00:05]b", ((0, "a"), (4500, "b"))),
        ("[00:05]b\n[offset: -250]", ((5250, "b"),)),
        ("[chorus]\nwords", ()),
    ],
)
def test_lrc(text, lines):
    found = parse_lyrics(text)
    assert found.lines == lines
    assert found.text == ("\n".join(line for _, line in lines) if lines else text.strip())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xff\xfe\x00", "are no UTF-8 text"),
        (b" \n ", "are empty"),
        (b"x" * 200_001, "more than 200 kB"),
        (None, "there are no lyrics"),
    ],
)
def test_lyrics_that_are_refused(tmp_path, data, why):
    path = tmp_path / "words.txt"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(ProjectError, match=why):
        read_lyrics(path)


def test_a_mark_at_the_start_of_lyrics_is_no_word(tmp_path):
    (tmp_path / "w.txt").write_bytes(b"\xef\xbb\xbfla\r\nla\r\n")
    assert read_lyrics(tmp_path / "w.txt") == Lyrics("la\nla")


def test_pictures_that_are_refused(tmp_path, picture):
    def refused(name, data, why):
        path = tmp_path / name
        if data is not None:
            path.write_bytes(data)
        with pytest.raises(ProjectError, match=why) as caught:
            read_picture(path)
        assert "\n" not in str(caught.value)

    def encoded(form, size):
        buffer = io.BytesIO()
        Image.new("RGB", size).save(buffer, form)
        return buffer.getvalue()

    refused("none.jpg", None, "there is no picture")
    refused("text.jpg", b"hello", "'text.jpg' is no picture")
    refused("tiny.png", encoded("PNG", (20, 20)), "20 x 20 pixels, 64 to 6000")
    refused("wide.png", encoded("PNG", (6001, 64)), "6001 x 64 pixels")
    refused("x.gif", encoded("GIF", (100, 100)), "is GIF, not JPEG or PNG")
    refused("big.jpg", bytes(10_000_001), "10.0 MB, at most 10")
    refused("cut.png", encoded("PNG", (300, 300))[:40], "cannot be read|is no picture")
    (tmp_path / "ok.png").write_bytes(encoded("PNG", (64, 6000)))
    assert read_picture(tmp_path / "ok.png").mime == "image/png"
    assert read_picture(picture).mime == "image/jpeg"
