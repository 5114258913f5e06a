"""`counterfoil inquire`: one voucher's whole way, every act checked."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from counterfoil.daemon.config import OptionRefused
from counterfoil.daemon.desk_channel import (
    CALL_S,
    channel_to_gateway,
    printed_key,
    printed_standing,
    tell,
)
from counterfoil.daemon.inquire_earlier import export_earlier, tell_earlier
from counterfoil.daemon.inquire_timestamps import (
    INDEX_DIGITS,
    export_timestamps,
    tell_stamped,
)
from counterfoil.desk.v1 import desk_pb2, desk_pb2_grpc
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.refusals import VaultCorrupt
from counterfoil.domain.voucher import VoucherKey
from counterfoil.rpc.sightings import named
from counterfoil.seal.certificates import CertificateRefused, certificate_bag
from counterfoil.seal.export import export_for_openssl
from counterfoil.sealed.v1 import sealed_pb2
from counterfoil.tlog.checkpoint import parse_checkpoint, unverified_origin
from counterfoil.tlog.errors import OriginUnknown, TlogError
from counterfoil.tlog.merkle import TreeHead, leaf_hash
from counterfoil.tlog.note import parse_note
from counterfoil.tlog.proof_file import ProofFile
from counterfoil.tlog.trees import LogTree
from counterfoil.tlog.verification import verify_inclusion
from counterfoil.wire.keys import datetime_from_us, key_from_message, key_to_message
from counterfoil.wire.sealed import Opened, open_sealed
from counterfoil.wire.seals import parse_statement

_KEY_PARTS: Final = 5
_DIGEST_BYTES: Final = 32


def inquire(arguments: argparse.Namespace) -> int:
    """Print one voucher's whole way, every act checked against the checkpoint."""
    question = _question(arguments.voucher)
    with channel_to_gateway(arguments) as channel:
        stub = desk_pb2_grpc.DeskServiceStub(channel)
        way = stub.Inquire(question, timeout=CALL_S)
    try:
        _tell_way(way, arguments.export)
    except (TlogError, CertificateRefused, ValueError, OverflowError) as error:
        msg = f"what the gateway answered cannot be read: {error}"
        raise VaultCorrupt(msg) from error
    return 0


def _tell_way(way: desk_pb2.InquireResponse, export: str | None) -> None:
    """Print a voucher's way, and write its documents where that is wanted.

    Raises:
        VaultCorrupt: A proof does not hold.
        TlogError: Checkpoint or proof cannot be read.
        CertificateRefused: A certificate cannot be read.
        ValueError: Something else cannot be read.
    """
    tell(
        "voucher",
        printed_key(key_from_message(way.voucher.key)),
        way.voucher.digest.hex(),
    )
    for one in way.recipients:
        tell(
            "standing",
            one.recipient,
            printed_standing(one.standing),
            one.refused_reason,
        )
    heads = _tell_logs(way)
    for act in way.acts:
        _tell_act(act, heads)
        if act.earlier_proof:
            tell_earlier(act, way.checkpoint)
    leaves = {act.leaf_index: act.leaf for act in way.acts}
    for stamped in way.stamped_heads:
        tell_stamped(stamped, leaves)
    for document in way.documents:
        _tell_document(document)
    if export is not None:
        _export(way, Path(export))


def _tell_logs(way: desk_pb2.InquireResponse) -> dict[LogTree, TreeHead]:
    """Print the log's checkpoints, and return their heads by tree.

    Raises:
        TlogError: One cannot be read, or is not of its tree.
    """
    notes = {LogTree.SHA256: way.checkpoint, LogTree.SM3: way.sm3_checkpoint}
    log, heads = unverified_origin(way.checkpoint), {}
    for tree, note in notes.items():
        if tree is LogTree.SM3 and not note:
            continue
        checkpoint = parse_checkpoint(parse_note(note).text)
        if checkpoint.origin != tree.origin(log):
            raise OriginUnknown(f"a checkpoint is not of the {tree.value} tree")
        tell("log", checkpoint.origin, f"{checkpoint.head.size} leaves")
        heads[tree] = checkpoint.head
    return heads


def _tell_act(act: desk_pb2.ActRecord, heads: Mapping[LogTree, TreeHead]) -> None:
    """Print one act, after checking its place in each tree and the peer's proof.

    Raises:
        VaultCorrupt: A proof does not hold.
    """
    leaf = Leaf.from_bytes(act.leaf)
    proofs = {LogTree.SHA256: act.inclusion_proof, LogTree.SM3: act.sm3_inclusion_proof}
    try:
        for tree, head in heads.items():
            hashed, function = (
                leaf_hash(act.leaf, tree.hash_function),
                tree.hash_function,
            )
            verify_inclusion(act.leaf_index, hashed, head, proofs[tree], function)
        theirs = _peer_place(act.peer_proof) if act.peer_proof else ""
    except TlogError as error:
        raise VaultCorrupt(f"leaf {act.leaf_index}: {error}") from error
    at = datetime_from_us(leaf.time_us).isoformat(timespec="milliseconds")
    tell("act", str(act.leaf_index), at, act.act, f"by {leaf.by}", theirs)


def _peer_place(proof: bytes) -> str:
    file = ProofFile.from_bytes(proof)
    checkpoint = parse_checkpoint(parse_note(file.checkpoint).text)
    return f"leaf {file.index} of {checkpoint.head.size} in {checkpoint.origin}"


def _tell_document(document: sealed_pb2.SealedWithChain) -> None:
    opened = open_sealed(document.sealed)
    bag = certificate_bag(document.certificates)
    tell("document", opened.kind.name, f"sha256 {opened.digest.hex()}")
    for seal in opened.seals:
        statement = parse_statement(seal.statement)
        certificate = bag.get(statement.certificate_digest)
        signer = "certificate unknown"
        if certificate is not None:
            signer = named(certificate)
        how = "batch seal" if seal.batch is not None else statement.algorithm.name
        tell("seal", statement.position, statement.purpose.name, signer, how)


def _export(way: desk_pb2.InquireResponse, directory: Path) -> None:
    """Write all that a third party needs; `docs/verify-a-voucher.md` says what for."""
    for number, document in enumerate(way.documents, start=1):
        opened: Opened = open_sealed(document.sealed)
        files = export_for_openssl(
            opened.payload,
            opened.seals,
            parse=parse_statement,
            certificates=certificate_bag(document.certificates),
            crls=way.revocation_lists,
            answers=way.revocation_answers,
        )
        files["sealed.bin"] = document.sealed
        _write(directory / f"{number:02}", files)
    log = export_log(way.acts, way.checkpoint) | export_earlier(way.acts)
    _write(directory / "log", log)
    if way.sm3_checkpoint:
        _write(directory / "log-sm3", export_sm3_log(way.acts, way.sm3_checkpoint))
    if way.stamped_heads:
        leaves = {act.leaf_index: act.leaf for act in way.acts}
        _write(directory / "timestamps", export_timestamps(way.stamped_heads, leaves))


def export_log(
    acts: Iterable[desk_pb2.ActRecord], checkpoint: bytes
) -> dict[str, bytes]:
    """Return the proof of every act, and the peer's own, as C2SP tlog-proof files.

    The extra data of each is the leaf that it proves.

    Raises:
        ValueError: An index or a hash is out of range.
    """
    files = {}
    for act in acts:
        name = _proof_name(act)
        files[f"act-{name}"] = _proof(act, act.inclusion_proof, checkpoint)
        if act.peer_proof:
            files[f"peer-{name}"] = act.peer_proof
    return files


def export_sm3_log(
    acts: Iterable[desk_pb2.ActRecord], checkpoint: bytes
) -> dict[str, bytes]:
    """Return the proof of every act by the SM3 tree, in the same form.

    Raises:
        ValueError: An index or a hash is out of range.
    """
    return {
        f"act-{_proof_name(act)}": _proof(act, act.sm3_inclusion_proof, checkpoint)
        for act in acts
    }


def _proof_name(act: desk_pb2.ActRecord) -> str:
    return f"{act.leaf_index:0{INDEX_DIGITS}}.tlog-proof"


def _proof(
    act: desk_pb2.ActRecord, hashes: Iterable[bytes], checkpoint: bytes
) -> bytes:
    return ProofFile(
        index=act.leaf_index,
        proof=tuple(hashes),
        checkpoint=checkpoint,
        extra=act.leaf,
    ).to_bytes()


def _write(directory: Path, files: Mapping[str, bytes]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (directory / name).write_bytes(content)


def _question(text: str) -> desk_pb2.InquireRequest:
    """Return the question for a digest in hex or a key in its printed form.

    Raises:
        OptionRefused: The text is neither.
    """
    parts = text.split("/")
    try:
        if len(parts) != _KEY_PARTS:
            return desk_pb2.InquireRequest(digest=_digest(text), sm3=True)
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
        return desk_pb2.InquireRequest(key=key_to_message(key.check()), sm3=True)
    except ValueError as error:
        msg = (
            "neither a digest, 64 hexadecimal digits, nor "
            f"issuer/division/year/type/number: {text}"
        )
        raise OptionRefused(msg) from error


def _digest(text: str) -> bytes:
    """Return a digest.

    Raises:
        ValueError: The text is none.
    """
    digest = bytes.fromhex(text)
    if len(digest) != _DIGEST_BYTES:
        raise ValueError(text)
    return digest
