"""Migrations of the workbench, in order; run by `counterfoil.sql.schema`."""
