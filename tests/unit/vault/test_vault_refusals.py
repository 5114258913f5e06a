"""The file of refused calls: a chain in which nothing can be changed unseen."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from counterfoil.domain.audit import RefusedCall
from counterfoil.domain.refusal_rows import RefusedRows
from counterfoil.vault.refusal_chain import BEGINNING, End, RecordChanged, read_chain
from counterfoil.vault.refusal_file import RefusalFile, put_in_place, write_successor
from counterfoil.vault.refusal_state import (
    Bound,
    RefusalState,
    bound_entry,
    broken_entry,
    refused_entries,
    state_of,
    told_entry,
)

ROWS_MAX = 100


def call(method: str = "/Seal", count: int = 1, at_us: int = 1) -> RefusedCall:
    return RefusedCall(
        identity="CN=某人",
        certificate=b"\x07" * 32,
        method=method,
        reason="POST_REFUSED",
        count=count,
        first_us=at_us,
        last_us=at_us,
    )


def begun(path: Path) -> RefusalFile:
    """Return a record with three entries behind the first."""
    state = RefusalState(rows=RefusedRows(rows_max=ROWS_MAX))
    end, size = write_successor(path, BEGINNING, state.summary())
    put_in_place(path)
    file = RefusalFile(path, end, size)
    file.append(refused_entries([call(), call("/Send", 3)]))
    file.append(refused_entries([call(at_us=9)]))
    return file


def test_what_is_appended_is_read_again(tmp_path: Path) -> None:
    file = begun(tmp_path / "r.jsonl")
    file.close()

    chain = read_chain(file.path)
    assert chain.end == file.end == End(4, chain.digests[-1])
    assert (chain.size, chain.digest_at(4)) == (file.size, file.end.digest)
    assert chain.digest_at(0) is chain.digest_at(5) is None
    rows = {row.method: row for row in state_of(chain, ROWS_MAX).rows}
    assert rows["/Seal"] == replace(call(count=2), last_us=9, place=1)
    assert (rows["/Send"].count, rows["/Send"].place) == (3, 2)


@pytest.mark.clause("hubei-37c")
@pytest.mark.parametrize("line", range(4))
def test_a_changed_entry_is_found_wherever_it_stands(tmp_path: Path, line: int) -> None:
    file = begun(tmp_path / "r.jsonl")
    lines = file.path.read_bytes().splitlines(keepends=True)
    lines[line] = lines[line].replace(b":1,", b":2,", 1).replace(b"[]", b"[1]", 1)
    file.path.write_bytes(b"".join(lines))

    with pytest.raises(RecordChanged) as caught:
        read_chain(file.path)
    before = caught.value.before
    assert (0 if before is None else len(before.entries)) == line


@pytest.mark.clause("hubei-37c")
def test_an_entry_that_is_taken_out_is_found(tmp_path: Path) -> None:
    file = begun(tmp_path / "r.jsonl")
    lines = file.path.read_bytes().splitlines(keepends=True)
    file.path.write_bytes(b"".join([*lines[:1], *lines[2:]]))

    with pytest.raises(RecordChanged):
        read_chain(file.path)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"[]\n", b"0 {}\n", b'0 {"format":2}\n', b"\xff \xff\n"]
)
def test_what_is_no_record_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(content)

    with pytest.raises(RecordChanged):
        read_chain(path)


def test_a_torn_line_was_promised_to_nobody(tmp_path: Path) -> None:
    file = begun(tmp_path / "r.jsonl")
    with file.path.open("ab") as torn:
        torn.write(b"0123 {")

    chain = read_chain(file.path)
    assert chain.end == file.end
    again = RefusalFile(file.path, chain.end, chain.size)
    again.append(refused_entries([call("/Write")]))
    assert read_chain(file.path).end == again.end


def test_what_the_disk_does_not_take_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = begun(tmp_path / "r.jsonl")
    end = file.end

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", full)
        with pytest.raises(OSError, match="no space"):
            file.append(refused_entries([call("/Write")]))

    assert file.end == read_chain(file.path).end == end
    file.append(refused_entries([call("/Write")]))
    assert file.is_whole()


def test_a_file_that_is_exchanged_or_changed_under_us_is_noticed(
    tmp_path: Path,
) -> None:
    file = begun(tmp_path / "r.jsonl")
    assert file.is_there()
    assert file.is_whole()

    content = file.path.read_bytes()
    with file.path.open("r+b") as opened:
        opened.seek(-4, os.SEEK_END)
        opened.write(b"8")
    assert file.is_there()
    assert not file.is_whole()

    file.path.write_bytes(content[:-1])
    assert not file.is_there()
    file.path.unlink()
    assert not file.is_there()
    file.path.write_bytes(content)
    assert not file.is_there()


def test_a_successor_says_what_all_before_it_said(tmp_path: Path) -> None:
    file = begun(tmp_path / "r.jsonl")
    file.append([bound_entry(Bound(7, file.end))])
    found = Bound(9, End(0, b"e" * 32))
    file.append([broken_entry(5, "a leaf says so", found)])
    before = state_of(read_chain(file.path), ROWS_MAX)

    write_successor(file.path, file.end, before.summary())
    put_in_place(file.path)

    chain = read_chain(file.path)
    assert chain.start == file.end
    assert chain.end.entries == file.end.entries + 1
    after = state_of(chain, ROWS_MAX)
    assert list(after.rows) == list(before.rows)
    assert (after.bound, after.excused) == (found, [9])
    assert after.breaks == before.breaks
    # No leaf names what it sums up.
    assert not after.is_bound


def test_a_break_is_untold_until_the_officer_was_told(tmp_path: Path) -> None:
    file = begun(tmp_path / "r.jsonl")
    file.append([broken_entry(5, "it was removed")])
    (one,) = state_of(read_chain(file.path), ROWS_MAX).untold()
    assert (one.time_us, one.detail) == (5, "it was removed")

    file.append([told_entry(6)])
    told = state_of(read_chain(file.path), ROWS_MAX)
    assert told.untold() == []
    assert len(told.breaks) == 1


@pytest.mark.parametrize(
    "entry", [{}, {"refused": {}}, {"bound": {"leaf": "x"}}, {"broken": 1}]
)
def test_an_entry_that_says_nothing_is_none(entry: dict[str, object]) -> None:
    with pytest.raises(RecordChanged):
        RefusalState(rows=RefusedRows(rows_max=1)).take(entry)
