"""The smallest change after which an item is no alert."""
