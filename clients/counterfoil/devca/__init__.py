"""A certification authority for development and tests; never for real money.

* `certificates`: make keys, certificates and revocation lists, with every time
  stated, the wrong ones included.
* `signing`: sign them, also with SM2, which `cryptography` cannot.
* `directory`: a whole development PKI as files, and what it looks like.
* `cli`: `python -m counterfoil.devca`.

It stands alone: it imports nothing of the gateway, as a real authority would not.
`counterfoil.sm2` is to it what `cryptography` is.
"""
