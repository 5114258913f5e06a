"""Asking a responder over HTTP; called in a thread, never by the event loop.

Plain HTTP is enough: the answer is signed, and what is asked is no secret. Whatever
comes back is bounded in bytes and in time, and nothing is followed elsewhere.

Source: RFC 6960, appendix A.1.
"""

from __future__ import annotations

import http.client
import socket
import time
from contextlib import suppress
from threading import Timer
from typing import Final
from urllib.parse import SplitResult

from counterfoil.daemon.responder_address import check_responder
from counterfoil.seal.ocsp_reading import ANSWER_BYTES_MAX

_HTTP_PORT: Final = 80


class ResponderFailed(Exception):
    """It did not answer; the text says how, and quotes nothing of what came."""


def ask_responder(url: str, question: bytes, *, seconds: float) -> bytes:
    """Return what a responder answers, unverified.

    Args:
        url: Where it is.
        question: In DER.
        seconds: Longest time that all of it may take, once the name is resolved.

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
            body = _ask(connection, parts, question)
        finally:
            hang_up.cancel()
    except (OSError, http.client.HTTPException) as error:
        msg = f"the responder cannot be reached: {type(error).__name__}"
        raise ResponderFailed(msg) from error
    finally:
        connection.close()
    if time.monotonic() - started > seconds:
        raise ResponderFailed("the responder takes too long")
    return body


def _ask(
    connection: http.client.HTTPConnection, parts: SplitResult, question: bytes
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
            "Content-Type": "application/ocsp-request",
            "Accept": "application/ocsp-response",
            "Connection": "close",
        },
    )
    response = connection.getresponse()
    if response.status != http.client.OK:
        msg = f"the responder answers with status {response.status}"
        raise ResponderFailed(msg)
    body = response.read(ANSWER_BYTES_MAX + 1)
    if len(body) > ANSWER_BYTES_MAX:
        raise ResponderFailed("the responder's answer is too long")
    return body


def _hang_up(line: socket.socket) -> None:
    # It may have been closed meanwhile.
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
