"""Random histories of uploads, claims, lost answers and deletions: no coin is ever issued twice."""
