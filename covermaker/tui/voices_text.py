"""What the Voices screen says: of a training, a take, a checkpoint, a card. Lines of text with their tones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from covermaker.training.stages import PHASES, PREPARING
from covermaker.tui.lost import KEPT
from covermaker.tui.voices_model import STATES
from covermaker.tui.words import (
    about,
    ago,
    count,
    glyph,
    left,
    length,
    one_line,
    said,
    share,
    spelt,
    tone_of,
)
from covermaker.units import clock, human_bytes, note_name
from covermaker.voices.card import range_assumed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    from covermaker.takes.scan import TakeReport
    from covermaker.training.watch import Checkpoint, Watched
    from covermaker.tui.job_board import Job
    from covermaker.tui.voices_model import Take, VoiceRow, Whole
    from covermaker.tui.words import Charset

    Line: TypeAlias = tuple[str, str]  # a text and its tone


def state_words(row: VoiceRow, job: Job | None, charset: Charset) -> Line:
    """Return a voice's state, as a glyph and a word; that of a training of ours that waits, too."""
    if job is not None and job.state == "wait":
        return said("wait", charset), "quiet"
    if job is not None and job.state == "run" and row.state != "training":
        return said("run", charset, "training"), "run"
    state, word = STATES[row.state]
    return said(state, charset, word), tone_of(state)


def training_lines(whole: Whole, job: Job | None, now: float, charset: Charset) -> list[Line]:
    """Say where a voice's training is; keys are named as ``{voices.train}``."""
    watched = whole.watched
    if job is not None and watched.status == "running" and job.is_over:
        job = None  # another one runs meanwhile, elsewhere
    if job is not None and job.state == "wait":
        return [(said("wait", charset, "waits: another voice is in training"), "quiet")]
    if watched.status == "running":
        return _running(watched, job, now, charset)
    if job is not None and job.state == "run":
        return [(said("run", charset, job.message or job.progress(now)), "run")]
    lines = _ended(whole, now, charset)
    if watched.problem:
        lines.append((one_line(watched.problem), "failed"))
    if job is not None and job.state == "failed":
        lines.insert(0, (said("failed", charset, f"failed: {one_line(job.message)}"), "failed"))
        lines.insert(1, (f"next: {job.hint or '{studio.log} shows the log'}", "quiet"))
    return lines


def _running(watched: Watched, job: Job | None, now: float, charset: Charset) -> list[Line]:
    phase = watched.now
    assert phase is not None
    ours = job.steps.get(job.current) if job is not None and job.state == "run" else None
    at = ours.name if ours is not None else phase.phase
    what = PHASES.get(at, at or "starting")
    if job is not None and ours is not None:  # the head of the screen says the same of it, at the same moment
        figures = job.figures(now)
    elif phase.seconds_left is not None:  # told at some moment: it has run on since
        figures = (
            f"{share(phase.fraction)}, {left(max(0.0, phase.seconds_left - max(0.0, now - phase.told)))}"
        )
    else:
        figures = share(phase.fraction)
    in_all = " in all" if at in PREPARING and figures.endswith("left") else ""
    lines = [(said("run", charset, f"{what} {figures}{in_all}"), "run")]
    silent = watched.silent_for(now)
    if silent is not None:
        lines.append((said("warn", charset, f"no news for {_silence(silent)}: it may hang"), "stale"))
    where = f"on {phase.device}" if phase.device else ""
    if phase.step is None:
        profile = watched.profile or str(job.request.get("profile") or "" if job is not None else "")
        named = f"profile {profile}  " if profile else ""
        lines.append((f"{named}{where}  {clock(max(0.0, now - phase.began))} so far", ""))
    else:
        steps = f" of {grouped(phase.steps)}" if phase.steps is not None else ""
        budget = f"  {watched.minutes:g} min in all" if watched.minutes is not None else ""
        speed = f"  {watched.seconds_per_step:.3g} s a step" if watched.seconds_per_step is not None else ""
        lines.append((f"step {grouped(phase.step)}{steps}{speed}  {where}{budget}", ""))
        lines.append((_figures(watched), ""))
    lines.append((_last_save(watched, now), "quiet"))
    if watched.stopping:
        when = "after this step" if phase.phase == "train" else f"when it is through with {what}"
        lines.append((f"asked to stop: saves and ends {when}", "stale"))
    elif job is None:
        lines.append((f"runs elsewhere: process {phase.pid} on {one_line(phase.host)}", "quiet"))
    elif job.message:
        lines.append((job.message, "stale"))
    return lines


def _silence(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else clock(seconds)


def _figures(watched: Watched) -> str:
    parts = []
    if watched.loss is not None:
        parts.append(f"loss {watched.loss:.3f}")
    if watched.now is not None and watched.now.rate is not None:
        parts.append(f"rate {watched.now.rate:.1e}")
    if watched.now is not None and watched.now.memory_bytes:
        parts.append(human_bytes(watched.now.memory_bytes))
    return "  ".join(parts)


def _last_save(watched: Watched, now: float) -> str:
    save = watched.last_save
    if save is None:
        return "nothing is saved yet"
    when = f", {ago(now - save.made)}" if save.made is not None else ""
    score = f", score {save.score:.3f}" if save.score is not None else ""
    return f"last save: step {grouped(save.step)}{score}{when}"


def _ended(whole: Whole, now: float, charset: Charset) -> list[Line]:
    watched, row = whole.watched, whole.row
    if watched.prepared and whole.takes and row.is_ours:
        return [
            (said("stopped", charset, f"stopped before its first step: {KEPT['preparing']}"), "stale"),
            ("{voices.train} goes on from there", "quiet"),
        ]
    if watched.status == "stopped":
        save = watched.last_save
        of = f" of {grouped(watched.steps)}" if watched.steps is not None else ""
        at = f"its last save is step {grouped(save.step)}{of}" if save else "nothing was saved yet"
        voice = (
            f"the voice sings with step {grouped(row.step)}"
            if row.step is not None
            else "there is no voice yet"
        )
        return [
            (said("stopped", charset, f"stopped: {at}"), "stale"),
            (voice, ""),
            ("{voices.train} goes on with it, or begins again", "quiet"),
        ]
    if watched.status == "astray":
        return [
            (said("warn", charset, "went astray: the loss stopped being a number"), "stale"),
            ("look at the takes: {voices.scan}; {voices.train} begins again", "quiet"),
        ]
    if watched.status == "finished":
        return [(said("done", charset, _trained(whole)), "done"), (_last_save(watched, now), "quiet")]
    if not row.is_ours or (row.card is not None and not whole.takes):
        return [("trained elsewhere: its takes are not here", "quiet")]
    if whole.takes_problem:
        return [(said("failed", charset, one_line(whole.takes_problem)), "failed")]
    if not whole.takes:
        return [("there are no takes to train on: {voices.import} takes recordings in", "quiet")]
    scan = "" if whole.is_scanned else "{voices.scan} looks at the takes first; "
    return [("not trained yet", ""), (f"{scan}{{voices.train}} trains it, about 11 minutes", "quiet")]


def _trained(whole: Whole) -> str:
    facts = whole.row.card.training if whole.row.card is not None else {}
    minutes = facts.get("minutes_of_training")
    time = f" in {about(60.0 * minutes)}" if isinstance(minutes, int | float) else ""
    return f"trained: {whole.watched.profile or 'as it was'}, {grouped(whole.watched.step)} steps{time}"


def lost_by_killing(watched: Watched, now: float) -> str:
    """Say what would be lost of a training that is ended at once."""
    save, phase = watched.last_save, watched.now
    if phase is None or phase.step is None:
        return "What was prepared so far is kept; no step is lost."
    steps = phase.step - (save.step if save is not None else 0)
    if steps <= 0:
        return "Nothing is lost: it was saved a moment ago."
    time = f", {about(steps * watched.seconds_per_step)}" if watched.seconds_per_step else ""
    since = f"since the save of step {grouped(save.step)}" if save is not None else "as nothing was saved yet"
    return f"{count(steps, 'step')}{time} are lost, {since}."


def scan_words(before: Mapping[str, TakeReport | None], takes: Sequence[Take]) -> str:
    """Say what a scan has found that was not known before it."""
    other = [take for take in takes if take.report is not None and take.report != before.get(take.file)]
    if not other:
        return "scanned again: nothing new"
    warned = sum(bool(take.report.findings) for take in other if take.report is not None)
    new = "scanned" if not any(before.values()) else "with another result"
    return f"{count(len(other), 'take')} {new}, " + (
        f"{warned} with a warning" if warned else "all of them ok"
    )


def take_words(
    take: Take | None, notes: Sequence[str], charset: Charset, *, is_scanning: bool = False
) -> list[Line]:
    """Say what is wrong with a take and what to do; without a take or a finding, what is said of all."""
    if take is None:
        return []
    state, word = take.verdict
    if take.missing:
        return [(said("failed", charset, f"{one_line(take.file)} is missing from the folder"), "failed")]
    if take.report is None and is_scanning:
        return [(said("run", charset, "is being scanned: how loud, how noisy and how clean it is"), "run")]
    if take.report is None:
        return [("{voices.scan} says how loud, how noisy and how clean it is", "quiet")]
    lines = []
    if not take.use:
        lines.append((said("stopped", charset, "left out of training: {voices.choose} keeps it"), "quiet"))
    found = take.report.findings
    lines += [(f"{glyph('warn', charset)} {one.text}: {one.advice}", "stale") for one in found]
    if not lines:
        lines.append((said(state, charset, word), "done"))
    return [*lines, *((note, "quiet") for note in notes)]


def save_note(save: Checkpoint, *, marked: bool, charset: Charset) -> Line:
    """Say what is special about a checkpoint."""
    parts = []
    if save.is_voice:
        parts.append(said("done", charset, "voice"))
    if marked:
        parts.append("marked")
    if save.is_best:
        parts.append("best")
    if not save.kept:
        parts.append("not kept")
    return ", ".join(parts), "done" if save.is_voice else "" if save.kept else "quiet"


def card_lines(whole: Whole, charset: Charset) -> list[tuple[str, str, str]]:
    """Return label, words and tone of what the card of a voice says."""
    row, card = whole.row, whole.row.card
    lines = []
    if row.problem:
        lines.append((said("failed", charset)[0], one_line(row.problem), "failed"))
    if card is None:
        document = whole.document
        if document is not None:
            lines += [("rights", document.rights, ""), ("", one_line(document.statement), "")]
            lines += [("sung in", ", ".join(document.languages) or "not said", "")]
        return [*lines, ("card", "there is none before it is trained", "quiet")]
    span = (
        f"{note_name(card.f0.low_hz)} to {note_name(card.f0.high_hz)}, median {note_name(card.f0.median_hz)}"
        f"{' (assumed)' if range_assumed(card) else ''}"
    )
    lines += [
        ("", one_line(card.description), ""),
        ("rights", card.rights, ""),
        ("", one_line(card.statement), ""),
        ("licence", one_line(card.licence), ""),
        ("sung in", ", ".join(card.languages) or "not said", ""),
        ("range", span, ""),
        ("sound", f"{card.sample_rate / 1000:g} kHz, content {card.content.encoder}", ""),
    ]
    if card.singers:
        lines.append(("singers", ", ".join(map(one_line, card.singers)), ""))
    lines += _facts(card.training)
    lines += [("origin", one_line(card.origin), "")] if card.origin else []
    lines += [("made", f"{card.created}", "")]
    lines += [("folder", str(row.folder), "quiet")] if row.is_ours else []
    return [line for line in lines if line[1]]


def _facts(training: dict[str, object]) -> list[tuple[str, str, str]]:
    lines = []
    takes, step, scores = training.get("minutes_of_takes"), training.get("step"), training.get("scores")
    if isinstance(takes, int | float):
        lines.append(("takes", f"{takes:g} minutes", ""))
    if isinstance(step, int):
        lines.append(("step", grouped(step), ""))
    if isinstance(scores, dict) and isinstance(scores.get("score"), int | float):
        lines.append(("score", f"{scores['score']:.3f}", ""))
    return lines


def promotion_words(name: str, step: int, songs: Sequence[str], charset: Charset) -> str:
    """Say what a promotion does to the songs."""
    said_ = f"{name} is step {grouped(step)} now"
    if not songs:
        return f"{said_}; no song of the library uses it"
    some = ", ".join(one_line(song) for song in songs[:3]) + (spelt(" …", charset) if len(songs) > 3 else "")
    verb = "is" if len(songs) == 1 else "are"
    return f"{said_}: {count(len(songs), 'song')} {verb} stale ({some})"


def grouped(number: int) -> str:
    """Write a number with a thin gap every three digits."""
    return f"{number:,}".replace(",", " ")


def seconds_words(take: Take) -> str:
    """Write how long a take is; nothing before it was scanned."""
    return length(take.report.seconds) if take.report is not None else ""
