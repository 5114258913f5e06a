"""The desk of the own gateway, for programs with an event loop.

Every method takes any number of items, sends them in requests of at most 256 and
about 1 MiB, and answers one outcome per item, in order: `Done`, or the refusal
*returned* in the item's place. What fails as a whole is raised. Requests that
went through before a later one fails stay done; asking again is harmless, since
the same item again changes nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from types import TracebackType
from typing import Final, Self, TypeVar

from google.protobuf.message import Message

from counterfoil.desk.v1 import desk_pb2
from counterfoil.office import messages, streams
from counterfoil.office.calls import Caller, Patience, in_batches
from counterfoil.office.channel import Access, connect
from counterfoil.office.errors import Defect, DeskRefused
from counterfoil.office.questions import Questions
from counterfoil.office.vouchers import (
    ActOutcome,
    Arrival,
    Done,
    Draft,
    Reason,
    Receipt,
    Reference,
    Seal,
    Written,
)

Outcome = Done | DeskRefused
"""What became of one item."""

READ_BATCH: Final = 100

_Item = TypeVar("_Item", bound=Message)


class AsyncDesk(Questions):
    """What a business system or a person asks of the own gateway.

    An asynchronous context manager; leaving it closes the connection. What changes
    nothing is told by `Questions`.

    Args:
        address: The gateway's `host:port`.
        access: Who calls.
        patience: Deadlines and tries of every call.
    """

    def __init__(
        self, address: str, access: Access, patience: Patience | None = None
    ) -> None:
        super().__init__(Caller(connect(address, access), patience or Patience()))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection; calls under way are cancelled."""
        await self._caller.channel.close()

    async def write(self, drafts: Iterable[Draft]) -> list[Written | DeskRefused]:
        """Have forms checked and put on the workbench as drafts (写入)."""
        written: list[Written | DeskRefused] = []
        for batch in in_batches(map(messages.draft_message, drafts), _size):
            answer = await self._caller.unary(
                "Write", desk_pb2.WriteRequest(drafts=batch)
            )
            results = desk_pb2.WriteResponse.FromString(answer).results
            _check_count(results, batch)
            written.extend(messages.written_of(result) for result in results)
        return written

    async def review(
        self,
        reviews: Iterable[tuple[bytes, Seal]],
        *,
        certificates: Iterable[bytes] = (),
    ) -> list[Outcome]:
        """Put a person's seals on drafts (初审, 复审).

        Args:
            reviews: Digest of the draft and seal of each.
            certificates: By which the person sealed, in DER, if by another one than
                the desk was opened with: e.g. by one for SM2, since connections are on
                P-256. Both must be the same person's.
        """
        shown = list(certificates)
        return await self._each(
            "Review",
            [
                desk_pb2.ReviewItem(digest=digest, seal=messages.seal_message(seal))
                for digest, seal in reviews
            ],
            lambda batch: desk_pb2.ReviewRequest(reviews=batch, certificates=shown),
        )

    async def seal(
        self, digests: Iterable[bytes], *, send: bool = False
    ) -> list[Outcome]:
        """Put the institution's seals on reviewed drafts; with `send`, send (签章)."""
        outcomes: list[Outcome] = []
        for batch in in_batches(digests, len):
            answer = await self._caller.unary(
                "Seal", desk_pb2.SealRequest(digests=batch, send=send)
            )
            outcomes += _outcomes(answer, batch)
        return outcomes

    async def cancel_seal(
        self, withdrawals: Iterable[tuple[bytes, str]]
    ) -> list[Outcome]:
        """Withdraw the topmost seals: digest and position of each (撤销签章)."""
        return await self._each(
            "CancelSeal",
            [
                desk_pb2.CancelSealItem(digest=digest, position=position)
                for digest, position in withdrawals
            ],
            lambda batch: desk_pb2.CancelSealRequest(items=batch),
        )

    async def send(self, vouchers: Iterable[Reference]) -> list[Outcome]:
        """Put sealed vouchers into the lanes of their recipients (发送)."""
        return await self._each(
            "Send",
            [messages.reference_message(one) for one in vouchers],
            lambda batch: desk_pb2.SendRequest(vouchers=batch),
        )

    async def submit(
        self, drafts: Iterable[Draft], *, window: int = streams.WINDOW_BATCHES
    ) -> list[Outcome]:
        """Write, seal and send what needs no personal seal, as one stream.

        Args:
            drafts: The drafts.
            window: Batches that may be under way unanswered.
        """
        batches = list(in_batches(map(messages.draft_message, drafts), _size))
        outcomes: list[Outcome] = []
        async for response in streams.submit(self._caller, batches, window=window):
            outcomes.extend(messages.outcome_of(one) for one in response.results)
        _check_count(outcomes, [draft for batch in batches for draft in batch])
        return outcomes

    async def read(
        self,
        *,
        types: Iterable[int] = (),
        follow: bool = False,
        idle_s: float | None = None,
        gather_s: float = 0.0,
        known: Callable[[Arrival], bool] | None = None,
    ) -> AsyncIterator[tuple[Arrival, ...]]:
        """Yield batches of what has arrived and waits for us (读取).

        At least once: a document comes again, in later calls, until it is accepted,
        rejected or acknowledged.

        Args:
            types: Only documents about vouchers of these types; all if empty.
            follow: Whether to wait for what arrives later.
            idle_s: Yield an empty batch after each so many seconds of silence.
            gather_s: Wait so long for more before a batch is yielded; what comes
                meanwhile comes with it, up to about 1 MiB.
            known: Tells of an arrival whether it was dealt with, by its digest;
                such arrivals are left out.
        """
        request = desk_pb2.ReadRequest(
            types=messages.type_messages(types), batch_max=READ_BATCH, follow=follow
        )
        async for responses in streams.read(
            self._caller, request, idle_s=idle_s, gather_s=gather_s
        ):
            arrivals = [
                messages.arrival_of(one)
                for response in responses
                for one in response.arrivals
            ]
            yield tuple(one for one in arrivals if known is None or not known(one))

    async def acknowledge(self, arrivals: Iterable[Arrival]) -> None:
        """Take receipts and steps off the list of what waits (确认)."""
        for batch in in_batches((one.leaf for one in arrivals), lambda _leaf: 10):
            await self._caller.unary(
                "Acknowledge", desk_pb2.AcknowledgeRequest(leaves=batch)
            )

    async def accept(self, vouchers: Iterable[Reference]) -> list[Outcome]:
        """Take vouchers over (签收)."""
        return await self._each(
            "Accept",
            [messages.step_item(Reason(one)) for one in vouchers],
            lambda batch: desk_pb2.AcceptRequest(items=batch),
        )

    async def reject(self, reasons: Iterable[Reason]) -> list[Outcome]:
        """Refuse vouchers that our checks failed (签收失败)."""
        return await self._each(
            "Reject",
            [messages.step_item(one) for one in reasons],
            lambda batch: desk_pb2.RejectRequest(items=batch),
        )

    async def request_return(self, reasons: Iterable[Reason]) -> list[Outcome]:
        """Ask the recipients to return vouchers (要求退回)."""
        return await self._each(
            "RequestReturn",
            [messages.step_item(one) for one in reasons],
            lambda batch: desk_pb2.RequestReturnRequest(items=batch),
        )

    async def return_vouchers(self, reasons: Iterable[Reason]) -> list[Outcome]:
        """Refuse to act on vouchers and return them; they are void then (退回)."""
        return await self._each(
            "Return",
            [messages.step_item(one) for one in reasons],
            lambda batch: desk_pb2.ReturnRequest(items=batch),
        )

    async def discard(self, reasons: Iterable[Reason]) -> list[Outcome]:
        """Withdraw vouchers that were not sent, or came back (作废)."""
        return await self._each(
            "Discard",
            [messages.step_item(one) for one in reasons],
            lambda batch: desk_pb2.DiscardRequest(items=batch),
        )

    async def begin_acting(self, vouchers: Iterable[Reference]) -> list[Outcome]:
        """Say that we are about to act; no return is possible then (开始办理)."""
        return await self._each(
            "BeginActing",
            [messages.step_item(Reason(one)) for one in vouchers],
            lambda batch: desk_pb2.BeginActingRequest(items=batch),
        )

    async def end_acting(
        self, outcomes: Iterable[tuple[Reference, ActOutcome]]
    ) -> list[Outcome]:
        """Tell the outcomes of acts: done, not done, unknown (办理结果)."""
        return await self._each(
            "EndActing",
            [
                desk_pb2.EndActingItem(
                    voucher=messages.reference_message(voucher),
                    outcome=desk_pb2.ActOutcome.ValueType(int(outcome)),
                )
                for voucher, outcome in outcomes
            ],
            lambda batch: desk_pb2.EndActingRequest(items=batch),
        )

    async def issue_receipt(self, receipts: Iterable[Receipt]) -> list[Outcome]:
        """Have the receipts of what was acted on sealed and sent (回单)."""
        return await self._each(
            "IssueReceipt",
            [messages.receipt_message(one) for one in receipts],
            lambda batch: desk_pb2.IssueReceiptRequest(receipts=batch),
        )

    async def _each(
        self,
        method: str,
        items: Sequence[_Item],
        request_of: Callable[[Sequence[_Item]], Message],
    ) -> list[Outcome]:
        """Call a method whose answer is one `Result` per item."""
        outcomes: list[Outcome] = []
        for batch in in_batches(items, _size):
            answer = await self._caller.unary(method, request_of(batch))
            outcomes += _outcomes(answer, batch)
        return outcomes


def _size(message: Message) -> int:
    return message.ByteSize()


def _outcomes(answer: bytes, batch: Sequence[object]) -> list[Outcome]:
    # The answers of these methods are one message under many names: `results`
    # is field 1 of each, as in `AcceptResponse`.
    results = desk_pb2.AcceptResponse.FromString(answer).results
    _check_count(results, batch)
    return [messages.outcome_of(result) for result in results]


def _check_count(results: Sequence[object], items: Sequence[object]) -> None:
    if len(results) != len(items):
        msg = f"{len(items)} items were sent, {len(results)} were answered"
        raise Defect(msg)
