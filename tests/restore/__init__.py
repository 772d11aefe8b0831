"""Restore drills: a base backup, claims after it, the backup restored, and no coin issued twice."""
