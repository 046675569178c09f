"""What people want monitored in a registration: requested, withdrawn, counted. Imports companies and sync."""
