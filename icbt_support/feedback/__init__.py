"""Problems and ideas that people report, and their answers."""
