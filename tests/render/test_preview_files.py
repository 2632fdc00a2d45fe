"""Files of previews: the last few stay, those of a process that is gone go, those of other machines stay."""

import os
import subprocess
import sys

import numpy as np

from covermaker.audio.files import read
from covermaker.disk import this_host
from covermaker.render.preview_files import PreviewFiles

SOUND = np.full((2, 100), 0.25, np.float32)


def test_what_gone_processes_of_this_machine_left_is_swept(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = {f"{gone.pid}-1-{this_host()}.wav", f".{gone.pid}-2-{this_host()}.wav"}
    stay = {f"{gone.pid}-1-elsewhere.wav", f"{os.getpid()}-77-{this_host()}.wav", "notes.wav"}
    for name in left | stay:
        (tmp_path / name).touch()
    made = PreviewFiles(tmp_path).write(SOUND, 8000)
    assert {file.name for file in tmp_path.iterdir()} == {*stay, made.name}


def test_the_last_few_of_a_process_stay(tmp_path):
    files = PreviewFiles(tmp_path / "new")
    made = [files.write(SOUND / (number + 1), 8000) for number in range(9)]
    assert [file.exists() for file in made] == [False] * 3 + [True] * 6
    assert np.array_equal(read(made[-1]).samples, SOUND / 9)
    assert all(
        file.name.startswith(f"{os.getpid()}-") for file in made
    )  # by which the studio takes them away
