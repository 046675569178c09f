"""German: 24.11.2026, 14:05 and 1.234.567."""

DATETIME_FORMAT = "j. F Y, H:i"
SHORT_DATETIME_FORMAT = "d.m.Y, H:i"
