"""Uploads: bounded in memory, in time and in number."""

from __future__ import annotations

import socket as sockets
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from chalkgrad.studio import server as server_module
from chalkgrad.studio.limits import LARGEST_CSV
from chalkgrad.studio.session import Session
from chalkgrad.studio.traffic import UPLOADS_AT_ONCE
from chalkgrad.studio.upload import Uploads
from tests.studio.hosts import Running, ask, new_key, running, until


def test_a_file_is_opened_in_the_session_of_its_page(server: Running) -> None:
    key = new_key()
    reply = server.post("a,b\n1,ü\n".encode("utf-8-sig"), session=key, name="mine.csv")
    assert reply.json()["ok"] == {"count": 1}
    session = server.sessions[-1]
    assert session.requests == [{"do": "open", "csv": "a,b\n1,ü\n", "name": "mine.csv"}]
    with server.socket(key) as socket:
        assert ask(socket, id=1, do="hello")["ok"] == {"count": 2}


def test_bytes_that_are_no_text_are_refused(server: Running) -> None:
    said = server.post(b"\xff\xfe\x00", name="x" * 900).json()["error"]["message"]
    assert said == f"{'x' * 100} is not UTF-8; save it as UTF-8"


def test_a_file_that_is_too_large_is_not_read(server: Running) -> None:
    made = len(server.sessions)
    answer = server.post(b"x" * (LARGEST_CSV + 1))
    assert answer.status_code == 413
    assert answer.json()["error"]["message"] == "the file is larger than 20 MB"
    assert server.sessions[made].requests == []


@pytest.mark.parametrize("start", ["POST /csv", "POST /", "GET /nothing", "POST /csv?a="])
def test_nor_is_one_without_an_end(server: Running, start: str) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += 1 << 20
            yield b"x" * (1 << 20)

    with sockets.create_connection(("127.0.0.1", server.port)) as raw:
        raw.sendall(_head(server, "Transfer-Encoding: chunked", start=start))
        raw.settimeout(10)
        with suppress(OSError):  # until the server no longer listens
            for piece in endless():
                raw.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
    assert sent < 4 * LARGEST_CSV


def test_a_length_that_is_a_lie_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "Uploads", partial(Uploads, seconds=0.5))
    with running() as server, sockets.create_connection(("127.0.0.1", server.port)) as raw:
        raw.sendall(_head(server, "Content-Length: 1000") + b"a,b\n")
        raw.settimeout(10)
        assert raw.recv(12) == b"HTTP/1.1 408"


def test_few_files_are_read_at_once() -> None:
    with running() as server:
        waiting = []
        for _ in range(UPLOADS_AT_ONCE):
            raw = sockets.create_connection(("127.0.0.1", server.port))
            raw.sendall(_head(server, "Content-Length: 4") + b"a\n")
            waiting.append(raw)
        until(lambda: server.post(b"a\n1\n").status_code == 503)
        for raw in waiting:
            raw.sendall(b"1\n")
            assert raw.recv(12) == b"HTTP/1.1 200"
            raw.close()
        assert server.post(b"a\n1\n").status_code == 200


def test_a_file_does_not_stop_the_others_from_being_answered() -> None:
    with running(begin=partial(Session, None)) as server, server.socket() as socket:
        ask(socket, id=1, do="hello", version=1)
        rows = "\n".join(f"{k},{k % 7},{k % 3}" for k in range(15_000))
        upload = threading.Thread(target=server.post, args=(f"a,b,c\n{rows}\n".encode(),))
        upload.start()
        slowest = 0.0
        while upload.is_alive():
            started = time.monotonic()
            server.get("/")
            slowest = max(slowest, time.monotonic() - started)
            time.sleep(0.05)
        assert slowest < 2


def test_a_table_is_opened_by_the_engine(tmp_path: Path) -> None:
    rows = "\n".join(f"{k / 10},{(k * k) % 5},{'yes' if k % 2 else 'no'}" for k in range(40))
    with running(begin=partial(Session, None)) as server:
        reply = server.post(f"size,weight,ripe\n{rows}\n".encode(), name="fruit.csv").json()
        assert reply["ok"]["records"] >= 1
        broken = server.post(b"a,b\n1\n2,3,4\n").json()
        assert "error" in broken


def _head(server: Running, *headers: str, start: str = "POST /csv") -> bytes:
    query = "" if "?" in start else f"?session={new_key()}&token={server.token}&name=t.csv"
    lines = [
        f"{start}{query} HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}", f"Origin: {server.origin}", *headers,
    ]  # fmt: skip
    return "\r\n".join([*lines, "", ""]).encode()
