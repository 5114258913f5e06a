"""`counterfoil peers` and `search`: questions to a running gateway."""

from __future__ import annotations

import argparse
from typing import Final

from counterfoil.daemon.config import OptionRefused
from counterfoil.daemon.desk_channel import (
    CALL_S,
    channel_to_gateway,
    printed_key,
    printed_standing,
    tell,
)
from counterfoil.desk.v1 import desk_pb2, desk_pb2_grpc, standing_pb2
from counterfoil.registry.v1 import registry_pb2, registry_pb2_grpc
from counterfoil.wire.keys import key_from_message

_PAGE_MAX: Final = 500
_NUMBER_MAX: Final = 2_147_483_647
_DIGITS_MAX: Final = 10


def show_peers(arguments: argparse.Namespace) -> int:
    """Print one peer a line: party, condition, waiting, set aside, address, reason."""
    with channel_to_gateway(arguments) as channel:
        stub = registry_pb2_grpc.RegistryServiceStub(channel)
        response = stub.ListPeers(registry_pb2.ListPeersRequest(), timeout=CALL_S)
    for peer in response.peers:
        condition = registry_pb2.LaneCondition.Name(peer.condition)
        tell(
            peer.party,
            condition.removeprefix("LANE_CONDITION_"),
            f"waiting={peer.waiting}",
            f"set-aside={peer.set_aside}",
            peer.address or ",".join(peer.addresses),
            peer.last_reason or "-",
        )
    return 0


def search(arguments: argparse.Namespace) -> int:
    """Print one voucher and recipient a line, last changed first."""
    left = _number("limit", arguments.limit)
    request = desk_pb2.SearchRequest(
        types=[_number("type", code) for code in _listed(arguments.type)],  # type: ignore[misc]  # the gateway knows which there are
        standings=[_standing(name) for name in _listed(arguments.standing)],
        number_prefix=_prefix(arguments.number or ""),
        page_size=min(left, _PAGE_MAX),
    )
    with channel_to_gateway(arguments) as channel:
        stub = desk_pb2_grpc.DeskServiceStub(channel)
        while left > 0:
            response = stub.Search(request, timeout=CALL_S)
            for row in response.found[:left]:
                tell(
                    printed_key(key_from_message(row.voucher.key)),
                    row.recipient,
                    printed_standing(row.standing),
                    row.changed_time.ToJsonString(),
                    row.voucher.digest.hex(),
                )
            left -= len(response.found)
            request.page_token = response.next_page_token
            if not response.next_page_token:
                break
    return 0


def _listed(text: str | None) -> list[str]:
    return [one.strip() for one in (text or "").split(",") if one.strip()]


def _standing(name: str) -> standing_pb2.Standing.ValueType:
    known = {
        printed_standing(value): value
        for value in standing_pb2.Standing.values()
        if value
    }
    if name.upper() not in known:
        names = ", ".join(known).lower()
        msg = f"--standing: {name} is none of {names}"
        raise OptionRefused(msg)
    return known[name.upper()]


def _prefix(text: str) -> str:
    if not text.isascii():
        msg = f"--number: no number begins so: {text}"
        raise OptionRefused(msg)
    return text


def _number(option: str, text: str) -> int:
    # Its length first: Python does not read a number of thousands of digits.
    is_number = text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX
    if not is_number or not 0 < int(text) <= _NUMBER_MAX:
        msg = f"--{option}: not a number from 1 to {_NUMBER_MAX}: {text}"
        raise OptionRefused(msg)
    return int(text)
