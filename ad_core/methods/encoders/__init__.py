"""Encoders, one file per architecture."""
