"""People who sign in: roles, credentials, sign-ins, invitations, contact preferences."""
