"""Who takes part, where they are hosted, and who may send what to whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from counterfoil.domain.catalogue import Catalogue, PartyKind
from counterfoil.domain.party import Identity
from counterfoil.domain.posts import Post
from counterfoil.domain.refusals import (
    DirectionRefused,
    NotARecipient,
    NotTheIssuer,
    PartyUnknown,
)
from counterfoil.domain.voucher import VoucherKey

GBK: Final = "GBK"
"""What every system reads, as the national specification has it."""
ENCODINGS: Final = (GBK, "GB18030")
"""The encodings of national documents, by the names that their declarations use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """An institution with certificates and seals.

    Attributes:
        code: Its party code.
        name: Its name in Chinese.
        kind: Which kind of institution it is.
        carrier: Code of the party whose gateway carries for it.
        encoding: In which encoding its systems read national documents.
    """

    code: str
    name: str
    kind: PartyKind
    carrier: str
    encoding: str = GBK


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls the desk, as the certificate and the registry say.

    Attributes:
        identity: Party, kind and name of the certificate.
        posts: What the caller may do.
        certificate: The certificate, in DER.
        certificate_digest: SHA-256 of the certificate.
    """

    identity: Identity
    posts: frozenset[Post]
    certificate: bytes = field(repr=False)
    certificate_digest: bytes = field(repr=False)

    @property
    def party(self) -> str:
        """The party whose desk it is."""
        return self.identity.party


@dataclass(slots=True, kw_only=True)
class Registry:
    """The parties that this gateway deals with.

    Whoever has one has it for good: it is renewed in place, so that all judge by the
    same parties at any time.

    Attributes:
        home: The party whose gateway this is.
        parties: By code, ourselves included; those that were dismissed, too.
        disconnected: The parties whose gateways may call us no more.
        hosted: The parties whose vouchers this gateway keeps, its own included.
    """

    home: str
    parties: Mapping[str, Party]
    disconnected: frozenset[str] = frozenset()
    hosted: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.renew(self.parties, self.disconnected)

    def renew(self, parties: Mapping[str, Party], disconnected: frozenset[str]) -> None:
        """Go by other parties from now on."""
        self.parties, self.disconnected = parties, disconnected
        self.hosted = frozenset(
            party.code for party in parties.values() if party.carrier == self.home
        )

    def carrier_of(self, code: str) -> str:
        """Return whose gateway carries for a party; ours for ourselves, always.

        Raises:
            PartyUnknown: It is not registered.
        """
        return self.home if code == self.home else self.party(code).carrier

    def party(self, code: str) -> Party:
        """Return a registered party.

        Raises:
            PartyUnknown: It is not registered.
        """
        party = self.parties.get(code)
        if party is None:
            raise PartyUnknown(f"party {code} is not registered here", party=code)
        return party

    def lanes_to(self, recipients: Iterable[str]) -> dict[str, str]:
        """Return for each recipient the carrier whose lane leads there.

        To a recipient that is hosted here the lane leads to ourselves.

        Raises:
            PartyUnknown: A recipient is not registered.
        """
        return {code: self.party(code).carrier for code in recipients}

    def check_direction(
        self, catalogue: Catalogue, key: VoucherKey, recipients: Sequence[str]
    ) -> None:
        """Check that the catalogue lets the issuer send this type to each recipient.

        Raises:
            PartyUnknown: A party is not registered.
            DirectionRefused: It does not, or not to so many: two recipients of one
                order to pay would both pay.
        """
        issuer = self.party(key.issuer)
        row = catalogue.rows.get(key.type_code)
        if row is not None and len(recipients) > row.recipients_max:
            raise DirectionRefused(
                f"type {key.type_code} goes to at most {row.recipients_max} recipients",
                type=str(key.type_code),
                max=str(row.recipients_max),
            )
        for code in recipients:
            recipient = self.party(code)
            if not catalogue.may_send(key.type_code, issuer.kind, recipient.kind):
                raise DirectionRefused(
                    f"type {key.type_code} does not go from {issuer.kind.name} "
                    f"to {recipient.kind.name}",
                    type=str(key.type_code),
                    issuer=issuer.code,
                    recipient=code,
                )

    def check_copies(
        self, catalogue: Catalogue, key: VoucherKey, copies: Iterable[str]
    ) -> None:
        """Check that a receipt may be copied to each of these parties.

        Raises:
            PartyUnknown: One is not registered.
            DirectionRefused: The catalogue lets no such party have it.
        """
        row = catalogue.rows.get(key.type_code)
        allowed = frozenset[PartyKind]() if row is None else row.receipt_copies
        for code in copies:
            if self.party(code).kind not in allowed:
                raise DirectionRefused(
                    f"a receipt of type {key.type_code} is not copied to {code}",
                    type=str(key.type_code),
                    recipient=code,
                )

    def check_deliverer(
        self, carrier: str, issuer: str, recipients: Iterable[str]
    ) -> None:
        """Check that `carrier` may deliver what `issuer` issued for `recipients`.

        Raises:
            NotTheIssuer: The deliverer neither issued it nor hosts its issuer.
            NotARecipient: No recipient is hosted here.
        """
        party = self.parties.get(issuer)
        if party is None or party.carrier != carrier:
            raise NotTheIssuer(
                f"{carrier} may not deliver for {issuer}", carrier=carrier, by=issuer
            )
        if self.hosted.isdisjoint(recipients):
            raise NotARecipient("no recipient is hosted here")
