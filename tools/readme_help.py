"""Keeps the help texts in README.md and docs/ equal to what the commands print.

A block is what stands between `<!-- help: counterfoil serve -->` and
`<!-- /help -->`: a console block with the command and its whole output.
Exit 1 when one differs, or when a command has none; `--write` refreshes them.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Final

from tools.tree import ROOT

PAGES: Final = (
    "README.md",
    "docs/conformance.md",
    "docs/operators.md",
    "docs/reference-systems.md",
    "docs/register.md",
    "docs/watches.md",
)
BLOCK: Final = re.compile(
    r"<!-- help: (?P<command>[^\n]+?) -->\n(?P<body>.*?)<!-- /help -->", re.DOTALL
)


def help_of(command: str) -> str:
    """Return what `command --help` prints on a plain terminal of 80 columns.

    Raises:
        subprocess.CalledProcessError: The command refused.
    """
    environment = {
        **os.environ,
        "COLUMNS": "80",
        "NO_COLOR": "1",
        "PYTHON_COLORS": "0",
        "PATH": os.pathsep.join(
            [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
        ),
    }
    answer = subprocess.run(
        [*command.split(), "--help"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return answer.stdout


def refreshed(text: str, help_text: Callable[[str], str]) -> str:
    """Return `text` with every help block as it should be."""

    def block(match: re.Match[str]) -> str:
        command = match["command"]
        output = "\n".join(line.rstrip() for line in help_text(command).splitlines())
        return (
            f"<!-- help: {command} -->\n"
            f"```console\n$ {command} --help\n{output}\n```\n"
            "<!-- /help -->"
        )

    return BLOCK.sub(block, text)


def stale_commands(text: str, help_text: Callable[[str], str]) -> list[str]:
    """Return the commands whose block in `text` is not what they print."""
    return [
        match["command"]
        for match in BLOCK.finditer(text)
        if refreshed(match[0], help_text) != match[0]
    ]


def commands_named(text: str) -> list[str]:
    """Return the commands that a help text lists as its own, e.g. `run`."""
    listed = re.search(r"^positional arguments:\n +\{(.+?)\}", text, re.MULTILINE)
    return listed[1].split(",") if listed else []


def undocumented(
    documented: Iterable[str], help_text: Callable[[str], str]
) -> set[str]:
    """Return the commands that a documented one lists, and that have no block."""
    known = set(documented)
    listed = {
        f"{command} {name}"
        for command in known
        for name in commands_named(help_text(command))
    }
    return listed - known


def main(arguments: list[str] | None = None) -> int:
    """Check or refresh every page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="refresh the blocks")
    options = parser.parse_args(arguments)

    told = cache(help_of)
    documented: list[str] = []
    complaints: list[str] = []
    for page in PAGES:
        text = (ROOT / page).read_text("utf-8")
        blocks = BLOCK.findall(text)
        if text.count("<!-- help:") != len(blocks):
            complaints.append(f"{page}: a help block is not closed")
            continue
        documented += [command for command, _ in blocks]
        if options.write:
            (ROOT / page).write_text(refreshed(text, told), "utf-8")
            continue
        complaints += [
            f"{page}: `{command} --help` prints something else"
            for command in stale_commands(text, told)
        ]
    complaints += [
        f"no page shows `{command} --help`"
        for command in sorted(undocumented(documented, told))
    ]
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
