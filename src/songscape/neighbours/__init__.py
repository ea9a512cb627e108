"""Songs near a song, paths from one song to another, and playlists of them."""
