"""Turns acts of the log into rows, the values in the order of `ledger.tables`.

Plain tuples for the driver: with dicts for SQLAlchemy's executemany, following the
log took twice as long (docs/adr/0003).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from counterfoil.app.ports import LogRecord
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.standing import Act

NO_VOUCHER: Final = -1
"""In place of a voucher's row id, for an act about a registration."""

Row = tuple[int | str | bytes, ...]
"""Values in the order of a table's columns."""

Side = tuple[bytes, int]
"""A voucher's digest, and the role of the side that is kept: each has its own row."""


@dataclass(slots=True)
class Batch:
    """The rows that a sequence of acts leads to.

    Attributes:
        vouchers: New vouchers.
        acts: One row per act.
        withdrawn: Vouchers whose standings from before the batch are void.
        standings: The last standing of each voucher with each recipient, to be
            written after `withdrawn` was deleted.
    """

    vouchers: list[Row] = field(default_factory=list)
    acts: list[Row] = field(default_factory=list)
    withdrawn: set[int] = field(default_factory=set)
    standings: dict[int, dict[str, Row]] = field(default_factory=dict)

    @classmethod
    def of(cls, records: Sequence[LogRecord], known: Mapping[Side, int]) -> Batch:
        """Return the rows for `records`.

        Args:
            records: Acts, in log order.
            known: Row ids of the vouchers that have a row, by digest and role.
        """
        batch = cls()
        ids = dict(known)
        for record in records:
            if record.leaf.kind is DocumentKind.REGISTRATION:
                batch.acts.append(_act_row(record, NO_VOUCHER))
                continue
            side = record.leaf.subject, int(record.role)
            voucher = ids.get(side)
            if voucher is None:
                voucher = ids[side] = record.index
                batch.vouchers.append(_voucher_row(record))
            batch.acts.append(_act_row(record, voucher))
            batch._stand(record, voucher)
        return batch

    def standing_rows(self) -> list[Row]:
        """Return the rows of `standings`."""
        return [row for rows in self.standings.values() for row in rows.values()]

    def _stand(self, record: LogRecord, voucher: int) -> None:
        if record.leaf.act is Act.WITHDRAW:
            # A draft again: whatever its standing was, it is in no book now.
            self.withdrawn.add(voucher)
            self.standings.pop(voucher, None)
            return
        rows = self.standings.setdefault(voucher, {})
        for recipient, standing in record.changes:
            rows[recipient] = (
                voucher,
                recipient,
                record.key.issuer,
                int(standing),
                record.index,
                record.leaf.time_us,
            )


def _voucher_row(record: LogRecord) -> Row:
    key = record.key
    return (
        record.index,
        record.leaf.subject,
        key.issuer,
        key.adm_div,
        key.fiscal_year,
        key.type_code,
        key.number,
        key.issue,
        int(record.role),
        record.amount_fen,
        record.count,
    )


def _act_row(record: LogRecord, voucher: int) -> Row:
    leaf = record.leaf
    # A leaf that names nobody concerns all that the log's keeper knows.
    recipients = leaf.recipients or ",".join([name for name, _ in record.changes])
    return (
        record.index,
        voucher,
        int(leaf.act),
        int(leaf.kind),
        recipients,
        leaf.time_us,
    )
