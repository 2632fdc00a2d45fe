"""The end of the list: the mix becomes a master, the master the files that people open."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from covermaker.documents.document import placed
from covermaker.effects.rack import rack_params
from covermaker.errors import ResourceError
from covermaker.export.formats import FORMATS
from covermaker.graph.step import From, Outside
from covermaker.render import work
from covermaker.render.mixing import files_of, tempo_for
from covermaker.render.steps import make_step, region_params

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from covermaker.export.credentials import Claim
    from covermaker.export.formats import Dithering
    from covermaker.graph.run import PlannedStep
    from covermaker.graph.step import Step
    from covermaker.project.document import Master, Tags
    from covermaker.render.checks import Checked
    from covermaker.render.singers import Singer
    from covermaker.render.steps import Region


def master_step(checked: Checked, mix: Step, music: Step, region: Region | None) -> Step:
    """Master the mix."""
    settings = checked.project.cover.master
    rack, moves = checked.racks["master",], checked.lanes.of_rack("master")
    tempo = tempo_for([rack], checked, music)
    inputs: dict[str, From | Outside] = {"mix": From(mix, "mix.wav"), **tempo.inputs, **files_of([rack])}
    params: dict[str, Any] = {
        "loudness_lufs": settings.loudness_lufs,
        "true_peak_dbtp": settings.true_peak_dbtp,
        "rack": rack_params(rack, moves),
        # What a project does not ask for is not in its key, so that older masters stay good.
        **settings.model_dump(include={"max_drive_db"}, exclude_defaults=True),
        **tempo.params(),
    }
    if moves:
        params["begins"] = region_params(region)
    if settings.overruled:
        params["overruled"] = [f"{settings.target} {key}" for key in settings.overruled]
    if checked.reference is not None:
        params["match_amount"] = settings.match_amount
        inputs["reference"] = Outside(checked.reference)
    return make_step(
        "master", "master", params, inputs,
        partial(
            work.master, settings=settings, rack=rack, moves=moves, tempo_bpm=tempo.bpm, region=region
        ),
    )  # fmt: skip


@dataclass(frozen=True)
class Finish:
    """How the files are finished; see `export.files.Wishes`."""

    dither: Dithering = "tpdf"
    ceiling_dbtp: float | None = None
    claim: Claim | None = None


def claim_of(checked: Checked, singers: Iterable[Singer]) -> Claim | None:
    """Return what the files of a project are signed with; None when they are not to be."""
    if not checked.project.cover.export.credentials:
        return None
    with placed("export.credentials"):
        return _claim(checked, singers)


def export_step(
    checked: Checked, singers: Iterable[Singer], master: Step, claim: Claim | None, *, preview: bool
) -> Step:
    """Write the files."""
    cover, wanted = checked.project.cover, checked.project.cover.export
    formats = ["wav24"] if preview else list(wanted.formats)
    name = f"{cover.title} (preview)" if preview else cover.title
    texts = tags(checked, singers)
    inputs: dict[str, From | Outside] = {
        "master": From(master, "master.wav"),
        "measured": From(master, "report.json"),
        **{name: Outside(path) for name, path in checked.labels.items()},
    }
    params: dict[str, Any] = {"formats": formats, "name": name, "tags": texts}
    ceiling_dbtp = None
    if any(FORMATS.load(form).lossy for form in formats):
        params["ceiling_dbtp"] = ceiling_dbtp = cover.master.true_peak_dbtp
    if wanted.dither != "tpdf":
        params["dither"] = wanted.dither
    if claim is not None:
        params["credentials"] = {"voices": [list(voice) for voice in claim.voices], "song": claim.song}
        # Without one it is still to be made; see `prepare_signing`.
        if claim.identity.chain.is_file():
            inputs["certificate"] = Outside(claim.identity.chain)
    finish = Finish(wanted.dither, ceiling_dbtp, claim)
    return make_step(
        "export", "export", params, inputs,
        partial(work.export, formats=formats, name=name, tags=texts, finish=finish),
    )  # fmt: skip


def prepare_signing(checked: Checked, claim: Claim | None, plan: Iterable[PlannedStep]) -> bool:
    """Check that what a plan will sign can be signed, and make the certificate on the first use.

    Returns
    -------
    bool
        True when it was made: the export has another key now.

    Raises
    ------
    ResourceError
        With the place in the document: the extra is missing, or certificate and key cannot be used.
    """
    if claim is None or not any(one.will_run and one.step.kind == "export" for one in plan):
        return False
    from covermaker.export.credentials import check_identity
    from covermaker.export.identity import identity

    is_new = not claim.identity.chain.is_file()
    try:
        identity()
        check_identity(claim)
    except ResourceError as error:
        place = checked.project.document.place("export.credentials")
        raise ResourceError(f"{place}: export.credentials: {error.message}", hint=error.hint) from error
    return is_new


# Numbers of one recording: other files that come of it are others.
_OF_THE_COVER = frozenset({"isrc", "track"})


def part_tags(texts: Mapping[str, str]) -> dict[str, str]:
    """Return the tags of a cover for files that are made of it and are not the cover: stems, clips, instrumental."""
    return {name: text for name, text in texts.items() if name not in _OF_THE_COVER}


def tags(checked: Checked, singers: Iterable[Singer]) -> dict[str, str]:
    """Return the texts that are written into the files' tags."""
    cover = checked.project.cover
    rows = {
        "title": cover.title,
        "artist": cover.artist,
        "original_artist": cover.song.artist,
        **_more_tags(cover.tags),
        **voice_tags(singers),
    }
    if cover.song.tempo_bpm is not None:
        rows.setdefault("bpm", f"{cover.song.tempo_bpm:g}")
    return {name: text for name, text in rows.items() if text}


def voice_tags(singers: Iterable[Singer]) -> dict[str, str]:
    """Return the tag that says that the voices are artificial, and whose they are."""
    names = list(dict.fromkeys(f"{singer.name} (rights: {singer.rights})" for singer in singers))
    return {"comment": f"AI voice{'s' * (len(names) > 1)}: {', '.join(names)}, made with Covermaker"}


def overruled_notes(settings: Master) -> list[str]:
    """Tell which levels of the target do not hold, because others are written beside it."""
    return [
        f"master.{key} = {getattr(settings, key)} is written, so it holds and not the {level:g} of the target "
        f"'{settings.target}': take it out to have that"
        for key, level in settings.overruled.items()
    ]


def _more_tags(wanted: Tags) -> dict[str, str]:
    rows = {
        "album": wanted.album,
        "albumartist": wanted.album_artist,
        "composer": wanted.composer,
        "date": "" if wanted.year is None else str(wanted.year),
        "genre": wanted.genre,
        "track": wanted.track,
        "copyright": wanted.copyright,
        "isrc": wanted.isrc.replace("-", ""),
        "bpm": "" if wanted.bpm is None else f"{wanted.bpm:g}",
        "key": wanted.key,
    }
    return {name: text for name, text in rows.items() if text}


def _claim(checked: Checked, singers: Iterable[Singer]) -> Claim:
    from covermaker.export.credentials import Claim
    from covermaker.export.identity import located

    cover = checked.project.cover
    by = f" by {cover.song.artist}" if cover.song.artist else ""
    voices = dict.fromkeys((singer.name, singer.rights) for singer in singers)
    return Claim(cover.title, tuple(voices), f"{cover.title}, the original recording{by}", located())
