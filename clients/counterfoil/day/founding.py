"""The registers that the day begins with: posts, filings and agreements, all signed.

In earnest each institution's persons do this with their own keys, and only once; see
`counterfoil register`. Here the same registrations are signed by the development keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from typing import Final

from counterfoil.day.cast import Institution
from counterfoil.office import Person, matters
from counterfoil.office import registering as office
from counterfoil.office.signing import types_between

POSTS: Final = (
    ("system", "1", "business-system"),
    ("person", "first", "first-reviewer"),
    ("person", "second", "second-reviewer"),
    ("person", "officer", "security-officer"),
    ("person", "archivist", "archivist"),
)
"""Who holds which post in every institution, beside manager and supervisor."""

_FILED: Final = (("institution", "1"), ("person", "first"), ("person", "second"))
_YEAR: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Founders:
    """Who founds the registers of some institutions that know each other.

    Attributes:
        institutions: All of them.
        person: Returns a person by party and name.
        seal: Returns the certificate (DER) that a party's institution seals with.
        now: When they do it, UTC.
    """

    institutions: Sequence[Institution]
    person: Callable[[str, str], Person]
    seal: Callable[[str], bytes]
    now: datetime

    def files(self) -> dict[str, bytes]:
        """Return the founding file of each institution with a gateway."""
        agreed = list(self._agreements())
        filed = [one for each in self.institutions for one in self._filings(each)]
        certificates = [
            self.person(each.code, name).certificate
            for each in self.institutions
            for name in ("manager", "supervisor", "officer")
        ]
        return {
            home.code: office.registration_file(
                [
                    *self._own(home),
                    *filed,
                    *(
                        signed
                        for parties, signed in agreed
                        if home.code in map(_carrier, parties)
                    ),
                ],
                certificates,
            )
            for home in self.institutions
            if not home.carrier or home.carrier == home.code
        }

    def _own(self, home: Institution) -> Iterator[office.SignedRegistration]:
        """Yield what opens a register, and its posts."""
        hosted = [each for each in self.institutions if _carrier(each) == home.code]
        founding = matters.founding(
            _urn(home.code, "person", "supervisor"),
            _urn(home.code, "person", "manager"),
            [self.seal(each.code) for each in hosted],
        )
        yield self._signed(home.code, "founding", founding, "manager", "supervisor")
        for each in hosted:
            posts = list(POSTS)
            if each is not home:
                posts += [("person", "supervisor", "supervisor")]
                posts += [("person", "manager", "system-manager")]
            for use, name, post in posts:
                matter = matters.post_assignment(_urn(each.code, use, name), post)
                number = f"post-{each.code}-{use}-{name}"
                yield self._signed(home.code, number, matter, "manager", "supervisor")

    def _filings(self, each: Institution) -> Iterator[office.SignedRegistration]:
        """Yield the filings of an institution's seal and reviewers: for everything."""
        for use, name in _FILED:
            matter = matters.filing(
                _urn(each.code, use, name),
                valid_from=_day(self.now - _YEAR),
                valid_until=_day(self.now + _YEAR),
            )
            number = f"filing-{each.code}-{use}-{name}"
            yield self._signed(_carrier(each), number, matter, "officer", "supervisor")

    def _agreements(
        self,
    ) -> Iterator[tuple[tuple[Institution, Institution], office.SignedRegistration]]:
        """Yield an agreement on all types for each two that may exchange any."""
        for one, other in combinations(self.institutions, 2):
            ways = {
                one.code: types_between(one.kind, other.kind),
                other.code: types_between(other.kind, one.kind),
            }
            agreed = {issuer: types for issuer, types in ways.items() if types}
            if not agreed:
                continue
            matter = matters.agreement(
                agreed,
                (one.code, other.code),
                valid_from=_day(self.now - _YEAR),
                valid_until=_day(self.now + _YEAR),
            )
            number = f"agreement-{one.code}-{other.code}"
            signed = office.registration(
                _carrier(one), number, matter, stated_time=self.now
            )
            for party in (one.code, other.code):
                signed = signed.signed(
                    self.person(party, "supervisor"), stated_time=self.now
                )
            yield (one, other), signed

    def _signed(
        self, by: str, number: str, matter: matters.Matter, *names: str
    ) -> office.SignedRegistration:
        """Return a registration with the signatures of persons of its party."""
        signed = office.registration(by, number, matter, stated_time=self.now)
        for name in names:
            signed = signed.signed(self.person(by, name), stated_time=self.now)
        return signed


def _carrier(institution: Institution) -> str:
    return institution.carrier or institution.code


def _urn(party: str, use: str, name: str) -> str:
    return f"urn:counterfoil:{party}:{use}:{name}"


def _day(at: datetime) -> str:
    return at.strftime("%Y%m%d")
