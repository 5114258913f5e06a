"""The limit: the pure cryptography of one voucher, in two processes.

One signature and two checks a voucher, nothing else, on the same two cores and in the
same run as the gateways that are compared with it: with P-256, and with SM2 where this
machine can do that.
"""

from __future__ import annotations

import multiprocessing
import time
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from counterfoil.seal.algorithms import check_with, signing_key
from counterfoil.sm2.keys import Sm2PrivateKey
from counterfoil.sm2.libcrypto import Sm2Unavailable

_MESSAGE: Final = b"x" * 200
_SECONDS: Final = 4.0


def _work(algorithm: str, signatures: int, checks: int) -> tuple[int, float]:
    """Return how many vouchers' worth of cryptography one process does, in what CPU.

    By the product's own functions, for which a signature is one call.
    """
    if algorithm == "sm2":
        key: Sm2PrivateKey | ec.EllipticCurvePrivateKey = Sm2PrivateKey.generate()
    else:
        key = ec.generate_private_key(ec.SECP256R1())
    sign = signing_key(key).sign
    _, check = check_with(key.public_key())
    signature = sign(_MESSAGE)
    until, begun = time.perf_counter() + _SECONDS, time.process_time()
    count = 0
    while time.perf_counter() < until:
        for _ in range(signatures):
            signature = sign(_MESSAGE)
        for _ in range(checks):
            check(signature, _MESSAGE)
        count += 1
    return count, time.process_time() - begun


def crypto_limit(
    algorithm: str = "p256", signatures: int = 1, checks: int = 2
) -> tuple[float, float]:
    """Return vouchers a second that two processes could sign and check.

    And the CPU of one voucher in microseconds, which a loaded machine does not change.

    Args:
        algorithm: `p256` or `sm2`.
        signatures: Made for each voucher.
        checks: Of a signature, for each voucher.
    """
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        done = pool.starmap(_work, [(algorithm, signatures, checks)] * 2)
    count = sum(one for one, _ in done)
    return count / _SECONDS, sum(cpu_s for _, cpu_s in done) / count * 1e6


def sm2_limit() -> tuple[float, float] | None:
    """Return the same of SM2, or None where this machine cannot do it."""
    try:
        Sm2PrivateKey.generate()
    except Sm2Unavailable:
        return None
    return crypto_limit("sm2")
