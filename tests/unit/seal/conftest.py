import pytest

from tests.unit.seal.makers import Pki, Signers


@pytest.fixture(scope="session")
def pki() -> Pki:
    return Pki.new()


@pytest.fixture(scope="session")
def signers(pki: Pki) -> Signers:
    return Signers.new(pki)
