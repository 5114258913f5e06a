"""What a worker does with a batch: every numbered check is broken once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

import pytest

from counterfoil.devca.certificates import make_key
from counterfoil.domain.catalogue import DocumentKind, SealPurpose
from counterfoil.domain.document import Document
from counterfoil.domain.draft_seals import DraftSeals, ReviewSeal
from counterfoil.domain.drafts import DraftRow, ReceiptText, StepText, Unsealed
from counterfoil.domain.refusals import (
    BatchTooLarge,
    CounterfoilError,
    FormRefused,
    MalformedPayload,
    SealForged,
    SealKeyUnavailable,
)
from counterfoil.domain.rules import dates
from counterfoil.domain.seals import Seal
from counterfoil.seal.sign import SealOrder
from counterfoil.seal.trust import TrustStore
from counterfoil.sealed.v1 import sealed_pb2, voucher_pb2
from counterfoil.wire.catalogue import CATALOGUE
from counterfoil.wire.judge import take_apart
from counterfoil.wire.own_seals import DOCUMENT_BYTES_MAX
from counterfoil.wire.sealed import close_sealed
from counterfoil.wire.seals import seal_from_bytes, seal_to_bytes
from counterfoil.wire.workshop import Workshop
from tests.unit.app.house import Keys, fine, name_of, reasons
from tests.unit.app.papers import (
    BANK,
    FINANCE,
    OTHER_BANK,
    UNIT,
    direct_payment,
    draft_of,
    encoded,
    entry_notice,
    receipt_for,
    step_about,
)
from tests.unit.seal.makers import NOW_US

VOUCHER, RECEIPT = DocumentKind.VOUCHER, DocumentKind.RECEIPT
PERSONS = ("first", "second")


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys.new()


@pytest.fixture
def workshop(keys: Keys) -> Workshop:
    return Workshop(
        trust=TrustStore(keys.material),
        sealers={party: keys.sealers[party, "1"] for party in (FINANCE, BANK)},
    )


def certificates(keys: Keys) -> list[bytes]:
    return [sealer.certificate for sealer in keys.sealers.values()]


def seals_of(
    keys: Keys,
    kind: DocumentKind,
    payload: bytes,
    type_code: int,
    *signers: tuple[str, str],
) -> tuple[Seal, ...]:
    """Return seals in the positions of the plan, by whoever is named."""
    made: tuple[Seal, ...] = ()
    plan = CATALOGUE.plan_for(kind, type_code)
    for position, signer in zip(plan.positions, signers, strict=False):
        order = SealOrder(
            document_kind=kind,
            payload_digest=sha256(payload).digest(),
            position=position.id,
            purpose=position.purpose,
            beneath=made,
        )
        made = (*made, keys.sealers[signer].seal(order, stated_time_us=NOW_US))
    return made


def voucher_of(
    keys: Keys, voucher: voucher_pb2.Voucher, *signers: tuple[str, str]
) -> bytes:
    payload = encoded(voucher)
    named = signers or tuple((FINANCE, name) for name in (*PERSONS, "1"))
    seals = seals_of(keys, VOUCHER, payload, voucher.key.type, *named)
    return close_sealed(VOUCHER, payload, seals)


def receipt_of(keys: Keys, *enclosures: bytes, by: str = BANK) -> bytes:
    voucher = direct_payment()
    payload = encoded(receipt_for(voucher, name_of(voucher)[1]))
    seals = seals_of(keys, RECEIPT, payload, voucher.key.type, (by, "1"))
    message = sealed_pb2.Sealed.FromString(close_sealed(RECEIPT, payload, seals))
    message.enclosures.extend(enclosures)
    return message.SerializeToString()


def examined(workshop: Workshop, keys: Keys, sealed: bytes) -> Document:
    (outcome,) = workshop.examine([sealed], certificates(keys), NOW_US)
    return fine(outcome)


# --- how large a document may be -------------------------------------------------


def with_bytes(voucher: voucher_pb2.Voucher, size: int) -> voucher_pb2.Voucher:
    """Return a voucher of `size` bytes: with elements that no form knows."""
    form = getattr(voucher, voucher.WhichOneof("form") or "")
    while (left := size - voucher.ByteSize()) > 0:
        fill = max(min(left - 40, 60_000), 1)
        form.extra.add(path="", after="", xml=f"<Hold9>{'x' * fill}</Hold9>")
    return voucher


@pytest.mark.refusal("BATCH_TOO_LARGE")
def test_a_voucher_that_no_peer_would_take_is_refused_before_it_is_sealed(
    workshop: Workshop,
) -> None:
    room = DOCUMENT_BYTES_MAX - 8 * 1024
    reviewed = draft_of(with_bytes(direct_payment("1"), room - 200))
    notice = draft_of(with_bytes(entry_notice("1"), room - 200))
    (row,) = workshop.compose([reviewed], FINANCE, NOW_US)
    (sent,) = workshop.submit([notice], BANK, NOW_US)
    assert isinstance(row, DraftRow)
    assert len(row.payload) > room - 400
    assert room - 400 < len(fine(sent).sealed) <= DOCUMENT_BYTES_MAX

    larger = draft_of(with_bytes(direct_payment("2"), room + 200))
    notice = draft_of(with_bytes(entry_notice("2"), room + 200))
    refused = [
        *workshop.compose([larger, draft_of(direct_payment("3"))], FINANCE, NOW_US),
        *workshop.submit([notice], BANK, NOW_US),
    ]

    assert reasons(refused) == ["BATCH_TOO_LARGE", "", "BATCH_TOO_LARGE"]
    told = refused[0]
    assert isinstance(told, BatchTooLarge)
    assert told.facts["max"] == str(DOCUMENT_BYTES_MAX)
    assert int(told.facts["bytes"]) > room


@pytest.mark.refusal("BATCH_TOO_LARGE")
def test_a_receipt_that_would_be_too_large_with_the_original_goes_without_copies(
    workshop: Workshop, keys: Keys
) -> None:
    voucher = with_bytes(direct_payment(), DOCUMENT_BYTES_MAX - 8 * 1024 - 200)
    original = voucher_of(keys, voucher)
    receipt = encoded(receipt_for(voucher, name_of(voucher)[1]))
    plain = ReceiptText(receipt=receipt, recipients=(FINANCE,), original=b"")
    copied = replace(plain, recipients=(FINANCE, UNIT), original=original)

    refused, taken = workshop.receipts([copied, plain], BANK, NOW_US)

    assert reasons([refused, taken]) == ["BATCH_TOO_LARGE", ""]
    assert "without copies" in str(refused)
    assert not fine(taken).encloses


# --- examining -------------------------------------------------------------------


@pytest.mark.clause("hubei-19b")
def test_a_sound_voucher_passes_every_check(workshop: Workshop, keys: Keys) -> None:
    sealed = voucher_of(keys, direct_payment())

    document = examined(workshop, keys, sealed)

    assert (document.key, document.digest) == name_of(direct_payment())
    assert document.version == sha256(sealed).digest()
    assert (document.by, document.recipients) == (FINANCE, (BANK,))


@pytest.mark.clause("hubei-19b")
@pytest.mark.refusal("MALFORMED_PAYLOAD")
def test_check_1_an_envelope_that_cannot_be_opened(
    workshop: Workshop, keys: Keys
) -> None:
    with pytest.raises(MalformedPayload):
        examined(workshop, keys, b"\xff")


@pytest.mark.clause("hubei-19b", "hubei-11")
@pytest.mark.refusal("SEAL_FORGED")
def test_check_2_a_seal_that_does_not_hold_is_found_before_the_payload_is_read(
    workshop: Workshop, keys: Keys
) -> None:
    message = sealed_pb2.Sealed.FromString(voucher_of(keys, direct_payment()))
    message.payload = b"\xff no voucher either"

    with pytest.raises(SealForged) as refused:
        examined(workshop, keys, message.SerializeToString())

    assert refused.value.facts["check"] == "4"


@pytest.mark.clause("hubei-19b")
@pytest.mark.refusal("FORM_REFUSED")
def test_check_3_a_sealed_form_that_breaks_a_rule(
    workshop: Workshop, keys: Keys
) -> None:
    voucher = direct_payment()
    voucher.direct_payment.pay_amt_fen += 1

    with pytest.raises(FormRefused):
        examined(workshop, keys, voucher_of(keys, voucher))


@pytest.mark.clause("hubei-19b", "hubei-19a")
@pytest.mark.refusal("SEAL_MISSING", "SEAL_FORGED", "SAME_PERSON")
@pytest.mark.parametrize(
    ("signers", "reason"),
    [
        ([(FINANCE, "first"), (FINANCE, "second")], "SEAL_MISSING"),
        ([(FINANCE, "first"), (FINANCE, "first"), (FINANCE, "1")], "SAME_PERSON"),
        ([(FINANCE, "first"), (FINANCE, "second"), (BANK, "1")], "SEAL_FORGED"),
        ([(BANK, "first"), (FINANCE, "second"), (FINANCE, "1")], "SEAL_FORGED"),
        ([(FINANCE, "1"), (FINANCE, "second"), (FINANCE, "1")], "SEAL_FORGED"),
    ],
)
def test_check_4_seals_that_hold_but_do_not_fill_the_plan(
    workshop: Workshop, keys: Keys, signers: list[tuple[str, str]], reason: str
) -> None:
    sealed = voucher_of(keys, direct_payment(), *signers)

    outcomes = workshop.examine([sealed], certificates(keys), NOW_US)

    assert reasons(outcomes) == [reason]


def with_one_key(keys: Keys) -> Keys:
    """Return the same, but both reviewers' certificates are for one key."""
    key = make_key()
    both = {
        (FINANCE, name): keys.pki.sealer("person", name, party=FINANCE, key=key)
        for name in PERSONS
    }
    return replace(keys, sealers={**keys.sealers, **both})


@pytest.mark.clause("hubei-19b", "hubei-19a")
@pytest.mark.refusal("SAME_PERSON")
def test_check_4_one_key_is_no_two_persons(workshop: Workshop, keys: Keys) -> None:
    keys = with_one_key(keys)
    sealed = voucher_of(keys, direct_payment())

    outcomes = workshop.examine([sealed], certificates(keys), NOW_US)

    assert reasons(outcomes) == ["SAME_PERSON"]
    row = row_of(keys, "first")
    second = seal_on(keys, row, (FINANCE, "second"), 1)
    assert reasons(review(workshop, keys, row, second, "second")) == ["SAME_PERSON"]


def test_check_5_the_sealed_original_may_come_with_a_receipt(
    workshop: Workshop, keys: Keys
) -> None:
    original = voucher_of(keys, direct_payment())

    document = examined(workshop, keys, receipt_of(keys, original))

    assert document.kind is RECEIPT
    assert document.subject == name_of(direct_payment())[1]


@pytest.mark.refusal("MALFORMED_PAYLOAD")
def test_check_5_another_voucher_is_not_the_original(
    workshop: Workshop, keys: Keys
) -> None:
    other = voucher_of(keys, direct_payment(seed=6))

    with pytest.raises(MalformedPayload) as refused:
        examined(workshop, keys, receipt_of(keys, other))

    assert refused.value.facts == {"field": "enclosures"}


@pytest.mark.refusal("MALFORMED_PAYLOAD")
def test_check_5_an_original_is_for_whoever_answers_it(
    workshop: Workshop, keys: Keys
) -> None:
    theirs = direct_payment(to=(OTHER_BANK,))
    original = voucher_of(keys, theirs)
    payload = encoded(receipt_for(theirs, name_of(theirs)[1]))
    seals = seals_of(keys, RECEIPT, payload, theirs.key.type, (BANK, "1"))

    with pytest.raises(MalformedPayload) as refused:
        examined(workshop, keys, close_sealed(RECEIPT, payload, seals, [original]))

    assert refused.value.facts == {"field": "enclosures"}


@pytest.mark.refusal("MALFORMED_PAYLOAD")
def test_check_5_an_original_is_of_the_key_that_the_receipt_names(
    workshop: Workshop, keys: Keys
) -> None:
    # Whoever answered one voucher would otherwise answer any other in its place.
    own = direct_payment()
    receipt = receipt_for(own, name_of(own)[1])
    receipt.voucher.key.number += "1"
    payload = encoded(receipt)
    seals = seals_of(keys, RECEIPT, payload, own.key.type, (BANK, "1"))
    sealed = close_sealed(RECEIPT, payload, seals, [voucher_of(keys, own)])

    with pytest.raises(MalformedPayload, match="another key") as refused:
        examined(workshop, keys, sealed)

    assert refused.value.facts == {"field": "enclosures"}


def test_a_receipt_with_copies_encloses_the_original(
    workshop: Workshop, keys: Keys
) -> None:
    voucher = direct_payment()
    original = voucher_of(keys, voucher)
    receipt = encoded(receipt_for(voucher, name_of(voucher)[1]))
    copies = (FINANCE, OTHER_BANK)

    (plain,) = workshop.receipts(
        [ReceiptText(receipt=receipt, recipients=(FINANCE,))], BANK, NOW_US
    )
    (copied,) = workshop.receipts(
        [
            ReceiptText(
                receipt=receipt, recipients=(FINANCE, OTHER_BANK), original=original
            )
        ],
        BANK,
        NOW_US,
    )

    assert not fine(plain).encloses
    assert fine(copied).encloses
    arrived = examined(workshop, keys, fine(copied).sealed)
    assert arrived.encloses
    assert arrived.recipients == copies


@pytest.mark.refusal("SEAL_MISSING")
def test_check_5_an_original_is_judged_like_any_document(
    workshop: Workshop, keys: Keys
) -> None:
    half_sealed = voucher_of(keys, direct_payment(), (FINANCE, "first"))

    outcomes = workshop.examine(
        [receipt_of(keys, half_sealed)], certificates(keys), NOW_US
    )

    assert reasons(outcomes) == ["SEAL_MISSING"]


def test_a_document_names_all_by_whose_certificates_it_holds(
    workshop: Workshop, keys: Keys
) -> None:
    original = voucher_of(keys, direct_payment())
    persons = [keys.sealers[FINANCE, name].certificate_digest for name in PERSONS]
    issuer = keys.sealers[FINANCE, "1"].certificate_digest
    recipient = keys.sealers[BANK, "1"].certificate_digest

    assert examined(workshop, keys, original).signers == (*persons, issuer)
    receipt = examined(workshop, keys, receipt_of(keys, original))
    assert receipt.signers == (recipient, *persons, issuer)


@pytest.mark.refusal("MALFORMED_PAYLOAD")
def test_check_5_a_voucher_encloses_nothing_however_deep(
    workshop: Workshop, keys: Keys
) -> None:
    nested = sealed_pb2.Sealed.FromString(voucher_of(keys, direct_payment()))
    inner = nested.SerializeToString()
    nested.enclosures.append(inner)

    with pytest.raises(MalformedPayload):
        examined(workshop, keys, nested.SerializeToString())
    with pytest.raises(MalformedPayload):
        examined(workshop, keys, receipt_of(keys, nested.SerializeToString()))


def test_one_bad_document_holds_up_no_other(workshop: Workshop, keys: Keys) -> None:
    sound = voucher_of(keys, direct_payment())

    outcomes = workshop.examine([b"\xff", sound, b""], certificates(keys), NOW_US)

    assert reasons(outcomes) == ["MALFORMED_PAYLOAD", "", "MALFORMED_PAYLOAD"]
    refusal = outcomes[0]
    assert isinstance(refusal, CounterfoilError)
    assert refusal.__traceback__ is None, "it would keep the batch alive"


# --- reviews ---------------------------------------------------------------------


def row_of(keys: Keys, *persons: str) -> DraftRow:
    voucher = direct_payment()
    payload = encoded(voucher)
    key, digest = name_of(voucher)
    signers = [(FINANCE, person) for person in persons]
    seals = seals_of(keys, VOUCHER, payload, key.type_code, *signers)
    return DraftRow(
        party=FINANCE,
        digest=digest,
        key=key,
        payload=payload,
        seals=tuple(seal_to_bytes(seal) for seal in seals),
        recipients=(BANK,),
    )


def review(
    workshop: Workshop, keys: Keys, row: DraftRow, seal: bytes, caller: str
) -> list[ReviewSeal | CounterfoilError]:
    draft = DraftSeals(
        party=row.party,
        digest=row.digest,
        type_code=row.key.type_code,
        seals=row.seals,
    )
    return workshop.review(
        [(draft, seal)],
        certificates(keys),
        keys.sealers[FINANCE, caller].identity,
        NOW_US,
    )


def seal_on(
    keys: Keys, row: DraftRow, signer: tuple[str, str], seat: int, **wrong: object
) -> bytes:
    position = CATALOGUE.row(row.key.type_code).plan.positions[seat]
    order = SealOrder(
        document_kind=VOUCHER,
        payload_digest=row.digest,
        position=position.id,
        purpose=position.purpose,
        beneath=tuple(seal_from_bytes(seal) for seal in row.seals),
    )
    order = replace(order, **wrong)  # type: ignore[arg-type]
    return seal_to_bytes(keys.sealers[signer].seal(order, stated_time_us=NOW_US))


@pytest.mark.clause("hubei-19a")
def test_both_reviews_hold_one_after_the_other(workshop: Workshop, keys: Keys) -> None:
    for seat, person in enumerate(PERSONS):
        row = row_of(keys, *PERSONS[:seat])
        seal = seal_on(keys, row, (FINANCE, person), seat)

        digest = keys.sealers[FINANCE, person].certificate_digest
        position = CATALOGUE.row(row.key.type_code).plan.positions[seat].id
        held = [ReviewSeal(digest, position)]
        assert review(workshop, keys, row, seal, person) == held


@pytest.mark.refusal("SEAL_MISSING")
def test_a_review_of_what_is_fully_sealed_is_refused(
    workshop: Workshop, keys: Keys
) -> None:
    row = row_of(keys, *PERSONS, "1")
    seal = seal_on(keys, row, (FINANCE, "first"), 0)

    assert reasons(review(workshop, keys, row, seal, "first")) == ["SEAL_MISSING"]


@pytest.mark.clause("hubei-19a")
@pytest.mark.refusal("SEAL_MISSING", "SEAL_FORGED", "SAME_PERSON")
@pytest.mark.parametrize(
    ("beneath", "signer", "seat", "wrong", "caller", "reason"),
    [
        # Out of turn, in another position, for another purpose.
        ((), (FINANCE, "second"), 1, {}, "second", "SEAL_MISSING"),
        (("first",), (FINANCE, "second"), 0, {}, "second", "SEAL_MISSING"),
        (
            (),
            (FINANCE, "first"),
            0,
            {"purpose": SealPurpose.OFFICIAL},
            "first",
            "SEAL_MISSING",
        ),
        # Not over this draft, not on these seals.
        (
            (),
            (FINANCE, "first"),
            0,
            {"payload_digest": b"x" * 32},
            "first",
            "SEAL_FORGED",
        ),
        (("first",), (FINANCE, "second"), 1, {"beneath": ()}, "second", "SEAL_FORGED"),
        # Another person's than the caller's, another party's, the institution's.
        ((), (FINANCE, "second"), 0, {}, "first", "SEAL_FORGED"),
        ((), (BANK, "first"), 0, {}, "first", "SEAL_FORGED"),
        ((), (FINANCE, "1"), 0, {}, "1", "SEAL_FORGED"),
        (("first",), (FINANCE, "first"), 1, {}, "first", "SAME_PERSON"),
    ],
)
def test_a_review_that_does_not_belong_there_is_refused(  # noqa: PLR0917
    workshop: Workshop,
    keys: Keys,
    beneath: Sequence[str],
    signer: tuple[str, str],
    seat: int,
    wrong: dict[str, object],
    caller: str,
    reason: str,
) -> None:
    row = row_of(keys, *beneath)
    seal = seal_on(keys, row, signer, seat, **wrong)

    assert reasons(review(workshop, keys, row, seal, caller)) == [reason]


@pytest.mark.refusal("SEAL_FORGED")
def test_only_the_certificate_that_the_caller_shows_may_seal(
    workshop: Workshop, keys: Keys
) -> None:
    row = row_of(keys)
    seal = seal_on(keys, row, (FINANCE, "first"), 0)

    (refused,) = review(workshop, keys, row, seal, "second")

    assert isinstance(refused, SealForged)
    assert refused.facts == {"check": "caller"}


@pytest.mark.refusal("MALFORMED_PAYLOAD")
def test_bytes_that_are_no_seal_are_no_review(workshop: Workshop, keys: Keys) -> None:
    row = row_of(keys)

    assert reasons(review(workshop, keys, row, b"\xff", "first")) == [
        "MALFORMED_PAYLOAD"
    ]


# --- sealing ---------------------------------------------------------------------


def test_what_was_sealed_here_passes_at_the_recipient(
    workshop: Workshop, keys: Keys
) -> None:
    row = row_of(keys, *PERSONS)

    (made,) = workshop.seal([Unsealed(payload=row.payload, seals=row.seals)], NOW_US)

    assert examined(workshop, keys, fine(made).sealed) == made
    assert take_apart(fine(made).sealed).seals[:2] == row.seals


def test_the_form_of_a_draft_that_was_composed_here_is_not_checked_again(
    workshop: Workshop, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = row_of(keys, *PERSONS)
    unsealed = Unsealed(payload=row.payload, seals=row.seals)
    (checked_again,) = workshop.seal([unsealed], NOW_US)
    workshop.compose([draft_of(direct_payment())], FINANCE, NOW_US)

    with monkeypatch.context() as patch:
        patch.delattr("counterfoil.wire.workshop.read_payload")
        (remembered,) = workshop.seal([unsealed], NOW_US)

    # Two signatures are never the same; all that is not signed is.
    for made in (checked_again, remembered):
        assert examined(workshop, keys, fine(made).sealed) == made
    assert replace(fine(remembered), sealed=b"", version=b"") == replace(
        fine(checked_again), sealed=b"", version=b""
    )


@pytest.mark.refusal("FORM_REFUSED")
def test_a_form_that_was_changed_since_it_was_composed_is_found_out(
    workshop: Workshop, keys: Keys
) -> None:
    row = row_of(keys, *PERSONS)
    workshop.compose([draft_of(direct_payment())], FINANCE, NOW_US)
    changed = direct_payment()
    changed.direct_payment.pay_amt_fen += 1
    unsealed = Unsealed(payload=encoded(changed), seals=row.seals)

    assert reasons(workshop.seal([unsealed], NOW_US)) == ["FORM_REFUSED"]


def test_a_draft_that_was_refused_is_not_remembered(workshop: Workshop) -> None:
    wrong = direct_payment()
    wrong.direct_payment.pay_amt_fen += 1
    unsealed = Unsealed(payload=encoded(wrong), seals=())

    refused = [
        *workshop.compose([draft_of(wrong)], FINANCE, NOW_US),
        *workshop.seal([unsealed], NOW_US),
    ]

    assert reasons(refused) == ["FORM_REFUSED"] * 2


@pytest.mark.refusal("FORM_REFUSED")
def test_a_voucher_dated_in_the_future_is_refused_wherever_it_comes_from(
    workshop: Workshop, keys: Keys
) -> None:
    day_us = 86_400 * 1_000_000
    dated = entry_notice()
    at = datetime.fromtimestamp(NOW_US / 1_000_000, dates.CHINA)
    dated.entry_notice.vou_date = (at + timedelta(days=2)).strftime("%Y%m%d")
    (later,) = workshop.submit([draft_of(dated)], BANK, NOW_US + day_us)

    outcomes = [
        *workshop.compose([draft_of(dated)], BANK, NOW_US),
        *workshop.submit([draft_of(dated)], BANK, NOW_US),
        *workshop.examine([fine(later).sealed], certificates(keys), NOW_US),
    ]

    for refusal in outcomes:
        assert isinstance(refusal, FormRefused)
        (violation,) = refusal.violations
        assert (violation.path, violation.rule) == ("vou_date", "date.future")
    assert reasons(workshop.compose([draft_of(dated)], BANK, NOW_US + day_us)) == [""]


def test_remembered_drafts_are_bounded(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("counterfoil.wire.workshop.CHECKED_MAX", 2)

    workshop.compose(
        [draft_of(direct_payment(number)) for number in "12345"], FINANCE, NOW_US
    )

    assert len(workshop._checked) <= 2


@pytest.mark.parametrize("in_batches", [False, True])
def test_a_batch_is_sealed_each_or_with_one_signature(
    workshop: Workshop,
    keys: Keys,
    in_batches: bool,  # noqa: FBT001 -- a parameter of the test
) -> None:
    workshop = replace(workshop, in_batches=in_batches)
    drafts = [draft_of(entry_notice(number)) for number in "123"]

    made = [fine(one) for one in workshop.submit(drafts, BANK, NOW_US)]

    signatures = {
        sealed_pb2.Sealed.FromString(one.sealed).seals[0].signature for one in made
    }
    assert len(signatures) == (1 if in_batches else 3)
    assert [examined(workshop, keys, one.sealed) for one in made] == made


@pytest.mark.clause("hubei-19a")
@pytest.mark.refusal("SEAL_MISSING")
@pytest.mark.parametrize(
    "persons", [(), ("first",), ("first", "second", "1")], ids=["none", "one", "all"]
)
def test_the_institution_seals_last_and_once(
    workshop: Workshop, keys: Keys, persons: tuple[str, ...]
) -> None:
    row = row_of(keys, *persons)

    outcomes = workshop.seal([Unsealed(payload=row.payload, seals=row.seals)], NOW_US)

    assert reasons(outcomes) == ["SEAL_MISSING"]


def test_nothing_is_sealed_for_a_party_whose_seal_is_not_kept_here(
    workshop: Workshop,
) -> None:
    drafts = [
        draft_of(entry_notice("1", issuer=OTHER_BANK)),
    ]

    outcomes = workshop.submit(drafts, OTHER_BANK, NOW_US)

    assert reasons(outcomes) == ["NOT_THE_ISSUER"]


def test_a_key_that_is_away_holds_up_no_other_institution(
    workshop: Workshop, keys: Keys
) -> None:
    def away(_: bytes) -> bytes:
        raise SealKeyUnavailable("the token is not there")

    sealer = keys.sealers[FINANCE, "1"]
    away_now = replace(sealer, key=replace(sealer.key, sign=away))
    sealers = {**workshop.sealers, FINANCE: away_now}
    row = row_of(keys, *PERSONS)
    key, digest = name_of(direct_payment())
    ours, theirs = (
        StepText(
            kind=DocumentKind.ACCEPTANCE,
            key=key,
            subject=digest,
            by=by,
            recipients=(FINANCE,),
        )
        for by in (FINANCE, BANK)
    )
    for in_batches in (False, True):
        workshop = replace(workshop, sealers=sealers, in_batches=in_batches)
        sealed = workshop.seal(
            [Unsealed(payload=row.payload, seals=row.seals)] * 2, NOW_US
        )
        steps = workshop.steps([ours, theirs, ours], NOW_US)

        assert reasons(sealed) == ["SEAL_KEY_UNAVAILABLE"] * 2
        assert reasons(steps) == ["SEAL_KEY_UNAVAILABLE", "", "SEAL_KEY_UNAVAILABLE"]
        assert "not there" in str(sealed[0])


@pytest.mark.refusal("MALFORMED_PAYLOAD")
def test_a_step_about_a_type_that_the_catalogue_lacks_is_refused_alone(
    workshop: Workshop,
) -> None:
    key, digest = name_of(direct_payment())
    known = StepText(
        kind=DocumentKind.ACCEPTANCE,
        key=key,
        subject=digest,
        by=BANK,
        recipients=(FINANCE,),
    )
    unknown = replace(known, key=replace(key, type_code=9999))

    outcomes = workshop.steps([unknown, known], NOW_US)

    assert reasons(outcomes) == ["MALFORMED_PAYLOAD", ""]


def test_steps_and_receipts_pass_at_the_issuer(workshop: Workshop, keys: Keys) -> None:
    key, digest = name_of(direct_payment())
    receipt = encoded(receipt_for(direct_payment(), digest))

    (step,) = workshop.steps(
        [
            StepText(
                kind=DocumentKind.RETURN,
                key=key,
                subject=digest,
                by=BANK,
                recipients=(FINANCE,),
                explanation="户名不符",
            )
        ],
        NOW_US,
    )
    (receipted, refused) = workshop.receipts(
        [
            ReceiptText(receipt=receipt, recipients=(FINANCE,)),
            ReceiptText(receipt=b"\xff", recipients=(FINANCE,)),
        ],
        BANK,
        NOW_US,
    )

    assert examined(workshop, keys, fine(step).sealed) == step
    assert examined(workshop, keys, fine(receipted).sealed) == receipted
    assert reasons([refused]) == ["MALFORMED_PAYLOAD"]


def test_a_seal_for_one_kind_of_step_is_none_for_another(
    workshop: Workshop, keys: Keys
) -> None:
    key, digest = name_of(direct_payment())
    payload = encoded(step_about(key, digest, "户名不符"))
    seals = seals_of(keys, DocumentKind.REJECTION, payload, 5201, (BANK, "1"))

    relabelled = close_sealed(DocumentKind.RETURN, payload, seals)

    with pytest.raises(SealForged) as refused:
        examined(workshop, keys, relabelled)
    assert refused.value.facts["check"] == "3"


Spoil = Callable[[sealed_pb2.Sealed], object]


@pytest.mark.clause("hubei-33")
@pytest.mark.parametrize(
    "spoil",
    [
        lambda m: setattr(m, "payload", m.payload + b"\x12\x0a420000-103"),
        lambda m: m.seals.pop(0),
        lambda m: m.seals.pop(),
        lambda m: m.seals.reverse(),
        lambda m: m.seals.append(m.seals[2]),
        lambda m: setattr(m.seals[1], "signature", m.seals[0].signature),
    ],
)
def test_whoever_changes_a_sealed_voucher_is_found_out(
    workshop: Workshop, keys: Keys, spoil: Spoil
) -> None:
    message = sealed_pb2.Sealed.FromString(voucher_of(keys, direct_payment()))
    spoil(message)

    (outcome,) = workshop.examine(
        [message.SerializeToString()], certificates(keys), NOW_US
    )

    assert reasons([outcome])[0] in {"SEAL_FORGED", "SEAL_MISSING"}
