"""What comes out of a check, for programs, terminals and browsers."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest

from chalkgrad.check.marking import check
from chalkgrad.check.report import Report
from chalkgrad.check.truth import Truth
from tests.check.boards import LECTURE_001

TRUTH = Truth(LECTURE_001(), learning_rate=0.6, title="Lecture <001>")
TEXT = """Forward
sum_h1 = 0.41
output_h1 = 1/(1 + e^-0.41) = 0.61108
sum_o1 = 1.02477; sum_h3 = 2
dE_total/dw6 = (output_o1 - target_1) * output_h2
sum_h2 = 0.4 * (
w5 =
E_1 = <script>alert("&")</script> = 3
prose with <b>tags</b> & \u202ebidi
"""


@pytest.fixture(scope="module")
def report() -> Report:
    return check(TRUTH, TEXT)


def test_the_data_has_what_other_programs_read(report: Report) -> None:
    data = json.loads(report.to_json())
    assert set(data) == {"lines", "score", "notes"}
    keys = {"line", "text", "verdict", "claimed", "expected", "expected_from_yours", "mistakes"}
    for line in data["lines"]:
        assert set(line) == keys
        for mistake in line["mistakes"]:
            assert set(mistake) == {"name", "why", "value"}
    assert [(line["line"], line["verdict"]) for line in data["lines"]] == [
        (2, "correct"), (3, "wrong"), (4, "follows"), (4, "unknown"), (5, "wrong"),
        (6, "unreadable"), (7, "blank"), (8, "unreadable"),
    ]  # fmt: skip
    assert data["score"] == {
        "correct": 1, "follows": 1, "wrong": 2, "unreadable": 2, "unknown": 1, "blank": 1,
        "total": 8,
    }  # fmt: skip
    follows = data["lines"][2]
    assert follows["claimed"] == 1.02477
    assert follows["expected"] == pytest.approx(TRUTH.board.values["sum_o1"])
    assert follows["expected_from_yours"] == pytest.approx(1.02477, abs=1e-5)


def test_what_is_no_number_is_null() -> None:
    data = json.loads(check(TRUTH, "sum_h1 = 9^9^9^9\nsum_h2 = 1/0.00\nfoo = 3").to_json())
    assert [line["claimed"] for line in data["lines"]] == [None, None, None]
    assert "NaN" not in json.dumps(data)


def test_the_terminal_has_eighty_columns(report: Report) -> None:
    lines = str(report).split("\n")
    assert max(map(len, lines)) <= 80
    assert lines[1] == "✓   2  sum_h1 = 0.41"
    assert "✗   3  output_h1 = 1/(1 + e^-0.41) = 0.61108" in lines
    assert "→   4  sum_o1 = 1.02477" in lines
    joined = " ".join(" ".join(lines).split())
    assert "8 claims: 1 correct, 1 right from an earlier wrong value, 2 wrong, 2 unre" in joined
    assert "It follows from line 3 (output_h1 = 0.61108); the right value is 1.01977." in joined
    assert "Did you mean sum_h2, sum_h1, sum_o2?" in joined
    assert "right: output_h1 = σ(sum_h1) = σ(0.41) = 0.60109" in joined


def test_nothing_hides_in_what_is_printed() -> None:
    said = str(check(TRUTH, "sum_h1 = 0.41\u202e\nsum_h2\x1b[31m = 3"))
    assert "\u202e" not in said
    assert "\x1b" not in said
    assert "\\u202e" in said


class Page(HTMLParser):
    """The tags of a page, which must close as they open; and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_page(report: Report) -> None:
    html = report.to_html()
    page = Page()
    page.feed(html)
    assert page.open == []
    tags = [tag for tag, _ in page.tags]
    assert not {"script", "img", "link", "iframe", "b"} & set(tags) - {"b"}
    assert "http-equiv" in dict(page.tags[3][1])
    assert "default-src 'none'" in html
    assert "http://" not in html
    assert "https://" not in html
    assert 'alert("&")' in page.words  # shown, not run
    assert "Lecture <001>" in page.words
    assert "\u202e" not in html
    for line in TEXT.split("\n")[:8]:
        assert line in page.words
    marks = [attrs["aria-label"] for tag, attrs in page.tags if attrs.get("role") == "img"]
    assert marks == [
        "correct", "wrong", "unknown name", "wrong", "cannot be read", "nothing is claimed",
        "cannot be read",
    ]  # fmt: skip
    assert tags.count("details") == 3  # the right working under two wrong lines and what follows
    assert "∂E_total/∂w6 = ∂E_total/∂E_1 · ∂E_1/∂output_o1" in page.words
    assert report.score.wrong == 2


def test_the_right_working_is_right() -> None:
    report = check(TRUTH, "dE_total/dw1 = 0.5\nnew w1 = 3\nE_2 = 7\nw5 = 0.4")
    slope, update, error, given = (list(line.working) for line in report.lines)
    assert slope == [
        "through sum_h1, output_h1, sum_o1, output_o1, E_1: (0.73493 − 0.05) · 0.73493 · "
        "(1 − 0.73493) · 0.5 · 0.60109 · (1 − 0.60109) · 0.1 = 0.00160",
        "through sum_h1, output_h1, sum_o2, output_o2, E_2: (0.77955 − 0.95) · 0.77955 · "
        "(1 − 0.77955) · 0.7 · 0.60109 · (1 − 0.60109) · 0.1 = −0.000492",
        "∂E_total/∂w1 = 0.00160 + (−0.000492) = 0.00111",
    ]
    assert update == [
        "new w1 = w1 − 0.6 · ∂E_total/∂w1",
        "       = 0.1 − 0.6 · 0.00111",
        "       = 0.09934",
    ]
    assert error == [
        "E_2 = 1 / 2 · (target_2 − output_o2)²",
        "    = 1 / 2 · (0.95 − 0.77955)²",
        "    = 0.01453",
    ]
    assert given == ["w5 = 0.5"]
