"""The tree as RFC 9162 defines it: recursive, slow, over a list of leaf hashes.

Nothing here shares code with the product, so the two can disagree.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from counterfoil.tlog.cosignature import Ed25519CosignatureVerifier, Ed25519Cosigner
from counterfoil.tlog.ed25519 import Ed25519Signer, Ed25519Verifier
from counterfoil.tlog.keys import SignatureType, VerifierKey
from counterfoil.tlog.merkle import TreeHead
from counterfoil.tlog.ml_dsa import MlDsa44Signer, MlDsa44Verifier

_VECTORS = Path(__file__).parents[2] / "vectors"


def vectors(name: str) -> dict[str, Any]:
    """Return published vectors; each file states their origin."""
    with (_VECTORS / name).open(encoding="utf-8") as file:
        content: dict[str, Any] = json.load(file)
    return content


def leaves_of(count: int, salt: int = 0) -> list[bytes]:
    """Return leaf hashes that differ from each other and by `salt`."""
    return [
        hashlib.sha256(b"\0%d %d" % (salt, index)).digest() for index in range(count)
    ]


def split(count: int) -> int:
    """Return the largest power of two smaller than `count`."""
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def tree_hash(leaves: list[bytes], hash_name: str = "sha256") -> bytes:
    """MTH(D[n]), section 2.1.1, of leaf hashes."""
    if not leaves:
        return hashlib.new(hash_name, b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    middle = split(len(leaves))
    left = tree_hash(leaves[:middle], hash_name)
    right = tree_hash(leaves[middle:], hash_name)
    return hashlib.new(hash_name, b"\1" + left + right).digest()


def head_of(leaves: list[bytes], hash_name: str = "sha256") -> TreeHead:
    """Return size and root."""
    return TreeHead(len(leaves), tree_hash(leaves, hash_name))


def inclusion_path(
    index: int, leaves: list[bytes], hash_name: str = "sha256"
) -> list[bytes]:
    """PATH(m, D[n]), section 2.1.3.1."""
    if len(leaves) == 1:
        return []
    middle = split(len(leaves))
    if index < middle:
        below = inclusion_path(index, leaves[:middle], hash_name)
        return [*below, tree_hash(leaves[middle:], hash_name)]
    below = inclusion_path(index - middle, leaves[middle:], hash_name)
    return [*below, tree_hash(leaves[:middle], hash_name)]


def consistency_path(
    old: int, leaves: list[bytes], hash_name: str = "sha256", *, whole: bool = True
) -> list[bytes]:
    """SUBPROOF(m, D[n], b), section 2.1.4.1."""
    if old == len(leaves):
        return [] if whole else [tree_hash(leaves, hash_name)]
    middle = split(len(leaves))
    if old <= middle:
        below = consistency_path(old, leaves[:middle], hash_name, whole=whole)
        return [*below, tree_hash(leaves[middle:], hash_name)]
    below = consistency_path(old - middle, leaves[middle:], hash_name, whole=False)
    return [*below, tree_hash(leaves[:middle], hash_name)]


def outside_hashes(
    first: int, end: int, leaves: list[bytes], hash_name: str = "sha256"
) -> list[bytes]:
    """The largest subtrees without a leaf of the range, from left to right."""
    if end <= 0 or first >= len(leaves):
        return [tree_hash(leaves, hash_name)]
    if first <= 0 and end >= len(leaves):
        return []
    middle = split(len(leaves))
    return outside_hashes(first, end, leaves[:middle], hash_name) + outside_hashes(
        first - middle, end - middle, leaves[middle:], hash_name
    )


class Nodes:
    """Reads complete subtrees out of a list of leaf hashes."""

    def __init__(self, leaves: list[bytes], hash_name: str = "sha256") -> None:
        self.leaves = leaves
        self.hash_name = hash_name

    def __call__(self, height: int, index: int) -> bytes:
        start, end = index << height, (index + 1) << height
        assert end <= len(self.leaves), "asked for an incomplete subtree"
        return tree_hash(self.leaves[start:end], self.hash_name)


class Ed25519Key:
    """A key pair with each use of Ed25519."""

    def __init__(self, name: str, seed: int = 1) -> None:
        private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        public = private.public_key().public_bytes_raw()
        plain = VerifierKey(
            name=name, signature_type=SignatureType.ED25519, public_key=public
        )
        timed = VerifierKey(
            name=name,
            signature_type=SignatureType.ED25519_COSIGNATURE,
            public_key=public,
        )
        self.private = private
        self.signer = Ed25519Signer(plain, private.sign)
        self.verifier = Ed25519Verifier(plain)
        self.cosigner = Ed25519Cosigner(timed, private.sign)
        self.cosignature_verifier = Ed25519CosignatureVerifier(timed)


class MlDsaKey:
    """A key pair of ML-DSA-44."""

    def __init__(self, name: str, seed: int = 1) -> None:
        private = MLDSA44PrivateKey.from_seed_bytes(bytes([seed]) * 32)
        key = VerifierKey(
            name=name,
            signature_type=SignatureType.ML_DSA_44,
            public_key=private.public_key().public_bytes_raw(),
        )
        self.private = private
        self.signer = MlDsa44Signer(key, private.sign)
        self.verifier = MlDsa44Verifier(key)
