"""Places where a device keeps its records: one interface, three of them."""
