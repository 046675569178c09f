"""The overview as files: PDF and spreadsheet."""
