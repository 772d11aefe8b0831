"""Two sessions, step by step, in every order."""
