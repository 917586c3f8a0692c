"""Every claim of speed, with its peer measured in the same run."""
