"""The only way to addresses outside: what may be connected to, and HTTP that never follows further."""
