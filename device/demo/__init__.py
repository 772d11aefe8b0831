"""./aqm demo: the whole way of twenty messages, step by step."""
