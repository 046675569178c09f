"""What is looked at, each check with a state, a sentence, a number and what to do."""
