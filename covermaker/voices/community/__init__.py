"""Voices of RVC and so-vits-svc: their files recognised by content, taken in as voices, and written again."""
