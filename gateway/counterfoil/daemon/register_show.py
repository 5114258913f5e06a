"""`counterfoil register show` and `list`: what stands registered, in words."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Final

from counterfoil.catalogue.v1.party_kind_pb2 import PartyKind
from counterfoil.daemon.desk_channel import CALL_S, channel_to_gateway, tell
from counterfoil.office import registering as office
from counterfoil.registry.v1 import registration_pb2, registry_pb2, registry_pb2_grpc

_PAGE: Final = 256


def show(arguments: argparse.Namespace) -> int:
    """Print what stands registered, one holder, agreement, filing or loss a line."""
    with channel_to_gateway(arguments) as channel:
        stub = registry_pb2_grpc.RegistryServiceStub(channel)
        now = stub.GetRegister(registry_pb2.GetRegisterRequest(), timeout=CALL_S)
    if not now.is_founded:
        sys.stderr.write("counterfoil: the register was not opened (登记簿尚未建立)\n")
    for holder in now.holders:
        posts = sorted(registration_pb2.Post.Name(post) for post in holder.posts)
        tell("post", holder.identity, ",".join(map(spoken_post, posts)))
    for one in now.agreements:
        agreed = one.agreement
        state = "over" if one.is_over else "suspended" if one.suspended_by else "open"
        days = f"{agreed.valid_from}-{agreed.valid_until}"
        tell("agreement", one.digest.hex(), state, *agreed.parties, days)
    for filed in now.filings:
        days = f"{filed.filing.valid_from}-{filed.filing.valid_until}"
        tell("filing", filed.digest.hex(), filed.filing.holder, days)
    for void in now.void_certificates:
        why = "lost" if void.is_loss else "revoked"
        since = void.time.ToJsonString()
        tell("certificate", void.digest.hex(), why, void.holder, void.by, since)
    for row in now.directory:
        until = row.valid_until.ToJsonString()
        tell("directory", row.digest.hex(), row.holder, until, row.entry.hex())
    active = {row.digest: row for row in now.active}
    for digest in now.certificates_in_use:
        used = active.get(digest)
        whose = () if used is None else (used.holder, used.valid_until.ToJsonString())
        tell("certificate", digest.hex(), "in-use", *whose)
    for party in now.demanding:
        tell("demand", party)
    _show_parties(now)
    return 0


def _show_parties(now: registry_pb2.GetRegisterResponse) -> None:
    """Print the parties and peers that are registered, one a line."""
    for one in now.parties:
        state = "dismissed" if one.is_dismissed else "admitted"
        kind = spoken_kind(one.kind)
        tell("party", one.code, state, kind, one.carrier, one.name, one.entry.hex())
    for peer in now.peers:
        state = "disconnected" if peer.is_disconnected else "connected"
        said = peer.connection
        tell("peer", said.party, state, ",".join(said.addresses), peer.entry.hex())
        for head in said.heads:
            tell("head", said.party, head)


def show_list(arguments: argparse.Namespace) -> int:
    """Print one registration a line, in the order of the log."""
    for row in registrations_of(arguments):
        print_registration(row, as_json=arguments.json)
    return 0


def registrations_of(
    arguments: argparse.Namespace,
) -> Iterator[registry_pb2.ListedRegistration]:
    """Yield all registrations of a running gateway, in the order of its log."""
    request = registry_pb2.ListRegistrationsRequest(page_size=_PAGE)
    with channel_to_gateway(arguments) as channel:
        stub = registry_pb2_grpc.RegistryServiceStub(channel)
        while True:
            page = stub.ListRegistrations(request, timeout=CALL_S)
            yield from page.registrations
            if not page.is_more or not page.registrations:
                return
            request.after = page.registrations[-1].leaf


def print_registration(row: registry_pb2.ListedRegistration, *, as_json: bool) -> None:
    """Print one registration of the log as a line."""
    said = office.told(office.SignedRegistration.from_bytes(row.sealed))
    time = row.time.ToJsonString()
    if as_json:
        line = {"leaf": row.leaf, "time": time, "digest": row.digest.hex(), **said}
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    else:
        cells = str(row.leaf), time, said["matter"], said["by"], said["number"]
        tell(*map(str, cells), row.digest.hex())


def spoken_post(name: str) -> str:
    """Return a post of the contract as people write it: `first-reviewer`."""
    return name.removeprefix("POST_").lower().replace("_", "-")


def spoken_kind(kind: PartyKind.ValueType) -> str:
    """Return a kind of institution as people write it: `agent-bank`."""
    return PartyKind.Name(kind).removeprefix("PARTY_KIND_").lower().replace("_", "-")
