"""The studio in a browser: `textual-serve`, behind a lock.

Whoever reaches a studio can read and write this user's files and start programs, so nothing is served to a stranger:

- It listens on this machine only, unless another address is asked for; then it says that the traffic is not encrypted.
- The page needs a token of 256 random bits, made anew at each start and printed once. Without it, or with another,
  every address answers 403 and no studio is started. The comparison takes the same time whatever is wrong.
- The page takes the token out of the address bar at once and keeps it in the tab's session storage, which other
  sites, other ports of this machine and other tabs cannot read. There is no cookie: a browser sends those to all ports.
- Script, style and the studio's socket lie under a second secret, a path that only the page tells. It sends no
  referrer, loads nothing from anywhere else, and may not be framed.
- The ``Host`` of a request must be ours and the ``Origin`` of a socket too, so that a page of another site, even one
  whose name is made to lead here, cannot speak to it.
- A few studios at a time; each is a process that ends with its tab.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import re
import secrets
import shlex
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import click
import jinja2
from aiohttp import WSCloseCode, web
from textual_serve.app_service import AppService
from textual_serve.server import Server

from covermaker.errors import ExitCode, ResourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

TOKEN_BYTES: Final = 32
MOST_STUDIOS: Final = 8
_GRACE_SECONDS: Final = 3.0
_PAGES: Final = Path(__file__).parent / "pages"
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class StudioServer(Server):
    """A studio for each tab that has the token.

    Parameters
    ----------
    command : str
        Shell line that starts the studio.
    host : str
        Address to listen on.
    port : int
        0 takes a free one.
    public_url : str, optional
        What a browser behind a proxy sees.
    token : str, optional
        By default a random one.
    """

    def __init__(
        self, command: str, *, host: str, port: int, public_url: str | None = None, token: str | None = None
    ) -> None:
        super().__init__(command, host=host, port=port, title="Covermaker", public_url=public_url or "")
        self.token = token or secrets.token_urlsafe(TOKEN_BYTES)
        self._told_url = public_url
        self._place = secrets.token_urlsafe(TOKEN_BYTES)
        self._tabs: set[web.WebSocketResponse] = set()
        self._pages = jinja2.Environment(loader=jinja2.FileSystemLoader(_PAGES), autoescape=True)

    def listening_on(self, port: int) -> None:
        """Take over the port that was really taken."""
        self.port = port
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
            host = "localhost"
        self.public_url = (self._told_url or f"http://{host}:{port}").rstrip("/")

    @property
    def address(self) -> str:
        """What to open in a browser; whoever has it has the studio."""
        return f"{self.public_url}/?token={self.token}"

    def app(self) -> web.Application:
        """Return the web application."""
        app = web.Application(middlewares=[self._guard])
        app.add_routes(
            [
                web.get("/", self.handle_index, name="index"),
                web.get("/download/{key}", self.handle_download, name="download"),
                web.get(f"/{self._place}/ws", self.handle_websocket, name="websocket"),
                web.static(f"/{self._place}/static", self.statics_path, name="static"),
            ]
        )
        app.on_shutdown.append(self._close_tabs)
        return app

    async def _make_app(self) -> web.Application:
        return self.app()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse what does not come from our own page; put our headers on every answer."""
        if not self._is_our_host(request) or not self._is_our_origin(request):
            return self._refused("This address is not the one that the studio is served on.")
        try:
            response = await handler(request)
        except web.HTTPException as error:
            # Nothing tells a stranger which addresses there are.
            if error.status >= 400:
                return self._refused()
            raise
        if not response.prepared:
            response.headers.update(
                {name: value for name, value in _HEADERS.items() if name not in response.headers}
            )
        return response

    def _is_our_host(self, request: web.Request) -> bool:
        """Tell whether the browser means us; only where we know all our names."""
        if not _is_loopback(self.host):
            return True
        name = _host_of(f"//{request.headers.get('Host', '')}")
        return name == _host_of(self.public_url) or name == "localhost" or _is_loopback(name)

    def _is_our_origin(self, request: web.Request) -> bool:
        """Tell whether a request that says where it comes from comes from our page."""
        origin = request.headers.get("Origin")
        if origin is None:
            return True
        theirs = urlsplit(origin).netloc
        return theirs in {request.headers.get("Host", ""), urlsplit(self.public_url).netloc}

    def _refused(self, reason: str = "") -> web.Response:
        nonce = secrets.token_urlsafe(16)
        text = self._pages.get_template("refused.html").render(nonce=nonce, reason=reason)
        policy = f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; frame-ancestors 'none'"
        headers = {**_HEADERS, "Content-Security-Policy": policy}
        return web.Response(status=403, text=text, content_type="text/html", headers=headers)

    async def handle_index(self, request: web.Request) -> Any:
        """Answer with the page, to who has the token."""
        given = request.query.get("token", "")
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self.token.encode()):
            return self._refused()
        nonce = secrets.token_urlsafe(16)
        text = self._pages.get_template("studio.html").render(
            nonce=nonce, place=self._place, font_size=_font_size(request.query)
        )
        # 'self' does not mean sockets in every browser.
        host = request.headers.get("Host", "")
        sockets = f"ws://{host} wss://{host}" if re.fullmatch(r"[\w.:\[\]-]+", host) else ""
        policy = (
            f"default-src 'none'; script-src 'nonce-{nonce}' 'self'; style-src 'self' 'unsafe-inline'; "
            f"font-src 'self'; img-src 'self' data:; connect-src 'self' {sockets}; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        headers = {**_HEADERS, "Content-Security-Policy": policy}
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Start a studio for a tab, unless there are too many, and end it with the tab."""
        if len(self._tabs) >= MOST_STUDIOS:
            raise web.HTTPServiceUnavailable
        tab = web.WebSocketResponse(heartbeat=15)
        self._tabs.add(tab)

        async def close() -> None:
            await tab.close()

        studio = _Studio(
            self.command,
            write_bytes=tab.send_bytes,
            write_str=tab.send_str,
            close=close,
            download_manager=self.download_manager,
        )
        try:
            await tab.prepare(request)
            await studio.start(_cells(request.query, "width", 80), _cells(request.query, "height", 24))
            await self._process_messages(tab, studio)
        except (ValueError, LookupError, TypeError, AssertionError):
            await tab.close(code=WSCloseCode.UNSUPPORTED_DATA)  # no message of our page
        finally:
            try:
                await studio.stop()
            finally:
                self._tabs.discard(tab)
        return tab

    async def _close_tabs(self, app: web.Application) -> None:
        for tab in list(self._tabs):
            await tab.close(code=WSCloseCode.GOING_AWAY)

    async def run_until(self, stop: asyncio.Event, started: Callable[[], None]) -> None:
        """Serve until the event is set; `started` is called when the first browser may come."""
        runner = web.AppRunner(self.app(), access_log=None, shutdown_timeout=2.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, self.host, self.port)
            try:
                await site.start()
            except OSError as error:
                raise ResourceError(
                    f"cannot listen on {self.host} port {self.port}: {error.strerror or error}",
                    hint="choose another with --port; --port 0 takes a free one",
                ) from error
            self.listening_on(int(runner.addresses[0][1]))
            started()
            await stop.wait()
        finally:
            await runner.cleanup()


class _Studio(AppService):
    """A studio's process, which is gone when `stop` returns."""

    async def run(self) -> None:
        """Hand on what the studio draws; at its end, however it comes, the tab ends too."""
        try:
            await super().run()
        finally:
            with suppress(ConnectionError):
                await self.remote_close()

    async def stop(self) -> None:
        """Ask the studio to quit; end it when it does not."""
        with suppress(TimeoutError):
            await asyncio.wait_for(super().stop(), _GRACE_SECONDS)
        process = self._process
        if process is None:
            return
        try:
            # Not `wait`: this closes the pipes, too.
            await asyncio.wait_for(process.communicate(), _GRACE_SECONDS)
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.communicate()


def serve(root: Path, *, host: str, port: int, public_url: str | None = None) -> int:
    """Serve the studio on a folder until ctrl+c; prints the address on stdout.

    Raises
    ------
    UsageError
        When `public_url` is none.
    ResourceError
        When the port is taken.
    """
    if public_url is not None and urlsplit(public_url).scheme not in {"http", "https"}:
        raise UsageError(f"'{public_url}' is no address", hint="write it as https://studio.example")
    # `exec`: the shell that textual-serve starts becomes the studio, so that its end is the studio's.
    command = "exec " + shlex.join([sys.executable, "-P", "-m", "covermaker", "ui", str(root)])
    server = StudioServer(command, host=host, port=port, public_url=public_url)
    asyncio.run(_serve(server))
    return int(ExitCode.OK)


async def _serve(server: StudioServer) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)

    def started() -> None:
        click.echo(
            "The studio is served at the address below. Who has it acts with your rights; ctrl+c ends it.",
            err=True,
        )
        if not _is_loopback(server.host) and not server.public_url.startswith("https:"):
            click.echo(
                "warning: others on this network can reach it, and the connection is not encrypted. Better: leave it "
                "on this machine and come by `ssh -L`, or put it behind a proxy with TLS (--public-url).",
                err=True,
            )
        click.echo(server.address)

    await server.run_until(stop, started)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _cells(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    return min(500, max(10, int(text))) if text.isdecimal() else default


def _font_size(query: Mapping[str, str]) -> int:
    text = query.get("fontsize", "")
    return min(40, max(8, int(text))) if text.isdecimal() else 16
