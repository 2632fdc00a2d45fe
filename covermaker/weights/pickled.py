"""A pickle, read as data: what it would call is written down, and never called.

A pickle is a program for a stack machine. Here is that machine without the two instructions that reach outside, to
import and to call: they leave a note of what was asked for (`Named`, `Made`). What a file claims to hold is measured
against what is left of it before memory is taken, and the machine's memory grows with the file, not with its claims.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_STEPS: Final = 5_000_000  # of the machine; a training checkpoint with its optimizer takes 200 000
LARGEST: Final = 1 << 48  # of any size or key
_LONGEST_LINE: Final = 1024
_NEWEST_PROTOCOL: Final = 5
_UNFIT: Final = "its instructions do not fit together"


class PickleError(ValueError):
    """The pickle is damaged, or does what no file of ours does."""


@dataclass(frozen=True, slots=True)
class Named:
    """A class or function that the pickle names."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(frozen=True, eq=False, slots=True)
class Kept:
    """Something that is kept outside the pickle, as the storage of a tensor is; `key` is what it is known by."""

    key: Any


@dataclass(eq=False, slots=True)
class Made:
    """What a call would have made.

    Attributes
    ----------
    by : object
        Who would have been called, mostly a `Named`.
    args : object
        With what, mostly a tuple.
    state : object
        What would have been put into it afterwards.
    """

    by: Any
    args: Any
    state: Any = None


@dataclass(frozen=True, slots=True)
class Pickled:
    """What a pickle holds, all classes and functions it names, and all that it keeps outside."""

    content: Any
    names: frozenset[Named]
    kept: tuple[Kept, ...]


# Dicts by another name: what is put into one afterwards is put into a dict.
_DICTS: Final = {Named("collections", "OrderedDict"), Named("collections", "defaultdict")}
_MARK: Final = object()


def read_pickle(file: IO[bytes], size: int) -> Pickled:
    """Read one pickle, from where the file stands to behind its end.

    Parameters
    ----------
    file : binary file
        Buffered: it is read in small pieces.
    size : int
        How many bytes are left of it at most.

    Raises
    ------
    PickleError
        When it is cut off, damaged, or longer than `MOST_STEPS`.
    """
    return _Machine(file, size).run()


@dataclass(slots=True)
class _Machine:
    file: IO[bytes]
    left: int
    stack: list[Any] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)
    names: set[Named] = field(default_factory=set)
    kept: list[Kept] = field(default_factory=list)

    def run(self) -> Pickled:
        try:
            for _ in range(MOST_STEPS):
                code = self.take(1)
                if code == b".":
                    return Pickled(self.stack.pop(), frozenset(self.names), tuple(self.kept))
                step = _STEPS.get(code)
                if step is None:
                    raise PickleError(f"it has an instruction {code!r} that is not known here")
                step(self)
        except PickleError:
            raise
        except (IndexError, KeyError, TypeError, ValueError, struct.error) as error:
            raise PickleError(_UNFIT) from error
        raise PickleError("it has more instructions than any model")

    # What the file gives

    def take(self, count: int) -> bytes:
        if not 0 <= count <= self.left:
            raise PickleError(f"it ends where {count} more bytes should be")
        data = self.file.read(count)
        if len(data) != count:
            raise PickleError("it is cut off")
        self.left -= count
        return data

    def number(self, form: str) -> Any:
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def line(self) -> bytes:
        data = self.file.readline(min(self.left, _LONGEST_LINE))
        if not data.endswith(b"\n"):
            raise PickleError("it is cut off")
        self.left -= len(data)
        return data[:-1]

    # What the stack gives

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def above_mark(self) -> list[Any]:
        for at in range(len(self.stack) - 1, -1, -1):
            if self.stack[at] is _MARK:
                found = self.stack[at + 1 :]
                del self.stack[at:]
                return found
        raise PickleError(_UNFIT)

    def drop_mark(self) -> None:
        self.above_mark()

    def pairs(self, values: list[Any]) -> None:
        """Put keys and values into the dict on top; into what stands for another object, nothing."""
        target = self.stack[-1]
        if isinstance(target, dict):
            target.update(_table(values))
        elif not isinstance(target, Made):
            raise PickleError(_UNFIT)

    def items(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, list):
            target.extend(values)
        elif isinstance(target, set):
            target.update(map(_key, values))
        elif not isinstance(target, Made):
            raise PickleError(_UNFIT)

    # What reaches outside, and here does not

    def name(self, module: Any, name: Any) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise PickleError(_UNFIT)
        found = Named(module, name)
        self.names.add(found)
        self.push(found)

    def call(self, by: Any, args: Any) -> None:
        self.push({} if isinstance(by, Named) and by in _DICTS else Made(by, args))

    def build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, Made):
            target.state = state


def _text(form: str) -> Callable[[_Machine], None]:
    return lambda it: it.push(it.take(it.number(form)).decode("utf-8", "surrogatepass"))


def _raw(form: str) -> Callable[[_Machine], None]:
    return lambda it: it.push(it.take(it.number(form)))


def _value(form: str) -> Callable[[_Machine], None]:
    return lambda it: it.push(it.number(form))


def _whole(form: str) -> Callable[[_Machine], None]:
    return lambda it: it.push(int.from_bytes(it.take(it.number(form)), "little", signed=True))


def _put(form: str) -> Callable[[_Machine], None]:
    def step(it: _Machine) -> None:
        it.memo[it.number(form)] = it.stack[-1]

    return step


def _get(form: str) -> Callable[[_Machine], None]:
    return lambda it: it.push(it.memo[it.number(form)])


def _last(count: int) -> Callable[[_Machine], None]:
    def step(it: _Machine) -> None:
        if len(it.stack) < count:
            raise PickleError(_UNFIT)
        found = tuple(it.stack[len(it.stack) - count :])
        del it.stack[len(it.stack) - count :]
        it.push(found)

    return step


def _protocol(it: _Machine) -> None:
    if it.number("<B") > _NEWEST_PROTOCOL:
        raise PickleError("it is of a newer kind than is known here")


def _integer(it: _Machine) -> None:
    text = it.line()
    it.push(text == b"01" if text in (b"00", b"01") else int(text))


def _key(value: Any) -> Any:
    # The hash of a tuple of tuples of tuples … would take Python's own stack; of huge numbers many have the same.
    if not isinstance(value, (str, bytes, int, float, Named, type(None))) or (
        isinstance(value, int) and not -LARGEST < value < LARGEST
    ):
        raise PickleError(_UNFIT)
    return value


def _table(values: list[Any]) -> dict[Any, Any]:
    return dict(zip(map(_key, values[::2]), values[1::2], strict=True))


def _keep(it: _Machine, key: Any) -> None:
    it.kept.append(Kept(key))
    it.push(it.kept[-1])


def _pair(it: _Machine) -> None:
    value, key = it.stack.pop(), it.stack.pop()
    it.pairs([key, value])


def _item(it: _Machine) -> None:
    value = it.stack.pop()
    it.items([value])


def _memoize(it: _Machine) -> None:
    it.memo[len(it.memo)] = it.stack[-1]


def _put_line(it: _Machine) -> None:
    it.memo[int(it.line())] = it.stack[-1]


def _global(it: _Machine) -> None:
    module = it.line().decode("utf-8")
    it.name(module, it.line().decode("utf-8"))


def _stack_global(it: _Machine) -> None:
    name, module = it.stack.pop(), it.stack.pop()
    it.name(module, name)


def _call(it: _Machine) -> None:
    args, by = it.stack.pop(), it.stack.pop()
    it.call(by, args)


def _call_with_words(it: _Machine) -> None:
    words, args, by = it.stack.pop(), it.stack.pop(), it.stack.pop()
    it.call(by, (args, words))


def _object(it: _Machine) -> None:
    by, *args = it.above_mark()
    it.call(by, tuple(args))


def _instance(it: _Machine) -> None:
    _global(it)
    by = it.stack.pop()
    it.call(by, tuple(it.above_mark()))


_STEPS: Final[dict[bytes, Callable[[_Machine], None]]] = {
    b"\x80": _protocol,
    b"\x95": lambda it: it.number("<Q"),  # how long the next piece is: the file is read in small ones anyway
    b"(": lambda it: it.push(_MARK),
    b"0": lambda it: it.stack.pop(),
    b"1": lambda it: it.drop_mark(),
    b"2": lambda it: it.push(it.stack[-1]),
    b"N": lambda it: it.push(None),
    b"\x88": lambda it: it.push(True),
    b"\x89": lambda it: it.push(False),
    b"I": _integer,
    b"J": _value("<i"),
    b"K": _value("<B"),
    b"M": _value("<H"),
    b"L": lambda it: it.push(int(it.line().rstrip(b"L"))),
    b"\x8a": _whole("<B"),
    b"\x8b": _whole("<i"),
    b"F": lambda it: it.push(float(it.line())),
    b"G": _value(">d"),
    b"X": _text("<I"),
    b"\x8c": _text("<B"),
    b"\x8d": _text("<Q"),
    b"V": lambda it: it.push(it.line().decode("raw-unicode-escape")),
    b"B": _raw("<I"),
    b"C": _raw("<B"),
    b"\x8e": _raw("<Q"),
    b"\x96": _raw("<Q"),
    b"T": _raw("<i"),
    b"U": _raw("<B"),
    b"S": lambda it: it.push(it.line()),
    b"}": lambda it: it.push({}),
    b"]": lambda it: it.push([]),
    b")": lambda it: it.push(()),
    b"\x8f": lambda it: it.push(set()),
    b"t": lambda it: it.push(tuple(it.above_mark())),
    b"\x85": _last(1),
    b"\x86": _last(2),
    b"\x87": _last(3),
    b"l": lambda it: it.push(it.above_mark()),
    b"d": lambda it: it.push(_table(it.above_mark())),
    b"\x91": lambda it: it.push(frozenset(map(_key, it.above_mark()))),
    b"a": _item,
    b"e": lambda it: it.items(it.above_mark()),
    b"s": _pair,
    b"u": lambda it: it.pairs(it.above_mark()),
    b"\x90": lambda it: it.items(it.above_mark()),
    b"p": _put_line,
    b"q": _put("<B"),
    b"r": _put("<I"),
    b"\x94": _memoize,
    b"g": lambda it: it.push(it.memo[int(it.line())]),
    b"h": _get("<B"),
    b"j": _get("<I"),
    b"c": _global,
    b"\x93": _stack_global,
    b"R": _call,
    b"\x81": _call,
    b"\x92": _call_with_words,
    b"o": _object,
    b"i": _instance,
    b"b": lambda it: it.build(),
    b"P": lambda it: _keep(it, it.line().decode("ascii")),
    b"Q": lambda it: _keep(it, it.stack.pop()),
}
