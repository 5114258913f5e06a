"""`counterfoil peers` and `search`: questions to a running gateway."""

from __future__ import annotations

import argparse

from counterfoil.daemon.config import ConfigurationRefused
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
    try:
        standings = [
            standing_pb2.Standing.Value(f"STANDING_{name.upper()}")
            for name in arguments.standing
        ]
    except ValueError as error:
        raise ConfigurationRefused(f"--standing: {error}") from error
    request = desk_pb2.SearchRequest(
        types=arguments.type,
        standings=standings,
        number_prefix=arguments.number,
        page_size=min(arguments.limit, 500),
    )
    left = arguments.limit
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
