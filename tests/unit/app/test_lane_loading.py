"""A batch brings all that its documents are judged with, in one message."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from counterfoil.daemon.lane_loading import ONCE_MAX, Load, Loading
from counterfoil.exchange.v1 import exchange_pb2
from counterfoil.wire.certificates import ShownCertificates
from counterfoil.wire.deliveries import encoded_delivery

PLENTY = 1 << 20
AUTHORITY = b"the authority"


@dataclass(frozen=True)
class Item:
    """What a lane holds; its bytes are the names of who sealed it."""

    sequence: int
    sealed: bytes


@dataclass
class Names:
    """Finds certificates that are their names, made as long as a test wants."""

    certificate_bytes: int = 0
    answer_bytes: int = 0
    authorities: list[bytes] = field(default_factory=lambda: [AUTHORITY])

    def of_batch(self, documents: Iterable[bytes]) -> list[bytes]:
        named = dict.fromkeys(one for text in documents for one in text.split())
        return [
            *self.authorities,
            *(one.ljust(self.certificate_bytes) for one in named),
        ]

    def answers(self, needed: Iterable[bytes]) -> list[bytes]:
        if not self.answer_bytes:
            return []
        return [b"answer %b" % one.ljust(self.answer_bytes) for one in needed]


def loading(names: Any, bytes_max: int = PLENTY) -> Loading:  # noqa: ANN401
    return Loading(certificates=names, bytes_max=bytes_max)


def items(*sealed: str) -> list[Any]:
    return [Item(at, text.encode()) for at, text in enumerate(sealed)]


def all_of(one: Loading, batch: list[Any]) -> list[Load]:
    """Load a whole lane, as the lane does."""
    loads = []
    while batch:
        loads.append(one.load(batch, ()))
        batch = batch[len(loads[-1].batch) :]
    return loads


def test_a_usual_batch_goes_whole_and_brings_each_certificate_once() -> None:
    one = loading(Names())
    batch = items("a b", "a c")

    first, second = one.load(batch, ()), one.load(batch, ())

    assert (first.batch, second.batch) == (batch, batch)
    assert first.certificates == [AUTHORITY, b"a", b"b", b"c"]
    assert second.certificates == []


def test_a_batch_of_many_signers_is_cut_where_its_certificates_are_too_many() -> None:
    # As of a gateway that carries for many units, each with persons of its own.
    batch = items(*(f"first{n} second{n} unit{n}" for n in range(256)))

    loads = all_of(loading(Names()), batch)

    assert [item for load in loads for item in load.batch] == batch
    assert max(len(load.certificates) for load in loads) <= ONCE_MAX
    shown = ShownCertificates()
    for load in loads:
        known = set(shown.add(load.certificates))
        assert known >= {n for item in load.batch for n in item.sealed.split()}


@given(
    st.lists(st.lists(st.integers(0, 400), min_size=1, max_size=60), max_size=80),
)
def test_a_peer_never_lacks_a_certificate(seals: list[list[int]]) -> None:
    batch = items(*(" ".join(map(str, one)) for one in seals))
    shown = ShownCertificates()

    for load in all_of(loading(Names()), batch):
        known = set(shown.add(load.certificates))
        assert AUTHORITY in known
        assert known >= {n for item in load.batch for n in item.sealed.split()}


def test_a_certificate_that_is_shown_again_is_remembered_as_long_as_a_new_one() -> None:
    one, shown = loading(Names()), ShownCertificates()
    others = [f"{part}{n}" for part in "xyz" for n in range(120)]

    for signer in ("a", *others[:130], "a", *others[130:235], "a"):
        known = shown.add(one.load(items(signer), ()).certificates)

        assert AUTHORITY in known
        assert signer.encode() in known


def test_what_goes_with_a_batch_is_no_more_than_a_message_has_room_for() -> None:
    names = Names(certificate_bytes=16_384, answer_bytes=16_000)
    batch = items(*(f"first{n} second{n}" for n in range(40)))
    room = 600_000

    for load in all_of(loading(names, room), batch):
        extras = [*load.certificates, *load.answers]
        assert sum(map(len, extras)) <= room

    # Of one document alone the answers are left out: the peer can ask for itself.
    (load,) = all_of(loading(names, room), items(" ".join(map(str, range(30)))))
    assert (len(load.certificates), load.answers) == (31, [])


def test_of_too_many_certificates_the_signers_go_first() -> None:
    names = Names()
    authorities = [b"authority %d" % n for n in range(80)]
    one = loading(names)
    names.authorities = authorities

    first, second = (one.load(items(text), ()) for text in ("a b c", "d"))

    assert len(first.certificates) == ONCE_MAX
    assert first.certificates[-3:] == [b"a", b"b", b"c"]
    # What had no room goes with the next.
    assert {*first.certificates, *second.certificates} >= {*authorities, b"d"}


def test_proofs_count_as_what_goes_with_a_batch() -> None:
    batch = items(*"abcdefgh")
    assert len(loading(Names(), 16_000).load(batch, ()).batch) == 8
    assert len(loading(Names(), 16_000).load(batch, range(8)).batch) == 4


def test_a_full_message_is_one_that_a_peer_takes() -> None:
    documents = [b"d" * 4096] * 256
    certificates = [b"c" * 7_000] * 64
    answers = [b"a" * 7_000] * 64
    encoded = encoded_delivery(2**63, documents, certificates, answers, ())
    beside = len(encoded) - sum(map(len, [*documents, *certificates, *answers]))
    # What `lane_making` leaves for tags and lengths.
    assert beside < 16 * 1024
    assert len(exchange_pb2.DeliverRequest.FromString(encoded).documents) == 256
