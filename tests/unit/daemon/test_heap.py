"""What a worker freed it keeps, up to a bound."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from types import SimpleNamespace

import pytest

from counterfoil.daemon.heap import KEPT_BYTES, keep_freed

FREE_AND_TELL = """
import sys
from pathlib import Path
from counterfoil.daemon.heap import keep_freed

def resident():
    status = Path("/proc/self/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0]) * 1024

if sys.argv[1] == "keep":
    keep_freed()
before = resident()
blocks = [b"x" * 65_536 for _ in range(int(sys.argv[2]) // 65_536)]
del blocks
print(resident() - before)
"""


def left_bytes(how: str, used_bytes: int) -> int:
    """Return how much of what a process used and freed it still holds."""
    done = subprocess.run(
        [sys.executable, "-c", FREE_AND_TELL, how, str(used_bytes)],
        check=True,
        capture_output=True,
        text=True,
    )
    return int(done.stdout)


def test_what_is_freed_is_kept_up_to_a_bound() -> None:
    some, much = KEPT_BYTES // 2, KEPT_BYTES * 2

    assert left_bytes("plain", some) < some // 2
    assert left_bytes("keep", some) > some * 3 // 4
    assert left_bytes("keep", much) < KEPT_BYTES


def test_a_c_library_without_the_setting_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())

    keep_freed()
