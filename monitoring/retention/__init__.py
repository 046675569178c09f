"""How long things are kept, and a history made smaller without losing a state."""
