"""Channels behind one protocol, and the rendering of outbound mail."""
