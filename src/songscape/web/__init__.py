"""Look and listen: the map of a collection in a browser, live or as one file."""
