"""The registered peers in a file of the state directory, for whoever looks from beside.

A running gateway alone may open its vault. The self-test asks the peers that stand in
the register all the same, by this note; it is no evidence, and nothing is judged by it.
"""

from __future__ import annotations

import json
import logging
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from counterfoil.daemon.config import Configuration
from counterfoil.daemon.lines import peers_of
from counterfoil.domain.register import Register
from counterfoil.domain.registration import PeerConnection

log = logging.getLogger("counterfoil.daemon")

FILE: Final = "peers.json"
"""Its name in the state directory."""


def note_peers(directory: Path, register: Register) -> None:
    """Write down the peers that are registered; nothing if none ever was.

    Raises:
        OSError: It cannot be written.
    """
    rows = [
        {**asdict(one.peer), "is_over": one.is_over}
        for one in register.peers.values()
        if one.entry
    ]
    text = json.dumps(rows, ensure_ascii=False, indent=1) + "\n"
    file = directory / FILE
    if not rows or (file.exists() and file.read_text("utf-8") == text):
        return
    new = file.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(text)
    new.replace(file)


def known_peers(configuration: Configuration) -> list[PeerConnection]:
    """Return the peers that a gateway goes by, as it last wrote them down."""
    noted = {row["party"]: row for row in _rows(configuration.directory / FILE)}
    lines = peers_of(configuration)
    own = [peer for code, peer in lines.items() if code not in noted]
    return own + [
        PeerConnection(
            party=code,
            addresses=tuple(row["addresses"]),
            heads=tuple(row["heads"]),
            server_name=row["server_name"],
        )
        for code, row in noted.items()
        if not row["is_over"]
    ]


_FIELDS: Final = {"party": str, "addresses": list, "heads": list, "server_name": str}


def _rows(file: Path) -> list[dict[str, Any]]:
    """Return the rows of the note; none if there is no such file, or it is none."""
    try:
        rows = json.loads(file.read_text("utf-8"))
        whole = all(
            isinstance(row[name], kind)
            for row in rows
            for name, kind in {**_FIELDS, "is_over": bool}.items()
        )
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("note of peers not read", extra={"detail": type(error).__name__})
        return []
    return rows if whole else []
