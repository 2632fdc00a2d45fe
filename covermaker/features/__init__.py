"""What the voice needs to know of a vocal, 100 times a second: which sound, which note, how loud.

``content.extract_content`` gives a network's view of the sound (`encoders` has them), ``pitch.estimate_pitch`` the
fundamental frequency by any of its methods, ``loudness.frame_loudness_db`` the level. All share the frames of
`clock`.
"""
