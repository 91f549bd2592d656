"""Pictures: where they are, what their headers say, how they become items."""
