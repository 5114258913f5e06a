"""The largest document that the contract lets through is kept, told and proved.

Everything at once: the longest codes, numbers and reasons, the largest amounts, most
rows, recipients and lanes. A layout that holds less stops the vault for good.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from counterfoil.app.ports import make_entry, make_passage
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import (
    Arrive,
    Deliver,
    Outcome,
    PeerAnswer,
    Witness,
)
from counterfoil.domain.document import Document
from counterfoil.domain.money import FEN_MAX
from counterfoil.domain.naming import Naming, ReferenceMeasure, ReferenceNeed
from counterfoil.domain.party import is_party_code
from counterfoil.domain.standing import Act, Role, Standing
from counterfoil.domain.voucher import ISSUE_MAX, VoucherKey
from counterfoil.tlog.note import NOTE_BYTES_MAX
from counterfoil.vault.lmdb_records import KEY_BYTES_MAX
from counterfoil.vault.packing import (
    name_key,
    pack_entry,
    pack_lane,
    pack_reference,
    pack_row,
    unpack_entry,
    unpack_lane,
    unpack_reference,
    unpack_row,
)
from counterfoil.vault.records import book_key, make_lane_row, make_log_row, make_title
from counterfoil.vault.verify import verify_vault
from tests.contract.vaults import (
    ORIGIN,
    Bench,
    recorded,
    step,
    voucher,
)
from tests.doubles import kept

K = DocumentKind
DOCUMENT_BYTES_MAX = 1_048_576
REASON_MAX = "R" * 64
"""As `peer.link` bounds what a peer says."""
TOLD_MAX = 1024
INDEX_MAX = 2**63 - 1
PEERS = tuple(f"99999999{n}-{'z' * 21}" for n in range(8))
"""Eight recipients; together they fill the byte that a leaf has for their length."""
OURS = f"888888888-{'a' * 21}"
LANES = {peer: peer for peer in (*PEERS, OURS)}
COUNT_MAX = DOCUMENT_BYTES_MAX // 2
"""An empty row takes two bytes."""

assert all(map(is_party_code, (*PEERS, OURS)))
assert len(",".join(PEERS)) == 255


def largest(
    fen: int = FEN_MAX, *, by: str = OURS, to: tuple[str, ...] = PEERS, type_: int = 0
) -> Document:
    """Make a voucher with the most of everything."""
    like = voucher(content=f"{fen} {by} {to} {type_}")
    key = VoucherKey(
        issuer=by,
        adm_div="9" * 9,
        fiscal_year=2999,
        type_code=type_ or 108_201,
        number="~" * 42,
    ).check()
    sealed = like.sealed.ljust(DOCUMENT_BYTES_MAX, b"s")
    return replace(
        like,
        key=key,
        by=by,
        recipients=to,
        amount_fen=fen,
        count=COUNT_MAX,
        sealed=sealed,
        version=sha256(sealed).digest(),
        names=tuple(
            Naming(
                types=(type_code,),
                number="~" * 42,
                amount_fen=fen,
                path="rows[9999].ori_voucher_no",
                need=ReferenceNeed.NOTHING,
                measure=ReferenceMeasure.PART,
                once=False,
                lapses=False,
            )
            for type_code in (108_201, 102_311)
        ),
    )


def about(kind: DocumentKind, document: Document, by: str = "") -> Document:
    """Make the largest document about a voucher."""
    return replace(
        step(kind, document, by=by or PEERS[0], amount_fen=document.amount_fen),
        explanation="𠀀" * 200,
        key=document.key,
        count=document.count,
        recipients=(document.key.issuer,) if by != document.by else PEERS,
    )


def require_sound(bench: Bench) -> None:
    assert bench.vault.stopped_reason == ""
    with bench.vault._engine.reading() as reading:
        report = verify_vault(reading, origin=ORIGIN)
    assert list(report.findings) == []


def done(outcome: Outcome) -> int:
    return recorded(outcome).leaf


@pytest.mark.parametrize("fen", [FEN_MAX, -FEN_MAX])
def test_the_largest_voucher_goes_out_and_is_answered(bench: Bench, fen: int) -> None:
    paper = largest(fen)
    done(bench.enter(paper, send=True, lanes=LANES))
    for peer in PEERS:
        (item,) = bench.vault.lane(peer, after=-1, limit=256)
        assert len(item.sealed) == DOCUMENT_BYTES_MAX
        # The first takes it back, the others have it.
        leaf, reason = (None, REASON_MAX) if peer == PEERS[0] else (INDEX_MAX, "")
        answer = PeerAnswer(sequence=item.sequence, leaf=leaf, reason=reason)
        (committed,) = bench.perform(
            Deliver(
                carrier=peer,
                answers=(answer,),
                evidence=b"e" * NOTE_BYTES_MAX,
                not_before_us=bench.clock.now,
            )
        )
        done(committed.outcomes[0])
    entry = kept(bench.vault, paper.key)
    assert entry is not None
    assert (entry.amount_fen, entry.count) == (fen, COUNT_MAX)
    assert [one.standing for one in entry.passages] == [
        Standing.REFUSED,
        *[Standing.ARRIVED] * 7,
    ]
    assert entry.passages[0].refused_reason == REASON_MAX
    for peer in PEERS[1:]:
        for kind in (K.ACCEPTANCE, K.RECEIPT):
            arrived = about(kind, paper, peer)
            (committed,) = bench.perform(
                Arrive(carrier=peer, documents=(arrived,), hosted=frozenset({OURS}))
            )
            done(committed.outcomes[0])
    entry = kept(bench.vault, paper.key)
    assert entry is not None
    assert {one.standing for one in entry.passages[1:]} == {Standing.CLOSED}
    require_sound(bench)


def test_the_largest_voucher_comes_in_and_is_acted_on(bench: Bench) -> None:
    paper = largest(by=PEERS[0], to=(*PEERS[1:], OURS))
    hosted = frozenset(paper.recipients)
    (committed,) = bench.perform(
        Arrive(carrier=PEERS[0], documents=(paper,), hosted=hosted)
    )
    done(committed.outcomes[0])
    for party in paper.recipients:
        (item,) = bench.vault.waiting(party, after=-1, limit=256)
        assert len(item.sealed) == DOCUMENT_BYTES_MAX
        done(bench.enter(about(K.ACCEPTANCE, paper, party), lanes=LANES))
        done(bench.act(Act.BEGIN, paper, party))
        done(bench.act(Act.END_DONE, paper, party))
        done(bench.enter(about(K.RECEIPT, paper, party), lanes=LANES))
    assert len(bench.vault.lane(PEERS[0], after=-1, limit=256)) == 16
    require_sound(bench)


@pytest.mark.parametrize("kind", [K.RETURN, K.REJECTION])
def test_the_largest_voucher_comes_back(bench: Bench, kind: DocumentKind) -> None:
    paper = largest()
    done(bench.enter(paper, send=True, lanes=LANES))
    deeds = [
        Arrive(
            carrier=peer,
            documents=(about(kind, paper, peer),),
            hosted=frozenset({OURS}),
        )
        for peer in PEERS
    ]
    for committed in bench.perform(*deeds):
        done(committed.outcomes[0])
    done(bench.enter(about(K.DISCARD, paper, OURS), lanes=LANES))
    require_sound(bench)


def test_the_longest_checkpoint_is_witnessed(bench: Bench) -> None:
    deed = Witness(carrier=PEERS[0], root=b"r" * 32, note=b"n" * NOTE_BYTES_MAX)
    done(bench.one(deed))
    assert bench.vault.stopped_reason == ""


def test_every_layout_holds_the_largest_that_reaches_it() -> None:
    told = tuple(f"77777{n:04}-{'z' * 21}" for n in range(TOLD_MAX))
    paper = largest()
    key = replace(paper.key, type_code=2**31 - 1, issue=ISSUE_MAX).to_bytes()
    place = book_key(key, Role.COPY)
    changes = tuple((at, Standing.REFUSED) for at in range(8))
    for fen in (FEN_MAX, -FEN_MAX):
        title = make_title(
            key=key,
            role=Role.COPY,
            amount_fen=fen,
            count=COUNT_MAX,
            recipients=PEERS,
        )
        row = make_log_row(
            leaf=b"l" * 1024,
            opened=INDEX_MAX,
            changes=changes,
            carriers=told,
            title=title,
        )
        assert unpack_row(INDEX_MAX, pack_row(INDEX_MAX, row)) == row
    lane = make_lane_row(
        document=INDEX_MAX,
        opened=INDEX_MAX,
        kind=K.REGISTRATION,
        digest=b"d" * 32,
        subject=b"s" * 32,
        key=key,
        by=OURS,
        recipients=told,
        not_before_us=INDEX_MAX,
    )
    where = name_key(OURS, INDEX_MAX)
    assert unpack_lane(where, pack_lane(where, lane)) == lane
    passages = tuple(
        make_passage(
            recipient=party,
            standing=Standing.REFUSED,
            leaf=INDEX_MAX,
            receipt=b"r" * 32,
            refused_reason=REASON_MAX,
        )
        for party in PEERS
    )
    for fen in (FEN_MAX, -FEN_MAX):
        entry = make_entry(
            role=Role.COPY,
            digest=b"d" * 32,
            document=INDEX_MAX,
            amount_fen=fen,
            count=COUNT_MAX,
            passages=passages,
        )
        assert unpack_entry(place, pack_entry(place, entry)) == entry
        assert unpack_reference(place, pack_reference(place, fen)) == fen
    # Of all keys the longest, where LMDB takes 511 bytes.
    assert len(place) < KEY_BYTES_MAX // 4
