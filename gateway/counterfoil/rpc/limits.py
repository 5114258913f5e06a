"""Bounds that every request must keep before any work is spent on it."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from dataclasses import dataclass, replace
from typing import Final

import protovalidate
from google.protobuf.message import Message

from counterfoil.domain.refusals import BatchTooLarge, FormRefused
from counterfoil.domain.witnessing import HASHES_MAX, LEAF_BYTES_MAX
from counterfoil.exchange.v1 import exchange_pb2 as pb
from counterfoil.seal.certificates import CERTIFICATE_BYTES_MAX
from counterfoil.seal.ocsp_reading import ANSWER_BYTES_MAX
from counterfoil.tlog.merkle import HASH_BYTES
from counterfoil.wire.violations import violations_of

_DOCUMENTS_MAX: Final = 256
_BATCH_BYTES_MAX: Final = 1_048_576
"""Of one batch, as `exchange.v1.DeliverRequest` says."""

CERTIFICATES_MAX: Final = 64
"""Most certificates in one batch; as in `exchange.v1.DeliverRequest`."""

ANSWERS_MAX: Final = 64
"""Most answers of responders in one batch, likewise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one message may hold.

    Attributes:
        batch_documents_max: Most documents or items in one batch.
        batch_bytes_max: Most bytes in one batch of several documents.
        document_bytes_max: Largest sealed document, in bytes.
    """

    batch_documents_max: int = _DOCUMENTS_MAX
    batch_bytes_max: int = _BATCH_BYTES_MAX
    document_bytes_max: int = 1_048_576

    def of_contract(self) -> Limits:
        """Return what a peer may send, whatever is configured here.

        A batch that the contract allows and we did not take, its sender would send
        again and again, and nothing that waits behind it would ever come. A document
        that is too large for us is refused alone.
        """
        return replace(
            self,
            batch_documents_max=max(self.batch_documents_max, _DOCUMENTS_MAX),
            batch_bytes_max=max(self.batch_bytes_max, _BATCH_BYTES_MAX),
        )

    def check_count(self, items: Sized) -> None:
        """Check that a batch has no more items than allowed.

        Raises:
            BatchTooLarge: It has more.
        """
        if len(items) > self.batch_documents_max:
            raise BatchTooLarge(
                f"a batch holds at most {self.batch_documents_max} items",
                max=str(self.batch_documents_max),
            )

    def check_document(self, document: bytes) -> bytes:
        """Return a delivered document if it is not too large.

        Raises:
            BatchTooLarge: It is. It alone: whoever sent it would only send it again,
                and with it all that stands behind it.
        """
        if len(document) > self.document_bytes_max:
            raise BatchTooLarge(
                f"a document holds at most {self.document_bytes_max} bytes",
                max=str(self.document_bytes_max),
            )
        return document

    def check_documents(self, documents: list[bytes]) -> None:
        """Check number and bytes of a delivered batch.

        Raises:
            BatchTooLarge: It is too large.
        """
        self.check_count(documents)
        if not documents:
            raise BatchTooLarge("a batch holds at least one document", min="1")
        sizes = [len(document) for document in documents]
        if len(sizes) > 1 and sum(sizes) > self.batch_bytes_max:
            raise BatchTooLarge(
                f"a batch of several documents holds at most {self.batch_bytes_max} "
                "bytes",
                max=str(self.batch_bytes_max),
            )

    def check_certificates(self, certificates: list[bytes]) -> None:
        """Check number and bytes of the certificates that came with a batch.

        Raises:
            BatchTooLarge: There are too many, or one is too long.
        """
        if len(certificates) > CERTIFICATES_MAX:
            raise BatchTooLarge(
                f"a batch brings at most {CERTIFICATES_MAX} certificates",
                max=str(CERTIFICATES_MAX),
            )
        if any(len(der) > CERTIFICATE_BYTES_MAX for der in certificates):
            raise BatchTooLarge(
                f"a certificate holds at most {CERTIFICATE_BYTES_MAX} bytes",
                max=str(CERTIFICATE_BYTES_MAX),
            )

    def check_answers(self, answers: list[bytes]) -> None:
        """Check number and bytes of the answers of responders that came with a batch.

        Raises:
            BatchTooLarge: There are too many, or one is too long.
        """
        if len(answers) > ANSWERS_MAX or any(
            len(der) > ANSWER_BYTES_MAX for der in answers
        ):
            raise BatchTooLarge(
                f"a batch brings at most {ANSWERS_MAX} answers about revocation, "
                f"each of at most {ANSWER_BYTES_MAX} bytes",
                max=str(ANSWERS_MAX),
            )

    def check_earlier(self, proofs: Sequence[pb.EarlierProof]) -> None:
        """Check number and bytes of what came to show that documents are older.

        Raises:
            BatchTooLarge: There are too many, or one is too long.
        """
        self.check_count(proofs)
        for place, proof in enumerate(proofs):
            if (
                len(proof.leaf) > LEAF_BYTES_MAX
                or len(proof.hashes) > HASHES_MAX
                or any(len(one) != HASH_BYTES for one in proof.hashes)
            ):
                raise BatchTooLarge(
                    f"a proof has a leaf of at most {LEAF_BYTES_MAX} bytes and at most "
                    f"{HASHES_MAX} hashes of {HASH_BYTES}",
                    field=f"earlier_proofs[{place}]",
                )


def check_request(request: Message) -> None:
    """Check a request by the rules its proto states.

    Raises:
        FormRefused: It breaks one; the violations say which.
    """
    broken = protovalidate.collect_violations(request)
    if broken:
        raise FormRefused("the request breaks a rule", violations_of(broken))
