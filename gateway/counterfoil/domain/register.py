"""The register (登记簿): who holds which post, what was agreed, filed, lost.

It follows from the registrations in the order of the log (`domain.registering`) and
from nothing else. Until it is founded nobody holds a post by it, and it demands no
agreement and no filing: then the configuration says who may call (`docs/adr/0019`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Final, TypeAlias

from counterfoil.domain.party import Identity, Use, party_of, use_of
from counterfoil.domain.posts import Post
from counterfoil.domain.register_refusals import (
    AgreementMissing,
    AgreementSuspended,
    CertificateLost,
    CertificateNotActive,
    FilingMissing,
    OutsideFiling,
    PartyDismissed,
    SignerUnlisted,
)
from counterfoil.domain.register_states import (
    Active,
    AgreementState,
    CertificateState,
    Listed,
    PartyState,
    PeerState,
    Scope,
    Voided,
    grouped,
    make_room,
    void_in,
)
from counterfoil.domain.registration import Filing
from counterfoil.domain.rules.dates import day_at
from counterfoil.domain.value import value

_Way: TypeAlias = tuple[str, str, int, str]
"""Issuer and recipient, or position and signer; a type; a day."""

_NoWay: TypeAlias = type[AgreementMissing | AgreementSuspended | PartyDismissed]
"""Why nothing goes a way."""

_ANY_AMOUNT_FEN: Final = 2**63

_DEMANDED: Final = frozenset({Use.PERSON.value, Use.SYSTEM.value})
"""Of whose certificates it can be demanded that they were put to use; of institutions'
seals it always is."""


@value
class Register:
    """What stands registered at one moment; a new one after each registration.

    Attributes:
        home: The party whose register it is.
        carriers: For each party that was ever known, whose gateway carries for it.
        is_founded: Whether the register was opened.
        holders: The posts of each holder, by URN.
        agreements: By the digest of their registration.
        voided: Certificates that are worth nothing, by SHA-256.
        twins: SHA-256 of these in other bytes, to their own.
        certificates: Applications, by the digest of their registration.
        in_use: SHA-256 of the certificates that institutions hosted here seal with.
        filings: By the digest of their registration.
        directory: Certificates that bear no name, by SHA-256 (人员名录).
        active: Certificates that were put to use since the opening, by SHA-256.
        demanding: Parties whose persons and systems use only certificates of these.
        parties: Who takes part, and who did, by code.
        peers: The gateways that we are or were connected with, by party.
        numbers: Digests of all registrations, by party and number.
    """

    home: str
    carriers: Mapping[str, str]
    is_founded: bool = False
    holders: Mapping[str, frozenset[Post]] = field(default_factory=dict)
    agreements: Mapping[bytes, AgreementState] = field(default_factory=dict)
    voided: Mapping[bytes, Voided] = field(default_factory=dict)
    twins: Mapping[bytes, bytes] = field(default_factory=dict)
    certificates: Mapping[bytes, CertificateState] = field(default_factory=dict)
    in_use: frozenset[bytes] = frozenset()
    filings: Mapping[bytes, Filing] = field(default_factory=dict)
    directory: Mapping[bytes, Listed] = field(default_factory=dict)
    active: Mapping[bytes, Active] = field(default_factory=dict)
    demanding: frozenset[str] = frozenset()
    parties: Mapping[str, PartyState] = field(default_factory=dict)
    peers: Mapping[str, PeerState] = field(default_factory=dict)
    numbers: Mapping[tuple[str, str], bytes] = field(default_factory=dict)
    _agreed: dict[_Way, _NoWay | None] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )
    """What was found for one day: the same few ways are asked for all the time."""
    _filed: dict[_Way, Scope] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )
    _agreements_of: dict[frozenset[str], list[AgreementState]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )
    """Agreements by their two parties, once somebody has asked."""
    _filings_of: dict[str, list[Filing]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )
    """Filings by their holder's URN, likewise: there may be thousands of others."""

    def is_hosted(self, party: str) -> bool:
        """Tell whether a party's vouchers are kept here."""
        return self.carriers.get(party) == self.home

    @property
    def is_alone(self) -> bool:
        """Whether it alone says who takes part, and no configuration does."""
        home = self.parties.get(self.home)
        return home is not None and bool(home.entry)

    def is_dismissed(self, party: str) -> bool:
        """Tell whether a party takes part no more."""
        state = self.parties.get(party)
        return state is not None and state.is_over

    def disconnected(self) -> frozenset[str]:
        """Return the parties whose gateways are connected no more."""
        return frozenset(code for code, one in self.peers.items() if one.is_over)

    def carried_by(self, carrier: str) -> list[str]:
        """Return the parties that take part by the gateway of one of them, in order."""
        return sorted(
            code
            for code, one in self.parties.items()
            if one.party.carrier == carrier and not one.is_over
        )

    def posts_of(self, holder: Identity) -> frozenset[Post]:
        """Return the posts of a person or system hosted here."""
        return self.holders.get(holder.to_urn(), frozenset())

    def holders_of(self, post: Post) -> tuple[str, ...]:
        """Return who holds a post, by URN, in order."""
        return tuple(
            sorted(urn for urn, posts in self.holders.items() if post in posts)
        )

    def name_of(self, certificate: bytes) -> Identity | None:
        """Return for whom the directory lists a certificate, by its SHA-256."""
        listed = self.directory.get(certificate)
        return None if listed is None else listed.holder

    def names(self) -> dict[bytes, Identity]:
        """Return for whom the directory lists each certificate, by its SHA-256."""
        return {digest: one.holder for digest, one in self.directory.items()}

    def require_listed(self, named: Iterable[tuple[bytes, str]]) -> None:
        """Check that the directory still gives certificates these names.

        Seals are judged before the transaction that writes, by the directory of that
        moment.

        Args:
            named: SHA-256 of a certificate, and the URN by which it was judged.

        Raises:
            SignerUnlisted: It was taken out or renamed since.
        """
        for certificate, urn in named:
            listed = self.name_of(certificate)
            if listed is None or listed.to_urn() != urn:
                raise SignerUnlisted(
                    f"no directory here lists the certificate of {urn}",
                    certificate=certificate.hex(),
                    holder=urn,
                )

    def require_agreed(
        self, issuer: str, recipients: Iterable[str], type_code: int, at_us: int
    ) -> None:
        """Check that a voucher's parties take part and agreed to exchange its type.

        Source: Hubei measures, article 6.

        Raises:
            PartyDismissed: One of them takes part no more.
            AgreementMissing: They have not.
            AgreementSuspended: They have, but the agreement is not in force now.
        """
        if not self.is_founded:
            return
        for recipient in recipients:
            way = issuer, recipient, type_code, day_at(at_us)
            if way not in self._agreed:
                make_room(self._agreed)
                self._agreed[way] = self._judge_way(*way)
            if (refusal := self._agreed[way]) is not None:
                raise refusal(
                    f"nothing of type {type_code} goes from {issuer} to {recipient}: "
                    f"{refusal.text}",
                    issuer=issuer,
                    recipient=recipient,
                    type=str(type_code),
                )

    def _judge_way(
        self, issuer: str, recipient: str, type_code: int, day: str
    ) -> _NoWay | None:
        """Return why a voucher may not go this way on a day; None if it may."""
        if self.is_dismissed(issuer) or self.is_dismissed(recipient):
            return PartyDismissed
        if not self._agreements_of:
            # Put in at once: another thread may be asking, too.
            self._agreements_of.update(
                grouped(
                    (frozenset(one.agreement.parties), one)
                    for one in self.agreements.values()
                )
            )
        agreed = [
            state
            for state in self._agreements_of.get(frozenset((issuer, recipient)), ())
            if any(
                way.issuer == issuer and type_code in way.types
                for way in state.agreement.ways
            )
        ]
        if not agreed:
            return AgreementMissing
        if not any(state.is_in_force(day) for state in agreed):
            return AgreementSuspended
        return None

    def void_of(self, certificate: bytes) -> Voided | None:
        """Return why a certificate, by its SHA-256, is void here; None if it is not.

        See `register_states.void_in`.
        """
        tables = self.voided, self.twins, self.directory, self.carriers
        return void_in(*tables, certificate)

    def require_not_void(
        self, certificates: Iterable[bytes], existed_us: int | None = None
    ) -> None:
        """Check that no certificate was reported lost or revoked here.

        Source: Hubei measures, article 14.

        Args:
            certificates: SHA-256 of the signers' certificates.
            existed_us: When what they sealed is known to have existed, if it is: what
                was voided later had sealed it before.

        Raises:
            CertificateLost: One was.
        """
        if not self.voided:
            return
        for digest in certificates:
            found = self.void_of(digest)
            if found is not None and (
                existed_us is None or existed_us >= found.time_us
            ):
                raise CertificateLost(
                    f"the certificate of {found.holder.to_urn()} is void here",
                    holder=found.holder.to_urn(),
                )

    def require_in_use(self, certificate: bytes) -> None:
        """Check that an institution hosted here may seal with a certificate.

        Source: Hubei measures, article 13.

        Raises:
            CertificateNotActive: It was never put to use.
            CertificateLost: It was, and is void now.
        """
        if not self.is_founded:
            return
        self.require_not_void((certificate,))
        if certificate not in self.in_use:
            raise CertificateNotActive("the seal's certificate was not put to use")

    def require_active(self, holder: str, certificate: bytes) -> None:
        """Check that a person or system may use a certificate, where that is demanded.

        Source: Hubei measures, article 13.

        Args:
            holder: Whose certificate it is, by URN.
            certificate: Its SHA-256.

        Raises:
            CertificateNotActive: It was not put to use for that holder.
        """
        if party_of(holder) not in self.demanding or use_of(holder) not in _DEMANDED:
            return
        active = self.active.get(certificate)
        if active is None or active.holder.to_urn() != holder:
            raise CertificateNotActive(
                f"the certificate was not put to use for {holder}; apply for it, let "
                "it be approved, and activate it",
                holder=holder,
            )

    def has_active(self, holder: str, at_us: int) -> bool:
        """Tell whether somebody, by URN, has a certificate in use that still counts."""
        return any(
            one.holder.to_urn() == holder
            and self.void_of(digest) is None
            and at_us <= one.valid_until_us
            for digest, one in self.active.items()
        )

    def ending(self, from_us: int, until_us: int) -> dict[bytes, tuple[str, int]]:
        """Return the registered certificates of people hosted here that end soon.

        Those that are void are left out; so are those with which a register was opened,
        of which only the digests are known.

        Args:
            from_us: First instant, microseconds since the epoch.
            until_us: Last instant.

        Returns:
            By SHA-256, the holder's URN and when each ends.
        """
        known: dict[bytes, Listed | Active] = {**self.directory, **self.active}
        return {
            digest: (one.holder.to_urn(), one.valid_until_us)
            for digest, one in known.items()
            if self.void_of(digest) is None
            and self.is_hosted(one.holder.party)
            and from_us <= one.valid_until_us <= until_us
        }

    def require_filed(
        self,
        sealings: Iterable[tuple[str, str]],
        type_code: int,
        amount_fen: int,
        at_us: int,
    ) -> None:
        """Check that each seal of a document is within what was filed for it.

        Source: Hubei measures, article 15.

        Args:
            sealings: Position and signer's URN of each seal.
            type_code: Type of the voucher that it is or is about.
            amount_fen: Its amount, in fen.
            at_us: The instant that is judged.

        Raises:
            FilingMissing: No filing of a signer is in force.
            OutsideFiling: The seal is outside all of them.
        """
        if not self.is_founded:
            return
        for position, urn in sealings:
            place = position, urn, type_code, day_at(at_us)
            if place not in self._filed:
                make_room(self._filed)
                self._filed[place] = self._scope(*place)
            scope = self._filed[place]
            if not scope.is_filed:
                raise FilingMissing(f"{urn} has no filing in force", holder=urn)
            if scope.amount_max_fen is None or abs(amount_fen) > scope.amount_max_fen:
                raise OutsideFiling(
                    f"the seal of {urn} is outside its filing",
                    holder=urn,
                    position=position,
                    type=str(type_code),
                )

    def _scope(self, position: str, urn: str, type_code: int, day: str) -> Scope:
        """Return how far a signer's filings reach at a place on a day."""
        if not self._filings_of:
            self._filings_of.update(
                grouped((one.holder.to_urn(), one) for one in self.filings.values())
            )
        filings = [
            filing
            for filing in self._filings_of.get(urn, ())
            if filing.valid_from <= day <= filing.valid_until
        ]
        bounds = [
            filing.amount_max_fen or _ANY_AMOUNT_FEN
            for filing in filings
            if (not filing.types or type_code in filing.types)
            and (not filing.positions or position in filing.positions)
        ]
        return Scope(is_filed=bool(filings), amount_max_fen=max(bounds, default=None))
