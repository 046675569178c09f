"""A call that may have taken something off D&B's queue: what its answer means, its gaps, who may make it."""
