"""The master becomes what people open elsewhere: audio files with tags, stems, the report of a render."""
