"""The programme as staff read it."""

import pytest

from icbt_support.programme.library import programmes
from tests.browsing import PageClient
from tests.cast import Cast


@pytest.mark.parametrize("role", ["supporter", "clinician", "administrator"])
def test_staff_read_every_page_and_post_nothing(client: PageClient, cast: Cast, role: str) -> None:
    client.sign_in(getattr(cast, role))
    assert client.get("/reading/low-mood").status_code == 200
    module = programmes()["low-mood"].modules[2]
    for page in module.pages:
        response = client.get(f"/reading/low-mood/{module.slug}/{page.slug}")
        assert response.status_code == 200
        assert client.page.headings[0].strip().endswith(page.title)
        assert "Continue" not in response.get_data(as_text=True)


@pytest.mark.parametrize(
    "path", ["/reading/nowhere", "/reading/low-mood/nowhere/x", "/reading/low-mood/doing-more/nowhere"]
)
def test_what_is_not_there_is_not_found(client: PageClient, cast: Cast, path: str) -> None:
    assert client.sign_in(cast.supporter).get(path).status_code == 404


def test_patients_have_a_reader_of_their_own(client: PageClient, cast: Cast) -> None:
    assert client.sign_in(cast.patient).get("/reading/low-mood").status_code == 404
