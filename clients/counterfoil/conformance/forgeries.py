"""Documents that a gateway must refuse, made from sound ones."""

from __future__ import annotations

from google.protobuf.message import Message

from counterfoil.conformance.papers import VOUCHER, Paper, Papers, closed, seal_by
from counterfoil.conformance.target import Identity
from counterfoil.office import PlanPosition, encode_for_signing
from counterfoil.office.signing import SEAL_TYPE
from counterfoil.sealed.v1 import sealed_pb2

_UNKNOWN_FIELD = b"\xf8\xff\x0f\x01"
"""Field 32767 as a number, which no message of the contract has."""


def encoded(message: Message) -> bytes:
    """Return a message's bytes."""
    return message.SerializeToString(deterministic=True)


def with_another_payload(paper: Paper, payload: bytes) -> bytes:
    """Return a document whose payload was exchanged under its seals."""
    message = paper.message
    message.payload = payload
    return encoded(message)


def with_another_signature(paper: Paper) -> bytes:
    """Return a document with one bit of its last signature changed."""
    message = paper.message
    signature = bytearray(message.seals[-1].signature)
    signature[-1] ^= 1
    message.seals[-1].signature = bytes(signature)
    return encoded(message)


def without_seal(paper: Paper, index: int) -> bytes:
    """Return a document from which one seal was taken off."""
    message = paper.message
    del message.seals[index]
    return encoded(message)


def with_seals_of(paper: Paper, other: Paper) -> bytes:
    """Return a document that bears the seals of another one."""
    message = paper.message
    del message.seals[:]
    message.seals.extend(other.message.seals)
    return encoded(message)


def sealed_last_by(
    papers: Papers, signer: Identity, plan: tuple[PlanPosition, ...]
) -> bytes:
    """Return a fresh voucher whose last seal, of a plan, is by somebody else."""
    paper = papers.paper()
    beneath = papers.seals(VOUCHER, paper.payload, plan[:-1])
    last = seal_by(signer, VOUCHER, paper.payload, plan[-1], beneath=beneath)
    return closed(VOUCHER, paper.voucher, paper.payload, [*beneath, last]).sealed


def signed_again(paper: Paper, signer: Identity, statement: bytes) -> bytes:
    """Return a document whose last seal says something else, rightly signed."""
    signature = signer.signer.sign(encode_for_signing(SEAL_TYPE, statement))
    message = paper.message
    message.seals[-1].statement = statement
    message.seals[-1].signature = signature
    return encoded(message)


def statement_of(paper: Paper) -> sealed_pb2.SealStatement:
    """Return what the last seal of a document says."""
    return sealed_pb2.SealStatement.FromString(paper.message.seals[-1].statement)


def with_unknown_field(message: bytes) -> bytes:
    """Return a message that says one thing more, which nobody knows."""
    return message + _UNKNOWN_FIELD


def with_kind_twice(paper: Paper) -> bytes:
    """Return a document that says twice what it is."""
    return b"\x08" + bytes((paper.kind,)) + paper.sealed
