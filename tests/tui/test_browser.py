"""The studio in a real browser: the library is there, a project opens; without the token there is nothing."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from studio_stage import on_stage

from browser import browser, program

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(program() is None, reason="no browser is installed: apt-get install chromium"),
]

DEMO = Path(__file__).parents[2] / "projects" / "demo"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@pytest.fixture
def address(tmp_path):
    """The printed address of a studio on a library with the demo song."""
    song = tmp_path / "songs" / "harbor"
    song.mkdir(parents=True)
    (song / "audio").symlink_to(DEMO / "audio")
    (song / "cover.toml").write_text((DEMO / "cover.toml").read_text(encoding="utf-8"), encoding="utf-8")
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "TEXTUAL_ANIMATIONS": "none"}
    command = [sys.executable, "-m", "covermaker", "ui", str(tmp_path / "songs"), "--web", "--port", "0"]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said = ""
    for line in process.stdout:
        said += line
        if found := re.search(r"http://\S+token=\S+", line):
            break
    else:
        raise AssertionError(said)
    yield found[0]
    process.terminate()
    process.wait(10)
    process.stdout.close()


def words(page):
    return ESCAPES.sub("", page.said)


@on_stage
async def test_the_library_is_shown_and_a_project_opens(address):
    async with browser() as page:
        await page.open(address)
        await page.wait_for(lambda: "Blue Harbor" in words(page))
        assert page.status == 200
        await page.wait_for(lambda: "Filter" in words(page))
        await asyncio.sleep(1.0)
        await page.press("Enter")
        await page.wait_for(lambda: "Mixer" in words(page))
        await page.press("1")
        await page.wait_for(lambda: words(page).rfind("Filter") > words(page).rfind("Mixer"))


@on_stage
async def test_without_the_token_it_is_refused(address):
    async with browser() as page:
        await page.open(address.partition("?")[0])
        await page.wait_for(lambda: page.loaded)
        assert page.status == 403
        text = await page.text()
        assert "token" in text
        assert "Blue Harbor" not in text
        assert not page.said
