"""``covermaker verify``: whether a finished file is as it was signed, and what its credentials say."""

from __future__ import annotations

from pathlib import Path

import click

from covermaker.cli.output import json_option, show, table
from covermaker.errors import ExitCode

# What each state says to a person, and to a script.
_STATES = {
    "valid": ("valid: nothing that was signed has changed", ExitCode.OK),
    "tampered": ("TAMPERED: the file is not as it was signed", ExitCode.TAMPERED),
    "none": ("none: the file carries no content credentials", ExitCode.UNSIGNED),
}


@click.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def command(file: Path, as_json: bool) -> int:
    """Read the content credentials of a file.

    Ends with 0 when what was signed is unchanged, 8 when the file carries no credentials, 9 when it was changed. What
    C2PA leaves out is not signed: what wraps the credentials, and the mark of an M4A's kind (ftyp). A self-made
    certificate proves that the file is unchanged, not who made it. The file is judged by what it holds, not by its
    name; nothing is fetched.
    """
    from covermaker.export.credentials import verify_file

    found = verify_file(file)
    words, code = _STATES[found.state]
    rows = [("credentials", words)]
    if found.state != "none":
        known = "known authority" if found.trusted else "no known authority stands behind it"
        rows += [
            ("title", found.title),
            ("made with", found.made_with),
            ("signed by", f"{found.signer} ({known})" if found.signer else ""),
            ("kind", found.source_type.rpartition("/")[2]),
            *(("voice", f"{name} (rights: {rights})") for name, rights in found.voices),
            *(("of", title) for title in found.ingredients),
        ]
    rows += [("problem", problem) for problem in found.problems]
    show(found.as_dict(), as_json, table([row for row in rows if row[1]]))
    return int(code)
