"""The pages of exposure: what is at stake by book, its imports, and exchange rates."""
