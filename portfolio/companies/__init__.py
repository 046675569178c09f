"""Companies: found, described, named by other systems, told apart by D-U-N-S number. Imports models and `core`."""
