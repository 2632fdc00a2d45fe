"""A model of RVC or so-vits-svc becomes a voice: card, weights and index in a folder that appears whole, or never."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from covermaker.disk import file_sha256, making_folder
from covermaker.documents.document import Document
from covermaker.errors import CovermakerError, ResourceError, UsageError
from covermaker.progress import part, silent
from covermaker.project.library import Trash
from covermaker.texts import one_line
from covermaker.voices.card import (
    CARD_FILE,
    PATTERNS,
    SCHEMA,
    ContentPart,
    F0Part,
    IndexPart,
    NetworkPart,
    VoiceCard,
    WeightsPart,
    write_card,
)
from covermaker.voices.community.companions import fitting
from covermaker.voices.community.find import found
from covermaker.voices.community.model import arrays, family_in, read_model
from covermaker.voices.community.names import course_of, voice_name
from covermaker.voices.community.retrieval import read_retrieval
from covermaker.voices.community.saying import naming
from covermaker.voices.community.settings import read_config
from covermaker.voices.community.sidecar import read_sidecar
from covermaker.voices.library import SHIPPED, TAKES_FILE, place_for, user_library
from covermaker.voices.rights import licence_of, needs_statement
from covermaker.weights.torch_file import TorchFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from covermaker.progress import Progress
    from covermaker.voices.community.find import Files
    from covermaker.voices.community.model import Model
    from covermaker.voices.community.retrieval import Retrieval
    from covermaker.voices.community.sidecar import Sidecar

WEIGHTS_FILE: Final = "voice.safetensors"
INDEX_FILE: Final = "index.npz"

# What is sung at without a better word: nothing in a published file says where its singer is at home. Both families
# are told pitches of 50 to 1100 Hz; this is the middle of it, A2 to A4.
ASSUMED_RANGE: Final = F0Part(low_hz=110.0, median_hz=220.0, high_hz=440.0)
_LATER: Final = "0" * 64  # of a file that is not written yet


@dataclass(frozen=True)
class Wishes:
    """What a person says of a model that is taken in.

    Attributes
    ----------
    path : Path
        The model, or a folder or zip file with it.
    name : str
        What the voice is called; made of the file's name when left out; or its folder, see `library.place_for`.
    rights, statement : str
        As on a card; ``unknown`` when nobody says whose voice it is.
    config, index, clusters : Path, optional
        What belongs to the model, where it does not lie beside it.
    replace : bool
        An imported voice of that name goes to the trash.
    """

    path: Path
    name: str = ""
    rights: str = "unknown"
    statement: str = ""
    config: Path | None = None
    index: Path | None = None
    clusters: Path | None = None
    replace: bool = False


@dataclass(frozen=True)
class TakenIn:
    """What came of it, or would come.

    Attributes
    ----------
    source : str
        The model's file.
    notes : list of str
        What the person should know.
    refusal : UsageError, optional
        Of a rehearsal: why it could not be written under this name.
    """

    folder: Path
    card: VoiceCard
    source: str
    notes: list[str] = field(default_factory=list)
    refusal: UsageError | None = None


def take_in(wishes: Wishes, *, dry_run: bool = False, progress: Progress = silent) -> TakenIn:
    """Take a model in as a voice.

    Parameters
    ----------
    wishes : Wishes
    dry_run : bool
        Read everything and write nothing; a name that is taken is told beside what the file is.
    progress : Progress
        Told the finished fraction.

    Raises
    ------
    UsageError
        When there is nothing there, too much of it, or the name is taken.
    WeightsError
        When a file is damaged, something else, or a model that cannot be sung with here.
    ProjectError
        When the card refuses the name or the rights.
    ResourceError
        When the disk is full or may not be written.
    """
    if wishes.index is not None and wishes.clusters is not None:
        raise UsageError("a voice has an index or clusters", hint="give one of --index and --clusters")
    if needs_statement(wishes.rights) and not wishes.statement.strip():
        raise UsageError(
            f"rights '{wishes.rights}' need a statement: who agreed, to what", hint="add --statement '…'"
        )
    named = [name for name in ("config", "index", "clusters") if getattr(wishes, name) is not None]
    with found(wishes.path, config=wishes.config, index=wishes.index, clusters=wishes.clusters) as files:
        folder = place_for(wishes.name or voice_name(files.model, wishes.path))
        refusal = _refusal(folder, replace=wishes.replace)
        if refusal is not None and not dry_run:
            raise refusal
        config = None if files.config is None else read_config(files.config, files.said(files.config))
        with TorchFile.open(files.model, called=files.called) as file:
            fits = fitting(files, config, family_in(file), named)
            files = fits.files
            with naming(files.called):
                model = read_model(file, fits.config)
            beside = read_sidecar(files.model, model.facts.encoder)
            retrieval = read_retrieval(files, width=model.config.content_dim, singers=model.facts.singers)
            card = _card(wishes, folder.name, files, model, retrieval, beside)
            notes = [*fits.notes, *model.facts.notes, *(retrieval.notes if retrieval is not None else ())]
            notes += beside.notes
            if wishes.rights != card.rights:
                said = f"{card.rights}: {card.statement}" if card.statement else card.rights
                notes.append(f"its rights are as they were written beside it: {said}")
            weights = _tensors(file, model, files.called, part(progress, 0.0, 0.7))
            if dry_run:
                return TakenIn(folder, card, files.called, notes, refusal)
            with _making_way(folder) as make_way, making_folder(folder) as made:
                card = _write(made, card, weights, retrieval)
                progress(0.95)
                notes.extend(make_way())
    progress(1.0)
    return TakenIn(folder, card, files.called, notes)


@contextmanager
def _making_way(folder: Path) -> Iterator[Callable[[], list[str]]]:
    """Yield what moves an older voice to the trash; it comes back when the new one does not get its place after all."""
    trash, moved = Trash(folder.parent), []

    def make_way() -> list[str]:
        if not (folder / CARD_FILE).exists():
            return []
        moved.append(trash.remove(folder, title=folder.name))
        return [f"what was '{folder.name}' is in the trash"]

    try:
        yield make_way
    except BaseException:
        for one in moved:
            with suppress(CovermakerError):
                trash.restore(one)
        raise


def _tensors(
    file: TorchFile, model: Model, called: str, progress: Progress
) -> dict[str, NDArray[np.float32]]:
    """Read all tensors: only then is it known that they are whole and finite."""
    found_ = {}
    with naming(called):
        for name, array in arrays(file, model):
            found_[name] = array
            progress(len(found_) / len(model.claims))
    return found_


def _write(
    folder: Path, card: VoiceCard, weights: Mapping[str, NDArray[np.float32]], retrieval: Retrieval | None
) -> VoiceCard:
    """Write a voice's files, the card last, which knows them by their content; return it."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    try:
        save_file(dict(weights), folder / WEIGHTS_FILE)
    except SafetensorError as error:  # it tells what the disk says in words of its own
        raise ResourceError(
            f"{folder.parent} cannot be written: {one_line(str(error))}",
            hint="free some space, or choose another place",
        ) from error
    update: dict[str, Any] = {"weights": WeightsPart(sha256=file_sha256(folder / WEIGHTS_FILE))}
    if retrieval is not None:
        update["index"] = IndexPart(sha256=retrieval.write(folder / INDEX_FILE))
    card = card.model_copy(update=update)
    write_card(card, folder)
    return card


def _card(
    wishes: Wishes, name: str, files: Files, model: Model, retrieval: Retrieval | None, beside: Sidecar
) -> VoiceCard:
    """Return the card; the hashes of what is not written yet are still missing on it."""
    facts = model.facts
    rights, statement = wishes.rights, wishes.statement.strip()
    licence = (
        "unknown" if rights == "unknown" else "as the statement says" if statement else licence_of(rights)
    )
    if rights == "unknown" and not statement and beside.rights:
        rights, statement, licence = (
            beside.rights,
            beside.statement,
            beside.licence or "as the statement says",
        )
    singers = list(facts.singers)
    if len(beside.singers) == len(singers):  # RVC has numbers for them only
        singers = list(beside.singers)
    values = {
        "schema": SCHEMA,
        "name": name,
        "description": beside.description,
        "rights": rights,
        "statement": statement,
        "licence": licence,
        "origin": f"imported: {facts.origin} ({one_line(files.model.name)})",
        "created": datetime.now(tz=UTC).date(),
        "languages": list(beside.languages),
        "singers": singers,
        "sample_rate": model.config.sample_rate,
        "network": NetworkPart(kind="vits", config=model.config.to_mapping()),
        "content": ContentPart(encoder=facts.encoder, sha256=beside.content_sha256 or None),
        "f0": beside.f0 or ASSUMED_RANGE,
        "weights": WeightsPart(sha256=_LATER),
        "index": None if retrieval is None else IndexPart(sha256=_LATER),
        "training": {
            **course_of(facts, model.config.family, files.model),
            **({} if beside.f0 else {"f0_range": "assumed"}),
            "source_sha256": file_sha256(files.model),
            **({} if retrieval is None else retrieval.facts),
        },
    }
    return Document(CARD_FILE, "", values).checked(VoiceCard, patterns=PATTERNS)


def _refusal(folder: Path, *, replace: bool) -> UsageError | None:
    """Return why a voice cannot be written there; None where it can."""
    another = "choose another --name"
    # In a folder of its own, a voice may have that name: there it is meant.
    in_library = folder.absolute().parent == user_library().absolute()
    if in_library and (SHIPPED / folder.name / CARD_FILE).is_file():
        return UsageError(f"'{folder.name}' is the voice that comes with Covermaker", hint=another)
    if (folder / TAKES_FILE).exists():
        return UsageError(f"'{folder.name}' is a voice of your own takes: {folder}", hint=another)
    if not os.path.lexists(folder):
        return None
    if not (folder / CARD_FILE).exists():
        return UsageError(f"{folder} is there already, and no voice", hint=another)
    if not replace:
        return UsageError(
            f"there is a voice '{folder.name}' already", hint=f"{another}, or replace it with --force"
        )
    if not in_library:
        return UsageError(f"{folder} is not in your library", hint="remove its folder by hand")
    return None
