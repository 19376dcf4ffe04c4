"""The socket: requests and replies, and attacks by size, speed, nonsense and slowness."""

from __future__ import annotations

import asyncio
import json
import socket as sockets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from chalkgrad.studio import conversation
from chalkgrad.studio.conversation import answered, written
from chalkgrad.studio.outbox import Outbox
from chalkgrad.studio.traffic import BURST, LARGEST_FRAME, LARGEST_REQUEST, Bucket
from tests.studio.hosts import Echo, Running, ask, ending, heard, new_key, running, until


def test_each_request_gets_its_reply_in_turn(server: Running) -> None:
    with server.socket() as socket:
        for k in range(1, 6):
            socket.send(json.dumps({"id": k, "do": "hello"}))
        assert [heard(socket)["id"] for _ in range(5)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no JSON"),
        ("{", "no JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"id": ' + "9" * 10_000 + "}", "no JSON"),
        ("\ud83d".encode("utf-8", "replace").decode(), "no JSON"),
        ("__import__('os').system('true')", "no JSON"),
        ('{"id": "\\ud83d", "do": "hello"}', "half of a character"),
        ('{"id": 1, "do": "open", "\\udfff": [{"\\ud800": 1}]}', "half of a character"),
    ],
)
def test_nonsense_gets_an_error_and_the_page_goes_on(server: Running, text: str, said: str) -> None:
    with server.socket() as socket:
        socket.send(text)
        reply = heard(socket)
        assert reply["id"] is None
        assert said in reply["error"]["message"]
        assert ask(socket, id=2, do="hello")["id"] == 2


def test_what_is_no_text_ends_the_connection(server: Running) -> None:
    with server.socket() as socket:
        socket.send(b"\x80\x04\x95")
        assert ending(socket) == ("a message must be text, in JSON", 1003)


def test_a_message_that_is_too_large_is_refused_with_words(server: Running) -> None:
    with server.socket() as socket:
        socket.send(json.dumps({"id": 1, "x": "x" * (LARGEST_REQUEST - 100)}))
        assert heard(socket)["id"] == 1
        socket.send("x" * (LARGEST_REQUEST + 1))
        assert ending(socket) == ("a message is larger than 1 MB", 1009)
    with server.socket() as socket:
        socket.send("é" * (LARGEST_REQUEST // 2 + 1))  # bytes count, not letters
        assert ending(socket)[1] == 1009


def test_a_far_larger_one_is_not_even_read(server: Running) -> None:
    with server.socket() as socket:
        with suppress(ConnectionClosed):
            socket.send("x" * (LARGEST_FRAME + 1))
        assert ending(socket)[1] in (1006, 1009)


def test_nor_is_one_in_many_pieces(server: Running) -> None:
    def pieces() -> Any:
        for _ in range(40):
            yield "x" * 100_000

    with server.socket() as socket:
        with suppress(ConnectionClosed):
            socket.send(pieces())
        assert ending(socket)[1] in (1006, 1009)


def test_a_flood_ends_the_connection(server: Running) -> None:
    with server.socket() as socket:
        try:
            for k in range(BURST * 4):
                socket.send(json.dumps({"id": k, "do": "hello"}))
        except ConnectionClosed:
            pass
        assert ending(socket) == ("more than 60 messages a second", 4429)


def test_a_bucket_fills_again() -> None:
    now = [0.0]
    bucket = Bucket(rate=10, size=3, clock=lambda: now[0])
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    now[0] = 0.2
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    now[0] = 100.0
    assert sum(bucket.take() for _ in range(9)) == 3  # no more than it holds


def test_one_slow_request_does_not_stop_another_page(server: Running) -> None:
    with server.socket() as slow, server.socket() as quick:
        slow.send(json.dumps({"id": 1, "do": "sleep", "seconds": 1.5}))
        started = time.monotonic()
        for k in range(5):
            assert ask(quick, id=k, do="hello")["id"] == k
        assert time.monotonic() - started < 1
        assert heard(slow)["id"] == 1


def test_a_page_that_does_not_read_makes_the_server_keep_little(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its requests are not even taken: one reply waits, and in time the connection ends."""
    monkeypatch.setattr(conversation, "SLOWEST", 0.5)
    with running() as server:
        socket = _raw(server)
        filler = json.dumps({"id": 1, "do": "fill", "characters": 8 << 20}).encode()
        for _ in range(20):
            socket.sendall(_frame(filler))
        until(lambda: server.sessions)
        until(lambda: not any(v.outbox for v in server.visits.known.values()))
        assert len(server.sessions[0].requests) <= 3
        socket.close()


def test_events_reach_the_page_and_the_newest_takes_the_place_of_those_that_wait() -> None:
    with running() as server, server.socket() as socket:
        ask(socket, id=1, do="hello")
        (session,) = server.sessions
        threading.Thread(target=session.emit, args=({"event": "trained"},)).start()
        assert heard(socket) == {"event": "trained"}


def test_an_outbox_holds_one_event() -> None:
    with ThreadPoolExecutor(1) as thread:  # here a browser's driver may have its own loop
        thread.submit(asyncio.run, _outbox()).result()


async def _outbox() -> None:
    outbox = Outbox()
    for k in range(10_000):
        outbox.put({"event": "training", "updates": k, "losses": [[k, 1.0 / (k + 1)]]})
    event = await outbox.take()
    assert event is not None
    assert event["updates"] == 9999
    assert 2 < len(event["losses"]) <= 501
    assert event["losses"][0][0] == 0
    assert event["losses"][-1][0] == 9999
    outbox.put(event)
    outbox.put({"event": "trained"})
    outbox.put({"event": "numbers"})  # its reply says the same, and training is over only once
    assert await outbox.take() == {"event": "trained"}
    outbox.put({"event": "numbers"})
    assert await outbox.take() == {"event": "numbers"}
    outbox.end()
    assert await outbox.take() is None


def test_a_reply_is_bounded_and_never_nan() -> None:
    text = written({"id": 7, "ok": "x" * (conversation.LARGEST_REPLY + 1)})
    assert "is larger than 32 MB" in json.loads(text)["error"]["message"]
    assert json.loads(text)["id"] == 7
    with pytest.raises(ValueError, match="not JSON compliant"):
        written({"ok": float("nan")})


def test_what_a_page_sends_is_never_evaluated() -> None:
    session = Echo(lambda event: None)
    for text in ('{"__class__": "os.system"}', '"exec(1)"', "[1]", "null", "NaN"):
        json.loads(answered(session, text))
    assert session.requests[:2] == [{"__class__": "os.system"}, "exec(1)"]


def _raw(server: Running) -> sockets.socket:
    """A socket that was let in, and whose messages nobody reads."""
    raw = sockets.create_connection(("127.0.0.1", server.port))
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    raw.sendall(
        f"GET /ws?session={new_key()}&token={server.token} HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{server.port}\r\nOrigin: {server.origin}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    assert raw.recv(12) == b"HTTP/1.1 101"
    return raw


def _frame(payload: bytes) -> bytes:
    """A masked text frame; the mask is zero."""
    assert len(payload) < 126
    return bytes([0x81, 0x80 | len(payload), 0, 0, 0, 0]) + payload
