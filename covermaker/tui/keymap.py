"""Keys made of the table of actions: bindings, clashes, a user's own keys, docs/keys.md.

Only keys that every terminal passes on are used: letters, digits, signs, arrows, space, enter, escape, tab and ctrl
with a letter. ctrl+i, m, h, j and [ are tab, enter, backspace, newline and escape in most terminals, alt and the high
function keys are taken by window managers. What costs a lot or is final is a capital letter.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from covermaker.errors import nearest
from covermaker.tui.keytable import ACTIONS, EVERYWHERE, SEATS, Action

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from textual.binding import BindingType

BY_ID: Final = {action.id: action for action in ACTIONS}
DEFAULTS: Final = {action.id: action.key for action in ACTIONS}

# Screens that lie over another one: what is below does not hear their keys.
DIALOGS: Final = frozenset({"log", "help", "jump", "ask", "form", "picker", "singing"})

# How Textual calls the signs.
_SIGNS: Final = {
    "+": "plus", "-": "minus", "=": "equals_sign", "?": "question_mark", "/": "slash", "\\": "backslash",
    ",": "comma", ".": "full_stop", "[": "left_square_bracket", "]": "right_square_bracket",
    "{": "left_curly_bracket", "}": "right_curly_bracket", "<": "less_than_sign", ">": "greater_than_sign",
    "!": "exclamation_mark", "#": "number_sign", "*": "asterisk", ":": "colon", ";": "semicolon", "|": "vertical_line",
}  # fmt: skip
_NAMES: Final = {name: sign for sign, name in _SIGNS.items()}
_NAMED: Final = re.compile(r"\{([a-z-]+\.[a-z-]+)\}")
_NAMED_KEYS: Final = frozenset(
    {"up", "down", "left", "right", "home", "end", "pageup", "pagedown", "space", "enter", "escape", "tab"}
    | {"backspace", "delete", "shift+tab", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9"}
)
# These are tab, enter, backspace and newline; ctrl+c copies, ctrl+s, q and z belong to some terminals but reach us.
_ALIASES: Final = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+h": "backspace", "ctrl+j": "newline"}


def refuse(key: str) -> str | None:
    """Say why a key must not be used; None for one that every terminal passes on."""
    if key in _ALIASES:
        return f"{key} is {_ALIASES[key]} in most terminals"
    if re.fullmatch(r"[a-zA-Z0-9]", key) or key in _SIGNS or key in _NAMED_KEYS:
        return None
    if re.fullmatch(r"ctrl\+[a-z]", key):
        return "ctrl+c copies in every terminal" if key == "ctrl+c" else None
    return f"'{key}' is no key that every terminal passes on"


def textual_key(key: str) -> str:
    """Return what Textual calls a key."""
    return _SIGNS.get(key, key)


def shown(key: str) -> str:
    """Return a key as the footer shows it, from Textual's name or ours."""
    return {"escape": "esc", "pageup": "pgup", "pagedown": "pgdn"}.get(key, _NAMES.get(key, key))


def filled(text: str, keys: Mapping[str, str]) -> str:
    """Return a sentence with the keys that it names by their actions: ``"{library.add} adds one"``."""

    def key(found: re.Match[str]) -> str:
        wish = keys.get(found[1], "").split()
        return shown(wish[0]) if wish else found[0]

    return _NAMED.sub(key, text)


def of(screen: str, pane: str = "") -> tuple[Action, ...]:
    """Return the actions of a screen, or of one of its panes."""
    return tuple(action for action in ACTIONS if action.screen == screen and action.pane == pane)


def bindings(screen: str, pane: str = "") -> list[BindingType]:
    """Return Textual's bindings of a screen or a pane."""
    from textual.binding import Binding

    return [
        Binding(
            ",".join(textual_key(key) for key in action.keys),
            action.action,
            action.label,
            show=action.footer,
            priority=action.priority,
            tooltip=filled(action.tooltip, DEFAULTS),
            id=action.id,
            group=Binding.Group(action.group, compact=True) if action.group else None,
        )
        for action in of(screen, pane)
        if action.key
    ]


def chains() -> list[tuple[Action, ...]]:
    """Return every set of actions that can hear keys at the same time: a pane, its screen, the app."""
    places = dict.fromkeys((action.screen, action.pane) for action in ACTIONS if action.screen != EVERYWHERE)
    return [
        (
            *(of(screen, pane) if pane else ()),
            *of(screen),
            *(() if screen in DIALOGS else of(EVERYWHERE)),
        )
        for screen, pane in places
    ]


def clashes(keys: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
    """Yield each key that two actions of a chain have, with their ids; `keys` is every action's keys by its id."""
    told = set()
    for chain in chains():
        taken: dict[str, str] = {}
        for action in chain:
            for key in keys[action.id].split():
                other = taken.setdefault(key, action.id)
                if other != action.id and (key, other, action.id) not in told:
                    told.add((key, other, action.id))
                    yield key, other, action.id


def customised(wishes: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the keys by action id with a user's wishes, and a line for each wish that is not followed."""
    keys = dict(DEFAULTS)
    problems: list[str] = []
    for name, wish in wishes.items():
        if name not in BY_ID:
            problems.append(f"keymap: no action is called '{name}': {nearest(name, BY_ID)}")
            continue
        refused = [reason for key in wish.split() if (reason := refuse(key))]
        if refused:
            problems.append(f"keymap: {name}: {refused[0]}")
            continue
        clash = next(iter(clashes({**keys, name: wish})), None)
        if clash:
            other = clash[1] if clash[2] == name else clash[2]
            problems.append(f"keymap: {name}: {clash[0]} is the key of {other} already")
            continue
        keys[name] = wish
    return keys, problems


def overrides(keys: Mapping[str, str]) -> dict[str, str]:
    """Return what Textual calls a keymap: the keys that differ from the table."""
    return {
        name: ",".join(textual_key(key) for key in wish.split())
        for name, wish in keys.items()
        if wish != BY_ID[name].key
    }


def page() -> str:
    """Return docs/keys.md."""
    parts = [
        "# Keys",
        "",
        "Generated by `python scripts/make_keys.py` from `covermaker/tui/keys/`.",
        "",
        "`?` shows the keys of the pane you are in, `ctrl+p` finds every action by its name. To use other keys, run",
        "`covermaker config edit` and name the action:",
        "",
        "```toml",
        "[keymap]",
        '"library.render" = "r ctrl+l"',
        "```",
        "",
        "Several keys are separated by spaces. A key that is taken where the action can be heard is refused with the",
        "name of the other action, and so is a key that some terminals do not pass on.",
    ]
    for title, screen in _titles():
        parts += ["", f"## {title}", "", "| key | action | what it does | id |", "|---|---|---|---|"]
        for action in (action for action in ACTIONS if action.screen == screen):
            keys = " ".join(_code(key) for key in action.keys) or "palette"
            where = f" (in {action.pane})" if action.pane else ""
            tooltip = filled(action.tooltip, DEFAULTS)
            parts.append(f"| {keys} | {action.label}{where} | {tooltip} | `{action.id}` |")
    return "\n".join(parts) + "\n"


def _code(key: str) -> str:
    text = shown(key).replace("|", "\\|")
    return f"`{text}`"


def _titles() -> list[tuple[str, str]]:
    screens = dict.fromkeys(action.screen for action in ACTIONS)
    labels = {seat.name: seat.label for seat in SEATS}
    labels |= {
        EVERYWHERE: "Everywhere",
        "log": "The full log",
        "help": "Help",
        "jump": "Jump mode",
        "ask": "Questions",
        "form": "Forms",
        "picker": "Choosing files",
        "singing": "Voice settings of a song",
    }
    return [(labels[name], name) for name in screens]
