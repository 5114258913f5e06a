"""The workbench's statements, made once.

Those that are about a list of digests or keys are made from one parameter for each, and
take the party before them; see `counterfoil.sql.plain`. Rows begin with the digest;
`rows.py` takes them apart by place, which is quicker than by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    BindParameter,
    Delete,
    Select,
    bindparam,
    delete,
    exists,
    insert,
    select,
    update,
)

from counterfoil.workbench.tables import DRAFTS, PAYLOADS

Values: TypeAlias = Sequence[BindParameter[Any]]
"""The digests or keys that are wanted."""

_PARTY: Final[BindParameter[Any]] = bindparam("of_party")
_SAME_DRAFT: Final = (DRAFTS.c.party == PAYLOADS.c.party) & (
    DRAFTS.c.digest == PAYLOADS.c.digest
)
_STANDING: Final = DRAFTS.c.digest, DRAFTS.c.party, DRAFTS.c.key, DRAFTS.c.seals
_DRAFTS_WHOLE: Final = (
    select(*_STANDING, DRAFTS.c.recipients, PAYLOADS.c.payload)
    .select_from(DRAFTS.join(PAYLOADS, _SAME_DRAFT))
    .where(DRAFTS.c.party == _PARTY)
)


def whole(digests: Values) -> Select[Any]:
    """Tell drafts with what they say."""
    return _DRAFTS_WHOLE.where(DRAFTS.c.digest.in_(digests))


def whole_by_key(keys: Values) -> Select[Any]:
    """Tell the same, by key."""
    return _DRAFTS_WHOLE.where(DRAFTS.c.key.in_(keys))


def seals(digests: Values) -> Select[Any]:
    """Tell what stands on drafts."""
    return select(*_STANDING).where(
        DRAFTS.c.party == _PARTY, DRAFTS.c.digest.in_(digests)
    )


def seal_counts(digests: Values) -> Select[Any]:
    """Tell how many seals stand on drafts that are about to change."""
    return (
        select(DRAFTS.c.digest, DRAFTS.c.seal_count)
        .where(DRAFTS.c.party == _PARTY, DRAFTS.c.digest.in_(digests))
        # Locks the rows in PostgreSQL; SQLite's writer is alone in any case.
        .with_for_update()
    )


def remove_drafts(digests: Values) -> Delete:
    """Remove what stands on drafts."""
    return delete(DRAFTS).where(DRAFTS.c.party == _PARTY, DRAFTS.c.digest.in_(digests))


def remove_payloads(digests: Values) -> Delete:
    """Remove what drafts say."""
    return delete(PAYLOADS).where(
        PAYLOADS.c.party == _PARTY, PAYLOADS.c.digest.in_(digests)
    )


CHANGE_SEALS: Final = (
    update(DRAFTS)
    .where(
        DRAFTS.c.party == _PARTY,
        DRAFTS.c.digest == bindparam("of_digest"),
        DRAFTS.c.seal_count == bindparam("expected"),
    )
    .values(
        seals=bindparam("seals"),
        seal_count=bindparam("seal_count"),
        changed_us=bindparam("changed_us"),
    )
)
"""Replaces seals where a draft has as many as expected."""

CHANGE_SEALS_ORDER: Final = (
    "seal_count",
    "seals",
    "changed_us",
    "of_party",
    "of_digest",
    "expected",
)

PUT: Final = tuple(
    (insert(table), tuple(table.columns.keys())) for table in (DRAFTS, PAYLOADS)
)
"""Store drafts and what they say, and the order of their columns."""

PURGE: Final = (
    delete(DRAFTS).where(DRAFTS.c.changed_us < bindparam("before_us")),
    # By what is gone, not by age: another program may seal a draft in between.
    delete(PAYLOADS).where(~exists().where(_SAME_DRAFT)),
)
"""Remove the drafts that nobody changed since `before_us`, then what they said."""
