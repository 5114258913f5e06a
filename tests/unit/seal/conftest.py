from collections.abc import Callable
from pathlib import Path

import pytest

from counterfoil.devca.certificates import AuthorityAlgorithm
from tests.unit.seal.makers import Pki, Signers


@pytest.fixture(
    scope="session", params=["p256", pytest.param("sm2", marks=pytest.mark.tools)]
)
def kind(
    request: pytest.FixtureRequest, program: Callable[[str], Path]
) -> AuthorityAlgorithm:
    """What the authorities of a test's PKI have for a key: every test runs with each.

    SM2 needs the system's OpenSSL, so those runs are among `make test-tools`.
    """
    algorithm: AuthorityAlgorithm = request.param
    if algorithm == "sm2":
        program("libcrypto")
    return algorithm


@pytest.fixture(scope="session")
def pki(kind: AuthorityAlgorithm) -> Pki:
    return Pki.new(algorithm=kind)


@pytest.fixture(scope="session")
def p256_pki() -> Pki:
    """Only for what SM2 does not have: its authorities certify no other key."""
    return Pki.new()


@pytest.fixture(scope="session")
def signers(pki: Pki) -> Signers:
    return Signers.new(pki)
