"""What everything stands on: clips, keys, checks. Knows no file format, no descriptor and no model."""
