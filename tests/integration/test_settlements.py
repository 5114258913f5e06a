"""A receipt that differs is settled by two persons of each party, and listed nowhere.

Finance and treasury are the programs, each in tests of its own; people sign by the
commands.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from counterfoil.business.program import DONE, REFUSED
from counterfoil.finance.cli import main as finance_main
from counterfoil.finance.kinds import APPROPRIATION, APPROPRIATION_LIST
from counterfoil.finance.recompute import recompute
from counterfoil.office import Receipt, Standing, Voucher
from counterfoil.treasury.cli import main as treasury_main
from tests.houses import FINANCE, TREASURY, Town, running
from tests.integration import test_finance as finance_side
from tests.integration import treasury_program as treasury_side
from tests.integration.desks import accept_at, act_on, done
from tests.unit.finance.finance_desk import filled
from tests.unit.finance.papers import OFFICE
from tests.unit.finance.test_finance_orders import ORDER
from tests.unit.treasury.papers import LINES, appropriation, listing
from tests.unit.treasury.test_treasury_cli import TABLES
from tests.unit.treasury.treasury_desk import OPENING_FEN

pytestmark = pytest.mark.asyncio(loop_scope="module")

REASON = "国库回单金额填写有误，双方已核对"
PERSONS = ("first_reviewer", "second_reviewer")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    made = treasury_side.town_in(tmp_path_factory.mktemp("settlements"))
    async with running(made):
        yield made


def is_numbered(number: str, voucher: Voucher) -> bool:
    return voucher.key.number == number


async def sign(
    main: Callable[[list[str]], int], number: str, *, by: str, **more: str
) -> int:
    """Let a person sign what was agreed; return the command's exit status."""
    options = {"holds": "voucher", "reason": REASON, "person": by, **more}
    words = [one for name, text in options.items() for one in (f"--{name}", text)]
    return await asyncio.to_thread(main, ["settle", number, *words])


@pytest.mark.clause("hubei-26", "hubei-34", "hubei-36")
async def test_what_two_persons_of_finance_settle_blocks_no_list_any_more(
    town: Town, tmp_path: Path
) -> None:
    stack = ExitStack()
    program = await asyncio.to_thread(
        finance_side.Program, town, tmp_path / "finance.sqlite", stack
    )
    config = str(finance_side.configuration(town, program, tmp_path))
    program.live_on(10)
    for number, lacking in (("BK1", 100), ("BK2", 0)):
        program.order(APPROPRIATION, replace(ORDER, number=number))
        reference, voucher = await finance_side.issued(
            program, APPROPRIATION, partial(is_numbered, f"SB{number}")
        )
        async with town.desk(TREASURY) as treasury:
            await accept_at(treasury, reference)
            await act_on(treasury, reference)
            form = filled(voucher, program.day, short_fen=lacking)
            receipt = Receipt(voucher=reference, by=TREASURY, form=form)
            done((await treasury.issue_receipt([receipt]))[0])
        async with town.desk(FINANCE) as finance:
            standing = Standing.DISPUTED if lacking else Standing.CLOSED
            await finance_side.stands_with(
                program, finance, reference, TREASURY, standing
            )
    program.live_on(11)
    await asyncio.to_thread(program.turn)
    assert program.sent(APPROPRIATION_LIST) == []

    first, second = PERSONS
    assert await sign(finance_main, "SBBK1", by=first, config=config) == DONE
    assert await sign(finance_main, "SBBK1", by=first, config=config) == REFUSED
    await asyncio.to_thread(program.turn)
    assert program.sent(APPROPRIATION_LIST) == []
    assert await sign(finance_main, "SBBK1", by=second, config=config) == DONE

    reference, listed = await finance_side.issued(
        program, APPROPRIATION_LIST, lambda _: True
    )
    assert [row["ori_voucher_no"] for row in listed.form.rows] == ["SBBK2"]
    async with town.desk(TREASURY) as treasury:
        assert await accept_at(treasury, reference) == listed
    assert program.totals.appropriated_fen == 1800
    found = await asyncio.to_thread(
        lambda: list(recompute(program.desk, program.books, OFFICE.party))
    )
    # What the other test issues by hand at this gateway, the program does not know.
    assert [one for one in found if "/5207/B" not in one] == []
    await asyncio.to_thread(stack.close)


def treasury_configuration(town: Town, folder: Path) -> Path:
    """Write the treasury's configuration, with two persons."""
    pki = os.path.relpath(town.pki, folder)
    lines = [
        "[office]",
        f'party = "{TREASURY}"',
        f'address = "127.0.0.1:{town.ports[TREASURY]}"',
        f'authorities = "{pki}/authorities.pem"',
    ]
    for caller, use, name in (
        ("system", "system", "1"),
        ("first_reviewer", "person", "first"),
        ("second_reviewer", "person", "second"),
    ):
        stem = os.path.relpath(town.ca.credential(TREASURY, use, name).stem, folder)
        lines += [
            f"[office.caller.{caller}]",
            f'certificate = "{stem}.pem"',
            f'key = "file:{stem}.key"',
            f'passphrase = "file:{stem}.pass"',
        ]
    own = TABLES["treasury"]
    assert isinstance(own, dict)
    lines += ["[books]", f'url = "sqlite:///{folder}/books.sqlite"', "[treasury]"]
    lines += [f'{name} = "{text}"' for name, text in own.items()]
    lines += [f"opening_fen = {OPENING_FEN}"]
    file = folder / "treasury.toml"
    file.write_text("\n".join(lines))
    return file


@pytest.mark.clause("hubei-26", "hubei-34")
async def test_what_the_treasury_has_settled_a_list_leaves_out(
    town: Town, tmp_path: Path
) -> None:
    program = treasury_side.program_in(town, tmp_path)
    config = str(treasury_configuration(town, tmp_path))
    day = program.live_on(12)
    first, second = PERSONS
    whole: tuple[Voucher, ...] = (appropriation("B1"), appropriation("B2", LINES[:1]))
    async with town.desk(FINANCE) as finance:
        for one in whole:
            reference = await treasury_side.send(town, one, FINANCE)
            await treasury_side.answered(program, finance, reference, Standing.CLOSED)
        left_out = listing(APPROPRIATION_LIST, "L1", (("B2", LINES[0][2]),), day=day)
        early = await treasury_side.send(town, left_out, FINANCE)
        await treasury_side.answered(program, finance, early, Standing.REJECTED)
        why = await treasury_side.explanation_of(finance, early)
        assert "缺少凭证B1" in why

        assert await sign(treasury_main, "B1", by=first, config=config) == DONE
        refused = await sign(
            treasury_main, "B1", by=second, config=config, holds="nothing"
        )
        assert refused == REFUSED
        assert await sign(treasury_main, "B1", by=second, config=config) == DONE
        assert await sign(treasury_main, "B1", by=second, config=config) == REFUSED

        again = listing(APPROPRIATION_LIST, "L2", (("B2", LINES[0][2]),), day=day)
        sent = await treasury_side.send(town, again, FINANCE)
        await treasury_side.answered(program, finance, sent, Standing.CLOSED)
    # What the other test acts on by hand at this gateway, the program does not know.
    found = await asyncio.to_thread(program.differences)
    assert [one for one in found if "/SBBK" not in one] == []
    await asyncio.to_thread(program.desk.close)
    program.books.close()
