"""A machine whose OpenSSL cannot do SM2, for tests that need no other."""

from collections.abc import Iterator

import pytest

from counterfoil.sm2 import libcrypto


@pytest.fixture
def no_libcrypto(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no library be found, whatever this machine has."""
    monkeypatch.setattr(libcrypto, "_candidates", lambda: iter(()))
    libcrypto.libcrypto.cache_clear()
    yield
    libcrypto.libcrypto.cache_clear()
