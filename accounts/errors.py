"""What is refused about accounts and sessions."""

from foyer.errors import Conflict, Forbidden, NotFound, TooManyRequests, Unavailable


class UsernameTaken(Conflict):
    code = "username_taken"
    detail = "An account of that name exists. Names that differ only in case are the same."


class EmailTaken(Conflict):
    code = "email_taken"
    detail = "An account with that email address exists."


class UserNotFound(NotFound):
    code = "user_not_found"
    detail = "There is no such user."


class SignUpClosed(Forbidden):
    code = "sign_up_closed"
    detail = "Nobody can sign up here by themselves. Ask an admin for an account."


class WrongPassword(Forbidden):
    code = "wrong_password"
    detail = "The current password is not right."


class TooManySignIns(TooManyRequests):
    code = "too_many_sign_ins"
    detail = "Too many sign-ins failed. Wait and try again."


class Suspended(Forbidden):
    code = "suspended"
    detail = "This account is suspended."


class AccountGone(Forbidden):
    code = "account_gone"
    detail = "The account was deleted."


class AccountChanging(Unavailable):
    code = "account_changing"
    detail = "The account is being changed at this moment. Try again shortly."


class AccountChanged(Conflict):
    """The password was checked against a row that has changed since. Sign-in starts again."""

    code = "account_changed"
    detail = "The account was changed at the same time. Try again."


class ForeignOrigin(Forbidden):
    code = "foreign_origin"
    detail = "A page of another site may connect with a token only."
