"""How the commands of the reference business systems run and end."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from counterfoil.office import DeskRefused, OfficeError, Unreachable

DONE: Final = 0
REFUSED: Final = 1
UNREACHABLE: Final = 3
"""Exit statuses; 2 is argparse's, for usage."""

IDLE_S: Final = 0.2
"""How long a system waits for arrivals before it looks at its own books again."""

GATHER_S: Final = 0.1
"""How long it waits for more after the first: a turn costs the same for one or many."""


def end_of(command: Callable[[], int]) -> int:
    """Run a command; return its exit status, and say in a line what refused it."""
    try:
        return command()
    except Unreachable as error:
        print(error, file=sys.stderr)
        return UNREACHABLE
    except DeskRefused as refusal:
        print(f"{refusal.reason}: {refusal.explanation()}", file=sys.stderr)
        return REFUSED
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"{where}{error.strerror or error} (文件无法读写)", file=sys.stderr)
        return REFUSED
    except (OfficeError, ValueError) as error:
        print(error, file=sys.stderr)
        return REFUSED


def add_path(
    to: argparse.ArgumentParser,
    system: str,
    name: str,
    text: str,
    *,
    required: bool = True,
) -> None:
    """Add a path with its environment twin; see `add_option`."""
    add_option(to, system, name, text, kind=Path, metavar="PATH", required=required)


def add_option(  # noqa: PLR0913 -- as argparse has it
    to: argparse.ArgumentParser,
    system: str,
    name: str,
    text: str,
    *,
    kind: Callable[[str], object] = str,
    metavar: str | None = None,
    required: bool = False,
) -> None:
    """Add an option with its environment twin, e.g. `COUNTERFOIL_BANK_CONFIG`.

    Args:
        to: The command's parser.
        system: Name of the business system, e.g. `bank`.
        name: The option's name, without its two dashes.
        text: What it is, for `--help`.
        kind: Makes its value of a text.
        metavar: What stands for the value in `--help`.
        required: Whether the command needs it.
    """
    twin = f"COUNTERFOIL_{system}_{name}".upper().replace("-", "_")
    value = os.environ.get(twin)
    to.add_argument(
        f"--{name}",
        type=kind,
        default=value,
        required=required and value is None,
        metavar=metavar,
        help=f"{text} [{twin}]",
    )


def setting(tables: Mapping[str, Any], *path: str) -> Any:  # noqa: ANN401 -- as TOML has it
    """Return what a configuration's tables say, e.g. under `books`, `url`.

    Raises:
        ValueError: They say nothing.
    """
    found: Any = tables
    for name in path:
        if name not in found:
            msg = f"{'.'.join(path)} is missing"
            raise ValueError(msg)
        found = found[name]
    return found


def tell(what: str, count: int) -> None:
    """Print one line of progress for a person or a program: `paid 64`."""
    print(what, count, flush=True)


class Stop:
    """Remembers that somebody asked us to stop; the batch under way is finished.

    Attributes:
        asked: Whether SIGTERM or Ctrl-C came.
    """

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, _signal: int, _frame: object) -> None:
        self.asked = True
