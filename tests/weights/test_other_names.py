"""A network that several programs publish under names of their own is taken under each, from the user's folder."""

from __future__ import annotations

import hashlib

import pytest

from covermaker.errors import WeightsError
from covermaker.weights import catalog


def put(folder, name, content=b"weights"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ("contentvec", "pytorch_model.bin"),
        ("contentvec", "model.safetensors"),
        ("contentvec", "hubert_base.pt"),
        ("contentvec", "checkpoint_best_legacy_500.pt"),
        ("rmvpe", "model.pt"),
    ],
)
def test_a_file_in_the_models_folder_is_taken(models, entry, name):
    path = put(models / entry, name)
    assert catalog.locate(entry) == path
    assert catalog.find(entry).source == "models folder"
    assert catalog.fingerprint(entry) == hashlib.sha256(b"weights").hexdigest()
    assert catalog.verify(entry).path == path


def test_the_catalogs_own_name_comes_first(models):
    put(models / "contentvec", "hubert_base.pt")
    path = put(models / "contentvec", "pytorch_model.bin", b"other weights")
    assert catalog.locate("contentvec") == path


def test_another_programs_folder_may_be_named(tmp_path, monkeypatch):
    """As the folder assets/hubert of an RVC installation."""
    path = put(tmp_path / "hubert", "hubert_base.pt")
    monkeypatch.setenv("COVERMAKER_WEIGHTS_CONTENTVEC", str(tmp_path / "hubert"))
    assert catalog.locate("contentvec") == path
    path.unlink()
    with pytest.raises(WeightsError, match=r"holds no pytorch_model\.bin or .*hubert_base\.pt"):
        catalog.locate("contentvec")


def test_a_file_that_is_missing_says_where_to_put_it(models):
    with pytest.raises(WeightsError) as caught:
        catalog.locate("contentvec")
    assert caught.value.hint == (
        "covermaker models pull contentvec or put pytorch_model.bin (or model.safetensors, hubert_base.pt, "
        f"checkpoint_best_legacy_500.pt) into {models / 'contentvec'}"
    )


def test_another_release_under_the_checked_name_is_told_how_to_be_taken(models):
    """so-vits-svc asks its users to call another file rmvpe.pt, too."""
    put(models / "rmvpe", "rmvpe.pt")
    with pytest.raises(
        WeightsError, match=r"7 bytes, not 181184272.*another program's file is taken as model\.pt"
    ):
        catalog.locate("rmvpe")
