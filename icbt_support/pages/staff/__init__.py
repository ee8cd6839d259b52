"""Pages that everybody who works in a service may open: whom to ask, training, the board, what colleagues ask."""
