"""What is made of the clips: plans that agree with each other, examples that fit, and nothing made twice."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from covermaker.training import gather as gathering
from covermaker.training.gather import Making, forget, gather, grouped
from covermaker.training.heldout import split_off
from covermaker.training.material import Piece, Source, make, plan, throat, voice_rate
from covermaker.training.profiles import Augmentation

RATE = 16_000
AUGMENTATION = Augmentation(made_minutes=1.0, throats=2, separated=0.0)


def voice(seconds: float, rate: int = RATE, f0_hz: float = 200.0) -> np.ndarray:
    """A buzz with syllables."""
    time = np.arange(int(seconds * rate)) / rate
    buzz = sum(np.sin(2 * np.pi * f0_hz * k * time) / k for k in range(1, 20))
    return (0.05 * buzz * (0.55 + 0.45 * np.sin(2 * np.pi * 3 * time))).astype(np.float32)


def clips(folder: Path, lengths: list[float], rate: int = RATE) -> list[Source]:
    found = []
    for number, seconds in enumerate(lengths):
        path = folder / f"clip-{number}.wav"
        soundfile.write(path, voice(seconds, rate, 180.0 + 10 * number), rate, subtype="FLOAT")
        found.append(Source(path, f"{number:064x}", seconds))
    return found


@pytest.mark.parametrize(
    ("limits", "rate"),
    [([7_900] * 5, 16_000), ([10_900] * 5, 22_000), ([11_900] * 5, 24_000), ([15_800] * 4, 32_000),
     ([20_000] * 4, 44_100), ([21_900] * 4, 44_100),
     ([23_800] * 4, 48_000), ([24_000], 48_000), ([7_900] * 19 + [22_000], 16_000)],
)  # fmt: skip
def test_the_rate_is_that_of_the_band(limits: list[float], rate: int) -> None:
    assert voice_rate(limits, [1.0] * len(limits)) == rate


def test_a_longer_plan_begins_with_a_shorter_one() -> None:
    sources = [Source(Path(f"{n}.wav"), f"{n:064x}", 6.0 + n) for n in range(9)]
    short, long = (plan(sources, AUGMENTATION, seed=1, made_minutes=m) for m in (1.0, 4.0))
    assert long[: len(short)] == short
    assert len(long) > len(short)
    assert plan(sources, AUGMENTATION, seed=2, made_minutes=1.0) != short
    assert [p for p in short if p.kind == "plain"] == short[: len(sources)]


def test_a_plan_keeps_its_shares_and_its_limits() -> None:
    sources = [Source(Path(f"{n}.wav"), f"{n:064x}", 5.0 + n) for n in range(12)]
    pieces = plan(sources, Augmentation(transposed=0.5, sung=0.25, held=0.25), seed=3, made_minutes=30.0)
    made = [p for p in pieces if p.kind != "plain"]
    longer = {"transposed": lambda p: 1.0, "sung": lambda p: p.ratio, "held": lambda p: 0.5 * (1 + p.ratio)}
    minutes = {kind: sum(p.seconds * longer[kind](p) for p in made if p.kind == kind) / 60 for kind in longer}
    assert sum(minutes.values()) == pytest.approx(30.0, abs=0.5)
    assert minutes["transposed"] == pytest.approx(15.0, abs=0.5)
    for piece in made:
        assert piece.start_seconds + piece.seconds <= piece.source.seconds + 1e-2
        assert piece.seconds * longer[piece.kind](piece) <= 20.01


def test_long_clips_are_read_to_their_end() -> None:
    sources = [Source(Path("a.wav"), "a" * 64, 58.5), Source(Path("b.wav"), "b" * 64, 29.0)]
    pieces = plan(sources, AUGMENTATION, seed=1, made_minutes=0.0)
    assert len({piece.number for piece in pieces}) == len(pieces) == 4
    for source in sources:
        own = sorted((p.start_seconds, p.seconds) for p in pieces if p.source == source)
        ends = [start + seconds for start, seconds in own]
        assert own[0][0] == 0.0
        assert ends[-1] == pytest.approx(source.seconds)
        assert [start for start, _ in own[1:]] == pytest.approx(ends[:-1])
        assert max(seconds for _, seconds in own) <= 29.0


def test_a_plan_of_much_takes_some() -> None:
    sources = [Source(Path(f"{n}.wav"), f"{n:064x}", 10.0) for n in range(60)]
    plain = plan(sources, Augmentation(plain_minutes=2.0), seed=1, made_minutes=0.0)
    assert sum(p.seconds for p in plain) == pytest.approx(120.0, abs=10.0)


@pytest.mark.parametrize("kind", ["plain", "transposed", "sung", "held"])
@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_pieces_fit_together(tmp_path: Path, kind: str, rate: int) -> None:
    (source,) = clips(tmp_path, [2.0], rate)
    piece = Piece(source, kind, 3, 0.25, 1.5, 1.8)
    first, second = (make(piece, AUGMENTATION, rate, seed=1, median_hz=180.0) for _ in range(2))
    assert np.array_equal(first.target, second.target)
    assert all(np.array_equal(a, b) for a, b in zip(first.heard, second.heard, strict=True))
    frames = len(first.target) * 100 // rate + 1
    assert len(first.f0_hz) == len(first.loudness_db) == frames
    assert len(first.heard) == 3
    for heard in first.heard:
        assert len(heard) == pytest.approx(len(first.target) * 16_000 / rate, abs=2)
    voiced = first.f0_hz[first.f0_hz > 0]
    assert len(voiced) > 0.7 * frames
    if kind in ("plain", "transposed"):
        assert len(first.target) == pytest.approx(1.5 * rate, abs=0.011 * rate)
    if kind == "plain":
        assert np.median(voiced) == pytest.approx(180.0, rel=0.01)


def test_other_throats_lie_on_the_other_side() -> None:
    rng = np.random.default_rng(0)
    for median_hz, down in ((220.0, True), (110.0, False)):
        ratios, semitones = zip(*(throat(rng, 0, median_hz) for _ in range(50)), strict=True)
        assert (max(ratios) < 1) is down
        assert (max(semitones) < 0) is down


def rows_of_levels(heard: list[np.ndarray], encoder: str) -> list[np.ndarray]:
    return [np.full((-(-len(clip) // 320), 4), clip.std(), np.float16) for clip in heard]


def test_what_was_made_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "encode", rows_of_levels)
    made = []
    whole = gathering.make_group
    monkeypatch.setattr(gathering, "make_group", lambda job: (made.append(job[2].name), whole(job)))
    sources = clips(tmp_path, [2.0] * 3)
    making = Making(AUGMENTATION, RATE, 1, 200.0, "whisper-base", "0" * 64)
    store = tmp_path / "examples"
    short, long = (plan(sources, AUGMENTATION, seed=1, made_minutes=m) for m in (0.02, 0.3))
    first = gather(short, making, store, workers=1)
    count = len(made)
    assert len(first) == len(short)
    again = gather(short, making, store, workers=1)
    assert len(made) == count
    assert all(np.array_equal(a.target, b.target) for a, b in zip(first, again, strict=True))
    gather(long, making, store, workers=1)
    assert len(made) == count + 1  # the plain group is shared
    gather(short, Making(AUGMENTATION, RATE, 1, 200.0, "whisper-base", "1" * 64), store, workers=1)
    assert len(made) == count + 1 + len(grouped(short))
    forget(store, making.keys(short))
    assert {file.stem for file in store.iterdir()} == making.keys(short)


def test_held_out_clips_are_few_and_stay(tmp_path: Path) -> None:
    import hashlib

    sources = [
        Source(Path(f"{n}.wav"), hashlib.sha256(str(n).encode()).hexdigest(), 6.0 + n % 5) for n in range(40)
    ]
    trained, held = split_off(sources, 24.0, 1)
    assert 10.0 < sum(s.seconds for s in held) <= 24.0
    assert sorted([*trained, *held], key=lambda s: s.path.name) == sorted(sources, key=lambda s: s.path.name)
    _, still = split_off(sources[1:], 24.0, 1)
    assert len(set(still) & set(held)) >= len(held) - 1
    trained, held = split_off(sources[:3], 24.0, 1)
    assert len(trained) == 2
    assert split_off(sources[:1], 24.0, 1) == (sources[:1], [])
