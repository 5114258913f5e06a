"""The register is opened, and posts are given and taken (建册, 任岗, 离岗)."""

from __future__ import annotations

from dataclasses import replace

from counterfoil.domain.changes import directory
from counterfoil.domain.changes.standing import require_home
from counterfoil.domain.party import Use
from counterfoil.domain.posts import Post, are_compatible
from counterfoil.domain.register import Register
from counterfoil.domain.register_refusals import (
    AlreadyRegistered,
    MatterForeign,
    NotRegistered,
    PostsIncompatible,
)
from counterfoil.domain.register_states import with_one, without
from counterfoil.domain.registration import (
    Founding,
    PostAssignment,
    PostWithdrawal,
    Registration,
)


def found(
    register: Register, registration: Registration, matter: Founding, at_us: int
) -> Register:
    """Return the opened register, with its first two holders of posts.

    Of a peer's opening it takes the names alone; see `duties.require_signed`.

    Raises:
        AlreadyRegistered: It was opened before.
        Refused: A name that it gives cannot be given; see `directory.name`.
    """
    if register.is_founded:
        raise AlreadyRegistered("the register was opened before")
    for entry in matter.directory:
        register = directory.name(register, registration, entry, at_us)
    if registration.by != register.home:
        return register
    return replace(
        register,
        is_founded=True,
        holders={
            matter.supervisor.to_urn(): frozenset({Post.SUPERVISOR}),
            matter.system_manager.to_urn(): frozenset({Post.SYSTEM_MANAGER}),
        },
        in_use=frozenset(matter.certificates),
    )


def assign(
    register: Register, registration: Registration, matter: PostAssignment, _at_us: int
) -> Register:
    """Return the register with one more holder of a post.

    Source: Hubei measures, articles 24 and 36.

    Raises:
        MatterForeign: The holder is of no party hosted here.
        AlreadyRegistered: The holder has the post.
        PostsIncompatible: It is no post for such a holder, or excludes another one.
    """
    require_home(register, registration)
    holder = matter.holder
    if not register.is_hosted(holder.party):
        raise MatterForeign("the holder is of no party hosted here", by=holder.party)
    held = register.posts_of(holder)
    if matter.post in held:
        raise AlreadyRegistered(
            f"{holder.to_urn()} holds the post", holder=holder.to_urn()
        )
    is_system = matter.post is Post.BUSINESS_SYSTEM
    if holder.use is not (Use.SYSTEM if is_system else Use.PERSON):
        raise PostsIncompatible(
            "a program is a business system and nothing else, and a person never",
            holder=holder.to_urn(),
        )
    posts = held | {matter.post}
    if not are_compatible(posts):
        names = ", ".join(sorted(post.value for post in held))
        raise PostsIncompatible(
            f"{holder.to_urn()} holds {names}, which excludes {matter.post.value}",
            holder=holder.to_urn(),
        )
    return replace(register, holders=with_one(register.holders, holder.to_urn(), posts))


def withdraw(
    register: Register, registration: Registration, matter: PostWithdrawal, _at_us: int
) -> Register:
    """Return the register with a post taken from its holder.

    Raises:
        NotRegistered: The holder does not have it.
        MatterForeign: Another party would take it.
    """
    require_home(register, registration)
    holder = matter.holder.to_urn()
    held = register.posts_of(matter.holder)
    # A supervisor and a system manager are always left: who signs is never the holder.
    if matter.post not in held:
        raise NotRegistered(f"{holder} does not hold the post", holder=holder)
    left = held - {matter.post}
    if left:
        return replace(register, holders=with_one(register.holders, holder, left))
    return replace(register, holders=without(register.holders, holder))
