"""What is made of the clips: plans that agree with each other, examples that fit, and nothing made twice."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from covermaker.training import gather as gathering
from covermaker.training.dataset import Example
from covermaker.training.gather import Making, forget, make_all, read_all
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
        assert piece.seconds * longer[piece.kind](piece) <= 14.01


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


def test_brightening_takes_does_not_move_their_pitch(tmp_path: Path) -> None:
    """With the fundamental turned down by 20 dB a pitch tracker reads every tenth frame an octave off."""
    (source,) = clips(tmp_path, [2.0], 16_000)
    piece = Piece(source, "plain", 3, 0.0, 2.0)
    plain, bright = (
        make(piece, replace(AUGMENTATION, presence=amount), 16_000, seed=1, median_hz=180.0)
        for amount in (0.0, 1.5)
    )
    assert np.array_equal(plain.f0_hz, bright.f0_hz)
    assert not np.array_equal(plain.target, bright.target)


def test_most_other_singers_are_heard_bright(tmp_path: Path) -> None:
    """A produced vocal has its power between 1 and 4 kHz, a spoken take below: the encoder has to know both."""
    (source,) = clips(tmp_path, [2.0], 16_000)
    piece = Piece(source, "plain", 3, 0.0, 2.0)

    def balance_db(bright: float) -> list[float]:
        wishes = replace(AUGMENTATION, bright=bright, coloured=0.0, throats=6, separated=0.0)
        heard = make(piece, wishes, 16_000, seed=1, median_hz=180.0).heard[1:]
        powers = [np.abs(np.fft.rfft(clip)) ** 2 for clip in heard]
        return [10 * np.log10(p[2000:8000].sum() / p[200:1000].sum()) for p in powers]

    assert min(np.subtract(balance_db(1.0), balance_db(0.0))) > 2.0


def test_other_throats_lie_on_the_other_side() -> None:
    rng = np.random.default_rng(0)
    for median_hz, down in ((220.0, True), (110.0, False)):
        ratios, semitones = zip(*(throat(rng, 0, median_hz) for _ in range(50)), strict=True)
        assert (max(ratios) < 1) is down
        assert (max(semitones) < 0) is down


def gather(pieces: list[Piece], making: Making, store: Path) -> list[Example]:
    make_all(pieces, making, store, workers=1)
    return read_all(pieces, making, store)


def rows_of_levels(heard: list[np.ndarray], encoder: str) -> list[np.ndarray]:
    return [np.full((-(-len(clip) // 320), 4), clip.std(), np.float16) for clip in heard]


def test_what_was_made_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "encode", rows_of_levels)
    made = []
    whole = gathering.make_example
    monkeypatch.setattr(gathering, "make_example", lambda job: (made.append(job[2].name), whole(job)))
    sources = clips(tmp_path, [2.0] * 3)
    making = Making(AUGMENTATION, RATE, 1, (200.0, 200.0), "whisper-base", "0" * 64)
    store = tmp_path / "examples"
    short, long = (plan(sources, AUGMENTATION, seed=1, made_minutes=m) for m in (0.02, 0.3))
    first = gather(short, making, store)
    assert len(first) == len(made) == len(short)
    again = gather(short, making, store)
    assert len(made) == len(short)
    assert all(np.array_equal(a.target, b.target) for a, b in zip(first, again, strict=True))
    gather(long, making, store)
    assert len(made) == len(long)
    gather(short, Making(AUGMENTATION, RATE, 1, (200.0, 200.0), "whisper-base", "1" * 64), store)
    assert len(made) == len(long) + len(short)
    forget(store, making.keys(short))
    assert {file.stem for file in store.iterdir()} == making.keys(short)


def test_the_same_clip_twice_is_made_once_and_another_singers_name_makes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "encode", rows_of_levels)
    (source,) = clips(tmp_path, [2.0])
    making = Making(AUGMENTATION, RATE, 1, (200.0, 200.0), "whisper-base", "0" * 64)
    store = tmp_path / "examples"
    for speakers in ((0, 0), (0, 1)):
        sources = [replace(source, speaker=speaker) for speaker in speakers]
        found = gather(plan(sources, AUGMENTATION, seed=1, made_minutes=0.0), making, store)
        assert sorted(example.speaker for example in found) == list(speakers)
        assert len(list(store.iterdir())) == 1


def test_one_take_more_or_less_leaves_what_was_made() -> None:
    """A take of five clips joins forty: what falls out is what no longer fits into the minutes, nothing else."""
    import hashlib

    sources = [
        Source(Path(f"{n}.wav"), hashlib.sha256(str(n).encode()).hexdigest(), 6.0 + n % 9) for n in range(45)
    ]
    making = Making(AUGMENTATION, RATE, 1, (200.0, 200.0), "whisper-base", "0" * 64)
    for minutes, plain in ((4.0, 600.0), (14.0, 600.0), (60.0, 600.0), (14.0, 4.0)):
        wanted = replace(AUGMENTATION, plain_minutes=plain, made_minutes=minutes)
        fewer, more = (making.keys(plan(some, wanted, seed=1)) for some in (sources[:40], sources))
        assert len(fewer & more) > 0.8 * len(fewer)
        assert len(fewer & more) > 0.8 * len(more)
        # With the minutes to hold all of both, nothing at all is lost.
        of_more = making.keys(
            plan(sources, replace(wanted, plain_minutes=600.0), seed=1, made_minutes=2 * minutes)
        )
        assert fewer <= of_more


def test_no_clip_comes_twice_before_nearly_all_came_once() -> None:
    import hashlib

    sources = [Source(Path(f"{n}.wav"), hashlib.sha256(str(n).encode()).hexdigest(), 12.0) for n in range(60)]
    pieces = plan(sources, replace(AUGMENTATION, plain_minutes=0.0), seed=1, made_minutes=12.0)
    assert 40 < len(pieces) < 60
    assert len({piece.source.sha256 for piece in pieces}) > 0.85 * len(pieces)
    again = plan(sources, replace(AUGMENTATION, plain_minutes=0.0), seed=1, made_minutes=80.0)
    assert {piece.source.sha256 for piece in again} == {source.sha256 for source in sources}
    assert len({(p.source.sha256, p.kind, p.number) for p in again}) == len(again)


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


@pytest.mark.parametrize("minutes", [0.0, 0.05, 6.0])
@pytest.mark.parametrize("plain", [0.2, 8.0])
def test_every_singer_gets_a_share(minutes: float, plain: float) -> None:
    """A few takes beside many: drawn from one pot, they would often be left out."""
    import hashlib

    def clip(n: int, speaker: int) -> Source:
        return Source(Path(f"{n}.wav"), hashlib.sha256(str(n).encode()).hexdigest(), 10.0, speaker=speaker)

    sources = [clip(n, speaker=0 if n < 90 else 1 if n < 99 else 2) for n in range(100)]
    wanted = replace(AUGMENTATION, plain_minutes=plain)
    for seed in range(4):
        pieces = plan(sources, wanted, seed=seed, made_minutes=minutes)
        for kind in ("plain", "made") if minutes else ("plain",):
            some = [piece for piece in pieces if (piece.kind == "plain") == (kind == "plain")]
            assert {piece.source.speaker for piece in some} == {0, 1, 2}
        assert [p.kind == "plain" for p in pieces] == sorted(
            (p.kind == "plain" for p in pieces), reverse=True
        )
    if minutes == 6.0:
        made = np.array([sum(p.source.speaker == s for p in pieces if p.kind != "plain") for s in range(3)])
        assert made / made.sum() == pytest.approx([0.9, 0.09, 0.01], abs=0.04)
    again = plan(sources, wanted, seed=seed, made_minutes=minutes + 6.0)
    assert set(map(str, pieces)) <= set(map(str, again))
