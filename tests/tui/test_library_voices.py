"""A voice's files dropped on the Library: no songs, and said where they go."""

import pytest
from model_files import stand_in
from studio_stage import lines, on_stage, studio, until
from textual.events import Paste


@pytest.mark.parametrize("name", ["miku.pth", "added_IVF.index", "folder"])
@on_stage
async def test_a_voice_is_no_song(library, states, tmp_path, name):
    place = tmp_path / "folder" if name == "folder" else tmp_path / name
    stand_in(place / "miku.pth" if name == "folder" else place)
    async with studio(library, size=(110, 24)) as (app, pilot):
        app.library.post_message(Paste(str(place)))
        await until(
            pilot,
            lambda: f"{name} is of a voice and no song: 4 opens Voices, drop it there" in lines(app)[-2],
        )
    assert not list(library.iterdir())
