"""What `counterfoil inquire` prints, it has checked."""

from __future__ import annotations

import argparse
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from counterfoil.daemon import cli, inquire_command
from counterfoil.daemon.inquire_command import _tell_act
from counterfoil.daemon.inquire_timestamps import tell_stamped
from counterfoil.desk.v1 import desk_pb2
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.refusals import VaultCorrupt
from counterfoil.domain.standing import Act
from counterfoil.domain.voucher import VoucherKey
from counterfoil.seal.timestamp_reading import question_for
from counterfoil.sealed.v1 import sealed_pb2, voucher_pb2
from counterfoil.tlog.merkle import TreeHead, leaf_hash, node_hash
from counterfoil.tlog.sm3 import sm3
from counterfoil.tlog.trees import LogTree
from counterfoil.wire.keys import key_to_message
from tests.time_stampers import TimeStamper, valid_now

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
HEADS = {LogTree.SHA256: TreeHead(2, node_hash(leaf_hash(LEAF), SIBLING))}
BOTH = {
    **HEADS,
    LogTree.SM3: TreeHead(2, node_hash(leaf_hash(LEAF, sm3), SIBLING, sm3)),
}


def record(proof: bytes, sm3_proof: bytes = b"") -> desk_pb2.ActRecord:
    return desk_pb2.ActRecord(
        leaf_index=0,
        leaf=LEAF,
        inclusion_proof=[proof],
        act="SEND VOUCHER",
        sm3_inclusion_proof=[sm3_proof] if sm3_proof else [],
    )


def test_an_act_that_is_proved_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    _tell_act(record(SIBLING), HEADS)
    _tell_act(record(SIBLING, SIBLING), BOTH)

    assert capsys.readouterr().out.startswith("act\t0\t2023-11-14T22:13:20.000+00:00")


@pytest.mark.refusal("VAULT_CORRUPT")
def test_an_act_that_is_not_proved_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(VaultCorrupt, match="leaf 0"):
        _tell_act(record(b"\7" * 32), HEADS)
    for proof in (b"", b"\7" * 32):
        with pytest.raises(VaultCorrupt, match="leaf 0"):
            _tell_act(record(SIBLING, proof), BOTH)

    assert capsys.readouterr().out == ""


KEY = key_to_message(
    VoucherKey(
        issuer="420000-011",
        adm_div="420000",
        fiscal_year=2026,
        type_code=5201,
        number="1",
    )
)
NOTE = (
    "420000-011/log\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— a AAAAAAA=\n"
)


def answered(**parts: object) -> desk_pb2.InquireResponse:
    """Return a gateway's answer that is whole but for some parts."""
    whole: dict[str, object] = {
        "voucher": voucher_pb2.VoucherReference(key=KEY, digest=b"\1" * 32),
        "checkpoint": NOTE.encode(),
    }
    return desk_pb2.InquireResponse(**(whole | parts))  # type: ignore[arg-type]


TOKEN = TimeStamper.new(valid_now())


def stamped(
    checkpoint: bytes, *, about: bytes | None = None, proof: bytes = SIBLING
) -> desk_pb2.StampedHead:
    """Return a stamped head with one act, its time stamp perhaps about another."""
    imprint = sha256(checkpoint if about is None else about).digest()
    return desk_pb2.StampedHead(
        checkpoint=checkpoint,
        time_stamp_response=TOKEN.answer(question_for(imprint, nonce=1)),
        leaves=[desk_pb2.StampedLeaf(leaf_index=0, inclusion_proof=[proof])],
    )


def note_of(head: TreeHead) -> bytes:
    root = b64encode(head.root).decode()
    return f"420000-011/log\n{head.size}\n{root}\n\n— a AAAAAAA=\n".encode()


STAMPED = note_of(HEADS[LogTree.SHA256])


def test_a_stamped_head_is_printed_with_the_acts_that_it_proves(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tell_stamped(stamped(STAMPED), {0: LEAF})

    word, at, size, acts = capsys.readouterr().out.rstrip("\n").split("\t")
    assert (word, size, acts) == ("stamped", "2 leaves", "acts 0")
    assert abs(datetime.now(UTC) - datetime.fromisoformat(at)) < timedelta(minutes=5)


@pytest.mark.refusal("VAULT_CORRUPT")
@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(stamped(STAMPED, about=b"another head"), id="another head's"),
        pytest.param(stamped(STAMPED, proof=b"\7" * 32), id="a proof"),
        pytest.param(stamped(note_of(TreeHead(2, bytes(32)))), id="another tree"),
    ],
)
def test_a_stamped_head_that_proves_nothing_is_refused(
    capsys: pytest.CaptureFixture[str], wrong: desk_pb2.StampedHead
) -> None:
    with pytest.raises(VaultCorrupt):
        tell_stamped(wrong, {0: LEAF})

    assert capsys.readouterr().out == ""


@pytest.mark.refusal("VAULT_CORRUPT")
def test_a_stamped_act_that_was_not_told_is_refused() -> None:
    with pytest.raises(VaultCorrupt, match="leaf 0"):
        tell_stamped(stamped(STAMPED), {1: LEAF})


BROKEN = {
    "a time stamp that is none": answered(
        stamped_heads=[desk_pb2.StampedHead(checkpoint=NOTE.encode())]
    ),
    "a stamped head that is none": answered(stamped_heads=[desk_pb2.StampedHead()]),
    "no checkpoint": answered(checkpoint=b""),
    "a checkpoint that is none": answered(checkpoint=b"\xff" * 100),
    "a checkpoint of the first tree for the second": answered(
        sm3_checkpoint=NOTE.encode()
    ),
    "no key": answered(voucher=voucher_pb2.VoucherReference()),
    "a leaf that is none": answered(acts=[desk_pb2.ActRecord(leaf=b"\1")]),
    "a peer's proof that is none": answered(
        acts=[desk_pb2.ActRecord(leaf=LEAF, peer_proof=b"\1")]
    ),
    "a certificate that is none": answered(
        documents=[sealed_pb2.SealedWithChain(certificates=[b"\1"])]
    ),
    "a document that is none": answered(
        documents=[sealed_pb2.SealedWithChain(sealed=b"\xff")]
    ),
}


@pytest.mark.refusal("VAULT_CORRUPT", "MALFORMED_PAYLOAD")
@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_an_answer_that_cannot_be_read_is_refused(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    answer: desk_pb2.InquireResponse,
) -> None:
    class Channel:
        def unary_unary(self, *_: object, **__: object) -> object:
            return lambda *_, **__: answer

        def __getattr__(self, _: str) -> object:
            return self.unary_unary

    @contextmanager
    def channel(_: argparse.Namespace) -> Iterator[Channel]:
        yield Channel()

    monkeypatch.setattr(inquire_command, "channel_to_gateway", channel)
    options = ("address", "certificate", "key", "authorities")

    status = cli.main(
        ["inquire", "01" * 32, *(word for one in options for word in (f"--{one}", "x"))]
    )

    assert status == cli.REFUSED
    said = capsys.readouterr().err
    assert said.startswith(("counterfoil: VAULT_CORRUPT", "counterfoil: MALFORMED"))
    assert said.count("\n") == 1


@pytest.mark.parametrize("voucher", ["xyz", "00", "01" * 33, "a/b/c/d/e", "a/b/2026"])
def test_what_names_no_voucher_is_refused_before_anybody_is_asked(
    capsys: pytest.CaptureFixture[str], voucher: str
) -> None:
    options = ("address", "certificate", "key", "authorities")

    status = cli.main(
        ["inquire", voucher, *(word for one in options for word in (f"--{one}", "x"))]
    )

    assert status == cli.USAGE
    assert f"issuer/division/year/type/number: {voucher}" in capsys.readouterr().err
