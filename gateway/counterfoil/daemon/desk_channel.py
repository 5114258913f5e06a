"""How the command line talks to a running gateway, and prints what it answers."""

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

from counterfoil.daemon.config import OptionRefused
from counterfoil.desk.v1 import standing_pb2
from counterfoil.domain.addresses import check_address
from counterfoil.domain.reasons import all_reasons
from counterfoil.domain.refusals import (
    CounterfoilError,
    PeerUnreachable,
)
from counterfoil.domain.violation import Violation
from counterfoil.domain.voucher import VoucherKey
from counterfoil.office import Person
from counterfoil.office.token_access import open_key, token_credentials
from counterfoil.seal.certificates import CertificateRefused, load_pem_chain
from counterfoil.seal.keys import KeyReference, load_tls_key
from counterfoil.seal.secret import KeyRefused
from counterfoil.seal.token_uri import PREFIX

CALL_S: Final = 30.0

_MESSAGE_BYTES_MAX: Final = 64 * 1024 * 1024


def printed_key(key: VoucherKey) -> str:
    """Return a key in the form that `inquire` takes."""
    name = f"{key.issuer}/{key.adm_div}/{key.fiscal_year}/{key.type_code}/{key.number}"
    return name if key.issue == 1 else f"{name}#{key.issue}"


def printed_standing(standing: standing_pb2.Standing.ValueType) -> str:
    """Return a standing as people write it: `ARRIVED`."""
    return standing_pb2.Standing.Name(standing).removeprefix("STANDING_")


def tell(*cells: str) -> None:
    """Print one line of cells, parted by tabs; empty cells are left out."""
    sys.stdout.write("\t".join(cell for cell in cells if cell) + "\n")


@contextmanager
def channel_to_gateway(arguments: argparse.Namespace) -> Iterator[grpc.Channel]:
    """Open a channel to a gateway; its refusals come out as ours.

    Raises:
        OptionRefused: Certificate, key or roots cannot be used.
        PeerUnreachable: The gateway does not answer.
        CounterfoilError: The gateway refused.
    """
    try:
        chain = Path(arguments.certificate).read_bytes()
        roots = Path(arguments.authorities).read_bytes()
    except OSError as error:
        msg = f"{error.filename}: cannot be read: {error.strerror}"
        raise OptionRefused(msg) from error
    # gRPC would say of broken ones only that nobody answers.
    for name, content in (("certificate", chain), ("authorities", roots)):
        try:
            load_pem_chain(content)
        except CertificateRefused as error:
            msg = f"--{name}: {error}"
            raise OptionRefused(msg) from error
    try:
        check_address(arguments.address)
    except ValueError as error:
        msg = f"--address: {error}"
        raise OptionRefused(msg) from error
    credentials = _credentials(arguments, chain, roots)
    options = [("grpc.max_receive_message_length", _MESSAGE_BYTES_MAX)]
    with grpc.secure_channel(arguments.address, credentials, options) as channel:
        try:
            yield channel
        except grpc.RpcError as error:
            raise _refusal(error) from error


def person_of(arguments: argparse.Namespace) -> Person:
    """Return the person whose certificate and key a command line names.

    Raises:
        OptionRefused: They cannot be used.
    """
    reference = _reference(arguments)
    try:
        chain = Path(arguments.certificate).read_bytes()
        # Of any algorithm: what a person signs here goes through no handshake.
        key = open_key(reference.uri, reference.passphrase, chain)
        return Person.with_key(chain, key)
    except (KeyRefused, ValueError) as error:
        msg = f"--key: {error}"
        raise OptionRefused(msg) from error


def _credentials(
    arguments: argparse.Namespace, chain: bytes, roots: bytes
) -> grpc.ChannelCredentials:
    """Return what proves who calls, by a key in a file or in a token.

    Raises:
        OptionRefused: The key cannot be used.
    """
    reference = _reference(arguments)
    try:
        if reference.uri.startswith(PREFIX):
            signer = open_key(reference.uri, reference.passphrase, chain)
            return token_credentials(signer, chain, roots)
        return grpc.ssl_channel_credentials(
            roots, load_tls_key(reference).reveal(), chain
        )
    except (KeyRefused, ValueError) as error:
        msg = f"--key: {error}"
        raise OptionRefused(msg) from error


def _reference(arguments: argparse.Namespace) -> KeyReference:
    return KeyReference(
        uri=_absolute(arguments.key), passphrase=_absolute(arguments.passphrase)
    )


def _absolute(reference: str) -> str:
    scheme, _, rest = reference.partition(":")
    return f"file:{Path(rest).absolute()}" if scheme == "file" else reference


def _refusal(error: grpc.RpcError) -> CounterfoilError:
    """Return a failed call's refusal, or that the gateway cannot be reached."""
    # gRPC raises the failed call itself, under a type that does not say so.
    status = rpc_status.from_call(cast("grpc.Call", error))
    info, fields = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    kind: type[CounterfoilError] | None = None
    for detail in status.details if status is not None else ():
        if detail.Unpack(info):
            kind = all_reasons().get(info.reason)
        detail.Unpack(fields)
    if status is None or kind is None:
        return PeerUnreachable(f"{error.code().name}: {error.details()}")
    at_fault = [
        Violation(
            path=one.field,
            rule=one.reason,
            text=one.description,
            text_zh=one.localized_message.message,
        )
        for one in fields.field_violations
    ]
    return kind(status.message, at_fault)
