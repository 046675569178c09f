"""What the program will not do unasked: made once from D&B's news, decided by a person, then carried out."""
