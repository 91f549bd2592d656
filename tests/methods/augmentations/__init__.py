"""Tests of how items are turned and disturbed."""
