"""Books are compared with what their gateway's vault gives again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from counterfoil.business.recomputing import (
    Difference,
    differences,
    issued_by,
    sent_to,
    vouchers_kept,
)
from counterfoil.desk.v1 import desk_pb2, standing_pb2
from counterfoil.devca.directory import DevelopmentCa
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.refusals import VoucherNotFound
from counterfoil.office import (
    Desk,
    DeskRefused,
    Form,
    Receipt,
    Reference,
    Standing,
    Voucher,
)
from counterfoil.office.messages import (
    draft_message,
    receipt_message,
    reference_message,
)
from counterfoil.sealed.v1 import sealed_pb2
from counterfoil.wire.refusals import refusal_to_message
from tests.unit.bank.recipient_desk import BANK, voucher
from tests.unit.office.loopback import PARTY, Loopback, access_of

OTHER_BANK = "420000-103"
PAGE = 2


class Kept:
    """A desk that lists vouchers on small pages, and gives them again."""

    def __init__(self, loopback: Loopback) -> None:
        self.found: list[desk_pb2.Found] = []
        self.documents: dict[bytes, bytes] = {}
        self.asked: list[bytes] = []
        loopback.unary["Search"] = self._search
        loopback.streams["GetSealed"] = self._give

    def keep(self, one: Voucher, recipient: str = BANK, document: bytes = b"") -> bytes:
        payload = draft_message(one).voucher.SerializeToString()
        digest = sha256(payload).digest()
        self.documents[digest] = document or sealed(DocumentKind.VOUCHER, payload)
        self.found.append(
            desk_pb2.Found(
                voucher=reference_message(Reference(one.key, digest)),
                recipient=recipient,
                standing=standing_pb2.STANDING_RECEIPTED,
            )
        )
        return digest

    def _search(self, encoded: bytes) -> bytes:
        request = desk_pb2.SearchRequest.FromString(encoded)
        first = int(request.page_token or 0)
        more = first + PAGE < len(self.found)
        return desk_pb2.SearchResponse(
            found=self.found[first : first + PAGE],
            next_page_token=str(first + PAGE) if more else "",
        ).SerializeToString()

    async def _give(self, encoded: bytes, _context: object) -> AsyncIterator[bytes]:
        results = []
        for one in desk_pb2.GetSealedRequest.FromString(encoded).vouchers:
            self.asked.append(one.digest)
            if one.digest in self.documents:
                given = desk_pb2.SealedResult(sealed=self.documents[one.digest])
            else:
                refusal = refusal_to_message(VoucherNotFound("not here"))
                given = desk_pb2.SealedResult(refusal=refusal)
            results.append(given)
        yield desk_pb2.GetSealedResponse(results=results).SerializeToString()


def sealed(kind: DocumentKind, payload: bytes, *enclosures: bytes) -> bytes:
    return sealed_pb2.Sealed(
        kind=int(kind),  # type: ignore[arg-type]
        payload=payload,
        enclosures=enclosures,
    ).SerializeToString()


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> DevelopmentCa:
    directory = tmp_path_factory.mktemp("pki")
    return DevelopmentCa.create(directory, [PARTY], now=datetime.now(UTC))


@pytest.fixture
def loopback(ca: DevelopmentCa) -> Iterator[Loopback]:
    gateway = Loopback(ca)
    yield gateway
    gateway.stop()


@pytest.fixture
def vault(loopback: Loopback) -> Kept:
    return Kept(loopback)


@pytest.fixture
def desk(ca: DevelopmentCa, loopback: Loopback, vault: Kept) -> Iterator[Desk]:
    assert vault.asked == []
    loopback.start()
    with Desk(loopback.address, access_of(ca, "system", "1")) as opened:
        yield opened


def kept(desk: Desk) -> Iterator[tuple[Reference, Voucher]]:
    return vouchers_kept(desk, types={5201}, standings=[Standing.RECEIPTED])


def test_every_page_is_read_and_its_vouchers_given_before_the_next_is_asked(
    vault: Kept, desk: Desk
) -> None:
    papers = [voucher(str(number)) for number in range(5)]
    digests = [vault.keep(one) for one in papers]

    reading = kept(desk)
    first = next(reading)
    asked_first = list(vault.asked)
    rest = list(reading)

    assert [first, *rest] == [
        (Reference(one.key, digest), one)
        for one, digest in zip(papers, digests, strict=True)
    ]
    assert asked_first == digests[:PAGE]
    assert vault.asked == digests


def test_only_what_is_wanted_is_given_again(vault: Kept, desk: Desk) -> None:
    wanted = vault.keep(voucher("1"))
    vault.keep(voucher("2"), OTHER_BANK)
    vault.keep(voucher("3", type_code=8202))  # another issuer's

    def both(found: object) -> bool:
        return sent_to(BANK)(found) and issued_by(PARTY)(found)  # type: ignore[arg-type]

    read = vouchers_kept(
        desk, types={5201, 8202}, standings=[Standing.RECEIPTED], wanted=both
    )

    assert [reference.digest for reference, _ in read] == [wanted]
    assert vault.asked == [wanted]


def test_of_a_copy_of_a_receipt_the_voucher_inside_is_read(
    vault: Kept, desk: Desk
) -> None:
    paper = voucher("1")
    payload = draft_message(paper).voucher.SerializeToString()
    reference = Reference(paper.key, sha256(payload).digest())
    receipt = receipt_message(
        Receipt(voucher=reference, by=BANK, form=Form({"x_pay_amt_fen": 350}))
    )
    original = sealed(DocumentKind.VOUCHER, payload)
    copy = sealed(DocumentKind.RECEIPT, receipt.SerializeToString(), original)
    vault.keep(paper, document=copy)

    assert list(kept(desk)) == [(reference, paper)]


def test_a_receipt_without_its_voucher_is_no_answer(vault: Kept, desk: Desk) -> None:
    paper = voucher("1")
    reference = Reference(paper.key, bytes(32))
    receipt = receipt_message(
        Receipt(voucher=reference, by=BANK, form=Form({"x_pay_amt_fen": 350}))
    )
    vault.keep(
        paper, document=sealed(DocumentKind.RECEIPT, receipt.SerializeToString())
    )

    with pytest.raises(ValueError, match="neither"):
        list(kept(desk))


def test_what_the_ledger_lists_and_the_vault_lacks_is_no_agreement(
    vault: Kept, desk: Desk
) -> None:
    vault.keep(voucher("1"))
    vault.documents.clear()

    with pytest.raises(DeskRefused, match="not here") as refused:
        list(kept(desk))

    assert refused.value.reason == "VOUCHER_NOT_FOUND"


def named(number: str) -> Reference:
    return Reference(voucher(number).key, number.encode() * 32)


def test_what_agrees_is_no_difference() -> None:
    one, two = named("1"), named("2")

    assert list(differences({one.digest: 5, two.digest: 7}, [(two, 7), (one, 5)])) == []


def test_what_one_side_lacks_or_says_otherwise_is_told() -> None:
    same, other, only_kept = named("1"), named("2"), named("3")
    only_booked = b"\xab" * 32

    told = differences(
        {same.digest: 1, other.digest: 2, only_booked: 3},
        [(only_kept, 9), (same, 1), (other, 8)],
    )

    assert list(told) == [
        Difference(f"{PARTY}/2026/5201/3", None, 9),
        Difference(f"{PARTY}/2026/5201/2", 2, 8),
        Difference("abababababababab", 3, None),
    ]


def test_a_voucher_with_several_recipients_is_compared_once() -> None:
    one = named("1")

    assert list(differences({one.digest: 5}, [(one, 5), (one, 5)])) == []
    assert len(list(differences({one.digest: 5}, [(one, 6), (one, 6)]))) == 1
