"""Another voice for a song, chosen on its screen."""

import shutil

from studio_stage import on_stage, project, studio, text, until

from covermaker.voices.library import SHIPPED


def add_voice(folder, name):
    shutil.copytree(SHIPPED / "demo", folder / name)
    card = folder / name / "card.toml"
    card.write_text(
        card.read_text(encoding="utf-8").replace('name = "demo"', f'name = "{name}"'), encoding="utf-8"
    )


@on_stage
async def test_a_voice_is_chosen_written_and_undone(library, states, tmp_path, monkeypatch):
    monkeypatch.setenv("COVERMAKER_VOICES", str(tmp_path / "voices"))
    add_voice(tmp_path / "voices", "anna")
    add_voice(tmp_path / "voices", "broken")
    (tmp_path / "voices" / "broken" / "voice.safetensors").unlink()
    song = project(library, "harbor")
    document = song / "cover.toml"
    async with studio(library) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: app.current_mode == "project" and app.screen.edits.project is not None)
        await pilot.press("y")
        await until(pilot, lambda: "anna" in text(app))
        assert "library, ready" in text(app)
        assert "shipped, ready" in text(app)
        assert "broken" not in text(app)
        await pilot.press(*"anna")
        await until(pilot, lambda: "demo" not in text(app))
        await pilot.press("enter")
        await until(pilot, lambda: 'name = "anna"' in document.read_text(encoding="utf-8"))
        await until(pilot, lambda: "demo -> anna" in text(app))
        await pilot.press("z")
        await until(pilot, lambda: 'name = "demo"' in document.read_text(encoding="utf-8"))
