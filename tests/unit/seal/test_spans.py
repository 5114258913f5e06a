"""Since when and until when a certificate could be relied on, as known now."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counterfoil.devca.certificates import Validity, make_authority
from counterfoil.seal.certificates import (
    CertificateRefused,
    CertificateRevoked,
    load_certificate,
)
from counterfoil.seal.chains import SKEW_US, us_of
from counterfoil.seal.sign import Sealer
from counterfoil.seal.spans import span_of
from counterfoil.seal.trust import TrustStore
from tests.unit.seal.makers import CURRENT, DAY, HOUR, IN_FORCE, NOW, Pki

PAST = Validity(NOW - 10 * HOUR, NOW - HOUR)


def held(pki: Pki, sealer: Sealer) -> tuple[int, int]:
    store = TrustStore(pki.material())
    digest = sealer.certificate_digest
    return span_of(digest, store, bag={digest: sealer.certificate})


def revoked(pki: Pki, sealer: Sealer, hours: int) -> Pki:
    serial = load_certificate(sealer.certificate).serial_number
    return replace(pki, revoked={serial: NOW - hours * HOUR})


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki.new("held")


def test_a_certificate_that_has_ended_held_until_its_end(pki: Pki) -> None:
    sealer = pki.sealer(validity=PAST)

    assert held(pki, sealer) == (us_of(PAST.start) - SKEW_US, us_of(PAST.end) + SKEW_US)


def test_one_that_is_in_force_holds_as_far_as_the_lists_say(pki: Pki) -> None:
    first, last = held(pki, pki.sealer())

    assert first == us_of(IN_FORCE.start) - SKEW_US
    assert us_of(CURRENT.end) <= last <= us_of(CURRENT.end) + SKEW_US


def test_one_that_was_revoked_held_until_then(pki: Pki) -> None:
    sealer = pki.sealer(validity=PAST)

    _, last = held(revoked(pki, sealer, 5), sealer)

    assert last == us_of(NOW - 5 * HOUR) - 1


def test_one_whose_authority_ended_before_held_until_then(pki: Pki) -> None:
    over = Validity(NOW - 3 * DAY, NOW - 4 * HOUR)
    authority = make_authority("over", pki.root, over)
    ended = replace(pki, authority=authority)
    sealer = ended.sealer(validity=PAST)

    _, last = held(ended, sealer)

    assert last == us_of(over.end) + SKEW_US


def test_one_that_was_revoked_before_it_began_never_held(pki: Pki) -> None:
    sealer = pki.sealer(validity=PAST)

    with pytest.raises(CertificateRevoked):
        held(revoked(pki, sealer, 11), sealer)


def test_of_one_that_is_not_known_or_leads_nowhere_nothing_is_said(pki: Pki) -> None:
    sealer, other = pki.sealer(validity=PAST), Pki.new("other").sealer(validity=PAST)
    store = TrustStore(pki.material())

    for digest, bag in (
        (sealer.certificate_digest, {}),
        (sealer.certificate_digest, {sealer.certificate_digest: other.certificate}),
        (other.certificate_digest, {other.certificate_digest: other.certificate}),
        (b"?" * 32, {b"?" * 32: b"no certificate"}),
    ):
        with pytest.raises(CertificateRefused):
            span_of(digest, store, bag=bag)


def test_what_was_found_out_of_the_past_is_not_remembered_for_now(pki: Pki) -> None:
    sealer = pki.sealer(validity=PAST)
    store, digest = TrustStore(pki.material()), sealer.certificate_digest
    bag = {digest: sealer.certificate}

    span_of(digest, store, bag=bag)

    with pytest.raises(CertificateRefused):
        store.look_up(digest, at_us=us_of(NOW), bag=bag)
