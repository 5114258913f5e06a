"""Opens the record of refused calls, and finds out whether it is what was written.

The head store remembers how far the record went, so a file that was removed, put back
or changed shows at once. Whoever writes into the head store as well meets the leaves of
the log that name ends of the record (`docs/adr/0029`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from counterfoil.daemon.config import Configuration
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.refusal_rows import RefusedRows
from counterfoil.domain.refusals import LeafNotFound, VaultCorrupt
from counterfoil.domain.standing import Act
from counterfoil.tlog.merkle import TreeHead
from counterfoil.vault.heads import HeadStore, KnownHead
from counterfoil.vault.refusal_chain import (
    BEGINNING,
    NAME,
    Chain,
    End,
    RecordChanged,
    read_chain,
)
from counterfoil.vault.refusal_file import (
    RefusalFile,
    put_in_place,
    successor_of,
    write_successor,
)
from counterfoil.vault.refusal_state import (
    Bound,
    RefusalState,
    bound_entry,
    broken_entry,
    state_of,
)

_SETTLE_MAX: Final = 65_536
"""Leaves among which a binding is looked for that nobody heard of: those that can have
waited for the writer before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedRecord:
    """A record that may be written to.

    Attributes:
        file: Its file.
        state: What it says.
        digests: The digests after its entries, as far as the file goes back.
    """

    file: RefusalFile
    state: RefusalState
    digests: set[bytes]


def record_path(configuration: Configuration) -> Path:
    """Return where the record is."""
    return configuration.directory / NAME


def record_origin(configuration: Configuration) -> str:
    """Return under which name the head store remembers how far it went."""
    return f"{configuration.gateway.party}/refusals"


def remembered(heads: HeadStore, origin: str) -> End | None:
    """Return how far the record went, as the head store has it; None if it never did.

    Whether what it has is about this very log is not its business.
    """
    known = heads.newest(origin)
    return None if known is None else End(known.head.size, known.head.root)


def remember(heads: HeadStore, origin: str, end: End) -> None:
    """Let the head store remember how far the record went, durably.

    Raises:
        HeadForked: It went further before, or elsewhere.
        OSError: It cannot be written.
    """
    known = heads.newest(origin)
    head = KnownHead(origin=origin, head=TreeHead(end.entries, end.digest), note=b"")
    heads.replace(None if known is None else known.head.size, head)


def open_record(  # noqa: PLR0913 -- what it is compared with
    path: Path,
    heads: HeadStore,
    origin: str,
    *,
    rows_max: int,
    leaf: Callable[[int], Leaf],
    size: int,
    now_us: int,
    hint: int | None = None,
) -> OpenedRecord:
    """Open the record; where it is not what was written, go on from what is known.

    Args:
        path: Where it is.
        heads: Remembers how far it went.
        origin: Under which name.
        rows_max: Most rows.
        leaf: Returns a leaf of the log.
        size: How many leaves there are.
        now_us: Our clock.
        hint: The leaf that named its end last, should the file not say; a note, and
            believed only as far as the log agrees.

    Raises:
        OSError: It cannot be read or written.
    """
    known = remembered(heads, origin)
    _finish_exchange(path, known)
    found, state, broken = judge(path, known, rows_max, leaf)
    if found is not None and not broken:
        file = RefusalFile(path, found.end, found.size)
        digests = {found.start.digest, *found.digests}
        if (settled := _settled(state, leaf, size)) is not None:
            digests.update(file.append([bound_entry(settled)]))
            state.take(bound_entry(settled))
        remember(heads, origin, file.end)
        return OpenedRecord(file=file, state=state, digests=digests)
    if broken:
        set_aside(path)
        state.take(broken_entry(now_us, broken))
        state.bound = state.bound or _hinted(hint, leaf)
    start = known or BEGINNING
    end, size = write_successor(path, start, state.summary())
    remember(heads, origin, end)
    put_in_place(path)
    return OpenedRecord(
        file=RefusalFile(path, end, size),
        state=state,
        digests={start.digest, end.digest},
    )


def judge(
    path: Path, known: End | None, rows_max: int, leaf: Callable[[int], Leaf] | None
) -> tuple[Chain | None, RefusalState, str]:
    """Return what a file holds and in which way it is not what was written.

    Args:
        path: Where it is.
        known: How far it went; None if nothing is known of that.
        rows_max: Most rows.
        leaf: Returns a leaf of the log; None to leave the log out.

    Returns:
        Its chain, None if there is none; what it says, as far as it is whole; and what
        is wrong with it.

    Raises:
        OSError: It cannot be read.
    """
    nothing = RefusalState(rows=RefusedRows(rows_max=rows_max))
    try:
        chain = read_chain(path)
        state = state_of(chain, rows_max)
    except FileNotFoundError:
        return None, nothing, "it was removed (记录文件被删除)" if known else ""
    except RecordChanged as changed:
        state = nothing
        with suppress(RecordChanged):
            state = state_of(changed.before, rows_max) if changed.before else nothing
        return changed.before, state, f"{changed} (记录条目被改动)"
    if known is not None and chain.digest_at(known.entries) != known.digest:
        told = f"it does not hold the {known.entries} entries that were written"
        return chain, state, f"{told} (记录被截断或替换)"
    return chain, state, "" if leaf is None else _against_log(chain, state, leaf)


def _settled(
    state: RefusalState, leaf: Callable[[int], Leaf], size: int
) -> Bound | None:
    """Return the binding that a process that ended did not hear of any more.

    It is a few leaves behind the first that it could be, if it is anywhere.
    """
    if state.binding is None:
        return None
    first, end = state.binding.leaf, state.binding.end
    for index in range(first, min(size, first + _SETTLE_MAX)):
        try:
            found = leaf(index)
        except (LeafNotFound, VaultCorrupt):
            continue  # told by whoever checks the vault
        if found.act is Act.BIND and found.document == end.digest:
            return Bound(index, end)
    return None


def _hinted(hint: int | None, leaf: Callable[[int], Leaf]) -> Bound | None:
    """Return the binding that a note tells of, if the log has it."""
    try:
        named = None if hint is None else leaf(hint)
    except (LeafNotFound, VaultCorrupt):
        return None
    if hint is None or named is None or named.act is not Act.BIND:
        return None
    return Bound(hint, End(0, named.document))


def _against_log(chain: Chain, state: RefusalState, leaf: Callable[[int], Leaf]) -> str:
    """Return in which way the record contradicts the log; empty if in none."""
    bound = state.bound
    if bound is None:
        return ""
    if chain.digest_at(bound.end.entries) not in {None, bound.end.digest}:
        return f"it claims another end for leaf {bound.leaf} than it had (记录被改动)"
    try:
        named = leaf(bound.leaf)
    except (LeafNotFound, VaultCorrupt) as error:
        return f"leaf {bound.leaf}, which names its end, cannot be read: {error.reason}"
    if named.act is not Act.BIND or named.document != bound.end.digest:
        return f"leaf {bound.leaf} of the log names another end (记录与日志不符)"
    return ""


def set_aside(path: Path) -> None:
    """Keep what is there instead of the record, for whoever looks into it."""
    with suppress(FileNotFoundError):
        path.replace(path.with_suffix(".damaged"))


def _finish_exchange(path: Path, known: End | None) -> None:
    """Put a successor in its place that the head store knows already."""
    successor = successor_of(path)
    try:
        is_known = known is not None and read_chain(successor).end == known
    except (FileNotFoundError, RecordChanged):
        is_known = False
    if is_known:
        put_in_place(path)
    else:
        successor.unlink(missing_ok=True)
