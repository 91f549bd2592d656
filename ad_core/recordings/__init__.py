"""Recordings: times, samples, channels and windows."""
