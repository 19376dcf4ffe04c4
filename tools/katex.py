"""The typesetter of the HTML pages: KaTeX, built into two files in src/chalkgrad/explain/assets.

    python tools/katex.py                  fetch by `npm pack`, check, write the assets
    python tools/katex.py --tarball FILE   the same from a package that is there already
    python tools/katex.py --check          fail where the assets are not what would be written

The script is taken as it is. Of the style sheet's fonts those stay that our vocabulary can use, in
one format, inside the sheet: a page needs no other file. A new version: change VERSION and SHA256.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VERSION = "0.19.1"
SHA256 = "24da5a599eb2fcede2e270b99a6ff48bca816beecc95feeb84e8cccbd1bb34fd"
ASSETS = Path(__file__).parents[1] / "src/chalkgrad/explain/assets"
FONTS = {
    "Main-Regular", "Main-Bold", "Main-Italic", "Math-Italic", "Typewriter-Regular",
    "Size1-Regular", "Size2-Regular", "Size3-Regular", "Size4-Regular",
}  # fmt: skip


def fetched(folder: str) -> Path:
    """The package as npm serves it."""
    subprocess.run(
        ["npm", "pack", "--silent", f"katex@{VERSION}"], cwd=folder, check=True, capture_output=True
    )
    return next(Path(folder).glob("katex-*.tgz"))


def built(tarball: Path) -> dict[str, bytes]:
    """The assets by name, from a package whose checksum is right."""
    found = hashlib.sha256(tarball.read_bytes()).hexdigest()
    if found != SHA256:
        sys.exit(f"{tarball.name} has the sha256 {found}; expected for {VERSION} is {SHA256}.")
    with tarfile.open(tarball) as package:

        def read(name: str) -> bytes:
            member = package.extractfile(f"package/{name}")
            assert member is not None
            return member.read()

        def face(rule: re.Match[str]) -> str:
            font = re.search(r"fonts/KaTeX_([\w-]+)\.woff2", rule[0])
            if font is None or font[1] not in FONTS:
                return ""
            data = base64.b64encode(read(f"dist/fonts/KaTeX_{font[1]}.woff2")).decode()
            source = f'src:url(data:font/woff2;base64,{data}) format("woff2")'
            return re.sub(r"src:[^}]*", source, rule[0])

        style = re.sub(r"@font-face\{[^}]*\}", face, read("dist/katex.min.css").decode())
        return {
            "katex.min.js": read("dist/katex.min.js"),
            "katex.min.css": style.encode(),
            "katex.LICENSE": read("LICENSE"),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tarball", type=Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        assets = built(arguments.tarball or fetched(folder))
    for name, content in assets.items():
        path = ASSETS / name
        if not arguments.check:
            path.write_bytes(content)
            print(f"{path.name}: {len(content):,} bytes")
        elif not path.exists() or path.read_bytes() != content:
            sys.exit(f"{path} is not what KaTeX {VERSION} gives; run: python tools/katex.py")


if __name__ == "__main__":
    main()
