"""Tables fit the terminal that reads them."""

import json

import click
import pytest
from click.testing import CliRunner

from covermaker.cli import output
from covermaker.cli.main import COMMANDS, LazyGroup, run
from covermaker.cli.output import table
from covermaker.cli.progress import listening
from covermaker.errors import ExitCode
from covermaker.graph.events import StepCached, StepFinished, StepProgress, StepStarted

ROWS = [
    ("fcpe", "packaged", "pitch, made for singing"),
    ("rmvpe", "not here", "pitch, robust in accompaniment"),
]


def test_a_table_is_as_wide_as_its_words_where_nobody_says_how_wide():
    assert table(ROWS).splitlines() == [
        "fcpe   packaged  pitch, made for singing",
        "rmvpe  not here  pitch, robust in accompaniment",
    ]


def test_the_last_column_wraps_under_itself():
    lines = table(ROWS, header=("weights", "where", "what they are"), width=42).splitlines()
    assert max(map(len, lines)) <= 42
    assert lines[3] == "rmvpe    not here  pitch, robust in"
    assert lines[4] == " " * 19 + "accompaniment"


def test_a_terminal_too_narrow_to_wrap_in_gets_whole_lines():
    assert table(ROWS, width=24) == table(ROWS)


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_can_be_plain(name):
    def check(command):
        assert "--plain" in [option for one in command.params for option in one.opts]
        for one in getattr(command, "commands", {}).values():
            check(one)

    check(LazyGroup().get_command(None, name))


@pytest.mark.parametrize("arguments", [["--plain", "effects", "list"], ["effects", "list", "--plain"]])
def test_plain_goes_before_or_behind_the_command_and_wraps_no_column(arguments, monkeypatch):
    monkeypatch.setattr(output.sys.stdout.__class__, "isatty", lambda self: True, raising=False)
    asked = []
    monkeypatch.setattr("covermaker.cli.effects.show", lambda *_: asked.append(output.is_plain()))
    assert run(arguments) == 0
    assert asked == [True]
    assert not output.is_plain()


@pytest.mark.parametrize("before", [[], ["--plain"]])
def test_a_stream_of_events_ends_with_the_failure_whatever_stands_before_the_command(before, capsys):
    assert run([*before, "separate", "no-such-song.wav", "--json"]) == ExitCode.AUDIO
    assert json.loads(capsys.readouterr().out)["event"] == "render.failed"


def test_plain_writes_a_line_a_change():
    @click.command(params=[output.plain_option])
    def render():
        with listening(as_json=False) as listener:
            listener(StepCached("decode", "k"))
            listener(StepStarted("separate", "k"))
            for at in range(101):
                listener(StepProgress("separate", at / 100))
            listener(StepFinished("separate", "k", 2.0))

    lines = CliRunner().invoke(render, ["--plain"]).stderr.splitlines()
    assert [line.split()[-1] for line in lines] == ["kept", "begins", "25%", "50%", "75%", "s"]


def test_the_stages_of_a_training_have_one_name_and_tell_the_time_left():
    @click.command(params=[output.plain_option])
    def train():
        with listening(as_json=False) as listener:
            listener(StepStarted("features", ""))
            listener(StepProgress("features", 0.5, seconds_left=620.0))
            listener(StepFinished("features", "", 2.0))
            listener(StepStarted("train: phrases", ""))

    lines = CliRunner().invoke(train, ["--plain"]).stderr.splitlines()
    assert lines == [
        "hearing the takes: begins",
        "hearing the takes: 50%, 10:20 left in all",
        "hearing the takes        2.0 s",
        "train: making the test phrases: begins",
    ]
