"""`counterfoil program sign`: writes the signed list of the installed program."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from counterfoil.daemon.config import ConfigurationRefused
from counterfoil.daemon.program_list import (
    ProgramListRefused,
    installed_roots,
    make_list,
)
from counterfoil.seal.keys import KeyReference, load_private_key
from counterfoil.seal.secret import KeyRefused
from counterfoil.tlog.ed25519 import Ed25519Signer
from counterfoil.tlog.errors import TlogError
from counterfoil.tlog.keys import SignatureType, VerifierKey


def sign_program(arguments: argparse.Namespace) -> int:
    """Write the list of the installed files, and print the key that verifies it.

    Raises:
        ConfigurationRefused: The key or its name cannot be used, or files of one
            name are installed twice.
        OSError: A file cannot be read, or the list not written.
    """
    reference = KeyReference(uri=arguments.key, passphrase=arguments.passphrase)
    try:
        signer = _signer(arguments.name, reference)
        content = make_list(installed_roots(), signer)
    except (KeyRefused, TlogError, ProgramListRefused) as error:
        raise ConfigurationRefused(str(error)) from error
    Path(arguments.list).write_bytes(content)
    sys.stdout.write(f"{signer.key.to_text()}\n")
    files = content.count(b"\n") - 3  # the form, the empty line, the signature
    sys.stderr.write(f"counterfoil: {files} files are on {arguments.list}\n")
    return 0


def _signer(name: str, reference: KeyReference) -> Ed25519Signer:
    private = load_private_key(reference)
    if not isinstance(private, Ed25519PrivateKey):
        msg = f"not an Ed25519 key: {reference.uri}"
        raise KeyRefused(msg)
    key = VerifierKey(
        name=name,
        signature_type=SignatureType.ED25519,
        public_key=private.public_key().public_bytes_raw(),
    )
    return Ed25519Signer(key, private.sign)
