"""Published changes in the order of publication, for people and programs."""
