"""Lints the contract in proto/ and compares it with the contract as it was.

buf reads descriptor images that `tools/stubs.py --image` writes, so nothing is
fetched. What the contract was is taken from the commit that `CONTRACT_BASE`
names; by default from where this branch left `main`, on `main` from the commit
before. Without buf the step is left out, with `CI=true` it fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Final

from tools.needs import NEEDS
from tools.tree import ROOT

CONFIGURATION: Final = """{
  "version": "v2",
  "lint": {"use": ["STANDARD", "COMMENTS"]},
  "breaking": {"use": ["FILE"]}
}"""
"""buf's rules, used unless proto/buf.yaml states others."""
PATHS: Final = ("--path", "counterfoil")
"""What an image holds besides is not ours."""


def base_commit(tree: Path) -> str | None:
    """Return the commit to compare with, or None when there is none.

    Raises:
        subprocess.CalledProcessError: `CONTRACT_BASE` names no commit.
    """
    stated = os.environ.get("CONTRACT_BASE")
    if stated:
        return _git(tree, "rev-parse", "--verify", f"{stated}^{{commit}}")
    head = _git_or_none(tree, "rev-parse", "--verify", "--quiet", "HEAD")
    if head is None:
        return None
    for branch in ("origin/main", "main"):
        base = _git_or_none(tree, "merge-base", "HEAD", branch)
        if base is not None and base != head:
            return base
    return _git_or_none(tree, "rev-parse", "--verify", "--quiet", "HEAD~1")


def write_image(tree: Path, image: Path) -> None:
    """Write the descriptors of the contract in `tree` to `image`.

    Raises:
        subprocess.CalledProcessError: The contract does not compile.
    """
    command = [sys.executable, "-m", "tools.stubs", "--image", str(image)]
    # The copy's own modules must win over those of this tree.
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    subprocess.run(command, cwd=tree, env=environment, check=True)


def extract_base(tree: Path, commit: str, target: Path) -> bool:
    """Put the contract of `commit` and today's tools into `target`.

    Returns:
        Whether the commit has a contract.
    """
    if not _git(tree, "ls-tree", "--name-only", commit, "proto/counterfoil/"):
        return False
    archive = subprocess.run(
        ["git", "archive", commit, "proto"], cwd=tree, capture_output=True, check=True
    )
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as tar:
        tar.extractall(target, filter="data")
    shutil.copytree(tree / "tools", target / "tools")
    shutil.copy(tree / "pyproject.toml", target)
    return True


def _git(tree: Path, *arguments: str) -> str:
    answer = subprocess.run(
        ["git", *arguments], cwd=tree, capture_output=True, text=True, check=True
    )
    return answer.stdout.strip()


def _git_or_none(tree: Path, *arguments: str) -> str | None:
    try:
        return _git(tree, *arguments)
    except subprocess.CalledProcessError:
        return None


def _buf(*arguments: str) -> bool:
    stated = ROOT / "proto/buf.yaml"
    configuration = str(stated) if stated.exists() else CONFIGURATION
    command = ["buf", *arguments, *PATHS, "--config", configuration]
    return subprocess.run(command, check=False).returncode == 0


def check(scratch: Path) -> bool:
    """Lint and compare; return whether both went well."""
    now = scratch / "now.binpb"
    write_image(ROOT, now)
    linted = _buf("lint", str(now))
    print(f"buf lint: {'ok' if linted else 'FAILED'}")

    base = base_commit(ROOT)
    if base is None or not extract_base(ROOT, base, scratch / "base"):
        print("buf breaking: no earlier contract to compare with")
        return linted
    before = scratch / "before.binpb"
    write_image(scratch / "base", before)
    kept = _buf("breaking", str(now), "--against", str(before))
    print(f"buf breaking against {base[:12]}: {'ok' if kept else 'FAILED'}")
    return linted and kept


def main() -> int:
    """Run the step in a scratch directory."""
    if shutil.which("buf") is None:
        print(f"buf is not installed: {NEEDS['buf'].install}", file=sys.stderr)
        return 1 if os.environ.get("CI") == "true" else 0
    with tempfile.TemporaryDirectory(prefix="counterfoil-contract-") as scratch:
        return 0 if check(Path(scratch)) else 1


if __name__ == "__main__":
    sys.exit(main())
