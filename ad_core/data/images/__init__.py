"""Images: where they come from, their pixels, tiles."""
