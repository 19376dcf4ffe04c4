"""`chalkgrad studio`: its address, its messages, Ctrl-C, and what it does without its extra."""

from __future__ import annotations

import signal
import socket as sockets
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.sync.client import connect

from chalkgrad.cli.studio import show
from chalkgrad.studio import serving
from chalkgrad.studio.serving import PORT, Place
from chalkgrad.studio.session import Session
from tests.cli.conftest import Shell, shell
from tests.studio.hosts import ask, ending, heard, new_key

__all__ = ["shell"]
LECTURE = Path(__file__).parents[2] / "examples" / "lectures" / "lecture_001.toml"


def started(*arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "chalkgrad", "studio", "--no-open", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_the_address_is_on_stdout_and_ctrl_c_ends_it() -> None:
    running = started(LECTURE, "--port", "0")
    assert running.stdout is not None
    address = running.stdout.readline().strip()
    assert address.startswith("http://127.0.0.1:")
    assert httpx.get(address, follow_redirects=True).status_code == 200
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert running.returncode == 130
    assert out == ""
    assert err.splitlines() == ["the studio runs at this address until Ctrl-C"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing.toml"], "nothing.toml is not there"),
        (["nothing.csv"], "nothing.csv is not there"),
        (["--port", "99999"], "a port is a number from 0 to 65535, not 99999"),
        (["--port", "x"], "--port"),
        (["--host", "no.such.host.invalid"], "the studio cannot listen at no.such.host.invalid: "),
        (
            ["--host", "a..b"],
            "at a..b: that is no name of a host; choose an address of this machine",
        ),
        (
            ["--host", "192.0.2.1"],
            "at 192.0.2.1: Cannot assign requested address; choose an address",
        ),
        (["--no-opn"], "--no-opn"),
    ],
)
def test_a_mistake_is_one_line(shell: Shell, arguments: list[str], words: str) -> None:
    said = shell("studio", "--no-open", *arguments)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("chalkgrad: ")
    assert words in said.err
    assert "Traceback" not in said.err


def test_a_file_that_is_no_worksheet_is_refused_before_anything_listens(
    shell: Shell, tmp_path: Path
) -> None:
    (tmp_path / "bad.toml").write_text("layers = 3\n")
    said = shell("studio", "bad.toml", "--no-open")
    assert (said.code, said.out) == (2, "")
    assert "bad.toml" in said.err


def test_a_port_that_is_taken_is_said_and_the_usual_one_is_passed_over() -> None:
    with sockets.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = f"at 127.0.0.1, port {port}: Address already in use; choose another port"
        with pytest.raises(serving.ArgumentError, match=said):
            Place.taken(port=port)
    one, other = Place.taken(), Place.taken()
    with one.socket, other.socket:
        first, second = (place.socket.getsockname()[1] for place in (one, other))
        assert PORT <= first < second
        assert one.access.token != other.access.token


def test_only_a_host_that_is_named_lets_other_machines_in() -> None:
    here = Place.taken(port=0)
    with here.socket:
        assert here.socket.getsockname()[0] == "127.0.0.1"
        assert here.is_private
    everywhere = Place.taken("0.0.0.0", 0)
    with everywhere.socket:
        assert not everywhere.is_private
        assert sockets.gethostname() in everywhere.address


def test_a_host_beyond_loopback_is_warned_of(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def serve(place: Place, visits: object, announce: Callable[[], None]) -> None:
        announce()
        place.socket.close()

    monkeypatch.setattr("chalkgrad.cli.studio.serve", serve)
    said = shell("studio", "--no-open", "--host", "0.0.0.0", "--port", "0")
    assert said.code == 0
    assert "warning: at 0.0.0.0 the studio can be reached from other machines" in said.err
    said = shell("studio", "--no-open", "--host", "localhost", "--port", "0")
    assert "warning" not in said.err


def test_without_its_extra_the_command_that_installs_it_is_said(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    for missing in ("uvicorn", "starlette.applications", "websockets"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, missing, None)
            said = shell("studio", "--no-open", "--port", "0")
            assert (said.code, said.out) == (2, "")
            assert 'pip install "chalkgrad[studio]"' in said.err


def test_importing_the_room_without_its_extra_says_so_too() -> None:
    code = (
        "import sys, importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'tomlkit' else find(name, *rest)\n"
        "from chalkgrad.cli import main\n"
    )
    for use in ("import chalkgrad; chalkgrad.studio()", "main(['studio', '--no-open'])"):
        done = subprocess.run(
            [sys.executable, "-c", code + use], capture_output=True, text=True, check=False
        )
        assert done.returncode != 0
        assert 'the studio needs its extra: pip install "chalkgrad[studio]"' in done.stderr
    assert "Traceback" not in done.stderr


def test_a_browser_is_opened_unless_it_needs_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    class Window(serving.webbrowser.BackgroundBrowser):
        def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
            opened.append(url)
            return True

    class Now:
        """A thread that is done when it starts."""

        def __init__(self, target: object, daemon: bool) -> None:
            self.start = target

    monkeypatch.setattr(serving, "Thread", Now)
    monkeypatch.setattr(serving.webbrowser, "get", lambda: Window("window"))
    show("http://127.0.0.1:1/")
    monkeypatch.setattr(serving.webbrowser, "get", lambda: serving.webbrowser.GenericBrowser("w3m"))
    show("http://127.0.0.1:2/")
    assert opened == ["http://127.0.0.1:1/"]


def test_ctrl_c_ends_it_while_a_page_is_open_and_training_runs() -> None:
    running = started(LECTURE, "--port", "0")
    assert running.stdout is not None
    address = urlsplit(running.stdout.readline().strip())
    origin = f"http://{address.netloc}"
    url = f"ws://{address.netloc}/ws?session={new_key()}&{address.query}"
    with connect(url, origin=origin, proxy=None, max_size=None) as page:
        assert "ok" in ask(page, id=1, do="hello", version=1)
        page.send('{"id": 2, "do": "train"}')
        while heard(page).get("event") != "training":
            pass
        started_at = time.monotonic()
        running.send_signal(signal.SIGINT)
        assert ending(page)[1] == 1012
        _, err = running.communicate(timeout=20)
    assert running.returncode == 130
    assert time.monotonic() - started_at < 10
    assert err.splitlines() == ["the studio runs at this address until Ctrl-C"]


def test_a_page_reads_no_file_of_this_machine(tmp_path: Path) -> None:
    """The CSV file of a worksheet is read where a person started it, not where a page sent it."""
    (tmp_path / "secret.csv").write_text("i,o1\n0.125,0.875\n")
    text = (
        '[parameters]\nw = 0.5\n[[layer]]\nunits = ["o1"]\nweights = [["w"]]\n'
        '[data]\ncsv = "secret.csv"\n[loss]\nkind = "squared_error"\n'
    )
    (tmp_path / "sheet.toml").write_text(text)
    started = Session(tmp_path / "sheet.toml")
    assert "0.125" in str(started.handle({"do": "hello", "version": 1}))
    for name in ("sheet", str(tmp_path / "sheet.toml"), f"{tmp_path}/"):
        reply = Session(None).handle({"do": "open", "worksheet": text, "name": name})
        assert "a worksheet without a file has no folder" in reply["error"]["message"]
        change = {"worksheet": text}
        reply = started.handle({"do": "edit", "change": change})
        assert "a worksheet without a file has no folder" in reply["error"]["message"]
