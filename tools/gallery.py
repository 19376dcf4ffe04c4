"""The gallery, docs/gallery: one derivation in every format, and two pictures.

    python tools/gallery.py            write the files; screenshots where chromium and pdftoppm are
    python tools/gallery.py --check    fail when a text or a drawing is not what would be written

The derivation is that of lecture 001 by its first weight.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from chalkgrad.draw import svg
from chalkgrad.explain import Derivation, explain

ROOT = Path(__file__).parents[1]
LECTURES = ROOT / "examples/lectures"
FOLDER = ROOT / "docs/gallery"
COMMAND = "python tools/gallery.py"
_STEP = "step 12"  # the one that the page shows in every format
_WIDE, _HIGH, _FROM = 1000, 1420, 1600  # pixels of the page, from where the backward pass begins
_DOTS = "75"  # of the PDF, per inch
_WINDOW = f"""<!doctype html><meta charset="utf-8"><style>body {{ margin: 0; overflow: hidden }}
iframe {{ border: 0; width: {_WIDE}px; height: {_FROM + _HIGH}px; margin-top: -{_FROM}px }}</style>
<iframe src="w1.html"></iframe>
"""

README = """# Gallery

One weight of lecture 001, explained once and written in every format. Written by `{command}`; the
commands below give the same.

```sh
chalkgrad explain examples/lectures/lecture_001.toml --wrt w1 --format html -o w1.html
```

| `--format` | whole file | what for |
|---|---|---|
| `text` | [w1.txt](w1.txt) | a terminal, 80 columns or whatever it has |
| `markdown` | [w1.md](w1.md) | notes, issues, a site: GitHub sets the formulas |
| `latex` | [w1.tex](w1.tex) | a paper or slides; compiles as it is |
| `typst` | [w1.typ](w1.typ) | the same in Typst |
| `pdf` | [page 2](#pdf) | a handout; needs no TeX (`pip install "chalkgrad[pdf]"`) |
| `html` | [the backward pass](#html) | one file to send around: formulas set, nothing fetched |
| `json` | [w1.json](w1.json) | your own program, by [this schema](../derivation.schema.json) |
| `notebook` | [w1.ipynb](w1.ipynb) | every number again in plain Python, and compared |

Below is the same step of the backward pass in each.

## text

```text
{text}
```

## markdown

What GitHub makes of it:

{markdown}

## latex

```latex
{latex}
```

## typst

```typst
{typst}
```

## json

```json
{json}
```

## notebook

```python
{notebook}
```

## html

![The backward pass on the page: the chain, each local derivative, and the product](w1-html.png)

## pdf

![The second page of the PDF: the backward pass](w1-pdf.png)

## The pictures

J = 3(x + yz) of lecture 004 with the local derivative on every arrow. An entry of ∇J = (3, 6, 9)
is the product of the arrows from its variable to J.

![The graph of J: x = 4, y = 3, z = 2, u = 6, v = 10, J = 30](j.svg)

The network of lecture 001. Weights stand above their arrows, the gradients towards them below.

![The network: two inputs, two hidden units, two outputs, two errors and their sum](network.svg)
"""


def texts() -> dict[str, str]:
    """Every file that is text, by its name."""
    derivation = explain(LECTURES / "lecture_001.toml", "w1")
    expression = explain(LECTURES / "lecture_004.toml")
    files = {
        "w1.txt": derivation.to_text(),
        "w1.md": derivation.to_markdown(),
        "w1.tex": derivation.to_latex(),
        "w1.typ": derivation.to_typst(),
        "w1.json": derivation.to_json() + "\n",
        "w1.ipynb": derivation.to_notebook(),
        "network.svg": svg(derivation.picture()) + "\n",
        "j.svg": svg(expression.picture()) + "\n",
    }
    return files | {"README.md": README.format(command=COMMAND, **_excerpts(files))}


def _excerpts(files: dict[str, str]) -> dict[str, str]:
    """The step in each format."""
    path = json.loads(files["w1.json"])["gradients"][0]["paths"][0]
    (factor,) = [f for f in path["factors"] if (f["of"], f["by"]) == ("E_1", "output_o1")]
    return {
        "text": _block(files["w1.txt"]),
        "markdown": _block(files["w1.md"]),
        "latex": _first(r"\\begin\{align\*\}(?:(?!\\begin).)*?\\end\{align\*\}", files["w1.tex"]),
        "typst": _block(files["w1.typ"]),
        "json": json.dumps(factor, ensure_ascii=False, indent=2),
        "notebook": _cell(json.loads(files["w1.ipynb"])["cells"]),
    }


def _block(text: str) -> str:
    """The paragraph with the step's label."""
    return next(b for b in text.split("\n\n") if re.search(_STEP + "[\n}\\]]", b)).strip("\n")


def _first(pattern: str, text: str) -> str:
    return next(m[0] for m in re.finditer(pattern, text, re.DOTALL) if _STEP in m[0])


def _cell(cells: list[dict[str, Any]]) -> str:
    sources: list[str] = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return next(source for source in sources if source.startswith("dE_1_doutput_o1"))


def screenshots(derivation: Derivation) -> None:
    """The page and the PDF as a reader sees them."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    with TemporaryDirectory() as folder:
        window, paper = Path(folder, "window.html"), Path(folder, "w1.pdf")
        window.write_text(_WINDOW, "utf-8")
        Path(folder, "w1.html").write_text(derivation.to_html(), "utf-8")
        if browser is None:
            print("no chromium here: w1-html.png stays as it is", file=sys.stderr)
        else:
            options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
            size, target = f"--window-size={_WIDE},{_HIGH}", FOLDER / "w1-html.png"
            _run([browser, *options, size, f"--screenshot={target}", window.as_uri()])
        if shutil.which("pdftoppm") is None:
            print("no pdftoppm here: w1-pdf.png stays as it is", file=sys.stderr)
        else:
            paper.write_bytes(derivation.to_pdf())
            second = ["-f", "2", "-l", "2", "-r", _DOTS, "-gray", "-png", "-singlefile"]
            _run(["pdftoppm", *second, str(paper), str(FOLDER / "w1-pdf")])


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=120)


def comparable(text: str) -> str:
    """With long numbers rounded: exp differs in its last bit from processor to processor."""
    return re.sub(r"-?\d+\.\d{10,}(?:e-?\d+)?", lambda found: f"{float(found[0]):.10g}", text)


def main(arguments: list[str]) -> int:
    written = texts()
    if arguments == ["--check"]:
        stale = [name for name, text in written.items() if not is_fresh(FOLDER / name, text)]
        if stale:
            print(f"{', '.join(stale)}: out of date, run `{COMMAND}`", file=sys.stderr)
        return int(bool(stale))
    FOLDER.mkdir(exist_ok=True)
    for name, text in written.items():
        (FOLDER / name).write_text(text, "utf-8")
    screenshots(explain(LECTURES / "lecture_001.toml", "w1"))
    return 0


def is_fresh(path: Path, text: str) -> bool:
    """Does the file hold this text, up to the last digits of long numbers?"""
    return path.exists() and comparable(path.read_text("utf-8")) == comparable(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
