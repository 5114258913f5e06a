"""What the desk of the own gateway tells, without changing anything.

A part of `AsyncDesk`, of which the module `desk` tells the rest.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final

from counterfoil.desk.v1 import desk_pb2
from counterfoil.office import messages, streams
from counterfoil.office.calls import Caller, in_batches
from counterfoil.office.errors import DeskRefused
from counterfoil.office.vouchers import (
    Change,
    Found,
    Reference,
    Standing,
    VoucherKey,
    Way,
)
from counterfoil.sealed.v1 import voucher_pb2

_FULL: Final = "BATCH_TOO_LARGE"
"""Reason of what an answer has no room for."""

PAGE: Final = 500
"""Vouchers on one page of a search; the most that the contract allows."""

_ENCODINGS: Final = {
    None: desk_pb2.NATIONAL_ENCODING_UNSPECIFIED,
    False: desk_pb2.NATIONAL_ENCODING_GBK,
    True: desk_pb2.NATIONAL_ENCODING_GB18030,
}
"""How a national document is written, by whether its reader takes GB18030."""


class Questions:
    """What is asked of the own gateway.

    Args:
        caller: Calls it.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def inquire(self, voucher: bytes | VoucherKey) -> Way:
        """Return the whole way of one voucher, by digest or key (查询).

        Raises:
            NotFound: No such voucher at this desk.
        """
        request = (
            desk_pb2.InquireRequest(digest=voucher)
            if isinstance(voucher, bytes)
            else desk_pb2.InquireRequest(key=messages.key_message(voucher))
        )
        answer = await self._caller.unary("Inquire", request)
        return messages.way_of(desk_pb2.InquireResponse.FromString(answer))

    async def national(
        self, vouchers: Iterable[Reference], *, gb18030: bool | None = None
    ) -> list[bytes | DeskRefused]:
        """Return vouchers, or their receipts, as national documents (报文).

        Args:
            vouchers: Vouchers of this desk.
            gb18030: Whether the reader takes GB18030; False: GBK, which lacks rare
                characters of names; None: as the gateway's configuration says of
                this party.
        """
        documents: list[bytes | DeskRefused] = []
        wanted = (messages.reference_message(one) for one in vouchers)
        for batch in in_batches(wanted, lambda one: one.ByteSize()):
            documents += await self._national(batch, _ENCODINGS[gb18030])
        return documents

    async def _national(
        self,
        wanted: Sequence[voucher_pb2.VoucherReference],
        encoding: desk_pb2.NationalEncoding.ValueType,
    ) -> list[bytes | DeskRefused]:
        """Ask until all are written, or refused for another reason than for room."""
        request = desk_pb2.GetNationalRequest(vouchers=wanted, encoding=encoding)
        answer = await self._caller.unary("GetNational", request)
        response = desk_pb2.GetNationalResponse.FromString(answer)
        documents = list(map(messages.national_of, response.results))
        left = [
            at
            for at, one in enumerate(documents)
            if isinstance(one, DeskRefused) and one.reason == _FULL
        ]
        # Where nothing was written, it would not be by asking again.
        if left and len(left) < len(documents):
            rest = await self._national([wanted[at] for at in left], encoding)
            for at, one in zip(left, rest, strict=True):
                documents[at] = one
        return documents

    async def sealed(
        self, vouchers: Iterable[Reference]
    ) -> AsyncIterator[tuple[bytes | DeskRefused, ...]]:
        """Yield vouchers as they were sealed, or why one is not given (重取原件).

        In the order asked, about 1 MiB at a time, so that any number of them can be
        read without holding them all. See `opened` for what they say. Of what is only
        a copy, the receipt comes; see `enclosed`.

        Args:
            vouchers: Vouchers of this desk.

        Raises:
            Corrupt: A document no longer matches the gateway's log.
        """
        wanted = (messages.reference_message(one) for one in vouchers)
        for batch in in_batches(wanted, lambda one: one.ByteSize()):
            async for response in streams.sealed(self._caller, batch):
                yield tuple(map(messages.sealed_of, response.results))

    async def search(
        self,
        *,
        types: Iterable[int] = (),
        standings: Iterable[Standing] = (),
        party: str = "",
        number_prefix: str = "",
        fiscal_year: int = 0,
    ) -> list[Found]:
        """Return all vouchers in the ledger that match, newest first."""
        pages = self.search_pages(
            types=types,
            standings=standings,
            party=party,
            number_prefix=number_prefix,
            fiscal_year=fiscal_year,
        )
        return [found async for page in pages for found in page]

    async def search_pages(
        self,
        *,
        types: Iterable[int] = (),
        standings: Iterable[Standing] = (),
        party: str = "",
        number_prefix: str = "",
        fiscal_year: int = 0,
    ) -> AsyncIterator[tuple[Found, ...]]:
        """Yield what `search` returns page by page: 500 vouchers, the last fewer.

        No page is empty. What changes during the walk moves to the front and may be
        missed; what does not is told once.
        """
        request = desk_pb2.SearchRequest(
            types=messages.type_messages(types),
            standings=messages.standing_messages(standings),
            party=party,
            number_prefix=number_prefix,
            fiscal_year=fiscal_year,
            page_size=PAGE,
        )
        while True:
            answer = await self._caller.unary("Search", request)
            page = desk_pb2.SearchResponse.FromString(answer)
            if page.found:
                yield tuple(map(messages.found_of, page.found))
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def watch(
        self,
        after: int | None = None,
        *,
        from_start: bool = False,
        idle_s: float | None = None,
    ) -> AsyncIterator[tuple[Change, ...]]:
        """Yield changes of standing as they happen.

        Args:
            after: Log index of the last change that was seen; those behind it are
                told. None if none was seen yet.
            from_start: If none was seen yet, tell all from the log's first one;
                else only those from now on.
            idle_s: Yield an empty tuple after so many seconds of silence.

        Raises:
            OfficeError: The stream failed for good, or the log has no such leaf.
        """
        told = streams.watch(self._caller, after, from_start=from_start, idle_s=idle_s)
        async for response in told:
            changes = () if response is None else response.changes
            yield tuple(map(messages.change_of, changes))
