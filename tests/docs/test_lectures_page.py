"""The pages that a command writes are what it would write now: the audit, and the gallery."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tools import gallery, lectures


@pytest.fixture(scope="module")
def audits() -> list[lectures.Audit]:
    return list(lectures.audits())


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return gallery.texts()


# The audit of the lectures.
def test_the_page_is_what_would_be_written(audits: list[lectures.Audit]) -> None:
    current = lectures.PAGE.read_text("utf-8")
    assert current == lectures.page(audits), f"run `{lectures.COMMAND}`"


def test_every_lecture_is_audited(audits: list[lectures.Audit]) -> None:
    sheets = [sheet.stem for sheet in lectures.FOLDER.glob("*.toml")]
    assert sorted(audit.name for audit in audits) == sorted(sheets)
    assert {audit.name[:11] for audit in audits} == {f"lecture_00{k}" for k in range(5)}


def test_every_claim_stands_on_the_page_with_its_mark(audits: list[lectures.Audit]) -> None:
    page = lectures.PAGE.read_text("utf-8")
    for audit in audits:
        for judged in audit.report.lines:
            mark = lectures.MARKS[judged.verdict][0]
            assert f"| {judged.line} | {mark} | {lectures.code(judged.text)}" in page


def test_what_is_wrong_has_a_reason(audits: list[lectures.Audit]) -> None:
    marked = Counter[str]()
    for audit in audits:
        for judged in audit.report.lines:
            row = lectures.claim(judged, "")
            marked[judged.verdict.value] += 1
            assert ("<br>" in row) == (judged.verdict.value != "correct")
    assert marked["wrong"] > 0


def test_lecture_001_is_right_throughout(audits: list[lectures.Audit]) -> None:
    (audit,) = [audit for audit in audits if audit.name == "lecture_001"]
    score = audit.report.score
    assert (score.correct, score.total) == (71, 71)


def test_a_stale_page_is_noticed(
    audits: list[lectures.Audit], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lectures, "PAGE", tmp_path / "lectures.md")
    monkeypatch.setattr(lectures, "audits", lambda: audits)
    assert lectures.main([]) == 0
    assert lectures.main(["--check"]) == 0
    lectures.PAGE.write_text(lectures.PAGE.read_text("utf-8").replace("✓", "✗", 1), "utf-8")
    assert lectures.main(["--check"]) == 1


# The gallery.
def test_the_gallery_is_what_would_be_written(texts: dict[str, str]) -> None:
    stale = [n for n, text in texts.items() if not gallery.is_fresh(gallery.FOLDER / n, text)]
    assert stale == [], f"run `{gallery.COMMAND}`"


def test_a_changed_number_of_the_gallery_is_noticed(texts: dict[str, str], tmp_path: Path) -> None:
    for name in ("w1.txt", "w1.json", "network.svg"):
        (tmp_path / name).write_text(texts[name].replace("0.6", "0.7", 1), "utf-8")
        assert not gallery.is_fresh(tmp_path / name, texts[name])
    last_bit = texts["w1.json"].replace("0.6849286127170141", "0.6849286127170142")
    assert last_bit != texts["w1.json"]
    (tmp_path / "w1.json").write_text(last_bit, "utf-8")
    assert gallery.is_fresh(tmp_path / "w1.json", texts["w1.json"])


def test_the_screenshots_are_there_and_small() -> None:
    pictures = sorted(gallery.FOLDER.glob("*.png"))
    assert [picture.name for picture in pictures] == ["w1-html.png", "w1-pdf.png"]
    assert all(picture.read_bytes().startswith(b"\x89PNG\r\n") for picture in pictures)
    assert sum(picture.stat().st_size for picture in pictures) < 300_000


def test_nothing_else_is_in_the_gallery(texts: dict[str, str]) -> None:
    there = {path.name for path in gallery.FOLDER.iterdir() if path.suffix != ".png"}
    assert there == set(texts)
