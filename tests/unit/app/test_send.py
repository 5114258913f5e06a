"""Drafts are sealed, sent, withdrawn; what is refused changes nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counterfoil.domain.deeds import Enter, Withdraw
from counterfoil.domain.refusals import SealKeyUnavailable, WithdrawalOutOfOrder
from counterfoil.domain.standing import Standing
from tests.doubles import InProcessWorks, kept
from tests.unit.app.house import House, delivered, fine, name_of, reasons
from tests.unit.app.papers import (
    BANK,
    FINANCE,
    OTHER_BANK,
    UNIT,
    direct_payment,
    draft_of,
    entry_notice,
)

ORDER = ("gz", "fhqm", "jbqm")
"""Positions of a direct payment's seals, topmost first."""


# --- sealing ---------------------------------------------------------------------


async def test_a_sealed_voucher_stands_in_the_vault_and_no_longer_on_the_desk(
    finance: House,
) -> None:
    row = await finance.sealed(direct_payment())

    assert finance.standing(row.key) is Standing.SEALED
    assert await finance.workbench.get(FINANCE, [row.digest]) == [None]
    assert finance.vault.lane_lengths() == {}


async def test_sealing_again_is_answered_with_where_the_voucher_stands(
    finance: House,
) -> None:
    row = await finance.sent(direct_payment())
    before = await finance.state(row)

    ((digest, outcome),) = await finance.seal(
        [row.digest], send=True, caller=finance.caller()
    )

    assert digest == row.digest
    assert fine(outcome).standing is Standing.SENT
    assert not fine(outcome).new
    assert await finance.state(row) == before


@pytest.mark.clause("hubei-19a")
@pytest.mark.refusal("SEAL_MISSING")
@pytest.mark.parametrize("names", [(), ("first",)])
async def test_the_institution_does_not_seal_before_both_reviews(
    finance: House, names: tuple[str, ...]
) -> None:
    row = await finance.written(direct_payment())
    if names:
        row = await finance.reviewed(row, *names)
    before = await finance.state(row)

    ((_, outcome),) = await finance.seal(
        [row.digest], send=True, caller=finance.caller()
    )

    assert reasons([outcome]) == ["SEAL_MISSING"]
    assert await finance.state(row) == before
    assert await finance.workbench.get(FINANCE, [row.digest]) == [row]


async def test_one_draft_that_cannot_be_sealed_holds_up_no_other(
    finance: House,
) -> None:
    ready = await finance.reviewed(await finance.written(direct_payment("1")))
    raw = await finance.written(direct_payment("2"))
    also = await finance.reviewed(await finance.written(direct_payment("3")))
    digests = [raw.digest, ready.digest, bytes(32), also.digest]

    outcomes = await finance.seal(digests, send=True, caller=finance.caller())

    assert [digest for digest, _ in outcomes] == digests
    assert reasons(outcome for _, outcome in outcomes) == [
        "SEAL_MISSING",
        "",
        "DRAFT_NOT_FOUND",
        "",
    ]
    stored = await finance.workbench.get(FINANCE, [ready.digest, raw.digest])
    assert stored == [None, raw]
    assert finance.vault.lane_lengths() == {BANK: 2}


@pytest.mark.clause("menghai-4.6a")
@pytest.mark.refusal("SEAL_KEY_UNAVAILABLE")
async def test_while_the_seal_service_is_down_nothing_is_half_done(
    finance: House,
) -> None:
    row = await finance.reviewed(await finance.written(direct_payment()))
    before, works = await finance.state(row), finance.works

    def away(_: bytes) -> bytes:
        raise SealKeyUnavailable("the seal service does not answer")

    sealers = dict(works.workshop.sealers)
    key = replace(sealers[FINANCE].key, sign=away)
    sealers[FINANCE] = replace(sealers[FINANCE], key=key)
    finance.works = InProcessWorks(replace(works.workshop, sealers=sealers))
    for _ in range(2):
        ((_, outcome),) = await finance.seal(
            [row.digest], send=True, caller=finance.caller()
        )
        assert reasons([outcome]) == ["SEAL_KEY_UNAVAILABLE"]
    assert await finance.state(row) == before
    assert await finance.workbench.get(FINANCE, [row.digest]) == [row]

    # It waits (先等待), and goes on where it stood, with the reviews that it had.
    finance.works = works
    ((_, sealed),) = await finance.seal(
        [row.digest], send=True, caller=finance.caller()
    )
    assert fine(sealed).standing is Standing.SENT


async def test_a_party_that_left_holds_up_only_its_own_vouchers(
    finance: House,
) -> None:
    leaving = await finance.reviewed(
        await finance.written(direct_payment("1", to=(OTHER_BANK,)))
    )
    staying = await finance.reviewed(await finance.written(direct_payment("2")))
    parties = dict(finance.registry.parties)
    del parties[OTHER_BANK]
    finance.registry = replace(finance.registry, parties=parties)

    outcomes = await finance.seal(
        [leaving.digest, staying.digest], send=True, caller=finance.caller()
    )

    assert reasons(outcome for _, outcome in outcomes) == ["PARTY_UNKNOWN", ""]
    assert await finance.workbench.get(FINANCE, [leaving.digest]) == [leaving]
    assert kept(finance.vault, leaving.key) is None


async def test_another_desks_voucher_is_no_draft_of_this_one(finance: House) -> None:
    draft = await finance.reviewed(await finance.written(direct_payment("1")))
    sent = await finance.sent(direct_payment("2"))
    before = await finance.state(draft, sent)

    outcomes = await finance.seal(
        [draft.digest, sent.digest], send=True, caller=finance.caller(party=UNIT)
    )

    assert reasons(one for _, one in outcomes) == ["DRAFT_NOT_FOUND"] * 2
    assert await finance.state(draft, sent) == before


# --- sending ---------------------------------------------------------------------


@pytest.mark.refusal("VOUCHER_NOT_FOUND")
async def test_a_desk_sends_only_its_own_vouchers_with_these_bytes(
    finance: House, bank: House
) -> None:
    row = await finance.sealed(direct_payment("1"))
    notice = entry_notice(to=(UNIT,))
    await bank.submit([draft_of(notice)], caller=bank.caller())
    await delivered(bank, finance)
    before = await finance.state(row)

    outcomes = await finance.send(
        [
            name_of(direct_payment("9")),
            (row.key, bytes(32)),
            name_of(notice),  # received here, not issued
        ],
        caller=finance.caller(),
    )
    theirs = await finance.send(
        [(row.key, row.digest)], caller=finance.caller(party=UNIT)
    )

    assert reasons([*outcomes, *theirs]) == ["VOUCHER_NOT_FOUND"] * 4
    assert await finance.state(row) == before
    assert finance.standing(row.key) is Standing.SEALED


async def test_what_was_sent_stays_sent_and_a_bad_one_holds_up_no_other(
    finance: House,
) -> None:
    sent = await finance.sent(direct_payment("1"))
    sealed = await finance.sealed(direct_payment("2"))

    outcomes = await finance.send(
        [
            (sent.key, sent.digest),
            name_of(direct_payment("9")),
            (sealed.key, sealed.digest),
        ],
        caller=finance.caller(),
    )

    assert reasons(outcomes) == ["", "VOUCHER_NOT_FOUND", ""]
    assert finance.vault.lane_lengths() == {BANK: 2}
    assert finance.standing(sealed.key) is Standing.SENT


# --- submitting ------------------------------------------------------------------


@pytest.mark.clause("hubei-19a")
@pytest.mark.refusal("SEAL_MISSING")
async def test_what_needs_a_persons_seal_cannot_be_submitted(finance: House) -> None:
    voucher = direct_payment()

    outcomes = await finance.submit([draft_of(voucher)], caller=finance.caller())

    assert [digest for digest, _ in outcomes] == [b""]
    assert reasons(one for _, one in outcomes) == ["SEAL_MISSING"]
    assert finance.vault.size() == 0
    assert await finance.workbench.get(FINANCE, [name_of(voucher)[1]]) == [None]


@pytest.mark.refusal("DIRECTION_REFUSED")
async def test_one_bad_submission_holds_up_no_other(bank: House) -> None:
    backwards = entry_notice("2", to=(FINANCE,))

    outcomes = await bank.submit(
        [
            draft_of(entry_notice("1")),
            draft_of(backwards),
            b"\xff",
            draft_of(entry_notice("4")),
        ],
        caller=bank.caller(),
    )

    assert reasons(one for _, one in outcomes) == [
        "",
        "DIRECTION_REFUSED",
        "MALFORMED_PAYLOAD",
        "",
    ]
    assert kept(bank.vault, name_of(backwards)[0]) is None
    assert bank.vault.lane_lengths() == {FINANCE: 2}


async def test_a_submission_that_comes_twice_is_known(bank: House) -> None:
    draft = draft_of(entry_notice())
    await bank.submit([draft], caller=bank.caller())
    size = bank.vault.size()

    ((_, again),) = await bank.submit([draft], caller=bank.caller())

    assert not fine(again).new
    assert bank.vault.size() == size
    assert bank.vault.lane_lengths() == {FINANCE: 1}


# --- withdrawing -----------------------------------------------------------------


@pytest.mark.clause("hubei-32a")
@pytest.mark.parametrize("entered", [False, True])
async def test_seals_come_off_one_by_one_in_reverse_order(
    finance: House,
    entered: bool,  # noqa: FBT001 -- a parameter of the test
) -> None:
    if entered:
        row = await finance.sealed(direct_payment())
    else:
        row = await finance.reviewed(await finance.written(direct_payment()))
    positions = ORDER if entered else ORDER[1:]

    left = []
    for position in positions:
        (draft,) = await finance.cancel(
            [(row.digest, position)], caller=finance.caller()
        )
        left.append(len(fine(draft).seals))
        assert await finance.workbench.get(FINANCE, [row.digest]) == [draft]

    assert left == list(range(len(positions)))[::-1]
    assert kept(finance.vault, row.key) is None
    # Corrected and sealed again, it goes its way.
    corrected = await finance.sent(direct_payment(seed=6))
    assert corrected.key == row.key
    assert finance.standing(row.key) is Standing.SENT


@pytest.mark.clause("hubei-32a")
@pytest.mark.refusal("WITHDRAWAL_OUT_OF_ORDER")
@pytest.mark.parametrize("entered", [False, True])
async def test_no_seal_comes_off_from_under_another(
    finance: House,
    entered: bool,  # noqa: FBT001 -- a parameter of the test
) -> None:
    if entered:
        row = await finance.sealed(direct_payment())
    else:
        row = await finance.reviewed(await finance.written(direct_payment()))
    before = await finance.state(row)
    beneath = ORDER[1:] if entered else ("gz", "jbqm")

    outcomes = await finance.cancel(
        [(row.digest, position) for position in beneath], caller=finance.caller()
    )

    assert reasons(outcomes) == ["WITHDRAWAL_OUT_OF_ORDER"] * 2
    assert await finance.state(row) == before


@pytest.mark.clause("hubei-32a")
async def test_a_reviewer_takes_the_own_seal_off(finance: House) -> None:
    row = await finance.reviewed(await finance.written(direct_payment()))

    left = []
    for name, position in (("second", "fhqm"), ("first", "jbqm")):
        (draft,) = await finance.cancel(
            [(row.digest, position)], caller=finance.caller(name)
        )
        left.append(len(fine(draft).seals))

    assert left == [1, 0]


@pytest.mark.clause("hubei-36")
@pytest.mark.refusal("POST_REFUSED")
@pytest.mark.parametrize(
    ("name", "entered"), [("first", False), ("first", True), ("second", True)]
)
async def test_no_reviewer_takes_off_the_seal_of_another(
    finance: House,
    name: str,
    entered: bool,  # noqa: FBT001 -- a parameter of the test
) -> None:
    if entered:
        row = await finance.sealed(direct_payment())
    else:
        row = await finance.reviewed(await finance.written(direct_payment()))
    before = await finance.state(row)

    outcomes = await finance.cancel(
        [(row.digest, "gz" if entered else "fhqm")], caller=finance.caller(name)
    )

    assert reasons(outcomes) == ["POST_REFUSED"]
    assert await finance.state(row) == before


@pytest.mark.clause("hubei-32a")
@pytest.mark.refusal("WITHDRAWAL_OUT_OF_ORDER")
async def test_no_seal_comes_off_a_voucher_that_was_sent(
    finance: House, bank: House
) -> None:
    row = await finance.sent(direct_payment())
    for _ in range(2):
        before = await finance.state(row)

        outcomes = await finance.cancel([(row.digest, "gz")], caller=finance.caller())

        assert reasons(outcomes) == ["WITHDRAWAL_OUT_OF_ORDER"]
        assert await finance.state(row) == before
        if finance.vault.lane_lengths():
            await delivered(finance, bank)


@pytest.mark.refusal("WITHDRAWAL_OUT_OF_ORDER")
async def test_a_recipient_takes_no_seal_off_what_it_received(
    finance: House, bank: House
) -> None:
    row = await finance.sent(direct_payment())
    await delivered(finance, bank)
    before = await bank.state(row)

    outcomes = await bank.cancel([(row.digest, "gz")], caller=bank.caller())

    assert reasons(outcomes) == ["DRAFT_NOT_FOUND"]
    assert await bank.state(row) == before


@pytest.mark.refusal("DRAFT_NOT_FOUND")
async def test_another_desk_withdraws_nothing(finance: House) -> None:
    draft = await finance.reviewed(await finance.written(direct_payment("1")))
    sealed = await finance.sealed(direct_payment("2"))
    before = await finance.state(draft, sealed)

    outcomes = await finance.cancel(
        [(draft.digest, "fhqm"), (sealed.digest, "gz"), (bytes(32), "gz")],
        caller=finance.caller(party=UNIT),
    )

    assert reasons(outcomes) == ["DRAFT_NOT_FOUND"] * 3
    assert await finance.state(draft, sealed) == before


@pytest.mark.refusal("WITHDRAWAL_OUT_OF_ORDER")
async def test_a_draft_without_seals_has_none_to_withdraw(finance: House) -> None:
    row = await finance.written(direct_payment())

    outcomes = await finance.cancel(
        [(row.digest, "jbqm"), (row.digest, "gz")], caller=finance.caller()
    )

    assert reasons(outcomes) == ["WITHDRAWAL_OUT_OF_ORDER"] * 2
    assert await finance.workbench.get(FINANCE, [row.digest]) == [row]


async def test_one_withdrawal_that_is_refused_holds_up_no_other(
    finance: House,
) -> None:
    one = await finance.sealed(direct_payment("1"))
    sent = await finance.sent(direct_payment("2"))
    other = await finance.sealed(direct_payment("3"))

    outcomes = await finance.cancel(
        [(one.digest, "gz"), (sent.digest, "gz"), (other.digest, "gz")],
        caller=finance.caller(),
    )

    assert reasons(outcomes) == ["", "WITHDRAWAL_OUT_OF_ORDER", ""]
    assert finance.standing(sent.key) is Standing.SENT


@pytest.mark.clause("hubei-32a")
async def test_a_withdrawal_that_was_cut_short_can_be_asked_again(
    finance: House,
) -> None:
    row = await finance.sealed(direct_payment())
    # As after a crash: the draft is back already, the vault has not let go.
    await finance.workbench.put([replace(row, seals=())])

    (draft,) = await finance.cancel([(row.digest, "gz")], caller=finance.caller())

    assert len(fine(draft).seals) == 2
    assert kept(finance.vault, row.key) is None
    assert await finance.workbench.get(FINANCE, [row.digest]) == [draft]


@pytest.mark.clause("hubei-32a")
@pytest.mark.refusal("WITHDRAWAL_OUT_OF_ORDER")
async def test_no_review_comes_off_a_draft_whose_voucher_is_in_the_vault(
    finance: House,
) -> None:
    row = await finance.sealed(direct_payment())
    # As after a crash: the vault has it, the draft is still there.
    await finance.workbench.put([row])
    before = await finance.state(row)

    outcomes = await finance.cancel(
        [(row.digest, "fhqm"), (row.digest, "gz")], caller=finance.caller()
    )

    assert reasons(outcomes) == ["WITHDRAWAL_OUT_OF_ORDER"] * 2
    assert await finance.state(row) == before
    # Sealing it again finds it known and clears the desk.
    await finance.seal([row.digest], send=False, caller=finance.caller())
    assert await finance.workbench.get(FINANCE, [row.digest]) == [None]


@pytest.mark.clause("hubei-32a")
@pytest.mark.refusal("WITHDRAWAL_OUT_OF_ORDER")
async def test_a_voucher_that_was_sent_is_never_on_the_desk_not_even_for_a_moment(
    finance: House,
) -> None:
    row = await finance.sent(direct_payment())
    workbench = finance.workbench
    used: list[str] = []

    class Watched:
        """The workbench, and what is done with it: a crash would leave it so."""

        def __getattr__(self, name: str) -> object:
            used.append(name)
            return getattr(workbench, name)

    cancel = replace(finance.cancel, workbench=Watched())  # type: ignore[arg-type]

    outcomes = await cancel([(row.digest, "gz")], caller=finance.caller())

    assert reasons(outcomes) == ["WITHDRAWAL_OUT_OF_ORDER"]
    assert used == ["get"]


async def test_a_voucher_that_was_sent_meanwhile_does_not_become_a_draft(
    finance: House,
) -> None:
    row = await finance.sealed(direct_payment())
    vault = finance.vault

    class SentMeanwhile:
        """The vault, in which another call is quicker than the withdrawal."""

        def __getattr__(self, name: str) -> object:
            return getattr(vault, name)

        async def perform(self, deeds: list[Withdraw | Enter]) -> object:
            await finance.send([(row.key, row.digest)], caller=finance.caller())
            return await vault.perform(deeds)

    cancel = replace(finance.cancel, vault=SentMeanwhile())  # type: ignore[arg-type]

    outcomes = await cancel([(row.digest, "gz")], caller=finance.caller())

    assert isinstance(outcomes[0], WithdrawalOutOfOrder)
    assert finance.standing(row.key) is Standing.SENT
    assert await finance.workbench.get(FINANCE, [row.digest]) == [None]


@pytest.mark.refusal("WITHDRAWAL_OUT_OF_ORDER")
async def test_a_seal_that_comes_meanwhile_stays_on_top(finance: House) -> None:
    row = await finance.reviewed(await finance.written(direct_payment()), "first")
    workbench = finance.workbench

    class SealedMeanwhile:
        """The workbench, on which a reviewer is quicker than the withdrawal."""

        def __getattr__(self, name: str) -> object:
            return getattr(workbench, name)

        async def set_seals(self, party: str, changes: list[object]) -> list[bool]:
            await finance.reviewed(row, "second")
            made = await workbench.set_seals(party, changes)  # type: ignore[arg-type]
            return list(made)

    cancel = replace(finance.cancel, workbench=SealedMeanwhile())  # type: ignore[arg-type]

    outcomes = await cancel([(row.digest, "jbqm")], caller=finance.caller())

    assert reasons(outcomes) == ["WITHDRAWAL_OUT_OF_ORDER"]
    (stored,) = await workbench.get(FINANCE, [row.digest])
    assert stored is not None
    assert len(stored.seals) == 2
