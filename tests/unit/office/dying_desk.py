"""A business system's program dies at one of its calls to the gateway."""

from __future__ import annotations

from counterfoil.office import Desk


class Crash(BaseException):
    """The program dies."""


class DyingDesk:
    """Does what it is asked until the program dies at one call.

    Args:
        desk: The desk that does it.
        at: The call at which the program dies, if it is about anything.
        heard: Whether the gateway hears that call; its answer is lost in any case.
    """

    def __init__(self, desk: Desk, at: str, *, heard: bool = True) -> None:
        self._desk = desk
        self._at = at
        self._heard = heard

    def __getattr__(self, name: str) -> object:
        call = getattr(self._desk, name)
        if name != self._at:
            return call

        def dying(items: object, **options: object) -> object:
            asked = list(items)  # type: ignore[call-overload]
            if asked and not self._heard:
                raise Crash
            outcome = call(asked, **options)
            if asked:
                raise Crash
            return outcome

        return dying
