"""What a person sees: tables that stand straight, also with Chinese in them."""

from __future__ import annotations

import io

from counterfoil.day.screen import Screen, width_of


def test_a_chinese_letter_takes_two_columns() -> None:
    assert width_of("清算 cleared") == len("qqss cleared")


def test_the_columns_of_a_table_stand_below_each_other() -> None:
    stream = io.StringIO()

    Screen(stream).table("sheet", ("", "yuan"), [("收入", "1.00"), ("paid", "20.00")])

    _, *rows = stream.getvalue().splitlines()
    assert len({width_of(row) for row in rows}) == 1
    assert rows[1].endswith(" 1.00")
