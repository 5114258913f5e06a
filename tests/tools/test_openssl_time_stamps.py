"""Time stamps of `openssl ts`, and judged by `openssl ts`, without our code."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Final

import pytest
from cryptography import x509

from counterfoil.daemon import cli
from counterfoil.daemon.time_stamping import book_of
from counterfoil.devca.certificates import Validity
from counterfoil.office import Standing
from counterfoil.seal.chains import SKEW_US
from counterfoil.seal.time_stamps import TimeStampTrust, accept_time_stamp
from counterfoil.seal.timestamp_reading import question_for
from counterfoil.seal.timestamp_refused import TimeStampFlaw, TimeStampRefused
from tests.houses import BANK, FINANCE, UNIT, Town, running
from tests.integration.desks import reaches, submit, until
from tests.integration.papers import notice
from tests.time_stampers import POLICY, valid_now
from tests.time_stampers import TimeStamper as MadeHere

pytestmark = pytest.mark.tools

DOCS: Final = Path(__file__).parents[2] / "docs"
SETTINGS: Final = """
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[signer]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa]
default_tsa = one
[one]
serial = serial
crypto_device = builtin
signer_cert = signer.pem
signer_key = signer.key
signer_digest = sha256
certs = root.pem
default_policy = 1.2.3.4.1
other_policies = 1.2.3.4.2
digests = sha256, sha384, sha512
accuracy = secs:1, millisecs:500
ordering = no
tsa_name = yes
ess_cert_id_alg = sha256
"""


@dataclass
class OpensslAuthority:
    """A time-stamping authority that is the `openssl` command and nothing else.

    Attributes:
        directory: Its keys, its certificates, its serial numbers.
        key: What kind of key, as `openssl req` is told.
        url: Where it listens.
        answered: How many questions it answered.
    """

    directory: Path
    key: tuple[str, ...] = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    url: str = ""
    answered: int = 0
    lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.directory.mkdir()
        (self.directory / "tsa.cnf").write_text(SETTINGS)
        (self.directory / "serial").write_text("01\n")
        made = ["-newkey", *self.key, "-nodes"]
        self.run(
            *["req", "-x509", *made, "-config", "tsa.cnf", "-extensions", "root"],
            *["-subj", "/CN=root of time", "-days", "30"],
            *["-keyout", "root.key", "-out", "root.pem"],
        )
        self.run(
            *["req", *made, "-config", "tsa.cnf", "-subj", "/CN=time"],
            *["-keyout", "signer.key", "-out", "signer.csr"],
        )
        self.run(
            *["x509", "-req", "-in", "signer.csr", "-CA", "root.pem"],
            *["-CAkey", "root.key", "-set_serial", "7", "-days", "20"],
            *["-extfile", "tsa.cnf", "-extensions", "signer", "-out", "signer.pem"],
        )

    @property
    def root(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(
            (self.directory / "root.pem").read_bytes()
        )

    def run(self, *words: str) -> str:
        done = subprocess.run(
            ["openssl", *words],
            cwd=self.directory,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def answer(self, question: bytes) -> bytes:
        with self.lock:  # its serial numbers are in a file
            (self.directory / "question.tsq").write_bytes(question)
            self.run(
                *["ts", "-reply", "-config", "tsa.cnf", "-section", "one"],
                *["-queryfile", "question.tsq", "-out", "answer.tsr"],
            )
            self.answered += 1
            return (self.directory / "answer.tsr").read_bytes()


@contextmanager
def listening(authority: OpensslAuthority) -> Iterator[OpensslAuthority]:
    """Let an authority listen on a free loopback port."""

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = self.rfile.read(int(self.headers["Content-Length"]))
            body = authority.answer(question)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        authority.url = f"http://127.0.0.1:{server.server_port}/"
        try:
            yield authority
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> OpensslAuthority:
    if shutil.which("openssl") is None:
        pytest.fail("openssl is not here")
    return OpensslAuthority(tmp_path_factory.mktemp("tsa") / "one")


CONTENT: Final = b"what is stamped"
NONCE: Final = 4711


def trust_in(*roots: x509.Certificate, policy: str = "") -> TimeStampTrust:
    return TimeStampTrust(
        roots=roots, policy=policy, accuracy_us_max=2_000_000, clock_us_max=SKEW_US
    )


def judged(response: bytes, trust: TimeStampTrust) -> int | None:
    now_us = int(valid_now().start.timestamp() + 86_400) * 1_000_000
    stamp = accept_time_stamp(response, CONTENT, trust, nonce=NONCE, at_us=now_us)
    return stamp.accuracy_us


def test_what_openssl_stamps_is_taken(authority: OpensslAuthority) -> None:
    imprint = sha256(CONTENT).digest()
    response = authority.answer(question_for(imprint, nonce=NONCE))
    assert judged(response, trust_in(authority.root)) == 1_500_000
    named = question_for(imprint, nonce=NONCE, policy="1.2.3.4.2")
    response = authority.answer(named)
    assert judged(response, trust_in(authority.root, policy="1.2.3.4.2")) == 1_500_000

    with pytest.raises(TimeStampRefused) as refused:
        judged(response, trust_in(authority.root, policy=POLICY))
    assert refused.value.flaw is TimeStampFlaw.POLICY
    # A policy that it has not: it says so, and gives nothing.
    response = authority.answer(question_for(imprint, nonce=NONCE, policy="1.2.3.9"))
    with pytest.raises(TimeStampRefused) as refused:
        judged(response, trust_in(authority.root))
    assert refused.value.flaw is TimeStampFlaw.NOT_GRANTED
    stranger = MadeHere.new(valid_now())
    response = authority.answer(question_for(imprint, nonce=NONCE))
    with pytest.raises(TimeStampRefused) as refused:
        judged(response, trust_in(stranger.root.certificate))
    assert refused.value.flaw is TimeStampFlaw.CERTIFICATE


def test_a_stamp_by_an_rsa_key_is_taken(
    tmp_path: Path, program: Callable[[str], Path]
) -> None:
    program("openssl")
    authority = OpensslAuthority(tmp_path / "rsa", ("rsa:3072",))
    question = question_for(sha256(CONTENT).digest(), nonce=NONCE)

    assert judged(authority.answer(question), trust_in(authority.root)) == 1_500_000


def test_openssl_takes_what_our_own_test_authority_stamps(
    tmp_path: Path, program: Callable[[str], Path]
) -> None:
    # Else the refusals in `make test` would be of something that nobody makes.
    stamper = MadeHere.new(valid_now())
    question = question_for(sha256(CONTENT).digest(), nonce=NONCE, policy=POLICY)
    (tmp_path / "answer.tsr").write_bytes(stamper.answer(question))
    (tmp_path / "question.tsq").write_bytes(question)
    (tmp_path / "content").write_bytes(CONTENT)
    (tmp_path / "tsa.pem").write_bytes(stamper.pem)
    words = ["ts", "-verify", "-in", "answer.tsr", "-CAfile", "tsa.pem"]
    for what in (["-data", "content"], ["-queryfile", "question.tsq"]):
        done = subprocess.run(
            [program("openssl"), *words, *what],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert "Verification: OK" in done.stdout, done.stderr


@dataclass(frozen=True)
class Case:
    """An export with time stamps, and whom the expert trusts."""

    export: Path
    directory: Path

    def judge(self, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                *(sys.executable, "-I", str(DOCS / "verify_a_voucher.py")),
                *(str(self.export), "--root", str(self.directory / "root.pem")),
                *("--log-keys", str(self.directory / "keys.txt"), *options),
            ],
            env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )

    def judge_stamps(self) -> subprocess.CompletedProcess[str]:
        return self.judge("--tsa", str(self.directory / "tsa.pem"))

    def by_hand(self) -> list[str]:
        """Return what the manual's commands print."""
        manual = (DOCS / "verify-a-voucher.md").read_text("utf-8")
        (commands,) = re.findall(
            r"^```bash\n(.*?)^```$", manual, re.DOTALL | re.MULTILINE
        )
        done = subprocess.run(
            ["bash", "-u", "-c", commands],
            cwd=self.export / "timestamps",
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "TSA": str(self.directory / "tsa.pem"),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.stdout.splitlines()

    def heads(self, end: str) -> list[Path]:
        return sorted((self.export / "timestamps").glob(f"head-*.{end}"))


@pytest.fixture(scope="module")
def exported(
    authority: OpensslAuthority, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A notice that waits for its recipient, stamped in the log of the bank."""
    directory = tmp_path_factory.mktemp("stamped")
    town = Town(directory=directory / "town", founded=False)
    shutil.copy(authority.directory / "root.pem", town.pki / "tsa.pem")
    town.initialise()
    with listening(authority):
        with town.file(BANK).open("a") as file:
            file.write(
                f'[timestamp]\naddresses = ["{authority.url}"]\n'
                'authorities = "pki/tsa.pem"\nevery_s = 0.2\n'
            )
        asyncio.run(_exported(town, directory))
    assert authority.answered > 0
    shutil.copy(town.pki / "root.pem", directory)
    shutil.copy(town.pki / "tsa.pem", directory)
    keys = [*town.heads(FINANCE), *town.heads(BANK)]
    (directory / "keys.txt").write_text("\n".join(keys), "utf-8")
    return directory


async def _exported(town: Town, directory: Path) -> None:
    folder, book = town.pki / BANK, book_of(town.configuration(BANK))

    async def inquire(digest: bytes, name: str) -> None:
        options = {
            "address": f"127.0.0.1:{town.ports[BANK]}",
            "certificate": folder / "system-1.pem",
            "key": f"file:{folder / 'system-1.key'}",
            "passphrase": f"file:{folder / 'system-1.pass'}",
            "authorities": town.pki / "authorities.pem",
            "export": directory / name,
        }
        words = [word for one in options for word in (f"--{one}", str(options[one]))]
        command = ["inquire", digest.hex(), *words]
        assert await asyncio.to_thread(cli.main, command) == 0

    async def newest() -> int:
        head = await asyncio.to_thread(book.newest)
        return head.size if head is not None else 0

    async with running(town, BANK) as gateways, town.desk(BANK) as bank:
        done = await submit(bank, notice(1, BANK, UNIT))
        size = gateways[BANK]._vault.size()
        await until(newest, lambda found: found >= size)
        await inquire(done.digest, "waiting")
        async with running(town, FINANCE):
            await reaches(bank, done, Standing.ARRIVED)
            size = gateways[BANK]._vault.size()
            await until(newest, lambda found: found >= size)
        await inquire(done.digest, "arrived")


@pytest.fixture(params=["waiting", "arrived"])
def case(
    exported: Path,
    tmp_path: Path,
    program: Callable[[str], Path],
    request: pytest.FixtureRequest,
) -> Case:
    program("openssl")
    shutil.copytree(exported / request.param, tmp_path / "export")
    for name in ("root.pem", "tsa.pem", "keys.txt"):
        shutil.copy(exported / name, tmp_path)
    return Case(tmp_path / "export", tmp_path)


@pytest.mark.clause("hubei-16")
def test_an_expert_checks_every_stamp_with_openssl_alone(case: Case) -> None:
    told = case.by_hand()

    heads = case.heads("tsr")
    assert heads
    assert told[::2] == ["Verification: OK"] * len(heads)
    assert [line.split(":")[0] for line in told[1::2]] == ["Time stamp"] * len(heads)


def test_openssl_refuses_a_stamp_of_another_head_and_of_a_stranger(case: Case) -> None:
    checkpoint = case.heads("checkpoint")[0]
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole.replace(b"/log", b"/lag", 1))
    assert "Verification: OK" not in case.by_hand()[0]
    checkpoint.write_bytes(whole)
    assert case.by_hand()[0] == "Verification: OK"

    stranger = MadeHere.new(valid_now())
    (case.directory / "tsa.pem").write_bytes(stranger.pem)
    assert "Verification: OK" not in case.by_hand()


@pytest.mark.clause("hubei-16")
def test_the_script_judges_what_was_stamped(case: Case) -> None:
    verdict = case.judge_stamps()

    assert verdict.returncode == 0, verdict.stderr
    rows = [line.split() for line in verdict.stdout.splitlines()]
    by_word = {row[0]: row[1:4] for row in rows}
    has_arrived = "arrived" in by_word
    # An arrival is the better witness; before it, only the authority is one.
    assert by_word["judged"] == by_word["arrived" if has_arrived else "stamped"]
    assert by_word["stamped"][2] == "UTC"
    assert "stamped" not in case.judge().stdout
    assert case.judge().returncode == 0


def test_the_script_refuses_what_is_not_stamped_so(case: Case) -> None:
    checkpoint, answer = case.heads("checkpoint")[0], case.heads("tsr")[0]
    whole = checkpoint.read_bytes(), answer.read_bytes()

    def refused() -> str:
        verdict = case.judge_stamps()
        assert verdict.returncode == 1
        checkpoint.write_bytes(whole[0])
        answer.write_bytes(whole[1])
        return verdict.stderr

    checkpoint.write_bytes(whole[0] + b"\n")
    assert "stamp (时间戳)" in refused()
    changed = bytearray(whole[1])
    changed[-1] ^= 1
    answer.write_bytes(bytes(changed))
    assert "stamp (时间戳)" in refused()
    answer.unlink()
    assert "file (文件)" in refused()
    (case.directory / "tsa.pem").write_bytes(MadeHere.new(valid_now()).pem)
    assert "stamp (时间戳)" in refused()


def test_the_script_says_when_an_authoritys_certificate_has_ended(case: Case) -> None:
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=400)
    ended = MadeHere.new(Validity(at - timedelta(days=1), at + timedelta(days=30)))
    ended.now = lambda: at
    (case.directory / "tsa.pem").write_bytes(ended.pem)
    for answer in case.heads("tsr"):
        imprint = sha256(answer.with_suffix(".checkpoint").read_bytes()).digest()
        answer.write_bytes(ended.answer(question_for(imprint, nonce=NONCE)))

    # Without an arrival the seals are judged at that time, when nobody had a seal.
    told = case.judge_stamps().stdout

    assert f"stamped {at:%Y-%m-%d %H:%M:%S} UTC" in told
    assert "by a certificate that has ended since" in told
    assert "Verification: OK" not in case.by_hand()


def test_a_stamped_proof_of_another_leaf_is_refused(case: Case) -> None:
    proof = min((case.export / "timestamps").glob("act-*"))
    text = proof.read_text("utf-8")
    proof.write_text(
        re.sub(r"^index \d+$", "index 1", text, flags=re.MULTILINE), "utf-8"
    )

    verdict = case.judge_stamps()

    assert verdict.returncode == 1
    assert "proof (证明)" in verdict.stderr
