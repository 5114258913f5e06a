"""The table of posts has a row for every method, and for nothing else."""

from __future__ import annotations

import pytest

from counterfoil.desk.v1 import desk_pb2
from counterfoil.domain.posts import ALLOWED, Post
from counterfoil.exchange.v1 import exchange_pb2
from counterfoil.keeping.v1 import audit_pb2
from counterfoil.registry.v1 import registry_pb2

DESK = "/counterfoil.desk.v1.DeskService/"
READERS = {"Inquire", "Search"}


def methods(descriptor: object, service: str) -> set[str]:
    found = descriptor.services_by_name[service]  # type: ignore[attr-defined]
    return {f"/{found.full_name}/{method.name}" for method in found.methods}


def test_every_method_of_desk_and_registry_has_a_row_and_nothing_else_has() -> None:
    ours = (
        methods(desk_pb2.DESCRIPTOR, "DeskService")
        | methods(registry_pb2.DESCRIPTOR, "RegistryService")
        | methods(audit_pb2.DESCRIPTOR, "AuditService")
    )

    assert ALLOWED.keys() == ours


def test_no_post_opens_the_exchange_between_gateways() -> None:
    exchange = methods(exchange_pb2.DESCRIPTOR, "ExchangeService")

    assert exchange
    assert exchange.isdisjoint(ALLOWED)


def test_every_row_lets_somebody_in() -> None:
    assert all(ALLOWED.values())
    assert all(isinstance(posts, frozenset) for posts in ALLOWED.values())


def test_whoever_looks_after_the_gateway_takes_no_part_in_business() -> None:
    business = {
        method.removeprefix(DESK)
        for method, posts in ALLOWED.items()
        if method.startswith(DESK) and Post.SYSTEM_MANAGER in posts
    }

    assert business == READERS


def test_reviewers_review_withdraw_and_look_and_do_nothing_else() -> None:
    for post in (Post.FIRST_REVIEWER, Post.SECOND_REVIEWER):
        allowed = {
            method.removeprefix(DESK)
            for method, posts in ALLOWED.items()
            if method.startswith(DESK) and post in posts
        }

        assert allowed == READERS | {"Review", "CancelSeal", "Watch"}


@pytest.mark.clause("hubei-19a")
def test_no_business_system_reviews() -> None:
    assert Post.BUSINESS_SYSTEM not in ALLOWED[f"{DESK}Review"]


def test_posts_are_called_as_the_configuration_calls_them() -> None:
    assert {post.value for post in Post} == {
        "business-system",
        "first-reviewer",
        "second-reviewer",
        "system-manager",
        "supervisor",
        "security-officer",
        "archivist",
    }
