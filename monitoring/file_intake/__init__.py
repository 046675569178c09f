"""Files of D&B without hands: from a folder, a file server, an upload or a command to rows, each with a report.

parts, contents < arrivals, headers < reports, originals < lists < imports < intake < admin, api. May import the
pipeline, the portfolio's list files, and what speaks with file servers.

A file arrives (`arrivals`: its row, known by name and content), is checked and stored in parts of whole lines
(`contents`, `parts`), waits for its header (`headers`), is imported or refused (`imports`; `lists` where it is D&B's
list), and is put aside with a report (`reports`). `intake` does all of that for what has arrived; only one process at
a time does, so each step may end anywhere and is done again by the next.
"""
