"""What a ``cover.toml`` may say: strict models, from which validation and the reference page derive.

Units are in the names. Effect racks are kept here as rows; their effects and ranges are checked by the effects room,
which lies downstream (see `covermaker.render.checks`).
"""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from covermaker.audio.targets import TARGETS
from covermaker.errors import nearest
from covermaker.units import CLOCK_PATTERN

SCHEMA = 1

CONVERTED = "converted"  # the source of a track that the voice sings

# One effect of a rack: ``{ effect = "compressor", threshold_db = -20.0, ratio = 3.0 }``; a plug-in's own parameters are
# a table in it.
RackRow: TypeAlias = dict[str, str | bool | float | dict[str, str | bool | float]]

GainDb: TypeAlias = Annotated[float, Field(ge=-96.0, le=24.0)]
NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,31}$"
Name: TypeAlias = Annotated[str, Field(pattern=NAME_PATTERN)]

# With hyphens or without: country, registrant, year, number.
ISRC_PATTERN = r"^([A-Z]{2}-?[A-Z0-9]{3}-?[0-9]{2}-?[0-9]{5})?$"
TRACK_PATTERN = r"^([1-9][0-9]{0,2}(/[1-9][0-9]{0,2})?)?$"
KEY_PATTERN = r"^([A-G][b#]?m?|o)?$"

# A moment of the song: seconds, or a clock time.
Time: TypeAlias = Annotated[float, Field(ge=0.0)] | Annotated[str, Field(pattern=CLOCK_PATTERN)]

# Not strict in this alone: TOML has lists and no tuples.
Point: TypeAlias = Annotated[tuple[Time, float | bool], Field(strict=False)]


class _Model(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Song(_Model):
    """The song that is covered."""

    file: str = Field(
        min_length=1, description="Audio file, relative to the project (or absolute on purpose)."
    )
    artist: str = Field(default="", description="Written into the tags as the original artist.")
    tempo_bpm: Annotated[float, Field(ge=30.0, le=300.0)] | None = Field(
        default=None, description="Beats a minute, where what was found is wrong; by default what was found."
    )
    key: str | None = Field(
        default=None,
        description='Key, where what was found is wrong: `"F# minor"`; by default what was found.',
    )


class Stems(_Model):
    """How the song is separated."""

    separator: str = Field(
        default="spleeter",
        description="`spleeter` (packaged weights), `demucs`, or `provided` (bring your own).",
    )
    model: str = Field(default="htdemucs", description="Demucs: which of its models.")
    repo: str | None = Field(default=None, description="Demucs: local folder with its model files.")
    shifts: int = Field(
        default=0, ge=0, le=20, description="Demucs: random shifts averaged; slower, slightly better."
    )
    overlap: float = Field(
        default=0.25, ge=0.0, le=0.9, description="Demucs: share of a segment that overlaps."
    )
    segment: float | None = Field(default=None, gt=0.0, description="Demucs: segment length in seconds.")
    files: dict[str, str] = Field(default_factory=dict, description="Provided: stem name to audio file.")


class Training(_Model):
    """The voice is trained as a step of the project: again when a take changes, never when a reverb does."""

    takes: str = Field(
        min_length=1,
        description="Folder with a `takes.toml` (`covermaker voices new`), relative to the project; then "
        "`[voice] name` is not read.",
    )
    profile: str = Field(
        default="quick",
        description="`quick`, `studio`, `rvc`, `rvc-32k`, `rvc-48k`, `sovits`, or `custom` (`profile.toml` there).",
    )
    minutes: float | None = Field(
        default=None, ge=0.5, description="Wall-clock budget in place of the profile's."
    )
    steps: int | None = Field(
        default=None, ge=1, description="A fixed number of steps in place of any budget: repeats to the bit."
    )
    encoder: str | None = Field(default=None, description="Content encoder in place of the profile's.")
    seed: int = Field(default=1, ge=0, le=2**31, description="Of every random draw.")


class VoiceChoice(_Model):
    """Who sings."""

    name: str = Field(
        default="demo", min_length=1, description="A voice of the library, or a folder with a card."
    )
    train: Training | None = Field(default=None, description="See `[voice.train]`.")


class PitchCorrection(_Model):
    """Draws the sung pitch towards the notes of a scale or of a melody; vibrato and slides stay."""

    strength: float = Field(
        default=0.0, ge=0.0, le=1.0, description="Share of each note's error that is taken away."
    )
    scale: str | list[str] = Field(
        default="chromatic", description='`chromatic`, a key (`"F# minor"`), or notes (`["C", "Eb", "G"]`).'
    )
    guide: str | None = Field(
        default=None, description="MIDI file with the melody on the song's time; then `scale` is not read."
    )
    guide_track: Annotated[int, Field(ge=0)] | str | None = Field(
        default=None, description="Its track, by name or number; by default the one that is a melody."
    )
    retune_ms: float = Field(
        default=200.0, ge=0.0, le=1000.0, description="What changes quicker stays; 0 is the hard effect."
    )
    a4_hz: Annotated[float, Field(ge=400.0, le=480.0)] | Literal["auto"] = Field(
        default=440.0, description="Tuning, or `auto`: that of the singer."
    )


class Part(_Model):
    """A stretch of the song in which somebody else is heard."""

    start: Time = Field(description='Seconds, or minutes and seconds: `72.5`, `"1:12.5"`.')
    stop: Time = Field(description="The same; may lie past the song's end.")
    voice: str = Field(
        min_length=1,
        description="A voice, `original` (the singer of the song) or `nobody`.",
    )


class Convert(_Model):
    """How the vocal is converted."""

    transpose: Annotated[int, Field(ge=-36, le=36)] | Literal["auto", "fit", "off"] = Field(
        default="auto",
        description="Semitones, `auto` (octaves towards the voice's own range), `fit` (a key that suits the voice; "
        "the rest of the song moves along) or `off`.",
    )
    move_instrumental: bool = Field(
        default=True,
        description="A transposition by anything but octaves moves the rest of the song along, drums excepted.",
    )
    pitch: str = Field(
        default="fcpe",
        description="Pitch method: fcpe, crepe, crepe-tiny, rmvpe, swift-f0, pm, harvest, dio.",
    )
    repair_octaves: bool = Field(
        default=True,
        description="What the pitch reading hears in the wrong octave is brought back, jumps and notes.",
    )
    smooth_frames: int = Field(
        default=0,
        ge=0,
        le=21,
        description="Running median of the pitch over so many hundredths of a second, odd; 0 for none.",
    )
    index_ratio: Annotated[float, Field(ge=0.0, le=1.0)] | None = Field(
        default=None,
        description="How far the content is drawn to the voice's own takes; by default 0.3 with an index, 0.75 with "
        "RVC's, 0 with the cluster model of so-vits-svc.",
    )
    protect: float = Field(
        default=0.33,
        ge=0.0,
        le=0.5,
        description="Consonants and breaths: 0.5 leaves them to the voice, 0 takes their high band from the source; of "
        "an RVC voice, 0 keeps its index out of them.",
    )
    loudness_mix: float = Field(
        default=1.0,
        ge=0.0,
        le=1.0,
        description="Level over a second: 0 follows the source, 1 keeps the voice's; faster changes follow the source, "
        "but those of imported voices stay theirs.",
    )
    noise_scale: Annotated[float, Field(ge=0.0, le=2.0)] | None = Field(
        default=None,
        description="Of an imported voice: how freely it sings, as its program calls it; by default 0.66666 for RVC, "
        "0.4 for so-vits-svc.",
    )
    auto_pitch: bool = Field(
        default=False,
        description="Of a so-vits-svc voice: it makes up the melody itself. For speech, never for singing.",
    )
    formant_semitones: float = Field(
        default=0.0, ge=-12.0, le=12.0, description="Moves the voice's resonances: above 0 is a smaller head."
    )
    singers: dict[str, Annotated[float, Field(ge=0.0)]] = Field(
        default_factory=dict,
        description="Of a voice of several singers: how much of each, as `{ anna = 0.7, ben = 0.3 }`; by default the "
        "first.",
    )
    pitch_correction: PitchCorrection = Field(
        default_factory=PitchCorrection, description="See `[convert.pitch_correction]`."
    )
    parts: list[Part] = Field(default_factory=list, description="See `[[convert.parts]]`.")
    parts_crossfade_seconds: float = Field(
        default=0.03, ge=0.0, le=2.0, description="Between two singers, centred on the border."
    )


class Track(_Model):
    """One channel of the mixer."""

    name: Name = Field(description="Lower-case letters, digits, - and _.")
    source: str = Field(description="`converted`, `instrumental` (all but the vocals), or a stem's name.")
    voice: str | None = Field(
        default=None,
        min_length=1,
        description="A voice that sings this stem, as for backing vocals: its name, or `lead` for that of `[voice]`. "
        "Without one the stem is played as it is.",
    )
    harmony: str | None = Field(
        default=None,
        min_length=1,
        description="Of a `converted` track: a second voice, `third_above`, `fifth_below`, `octave_above` … in the "
        "song's key, or a MIDI file whose melody it sings.",
    )
    gain_db: GainDb = Field(default=0.0, description="Fader.")
    pan: float = Field(default=0.0, ge=-1.0, le=1.0, description="-1 left, 0 centre, 1 right.")
    mute: bool = Field(default=False, description="Not heard, and not sent anywhere.")
    solo: bool = Field(default=False, description="Only soloed tracks are heard.")
    group: str = Field(default="", description="The group that it goes to; empty: straight into the mix.")
    sends: dict[str, GainDb] = Field(
        default_factory=dict, description="Bus name to send level in dB, behind fader and pan."
    )
    pre_fader: list[str] = Field(
        default_factory=list, description="Of these buses, the ones that hear it before fader and pan."
    )
    rack: list[RackRow] = Field(
        default_factory=list, description="Effects in order; see the effects reference."
    )
    rack_lufs: Annotated[float, Field(ge=-40.0, le=-5.0)] | Literal["off"] = Field(
        default=-18.0,
        description="Loudness at which the rack hears its source, which is what the presets' thresholds expect; "
        "the level is put back behind the rack. `off`: as it comes.",
    )


class Group(_Model):
    """Tracks that are mixed together first: one fader and one rack for all of them."""

    name: Name = Field(description="What the tracks' `group` calls it; no track may have the same name.")
    gain_db: GainDb = Field(default=0.0, description="Fader.")
    pan: float = Field(default=0.0, ge=-1.0, le=1.0, description="Balance: -1 left, 0 centre, 1 right.")
    mute: bool = Field(default=False, description="Nothing in it is heard, or sent anywhere.")
    solo: bool = Field(default=False, description="All in it are soloed.")
    group: str = Field(default="", description="Another group that it goes to.")
    sends: dict[str, GainDb] = Field(
        default_factory=dict, description="Bus name to send level in dB, behind fader and balance."
    )
    pre_fader: list[str] = Field(
        default_factory=list, description="Of these buses, the ones that hear it before the fader."
    )
    rack: list[RackRow] = Field(default_factory=list, description="Effects on the sum, in order.")


class Bus(_Model):
    """An effect bus that tracks, groups and other buses send to."""

    name: Name = Field(description="What `sends` call it.")
    gain_db: GainDb = Field(default=0.0, description="Level of its return.")
    pan: float = Field(default=0.0, ge=-1.0, le=1.0, description="Balance: -1 left, 0 centre, 1 right.")
    mute: bool = Field(default=False, description="Not heard.")
    sends: dict[str, GainDb] = Field(
        default_factory=dict, description="Other buses that it sends to, in dB, behind its fader."
    )
    rack: list[RackRow] = Field(
        default_factory=list, description="Effects in order; wet sound only (`dry_db = -100`)."
    )


class Lane(_Model):
    """A value that moves over the song."""

    target: str = Field(
        min_length=1,
        description="What moves, as `covermaker set` names it: `tracks.vocals.gain_db`, `.pan`, `.mute`, "
        "`.sends.reverb`, `.rack.eq.band1_db`, `.rack.delay.bypass`, `.rack.ZamCompX2.threshold_db` of a plug-in; "
        "groups, buses and `master.rack` likewise. Of two effects of one name the number, from 1, says which: "
        "`.rack.3.ratio`.",
    )
    points: list[Point] = Field(
        min_length=1,
        description='Times and values in order: `[[0.0, -6.0], ["1:12", 0.0]]`. Before the first and behind the last '
        "the value stays.",
    )
    shape: Literal["linear", "smooth", "hold"] = Field(
        default="linear",
        description="From point to point: a line, a curve without corners, or steps (10 ms each, without a click).",
    )


class Section(_Model):
    """A part of the song, for finding one's way: nothing is rendered otherwise because of it."""

    name: str = Field(min_length=1, max_length=64, description="`verse 1`, `chorus`.")
    from_seconds: float = Field(ge=0.0, description="Where it begins; it lasts until the next one.")


class Mix(_Model):
    """The mix as a whole."""

    tail: Literal["song", "full"] = Field(
        default="song",
        description="`song`: exactly as long as the song. `full`: until everything has rung out below -90 dBFS.",
    )


class Master(_Model):
    """The mastered track. What a target says holds unless the level is written beside it, which then is told."""

    target: str | None = Field(
        default=None,
        description=f"Loudness and ceiling by a platform's name: {', '.join(f'`{name}`' for name in TARGETS)}.",
    )
    loudness_lufs: Annotated[float, Field(ge=-40.0, le=-5.0)] | Literal["off", "reference"] = Field(
        default=-14.0,
        description="Integrated loudness (BS.1770) to reach, `off`, or `reference`: that of `match`, the default with "
        "one and no target.",
    )
    true_peak_dbtp: float = Field(
        default=-1.0, ge=-12.0, le=0.0, description="Ceiling that is never crossed."
    )
    max_drive_db: float = Field(
        default=18.0,
        ge=0.0,
        le=40.0,
        description="How far peaks may be pushed over the ceiling; beyond that the master stays quieter, and says so.",
    )
    match: str | None = Field(
        default=None,
        min_length=1,
        description="A song whose tone the mix takes on: an audio file, relative to the project.",
    )
    match_amount: float = Field(
        default=1.0, ge=0.0, le=1.0, description="How much of the difference is taken: 0 none, 1 all of it."
    )
    rack: list[RackRow] = Field(
        default_factory=list, description="Effects on the whole mix, before the loudness."
    )

    @field_validator("target")
    @classmethod
    def _known_target(cls, name: str | None) -> str | None:
        if name is not None and name not in TARGETS:
            raise ValueError(f"no target is called that; {nearest(name, TARGETS)}")
        return name

    @model_validator(mode="after")
    def _take_levels(self) -> Self:
        """Let what is left out be what the target says, or the reference."""
        implied: dict[str, float | str] = {}
        if self.target is not None:
            implied.update(TARGETS[self.target].levels)
        elif self.match is not None:
            implied["loudness_lufs"] = "reference"
        for key, value in implied.items():
            if key not in self.model_fields_set:
                object.__setattr__(self, key, value)  # the model is frozen for everybody else
        return self

    @property
    def overruled(self) -> dict[str, float]:
        """Levels of the target that do not hold, because others are written."""
        levels = {} if self.target is None else TARGETS[self.target].levels
        return {key: value for key, value in levels.items() if getattr(self, key) != value}


class Export(_Model):
    """What is written for people."""

    formats: list[str] = Field(
        default_factory=lambda: ["wav24"],
        min_length=1,
        description="Any of wav16, wav24, wav32f, flac (24 bits), flac16, mp3 (320 kbit/s), mp3-v0, mp3-192, ogg, "
        "opus, m4a. Lossy files are decoded and turned down where they would cross the ceiling.",
    )
    stems: bool = Field(default=False, description="Also write the stems and the converted vocal.")
    mix_stems: bool = Field(
        default=False,
        description="Also write what each channel adds to the mix: files whose sum is the mix before the master.",
    )
    melody: bool = Field(default=False, description="Also write what the voice sings as a MIDI file.")
    dither: Literal["tpdf", "shaped", "off"] = Field(
        default="tpdf",
        description="Of 16-bit files: `tpdf`, `shaped` (noise moved to where the ear is dull) or `off`.",
    )
    credentials: bool = Field(
        default=False,
        description="Sign the files with content credentials (C2PA) that say a trained voice sings; needs the extra "
        "`credentials`. `covermaker verify` reads them.",
    )


class Tags(_Model):
    """What the files say of themselves, besides title, artist, original artist and voice."""

    album: str = Field(default="", description="Title of the album.")
    album_artist: str = Field(default="", description="Of the whole album.")
    composer: str = Field(default="", description="Who wrote it.")
    year: int | None = Field(default=None, ge=1000, le=9999, description="Of this cover.")
    genre: str = Field(default="", description="One, in words.")
    track: str = Field(default="", pattern=TRACK_PATTERN, description='On the album: `"3"`, `"3/9"`.')
    copyright: str = Field(default="", description="Who holds which rights.")
    isrc: str = Field(
        default="", pattern=ISRC_PATTERN, description='International recording code: `"DE-A12-26-00001"`.'
    )
    bpm: Annotated[float, Field(ge=20.0, le=400.0)] | None = Field(default=None, description="Tempo.")
    key: str = Field(default="", pattern=KEY_PATTERN, description='As ID3 writes it: `"F#m"`, `"Eb"`.')
    cover: str | None = Field(
        default=None, min_length=1, description="A JPEG or PNG, relative to the project; 10 MB at most."
    )
    lyrics: str | None = Field(
        default=None,
        min_length=1,
        description="A text file, or LRC with times (`[01:12.50]`), relative to the project.",
    )


class Cover(_Model):
    """A whole ``cover.toml``."""

    schema_: int = Field(alias="schema", ge=1, description="Version of this format.")
    title: str = Field(min_length=1, description="Of the cover; names the files.")
    artist: str = Field(default="", description="Who covers; written into the tags.")
    song: Song = Field(description="The song, see `[song]`.")
    stems: Stems = Field(default_factory=Stems, description="Separation, see `[stems]`.")
    voice: VoiceChoice = Field(default_factory=VoiceChoice, description="Who sings, see `[voice]`.")
    convert: Convert = Field(default_factory=Convert, description="Conversion, see `[convert]`.")
    tracks: list[Track] = Field(min_length=1, description="The mixer's channels, see `[[tracks]]`.")
    groups: list[Group] = Field(default_factory=list, description="Groups of tracks, see `[[groups]]`.")
    buses: list[Bus] = Field(default_factory=list, description="Send buses, see `[[buses]]`.")
    automation: list[Lane] = Field(
        default_factory=list, description="What moves over the song, see `[[automation]]`."
    )
    sections: list[Section] = Field(
        default_factory=list, description="Parts of the song, see `[[sections]]`."
    )
    mix: Mix = Field(default_factory=Mix, description="See `[mix]`.")
    master: Master = Field(default_factory=Master, description="See `[master]`.")
    export: Export = Field(default_factory=Export, description="See `[export]`.")
    tags: Tags = Field(default_factory=Tags, description="See `[tags]`.")


def tables() -> list[tuple[str, type[BaseModel]]]:
    """List the tables of a document by their TOML header, in order: the source of the reference page."""
    return [
        ("", Cover),
        ("[song]", Song),
        ("[stems]", Stems),
        ("[voice]", VoiceChoice),
        ("[voice.train]", Training),
        ("[convert]", Convert),
        ("[convert.pitch_correction]", PitchCorrection),
        ("[[convert.parts]]", Part),
        ("[[tracks]]", Track),
        ("[[groups]]", Group),
        ("[[buses]]", Bus),
        ("[[automation]]", Lane),
        ("[[sections]]", Section),
        ("[mix]", Mix),
        ("[master]", Master),
        ("[export]", Export),
        ("[tags]", Tags),
    ]
