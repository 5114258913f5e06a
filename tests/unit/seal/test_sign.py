"""Making seals, alone and in batches."""

from dataclasses import replace
from hashlib import sha256

import pytest
from cryptography.exceptions import InvalidSignature

from counterfoil.devca.certificates import make_certificate, make_key, urn
from counterfoil.domain.seals import BatchPath
from counterfoil.seal.algorithms import check_with, signing_key
from counterfoil.seal.batch import BATCH_MAX, NODES_MAX, batch_message, climb, plant
from counterfoil.seal.certificates import (
    CertificateRefused,
    load_certificate,
    public_key_of,
)
from counterfoil.seal.dsse import SEAL_TYPE, encode_for_signing
from counterfoil.seal.sign import Sealer
from counterfoil.tlog.merkle import Frontier, TreeHead, leaf_hash
from counterfoil.tlog.verification import verify_inclusion
from counterfoil.wire.seals import encode_statement, parse_statement
from tests.unit.seal.makers import (
    IN_FORCE,
    NOW_US,
    PARTY,
    Pki,
    Signers,
    der,
    order_of,
)


def test_a_statement_says_everything_the_seal_could_be_confused_about(
    signers: Signers,
) -> None:
    beneath = (signers.first.seal(order_of(), stated_time_us=NOW_US),)
    order = order_of(7, beneath=beneath)

    seal = signers.institution.seal(order, stated_time_us=NOW_US + 5)
    statement = parse_statement(seal.statement)

    assert statement.document_kind is order.document_kind
    assert statement.payload_digest == order.payload_digest
    assert (statement.position, statement.purpose) == ("gz", order.purpose)
    assert statement.certificate_digest == signers.institution.certificate_digest
    assert statement.algorithm is signers.institution.key.algorithm
    assert statement.stated_time_us == NOW_US + 5
    assert statement.beneath == (sha256(beneath[0].statement).digest(),)


def test_the_signature_covers_type_and_statement(signers: Signers) -> None:
    seal = signers.institution.seal(order_of(), stated_time_us=NOW_US)
    key = public_key_of(load_certificate(signers.institution.certificate))
    _, check = check_with(key)

    check(seal.signature, encode_for_signing(SEAL_TYPE, seal.statement))
    with pytest.raises(InvalidSignature):
        check(seal.signature, seal.statement)


def test_seals_of_many_documents_are_those_of_each(signers: Signers) -> None:
    orders = [order_of(index) for index in range(3)]

    together = signers.institution.seal_each(orders, stated_time_us=NOW_US)

    alone = [signers.institution.seal(one, stated_time_us=NOW_US) for one in orders]
    assert [one.statement for one in together] == [one.statement for one in alone]


@pytest.mark.parametrize("count", [0, 1, BATCH_MAX + 1])
def test_a_batch_has_bounds(signers: Signers, count: int) -> None:
    orders = [order_of()] * count

    with pytest.raises(ValueError, match="a batch has 2 to 1024"):
        signers.institution.seal_batch(orders, stated_time_us=NOW_US)


@pytest.mark.parametrize("size", [2, 3, 5, 8, 64, 100, BATCH_MAX])
def test_the_tree_is_that_of_the_log(size: int) -> None:
    statements = [b"statement %d" % index for index in range(size)]
    frontier = Frontier()
    for statement in statements:
        frontier.append(leaf_hash(statement))

    root, paths = plant(statements)

    assert root == frontier.root()
    for index, path in enumerate(paths):
        verify_inclusion(
            index, leaf_hash(statements[index]), TreeHead(size, root), path.hashes
        )


@pytest.mark.parametrize(
    ("index", "size", "hashes"),
    [
        (0, 1, ()),
        (0, BATCH_MAX + 1, (bytes(32),) * 11),
        (-1, 4, (bytes(32),) * 2),
        (4, 4, (bytes(32),) * 2),
        (0, 4, (bytes(31), bytes(33))),
    ],
)
def test_a_path_has_bounds(index: int, size: int, hashes: tuple[bytes, ...]) -> None:
    path = BatchPath(index=index, size=size, hashes=hashes)

    with pytest.raises(ValueError, match=r"no such place|lacks a hash"):
        climb(b"statement", path, {})


def test_what_is_remembered_of_trees_is_bounded() -> None:
    statements = [b"statement %d" % index for index in range(4)]
    root, paths = plant(statements)
    nodes = {index.to_bytes(64, "big"): b"" for index in range(NODES_MAX + 1)}

    assert climb(statements[0], paths[0], nodes) == root
    assert len(nodes) == 2


def test_the_size_is_part_of_what_is_signed() -> None:
    assert batch_message(bytes(32), 2) != batch_message(bytes(32), 3)
    assert batch_message(bytes(32), 2) == (
        b"DSSEv1 41 application/vnd.counterfoil.seal-batch.v1 40 "
        + bytes(32)
        + b"\x00\x00\x00\x00\x00\x00\x00\x02"
    )


def test_a_sealer_has_the_identity_of_its_certificate(signers: Signers) -> None:
    sealer = signers.first
    stated = Sealer.of(sealer.key, sealer.certificate, encode_statement)

    assert stated.identity.to_urn() == urn(PARTY, "person", "li")


def test_a_sealer_needs_the_key_of_its_certificate(pki: Pki) -> None:
    sealer = pki.sealer()

    with pytest.raises(ValueError, match="another key's"):
        Sealer.of(signing_key(make_key()), sealer.certificate, encode_statement)


def test_a_sealer_needs_a_certificate(pki: Pki) -> None:
    nameless = pki.sealer(identity=None, usages=[])

    with pytest.raises(CertificateRefused):
        Sealer.of(nameless.key, nameless.certificate, encode_statement)
    with pytest.raises(CertificateRefused):
        Sealer.of(nameless.key, b"\x30\x00", encode_statement)


def test_a_sealer_needs_a_key_that_fits(pki: Pki) -> None:
    certificate = make_certificate(
        pki.authority,
        make_key("p384").public_key(),
        urn(PARTY, "person", "x"),
        IN_FORCE,
    )

    with pytest.raises(ValueError, match="another key's"):
        Sealer.of(signing_key(make_key()), der(certificate), encode_statement)
    unknown = der(certificate).replace(
        bytes.fromhex("2b81040022"), bytes.fromhex("2b8104007f")
    )
    with pytest.raises(CertificateRefused, match="no known kind"):
        Sealer.of(signing_key(make_key()), unknown, encode_statement)


def test_a_sealer_shows_no_key(signers: Signers) -> None:
    assert "sign=" not in repr(replace(signers.first))
