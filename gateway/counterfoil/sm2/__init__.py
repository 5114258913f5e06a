"""SM2 with SM3, which the library `cryptography` does not have.

* `libcrypto`: the system's OpenSSL, found and tried once.
* `structures`: what that library reads and writes, in DER and PEM.
* `keys`: private and public keys with the interface of `cryptography`'s own.
* `loading`: private keys from PKCS#8.
* `der`: taking apart and putting together the few ASN.1 structures that it takes.
* `signed`: certificates and revocation lists that are signed with SM2.

It stands alone, as `cryptography` does: the gateway, the development authority and
tests use it alike. Everything secret is done by OpenSSL; nothing here computes with
a private key or draws a random number.

Source: GB/T 32918-2016 and -2017 (GM/T 0003), the algorithm; GM/T 0009, how
signatures are written down and the default signer; GM/T 0015, certificates.
"""
