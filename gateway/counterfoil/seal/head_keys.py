"""Keys of the log: what `tlog.checkpoint` and `tlog.cosignature` sign with.

A log's head is signed with Ed25519 and with ML-DSA-44, because vouchers are kept for
thirty years; cosigning peers' heads takes keys of its own.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from counterfoil.seal.keys import KeyReference, load_private_key
from counterfoil.seal.secret import KeyRefused
from counterfoil.tlog.cosignature import Ed25519Cosigner
from counterfoil.tlog.ed25519 import Ed25519Signer
from counterfoil.tlog.keys import SignatureType, VerifierKey
from counterfoil.tlog.ml_dsa import MlDsa44Signer


def head_signers(
    origin: str, ed25519: Ed25519PrivateKey, ml_dsa_44: MLDSA44PrivateKey
) -> tuple[Ed25519Signer, MlDsa44Signer]:
    """Return what signs the checkpoints of the log `origin`, both together.

    Each one's `key` is what peers need to know.

    Raises:
        MalformedNote: The origin cannot name a key.
    """
    key = VerifierKey(
        name=origin,
        signature_type=SignatureType.ED25519,
        public_key=ed25519.public_key().public_bytes_raw(),
    )
    return Ed25519Signer(key, ed25519.sign), _ml_dsa_44(origin, ml_dsa_44)


def cosigners(
    name: str, ed25519: Ed25519PrivateKey, ml_dsa_44: MLDSA44PrivateKey
) -> tuple[Ed25519Cosigner, MlDsa44Signer]:
    """Return what cosigns peers' checkpoints under `name`.

    Raises:
        MalformedNote: The name cannot name a key.
    """
    key = VerifierKey(
        name=name,
        signature_type=SignatureType.ED25519_COSIGNATURE,
        public_key=ed25519.public_key().public_bytes_raw(),
    )
    return Ed25519Cosigner(key, ed25519.sign), _ml_dsa_44(name, ml_dsa_44)


def load_log_keys(
    ed25519: KeyReference, ml_dsa_44: KeyReference
) -> tuple[Ed25519PrivateKey, MLDSA44PrivateKey]:
    """Return a pair of keys for `head_signers` or `cosigners`.

    Raises:
        KeyRefused: One cannot be loaded, or is of the other's kind.
    """
    classical, lattice = load_private_key(ed25519), load_private_key(ml_dsa_44)
    if not isinstance(classical, Ed25519PrivateKey):
        msg = f"not an Ed25519 key: {ed25519.uri}"
        raise KeyRefused(msg)
    if not isinstance(lattice, MLDSA44PrivateKey):
        msg = f"not an ML-DSA-44 key: {ml_dsa_44.uri}"
        raise KeyRefused(msg)
    return classical, lattice


def _ml_dsa_44(name: str, private_key: MLDSA44PrivateKey) -> MlDsa44Signer:
    key = VerifierKey(
        name=name,
        signature_type=SignatureType.ML_DSA_44,
        public_key=private_key.public_key().public_bytes_raw(),
    )
    return MlDsa44Signer(key, private_key.sign)
