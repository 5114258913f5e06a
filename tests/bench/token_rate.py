"""What a seal costs whose key is in a token: SoftHSM2 beside a key in memory.

    python -m tests.bench.token_rate [SIGNATURES]

Pairs of runs in one process, the CPU time of each; the token's module does its own
cryptography, so this is the price of PKCS#11 and of that module, not of a device. A
device has a pace of its own, and waits on no CPU of ours.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from counterfoil.seal.algorithms import SigningKey, signing_key
from counterfoil.seal.key_material import KeyMaterial
from counterfoil.seal.token_uri import parse_token_uri
from tools.needs import find

PAIRS = 3


def cost_us(key: SigningKey, count: int) -> tuple[float, float]:
    """Return the CPU and the wall time of one signature, microseconds."""
    message = b"x" * 200
    key.sign(message)
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(count):
        key.sign(message)
    spent = time.process_time() - cpu, time.perf_counter() - wall
    return spent[0] / count * 1e6, spent[1] / count * 1e6


def in_soft_token(
    private: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, folder: Path
) -> KeyMaterial:
    """Bring a key into a fresh token.

    Raises:
        SystemExit: SoftHSM2 is not installed.
    """
    util, module = find("softhsm2-util"), find("libsofthsm2.so")
    if util is None or module is None:
        sys.exit("SoftHSM2 is not installed: apt install softhsm2")
    pin, label = f"{secrets.randbelow(10**8):08}", secrets.token_hex(4)
    file = folder / "key.pem"
    file.write_bytes(
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    initialise = ["--init-token", "--free", "--so-pin", pin]
    bring = ["--import", str(file), "--id", "01", "--token", label]
    for command in (initialise, bring):
        subprocess.run(
            [util, *command, "--label", label, "--pin", pin],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    uri = f"pkcs11:token={label}?module-path={module}"
    return KeyMaterial(token=parse_token_uri(uri), pin=pin.encode())


def main() -> int:
    """Print a line for each kind of key, and each place."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("signatures", type=int, nargs="?", default=3000)
    count: int = options.parse_args().signatures
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tokens").mkdir()
        configuration = folder / "softhsm2.conf"
        configuration.write_text(f"directories.tokendir = {folder}/tokens\n")
        os.environ["SOFTHSM2_CONF"] = str(configuration)
        pairs = [
            (signing_key(private), in_soft_token(private, folder))
            for private in (
                ec.generate_private_key(ec.SECP256R1()),
                ed25519.Ed25519PrivateKey.generate(),
            )
        ]
        # Once the module has begun it sees no token that is made later.
        for memory, material in pairs:
            token = material.opened(memory.public_key)
            for _ in range(PAIRS):
                for where, key in (("memory", memory), ("token", token)):
                    cpu, wall = cost_us(key, count)
                    sys.stdout.write(
                        f"{key.algorithm.name:18} {where:7} {cpu:7.1f} us of CPU, "
                        f"{wall:7.1f} us\n"
                    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
