"""Says which programs and libraries outside Python the tests marked `tools` find here.

Exit status 0; with `CI=true` 1 when one is missing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from counterfoil.sm2.libcrypto import Sm2Unavailable, libcrypto


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A program, or a library, and how to get it.

    Attributes:
        why: What it is needed for.
        install: The ordinary name of its package.
        version: Options that make it print its version; none for a library.
        places: Patterns below the root directory, tried when PATH has none.
        library: Whether it is no program but the library that the product loads.
    """

    why: str
    install: str
    version: tuple[str, ...] = ("--version",)
    places: tuple[str, ...] = ()
    library: bool = False


POSTGRESQL: Final = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin")
"""Where distributions keep PostgreSQL's server programs, off PATH."""

SOFTHSM: Final = ("usr/lib/softhsm", "usr/lib/*/softhsm", "usr/lib*/pkcs11")
"""Where distributions keep SoftHSM's module, which is no program."""

NEEDS: Final = {
    "openssl": Need(
        why="verifies seals and certificates without our code",
        install="apt install openssl",
        version=("version",),
    ),
    "libcrypto": Need(
        why="makes and checks SM2 signatures",
        install="apt install libssl3",
        library=True,
    ),
    "grpcurl": Need(
        why="calls a gateway as an operator does",
        install="go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3",
    ),
    "buf": Need(
        why="lints the contract and finds breaking changes",
        install="npm install @bufbuild/buf",
    ),
    "git": Need(why="holds the contract as it was", install="apt install git"),
    "sqlite3": Need(
        why="reads a ledger without our code", install="apt install sqlite3"
    ),
    "softhsm2-util": Need(
        why="makes tokens for keys that never leave one",
        install="apt install softhsm2",
    ),
    "libsofthsm2.so": Need(
        why="is those tokens' PKCS#11 module",
        install="apt install softhsm2",
        version=(),
        places=tuple(f"{place}/libsofthsm2.so" for place in SOFTHSM),
    ),
    "initdb": Need(
        why="makes a PostgreSQL cluster for the SQL vault",
        install="apt install postgresql",
        places=tuple(f"{place}/initdb" for place in POSTGRESQL),
    ),
    "postgres": Need(
        why="serves it",
        install="apt install postgresql",
        places=tuple(f"{place}/postgres" for place in POSTGRESQL),
    ),
}


def find(name: str) -> Path | None:
    """Return where the program or library `name` of `NEEDS` is, or None."""
    if NEEDS[name].library:
        return _find_libcrypto()
    on_path = shutil.which(name)
    if on_path is not None:
        return Path(on_path)
    found = [path for place in NEEDS[name].places for path in Path("/").glob(place)]
    return max(found, default=None)


def _find_libcrypto() -> Path | None:
    try:
        return Path(libcrypto()._name)  # noqa: SLF001 - ctypes gives it no other name
    except Sm2Unavailable:
        return None


def version_of(program: Path, need: Need) -> str:
    """Return the first line that `program` says about its version, or where it is."""
    if need.library:
        return f"{program}, OpenSSL {libcrypto().OpenSSL_version_num() >> 28}"
    if not need.version:
        return str(program)
    answer = subprocess.run(
        [program, *need.version], capture_output=True, text=True, check=False
    )
    lines = (answer.stdout or answer.stderr).strip().splitlines()
    return lines[0] if lines else "version unknown"


def main() -> int:
    """Print one line for each program."""
    missing = 0
    for name, need in NEEDS.items():
        program = find(name)
        if program is None:
            missing += 1
            print(f"{name:14} missing  {need.why}; {need.install}")
        else:
            print(f"{name:14} present  {version_of(program, need)}")
    return 1 if missing and os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main())
