"""The statements that answer queries."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Row,
    Select,
    and_,
    or_,
    select,
    union_all,
)

from counterfoil.app.ports import FoundRow, Query
from counterfoil.domain.standing import Role, Standing
from counterfoil.domain.voucher import VoucherKey
from counterfoil.ledger.tables import STANDINGS, VOUCHERS

_V: Final = VOUCHERS.c
_S: Final = STANDINGS.c
_IS_ISSUER: Final = _V.role == int(Role.ISSUER)
_IS_RECIPIENT: Final = _V.role != int(Role.ISSUER)
_FOUND: Final = (
    _V.issuer,
    _V.adm_div,
    _V.fiscal_year,
    _V.type_code,
    _V.number,
    _V.issue,
    _V.digest,
    _V.role,
    _V.amount_fen,
    _S.recipient,
    _S.standing,
    _S.leaf,
    _S.changed_us,
)

_Found = tuple[str, str, int, int, str, int, bytes, int, int, str, int, int, int]


def statement(query: Query) -> Select[*_Found] | CompoundSelect[*_Found]:
    """Return the statement that answers `query`."""
    if query.number_prefix:
        return _by_number(query)
    # Two searches, one for each side the desk may be on, because each side has an
    # index in the order of the answer; with one search and `OR`, both databases
    # would sort all of the desk's vouchers for every page.
    as_issuer = _page(query, _S.issuer == query.desk, _IS_ISSUER).subquery()
    as_recipient = _page(query, _S.recipient == query.desk, _IS_RECIPIENT).subquery()
    both = union_all(select(as_issuer), select(as_recipient))
    order = both.selected_columns
    return both.order_by(order.leaf.desc(), order.recipient.desc()).limit(query.limit)


def found(row: Row[*_Found]) -> FoundRow:
    """Return what a row of `statement` says."""
    issuer, adm_div, year, type_code, number, issue, digest, role, amount_fen = row[:9]
    return FoundRow(
        key=VoucherKey(
            issuer=issuer,
            adm_div=adm_div,
            fiscal_year=year,
            type_code=type_code,
            number=number,
            issue=issue,
        ),
        digest=digest,
        role=Role(role),
        amount_fen=amount_fen,
        recipient=row[9],
        standing=Standing(row[10]),
        leaf=row[11],
        changed_us=row[12],
    )


def everything(after: tuple[bytes, int, str] | None, limit: int) -> Select[*_Found]:
    """Return the statement for all rows, ordered by digest, role and recipient.

    Args:
        after: Digest, role and recipient of the last row told; None to begin.
        limit: Most rows.
    """
    chosen = (
        select(*_FOUND)
        .join_from(VOUCHERS, STANDINGS, _V.id == _S.voucher)
        .order_by(_V.digest, _V.role, _S.recipient)
        .limit(limit)
    )
    if after is None:
        return chosen
    digest, role, recipient = after
    further = or_(_V.role > role, and_(_V.role == role, _S.recipient > recipient))
    behind = and_(_V.digest == digest, further)
    return chosen.where(_V.digest >= digest, or_(_V.digest > digest, behind))


def _by_number(query: Query) -> Select[*_Found]:
    """Search the numbers first, then look whose they are.

    SQLite would walk through all of the desk's vouchers in the order of the
    answer; `|| ''` keeps it from the indexes that make it do so.
    """
    desk = or_(
        and_(_S.issuer.concat("") == query.desk, _IS_ISSUER),
        and_(_S.recipient.concat("") == query.desk, _IS_RECIPIENT),
    )
    # Not LIKE: SQLite's ignores case, and `%` may stand in a number. `~` is the
    # last character that a number can have, and DEL comes behind it.
    return _page(
        query,
        desk,
        _V.number >= query.number_prefix,
        _V.number < query.number_prefix + "\x7f",
    )


def _page(query: Query, *conditions: ColumnElement[bool]) -> Select[*_Found]:
    return (
        select(*_FOUND)
        .join_from(STANDINGS, VOUCHERS, _V.id == _S.voucher)
        .where(*conditions, *_conditions(query))
        .order_by(_S.leaf.desc(), _S.recipient.desc())
        .limit(query.limit)
    )


def _conditions(query: Query) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.types:
        conditions.append(_V.type_code.in_(query.types))
    if query.standings:
        conditions.append(_S.standing.in_([int(one) for one in query.standings]))
    if query.party:
        conditions.append(or_(_S.issuer == query.party, _S.recipient == query.party))
    if query.fiscal_year:
        conditions.append(_V.fiscal_year == query.fiscal_year)
    if query.before is not None:
        leaf, recipient = query.before
        conditions.append(
            or_(_S.leaf < leaf, and_(_S.leaf == leaf, _S.recipient < recipient))
        )
        # The same again in a form that an index can be entered at.
        conditions.append(_S.leaf <= leaf)
    return conditions
