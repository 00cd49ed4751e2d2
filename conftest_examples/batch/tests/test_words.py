import text


def test_words():
    assert Counter(text.words("a b a")) == {"a": 2, "b": 1}
