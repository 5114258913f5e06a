"""Checks of bounds: what is too large is refused before it is looked at."""

from __future__ import annotations

from typing import Final

import grpc

from counterfoil.conformance.bench import Bench
from counterfoil.conformance.checks import Check, check
from counterfoil.conformance.refusals import require_call_refused, words
from counterfoil.conformance.verdicts import CheckFailed, require
from counterfoil.exchange.v1 import exchange_pb2 as pb

_DELIVER: Final = "exchange.v1.DeliverRequest"
_TOO_LARGE: Final = "BATCH_TOO_LARGE"
_MIB: Final = 1_048_576
_DOCUMENTS: Final = 256
_CERTIFICATES: Final = 64


async def _require_too_large(bench: Bench, request: pb.DeliverRequest) -> None:
    await require_call_refused(bench.stream([request]), _TOO_LARGE)


@check(
    601,
    "A batch of more than 256 documents is refused.",
    "超过 256 份文书的批次被拒绝。",
    clause="hubei-15a",
    contract=_DELIVER,
)
async def _bounds_the_count(bench: Bench) -> None:
    documents = [b"x"] * (_DOCUMENTS + 1)
    await _require_too_large(bench, pb.DeliverRequest(batch=1, documents=documents))


@check(
    602,
    "A batch of several documents of more than 1 MiB together is refused.",
    "多份文书合计超过 1 MiB 的批次被拒绝。",
    clause="hubei-15a",
    contract=_DELIVER,
)
async def _bounds_the_batch(bench: Bench) -> None:
    documents = [b"x" * (_MIB // 2 + 1)] * 2
    await _require_too_large(bench, pb.DeliverRequest(batch=1, documents=documents))


@check(
    603,
    "A batch without a document is refused.",
    "没有文书的批次被拒绝。",
    clause="hubei-15a",
    contract=_DELIVER,
)
async def _wants_a_document(bench: Bench) -> None:
    await _require_too_large(bench, pb.DeliverRequest(batch=1))


@check(
    604,
    "A batch with more than 64 certificates is refused.",
    "附带超过 64 张证书的批次被拒绝。",
    clause="hubei-15a",
    contract=_DELIVER,
)
async def _bounds_the_certificates(bench: Bench) -> None:
    certificates = [b"x"] * (_CERTIFICATES + 1)
    await _require_too_large(
        bench, pb.DeliverRequest(batch=1, documents=[b"x"], certificates=certificates)
    )


@check(
    605,
    "A batch of 256 documents, and one document of nearly 1 MiB, are looked at.",
    "256 份文书的批次和近 1 MiB 的单份文书会被审看。",
    clause="hubei-15a",
    contract=_DELIVER,
)
async def _looks_at_what_is_within(bench: Bench) -> None:
    for documents in ([b"x"] * _DOCUMENTS, [b"x" * (_MIB - 1)]):
        (answer,) = await bench.stream(
            [pb.DeliverRequest(batch=1, documents=documents)]
        )
        require(
            words(answer) == ["MALFORMED_PAYLOAD"] * len(documents),
            f"{len(documents)} of no content were {sorted(set(words(answer)))}",
        )


@check(
    606,
    "A message of more than 2 MiB is not read.",
    "超过 2 MiB 的报文不予读取。",
    clause="hubei-15a",
    contract="exchange.v1.ExchangeService",
)
async def _bounds_the_message(bench: Bench) -> None:
    request = pb.DeliverRequest(batch=1, documents=[b"x" * (2 * _MIB)])
    try:
        await bench.stream([request])
    except grpc.aio.AioRpcError as error:
        code = error.code()
    else:
        raise CheckFailed("the message was answered")
    require(
        code is grpc.StatusCode.RESOURCE_EXHAUSTED,
        f"it was refused as {code.name}, not RESOURCE_EXHAUSTED",
    )


CHECKS: Final[tuple[Check, ...]] = (
    _bounds_the_count,
    _bounds_the_batch,
    _wants_a_document,
    _bounds_the_certificates,
    _looks_at_what_is_within,
    _bounds_the_message,
)
