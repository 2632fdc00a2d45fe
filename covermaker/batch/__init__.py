"""Many songs: a playlist becomes covers, unattended, on one machine or on a cluster."""
