"""Readers, one file per modality."""
