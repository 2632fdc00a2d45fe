"""What a listener would say of a song: its key, its tempo, how loud and how long it is."""
