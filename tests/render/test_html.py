"""The page: what a browser would refuse, fetch or read aloud."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest

from chalkgrad.explain.document import Document, Link
from chalkgrad.explain.render import fragment, to_html
from chalkgrad.formulas import Call, Name
from chalkgrad.formulas.records import notation, records
from tests.render.sample import document
from tests.render.test_formats import hostile

VOID = {"meta", "img", "br", "link", "hr", "input"}


class Reader(HTMLParser):
    """Every element with its attributes; what is opened must be closed."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.contents: dict[str, str] = {}
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.contents[self.open[-1]] = self.contents.get(self.open[-1], "") + data

    def attributes(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.mark.parametrize("made", [document(), hostile()], ids=["usual", "hostile"])
def test_the_page_parses_and_fetches_nothing(made: Document) -> None:
    reader = Reader(to_html(made))
    for tag, attributes in reader.found:
        assert tag not in ("link", "iframe", "object", "base")
        for name in ("src", "href", "srcset", "action"):
            assert attributes.get(name, "#").startswith(("#", "data:")), (tag, attributes)
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
    assert not re.search(r"url\((?!data:)", reader.contents["style"])
    assert "@import" not in reader.contents["style"]


def test_the_policy_allows_this_script_and_this_style_alone() -> None:
    reader = Reader(to_html(document()))
    policy = reader.attributes("meta")[1]["content"]
    assert "default-src 'none'" in policy
    for tag in ("script", "style"):
        digest = b64encode(sha256(reader.contents[tag].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}';" in policy
    assert "unsafe" not in policy


def test_a_reader_of_the_page_finds_the_way() -> None:
    reader = Reader(to_html(document()))
    assert reader.attributes("html") == [{"lang": "en"}]
    targets = {attributes["id"] for _, attributes in reader.found if "id" in attributes}
    links = [attributes["href"] for attributes in reader.attributes("a")]
    assert "#content" in links
    assert {link[1:] for link in links} <= targets
    assert [tag for tag, _ in reader.found if re.fullmatch("h[1-6]", tag)][:4] == [
        "h1",
        "h2",
        "h2",
        "h3",
    ]
    assert all(attributes["alt"] for attributes in reader.attributes("img"))


def test_without_the_script_every_formula_is_there_as_text() -> None:
    page = to_html(document())
    assert ">w1 · i1 + w2 · i2 + b1</span>" in page
    assert ">∂E_total/∂w1</span>" in page


def test_mentions_of_a_step_are_links_to_it() -> None:
    made = Document("T")
    made.prose("as in step 1 and step 7")
    made.equation(Name("x"), [Link(Name("y"))], "step 1")
    page = to_html(made)
    assert 'as in <a href="#at-1">step 1</a> and step 7' in page
    assert '<div class="equation" id="at-1">' in page


@pytest.mark.parametrize(("count", "expected"), [(8, 0), (9, 1)])
def test_many_headings_begin_with_a_list_of_them(count: int, expected: int) -> None:
    made = Document("T")
    for k in range(count):
        made.heading(1, f"Part {k}")
    reader = Reader(to_html(made))
    assert len(reader.attributes("nav")) == expected
    assert len(reader.attributes("li")) == count * expected


def test_a_long_formula_has_shorter_lines_for_narrow_pages() -> None:
    spans = Reader(to_html(document())).attributes("span")
    long = [s for s in spans if "data-narrow" in s]
    assert long
    for span in long:
        assert span["data-narrow"].count("\n") > span["data-tex"].count("\n")


def test_a_fragment_is_a_frame_that_holds_the_page() -> None:
    made = document()
    reader = Reader(fragment(made))
    (frame,) = reader.attributes("iframe")
    assert frame["sandbox"] == "allow-scripts"
    assert frame["srcdoc"] == to_html(made)


def sources(made: Document) -> set[str]:
    spans = Reader(to_html(made)).attributes("span")
    texts = [span[key] for span in spans for key in ("data-tex", "data-narrow") if key in span]
    return {line.strip() for text in texts for line in text.split("\n")}


def every_function() -> Document:
    made = Document("Functions")
    for name in records():
        count = len(set(re.findall(r"\{(\d)\}", notation(name).text)))
        operands = (
            Name("sum_h1[2]") + Name("w5"),
            Name("x"),
            Name("layers.0.weight[1,0]"),
            Name("z"),
        )
        made.equation(Name("y"), [Link(Call(name, operands[:count]))])
        made.equation(Name("y"), [Link(Call(name, operands[1:][:count]))])
    return made


@pytest.mark.parametrize("made", [document(), hostile(), every_function()])
def test_katex_sets_every_formula(made: Document, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    program = tmp_path / "it.js"
    katex = files("chalkgrad.explain") / "assets" / "katex.min.js"
    program.write_text(
        f"const katex = require({json.dumps(str(katex))});\n"
        f"for (const source of {json.dumps(sorted(sources(made)))}) {{\n"
        "  katex.renderToString('\\\\displaystyle ' + source,"
        " {throwOnError: true, strict: 'ignore', trust: false});\n}\n",
        "utf-8",
    )
    done = subprocess.run([node, program], capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr[-1500:]


@pytest.mark.browser
def test_a_browser_shows_the_page_without_a_complaint(tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no browser is installed")
    page = tmp_path / "it.html"
    page.write_text(to_html(document()), "utf-8")
    command = [
        browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
        f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=2000", "--dump-dom",
        page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert 'class="typeset"' in done.stdout
    assert 'class="katex-error"' not in done.stdout
    assert "Content Security Policy" not in done.stderr
