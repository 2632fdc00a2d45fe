"""Content credentials (C2PA) in finished files: signed last, since any later change breaks them.

What is signed: that the sound is composed with a trained model, whose voices sing and under which rights, and of which
song. A reader sees whether the file is as it was signed. Two signatures of one file differ: that is how they work.
"""

from __future__ import annotations

import json
import mmap
import os
import wave
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from covermaker import __version__
from covermaker.audio.files import probe
from covermaker.audio.sources import sniff
from covermaker.disk import ALMOST_FULL_BYTES, disk_errors, encoder_error, free_bytes
from covermaker.errors import AudioInputError, CovermakerError
from covermaker.export.identity import Identity, algorithm_of, need_extra
from covermaker.export.tags import read_back

if TYPE_CHECKING:
    from pathlib import Path

# https://cv.iptc.org/newscodes/digitalsourcetype
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
VOICES_LABEL = "covermaker.voices"

_MIME = {".wav": "audio/wav", ".mp3": "audio/mpeg", ".flac": "audio/flac", ".m4a": "audio/mp4"}
# A file must not say where this machine connects to: neither for a store that lies elsewhere nor for a certificate.
_OFFLINE = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}
_UNTRUSTED = "signingCredential.untrusted"  # a self-made certificate: expected, and no sign of a change

# The first box of a store (JUMBF, ISO 19566-5), and what the containers call a store: GEOB frame, box and chunk.
_BOX = b"jumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x008\x9bq"
_FRAME = b"application/c2pa\x00"
_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_CHUNK = b"C2PA"

State = Literal["valid", "tampered", "none"]


@dataclass(frozen=True, slots=True)
class Claim:
    """What is signed.

    Parameters
    ----------
    title : str
        Of the cover.
    voices : sequence of (str, str)
        Names and rights of the trained voices.
    song : str
        What the original is called.
    identity : Identity
        Who signs.
    """

    title: str
    voices: tuple[tuple[str, str], ...]
    song: str
    identity: Identity


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a file's credentials say.

    Attributes
    ----------
    state : {"valid", "tampered", "none"}
        Whether the file is as it was signed.
    trusted : bool
        Whether its certificate is on a list of known authorities; a self-made one never is.
    problems : tuple of str
        What does not fit, in C2PA's words.
    """

    state: State
    title: str = ""
    signer: str = ""
    made_with: str = ""
    trusted: bool = False
    source_type: str = ""
    voices: tuple[tuple[str, str], ...] = ()
    ingredients: tuple[str, ...] = ()
    problems: tuple[str, ...] = field(default_factory=tuple)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "state": self.state,
            "title": self.title,
            "signer": self.signer,
            "made_with": self.made_with,
            "trusted": self.trusted,
            "source_type": self.source_type,
            "voices": [{"name": name, "rights": rights} for name, rights in self.voices],
            "ingredients": list(self.ingredients),
            "problems": list(self.problems),
        }


def sign_file(path: Path, claim: Claim) -> bool:
    """Sign a finished file in its place; returns False where its container has no place for a signature.

    Raises
    ------
    ResourceError
        When the extra is missing, the certificate is refused, or the disk refuses.
    CovermakerError
        When what signs would lose tags.
    """
    need_extra()
    import c2pa

    mime = _MIME.get(path.suffix)
    if mime is None or sniff(path).startswith(b"RF64"):
        return False
    signed = path.with_name(f"{path.stem}-signed{path.suffix}")
    try:
        with disk_errors(path), path.open("rb") as source, signed.open("w+b") as target:
            _sign(claim, mime, source, target)
        if read_back(signed) != read_back(path):
            raise CovermakerError(
                f"what signs {path.suffix} files would change the tags, so nothing is signed",
                hint="leave [tags] lyrics or cover out, or export.credentials, and tell us",
            )
        with disk_errors(path):
            os.replace(signed, path)
    except c2pa.C2paError as error:
        if free_bytes(path) < ALMOST_FULL_BYTES:
            raise encoder_error(path, str(error)) from error
        raise claim.identity.refused(str(error)) from error
    finally:
        signed.unlink(missing_ok=True)
    return True


def check_identity(claim: Claim) -> None:
    """Sign a moment of silence, so that what cannot be signed with is told before long work.

    Raises
    ------
    ResourceError
        When the extra is missing, or certificate and key cannot be used.
    """
    need_extra()
    import c2pa

    claim.identity.check_pair()
    silence = BytesIO()
    with wave.open(silence, "wb") as file:
        file.setparams((1, 2, 44_100, 0, "NONE", ""))
        file.writeframes(bytes(2_000))
    silence.seek(0)
    try:
        _sign(claim, _MIME[".wav"], silence, BytesIO())
    except c2pa.C2paError as error:
        raise claim.identity.refused(str(error)) from error


def _sign(claim: Claim, mime: str, source: BinaryIO, target: BinaryIO) -> None:
    import c2pa

    chain, key = claim.identity.read()
    info = c2pa.C2paSignerInfo(algorithm_of(key), chain, key, None)
    with (
        c2pa.Signer.from_info(info) as signer,
        c2pa.Builder(_manifest(claim, mime)) as builder,
    ):
        builder.sign(signer, mime, source, target)


def verify_file(path: Path) -> Verdict:
    """Read the credentials of a file, whatever it is called; connects to nowhere, whatever it asks for.

    Raises
    ------
    AudioInputError
        When there is no such file.
    ResourceError
        When the extra is missing.
    """
    need_extra()
    import c2pa

    sniff(path)
    try:
        with path.open("rb") as file, c2pa.Context.from_dict(_OFFLINE) as context:
            mime = _mime(file) or _MIME.get(path.suffix.lower())
            reader = mime and c2pa.Reader.try_create(mime, file, context=context)
            if reader:
                with reader:
                    return _verdict(json.loads(reader.json()), reader.get_validation_state() or "")
        problem = "" if mime else "files of this kind have no place for credentials"
    except OSError as error:
        raise AudioInputError(f"'{path}' cannot be read: {error.strerror}") from error
    except c2pa.C2paError as error:
        problem = " ".join(str(error).split())
        if problem.startswith("Remote:"):
            problem = "it says that its credentials lie elsewhere; nothing is fetched"
    if _holds_store(path):
        # So damaged, or the file around it, that nothing of it can be read.
        return Verdict("tampered", problems=(problem or "the credentials in it cannot be reached",))
    probe(path)  # what is no audio is told as that
    return Verdict("none", problems=(problem,) if problem else ())


def _mime(file: BinaryIO) -> str | None:
    """Return what a file is by its first bytes; None of one that cannot be told."""
    head = file.read(12)
    begin = 0
    if head[:3] == b"ID3" and len(head) >= 10:  # before MP3, and before FLAC that is signed
        size = 0
        for byte in head[6:10]:
            size = size << 7 | byte & 0x7F
        begin = 10 + size
    file.seek(begin)
    first = file.read(12)
    file.seek(0)
    if first[:4] == b"fLaC":
        return _MIME[".flac"]
    if begin or (len(first) > 1 and first[0] == 0xFF and first[1] & 0xE0 == 0xE0):
        return _MIME[".mp3"]
    if first[:4] == b"RIFF" and first[8:] == b"WAVE":
        return _MIME[".wav"]
    return _MIME[".m4a"] if first[4:8] == b"ftyp" else None


def _holds_store(path: Path) -> bool:
    """Tell whether credentials of this very file lie in it: those of a cover picture are its own."""
    with (
        disk_errors(path),
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        if any(data.find(mark) >= 0 for mark in (_FRAME, _UUID)):
            return True
        for mark in (_BOX, _CHUNK):
            at = data.find(mark)
            while at >= 0:
                if mark == _CHUNK:
                    if data[at + 12 : at + 16] == b"jumb":
                        return True
                # In a PNG it lies in a chunk of its own, in a JPEG in the segments of JPEG systems.
                elif data[max(at - 16, 0) : at - 12] != b"caBX" and data[max(at - 20, 0) : at - 18] != b"JP":
                    return True
                at = data.find(mark, at + 1)
    return False


def _manifest(claim: Claim, mime: str) -> dict[str, Any]:
    software = {"name": "Covermaker", "version": __version__}
    return {
        "claim_generator_info": [software],
        "title": claim.title,
        "format": mime,
        "ingredients": [{"title": claim.song, "relationship": "componentOf"}],
        "assertions": [
            {
                "label": "c2pa.actions",
                "data": {
                    "actions": [
                        {
                            "action": "c2pa.created",
                            "digitalSourceType": SOURCE_TYPE,
                            "softwareAgent": software,
                        }
                    ]
                },
            },
            {
                "label": VOICES_LABEL,
                "data": {"voices": [{"name": name, "rights": rights} for name, rights in claim.voices]},
            },
        ],
    }


def _verdict(store: dict[str, Any], state: str) -> Verdict:
    manifest = store["manifests"][store["active_manifest"]]
    found = {row["label"].partition("__")[0]: row.get("data", {}) for row in manifest.get("assertions", [])}
    actions: dict[str, Any] = next(
        (data for label, data in found.items() if label.startswith("c2pa.actions")), {}
    )
    sources = [row["digitalSourceType"] for row in actions.get("actions", []) if "digitalSourceType" in row]
    failed = [row.get("code", "") for row in store.get("validation_status", [])]
    generator = (manifest.get("claim_generator_info") or [{}])[0]
    signature = manifest.get("signature_info", {})
    return Verdict(
        state="tampered" if state == "Invalid" else "valid",
        title=manifest.get("title", ""),
        signer=signature.get("common_name") or signature.get("issuer", ""),
        made_with=" ".join(filter(None, (generator.get("name"), generator.get("version")))),
        trusted=state == "Trusted",
        source_type=sources[0] if sources else "",
        voices=tuple((row["name"], row["rights"]) for row in found.get(VOICES_LABEL, {}).get("voices", [])),
        ingredients=tuple(row.get("title", "") for row in manifest.get("ingredients", [])),
        problems=tuple(code for code in failed if code != _UNTRUSTED),
    )
