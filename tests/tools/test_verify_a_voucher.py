"""The script of `docs/verify-a-voucher.md`, on real exports and on forged ones."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from counterfoil.daemon import cli
from counterfoil.devca.certificates import Validity, make_crl, make_root
from counterfoil.domain.catalogue import DocumentKind, SealPurpose
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.seals import Seal
from counterfoil.domain.standing import Act
from counterfoil.office import Reference, Standing
from counterfoil.seal.algorithms import signing_key
from counterfoil.seal.head_keys import head_signers, load_log_keys
from counterfoil.seal.keys import KeyReference
from counterfoil.seal.sign import Sealer, SealOrder
from counterfoil.sealed.v1 import sealed_pb2
from counterfoil.tlog.checkpoint import Checkpoint, sign_checkpoint
from counterfoil.tlog.merkle import TreeHead, leaf_hash
from counterfoil.tlog.note import NoteSigner
from counterfoil.tlog.proof_file import ProofFile
from counterfoil.wire.sealed import close_sealed
from counterfoil.wire.seals import encode_statement
from tests.houses import BANK, FINANCE, Town, running
from tests.integration.desks import (
    accept_at,
    act_on,
    done,
    reaches,
    review,
    until,
    write,
)
from tests.integration.papers import Papers, receipt_of

pytestmark = [pytest.mark.tools, pytest.mark.clause("hubei-16")]

SCRIPT: Final = Path(__file__).parents[2] / "docs/verify_a_voucher.py"
Change = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Case:
    """An export, and whom the expert trusts."""

    town: Town
    export: Path

    def judge(
        self, *options: str, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                *(sys.executable, "-I", str(SCRIPT), str(self.export)),
                *("--root", str(self.export.parent / "root.pem")),
                *("--log-keys", str(self.export.parent / "keys.txt")),
                *options,
            ],
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )

    def change(self, name: str, change: Change) -> None:
        path = self.export / name
        path.write_bytes(change(path.read_bytes()))

    def log_anew(self, sealed: sealed_pb2.Sealed) -> None:
        """Let finance forge: what it enters into a log of its own, and signs."""
        folder = self.export / "01"
        for path in [*self.export.glob("0[2-9]"), *self.export.glob("log")]:
            shutil.rmtree(path)
        content = sealed.SerializeToString()
        (folder / "sealed.bin").write_bytes(content)
        digest = sha256(sealed.payload).digest()
        leaf = Leaf(
            act=Act.ENTER,
            kind=DocumentKind(sealed.kind),
            time_us=int(datetime.now(UTC).timestamp() * 1_000_000),
            subject=digest,
            document=digest,
            version=sha256(content).digest(),
            by=FINANCE,
        ).to_bytes()
        checkpoint = Checkpoint(
            origin=f"{FINANCE}/log", head=TreeHead(1, leaf_hash(leaf))
        )
        signed = sign_checkpoint(checkpoint, signers(self.town, FINANCE), 1)
        (self.export / "log").mkdir()
        (self.export / "log/act-0000000000.tlog-proof").write_bytes(
            ProofFile(index=0, proof=(), checkpoint=signed, extra=leaf).to_bytes()
        )

    def sealed(self) -> sealed_pb2.Sealed:
        content = (self.export / "01/sealed.bin").read_bytes()
        return sealed_pb2.Sealed.FromString(content)


def signers(town: Town, party: str) -> Sequence[NoteSigner]:
    folder = town.pki / party
    pair = [
        KeyReference(
            f"file:{folder}/head-{name}.key", f"file:{folder}/head-{name}.pass"
        )
        for name in ("ed25519", "ml-dsa-44")
    ]
    return head_signers(f"{party}/log", *load_log_keys(*pair))


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """Two payments that were sealed, paid and answered together, as both export one."""
    town = Town(
        directory=tmp_path_factory.mktemp("exports"),
        settings={"seal": "batch = true", "limits": "retry_s_min = 0.05"},
        founded=False,  # so that the log begins with the first payment
    )
    town.initialise()
    asyncio.run(_exported(town))
    (town.directory / "root.pem").write_bytes((town.pki / "root.pem").read_bytes())
    keys = [*town.heads(FINANCE), *town.heads(BANK)]
    (town.directory / "keys.txt").write_text("\n".join(keys), "utf-8")
    return town


async def _exported(town: Town) -> None:
    papers = Papers()
    async with running(town), town.desk(FINANCE) as finance, town.desk(BANK) as bank:
        issued = [await write(finance, papers.direct_payment()) for _ in range(2)]
        for each in issued:
            await review(town, each)
        references: list[Reference] = [each.reference for each in issued]
        for outcome in await finance.seal(
            [one.digest for one in references], send=True
        ):
            done(outcome)
        answers = []
        for reference in references:
            voucher = await accept_at(bank, reference)
            await act_on(bank, reference)
            answers.append(receipt_of(reference, voucher))
        for outcome in await bank.issue_receipt(answers):
            done(outcome)
        first = references[0]
        await reaches(finance, first, Standing.CLOSED)
        await until(
            lambda: bank.inquire(first.digest),
            lambda way: sum(act.act.startswith("DELIVER") for act in way.acts) == 2,
        )
        for party in (FINANCE, BANK):
            folder = town.pki / party
            options = {
                "address": f"127.0.0.1:{town.ports[party]}",
                "certificate": folder / "system-1.pem",
                "key": f"file:{folder / 'system-1.key'}",
                "passphrase": f"file:{folder / 'system-1.pass'}",
                "authorities": town.pki / "authorities.pem",
                "export": town.directory / party,
            }
            words = [
                word for name in options for word in (f"--{name}", str(options[name]))
            ]
            status = await asyncio.to_thread(
                cli.main, ["inquire", first.digest.hex(), *words]
            )
            assert status == 0


@pytest.fixture
def case(exports: Town, tmp_path: Path, program: Callable[[str], Path]) -> Case:
    program("openssl")
    for name in ("root.pem", "keys.txt"):
        shutil.copy(exports.directory / name, tmp_path)
    shutil.copytree(exports.directory / FINANCE, tmp_path / "export")
    return Case(exports, tmp_path / "export")


def test_all_that_finance_exports_holds(case: Case) -> None:
    verdict = case.judge()

    assert verdict.returncode == 0, verdict.stderr
    told = verdict.stdout.splitlines()
    assert [line.split(",")[1] for line in told if line.startswith("document")] == [
        " kind 1",
        " kind 3",
        " kind 2",
    ]
    # The bank's log, too, says that it arrived; the seals are judged at that time.
    assert f"leaf 0 of {BANK}/log" in told[2]
    assert told[3].split()[1:] == told[2].split()[1:4]
    assert told[4:7] == [
        f"  seal    jbqm by {FINANCE} person:first",
        f"  seal    fhqm by {FINANCE} person:second",
        f"  seal    gz by {FINANCE} institution:1",
    ]
    assert told[-1] == "holds (成立)"


def test_all_that_the_bank_exports_holds(case: Case) -> None:
    shutil.rmtree(case.export)
    shutil.copytree(case.town.directory / BANK, case.export)

    verdict = case.judge()

    assert verdict.returncode == 0, verdict.stderr
    assert f"of {FINANCE}/log" in verdict.stdout


def test_it_needs_no_more_than_it_says() -> None:
    text = SCRIPT.read_text("utf-8")

    assert sum(bool(line.strip()) for line in text.splitlines()) <= 300
    imported = re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE)
    assert set(imported) <= sys.stdlib_module_names


def test_a_seal_of_a_batch_is_among_those_judged(case: Case) -> None:
    assert case.sealed().seals[2].HasField("batch")
    assert list(case.export.glob("03/seal-01.batch"))


# --- what was changed afterwards --------------------------------------------------


def refused(case: Case, word: str, *options: str) -> bool:
    verdict = case.judge(*options)
    assert verdict.returncode == 1, verdict.stdout
    found = re.fullmatch(
        r"does not hold \(不成立\): (\w+) \((.+)\): .+", verdict.stderr.strip()
    )
    assert found, verdict.stderr
    return found[1] == word


def flip(place: int) -> Change:
    def flipped(content: bytes) -> bytes:
        changed = bytearray(content)
        changed[place] ^= 1
        return bytes(changed)

    return flipped


def line(number: int, change: Callable[[str], str]) -> Change:
    def changed(content: bytes) -> bytes:
        lines = content.decode().split("\n")
        lines[number] = change(lines[number])
        return "\n".join(lines).encode()

    return changed


def other_base64(text: str) -> str:
    """Change the first byte that is written."""
    return ("B" if text[0] != "B" else "C") + text[1:]


def after(word: str) -> Callable[[str], str]:
    return lambda text: word + other_base64(text.removeprefix(word))


ACT = "log/act-0000000000.tlog-proof"


def peer_of(case: Case) -> str:
    (found,) = case.export.glob("log/peer-*")
    return f"log/{found.name}"


@pytest.mark.parametrize("place", [-1, 40, 300])
def test_no_bit_of_a_document_can_change(case: Case, place: int) -> None:
    case.change("01/sealed.bin", flip(place))

    assert refused(case, "leaf")


LENGTH = re.compile(rb"(/log\n)(\d+\n)")
"""How many leaves a checkpoint covers."""


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (line(1, after("extra ")), "proof"),  # the leaf
        (line(2, lambda _: "index 1"), "proof"),
        (line(2, lambda _: "index 99"), "proof"),
        (line(3, other_base64), "proof"),  # a hash of the path
        (line(3, lambda _: "AAAA"), "proof"),
        (line(3, lambda text: f"{text}\n{text}"), "proof"),
        (line(1, lambda _: "extra"), "form"),
        (lambda content: LENGTH.sub(rb"\g<1>1\2", content, count=1), "checkpoint"),
        (
            lambda content: content.replace(b"420000-011/log\n", b"x/log\n"),
            "checkpoint",
        ),
        (lambda content: content[: content.rindex(b"\n\n")] + b"\n", "checkpoint"),
        (line(-3, lambda text: text[:-8] + "A" * 6 + text[-2:]), "checkpoint"),
        (
            lambda content: content.replace("— 420000-011/log".encode(), b"-"),
            "checkpoint",
        ),
    ],
)
def test_a_changed_proof(case: Case, change: Change, word: str) -> None:
    before = (case.export / ACT).read_bytes()
    case.change(ACT, change)

    assert (case.export / ACT).read_bytes() != before
    assert refused(case, word)


def test_a_log_whose_second_key_did_not_sign(case: Case) -> None:
    def without_ml_dsa(content: bytes) -> bytes:
        lines = content.decode().splitlines(keepends=True)
        return "".join(one for one in lines if len(one) < 1000).encode()

    case.change(ACT, without_ml_dsa)

    assert refused(case, "checkpoint")


def test_a_log_that_the_expert_does_not_know(case: Case) -> None:
    keys = case.export.parent / "keys.txt"
    keys.write_text("\n".join(case.town.heads(FINANCE)))

    assert refused(case, "checkpoint")


def test_a_log_that_has_changed_its_keys(case: Case) -> None:
    before = case.export.parent / "before.txt"
    before.write_text("\n".join(case.town.heads(FINANCE)))
    keys = case.export.parent / "keys.txt"
    # Finance's log signs with other keys now; what was exported has the earlier ones.
    now = [one.replace(BANK, FINANCE) for one in case.town.heads(BANK)]
    keys.write_text("\n".join([*now, *case.town.heads(BANK)]))

    assert refused(case, "checkpoint")
    verdict = case.judge("--log-keys", str(before))
    assert verdict.returncode == 0, verdict.stderr
    # Keys of two times are no set, and half of a set is none.
    keys.write_text(
        "\n".join([*now, *case.town.heads(FINANCE), *case.town.heads(BANK)])
    )
    assert refused(case, "checkpoint")


def test_a_checkpoint_by_half_of_each_set_of_keys(case: Case) -> None:
    own, other = case.town.heads(FINANCE), case.town.heads(BANK)
    mixed = case.export.parent / "mixed.txt"
    mixed.write_text("\n".join([own[0], other[1].replace(BANK, FINANCE)]))
    keys = case.export.parent / "keys.txt"
    keys.write_text("\n".join([other[0].replace(BANK, FINANCE), own[1], *other]))

    assert refused(case, "checkpoint", "--log-keys", str(mixed))


def test_another_log_s_keys(case: Case) -> None:
    keys = case.export.parent / "keys.txt"
    keys.write_text(
        keys.read_text().replace(f"{FINANCE}/log", "x").replace(BANK, FINANCE)
    )

    assert refused(case, "checkpoint")


def test_a_proof_of_arrival_of_something_else(case: Case) -> None:
    name = peer_of(case)
    shutil.copy(case.export / ACT, case.export / name)

    assert refused(case, "arrival")


def test_a_proof_of_arrival_that_nothing_was_delivered_for(case: Case) -> None:
    name = peer_of(case)
    (case.export / name).rename(case.export / "log/peer-0000000000.tlog-proof")

    assert refused(case, "arrival")


def test_a_proof_of_arrival_that_the_issuer_made(case: Case) -> None:
    name = peer_of(case)
    theirs = ProofFile.from_bytes((case.export / name).read_bytes())
    assert theirs.extra
    head = TreeHead(1, leaf_hash(theirs.extra))
    ours = Checkpoint(origin=f"{FINANCE}/log", head=head)
    note = sign_checkpoint(ours, signers(case.town, FINANCE), 1)
    forged = ProofFile(index=0, proof=(), checkpoint=note, extra=theirs.extra)
    (case.export / name).write_bytes(forged.to_bytes())

    assert refused(case, "arrival")


def test_a_changed_proof_of_arrival(case: Case) -> None:
    case.change(peer_of(case), line(1, after("extra ")))

    assert refused(case, "proof")


def test_leaves_of_another_voucher(case: Case) -> None:
    other = case.sealed()
    other.payload += b"\x12\x01x"
    shutil.copytree(case.export, case.export.parent / "other")
    forged = Case(case.town, case.export.parent / "other")
    forged.log_anew(other)
    shutil.copy(forged.export / ACT, case.export / "log/act-0000000099.tlog-proof")

    assert refused(case, "leaf")


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("01/sealed.bin", "file"),
        ("01/certificates.pem", "file"),
        ("01/crls.pem", "file"),
    ],
)
def test_a_missing_file(case: Case, name: str, word: str) -> None:
    (case.export / name).unlink()

    assert refused(case, word)


def test_an_export_without_documents_or_without_a_log(case: Case) -> None:
    shutil.rmtree(case.export / "log")
    assert refused(case, "leaf")


def test_a_log_without_documents(case: Case) -> None:
    for folder in case.export.glob("0*"):
        shutil.rmtree(folder)

    assert refused(case, "file")


# --- certificates and lists -------------------------------------------------------


def authorities(text: bytes) -> list[bytes]:
    return re.findall(rb"-----BEGIN.*?-----END [A-Z0-9 ]+-----\n", text, re.DOTALL)


def test_a_missing_certificate_of_a_signer(case: Case) -> None:
    case.change("01/certificates.pem", lambda text: b"".join(authorities(text)[1:]))

    assert refused(case, "certificate")


def test_a_missing_certificate_of_an_authority(case: Case) -> None:
    case.change("01/certificates.pem", lambda text: b"".join(authorities(text)[:-1]))

    assert refused(case, "certificate")


def test_a_foreign_root_even_where_this_machine_trusts_it(
    case: Case, tmp_path: Path
) -> None:
    root = case.export.parent / "root.pem"
    trusted = tmp_path / "trusted"
    trusted.mkdir()
    shutil.copy(root, trusted / "root.pem")
    subprocess.run(["openssl", "rehash", str(trusted)], check=True)
    now = datetime.now(UTC).replace(microsecond=0)
    foreign = make_root("foreign", Validity(now, now + timedelta(days=1)))
    root.write_bytes(foreign.certificate.public_bytes(Encoding.PEM))

    verdict = case.judge(
        SSL_CERT_DIR=str(trusted), SSL_CERT_FILE=str(trusted / "root.pem")
    )

    assert verdict.returncode == 1
    assert "certificate (证书)" in verdict.stderr


def test_a_list_that_was_changed(case: Case) -> None:
    def one_list_flipped(text: bytes) -> bytes:
        lists = authorities(text)
        body = bytearray(lists[0].split(b"\n")[2])
        body[5] = ord("B") if body[5] != ord("B") else ord("C")
        return text.replace(lists[0].split(b"\n")[2], bytes(body))

    case.change("01/crls.pem", one_list_flipped)

    assert refused(case, "revocation")


@pytest.mark.parametrize("left", [0, 1])
def test_a_list_that_is_missing(case: Case, left: int) -> None:
    case.change("01/crls.pem", lambda text: authorities(text)[left])

    assert refused(case, "revocation")


def test_no_list_at_all(case: Case) -> None:
    case.change("01/crls.pem", lambda _: b"")

    assert refused(case, "revocation")


def later_lists(case: Case, revoked: datetime | None, issued: datetime) -> None:
    """Put lists beside a document that revoke its second reviewer's certificate."""
    certificate = case.town.ca.credential(FINANCE, "person", "second").certificate
    serials = {certificate.serial_number: revoked} if revoked else {}
    validity = Validity(issued, issued + timedelta(days=30))
    crls = [
        make_crl(case.town.ca.root, validity, {}),
        make_crl(case.town.ca.authority, validity, serials),
    ]
    pem = b"".join(crl.public_bytes(Encoding.PEM) for crl in crls)
    (case.export / "01/crls.pem").write_bytes(pem)


def test_what_was_revoked_before_the_arrival_does_not_hold(case: Case) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    later_lists(case, now - timedelta(days=1), now)

    assert refused(case, "revoked")


def test_what_was_revoked_after_the_arrival_holds(case: Case) -> None:
    now = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    later_lists(case, now, now)

    verdict = case.judge()

    assert verdict.returncode == 0, verdict.stderr


def test_a_list_that_is_too_old_says_nothing(case: Case) -> None:
    old = datetime.now(UTC).replace(microsecond=0) - timedelta(days=60)
    later_lists(case, None, old)

    assert refused(case, "revocation")


def test_an_instant_outside_the_certificates_time(case: Case) -> None:
    late = datetime.now(UTC) + timedelta(days=20 * 365)

    assert refused(case, "certificate", "--at", str(int(late.timestamp())))


# --- forged by whoever has the keys of the log ------------------------------------


def test_the_same_document_in_a_log_made_anew_holds(case: Case) -> None:
    case.log_anew(case.sealed())

    verdict = case.judge()

    assert verdict.returncode == 0, verdict.stderr
    assert "arrived" not in verdict.stdout


def forge_payload(sealed: sealed_pb2.Sealed) -> None:
    sealed.payload += b"\x12\x01x"


def forge_kind(sealed: sealed_pb2.Sealed) -> None:
    sealed.seals[0].statement = b"\x08\x02" + sealed.seals[0].statement[2:]


def forge_field(sealed: sealed_pb2.Sealed) -> None:
    sealed.seals[0].statement += b"\x48\x01"


def strip_lowest(sealed: sealed_pb2.Sealed) -> None:
    del sealed.seals[0]


def strip_all(sealed: sealed_pb2.Sealed) -> None:
    del sealed.seals[:]


def forge_signature(sealed: sealed_pb2.Sealed) -> None:
    sealed.seals[1].signature = flip(-1)(sealed.seals[1].signature)


def forge_time(sealed: sealed_pb2.Sealed) -> None:
    statement = sealed_pb2.SealStatement.FromString(sealed.seals[0].statement)
    statement.stated_time.seconds -= 86_400
    sealed.seals[0].statement = statement.SerializeToString()
    del sealed.seals[1:]


def forge_algorithm(sealed: sealed_pb2.Sealed) -> None:
    statement = sealed_pb2.SealStatement.FromString(sealed.seals[0].statement)
    statement.algorithm = sealed_pb2.ALGORITHM_ED25519
    sealed.seals[0].statement = statement.SerializeToString()


def forge_certificate(sealed: sealed_pb2.Sealed) -> None:
    statement = sealed_pb2.SealStatement.FromString(sealed.seals[0].statement)
    statement.certificate_digest = b"\1" * 32
    sealed.seals[0].statement = statement.SerializeToString()


def forge_place(sealed: sealed_pb2.Sealed) -> None:
    sealed.seals[2].batch.index = 7


def forge_path(sealed: sealed_pb2.Sealed) -> None:
    sealed.seals[2].batch.hashes[0] = b"\1" * 32


def lengthen_path(sealed: sealed_pb2.Sealed) -> None:
    sealed.seals[2].batch.hashes.append(b"\1" * 32)


def no_batch(sealed: sealed_pb2.Sealed) -> None:
    sealed.seals[2].ClearField("batch")


@pytest.mark.parametrize(
    ("forge", "word"),
    [
        (forge_payload, "payload"),
        (forge_kind, "statement"),
        (forge_field, "statement"),
        (strip_lowest, "beneath"),
        (strip_all, "seals"),
        (forge_signature, "signature"),
        (forge_time, "signature"),
        (forge_algorithm, "key"),
        (forge_certificate, "certificate"),
        (forge_place, "batch"),
        (forge_path, "signature"),
        (lengthen_path, "batch"),
        (no_batch, "signature"),
    ],
)
def test_a_forged_document(
    case: Case, forge: Callable[[sealed_pb2.Sealed], None], word: str
) -> None:
    sealed = case.sealed()
    forge(sealed)
    case.log_anew(sealed)

    assert refused(case, word)


def sealed_by(case: Case, *names: tuple[str, str, str]) -> None:
    """Let others seal the payload, each with a seal that is in order."""
    sealed = case.sealed()
    seals: list[Seal] = []
    folder = case.export / "01/certificates.pem"
    for party, use, name in names:
        credential = case.town.ca.credential(party, use, name)
        der = credential.certificate.public_bytes(Encoding.DER)
        order = SealOrder(
            document_kind=DocumentKind.VOUCHER,
            payload_digest=sha256(sealed.payload).digest(),
            position="gz",
            purpose=SealPurpose.OFFICIAL,
            beneath=tuple(seals),
        )
        sealer = Sealer.of(signing_key(credential.load_key()), der, encode_statement)
        seals.append(sealer.seal(order, stated_time_us=1))
        pem = credential.certificate.public_bytes(Encoding.PEM)
        folder.write_bytes(folder.read_bytes() + pem)
    content = close_sealed(DocumentKind.VOUCHER, sealed.payload, seals)
    case.log_anew(sealed_pb2.Sealed.FromString(content))


@pytest.mark.parametrize(
    "names",
    [
        [(BANK, "institution", "1")],
        [(FINANCE, "system", "1")],
        [(FINANCE, "person", "first"), (FINANCE, "person", "first")],
    ],
)
def test_who_may_not_seal(case: Case, names: list[tuple[str, str, str]]) -> None:
    sealed_by(case, *names)

    assert refused(case, "signer")


@pytest.mark.parametrize(
    "content",
    [
        b"\x80",
        b"\x0a\xff",
        b"\x0a\x05x",
        b"\x09" + bytes(8),
        b"\xff" * 12,
    ],
)
def test_what_is_no_document(case: Case, content: bytes) -> None:
    case.change("01/sealed.bin", lambda _: content)

    assert refused(case, "form")


# --- a newer openssl ---------------------------------------------------------------

NEWER: Final = """\
#!{python}
import os, sys
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

words = sys.argv[1:]

def named(option):
    return open(words[words.index(option) + 1], "rb").read() if option in words else b""

key = named("-inkey") or named("-in")
if words[0] not in ("pkey", "pkeyutl") or len(key) != 1334:
    os.execv("{openssl}", ["openssl", *words])
key = MLDSA44PublicKey.from_public_bytes(key[22:])
if words[0] == "pkeyutl":
    key.verify(named("-sigfile"), named("-in"))
"""
"""Stands in for `openssl` from 3.5 on, which knows ML-DSA-44: our openssl is older."""


@pytest.fixture
def newer(tmp_path: Path, program: Callable[[str], Path]) -> str:
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin/openssl"
    command.write_text(NEWER.format(python=sys.executable, openssl=program("openssl")))
    command.chmod(0o755)
    return f"{command.parent}:/usr/bin:/bin"


def test_a_newer_openssl_checks_both_signatures(case: Case, newer: str) -> None:
    verdict = case.judge(PATH=newer)

    assert verdict.returncode == 0, verdict.stderr
    assert "NOT CHECKED" not in verdict.stdout
    signed = [one for one in verdict.stdout.splitlines() if ", signed " in one]
    assert len(signed) == 2


def test_a_newer_openssl_refuses_a_changed_second_signature(
    case: Case, newer: str
) -> None:
    case.log_anew(case.sealed())
    # In the middle: what an ML-DSA signature ends with may be zeros already.
    case.change(ACT, line(-2, lambda text: text[:-2000] + other_base64(text[-2000:])))
    assert case.judge().returncode == 0

    verdict = case.judge(PATH=newer)

    assert verdict.returncode == 1
    assert "checkpoint (树头)" in verdict.stderr
