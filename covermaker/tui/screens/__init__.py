"""One module a screen, and what several share: `base` all of them, the others as their names say."""
