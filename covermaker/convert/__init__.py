"""Features and a voice in, the converted vocal out: same length to the sample, same silences, same key or octaves off.

``convert_vocal`` does it, file to file; ``choose_transposition`` says how far the melody moves and why;
``shift_key`` moves an instrumental along; ``join_parts`` lets several voices sing one song.
"""
