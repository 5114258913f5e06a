"""The log of the peer that the suite plays: what it shows holds, and goes on."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from counterfoil.conformance.leaves import ENTER, document_leaf, witness_leaf
from counterfoil.conformance.papers import VOUCHER, Paper
from counterfoil.conformance.peer_log import LogSettings, PeerLog
from counterfoil.conformance.target import read_target
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.standing import Act
from counterfoil.office import Reference, VoucherKey
from counterfoil.tlog.checkpoint import open_checkpoint
from counterfoil.tlog.errors import TlogError
from counterfoil.tlog.merkle import TreeHead, leaf_hash
from counterfoil.tlog.verification import verify_consistency, verify_inclusion
from counterfoil.tlog.verifiers import log_verifiers
from tests.houses import BANK, Town
from tests.integration.judged import documented, written

LEAVES = [bytes([number]) * 3 for number in range(7)]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return Town(directory=tmp_path_factory.mktemp("judged"))


@pytest.fixture
def settings(town: Town, tmp_path: Path) -> LogSettings:
    settings = read_target(written(town, documented(town))).log
    assert settings is not None
    return replace(settings, leaves=tmp_path / "leaves")


def _filled(settings: LogSettings) -> PeerLog:
    log = PeerLog(settings)
    for leaf in LEAVES:
        log.append(leaf)
    return log


def test_its_heads_are_signed_by_the_keys_that_a_gateway_knows(
    town: Town, settings: LogSettings
) -> None:
    log = _filled(settings)

    opened = open_checkpoint(
        log.checkpoint(),
        origin=f"{BANK}/log",
        required=log_verifiers(f"{BANK}/log", town.heads(BANK)),
    )

    assert opened.checkpoint.head == log.head(len(LEAVES))
    assert log.checkpoint() == log.checkpoint()


def test_every_leaf_is_shown_below_every_size(settings: LogSettings) -> None:
    log = _filled(settings)

    for size in range(1, len(LEAVES) + 1):
        for index in range(size):
            shown = log.earlier(index, size)
            assert (shown.document, shown.tree_size, shown.leaf_index) == (
                0,
                size,
                index,
            )
            verify_inclusion(
                index, leaf_hash(LEAVES[index]), log.head(size), list(shown.hashes)
            )


def test_what_entered_later_is_shown_as_such(settings: LogSettings) -> None:
    shown = _filled(settings).earlier(4, 4)

    assert (shown.tree_size, shown.leaf_index) == (4, 4)
    assert not shown.hashes


def test_it_goes_on_from_run_to_run(settings: LogSettings) -> None:
    before = _filled(settings).head(len(LEAVES))

    log = PeerLog(settings)
    log.append(b"one more")

    assert log.size == len(LEAVES) + 1
    newest = log.head(log.size)
    hashes = list(log.growth(before.size, log.size))
    verify_consistency(before, newest, hashes)
    other = TreeHead(before.size, bytes(32))
    with pytest.raises(TlogError):
        verify_consistency(other, newest, hashes)


def test_its_leaves_are_those_that_a_gateway_reads() -> None:
    key = VoucherKey(
        issuer=BANK, adm_div="420000", fiscal_year=2026, type_code=2205, number="1"
    )
    paper = Paper(
        kind=VOUCHER,
        voucher=Reference(key, sha256(b"payload").digest()),
        payload=b"payload",
        sealed=b"sealed",
    )

    assert Leaf.from_bytes(document_leaf(ENTER, paper, BANK, 12)) == Leaf(
        act=Act.ENTER,
        kind=DocumentKind.VOUCHER,
        time_us=12,
        subject=sha256(b"payload").digest(),
        document=sha256(b"payload").digest(),
        version=sha256(b"sealed").digest(),
        by=BANK,
    )


def test_the_leaf_of_a_witnessed_head_is_the_one_that_a_gateway_keeps() -> None:
    root = bytes(range(32))

    assert (
        witness_leaf(root, b"checkpoint", BANK, 34)
        == Leaf(
            act=Act.WITNESS,
            kind=DocumentKind.REGISTRATION,
            time_us=34,
            subject=root,
            document=root,
            version=sha256(b"checkpoint").digest(),
            by=BANK,
        ).to_bytes()
    )
