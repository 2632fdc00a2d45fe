"""Which steps a project needs, in order. Builds steps; the rooms upstream do the work."""
