"""How national documents are refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Never

from counterfoil.domain.violation import Violation


class NationalXmlRefused(ValueError):
    """A national document cannot be read, or a form cannot be written as one.

    Attributes:
        violations: What is wrong and where; never empty.
    """

    def __init__(self, violations: Iterable[Violation]) -> None:
        self.violations = list(violations)
        super().__init__("; ".join(str(violation) for violation in self.violations))


def refuse(path: str, rule: str, text: str, text_zh: str) -> Never:
    """Refuse for one reason.

    Raises:
        NationalXmlRefused: Always.
    """
    raise NationalXmlRefused(
        [Violation(path=path, rule=rule, text=text, text_zh=text_zh)]
    )
