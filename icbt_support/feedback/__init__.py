"""Problems and ideas that people report, who answers them, and what came of it."""
