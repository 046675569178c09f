"""What people do about alerts over time: the inbox, snoozing, due times, escalation, and what brings alerts back."""
