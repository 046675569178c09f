"""“Needs attention” on the Overview: what a reader should do, the most urgent first."""
