"""Codes: music as a few integers a frame, a prior that says which come next, and a voice that makes sound of them."""
