"""The cluster of jobs: its queue, its schedules, its watchdog."""
