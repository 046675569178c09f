"""Lists as people and programs ask for them: columns, saved filters, pages by cursor."""
