"""Judges an exported voucher without its maker's software (独立验证电子凭证).

Needs Python 3.11, the `openssl` command (3.0 or later), and nothing else. What is
checked, and what each word of a refusal means, is in `verify-a-voucher.md`.
"""

import argparse
import re
import ssl
import subprocess
import sys
import tempfile
from base64 import b64decode
from datetime import UTC, datetime
from hashlib import new, sha256
from math import inf
from pathlib import Path
from typing import Any

Message = dict[int, list[Any]]
SEAL = b"application/vnd.counterfoil.seal.v1"
BATCH = b"application/vnd.counterfoil.seal-batch.v1"
ALGORITHMS = {1: ("prime256v1", "-digest sha256"), 2: ("ed25519", "")}
MLDSA44, SM2 = b"\6", b"\xffcounterfoil/sm2-sm3/v1\4"  # types of logs' keys, beside 1
SPKI = {b"\1": "302a300506032b6570032100"}  # before the raw key: RFC 8410, RFC 9881
SPKI[MLDSA44] = "30820532300b06096086480165030403110382052100"
SPKI[SM2] = "3059301306072a8648ce3d020106082a811ccf5501822d03420004"  # GM/T 0009
HOW = {SM2: "-digest sm3 -pkeyopt distid:1234567812345678"}
VERIFY = "pkeyutl -verify -pubin -rawin -inkey @ -in @ -sigfile @ "
PEM = rb"(?s)-----BEGIN .*?-----END [A-Z0-9 ]+-----\n"
ARRIVE, DELIVER, WITNESS, VOUCHER = 3, 4, 15, 1  # acts, a kind of document
ENTERED = {1: "entered", 16: "entered and sent"}
ACTS = {**ENTERED, ARRIVE: "arrived", WITNESS: "witnessed"}
PAIRS = """form=格式 file=文件 statement=签章陈述 payload=原文 beneath=下层签章 sm3=国密
seals=签章 certificate=证书 revoked=已吊销 revocation=吊销列表 signer=签章人 key=密钥
batch=批量签章 signature=签名 leaf=日志记录 proof=证明 checkpoint=树头 arrival=送达
stamp=时间戳 earlier=早先签章"""
WORDS = dict(pair.split("=") for pair in PAIRS.split())
ROOM = tempfile.TemporaryDirectory()  # for what openssl reads; gone at the end


def need(word: str, holds: object, text: str) -> None:
    """End with a refusal unless it holds; the word says what does not."""
    if not holds:
        sys.exit(f"does not hold (不成立): {word} ({WORDS[word]}): {text}")


def openssl(command: str, *contents: bytes) -> tuple[bool, str]:
    """Run a command; each `@` in it is a file with the next content."""
    words = command.split()
    for content in contents:
        place = words.index("@")
        words[place] = f"{ROOM.name}/{place}"
        Path(words[place]).write_bytes(content)
    done = subprocess.run(["openssl", *words], capture_output=True, check=False)
    return done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace")


def shown(seconds: float) -> str:
    """Return an instant as people write it."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S UTC}"


def fields(message: bytes) -> Message:
    """Return a message's numbers and bytes by field, each in their order."""
    found, numbers, at = {}, [], 0
    while at < len(message):
        end = next((n for n in range(at, len(message)) if message[n] < 0x80), at + 10)
        need("form", end < at + 10, "a number is cut off or too long")
        groups, at = enumerate(message[at : end + 1]), end + 1
        numbers.append(sum((each & 0x7F) << 7 * place for place, each in groups))
        if len(numbers) == 1:  # the tag: field number and type
            continue
        tag, value = numbers
        need("form", tag & 7 in (0, 2), "a field of a type that none here has")
        if tag & 7:
            at, value = at + value, message[at : at + value]
        found.setdefault(tag >> 3, []).append(value)
        numbers = []
    need("form", at == len(message) and not numbers, "a field is cut off")
    return found


def one(message: Message, number: int, default: Any = b"") -> Any:
    """Return the one value of a field."""
    values = message.get(number, [default])
    fits = len(values) == 1 and type(values[0]) is type(default)
    need("form", fits, f"field {number} comes twice or is of another type")
    return values[0]


def climb(word: str, leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Return the root to which a path leads that has exactly the hashes it needs."""
    how = "sm3" if word == "sm3" else "sha256"
    need(word, 0 <= index < size, "there is no such place")
    node, last, rest = new(how, b"\0" + leaf).digest(), size - 1, list(path)
    while last:
        if index ^ 1 <= last:
            need(word, rest and len(rest[0]) == len(node), "a hash is missing")
            side = rest.pop(0)
            pair = side + node if index & 1 else node + side
            node = new(how, b"\1" + pair).digest()
        index, last = index >> 1, last >> 1
    need(word, not rest, "a hash is left over")
    return node


class Act:
    """A leaf that is proved to stand in a log whose keys the expert trusts."""

    def __init__(self, file: Path, keys: list[str]) -> None:
        self.name, self.remark = file.name, "no time stated"
        head, _, note = file.read_text("utf-8").partition("\n\n")
        form = r"c2sp\.org/tlog-proof@v1\nextra (\S+)\nindex (\d+)((?:\n\S+)*)"
        parts = re.fullmatch(form, head)
        need("form", parts, f"{file.name} is no proof with its leaf")
        leaf, self.index = b64decode(parts[1]), int(parts[2])
        self.origin, self.size, root = self.open_checkpoint(note, keys)
        path = [b64decode(line) for line in parts[3].split()]
        word = "sm3" if self.origin.endswith("/log-sm3") else "proof"
        reached = climb(word, leaf, self.index, self.size, path)
        need(word, reached == root, f"{file.name} leads to another root")
        need("leaf", len(leaf) > 108 and leaf[0] == 1, f"{file.name} has no leaf")
        self.act, self.time = leaf[1], int.from_bytes(leaf[3:11], "big") / 1_000_000
        # Kind, digests of voucher and document, and of the document with its seals.
        self.about, self.version = leaf[2:3] + leaf[11:75], leaf[75:107]
        self.by, self.place = leaf[108 : 108 + leaf[107]].decode(), (self.index, leaf)

    def open_checkpoint(self, note: str, keys: list[str]) -> tuple[str, int, bytes]:
        """Return origin, size and root, which every key of a set of yours signed."""
        parts = re.fullmatch(r"((\S+)\n(\d+)\n(\S+)\n)\n((?:— \S+ \S+\n)+)", note)
        need("checkpoint", parts, f"{self.name} has none")
        text, origin, size, root = parts[1].encode(), parts[2], int(parts[3]), parts[4]
        name, line = origin.encode(), f"{origin}\n".encode()
        lines = re.findall(rf"^— {re.escape(origin)} (\S+)$", parts[5], re.MULTILINE)
        signed = {raw[:4]: raw[4:] for raw in map(b64decode, lines)}
        form = rf"(?<!\S){re.escape(origin)}\+\w{{8}}\+(\S+)"
        sets = [[*map(b64decode, re.findall(form, one))] for one in keys]
        marks = [{sha256(line + k).digest()[:4]: k for k in s} for s in sets if s]
        whole = [one for one in marks if one.keys() <= signed.keys()]
        need("checkpoint", whole, f"not signed by your keys of {origin}")
        for mark, vkey in whole[0].items():
            kind = max(filter(vkey.startswith, SPKI))
            key = bytes.fromhex(SPKI[kind]) + vkey[len(kind) :]
            message, value = text, signed[mark]
            if kind == MLDSA44:
                time, value, who = value[:8], value[8:], bytes([len(name)]) + name
                tree = bytes(8) + size.to_bytes(8, "big") + b64decode(root)
                message = b"subtree/v1\n\0" + who + time + who + tree
                self.remark = f"signed {shown(int.from_bytes(time, 'big'))}"
                if not openssl("pkey -pubin -noout -in @", key)[0]:
                    self.remark = "ML-DSA-44 line NOT CHECKED, openssl 3.5 can"
                    continue
            holds = openssl(VERIFY + HOW.get(kind, ""), key, message, value)[0]
            need("checkpoint", holds, f"a signature of {origin}")
        return origin, size, b64decode(root)


def said(text: str, label: str) -> str:
    """Return what openssl prints behind a label."""
    return (re.findall(rf"^\s*{label}[:=] ?(.*)$", text, re.MULTILINE) or [""])[0]


class Trust:
    """The root that the expert trusts, and what the export has besides."""

    def __init__(self, root: Path, folder: Path, at: float) -> None:
        self.root, self.at = root.read_bytes(), at
        self.bag = (folder / "certificates.pem").read_bytes()
        self.known, self.authorities = {}, {}
        for pem in re.findall(PEM, self.root + self.bag):
            self.known[sha256(ssl.PEM_cert_to_DER_cert(pem.decode())).digest()] = pem
            text, fault = self.look(pem)
            if not fault and "CA:TRUE" in text and "CRL Sign" in text:
                self.authorities.setdefault(said(text, "Subject"), pem)
        lists = re.findall(PEM, (folder / "crls.pem").read_bytes())
        self.lists = [self.read_list(each) for each in lists]

    def look(self, pem: bytes) -> tuple[str, str]:
        """Return a certificate as openssl prints it, and why no path leads to it."""
        command = "x509 -noout -serial -text -pubkey -nameopt RFC2253 -in @"
        text = openssl(command, pem)[1]
        command = f"verify -no-CApath -no-CAstore -purpose any -attime {self.at:.0f}"
        command += " -CAfile @ -untrusted @ @"  # this machine's roots are none
        fits, why = openssl(command, self.root, self.bag, pem)
        return text, "" if fits else " ".join(why.split())

    def read_list(self, pem: bytes) -> tuple[str, float, dict[int, float]]:
        """Return issuer, next update and revocations of a list its issuer signed."""
        command = "crl -noout -text -nameopt RFC2253 -no-CApath -no-CAstore -in @"
        issuer = said(openssl(f"{command} -no-CAfile", pem)[1], "Issuer")
        if issuer not in self.authorities:
            return issuer, 0, {}  # no path of this export comes by it
        text = openssl(f"{command} -CAfile @", pem, self.authorities[issuer])[1]
        need("revocation", "verify OK" in text, f"a list that {issuer} did not sign")
        until, when = said(text, "Next Update"), ssl.cert_time_to_seconds
        need("revocation", until and "critical" not in text, "a list is only a part")
        form = r"Serial Number: ([0-9A-F]+)\s+Revocation Date: (.* GMT)"
        gone = {int(serial, 16): when(at) for serial, at in re.findall(form, text)}
        return issuer, when(until), gone

    def judge(self, digest: bytes) -> tuple[str, str, bytes]:
        """Return party and name of a signer whose certificate held, and the key."""
        need("certificate", digest in self.known, "a signer's is missing")
        text, fault = self.look(self.known[digest])
        need("certificate", not fault, fault)
        key = text[text.index("-----BEGIN") :].encode()
        form = r"URI:urn:counterfoil:([\w-]+):((?:person|institution):[\w.-]+)$"
        names = re.findall(form, text, re.MULTILINE)
        need("signer", len(names) == 1 and "Digital Signature" in text, "not for seals")
        while (issuer := said(text, "Issuer")) != (subject := said(text, "Subject")):
            lists = [each for each in self.lists if each[0] == issuer]
            serial = int(said(text, "serial"), 16)
            since = min((each[2].get(serial, inf) for each in lists), default=inf)
            need("revoked", since > self.at, f"{subject}, before that instant")
            until = max((each[1] for each in lists), default=0)
            need("revocation", until >= self.at, f"no list of {issuer} covers then")
            text = self.look(self.authorities[issuer])[0]
        return *names[0], key


def judge_seals(sealed: Message, trust: Trust, owner: str) -> None:
    """Check every seal of a document, the lowest first."""
    need("seals", sealed.get(3), "there is none")
    beneath, names = [], []
    for seal in map(fields, sealed[3]):
        states = fields(body := one(seal, 1))
        about = one(states, 1, 0) == one(sealed, 1, 0) and max(states) <= 8
        need("statement", about, "another kind of document, or a field unknown")
        digest = sha256(one(sealed, 2)).digest()
        need("payload", one(states, 2) == digest, "the seal is about another document")
        need("beneath", states.get(8, []) == beneath, "the seal stands on other seals")
        beneath.append(sha256(body).digest())
        party, name, key = trust.judge(one(states, 5))
        curve, how = ALGORITHMS.get(one(states, 6, 0), ("?", ""))
        kind = openssl("pkey -pubin -noout -text -in @", key)[1].lower()
        need("key", curve in kind, "the key is of another algorithm")
        label = SEAL
        if 3 in seal:
            path, label = fields(one(seal, 3)), BATCH
            size = one(path, 2, 0)
            body = climb("batch", body, one(path, 1, 0), size, path.get(3, []))
            body += size.to_bytes(8, "big")
        message = b"DSSEv1 %d %b %d %b" % (len(label), label, len(body), body)
        need("signature", openssl(VERIFY + how, key, message, one(seal, 2))[0], name)
        need("signer", party == owner and name not in names, f"{party} {name}")
        names.append(name)
        print(f"  seal    {one(states, 3).decode()} by {party} {name}")


def stamped_acts(export: Path, keys: list[str], tsa: Any) -> list[tuple[Act, float]]:
    """Return the acts below a head that a trusted authority stamped, and the time."""
    found = []
    for file in sorted((export / "timestamps").glob("act-*")) if tsa else ():
        act = Act(file, keys)
        head = file.with_name(f"head-{act.size:010}.checkpoint")
        data, reply = head.read_bytes(), head.with_suffix(".tsr").read_bytes()
        same = data.decode() == file.read_text("utf-8").partition("\n\n")[2]
        need("stamp", same, f"{file.name} is under another head")
        at = said(openssl("ts -reply -text -in @", reply)[1], "Time stamp")
        time = ssl.cert_time_to_seconds(re.sub(r"\.\d+", "", at)) if at else 0
        command = "ts -verify -data @ -in @ -CAfile @"
        fits, why = openssl(f"{command} -attime {time}", data, reply, tsa.read_bytes())
        need("stamp", fits, " ".join(why.split()))
        has_ended = not openssl(command, data, reply, tsa.read_bytes())[0]
        act.remark = ", by a certificate that has ended since" if has_ended else ""
        found.append((act, time))
    return found


def judge_document(folder: Path, acts: list[Act], options: argparse.Namespace) -> None:
    """Check one document: its place in the logs, its time, its seals."""
    content = (folder / "sealed.bin").read_bytes()
    sealed, version = fields(content), sha256(content).digest()
    payload, kind = one(sealed, 2), one(sealed, 1, 0)
    document, digest = fields(payload), sha256(payload).digest()
    voucher = digest if kind == VOUCHER else one(fields(one(document, 1)), 2)
    owner = one(fields(one(document, 1)), 1) if kind == VOUCHER else one(document, 2)
    about = bytes([kind]) + voucher + digest, version
    came = [a for a in acts if a.act in ACTS and (a.about, a.version) == about]
    need("leaf", came, f"{folder.name}: no log has it as it is")
    print(f"document {folder.name}, kind {kind}, sha256 {digest.hex()}")
    for act in came:
        print(f"  {ACTS[act.act]} {shown(act.time)} leaf {act.index} of {act.origin}")
    same = [s for s in options.stamped if (s[0].about, s[0].version) == about]
    for act, time in same:
        print(f"  stamped {shown(time)} leaf {act.index} of {act.origin}{act.remark}")
    arrived = [act.time for act in came if act.act in (ARRIVE, WITNESS)]
    times = arrived or [time for _, time in same] or [act.time for act in came]
    at = options.at or min(times)
    print(f"  judged  {shown(at)}")
    judge_seals(sealed, Trust(options.root, folder, at), owner.decode())


def judge(options: argparse.Namespace) -> None:
    """Check the logs, then the documents that stand in them."""
    log, keys = options.export / "log", [Path(k).read_text() for k in options.log_keys]
    own = {file.name[4:]: Act(file, keys) for file in sorted(log.glob("act-*"))}
    peers = {file.name[5:]: Act(file, keys) for file in sorted(log.glob("peer-*"))}
    for name, peer in peers.items():
        fits = name in own and (peer.act, own[name].act) == (ARRIVE, DELIVER)
        need("arrival", fits and peer.about == own[name].about, peer.name)
        need("arrival", peer.origin == f"{own[name].by}/log", "of another's log")
    acts = [*own.values(), *peers.values()]
    for file in sorted(log.glob("earlier-*")):
        act, came = Act(file, keys), own[file.name[8:]]
        seen = Act(file.with_name(f"witness{file.name[7:]}"), keys)
        head = file.read_text("utf-8").partition("\n\n")[2].encode()
        fits = act.act in ENTERED and (seen.act, came.act) == (WITNESS, ARRIVE)
        fits &= (seen.origin, seen.version) == (came.origin, sha256(head).digest())
        need("earlier", fits, f"{file.name} is under no head that was seen")
        act.act, act.time, acts = WITNESS, seen.time, [*acts, act]
    for file in sorted(options.export.glob("log-sm3/act-*")):
        acts.append(act := Act(file, keys))
        twin = own.get(file.name[4:], act)
        fits = act.place == twin.place and act.origin == f"{twin.origin}-sm3"
        need("sm3", fits, f"{file.name} is not what the first tree has there")
    need("leaf", len({act.about[1:33] for act in acts}) == 1, "of several vouchers")
    options.stamped = stamped_acts(options.export, keys, options.tsa)
    need("file", folders := sorted(options.export.glob("[0-9]*")), "no document")
    for folder in folders:
        judge_document(folder, acts, options)
    print(*{f"{act.origin}, {act.size} leaves, {act.remark}" for act in acts}, sep="\n")


parser = argparse.ArgumentParser(description="Judge an exported voucher.")
parser.add_argument("export", type=Path, help="what `inquire --export` wrote")
parser.add_argument("--root", type=Path, required=True, help="the root you trust, PEM")
parser.add_argument("--log-keys", required=True, action="append", help="one key a line")
parser.add_argument("--tsa", type=Path, help="roots of time stamps you trust, PEM")
parser.add_argument("--at", type=float, help="another instant, seconds since 1970")
try:
    judge(parser.parse_args())
except (OSError, ValueError, KeyError, IndexError) as error:
    word = "file" if isinstance(error, OSError) else "form"
    need(word, holds=False, text=repr(error))
print("holds (成立)")
