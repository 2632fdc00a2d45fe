"""``covermaker``: finds the command, runs it, and turns errors into one line and an exit code."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

import click

from covermaker import __version__
from covermaker.cli.hints import hint_of
from covermaker.cli.output import plain_option
from covermaker.errors import CovermakerError, ExitCode, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

# Command to its one-line help; the command itself is `covermaker.cli.<name>.command`, loaded on use.
COMMANDS = {
    "ui": "Open the terminal studio, here or in a browser.",
    "new": "Make a project from a song, or from each of several.",
    "render": "Render one or several projects to mastered covers.",
    "batch": "Turn a playlist into covers, unattended.",
    "list": "List the projects of a folder, with their state.",
    "status": "Show which steps of a project are done.",
    "why": "Say what would be rendered again, and why.",
    "set": "Change a value of a project.",
    "undo": "Take the last change of a project back.",
    "redo": "Do again what was taken back.",
    "remove": "Move projects to the trash of their library.",
    "trash": "List what was removed, bring it back, or erase it.",
    "export": "Export a cover for other programs: stems, sessions, melody, labels.",
    "play": "Play a file, or compare two.",
    "separate": "Separate a song into stems.",
    "convert": "Convert a vocal with a trained voice.",
    "voices": "Make, check, list and show voices.",
    "train": "Train a voice from its takes.",
    "evaluate": "Score a voice or a finished cover, with a report.",
    "verify": "Read the content credentials of a finished file.",
    "effects": "List and show effects.",
    "desk": "Show and change the mixing desk: tracks, groups, buses, sends, automation.",
    "rack": "Show, change and measure the effects of a track, a group, a bus or the master.",
    "presets": "List, compare, hear, apply and keep presets.",
    "plugins": "Find, list and show VST3 plug-ins.",
    "midi": "List MIDI ports and watch what a controller sends.",
    "models": "List, verify and pull pretrained weights.",
    "cache": "Show and shrink the store of finished steps.",
    "config": "Show and change the settings of the studio.",
    "doctor": "Check what this machine can do.",
}

# With --json these write a stream of events, so that their failure is one more; the others write one value.
_STREAMING = {"render", "batch", "separate", "convert", "train", "play"}

# What other programs call some of ours.
_CALLED = {"delete": "remove", "del": "remove", "rm": "remove", "ls": "list", "info": "show", "create": "new"}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is used, not to list it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        return _with_plain(import_module(f"covermaker.cli.{cmd_name}").command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command, or say which name is nearest."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(f"no command '{args[0]}': {_meant(args[0], COMMANDS)}", ctx)
        name, command, rest = super().resolve_command(ctx, args)
        if isinstance(command, click.Group) and not hasattr(command, "default"):
            _refuse_unknown(command, click.Context(command, ctx, name), rest)
        return name, command, rest

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _refuse_unknown(group: click.Group, ctx: click.Context, args: list[str]) -> None:
    """Refuse a command that a group does not have, and say which one is meant. The group's own options are switches."""
    name = next((arg for arg in args if not arg.startswith("-")), None)
    if name is not None and name not in group.commands:
        raise click.UsageError(f"no command '{name}': {_meant(name, group.commands)}", ctx)


def _meant(name: str, known: Iterable[str]) -> str:
    """Say which command is meant: what people call otherwise, or what is written much alike."""
    names = list(known)
    other = _CALLED.get(name)
    return f"did you mean '{other}'?" if other in names else nearest(name, names, alike=0.7)


def _with_plain(command: click.Command) -> click.Command:
    """Give a command, and those that it groups, the option that all have."""
    if plain_option not in command.params:
        command.params.append(plain_option)
    if isinstance(command, click.Group):
        for one in command.commands.values():
            _with_plain(one)
    return command


@click.group(cls=LazyGroup, params=[plain_option], context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", prog_name="covermaker")
def cli() -> None:
    """Make a song cover with a trained singing voice.

    A project is a folder with a readable cover.toml. Rendering it separates the song, converts the vocal, runs the
    racks, mixes, masters and exports; only what changed is made again.
    """


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    code = run(sys.argv[1:])
    # Of an interrupt that came out of code made of text, as dataclasses are, Python remembers only that, and would
    # end by the signal in place of our exit code; it forgets when the next text is run.
    exec("")  # noqa: S102 - nothing is run
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command line; returns its exit code. Words about errors go to stderr."""
    # Alone in a terminal it is the studio; in a pipe, where nobody could see it, it is the help.
    arguments = arguments or (["ui"] if sys.stdin.isatty() and sys.stdout.isatty() else ["--help"])
    try:
        code: Any = cli.main(args=arguments, prog_name="covermaker", standalone_mode=False)
        return int(code) if isinstance(code, int) else int(ExitCode.OK)
    except CovermakerError as error:
        return _say(error.message, hint_of(error), int(error.exit_code), arguments)
    except click.exceptions.NoArgsIsHelpError as error:  # a group alone: its help is the answer
        click.echo(error.format_message())
        return int(ExitCode.OK)
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "covermaker"
        return _say(error.format_message(), f"see: {where} --help", int(ExitCode.USAGE), arguments)
    except click.ClickException as error:
        return _say(error.format_message(), None, int(ExitCode.USAGE), arguments)
    except (KeyboardInterrupt, click.Abort):
        return _say(
            "interrupted", "run it again: finished steps are kept", int(ExitCode.INTERRUPTED), arguments
        )
    except BrokenPipeError:
        # The reader of our output is gone (as in `covermaker … | head`): nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return int(ExitCode.OK)
    except Exception as error:
        if os.environ.get("COVERMAKER_DEBUG"):
            raise
        message = f"a defect in Covermaker: {type(error).__name__}: {error}"
        return _say(
            message, "run again with COVERMAKER_DEBUG=1 and report it", int(ExitCode.INTERNAL), arguments
        )


def _say(message: str, hint: str | None, code: int, arguments: list[str]) -> int:
    command = next((one for one in arguments if not one.startswith("-")), "")
    if "--json" in arguments and command in _STREAMING:
        from covermaker.graph.events import Failed

        click.echo(Failed(message, hint, code).to_json())
    click.echo(f"error: {message}", err=True)
    if hint:
        click.echo(f"       {hint}", err=True)
    return code
