"""The desk for programs without an event loop.

The calls themselves are `AsyncDesk`'s; here each waits for one of them, on a loop
of its own in a thread of its own. Any thread may call.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import (
    AsyncIterator,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
)
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

from counterfoil.office.calls import Patience
from counterfoil.office.channel import Access
from counterfoil.office.desk import AsyncDesk, Outcome
from counterfoil.office.errors import DeskRefused
from counterfoil.office.vouchers import (
    ActOutcome,
    Arrival,
    Change,
    Draft,
    Found,
    Reason,
    Receipt,
    Reference,
    Seal,
    Standing,
    VoucherKey,
    Way,
    Written,
)

_T = TypeVar("_T")
_Item = TypeVar("_Item")


class _Loop:
    """An event loop that runs in a thread until it is stopped."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="office", daemon=True
        )
        self._thread.start()

    def wait_for(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Return what `work` returns, once it is done."""
        running = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return running.result()
        except BaseException:
            running.cancel()  # the caller was interrupted, e.g. by Ctrl-C
            raise

    def each(self, items: AsyncIterator[_T]) -> Generator[_T, None, None]:
        """Yield what an asynchronous iterator yields; closed, that is closed too."""

        async def following() -> tuple[_T, ...]:
            async for item in items:
                return (item,)
            return ()

        async def close() -> None:
            closing = getattr(items, "aclose", None)
            if closing is not None:
                await closing()

        try:
            while step := self.wait_for(following()):
                yield step[0]
        finally:
            self.wait_for(close())

    def stop(self) -> None:
        """Stop and wait for the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Desk:
    """What a business system or a person asks of the own gateway.

    A context manager; every method is documented at `AsyncDesk`.

    Args:
        address: The gateway's `host:port`.
        access: Who calls.
        patience: Deadlines and tries of every call.
    """

    def __init__(
        self, address: str, access: Access, patience: Patience | None = None
    ) -> None:
        self._loop = _Loop()

        async def opened() -> AsyncDesk:
            return AsyncDesk(address, access, patience)

        self._desk = self._loop.wait_for(opened())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._loop.wait_for(self._desk.close())
        self._loop.stop()

    def _of_each(
        self,
        call: Callable[[list[_Item]], Coroutine[Any, Any, list[_T]]],
        items: Iterable[_Item],
    ) -> list[_T]:
        """Return the outcomes of a call; for nothing, no thread is woken.

        A system asks in every turn, and mostly has nothing to ask.
        """
        some = list(items)
        return self._loop.wait_for(call(some)) if some else []

    def write(self, drafts: Iterable[Draft]) -> list[Written | DeskRefused]:
        """See `AsyncDesk.write`."""
        return self._of_each(self._desk.write, drafts)

    def review(
        self,
        reviews: Iterable[tuple[bytes, Seal]],
        *,
        certificates: Iterable[bytes] = (),
    ) -> list[Outcome]:
        """See `AsyncDesk.review`."""
        call = partial(self._desk.review, certificates=certificates)
        return self._of_each(call, reviews)

    def seal(self, digests: Iterable[bytes], *, send: bool = False) -> list[Outcome]:
        """See `AsyncDesk.seal`."""
        return self._of_each(partial(self._desk.seal, send=send), digests)

    def cancel_seal(self, withdrawals: Iterable[tuple[bytes, str]]) -> list[Outcome]:
        """See `AsyncDesk.cancel_seal`."""
        return self._of_each(self._desk.cancel_seal, withdrawals)

    def send(self, vouchers: Iterable[Reference]) -> list[Outcome]:
        """See `AsyncDesk.send`."""
        return self._of_each(self._desk.send, vouchers)

    def submit(self, drafts: Iterable[Draft]) -> list[Outcome]:
        """See `AsyncDesk.submit`."""
        return self._loop.wait_for(self._desk.submit(drafts))

    def read(
        self,
        *,
        types: Iterable[int] = (),
        follow: bool = False,
        idle_s: float | None = None,
        gather_s: float = 0.0,
        known: Callable[[Arrival], bool] | None = None,
    ) -> Iterator[tuple[Arrival, ...]]:
        """See `AsyncDesk.read`; `known` is called on the office's thread."""
        return self._loop.each(
            self._desk.read(
                types=types,
                follow=follow,
                idle_s=idle_s,
                gather_s=gather_s,
                known=known,
            )
        )

    def acknowledge(self, arrivals: Iterable[Arrival]) -> None:
        """See `AsyncDesk.acknowledge`."""
        self._loop.wait_for(self._desk.acknowledge(arrivals))

    def accept(self, vouchers: Iterable[Reference]) -> list[Outcome]:
        """See `AsyncDesk.accept`."""
        return self._of_each(self._desk.accept, vouchers)

    def reject(self, reasons: Iterable[Reason]) -> list[Outcome]:
        """See `AsyncDesk.reject`."""
        return self._of_each(self._desk.reject, reasons)

    def request_return(self, reasons: Iterable[Reason]) -> list[Outcome]:
        """See `AsyncDesk.request_return`."""
        return self._of_each(self._desk.request_return, reasons)

    def return_vouchers(self, reasons: Iterable[Reason]) -> list[Outcome]:
        """See `AsyncDesk.return_vouchers`."""
        return self._of_each(self._desk.return_vouchers, reasons)

    def discard(self, reasons: Iterable[Reason]) -> list[Outcome]:
        """See `AsyncDesk.discard`."""
        return self._of_each(self._desk.discard, reasons)

    def begin_acting(self, vouchers: Iterable[Reference]) -> list[Outcome]:
        """See `AsyncDesk.begin_acting`."""
        return self._of_each(self._desk.begin_acting, vouchers)

    def end_acting(
        self, outcomes: Iterable[tuple[Reference, ActOutcome]]
    ) -> list[Outcome]:
        """See `AsyncDesk.end_acting`."""
        return self._of_each(self._desk.end_acting, outcomes)

    def issue_receipt(self, receipts: Iterable[Receipt]) -> list[Outcome]:
        """See `AsyncDesk.issue_receipt`."""
        return self._of_each(self._desk.issue_receipt, receipts)

    def national(
        self, vouchers: Iterable[Reference], *, gb18030: bool | None = None
    ) -> list[bytes | DeskRefused]:
        """See `AsyncDesk.national`."""
        return self._loop.wait_for(self._desk.national(vouchers, gb18030=gb18030))

    def inquire(self, voucher: bytes | VoucherKey) -> Way:
        """See `AsyncDesk.inquire`."""
        return self._loop.wait_for(self._desk.inquire(voucher))

    def sealed(
        self, vouchers: Iterable[Reference]
    ) -> Generator[tuple[bytes | DeskRefused, ...], None, None]:
        """See `AsyncDesk.sealed`; `vouchers` is read on the office's thread.

        Close it if it is not read to its end, before the desk is.
        """
        return self._loop.each(self._desk.sealed(vouchers))

    def search(
        self,
        *,
        types: Iterable[int] = (),
        standings: Iterable[Standing] = (),
        party: str = "",
        number_prefix: str = "",
        fiscal_year: int = 0,
    ) -> list[Found]:
        """See `AsyncDesk.search`."""
        return self._loop.wait_for(
            self._desk.search(
                types=types,
                standings=standings,
                party=party,
                number_prefix=number_prefix,
                fiscal_year=fiscal_year,
            )
        )

    def search_pages(
        self,
        *,
        types: Iterable[int] = (),
        standings: Iterable[Standing] = (),
        party: str = "",
        number_prefix: str = "",
        fiscal_year: int = 0,
    ) -> Generator[tuple[Found, ...], None, None]:
        """See `AsyncDesk.search_pages`.

        Close it if it is not read to its end, before the desk is.
        """
        return self._loop.each(
            self._desk.search_pages(
                types=types,
                standings=standings,
                party=party,
                number_prefix=number_prefix,
                fiscal_year=fiscal_year,
            )
        )

    def watch(
        self,
        after: int | None = None,
        *,
        from_start: bool = False,
        idle_s: float | None = None,
    ) -> Iterator[tuple[Change, ...]]:
        """See `AsyncDesk.watch`."""
        return self._loop.each(
            self._desk.watch(after, from_start=from_start, idle_s=idle_s)
        )
