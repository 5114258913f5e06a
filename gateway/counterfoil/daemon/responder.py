"""Asking others over HTTP for what they sign; in a thread, never by the event loop.

Responders are asked about certificates (OCSP), authorities for time stamps. Plain HTTP
is enough: the answer is signed, and what is asked is no secret. Whatever comes back is
bounded in bytes and in time, and nothing is followed elsewhere.

Source: RFC 6960, appendix A.1; RFC 3161, section 3.4.
"""

from __future__ import annotations

import http.client
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from threading import Timer
from typing import Final
from urllib.parse import SplitResult

from counterfoil.daemon.responder_address import check_responder
from counterfoil.seal.ocsp_reading import ANSWER_BYTES_MAX
from counterfoil.seal.timestamp_reading import RESPONSE_BYTES_MAX

_HTTP_PORT: Final = 80


class ResponderFailed(Exception):
    """It did not answer; the text says how, and quotes nothing of what came."""


@dataclass(frozen=True, slots=True)
class _Talk:
    """What is asked and answered.

    Attributes:
        who: Who answers.
        question: Media type of the question.
        answer: Media type of the answer.
        bytes_max: Longest answer.
    """

    who: str
    question: str
    answer: str
    bytes_max: int


_OCSP: Final = _Talk(
    "responder",
    "application/ocsp-request",
    "application/ocsp-response",
    ANSWER_BYTES_MAX,
)
_TIME_STAMP: Final = _Talk(
    "authority",
    "application/timestamp-query",
    "application/timestamp-reply",
    RESPONSE_BYTES_MAX,
)


def ask_responder(url: str, question: bytes, *, seconds: float) -> bytes:
    """Return what a responder answers (RFC 6960), unverified; see `_asked`.

    Raises:
        ResponderFailed: It cannot be reached, takes longer, or answers otherwise.
    """
    return _asked(url, question, seconds, _OCSP)


def ask_time_stamper(url: str, question: bytes, *, seconds: float) -> bytes:
    """Return what a time-stamping authority answers (RFC 3161), unverified.

    Raises:
        ResponderFailed: It cannot be reached, takes longer, or answers otherwise.
    """
    return _asked(url, question, seconds, _TIME_STAMP)


def _asked(url: str, question: bytes, seconds: float, talk: _Talk) -> bytes:
    """Return what is answered, unverified.

    Args:
        url: Who is asked.
        question: In DER.
        seconds: Longest time that all of it may take, once the name is resolved.
        talk: What is asked.

    Raises:
        ResponderFailed: It cannot be reached, takes longer, or answers otherwise.
    """
    parts = check_responder(url)
    assert parts.hostname, "it was checked"
    connection = http.client.HTTPConnection(
        parts.hostname, parts.port or _HTTP_PORT, timeout=seconds
    )
    started = time.monotonic()
    try:
        connection.connect()
        left = max(seconds - (time.monotonic() - started), 0.0)
        # A time-out of the socket's own begins anew with every byte.
        hang_up = Timer(left, _hang_up, [connection.sock])
        hang_up.start()
        try:
            body = _ask(connection, parts, question, talk)
        finally:
            hang_up.cancel()
    except (OSError, http.client.HTTPException) as error:
        msg = f"the {talk.who} cannot be reached: {type(error).__name__}"
        raise ResponderFailed(msg) from error
    finally:
        connection.close()
    if time.monotonic() - started > seconds:
        raise ResponderFailed(f"the {talk.who} takes too long")
    return body


def _ask(
    connection: http.client.HTTPConnection,
    parts: SplitResult,
    question: bytes,
    talk: _Talk,
) -> bytes:
    """Send a question, and return at most one byte more than an answer may have.

    Raises:
        ResponderFailed: The status says that it is no answer, or it is too long.
    """
    connection.request(
        "POST",
        (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        body=question,
        headers={
            "Content-Type": talk.question,
            "Accept": talk.answer,
            "Connection": "close",
        },
    )
    response = connection.getresponse()
    if response.status != http.client.OK:
        msg = f"the {talk.who} answers with status {response.status}"
        raise ResponderFailed(msg)
    body = response.read(talk.bytes_max + 1)
    if len(body) > talk.bytes_max:
        raise ResponderFailed(f"the {talk.who}'s answer is too long")
    return body


def _hang_up(line: socket.socket) -> None:
    # It may have been closed meanwhile.
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
