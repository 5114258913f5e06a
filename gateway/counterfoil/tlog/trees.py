"""The trees that one log may have over the same leaves.

Each has an origin and checkpoints of its own, because a checkpoint does not say by
which hash function its root was made.
"""

from __future__ import annotations

from enum import Enum
from hashlib import sha256

from counterfoil.tlog.merkle import HashFunction
from counterfoil.tlog.sm3 import sm3


class LogTree(Enum):
    """A tree of a log, named for its hash function."""

    SHA256 = "SHA-256"
    SM3 = "SM3"

    @property
    def hash_function(self) -> HashFunction:
        """What its leaves and nodes are hashed with."""
        return sm3 if self is LogTree.SM3 else sha256

    def origin(self, log: str) -> str:
        """Return the origin of this tree's checkpoints.

        Args:
            log: The log's name, which is the origin of its first tree, of SHA-256.
        """
        return f"{log}-sm3" if self is LogTree.SM3 else log
