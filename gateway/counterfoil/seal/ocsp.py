"""Answers of responders: what an issuer said of one certificate at one instant.

An answer does what a revocation list does, for one certificate: it covers an instant
if it was current then, or was issued later. It is signed, so it may come from anybody;
that is why a peer can hand one over, and nobody need ask for it a second time. There is
no nonce: it would make an answer good for whoever asked, and for nobody else.

Source: RFC 6960, sections 3.2 and 4.2.2; of what RFC 5019 leaves out, nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from counterfoil.seal.chains import SKEW_US, us_of
from counterfoil.seal.ocsp_names import is_about
from counterfoil.seal.ocsp_reading import (
    RevocationAnswer,
    is_hold,
    is_timely,
    load_answer,
)
from counterfoil.seal.ocsp_signer import is_signed_for
from counterfoil.seal.revocation import RevocationLists, Standing, nothing_known

_SAME_SERIAL_MAX: Final = 8
"""Most answers about one serial number that are checked; there is one an authority."""


def accept_answer(
    unverified: bytes,
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    lists: RevocationLists,
    *,
    at_us: int,
) -> RevocationAnswer:
    """Return an answer that says something of a certificate, from the first on.

    Args:
        unverified: The answer in DER.
        certificate: What was asked about.
        issuer: Its issuer, an authority of a path that holds.
        lists: Say whether a responder's own certificate was revoked.
        at_us: Now, by our own clock.

    Raises:
        ValueError: It cannot be read, is about something else, is not current, is
            not signed by the issuer or by whom it charged, or says nothing.
    """
    answer = load_answer(unverified)
    if not is_about(answer, certificate, issuer):
        raise ValueError("the answer is about another certificate")
    if not is_timely(answer, at_us):
        raise ValueError("the answer is overdue, or of the future")
    if not is_signed_for(answer, issuer, lists):
        raise ValueError("neither the issuer nor a responder of it signed the answer")
    if not answer.is_good and answer.revoked_us is None:
        raise ValueError("the responder does not know the certificate")
    return answer


class RevocationAnswers:
    """Answers that are at hand; those that cannot be read count for nothing.

    They are taken apart when first one is needed, and each signature is checked once.

    Args:
        unverified: Answers in DER.
        at_us: If given, only those count that are current at that instant: what a
            peer hands over must be. Microseconds since the epoch.
    """

    __slots__ = ("_at_us", "_by_serial", "_held", "_lists", "_unverified")

    def __init__(
        self, unverified: Sequence[bytes] = (), *, at_us: int | None = None
    ) -> None:
        self._unverified = unverified
        self._at_us = at_us
        self._by_serial: dict[int, list[RevocationAnswer]] | None = None
        self._lists: RevocationLists | None = None
        self._held: dict[tuple[int, bytes], list[RevocationAnswer]] = {}

    def __bool__(self) -> bool:
        """Tell whether there are any, readable or not."""
        return bool(self._unverified)

    def standing(
        self,
        certificate: x509.Certificate,
        issuer: x509.Certificate,
        lists: RevocationLists,
    ) -> Standing:
        """Return what `issuer`, an authority of a path that holds, says of it.

        Args:
            certificate: The certificate in question.
            issuer: Its issuer.
            lists: Say whether a responder's own certificate was revoked.
        """
        holds = self._that_hold(certificate, issuer, lists)
        revoked_us = None
        for place, one in enumerate(holds):
            # Lifted since, if a newer answer no longer says so; see the lists.
            if one.revoked_us is None or (place and is_hold(one)):
                continue
            revoked_us = one.revoked_us
            break
        # Of an expired certificate a responder may have forgotten what it knew.
        expires_us = us_of(certificate.not_valid_after_utc)
        good = [
            one
            for one in holds
            if one.is_good and one.this_update_us <= expires_us + SKEW_US
        ]
        newest = next(iter(good or holds), None)
        if newest is None or (revoked_us is None and not good):
            return nothing_known()
        return Standing(
            revoked_us=revoked_us,
            covered_until_us=newest.next_update_us + SKEW_US,
            issued_us=newest.this_update_us,
        )

    def _that_hold(
        self,
        certificate: x509.Certificate,
        issuer: x509.Certificate,
        lists: RevocationLists,
    ) -> list[RevocationAnswer]:
        """Return the answers that `issuer` vouches for, newest first."""
        if self._by_serial is None:
            self._by_serial = self._read()
        found = self._by_serial.get(certificate.serial_number)
        if not found:
            return []
        if self._lists is not lists:
            self._lists, self._held = lists, {}
        key = (certificate.serial_number, issuer.public_bytes(Encoding.DER))
        held = self._held.get(key)
        if held is None:
            held = self._held[key] = [
                one
                for one in found[:_SAME_SERIAL_MAX]
                if is_about(one, certificate, issuer)
                and is_signed_for(one, issuer, lists)
            ]
        return held

    def _read(self) -> dict[int, list[RevocationAnswer]]:
        """Return what can be read, by serial number, newest first."""
        by_serial: dict[int, list[RevocationAnswer]] = {}
        for encoded in self._unverified:
            try:
                answer = load_answer(encoded)
            except ValueError:
                # As if it had not come: whoever needs it is told so.
                continue
            if self._at_us is None or is_timely(answer, self._at_us):
                serial = answer.unverified.serial_number
                by_serial.setdefault(serial, []).append(answer)
        for found in by_serial.values():
            found.sort(key=lambda one: one.this_update_us, reverse=True)
        return by_serial
