"""What every workbench promises, on whatever database; wants a fixture `bench`."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, replace

from counterfoil.domain.draft_seals import DraftSeals
from counterfoil.domain.drafts import DraftRow
from counterfoil.domain.voucher import VoucherKey
from counterfoil.workbench.workbench import SqlWorkbench

PARTY, OTHER = "110000-CZ", "110000-BANK"


@dataclass
class SetClock:
    """A clock that a test sets.

    Attributes:
        us: What it shows.
    """

    us: int = 1_000

    def now_us(self) -> int:
        return self.us


def draft(
    number: str, text: str = "", *seals: bytes, party: str = PARTY, issue: int = 1
) -> DraftRow:
    payload = f"{number}{text}".encode()
    return DraftRow(
        party=party,
        digest=hashlib.sha256(payload).digest(),
        key=VoucherKey(
            issuer=PARTY,
            adm_div="110000",
            fiscal_year=2026,
            type_code=5201,
            number=number,
            issue=issue,
        ),
        payload=payload,
        seals=seals,
        recipients=("110000-BANK", "110000-GK"),
    )


class WorkbenchContract:
    async def test_a_draft_comes_back_as_it_was_put(self, bench: SqlWorkbench) -> None:
        one = draft("A1", "x", b"first seal", b"", b"\x00third")
        two = draft("A2")

        assert await bench.put([one, two]) == [None, None]

        digests = [two.digest, b"?" * 32, one.digest]
        assert await bench.get(PARTY, digests) == [two, None, one]
        assert await bench.get(PARTY, []) == []

    async def test_what_stands_on_a_draft_comes_without_what_it_says(
        self, bench: SqlWorkbench
    ) -> None:
        one = draft("A1", "x", b"first seal", b"", b"\x00third")
        two = draft("A2")
        await bench.put([one, two, draft("A3", "", b"theirs", party=OTHER)])

        found = await bench.get_seals(
            PARTY, [two.digest, draft("A3").digest, b"?" * 32, one.digest]
        )

        assert found == [
            DraftSeals(PARTY, two.digest, 5201, ()),
            None,
            None,
            DraftSeals(PARTY, one.digest, 5201, one.seals),
        ]
        assert await bench.get_seals(PARTY, []) == []

    async def test_the_same_draft_again_is_answered_with_its_seals(
        self, bench: SqlWorkbench
    ) -> None:
        await bench.put([draft("A1")])
        await bench.set_seals(PARTY, [(draft("A1").digest, 0, (b"seal",))])

        answers = await bench.put([draft("A1")])

        assert answers == [draft("A1", "", b"seal")]
        assert await bench.get(PARTY, [draft("A1").digest]) == answers

    async def test_the_same_unsealed_draft_again_is_answered_and_keeps_its_age(
        self, bench: SqlWorkbench, clock: SetClock
    ) -> None:
        await bench.put([draft("A1")])
        clock.us = 2_000

        assert await bench.put([draft("A1")]) == [draft("A1")]

        assert await bench.purge(1_001) == 1

    async def test_an_unsealed_draft_gives_way_to_another_with_its_key(
        self, bench: SqlWorkbench
    ) -> None:
        old, new = draft("A1", "old"), draft("A1", "new")
        await bench.put([old])

        assert await bench.put([new]) == [None]

        assert await bench.get(PARTY, [old.digest, new.digest]) == [None, new]

    async def test_a_sealed_draft_stays_and_the_others_are_stored(
        self, bench: SqlWorkbench
    ) -> None:
        sealed, new = draft("A1", "old", b"seal"), draft("A1", "new")
        await bench.put([sealed])

        assert await bench.put([new, draft("A2")]) == [sealed, None]

        digests = [sealed.digest, new.digest, draft("A2").digest]
        assert await bench.get(PARTY, digests) == [sealed, None, draft("A2")]

    async def test_drafts_of_one_call_see_the_ones_before_them(
        self, bench: SqlWorkbench
    ) -> None:
        await bench.put([draft("A1", "0")])
        sealed = draft("A1", "2", b"seal")

        answers = await bench.put(
            [draft("A1", "1"), sealed, sealed, draft("A1", "3"), draft("A1", "0")]
        )

        assert answers == [None, None, sealed, sealed, sealed]
        digests = [draft("A1", str(turn)).digest for turn in range(4)]
        assert await bench.get(PARTY, digests) == [None, None, sealed, None]

    async def test_a_draft_may_come_back_in_the_call_that_replaced_it(
        self, bench: SqlWorkbench
    ) -> None:
        await bench.put([draft("A1", "0")])

        answers = await bench.put([draft("A1", "1"), draft("A1", "0")])

        assert answers == [None, None]
        digests = [draft("A1", "0").digest, draft("A1", "1").digest]
        assert await bench.get(PARTY, digests) == [draft("A1", "0"), None]

    async def test_issues_of_a_number_and_parties_are_kept_apart(
        self, bench: SqlWorkbench
    ) -> None:
        theirs = draft("A1", party=OTHER)
        second = draft("A1", "again", issue=2)
        await bench.put([draft("A1")])

        assert await bench.put([theirs, second]) == [None, None]

        digests = [draft("A1").digest, second.digest]
        assert await bench.get(OTHER, digests) == [theirs, None]
        await bench.remove(OTHER, digests)
        assert await bench.get(PARTY, digests) == [draft("A1"), second]
        assert await bench.get(OTHER, digests) == [None, None]

    async def test_seals_are_set_only_on_the_number_that_was_expected(
        self, bench: SqlWorkbench
    ) -> None:
        await bench.put([draft("A1"), draft("A2", "", b"one"), draft("A3")])

        made = await bench.set_seals(
            PARTY,
            [
                (draft("A1").digest, 0, (b"s",)),
                (draft("A2").digest, 0, (b"s",)),
                (b"?" * 32, 0, (b"s",)),
                (draft("A1").digest, 1, (b"s", b"t")),
                (draft("A1").digest, 1, (b"u", b"v")),
            ],
        )

        assert made == [True, False, False, True, False]
        found = await bench.get(PARTY, [draft(f"A{turn}").digest for turn in (1, 2, 3)])
        assert found == [
            draft("A1", "", b"s", b"t"),
            draft("A2", "", b"one"),
            draft("A3"),
        ]

    async def test_seals_of_another_party_cannot_be_set(
        self, bench: SqlWorkbench
    ) -> None:
        await bench.put([draft("A1")])

        made = await bench.set_seals(OTHER, [(draft("A1").digest, 0, (b"s",))])

        assert made == [False]
        assert await bench.get(PARTY, [draft("A1").digest]) == [draft("A1")]

    async def test_of_many_who_seal_at_once_exactly_one_succeeds(
        self, bench: SqlWorkbench
    ) -> None:
        await bench.put([draft("A1")])

        made = await asyncio.gather(
            *(
                bench.set_seals(PARTY, [(draft("A1").digest, 0, (bytes([turn]),))])
                for turn in range(20)
            )
        )

        assert made.count([True]) == 1
        (found,) = await bench.get(PARTY, [draft("A1").digest])
        assert found == replace(draft("A1"), seals=(bytes([made.index([True])]),))

    async def test_two_programs_that_seal_at_once_cannot_both_succeed(
        self, bench: SqlWorkbench, other_bench: SqlWorkbench
    ) -> None:
        await bench.put([draft(f"A{turn}") for turn in range(50)])
        changes = [(draft(f"A{turn}").digest, 0, (b"s",)) for turn in range(50)]

        made = await asyncio.gather(
            *(bench.set_seals(PARTY, [change]) for change in changes),
            *(other_bench.set_seals(PARTY, [change]) for change in changes),
        )

        assert made.count([True]) == 50

    async def test_purging_removes_what_nobody_changed_since(
        self, bench: SqlWorkbench, clock: SetClock
    ) -> None:
        await bench.put([draft("A1"), draft("A2"), draft("A1", party=OTHER)])
        clock.us = 2_000
        await bench.put([draft("A3")])
        await bench.set_seals(PARTY, [(draft("A2").digest, 0, (b"s",))])

        assert await bench.purge(1_000) == 0
        assert await bench.purge(2_000) == 2

        digests = [draft(f"A{turn}").digest for turn in (1, 2, 3)]
        found = await bench.get(PARTY, digests)
        assert found == [None, draft("A2", "", b"s"), draft("A3")]
        assert await bench.get(OTHER, digests) == [None, None, None]
        # Nothing is left of them that would be in the way.
        again = [draft("A1"), draft("A1", party=OTHER)]
        assert await bench.put(again) == [None, None]
        assert await bench.get(PARTY, digests[:1]) == [draft("A1")]

    async def test_a_large_batch_is_put_sealed_and_removed(
        self, bench: SqlWorkbench
    ) -> None:
        drafts = [draft(f"A{turn}") for turn in range(1100)]
        digests = [one.digest for one in drafts]

        assert await bench.put(drafts) == [None] * 1100
        changes = [(digest, 0, (b"s",)) for digest in digests]
        assert await bench.set_seals(PARTY, changes) == [True] * 1100
        await bench.remove(PARTY, [*digests, digests[0]])

        assert await bench.get(PARTY, digests) == [None] * 1100
        assert await bench.put(drafts[:2]) == [None, None]
