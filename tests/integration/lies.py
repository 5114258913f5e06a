"""For each check of the conformance suite the lies that it must find."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import grpc
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from counterfoil.desk.v1 import desk_pb2
from counterfoil.exchange.v1 import exchange_pb2 as pb
from counterfoil.sealed.v1 import sealed_pb2
from tests.integration.relay import (
    OWN_SYSTEM,
    PEER,
    REVIEWER,
    SYSTEM,
    Caller,
    Failure,
    Lie,
)

Change = Callable[[Any], None]
"""Changes an answer in place."""
Signed = pb.DeliverResponse | pb.GetCheckpointResponse | pb.GetProofResponse
"""Every answer with a checkpoint."""

_DETAILS: Final = "grpc-status-details-bin"
_KINDS: Final[Mapping[str, Any]] = {
    "Deliver": pb.DeliverResponse,
    "GetProof": pb.GetProofResponse,
    "GetCheckpoint": pb.GetCheckpointResponse,
    "GetProgress": pb.GetProgressResponse,
    "Check": health_pb2.HealthCheckResponse,
    "ServerReflectionInfo": reflection_pb2.ServerReflectionResponse,
    "Inquire": desk_pb2.InquireResponse,
    "Accept": desk_pb2.AcceptResponse,
}


def saying(method: str, change: Change) -> Lie:
    """Return a lie in every answer of one method."""

    def answer(called: str, encoded: bytes) -> bytes:
        if not called.endswith(f"/{method}"):
            return encoded
        message = _KINDS[method].FromString(encoded)
        change(message)
        changed: bytes = message.SerializeToString()
        return changed

    return Lie(answer=answer)


def failing(change: Callable[[Failure], Failure | bytes]) -> Lie:
    """Return a lie about calls that are refused."""
    return Lie(failure=lambda _method, failed: change(failed))


def posing(called: str, caller: Caller, other: Caller) -> Lie:
    """Return the lie that a caller of one method or service is another."""
    return Lie(
        poses=lambda method, who: other if called in method and who == caller else who
    )


# --- answers of Deliver --------------------------------------------------------
def _each(change: Change) -> Lie:
    def each(answer: pb.DeliverResponse) -> None:
        for one in answer.outcomes:
            change(one)

    return saying("Deliver", each)


def _each_refusal(change: Change) -> Lie:
    def refused(one: pb.Outcome) -> None:
        if one.HasField("refusal"):
            change(one.refusal)

    return _each(refused)


def _take(one: pb.Outcome) -> None:
    one.stored.SetInParent()


def _take_refused(one: pb.Outcome) -> None:
    if one.HasField("refusal"):
        _take(one)


def _take_known(one: pb.Outcome) -> None:
    if one.HasField("known"):
        _take(one)


def _refuse(one: pb.Outcome) -> None:
    one.refusal.reason = "FORM_REFUSED"


def _refuse_stored(one: pb.Outcome) -> None:
    if one.HasField("stored"):
        _refuse(one)


def _refuse_known(one: pb.Outcome) -> None:
    if one.HasField("known"):
        one.refusal.reason = "CERTIFICATE_LOST"


def _take_due(one: pb.Outcome) -> None:
    if one.refusal.reason == "EARLIER_PROOF_DUE":
        _take(one)


def _grow_fact(refusal: sealed_pb2.Refusal) -> None:
    if refusal.reason == "EARLIER_PROOF_DUE":
        refusal.facts["tree_size"] = str(int(refusal.facts["tree_size"]) + 1)


def _deaf() -> Lie:
    """Ask for a proof, and refuse whatever it would make sound."""
    asked: list[str] = []

    def each(one: pb.Outcome) -> None:
        if one.refusal.reason == "EARLIER_PROOF_DUE":
            asked.append(one.refusal.reason)
        elif asked:
            _refuse_stored(one)

    return _each(each)


def _move_known(one: pb.Outcome) -> None:
    if one.HasField("known"):
        one.known.leaf += 1


def _later(time: Timestamp) -> None:
    """Move a time by one microsecond."""
    time.nanos = (time.nanos + 1000) % 1_000_000_000


def _date_known(one: pb.Outcome) -> None:
    if one.HasField("known"):
        _later(one.known.arrival_time)


def _date(answer: pb.DeliverResponse) -> None:
    _later(answer.arrival_time)


def _date_finely(answer: pb.DeliverResponse) -> None:
    answer.arrival_time.nanos |= 1


def _move(answer: pb.DeliverResponse) -> None:
    answer.first_leaf += 1


def _count(answer: pb.DeliverResponse) -> None:
    answer.new_count += 1


def _misnumber(answer: pb.DeliverResponse) -> None:
    answer.batch += 1


def _break_range(answer: pb.DeliverResponse) -> None:
    answer.range_proof[0] = bytes(32)


def _lengthen_range(answer: pb.DeliverResponse) -> None:
    answer.range_proof.append(bytes(32))


def _drop_last(answer: pb.DeliverResponse) -> None:
    del answer.outcomes[-1]


def _drop_signature(answer: Signed) -> None:
    """Leave the last of the checkpoint's signatures out."""
    lines = answer.checkpoint.splitlines(keepends=True)
    answer.checkpoint = b"".join(lines[:-1])


def _grow(answer: Signed) -> None:
    """State a larger size than was signed."""
    lines = answer.checkpoint.splitlines(keepends=True)
    lines[1] = b"%d\n" % (int(lines[1]) + 1)
    answer.checkpoint = b"".join(lines)


def _clear(refusal: sealed_pb2.Refusal, name: Literal["rule", "text_zh"]) -> None:
    for one in refusal.violations:
        one.ClearField(name)


_ACCEPTS: Final = _each(_take_refused)
_BLAMES: Final = _each_refusal(
    lambda refusal: setattr(refusal, "reason", "VAULT_STOPPED")
)
_REFUSING: Final = {"accepts it": _ACCEPTS, "gives another reason": _BLAMES}
_HALF_SAID: Final = {
    "says no English": _each_refusal(lambda refusal: refusal.ClearField("text")),
    "says no Chinese": _each_refusal(
        lambda refusal: setattr(refusal, "text_zh", "refused")
    ),
    "invites to send again": _each_refusal(
        lambda refusal: setattr(refusal, "retryable", True)
    ),
}


# --- answers of the others -----------------------------------------------------
def _break_hashes(proof: pb.GetProofResponse) -> None:
    if proof.hashes:
        proof.hashes[0] = bytes(32)


def _drop_hash(proof: pb.GetProofResponse) -> None:
    if proof.hashes:
        del proof.hashes[-1]


def _change_leaf(proof: pb.GetProofResponse) -> None:
    proof.leaf = proof.leaf[:-2] + b"\x00\x00"


def _not_serving(answer: health_pb2.HealthCheckResponse) -> None:
    answer.status = health_pb2.HealthCheckResponse.NOT_SERVING


def _hide_a_service(answer: reflection_pb2.ServerReflectionResponse) -> None:
    named = answer.list_services_response.service
    for index, one in enumerate(named):
        if one.name.endswith("RegistryService"):
            del named[index]
            return


def _in_files(change: Callable[[FileDescriptorProto], None]) -> Lie:
    def files(answer: reflection_pb2.ServerReflectionResponse) -> None:
        told = answer.file_descriptor_response.file_descriptor_proto
        for index, encoded in enumerate(list(told)):
            file = FileDescriptorProto.FromString(encoded)
            change(file)
            told[index] = file.SerializeToString()

    return saying("ServerReflectionInfo", files)


def _lack_a_method(file: FileDescriptorProto) -> None:
    for service in file.service:
        del service.method[-1]


def _stream_otherwise(file: FileDescriptorProto) -> None:
    for service in file.service:
        service.method[0].server_streaming ^= True


def _each_progress(change: Change) -> Lie:
    def told(answer: pb.GetProgressResponse) -> None:
        for one in answer.progress:
            change(one)

    return saying("GetProgress", told)


def _show_other_bytes(answer: desk_pb2.InquireResponse) -> None:
    for one in answer.documents:
        one.sealed += b"\x00"


def _refuse_results(answer: desk_pb2.AcceptResponse) -> None:
    for one in answer.results:
        one.refusal.reason = "NOT_IN_STATE"


def _show_elsewhere(answer: desk_pb2.InquireResponse) -> None:
    for act in answer.acts:
        act.leaf_index += 1


# --- refused calls -------------------------------------------------------------
def _without(kind: type[Message]) -> Callable[[Failure], Failure]:
    """Return what drops one detail of a rich status."""

    def dropped(failed: Failure) -> Failure:
        metadata = []
        for key, value in failed.metadata:
            told = value
            if key == _DETAILS:
                status = status_pb2.Status.FromString(value)
                kept = [one for one in status.details if not one.Is(kind.DESCRIPTOR)]
                del status.details[:]
                status.details.extend(kept)
                told = status.SerializeToString()
            metadata.append((key, told))
        return Failure(code=failed.code, text=failed.text, metadata=tuple(metadata))

    return dropped


def _other_code(failed: Failure) -> Failure:
    unknown = grpc.StatusCode.UNKNOWN
    return Failure(code=unknown, text=failed.text, metadata=failed.metadata)


_ANSWERS: Final = failing(lambda _failed: b"")
_REFUSED_CALLS: Final = {
    "answers": _ANSWERS,
    "fails with another code": failing(_other_code),
    "says no reason": failing(_without(error_details_pb2.ErrorInfo)),
    "says no Chinese": failing(_without(error_details_pb2.LocalizedMessage)),
}
_ANONYMOUS: Final = {"asks for no certificate": Lie(asks=False)}
_CHECKPOINTS: Final = {
    "leaves a signature out": _drop_signature,
    "states another size": _grow,
}

LIES: Final[Mapping[int, Mapping[str, Lie]]] = {
    103: _ANONYMOUS,
    104: _ANONYMOUS,
    201: {"does not serve": saying("Check", _not_serving)},
    202: {"hides a service": saying("ServerReflectionInfo", _hide_a_service)},
    203: {
        "lacks a method": _in_files(_lack_a_method),
        "streams otherwise": _in_files(_stream_otherwise),
    },
    301: {
        "refuses": _each(_refuse),
        "answers for another batch": saying("Deliver", _misnumber),
        "counts wrongly": saying("Deliver", _count),
        "leaves an outcome out": saying("Deliver", _drop_last),
    },
    302: {
        "proves another range": saying("Deliver", _break_range),
        "proves too much": saying("Deliver", _lengthen_range),
        "states another time": saying("Deliver", _date),
        "states too fine a time": saying("Deliver", _date_finely),
        "states another place": saying("Deliver", _move),
        **{name: saying("Deliver", lie) for name, lie in _CHECKPOINTS.items()},
    },
    303: {
        "proves another leaf": saying("GetProof", _change_leaf),
        "proves by other hashes": saying("GetProof", _break_hashes),
        "proves too little": saying("GetProof", _drop_hash),
    },
    304: {
        "takes it again": _each(_take_known),
        "moves it": _each(_move_known),
        "dates it anew": _each(_date_known),
        "counts it": saying("Deliver", _count),
    },
    305: {"takes it twice": _each(_take_known), "moves it": _each(_move_known)},
    306: {"takes it again": _each(_take_known), "counts it": saying("Deliver", _count)},
    307: {"answers for another batch": saying("Deliver", _misnumber)},
    308: {
        "accepts the bad one": _ACCEPTS,
        "refuses the good ones": _each(_refuse_stored),
        "proves nothing": saying("Deliver", _break_range),
    },
    **dict.fromkeys(range(401, 410), _REFUSING),
    501: _REFUSING | _HALF_SAID,
    502: _REFUSING,
    503: _REFUSING,
    504: _REFUSING
    | {
        "names no field": _each_refusal(
            lambda refusal: refusal.ClearField("violations")
        ),
        "names no rule": _each_refusal(lambda refusal: _clear(refusal, "rule")),
        "says no Chinese of it": _each_refusal(
            lambda refusal: _clear(refusal, "text_zh")
        ),
    },
    **dict.fromkeys(range(505, 512), _REFUSING),
    **dict.fromkeys(range(601, 605), _REFUSED_CALLS),
    605: _REFUSING,
    606: {"answers": _ANSWERS, "fails with another code": failing(_other_code)},
    701: {name: saying("GetCheckpoint", lie) for name, lie in _CHECKPOINTS.items()},
    702: {
        "proves by other hashes": saying("GetProof", _break_hashes),
        "proves too little": saying("GetProof", _drop_hash),
        "leaves a signature out": saying("GetProof", _drop_signature),
    },
    703: {
        "proves another leaf": saying("GetProof", _change_leaf),
        "proves by other hashes": saying("GetProof", _break_hashes),
    },
    704: _REFUSED_CALLS,
    705: _REFUSED_CALLS,
    706: {name: saying("GetCheckpoint", lie) for name, lie in _CHECKPOINTS.items()},
    707: {
        "proves another leaf": saying("GetProof", _change_leaf),
        "proves by other hashes": saying("GetProof", _break_hashes),
        "proves too little": saying("GetProof", _drop_hash),
        "leaves a signature out": saying("GetProof", _drop_signature),
    },
    801: {
        "knows nothing": _each_progress(lambda one: one.ClearField("known")),
        "says that it is not there yet": _each_progress(
            lambda one: setattr(one, "standing", 3)
        ),
        "names an earlier leaf": _each_progress(lambda one: one.ClearField("leaf")),
    },
    802: {
        "knows everything": _each_progress(lambda one: setattr(one, "known", True)),
        "knows nothing": _each_progress(lambda one: one.ClearField("known")),
        "accepts it": _ACCEPTS,
    },
    803: _REFUSED_CALLS
    | {"names no field": failing(_without(error_details_pb2.BadRequest))},
    804: {
        "tells what was before": _each_progress(
            lambda one: setattr(one, "standing", 5)
        ),
        "names another leaf": _each_progress(
            lambda one: setattr(one, "leaf", one.leaf + 1)
        ),
        "accepts nothing": saying("Accept", _refuse_results),
    },
    901: {"asks not who calls": posing("ExchangeService", SYSTEM, PEER)},
    902: {"asks not who calls": posing("DeskService", PEER, OWN_SYSTEM)},
    903: {"asks not for the post": posing("Review", SYSTEM, REVIEWER)},
    904: {"asks not for the post": posing("Seal", REVIEWER, SYSTEM)},
    905: {
        "shows other bytes": saying("Inquire", _show_other_bytes),
        "shows it elsewhere": saying("Inquire", _show_elsewhere),
    },
    1001: _REFUSING | {"refuses": _each(_refuse)},
    **dict.fromkeys(range(1002, 1006), _REFUSING),
    1006: _REFUSING | _HALF_SAID,
    1007: _REFUSING
    | {
        "takes it for suspended": _each_refusal(
            lambda refusal: setattr(refusal, "reason", "AGREEMENT_SUSPENDED")
        )
    },
    1101: _REFUSING | {"refuses": _each(_refuse_stored)},
    **dict.fromkeys(range(1102, 1108), _REFUSING),
    1201: _REFUSING | {"forgets what it has": _each(_refuse_known)},
    1202: _REFUSING | {"forgets what it has": _each(_refuse_known)},
    1203: _REFUSING,
    1204: _REFUSING,
    1205: {
        "proves another leaf": saying("GetProof", _change_leaf),
        "proves by other hashes": saying("GetProof", _break_hashes),
        "leaves a signature out": saying("GetProof", _drop_signature),
    },
    1206: {
        "takes it unproved": _each(_take_due),
        "gives another reason": _BLAMES,
        "refuses it for good": _each_refusal(
            lambda refusal: setattr(refusal, "retryable", False)
        ),
        "asks for another size": _each_refusal(_grow_fact),
        "names no size": _each_refusal(lambda refusal: refusal.facts.clear()),
        "takes no proof": _deaf(),
        "proves no arrival": saying("Deliver", _move),
    },
    1207: _REFUSING
    | _HALF_SAID
    | {
        "names no field": _each_refusal(
            lambda refusal: refusal.ClearField("violations")
        ),
    },
    **dict.fromkeys(range(1301, 1304), _REFUSING | _HALF_SAID),
}
"""By check, and by what the gateway does."""


SM3: Final = frozenset({706, 707})
"""The checks of a log that has an SM3 tree."""


def _take_first(answer: pb.DeliverResponse) -> None:
    if len(answer.outcomes) > 1:
        _take(answer.outcomes[0])


TAKES_STRIPPED: Final = saying("Deliver", _take_first)
"""Takes what lacks its lowest seal, where there are several."""

GARBAGE: Final = Lie(
    answer=lambda _method, _answer: b"\xff\xff",
    failure=lambda _method, failed: Failure(
        code=failed.code, text=failed.text, metadata=((_DETAILS, b"\xff\xff"),)
    ),
)
"""Answers and details that are no messages at all."""

VERSIONS: Final[Mapping[int, tuple[ssl.TLSVersion, ssl.TLSVersion]]] = {
    101: (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2),
    102: (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3),
}
"""By check, the versions of TLS that a listener speaks which it must find wrong."""
