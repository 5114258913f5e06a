"""The time in front of a cosignature.

Source: C2SP tlog-cosignature 1.0.1, section "Format", `timestamped_signature`.
"""

from __future__ import annotations

from typing import Final

from counterfoil.tlog.errors import MalformedNote
from counterfoil.tlog.keys import VerifierKey
from counterfoil.tlog.note import NoteSignature

TIME_S_MAX: Final = 2**63 - 1
"""Latest time a cosignature can state, in POSIX seconds."""

_TIME_BYTES: Final = 8


def cosignature_time_s(signature: NoteSignature) -> int:
    """Return the time a verified cosignature states, in POSIX seconds.

    0 from an ML-DSA-44 key says nothing of the largest tree seen.

    Raises:
        MalformedNote: The value states no time in range.
    """
    return split_time(signature.value)[0]


def timed(key: VerifierKey, time_s: int, value: bytes) -> NoteSignature:
    """Return a line whose value is the time and then the signature."""
    return NoteSignature(
        name=key.name, key_id=key.key_id, value=time_s.to_bytes(8, "big") + value
    )


def split_time(signature: bytes) -> tuple[int, bytes]:
    """Take the time, in POSIX seconds, off a timestamped signature.

    Raises:
        MalformedNote: There is no time in range, or no signature after it.
    """
    if len(signature) <= _TIME_BYTES:
        raise MalformedNote("the cosignature is too short")
    time_s = int.from_bytes(signature[:_TIME_BYTES], "big")
    require_time(time_s)
    return time_s, signature[_TIME_BYTES:]


def require_time(time_s: int) -> None:
    """Refuse a time that a cosignature must not state.

    Raises:
        MalformedNote: `time_s` is negative or beyond TIME_S_MAX.
    """
    if not 0 <= time_s <= TIME_S_MAX:
        raise MalformedNote("the time is out of range")
