"""Tokens for tests, in software: SoftHSM2, each test with a store of its own.

A store is a directory. Moving it away is to the module what taking the token out is.
"""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pkcs11
import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from counterfoil.seal.token_session import forget_sessions
from counterfoil.seal.token_uri import TokenUri

Program = Callable[[str], Path]

SO_PIN = "8837462519"


@dataclass
class TokenStore:
    """A slot machine: makes tokens, takes them out and puts them back.

    Attributes:
        directory: Where SoftHSM keeps its tokens and its configuration.
        util: The program `softhsm2-util`.
        module: The PKCS#11 module.
    """

    directory: Path
    util: Path
    module: Path

    @classmethod
    def new(
        cls, directory: Path, program: Program, monkeypatch: pytest.MonkeyPatch
    ) -> TokenStore:
        """Make an empty store and let this process, and its children, use it."""
        made = cls(directory, program("softhsm2-util"), program("libsofthsm2.so"))
        made.tokens.mkdir(parents=True)
        configuration = directory / "softhsm2.conf"
        configuration.write_text(
            f"directories.tokendir = {made.tokens}\nlog.level = ERROR\n"
        )
        monkeypatch.setenv("SOFTHSM2_CONF", str(configuration))
        return made

    @property
    def tokens(self) -> Path:
        """Where the tokens are, unless they were taken out."""
        return self.directory / "tokens"

    @property
    def _away(self) -> Path:
        return self.directory / "away"

    def take_out(self) -> None:
        """Let the module find no token any more."""
        self.tokens.rename(self._away)
        self.tokens.mkdir()

    def put_back(self) -> None:
        """Let it find them again."""
        self.tokens.rmdir()
        self._away.rename(self.tokens)

    def close(self) -> None:
        """Let this process forget the store: the module remembers its first one."""
        forget_sessions(TokenUri(module=str(self.module)))
        pkcs11.lib(str(self.module)).finalize()

    def run(self, *arguments: str) -> None:
        """Run `softhsm2-util`."""
        answer = subprocess.run(
            [self.util, *arguments],
            check=False,
            capture_output=True,
            text=True,
            env=dict(os.environ),
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr


@dataclass
class SoftToken:
    """One token with a PIN of its own.

    Attributes:
        store: Where it is.
        label: Its name.
        pin: Its user's PIN.
    """

    store: TokenStore
    label: str
    pin: str = field(default_factory=lambda: f"{secrets.randbelow(10**12):012}")

    def __post_init__(self) -> None:
        """Initialise it."""
        self.store.run(
            *("--init-token", "--free", "--label", self.label),
            *("--so-pin", SO_PIN, "--pin", self.pin),
        )

    def put(self, private: Any, label: str, key_id: str = "01") -> str:  # noqa: ANN401
        """Bring a key into it; return the key's URI."""
        file = self.store.directory / "key.pem"
        file.write_bytes(
            private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        self.store.run(
            *("--import", str(file), "--token", self.label, "--pin", self.pin),
            *("--label", label, "--id", key_id),
        )
        file.unlink()
        return self.uri(label)

    def uri(self, label: str) -> str:
        """Return the URI of a key by its label."""
        return (
            f"pkcs11:token={quote(self.label)};object={quote(label)}"
            f"?module-path={self.store.module}"
        )

    @contextmanager
    def session(self, *, rw: bool = False) -> Iterator[Any]:
        """Log in as another program does, and forget all about it."""
        self.store.close()
        library = pkcs11.lib(str(self.store.module))
        with library.get_token(token_label=self.label).open(
            rw=rw, user_pin=self.pin
        ) as session:
            yield session
        self.store.close()

    def pin_file(self) -> Path:
        """Return a file that holds the PIN and that only its owner can read."""
        file = self.store.directory / f"{self.label}.pin"
        file.touch(mode=0o600)
        file.write_text(f"{self.pin}\n")
        return file
