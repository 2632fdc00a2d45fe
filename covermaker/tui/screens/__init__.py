"""One module a screen; `base` is what they share, `seat` stands for those that are still to come."""
