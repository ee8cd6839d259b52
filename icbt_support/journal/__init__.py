"""Pages read, exercises answered, tool entries kept private or shared."""
