"""Other people's file formats, read without running anything."""
