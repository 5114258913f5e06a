"""What protovalidate finds wrong with a request, in our words and in Chinese."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from protovalidate import Violation as Broken

from counterfoil.domain.violation import Violation

_ZH: Final = {
    "required": "必填",
    "string.pattern": "格式不符",
    "string.max_len": "超长",
    "bytes.len": "长度不符",
    "bytes.max_len": "超长",
    "repeated.min_items": "至少一项",
    "repeated.max_items": "项数过多",
    "repeated.unique": "存在重复项",
    "enum.defined_only": "取值不在代码表内",
    "enum.not_in": "取值无效",
}
"""Rule to Chinese text; a rule without one is called by its general name."""

_ZH_OTHER: Final = "不合规"


def path_of(broken: Broken) -> str:
    """Return where a rule is broken, e.g. `rows[3].payee_acct_name`."""
    field = broken.proto.field
    if field is None:
        return ""
    parts = []
    for element in field.elements:
        each = element.subscript
        parts.append(element.field_name + ("" if each is None else f"[{each.value}]"))
    return ".".join(parts)


def violations_of(broken: Iterable[Broken]) -> list[Violation]:
    """Return protovalidate's findings as violations with field paths."""
    return [
        Violation(
            path=path_of(one),
            rule=one.proto.rule_id,
            text=one.proto.message or one.proto.rule_id,
            text_zh=_ZH.get(one.proto.rule_id, _ZH_OTHER),
        )
        for one in broken
    ]
