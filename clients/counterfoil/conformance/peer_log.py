"""The log of the peer that we play: it goes on from run to run, as a log must."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from counterfoil.exchange.v1 import exchange_pb2 as pb
from counterfoil.office.channel import read_passphrase
from counterfoil.tlog.checkpoint import Checkpoint, sign_checkpoint
from counterfoil.tlog.ed25519 import Ed25519Signer
from counterfoil.tlog.keys import SignatureType, VerifierKey
from counterfoil.tlog.merkle import TreeHead, leaf_hash, node_hash
from counterfoil.tlog.ml_dsa import MlDsa44Signer
from counterfoil.tlog.proofs import consistency_proof, inclusion_proof, subtree_hash

_FILE: Final = "file:"
_PATIENCE_S: Final = 90.0
"""A lane that failed is tried again within a minute by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """What the file says of the peer's log.

    Attributes:
        party: The party whose log it is.
        listen: `host:port` where the gateway under test reaches the peer.
        leaves: The file that its leaves are kept in.
        ed25519: The one key that signs its heads.
        ml_dsa_44: The other.
        patience_s: How long a run waits until the gateway witnesses a head, seconds.
    """

    party: str
    listen: str
    leaves: Path
    ed25519: Ed25519Signer
    ml_dsa_44: MlDsa44Signer
    patience_s: float

    @property
    def origin(self) -> str:
        """The log's name."""
        return f"{self.party}/log"


def read_log(table: Mapping[str, Any], party: str, base: Path) -> LogSettings:
    """Read the table of the peer's log.

    Raises:
        KeyError: A key is missing.
        OSError: A file cannot be read.
        ValueError: A key is of another kind, or is not opened by its passphrase.
    """
    match [_key(table, name, base) for name in ("ed25519", "mldsa44")]:
        case [Ed25519PrivateKey() as classical, MLDSA44PrivateKey() as lattice]:
            pass
        case _:
            raise ValueError("peer.log: ed25519 or mldsa44 is a key of another kind")
    keys = [
        VerifierKey(
            name=f"{party}/log",
            signature_type=kind,
            public_key=one.public_key().public_bytes_raw(),
        )
        for kind, one in (
            (SignatureType.ED25519, classical),
            (SignatureType.ML_DSA_44, lattice),
        )
    ]
    return LogSettings(
        party=party,
        listen=table["listen"],
        leaves=base / table["leaves"],
        ed25519=Ed25519Signer(keys[0], classical.sign),
        ml_dsa_44=MlDsa44Signer(keys[1], lattice.sign),
        patience_s=float(table.get("patience_s", _PATIENCE_S)),
    )


def _key(table: Mapping[str, Any], name: str, base: Path) -> object:
    reference = table[name]
    if not reference.startswith(_FILE):
        raise ValueError("a key is given as file:PATH")
    passphrase = read_passphrase(table[f"{name}_passphrase"], base)
    encoded = (base / reference.removeprefix(_FILE)).read_bytes()
    try:
        return load_pem_private_key(encoded, passphrase)
    except UnsupportedAlgorithm as error:
        raise ValueError(f"peer.log.{name}: {error}") from error


@dataclass(slots=True)
class PeerLog:
    """The log, read from its file and appended to; one writer at a time.

    Attributes:
        settings: Where it is kept, and who signs.
    """

    settings: LogSettings
    _leaves: list[bytes] = field(init=False)
    _signed: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the leaves.

        Raises:
            OSError: The file cannot be read.
            ValueError: It holds something else.
        """
        file = self.settings.leaves
        lines = file.read_text(encoding="ascii").split() if file.exists() else []
        self._leaves = [bytes.fromhex(line) for line in lines]

    @property
    def size(self) -> int:
        """Number of leaves."""
        return len(self._leaves)

    def append(self, leaf: bytes) -> int:
        """Append a leaf, durably, and return its place."""
        # Before any head has it: what was signed must be there in the next run.
        with self.settings.leaves.open("a", encoding="ascii") as file:
            file.write(f"{leaf.hex()}\n")
            file.flush()
            os.fsync(file.fileno())
        self._leaves.append(leaf)
        return self.size - 1

    def head(self, size: int) -> TreeHead:
        """Return the head that the log has, or had, at a size."""
        return TreeHead(size, subtree_hash(0, size, self._node))

    def checkpoint(self) -> bytes:
        """Return the newest head, signed; the same bytes until the log grows."""
        if self.size not in self._signed:
            origin, head = self.settings.origin, self.head(self.size)
            checkpoint = Checkpoint(origin=origin, head=head)
            signers = self.settings.ed25519, self.settings.ml_dsa_44
            time_s = int(datetime.now(UTC).timestamp())
            self._signed[self.size] = sign_checkpoint(checkpoint, signers, time_s)
        return self._signed[self.size]

    def growth(self, older: int, size: int) -> tuple[bytes, ...]:
        """Return the proof that the log of one size goes on in that of another."""
        return consistency_proof(older, size, self._node)

    def earlier(self, index: int, size: int) -> pb.EarlierProof:
        """Return what shows that the first document of a batch stood below a size.

        Args:
            index: Where the document entered.
            size: The size that is asked for.
        """
        hashes = inclusion_proof(index, size, self._node) if index < size else ()
        leaf = self._leaves[index]
        return pb.EarlierProof(
            tree_size=size, leaf_index=index, leaf=leaf, hashes=hashes
        )

    def _node(self, height: int, at: int) -> bytes:
        if not height:
            return leaf_hash(self._leaves[at])
        left, right = (self._node(height - 1, 2 * at + side) for side in (0, 1))
        return node_hash(left, right)
