import json

import pytest

from covermaker.graph.key import LEFT_OUT, canonical, seed_of, step_key


def key(**changes):
    values = {
        "kind": "rack",
        "version": 1,
        "params": {"gain_db": -3.0, "effects": [{"a": 1}]},
        "inputs": {"vocal": "abc/vocals.wav"},
        "weights": {"fcpe": "f00d"},
    }
    return step_key(**{**values, **changes})


def test_a_key_is_a_sha256_and_does_not_depend_on_the_order_of_parameters():
    one = key(params={"a": 1, "b": 2})
    assert one == key(params={"b": 2, "a": 1})
    assert len(one) == 64
    assert int(one, 16) >= 0


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "mix"},
        {"version": 2},
        {"params": {"gain_db": -3.5, "effects": [{"a": 1}]}},
        {"inputs": {"vocal": "abd/vocals.wav"}},
        {"inputs": {"song": "abc/vocals.wav"}},
        {"weights": {"fcpe": "beef"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_everything_that_changes_the_result_changes_the_key(change):
    assert key(**change) != key()


def test_the_name_under_which_weights_are_known_does_not_matter():
    assert key(weights={"my-fcpe": "f00d"}) == key()


@pytest.mark.parametrize("name", sorted(LEFT_OUT))
def test_what_cannot_change_the_result_may_not_enter_a_key(name):
    with pytest.raises(ValueError, match=name):
        key(params={name: "x"})
    with pytest.raises(ValueError, match=name):
        key(params={"nested": {name: "x"}})


def test_nan_is_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        key(params={"gain_db": float("nan")})


def test_canonical_json_is_json():
    assert json.loads(canonical({"b": 0.1, "a": "é"})) == {"a": "é", "b": 0.1}
    assert canonical({"b": 0.1, "a": "é"}) == '{"a":"é","b":0.1}'


def test_seeds_differ_and_fit_into_63_bits():
    seeds = {seed_of(key(version=version)) for version in range(50)}
    assert len(seeds) == 50
    assert all(0 <= seed < 2**63 for seed in seeds)
