"""Names of the budget's levels and subjects, for reports that want them beside codes.

A code that is not here is its own name: the lists are the Ministry's, and long.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LEVELS: Final = frozenset("0123456")
"""预算级次: 0 shared, 1 central, 2 province, 3 city, 4 county, 5 town, 6 local."""

ALL_LEVELS: Final = "A"
"""Of a statement whose rows are of several levels."""
ALL_OFFICES: Final = ("000000000000", "不分征收机关")
"""征收机关, where figures are not told apart by who collects; a code of our own."""

REVENUE: Final[Mapping[str, str]] = {
    "1010101": "国内增值税",
    "1010104": "改征增值税",
    "1010401": "国有冶金工业所得税",
    "1010601": "个人所得税",
    "1010901": "国有企业城市维护建设税",
    "1011001": "国有企业房产税",
    "1011101": "证券交易印花税",
    "1030203": "教育费附加收入",
    "1030401": "公安行政事业性收费收入",
    "1030501": "一般罚没收入",
}
"""收入分类科目, some of them."""


def name_of(code: str) -> str:
    """Return what a subject is called; its code if no name is known here."""
    return REVENUE.get(code, code)
