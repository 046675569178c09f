"""The subjects of a registration: requested, withdrawn, counted. Imports companies and sync."""
