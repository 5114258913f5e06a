"""The treasury's desk in memory, and its system at it, with books in a folder."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

from counterfoil.business.codes import PaymentWay
from counterfoil.business.days import read_day
from counterfoil.business.turns import give_out, work
from counterfoil.business.working_days import WorkingDays
from counterfoil.desk.v1 import desk_pb2, standing_pb2
from counterfoil.devca.directory import DevelopmentCa
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.standing import Standing
from counterfoil.office import (
    Desk,
    Form,
    Receipt,
    Reference,
    Voucher,
    opened_payload,
)
from counterfoil.office.messages import (
    draft_message,
    receipt_message,
    reference_message,
)
from counterfoil.sealed.v1 import sealed_pb2, voucher_pb2
from counterfoil.treasury import accounts, alerts, closing
from counterfoil.treasury.books import Books, Income, State
from counterfoil.treasury.clerk import Clerk
from counterfoil.treasury.entries import QuotaKey
from counterfoil.treasury.incomes import Entered, enter
from counterfoil.treasury.system import System
from tests.unit.bank.recipient_desk import RecipientDesk
from tests.unit.office.dying_desk import DyingDesk
from tests.unit.office.loopback import Loopback, access_of
from tests.unit.treasury.papers import ACCOUNT, BANK_NO, FINANCE, OFFICE, TREASURY

NOON = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
"""Noon of the day that lists are about, in China."""
OPENING_FEN = 10_000


def reference_to(voucher: Voucher) -> Reference:
    """Return what names a voucher and pins its bytes."""
    payload = draft_message(voucher).voucher.SerializeToString()
    return Reference(voucher.key, hashlib.sha256(payload).digest())


class TreasuryDesk(RecipientDesk):
    """Takes what we issue, is searched, and gives what it has again."""

    def __init__(self, loopback: Loopback) -> None:
        super().__init__(loopback)
        self.issued: dict[bytes, Voucher] = {}
        self.voided: list[bytes] = []
        loopback.unary.update(
            Search=self._search, Inquire=self._inquire, Discard=self._void
        )
        loopback.streams.update(
            Submit=self._take, Read=self._waiting, GetSealed=self._sealed
        )

    def answer(self, voucher: Voucher, form: Form, by: str = FINANCE) -> None:
        """Let a recipient's receipt of a voucher of ours arrive."""
        receipt = Receipt(voucher=reference_to(voucher), by=by, form=form)
        payload = receipt_message(receipt).SerializeToString()
        self._note(DocumentKind.RECEIPT, payload, voucher.key, receipt.voucher.digest)

    async def _waiting(
        self, _request: object, _context: object
    ) -> AsyncIterator[bytes]:
        """Show what was neither answered nor acknowledged."""
        waiting = [
            one
            for one in self._arrived
            if one.leaf not in self.acknowledged
            and self.standings.get(one.digest, Standing.ARRIVED) is Standing.ARRIVED
        ]
        yield desk_pb2.ReadResponse(arrivals=waiting).SerializeToString()

    async def _take(
        self, requests: AsyncIterator[bytes], _context: object
    ) -> AsyncIterator[bytes]:
        """Take what is submitted; the same again is the same voucher."""
        async for encoded in requests:
            request = desk_pb2.SubmitRequest.FromString(encoded)
            results = []
            for draft in request.drafts:
                payload = draft.voucher.SerializeToString()
                digest = hashlib.sha256(payload).digest()
                self.submitted.append(draft.voucher)
                self.issued.setdefault(digest, opened_payload(payload))
                done = desk_pb2.Done(digest=digest, standing=standing_pb2.STANDING_SENT)
                results.append(desk_pb2.Result(done=done))
            yield desk_pb2.SubmitResponse(
                batch=request.batch, results=results
            ).SerializeToString()

    def _search(self, encoded: bytes) -> bytes:
        request = desk_pb2.SearchRequest.FromString(encoded)
        came = [
            desk_pb2.Found(
                voucher=one.voucher,
                recipient=TREASURY,
                standing=standing_pb2.Standing.ValueType(int(self._of(one))),
            )
            for one in self._vouchers()
        ]
        ours = [
            desk_pb2.Found(
                voucher=reference_message(Reference(voucher.key, digest)),
                recipient=voucher.recipients[0],
                standing=standing_pb2.STANDING_SENT,
            )
            for digest, voucher in self.issued.items()
        ]
        found = [
            one
            for one in (*came, *ours)
            if one.voucher.key.type in request.types
            and one.standing in request.standings
        ]
        return desk_pb2.SearchResponse(found=found).SerializeToString()

    async def _sealed(self, encoded: bytes, _context: object) -> AsyncIterator[bytes]:
        request = desk_pb2.GetSealedRequest.FromString(encoded)
        results = [
            desk_pb2.SealedResult(sealed=self._bytes_of(one.digest))
            for one in request.vouchers
        ]
        yield desk_pb2.GetSealedResponse(results=results).SerializeToString()

    def _bytes_of(self, digest: bytes) -> bytes:
        if digest not in self.issued:
            [one] = [each for each in self._vouchers() if each.digest == digest]
            return one.sealed
        payload = draft_message(self.issued[digest]).voucher.SerializeToString()
        sealed = sealed_pb2.Sealed(kind=1, payload=payload)  # type: ignore[arg-type]
        return sealed.SerializeToString()

    def _inquire(self, encoded: bytes) -> bytes:
        digest = desk_pb2.InquireRequest.FromString(encoded).digest
        sealed = sealed_pb2.SealedWithChain(sealed=self._bytes_of(digest))
        if digest in self.issued:
            reference = reference_message(Reference(self.issued[digest].key, digest))
        else:
            [one] = [each for each in self._vouchers() if each.digest == digest]
            reference = one.voucher
        return desk_pb2.InquireResponse(
            voucher=reference, documents=[sealed]
        ).SerializeToString()

    def _void(self, encoded: bytes) -> bytes:
        """Void what we issued and its recipient rejected."""
        digests = [
            one.voucher.digest
            for one in desk_pb2.DiscardRequest.FromString(encoded).items
        ]
        self.voided += digests
        done = [
            desk_pb2.Done(digest=one, standing=standing_pb2.STANDING_DISCARDED)
            for one in digests
        ]
        results = [desk_pb2.Result(done=one) for one in done]
        return desk_pb2.DiscardResponse(results=results).SerializeToString()

    def _of(self, one: desk_pb2.Arrival) -> Standing:
        return self.standings[one.digest]

    def _vouchers(self) -> list[desk_pb2.Arrival]:
        found = {
            one.digest: one for one in self._arrived if one.digest in self.standings
        }
        return list(found.values())


class Treasury:
    """A treasury's system at its desk."""

    def __init__(self, folder: Path, ca: DevelopmentCa, gateway: Loopback) -> None:
        self.desk = TreasuryDesk(gateway)
        gateway.start()
        self.address = gateway.address
        self.client = Desk(self.address, access_of(ca, "system", "1", TREASURY))
        self.url = f"sqlite:///{folder / 'books.sqlite'}"
        self.books = Books(self.url, ACCOUNT, OPENING_FEN)
        self.told: Counter[str] = Counter()
        self.warned: list[str] = []
        self.calendar = WorkingDays()
        self.clock: Callable[[], datetime] = lambda: NOON

    def clerk(self) -> Clerk:
        return self.system().clerk()

    def system(self, desk: DyingDesk | None = None) -> System:
        """Return the system; with a desk, at one at which it dies."""
        return System(
            office=OFFICE,
            desk=desk or self.client,  # type: ignore[arg-type]
            books=self.books,
            clock=self.clock,
            tell=self._tell,
            warn=self.warned.append,
            calendar=self.calendar,
        )

    def run_all(self, *vouchers: Voucher) -> list[bytes]:
        """Let vouchers arrive, and the whole system work."""
        digests = self.arrive(*vouchers)
        self.live()
        return digests

    def live(self, desk: DyingDesk | None = None) -> None:
        """Read what is there, as the whole system, and work until nothing moves."""
        takers = self.system(desk).takers()
        for arrivals in self.client.read():
            give_out(arrivals, takers)
        work(takers)

    def live_on(self, day: str) -> None:
        """Let it be noon of a day, `yyyymmdd`, in China."""
        date = read_day(day)
        self.clock = lambda: NOON.replace(date.year, date.month, date.day)

    def enter(self, *entries: Entered) -> list[Income]:
        """Enter income today."""
        with self.books.writing() as session:
            return enter(session, entries, self.system().today())

    def alerts(self) -> list[str]:
        """Return what was noted for people today."""
        with self.books.reading() as session:
            return alerts.of_day(session, self.system().today())

    def stated(self, type_code: int) -> list[Voucher]:
        """Return what we issued of a kind."""
        issued = self.desk.issued.values()
        return [one for one in issued if one.key.type_code == type_code]

    def close_day(self, day: str) -> None:
        with self.books.writing() as session:
            closing.close(session, day, self.system().today())

    def arrive(self, *vouchers: Voucher) -> list[bytes]:
        return [self.desk.arrive(one) for one in vouchers]

    def read(self, clerk: Clerk) -> None:
        for arrivals in self.client.read():
            give_out(arrivals, [clerk])

    def run(self, *vouchers: Voucher, turns: int = 2) -> list[bytes]:
        """Let vouchers arrive and work until nothing moves any more."""
        digests = self.arrive(*vouchers)
        clerk = self.clerk()
        self.read(clerk)
        for _ in range(turns):
            clerk.work()
        return digests

    def state(self, digest: bytes) -> State:
        one = self.books.incoming(digest)
        assert one is not None
        return one.state

    def standing(self, digest: bytes) -> Standing:
        return self.desk.standings[digest]

    def reason(self, digest: bytes) -> str:
        return self.desk.explanations[digest]

    def balance_fen(self) -> int:
        with self.books.reading() as session:
            return accounts.balance_fen(session)

    def quota(
        self, unit: str = "101", function: str = "2010101", way: str = "11"
    ) -> int:
        key = QuotaKey(
            fiscal_year=2026,
            bank_no=BANK_NO,
            way=PaymentWay(way),
            function=function,
            unit=unit,
        )
        with self.books.reading() as session:
            return accounts.balances(session, BANK_NO).get(key, 0)

    def receipt(self, digest: bytes) -> voucher_pb2.Receipt:
        """Return the receipt of a voucher; asked for again, it was the same."""
        found = [each for each in self.desk.receipts if each.voucher.digest == digest]
        assert all(each == found[0] for each in found)
        return found[0]

    def close(self) -> None:
        self.client.close()
        self.books.close()

    def _tell(self, what: str, count: int) -> None:
        self.told[what] += count
