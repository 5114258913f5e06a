"""One process per vault, and one thread alone while its map moves."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition


class VaultLocked(RuntimeError):
    """Another process has the vault open, or this one has it open twice.

    No refusal: only whoever starts a gateway ever meets it.
    """


class DirectoryLock:
    """An exclusive lock on a directory, held until `release` or the process ends.

    Args:
        directory: Created, for its owner only, if it is not there.

    Raises:
        VaultLocked: Somebody else holds it.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._pid = os.getpid()
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._file = os.open(directory / "owner.lock", flags, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            msg = f"another process has {directory} open"
            raise VaultLocked(msg) from error

    def check_process(self) -> None:
        """Check that no fork lies between opening and now.

        Raises:
            RuntimeError: One does; the child must open the vault for itself.
        """
        if os.getpid() != self._pid:
            msg = "a vault that was opened before a fork is not usable after it"
            raise RuntimeError(msg)

    def release(self) -> None:
        """Let others open the directory; idempotent."""
        if self._file >= 0 and os.getpid() == self._pid:
            os.close(self._file)
        self._file = -1


class Gate:
    """Lets readers in together, and one that moves the map in alone."""

    def __init__(self) -> None:
        self._condition = Condition()
        self._readers = 0

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Stay in together with others, outside of any `exclusive`."""
        with self._condition:
            self._readers += 1
        try:
            yield
        finally:
            with self._condition:
                self._readers -= 1
                if not self._readers:
                    self._condition.notify_all()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Wait until everybody is out, and stay in alone."""
        with self._condition:
            self._condition.wait_for(lambda: self._readers == 0)
            yield
