"""Makes the file of a SQLite database so that only our own user can read it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from counterfoil.sql.errors import PlaceRefused

_OTHERS: Final = 0o077


def prepare_place(path: Path) -> None:
    """Create `path` with mode 0600 in a directory of mode 0700.

    SQLite gives its `-wal` and `-shm` files the mode of the database file, so an
    empty file is made before SQLite sees it. What exists already is never made
    more open; a file that was too open is closed to others.

    Args:
        path: Absolute path of the database file.

    Raises:
        PlaceRefused: The directory exists and others may enter it, or the file
            cannot be made.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.parent.stat().st_mode & _OTHERS:
            msg = f"others may enter {path.parent}: chmod 700 {path.parent}"
            raise PlaceRefused(msg)
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            # By name: closing a descriptor of a database that this process has
            # open would drop SQLite's locks on it.
            if path.stat().st_mode & _OTHERS:
                path.chmod(0o600)
    except OSError as error:
        msg = f"no database can be made at {path}: {error.strerror}"
        raise PlaceRefused(msg) from error
