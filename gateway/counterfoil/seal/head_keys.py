"""Keys of the log: what `tlog.checkpoint` and `tlog.cosignature` sign with.

A log's head is signed with Ed25519 and with ML-DSA-44, because vouchers are kept for
thirty years; cosigning peers' heads takes keys of its own. The head of its SM3 tree, if
it has one, is signed with SM2 and with the same Ed25519 key.
"""

from __future__ import annotations

from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from counterfoil.seal.keys import KeyReference, load_private_key
from counterfoil.seal.secret import KeyRefused
from counterfoil.sm2.keys import Sm2PrivateKey
from counterfoil.tlog.cosignature import Ed25519Cosigner
from counterfoil.tlog.ed25519 import Ed25519Signer
from counterfoil.tlog.keys import SignatureType, VerifierKey
from counterfoil.tlog.ml_dsa import MlDsa44Signer
from counterfoil.tlog.sm2 import Sm2Signer
from counterfoil.tlog.trees import LogTree


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


def sm3_head_signers(
    log: Ed25519Signer, sm2: Sm2PrivateKey
) -> tuple[Ed25519Signer, Sm2Signer]:
    """Return what signs the checkpoints of a log's SM3 tree, both together.

    A reader without SM2 can still tell by the Ed25519 line whose head it is. That the
    key signs for two origins is no ambiguity: each text begins with its own.

    Args:
        log: What signs the checkpoints of the log's first tree.
        sm2: A key that signs nothing else.
    """
    origin = LogTree.SM3.origin(log.key.name)
    key = VerifierKey(
        name=origin,
        signature_type=SignatureType.SM2_SM3,
        public_key=sm2.public_key().point,
    )
    ed25519 = Ed25519Signer(replace(log.key, name=origin), log.sign_bytes)
    return ed25519, Sm2Signer(key, sm2.sign)


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


def load_sm2_key(reference: KeyReference) -> Sm2PrivateKey:
    """Return a key for `sm3_head_signers`.

    Raises:
        KeyRefused: It cannot be loaded, is of another kind, or this machine cannot do
            SM2.
    """
    key = load_private_key(reference)
    if not isinstance(key, Sm2PrivateKey):
        msg = f"not an SM2 key: {reference.uri}"
        raise KeyRefused(msg)
    return key


def _ml_dsa_44(name: str, private_key: MLDSA44PrivateKey) -> MlDsa44Signer:
    key = VerifierKey(
        name=name,
        signature_type=SignatureType.ML_DSA_44,
        public_key=private_key.public_key().public_bytes_raw(),
    )
    return MlDsa44Signer(key, private_key.sign)
