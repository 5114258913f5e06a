"""What the guard saw of callers, for the security officer.

Callers and streams are kept in memory and bounded. Refused calls are recorded before
they are answered, in a book that outlives the process.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from cryptography import x509

from counterfoil.domain.audit import OpenStream, RecordEnd, RefusedCall, SeenCaller
from counterfoil.domain.posts import Post
from counterfoil.seal.certificates import CertificateRefused, identity_of

CALLERS_MAX: Final = 10_000
"""Callers that are remembered; a directory of persons is far smaller."""


class RefusalBook(Protocol):
    """Records refused calls, bounded and durably (拒绝记录)."""

    async def refused(
        self, identity: str, certificate: bytes, method: str, reason: str
    ) -> None:
        """Record that a call was refused; return when it may be answered."""

    def refusals(self) -> list[RefusedCall]:
        """Return the refused calls, the row that is youngest first."""

    def end(self) -> RecordEnd:
        """Return how far the record goes, and where it was found broken."""

    def told(self) -> None:
        """Take note that the security officer was told of all that was found."""


def named(der: bytes) -> str:
    """Return whom a certificate names: its identity URN, else its subject."""
    certificate = x509.load_der_x509_certificate(der)
    try:
        return identity_of(certificate).to_urn()
    except CertificateRefused:
        return certificate.subject.rfc4514_string()


@dataclass(slots=True, kw_only=True)
class Sightings:
    """Remembers callers and open streams, and lets refused calls be recorded.

    Attributes:
        now_us: Tells the time, microseconds since the epoch.
        holders: Tells the posts of each holder, by URN.
        book: Where refused calls are recorded.
    """

    now_us: Callable[[], int]
    holders: Callable[[], Mapping[str, frozenset[Post]]]
    book: RefusalBook
    _called: OrderedDict[str, tuple[int, int]] = field(default_factory=OrderedDict)
    _open: dict[int, OpenStream] = field(default_factory=dict)

    async def refused(
        self, identity: str, certificate: bytes, method: str, reason: str
    ) -> None:
        """Record that a call was refused; return when it may be answered."""
        await self.book.refused(identity, certificate, method, reason)

    def called(self, identity: str) -> None:
        """Remember that a call was admitted."""
        count, _ = self._called.pop(identity, (0, 0))
        self._called[identity] = count + 1, self.now_us()
        if len(self._called) > CALLERS_MAX:
            self._called.popitem(last=False)

    def opened(
        self, stream: int, identity: str, certificate: bytes, method: str
    ) -> None:
        """Remember that a stream is open, under a number of the guard's."""
        self._open[stream] = OpenStream(
            identity=identity,
            certificate=certificate,
            method=method,
            since_us=self.now_us(),
        )

    def closed(self, stream: int) -> None:
        """Forget a stream."""
        self._open.pop(stream, None)

    def refusals(self) -> list[RefusedCall]:
        """Return the calls that were refused, the row that is youngest first."""
        return self.book.refusals()

    def record_end(self) -> RecordEnd:
        """Return how far the record of refused calls goes, which is told by this."""
        end = self.book.end()
        self.book.told()
        return end

    def callers(self) -> list[SeenCaller]:
        """Return who called and who holds a post, by URN."""
        holders = self.holders()
        return [
            SeenCaller(
                identity=urn,
                posts=holders.get(urn, frozenset()),
                count=self._called.get(urn, (0, 0))[0],
                last_us=self._called.get(urn, (0, 0))[1],
            )
            for urn in sorted({*holders, *self._called})
        ]

    def streams(self) -> list[OpenStream]:
        """Return the streams that are open, oldest first."""
        return sorted(self._open.values(), key=lambda stream: stream.since_us)
