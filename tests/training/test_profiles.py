"""Profiles: what they hold, what the command line changes, what a file may say."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from covermaker.errors import ProjectError, UsageError
from covermaker.training.profile_choice import load_profile
from covermaker.training.profiles import PROFILES, Profile

REFERENCE = Path(__file__).parents[2] / "docs" / "profile-file.md"


def test_profiles_survive_json() -> None:
    for profile in PROFILES.values():
        assert Profile.from_dict(json.loads(json.dumps(profile.as_dict()))) == profile


def test_minutes_and_steps(tmp_path: Path) -> None:
    assert load_profile("quick", tmp_path).minutes == PROFILES["quick"].minutes
    assert load_profile("quick", tmp_path, minutes=30).minutes == 30
    fixed = load_profile("quick", tmp_path, steps=100)
    assert (fixed.minutes, fixed.recipe.steps) == (None, 100)


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("quik", {}, "did you mean 'quick'"),
        ("quick", {"minutes": 0.1}, "out of range"),
        ("quick", {"steps": 0}, "out of range"),
        ("quick", {"steps": 5, "minutes": 5.0}, "exclude each other"),
    ],
)
def test_nonsense_is_refused(tmp_path: Path, name: str, options: dict[str, float], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        load_profile(name, tmp_path, **options)  # type: ignore[arg-type]


def test_a_custom_profile_changes_quick(tmp_path: Path) -> None:
    (tmp_path / "profile.toml").write_text(
        'encoder = "whisper-tiny.en"\n[recipe]\nsteps = 77\npeak_rate = 1\n[size]\ndilations = [1, 3]\n'
    )
    profile = load_profile("custom", tmp_path)
    assert (profile.name, profile.encoder, profile.minutes) == ("custom", "whisper-tiny.en", None)
    assert (profile.recipe.steps, profile.recipe.peak_rate) == (77, 1.0)
    assert profile.size.dilations == (1, 3)
    assert profile.augmentation == PROFILES["quick"].augmentation
    (tmp_path / "profile.toml").write_text("minutes = 20\n")
    assert load_profile("custom", tmp_path).minutes == 20.0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[recipe]\nstep = 5\n", "unknown key 'recipe.step'.*did you mean 'steps'"),
        (
            "colour = 1\n",
            "unknown key 'colour'.*augmentation, encoder, heldout_seconds, minutes, network, recipe, size",
        ),
        ("batch_size = 4\n", "unknown key 'batch_size'.*belongs into .recipe."),
        ("hidden = 4\n", "unknown key 'hidden'.*belongs into .size. or .vits."),
        ("[recipie]\nsteps = 4\n", "unknown key 'recipie'.*did you mean 'recipe'"),
        ('network = "vits"\n[vits]\nhidden_channels = 8\n', "vits.hidden_channels'.*did you mean 'hidden'"),
        ("[recipe]\nsteps = 1.5\n", "recipe.steps = 1.5 is of the wrong kind"),
        ("[recipe]\nsteps = true\n", "wrong kind"),
        ("[size]\ndilations = []\n", "wrong kind"),
        ("recipe = 3\n", r"recipe = 3 is of the wrong kind .a table: \[recipe\]"),
        ("[recipe\n", "is no TOML"),
        ("minutes = 0\n", "minutes = 0 is out of range"),
        ("[recipe]\nsteps = 0\n", "recipe.steps = 0 is out of range"),
        ("[recipe]\npatience = 0\n", "recipe.patience = 0 is out of range"),
        ("[recipe]\nadversarial = 2.0\n", "recipe.adversarial = 2.0 is out of range"),
        ('[recipe]\nhalf = "yes"\n', "recipe.half = 'yes' is no choice"),
    ],
)
def test_a_wrong_custom_profile_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "profile.toml").write_text(text)
    with pytest.raises(ProjectError, match=says):
        load_profile("custom", tmp_path)


@pytest.mark.parametrize("network", ["ddsp", "vits"])
def test_every_key_of_the_reference_is_read(tmp_path: Path, network: str) -> None:
    """The page names all of them, with the values that they have unless another is said."""
    lines = {"": [f'network = "{network}"']}
    table, column = "", 3 if network == "ddsp" else 4
    for line in REFERENCE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            table = line.strip("#` ")
            lines[table] = []
        cells = [cell.strip().strip("`") for cell in line.split("|")]
        if line.startswith("| `") and cells[column] and cells[1] != "network":
            lines[table].append(f"{cells[1]} = {cells[column]}")
    assert set(lines) == {"", "[augmentation]", "[size]", "[recipe]", "[vits]"}
    assert sum(map(len, lines.values())) > 20
    text = "\n".join(line for table, keys in lines.items() if keys for line in (table, *keys))
    (tmp_path / "profile.toml").write_text(text)
    usual = PROFILES["quick" if network == "ddsp" else "rvc"]
    assert load_profile("custom", tmp_path) == replace(usual, name="custom", minutes=None)


def test_a_wrong_value_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "profile.toml").write_text("minutes = 5\n\n[recipe]\nsteps = 100\npatience = 0\n")
    with pytest.raises(ProjectError, match=r"profile\.toml:5: recipe\.patience = 0 is out of range"):
        load_profile("custom", tmp_path)


def test_a_missing_custom_profile_says_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"needs .*profile\.toml"):
        load_profile("custom", tmp_path)
