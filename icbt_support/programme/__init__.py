"""Authored content as frozen objects: programmes with their modules, tools and measures."""
