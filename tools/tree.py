"""Where things are in this repository."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
SOURCE_ROOTS: Final = ("proto", "gateway", "store", "clients")
HAND_WRITTEN_ROOTS: Final = ("gateway", "store", "clients")
REPORTS: Final = Path(".cache")
"""Directory, relative to the tree, of the reports that test runs leave."""

LEFT_BEHIND: Final = frozenset(
    {
        ".cache",
        ".git",
        ".hypothesis",
        ".import_linter_cache",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".venv",
        "__pycache__",
        "build",
        "dist",
        "node_modules",
    }
)
"""Names of directories that tools leave behind; nobody wrote their content."""


def files_below(directory: Path, suffix: str) -> Iterator[Path]:
    """Yield the files below `directory` that people wrote, sorted by path."""
    for path in sorted(directory.rglob(f"*{suffix}")):
        inside = path.relative_to(directory)
        if path.is_file() and not LEFT_BEHIND & set(inside.parts[:-1]):
            yield path


def modules_below(directory: Path) -> Iterator[Path]:
    """Yield the Python files below `directory` that no generator wrote."""
    for path in files_below(directory, ".py"):
        if not path.stem.endswith(("_pb2", "_pb2_grpc")):
            yield path


def copy_tree(tree: Path, target: Path) -> None:
    """Copy what people wrote in `tree` to `target`, which must not exist."""
    shutil.copytree(
        tree, target, ignore=shutil.ignore_patterns(*LEFT_BEHIND), symlinks=True
    )
