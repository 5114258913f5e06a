"""Writes docs/posts.md: what the tables of posts and of duties say.

The page is never edited by hand. `--check` writes nothing; exit 1 when the page is
not what the code says today. `tests/integration/test_posts.py` reads the page and
tries every method by every post on running gateways.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from tools.tree import ROOT

# A tool may run before anything is installed.
sys.path[:0] = [str(ROOT / root) for root in ("proto", "gateway", "store", "clients")]

from counterfoil.domain.duties import CHANGE_SEATS, SEATS, TOLD, Seats  # noqa: E402
from counterfoil.domain.posts import (  # noqa: E402
    ALLOWED,
    PERSONS,
    Post,
    are_compatible,
)
from counterfoil.domain.registration import AgreementChange  # noqa: E402
from counterfoil.exchange.v1 import exchange_pb2  # noqa: E402

PAGE: Final = ROOT / "docs" / "posts.md"

_HEAD: Final = """\
# Who may do what (岗位)

<!-- Written by `python -m tools.posts_page`. Do not edit: change domain/posts.py. -->

Taken from the tables `gateway/counterfoil/domain/posts.py` and
`gateway/counterfoil/domain/duties.py`. What does not stand here is refused.
`tests/integration/test_posts.py` tries each method by each post, of a party hosted on
the gateway and of others, against this page.
"""

_LABELS: Final = {
    Post.BUSINESS_SYSTEM: "业务系统",
    Post.FIRST_REVIEWER: "初审岗",
    Post.SECOND_REVIEWER: "复审岗",
    Post.SYSTEM_MANAGER: "系统管理岗",
    Post.SUPERVISOR: "主管岗",
    Post.SECURITY_OFFICER: "安全管理岗",
    Post.ARCHIVIST: "档案管理岗",
}

_CALLS: Final = """\
## Methods

`yes`: the post may call it; the use case still looks whose voucher it is, and
`CancelSeal` whose seal: a person withdraws only the own one, a business system whatever
is on top. An empty cell: `POST_REFUSED`. The same for a person or system without post.
Somebody of a party that is not hosted on the gateway, a gateway's or a seal's
certificate at the desk, and no certificate at all: `CALLER_UNKNOWN`, or no connection.
"""

_GATEWAYS: Final = """\
## Between gateways

Only a gateway's own certificate, of a party that the configuration names, calls these;
everybody else, whatever the post, is refused: `CALLER_UNKNOWN`.
"""

_OPEN: Final = """\
## Open to every valid certificate

`grpc.health.v1.Health` and server reflection. They tell nothing of vouchers.
"""

_SIGNED: Final = """\
## Registrations and their signatures (登记)

Whoever hands a registration in does not matter: its signatures do, in this order, each
by another person. Nobody signs for his own post. One that comes from a peer is signed
by persons of that peer, whose posts the peer's own gateway judged.
"""


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _posts() -> Iterator[str]:
    """Yield the posts, and which exclude each other."""
    yield "## Posts"
    yield ""
    yield from _table(
        ("post", "name", "held by", "may be held together with"),
        (
            (
                f"`{post.value}`",
                _LABELS[post],
                "a person" if post in PERSONS else "a program",
                ", ".join(
                    f"`{other.value}`"
                    for other in Post
                    if other is not post and are_compatible(frozenset({post, other}))
                )
                or "none",
            )
            for post in Post
        ),
    )


def _methods() -> Iterator[str]:
    """Yield who may call each method of the desk and its neighbours."""
    yield _CALLS
    services = dict.fromkeys(method.split("/")[1] for method in ALLOWED)
    for service in services:
        yield f"### `{service}`"
        yield ""
        yield from _table(
            ("method", *(f"`{post.value}`" for post in Post)),
            (
                (
                    f"`{method.rpartition('/')[2]}`",
                    *("yes" if post in posts else "" for post in Post),
                )
                for method, posts in ALLOWED.items()
                if method.split("/")[1] == service
            ),
        )


def _exchange() -> Iterator[str]:
    """Yield what only gateways call."""
    yield _GATEWAYS
    for service in exchange_pb2.DESCRIPTOR.services_by_name.values():
        for method in service.methods:
            yield f"* `{service.full_name}/{method.name}`"
    yield ""
    yield _OPEN


def _matters() -> Iterator[tuple[str, bool, Seats]]:
    """Yield each matter, whether peers are told of it, and its signatures."""
    for matter, seats in SEATS.items():
        yield _words(matter.__name__), matter in TOLD, seats
    for change, seats in CHANGE_SEATS.items():
        matter_name = f"{_words(AgreementChange.__name__)}: {change.name.lower()}"
        yield matter_name, AgreementChange in TOLD, seats


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def _seat(posts: frozenset[Post]) -> str:
    if posts == PERSONS:
        return "any post of a person"
    return " or ".join(f"`{post.value}`" for post in Post if post in posts)


def _registrations() -> Iterator[str]:
    """Yield whose signatures each registration needs."""
    yield _SIGNED
    yield from _table(
        ("registration", "first (提请)", "second (审批)", "peers are told"),
        (
            (
                name,
                *(map(_seat, seats)),
                *("none",) * (2 - len(seats)),
                "yes" if told else "",
            )
            for name, told, seats in _matters()
        ),
    )
    yield "An agreement is signed by the supervisors of both parties, one of each."


def page() -> str:
    """Return the page as it should be."""
    lines = [_HEAD, *_posts(), *_methods(), *_exchange(), *_registrations()]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the page.

    Returns:
        Exit status: 0 written or fresh, 1 stale.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    wanted = page()
    if not options.check:
        PAGE.write_text(wanted, encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == wanted:
        return 0
    print("docs/posts.md is stale: python -m tools.posts_page", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
