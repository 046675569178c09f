"""How alerts of a rule were closed, and by which threshold fewer of them would have been of no use."""
