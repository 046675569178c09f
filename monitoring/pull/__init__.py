"""Taking notifications off D&B's queue, safely: announce, call, keep the bytes, then look inside."""
