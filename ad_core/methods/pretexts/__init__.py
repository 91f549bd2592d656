"""Pretext tasks, one file per task."""
