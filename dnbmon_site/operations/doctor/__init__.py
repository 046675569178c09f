"""What can be wrong with an installation, by where it is looked for."""
