"""What a check is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from counterfoil.conformance.bench import Bench

Run = Callable[[Bench], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One numbered statement about a gateway.

    Attributes:
        number: Published and never reused.
        title: What holds of a gateway that passes, as a sentence.
        title_zh: The same in Chinese, for the people who act on a report.
        clause: Id of the clause in `tests/clauses.txt` that it stands for.
        contract: Where the contract says so: package, service or message, method.
        needs: Optional key of the file that it needs; empty for none.
        run: Raises `CheckFailed` or `NotApplicable`.
    """

    number: int
    title: str
    title_zh: str
    clause: str
    contract: str
    needs: str
    run: Run


def check(  # noqa: PLR0913 -- what a check says of itself
    number: int,
    title: str,
    title_zh: str,
    *,
    clause: str,
    contract: str,
    needs: str = "",
) -> Callable[[Run], Check]:
    """Return what makes a function a check; see `Check`."""

    def made(run: Run) -> Check:
        return Check(
            number=number,
            title=title,
            title_zh=title_zh,
            clause=clause,
            contract=contract,
            needs=needs,
            run=run,
        )

    return made
