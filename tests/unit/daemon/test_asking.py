"""Who is asked about which certificate, when again, and what becomes of the answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from counterfoil.daemon import asking, kept_answers
from counterfoil.daemon.asking import AskResponders, asking_of
from counterfoil.daemon.clock import SystemClock
from counterfoil.daemon.kept_answers import KeptAnswers
from counterfoil.daemon.responder import ResponderFailed
from counterfoil.daemon.trust import TrustKeeper
from counterfoil.devca.certificates import Validity
from counterfoil.seal.certificates import certificate_digest
from counterfoil.seal.ocsp_reading import load_answer
from counterfoil.seal.trust import TrustStore
from counterfoil.seal.trust_material import TrustMaterial
from tests.houses import FINANCE, Town
from tests.responders import answer_of
from tests.unit.seal.makers import DAY, HOUR, NOW, NOW_US, SECOND_US, Pki

URL: Final = "http://responder/"
HOUR_US: Final = 3_600 * SECOND_US
FOUR_HOURS: Final = Validity(NOW, NOW + 4 * HOUR)


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki.new()


@dataclass
class Stage:
    """A gateway's side of asking, and the responder that it asks.

    Attributes:
        pki: Who issued what is asked about.
        directory: Where answers are kept.
        own: Certificates that are ours.
        now_us: The time.
        validity: Of the answers.
        fails: Whether the responder does not answer.
        twist: Changes each answer.
        asked: Serial numbers that were asked about.
        renewals: How often everybody was told of new answers.
    """

    pki: Pki
    directory: Path
    own: list[bytes] = field(default_factory=list)
    now_us: int = NOW_US
    validity: Validity = FOUR_HOURS
    fails: bool = False
    twist: Callable[[bytes], bytes] = lambda body: body
    asked: list[int] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    renewals: int = 0
    renewed: asyncio.Event = field(default_factory=asyncio.Event)
    kept: KeptAnswers = field(init=False)
    asking: AskResponders = field(init=False)

    def __post_init__(self) -> None:
        self.kept = KeptAnswers(self.directory / "answers")
        self.asking = AskResponders(
            material=self.material,
            own=lambda: self.own,
            kept=self.kept,
            renew=self._renew,
            now_us=lambda: self.now_us,
            ask=self._answer,
            responder=URL,
        )

    def material(self) -> TrustMaterial:
        return self.pki.material(crls=(), answers=self.kept.all())

    def is_known(self, certificate: bytes) -> bool:
        store = TrustStore(self.material())
        bag: dict[bytes, bytes] = {certificate_digest(certificate): certificate}
        digest = certificate_digest(certificate)
        return not store.look_up(digest, at_us=self.now_us, bag=bag).is_undetermined

    async def _renew(self) -> None:
        self.renewals += 1
        self.renewed.set()

    def _answer(self, url: str, question: bytes) -> bytes:
        serial = ocsp.load_der_ocsp_request(question).serial_number
        self.asked.append(serial)
        self.addresses.append(url)
        if self.fails:
            raise ResponderFailed("nobody there")
        above = self.pki.authority.certificate
        issuer, about = self.pki.authority, _Numbered(serial)
        if serial == above.serial_number:
            issuer = self.pki.root
        return self.twist(answer_of(issuer, about, self.validity))  # type: ignore[arg-type]


@dataclass(frozen=True)
class _Numbered:
    serial_number: int


@pytest.fixture
def stage(pki: Pki, tmp_path: Path) -> Stage:
    return Stage(pki, tmp_path, own=[pki.sealer().certificate])


def serial_of(certificate: bytes) -> int:
    return x509.load_der_x509_certificate(certificate).serial_number


async def test_ours_are_asked_about_with_all_above_them_and_then_known(
    stage: Stage,
) -> None:
    (own,) = stage.own
    above = stage.pki.authority.certificate.serial_number
    assert not stage.is_known(own)

    assert await stage.asking.ask_once() == 2

    assert stage.asked == [serial_of(own), above]
    assert stage.is_known(own)
    assert stage.renewals == 1
    assert len(stage.asking.answers([own])) == 1


async def test_each_is_asked_about_again_at_half_its_time(stage: Stage) -> None:
    await stage.asking.ask_once()
    stage.now_us += 2 * HOUR_US - 1
    assert await stage.asking.ask_once() == 0

    stage.now_us += 1
    stage.validity = Validity(NOW + 2 * HOUR, NOW + 6 * HOUR)
    assert await stage.asking.ask_once() == 2
    assert stage.renewals == 2


async def test_others_are_asked_about_when_somebody_needs_them(stage: Stage) -> None:
    stage.own.clear()
    theirs = stage.pki.sealer().certificate

    assert await stage.asking.ask_once() == 0
    assert stage.asking.answers([theirs]) == []
    await stage.asking.ask_once()

    assert stage.is_known(theirs)
    assert len(stage.asking.answers([theirs])) == 1


async def test_nobody_is_asked_about_what_no_authority_of_ours_issued(
    stage: Stage,
) -> None:
    stage.own.clear()
    strange = Pki.new("strange").sealer().certificate
    stage.asking.want([strange, b"no certificate"])

    assert await stage.asking.ask_once() == 0
    assert stage.asked == []
    # Nor is it looked at again.
    assert stage.asking._wanted == {}


async def test_a_responder_that_is_down_is_left_alone_for_a_while(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.fails = True
    stage.own.append(stage.pki.sealer().certificate)

    # One question, not one for each certificate: each would take its time.
    assert await stage.asking.ask_once() == 1
    assert await stage.asking.ask_once() == 0
    assert stage.renewals == 0
    assert [vars(one)["address"] for one in caplog.records] == [URL]

    stage.fails = False
    stage.now_us += 61 * SECOND_US
    await stage.asking.ask_once()
    assert all(map(stage.is_known, stage.own))


async def test_what_is_known_stays_known_while_a_responder_is_down(
    stage: Stage,
) -> None:
    (own,) = stage.own
    await stage.asking.ask_once()
    stage.fails = True

    stage.now_us += 4 * HOUR_US - 1
    await stage.asking.ask_once()
    assert stage.is_known(own)
    assert len(stage.asking.answers([own])) == 1

    stage.now_us += 2 * 60 * SECOND_US
    assert not stage.is_known(own)
    # Of no use to a peer either.
    assert stage.asking.answers([own]) == []


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda body: body[:-1] + bytes((body[-1] ^ 1,)), id="forged"),
        pytest.param(lambda _: b"<html>", id="no answer"),
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda _: unauthorised(), id="it may not"),
    ],
)
async def test_answers_that_do_not_hold_are_not_kept(
    stage: Stage, caplog: pytest.LogCaptureFixture, wrong: Callable[[bytes], bytes]
) -> None:
    stage.twist = wrong

    await stage.asking.ask_once()

    assert stage.kept.all() == ()
    assert stage.renewals == 0
    assert {one.getMessage() for one in caplog.records} == {
        "a responder's answer is refused"
    }


def unauthorised() -> bytes:
    return ocsp.OCSPResponseBuilder.build_unsuccessful(
        ocsp.OCSPResponseStatus.UNAUTHORIZED
    ).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    "validity",
    [
        Validity(NOW - 2 * DAY, NOW - DAY),
        Validity(NOW + HOUR, NOW + 2 * HOUR),
    ],
    ids=["overdue", "of the future"],
)
async def test_answers_must_be_current_when_they_come(
    stage: Stage, validity: Validity
) -> None:
    stage.validity = validity

    await stage.asking.ask_once()

    assert stage.kept.all() == ()


async def test_an_answer_about_another_certificate_is_not_kept(stage: Stage) -> None:
    other = x509.load_der_x509_certificate(stage.pki.sealer().certificate)
    good = answer_of(stage.pki.authority, other, stage.validity)
    stage.twist = lambda _: good

    await stage.asking.ask_once()

    assert stage.kept.all() == ()


async def test_that_a_responder_does_not_know_is_not_kept(stage: Stage) -> None:
    (own,) = stage.own
    one = x509.load_der_x509_certificate(own)
    unknown = answer_of(stage.pki.authority, one, stage.validity, unknown=True)
    stage.twist = lambda body: unknown if stage.asked[-1] == one.serial_number else body

    await stage.asking.ask_once()

    # Of the authority above it, something is known.
    assert len(stage.kept.all()) == 1
    assert stage.asking.answers([own]) == []


async def test_a_certificate_without_a_responder_is_nobody_s_question(
    stage: Stage,
) -> None:
    stage.asking.responder = ""

    assert await stage.asking.ask_once() == 0
    assert stage.asked == []


async def test_a_round_has_an_end_and_the_next_goes_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ROUND_MAX", 2)
    stage.own += [stage.pki.sealer().certificate for _ in range(2)]

    assert [await stage.asking.ask_once() for _ in range(3)] == [2, 2, 0]
    assert all(map(stage.is_known, stage.own))


async def test_who_was_needed_longest_ago_is_forgotten_first(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "WANTED_MAX", 2)
    stage.asking.want([b"1", b"2"])
    stage.asking.want([b"1", b"3"])

    assert list(stage.asking._wanted.values()) == [b"1", b"3"]


async def test_it_asks_by_itself_until_it_is_told_to_stop(stage: Stage) -> None:
    task = asyncio.create_task(stage.asking.run())
    async with asyncio.timeout(10):
        await stage.renewed.wait()
        stage.renewed.clear()
        theirs = stage.pki.sealer().certificate
        stage.asking.want([theirs])
        await stage.renewed.wait()
    assert len(stage.asking.answers([theirs])) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stage.asking._stopping.is_set()


def test_certificates_of_ours_that_cannot_be_read_stop_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    town = Town(directory=tmp_path / "town")
    configuration = town.configuration(FINANCE)
    trust = TrustKeeper(configuration, SystemClock().now_us)

    async def renew() -> None:
        """Nobody is told of anything."""

    asks = asking_of(configuration, trust, renew, SystemClock())
    assert len(asks.own()) == 3
    configuration.path(configuration.seal.certificate).unlink()
    assert asks.own() == []
    assert caplog.messages == ["own certificates not read"]


# --- what is kept -----------------------------------------------------------------


async def test_what_was_answered_outlasts_a_restart(stage: Stage) -> None:
    (own,) = stage.own
    await stage.asking.ask_once()
    (stage.directory / "answers" / "odd.ocsp").write_bytes(b"odd")
    (stage.directory / "answers" / f"{'00' * 32}.ocsp").write_bytes(b"odd")

    again = Stage(stage.pki, stage.directory, own=stage.own)
    again.kept.load()

    assert again.is_known(own)
    assert len(again.kept.all()) == 2


async def test_a_file_that_cannot_be_written_loses_no_answer(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    (stage.directory / "answers").write_text("in the way")

    await stage.asking.ask_once()

    assert stage.is_known(stage.own[0])
    assert stage.renewals == 1
    assert "an answer is not kept in a file" in caplog.messages


def test_only_newer_answers_replace_and_none_takes_a_revocation_back(
    pki: Pki, tmp_path: Path
) -> None:
    certificate = x509.load_der_x509_certificate(pki.sealer().certificate)
    digest = b"\1" * 32
    first, later = Validity(NOW, NOW + HOUR), Validity(NOW + HOUR, NOW + 2 * HOUR)
    old = answer_of(pki.authority, certificate, first)
    new = answer_of(pki.authority, certificate, later)
    held = answer_of(
        pki.authority,
        certificate,
        first,
        revoked=NOW,
        reason=x509.ReasonFlags.certificate_hold,
    )
    gone = answer_of(pki.authority, certificate, later, revoked=NOW)
    last = answer_of(pki.authority, certificate, Validity(NOW + DAY, NOW + 2 * DAY))
    kept = KeptAnswers(tmp_path / "answers")

    def keep(encoded: bytes) -> bool:
        return kept.keep(digest, encoded, load_answer(encoded))

    assert [keep(held), keep(old), keep(new), keep(new)] == [True, True, True, False]
    assert [keep(old), keep(gone), keep(last)] == [False, True, False]
    assert kept.all() == (gone,)


def test_there_is_a_most_that_is_kept(
    pki: Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_answers, "ANSWERS_MAX", 2)
    kept = KeptAnswers(tmp_path / "answers")
    certificate = x509.load_der_x509_certificate(pki.sealer().certificate)
    for hour in (2, 1, 3):
        start = NOW + hour * HOUR
        encoded = answer_of(pki.authority, certificate, Validity(start, start + HOUR))
        kept.keep(bytes((hour,)) * 32, encoded, load_answer(encoded))

    assert len(kept.all()) == 2
    names = {file.stem[:2] for file in (tmp_path / "answers").iterdir()}
    assert names == {"02", "03"}
