"""The treasury's desk in memory, and its system at it, with books in a folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from counterfoil.business.codes import PaymentWay
from counterfoil.desk.v1 import desk_pb2, standing_pb2
from counterfoil.devca.directory import DevelopmentCa
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.standing import Standing
from counterfoil.office import Desk, Form, Receipt, Reference, Voucher, VoucherKey
from counterfoil.office.messages import receipt_message
from counterfoil.sealed.v1 import sealed_pb2, voucher_pb2
from counterfoil.treasury import accounts
from counterfoil.treasury.books import Books, State
from counterfoil.treasury.clerk import Clerk
from counterfoil.treasury.entries import QuotaKey
from tests.unit.bank.recipient_desk import RecipientDesk
from tests.unit.office.loopback import Loopback, access_of
from tests.unit.treasury.papers import ACCOUNT, BANK_NO, FINANCE, OFFICE, TREASURY

NOON = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
"""Noon of the day that lists are about, in China."""
OPENING_FEN = 10_000


class TreasuryDesk(RecipientDesk):
    """Answers searches and inquiries too."""

    def __init__(self, loopback: Loopback) -> None:
        super().__init__(loopback)
        loopback.unary.update(Search=self._search, Inquire=self._inquire)

    def answer(self, type_code: int) -> None:
        """Let finance's answer to a report of ours arrive."""
        key = VoucherKey(
            issuer=TREASURY,
            adm_div="420000",
            fiscal_year=2026,
            type_code=type_code,
            number="KC20260301",
        )
        receipt = Receipt(
            voucher=Reference(key, bytes(32)),
            by=FINANCE,
            form=Form({"x_check_result": "0"}),
        )
        payload = receipt_message(receipt).SerializeToString()
        self._note(DocumentKind.RECEIPT, payload, key, bytes(32))

    def _search(self, encoded: bytes) -> bytes:
        request = desk_pb2.SearchRequest.FromString(encoded)
        found = [
            desk_pb2.Found(
                voucher=one.voucher,
                recipient=TREASURY,
                standing=standing_pb2.Standing.ValueType(int(self._of(one))),
            )
            for one in self._vouchers()
            if one.voucher.key.type in request.types
            and int(self._of(one)) in request.standings
        ]
        return desk_pb2.SearchResponse(found=found).SerializeToString()

    def _inquire(self, encoded: bytes) -> bytes:
        digest = desk_pb2.InquireRequest.FromString(encoded).digest
        [one] = [each for each in self._vouchers() if each.digest == digest]
        document = sealed_pb2.SealedWithChain(sealed=one.sealed)
        return desk_pb2.InquireResponse(
            voucher=one.voucher, documents=[document]
        ).SerializeToString()

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
        self.clock: Callable[[], datetime] = lambda: NOON

    def clerk(self) -> Clerk:
        return Clerk(OFFICE, self.client, self.books, self.clock, self._tell)

    def arrive(self, *vouchers: Voucher) -> list[bytes]:
        return [self.desk.arrive(one) for one in vouchers]

    def read(self, clerk: Clerk) -> None:
        for arrivals in self.client.read():
            clerk.take(arrivals)

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
        [one] = [each for each in self.desk.receipts if each.voucher.digest == digest]
        return one

    def close(self) -> None:
        self.client.close()
        self.books.close()

    def _tell(self, what: str, count: int) -> None:
        self.told[what] += count
