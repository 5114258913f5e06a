"""Drafts are written and reviewed, or refused without a trace."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counterfoil.domain.posts import Post
from counterfoil.domain.refusals import FormRefused
from counterfoil.sample.documents import file_of
from tests.doubles import kept
from tests.unit.app.house import House, delivered, fine, name_of, reasons, revoke
from tests.unit.app.papers import (
    BANK,
    FINANCE,
    OTHER_BANK,
    UNIT,
    direct_payment,
    draft_of,
    entry_notice,
    national_draft,
    sample,
)


@pytest.mark.clause("wuhai-3")
async def test_drafts_and_reviews_leave_nothing_in_the_vault(finance: House) -> None:
    row = await finance.written(direct_payment())
    reviewed = await finance.reviewed(row)

    assert len(reviewed.seals) == 2
    assert await finance.workbench.get(FINANCE, [row.digest]) == [reviewed]
    assert finance.vault.size() == 0
    assert kept(finance.vault, row.key) is None
    assert finance.vault.key_of(row.digest) is None


async def test_a_national_document_becomes_a_draft(finance: House) -> None:
    voucher = sample()

    (row,) = await finance.write(
        [national_draft(file_of(voucher))], caller=finance.caller()
    )

    assert fine(row).key.number == voucher.number
    assert fine(row).recipients == (BANK,)


async def test_a_draft_that_is_written_again_is_told_as_it_stands(
    finance: House,
) -> None:
    row = await finance.reviewed(await finance.written(direct_payment()), "first")

    again = await finance.written(direct_payment())

    assert again == row
    assert len(again.seals) == 1


async def test_a_voucher_that_is_in_the_vault_does_not_become_a_draft_again(
    finance: House,
) -> None:
    row = await finance.sealed(direct_payment())

    again = await finance.written(direct_payment())
    ((_, outcome),) = await finance.seal(
        [row.digest], send=False, caller=finance.caller()
    )

    assert again.digest == row.digest
    assert await finance.workbench.get(FINANCE, [row.digest]) == [None]
    assert not fine(outcome).new


async def test_one_bad_draft_holds_up_no_other(finance: House) -> None:
    wrong = direct_payment("2")
    wrong.direct_payment.pay_amt_fen += 1
    drafts = [
        draft_of(direct_payment("1")),
        draft_of(wrong),
        draft_of(direct_payment("3", issuer=UNIT)),
        b"\xff",
        draft_of(direct_payment("5")),
    ]

    outcomes = await finance.write(drafts, caller=finance.caller())

    assert reasons(outcomes) == [
        "",
        "FORM_REFUSED",
        "NOT_THE_ISSUER",
        "MALFORMED_PAYLOAD",
        "",
    ]
    assert isinstance(outcomes[1], FormRefused)
    assert [each.rule for each in outcomes[1].violations] == ["sum.rows"]
    digests = [name_of(direct_payment(number))[1] for number in ("1", "5")]
    stored = await finance.workbench.get(FINANCE, digests)
    assert [row and row.key.number for row in stored] == ["1", "5"]


@pytest.mark.refusal("DIRECTION_REFUSED", "PARTY_UNKNOWN")
@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ((UNIT,), "DIRECTION_REFUSED"),
        ((BANK, OTHER_BANK), "DIRECTION_REFUSED"),
        (("420000-999",), "PARTY_UNKNOWN"),
    ],
)
async def test_what_cannot_go_there_is_not_written(
    finance: House, to: tuple[str, ...], reason: str
) -> None:
    voucher = direct_payment(to=to)

    outcomes = await finance.write([draft_of(voucher)], caller=finance.caller())

    assert reasons(outcomes) == [reason]
    assert await finance.workbench.get(FINANCE, [name_of(voucher)[1]]) == [None]


async def test_a_voucher_for_a_party_of_this_gateway_is_written_like_others(
    bank: House,
) -> None:
    bank.registry = replace(
        bank.registry,
        parties={
            **bank.registry.parties,
            UNIT: replace(bank.registry.parties[UNIT], carrier=BANK),
        },
    )

    outcomes = await bank.write([draft_of(entry_notice())], caller=bank.caller())

    assert reasons(outcomes) == [""]


@pytest.mark.refusal("VOUCHER_KEY_REUSED")
async def test_a_number_that_is_in_the_vault_takes_no_other_content(
    finance: House,
) -> None:
    row = await finance.sealed(direct_payment())
    other = direct_payment(seed=6)

    outcomes = await finance.write([draft_of(other)], caller=finance.caller())

    assert reasons(outcomes) == ["VOUCHER_KEY_REUSED"]
    assert await finance.workbench.get(FINANCE, [name_of(other)[1]]) == [None]
    entry = kept(finance.vault, row.key)
    assert entry is not None
    assert entry.digest == row.digest


@pytest.mark.refusal("VOUCHER_KEY_REUSED")
async def test_a_number_whose_draft_was_reviewed_takes_no_other_content(
    finance: House,
) -> None:
    row = await finance.reviewed(await finance.written(direct_payment()), "first")

    outcomes = await finance.write(
        [draft_of(direct_payment(seed=6)), draft_of(direct_payment("2"))],
        caller=finance.caller(),
    )

    assert reasons(outcomes) == ["VOUCHER_KEY_REUSED", ""]
    assert await finance.workbench.get(FINANCE, [row.digest]) == [row]


# --- reviews ---------------------------------------------------------------------


@pytest.mark.refusal("DRAFT_NOT_FOUND")
async def test_what_is_not_on_this_desk_cannot_be_reviewed(finance: House) -> None:
    row = await finance.written(direct_payment())
    seal = finance.personal_seal(row, "first")

    unknown = await finance.review([(bytes(32), seal)], caller=finance.caller("first"))
    theirs = await finance.review(
        [(row.digest, seal)], caller=finance.caller("first", UNIT)
    )

    assert reasons([*unknown, *theirs]) == ["DRAFT_NOT_FOUND", "DRAFT_NOT_FOUND"]
    assert await finance.workbench.get(FINANCE, [row.digest]) == [row]


@pytest.mark.clause("hubei-19a")
@pytest.mark.refusal("POST_REFUSED")
@pytest.mark.parametrize(("seals", "name"), [(0, "second"), (1, "first")])
async def test_each_post_puts_only_its_own_seal(
    finance: House, seals: int, name: str
) -> None:
    row = await finance.written(direct_payment())
    if seals:
        row = await finance.reviewed(row, "first")

    outcomes = await finance.review(
        [(row.digest, finance.personal_seal(row, name))], caller=finance.caller(name)
    )

    assert reasons(outcomes) == ["POST_REFUSED"]
    assert await finance.workbench.get(FINANCE, [row.digest]) == [row]


@pytest.mark.refusal("SEAL_UNDETERMINED")
async def test_nobody_who_was_revoked_reviews_by_a_clock_that_was_set_back(
    finance: House,
) -> None:
    await finance.sealed(direct_payment("1"))
    row = await finance.written(direct_payment("2"))
    review = row.digest, finance.personal_seal(row, "first")
    revoke(finance, FINANCE, "first")
    finance.clock.us -= 2 * 3600 * 1_000_000

    outcomes = await finance.review([review], caller=finance.caller("first"))

    assert reasons(outcomes) == ["SEAL_UNDETERMINED"]
    assert await finance.workbench.get(FINANCE, [row.digest]) == [row]


async def test_a_clock_that_is_behind_keeps_nobody_from_reviewing(
    finance: House,
) -> None:
    await finance.sealed(direct_payment("1"))
    finance.clock.us -= 2 * 3600 * 1_000_000

    row = await finance.reviewed(await finance.written(direct_payment("2")))

    assert len(row.seals) == 2


@pytest.mark.refusal("POST_REFUSED")
async def test_no_person_puts_the_institutions_seal(finance: House) -> None:
    row = await finance.reviewed(await finance.written(direct_payment()))
    everything = replace(finance.caller("second"), posts=frozenset(Post))

    outcomes = await finance.review(
        [(row.digest, finance.personal_seal(row, "second"))], caller=everything
    )

    assert reasons(outcomes) == ["POST_REFUSED"]
    assert await finance.workbench.get(FINANCE, [row.digest]) == [row]


@pytest.mark.clause("hubei-19a")
@pytest.mark.refusal("SAME_PERSON")
async def test_whoever_holds_both_posts_reviews_once(finance: House) -> None:
    both = replace(
        finance.caller("first"),
        posts=frozenset({Post.FIRST_REVIEWER, Post.SECOND_REVIEWER}),
    )
    row = await finance.reviewed(await finance.written(direct_payment()), "first")

    outcomes = await finance.review(
        [(row.digest, finance.personal_seal(row, "first"))], caller=both
    )

    assert reasons(outcomes) == ["SAME_PERSON"]
    assert await finance.workbench.get(FINANCE, [row.digest]) == [row]


@pytest.mark.refusal("SEAL_FORGED")
async def test_nobody_hands_in_the_seal_of_another_person(finance: House) -> None:
    row = await finance.written(direct_payment())
    # The certificate is known from another voucher, so that only the caller differs.
    await finance.reviewed(await finance.written(direct_payment("2")))
    seal = finance.personal_seal(row, "second")

    outcomes = await finance.review(
        [(row.digest, seal)], caller=finance.caller("first")
    )

    assert reasons(outcomes) == ["SEAL_FORGED"]
    assert await finance.workbench.get(FINANCE, [row.digest]) == [row]


async def test_of_two_seals_for_one_position_the_first_counts(finance: House) -> None:
    row = await finance.written(direct_payment())
    review = (row.digest, finance.personal_seal(row, "first"))

    outcomes = await finance.review([review, review], caller=finance.caller("first"))

    assert reasons(outcomes) == ["", "POSITION_FILLED"]
    (stored,) = await finance.workbench.get(FINANCE, [row.digest])
    assert stored is not None
    assert stored.seals == (review[1],) == fine(outcomes[0]).seals


async def test_one_bad_review_holds_up_no_other(finance: House) -> None:
    rows = [await finance.written(direct_payment(number)) for number in "123"]
    seals = [finance.personal_seal(row, "first") for row in rows]

    outcomes = await finance.review(
        [
            (rows[0].digest, seals[0]),
            (rows[1].digest, seals[0]),
            (bytes(32), seals[0]),
            (rows[2].digest, seals[2]),
        ],
        caller=finance.caller("first"),
    )

    assert reasons(outcomes) == ["", "SEAL_FORGED", "DRAFT_NOT_FOUND", ""]
    stored = await finance.workbench.get(FINANCE, [row.digest for row in rows])
    assert [row and len(row.seals) for row in stored] == [1, 0, 1]


async def test_a_reviewers_certificate_is_kept_for_the_recipient(
    finance: House, bank: House
) -> None:
    row = await finance.sent(direct_payment())

    await delivered(finance, bank)

    for name in ("first", "second"):
        digest = finance.caller(name).certificate_digest
        assert finance.vault.certificate(digest) is not None
        assert bank.vault.certificate(digest) is not None
    assert kept(bank.vault, row.key) is not None
