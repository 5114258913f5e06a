"""Refused calls in bounded rows: nobody's count is lost, nobody drives others out."""

from __future__ import annotations

from counterfoil.domain.audit import RefusedCall
from counterfoil.domain.refusal_rows import RefusedRows

MANAGER = "urn:counterfoil:420000-011:person:manager"
SYSTEM = "urn:counterfoil:420000-011:system:1"


def call(
    identity: str = MANAGER,
    method: str = "/Seal",
    reason: str = "POST_REFUSED",
    *,
    count: int = 1,
    at_us: int = 1,
) -> RefusedCall:
    return RefusedCall(
        identity=identity,
        certificate=b"c",
        method=method,
        reason=reason,
        count=count,
        first_us=at_us,
        last_us=at_us,
    )


def test_the_same_refusal_again_is_counted_in_its_row() -> None:
    rows = RefusedRows(rows_max=10)
    rows.add_all(call(count=2, at_us=at) for at in (5, 3, 9))

    (row,) = rows
    assert (row.count, row.first_us, row.last_us, row.place) == (6, 3, 9, 1)


def test_whoever_has_most_rows_is_summed_up_by_reason_and_others_stay() -> None:
    rows = RefusedRows(rows_max=10)
    rows.add(call(SYSTEM))
    rows.add_all(call(method=f"/{number}") for number in range(100))
    rows.add_all(call(method=f"/{n}", reason="FORM_REFUSED") for n in range(50))

    assert len(rows) == 10
    kept = {(row.identity, row.method, row.reason): row.count for row in rows}
    assert kept[SYSTEM, "/Seal", "POST_REFUSED"] == 1
    of_manager = [row for row in rows if row.identity == MANAGER]
    assert sum(row.count for row in of_manager) == 150
    by_reason = {row.reason: row for row in of_manager if not row.method}
    assert by_reason["POST_REFUSED"].count == 100
    assert by_reason["POST_REFUSED"].certificate == b""


def test_where_all_are_strangers_counts_come_together_and_none_is_lost() -> None:
    rows = RefusedRows(rows_max=10)
    rows.add_all(call(f"CN={number}") for number in range(500))

    assert len(rows) == 10
    assert sum(row.count for row in rows) == 500
    assert {row.identity for row in rows} >= {"", "CN=499"}


def test_more_reasons_than_rows_are_kept_all_the_same() -> None:
    rows = RefusedRows(rows_max=2)
    rows.add_all(call(f"CN={n}", reason=f"R{n}") for n in range(5))

    assert {row.reason for row in rows} == {f"R{n}" for n in range(5)}


def test_a_new_row_has_a_place_behind_all_before_it() -> None:
    rows = RefusedRows(rows_max=3)
    rows.add_all(call(method=f"/{number}") for number in range(6))
    before = rows.next_place
    rows.add(call(SYSTEM))

    places = {row.identity: row.place for row in rows}
    assert places[SYSTEM] == before
    assert len({row.place for row in rows}) == len(rows)


def test_a_copy_is_changed_on_its_own() -> None:
    rows = RefusedRows(rows_max=3)
    rows.add(call())
    other = rows.copy()
    other.add(call(SYSTEM))

    assert [row.identity for row in rows] == [MANAGER]
    assert rows.next_place == 2
