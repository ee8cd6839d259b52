"""The form in which a person chooses a password, wherever one does."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field, PasswordField
from wtforms.validators import InputRequired, ValidationError

from icbt_support.accounts.passwords import find_password_problem
from icbt_support.accounts.rules import RECOMMENDED_PASSWORD, SHORTEST_PASSWORD

HINT = (
    f"Use {SHORTEST_PASSWORD} or more characters. {RECOMMENDED_PASSWORD} or more is better: "
    "three or four words that only you would put together."
)


class NewPasswordForm(FlaskForm):
    """`email` is the address of the account, which the password may not repeat."""

    password = PasswordField("New password", [InputRequired("Enter a password")], description=HINT)

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def validate_password(self, field: Field) -> None:
        problem = find_password_problem(field.data or "", email=self.email)
        if problem is not None:
            raise ValidationError(problem)
