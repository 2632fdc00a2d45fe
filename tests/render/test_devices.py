"""A step hands on the device that it was given, with its number."""

from pathlib import Path

import numpy as np
import pytest

from covermaker.graph.step import Work
from covermaker.render import singwork


@pytest.mark.parametrize(
    ("device", "wanted"), [("cuda:1", "cuda:1"), ("cuda", "cuda"), ("mps", "cpu"), ("cpu", "cpu")]
)
def test_content_is_read_where_the_step_was_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str, wanted: str
) -> None:
    asked = []

    def read(vocal: Path, *, device: str, **_: object) -> np.ndarray:
        asked.append(device)
        return np.zeros((2, 4), np.float16)

    monkeypatch.setattr("covermaker.features.content.extract_content", read)
    monkeypatch.setattr(singwork, "network_device", lambda work: device)
    singwork.content(Work(tmp_path, {"vocal": tmp_path}, lambda fraction: None, 0), encoder="whisper-base")
    assert asked == [wanted]
