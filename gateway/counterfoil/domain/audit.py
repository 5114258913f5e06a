"""What a security officer asks, and what the gateway saw of its callers (安全检查).

Source: Hubei measures, article 37: the security officer looks regularly at acts,
vouchers and logs, and each check is itself recorded.
"""

from __future__ import annotations

from enum import IntEnum

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.posts import Post
from counterfoil.domain.standing import Act
from counterfoil.domain.value import value


class Subject(IntEnum):
    """What is looked at; numbers as in `registry.v1.AuditQuery.Subject`."""

    ACTS = 1
    """Acts of the log."""
    REGISTRATIONS = 2
    """Registrations as they were signed."""
    REFUSALS = 3
    """Calls that were refused, as the record of refused calls has them."""
    CALLERS = 4
    """Who holds which post, and who has called since the gateway started."""
    STREAMS = 5
    """Streams that are open now."""


@value
class AuditQuery:
    """One question; every condition that is empty lets all through.

    Attributes:
        subject: What is looked at.
        from_us: First instant, microseconds since the epoch.
        until_us: The instant behind the last; 0: none.
        acts: Acts of the log.
        kinds: Kinds of the documents of acts.
        party: Whose acts, registrations or certificates.
        matters: Matters of registrations, by the names of the contract.
    """

    subject: Subject
    from_us: int = 0
    until_us: int = 0
    acts: frozenset[Act] = frozenset()
    kinds: frozenset[DocumentKind] = frozenset()
    party: str = ""
    matters: frozenset[str] = frozenset()

    def covers_time(self, time_us: int) -> bool:
        """Tell whether an instant is within what is asked."""
        return self.from_us <= time_us and (
            not self.until_us or time_us < self.until_us
        )

    def covers_urn(self, urn: str) -> bool:
        """Tell whether an identity URN is of the party that is asked for."""
        return not self.party or urn.startswith(f"urn:counterfoil:{self.party}:")


@value
class RefusedCall:
    """Calls of one certificate to one method, refused for one reason.

    Attributes:
        identity: URN, or the subject of a certificate that has none; empty without,
            and where those of many were summed up.
        certificate: SHA-256 of the certificate; empty if none was shown, or several.
        method: Full name; empty where those of several were summed up.
        reason: Reason of the refusal.
        count: How often.
        first_us: When first, microseconds since the epoch.
        last_us: When last.
        place: Its row's place in the record, from 1; 0 if it has none yet.
    """

    identity: str
    certificate: bytes
    method: str
    reason: str
    count: int
    first_us: int
    last_us: int
    place: int = 0


@value
class RecordEnd:
    """How far the record of refused calls goes (拒绝记录).

    Attributes:
        entries: How many entries it ever had.
        digest: The chained digest after the last one, 32 bytes.
        bound_leaf: The leaf of the log that names an end of it last; None if none.
        broken_us: When it was found removed or changed, microseconds since the epoch.
    """

    entries: int
    digest: bytes
    bound_leaf: int | None = None
    broken_us: tuple[int, ...] = ()


@value
class SeenCaller:
    """Somebody who holds a post, or who called.

    Attributes:
        identity: URN.
        posts: What the holder may do now.
        count: Calls that were admitted.
        last_us: When the last one was, microseconds since the epoch; 0: never.
    """

    identity: str
    posts: frozenset[Post]
    count: int
    last_us: int


@value
class OpenStream:
    """A stream that is open.

    Attributes:
        identity: URN of the caller.
        certificate: SHA-256 of the caller's certificate.
        method: Full name.
        since_us: Since when, microseconds since the epoch.
    """

    identity: str
    certificate: bytes
    method: str
    since_us: int
