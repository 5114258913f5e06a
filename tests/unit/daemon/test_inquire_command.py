"""What `counterfoil inquire` prints, it has checked."""

from __future__ import annotations

import pytest

from counterfoil.daemon.inquire_command import _tell_act
from counterfoil.desk.v1 import desk_pb2
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.refusals import VaultCorrupt
from counterfoil.domain.standing import Act
from counterfoil.tlog.merkle import TreeHead, leaf_hash, node_hash

LEAF = Leaf(
    act=Act.SEND,
    kind=DocumentKind.VOUCHER,
    time_us=1_700_000_000_000_000,
    subject=b"\1" * 32,
    document=b"\1" * 32,
    version=b"\2" * 32,
    by="420000-011",
).to_bytes()
SIBLING = leaf_hash(b"another leaf")
HEAD = TreeHead(2, node_hash(leaf_hash(LEAF), SIBLING))


def record(proof: bytes) -> desk_pb2.ActRecord:
    return desk_pb2.ActRecord(
        leaf_index=0, leaf=LEAF, inclusion_proof=[proof], act="SEND VOUCHER"
    )


def test_an_act_that_is_proved_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    _tell_act(record(SIBLING), HEAD)

    assert capsys.readouterr().out.startswith("act\t0\t2023-11-14T22:13:20.000+00:00")


@pytest.mark.refusal("VAULT_CORRUPT")
def test_an_act_that_is_not_proved_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(VaultCorrupt, match="leaf 0"):
        _tell_act(record(b"\7" * 32), HEAD)

    assert capsys.readouterr().out == ""
