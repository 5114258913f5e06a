"""Finds the checks of the product: where it raises a refusal."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

BASE: Final = "CounterfoilError"
"""The class that every refusal descends from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseSite:
    """One statement that raises a refusal.

    Attributes:
        path: The module, relative to the tree, with slashes.
        function: Dotted name of the enclosing classes and functions; empty at
            the top of the module.
        reason: What the refusal says.
        ordinal: 1 for the first raise of this reason in this function.
        start: Offset of the statement's first byte in the file.
        end: Offset after its last byte.
        line: Line of the first byte, for people.
    """

    path: str
    function: str
    reason: str
    ordinal: int
    start: int
    end: int
    line: int

    @property
    def name(self) -> str:
        """A name that survives changes elsewhere in the file."""
        return f"{self.path}::{self.function} {self.reason} {self.ordinal}"

    def switched_off(self, source: bytes) -> bytes:
        """Return `source` with `pass` in place of the statement."""
        return source[: self.start] + b"pass" + source[self.end :]


def refusal_reasons(sources: Iterable[bytes]) -> dict[str, str]:
    """Map the name of each refusal class to the reason it states or inherits.

    A function whose return type is a refusal class counts like that class:
    `raise _reused(row)` is a check too.

    Args:
        sources: The modules of the product. Of two classes with one name, both
            count when one is a refusal: rather a mutant too many.
    """
    bases: defaultdict[str, set[str]] = defaultdict(set)
    makers: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for source in sources:
        module = ast.parse(source)
        makers |= _makers(module)
        for node in ast.walk(module):
            if isinstance(node, ast.ClassDef):
                bases[node.name] |= {_last_name(base) for base in node.bases}
                reason = _stated_reason(node)
                if reason is not None:
                    reasons[node.name] = reason

    refusals, before = {BASE}, 0
    while before < len(refusals):
        before = len(refusals)
        refusals |= {name for name, above in bases.items() if above & refusals}
        for name in refusals - reasons.keys():
            for above in bases[name] & reasons.keys() & refusals:
                reasons[name] = reasons[above]
    reasons = {name: reasons[name] for name in reasons if name in refusals}
    made = {name: reasons[kind] for name, kind in makers.items() if kind in reasons}
    return made | reasons


def raise_sites(
    path: str, source: bytes, reasons: Mapping[str, str]
) -> Iterator[RaiseSite]:
    """Yield the statements of one module that raise a class of `reasons`.

    A function of this module comes before one of the same name elsewhere.
    """
    module = ast.parse(source)
    made_here = {name: reasons.get(kind) for name, kind in _makers(module).items()}
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    seen: Counter[tuple[str, str]] = Counter()
    for function, node in _raises(module, ()):
        raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        name = _last_name(raised)
        reason = made_here[name] if name in made_here else reasons.get(name)
        if reason is None:
            continue
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        seen[function, reason] += 1
        yield RaiseSite(
            path=path,
            function=function,
            reason=reason,
            ordinal=seen[function, reason],
            start=starts[node.lineno - 1] + node.col_offset,
            end=starts[node.end_lineno - 1] + node.end_col_offset,
            line=node.lineno,
        )


def all_raise_sites(tree: Path, modules: Iterable[Path]) -> list[RaiseSite]:
    """Return the raise sites of `modules`, which lie below `tree`."""
    sources = {path: path.read_bytes() for path in modules}
    reasons = refusal_reasons(sources.values())
    return [
        site
        for path, source in sources.items()
        for site in raise_sites(path.relative_to(tree).as_posix(), source, reasons)
    ]


def _makers(module: ast.Module) -> dict[str, str]:
    """Return the functions of a module, each with the name of what it returns."""
    return {
        node.name: _last_name(node.returns)
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef)
    }


def _raises(node: ast.AST, within: tuple[str, ...]) -> Iterator[tuple[str, ast.Raise]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Raise):
            yield ".".join(within), child
        elif isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _raises(child, (*within, child.name))
        else:
            yield from _raises(child, within)


def _stated_reason(node: ast.ClassDef) -> str | None:
    """Return the value of `reason = "…"` in the class's own body."""
    for statement in node.body:
        if isinstance(statement, ast.Assign):
            target = statement.targets[0]
        elif isinstance(statement, ast.AnnAssign):
            target = statement.target
        else:
            continue
        value = statement.value
        if _last_name(target) == "reason" and isinstance(value, ast.Constant):
            return str(value.value)
    return None


def _last_name(node: ast.AST | None) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    return ""
