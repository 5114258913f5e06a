"""Both engines do the same with any sequence of deeds, and verify as sound."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import (
    Arrive,
    Committed,
    Deed,
    Deliver,
    Enter,
    PeerAnswer,
    Perform,
    Read,
    Send,
    Withdraw,
    Witness,
)
from counterfoil.domain.document import Document
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.naming import Naming, ReferenceMeasure, ReferenceNeed
from counterfoil.domain.refusals import CounterfoilError
from counterfoil.domain.standing import Act
from counterfoil.tlog.trees import LogTree
from counterfoil.vault.engine import Engine
from counterfoil.vault.heads import MemoryHeads
from counterfoil.vault.lmdb_engine import LmdbEngine
from counterfoil.vault.memory_engine import MemoryEngine
from counterfoil.vault.verify import verify_vault
from tests.contract.vaults import (
    BANK,
    FINANCE,
    LANES,
    ORIGIN,
    SMALL,
    TREASURY,
    Bench,
    StepClock,
    open_vault,
    peer_checkpoint,
    step,
    voucher,
)

K = DocumentKind
OURS = st.builds(
    lambda number, content, to: voucher(number, content=content, to=to),
    st.sampled_from("123"),
    st.sampled_from(["a", "b"]),
    st.sampled_from([(BANK,), (BANK, TREASURY)]),
)
THEIRS = st.builds(
    lambda number, content, to: voucher(number, content=content, to=to, issuer=BANK),
    st.sampled_from("123"),
    st.sampled_from(["a", "b"]),
    st.sampled_from([(FINANCE,), (FINANCE, TREASURY)]),
)
NAMING = st.builds(
    lambda number, of, fen, measure, once: naming(number, of, fen, measure, once=once),
    st.sampled_from("45"),
    st.sampled_from("123"),
    st.sampled_from([4_000, 10_000]),
    st.sampled_from([ReferenceMeasure.EQUAL, ReferenceMeasure.PART]),
    st.booleans(),
)
STEP_KINDS = st.sampled_from(
    [kind for kind in K if kind not in {K.VOUCHER, K.REGISTRATION}]
)


def naming(
    number: str, of: str, fen: int, measure: ReferenceMeasure, *, once: bool
) -> Document:
    """A voucher of ours that names one of theirs."""
    name = Naming(
        types=(5201, 5202),
        number=of,
        amount_fen=fen,
        path="number",
        need=ReferenceNeed.HELD,
        measure=measure,
        once=once,
    )
    return replace(voucher(number, content=repr(name)), names=(name,))


class Engines(RuleBasedStateMachine):
    """Performs each deed on both engines."""

    sm3_tree = False

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="vault-"))
        engines: tuple[Engine, Engine] = (
            MemoryEngine(sm3_tree=self.sm3_tree),
            LmdbEngine(self.directory / "vault", SMALL, sm3_tree=self.sm3_tree),
        )
        self.engines = engines
        self.heads = MemoryHeads(), MemoryHeads()
        self.papers: dict[bytes, Document] = {}
        self.grown = Counter({BANK: 1, TREASURY: 1})
        self.benches = [
            Bench(open_vault(engine, heads, clock), clock)
            for engine, heads in zip(engines, self.heads, strict=True)
            for clock in [StepClock()]
        ]
        for bench in self.benches:
            bench.vault._names._waiting_max = 2

    def teardown(self) -> None:
        for bench in self.benches:
            bench.vault.close()
        shutil.rmtree(self.directory)

    def both(self, *deeds: Deed) -> list[Committed]:
        for deed in deeds:
            papers = [deed.document] if isinstance(deed, Enter) else []
            papers += deed.documents if isinstance(deed, Arrive) else []
            self.papers |= {paper.sealed: paper for paper in papers}
        one, two = (bench.perform(*deeds) for bench in self.benches)
        assert [told(committed) for committed in one] == [told(c) for c in two]
        return one

    @rule(paper=OURS, send=st.booleans())
    def enter(self, paper: Document, send: bool) -> None:  # noqa: FBT001
        self.both(Enter(document=paper, lanes=LANES, send=send))

    @rule(paper=NAMING)
    def enter_what_names(self, paper: Document) -> None:
        self.both(Enter(document=paper, lanes=LANES))

    @rule(paper=NAMING)
    def withdraw_what_names(self, paper: Document) -> None:
        self.both(Withdraw(key=paper.key, digest=paper.digest))

    @rule(paper=OURS, kind=STEP_KINDS)
    def step_of_issuer(self, paper: Document, kind: K) -> None:
        self.both(Enter(document=step(kind, paper, by=FINANCE), lanes=LANES))

    @rule(paper=OURS)
    def send(self, paper: Document) -> None:
        self.both(Send(key=paper.key, digest=paper.digest, lanes=LANES))

    @rule(paper=OURS)
    def withdraw(self, paper: Document) -> None:
        self.both(Withdraw(key=paper.key, digest=paper.digest))

    @rule(
        papers=st.lists(THEIRS, max_size=3),
        steps=st.lists(
            st.tuples(OURS, STEP_KINDS, st.sampled_from([BANK, TREASURY]), OURS),
            max_size=3,
        ),
    )
    def arrive(
        self, papers: list[Document], steps: list[tuple[Document, K, str, Document]]
    ) -> None:
        documents = [
            *papers,
            *[step(kind, about, by=by) for about, kind, by, _ in steps],
        ]
        (committed,) = self.both(
            Arrive(
                carrier=BANK,
                documents=tuple(documents),
                hosted=frozenset({FINANCE, TREASURY}),
            )
        )
        assert len(committed.outcomes) == len(documents)

    @rule(paper=THEIRS, kind=STEP_KINDS, by=st.sampled_from([FINANCE, TREASURY]))
    def step_of_recipient(self, paper: Document, kind: K, by: str) -> None:
        self.both(Enter(document=step(kind, paper, by=by), lanes=LANES))

    @rule(paper=THEIRS, kind=STEP_KINDS)
    def step_of_their_issuer(self, paper: Document, kind: K) -> None:
        document = step(kind, paper, by=BANK)
        self.both(
            Arrive(carrier=BANK, documents=(document,), hosted=frozenset({FINANCE}))
        )

    @rule(
        paper=THEIRS,
        act=st.sampled_from(
            [Act.BEGIN, Act.END_DONE, Act.END_NOT_DONE, Act.END_UNKNOWN]
        ),
    )
    def act(self, paper: Document, act: Act) -> None:
        deed = Perform(act=act, key=paper.key, digest=paper.digest, recipient=FINANCE)
        self.both(deed)

    @rule(
        carrier=st.sampled_from([BANK, TREASURY]),
        arrived=st.sampled_from([True, True, False]),
        retryable=st.booleans(),
        count=st.integers(1, 3),
    )
    def deliver(
        self,
        carrier: str,
        arrived: bool,  # noqa: FBT001
        retryable: bool,  # noqa: FBT001
        count: int,
    ) -> None:
        lane = self.benches[0].vault.lane(carrier, after=-1, limit=count)
        answers = tuple(
            PeerAnswer(
                sequence=item.sequence,
                leaf=at if arrived else None,
                reason="" if arrived else "REASON",
                retryable=retryable,
            )
            for at, item in enumerate(lane)
        )
        self.both(Deliver(carrier=carrier, answers=answers, evidence=b"evidence"))

    @rule(leaf=st.integers(-1, 20), party=st.sampled_from([FINANCE, TREASURY]))
    def read(self, leaf: int, party: str) -> None:
        self.both(Read(party=party, leaves=(leaf,)))

    @rule(carrier=st.sampled_from([BANK, TREASURY]), leaves=st.integers(0, 3))
    def witness(self, carrier: str, leaves: int) -> None:
        """See a head that is larger than the one before, or the same once more."""
        self.grown[carrier] += leaves
        size = self.grown[carrier]
        root = sha256(b"%d" % size).digest()
        note = peer_checkpoint(root, size, carrier)
        self.both(Witness(carrier=carrier, root=root, note=note))

    @invariant()
    def everything_that_can_be_read_is_equal(self) -> None:
        one, two = (seen(bench) for bench in self.benches)
        assert one == two

    @invariant()
    def both_are_sound(self) -> None:
        for engine, heads in zip(self.engines, self.heads, strict=True):
            with engine.reading() as reading:
                report = verify_vault(
                    reading, origin=ORIGIN, heads=heads, judge=self.judge
                )
            assert report.findings == []

    def judge(self, sealed: bytes, leaf: Leaf, names: object) -> Document:
        """Say what a document states, as the one who wrote it knows."""
        del leaf, names
        return self.papers[sealed]


def told(committed: Committed) -> object:
    """Return what a deed came to, refusals by their reason."""
    outcomes = [
        outcome.reason if isinstance(outcome, CounterfoilError) else outcome
        for outcome in committed.outcomes
    ]
    return (
        outcomes,
        committed.size,
        committed.time_us,
        committed.checkpoint,
        committed.range_proof,
        committed.first_leaf,
        committed.new_count,
    )


def seen(bench: Bench) -> object:
    """Return what a vault shows to its readers."""
    vault = bench.vault
    size = vault.size()
    return (
        size,
        vault.records(0, 1000),
        [
            (
                vault.checkpoint(tree),
                vault.inclusion_proofs(range(size), size, tree),
                [vault.consistency_proof(at, size, tree) for at in range(size)],
            )
            for tree in LogTree
            if tree in vault.trees
        ],
        [
            vault.witnessed(carrier, until_us)
            for carrier in (BANK, TREASURY, FINANCE)
            for until_us in (
                0,
                *(record.leaf.time_us for record in vault.records(0, 99)),
            )
        ],
        vault.lane_lengths(),
        [vault.lane(carrier, after=-1, limit=99) for carrier in (BANK, TREASURY)],
        [vault.waiting(p, after=-1, limit=99) for p in (FINANCE, TREASURY)],
        [vault.key_of(record.leaf.subject) for record in vault.records(0, 1000)],
    )


class EnginesWithBothTrees(Engines):
    """The same with an SM3 tree."""

    sm3_tree = True


SETTINGS = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
Engines.TestCase.settings = SETTINGS
EnginesWithBothTrees.TestCase.settings = settings(SETTINGS, max_examples=10)
TestEngines = pytest.mark.slow(Engines.TestCase)
TestEnginesWithBothTrees = pytest.mark.slow(EnginesWithBothTrees.TestCase)
