"""``covermaker play``: the file device stands for loudspeakers."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from covermaker.audio.files import read, wav_writer
from covermaker.cli import play, stretches
from covermaker.errors import AudioInputError, ResourceError, UsageError

RATE = 44_100


@pytest.fixture
def song(tmp_path):
    """Write half a second of a tone."""
    wave = 0.25 * np.sin(np.arange(RATE // 2) * 0.05)
    return write(tmp_path / "song.wav", wave)


def write(path, wave):
    with wav_writer(path, sample_rate=RATE, channels=2) as file:
        file.write(np.repeat(wave[None], 2, axis=0).astype(np.float32))
    return path


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(play, "log_file", lambda job: tmp_path / f"{job}.log")

    def call(*arguments):
        return CliRunner().invoke(play.command, list(map(str, arguments)), standalone_mode=False)

    return call


def test_a_song_is_heard_to_its_end(run, song, tmp_path):
    done = run(song, "--device", f"file:{tmp_path / 'heard.wav'}")
    assert done.exception is None
    assert done.return_value == 0
    assert done.stdout == ""
    assert "playing: song.wav, 0:00 of 0:00" in done.stderr
    assert "device: file:" in done.stderr
    assert np.array_equal(read(tmp_path / "heard.wav").samples, read(song).samples)


def test_a_loop_stops_when_the_time_is_up(run, song, tmp_path):
    done = run(song, "--device", f"file:{tmp_path / 'heard.wav'}", "--loop", "0.1-0.2", "--for", "1.5")
    assert done.exception is None
    heard, whole = read(tmp_path / "heard.wav").samples, read(song).samples
    loop = whole[:, 4410:8820]
    assert heard.shape[1] > 2 * 4410
    assert np.array_equal(heard[:, 4410:8820], loop)


def test_two_files_are_matched(run, song, tmp_path):
    quiet = write(tmp_path / "quiet.wav", 0.125 * np.sin(np.arange(RATE // 2) * 0.05))
    done = run(song, quiet, "--device", f"file:{tmp_path / 'heard.wav'}", "--match")
    assert "level matched: A -6.0 dB, B 0.0 dB" in done.stderr
    assert "playing A: song.wav" in done.stderr
    assert np.abs(read(tmp_path / "heard.wav").samples).max() == pytest.approx(0.125, rel=0.01)


def test_events_as_json(run, song):
    done = run(song, "--device", "none", "--json")
    kinds = [json.loads(line)["event"] for line in done.stdout.splitlines()]
    assert kinds[0] == "loaded"
    assert "ended" in kinds
    assert done.stderr == ""


def test_devices_are_listed_or_their_absence_is_a_sentence(run, monkeypatch):
    from covermaker.play import output

    monkeypatch.setattr(output, "device_names", lambda: ("Speakers", "HDMI"))
    assert run("--list-devices").stdout == "Speakers\nHDMI\n"
    monkeypatch.setattr(output, "device_names", tuple)
    assert run("--list-devices").stdout == "there is no audio device on this machine\n"
    assert json.loads(run("--list-devices", "--json").stdout) == []


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ([], UsageError, "nothing to play"),
        (["nowhere.wav"], AudioInputError, "nowhere.wav"),
        (["SONG", "--loop", "0.2"], UsageError, "no stretch of time"),
        (["SONG", "--loop", "0.2-0.1"], UsageError, "no stretch of time"),
        (["SONG", "--start", "soon"], UsageError, "'soon' is no time"),
        (["SONG", "--device", "no such card"], ResourceError, "there is no audio device"),
    ],
)
def test_what_cannot_be_played_is_said(run, song, arguments, error, match):
    done = run(*[song if one == "SONG" else one for one in arguments])
    assert isinstance(done.exception, error)
    assert match in str(done.exception)


def test_a_project_is_its_song_until_it_is_rendered(run, song, tmp_path, monkeypatch):
    monkeypatch.setenv("COVERMAKER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COVERMAKER_STORE", str(tmp_path / "store"))
    monkeypatch.setattr(
        "covermaker.render.state.build", lambda *_: pytest.fail("its steps are not asked for")
    )
    folder = tmp_path / "cover"
    folder.mkdir()
    text = f"schema = 1\ntitle = 'X'\n[song]\nfile = '{song}'\n[[tracks]]\nname = 'v'\nsource = 'converted'\n"
    (folder / "cover.toml").write_text(text)
    done = run(folder, "--device", "none", "--for", "0.3")
    assert done.exception is None
    assert "playing: song.wav" in done.stderr
    assert not (tmp_path / "store").exists()
    song.unlink()
    assert "song.wav' does not exist" in str(run(folder, "--device", "none").exception)


def test_it_is_listened_to_at_a_lower_level(run, song, tmp_path):
    assert run(song, "--device", f"file:{tmp_path / 'heard.wav'}", "--level", "-6").exception is None
    heard, whole = read(tmp_path / "heard.wav").samples, read(song).samples
    assert np.abs(heard).max() == pytest.approx(np.abs(whole).max() * 10 ** (-6 / 20), rel=1e-3)


def mixed(tmp_path, song, asked):
    """Stand in for the process that makes stretches."""

    def make(job, request, **options):
        asked.append(request["wishes"])
        return {"made": [{
            "id": 1, "what": "mix", "start_seconds": 0.1, "seconds": 0.3, "file": str(tmp_path / "mix.wav"),
            "against": str(song), "in_lufs": None, "out_lufs": None, "gain_db": 0.0, "against_gain_db": 0.0,
            "reduction_seconds": 0.05, "reductions": [], "peaks": {}, "took_seconds": 0.1,
        }]}  # fmt: skip

    write(tmp_path / "mix.wav", np.full(round(0.3 * RATE), 0.5))
    return make


def test_the_mix_is_heard_as_it_would_be_rendered_now(run, new, song, tmp_path, monkeypatch):
    assert new() == 0
    asked = []
    monkeypatch.setattr(stretches, "run_alone", mixed(tmp_path, song, asked))
    heard = tmp_path / "heard.wav"
    done = run(
        tmp_path / "cover", "--mix", "--loop", "0.1-0.4", "--solo", "tracks.vocals", "--bypass", "reverb",
        "--device", f"file:{heard}", "--for", "1",
    )  # fmt: skip
    assert done.exception is None
    ((wish,),) = asked
    assert (wish["start_seconds"], wish["seconds"], wish["what"]) == (0.1, pytest.approx(0.3), "mix")
    assert wish["solo"] == ("vocals",)
    assert wish["changes"] == {"buses.reverb.rack[0].bypass": True}
    assert read(heard).samples.max() == pytest.approx(0.5, abs=1e-3)
    assert not (tmp_path / "mix.wav").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--mix",), "--mix needs a stretch"),
        (("--solo", "vocals"), "belong to --mix"),
        (("--mix", "--loop", "0-1", "--solo", "vocal"), "no channel 'vocal'"),
        (("--mix", "--loop", "0-1", "--solo", "master"), "only tracks are soloed"),
        (("--mix", "--loop", "0-1", "--bypass", "master"), "before the rack of the master"),
        (("other.wav", "--mix", "--loop", "0-1"), "compared with the song (leave other.wav out)"),
    ],
)
def test_a_mix_that_cannot_be_heard(run, new, tmp_path, options, words):
    assert new() == 0
    refused = run(tmp_path / "cover", *options).exception
    assert isinstance(refused, UsageError)
    assert words in str(refused)
