"""Seeded samples: national voucher files as a finance department would hand them in.

The files are written from plain strings by a writer of their own, so they are an
independent witness of what the gateway's codec reads.
"""
