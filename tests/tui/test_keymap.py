"""The contract of every key: an id, a tooltip, a palette entry, a line in docs/keys.md, no clash, none forbidden."""

import pkgutil
import re
from importlib import import_module
from pathlib import Path

import pytest
from textual.app import App

import covermaker.tui
from covermaker.tui import keymap
from covermaker.tui.actions import Acting, is_move, offered
from covermaker.tui.app import Studio
from covermaker.tui.keytable import ACTIONS, EVERYWHERE, SEATS
from covermaker.tui.screens.base import StudioScreen
from covermaker.tui.songlist import Songs


def _owners():
    """Return every class of the studio that carries actions: a new screen is held to the contract by being there."""
    for module in pkgutil.walk_packages(covermaker.tui.__path__, "covermaker.tui."):
        import_module(module.name)
    found, new = set(), {Acting}
    while new:
        found |= new
        new = {sub for owner in new for sub in owner.__subclasses__()} - found
    return sorted((owner for owner in found if "BINDINGS" in vars(owner)), key=lambda owner: owner.__name__)


OWNERS = _owners()


def test_ids_are_unique_and_say_where():
    ids = [action.id for action in ACTIONS]
    assert len(ids) == len(set(ids))
    for action in ACTIONS:
        scope = "studio" if action.screen == EVERYWHERE else action.screen
        assert re.fullmatch(rf"{scope}\.[a-z-]+", action.id)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.id)
def test_every_action(action):
    assert action.label
    assert action.tooltip.endswith(".")
    assert len(action.label) <= 14
    for key in action.keys:
        assert keymap.refuse(key) is None, key
    assert not action.keys or any(key != "f1" for key in action.keys), "f1 is taken by some terminals"
    if action.costly:
        assert action.keys[0].isupper(), "what costs is a capital"


def test_sentences_name_keys_by_their_actions():
    for action in ACTIONS:
        said = keymap.filled(action.tooltip, keymap.DEFAULTS)
        assert "{" not in said, action.id
        by_hand = re.sub(r"\{.*?\}", "", action.tooltip)
        assert not re.search(r"\b([b-zA-Z]|escape|enter|tab) (brings|takes|shows|goes)\b", by_hand), action.id
    other = keymap.filled(keymap.BY_ID["library.remove"].tooltip, {"studio.undo": "ctrl+z"})
    assert other.endswith("ctrl+z brings it back.")


def test_no_key_has_two_meanings_at_a_time():
    assert list(keymap.clashes({action.id: action.key for action in ACTIONS})) == []


def test_every_binding_of_ours_comes_from_the_table():
    found = {binding.id for owner in OWNERS for binding in owner.BINDINGS}
    assert found == {action.id for action in ACTIONS if action.key}


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.id)
def test_somebody_carries_it_out(action):
    name = action.action.rpartition(".")[2].partition("(")[0]
    if action.action.startswith("app."):
        owners = [Studio]
    elif action.action.startswith("screen."):
        owners = [StudioScreen]
    else:
        owners = [owner for owner in OWNERS if (action.screen, action.pane) == (owner.SCREEN, owner.PANE)]
    assert owners
    assert all(hasattr(owner, f"action_{name}") for owner in owners)


def test_the_palette_offers_everything_that_is_no_mere_move():
    for seat in SEATS:
        told = {action.id for action in offered(seat.name)}
        wanted = {a.id for a in ACTIONS if a.screen in {seat.name, EVERYWHERE} and not is_move(a)}
        assert told == wanted


def test_the_page_of_keys_is_up_to_date():
    page = Path(__file__).resolve().parents[2] / "docs" / "keys.md"
    assert page.read_text(encoding="utf-8") == keymap.page(), "run: python scripts/make_keys.py"
    for action in ACTIONS:
        assert f"`{action.id}`" in keymap.page()


def test_textual_knows_our_keys_by_the_same_names():
    from textual.keys import _character_to_key

    for action in ACTIONS:
        for key in action.keys:
            if len(key) == 1 and not key.isalnum():
                assert keymap.textual_key(key) == _character_to_key(key)
                assert keymap.shown(keymap.textual_key(key)) == key


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("ctrl+i", "tab"), ("ctrl+m", "enter"), ("ctrl+h", "backspace"), ("ctrl+j", "newline"), ("alt+a", "no key"),
        ("f11", "no key"), ("ctrl+c", "copies"), ("super+x", "no key"), ("ctrl+1", "no key"), ("ä", "no key"),
    ],
)  # fmt: skip
def test_forbidden_keys(key, reason):
    assert reason in keymap.refuse(key)


def test_a_user_s_keys():
    keys, problems = keymap.customised({"library.render": "x ctrl+l", "library.sort": ""})
    assert not problems
    assert keys["library.render"] == "x ctrl+l"
    assert keymap.overrides(keys)["library.render"] == "x,ctrl+l"
    assert (
        keymap.filled("{library.render} and {library.add}; {no.such} {x}", keys) == "x and +; {no.such} {x}"
    )


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"library.rendr": "x"}, "did you mean 'library.render'?"),
        ({"library.render": "alt+r"}, "no key that every terminal passes on"),
        ({"library.render": "d"}, "d is the key of library.remove already"),
        ({"library.render": "q"}, "q is the key of studio.quit already"),
        ({"library.songs-up": "+"}, "+ is the key of library.add already"),
    ],
)
def test_a_wish_that_is_not_followed_changes_nothing(wish, said):
    keys, problems = keymap.customised(wish)
    assert said in problems[0]
    assert keymap.overrides(keys) == {}


def test_the_table_leaves_textual_s_palette_key_to_us():
    assert App.COMMAND_PALETTE_BINDING == "ctrl+p"


def test_the_columns_of_the_list_fit_wherever_they_are_shown():
    for width in (column.from_width for column in Songs.COLUMNS if column.from_width):
        shown = [column for column in Songs.COLUMNS if column.from_width <= width]
        assert 2 + sum(column.width + 1 for column in shown) <= width
