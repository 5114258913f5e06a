"""Where each key of this gateway lives, and whether it can be used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from counterfoil.daemon.config import Configuration, ConfigurationRefused
from counterfoil.daemon.keys import (
    HeadSigners,
    load_head_signers,
    load_seal,
    reference,
    seal_sections,
)
from counterfoil.daemon.tls import TlsKeeper
from counterfoil.seal.secret import KeyRefused
from counterfoil.seal.token_uri import PREFIX, parse_token_uri


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """One key.

    Attributes:
        use: What it is for: `tls`, `head`, `head-next`, or `seal:` and whose.
        where: Its URI, without what a PKCS#11 URI says about module and PIN.
        fault: Why it cannot be used; empty if it can.
    """

    use: str
    where: str
    fault: str

    def __str__(self) -> str:
        return f"key {self.use} {self.where} {self.fault or 'usable'}"


@dataclass(slots=True)
class KeyReport:
    """Checks every key once: what comes through a descriptor can be read only once.

    Attributes:
        configuration: Where the keys are.
        signers: The log's keys, once `places` has come to them and they are usable.
    """

    configuration: Configuration
    signers: HeadSigners | None = None

    def places(self) -> Iterator[KeyPlace]:
        """Yield every key, opened and held against its certificate."""
        configuration = self.configuration
        tls = configuration.tls
        fault = _fault(lambda: TlsKeeper(configuration))
        yield KeyPlace("tls", self._where(tls.key), fault)
        for section in seal_sections(configuration):
            fault = _fault(lambda one=section: load_seal(configuration, one))  # type: ignore[misc]
            yield KeyPlace(f"seal:{section.party}", self._where(section.key), fault)
        fault = _fault(self._load_signers)
        for use, head in (
            ("head", configuration.head),
            ("head-next", configuration.head_next),
        ):
            uris = (head.ed25519, head.mldsa44, head.sm2) if head else ()
            for uri in filter(None, uris):
                yield KeyPlace(use, self._where(uri), fault)

    def _load_signers(self) -> None:
        self.signers = load_head_signers(self.configuration)

    def _where(self, uri: str) -> str:
        if not uri.startswith(PREFIX):
            return reference(self.configuration, uri, "").uri
        try:
            return parse_token_uri(uri).shown
        except KeyRefused:
            # What is malformed may hold a PIN.
            return PREFIX


def _fault(load: Callable[[], object]) -> str:
    try:
        load()
    except ConfigurationRefused as error:
        return f"refused: {error}"
    return ""
