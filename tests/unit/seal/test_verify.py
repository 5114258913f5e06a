"""What `verify_seals` lets pass, and everything that it must not."""

import pickle
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from multiprocessing import get_context
from typing import Any

import pytest
from cryptography import x509

from counterfoil.devca.certificates import (
    DOCUMENT_SIGNING,
    Validity,
    make_certificate,
    make_crl,
    make_key,
    urn,
)
from counterfoil.domain.catalogue import (
    DocumentKind,
    SealedBy,
    SealPlan,
    SealPosition,
    SealPurpose,
)
from counterfoil.domain.party import Identity, Use
from counterfoil.domain.refusals import SealForged, SealMissing, SealUndetermined
from counterfoil.domain.seals import (
    Algorithm,
    BatchPath,
    Seal,
    SealStatement,
    check_plan,
)
from counterfoil.seal.algorithms import signing_key
from counterfoil.seal.certificates import certificate_bag, public_key_of
from counterfoil.seal.sign import Sealer
from counterfoil.seal.trust import TrustStore
from counterfoil.seal.trust_material import TrustAnchor, TrustMaterial
from counterfoil.seal.verify import (
    BAG_MAX,
    SEALS_MAX,
    STATEMENT_BYTES_MAX,
    Court,
    Outcome,
    SealedDocument,
    Verified,
    judge_batch,
    verify_seals,
)
from counterfoil.wire.seals import encode_statement, parse_statement
from tests.unit.seal.makers import (
    DAY,
    DIGEST,
    HOUR,
    IN_FORCE,
    NOW,
    NOW_US,
    PARTY,
    SECOND_US,
    Pki,
    Signers,
    alone,
    court_of,
    der,
    document_of,
    forged_at,
    order_of,
    us,
)

forged = pytest.mark.refusal("SEAL_FORGED")
undetermined = pytest.mark.refusal("SEAL_UNDETERMINED")

_INSTITUTION = urn(PARTY, "institution", "1")


def load(sealer: Sealer) -> x509.Certificate:
    return x509.load_der_x509_certificate(sealer.certificate)


def restated(sealer: Sealer, seal: Seal, **changes: object) -> Seal:
    """Return a seal of the same key that says something else."""
    statement = replace(parse_statement(seal.statement), **changes)  # type: ignore[arg-type]
    made = replace(sealer, encode=lambda _: encode_statement(statement))
    return made.seal(order_of(), stated_time_us=NOW_US)


# --- what holds ------------------------------------------------------------------


def test_three_seals_hold_and_tell_who_put_them(signers: Signers) -> None:
    verified = verify_seals(signers.document(), signers.court())

    assert [(one.position, one.signer.to_urn()) for one in verified.sealings] == [
        ("cs", urn(PARTY, "person", "li")),
        ("fs", urn(PARTY, "person", "wang")),
        ("gz", urn(PARTY, "institution", "1")),
    ]
    assert [one.certificate_digest for one in verified.sealings] == [
        one.certificate_digest for one in signers.all
    ]
    assert (
        verified.statements[2].beneath
        == tuple(sha256(seal.statement).digest() for seal in signers.seals()[:2])
        or len(verified.statements[2].beneath) == len(verified.statements) - 1
    )


def test_verified_seals_fill_a_plan(signers: Signers) -> None:
    positions = [
        ("cs", SealPurpose.FIRST_REVIEW, SealedBy.PERSON),
        ("fs", SealPurpose.SECOND_REVIEW, SealedBy.PERSON),
        ("gz", SealPurpose.OFFICIAL, SealedBy.INSTITUTION),
    ]
    plan = SealPlan(
        tuple(
            SealPosition(id=name, name_zh="", purpose=purpose, by=by)
            for name, purpose, by in positions
        )
    )

    verified = verify_seals(signers.document(), signers.court())

    check_plan(plan, verified.statements, verified.sealings, issuer=PARTY)


def test_an_institution_may_seal_with_ed25519(p256_pki: Pki) -> None:
    mixed = Signers.new(p256_pki, algorithm="ed25519")

    verified = verify_seals(mixed.document(), mixed.court())

    assert [one.algorithm for one in verified.statements] == [
        Algorithm.ECDSA_P256_SHA256,
        Algorithm.ECDSA_P256_SHA256,
        Algorithm.ED25519,
    ]


def test_certificates_may_be_known_beforehand(signers: Signers) -> None:
    known = tuple(one.certificate for one in signers.all)
    court = court_of(signers.pki.material(certificates=known))

    assert len(verify_seals(signers.document(), court).sealings) == 3


def test_authorities_may_come_in_the_bag(signers: Signers) -> None:
    authority = der(signers.pki.authority.certificate)
    court = court_of(signers.pki.material(authorities=()), signers.all)
    with_authority = replace(court, bag={**court.bag, **certificate_bag([authority])})

    assert forged_at(signers.document(), court) == "6"
    assert len(verify_seals(signers.document(), with_authority).sealings) == 3


# --- (1) bounds ------------------------------------------------------------------


@pytest.mark.refusal("SEAL_MISSING")
def test_a_document_without_seals_is_not_verified(signers: Signers) -> None:
    with pytest.raises(SealMissing):
        verify_seals(replace(signers.document(), seals=()), signers.court())


@forged
def test_more_seals_than_the_contract_allows(signers: Signers) -> None:
    first = signers.seals()[0]
    too_many = replace(signers.document(), seals=(first,) * (SEALS_MAX + 1))
    just_enough = replace(signers.document(), seals=(first,) * SEALS_MAX)

    assert forged_at(too_many, signers.court()) == "1"
    assert forged_at(just_enough, signers.court()) == "5"


@forged
def test_more_certificates_than_a_stream_may_bring(signers: Signers) -> None:
    many = certificate_bag(b"%d" % number for number in range(BAG_MAX + 1))

    assert forged_at(signers.document(), signers.court(bag=many)) == "1"


@forged
@pytest.mark.parametrize("signature", [b"", b"x" * 73, b"x" * 1_000_000])
def test_a_signature_that_is_empty_or_too_long(
    signers: Signers, signature: bytes
) -> None:
    document = alone(signers.institution)
    seal = replace(document.seals[0], signature=signature)

    assert forged_at(replace(document, seals=(seal,)), signers.court()) == "1"


@forged
def test_a_giant_statement_is_not_even_parsed(signers: Signers) -> None:
    def explode(_: bytes) -> SealStatement:
        raise AssertionError

    document = alone(signers.institution)
    giant = replace(document.seals[0], statement=bytes(STATEMENT_BYTES_MAX + 1))

    assert (
        forged_at(replace(document, seals=(giant,)), signers.court(parse=explode))
        == "1"
    )


def test_the_longest_statement_that_can_be_made_is_within_bounds() -> None:
    longest = SealStatement(
        document_kind=DocumentKind.NOTICE,
        payload_digest=bytes(32),
        position="z" * 16,
        purpose=SealPurpose.ATTACHMENT,
        certificate_digest=bytes(32),
        algorithm=Algorithm.ED25519,
        stated_time_us=us(NOW.replace(year=9999)) + 999_999,
        beneath=(bytes(32),) * (SEALS_MAX - 1),
    )

    assert len(encode_statement(longest)) < 700 < STATEMENT_BYTES_MAX


@forged
def test_a_giant_certificate_is_not_read(signers: Signers) -> None:
    padding = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), bytes(16_384))
    giant = der(
        make_certificate(
            signers.pki.authority,
            public_key_of(load(signers.institution)),  # type: ignore[arg-type]
            _INSTITUTION,
            IN_FORCE,
            extensions=[(padding, False)],
        )
    )
    seal = restated(
        signers.institution,
        alone(signers.institution).seals[0],
        certificate_digest=sha256(giant).digest(),
    )
    document = replace(alone(signers.institution), seals=(seal,))

    assert forged_at(document, signers.court(bag=certificate_bag([giant]))) == "6"


# --- (2) the statement -----------------------------------------------------------


@forged
@pytest.mark.parametrize("statement", [b"", b"\xff", b"\x08\x63", b"\x30\x09"])
def test_a_statement_that_cannot_be_read(signers: Signers, statement: bytes) -> None:
    document = alone(signers.institution)
    seal = replace(document.seals[0], statement=statement)

    assert forged_at(replace(document, seals=(seal,)), signers.court()) == "2"


def test_a_defect_of_the_parser_is_no_refusal(signers: Signers) -> None:
    def defective(_: bytes) -> SealStatement:
        raise KeyError

    with pytest.raises(KeyError):
        judge_batch([signers.document()], signers.court(parse=defective))


# --- (3) to (5): what the seal is about ------------------------------------------


@forged
def test_a_seal_is_not_good_for_another_kind(signers: Signers) -> None:
    relabelled = replace(signers.document(), kind=DocumentKind.RECEIPT)

    assert forged_at(relabelled, signers.court()) == "3"


@forged
def test_a_seal_is_not_good_for_another_payload(signers: Signers) -> None:
    moved = replace(signers.document(), payload_digest=sha256(b"other").digest())

    assert forged_at(moved, signers.court()) == "4"


@forged
@pytest.mark.parametrize(
    ("kept", "seat"),
    [((1, 2), "0"), ((0, 2), "1"), ((2,), "0"), ((1, 0, 2), "0"), ((0, 0, 1), "1")],
)
def test_seals_beneath_cannot_be_stripped_or_swapped(
    signers: Signers, kept: tuple[int, ...], seat: str
) -> None:
    seals = signers.seals()
    changed = replace(signers.document(), seals=tuple(seals[place] for place in kept))

    with pytest.raises(SealForged) as caught:
        verify_seals(changed, signers.court())

    assert caught.value.facts == {"check": "5", "seat": seat}


@forged
def test_the_order_beneath_is_stated_too(signers: Signers) -> None:
    seals = signers.seals()
    first, second = parse_statement(seals[2].statement).beneath
    for beneath in ((second, first), (first, second, second), (first, first, second)):
        on_top = restated(signers.institution, seals[2], beneath=beneath)
        changed = replace(signers.document(), seals=(*seals[:2], on_top))

        assert forged_at(changed, signers.court()) == "5"


@forged
def test_a_seal_beneath_cannot_be_exchanged_for_a_later_one(signers: Signers) -> None:
    seals = signers.seals()
    later = restated(signers.first, seals[0], stated_time_us=NOW_US + 1)
    changed = replace(signers.document(), seals=(later, *seals[1:]))

    assert forged_at(changed, signers.court()) == "5"


def test_seals_on_top_can_be_withdrawn(signers: Signers) -> None:
    # Whether they are all there is the plan's question, not the signature's.
    fewer = replace(signers.document(), seals=signers.seals()[:2])

    assert len(verify_seals(fewer, signers.court()).sealings) == 2


@forged
def test_a_seal_cannot_be_moved_to_another_position(signers: Signers) -> None:
    document = alone(signers.institution)
    seal = document.seals[0]
    moved = replace(parse_statement(seal.statement), position="cs")
    changed = replace(seal, statement=encode_statement(moved))

    assert forged_at(replace(document, seals=(changed,)), signers.court()) == "10"


# --- (6) the certificate ---------------------------------------------------------


@forged
def test_an_unknown_certificate(signers: Signers) -> None:
    assert forged_at(signers.document(), signers.court(bag={})) == "6"


@forged
def test_a_bag_with_wrong_names_does_not_exchange_certificates(pki: Pki) -> None:
    honest, liar = pki.sealer(), pki.sealer(name="2")
    bag = {honest.certificate_digest: liar.certificate}

    assert forged_at(alone(honest), court_of(pki.material(), bag=bag)) == "6"


@forged
def test_another_certificate_of_the_same_key(pki: Pki) -> None:
    key = make_key(pki.algorithm)
    ours, other = pki.sealer(key=key), pki.sealer(key=key, party="420000-102")
    document = alone(ours)
    relabelled = replace(
        parse_statement(document.seals[0].statement),
        certificate_digest=other.certificate_digest,
    )
    seal = replace(document.seals[0], statement=encode_statement(relabelled))
    court = court_of(pki.material(), [ours, other])

    assert forged_at(replace(document, seals=(seal,)), court) == "10"


@forged
def test_a_foreign_authority(signers: Signers) -> None:
    # Its names are ours; only its keys are not.
    foreign = Signers.new(Pki.new())
    bag = certificate_bag(
        [
            *(one.certificate for one in foreign.all),
            der(foreign.pki.authority.certificate),
            der(foreign.pki.root.certificate),
        ]
    )

    assert forged_at(foreign.document(), signers.court(bag=bag)) == "6"


@forged
@pytest.mark.parametrize(
    ("validity", "passes"),
    [
        (Validity(NOW - DAY, NOW - timedelta(seconds=61)), False),
        (Validity(NOW - DAY, NOW - timedelta(seconds=60)), True),
        (Validity(NOW + timedelta(seconds=60), NOW + DAY), True),
        (Validity(NOW + timedelta(seconds=61), NOW + DAY), False),
    ],
)
def test_certificates_hold_from_until_and_a_minute_more(
    pki: Pki, validity: Validity, *, passes: bool
) -> None:
    sealer = pki.sealer(validity=validity)
    court = court_of(pki.material(), [sealer])

    if passes:
        verify_seals(alone(sealer), court)
    else:
        assert forged_at(alone(sealer), court) == "6"


@forged
def test_what_was_found_out_holds_only_for_its_time(pki: Pki) -> None:
    sealer = pki.sealer(validity=Validity(NOW - DAY, NOW + HOUR))
    court = court_of(pki.material(), [sealer])
    end_us = NOW_US + 3_660 * SECOND_US

    verify_seals(alone(sealer), court)

    verify_seals(alone(sealer), replace(court, at_us=end_us))
    assert forged_at(alone(sealer), replace(court, at_us=end_us + SECOND_US)) == "6"
    verify_seals(alone(sealer), court)
    early = replace(court, at_us=us(NOW - DAY) - 61 * SECOND_US)
    assert forged_at(alone(sealer), early) == "6"


@forged
@pytest.mark.parametrize(
    "wrong",
    [
        {"is_ca": True},
        {"digital_signature": False},
        {"usages": ["1.3.6.1.5.5.7.3.1"]},
        {"usages": ["1.3.6.1.5.5.7.3.2"]},
        {"identity": "urn:counterfoil:420000-011:owner:1"},
    ],
    ids=str,
)
def test_certificates_that_are_not_for_seals(pki: Pki, wrong: dict[str, Any]) -> None:
    if usages := wrong.get("usages"):
        wrong = {"usages": [x509.ObjectIdentifier(one) for one in usages]}
    elif "identity" in wrong:
        wrong = {**wrong, "usages": [DOCUMENT_SIGNING]}
    sealer = pki.sealer(**wrong)

    assert forged_at(alone(sealer), court_of(pki.material(), [sealer])) == "6"


@forged
def test_an_authority_cannot_seal(pki: Pki) -> None:
    certificate = der(pki.authority.certificate)
    listed = ((sha256(certificate).digest(), Identity.from_urn(_INSTITUTION)),)
    sealer = Sealer.of(
        signing_key(pki.authority.key),
        certificate,
        encode_statement,
        identity=listed[0][1],
    )
    court = court_of(pki.material(directory=listed), [sealer])

    assert forged_at(alone(sealer), court) == "6"


@forged
def test_a_key_on_another_curve(pki: Pki) -> None:
    key = make_key("p384")
    certificate = make_certificate(
        pki.authority, key.public_key(), _INSTITUTION, IN_FORCE
    )
    honest = pki.sealer()
    seal = restated(
        honest,
        alone(honest).seals[0],
        certificate_digest=sha256(der(certificate)).digest(),
    )
    document = replace(alone(honest), seals=(seal,))
    bag = certificate_bag([der(certificate)])

    assert forged_at(document, court_of(pki.material(), bag=bag)) == "6"


@forged
def test_a_root_speaks_only_for_its_parties(signers: Signers) -> None:
    root = der(signers.pki.root.certificate)
    own, other = frozenset({PARTY}), frozenset({"420000-102"})
    its_own = signers.pki.material(anchors=(TrustAnchor(root, own),))
    others = signers.pki.material(anchors=(TrustAnchor(root, other),))

    verify_seals(signers.document(), court_of(its_own, signers.all))
    assert forged_at(signers.document(), court_of(others, signers.all)) == "6"
    foreign = TrustAnchor(der(Pki.new().root.certificate))
    mixed = signers.pki.material(anchors=(*others.anchors, foreign))
    assert forged_at(signers.document(), court_of(mixed, signers.all)) == "6"


@forged
def test_a_key_of_a_kind_that_nobody_knows(pki: Pki) -> None:
    honest = pki.sealer()
    unknown = honest.certificate
    for curve in ("2a8648ce3d030107", "2a811ccf5501822d"):
        unknown = unknown.replace(
            bytes.fromhex(curve), bytes.fromhex("2a8648ce3d03017f")
        )
    assert unknown != honest.certificate
    seal = restated(
        honest, alone(honest).seals[0], certificate_digest=sha256(unknown).digest()
    )
    document = replace(alone(honest), seals=(seal,))
    court = court_of(pki.material(), bag=certificate_bag([unknown]))

    assert forged_at(document, court) == "6"


# --- (7) revocation --------------------------------------------------------------


def revoked_pki(pki: Pki, sealer: Sealer, since_s: int) -> Pki:
    certificate = load(sealer)
    return replace(
        pki, revoked={certificate.serial_number: NOW + timedelta(seconds=since_s)}
    )


@forged
@pytest.mark.parametrize(("since_s", "passes"), [(-1, False), (0, False), (1, True)])
def test_revoked_is_judged_at_the_instant(
    pki: Pki, since_s: int, *, passes: bool
) -> None:
    sealer = pki.sealer()
    court = court_of(revoked_pki(pki, sealer, since_s).material(), [sealer])

    if passes:
        verify_seals(alone(sealer), court)
    else:
        assert forged_at(alone(sealer), court) == "7"


@forged
def test_what_arrived_before_a_revocation_stays_sealed(pki: Pki) -> None:
    sealer = pki.sealer()
    court = court_of(revoked_pki(pki, sealer, 10).material(), [sealer])

    verify_seals(alone(sealer), court)
    late = replace(court, at_us=NOW_US + 10 * SECOND_US)

    assert forged_at(alone(sealer), late) == "7"
    verify_seals(alone(sealer), replace(late, at_us=late.at_us - 1))


@forged
def test_a_revoked_authority_takes_its_certificates_with_it(pki: Pki) -> None:
    sealer = pki.sealer()
    serial = pki.authority.certificate.serial_number
    gone = replace(pki, revoked={serial: NOW - HOUR})

    assert forged_at(alone(sealer), court_of(gone.material(), [sealer])) == "7"


@forged
def test_an_older_list_still_counts_but_a_lifted_hold_does_not(pki: Pki) -> None:
    sealer = pki.sealer()
    serial = load(sealer).serial_number
    older = Validity(NOW - DAY, NOW)
    revoked = make_crl(pki.authority, older, {serial: NOW - HOUR})
    held = make_crl(pki.authority, older, {serial: NOW - HOUR}, hold=[serial])
    dropped = pki.material(crls=(*pki.crls, der(revoked)))
    lifted = pki.material(crls=(*pki.crls, der(held)))
    on_hold = pki.material(crls=(pki.crls[0], der(held)))

    verify_seals(alone(sealer), court_of(lifted, [sealer]))
    assert forged_at(alone(sealer), court_of(dropped, [sealer])) == "7"
    assert forged_at(alone(sealer), court_of(on_hold, [sealer])) == "7"


@undetermined
@pytest.mark.parametrize("kept", [(), (0,), (1,)])
def test_without_a_list_nothing_is_determined(
    signers: Signers, kept: tuple[int, ...]
) -> None:
    crls = tuple(signers.pki.crls[place] for place in kept)
    court = court_of(signers.pki.material(crls=crls), signers.all)

    with pytest.raises(SealUndetermined):
        verify_seals(signers.document(), court)


@undetermined
def test_a_list_answers_until_the_next_is_due_and_a_minute_more(
    signers: Signers,
) -> None:
    due = Validity(NOW - HOUR, NOW + timedelta(seconds=10))
    court = court_of(replace(signers.pki, crl_validity=due).material(), signers.all)
    last = replace(court, at_us=NOW_US + 70 * SECOND_US)

    verify_seals(signers.document(), last)

    with pytest.raises(SealUndetermined):
        verify_seals(signers.document(), replace(last, at_us=last.at_us + 1))


@undetermined
def test_undetermined_is_found_out_again(signers: Signers) -> None:
    document = alone(signers.institution)
    due = Validity(NOW - HOUR, NOW + HOUR)
    court = court_of(replace(signers.pki, crl_validity=due).material(), signers.all)
    late = replace(court, at_us=us(NOW + 2 * HOUR))

    for _ in range(2):
        with pytest.raises(SealUndetermined):
            verify_seals(document, late)
        verify_seals(document, court)


def test_a_later_list_answers_for_an_earlier_instant(signers: Signers) -> None:
    later = replace(signers.pki, crl_validity=Validity(NOW + DAY, NOW + 2 * DAY))

    verify_seals(signers.document(), court_of(later.material(), signers.all))


@undetermined
def test_a_list_by_another_key_is_no_list(signers: Signers) -> None:
    foreign = Pki.new()
    court = court_of(signers.pki.material(crls=foreign.crls), signers.all)

    with pytest.raises(SealUndetermined):
        verify_seals(signers.document(), court)


@forged
def test_forged_outweighs_undetermined(signers: Signers) -> None:
    seals = signers.seals()
    bad = replace(seals[2], signature=seals[1].signature)
    court = court_of(signers.pki.material(crls=()), signers.all)

    assert forged_at(replace(signers.document(), seals=(*seals[:2], bad)), court) == (
        "10"
    )


@forged
def test_revoked_outweighs_undetermined(pki: Pki) -> None:
    sealer = pki.sealer()
    known = revoked_pki(pki, sealer, -1)
    material = known.material(crls=known.crls[1:])

    assert forged_at(alone(sealer), court_of(material, [sealer])) == "7"


# --- (8) to (10) -----------------------------------------------------------------


@forged
@pytest.mark.parametrize("use", ["gateway", "system"])
def test_keys_of_connections_do_not_seal(pki: Pki, use: str) -> None:
    sealer = pki.sealer(use)

    assert forged_at(alone(sealer), court_of(pki.material(), [sealer])) == "8"


@forged
def test_the_algorithm_is_the_key_s(signers: Signers) -> None:
    document = alone(signers.institution)
    seal = restated(signers.institution, document.seals[0], algorithm=Algorithm.ED25519)

    assert forged_at(replace(document, seals=(seal,)), signers.court()) == "9"


@forged
@pytest.mark.parametrize("place", [0, 3, -1])
def test_no_bit_of_a_signature_can_change(pki: Pki, place: int) -> None:
    check_that_no_bit_can_change(pki, pki.sealer(), place)


@forged
@pytest.mark.parametrize("place", [0, 3, -1])
def test_no_bit_of_an_ed25519_signature_can_change(p256_pki: Pki, place: int) -> None:
    sealer = p256_pki.sealer(algorithm="ed25519")

    check_that_no_bit_can_change(p256_pki, sealer, place)


def check_that_no_bit_can_change(pki: Pki, sealer: Sealer, place: int) -> None:
    document = alone(sealer)
    changed = bytearray(document.seals[0].signature)
    changed[place] ^= 1
    seal = replace(document.seals[0], signature=bytes(changed))

    court = court_of(pki.material(), [sealer])

    assert forged_at(replace(document, seals=(seal,)), court) == "10"


# --- batches ---------------------------------------------------------------------


def batch_of(sealer: Sealer, size: int) -> list[SealedDocument]:
    orders = [order_of(index) for index in range(size)]
    seals = sealer.seal_batch(orders, stated_time_us=NOW_US)
    return [document_of(order, seal) for order, seal in zip(orders, seals, strict=True)]


@pytest.mark.parametrize("size", [2, 3, 7, 64])
def test_each_document_of_a_batch_stands_alone(signers: Signers, size: int) -> None:
    for document in batch_of(signers.institution, size):
        verify_seals(document, signers.court())


def test_one_signature_is_checked_once_for_a_batch(signers: Signers) -> None:
    court = signers.court()
    documents = batch_of(signers.institution, 5)
    verify_seals(documents[0], court)

    outcomes = judge_batch(documents, court)

    assert all(isinstance(one, Verified) for one in outcomes)
    assert len(court.trust.checked_roots) == 1


@forged
@pytest.mark.parametrize(
    "change",
    [
        {"index": 1},
        {"index": 5},
        {"index": -1},
        {"size": 4},
        {"size": 6},
        {"size": 1},
        {"size": 0},
        {"size": 1025},
        {"size": 2**31},
        {"hashes": ()},
        {"hashes": (bytes(32),) * 3},
        {"hashes": (bytes(31),) * 3},
        {"hashes": (bytes(32),) * 100_000},
    ],
    ids=lambda change: str(change)[:30],
)
@pytest.mark.parametrize("is_warm", [False, True])
def test_a_path_holds_for_its_own_place_only(
    signers: Signers, change: dict[str, object], *, is_warm: bool
) -> None:
    court = signers.court()
    document = batch_of(signers.institution, 5)[0]
    if is_warm:
        verify_seals(document, court)
    seal = document.seals[0]
    assert seal.batch is not None
    path = replace(seal.batch, **change)  # type: ignore[arg-type]
    changed = replace(document, seals=(replace(seal, batch=path),))

    assert forged_at(changed, court) == "10"


@forged
def test_a_path_of_another_statement(signers: Signers) -> None:
    one, other = batch_of(signers.institution, 4)[:2]
    exchanged = replace(one.seals[0], batch=other.seals[0].batch)

    assert forged_at(replace(one, seals=(exchanged,)), signers.court()) == "10"


@forged
def test_a_batch_seal_without_its_path_is_no_seal(signers: Signers) -> None:
    one = batch_of(signers.institution, 2)[0]
    bare = replace(one.seals[0], batch=None)

    assert forged_at(replace(one, seals=(bare,)), signers.court()) == "10"


@forged
def test_a_single_seal_is_no_batch_of_one(signers: Signers) -> None:
    document = alone(signers.institution)
    path = BatchPath(index=0, size=1, hashes=())
    dressed = replace(document.seals[0], batch=path)

    assert forged_at(replace(document, seals=(dressed,)), signers.court()) == "10"


@forged
def test_a_known_root_is_known_for_its_own_certificate_only(pki: Pki) -> None:
    ours, other = pki.sealer(), pki.sealer(name="2")
    court = court_of(pki.material(), [ours, other])
    document, _ = batch_of(ours, 2)
    verify_seals(document, court)
    # The same tree, but the first statement names another certificate.
    seal = restated(
        ours, document.seals[0], certificate_digest=other.certificate_digest
    )
    changed = replace(seal, batch=document.seals[0].batch)

    assert forged_at(replace(document, seals=(changed,)), court) == "10"


# --- many at once ----------------------------------------------------------------


@forged
@undetermined
def test_one_bad_document_harms_no_other(signers: Signers) -> None:
    good = signers.document()
    bad = replace(good, kind=DocumentKind.RECEIPT)
    none = replace(good, seals=())

    outcomes = judge_batch([good, bad, none, good], signers.court())

    assert [type(one) for one in outcomes] == [
        Verified,
        SealForged,
        SealMissing,
        Verified,
    ]


def _judge_elsewhere(
    material: TrustMaterial, bag: dict[bytes, bytes], documents: list[SealedDocument]
) -> list[Outcome]:
    court = Court(
        trust=TrustStore(material), parse=parse_statement, at_us=NOW_US, bag=bag
    )
    return judge_batch(documents, court)


@forged
def test_a_worker_process_gives_the_same_verdicts(signers: Signers) -> None:
    documents = [
        signers.document(),
        replace(signers.document(), payload_digest=bytes(32)),
    ]
    here = judge_batch(documents, signers.court())
    bag = dict(signers.court().bag)

    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        there = pool.submit(
            _judge_elsewhere, signers.pki.material(), bag, documents
        ).result()

    assert there[0] == here[0]
    assert isinstance(there[1], SealForged)
    assert isinstance(here[1], SealForged)
    assert there[1].facts == here[1].facts == {"check": "4", "seat": "0"}


def test_material_and_documents_can_be_pickled(signers: Signers) -> None:
    material = signers.pki.material(
        directory=((DIGEST, Identity(party=PARTY, use=Use.PERSON, name="li")),)
    )

    assert pickle.loads(pickle.dumps(material)) == material  # noqa: S301
    document = signers.document()
    assert pickle.loads(pickle.dumps(document)) == document  # noqa: S301
