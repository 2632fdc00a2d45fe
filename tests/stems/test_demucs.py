"""Demucs: the same samples as the package's own evaluation, from any kind of file, safely."""

from __future__ import annotations

import pickle
import random
import zipfile
from fractions import Fraction
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from demucs_files import save_safetensors

from covermaker.errors import ResourceError, UsageError, WeightsError
from covermaker.stems import demucs
from covermaker.stems.demucs import DemucsSeparator
from covermaker.stems.demucs_models import find_bag, load_networks
from covermaker.weights.device import torch_ready

RATE = 44100
STEMS = ("vocals", "drums", "bass", "other")


def package_result(name, repo, song, *, shifts=0, **options):
    """What the demucs package computes for a normalised song, as its own API does; (stems, 2, n)."""
    torch = torch_ready()
    from demucs.apply import BagOfModels, apply_model

    bag = find_bag(name, repo)
    networks = load_networks(bag, "cpu")
    model = networks[0] if bag.weights is None else BagOfModels(networks, [list(row) for row in bag.weights])
    wav = torch.from_numpy(song)
    reference = wav.mean(0)
    mean, deviation = reference.mean(), reference.std() + 1e-8
    # A generator of its own: the network draws from the module's between the shifts.
    with torch.inference_mode(), mock.patch("demucs.apply.random", random.Random(0)):
        out = apply_model(model, ((wav - mean) / deviation)[None], shifts=shifts, device="cpu", **options)[0]
    return dict(zip(networks[0].sources, (out * deviation + mean).numpy(), strict=True))


@pytest.mark.parametrize(
    ("model", "frames", "options"),
    [
        ("tiny", 3 * RATE + 17, {}),
        ("bbbb", 3 * RATE + 17, {"overlap": 0.1}),
        ("tiny", 2 * RATE, {"overlap": 0.75}),
        ("tiny", 2 * RATE, {"segment": 0.31}),
        # The last window lies wholly in what the one before has covered.
        ("tiny", 22050 + 16537 + 5, {}),
        ("tiny", 1000, {}),
        ("pair", 2 * RATE + 1, {}),
        ("tiny", 2 * RATE, {"shifts": 2}),
        ("pair", RATE, {"shifts": 2, "overlap": 0.5}),
    ],
)
def test_equals_the_packages_own_evaluation(
    demucs_repo, noise, write_song, load_stems, tmp_path, model, frames, options
):
    song = noise(frames)
    theirs = package_result(model, demucs_repo, song, **options)
    separator = DemucsSeparator("cpu", model=model, repo=demucs_repo, **options)
    report = separator.separate(write_song(song), tmp_path / "out")
    ours = load_stems(tmp_path / "out", report.stems)
    assert report.stems == STEMS
    for name in STEMS[:-1]:
        np.testing.assert_allclose(ours[name], theirs[name], atol=1e-5)
    # The last stem carries the residue: the sum is the song, and the report says how much that was.
    residue = song - sum(theirs.values())
    np.testing.assert_allclose(ours["other"], theirs["other"] + residue, atol=2e-5)
    level_db = 10 * np.log10(np.square(residue).sum() / np.square(song).sum())
    assert report.residue_db == pytest.approx(level_db, abs=0.01)


@pytest.mark.parametrize("cores_there", [1, 8])
def test_the_machine_does_not_change_the_stems(
    demucs_repo, noise, write_song, load_stems, tmp_path, monkeypatch, cores_there
):
    """One core works on windows in turn, many on several at once, with as many threads each."""
    song = write_song(noise(3 * RATE + 17))
    separator = DemucsSeparator("cpu", model="tiny", repo=demucs_repo)
    expected = load_stems(tmp_path / "two", separator.separate(song, tmp_path / "two").stems)
    monkeypatch.setattr(demucs, "cores", lambda: cores_there)
    torch = torch_ready()
    before = torch.get_num_threads()
    torch.set_num_threads(cores_there)
    try:
        assert demucs.windows_at_once("cpu") == (4 if cores_there == 8 else 0)
        assert demucs.windows_at_once("cuda") == 1
        found = load_stems(tmp_path / "other", separator.separate(song, tmp_path / "other").stems)
    finally:
        torch.set_num_threads(before)
    for name in STEMS:
        np.testing.assert_array_equal(found[name], expected[name])


def test_silence_is_not_given_to_the_network(demucs_repo, write_song, load_stems, tmp_path):
    report = DemucsSeparator("cpu", model="tiny", repo=demucs_repo).separate(
        write_song(np.zeros((2, RATE))), tmp_path
    )
    assert not any(stem.any() for stem in load_stems(tmp_path, report.stems).values())


def test_progress_rises_to_one(demucs_repo, noise, write_song, tmp_path):
    seen = []
    separator = DemucsSeparator("cpu", model="pair", repo=demucs_repo, shifts=1)
    separator.separate(write_song(noise(RATE)), tmp_path / "out", progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(seen) > 4


def test_nothing_but_stems_is_left(demucs_repo, noise, write_song, tmp_path):
    song = write_song(noise(9600), 48000)
    DemucsSeparator("cpu", model="tiny", repo=demucs_repo).separate(song, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        f"{stem}.wav" for stem in STEMS
    )


def test_stems_and_hashes_without_torch(demucs_repo):
    """`why` and `status` ask for these, and must not wait for torch."""
    import subprocess
    import sys

    script = (
        "import sys; from covermaker.stems import SEPARATORS;"
        "s = SEPARATORS.load('demucs')('auto', model='pair', repo=sys.argv[1]);"
        "assert len(s.weights_used()) == 3 and s.stems == ('vocals', 'drums', 'bass', 'other'), s.stems;"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script, str(demucs_repo)], check=True)


def test_options_and_weights_enter_the_key(demucs_repo):
    one = DemucsSeparator("cpu", model="aaaa", repo=demucs_repo)
    two = DemucsSeparator("cpu", model="bbbb", repo=demucs_repo, shifts=2, overlap=0.5)
    assert one.weights_used() != two.weights_used()
    assert one.params() == {"shifts": 0, "overlap": 0.25, "segment": None}
    assert two.params() == {"shifts": 2, "overlap": 0.5, "segment": None, "shift_seed": 0}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shifts": -1}, "shifts must be 0 or more"),
        ({"overlap": 1.0}, "overlap must be at least 0 and below 1"),
        ({"segment": 0.0}, "segment must be above 0"),
    ],
)
def test_options_out_of_range(options, message):
    with pytest.raises(UsageError, match=message):
        DemucsSeparator("cpu", **options)


def test_a_transformer_has_a_longest_window(demucs_repo, noise, write_song, tmp_path):
    separator = DemucsSeparator("cpu", model="tiny", repo=demucs_repo, segment=0.6)
    with pytest.raises(UsageError, match=r"at most 0\.5 s"):
        separator.separate(write_song(noise(100)), tmp_path / "out")


class TestMemory:
    @pytest.fixture
    def scarce(self, monkeypatch):
        """Let the network run out of memory on inputs above a length, as CUDA and the CPU allocator say it."""
        from demucs.htdemucs import HTDemucs

        forward = HTDemucs.forward

        def install(longest, message="DefaultCPUAllocator: can't allocate memory"):
            def scarce_forward(self, mix):
                if mix.shape[-1] > longest:
                    raise RuntimeError(message)
                return forward(self, mix)

            monkeypatch.setattr(HTDemucs, "forward", scarce_forward)

        return install

    def test_windows_are_halved_until_they_fit(
        self, scarce, demucs_repo, noise, write_song, load_stems, tmp_path
    ):
        scarce(6000, "CUDA out of memory. Tried to allocate 2 GiB")
        song = write_song(noise(RATE))
        report = DemucsSeparator("cpu", model="tiny", repo=demucs_repo).separate(song, tmp_path / "a")
        assert "windows of 0.125 s" in report.notes[0]
        asked = DemucsSeparator("cpu", model="tiny", repo=demucs_repo, segment=0.125)
        asked.separate(song, tmp_path / "b")
        halved, wanted = (load_stems(tmp_path / folder, STEMS) for folder in "ab")
        assert all(np.array_equal(halved[name], wanted[name]) for name in STEMS)

    def test_not_for_ever(self, scarce, demucs_repo, noise, write_song, tmp_path):
        scarce(100)
        with pytest.raises(ResourceError, match=r"out of memory even with windows of 0\.0625 s"):
            DemucsSeparator("cpu", model="tiny", repo=demucs_repo).separate(
                write_song(noise(RATE)), tmp_path / "o"
            )
        assert not list((tmp_path / "o").iterdir())

    def test_other_errors_are_not_hidden(self, scarce, demucs_repo, noise, write_song, tmp_path):
        scarce(0, "expected scalar type Half")
        with pytest.raises(RuntimeError, match="scalar type"):
            DemucsSeparator("cpu", model="tiny", repo=demucs_repo).separate(
                write_song(noise(RATE)), tmp_path / "o"
            )


class TestFiles:
    def test_a_missing_model_says_what_to_do(self, monkeypatch, tmp_path):
        monkeypatch.setenv("COVERMAKER_MODELS", str(tmp_path))
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
        with pytest.raises(WeightsError, match="covermaker models pull htdemucs_ft"):
            _ = DemucsSeparator("cpu", model="htdemucs_ft").stems

    def test_an_unknown_model_names_the_nearest(self):
        with pytest.raises(WeightsError, match="did you mean 'htdemucs_ft'"):
            DemucsSeparator("cpu", model="htdemucs_tf").weights_used()

    def test_an_unknown_model_of_a_folder(self, demucs_repo):
        with pytest.raises(WeightsError, match="did you mean 'tiny'"):
            find_bag("tinny", demucs_repo)

    def test_a_repo_that_is_no_folder(self, tmp_path):
        with pytest.raises(WeightsError, match="no folder"):
            find_bag("tiny", tmp_path / "nowhere")

    def test_every_model_name_of_the_package_is_in_the_catalog(self):
        """Its bags of models; single signatures are parts of them."""
        from importlib.util import find_spec

        import yaml

        from covermaker.weights.catalog import entries

        bags = sorted(Path(find_spec("demucs").submodule_search_locations[0]).glob("remote/*.yaml"))
        assert len(bags) == 11
        for bag in bags:
            signatures = list(dict.fromkeys(yaml.safe_load(bag.read_text())["models"]))
            names = [file.name for file in entries()[bag.stem].files]
            assert names == [f"{bag.stem}.yaml", *(f"{signature}.safetensors" for signature in signatures)]

    def test_the_hub_repositories_are_the_packages(self):
        torch_ready()
        from demucs.hf import DEFAULT_NAMESPACE, hf_repo_name

        from covermaker.weights.catalog import entries

        for name, entry in entries().items():
            if "demucs" in entry.origin:
                assert entry.hub == f"{DEFAULT_NAMESPACE}/{hf_repo_name(name)}"

    def test_a_models_folder_as_pull_leaves_it(self, demucs_repo, monkeypatch, tmp_path):
        folder = tmp_path / "hdemucs_mmi"
        folder.mkdir()
        (folder / "hdemucs_mmi.yaml").write_text("models: ['75fc33f5']\nsegment: 44\n")
        (folder / "75fc33f5.safetensors").write_bytes((demucs_repo / "bbbb.safetensors").read_bytes())
        monkeypatch.setenv("COVERMAKER_MODELS", str(tmp_path))
        assert DemucsSeparator("cpu", model="hdemucs_mmi").stems == STEMS

    def test_the_two_formats_hold_the_same_network(self, demucs_repo, tmp_path):
        torch = torch_ready()
        (from_th,) = load_networks(find_bag("aaaa", demucs_repo), "cpu")

        save_safetensors(from_th, tmp_path, "aaaa")
        (from_safetensors,) = load_networks(find_bag("aaaa", tmp_path), "cpu")
        assert from_safetensors.segment == Fraction(1, 2)
        for name, tensor in from_th.state_dict().items():
            assert torch.equal(tensor, from_safetensors.state_dict()[name])

    def test_a_damaged_file_is_refused(self, demucs_repo, tmp_path):
        whole = next(demucs_repo.glob("aaaa-*.th"))
        damaged = tmp_path / whole.name
        content = bytearray(whole.read_bytes())
        content[len(content) // 2] ^= 1
        damaged.write_bytes(content)
        with pytest.raises(WeightsError, match="damaged"):
            find_bag("aaaa", tmp_path)

    def test_a_pickle_that_would_run_code_is_refused_and_runs_nothing(self, demucs_repo, tmp_path):
        class Trap:
            def __reduce__(self):
                return (Path.touch, (tmp_path / "sprung",))

        torch = torch_ready()
        package = torch.load(next(demucs_repo.glob("aaaa-*.th")), weights_only=False)
        torch.save({**package, "training_args": Trap()}, tmp_path / "trap.th")
        bag = find_bag("trap", tmp_path)
        assert bag.sources() == ("drums", "bass", "other", "vocals")
        with pytest.raises(WeightsError, match="holds more than tensors"):
            load_networks(bag, "cpu")
        assert not (tmp_path / "sprung").exists()

    def test_a_class_of_another_package_is_refused(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "x.th", "w") as archive:
            content = {"klass": pickle.Pickler, "args": (), "kwargs": {"sources": ["a"]}, "state": {}}
            archive.writestr("x/data.pkl", pickle.dumps(content))
        with pytest.raises(WeightsError, match="holds a Pickler"):
            find_bag("x", tmp_path).sources()

    def test_a_quantised_model_asks_for_its_package(self, tmp_path, demucs_repo):
        from safetensors import safe_open
        from safetensors.torch import save_file

        torch = torch_ready()
        with safe_open(str(demucs_repo / "bbbb.safetensors"), framework="pt") as file:
            metadata = file.metadata()
        structure = '{"_dict": [["__quantized", true], ["quantized", {"_list": [{"_tensor": "a"}]}]]}'
        path = tmp_path / "q.safetensors"
        save_file({"a": torch.zeros(2)}, str(path), metadata={**metadata, "structure": structure})
        with pytest.raises(WeightsError, match="pip install diffq"):
            load_networks(find_bag("q", tmp_path), "cpu")

    @pytest.mark.parametrize("content", [b"", b"not weights", b"PK\x03\x04 cut short"])
    @pytest.mark.parametrize("suffix", ["th", "safetensors"])
    def test_rubbish_is_refused(self, tmp_path, content, suffix):
        (tmp_path / f"x.{suffix}").write_bytes(content)
        with pytest.raises(WeightsError):
            find_bag("x", tmp_path).sources()

    @pytest.mark.parametrize("content", ["", "[1, 2]", "models: []", "models: [", "segment: 4"])
    def test_a_definition_that_defines_nothing(self, tmp_path, content):
        (tmp_path / "x.yaml").write_text(content)
        with pytest.raises(WeightsError, match="no model definition"):
            find_bag("x", tmp_path)
