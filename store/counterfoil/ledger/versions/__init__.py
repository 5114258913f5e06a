"""Migrations of the ledger, in order; run by `counterfoil.sql.schema`."""
