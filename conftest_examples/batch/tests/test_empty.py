import text


def test_empty(:
    assert text.words("") == []
