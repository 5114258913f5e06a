"""The configuration of each gateway of the day."""

from __future__ import annotations

import json
from collections.abc import Mapping

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from counterfoil.day.cast import GATEWAYS, PARTIES, Institution
from counterfoil.devca.credential import Credential
from counterfoil.devca.directory import DevelopmentCa
from counterfoil.tlog.keys import SignatureType, VerifierKey


def gateway_toml(
    ca: DevelopmentCa, institution: Institution, addresses: Mapping[str, str]
) -> str:
    """Return the configuration of one gateway; see `docs/gateway.toml`."""
    party = institution.code
    hosted = [one for one in PARTIES if one.carrier == party]
    lines = [
        "[gateway]",
        f'party = "{party}"',
        'directory = "state"',
        f'listen = "{addresses[party]}"',
        "[tls]",
        *_credential(ca.credential(party, "gateway"), party),
        "[trust]",
        'authorities = "../pki/authorities.pem"',
        'revocation_lists = ["../pki/authority.crl", "../pki/root.crl"]',
        "[register]",
        'founding = "founding.registrations"',
        "[head]",
        f'ed25519 = "file:../pki/{party}/head-ed25519.key"',
        f'mldsa44 = "file:../pki/{party}/head-ml-dsa-44.key"',
        f'ed25519_passphrase = "file:../pki/{party}/head-ed25519.pass"',
        f'mldsa44_passphrase = "file:../pki/{party}/head-ml-dsa-44.pass"',
        "[seal]",
        *_credential(ca.credential(party, "institution"), party),
    ]
    for one in hosted:
        lines += ["[[hosted]]", f'party = "{one.code}"']
        lines += _credential(ca.credential(one.code, "institution"), one.code)
    for one in PARTIES:
        lines += ["[[party]]", f'code = "{one.code}"', f'name = "{one.name}"']
        lines += [f'kind = "{one.kind}"']
        lines += [f'carrier = "{one.carrier}"'] if one.carrier else []
    for one in GATEWAYS:
        if one.code != party:
            heads = json.dumps(verifier_keys(ca, one.code))
            lines += ["[[peer]]", f'party = "{one.code}"']
            lines += [f'addresses = ["{addresses[one.code]}"]', f"heads = {heads}"]
    # A gateway that was killed is back within seconds: its peers try often. At the
    # end nothing is under way any more but the peers' open streams.
    lines += ["[limits]", "retry_s_min = 0.1", "retry_s_max = 2.0", "drain_s_max = 2.0"]
    return "\n".join(lines) + "\n"


def _credential(credential: Credential, party: str) -> list[str]:
    stem = f"../pki/{party}/{credential.stem.name}"
    return [
        f'certificate = "{stem}.pem"',
        f'key = "file:{stem}.key"',
        f'passphrase = "file:{stem}.pass"',
    ]


def verifier_keys(ca: DevelopmentCa, party: str) -> list[str]:
    """Return the public keys of a log, as a peer's configuration states them."""
    ed25519 = serialization.load_pem_public_key(
        ca.log_key(party, "head", "ed25519").public_file.read_bytes()
    )
    ml_dsa = serialization.load_pem_public_key(
        ca.log_key(party, "head", "ml-dsa-44").public_file.read_bytes()
    )
    assert isinstance(ed25519, Ed25519PublicKey)
    assert isinstance(ml_dsa, MLDSA44PublicKey)
    origin = f"{party}/log"
    return [
        VerifierKey(
            name=origin, signature_type=kind, public_key=key.public_bytes_raw()
        ).to_text()
        for kind, key in (
            (SignatureType.ED25519, ed25519),
            (SignatureType.ML_DSA_44, ml_dsa),
        )
    ]
