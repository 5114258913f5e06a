"""What every ledger promises, on whatever database; wants a fixture `ledger`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from sqlalchemy import Connection, Engine, Executable, delete, select, update
from sqlalchemy.exc import OperationalError, ProgrammingError

from counterfoil.app.ports import ActRow, LogRecord, Query
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.standing import Act, Role, Standing
from counterfoil.domain.voucher import VoucherKey
from counterfoil.ledger.errors import LedgerUnavailable
from counterfoil.ledger.ledger import SqlLedger
from counterfoil.ledger.tables import ACTS, STANDINGS, VOUCHERS

FINANCE, BANK, TREASURY = "110000-CZ", "110000-BANK", "110000-GK"


def digest_of(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def record(
    index: int,
    number: str,
    act: Act,
    *changes: tuple[str, Standing],
    kind: DocumentKind = DocumentKind.VOUCHER,
    issuer: str = FINANCE,
    type_code: int = 5201,
    year: int = 2026,
    recipients: str = "",
    role: Role = Role.ISSUER,
) -> LogRecord:
    subject = digest_of(number)
    return LogRecord(
        index=index,
        leaf=Leaf(
            act=act,
            kind=kind,
            time_us=1_000_000 + index,
            subject=subject,
            document=subject,
            version=subject,
            by=issuer,
            recipients=recipients,
        ),
        key=VoucherKey(
            issuer=issuer,
            adm_div="110000",
            fiscal_year=year,
            type_code=type_code,
            number=number,
        ),
        amount_fen=-(10**17 - 1),
        count=3,
        role=role,
        changes=changes,
    )


def life(number: str, first: int) -> list[LogRecord]:
    return [
        record(first, number, Act.ENTER, (BANK, Standing.SEALED)),
        record(first + 1, number, Act.SEND, (BANK, Standing.SENT)),
        record(first + 2, number, Act.DELIVER, (BANK, Standing.ARRIVED)),
    ]


def entered(*numbers: str, first: int = 0) -> list[LogRecord]:
    return [
        record(first + place, number, Act.ENTER, (BANK, Standing.SEALED))
        for place, number in enumerate(numbers)
    ]


def contents(ledger: SqlLedger) -> list[list[tuple[object, ...]]]:
    def read(connection: Connection) -> list[list[tuple[object, ...]]]:
        return [
            sorted(tuple(row) for row in connection.execute(select(table)))
            for table in (ACTS, VOUCHERS, STANDINGS)
        ]

    return ledger.database.write_now(read)


async def verify_rows(ledger: SqlLedger) -> list[tuple[bytes, str, Standing, int]]:
    return [
        (row.digest, row.recipient, row.standing, row.leaf)
        async for row in ledger.rows_for_verify()
    ]


async def numbers(ledger: SqlLedger, query: Query) -> list[str]:
    return [row.key.number for row in await ledger.find(query)]


class LedgerContract:
    async def test_an_empty_ledger_wants_the_first_leaf(
        self, ledger: SqlLedger
    ) -> None:
        assert await ledger.next_index() == 0
        assert await ledger.find(Query(desk=FINANCE)) == []
        assert await ledger.acts(digest_of("A1")) == []
        assert await verify_rows(ledger) == []

    async def test_what_was_followed_is_found_as_it_stands_last(
        self, ledger: SqlLedger
    ) -> None:
        records = life("A1", 0)

        await ledger.follow(records)

        (row,) = await ledger.find(Query(desk=FINANCE))
        assert row.key == records[0].key
        assert row.digest == digest_of("A1")
        assert (row.recipient, row.standing) == (BANK, Standing.ARRIVED)
        assert (row.leaf, row.changed_us) == (2, 1_000_002)
        assert row.amount_fen == -(10**17 - 1)
        assert await ledger.next_index() == 3

    async def test_following_twice_changes_nothing(self, ledger: SqlLedger) -> None:
        records = life("A1", 0) + life("A2", 3)
        await ledger.follow(records)
        before = contents(ledger)

        await ledger.follow(records)
        await ledger.follow(records[2:4])
        await ledger.follow([])

        assert contents(ledger) == before

    @pytest.mark.parametrize("missing", [0, 1, 4])
    async def test_a_gap_is_a_defect_and_nothing_is_taken_in(
        self, ledger: SqlLedger, missing: int
    ) -> None:
        records = life("A1", 0) + life("A2", 3)
        del records[missing]

        with pytest.raises(ValueError, match=f"wants leaf {missing}"):
            await ledger.follow(records)

        assert await ledger.next_index() == 0

    async def test_acts_are_told_in_log_order_with_those_concerned(
        self, ledger: SqlLedger
    ) -> None:
        both = ((BANK, Standing.SENT), (TREASURY, Standing.SENT))
        await ledger.follow(
            [
                record(0, "A1", Act.ENTER, *both),
                record(1, "B1", Act.ENTER, *both),
                record(
                    2,
                    "A1",
                    Act.ARRIVE,
                    (BANK, Standing.ACCEPTED),
                    kind=DocumentKind.ACCEPTANCE,
                    recipients=BANK,
                ),
                record(3, "A1", Act.ENTER, kind=DocumentKind.RETURN_REQUEST),
            ]
        )

        assert await ledger.acts(digest_of("A1")) == [
            ActRow(index=0, kind=DocumentKind.VOUCHER, recipients=(BANK, TREASURY)),
            ActRow(index=2, kind=DocumentKind.ACCEPTANCE, recipients=(BANK,)),
            ActRow(index=3, kind=DocumentKind.RETURN_REQUEST, recipients=()),
        ]

    async def test_an_act_about_one_recipient_leaves_the_other_standing(
        self, ledger: SqlLedger
    ) -> None:
        both = ((BANK, Standing.SENT), (TREASURY, Standing.SENT))
        await ledger.follow([record(0, "A1", Act.ENTER, *both)])

        await ledger.follow([record(1, "A1", Act.DELIVER, (BANK, Standing.ARRIVED))])

        assert await verify_rows(ledger) == [
            (digest_of("A1"), BANK, Standing.ARRIVED, 1),
            (digest_of("A1"), TREASURY, Standing.SENT, 0),
        ]

    @pytest.mark.parametrize("calls", [(4,), (1, 1, 1, 1), (1, 3), (3, 1)])
    async def test_a_withdrawn_voucher_is_in_no_book_until_it_enters_again(
        self, ledger: SqlLedger, calls: Sequence[int]
    ) -> None:
        records = [
            record(0, "A1", Act.ENTER, (BANK, Standing.SEALED)),
            record(1, "A1", Act.WITHDRAW, (BANK, Standing.DRAFT)),
            record(2, "A1", Act.ENTER, (TREASURY, Standing.SEALED)),
            record(3, "B1", Act.ENTER, (BANK, Standing.SEALED)),
        ]
        start = 0
        for length in calls:
            await ledger.follow(records[start : start + length])
            start += length

        assert [row[1:] for row in sorted(await verify_rows(ledger), key=str)] == [
            row[1:]
            for row in sorted(
                [
                    (digest_of("A1"), TREASURY, Standing.SEALED, 2),
                    (digest_of("B1"), BANK, Standing.SEALED, 3),
                ],
                key=str,
            )
        ]
        assert [act.index for act in await ledger.acts(digest_of("A1"))] == [0, 1, 2]

    async def test_a_desk_finds_its_own_vouchers_only(self, ledger: SqlLedger) -> None:
        await ledger.follow(
            [
                *entered("A1"),
                record(1, "T1", Act.ENTER, (TREASURY, Standing.SENT), issuer=BANK),
                record(
                    2,
                    "R1",
                    Act.ARRIVE,
                    (FINANCE, Standing.ARRIVED),
                    issuer=TREASURY,
                    role=Role.RECIPIENT,
                ),
            ]
        )

        assert await numbers(ledger, Query(desk=FINANCE)) == ["R1", "A1"]
        assert await numbers(ledger, Query(desk=BANK)) == ["T1"]
        # Where the other side is kept is none of this vault's desks.
        assert await numbers(ledger, Query(desk=TREASURY)) == []
        assert await numbers(ledger, Query(desk="nobody")) == []
        assert await numbers(ledger, Query(desk=FINANCE, number_prefix="T")) == []
        assert await numbers(ledger, Query(desk=BANK, number_prefix="T")) == ["T1"]

    async def test_both_sides_of_a_voucher_are_told_apart(
        self, ledger: SqlLedger
    ) -> None:
        mine = Act.ENTER, (BANK, Standing.SENT)
        theirs = Act.ARRIVE, (BANK, Standing.ARRIVED)
        await ledger.follow(
            [
                record(0, "B1", *mine),
                record(1, "B1", *theirs, role=Role.RECIPIENT),
            ]
        )
        # The next call finds either side by what the first one wrote.
        await ledger.follow(
            [
                record(2, "B1", Act.DELIVER, (BANK, Standing.ARRIVED)),
                record(
                    3,
                    "B1",
                    Act.ENTER,
                    (BANK, Standing.ACCEPTED),
                    kind=DocumentKind.ACCEPTANCE,
                    role=Role.RECIPIENT,
                ),
            ]
        )

        (issued,) = await ledger.find(Query(desk=FINANCE))
        (received,) = await ledger.find(Query(desk=BANK))
        by_number = await ledger.find(Query(desk=BANK, number_prefix="B"))
        assert (issued.role, issued.standing) == (Role.ISSUER, Standing.ARRIVED)
        assert (received.role, received.standing) == (
            Role.RECIPIENT,
            Standing.ACCEPTED,
        )
        assert by_number == [received]
        acts = await ledger.acts(digest_of("B1"))
        assert [act.index for act in acts] == [0, 1, 2, 3]
        rows = [row async for row in ledger.rows_for_verify()]
        assert [row.role for row in rows] == [Role.ISSUER, Role.RECIPIENT]

    async def test_each_condition_of_a_query_narrows_it(
        self, ledger: SqlLedger
    ) -> None:
        await ledger.follow(
            [
                *entered("A1", "a1", "A2"),
                record(3, "A3", Act.ENTER, (BANK, Standing.SENT), type_code=2301),
                record(4, "A4", Act.ENTER, (TREASURY, Standing.SEALED), year=2025),
            ]
        )

        async def ask(**conditions: object) -> list[str]:
            return await numbers(ledger, Query(desk=FINANCE, **conditions))  # type: ignore[arg-type]

        assert await ask() == ["A4", "A3", "A2", "a1", "A1"]
        assert await ask(types=(2301, 1)) == ["A3"]
        assert await ask(standings=(Standing.SENT, Standing.CLOSED)) == ["A3"]
        assert await ask(party=TREASURY) == ["A4"]
        assert await ask(party=FINANCE, limit=2) == ["A4", "A3"]
        assert await ask(fiscal_year=2025) == ["A4"]
        assert await ask(number_prefix="A") == ["A4", "A3", "A2", "A1"]
        assert await ask(number_prefix="A", limit=1) == ["A4"]
        assert await ask(number_prefix="A", before=(3, BANK)) == ["A2", "A1"]
        assert await ask(number_prefix="a1") == ["a1"]

    @pytest.mark.parametrize("number", ["100%", "1_0", "1~~", "1'--", "B.a"])
    async def test_a_prefix_is_taken_literally(
        self, ledger: SqlLedger, number: str
    ) -> None:
        await ledger.follow(entered("100", "1x0", number, "B-a", "Ba"))

        for end in range(2, len(number) + 1):
            expected = [
                other
                for other in ("Ba", "B-a", number, "1x0", "100")
                if other.startswith(number[:end])
            ]
            query = Query(desk=FINANCE, number_prefix=number[:end])
            assert await numbers(ledger, query) == expected

    async def test_walking_back_tells_each_row_once_in_the_order_of_change(
        self, ledger: SqlLedger
    ) -> None:
        both = ((BANK, Standing.SENT), (TREASURY, Standing.SENT))
        await ledger.follow(
            [record(index, f"A{index}", Act.ENTER, *both) for index in range(4)]
        )

        walked = await walk(ledger, limit=3)

        assert walked == [
            (index, name) for index in (3, 2, 1, 0) for name in (TREASURY, BANK)
        ]

    async def test_a_row_that_changes_during_a_walk_is_told_at_most_once(
        self, ledger: SqlLedger
    ) -> None:
        await ledger.follow(entered("A0", "A1", "A2", "A3"))
        first = await ledger.find(Query(desk=FINANCE, limit=2))

        # One that was told and one that was not move to the front.
        await ledger.follow(
            [
                record(4, "A3", Act.SEND, (BANK, Standing.SENT)),
                record(5, "A0", Act.SEND, (BANK, Standing.SENT)),
            ]
        )
        last = first[-1].leaf, first[-1].recipient
        rest = await numbers(ledger, Query(desk=FINANCE, before=last))

        assert [row.key.number for row in first] == ["A3", "A2"]
        assert rest == ["A1"]
        assert await numbers(ledger, Query(desk=FINANCE, limit=2)) == ["A0", "A3"]

    async def test_a_rebuild_is_the_same_as_following(self, ledger: SqlLedger) -> None:
        records = life("A1", 0) + life("A2", 3)
        await ledger.follow(records)
        before = contents(ledger)

        await ledger.drop_and_recreate()
        emptied = await ledger.next_index()
        await ledger.follow(records)

        assert emptied == 0
        assert contents(ledger) == before

    async def test_verification_gets_every_standing_in_the_order_of_bytes(
        self, ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("counterfoil.ledger.ledger._VERIFY_ROWS", 3)
        # A locale would sort `b` before `C`.
        parties = ("b", "C", "a-1", "a1")
        await ledger.follow(
            [
                record(
                    index,
                    f"A{index}",
                    Act.ENTER,
                    *((party, Standing.SENT) for party in parties),
                )
                for index in range(5)
            ]
        )

        rows = await verify_rows(ledger)

        assert rows == sorted(
            (digest_of(f"A{index}"), party, Standing.SENT, index)
            for index in range(5)
            for party in parties
        )

    async def test_what_was_followed_differs_in_nothing(
        self, ledger: SqlLedger
    ) -> None:
        records = [
            *life("A1", 0),
            record(3, "B1", Act.ENTER, (BANK, Standing.SEALED)),
            record(4, "B1", Act.WITHDRAW, (BANK, Standing.DRAFT)),
            record(5, "B1", Act.ENTER, (TREASURY, Standing.SEALED)),
            record(6, "A1", Act.ARRIVE, (BANK, Standing.ACCEPTED)),
        ]
        await ledger.follow(records)

        for length in (1, 2, 3, 7):
            cuts = range(0, len(records), length)
            parts = [records[first : first + length] for first in cuts]
            assert [await ledger.differing(part) for part in parts] == [[]] * len(parts)
        assert await ledger.differing([]) == []
        assert await ledger.foreign(7) == []

    @pytest.mark.parametrize("length", [1, 2, 6])
    @pytest.mark.parametrize(
        ("statement", "about", "foreign"),
        [
            (delete(ACTS).where(ACTS.c.index == 1), 0, []),
            (update(ACTS).where(ACTS.c.index == 4).values(voucher=0), 3, []),
            (
                update(ACTS).where(ACTS.c.index == 2).values(time_us=1),
                0,
                ["standing of voucher 0"],
            ),
            (
                update(VOUCHERS).where(VOUCHERS.c.id == 3).values(digest=b"\0" * 32),
                3,
                [],
            ),
            (
                update(VOUCHERS).where(VOUCHERS.c.id == 3).values(id=4),
                3,
                ["standing of voucher 3"],
            ),
            (
                update(VOUCHERS).where(VOUCHERS.c.id == 0).values(id=6),
                0,
                ["voucher 6", "standing of voucher 0"],
            ),
            (
                update(VOUCHERS).where(VOUCHERS.c.id == 0).values(id=-1),
                0,
                ["voucher -1", "standing of voucher 0"],
            ),
            (
                update(STANDINGS).where(STANDINGS.c.voucher == 3).values(issuer=BANK),
                None,
                ["standing of voucher 3"],
            ),
            (
                update(STANDINGS).where(STANDINGS.c.voucher == 3).values(standing=99),
                None,
                ["standing of voucher 3"],
            ),
            (
                update(STANDINGS).where(STANDINGS.c.voucher == 3).values(leaf=0),
                None,
                ["standing of voucher 3"],
            ),
        ],
    )
    async def test_every_row_that_is_another_is_told(
        self,
        ledger: SqlLedger,
        length: int,
        statement: Executable,
        about: int | None,
        foreign: list[str],
    ) -> None:
        records = life("A1", 0) + life("A2", 3)
        await ledger.follow(records)
        ledger.database.write_now(lambda connection: connection.execute(statement))

        found = [
            index
            for first in range(0, len(records), length)
            for index, _ in await ledger.differing(records[first : first + length])
        ]

        # However it is cut, it is told at an act of that voucher and of no other.
        first_acts = {index - index % 3 for index in found}
        assert first_acts == ({about} if about is not None else set())
        assert await ledger.foreign(6) == foreign

    @pytest.mark.refusal("LEDGER_UNAVAILABLE")
    async def test_a_database_that_fails_is_told_as_such_by_every_call(
        self, ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        records = life("A1", 0)
        await ledger.follow(records)

        def broken(_: Engine) -> Connection:
            raise OperationalError("the statement", None, Exception("at 10.0.0.7"))

        monkeypatch.setattr(Engine, "connect", broken)
        monkeypatch.setattr(Engine, "begin", broken)
        for call in (
            ledger.follow(life("A2", 3)),
            ledger.next_index(),
            ledger.find(Query(desk=FINANCE)),
            ledger.acts(digest_of("A1")),
            ledger.differing(records),
            ledger.foreign(3),
            verify_rows(ledger),
        ):
            with pytest.raises(LedgerUnavailable) as caught:
                await call
            # It goes to callers, who need not know where the server is.
            assert "10.0.0.7" not in str(caught.value)
        monkeypatch.undo()

        assert await ledger.next_index() == 3

    async def test_a_defect_of_ours_is_not_disguised_as_trouble(
        self, ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(_: Engine) -> Connection:
            raise ProgrammingError("no such column", None, Exception())

        monkeypatch.setattr(Engine, "connect", broken)
        with pytest.raises(ProgrammingError):
            await ledger.next_index()

    async def test_a_call_of_more_digests_than_one_list_holds_is_taken_in(
        self, ledger: SqlLedger
    ) -> None:
        await ledger.follow(entered(*map(str, range(1100))))
        await ledger.follow(
            [
                record(1100 + at, str(at), Act.SEND, (BANK, Standing.SENT))
                for at in range(1100)
            ]
        )

        assert len(await verify_rows(ledger)) == 1100
        assert len((contents(ledger))[1]) == 1100


async def walk(ledger: SqlLedger, limit: int) -> list[tuple[int, str]]:
    told: list[tuple[int, str]] = []
    before = None
    while rows := await ledger.find(Query(desk=FINANCE, limit=limit, before=before)):
        told.extend((row.leaf, row.recipient) for row in rows)
        before = told[-1]
    return told
