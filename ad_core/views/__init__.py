"""Ways in which items are turned and disturbed so that copies of them can be compared."""
