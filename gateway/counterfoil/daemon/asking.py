"""Asks responders about the certificates that matter here, and keeps the answers.

Ours are asked about before anybody needs it, so that each batch to a peer carries what
proves them; those of peers and persons when nobody could tell. Nothing waits for it: a
seal that nobody can judge is answered with SEAL_UNDETERMINED, and sent again.

The work is done in a thread, round by round, with a store of trust of its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from threading import Event
from typing import Final, Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from counterfoil.app.ports import Clock
from counterfoil.daemon.alerts import Alerts
from counterfoil.daemon.config import Configuration, ConfigurationRefused
from counterfoil.daemon.kept_answers import KeptAnswers
from counterfoil.daemon.responder import ResponderFailed, ask_responder
from counterfoil.daemon.responder_address import responder_of
from counterfoil.daemon.responder_silence import ResponderSilence
from counterfoil.daemon.trust import TrustKeeper, own_leaves
from counterfoil.seal.certificates import (
    CertificateRefused,
    certificate_bag,
    certificate_digest,
)
from counterfoil.seal.ocsp_names import question_of
from counterfoil.seal.ocsp_reading import RevocationAnswer
from counterfoil.seal.trust import TrustStore
from counterfoil.seal.trust_material import TrustMaterial

log = logging.getLogger("counterfoil.daemon")

WANTED_MAX: Final = 1_024
"""Most certificates of others that are asked about again and again; the one that was
needed longest ago goes first."""

ROUND_MAX: Final = 32
"""Most questions of a round; what was answered counts from the end of the round."""

_APART_S: Final = 0.1
"""Least time between two rounds."""

_SECOND_US: Final = 1_000_000
_REST_US: Final = 60 * _SECOND_US
"""How long a responder that failed is left alone, and a certificate of which it said
nothing to go by; and the least time between two questions about one certificate."""
_NOWHERE_US: Final = 3_600 * _SECOND_US
"""How long a certificate is left alone that names no responder."""


class Heard(Protocol):
    """Told of each responder that was asked."""

    def __call__(self, url: str, *, is_useful: bool) -> None:
        """Take note of what a responder that was asked came to."""


def _ignored(url: str, *, is_useful: bool) -> None:
    """Nobody watches: what is asked before a gateway runs is told by its failing."""


@dataclass(slots=True)
class Round:
    """One round: made by the event loop, done in a thread.

    Attributes:
        material: Whom to believe.
        certificates: Which are asked about, in DER, unverified.
        due_us: When each certificate is to be asked about again, by its digest;
            changed.
        look_us: When each path is to be looked at again, by the digest of its first
            certificate; changed.
        resting_us: Until when a responder is left alone, by address; changed.
        now_us: Our clock.
        ask: Asks a responder: address and question.
        responder: Whom to ask whatever a certificate says; empty for whom it names.
        heard: Told of each responder that was asked, and whether it answered usefully.
        stopping: Set when the gateway is about to stop.
        answers: What was accepted: digest, answer in DER and as read.
        worthless: Certificates to which no path leads, by digest.
        asked: How many questions were asked.
    """

    material: TrustMaterial
    certificates: Sequence[bytes]
    due_us: dict[bytes, int]
    look_us: dict[bytes, int]
    resting_us: dict[str, int]
    now_us: Callable[[], int]
    ask: Callable[[str, bytes], bytes]
    responder: str
    heard: Heard
    stopping: Event
    answers: list[tuple[bytes, bytes, RevocationAnswer]] = field(default_factory=list)
    worthless: list[bytes] = field(default_factory=list)
    asked: int = 0

    def run(self) -> None:
        """Ask about every certificate that is due, and those above it."""
        store = TrustStore(self.material)
        bag = certificate_bag(self.material.authorities)
        for encoded in self.certificates:
            try:
                path = store.path_of(encoded, at_us=self.now_us(), bag=bag)
            except CertificateRefused:
                self.worthless.append(certificate_digest(encoded))
                continue
            dues_us = []
            for certificate, issuer in pairwise(path):
                if self.stopping.is_set() or self.asked >= ROUND_MAX:
                    return
                digest = certificate_digest(certificate.public_bytes(Encoding.DER))
                if self.due_us.get(digest, 0) <= self.now_us():
                    self._ask_about(store, digest, certificate, issuer)
                dues_us.append(self.due_us[digest])
            self.look_us[certificate_digest(encoded)] = min(dues_us)

    def _ask_about(
        self,
        store: TrustStore,
        digest: bytes,
        certificate: x509.Certificate,
        issuer: x509.Certificate,
    ) -> None:
        """Ask about one certificate, and say when it is due again."""
        now_us = self.now_us()
        url = self.responder or responder_of(certificate)
        if not url:
            self.due_us[digest] = now_us + _NOWHERE_US
            return
        if self.resting_us.get(url, 0) > now_us:
            self.due_us[digest] = self.resting_us[url]
            return
        self.due_us[digest] = now_us + _REST_US
        self.asked += 1
        try:
            encoded = self.ask(url, question_of(certificate, issuer))
            answer = store.accept(encoded, certificate, issuer, at_us=self.now_us())
        except ResponderFailed as failure:
            self.resting_us[url] = now_us + _REST_US
            self.heard(url, is_useful=False)
            log.warning(
                "a responder does not answer; what is known counts until it is overdue",
                extra={"address": url, "detail": str(failure)},
            )
            return
        except ValueError as error:
            self.heard(url, is_useful=False)
            log.warning(
                "a responder's answer is refused",
                extra={"address": url, "detail": str(error)},
            )
            return
        self.heard(url, is_useful=True)
        self.answers.append((digest, encoded, answer))
        half_us = (answer.next_update_us - answer.this_update_us) // 2
        self.due_us[digest] = max(answer.this_update_us + half_us, now_us + _REST_US)


@dataclass(slots=True, kw_only=True)
class AskResponders:
    """Keeps answers about revocation at hand; owned by the event loop.

    Attributes:
        material: Returns whom we believe at the moment.
        own: Returns the certificates that we show and seal with, in DER.
        kept: Where answers go.
        renew: Lets everybody go by new answers.
        now_us: Our clock.
        ask: Asks a responder: address and question; in a thread.
        responder: Whom to ask whatever a certificate says; empty for whom it names.
        every_s: Longest time between two looks at what is due.
        heard: Told of each responder that was asked, in a thread.
        look: Called in a thread after each look at what is due.
    """

    material: Callable[[], TrustMaterial]
    own: Callable[[], list[bytes]]
    kept: KeptAnswers
    renew: Callable[[], Awaitable[None]]
    now_us: Callable[[], int]
    ask: Callable[[str, bytes], bytes]
    responder: str = ""
    every_s: float = 30.0
    heard: Heard = _ignored
    look: Callable[[], None] = lambda: None
    _wanted: dict[bytes, bytes] = field(default_factory=dict)
    _due_us: dict[bytes, int] = field(default_factory=dict)
    _look_us: dict[bytes, int] = field(default_factory=dict)
    _resting_us: dict[str, int] = field(default_factory=dict)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: Event = field(default_factory=Event)

    def want(self, certificates: Iterable[bytes]) -> None:
        """Ask about certificates (DER) from now on, if an authority of ours issued."""
        for encoded in certificates:
            digest = certificate_digest(encoded)
            if self._wanted.pop(digest, None) is None:
                self._wake.set()
            self._wanted[digest] = encoded
        while len(self._wanted) > WANTED_MAX:
            self._wanted.pop(next(iter(self._wanted)))

    def answers(self, certificates: Iterable[bytes]) -> list[bytes]:
        """Return what is known now of certificates, for a peer; ask about the rest."""
        needed = list(certificates)
        self.want(needed)
        return self.kept.current(needed, self.now_us())

    async def run(self) -> None:
        """Ask until cancelled; never ends by itself."""
        try:
            while True:
                asked = await self.ask_once()
                await asyncio.to_thread(self.look)
                # Whoever sends one unknown certificate after the other gets a round
                # now and then, not a thread that does nothing else.
                await asyncio.sleep(_APART_S)
                if asked >= ROUND_MAX:
                    continue
                try:
                    async with asyncio.timeout(self.every_s):
                        await self._wake.wait()
                except TimeoutError:
                    pass
                self._wake.clear()
        finally:
            # The thread ends after the question that is under way.
            self._stopping.set()

    async def ask_now(self, certificates: Iterable[bytes]) -> None:
        """Ask about certificates (DER) and our own, and wait: before anything runs."""
        self.want(certificates)
        while await self.ask_once() >= ROUND_MAX:
            pass

    async def ask_once(self) -> int:
        """Do one round; return how many questions were asked."""
        now_us = self.now_us()
        own = {certificate_digest(one): one for one in self.own()}
        due = [
            encoded
            for digest, encoded in {**self._wanted, **own}.items()
            if self._look_us.get(digest, 0) <= now_us
        ]
        if not due:
            return 0
        one = Round(
            material=self.material(),
            certificates=due,
            due_us=self._due_us,
            look_us=self._look_us,
            resting_us=self._resting_us,
            now_us=self.now_us,
            ask=self.ask,
            responder=self.responder,
            heard=self.heard,
            stopping=self._stopping,
        )
        await asyncio.to_thread(one.run)
        for digest in one.worthless:
            self._wanted.pop(digest, None)
        kept = [self._keep(*answer) for answer in one.answers]
        if any(kept):
            log.info("responders answered", extra={"count": sum(kept)})
            await self.renew()
        return one.asked

    def _keep(self, digest: bytes, encoded: bytes, answer: RevocationAnswer) -> bool:
        try:
            return self.kept.keep(digest, encoded, answer)
        except OSError as error:
            log.warning("an answer is not kept in a file", extra={"detail": str(error)})
            return True


def asking_of(
    configuration: Configuration,
    trust: TrustKeeper,
    renew: Callable[[], Awaitable[None]],
    clock: Clock,
    alerts: Alerts | None = None,
) -> AskResponders:
    """Return what asks the responders of a gateway, if it is let run.

    Args:
        configuration: Whom to ask, and how long.
        trust: Whom we believe, and where answers are kept.
        renew: Lets everybody go by new answers.
        clock: Our clock.
        alerts: Where silence is told; None before a gateway runs.
    """
    asks = AskResponders(
        material=lambda: trust.material,
        own=lambda: _own(configuration),
        kept=trust.answers,
        renew=renew,
        now_us=clock.now_us,
        ask=partial(ask_responder, seconds=configuration.trust.ocsp_s_max),
        responder=configuration.trust.ocsp_responder,
        every_s=configuration.trust.reload_s,
    )
    if alerts is not None:
        silence = ResponderSilence(
            alerts=alerts,
            silence_s=configuration.responders.silence_s,
            now_us=clock.now_us,
        )
        asks.heard, asks.look = silence.heard, silence.look
    return asks


def _own(configuration: Configuration) -> list[bytes]:
    """Return our certificates; none while a file is being exchanged."""
    try:
        return own_leaves(configuration)
    except ConfigurationRefused as error:
        log.warning("own certificates not read", extra={"detail": str(error)})
        return []
