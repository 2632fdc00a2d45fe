"""What a person can do in the studio, screen by screen; `tui.keytable` joins them."""
