"""The judge: what a family's model in numpy float64 is built from, one step as the papers write it.

Slow, and meant to be read. Every other runner (torch, the C++ engine on any device) is compared with this one, stage by
stage; so nothing here is clever, and nothing is shared with the parties it judges.
"""
