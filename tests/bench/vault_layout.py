"""Measures how the vault's LMDB layout bears on speed and size.

    python tests/bench/vault_layout.py layout [--present N] DIRECTORY
    python tests/bench/vault_layout.py path [--present N] [--sm3] DIRECTORY

`layout` puts index entries into bare LMDB in groups of 256 behind N that are
present: under a random digest, under the voucher key, and under a digest by parts
behind the commit. `path` runs the vault's own path on one thread (judge, write,
commit, one clock reading a group): entering, sending and delivering at the sender,
arrival at the recipient, in groups of 256 with N vouchers present; and the growth
of the file; with `--sm3` in a vault that has an SM3 tree as well. The disk must be a
disk. Others may use the machine, so the table gives CPU time beside wall time, and how
many times a second the machine could append to a Merkle frontier meanwhile: divide by
it to compare two runs.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

import lmdb

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import Arrive, Deed, Deliver, Enter, PeerAnswer, Recorded
from counterfoil.domain.document import Document
from counterfoil.domain.register import Register
from counterfoil.domain.voucher import VoucherKey
from counterfoil.tlog.merkle import Frontier
from counterfoil.vault.custody import Applied, apply
from counterfoil.vault.lmdb_engine import MEBIBYTE, LmdbEngine, LmdbLimits
from counterfoil.vault.names import PARTS, NameIndex
from counterfoil.vault.transaction import Transaction
from counterfoil.vault.written import Written

GROUP: Final = 256
BATCH: Final = 64
PAYLOAD_BYTES: Final = 1200
SEALS_BYTES: Final = 300
US, PEER, THEM = "330000001", "330000002", "330000009"
LIMITS: Final = LmdbLimits(map_bytes=65_536 * MEBIBYTE)


def voucher(number: int, issuer: str, recipient: str) -> Document:
    """Make a voucher of realistic size."""
    payload = b"%012d" % number + bytes(PAYLOAD_BYTES - 12)
    sealed = payload + os.urandom(SEALS_BYTES)
    digest = sha256(issuer.encode() + payload).digest()
    return Document(
        kind=DocumentKind.VOUCHER,
        sealed=sealed,
        digest=digest,
        version=sha256(sealed).digest(),
        key=VoucherKey(
            issuer=issuer,
            adm_div="330000",
            fiscal_year=2026,
            type_code=5201,
            number=f"{number:010}",
        ),
        subject=digest,
        by=issuer,
        recipients=(recipient,),
        amount_fen=number,
        count=1,
    )


def groups(first: int, count: int, size: int = GROUP) -> Iterator[range]:
    """Cut numbers into groups."""
    for start in range(first, first + count, size):
        yield range(start, min(start + size, first + count))


def machine_speed() -> int:
    """Return frontier appends per second of CPU time, on this machine now."""
    frontier, leaf = Frontier(), bytes(32)
    start = time.thread_time()
    for _ in range(50_000):
        frontier.append(leaf)
    return round(50_000 / (time.thread_time() - start))


def timed(name: str, count: int, work: Callable[[], object]) -> None:
    """Run `work` on `count` vouchers and print a row of the table."""
    wall, cpu = time.perf_counter(), time.thread_time()
    work()
    wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
    rate, each_us = count / wall, cpu / count * 1e6
    print(f"{name:42} {rate:9,.0f}/s {each_us:7.1f} us CPU {machine_speed():9,} ref/s")  # noqa: T201


class Path256:
    """The vault's path on one thread, without event loop and signatures."""

    def __init__(self, directory: Path, *, sm3_tree: bool) -> None:
        self.engine = LmdbEngine(directory, LIMITS, sm3_tree=sm3_tree)
        self.written = Written(Register(home=US, carriers={}))
        with self.engine.reading() as reading:
            self.names = NameIndex(reading)

    def commit(self, deeds: Iterable[Deed]) -> list[Applied]:
        """Commit one group."""
        with self.engine.writing() as writing:
            tx = Transaction(writing, time.time_ns() // 1000, self.written)
            applied = [apply(tx, deed) for deed in deeds]
            batch = tx.batch()
            self.names.put_into(batch)
            writing.commit(batch)
            self.names.committed(batch)
            self.written.committed(batch)
        return applied

    def send(self, papers: list[Document]) -> None:
        """Enter, send and deliver."""
        for part in groups(0, len(papers)):
            chosen = papers[part.start : part.stop]
            applied = self.commit(
                Enter(document=paper, lanes={PEER: PEER}, send=True) for paper in chosen
            )
            leaves = [
                outcome.leaf
                for one in applied
                for outcome in one.outcomes
                if isinstance(outcome, Recorded)
            ]
            evidence = bytes(BATCH * 32 + 3500)
            self.commit(
                Deliver(
                    carrier=PEER,
                    answers=tuple(
                        PeerAnswer(sequence=leaf, leaf=leaf)
                        for leaf in leaves[batch.start : batch.stop]
                    ),
                    evidence=evidence,
                )
                for batch in groups(0, len(leaves), BATCH)
            )

    def arrive(self, papers: list[Document]) -> None:
        """Arrive in batches of 64, four to a group."""
        for part in groups(0, len(papers)):
            self.commit(
                Arrive(
                    carrier=THEM,
                    documents=tuple(papers[batch.start : batch.stop]),
                    hosted=frozenset({US}),
                )
                for batch in groups(part.start, len(part), BATCH)
            )


def measure_path(directory: Path, present: int, count: int, *, sm3_tree: bool) -> None:
    """Print the rates of the vault's path."""
    path = Path256(directory, sm3_tree=sm3_tree)
    file = directory / "vault.lmdb"
    for part in groups(10**9, present, 8192):
        papers = [voucher(number, THEM, US) for number in part]
        path.arrive(papers)
    before = file.stat().st_size
    outgoing = [voucher(number, US, PEER) for number in range(count)]
    timed("enter, send, deliver", count, lambda: path.send(outgoing))
    grown = (file.stat().st_size - before) / count
    incoming = [voucher(2 * 10**9 + number, THEM, US) for number in range(count)]
    timed("arrive", count, lambda: path.arrive(incoming))
    print(f"{'growth per voucher at the sender':42} {grown:9,.0f} bytes")  # noqa: T201
    path.engine.close()


def measure_layout(directory: Path, present: int, count: int) -> None:
    """Print the rates of index layouts on bare LMDB."""
    directory.mkdir(parents=True, exist_ok=True)
    env = lmdb.open(
        str(directory / "layout.lmdb"),
        subdir=False,
        map_size=LIMITS.map_bytes,
        max_dbs=3,
        lib_version=0,
    )
    tables = [env.open_db(name) for name in (b"digest", b"key", b"parts")]

    def put(table: lmdb.Database, items: list[tuple[bytes, bytes]]) -> None:
        with env.begin(write=True) as txn, txn.cursor(table) as cursor:
            cursor.putmulti(sorted(items))

    for table, key in zip(tables, [digest_key, voucher_key, digest_key], strict=True):
        for part in groups(0, present, 50_000):
            put(table, [(key(number), bytes(16)) for number in part])

    def by(table: lmdb.Database, key: Callable[[int], bytes]) -> None:
        for part in groups(present, count):
            put(table, [(key(number), bytes(16)) for number in part])

    def in_parts() -> None:
        waiting: list[list[bytes]] = [[] for _ in range(PARTS)]
        for part in groups(present, count):
            for number in part:
                digest = digest_key(number)
                waiting[digest[0] * PARTS >> 8].append(digest[:16])
            if part.start - present > count // 4:
                fullest = max(range(PARTS), key=lambda at: len(waiting[at]))
                put(tables[2], [(digest, bytes(8)) for digest in waiting[fullest]])
                waiting[fullest] = []

    timed("index under a random digest", count, lambda: by(tables[0], digest_key))
    timed("index under the voucher key", count, lambda: by(tables[1], voucher_key))
    timed("digests by parts, behind the commit", count, in_parts)
    env.close()


def digest_key(number: int) -> bytes:
    """Return a key without order."""
    return sha256(b"%d" % number).digest()


def voucher_key(number: int) -> bytes:
    """Return a key that rises with the number."""
    return b"330000001\x00330000\x002026\x005201\x00%010d\x00001" % number


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description="see the module's documentation")
    parser.add_argument("what", choices=["layout", "path"])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--present", type=int, default=0)
    parser.add_argument("--count", type=int, default=20_480)
    parser.add_argument("--sm3", action="store_true", help="with an SM3 tree")
    options = parser.parse_args()
    sizes = options.directory, options.present, options.count
    if options.what == "path":
        measure_path(*sizes, sm3_tree=options.sm3)
    else:
        measure_layout(*sizes)


if __name__ == "__main__":
    main()
