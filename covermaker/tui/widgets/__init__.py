"""What the studio draws itself: waveform, meters, faders, curves, spectrum.

They take arrays and values, never files, draw line by line (Textual's Line API), repaint only what changed, and come in
three character sets. None has bindings: the table of keys binds their ``action_…`` methods.
"""
