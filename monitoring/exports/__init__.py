"""Lists as files, and files written by themselves for systems that take data so."""
