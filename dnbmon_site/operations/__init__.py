"""What operators do: back up, restore, erase, examine, start and stop."""
