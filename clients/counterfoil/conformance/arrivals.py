"""An answer's proof of arrival, checked with leaves that are computed here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from counterfoil.conformance.leaves import ARRIVE, document_leaf
from counterfoil.conformance.papers import Paper
from counterfoil.conformance.target import Target
from counterfoil.conformance.verdicts import CheckFailed, require
from counterfoil.exchange.v1 import exchange_pb2 as pb
from counterfoil.tlog.checkpoint import open_checkpoint
from counterfoil.tlog.errors import TlogError
from counterfoil.tlog.merkle import TreeHead, leaf_hash
from counterfoil.tlog.trees import LogTree
from counterfoil.tlog.verification import (
    verify_consistency,
    verify_inclusion,
    verify_range,
)

_NANOS: Final = 1_000
_SECOND_NANOS: Final = 1_000_000_000
_SECONDS_END: Final = 253_402_300_800
"""The year 10000, where a `Timestamp` ends."""


def arrival_leaf(paper: Paper, by: str, time: Timestamp) -> bytes:
    """Return the leaf that a gateway's log must hold of a document that arrived.

    Args:
        paper: The document.
        by: The party that issued it.
        time: When it arrived, as the gateway states it.

    Raises:
        CheckFailed: The time is not one of whole microseconds.
    """
    require(time.seconds > 0, "the answer states no arrival time")
    within = time.seconds < _SECONDS_END and 0 <= time.nanos < _SECOND_NANOS
    require(within, "the arrival time is no time")
    require(not time.nanos % _NANOS, "the arrival time is finer than a microsecond")
    time_us = time.seconds * 1_000_000 + time.nanos // _NANOS
    return document_leaf(ARRIVE, paper, by, time_us)


def head_of(
    target: Target, checkpoint: bytes, tree: LogTree = LogTree.SHA256
) -> TreeHead:
    """Return the head of a checkpoint that every key of a tree of the log has signed.

    Raises:
        CheckFailed: One has not, or it is another log's or tree's.
    """
    origin = tree.origin(f"{target.party}/log")
    keys = target.heads if tree is LogTree.SHA256 else target.sm3_heads
    try:
        opened = open_checkpoint(checkpoint, origin=origin, required=keys)
    except TlogError as error:
        raise CheckFailed(f"the checkpoint does not hold: {error}") from error
    return opened.checkpoint.head


def prove_range(
    target: Target, answer: pb.DeliverResponse, stored: Sequence[Paper]
) -> TreeHead:
    """Check an answer's proof that its new documents are in the log.

    Args:
        target: Whose log it is.
        answer: The answer.
        stored: The documents that it says are new, in order.

    Returns:
        The head that the proof leads to.

    Raises:
        CheckFailed: It does not hold.
    """
    require(
        answer.new_count == len(stored),
        f"new_count is {answer.new_count}, and {len(stored)} were stored",
    )
    head = head_of(target, answer.checkpoint)
    leaves = [
        leaf_hash(arrival_leaf(paper, target.peer, answer.arrival_time))
        for paper in stored
    ]
    try:
        verify_range(answer.first_leaf, leaves, head, list(answer.range_proof))
    except TlogError as error:
        raise CheckFailed(f"the proof of arrival does not hold: {error}") from error
    return head


def prove_leaf(
    head: TreeHead,
    index: int,
    leaf: bytes,
    proof: pb.GetProofResponse,
    tree: LogTree = LogTree.SHA256,
) -> None:
    """Check that a proof shows this leaf, at this index, under a head.

    Raises:
        CheckFailed: It does not.
    """
    require(proof.leaf == leaf, "the proved leaf is not that of the document")
    try:
        hashed = leaf_hash(leaf, tree.hash_function)
        verify_inclusion(index, hashed, head, list(proof.hashes), tree.hash_function)
    except TlogError as error:
        raise CheckFailed(f"the inclusion proof does not hold: {error}") from error


def prove_growth(
    older: TreeHead,
    newer: TreeHead,
    hashes: Sequence[bytes],
    tree: LogTree = LogTree.SHA256,
) -> None:
    """Check that a log has only grown.

    Raises:
        CheckFailed: That is not proved.
    """
    try:
        verify_consistency(older, newer, list(hashes), tree.hash_function)
    except TlogError as error:
        raise CheckFailed(f"the consistency proof does not hold: {error}") from error
