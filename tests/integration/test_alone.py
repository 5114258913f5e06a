"""Nobody completes, receipts, returns or discards a payment voucher alone.

One certificate after the other, and nobody else's, tries every act of the desk about
a direct payment (5201) in every standing that it can have.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product

import pytest
import pytest_asyncio

from counterfoil.domain.standing import Act
from counterfoil.office import (
    ActOutcome,
    AsyncDesk,
    DeskRefused,
    Outcome,
    Person,
    Reason,
    Seal,
    Standing,
    matters,
    plan_of,
    registering,
    seal_voucher,
)
from counterfoil.registry.v1 import registry_pb2, registry_pb2_grpc
from tests.houses import BANK, FINANCE, UNIT, Town
from tests.integration.conftest import Pair
from tests.integration.desks import (
    Issued,
    accept_at,
    act_on,
    done,
    issue,
    personal_seals,
    reaches,
    refused,
    review,
    write,
)
from tests.integration.papers import receipt_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

PERSONS = (
    *("first", "second", "both", "manager"),
    *("supervisor", "officer", "archivist", "nobody"),
)
WHY = "alone"


@dataclass(frozen=True, slots=True)
class Alone:
    """Somebody who acts with one certificate only."""

    party: str
    use: str
    name: str

    def __str__(self) -> str:
        return f"{self.party} {self.use} {self.name}"


PEOPLE = [
    Alone(party, "person", name) for party in (FINANCE, UNIT, BANK) for name in PERSONS
]
OTHERS = [
    Alone(UNIT, "system", "1"),
    *(Alone(party, "gateway", "1") for party in (FINANCE, BANK)),
]


def _urn(party: str, name: str) -> str:
    return f"urn:counterfoil:{party}:person:{name}"


async def _give_posts(town: Town, home: str, party: str) -> None:
    """Let one person of a party hold both posts of reviewers, and sign anything."""
    now, urn = datetime.now(UTC), _urn(party, "both")
    filing = matters.filing(urn, valid_from="20260101", valid_until="20991231")
    signed, signers = [], []
    for number, matter, by in (
        ("first", matters.post_assignment(urn, "first-reviewer"), "manager"),
        ("second", matters.post_assignment(urn, "second-reviewer"), "manager"),
        ("filed", filing, "officer"),
    ):
        one = registering.registration(
            home, f"{party}-both-{number}", matter, stated_time=now
        )
        for name in (by, "supervisor"):
            signers.append(town.person(home, name))
            one = one.signed(signers[-1], stated_time=now)
        signed.append(one.to_bytes())
    async with town.channel(home, "person", "manager") as channel:
        response = await registry_pb2_grpc.RegistryServiceStub(channel).Register(
            registry_pb2.RegisterRequest(
                registrations=signed,
                certificates=sorted({signer.certificate for signer in signers}),
            )
        )
    assert all(result.HasField("done") for result in response.results)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def staffed(pair: Pair) -> Pair:
    """Return the pair, with a person of both reviewers' posts and one of none."""
    for home, party in ((FINANCE, FINANCE), (FINANCE, UNIT), (BANK, BANK)):
        for name in ("both", "nobody"):
            pair.town.ca.issue(party, "person", name, now=datetime.now(UTC))
        await _give_posts(pair.town, home, party)
    return pair


async def _draft(pair: Pair) -> Issued:
    async with pair.town.desk(FINANCE) as finance:
        return await write(finance, pair.papers.direct_payment())


async def _reviewed_once(pair: Pair) -> Issued:
    issued = await _draft(pair)
    (seal,) = personal_seals(pair.town, issued, FINANCE, ("first",))
    async with pair.town.desk(FINANCE, "person", "first") as desk:
        (outcome,) = await desk.review([(issued.reference.digest, seal)])
    done(outcome)
    return issued


async def _reviewed(pair: Pair) -> Issued:
    issued = await _draft(pair)
    await review(pair.town, issued)
    return issued


async def _sealed(pair: Pair) -> Issued:
    return await issue(pair.town, pair.papers.direct_payment(), send=False)


async def _arrived(pair: Pair) -> Issued:
    issued = await issue(pair.town, pair.papers.direct_payment())
    async with pair.town.desk(BANK) as bank:
        await reaches(bank, issued.reference, Standing.ARRIVED)
    return issued


async def _rejected(pair: Pair) -> Issued:
    issued = await _arrived(pair)
    async with pair.town.desk(BANK) as bank:
        await bank.reject([Reason(issued.reference, WHY)])
    return issued


async def _returned(pair: Pair) -> Issued:
    issued = await _arrived(pair)
    async with pair.town.desk(BANK) as bank:
        await bank.return_vouchers([Reason(issued.reference, WHY)])
    return issued


async def _accepted(pair: Pair) -> Issued:
    issued = await _arrived(pair)
    async with pair.town.desk(BANK) as bank:
        await accept_at(bank, issued.reference)
    return issued


async def _acting(pair: Pair) -> Issued:
    issued = await _accepted(pair)
    async with pair.town.desk(BANK) as bank:
        await bank.begin_acting([issued.reference])
    return issued


async def _unknown(pair: Pair) -> Issued:
    issued = await _accepted(pair)
    async with pair.town.desk(BANK) as bank:
        await act_on(bank, issued.reference, ActOutcome.UNKNOWN)
    return issued


async def _acted(pair: Pair) -> Issued:
    issued = await _accepted(pair)
    async with pair.town.desk(BANK) as bank:
        await act_on(bank, issued.reference)
    return issued


async def _closed(pair: Pair) -> Issued:
    issued = await _acted(pair)
    async with pair.town.desk(BANK) as bank, pair.town.desk(FINANCE) as finance:
        await bank.issue_receipt([receipt_of(issued.reference, issued.voucher)])
        await reaches(finance, issued.reference, Standing.CLOSED)
    return issued


Make = Callable[[Pair], Awaitable[Issued]]
DRAFTS: dict[str, Make] = {
    "draft": _draft,
    "reviewed once": _reviewed_once,
    "reviewed": _reviewed,
}
"""What is not in the vault; personal seals come and go here."""
IN_VAULT: dict[str, Make] = {
    "sealed": _sealed,
    "arrived": _arrived,
    "rejected": _rejected,
    "returned": _returned,
    "accepted": _accepted,
    "acting": _acting,
    "unknown": _unknown,
    "acted": _acted,
    "closed": _closed,
}
"""What is in the vault, at the issuer's or on both sides."""


def _acts(
    desk: AsyncDesk, issued: Issued
) -> Iterator[tuple[str, Awaitable[list[Outcome]]]]:
    """Yield every act about a voucher but the reviews and their withdrawal."""
    one, reason = issued.reference, Reason(issued.reference, WHY)
    receipt = receipt_of(one, issued.voucher)
    yield "submit", desk.submit([issued.voucher])
    yield "seal", desk.seal([one.digest])
    yield "seal and send", desk.seal([one.digest], send=True)
    yield "send", desk.send([one])
    yield "accept", desk.accept([one])
    yield "reject", desk.reject([reason])
    yield "request return", desk.request_return([reason])
    yield "return", desk.return_vouchers([reason])
    yield "discard", desk.discard([reason])
    yield "begin", desk.begin_acting([one])
    for outcome in ActOutcome:
        yield f"end {outcome.name}", desk.end_acting([(one, outcome)])
    yield "receipt", desk.issue_receipt([receipt])


async def _tries(desk: AsyncDesk, issued: Issued) -> list[str]:
    """Try every act; return those that were not refused."""
    gone_through = []
    for name, attempt in _acts(desk, issued):
        try:
            (outcome,) = await attempt
        except DeskRefused:
            continue
        if not isinstance(outcome, DeskRefused):
            gone_through.append(name)
    return gone_through


async def _seals_alone(desk: AsyncDesk, issued: Issued, person: Person) -> int:
    """Put one person's seals at every position that lets it; return how many."""
    plan = plan_of(issued.reference.key.type_code)
    beneath: list[Seal] = []
    for position in plan:
        seal = seal_voucher(
            issued.payload,
            position,
            person,
            stated_time=datetime.now(UTC),
            beneath=tuple(beneath),
        )
        try:
            (outcome,) = await desk.review([(issued.reference.digest, seal)])
        except DeskRefused:
            break
        if isinstance(outcome, DeskRefused):
            break
        beneath.append(seal)
    return len(beneath)


def _sizes(pair: Pair) -> dict[str, int]:
    return {party: one._vault.size() for party, one in pair.gateways.items()}


def _acts_since(pair: Pair, before: dict[str, int]) -> list[Act]:
    """Return what was done at a desk since; what the lanes bring is left out."""
    return [
        act
        for party, gateway in pair.gateways.items()
        for index in range(before[party], gateway._vault.size())
        if (act := gateway._vault.leaf(index).act) not in {Act.ARRIVE, Act.DELIVER}
    ]


@pytest.mark.clause("hubei-19a", "hubei-24", "hubei-36")
@pytest.mark.parametrize("standing", [*DRAFTS, *IN_VAULT])
async def test_no_person_alone_moves_a_payment_voucher(
    staffed: Pair, standing: str
) -> None:
    town, make = staffed.town, (DRAFTS | IN_VAULT)[standing]
    issued = await make(staffed)
    before = _sizes(staffed)
    for alone in [*PEOPLE, *OTHERS]:
        async with town.desk(alone.party, alone.use, alone.name) as desk:
            assert await _tries(desk, issued) == [], alone

    # Not one leaf: nothing entered, was completed, receipted, returned, discarded.
    assert _acts_since(staffed, before) == []


@pytest.mark.clause("hubei-19a", "hubei-36")
@pytest.mark.refusal("SAME_PERSON", "POST_REFUSED", "SEAL_MISSING")
async def test_one_person_s_seals_never_make_a_voucher(staffed: Pair) -> None:
    town = staffed.town
    placed = {}
    for name in PERSONS:
        issued = await _draft(staffed)
        before = _sizes(staffed)
        person = town.person(FINANCE, name)
        async with town.desk(FINANCE, "person", name) as desk:
            placed[name] = await _seals_alone(desk, issued, person)
            assert await _tries(desk, issued) == []
        async with town.desk(FINANCE) as finance:
            # Whatever one person has put there, the system cannot go on with it.
            (outcome,) = await finance.seal([issued.reference.digest], send=True)
            assert refused(outcome) == "SEAL_MISSING"
            (outcome,) = await finance.submit([issued.voucher])
            assert refused(outcome) == "SEAL_MISSING"
        assert _acts_since(staffed, before) == []

    # Who holds both posts reviews once, and nobody else but the first even begins.
    assert placed == {name: int(name in {"first", "both"}) for name in PERSONS}


@pytest.mark.clause("hubei-19a", "hubei-36")
@pytest.mark.parametrize(
    ("party", "standing"),
    [
        *product((FINANCE,), ("draft", "reviewed once")),
        *product((BANK, UNIT), (*DRAFTS, "sealed")),
    ],
)
async def test_no_system_alone_moves_what_two_persons_did_not_review(
    staffed: Pair, party: str, standing: str
) -> None:
    issued = await (DRAFTS | IN_VAULT)[standing](staffed)
    before = _sizes(staffed)

    async with staffed.town.desk(party) as desk:
        assert await _tries(desk, issued) == []

    assert _acts_since(staffed, before) == []


async def test_after_two_reviews_the_same_acts_do_go_through(staffed: Pair) -> None:
    """Shows that what is refused above is refused for who tries, not for how."""
    issued = await _reviewed(staffed)
    async with staffed.town.desk(FINANCE) as finance:
        assert "seal" in await _tries(finance, issued)
    arrived = await _arrived(staffed)
    async with staffed.town.desk(BANK) as bank:
        # Beginning the act comes after the return, which voids the voucher.
        assert await _tries(bank, arrived) == ["accept", "return"]


@pytest.mark.parametrize("name", PERSONS)
async def test_no_person_withdraws_the_seal_of_the_institution(
    staffed: Pair, name: str
) -> None:
    issued = await _sealed(staffed)
    before = _sizes(staffed)
    async with staffed.town.desk(FINANCE, "person", name) as desk:
        for position in plan_of(issued.reference.key.type_code):
            try:
                (outcome,) = await desk.cancel_seal(
                    [(issued.reference.digest, position.id)]
                )
            except DeskRefused:
                break
            assert isinstance(outcome, DeskRefused)
        assert await _tries(desk, issued) == []

    assert _acts_since(staffed, before) == []
