"""Failed attempts to sign in are limited, successes are not."""

from __future__ import annotations

import threading

import pytest
from services import Running, activate_account, sign_in

from api.sign_in_limit import SignInLimit, TooManyAttempts
from cardwatch.errors import NotAllowed


def _fail(limit: SignInLimit, address: str, account: str) -> bool:
    """Make an attempt that fails; return whether it was let through."""
    try:
        with limit.attempt(address, account):
            raise NotAllowed("no")  # noqa: TRY301  as signing in does
    except NotAllowed:
        return True
    except TooManyAttempts:
        return False


def test_many_people_behind_one_address_sign_in() -> None:
    limit = SignInLimit()
    for number in range(400):
        with limit.attempt("office", f"person {number % 4}"):
            pass


def test_an_account_is_limited_whatever_the_address() -> None:
    limit = SignInLimit()
    assert sum(_fail(limit, f"address {n}", "a") for n in range(30)) == 10
    assert _fail(limit, "address 1", "b")


def test_an_address_is_limited_whatever_the_account() -> None:
    limit = SignInLimit()
    assert sum(_fail(limit, "address", f"account {n}") for n in range(90)) == 50


def test_strangers_do_not_keep_somebody_from_their_usual_address() -> None:
    limit = SignInLimit()
    with limit.attempt("office", "a"):
        pass
    for number in range(30):
        _fail(limit, f"stranger {number}", "a")
    with limit.attempt("office", "a"):
        pass


def test_attempts_at_the_same_time_get_no_more_tries() -> None:
    limit, gate = SignInLimit(), threading.Event()
    through: list[bool] = []

    def attempt(number: int) -> None:
        try:
            with limit.attempt(f"address {number}", "a"):
                gate.wait(20)
                through.append(True)
                raise NotAllowed("no")  # noqa: TRY301  as signing in does
        except (NotAllowed, TooManyAttempts):
            pass

    threads = [threading.Thread(target=attempt, args=(n,)) for n in range(40)]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join()
    assert len(through) <= 10


@pytest.mark.parametrize("form", [" {} ", "{}\t", "\uff26{}"])
def test_spaces_and_forms_of_an_address_do_not_void_the_limit(running: Running, form: str) -> None:
    secret = activate_account(running, "finance")
    email = "finance@saltmarsh-vale.example"
    written = form.format(email[1:] if "\uff26" in form else email)
    for number in range(10):
        sign_in(running, "finance", secret, code="000000", email=written if number % 2 else email)
    assert sign_in(running, "finance", secret).status_code == 429


def test_an_account_that_does_not_exist_answers_alike(running: Running) -> None:
    secret = activate_account(running, "finance")

    def answers(**changed: str) -> list[tuple[int, str]]:
        made = [sign_in(running, "finance", secret, code="000000", **changed) for _ in range(12)]
        return [(one.status_code, one.json()["detail"]) for one in made]

    assert answers() == answers(email="nobody@saltmarsh-vale.example")
