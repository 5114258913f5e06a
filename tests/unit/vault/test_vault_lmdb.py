"""The LMDB engine: locks, limits, growth, kills and failing disks."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import lmdb
import pytest

from counterfoil.domain.deeds import Enter
from counterfoil.domain.refusals import VaultCorrupt, VaultFull, VaultStopped
from counterfoil.tlog.merkle import leaf_hash
from counterfoil.tlog.sm3 import sm3
from counterfoil.vault.findings import Fault
from counterfoil.vault.heads import FileHeads
from counterfoil.vault.lmdb_engine import MEBIBYTE, LmdbEngine, LmdbLimits, LmdbWriting
from counterfoil.vault.lmdb_layout import TABLES
from counterfoil.vault.locking import VaultLocked
from counterfoil.vault.verify import verify_vault
from tests.contract.vaults import (
    LANES,
    ORIGIN,
    SMALL,
    Bench,
    open_vault,
    recorded,
    run,
    voucher,
)

WRITE_FOR_EVER = """
import asyncio, sys
from collections.abc import Iterable
from pathlib import Path
from counterfoil.domain.deeds import Enter
from counterfoil.vault.heads import FileHeads
from counterfoil.vault.heads import FileHeads
from counterfoil.vault.lmdb_engine import LmdbEngine
from tests.contract.vaults import LANES, open_vault, voucher

async def main():
    place = Path(sys.argv[1])
    engine = LmdbEngine(place / "vault", sm3_tree=bool(sys.argv[2:]))
    vault = open_vault(engine, FileHeads(place / "heads"))
    number = vault.size()
    while True:
        papers = [voucher(str(number + at)) for at in range(7)]
        done = await vault.perform([Enter(document=p, lanes=LANES) for p in papers])
        for tree in vault.trees:
            vault.checkpoint(tree)
        number += 7
        print(done[-1].outcomes[0].leaf, flush=True)

asyncio.run(main())
"""


def perform_one_by_one(bench: Bench, deeds: Iterable[Enter]) -> None:
    for deed in deeds:
        bench.one(deed)


def test_a_second_opener_is_refused(tmp_path: Path) -> None:
    with LmdbEngine(tmp_path, SMALL), pytest.raises(VaultLocked):
        LmdbEngine(tmp_path, SMALL)

    LmdbEngine(tmp_path, SMALL).close()


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    place = tmp_path / "vault"

    with LmdbEngine(place, SMALL):
        modes = [stat.S_IMODE(path.stat().st_mode) for path in place.iterdir()]

    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert set(modes) == {0o600}


@pytest.mark.refusal("VAULT_CORRUPT")
def test_another_format_is_refused(tmp_path: Path) -> None:
    with LmdbEngine(tmp_path, SMALL):
        pass
    env = lmdb.open(str(tmp_path / "vault.lmdb"), subdir=False, max_dbs=12)
    meta = env.open_db(b"meta")
    with env.begin(write=True) as txn:
        txn.put(b"format", b"another", db=meta)
    env.close()

    with pytest.raises(VaultCorrupt):
        LmdbEngine(tmp_path, SMALL)


def test_the_map_grows_while_the_vault_is_in_use(tmp_path: Path) -> None:
    small = LmdbLimits(map_bytes=MEBIBYTE // 4, growth_bytes=MEBIBYTE // 4)
    bench = Bench(open_vault(LmdbEngine(tmp_path, small)))

    for number in range(40):
        bench.perform(
            *[
                Enter(
                    document=voucher(f"{number}-{at}", content="x" * 2000), lanes=LANES
                )
                for at in range(20)
            ]
        )

    assert bench.vault.size() == 800
    assert bench.vault.document(799)
    assert (tmp_path / "vault.lmdb").stat().st_size > MEBIBYTE
    bench.vault.close()


@pytest.mark.refusal("VAULT_FULL")
def test_a_full_vault_stores_nothing_and_reads_on(tmp_path: Path) -> None:
    limits = LmdbLimits(map_bytes=MEBIBYTE, map_bytes_max=MEBIBYTE)
    bench = Bench(open_vault(LmdbEngine(tmp_path, limits)))
    enters = (
        Enter(document=voucher(str(number), content="x" * 8000), lanes=LANES)
        for number in range(1000)
    )
    with pytest.raises(VaultFull):
        perform_one_by_one(bench, enters)

    before = bench.vault.size()
    with pytest.raises(VaultFull):
        bench.enter(voucher("large", content="x" * 500_000))

    assert bench.vault.size() == before > 0
    assert bench.vault.document(0)
    assert bench.vault.stopped_reason == ""
    bench.vault.close()


@pytest.mark.refusal("VAULT_FULL")
def test_the_last_of_the_disk_is_never_used(tmp_path: Path) -> None:
    limits = LmdbLimits(map_bytes=16 * MEBIBYTE, disk_reserve_bytes=1 << 62)
    bench = Bench(open_vault(LmdbEngine(tmp_path, limits)))

    with pytest.raises(VaultFull):
        bench.enter(voucher())

    assert bench.vault.size() == 0
    bench.vault.close()


@pytest.mark.refusal("VAULT_STOPPED")
def test_the_first_failed_commit_stops_all_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(open_vault(LmdbEngine(tmp_path, SMALL)))
    bench.enter(voucher("1"))

    with monkeypatch.context() as patch:

        def fail(self: LmdbWriting, batch: object) -> None:
            del self, batch
            raise lmdb.Error("fsync: Input/output error")

        patch.setattr(LmdbWriting, "commit", fail)
        with pytest.raises(VaultStopped):
            bench.enter(voucher("2"))

    with pytest.raises(VaultStopped):
        bench.enter(voucher("3"))
    assert "Input/output error" in bench.vault.stopped_reason
    assert bench.vault.document(0)
    bench.vault.close()


def test_a_child_process_cannot_use_its_parent_s_vault(tmp_path: Path) -> None:
    engine = LmdbEngine(tmp_path, SMALL)
    child = os.fork()
    if not child:
        try:
            with engine.reading():
                os._exit(1)
        except RuntimeError:
            os._exit(0)

    _, status = os.waitpid(child, 0)

    assert status == 0
    engine.close()


def test_the_digest_index_is_complete_after_reopening(tmp_path: Path) -> None:
    papers = [voucher(str(number)) for number in range(40)]
    bench = Bench(open_vault(LmdbEngine(tmp_path, SMALL)))
    heads = bench.vault._signer._heads
    bench.vault._names._waiting_max = 4
    for paper in papers:
        bench.enter(paper)
    bench.vault.close()

    engine = LmdbEngine(tmp_path, SMALL)
    with engine.reading() as reading:
        written = len(list(reading.all_names()))
        report = verify_vault(reading, origin=ORIGIN, heads=heads)
    again = open_vault(engine, heads)

    assert 0 < written <= len(papers)
    assert written + again._names._waiting == len(papers)
    assert report.is_sound
    assert [again.key_of(paper.digest) for paper in papers] == [p.key for p in papers]
    again.close()


@pytest.mark.slow
@pytest.mark.clause("wuhai-3")
@pytest.mark.parametrize("second", [[], ["sm3"]], ids=["one tree", "both trees"])
def test_what_was_acknowledged_survives_kills(
    tmp_path: Path, second: list[str]
) -> None:
    path = os.pathsep.join(entry for entry in sys.path if entry)
    for round_ in range(4):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITE_FOR_EVER, str(tmp_path), *second],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        assert writer.stdout is not None
        acknowledged = int(writer.stdout.readline())
        time.sleep(0.05 * round_)
        writer.send_signal(signal.SIGKILL)
        rest = writer.communicate()[0].split(b"\n")
        acknowledged = max([acknowledged, *[int(line) for line in rest[:-1] if line]])

        heads = FileHeads(tmp_path / "heads")
        with LmdbEngine(tmp_path / "vault") as engine, engine.reading() as reading:
            report = verify_vault(reading, origin=ORIGIN, heads=heads)
        heads.close()
        assert report.findings == []
        assert report.size > acknowledged
        assert report.size % 7 == 0
        assert bool(report.sm3_root) is bool(second)


def test_outcomes_after_reopening_are_those_of_before(tmp_path: Path) -> None:
    paper = voucher()
    bench = Bench(open_vault(LmdbEngine(tmp_path, SMALL)))
    heads = bench.vault._signer._heads
    first = recorded(bench.enter(paper, send=True))
    note = bench.vault.checkpoint()
    bench.vault.close()

    again = Bench(open_vault(LmdbEngine(tmp_path, SMALL), heads))
    known = recorded(again.enter(paper, send=True))

    assert (known.leaf, known.time_us, known.new) == (first.leaf, first.time_us, False)
    assert again.vault.checkpoint() == note
    assert again.vault.lane_lengths() == {"330000002": 1}
    assert run(again.vault.changed(0)) == 1
    again.vault.close()


# --- the SM3 tree ----------------------------------------------------------------


def tables_of(place: Path) -> tuple[set[bytes], set[bytes], bytes | None]:
    """Return the tables of a vault, the names in its `meta`, and its format."""
    env = lmdb.open(str(place / "vault.lmdb"), subdir=False, readonly=True, max_dbs=20)
    meta, main = env.open_db(b"meta"), env.open_db(None)
    with env.begin() as txn:
        tables = set(txn.cursor(main).iternext(values=False))
        names = set(txn.cursor(meta).iternext(values=False))
        found = txn.get(b"format", db=meta)
    env.close()
    return tables, names, found


@pytest.mark.parametrize("sm3_tree", [False, True])
def test_only_a_vault_with_an_sm3_tree_is_of_another_format(
    tmp_path: Path,
    sm3_tree: bool,  # noqa: FBT001
) -> None:
    bench = Bench(open_vault(LmdbEngine(tmp_path, SMALL, sm3_tree=sm3_tree)))
    bench.enter(voucher())
    bench.vault.close()

    tables, names, found = tables_of(tmp_path)

    plain = {name.encode() for name in TABLES}
    if sm3_tree:
        assert tables == plain | {b"sm3_tiles"}
        assert names == {b"format", b"state", b"sm3"}
        # Not the plain one: who does not know the tree would write leaves past it.
        assert found == b"counterfoil vault 6 sm3"
    else:
        assert tables == plain
        assert names == {b"format", b"state"}
        assert found == b"counterfoil vault 6"


@pytest.mark.refusal("VAULT_CORRUPT")
@pytest.mark.parametrize("form", [b"counterfoil vault 5", b"counterfoil vault 6 sm4"])
def test_a_format_that_is_not_known_is_refused(tmp_path: Path, form: bytes) -> None:
    with LmdbEngine(tmp_path, SMALL) as engine:
        txn, tables = engine.begin()
        txn.put(b"format", form, db=tables.meta)
        txn.commit()

    with pytest.raises(VaultCorrupt, match="of this format"):
        LmdbEngine(tmp_path, SMALL)


@pytest.mark.refusal("VAULT_CORRUPT")
@pytest.mark.parametrize("change", [None, b"x"])
def test_an_sm3_tree_whose_state_is_gone_or_damaged_is_told(
    tmp_path: Path, change: bytes | None
) -> None:
    with LmdbEngine(tmp_path, SMALL, sm3_tree=True) as engine:
        txn, tables = engine.begin()
        if change is None:
            txn.delete(b"sm3", db=tables.meta)
        else:
            state = txn.get(b"sm3", b"", db=tables.meta)
            txn.put(b"sm3", state + change, db=tables.meta)
        txn.commit()

        with engine.reading() as reading, pytest.raises(VaultCorrupt):
            reading.sm3_tree()
        with pytest.raises(VaultCorrupt):
            open_vault(engine)


def test_a_flipped_bit_in_a_tile_of_the_sm3_tree_on_disk_is_found(
    tmp_path: Path,
) -> None:
    bench = Bench(open_vault(LmdbEngine(tmp_path, SMALL, sm3_tree=True)))
    bench.enter(voucher("1"))
    bench.enter(voucher("2"))
    hashed = leaf_hash(bench.vault.leaf(1).to_bytes(), sm3)
    bench.vault.close()
    file = tmp_path / "vault.lmdb"
    content = bytearray(file.read_bytes())
    # Not in the newest peak, which the state holds under a check sum.
    found = content.find(hashed)
    assert found >= 0
    while found >= 0:
        content[found] ^= 0x04
        found = content.find(hashed)
    file.write_bytes(bytes(content))

    with LmdbEngine(tmp_path, SMALL) as engine, engine.reading() as reading:
        report = verify_vault(reading, origin=ORIGIN)

    assert {finding.fault for finding in report.findings} == {Fault.SM3_TREE_CHANGED}
