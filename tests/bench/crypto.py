"""The limit: the pure cryptography of one voucher, in two processes.

One P-256 signature and two checks a voucher, nothing else, on the same two cores
and in the same run as the gateways that are compared with it.
"""

from __future__ import annotations

import multiprocessing
import time
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

_MESSAGE: Final = b"x" * 200
_SECONDS: Final = 4.0


def _work(signatures: int, checks: int) -> int:
    """Return how many vouchers' worth of cryptography one process does."""
    key = ec.generate_private_key(ec.SECP256R1())
    public, algorithm = key.public_key(), ec.ECDSA(hashes.SHA256())
    signature = key.sign(_MESSAGE, algorithm)
    until = time.perf_counter() + _SECONDS
    count = 0
    while time.perf_counter() < until:
        for _ in range(signatures):
            signature = key.sign(_MESSAGE, algorithm)
        for _ in range(checks):
            public.verify(signature, _MESSAGE, algorithm)
        count += 1
    return count


def crypto_limit(signatures: int = 1, checks: int = 2) -> float:
    """Return vouchers a second that two processes could sign and check."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        counts = pool.starmap(_work, [(signatures, checks)] * 2)
    return sum(counts) / _SECONDS
