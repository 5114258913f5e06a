"""A person calls with one certificate and seals with another, on running gateways."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import serialization as pem

from counterfoil.daemon import cli
from counterfoil.daemon.gateway import Gateway
from counterfoil.desk.v1 import desk_pb2, desk_pb2_grpc
from counterfoil.devca.credential import Credential
from counterfoil.domain.register import Register
from counterfoil.office import DeskRefused, Outcome, Person, Seal, plan_of, seal_voucher
from counterfoil.sealed.v1 import sealed_pb2
from tests.houses import BANK, FINANCE, Town, running
from tests.integration.desks import (
    Issued,
    accept_at,
    done,
    personal_seals,
    reason_of,
    refused,
    write,
)
from tests.integration.foreign import ForeignCa
from tests.integration.papers import Papers
from tests.integration.test_directory import names
from tests.integration.test_register import registers, urn

pytestmark = pytest.mark.slow


@pytest.fixture
def papers() -> Papers:
    return Papers()


class Cards:
    """A town whose persons have cards beside the keys of their connections."""

    def __init__(self, place: Path) -> None:
        self.town = Town(
            directory=place,
            settings={
                "limits": "retry_s_min = 0.05\nretry_s_max = 0.3",
                "trust": "reload_s = 0.1",
            },
        )
        self.national = ForeignCa.trusted_in(self.town)
        self.place, self._numbers = place, iter(range(99))
        self.gateways: dict[str, Gateway] = {}

    def register(self) -> Register:
        """Return what stands registered at finance."""
        return self.gateways[FINANCE]._vault.register

    def card(self, name: str, of: str, *, days: int = 365) -> Credential:
        """Issue a card that bears a name of its own."""
        stated = urn(FINANCE, "person", of)
        return self.national.issue(FINANCE, "person", name, stated=stated, days=days)

    def file(self) -> Path:
        """Return where the next registration goes."""
        return self.place / f"registration-{next(self._numbers)}"

    async def review(
        self,
        issued: Issued,
        card: Credential,
        *,
        by: str = "first",
        beneath: tuple[Seal, ...] = (),
    ) -> tuple[Outcome, Seal]:
        """Let a person seal with a card through the own connection."""
        person = Person.from_pem(card.chain_file.read_bytes(), key_of(card))
        plan = plan_of(issued.reference.key.type_code)
        seal = seal_voucher(
            issued.payload,
            plan[len(beneath)],
            person,
            stated_time=datetime.now(UTC),
            beneath=beneath,
        )
        async with self.town.desk(FINANCE, "person", by) as desk:
            (outcome,) = await desk.review(
                [(issued.reference.digest, seal)], certificates=[person.certificate]
            )
        return outcome, seal


def key_of(card: Credential) -> bytes:
    """Return the key of a card, as its holder's program has it."""
    return card.load_key().private_bytes(
        pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption()
    )


@pytest_asyncio.fixture
async def cards(tmp_path: Path) -> AsyncIterator[Cards]:
    made = Cards(tmp_path / "town")
    made.town.initialise()
    async with running(made.town) as made.gateways:
        yield made


@pytest.mark.clause("hubei-11", "hubei-19a")
async def test_both_reviewers_seal_with_cards_and_the_bank_believes_them(
    cards: Cards, papers: Papers
) -> None:
    async with cards.town.desk(FINANCE) as desk, cards.town.desk(BANK) as bank:
        issued = await write(desk, papers.direct_payment())
        outcome, first = await cards.review(issued, cards.card("card-1", "first"))
        done(outcome)
        outcome, _ = await cards.review(
            issued, cards.card("card-2", "second"), by="second", beneath=(first,)
        )
        done(outcome)
        (sealed,) = await desk.seal([issued.reference.digest], send=True)
        done(sealed)
        assert await accept_at(bank, issued.reference) == issued.voucher


@pytest.mark.clause("hubei-11", "hubei-14", "hubei-19a")
@pytest.mark.refusal("SEAL_FORGED", "CERTIFICATE_LOST")
async def test_a_card_that_is_not_good_any_more_seals_nothing(
    cards: Cards, papers: Papers
) -> None:
    card, revoked = cards.card("card-1", "first"), cards.card("card-2", "first")
    expired = cards.card("card-3", "first", days=-1)
    others = cards.card("card-4", "second")
    async with cards.town.desk(FINANCE) as desk:
        issued = await write(desk, papers.direct_payment())
        cards.national.revoke(revoked)
        await asyncio.sleep(0.5)
        for bad in (revoked, expired, others):
            outcome, _ = await cards.review(issued, bad)
            assert refused(outcome) == "SEAL_FORGED"

        lost = ("--of", str(card.chain_file), "--told", BANK)
        assert (
            await registers(cards.town, cards.file(), "lose", "first", "", *lost)
            == cli.DONE
        )

        outcome, _ = await cards.review(issued, card)
        assert refused(outcome) == "CERTIFICATE_LOST"
        # The key of the connection was not lost: it calls, and it seals.
        (seal, _) = personal_seals(cards.town, issued, FINANCE)
        async with cards.town.desk(FINANCE, "person", "first") as person:
            (outcome,) = await person.review([(issued.reference.digest, seal)])
        done(outcome)


@pytest.mark.clause("hubei-11", "hubei-19a")
@pytest.mark.refusal("SEAL_FORGED")
async def test_the_institution_seals_no_review_by_what_was_revoked_since(
    cards: Cards, papers: Papers
) -> None:
    card, another = cards.card("card-1", "first"), cards.card("card-2", "first")
    async with cards.town.desk(FINANCE) as desk:
        reviewed = []
        for one in (card, another):
            issued = await write(desk, papers.direct_payment())
            outcome, first = await cards.review(issued, one)
            done(outcome)
            outcome, _ = await cards.review(
                issued, cards.card("card-3", "second"), by="second", beneath=(first,)
            )
            done(outcome)
            reviewed.append(issued.reference.digest)
        size = cards.gateways[FINANCE]._vault.size()

        cards.national.revoke(card)
        await asyncio.sleep(0.5)
        held, sealed = await desk.seal(reviewed, send=True)

        assert refused(held) == "SEAL_FORGED"
        done(sealed)
        assert cards.gateways[FINANCE]._vault.leaf(size).document == reviewed[1]
        # The person takes the seal back, and reviews with the good one.
        async with cards.town.desk(FINANCE, "person", "second") as second:
            (taken_back,) = await second.cancel_seal([(reviewed[0], "fhqm")])
        done(taken_back)


@pytest.mark.clause("hubei-14")
@pytest.mark.refusal("CERTIFICATE_LOST")
async def test_who_lost_the_key_of_the_connection_seals_with_no_card(
    cards: Cards, papers: Papers
) -> None:
    card = cards.card("card-1", "first")
    own = cards.town.ca.credential(FINANCE, "person", "first")
    async with cards.town.desk(FINANCE) as desk:
        issued = await write(desk, papers.direct_payment())
        lost = ("--of", str(own.chain_file))
        told = await registers(cards.town, cards.file(), "lose", "officer", "", *lost)
        assert told == cli.DONE
        with pytest.raises(DeskRefused) as caught:
            await cards.review(issued, card)
        assert caught.value.reason == "CERTIFICATE_LOST"


@pytest.mark.clause("hubei-15b")
@pytest.mark.refusal("FILING_MISSING", "OUTSIDE_FILING")
async def test_a_card_seals_where_its_person_is_filed(
    cards: Cards, papers: Papers
) -> None:
    card = cards.card("card-1", "first")
    holder = urn(FINANCE, "person", "first")
    days = ("--valid-from", "20260101", "--valid-until", "20991231")

    async def files(matter: str, *options: str) -> None:
        status = await registers(
            cards.town, cards.file(), matter, "officer", "supervisor", *options
        )
        assert status == cli.DONE

    async with cards.town.desk(FINANCE) as desk:
        issued = await write(desk, papers.direct_payment())
        for digest in filings_of(cards, holder):
            await files("unfile", "--digest", digest)
        outcome, _ = await cards.review(issued, card)
        assert refused(outcome) == "FILING_MISSING"

        await files("file", "--holder", holder, *days, "--positions", "zz")
        outcome, _ = await cards.review(issued, card)
        assert refused(outcome) == "OUTSIDE_FILING"

        position = plan_of(issued.reference.key.type_code)[0].id
        await files("file", "--holder", holder, *days, "--positions", position)
        outcome, _ = await cards.review(issued, card)
        done(outcome)


def filings_of(cards: Cards, holder: str) -> list[str]:
    """Return the filings of a holder, by the digest of each."""
    return [
        digest.hex()
        for digest, one in cards.register().filings.items()
        if one.holder.to_urn() == holder
    ]


@pytest.mark.clause("hubei-11", "hubei-13")
@pytest.mark.refusal("SIGNER_UNLISTED", "SEAL_FORGED")
async def test_a_card_without_a_name_is_the_callers_when_it_is_listed_so(
    cards: Cards, papers: Papers
) -> None:
    card = cards.national.issue(FINANCE, "person", "card-1")
    async with cards.town.desk(FINANCE) as desk, cards.town.desk(BANK) as bank:
        issued = await write(desk, papers.direct_payment())
        outcome, _ = await cards.review(issued, card)
        assert refused(outcome) == "SIGNER_UNLISTED"
        listed = await names(
            cards.town, cards.file(), card, urn(FINANCE, "person", "second"), BANK
        )
        assert listed == cli.DONE
        outcome, _ = await cards.review(issued, card)
        assert refused(outcome) == "SEAL_FORGED"
        gone = await names(cards.town, cards.file(), card, "", BANK, matter="unname")
        again = await names(
            cards.town, cards.file(), card, urn(FINANCE, "person", "first"), BANK
        )
        assert (gone, again) == (cli.DONE, cli.DONE)

        outcome, first = await cards.review(issued, card)

        done(outcome)
        outcome, _ = await cards.review(
            issued, cards.card("card-2", "second"), by="second", beneath=(first,)
        )
        done(outcome)
        (sealed,) = await desk.seal([issued.reference.digest], send=True)
        done(sealed)
        await accept_at(bank, issued.reference)


@pytest.mark.refusal("FORM_REFUSED")
async def test_more_certificates_than_a_review_may_bring(cards: Cards) -> None:
    seal = sealed_pb2.Seal(statement=b"x", signature=b"y")
    item = desk_pb2.ReviewItem(digest=bytes(32), seal=seal)
    async with cards.town.channel(FINANCE, "person", "first") as channel:
        stub = desk_pb2_grpc.DeskServiceStub(channel)
        for certificates in ([b"c"] * 9, [b""], [b"c" * 16_385]):
            request = desk_pb2.ReviewRequest(reviews=[item], certificates=certificates)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.Review(request)
            assert reason_of(caught.value) == "FORM_REFUSED"
