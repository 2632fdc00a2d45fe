"""A pickle read as data: what it holds comes back, what it asks for is noted, and nothing happens."""

from __future__ import annotations

import io
import os
import pickle
import struct
import tracemalloc
from collections import OrderedDict
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from covermaker.weights.arrays import array_of
from covermaker.weights.pickled import Made, Named, PickleError, read_pickle

PLAIN = {
    "none": None, "yes": True, "no": False, "small": 7, "two": 300, "four": -70_000, "long": 2**80, "minus": -(2**70),
    "float": 0.1, "text": "é" * 300, "bytes": b"\x00\xff" * 200, "list": [1, [2, []]],
    "tuple": ((), (1,), (1, 2), (1, 2, 3, 4)), "set": {"a"}, 3: {"x": {}},
}  # fmt: skip


def read(data):
    return read_pickle(io.BytesIO(data), len(data))


@pytest.mark.parametrize("protocol", range(6))
def test_plain_values_come_back(protocol):
    # Before protocol 3 bytes are a call, before 4 sets are.
    wanted = {key: value for key, value in PLAIN.items() if protocol > 3 or key not in ("bytes", "set")}
    assert read(pickle.dumps(wanted, protocol=protocol)).content == wanted
    ordered = read(pickle.dumps(OrderedDict(a=1, b=[2]), protocol=protocol)).content
    assert ordered == {"a": 1, "b": [2]}


@pytest.mark.parametrize("protocol", range(5))
@pytest.mark.parametrize("dtype", ["f2", "f4", ">f4", "f8"])
def test_arrays_come_back(protocol, dtype):
    table = np.arange(12, dtype=dtype).reshape(3, 4)
    for array in (table, np.asfortranarray(table), np.zeros((0, 3), dtype)):
        found = array_of(read(pickle.dumps(array, protocol=protocol)).content)
        assert found.dtype == array.dtype
        assert np.array_equal(found, array)


def test_other_values_are_no_arrays():
    for value in (np.arange(3), np.array(["a"]), np.float64(3.0), Fraction(1, 2)):
        assert array_of(read(pickle.dumps(value, protocol=2)).content) is None


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


@pytest.mark.parametrize("protocol", range(6))
def test_what_a_pickle_would_call_is_noted_and_not_called(tmp_path, protocol):
    found = read(pickle.dumps({"a": Trap(tmp_path / "sprung")}, protocol=protocol))
    assert found.names == {Named("posix", "mkdir")}
    made = found.content["a"]
    assert isinstance(made, Made)
    assert (made.by, made.args) == (Named("posix", "mkdir"), (str(tmp_path / "sprung"),))
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "code",
    [
        b"cos\nsystem\n(S'touch sprung'\ntR.",
        b"(S'touch sprung'\nios\nsystem\n.",
        b"(cos\nsystem\nS'touch sprung'\no.",
        b"\x80\x02cos\nsystem\nX\x0c\x00\x00\x00touch sprung\x85\x81.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x0ctouch sprung\x85}\x92.",
    ],
)
def test_every_way_to_call_is_inert(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Named("os", "system") in read(code).names
    assert not list(tmp_path.iterdir())


def test_a_pickle_that_is_cut_anywhere_says_so():
    data = pickle.dumps(PLAIN, protocol=4)
    for length in range(len(data)):
        with pytest.raises(PickleError):
            read(data[:length])


GREEDY = {
    "bytes of 2^60": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 60) + b".",
    "text of 2^60": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 60) + b".",
    "a bytearray of 2^62": b"\x80\x05\x96" + struct.pack("<Q", 1 << 62) + b".",
    "text of 4 GB": b"\x80\x02X" + struct.pack("<I", 0xFFFFFFFF) + b".",
    "a whole number of 2 GB": b"\x80\x02\x8b" + struct.pack("<i", 0x7FFFFFFF) + b".",
    "a whole number of -1 bytes": b"\x80\x02\x8b" + struct.pack("<i", -1) + b".",
    "a line without end": b"c" + b"x" * 5000 + b"\n.",
}


@pytest.mark.parametrize("data", GREEDY.values(), ids=GREEDY)
def test_what_it_claims_takes_no_memory(data):
    tracemalloc.start()
    try:
        with pytest.raises(PickleError):
            read(data)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_far_place_of_the_memo_takes_no_memory():
    tracemalloc.start()
    try:
        assert (
            read(
                b"\x80\x02Nr" + struct.pack("<I", 0xFFFFFFF0) + b"j" + struct.pack("<I", 0xFFFFFFF0) + b"."
            ).content
            is None
        )
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "data",
    [
        b".", b"", b"N", b"\x80\x09N.", b"\x80\x02u.", b"\x80\x02h\x05.", b"\x80\x02}N.N", b"\x80\x02}]Ns.",
        b"\x80\x02}" + b")" + b"\x85" * 300_000 + b"Ns.", b"Inot a number\n.", b"\x82\x01.", b"\x80\x02NNb",
        b"\x80\x02K\x01a.", b"\x80\x02}(K\x01u.", b"\x80\x05\x97.",
    ],
)  # fmt: skip
def test_instructions_that_do_not_fit_are_refused(data):
    try:
        read(data)
    except PickleError:
        return
    # Harmless: it ended before the mistake.
    assert data.startswith(b"\x80\x02}N.")


def test_a_pickle_without_end_is_refused(monkeypatch):
    monkeypatch.setattr("covermaker.weights.pickled.MOST_STEPS", 1000)
    with pytest.raises(PickleError, match="more instructions"):
        read(b"\x80\x02" + b"N0" * 1000 + b"N.")


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=60), at=st.integers(0, 400), kept=st.integers(0, 400))
def test_a_damaged_pickle_is_read_or_refused_and_nothing_else(data, at, kept):
    whole = pickle.dumps({"weight": OrderedDict(a=np.zeros(3, "f4"), b=[Fraction(1, 3)])}, protocol=2)
    try:
        found = read(whole[:at] + data + whole[at + kept :])
        array_of(found.content)
    except PickleError:
        pass
