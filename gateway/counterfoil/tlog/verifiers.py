"""From a configured key to the verifier of its type."""

from __future__ import annotations

from collections.abc import Sequence

from counterfoil.tlog.cosignature import Ed25519CosignatureVerifier
from counterfoil.tlog.ed25519 import Ed25519Verifier
from counterfoil.tlog.errors import MalformedNote
from counterfoil.tlog.keys import SignatureType, VerifierKey
from counterfoil.tlog.ml_dsa import MlDsa44Verifier
from counterfoil.tlog.note import NoteVerifier
from counterfoil.tlog.sm2 import Sm2Verifier


def verifier_of(key: VerifierKey) -> NoteVerifier:
    """Return the verifier of a key's type."""
    match key.signature_type:
        case SignatureType.ED25519:
            return Ed25519Verifier(key)
        case SignatureType.ED25519_COSIGNATURE:
            return Ed25519CosignatureVerifier(key)
        case SignatureType.ML_DSA_44:
            return MlDsa44Verifier(key)
        case SignatureType.SM2_SM3:
            return Sm2Verifier(key)


def log_verifiers(origin: str, texts: Sequence[str]) -> tuple[NoteVerifier, ...]:
    """Return what verifies the heads of one log, at least one key.

    Args:
        origin: The log's name in its checkpoints.
        texts: Its verifier keys (C2SP signed-note).

    Raises:
        MalformedNote: There is none, one stands there twice, or a text is not a
            verifier key of this log.
    """
    keys = [VerifierKey.from_text(text) for text in texts]
    for key in keys:
        if key.name != origin:
            msg = f"a key of {key.name} stands where {origin} is expected"
            raise MalformedNote(msg)
    if not keys or len(set(texts)) < len(keys):
        msg = "at least one log key is needed, and each only once"
        raise MalformedNote(msg)
    return tuple(verifier_of(key) for key in keys)
