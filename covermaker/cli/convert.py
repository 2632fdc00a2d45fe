"""``covermaker convert``: a vocal is sung by another voice."""

from __future__ import annotations

from pathlib import Path

import click

from covermaker.audio.sources import sniff
from covermaker.cli.alone import run_alone
from covermaker.cli.cache import store_option
from covermaker.cli.device import device_option
from covermaker.cli.output import table
from covermaker.cli.progress import listening
from covermaker.errors import UsageError


@click.command("convert")
@click.argument("vocal", type=click.Path(path_type=Path))
@click.option("--voice", default="demo", show_default=True, help="A voice of the library, or its folder.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="WAV file to write [default: VOCAL-VOICE.wav]."
)
@click.option("--transpose", default="auto", show_default=True, help="Semitones, auto, fit or off.")
@click.option("--pitch", default="fcpe", show_default=True, help="Pitch method, as in the project file.")
@click.option(
    "--repair-octaves/--keep-octaves",
    default=True,
    show_default=True,
    help="Bring back what the reading hears in the wrong octave.",
)
@click.option(
    "--smooth-frames",
    type=int,
    default=0,
    show_default=True,
    help="Running median of the pitch over so many hundredths of a second, odd.",
)
@click.option(
    "--index-ratio",
    type=float,
    help="0 to 1: how far towards the voice's own takes [default: that of its index].",
)
@click.option(
    "--protect",
    type=float,
    default=0.33,
    show_default=True,
    help="0 to 0.5: consonants and breaths; 0 takes them from the source.",
)
@click.option(
    "--formant",
    type=float,
    default=0.0,
    show_default=True,
    help="-12 to 12 semitones: above 0 a smaller head.",
)
@click.option(
    "--loudness-mix",
    type=float,
    default=1.0,
    show_default=True,
    help="0 to 1: 0 follows the source, 1 keeps the voice's own level over a second.",
)
@click.option(
    "--noise-scale",
    type=float,
    help="0 to 2, of an imported voice: how freely it sings [default: that of its program].",
)
@click.option(
    "--auto-pitch", is_flag=True, help="Of a so-vits-svc voice: it makes up the melody; for speech."
)
@click.option(
    "--correct",
    type=float,
    default=0.0,
    show_default=True,
    help="0 to 1: how far the pitch is drawn to the notes.",
)
@click.option(
    "--scale", default="chromatic", show_default=True, help="Notes for --correct: 'F# minor', 'C Eb G'."
)
@click.option(
    "--guide", type=click.Path(path_type=Path), help="MIDI melody for --correct, in place of --scale."
)
@click.option("--guide-track", metavar="NAME|NUMBER", help="Its track [default: the one that is a melody].")
@click.option(
    "--singer",
    "singers",
    multiple=True,
    metavar="NAME[=WEIGHT]",
    help="Of a voice of several singers: who is heard; given again, a blend.",
)
@store_option
@device_option
@click.option("--json", "as_json", is_flag=True, help="Print the events as JSON lines.")
def command(
    vocal: Path,
    voice: str,
    out: Path | None,
    transpose: str,
    pitch: str,
    repair_octaves: bool,
    smooth_frames: int,
    index_ratio: float | None,
    protect: float,
    formant: float,
    loudness_mix: float,
    noise_scale: float | None,
    auto_pitch: bool,
    correct: float,
    scale: str,
    guide: Path | None,
    guide_track: str | None,
    singers: tuple[str, ...],
    store: Path | None,
    device: str,
    as_json: bool,
) -> None:
    """Convert VOCAL, a recording without music, with a trained voice; same length to the sample."""
    from covermaker.features.pitch import METHODS
    from covermaker.voices.library import find_voice

    METHODS.load(pitch)
    if guide is not None and correct == 0.0:
        raise UsageError("--guide does nothing without --correct", hint="as in --correct 0.8")
    if out is not None and out.suffix.lower() != ".wav":
        raise UsageError(
            f"--out {out.name} is no WAV file", hint="name it .wav; other formats come from a project"
        )
    sniff(vocal)
    target = out or vocal.with_name(f"{vocal.stem}-{find_voice(voice).card.name}.wav")
    wishes = {
        "vocal": str(vocal),
        "voice": voice,
        "out": str(target),
        "convert": {
            "transpose": _transpose(transpose),
            "pitch": pitch,
            "repair_octaves": repair_octaves,
            "smooth_frames": smooth_frames,
            "index_ratio": index_ratio,
            "protect": protect,
            "formant_semitones": formant,
            "loudness_mix": loudness_mix,
            "noise_scale": noise_scale,
            "auto_pitch": auto_pitch,
            "pitch_correction": {
                "strength": correct,
                "scale": scale,
                "guide_track": int(guide_track) if guide_track and guide_track.isdecimal() else guide_track,
            },
            "singers": _weights(singers),
        },
        "guide": str(guide) if guide and correct > 0.0 else None,
    }
    with listening(as_json=as_json) as listener:
        result = run_alone("convert", wishes, device=device, listener=listener, store=store)
    if as_json:
        return
    report = result["report"]
    rows = [("transpose", f"{report['semitones']:+d} semitones: {report['why']}")]
    if correct > 0.0:
        rows.append(("corrected", f"{report['corrected_cents']:.0f} cents at the median"))
    rows.append(("file", str(target)))
    click.echo(table(rows))


def _weights(singers: tuple[str, ...]) -> dict[str, float]:
    """Read ``anna`` and ``ben=0.3`` as how much of each is heard."""
    found = {}
    for text in singers:
        name, equals, weight = text.partition("=")
        try:
            found[name] = float(weight) if equals else 1.0
        except ValueError:
            raise UsageError(f"--singer {text} has no weight after the sign", hint="as in anna=0.7") from None
    return found


def _transpose(text: str) -> int | str:
    if text in ("auto", "fit", "off"):
        return text
    try:
        semitones = int(text)
    except ValueError:
        raise UsageError(
            f"--transpose {text} is no number of semitones", hint="as in 12, -12, auto, fit or off"
        ) from None
    if not -36 <= semitones <= 36:
        raise UsageError(f"--transpose {text} is out of range", hint="-36 to 36 semitones")
    return semitones
