"""Addresses of gateways: host and port."""

from __future__ import annotations

from typing import Final

_PORT_MAX: Final = 65_535
_PORT_DIGITS: Final = 5


def check_address(text: str) -> None:
    """Check that a text is host and port.

    Raises:
        ValueError: It is not.
    """
    host, _, port = text.rpartition(":")
    is_number = port.isascii() and port.isdigit() and len(port) <= _PORT_DIGITS
    if not host or not is_number or int(port) > _PORT_MAX:
        msg = f"not host:port: {text!r}"
        raise ValueError(msg)
