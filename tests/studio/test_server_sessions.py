"""Sessions: what a refresh, a lost connection, a second tab and too many tabs do."""

from __future__ import annotations

import asyncio
import json
import socket as sockets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from websockets.sync.client import ClientConnection

from chalkgrad.studio.session import Session
from chalkgrad.studio.visits import Visits
from tests.studio.hosts import Echo, Running, ask, ending, heard, new_key, running, until


def test_a_page_that_comes_back_finds_its_session(server: Running) -> None:
    key = new_key()
    for count in (1, 2, 3):  # closed well, broken off, and closed well again
        with server.socket(key) as socket:
            assert ask(socket, id=1, do="hello")["ok"] == {"count": count}
            if count == 2:
                _broken(socket)


def test_two_tabs_do_not_disturb_each_other(server: Running) -> None:
    with server.socket() as one, server.socket() as other:
        assert ask(one, id=1, do="hello")["ok"] == {"count": 1}
        assert ask(one, id=2, do="hello")["ok"] == {"count": 2}
        assert ask(other, id=1, do="hello")["ok"] == {"count": 1}


def test_of_two_pages_with_one_key_the_newer_stays(server: Running) -> None:
    key = new_key()
    with server.socket(key) as old:
        assert ask(old, id=1, do="hello")["ok"] == {"count": 1}
        with server.socket(key) as new:
            assert ask(new, id=1, do="hello")["ok"] == {"count": 2}
            assert ending(old)[1] == 4409
            assert ask(new, id=2, do="hello")["ok"] == {"count": 3}


def test_a_connection_that_goes_during_a_request_loses_nothing(server: Running) -> None:
    key, made = new_key(), len(server.sessions)
    with server.socket(key) as socket:
        socket.send(json.dumps({"id": 1, "do": "sleep", "seconds": 0.3}))
        until(lambda: server.sessions[made:] and server.sessions[made].requests)
        _broken(socket)
    with server.socket(key) as again:
        assert ask(again, id=2, do="hello")["ok"] == {"count": 2}


@pytest.mark.parametrize("seconds", [0, 0.002, 0.05])
def test_a_page_that_goes_at_once_is_no_fault(
    capfd: pytest.CaptureFixture[str], seconds: float
) -> None:
    with running() as server:
        for _ in range(20):
            with server.socket() as socket:
                for k in range(3):
                    socket.send(json.dumps({"id": k, "do": "fill", "characters": 1 << 20}))
                time.sleep(seconds)
                _broken(socket)
    assert capfd.readouterr().err == ""


def test_sessions_are_bounded_and_the_one_idle_longest_goes() -> None:
    with running(most=3) as server:
        keys = [new_key() for _ in range(4)]
        for key in keys[:3]:
            with server.socket(key) as socket:
                ask(socket, id=1, do="hello")
            until(lambda: not any(v.outbox for v in server.visits.known.values()))
        with server.socket(keys[3]) as socket:
            ask(socket, id=1, do="hello")
        assert [session.closed for session in server.sessions] == [True, False, False, False]
        with server.socket(keys[1]) as socket:
            assert ask(socket, id=1, do="hello")["ok"] == {"count": 2}


def test_nor_do_pages_that_come_at_once_make_more() -> None:
    class Slow(Echo):
        def close(self) -> None:
            time.sleep(0.2)

    async def come() -> int:
        visits = Visits(Slow, most=3)
        for _ in range(3):
            await visits.visit(new_key())
        await asyncio.gather(*(visits.visit(new_key()) for _ in range(3)))
        return len(visits.known)

    with ThreadPoolExecutor(1) as thread:  # here a browser's driver may have its own loop
        assert thread.submit(asyncio.run, come()).result() <= 3


def test_where_every_session_has_a_page_one_more_is_refused() -> None:
    with running(most=2) as server, server.socket() as one, server.socket() as other:
        for socket in (one, other):
            ask(socket, id=1, do="hello")
        with server.socket() as third:
            assert ending(third)[1] == 1013
        assert server.post(b"a\n1\n").status_code == 503
        assert ask(one, id=2, do="hello")["ok"] == {"count": 2}


def test_a_session_whose_page_stays_away_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalkgrad.studio.server.SWEEP", 0.05)
    now = [0.0]
    with running(kept=100, clock=lambda: now[0]) as server, server.socket() as stays:
        ask(stays, id=1, do="hello")
        with server.socket() as leaves:
            ask(leaves, id=1, do="hello")
        until(lambda: sum(v.outbox is not None for v in server.visits.known.values()) == 1)
        now[0] = 99.0
        time.sleep(0.2)
        assert not any(session.closed for session in server.sessions)
        now[0] = 101.0
        until(lambda: server.sessions[1].closed)
        assert not server.sessions[0].closed
        assert len(server.visits.known) == 1


def test_all_sessions_end_with_the_server() -> None:
    with running() as server:
        with server.socket() as socket:
            ask(socket, id=1, do="hello")
        found = server.sessions
    assert [session.closed for session in found] == [True]


def test_a_session_that_cannot_begin_does_not_block_its_key() -> None:
    made = []

    def begin(emit: Callable[..., None]) -> Echo:
        made.append(emit)
        if len(made) == 1:
            raise RuntimeError("not today")
        return Echo(emit)

    with running(begin=begin) as server:
        key = new_key()
        with server.socket(key) as socket:
            ending(socket)
        with server.socket(key) as socket:
            assert ask(socket, id=1, do="hello")["ok"] == {"count": 1}


def test_the_engine_itself_answers_and_trains() -> None:
    with running(begin=partial(Session, "examples/lectures/lecture_001.toml")) as server:
        key = new_key()
        with server.socket(key) as socket:
            hello = ask(socket, id=1, do="hello", version=1)["ok"]
            assert hello["state"]["loss"]["name"] == "E_total"
            changed = ask(socket, id=2, do="edit", change={"set": {"w5": 0.9}})
            assert changed["event"] == "numbers"
            assert "ok" in heard(socket)
            socket.send(json.dumps({"id": 3, "do": "train", "until": 50}))
            events = []
            while not events or events[-1].get("event") != "trained":
                events.append(heard(socket))
            assert events[-1]["why"] == "reached"
            assert events[-1]["state"]["updates"] == 50
            assert ask(socket, id=4, do="edit", change={"set": {"w5": 7}})["event"] == "numbers"
            lost = heard(socket)["ok"]
        with server.socket(key) as socket:
            again = ask(socket, id=1, do="hello", version=1)["ok"]["state"]
            assert again["loss"] == lost["loss"]
            assert again["undo"] is True


def _broken(socket: ClientConnection) -> None:
    """The line is cut: neither side says anything."""
    socket.socket.shutdown(sockets.SHUT_RDWR)
