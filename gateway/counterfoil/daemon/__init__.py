"""The running gateway: configuration, composition root, lanes, schedules, CLI."""

import os

# gRPC for Python cannot forbid TLS 1.2, but it reads this variable when it starts,
# and it names cipher suites of TLS 1.2 only. The one here needs a certificate with
# an RSA key, and every certificate of ours is on P-256 or Ed25519: no TLS 1.2
# handshake can come to an end, and TLS 1.3 is untouched. Before anybody imports
# grpc; `tests/tools/test_tls_versions.py` fails without it.
os.environ.setdefault("GRPC_SSL_CIPHER_SUITES", "ECDHE-RSA-AES128-GCM-SHA256")
