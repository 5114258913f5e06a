"""Asking over HTTP: an answer in time and in bounds, or a failure that says how."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Final

import pytest
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from counterfoil.daemon.responder import ResponderFailed, ask_responder
from counterfoil.daemon.responder_address import check_responder, responder_of
from counterfoil.seal.ocsp_names import question_of
from counterfoil.seal.ocsp_reading import ANSWER_BYTES_MAX, load_answer
from tests.houses import free_port
from tests.responders import Responder, responding
from tests.unit.seal.makers import Pki

SECONDS: Final = 0.6


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki.new()


@pytest.fixture(scope="module")
def certificate(pki: Pki) -> x509.Certificate:
    return x509.load_der_x509_certificate(pki.sealer().certificate)


@pytest.fixture(scope="module")
def question(pki: Pki, certificate: x509.Certificate) -> bytes:
    return question_of(certificate, pki.authority.certificate)


def test_a_responder_is_asked_and_answers(
    pki: Pki, certificate: x509.Certificate, question: bytes
) -> None:
    with responding(Responder([pki.authority])) as responder:
        answer = load_answer(ask_responder(responder.url, question, seconds=5.0))

    assert responder.asked == [certificate.serial_number]
    assert answer.is_good


@pytest.mark.parametrize(
    ("change", "text"),
    [
        pytest.param({"status": 500}, "status 500", id="an error"),
        # Followed, it would lead wherever the responder likes.
        pytest.param({"status": 302}, "status 302", id="elsewhere"),
        pytest.param(
            {"twist": lambda _: b"x" * (ANSWER_BYTES_MAX + 1)},
            "too long",
            id="too long",
        ),
        pytest.param({"twist": lambda _: None}, "cannot be reached", id="hangs up"),
        pytest.param(
            {"twist": lambda _: time.sleep(3 * SECONDS)}, "cannot be reached", id="slow"
        ),
    ],
)
def test_whatever_else_it_does_is_a_failure(
    pki: Pki, question: bytes, change: dict[str, object], text: str
) -> None:
    with responding(Responder([pki.authority], **change)) as responder:  # type: ignore[arg-type]
        started = time.monotonic()
        with pytest.raises(ResponderFailed, match=text):
            ask_responder(responder.url, question, seconds=SECONDS)
        assert time.monotonic() - started < 2 * SECONDS


def test_a_longest_answer_is_taken(pki: Pki, question: bytes) -> None:
    longest = Responder([pki.authority], twist=lambda _: b"x" * ANSWER_BYTES_MAX)
    with responding(longest) as responder:
        body = ask_responder(responder.url, question, seconds=5.0)

    assert len(body) == ANSWER_BYTES_MAX


def test_nobody_there_is_a_failure(question: bytes) -> None:
    with pytest.raises(ResponderFailed, match="cannot be reached"):
        ask_responder(f"http://127.0.0.1:{free_port()}/", question, seconds=SECONDS)


@contextmanager
def dripping(head: bytes) -> Iterator[str]:
    """Serve one caller a byte at a time, each well within a socket's time-out."""

    def drip() -> None:
        line, _ = server.accept()
        with line:
            line.sendall(head)
            try:
                while True:
                    line.sendall(b"x")
                    time.sleep(SECONDS / 10)
            except OSError:
                # The other side has hung up, as it should.
                return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=drip)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        thread.join(timeout=10)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    "head",
    [b"HTTP/1.1 200 OK\r\nX-Odd: ", b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"],
    ids=["header", "body"],
)
def test_whoever_drips_is_left_in_time(question: bytes, head: bytes) -> None:
    with dripping(head) as url:
        started = time.monotonic()
        with pytest.raises(ResponderFailed):
            ask_responder(url, question, seconds=SECONDS)
        assert time.monotonic() - started < 3 * SECONDS


@pytest.mark.parametrize(
    "url",
    [
        "https://host/",
        "file:///etc/passwd",
        "http://",
        "http:///path",
        "http://user@host/",
        "http://host/#part",
        "http://host:0/",
        "http://host:port/",
        "http://host:70000/",
        "http://host/a b",
        "http://host/\r\nX: y",
        "http://主机/",
        f"http://host/{'x' * 512}",
    ],
)
def test_only_plain_addresses_are_asked(url: str) -> None:
    with pytest.raises(ValueError, match=r"address|[Pp]ort|URL"):
        check_responder(url)


def naming(pki: Pki, *locations: x509.GeneralName) -> x509.Certificate:
    access = x509.AuthorityInformationAccess(
        [
            x509.AccessDescription(AuthorityInformationAccessOID.OCSP, one)
            for one in locations
        ]
        + [
            x509.AccessDescription(
                AuthorityInformationAccessOID.CA_ISSUERS,
                x509.UniformResourceIdentifier("http://elsewhere/"),
            )
        ]
    )
    sealer = pki.sealer(extensions=[(access, False)])
    return x509.load_der_x509_certificate(sealer.certificate)


def test_a_certificate_names_its_responder(
    pki: Pki, certificate: x509.Certificate
) -> None:
    uri = x509.UniformResourceIdentifier

    named = naming(pki, uri("ldap://host/"), uri("http://host:81/ocsp"))
    assert responder_of(named) == "http://host:81/ocsp"
    assert responder_of(naming(pki, x509.DNSName("host"))) == ""
    assert responder_of(naming(pki)) == ""
    assert responder_of(certificate) == ""
