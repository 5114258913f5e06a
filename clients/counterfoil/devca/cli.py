"""The command `python -m counterfoil.devca`."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from counterfoil.devca.directory import DevelopmentCa
from counterfoil.sm2.libcrypto import Sm2Unavailable

_PARTY: Final = re.compile(r"([0-9]{6,9}-[0-9a-z]{3,21})(?::[a-z-]+)?", re.ASCII)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make a development PKI, or add to one that is there.

    Returns:
        Exit status: 0 done, 1 refused.
    """
    parser = argparse.ArgumentParser(
        prog="python -m counterfoil.devca",
        description="Make keys and certificates for development; never for real use.",
    )
    parser.add_argument("--out", type=Path, required=True, help="the directory")
    parser.add_argument(
        "--party",
        action="append",
        default=[],
        type=_party,
        metavar="CODE[:KIND]",
        help="a party, e.g. 420000-011:finance; the kind is only for the reader",
    )
    parser.add_argument(
        "--institution-algorithm",
        choices=("p256", "ed25519", "sm2"),
        default="p256",
        help="of the seals of these parties; sm2 has a root of its own, sm2-root.pem",
    )
    parser.add_argument(
        "--revoke", type=Path, metavar="PEM", help="revoke the certificate in a file"
    )
    options = parser.parse_args(arguments)
    now = datetime.now(UTC).replace(microsecond=0)
    try:
        if (options.out / "root.pem").exists():
            authority = DevelopmentCa.open(options.out)
        else:
            authority = DevelopmentCa.create(options.out, now=now)
        for party in options.party:
            authority.add_party(
                party, now=now, institution_algorithm=options.institution_algorithm
            )
        if options.revoke is not None:
            authority.revoke_file(options.revoke, at=now)
    except (OSError, Sm2Unavailable) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _party(text: str) -> str:
    match = _PARTY.fullmatch(text)
    if match is None:
        msg = f"not a party code: {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return match[1]
