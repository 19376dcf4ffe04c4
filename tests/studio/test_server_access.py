"""Who is let in: attacks on the token, the Host, the Origin, and what a page may do."""

from __future__ import annotations

import re

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from chalkgrad.studio.access import Access, is_loopback, same_origin
from chalkgrad.studio.page import served
from tests.studio.hosts import Running, ask, ending

EVIL = "http://evil.example"


def test_the_printed_address_leads_to_one_without_the_token(server: Running) -> None:
    first = server.get(f"/?token={server.token}")
    assert (first.status_code, first.headers["location"]) == (303, "/")
    cookie = first.headers["set-cookie"]
    assert cookie.startswith(f"chalkgrad-studio-{server.port}={server.token};")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Domain" not in cookie
    page = server.get("/", cookie=cookie.partition(";")[0])
    assert page.status_code == 200
    assert server.token not in page.text


def test_the_page_itself_holds_no_secret(server: Running) -> None:
    for path in served():
        answer = server.get(path)
        assert answer.status_code == 200
        assert server.token not in answer.text
        assert server.token not in str(answer.headers)


@pytest.mark.parametrize("token", ["", "wrong", "é" * 43, "0" * 43, "%00", "a" * 5000])
def test_a_wrong_token_gets_nothing(server: Running, token: str) -> None:
    answer = server.get(f"/?token={token}")
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    with server.socket(token=token or "-") as socket:
        assert ending(socket) == (
            "this page has no token of this studio: open the address that it printed", 4401,
        )  # fmt: skip
    assert server.post(b"a,b\n1,2\n", token=token).status_code == 401


def test_the_cookie_is_as_good_as_the_token(server: Running) -> None:
    cookie = f"chalkgrad-studio-{server.port}={server.token}"
    with server.socket(token="-", additional_headers={"cookie": cookie}) as socket:
        assert ask(socket, id=1, do="hello")["ok"] == {"count": 1}
    other = f"chalkgrad-studio-{server.port + 1}={server.token}"
    with server.socket(token="-", additional_headers={"cookie": other}) as socket:
        assert ending(socket)[1] == 4401
    headers = {"origin": server.origin, "cookie": cookie}
    assert server.post(b"a\n1\n", headers=headers, token="").status_code == 200


def test_a_token_is_compared_whole() -> None:
    access = Access()
    assert len(access.token) >= 43  # 256 bits
    assert Access().token != access.token
    assert access.token not in repr(access)
    assert access.admits(None, access.token)
    for given in (None, "", access.token[:-1], access.token + "x", access.token.swapcase()):
        assert not access.admits(given)


# The Host, after DNS rebinding.
HOSTS = ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "localhost.evil.example",
         "", "127.0.0.1:{port}@evil.example", "[::1", "localhost:99999999", "10.0.0.1:{port}",
         "0.0.0.0:{port}", "127.0.0.1 evil.example", "localhost.", "ⅼocalhost"]  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_that_is_another_site_is_refused(server: Running, host: str) -> None:
    host = host.format(port=server.port)
    assert not server.place.access.knows_host(host)
    if host and host.isascii():
        for path in ("/", f"/?token={server.token}", "/static/studio.js", "/nothing"):
            answer = server.get(path, host=host)
            assert answer.status_code in (400, 403)
            assert "set-cookie" not in answer.headers


def test_a_socket_to_another_host_is_refused_before_it_opens(server: Running) -> None:
    host = f"evil.example:{server.port}"
    with pytest.raises(InvalidStatus) as refused:
        server.socket(origin=f"http://{host}", additional_headers={"Host": host})
    assert refused.value.response.status_code in (400, 403)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:{port}", "LOCALHOST", "[::1]:9"])
def test_this_machine_is_known_by_its_names(server: Running, host: str) -> None:
    assert server.get("/", host=host.format(port=server.port)).status_code == 200


def test_a_studio_that_is_open_answers_to_addresses_and_to_its_name() -> None:
    access = Access(frozenset({"desk.local"}), open=True)
    for host in ("10.0.0.7:8425", "[fe80::1]:8425", "desk.local:8425", "localhost"):
        assert access.knows_host(host)
    for host in ("evil.example", "desk.local.evil.example", "10.0.0.7.evil.example", "1"):
        assert not access.knows_host(host)


def test_loopback_addresses() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("192.168.1.5")


# The Origin: pages of other sites.
ORIGINS = [EVIL, "null", "http://127.0.0.1", "http://127.0.0.1:1", "https://localhost:{port}",
           "http://localhost:{port}", "file://", "http://127.0.0.1:{port}.evil.example",
           "http://evil.example/127.0.0.1:{port}", "chrome-extension://abc"]  # fmt: skip


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_page_of_another_site_gets_no_socket_and_no_upload(server: Running, origin: str) -> None:
    origin = origin.format(port=server.port)
    with pytest.raises(InvalidStatus) as refused:
        server.socket(origin=origin)
    assert refused.value.response.status_code == 403
    answer = server.post(b"a\n1\n", headers={"origin": origin})
    assert answer.status_code == 403
    assert "ok" not in answer.json()


def test_without_an_origin_there_is_no_socket_and_no_upload(server: Running) -> None:
    with pytest.raises(InvalidStatus):
        server.socket(origin=None)
    assert server.post(b"a\n1\n", headers={}).status_code == 403


def test_an_origin_is_compared_with_the_host_that_was_asked() -> None:
    assert same_origin({"origin": "http://localhost:1", "host": "localhost:1"})
    assert not same_origin({"origin": "http://", "host": ""})
    assert not same_origin({"origin": "localhost:1", "host": "localhost:1"})
    assert not same_origin({"host": "localhost:1"})


# What a page may do.
def test_every_answer_has_the_policy(server: Running) -> None:
    for path in ("/", "/static/studio.js", "/nothing", "/static/../server.py", "/csv", "/ws"):
        headers = server.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "style-src 'self';" in policy
        assert "connect-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "*" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert headers["x-frame-options"] == "DENY"
        assert "server" not in headers
        assert not [name for name in headers if name.startswith("access-control")]


def test_the_shell_has_no_script_and_no_style_of_its_own(server: Running) -> None:
    page = server.get("/").text
    assert re.findall(r"<script[^>]*>[^<]", page) == []
    assert "<style" not in page
    assert not re.search(r"\s(style|on\w+)=", page)
    assert not re.search(r"(src|href)=\"(?!/)", page)


@pytest.mark.parametrize(
    "path",
    ["/static/", "/static/../page.py", "/static/%2e%2e/page.py", "/static/..%2fpage.py",
     "//etc/passwd", "/static/studio.js/", "/%00", "/static/studio.py"],
)  # fmt: skip
def test_nothing_else_is_served(server: Running, path: str) -> None:
    answer = server.get(path)
    assert answer.status_code in (307, 400, 404)
    assert "import" not in answer.text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_no_other_method_does_anything(server: Running, method: str) -> None:
    for path in ("/", "/csv"):
        answer = httpx.request(method, server.origin + path, headers={"origin": EVIL})
        assert answer.status_code == 405
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("key", ["", "abc", "../../etc/passwd", "G" * 32, "0" * 33, "A" * 32])
def test_a_key_is_32_hexadecimal_digits(server: Running, key: str) -> None:
    with server.socket(key or "-") as socket:
        assert ending(socket)[1] == 4400
    assert server.post(b"a\n1\n", session=key).status_code == 400
