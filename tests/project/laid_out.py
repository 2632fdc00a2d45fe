"""A document laid out in every way that people use: comments, sub-tables, dotted keys, one line or many."""

DOCUMENT = """\
# A cover, with notes of mine.
schema = 1
title = "Blue Harbour"   # working title
artist = "Me"

[song]
file = "song.wav"        # from the tape

[convert]                # how it is sung
transpose = "auto"
pitch_correction.strength = 0.25   # gently

# The mixer.
[[tracks]]
name = "vocals"          # the lead
source = "converted"
gain_db = -3.0           # fader
sends = { reverb = -16.0 } # wet
rack = [
  # tame the room first
  { effect = "gate", threshold_db = -45.0 },  # quiet
  { effect = "eq", band1_hz = 300.0 }, # shape
  # squeeze
  { effect = "compressor", ratio = 3.0 }
]

# everything else
[[tracks]]
name = "instrumental"
source = "instrumental"

[tracks.sends]           # a little
reverb = -24.0

[[buses]]
name = "reverb"
rack = [{ effect = "reverb", dry_db = -100.0 }]

# last of all
[master]
loudness_lufs = -14.0    # for streaming
"""
