"""Seals: signatures over bytes, and what it takes to believe them.

Pure: keys and time are arguments. The only I/O is in `keys` and `secret`, which
read a key where a URI says that it is, and in `token_session` and `token_key`, which
have a token sign.

* `dsse`: the bytes that a signature covers.
* `algorithms`: the closed list, and keys that fit it.
* `batch`: many statements under one signature.
* `sign`: make seals.
* `certificates`, `chains`, `revocation`, `trust`: whose key it is, whether that
  can be believed, and remembering so.
* `verify`: the numbered checks of a document's seals.
* `export`: a voucher as files that `openssl` alone can judge.
* `keys`, `secret`, `head_keys`: load private keys.
* `key_material`: a key on its way to the process that signs, wherever it is.
* `token_uri`, `token_session`, `token_key`: keys that never leave a token.
"""
