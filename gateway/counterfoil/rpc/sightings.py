"""What the guard saw of callers since the gateway started, for the security officer.

Kept in memory and bounded; each refusal is a line of the gateway's log as well, which
outlives the process. The same refusal again is counted in its row, so that nobody
drives his own out of sight by calling often.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from cryptography import x509

from counterfoil.domain.audit import OpenStream, RefusedCall, SeenCaller
from counterfoil.domain.posts import Post
from counterfoil.seal.certificates import CertificateRefused, identity_of

REFUSALS_MAX: Final = 1000
"""Rows of refused calls; then the one that was not seen for longest goes."""
CALLERS_MAX: Final = 10_000
"""Callers that are remembered; a directory of persons is far smaller."""

_Place: TypeAlias = tuple[str, bytes, str, str]


def named(der: bytes) -> str:
    """Return whom a certificate names: its identity URN, else its subject."""
    certificate = x509.load_der_x509_certificate(der)
    try:
        return identity_of(certificate).to_urn()
    except CertificateRefused:
        return certificate.subject.rfc4514_string()


@dataclass(slots=True, kw_only=True)
class Sightings:
    """Remembers refused calls, callers and open streams.

    Attributes:
        now_us: Tells the time, microseconds since the epoch.
        holders: Tells the posts of each holder, by URN.
    """

    now_us: Callable[[], int]
    holders: Callable[[], Mapping[str, frozenset[Post]]]
    _refused: OrderedDict[_Place, RefusedCall] = field(default_factory=OrderedDict)
    _called: OrderedDict[str, tuple[int, int]] = field(default_factory=OrderedDict)
    _open: dict[int, OpenStream] = field(default_factory=dict)

    def refused(
        self, identity: str, certificate: bytes, method: str, reason: str
    ) -> None:
        """Remember that a call was refused."""
        now_us, place = self.now_us(), (identity, certificate, method, reason)
        before = self._refused.pop(place, None)
        self._refused[place] = RefusedCall(
            identity=identity,
            certificate=certificate,
            method=method,
            reason=reason,
            count=before.count + 1 if before else 1,
            first_us=before.first_us if before else now_us,
            last_us=now_us,
        )
        if len(self._refused) > REFUSALS_MAX:
            self._refused.popitem(last=False)

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
        """Return the calls that were refused, last refused first."""
        return list(reversed(self._refused.values()))

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
