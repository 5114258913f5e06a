"""A check is answered once it is in the log, for a while, and from before it only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from counterfoil.app.audit import CHECK_S_MAX, AnswerAudit
from counterfoil.app.audit_rows import FindRows
from counterfoil.app.ports import LogRecord, RegistrationRow
from counterfoil.domain.audit import AuditQuery, RecordEnd, RefusedCall, Subject
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import Outcome, Recorded
from counterfoil.domain.document import Document
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.party import Identity, Use
from counterfoil.domain.posts import Post
from counterfoil.domain.refusals import CounterfoilError, VaultFull
from counterfoil.domain.register_refusals import AuditCheckRefused
from counterfoil.domain.registration import (
    AuditCheck,
    Matter,
    Registration,
    key_of_registration,
)
from counterfoil.domain.registry import Caller
from counterfoil.domain.standing import Act, Role, Standing
from counterfoil.domain.voucher import VoucherKey

FINANCE, BANK = "420000-011", "420000-102"
OFFICER = Identity(party=FINANCE, use=Use.PERSON, name="officer")
CALLER = Caller(
    identity=OFFICER,
    posts=frozenset({Post.SECURITY_OFFICER}),
    certificate=b"",
    certificate_digest=b"",
)
NOW_US = 1_790_000_000_000_000
CHECK = b"check"


def document(matter: Matter, *signers: Identity) -> Document:
    """Return a verified registration."""
    said = Registration(
        by=FINANCE,
        number="1",
        told=(),
        explanation="",
        matter=matter,
        signers=signers,
        digest=b"d" * 32,
    )
    return Document(
        kind=DocumentKind.REGISTRATION,
        sealed=CHECK,
        digest=said.digest,
        version=b"v" * 32,
        key=key_of_registration(FINANCE, "1"),
        subject=said.digest,
        by=FINANCE,
        recipients=(),
        registration=said,
    )


def record(index: int, act: Act = Act.ENTER, by: str = FINANCE) -> LogRecord:
    """Return an act of the log, one a second."""
    leaf = Leaf(
        act=act,
        kind=DocumentKind.VOUCHER,
        time_us=index * 1_000_000,
        subject=b"s" * 32,
        document=b"s" * 32,
        version=b"v" * 32,
        by=by,
    )
    key = VoucherKey(
        issuer=FINANCE,
        adm_div="420000",
        fiscal_year=2026,
        type_code=5201,
        number=str(index),
    )
    changes = ((BANK, Standing.SENT),) if act is Act.SEND else ()
    return LogRecord(
        index=index,
        leaf=leaf,
        key=key,
        amount_fen=1,
        count=1,
        role=Role.ISSUER,
        changes=changes,
    )


@dataclass
class Log:
    """A log of plain acts; registrations are asked for elsewhere."""

    rows: list[LogRecord]
    registered: list[RegistrationRow] = field(default_factory=list)

    def records(self, first: int, limit: int) -> list[LogRecord]:
        return self.rows[first : first + limit]

    def registrations(self, *, after: int, limit: int) -> list[RegistrationRow]:
        return [row for row in self.registered if row.index > after][:limit]


@dataclass
class Entering:
    """Examines as `document` says, and enters as `outcome` says."""

    document: Document | CounterfoilError
    outcome: Outcome
    entered: int = 0

    @property
    def works(self) -> Entering:
        return self

    async def examine(
        self, _documents: Sequence[bytes], _certificates: Sequence[bytes], *, at_us: int
    ) -> list[Document | CounterfoilError]:
        assert at_us == NOW_US
        return [self.document]

    async def __call__(
        self, _documents: Sequence[bytes], _certificates: Sequence[bytes]
    ) -> list[tuple[bytes, Outcome]]:
        self.entered += 1
        return [(b"", self.outcome)]


class Seen:
    """What a gateway saw."""

    def refusals(self) -> list[RefusedCall]:
        row = RefusedCall(
            identity=f"urn:counterfoil:{BANK}:person:first",
            certificate=b"",
            method="/Seal",
            reason="POST_REFUSED",
            count=1,
            first_us=1,
            last_us=5_000_000,
        )
        return [row, replace(row, identity="", last_us=9_000_000)]

    def record_end(self) -> RecordEnd:
        return RecordEnd(entries=7, digest=b"d" * 32)


@dataclass
class Room:
    """What an audit works with, and the audit."""

    query: AuditQuery = field(default_factory=lambda: AuditQuery(subject=Subject.ACTS))
    signer: Identity = OFFICER
    age_s: int = 0
    log: Log = field(default_factory=lambda: Log([record(i) for i in range(1200)]))
    leaf: int = 1200
    seen: Seen = field(default_factory=Seen)
    entering: Entering = field(init=False)

    def __post_init__(self) -> None:
        check = AuditCheck(matter="m", finding="", query=self.query)
        self.entering = Entering(
            document(check, self.signer),
            Recorded(
                leaf=self.leaf,
                standing=Standing.SEALED,
                time_us=NOW_US - self.age_s * 1_000_000,
            ),
        )

    def now_us(self) -> int:
        return NOW_US

    @property
    def answer(self) -> AnswerAudit:
        return AnswerAudit(
            enter=self.entering,  # type: ignore[arg-type]  # what is used of it
            clock=self,
            rows=FindRows(
                vault=self.log,  # type: ignore[arg-type]
                sightings=self.seen,  # type: ignore[arg-type]
                matter_of=lambda sealed: sealed.decode(),
            ),
        )

    async def pages(self) -> list[list[int]]:
        """Return the indices of the acts or registrations, page by page."""
        pages, first = [], 0
        while True:
            told = await self.answer(CHECK, [], from_leaf=first, caller=CALLER)
            acts = [one.index for one in told.acts]
            pages.append(acts + [one.index for one in told.registrations])
            if told.next_leaf is None:
                return pages
            assert told.next_leaf > first
            first = told.next_leaf


@pytest.mark.refusal("AUDIT_CHECK_REFUSED")
@pytest.mark.clause("hubei-37c")
async def test_a_check_is_good_for_fifteen_minutes_and_no_longer() -> None:
    in_time = Room(age_s=CHECK_S_MAX)
    told = await in_time.answer(CHECK, [], from_leaf=0, caller=CALLER)
    assert told.acts

    with pytest.raises(AuditCheckRefused) as caught:
        await Room(age_s=CHECK_S_MAX + 1).answer(CHECK, [], from_leaf=0, caller=CALLER)
    assert caught.value.facts["check"] == "age"


@pytest.mark.refusal("AUDIT_CHECK_REFUSED")
@pytest.mark.clause("hubei-37c")
async def test_a_check_of_another_officer_is_neither_entered_nor_answered() -> None:
    room = Room(signer=replace(OFFICER, name="officer-2"))

    with pytest.raises(AuditCheckRefused) as caught:
        await room.answer(CHECK, [], from_leaf=0, caller=CALLER)

    assert caught.value.facts["check"] == "signer"
    assert room.entering.entered == 0


@pytest.mark.refusal("AUDIT_CHECK_REFUSED")
async def test_a_check_that_asks_nothing_is_neither_entered_nor_answered() -> None:
    room = Room()
    room.entering.document = document(AuditCheck(matter="m", finding="f"), OFFICER)

    with pytest.raises(AuditCheckRefused) as caught:
        await room.answer(CHECK, [], from_leaf=0, caller=CALLER)

    assert caught.value.facts["check"] == "query"
    assert room.entering.entered == 0


@pytest.mark.clause("hubei-37c")
async def test_what_is_not_recorded_is_not_answered() -> None:
    room = Room()
    room.entering.outcome = VaultFull("no room")

    with pytest.raises(VaultFull):
        await room.answer(CHECK, [], from_leaf=0, caller=CALLER)


async def test_all_acts_before_the_check_are_told_once_and_in_order() -> None:
    pages = await Room(leaf=1100).pages()

    assert len(pages) == 3
    assert [index for page in pages for index in page] == list(range(1100))


async def test_a_page_behind_the_check_tells_nothing() -> None:
    told = await Room(leaf=3).answer(CHECK, [], from_leaf=7, caller=CALLER)

    assert (list(told.acts), told.next_leaf) == ([], None)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (AuditQuery(subject=Subject.ACTS, acts=frozenset({Act.SEND})), [1, 3]),
        (AuditQuery(subject=Subject.ACTS, party=BANK), [2, 3]),
        (AuditQuery(subject=Subject.ACTS, from_us=2_000_000), [2, 3]),
        (AuditQuery(subject=Subject.ACTS, until_us=2_000_000), [0, 1]),
        (AuditQuery(subject=Subject.ACTS, kinds=frozenset({DocumentKind.RETURN})), []),
    ],
)
async def test_acts_are_found_by_what_is_asked(
    query: AuditQuery, found: list[int]
) -> None:
    sent = record(1, Act.SEND)
    rows = [
        record(0),
        replace(sent, changes=()),
        record(2, by=BANK),
        record(3, Act.SEND),
    ]

    assert await Room(query=query, log=Log(rows), leaf=4).pages() == [found]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (AuditQuery(subject=Subject.REGISTRATIONS), list(range(70))),
        (
            AuditQuery(
                subject=Subject.REGISTRATIONS, matters=frozenset({"loss_notice"})
            ),
            [3, 60],
        ),
        (AuditQuery(subject=Subject.REGISTRATIONS, party=BANK), []),
        (AuditQuery(subject=Subject.REGISTRATIONS, until_us=2_000_000), [0, 1]),
    ],
)
async def test_registrations_are_told_page_by_page(
    query: AuditQuery, found: list[int]
) -> None:
    rows = [
        RegistrationRow(
            index=index,
            leaf=record(index).leaf,
            sealed=b"loss_notice" if index in {3, 60, 75} else b"filing",
        )
        for index in range(80)
    ]

    pages = await Room(query=query, log=Log([], rows), leaf=70).pages()

    assert [index for page in pages for index in page] == found


@pytest.mark.parametrize(
    ("query", "count"),
    [
        (AuditQuery(subject=Subject.REFUSALS), 2),
        (AuditQuery(subject=Subject.REFUSALS, party=BANK), 1),
        (AuditQuery(subject=Subject.REFUSALS, from_us=6_000_000), 1),
        (AuditQuery(subject=Subject.REFUSALS, party=FINANCE), 0),
    ],
)
async def test_refusals_are_found_by_party_and_time(
    query: AuditQuery, count: int
) -> None:
    told = await Room(query=query).answer(CHECK, [], from_leaf=0, caller=CALLER)

    assert len(told.refusals) == count


@dataclass
class Crowd(Seen):
    """A gateway that refused more calls than a page holds, and goes on to."""

    newest: int = 2500

    def refusals(self) -> list[RefusedCall]:
        (row, _) = super().refusals()
        self.newest += 1
        return [replace(row, place=place) for place in range(self.newest, 0, -1)]


async def test_refused_calls_are_told_page_by_page_each_once() -> None:
    room = Room(query=AuditQuery(subject=Subject.REFUSALS), seen=Crowd())

    places, first = [], 0
    while True:
        told = await room.answer(CHECK, [], from_leaf=first, caller=CALLER)
        assert told.record is not None
        assert told.record.entries == 7
        places.append([row.place for row in told.refusals])
        if told.next_leaf is None:
            break
        first = told.next_leaf

    assert [len(page) for page in places] == [1000, 1000, 501]
    # What is refused meanwhile is told by another check.
    assert [place for page in places for place in page] == list(range(2501, 0, -1))
