"""The dossier of a company: what happened in a span of days, when it arrived, who was notified, what was decided. It
reads what all other slices have written, and writes nothing but the note that somebody has read it."""
