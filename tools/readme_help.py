"""Keeps the help texts in README.md equal to what the commands print.

A block is what stands between `<!-- help: counterfoil serve -->` and
`<!-- /help -->`: a console block with the command and its whole output.
Exit 1 when one differs; `--write` refreshes them.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tools.tree import ROOT

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


def main(arguments: list[str] | None = None) -> int:
    """Check or refresh README.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="refresh the blocks")
    options = parser.parse_args(arguments)

    readme = ROOT / "README.md"
    text = readme.read_text("utf-8")
    if text.count("<!-- help:") != len(BLOCK.findall(text)):
        print("README.md: a help block is not closed", file=sys.stderr)
        return 1
    if options.write:
        readme.write_text(refreshed(text, help_of), "utf-8")
        return 0
    stale = stale_commands(text, help_of)
    for command in stale:
        print(f"README.md: `{command} --help` prints something else", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
