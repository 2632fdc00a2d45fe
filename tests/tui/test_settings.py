"""The settings file: strict, its comments kept; the command that shows and edits it."""

import json
import sys
from pathlib import Path

import pytest

from covermaker.cli.config import command as config
from covermaker.errors import CovermakerError, ProjectError, UsageError
from covermaker.tui import settings as room
from covermaker.tui.settings import Settings, change_setting, config_file, load_settings, template


def run(*arguments):
    return config.main(args=list(arguments), standalone_mode=False)


@pytest.fixture
def file():
    return config_file()


def test_without_a_file_there_are_defaults(file):
    assert not file.exists()
    assert load_settings() == Settings()


def test_an_unknown_key_is_named_with_its_line_and_the_nearest(file):
    file.write_text('# mine\nthem = "nord"\n')
    with pytest.raises(ProjectError) as refused:
        load_settings()
    assert f"{file}:2" in str(refused.value)
    assert "did you mean 'theme'?" in str(refused.value)


@pytest.mark.parametrize(
    "text", ['fps = "15"', "fps = 0", 'charset = "utf8"', "keymap = 1", "x", "[keymap]\na = 1"]
)
def test_nonsense_is_refused_in_one_line(file, text):
    file.write_text(text)
    with pytest.raises(CovermakerError) as refused:
        load_settings()
    assert "\n" not in str(refused.value)
    assert str(file) in str(refused.value)


def test_the_template_changes_nothing_and_names_every_key(file):
    file.write_text(template())
    assert load_settings() == Settings()
    for name in Settings.model_fields:
        assert name in template()
    # Every line that is commented out is a setting that would be taken.
    wanted = [
        line.removeprefix("# ")
        for line in template().splitlines()
        if line.startswith("[") or (line.startswith("# ") and " = " in line and "`" not in line)
    ]
    file.write_text("\n".join(wanted))
    assert load_settings() == Settings()


def test_a_keymap_may_be_written_with_and_without_quotes(file):
    file.write_text('[keymap]\n"library.add" = "a"\nlibrary.render = "r ctrl+l"\n')
    assert load_settings().keymap == {"library.add": "a", "library.render": "r ctrl+l"}


def test_changing_one_key_keeps_comments_and_tables(file):
    file.write_text('# mine\nfps = 20  # quick\n\n[keymap]\n"library.add" = "a"\n')
    assert change_setting("theme", "nord").theme == "nord"
    text = file.read_text()
    assert "# mine" in text
    assert "# quick" in text
    assert load_settings() == Settings(theme="nord", fps=20, keymap={"library.add": "a"})
    with pytest.raises(ProjectError):
        change_setting("fps", 99)
    assert file.read_text() == text


def test_changing_makes_the_file(file):
    change_setting("theme", "nord")
    assert load_settings().theme == "nord"


def test_where_projects_are(monkeypatch, tmp_path):
    assert room.projects_folder(Settings()) == tmp_path / "library"
    monkeypatch.delenv("COVERMAKER_PROJECTS")
    assert room.projects_folder(Settings()) == Path.home() / "covermaker"
    assert room.projects_folder(Settings(projects="~/songs")) == Path.home() / "songs"
    with pytest.raises(UsageError, match="projects = '~nobody-at-all/x' leads nowhere"):
        room.projects_folder(Settings(projects="~nobody-at-all/x"))


@pytest.mark.parametrize(
    ("encoding", "driver", "charset"),
    [("utf-8", "", "unicode"), ("ascii", "", "ascii"), ("ascii", "web", "unicode")],
)
def test_auto_asks_the_terminal(monkeypatch, encoding, driver, charset):
    class Terminal:
        pass

    Terminal.encoding = encoding
    monkeypatch.setattr(sys, "__stdout__", Terminal())
    monkeypatch.setenv("TEXTUAL_DRIVER", driver)
    assert room.charset_of(Settings()) == charset
    assert room.charset_of(Settings(charset="block")) == "block"


def test_show_and_path(capsys, file):
    file.write_text("fps = 20\n")
    run("path")
    assert capsys.readouterr().out == f"{file}\n"
    run("show")
    out = capsys.readouterr().out
    assert "fps" in out
    assert "set" in out
    run("show", "--json")
    assert json.loads(capsys.readouterr().out)["fps"] == 20


def test_edit_makes_the_file_and_checks_it(monkeypatch, capsys, file, tmp_path):
    script = tmp_path / "my editor.py"
    script.write_text("import sys; open(sys.argv[1], 'a').write('\"library.add\" = \"alt+a\"\\n')")
    monkeypatch.setenv("EDITOR", f"{sys.executable} '{script}'")
    monkeypatch.delenv("VISUAL", raising=False)
    run("edit")
    assert file.read_text().startswith("# Covermaker's settings")
    assert "alt+a" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("editor", "said"), [("no-such-editor", "there is no editor"), ("false", "exit status 1")]
)
def test_an_editor_that_is_not_there(monkeypatch, editor, said):
    monkeypatch.setenv("VISUAL", editor)
    with pytest.raises(UsageError, match=said):
        run("edit")
