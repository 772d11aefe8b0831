"""Redis as a place for records."""
