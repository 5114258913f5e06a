"""The workbench's statements, made once.

Making one anew for each call takes longer than executing it. Those that take a party
take it as `of_party`, and the digests or keys that are wanted as `values`. Rows begin
with the digest; `rows.py` takes them apart by place, which is quicker than by name.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BindParameter, bindparam, delete, exists, insert, select, update

from counterfoil.workbench.tables import DRAFTS, PAYLOADS

_PARTY: Final[BindParameter[Any]] = bindparam("of_party")
_VALUES: Final[BindParameter[Any]] = bindparam("values", expanding=True)
_SAME_DRAFT: Final = (DRAFTS.c.party == PAYLOADS.c.party) & (
    DRAFTS.c.digest == PAYLOADS.c.digest
)
_STANDING: Final = DRAFTS.c.digest, DRAFTS.c.party, DRAFTS.c.key, DRAFTS.c.seals
_DRAFTS_WHOLE: Final = (
    select(*_STANDING, DRAFTS.c.recipients, PAYLOADS.c.payload)
    .select_from(DRAFTS.join(PAYLOADS, _SAME_DRAFT))
    .where(DRAFTS.c.party == _PARTY)
)

WHOLE: Final = _DRAFTS_WHOLE.where(DRAFTS.c.digest.in_(_VALUES))
"""Drafts with what they say."""

WHOLE_BY_KEY: Final = _DRAFTS_WHOLE.where(DRAFTS.c.key.in_(_VALUES))
"""The same, by key."""

SEALS: Final = select(*_STANDING).where(
    DRAFTS.c.party == _PARTY, DRAFTS.c.digest.in_(_VALUES)
)
"""What stands on drafts."""

SEAL_COUNTS: Final = (
    select(DRAFTS.c.digest, DRAFTS.c.seal_count)
    .where(DRAFTS.c.party == _PARTY, DRAFTS.c.digest.in_(_VALUES))
    # Locks the rows in PostgreSQL; SQLite's writer is alone in any case.
    .with_for_update()
)
"""How many seals stand on drafts that are about to change."""

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

PUT: Final = insert(DRAFTS), insert(PAYLOADS)
"""Store drafts and what they say."""

REMOVE: Final = tuple(
    delete(table).where(table.c.party == _PARTY, table.c.digest.in_(_VALUES))
    for table in (DRAFTS, PAYLOADS)
)
"""Remove drafts and what they say."""

PURGE: Final = (
    delete(DRAFTS).where(DRAFTS.c.changed_us < bindparam("before_us")),
    # By what is gone, not by age: another program may seal a draft in between.
    delete(PAYLOADS).where(~exists().where(_SAME_DRAFT)),
)
"""Remove the drafts that nobody changed since `before_us`, then what they said."""
