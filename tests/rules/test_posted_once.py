"""When two posts are one."""

from icbt_support.posted_once import key_of_post


def test_a_post_is_the_same_only_with_the_same_key_and_words() -> None:
    assert key_of_post("a", "words") == key_of_post("a", "words")
    assert key_of_post("a", "words") != key_of_post("a", "other words")
    assert key_of_post("a", "words") != key_of_post("b", "words")
    assert key_of_post("", "words") != key_of_post("", "words")
