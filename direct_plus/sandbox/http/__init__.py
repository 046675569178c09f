"""HTTP as the sandbox speaks it: requests, answers, dates, faults. It knows no state."""
