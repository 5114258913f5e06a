"""From a configured key to the verifier of its type."""

from __future__ import annotations

from counterfoil.tlog.cosignature import Ed25519CosignatureVerifier
from counterfoil.tlog.ed25519 import Ed25519Verifier
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
