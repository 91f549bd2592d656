"""Losses and errors that several pretext tasks share."""
