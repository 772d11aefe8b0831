"""The fault harness: clients that keep records, faults under them, and a checker that trusts the records alone."""
