"""Evidence -> pictures and a page."""
