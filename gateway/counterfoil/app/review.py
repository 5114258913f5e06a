"""Persons put their seals on drafts (初审, 复审)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from counterfoil.app.batches import attempt, good, refill
from counterfoil.app.ports import Clock, Vault, Workbench
from counterfoil.app.works import Certificates, Works
from counterfoil.domain.catalogue import (
    Catalogue,
    DocumentKind,
    SealedBy,
    SealPurpose,
)
from counterfoil.domain.drafts import DraftSeals
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
        self, reviews: Sequence[tuple[bytes, bytes]], *, caller: Caller
    ) -> list[DraftSeals | CounterfoilError]:
        """Judge and add one seal per review.

        Args:
            reviews: Digest of the draft and encoded seal.
            caller: The person whose seals they must be.
        """
        drafts = await self.workbench.get_seals(caller.party, [d for d, _ in reviews])
        seals = [seal for _, seal in reviews]
        due = attempt(
            lambda pair: self._due(pair[0], pair[1], caller),
            list(zip(drafts, seals, strict=True)),
        )
        beneath = (seal for draft, _ in good(due) for seal in draft.seals)
        # Kept before the seal is, so that what is stored can always be judged.
        await self.vault.keep_certificates([caller.certificate])
        judged = await self.works.review(
            good(due),
            [caller.certificate, *self.certificates.of_seals(beneath)],
            signer=caller.certificate_digest,
            at_us=self.clock.now_us(),
        )
        held = refill(
            due,
            [
                pair if refusal is None else refusal
                for pair, refusal in zip(good(due), judged, strict=True)
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
