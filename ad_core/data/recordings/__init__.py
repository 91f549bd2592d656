"""Recordings: time stamps, channels, resampling, windows."""
