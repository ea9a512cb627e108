"""Songs near a song, ways from one song to another, and playlists of them."""
