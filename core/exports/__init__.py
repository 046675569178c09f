"""Lists as files: written at once or by a job, kept for a while, harmless in a spreadsheet."""
