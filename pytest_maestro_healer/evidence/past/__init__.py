"""The product as it was: since when a test is what it is, and whether it would pass without what changed since."""
