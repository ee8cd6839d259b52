"""What we owe a person's inbox. Knows no plan and no patient."""
