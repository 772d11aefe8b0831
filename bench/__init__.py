"""How fast it is here, beside the yardstick: ./aqm bench."""
