"""The option --device names what exists and refuses what does not, before anything runs."""

import click
import pytest

from covermaker.cli.device import device_option
from covermaker.cli.main import cli, run
from covermaker.errors import ExitCode

PROJECT = "projects/demo"

(NETWORKS,) = click.command()(device_option(lambda device: None)).params


def commands(command, path=()):
    """Yield every command that there is, with the words that call it."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        yield from commands(command.get_command(context, name), (*path, name))


def call(path, command):
    """Return a command line with everything that the command requires."""
    given = []
    for one in command.params:
        if one.required:
            given += ["x.wav"] if isinstance(one, click.Argument) else [one.opts[0], "x.wav"]
    return [*path, *given]


# Where networks run; play has an option of that name for loudspeakers.
CALLS = {
    " ".join(path): call(path, command)
    for path, command in commands(cli)
    if any(one.name == "device" and one.callback is NETWORKS.callback for one in command.params)
}


def test_all_that_run_networks_have_it():
    assert set(CALLS) >= {"render", "separate", "convert", "train", "evaluate", "doctor", "voices audition"}
    assert "play" not in CALLS


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "cpu:1", "mps:0", ""])
def test_a_device_that_is_none_is_refused_with_the_names(name, device, capsys):
    assert run([*CALLS[name], "--device", device]) == ExitCode.USAGE
    said = capsys.readouterr().err
    assert f"unknown device '{device}'" in said
    assert "auto, cpu, cuda, cuda:N or mps" in said


def test_one_of_several_gpus_can_be_named(tmp_path, capsys):
    assert run(["render", PROJECT, "--dry-run", "--device", "cuda:3", "--store", str(tmp_path / "s")]) == 0
    assert "would run" in capsys.readouterr().out
