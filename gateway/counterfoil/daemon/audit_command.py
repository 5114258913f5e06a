"""`counterfoil audit`: the security officer asks, and notes what was found."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

from counterfoil.daemon.audit_question import question_of
from counterfoil.daemon.desk_channel import (
    CALL_S,
    channel_to_gateway,
    person_of,
    printed_key,
    tell,
)
from counterfoil.daemon.register_command import hand_in
from counterfoil.daemon.register_show import print_registration, spoken_post
from counterfoil.keeping.v1 import audit_pb2, audit_pb2_grpc
from counterfoil.office import Person, matters
from counterfoil.office import registering as office
from counterfoil.registry.v1 import registration_pb2
from counterfoil.wire.keys import key_from_message


def ask(arguments: argparse.Namespace) -> int:
    """Sign a check, have it recorded, and print what the gateway answers to it.

    Raises:
        ConfigurationRefused: An option cannot be used.
    """
    person = person_of(arguments)
    check = _signed(arguments, question_of(arguments), person)
    request = audit_pb2.AuditRequest(
        check=check.to_bytes(), certificates=[person.certificate]
    )
    is_first = True
    with channel_to_gateway(arguments) as channel:
        for page in _pages(audit_pb2_grpc.AuditServiceStub(channel), request):
            if is_first:
                leaf = page.check_leaf
                sys.stderr.write(
                    f"counterfoil: recorded as leaf {leaf}, {check.digest.hex()} "
                    f"(已记入日志)\n"
                )
            is_first = False
            _print(page)
    return 0


def note(arguments: argparse.Namespace) -> int:
    """Sign what was found and hand it in; exit status 1 if it was refused."""
    person = person_of(arguments)
    matter = matters.audit_check(arguments.about, arguments.finding)
    signed = _signed(arguments, matter, person)
    return hand_in(arguments, [signed], [person.certificate])


def _signed(
    arguments: argparse.Namespace, matter: matters.Matter, person: Person
) -> office.SignedRegistration:
    now = datetime.now(UTC)
    return office.registration(
        arguments.by, arguments.number, matter, stated_time=now
    ).signed(person, stated_time=now)


def _pages(
    stub: audit_pb2_grpc.AuditServiceStub, request: audit_pb2.AuditRequest
) -> Iterator[audit_pb2.AuditResponse]:
    """Yield the pages of an answer; the same check is sent for each."""
    while True:
        page = stub.Audit(request, timeout=CALL_S)
        yield page
        if not page.HasField("next_leaf"):
            return
        request.from_leaf = page.next_leaf


def _print(page: audit_pb2.AuditResponse) -> None:
    for act in page.acts:
        _print_act(act)
    for row in page.registrations:
        print_registration(row, as_json=False)
    for call in page.refusals:
        times = call.first_time.ToJsonString(), call.last_time.ToJsonString()
        who = call.identity or "-"
        tell(call.reason, str(call.count), *times, who, call.method or "-")
    if page.HasField("record"):
        _print_record(page.record)
    for caller in page.callers:
        names = [registration_pb2.Post.Name(post) for post in caller.posts]
        posts = ",".join(map(spoken_post, names)) or "-"
        last = caller.last_time.ToJsonString() if caller.HasField("last_time") else "-"
        tell(caller.identity, posts, str(caller.count), last)
    for stream in page.streams:
        tell(stream.since.ToJsonString(), stream.identity, stream.method)


def _print_record(record: audit_pb2.RefusalRecord) -> None:
    """Say on standard error how far the record of refused calls goes."""
    leaf = f"leaf {record.bound_leaf}" if record.HasField("bound_leaf") else "none yet"
    sys.stderr.write(
        f"counterfoil: record of {record.entries} entries, {record.digest.hex()}; "
        f"bound into the log last: {leaf} (拒绝记录)\n"
    )
    for time in record.broken_times:
        sys.stderr.write(
            f"counterfoil: the record was found removed or changed at "
            f"{time.ToJsonString()} (记录曾被删除或改动)\n"
        )


def _print_act(act: audit_pb2.LoggedAct) -> None:
    about = act.voucher.digest.hex()
    if act.voucher.HasField("key"):
        about = printed_key(key_from_message(act.voucher.key))
    time = act.time.ToJsonString()
    tell(str(act.leaf), time, act.act, act.kind, act.by, about, act.document.hex())
