"""The studio in a browser: nothing without the token, nothing for other sites, and a studio for who has it."""

import asyncio
import re
import shlex
import socket
import sys
from contextlib import asynccontextmanager
from urllib.parse import quote

import aiohttp
import pytest
from studio_stage import on_stage

from covermaker.errors import ResourceError, UsageError
from covermaker.tui import web
from covermaker.tui.web import MOST_STUDIOS, StudioServer

# Speaks as Textual's web driver does: its greeting, one packet of data, then what it is told until it is told to quit.
ECHO = "exec " + shlex.join(
    [
        sys.executable,
        "-SEuc",
        "import sys\n"
        "out, into = sys.stdout.buffer, sys.stdin.buffer\n"
        "out.write(b'__GANGLION__\\nD' + (5).to_bytes(4, 'big') + b'hello'); out.flush()\n"
        "while (kind := into.read(1)) == b'D':\n"
        "    text = into.read(int.from_bytes(into.read(4), 'big'))\n"
        "    out.write(b'D' + len(text).to_bytes(4, 'big') + text); out.flush()\n",
    ]
)


@asynccontextmanager
async def served(command=ECHO, **options):
    """Serve on a free port; yields the server and a client."""
    server = StudioServer(command, **{"host": "127.0.0.1", "port": 0, **options})
    stop, started = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(server.run_until(stop, started.set))
    await started.wait()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as client:
        yield server, client
    stop.set()
    await task
    await asyncio.sleep(0.02)  # pipes of ended children close on the loop's next turns


async def page_of(client, server):
    async with client.get("/", params={"token": server.token}) as answer:
        assert answer.status == 200
        return await answer.text()


def place_of(page):
    """Return the secret path that the page tells."""
    return re.search(r'href="([\w-]{43})/static', page)[1]


@on_stage
async def test_without_the_token_everything_is_refused_and_nothing_started():
    async with served() as (server, client):
        page = await page_of(client, server)
        wrong = ("", "x", server.token[:-1], server.token + "x", server.token.swapcase(), "\udcff", "é" * 43)
        for path in [
            "/", "/ws", "/static/js/textual.js", "/download/x", "/nothing", "/../etc/passwd", f"/{server.token}",
            *(f"/?token={quote(token, errors='surrogateescape')}" for token in wrong),
            "/x/ws", f"/{place_of(page)[:-1]}/ws", f"/{place_of(page)}/static/",
            f"/{place_of(page)}/static/../server.py",
        ]:  # fmt: skip
            async with client.get(path) as answer:
                assert answer.status == 403, path
                assert server.token not in await answer.text()
                assert answer.headers["Referrer-Policy"] == "no-referrer"
                assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        async with client.post("/", data={"token": server.token}) as answer:
            assert answer.status == 403


@on_stage
async def test_the_page_tells_no_other_site_anything():
    async with served() as (server, client):
        page = await page_of(client, server)
        assert server.token not in page
        assert not re.findall(r"https?://(?!127)", page), "loads from elsewhere"
        async with client.get("/", params={"token": server.token}) as answer:
            assert answer.headers["Cache-Control"] == "no-store"
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            (nonce,) = set(re.findall(r'<script nonce="([^"]+)"', page)) and re.findall(
                r"'nonce-([^']+)'", policy
            )
            assert not answer.cookies
        assert nonce
        assert len(server.token) == 43
        assert StudioServer(ECHO, host="127.0.0.1", port=0).token != server.token
        async with client.get(f"/{place_of(page)}/static/js/textual.js") as answer:
            assert answer.status == 200
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "localhost.evil.example:80"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Host": "localhost:8000"}, 200),
        ({"Host": "[::1]:8000"}, 200),
        ({}, 200),
    ],
)
@on_stage
async def test_other_sites_and_other_names_are_refused_even_with_the_token(headers, status):
    async with (
        served() as (server, client),
        client.get("/", params={"token": server.token}, headers=headers) as answer,
    ):
        assert answer.status == status


@on_stage
async def test_a_tab_gets_a_studio_of_its_own():
    async with served() as (server, client):
        place = place_of(await page_of(client, server))
        async with client.ws_connect(f"/{place}/ws?width=80&height=24") as tab:
            assert (await tab.receive(5)).data == b"hello"
            await tab.send_json(["stdin", "é"])
            assert (await tab.receive(5)).data == "é".encode()
            await tab.send_json(["ping", 7])
            assert (await tab.receive_json(timeout=5)) == ["pong", 7]


@pytest.mark.parametrize("nonsense", ["no json", "[]", "{}", '["resize", 1]', '["stdin"]'])
@on_stage
async def test_nonsense_on_the_socket_ends_that_tab_only(nonsense):
    async with served() as (server, client):
        place = place_of(await page_of(client, server))
        async with client.ws_connect(f"/{place}/ws") as tab, client.ws_connect(f"/{place}/ws") as other:
            assert (await tab.receive(5)).data == b"hello"
            await tab.send_str(nonsense)
            assert (await tab.receive(5)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
            assert (await other.receive(5)).data == b"hello"
            await other.send_json(["ping", 7])
            assert (await other.receive_json(timeout=5)) == ["pong", 7]


@on_stage
async def test_a_studio_that_does_not_start_ends_its_tab():
    async with served("exec false") as (server, client):
        place = place_of(await page_of(client, server))
        async with client.ws_connect(f"/{place}/ws") as tab:
            assert (await tab.receive(5)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)


@on_stage
async def test_a_socket_of_another_site_is_refused():
    async with served() as (server, client):
        place = place_of(await page_of(client, server))
        for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await client.ws_connect(f"/{place}/ws", headers=headers)
            assert refused.value.status == 403


@on_stage
async def test_there_are_only_so_many_studios():
    async with served() as (server, client):
        place = place_of(await page_of(client, server))
        tabs = [await client.ws_connect(f"/{place}/ws") for _ in range(MOST_STUDIOS)]
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await client.ws_connect(f"/{place}/ws")
        await tabs[0].close()
        for _ in range(500):
            if len(server._tabs) < MOST_STUDIOS:
                break
            await asyncio.sleep(0.01)
        async with client.ws_connect(f"/{place}/ws") as tab:
            assert (await tab.receive(5)).data == b"hello"
        for tab in tabs:
            await tab.close()


@on_stage
async def test_behind_a_proxy_the_public_name_is_ours():
    async with served(public_url="https://studio.example/") as (server, client):
        assert server.address == f"https://studio.example/?token={server.token}"
        headers = {"Host": "studio.example", "Origin": "https://studio.example"}
        async with client.get("/", params={"token": server.token}, headers=headers) as answer:
            assert answer.status == 200
            assert "wss://studio.example" in answer.headers["Content-Security-Policy"]


@on_stage
async def test_a_port_that_is_taken_is_one_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = StudioServer(ECHO, host="127.0.0.1", port=taken.getsockname()[1])
        with pytest.raises(ResourceError, match="cannot listen on 127") as refused:
            await server.run_until(asyncio.Event(), lambda: None)
        assert "--port 0" in refused.value.hint


def test_addresses():
    server = StudioServer(ECHO, host="::1", port=0)
    server.listening_on(8123)
    assert server.address.startswith("http://[::1]:8123/?token=")
    server = StudioServer(ECHO, host="0.0.0.0", port=0)
    server.listening_on(8123)
    assert server.address.startswith("http://localhost:8123/?token=")


def test_a_public_url_that_is_none_is_refused(tmp_path):
    with pytest.raises(UsageError, match="is no address"):
        web.serve(tmp_path, host="127.0.0.1", port=0, public_url="studio.example")
