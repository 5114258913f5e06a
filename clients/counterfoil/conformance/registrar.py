"""Registrations of the peer that we play: signed by its persons, and delivered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from counterfoil.conformance.bench import Bench, chain_of
from counterfoil.conformance.desks import named
from counterfoil.conformance.refusals import require_refused
from counterfoil.conformance.scopes import Scope, day
from counterfoil.conformance.target import Identity, Registering
from counterfoil.conformance.verdicts import CheckFailed, NotApplicable
from counterfoil.exchange.v1 import exchange_pb2 as pb
from counterfoil.office import matters
from counterfoil.office import registering as office

TABLE: Final = "register"
COUNTERPART: Final = "register.counterpart"
UNFILED: Final = "register.unfiled"
SPARE: Final = "register.spare"


@dataclass(frozen=True, slots=True)
class Registrar:
    """Registers for the peer.

    Attributes:
        bench: Where the gateway is.
        by: Who signs.
    """

    bench: Bench
    by: Registering

    @classmethod
    def of(cls, bench: Bench) -> Registrar:
        """Return whoever registers for the peer.

        Raises:
            NotApplicable: The file names nobody.
        """
        if bench.target.register is None:
            raise NotApplicable(f"the file has no {TABLE}")
        return cls(bench, bench.target.register)

    @property
    def both(self) -> tuple[Identity, Identity]:
        """The two whose signatures most matters need, in their order."""
        return self.by.officer, self.by.supervisor

    async def register(self, matter: matters.Matter, *signers: Identity) -> None:
        """Deliver a registration that must be taken in.

        Raises:
            NotApplicable: The gateway's register was never opened.
            CheckFailed: It was refused.
        """
        await self._require_taken(self._signed(matter, *signers), *signers)

    @asynccontextmanager
    async def meanwhile(
        self,
        matter: matters.Matter,
        undo: Callable[[bytes], matters.Matter],
        *signers: Identity,
    ) -> AsyncIterator[bytes]:
        """Register something and undo it afterwards, whatever is answered to it.

        Yields the digest of its registration.

        Args:
            matter: What is registered.
            undo: Returns what undoes it, by the digest of its registration; both
                persons sign that.
            signers: Who signs it.

        Raises:
            NotApplicable: The gateway's register was never opened.
            CheckFailed: It was refused, or cannot be undone.
        """
        signed = self._signed(matter, *signers)
        undone = undo(signed.digest)
        try:
            await self._require_taken(signed, *signers)
            yield signed.digest
        except BaseException:
            # What failed first is what is told.
            with suppress(CheckFailed, NotApplicable):
                await self.register(undone, *self.both)
            raise
        await self.register(undone, *self.both)

    async def refused(
        self, matter: matters.Matter, reason: str, *signers: Identity
    ) -> None:
        """Deliver a registration that must be refused, for good.

        Raises:
            CheckFailed: It was not, or for another reason.
        """
        outcome = await self._deliver(self._signed(matter, *signers), *signers)
        require_refused(outcome, reason)

    def filing(self, holder: str, scope: Scope) -> matters.Matter:
        """Return what files the scope of a seal."""
        return matters.filing(
            holder,
            types=scope.types,
            positions=scope.positions,
            amount_max_fen=scope.amount_max_fen,
            valid_from=day(scope.days[0]),
            valid_until=day(scope.days[1]),
        )

    def filed(self, holder: str, scope: Scope) -> AbstractAsyncContextManager[bytes]:
        """File what a seal of the peer's may stand on, and withdraw it afterwards."""
        matter = self.filing(holder, scope)
        return self.meanwhile(matter, matters.filing_withdrawal, *self.both)

    def agreement(
        self, ways: Mapping[str, Sequence[int]], days: tuple[int, int] = (-1, 1)
    ) -> matters.Matter:
        """Return an agreement of recipient and peer, whom it names in this order."""
        target = self.bench.target
        return matters.agreement(
            ways,
            (target.voucher.recipient, target.peer),
            valid_from=day(days[0]),
            valid_until=day(days[1]),
        )

    def counterpart(self) -> Identity:
        """Return the recipient's supervisor.

        Raises:
            NotApplicable: The file names none.
        """
        return named(self.by.counterpart, COUNTERPART)

    def _signed(
        self, matter: matters.Matter, *signers: Identity
    ) -> office.SignedRegistration:
        target, now = self.bench.target, datetime.now(UTC)
        signed = office.registration(
            target.peer,
            self.bench.papers.number(),
            matter,
            stated_time=now,
            told=[target.party],
        )
        for signer in signers:
            signed = signed.signed(signer.signer, stated_time=now)
        return signed

    async def _require_taken(
        self, signed: office.SignedRegistration, *signers: Identity
    ) -> None:
        outcome = await self._deliver(signed, *signers)
        if not outcome.HasField("refusal"):
            return
        told = f"{outcome.refusal.reason}: {outcome.refusal.text}"
        if outcome.refusal.reason == "NOT_FOUNDED":
            raise NotApplicable("the gateway's register was never opened")
        raise CheckFailed(f"a registration by the peer was refused: {told}")

    async def _deliver(
        self, signed: office.SignedRegistration, *signers: Identity
    ) -> pb.Outcome:
        certificates = [der for one in signers for der in chain_of(one)]
        answer = await self.bench.deliver([signed.to_bytes()], *certificates)
        return answer.outcomes[0]
