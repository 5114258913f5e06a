"""The head store: newest heads, never rolled back."""

from __future__ import annotations

from pathlib import Path

import pytest

from counterfoil.domain.refusals import HeadForked
from counterfoil.tlog.errors import HeadConflict
from counterfoil.tlog.merkle import TreeHead
from counterfoil.vault.heads import FileHeads, HeadStore, KnownHead, MemoryHeads
from counterfoil.vault.locking import VaultLocked


def head(size: int, root: bytes = b"r", origin: str = "a") -> KnownHead:
    return KnownHead(
        origin=origin, head=TreeHead(size, root * 32), note=b"note %d" % size
    )


@pytest.fixture(params=["memory", "file"])
def heads(request: pytest.FixtureRequest, tmp_path: Path) -> HeadStore:
    return MemoryHeads() if request.param == "memory" else FileHeads(tmp_path / "h")


def test_the_newest_head_of_each_log_is_remembered(heads: HeadStore) -> None:
    heads.replace(None, head(3))
    heads.replace(3, head(5))
    heads.replace(None, head(1, origin="b"))

    assert heads.newest("a") == head(5)
    assert heads.all() == [head(5), head(1, origin="b")]
    assert heads.newest("c") is None


@pytest.mark.parametrize("old_size", [None, 2, 4])
def test_only_the_head_expected_is_replaced(
    heads: HeadStore, old_size: int | None
) -> None:
    heads.replace(None, head(3))

    with pytest.raises(HeadConflict) as conflict:
        heads.replace(old_size, head(5))

    assert conflict.value.size == 3
    assert heads.newest("a") == head(3)


def test_a_head_that_is_not_there_is_not_replaced(heads: HeadStore) -> None:
    with pytest.raises(HeadConflict):
        heads.replace(1, head(5))


@pytest.mark.refusal("HEAD_FORKED")
@pytest.mark.parametrize("other", [head(2), head(3, b"x")])
def test_a_smaller_or_other_head_is_refused(heads: HeadStore, other: KnownHead) -> None:
    heads.replace(None, head(3))

    with pytest.raises(HeadForked):
        heads.replace(3, other)

    assert heads.newest("a") == head(3)


def test_heads_beside_are_remembered_if_they_are_larger(heads: HeadStore) -> None:
    heads.replace(None, head(3), beside=[head(3, origin="b")])
    heads.replace(3, head(5), beside=[head(2, b"x", origin="b"), head(1, origin="c")])
    # Also when the head itself is known already.
    heads.replace(5, head(5), beside=[head(9, origin="b")])

    assert heads.all() == [head(5), head(9, origin="b"), head(1, origin="c")]


@pytest.mark.refusal("HEAD_FORKED")
def test_a_head_beside_that_contradicts_what_is_known_lets_nothing_be_remembered(
    heads: HeadStore,
) -> None:
    heads.replace(None, head(3), beside=[head(3, origin="b")])

    with pytest.raises(HeadForked):
        heads.replace(3, head(5), beside=[head(3, b"x", origin="b")])
    with pytest.raises(HeadConflict):
        heads.replace(2, head(5), beside=[head(7, origin="b")])

    assert heads.all() == [head(3), head(3, origin="b")]


def test_heads_beside_are_there_after_reopening(tmp_path: Path) -> None:
    first = FileHeads(tmp_path)
    first.replace(None, head(3), beside=[head(4, origin="b")])
    first.close()

    again = FileHeads(tmp_path)

    assert again.all() == [head(3), head(4, origin="b")]
    again.close()


def test_heads_are_there_after_reopening(tmp_path: Path) -> None:
    first = FileHeads(tmp_path)
    first.replace(None, head(3))
    first.replace(3, head(5))
    first.close()

    again = FileHeads(tmp_path)

    assert again.all() == [head(5)]
    again.close()


@pytest.mark.parametrize("torn", [1, 5, 9, 30])
def test_a_torn_last_record_is_dropped(tmp_path: Path, torn: int) -> None:
    first = FileHeads(tmp_path)
    first.replace(None, head(3))
    first.replace(3, head(5))
    first.close()
    file = tmp_path / "heads"
    file.write_bytes(file.read_bytes()[:-torn])

    again = FileHeads(tmp_path)

    assert again.newest("a") == head(3)
    again.replace(3, head(6))
    again.close()
    last = FileHeads(tmp_path)
    assert last.newest("a") == head(6)
    last.close()


@pytest.mark.refusal("HEAD_FORKED")
def test_damage_before_the_last_record_is_refused(tmp_path: Path) -> None:
    first = FileHeads(tmp_path)
    first.replace(None, head(3))
    first.replace(3, head(5))
    first.close()
    file = tmp_path / "heads"
    content = bytearray(file.read_bytes())
    content[40] ^= 1
    file.write_bytes(bytes(content))

    with pytest.raises(HeadForked):
        FileHeads(tmp_path)


def test_the_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    heads = FileHeads(tmp_path, compact_bytes=1000)
    heads.replace(None, head(0))
    for size in range(200):
        heads.replace(size, head(size + 1))

    assert (tmp_path / "heads").stat().st_size < 1200
    assert heads.newest("a") == head(200)
    heads.close()


def test_a_second_opener_is_refused(tmp_path: Path) -> None:
    first = FileHeads(tmp_path)

    with pytest.raises(VaultLocked):
        FileHeads(tmp_path)

    first.close()
    FileHeads(tmp_path).close()
