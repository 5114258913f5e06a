"""The part of a configuration that says where the desk is, and who calls."""

from __future__ import annotations

import os
from pathlib import Path

from counterfoil.devca.directory import DevelopmentCa
from tests.unit.office.loopback import PARTY


def station(ca: DevelopmentCa, folder: Path, address: str) -> list[str]:
    """Return lines of a configuration in a folder."""
    lines = [
        "[office]",
        f'party = "{PARTY}"',
        f'address = "{address}"',
        f'authorities = "{os.path.relpath(ca.directory / "root.pem", folder)}"',
    ]
    for caller, use, name in (
        ("system", "system", "1"),
        ("first_reviewer", "person", "first"),
        ("second_reviewer", "person", "second"),
    ):
        stem = os.path.relpath(ca.credential(PARTY, use, name).stem, folder)
        lines += [
            f"[office.caller.{caller}]",
            f'certificate = "{stem}.pem"',
            f'key = "file:{stem}.key"',
            f'passphrase = "file:{stem}.pass"',
        ]
    return lines
