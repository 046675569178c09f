"""How many hexadecimal digits places have: of an item among a registration's answers, and of a change in the story."""

PLACE, STORY_PLACE = 22, 50
