"""A supporter's fortnight, the writing: protected hours, a letter at depth, a lost network, two tabs, an empty day.

The other half, with absence, cover, a late review and a leaver, is `test_supporter_cover_and_leaving`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import browser_type_launch_args as browser_type_launch_args
from tests.journeys.fortnight import (
    ALEX,
    CHRIS,
    PAT,
    ROBIN,
    TODAY,
    WEEK,
    answers_its_five_questions,
    at,
    press_in_row,
    row_of,
    send_preview,
    settle_northfield,
    who_reads,
    write_letter,
)
from tests.journeys.served import Served, Visitor, serving, visiting

NOTICED = (
    "You went for the walk on Sunday, even though the day began low. That is the idea of the module: doing comes "
    "first, and the wish to do it often comes later. You also told me that you slept a little better on the two "
    "nights after it, and that you would like to try it once more."
)
STATE = "[data-autosave-state]"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path, at=at(19, 9)) as product:
        settle_northfield(product)
        product.pass_to(at(19, 9, 5))
        yield product


def test_a_day_of_letters_from_the_first_row_to_an_empty_page(browser: Browser, served: Served) -> None:
    with (
        visiting(browser, served, "pat", is_checked=False) as pat,
        visiting(browser, served, "chris", is_checked=False) as chris,
        visiting(browser, served, "alex", on_phone=True, is_checked=False) as alex,
        visiting(browser, served, "robin", on_phone=True, is_checked=False) as robin,
    ):
        protect_an_hour(pat)
        keep_a_phrase(pat)

        # Two hours before the promise, both are unsent: the pool is told, and sees who is at which.
        served.pass_to(at(19, 15, 5))
        start_the_first(pat)
        see_who_is_at_it(chris, served)

        fill_the_gap_of_a_phrase(pat)
        look_for_help_and_length(pat)
        agree_a_step_with_a_tool(pat)
        go_fortnightly_from_here(pat, alex)
        send_preview(pat, "Alex")
        served.run_jobs()
        read_the_letter(alex, served)

        go_on_to_the_next(pat)
        write_without_a_network(pat)
        write_in_two_tabs(pat)
        send_preview(pat, "Robin")
        served.run_jobs()
        find_both_texts_in_the_letter(robin, served)
        find_the_day_empty(pat)


def protect_an_hour(pat: Visitor) -> None:
    pat.sign_in(PAT)
    pat.open("/supporting/hours")
    pat.page.locator("select[name=weekday]").select_option(label="Friday")
    pat.page.locator("select[name=starts]").select_option(label="9am")
    pat.page.locator("select[name=ends]").select_option(label="10am")
    pat.press("Add the slot")
    pat.sees("The slot is yours. Patients can choose it from now on.")


def keep_a_phrase(pat: Visitor) -> None:
    pat.open("/supporting/phrases/new")
    pat.fill("Name", "A day that counts")
    pat.fill("Words", "{called}, I saw that you [what you saw].")
    pat.press("Keep the phrase")


def start_the_first(pat: Visitor) -> None:
    pat.come_back(PAT, TODAY)
    assert "Due today by 5pm" in row_of(pat, "Robin Dale")
    press_in_row(pat, "Start", "Alex Reed")
    pat.look_closely()


def see_who_is_at_it(chris: Visitor, served: Served) -> None:
    chris.sign_in(CHRIS, TODAY)
    assert "Pat Lane is writing this, since 3.05pm" in row_of(chris, "Alex Reed")
    assert "Take it" in row_of(chris, "Robin Dale")
    assert "For Pat Lane, until this review is written" in row_of(chris, "Robin Dale")
    told = [mail.subject for mail in served.postbox.to(CHRIS)]
    assert told, "the pool was not told of the warning"
    chris.look_closely()


def fill_the_gap_of_a_phrase(pat: Visitor) -> None:
    """An open gap stops the preview and is named; nothing typed is lost on the way."""
    pat.fill("What I noticed", NOTICED)
    pat.page.get_by_text("Phrases", exact=True).click()
    pat.press_at(pat.page.locator(".phrase").filter(has_text="A day that counts").get_by_role("button"))
    letter = pat.page.get_by_label("What I noticed", exact=True)
    expect(letter).to_have_value(f"{NOTICED}\n\nAlex, I saw that you [what you saw].")
    pat.press("Preview as Alex will see it")
    pat.sees("[what you saw]")
    assert "There is a problem" in pat.page.locator("main").inner_text()
    pat.look_closely()
    letter.fill(letter.input_value().replace("[what you saw]", "rang your sister"))


def look_for_help_and_length(pat: Visitor) -> None:
    prompts = pat.page.get_by_text("Say what a score means in words, and how it moved")
    expect(prompts).not_to_be_visible()
    pat.page.get_by_text("Prompts: what helps in a letter").click()
    expect(prompts).to_be_visible()
    pat.press("Draw the week again")
    expect(pat.page.locator("#next-week")).to_contain_text("reads at about age")


def agree_a_step_with_a_tool(pat: Visitor) -> None:
    pat.fill("What", "Plan one good hour")
    pat.choose("A tool")
    pat.select("Which tool", "Activity plan")
    pat.fill("Why it helps, because …", "doing comes before feeling like it")
    pat.select("Day", "Sunday 22 November")
    pat.select("Time", "6pm")
    expect(pat.page.locator("#next-week")).to_contain_text("Plan one good hour")


def go_fortnightly_from_here(pat: Visitor, alex: Visitor) -> None:
    """It is shown before sending, to Pat alone, and holds once it is sent."""
    pat.page.get_by_text("Change the course from here").click()
    pat.choose("Every two weeks")
    expect(pat.page.locator("#next-week")).to_contain_text("From now on we go every two weeks.")
    alex.sign_in(ALEX, WEEK)
    alex.sees("Every week you get a review.")
    answers_its_five_questions(alex)


def read_the_letter(alex: Visitor, served: Served) -> None:
    mail = served.postbox.take(ALEX, "Your plan for the week is ready")
    assert "sister" not in mail.everything
    alex.come_back(ALEX, mail.link("/reviews/"))
    for words in (NOTICED, "Alex, I saw that you rang your sister.", "From now on we go every two weeks."):
        alex.sees(words)
    alex.press("I have read this")
    alex.open(WEEK)
    alex.sees("Every two weeks you get a review.")
    alex.sees("Plan one good hour")
    assert "Pat reads what you share and writes by Thursday 3 December, 5pm." in who_reads(alex)


def go_on_to_the_next(pat: Visitor) -> None:
    pat.press("Next: Robin Dale, due 11.15am · about 15 minutes")
    assert "Robin Dale" in pat.heading


def write_without_a_network(pat: Visitor) -> None:
    """The words stay in the browser, and are saved by themselves when the network is back."""
    write_letter(pat, "Written on the train.", step="One call", day="Sunday 22 November")
    saved(pat.page)
    with pat.without_network():
        pat.fill("What I noticed", "Written on the train, in the tunnel.")
        expect(pat.page.locator(STATE)).to_contain_text("Your words are kept in this browser")
    saved(pat.page)


def write_in_two_tabs(pat: Visitor) -> None:
    """The older tab does not write over the newer one: both texts are shown, and become one letter."""
    newer = pat.context.new_page()
    newer.goto(pat.page.url)
    expect(newer.locator("#noticed")).to_have_value("Written on the train, in the tunnel.")
    newer.fill("#noticed", "The newer tab.")
    saved(newer)
    newer.close()
    pat.fill("What I noticed", "The older tab.")
    expect(pat.page.locator(STATE)).to_contain_text("Both texts are kept", timeout=30_000)
    pat.forgive("status of 409")
    pat.page.get_by_role("link", name="Compare the two and choose").click()
    expect(pat.page.locator("h1")).to_have_text("Two texts of the letter for Robin")
    pat.look_closely()
    pat.page.get_by_label("Both, one after the other").first.check()
    pat.press("Make one letter of these")


def saved(page: Page) -> None:
    expect(page.locator(STATE)).to_contain_text("Saved 3.05pm", timeout=30_000)


def find_both_texts_in_the_letter(robin: Visitor, served: Served) -> None:
    mail = served.postbox.take(ROBIN, "Your plan for the week is ready")
    robin.sign_in(ROBIN, mail.link("/reviews/"))
    robin.sees("The newer tab.")
    robin.sees("The older tab.")
    robin.open(WEEK)
    answers_its_five_questions(robin)


def find_the_day_empty(pat: Visitor) -> None:
    pat.sees("Nothing left for today.")
    pat.open(TODAY)
    pat.sees("Nothing left for today.")
    pat.sees("Next: Thursday 26 November, 1 review")
