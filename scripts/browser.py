"""A real browser that a program drives: a page is opened, keys go in, what its sockets said and its picture come out.

It is a headless Chromium, spoken to by its DevTools protocol, with a profile of its own.
"""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import tempfile
import time
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_START_SECONDS = 30.0


def program() -> str | None:
    """Return the browser that is installed."""
    return next((found for name in _PROGRAMS if (found := shutil.which(name))), None)


class Page:
    """A tab: `said` holds the text of everything that its web sockets received, `loaded` whether the page is whole."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.said = ""
        self.status = 0
        self.loaded = False
        self._socket = socket
        self._number = 0
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reader = asyncio.create_task(self._read())

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol."""
        self._number += 1
        answer = self._answers[self._number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        return await asyncio.wait_for(answer, _START_SECONDS)

    async def open(self, address: str) -> None:
        """Go to an address."""
        for domain in ("Page", "Network", "Runtime"):
            await self.call(f"{domain}.enable")
        await self.call("Page.navigate", url=address)

    async def press(self, key: str, text: str = "") -> None:
        """Press a key by the name that the web gives it: ``Enter``, ``Tab``, ``2``."""
        codes = {"Enter": 13, "Tab": 9, "Escape": 27}
        typed = text or {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        facts = {"key": key, "windowsVirtualKeyCode": codes.get(key, ord(key[0].upper()))}
        await self.call("Input.dispatchKeyEvent", type="keyDown", text=typed, **facts)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **facts)

    async def wait_for(self, holds: Callable[[], bool], seconds: float = 30.0) -> None:
        """Wait until something is so."""
        until = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > until:
                raise TimeoutError(f"it never came to be; the sockets said: …{self.said[-2000:]!r}")
            await asyncio.sleep(0.05)

    async def text(self) -> str:
        """Return the page's own text."""
        found = await self.call("Runtime.evaluate", expression="document.body.innerText")
        return str(found["result"].get("value", ""))

    async def picture(self, file: Path) -> None:
        """Write what the page looks like as a PNG file."""
        shot = await self.call("Page.captureScreenshot", format="png")
        file.write_bytes(base64.b64decode(shot["data"]))

    async def close(self) -> None:
        """End the conversation."""
        self._reader.cancel()
        with suppress(asyncio.CancelledError):
            await self._reader

    async def _read(self) -> None:
        async for message in self._socket:
            said = message.json()
            if "id" in said:
                answer = self._answers.pop(said["id"])
                if "error" in said:
                    answer.set_exception(RuntimeError(said["error"]["message"]))
                else:
                    answer.set_result(said["result"])
            elif said["method"] == "Network.webSocketFrameReceived":
                frame = said["params"]["response"]
                data = frame["payloadData"]
                is_text = frame["opcode"] == 1
                self.said += data if is_text else base64.b64decode(data).decode("utf-8", "replace")
            elif said["method"] == "Page.loadEventFired":
                self.loaded = True
            elif said["method"] == "Network.responseReceived" and said["params"]["type"] == "Document":
                self.status = said["params"]["response"]["status"]


@asynccontextmanager
async def browser(width: int = 1280, height: int = 800) -> AsyncIterator[Page]:
    """Start a browser with one empty tab."""
    found = program()
    if found is None:
        raise SystemExit("no browser is installed: apt-get install chromium")
    with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            found, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
            "--disable-dev-shm-usage", f"--window-size={width},{height}", f"--user-data-dir={profile}",
            "--remote-debugging-port=0", "about:blank",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            told = Path(profile) / "DevToolsActivePort"
            until = time.monotonic() + _START_SECONDS
            while not told.exists() or not told.read_text(encoding="ascii").strip():
                if process.returncode is not None or time.monotonic() > until:
                    raise RuntimeError(f"{found} does not start")
                await asyncio.sleep(0.05)
            port = told.read_text(encoding="ascii").splitlines()[0]
            async with aiohttp.ClientSession() as client:
                async with client.get(f"http://127.0.0.1:{port}/json") as answer:
                    tabs = await answer.json()
                address = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
                async with client.ws_connect(address, max_msg_size=0) as socket:
                    page = Page(socket)
                    yield page
                    await page.close()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            await process.wait()
