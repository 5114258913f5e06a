"""`counterfoil peers`, `inquire` and `search`: questions to a running gateway."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, cast

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from counterfoil.daemon.config import ConfigurationRefused
from counterfoil.desk.v1 import desk_pb2, desk_pb2_grpc, standing_pb2
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.refusals import (
    CounterfoilError,
    PeerUnreachable,
    VaultCorrupt,
    all_reasons,
)
from counterfoil.domain.voucher import VoucherKey
from counterfoil.registry.v1 import registry_pb2, registry_pb2_grpc
from counterfoil.seal.certificates import certificate_bag, identity_of, load_certificate
from counterfoil.seal.export import export_for_openssl
from counterfoil.seal.keys import KeyReference, load_tls_key
from counterfoil.seal.secret import KeyRefused
from counterfoil.sealed.v1 import sealed_pb2
from counterfoil.tlog.checkpoint import parse_checkpoint
from counterfoil.tlog.errors import TlogError
from counterfoil.tlog.merkle import TreeHead, leaf_hash
from counterfoil.tlog.note import parse_note
from counterfoil.tlog.proof_file import ProofFile
from counterfoil.tlog.verification import verify_inclusion
from counterfoil.wire.keys import datetime_from_us, key_from_message, key_to_message
from counterfoil.wire.sealed import Opened, open_sealed
from counterfoil.wire.seals import parse_statement

_CALL_S: Final = 30.0
_MESSAGE_BYTES_MAX: Final = 64 * 1024 * 1024
_KEY_PARTS: Final = 5


def show_peers(arguments: argparse.Namespace) -> int:
    """Print one peer a line: party, condition, waiting, set aside, address, reason."""
    with _channel(arguments) as channel:
        stub = registry_pb2_grpc.RegistryServiceStub(channel)
        response = stub.ListPeers(registry_pb2.ListPeersRequest(), timeout=_CALL_S)
    for peer in response.peers:
        condition = registry_pb2.LaneCondition.Name(peer.condition)
        _tell(
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
    with _channel(arguments) as channel:
        stub = desk_pb2_grpc.DeskServiceStub(channel)
        while left > 0:
            response = stub.Search(request, timeout=_CALL_S)
            for row in response.found[:left]:
                _tell(
                    _name(key_from_message(row.voucher.key)),
                    row.recipient,
                    _standing(row.standing),
                    row.changed_time.ToJsonString(),
                    row.voucher.digest.hex(),
                )
            left -= len(response.found)
            request.page_token = response.next_page_token
            if not response.next_page_token:
                break
    return 0


def inquire(arguments: argparse.Namespace) -> int:
    """Print one voucher's whole way, every act checked against the checkpoint."""
    with _channel(arguments) as channel:
        stub = desk_pb2_grpc.DeskServiceStub(channel)
        way = stub.Inquire(_question(arguments.voucher), timeout=_CALL_S)
    _tell("voucher", _name(key_from_message(way.voucher.key)), way.voucher.digest.hex())
    for one in way.recipients:
        _tell("standing", one.recipient, _standing(one.standing), one.refused_reason)
    checkpoint = parse_checkpoint(parse_note(way.checkpoint).text)
    _tell("log", checkpoint.origin, f"{checkpoint.head.size} leaves")
    for act in way.acts:
        _tell_act(act, checkpoint.head)
    for number, document in enumerate(way.documents, start=1):
        _tell_document(document)
        if arguments.export is not None:
            _export(document, arguments.export / f"{number:02}")
    return 0


def _tell_act(act: desk_pb2.ActRecord, head: TreeHead) -> None:
    """Print one act, after checking its place in the log and the peer's proof.

    Raises:
        VaultCorrupt: A proof does not hold.
    """
    leaf = Leaf.from_bytes(act.leaf)
    try:
        verify_inclusion(
            act.leaf_index, leaf_hash(act.leaf), head, tuple(act.inclusion_proof)
        )
        theirs = _peer_place(act.peer_proof) if act.peer_proof else ""
    except TlogError as error:
        raise VaultCorrupt(f"leaf {act.leaf_index}: {error}") from error
    at = datetime_from_us(leaf.time_us).isoformat(timespec="milliseconds")
    _tell("act", str(act.leaf_index), at, act.act, f"by {leaf.by}", theirs)


def _peer_place(proof: bytes) -> str:
    file = ProofFile.from_bytes(proof)
    checkpoint = parse_checkpoint(parse_note(file.checkpoint).text)
    return f"leaf {file.index} of {checkpoint.head.size} in {checkpoint.origin}"


def _tell_document(document: sealed_pb2.SealedWithChain) -> None:
    opened = open_sealed(document.sealed)
    bag = certificate_bag(document.certificates)
    _tell("document", opened.kind.name, f"sha256 {opened.digest.hex()}")
    for seal in opened.seals:
        statement = parse_statement(seal.statement)
        certificate = bag.get(statement.certificate_digest)
        signer = "certificate unknown"
        if certificate is not None:
            signer = identity_of(load_certificate(certificate)).to_urn()
        how = "batch seal" if seal.batch is not None else statement.algorithm.name
        _tell("seal", statement.position, statement.purpose.name, signer, how)


def _export(document: sealed_pb2.SealedWithChain, directory: Path) -> None:
    opened: Opened = open_sealed(document.sealed)
    files = export_for_openssl(
        opened.payload,
        opened.seals,
        parse=parse_statement,
        certificates=certificate_bag(document.certificates),
        crls=(),
    )
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (directory / name).write_bytes(content)


def _question(text: str) -> desk_pb2.InquireRequest:
    """Return the question for a digest in hex or a key in its printed form.

    Raises:
        ConfigurationRefused: The text is neither.
    """
    parts = text.split("/")
    try:
        if len(parts) != _KEY_PARTS:
            return desk_pb2.InquireRequest(digest=bytes.fromhex(text))
        issuer, adm_div, year, type_code, rest = parts
        number, _, issue = rest.partition("#")
        key = VoucherKey(
            issuer=issuer,
            adm_div=adm_div,
            fiscal_year=int(year),
            type_code=int(type_code),
            number=number,
            issue=int(issue or 1),
        )
        return desk_pb2.InquireRequest(key=key_to_message(key.check()))
    except ValueError as error:
        msg = f"neither a digest in hex nor issuer/division/year/type/number: {text}"
        raise ConfigurationRefused(msg) from error


def _name(key: VoucherKey) -> str:
    """Return a key in the form that `inquire` takes."""
    name = f"{key.issuer}/{key.adm_div}/{key.fiscal_year}/{key.type_code}/{key.number}"
    return name if key.issue == 1 else f"{name}#{key.issue}"


def _standing(standing: standing_pb2.Standing.ValueType) -> str:
    return standing_pb2.Standing.Name(standing).removeprefix("STANDING_")


def _tell(*cells: str) -> None:
    sys.stdout.write("\t".join(cell for cell in cells if cell) + "\n")


@contextmanager
def _channel(arguments: argparse.Namespace) -> Iterator[grpc.Channel]:
    """Open a channel to a gateway; its refusals come out as ours.

    Raises:
        ConfigurationRefused: Certificate, key or roots cannot be used.
        PeerUnreachable: The gateway does not answer.
        CounterfoilError: The gateway refused.
    """
    try:
        reference = KeyReference(
            uri=_absolute(arguments.key), passphrase=_absolute(arguments.passphrase)
        )
        key = load_tls_key(reference).reveal()
        chain = Path(arguments.certificate).read_bytes()
        roots = Path(arguments.authorities).read_bytes()
    except (KeyRefused, OSError) as error:
        raise ConfigurationRefused(str(error)) from error
    credentials = grpc.ssl_channel_credentials(roots, key, chain)
    options = [("grpc.max_receive_message_length", _MESSAGE_BYTES_MAX)]
    with grpc.secure_channel(arguments.address, credentials, options) as channel:
        try:
            yield channel
        except grpc.RpcError as error:
            raise _refusal(error) from error


def _absolute(reference: str) -> str:
    scheme, _, rest = reference.partition(":")
    return f"file:{Path(rest).absolute()}" if scheme == "file" else reference


def _refusal(error: grpc.RpcError) -> CounterfoilError:
    """Return a failed call's refusal, or that the gateway cannot be reached."""
    # gRPC raises the failed call itself, under a type that does not say so.
    status = rpc_status.from_call(cast("grpc.Call", error))
    info = error_details_pb2.ErrorInfo()
    for detail in status.details if status is not None else ():
        if detail.Unpack(info) and info.reason in all_reasons():
            return all_reasons()[info.reason](status.message)
    return PeerUnreachable(f"{error.code().name}: {error.details()}")
