"""The audit service: the security officer asks, on record (安全检查)."""

from __future__ import annotations

from dataclasses import dataclass

from counterfoil.app.audit import AnswerAudit
from counterfoil.app.audit_rows import Answer
from counterfoil.app.ports import LogRecord
from counterfoil.app.works import Certificates
from counterfoil.domain.audit import OpenStream, RecordEnd, RefusedCall, SeenCaller
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.keeping.v1 import audit_pb2 as pb
from counterfoil.keeping.v1 import audit_pb2_grpc
from counterfoil.rpc.callers import CALLER, Context
from counterfoil.rpc.limits import check_request
from counterfoil.rpc.registry import registration_page
from counterfoil.sealed.v1 import voucher_pb2
from counterfoil.wire.keys import reference_to_message, timestamp_from_us
from counterfoil.wire.register_views import post_numbers


@dataclass(frozen=True, kw_only=True)
class AuditServicer(audit_pb2_grpc.AuditServiceServicer):
    """Translates calls; the documentation of the method is in `proto/`.

    Attributes:
        answer: Records a check and answers it.
        kept: Finds the certificates that seals name.
    """

    answer: AnswerAudit
    kept: Certificates

    async def Audit(
        self, request: pb.AuditRequest, context: Context
    ) -> pb.AuditResponse:
        """Enter the check, then answer."""
        check_request(request)
        answer = await self.answer(
            request.check,
            list(request.certificates),
            from_leaf=request.from_leaf,
            caller=CALLER.get(),
        )
        return self._response(answer)

    def _response(self, answer: Answer) -> pb.AuditResponse:
        registrations = registration_page(answer.registrations, self.kept)
        next_leaf = answer.next_leaf
        if len(registrations) < len(answer.registrations):
            next_leaf = registrations[-1].leaf + 1
        return pb.AuditResponse(
            check_leaf=answer.check.leaf,
            check_time=timestamp_from_us(answer.check.time_us),
            acts=map(_act, answer.acts),
            registrations=registrations,
            refusals=map(_refusal, answer.refusals),
            record=None if answer.record is None else _record(answer.record),
            callers=map(_caller, answer.callers),
            streams=map(_stream, answer.streams),
            next_leaf=next_leaf,
        )


def _act(record: LogRecord) -> pb.LoggedAct:
    leaf = record.leaf
    is_registration = leaf.kind is DocumentKind.REGISTRATION
    return pb.LoggedAct(
        leaf=record.index,
        time=timestamp_from_us(leaf.time_us),
        act=leaf.act.name,
        kind=leaf.kind.name,
        by=leaf.by,
        voucher=voucher_pb2.VoucherReference(digest=leaf.subject)
        if is_registration
        else reference_to_message(record.key, leaf.subject),
        document=leaf.document,
        recipients=leaf.recipients.split(",") if leaf.recipients else (),
    )


def _refusal(refused: RefusedCall) -> pb.RefusedCall:
    return pb.RefusedCall(
        identity=refused.identity,
        certificate=refused.certificate,
        method=refused.method,
        reason=refused.reason,
        count=refused.count,
        first_time=timestamp_from_us(refused.first_us),
        last_time=timestamp_from_us(refused.last_us),
    )


def _record(end: RecordEnd) -> pb.RefusalRecord:
    return pb.RefusalRecord(
        entries=end.entries,
        digest=end.digest,
        bound_leaf=end.bound_leaf,
        broken_times=map(timestamp_from_us, end.broken_us),
    )


def _caller(seen: SeenCaller) -> pb.SeenCaller:
    return pb.SeenCaller(
        identity=seen.identity,
        posts=post_numbers(seen.posts),
        count=seen.count,
        last_time=timestamp_from_us(seen.last_us) if seen.last_us else None,
    )


def _stream(stream: OpenStream) -> pb.OpenStream:
    return pb.OpenStream(
        identity=stream.identity,
        certificate=stream.certificate,
        method=stream.method,
        since=timestamp_from_us(stream.since_us),
    )
