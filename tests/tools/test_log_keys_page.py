"""What docs/operations.md tells an operator to type makes the keys of a log."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from counterfoil.seal.head_keys import load_log_keys
from counterfoil.seal.keys import KeyReference
from counterfoil.seal.secret import KeyRefused
from tools.tree import ROOT

PAGE = ROOT / "docs" / "operations.md"

pytestmark = pytest.mark.tools


def key(directory: Path, name: str, passphrase: str) -> KeyReference:
    return KeyReference(
        uri=f"file:{directory}/{name}.key", passphrase=f"file:{directory}/{passphrase}"
    )


def test_the_commands_of_the_page_make_both_keys_of_a_log(tmp_path: Path) -> None:
    blocks = re.findall(
        r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    (block,) = [one for one in blocks if "ML-DSA" in one or "ml-dsa" in one]
    installed = "/opt/counterfoil/bin/python"
    assert installed in block
    subprocess.run(
        ["bash", "-e", "-c", block.replace(installed, sys.executable)],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )

    names = ("head-ed25519", "head-ml-dsa-44")
    pair = [key(tmp_path, name, f"{name}.pass") for name in names]
    assert all(load_log_keys(*pair))
    # Encrypted, each by its own passphrase.
    swapped = [
        key(tmp_path, name, f"{other}.pass")
        for name, other in zip(names, reversed(names), strict=True)
    ]
    with pytest.raises(KeyRefused, match="passphrase"):
        load_log_keys(*swapped)
