"""What the documentation says is what the product is, as far as a program can tell."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor import ServiceDescriptor

from counterfoil.desk.v1 import desk_pb2
from counterfoil.domain.reasons import all_reasons
from counterfoil.exchange.v1 import exchange_pb2
from counterfoil.keeping.v1 import audit_pb2
from counterfoil.ledger.errors import LedgerUnavailable
from counterfoil.registry.v1 import registry_pb2
from counterfoil.vault.findings import Fault
from counterfoil.workbench.errors import WorkbenchUnavailable
from tools import posts_page
from tools.catalogue_page import PAGE, page
from tools.tree import ROOT, SOURCE_ROOTS, files_below, modules_below

DOCS = ROOT / "docs"
PAGES = [
    ROOT / "README.md",
    ROOT / "README.zh-CN.md",
    ROOT / "CHANGELOG.md",
    *files_below(DOCS, ".md"),
]
SERVICES = [
    service
    for module in (desk_pb2, exchange_pb2, registry_pb2, audit_pb2)
    for service in module.DESCRIPTOR.services_by_name.values()
]
_FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_MODULE = re.compile(r"`(?:…/)?([a-z0-9_/…]+\.py)[`:]")
_READERS_OWN = {"first.py"}
"""What a page tells its reader to write."""
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)


def prose(file: Path) -> str:
    """Return a page without its code blocks."""
    return _FENCED.sub("", file.read_text(encoding="utf-8"))


def anchors(file: Path) -> set[str]:
    """Return what can be linked to inside a page, as GitHub names it."""
    return {
        re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-")
        for _, text in _HEADING.findall(prose(file))
    }


def broken_links(file: Path) -> Iterator[str]:
    """Yield the links of a page that lead nowhere inside the repository."""
    for link in _LINK.findall(prose(file)):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = file.parent / path if path else file
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


def modules_missing(file: Path, there: set[str]) -> Iterator[str]:
    """Yield the modules that a page names and nobody finds, by the end of a path."""
    for name in _MODULE.findall(prose(file)):
        end = "/" + name.rpartition("…/")[2]
        if name not in _READERS_OWN and not any(path.endswith(end) for path in there):
            yield name


def keys_of(table: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield section and key of everything that a configuration states."""
    for section, content in table.items():
        for one in content if isinstance(content, list) else [content]:
            for key in one:
                yield section, key


def configuration_keys() -> list[tuple[str, str]]:
    """Return every key of docs/gateway.toml, those in comments included."""
    text = (DOCS / "gateway.toml").read_text(encoding="utf-8")
    stated = re.sub(r"^# ([a-z_]+ = )", r"\1", text, flags=re.MULTILINE)
    return sorted(set(keys_of(tomllib.loads(stated))))


def section_of(section: str) -> str:
    """Return the part of operations.md or watches.md that explains a section."""
    pages = (DOCS / "operations.md", DOCS / "watches.md")
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    for part in re.split(r"^(?=###? )", text, flags=re.MULTILINE):
        heading = part.partition("\n")[0]
        if f"[{section}]" in heading:
            return part
    return ""


def test_the_catalogue_page_is_what_the_contract_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "run: python -m tools.catalogue_page"
    )


def test_the_page_of_posts_is_what_the_tables_say() -> None:
    assert posts_page.PAGE.read_text(encoding="utf-8") == posts_page.page(), (
        "run: python -m tools.posts_page"
    )


def test_every_module_that_a_page_names_is_there() -> None:
    roots = (*SOURCE_ROOTS, "tests", "tools")
    there = {path.as_posix() for root in roots for path in modules_below(ROOT / root)}

    missing = {
        file.relative_to(ROOT).as_posix(): names
        for file in PAGES
        if (names := sorted(set(modules_missing(file, there))))
    }

    assert missing == {}
    # It would find one: a page of the map names more than a dozen.
    assert len(_MODULE.findall(prose(DOCS / "architecture.md"))) > 12


def test_every_reason_stands_in_a_comment_of_the_contract() -> None:
    comments = "\n".join(
        line
        for name in ("desk", "exchange", "registry", "keeping")
        for file in files_below(ROOT / "proto" / "counterfoil" / name, ".proto")
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.lstrip().startswith("//")
    )
    # Kept outside of the domain; named so that it is loaded.
    assert {WorkbenchUnavailable.reason, LedgerUnavailable.reason} <= set(all_reasons())

    ours = {
        reason: kind
        for reason, kind in all_reasons().items()
        if kind.__module__.startswith("counterfoil.")
    }
    missing = [reason for reason in ours if f"`{reason}`" not in comments]

    assert missing == []


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_every_method_is_explained_to_who_knows_the_old_interface(
    service: ServiceDescriptor,
) -> None:
    text = (DOCS / "incumbent.md").read_text(encoding="utf-8")
    text += (ROOT / "README.md").read_text(encoding="utf-8")

    missing = [
        method.name
        for method in service.methods
        if re.search(rf"`(?:{service.name}\.)?{method.name}`", text) is None
    ]

    assert missing == []


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_link_inside_the_repository_leads_somewhere(file: Path) -> None:
    assert list(broken_links(file)) == []


@pytest.mark.parametrize(("section", "key"), configuration_keys())
def test_every_key_of_the_configuration_is_explained(section: str, key: str) -> None:
    rows = [
        line
        for line in section_of(section).splitlines()
        if line.startswith(f"| `{key}`")
    ]

    assert len(rows) == 1


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name)
def test_every_finding_is_explained_in_its_own_words(fault: Fault) -> None:
    text = (DOCS / "operations.md").read_text(encoding="utf-8")

    assert f"| `{fault.name}` | {fault.en} ({fault.zh}) |" in text


def test_both_readmes_have_the_same_headings() -> None:
    english, chinese = (
        [len(level) for level, _ in _HEADING.findall(prose(ROOT / name))]
        for name in ("README.md", "README.zh-CN.md")
    )

    assert english == chinese


def test_both_readmes_show_the_same_programs() -> None:
    def programs(name: str) -> list[str]:
        text = (ROOT / name).read_text(encoding="utf-8")
        return re.findall(r"^```(?:sh|python)\n.*?^```", text, re.DOTALL | re.MULTILINE)

    assert programs("README.md") == programs("README.zh-CN.md")
