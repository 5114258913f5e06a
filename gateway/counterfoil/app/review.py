"""Persons put their seals on drafts (初审, 复审)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from counterfoil.app.batches import attempt, good, refill
from counterfoil.app.ports import Clock, Vault, Workbench
from counterfoil.app.turned_back import judged_as_of, unless_behind
from counterfoil.app.works import Certificates, Works
from counterfoil.domain.catalogue import (
    Catalogue,
    DocumentKind,
    SealedBy,
    SealPurpose,
)
from counterfoil.domain.draft_seals import DraftSeals, ReviewSeal
from counterfoil.domain.posts import Post
from counterfoil.domain.refusals import (
    CounterfoilError,
    DraftNotFound,
    PositionFilled,
    PostRefused,
)
from counterfoil.domain.registry import Caller
from counterfoil.domain.seals import next_position

_POST_FOR: dict[SealPurpose, Post] = {
    SealPurpose.FIRST_REVIEW: Post.FIRST_REVIEWER,
    SealPurpose.SECOND_REVIEW: Post.SECOND_REVIEWER,
}
"""Which post puts which personal seal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDrafts:
    """Puts persons' seals on drafts."""

    vault: Vault
    workbench: Workbench
    works: Works
    certificates: Certificates
    catalogue: Catalogue
    clock: Clock

    async def __call__(
        self,
        reviews: Sequence[tuple[bytes, bytes]],
        *,
        caller: Caller,
        certificates: Sequence[bytes] = (),
    ) -> list[DraftSeals | CounterfoilError]:
        """Judge and add one seal per review.

        Args:
            reviews: Digest of the draft and encoded seal.
            caller: The person whose seals they must be.
            certificates: Others of that person in DER, by which the seals may be.
        """
        now_us = self.clock.now_us()
        at_us = judged_as_of(now_us, self.vault)
        drafts = await self.workbench.get_seals(caller.party, [d for d, _ in reviews])
        seals = [seal for _, seal in reviews]
        due = attempt(
            lambda pair: self._due(pair[0], pair[1], caller),
            list(zip(drafts, seals, strict=True)),
        )
        beneath = (seal for draft, _ in good(due) for seal in draft.seals)
        shown = [caller.certificate, *certificates]
        judged = await self.works.review(
            good(due),
            [*shown, *self.certificates.of_seals(beneath)],
            signer=caller.identity,
            at_us=at_us,
        )
        judged = unless_behind(judged, now_us, self.vault)
        allowed = refill(
            judged,
            attempt(
                lambda pair: self._allow(pair[0], pair[1], caller, at_us),
                [
                    (draft, sealed)
                    for (draft, _), sealed in zip(good(due), judged, strict=True)
                    if isinstance(sealed, ReviewSeal)
                ],
            ),
        )
        # Kept before the seal is, so that what is stored can always be judged.
        named = {one.certificate for one in allowed if isinstance(one, ReviewSeal)}
        await self.vault.keep_certificates(
            der for der in shown if sha256(der).digest() in named
        )
        return await self._add(due, allowed, caller)

    async def _add(
        self,
        due: Sequence[tuple[DraftSeals, bytes] | CounterfoilError],
        allowed: Sequence[ReviewSeal | CounterfoilError],
        caller: Caller,
    ) -> list[DraftSeals | CounterfoilError]:
        """Put the seals that are allowed on their drafts, if nobody was faster."""
        held = refill(
            due,
            [
                one if isinstance(one, CounterfoilError) else pair
                for pair, one in zip(good(due), allowed, strict=True)
            ],
        )
        changes = [
            (draft.digest, len(draft.seals), (*draft.seals, seal))
            for draft, seal in good(held)
        ]
        made = await self.workbench.set_seals(caller.party, changes)
        return refill(
            held,
            [
                draft._replace(seals=(*draft.seals, seal))
                if done
                else PositionFilled("sealed meanwhile")
                for (draft, seal), done in zip(good(held), made, strict=True)
            ],
        )

    def _allow(
        self, draft: DraftSeals, sealed: ReviewSeal, caller: Caller, now_us: int
    ) -> ReviewSeal:
        """Return a seal that holds if the register lets it stand there.

        How large the amount may be is judged when the voucher is sealed.

        Raises:
            CertificateLost: Its certificate was reported lost or revoked.
            CertificateNotActive: It was not put to use, and that is demanded.
            FilingMissing: The person has no filing in force.
            OutsideFiling: None for this position and type.
        """
        register = self.vault.register
        register.require_not_void((sealed.certificate,))
        urn = caller.identity.to_urn()
        register.require_active(urn, sealed.certificate)
        place = (sealed.position, urn)
        register.require_filed((place,), draft.type_code, 0, now_us)
        return sealed

    def _due(
        self, draft: DraftSeals | None, seal: bytes, caller: Caller
    ) -> tuple[DraftSeals, bytes]:
        """Return draft and seal if it is the turn of this caller's post.

        Raises:
            DraftNotFound: There is no such draft on this desk.
            PostRefused: Another post's seal, or none of a person's, is due.
            SealMissing: The plan is full.
        """
        if draft is None:
            raise DraftNotFound("no such draft on this desk")
        plan = self.catalogue.plan_for(DocumentKind.VOUCHER, draft.type_code)
        position = next_position(plan, len(draft.seals))
        post = _POST_FOR.get(position.purpose)
        if position.by is not SealedBy.PERSON or post not in caller.posts:
            raise PostRefused(
                f"position {position.id} is due, which is not this caller's to seal",
                position=position.id,
            )
        return draft, seal
